"""A cuff reading that does not come: told when it is overdue by the schedule of the phase.

The peak of a pressure between two readings is missed if the second never comes (hazard H9). The
clock runs from the newest plausible reading, or from the beginning of the phase; a reading that is
set aside stops nothing. Only a chair whose cuff was heard of is waited for: without a cuff there is
nothing to be late.
"""

from collections.abc import Mapping

from alarms.board import Board, Watch
from alarms.condition import Input
from alarms.names import NIBP_OVERDUE
from alarms.senses import Senses
from monitor.model.instant import Duration, Instant, in_seconds, later
from monitor.model.metric import NIBP
from monitor.model.session import Phase


class Overdue:
    """Judges the schedule of the cuff; without one in the preset it judges nothing."""

    def __init__(self, due: Mapping[Phase, Duration], board: Board, senses: Senses) -> None:
        self._after = due
        self._board = board
        self._senses = senses

    def _watch(self) -> Watch:
        watch = self._board.get(NIBP_OVERDUE)
        assert watch is not None
        return watch

    def due(self) -> Instant | None:
        """Return when the next reading is overdue; None if none is expected or it was told."""
        return None if self._watch().is_standing else self._overdue_at()

    def _overdue_at(self) -> Instant | None:
        baseline = self._senses.baseline
        after = self._after.get(baseline.phase)
        cuffs = [self._senses.channels[each] for each in NIBP]
        if after is None or all(each.heard_at is None for each in cuffs):
            return None
        read = [each.valid_at for each in cuffs if each.valid_at is not None]
        return later(max((baseline.entered, *read)), after)

    def hear(self, now: Instant) -> None:
        """A cuff was heard: what was overdue is over if it was a reading."""
        due = self._overdue_at()
        self._board.expect(due)
        if self._watch().is_standing and (due is None or due > now):
            self._board.judge(self._watch(), Input.NORMAL, now)

    def enter(self, now: Instant) -> None:
        """A phase began: its schedule counts from now."""
        self._senses.baseline.entered = now
        self.hear(now)

    def mature(self, now: Instant) -> None:
        """Tell what is overdue at `now`."""
        due = self.due()
        if due is None or due > now:
            return
        after = self._after[self._senses.baseline.phase]
        watch = self._watch()
        watch.note = f"no cuff reading for {in_seconds(after) / 60:g} min"
        self._board.judge(watch, Input.VIOLATED, now)
