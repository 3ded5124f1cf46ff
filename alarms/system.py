"""All of it as one fold: what happened and what time it is, to alarm changes. The only entrance.

Order within one call: every clock due by now acts first, each at its due instant; then what
happened is judged, with the clocks it made due at once; then the board is asked what changed.
Nothing here opens, waits or asks a clock.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from alarms import step as stepping
from alarms.agreement import Agreement, Others
from alarms.board import NEVER, Board, Watch
from alarms.channel import Channel
from alarms.condition import INACTIVATIONS, Condition, Input, State
from alarms.derived import derive
from alarms.equipment import Equipment
from alarms.names import APNOEA, RECORDING_GAP, REJECTED
from alarms.overdue import Overdue
from alarms.permission import DEEDS, GOVERNED, forbidden
from alarms.refusals import Refusals
from alarms.rules import LimitSet
from alarms.senses import Senses, new_senses
from alarms.subsumption import Causes
from alarms.vitals import Vitals
from alarms.watches import technical_watch, watch_all
from monitor.model.alarm import AlarmChange, AlarmSnapshot, Inactivation
from monitor.model.entry import SelfCheck
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    Observation,
    OtherReading,
    WaveformSegment,
)
from monitor.model.instant import Duration, Instant
from monitor.model.link import LinkChange
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed, OperatorAction
from monitor.model.snapshot import Offer

Happened: TypeAlias = (
    Observation
    | OtherReading
    | WaveformSegment
    | DeviceNotice
    | DeviceAlarm
    | FrameRejected
    | LinkChange
    | OperatorAction
    | SelfCheck
)
_SAVED_VERSION: Final = 2


class SavedWatch(msgspec.Struct, frozen=True):
    """One condition as saved."""

    state: State
    note: str


class Saved(msgspec.Struct, kw_only=True):
    """The whole state of the alarm system."""

    version: int
    now: Instant
    watches: dict[str, SavedWatch]
    senses: Senses
    refusals: Refusals
    causes: Causes
    others: Others = msgspec.field(default_factory=Others)


_DECODER: Final = msgspec.json.Decoder(Saved)
_ENCODER: Final = msgspec.json.Encoder()


class AlarmSystem:
    """Judges everything that happens at one chair. See the module for its contract."""

    def __init__(self, limits: LimitSet) -> None:
        self._limits = limits
        self._begin(Instant(0), new_senses(), Refusals(), Causes(), Others())

    def _begin(
        self, now: Instant, senses: Senses, refusals: Refusals, causes: Causes, others: Others
    ) -> None:
        self._now = self._floor = now
        self._due = NEVER
        self._board = Board(causes)
        watch_all(self._limits, self._board)
        self._vitals = Vitals(self._limits, self._board, senses)
        self._equipment = Equipment(self._limits, self._board, self._vitals, causes, refusals)
        self._agreement = Agreement(self._limits.doubt, self._board, senses.channels, others)
        self._overdue = Overdue(self._limits.cuff_due, self._board, senses)
        self._causes, self._others = causes, others
        self._offered: tuple[object, tuple[Offer, ...]] = (None, ())

    @property
    def wake_at(self) -> Instant | None:
        """Return when `wake` must be called at the latest; None if no clock runs.

        It may lie before the next change: looking too often changes nothing.
        """
        return None if self._due == NEVER else self._due

    def accept(self, happened: Happened, now: Instant, link: str = "") -> Sequence[AlarmChange]:
        """Let every due clock act, then judge what happened; return the changes in order.

        `link` is where a device's notice came from: what one says, another does not take back.
        """
        if self._now <= now < self._due and type(happened) is Observation:
            quick = self._vitals.quick.get(happened.metric)
            if quick is not None and quick.takes(happened, now):
                self._now = now
                return ()
        now = self._look(now)
        self._take(happened, now, link)
        self._floor = now
        self._due = min(self._due, self._board.hint)
        self._look(now)
        return self._board.fetch()

    def wake(self, now: Instant) -> Sequence[AlarmChange]:
        """Let every clock due by now act; return the changes in order."""
        self._look(now)
        return self._board.fetch()

    def _look(self, now: Instant) -> Instant:
        """Let due clocks act; return now, never earlier than what was seen before."""
        self._now = now = max(self._now, now)
        while self._due <= now:
            self._mature_one(now)
        return now

    def _mature_one(self, now: Instant) -> None:
        """Let the earliest clock act if it is due, and learn when the next one is."""
        watch, other = self._board.soonest(), self._other_due()
        first = watch.due if watch is not None and watch.due is not None else NEVER
        due = min(first, other)
        if due <= now:
            if watch is not None and first <= other:
                self._board.mature(watch, due, self._floor)
            else:
                self._mature_others(max(due, self._floor))
            return
        self._due = due
        self._board.hint = NEVER

    def _other_due(self) -> Instant:
        dues = (self._vitals.due(), self._agreement.due(), self._overdue.due())
        return min(self._refusals_due(), *(NEVER if each is None else each for each in dues))

    def _refusals_due(self) -> Instant:
        due = self._equipment.refusals.due()
        return due if due is not None else NEVER

    def _mature_others(self, due: Instant) -> None:
        if self._refusals_due() <= due:
            self._equipment.refusals.forget()
            rejected = self._board.get(REJECTED)
            assert rejected is not None
            self._board.judge(rejected, Input.NORMAL, due)
        self._agreement.mature(due)
        self._overdue.mature(due)
        self._vitals.mature(due)

    def _take(self, happened: Happened, now: Instant, link: str) -> None:
        match happened:
            case Observation() | OtherReading() | WaveformSegment():
                self._measure(happened, now)
                return
            case DeviceNotice():
                self._equipment.hear_notice(happened, now, link)
            case DeviceAlarm():
                self._equipment.hear_device(happened, now)
            case FrameRejected():
                self._refuse(happened.reason or "refused", now)
            case LinkChange():
                self._equipment.hear_link(happened, now)
            case SelfCheck():
                self._equipment.hear_check(happened, now)
            case OperatorAction():
                self._act(happened, now)
        self._board.expect(self._vitals.due())

    def _measure(self, heard: Observation | OtherReading | WaveformSegment, now: Instant) -> None:
        if isinstance(heard, OtherReading):
            self._agreement.hear(heard, now)
        elif isinstance(heard, WaveformSegment):
            self._refuse(self._vitals.hear_wave(heard, now), now)
            if heard.metric is Metric.CO2_WAVE:
                derive(self._vitals, self._agreement.hear, now)
        else:
            self._refuse(self._vitals.hear(heard, now), now)
            if heard.metric in NIBP:
                self._overdue.hear(now)

    def _refuse(self, reason: str, now: Instant) -> None:
        if reason:
            self._equipment.refuse(reason, now)
            self._board.expect(self._equipment.refusals.due())

    # -- people

    def refusal(self, action: OperatorAction) -> str:
        """Return why an action is not possible now, in words for people; empty if it is."""
        deed = DEEDS.get(action.deed)
        if deed is None:
            return ""
        if not action.operator.strip():
            return "an operator must be named"
        watch = self._board.get(action.alarm)
        if watch is None:
            return "no such alarm present"
        if deed in INACTIVATIONS and (why := self._forbidden(watch, INACTIVATIONS[deed])):
            return why
        refused = stepping.refusal(watch.state, deed)
        return refused or stepping.held_too_briefly(watch.state, deed, action.at)

    def _forbidden(self, watch: Watch, inactivation: Inactivation) -> str:
        """Return why the organisation does not allow it in this phase; empty if it does."""
        phase, rules = self._vitals.senses.baseline.phase, self._limits.operator.inactivation
        return forbidden(inactivation, watch.identity, watch.priority, phase, rules)

    def offers(self) -> tuple[Offer, ...]:
        """Return what the organisation allows for which condition now, by name."""
        priorities = tuple(watch.priority for watch in self._board)
        key = (self._vitals.senses.baseline.phase, priorities)
        if key != self._offered[0]:  # asked for with every picture, changed once in a while
            self._offered = (key, self._offer())
        return self._offered[1]

    def _offer(self) -> tuple[Offer, ...]:
        found = []
        for watch in self._in_order():
            deeds = tuple(
                deed for deed in GOVERNED if not self._forbidden(watch, INACTIVATIONS[DEEDS[deed]])
            )
            if deeds:
                identity = watch.identity
                found.append(Offer(alarm=identity.alarm, title=identity.title, deeds=deeds))
        return tuple(found)

    def _enter(self, now: Instant) -> None:
        """End what was done to signals and is not allowed in the phase that begins."""
        for watch in self._in_order():
            if self._forbidden(watch, watch.state.operator):
                self._board.disallow(watch, now)

    def _act(self, action: OperatorAction, now: Instant) -> None:
        if action.deed is Deed.ENTER_PHASE and action.phase is not None:
            self._vitals.enter(action.phase)
            self._enter(now)
            self._overdue.enter(now)
        deed, watch = DEEDS.get(action.deed), self._board.get(action.alarm)
        if deed is None or watch is None or self.refusal(action):
            return
        was_held = watch.state.condition is Condition.HELD
        self._board.act(watch, deed, now, action.operator.strip())
        if action.alarm == APNOEA and deed is Input.RESET and was_held:
            self._vitals.senses.breaths.rearm()

    # -- looking

    def alarms(self) -> tuple[AlarmSnapshot, ...]:
        """Return what is present or latched, in reading order; the first owns the 4-metre line."""
        return self._board.snapshots()

    def inactivated(self) -> tuple[AlarmSnapshot, ...]:
        """Return what is absent and would not signal because a person inactivated it, by name."""
        return self._board.inactivated()

    def limits_of(self, metric: Metric) -> tuple[float | None, float | None]:
        """Return the low and the high limit in force for `metric`; None where there is none."""
        return self._vitals.bounds.in_force(metric)

    def inspect(self, alarm: str) -> Watch | None:
        """Return the condition of that name as it stands, to look at and not to touch."""
        return self._board.get(alarm)

    def watches(self) -> list[Watch]:
        """Return every condition that is watched, by name, to look at and not to touch."""
        return self._in_order()

    def cause_of(self, watch: Watch) -> str:
        """Return the standing condition that explains another, if one does."""
        return self._board.cause_of(watch)

    def channel_of(self, metric: Metric) -> Channel | None:
        """Return what is known of a metric."""
        return self._vitals.senses.channels.get(metric)

    @property
    def rejected(self) -> int:
        """Return how many frames and values were refused in all."""
        return self._equipment.refusals.total

    # -- restart

    def resume(self, now: Instant, gap: Duration) -> Sequence[AlarmChange]:
        """Take up the watch after a stop of length `gap`.

        Acknowledgements and conditions stay, what else was done to signals ends, what was present
        is held until fresh data say otherwise, ages count from now, and the gap itself is told and
        latched.
        """
        stopped, now = self._now, max(self._now, now)
        for watch in self._in_order():
            self._board.restart(watch, stopped, now)
        self._vitals.rewatch(now)
        self._equipment.refusals.rewatch(now)
        gap_watch = self._board.get(RECORDING_GAP)
        assert gap_watch is not None
        self._equipment.note_gap(gap_watch, gap, now)
        self._due = self._floor = now
        self._look(now)
        return self._board.fetch()

    def _in_order(self) -> list[Watch]:
        """Return the conditions by name: an order that does not depend on which came up first."""
        return sorted(self._board, key=lambda each: each.identity.alarm)

    def save(self) -> bytes:
        """Return the whole state as stable JSON."""
        watches = {
            each.identity.alarm: SavedWatch(each.state, "" if each.is_idle else each.note)
            for each in self._in_order()
            if each.state != State()
        }
        return _ENCODER.encode(
            Saved(
                version=_SAVED_VERSION,
                now=self._now,
                watches=watches,
                senses=self._vitals.senses,
                refusals=self._equipment.refusals,
                causes=self._causes,
                others=self._others,
            )
        )

    @classmethod
    def restore(cls, limits: LimitSet, saved: bytes) -> "AlarmSystem":
        """Return the system as it was saved. A condition the limits no longer know stays, as HIGH.

        Raises:
            ValueError: not a state saved by this version.
        """
        state = _DECODER.decode(saved)
        if state.version != _SAVED_VERSION:
            raise ValueError(f"saved by version {state.version}, this is {_SAVED_VERSION}")
        system = cls(limits)
        system._begin(state.now, state.senses, state.refusals, state.causes, state.others)
        for alarm, each in state.watches.items():
            watch = system._board.get(alarm)
            if watch is None:
                watch = system._board.add(technical_watch(alarm, limits))
            system._board.put_back(watch, each.state, each.note)
        system._due = Instant(0)
        system._look(state.now)
        return system
