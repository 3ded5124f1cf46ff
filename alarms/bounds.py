"""The limits in force: those of the phase, those from the baseline, and what they have gathered."""

from collections.abc import Mapping

from alarms.baseline import Baseline, limit_from
from alarms.board import Board, Watch
from alarms.condition import Input
from alarms.doubt import CROSSED, Doubt, softened
from alarms.rules import LimitRule, LimitSet, judge, limit_policy
from alarms.tally import Tally
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from monitor.model.session import Phase


class Bounds:
    """Judges values against every limit of their metric that is in force now."""

    def __init__(
        self, limits: LimitSet, board: Board, baseline: Baseline, tallies: dict[str, Tally]
    ) -> None:
        self._limits = limits
        self._board = board
        self._baseline = baseline
        self._tallies = tallies
        self._watches: dict[Metric, list[Watch]] = {}
        for metric, alarm in self._alarms():
            watch = board.get(alarm)
            assert watch is not None
            self._watches.setdefault(metric, []).append(watch)
        self._put_in_force()

    def _alarms(self) -> list[tuple[Metric, str]]:
        plain = [(each.metric, each.alarm) for each in self._limits.limits]
        return plain + [(each.metric, each.alarm) for each in self._limits.relatives]

    def of(self, metric: Metric) -> list[Watch]:
        """Return the conditions of a metric whose limits are in force."""
        return [each for each in self._watches.get(metric, ()) if each.rule is not None]

    def is_calm(self, metric: Metric) -> bool:
        """Say whether nothing at all is going on with the limits of a metric."""
        return all(
            each.is_idle and self._tally_is_empty(each) for each in self._watches.get(metric, ())
        )

    def _tally_is_empty(self, watch: Watch) -> bool:
        tally = self._tallies.get(watch.identity.alarm)
        return tally is None or tally.is_empty

    def judge(
        self, metric: Metric, value: float, doubt: Doubt, now: Instant, *, since: Instant | None
    ) -> None:
        """Judge a value, as far as doubt lets it decide; `since` is the valid value before it."""
        for watch in self.of(metric):
            happened = softened(watch, value, doubt)
            is_over = doubt is Doubt.NONE and self._is_over(watch, value, now, since)
            # What doubt keeps from deciding is no measure of how bad it was when acknowledged.
            decides = doubt is Doubt.NONE or happened in CROSSED
            believed = value if decides else None
            self._board.judge(watch, happened, now, value=believed, is_over=is_over)

    def judge_cuff(self, values: Mapping[Metric, float], note: str, now: Instant) -> None:
        """Judge one cuff reading: every value decides at once."""
        for metric, value in values.items():
            for watch in self.of(metric):
                assert watch.rule is not None
                watch.note = note
                self._board.judge(watch, judge(watch.rule, value), now, value=value)

    def lose(self, metric: Metric, now: Instant) -> None:
        """A metric is not known now."""
        for watch in self._watches.get(metric, ()):
            self._board.judge(watch, Input.UNKNOWN, now)

    def _is_over(self, watch: Watch, value: float, now: Instant, since: Instant | None) -> bool:
        rule = watch.rule
        if rule is None or (rule.budget is None and rule.violations_max is None):
            return False
        return self._tallies.setdefault(rule.alarm, Tally()).add(rule, value, now, since)

    def enter(self, phase: Phase) -> None:
        """Put the limits of a phase in force."""
        self._baseline.phase = phase
        self._put_in_force()

    def take_baseline(self, values: dict[Metric, float], now: Instant) -> None:
        """Take a plausible cuff reading; a baseline that changes moves the limits from it."""
        if self._baseline.add(values, now, self._limits.baseline):
            self._put_in_force()

    def _put_in_force(self) -> None:
        for rule in self._limits.limits:
            self._set(rule.alarm, self._limits.in_phase(rule, self._baseline.phase))
        for relative in self._limits.relatives:
            own = self._baseline.values.get(relative.metric)
            self._set(relative.alarm, None if own is None else limit_from(relative, own))

    def _set(self, alarm: str, rule: LimitRule | None) -> None:
        watch = self._board.get(alarm)
        assert watch is not None
        if rule is not None and rule != watch.rule:
            watch.rule, watch.policy = rule, limit_policy(rule, self._limits.operator)
            self._board.retime(watch)

    def in_force(self, metric: Metric) -> tuple[float | None, float | None]:
        """Return the low and the high limit of a metric in force, the narrowest of each."""
        rules = [each.rule for each in self.of(metric) if each.rule is not None]
        return (
            max((each.limit for each in rules if each.is_low), default=None),
            min((each.limit for each in rules if not each.is_low), default=None),
        )
