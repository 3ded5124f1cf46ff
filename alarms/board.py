"""All conditions side by side: each stepped alone, told in order, explained by one another."""

from collections.abc import Iterator
from typing import Final

import msgspec

from alarms import step as stepping
from alarms.condition import DEEDS, Condition, Input, Policy, State, Step, Told
from alarms.names import Identity
from alarms.rules import LimitRule
from alarms.subsumption import Causes
from alarms.wording import reason
from monitor.model.alarm import (
    FAR_SIGNAL_OFF,
    INDEFINITE,
    RANK,
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    Priority,
)
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant

_STANDING: Final = frozenset({Condition.PRESENT, Condition.HELD})
_CROSSED: Final = frozenset({Input.VIOLATED, Input.SEVERE})
_FRESH: Final = State()
NEVER: Final = Instant(2**63 - 1)


class Watch(msgspec.Struct, kw_only=True, eq=False):
    """One condition being watched. `note` is what whoever judged it last had to say."""

    identity: Identity
    policy: Policy
    rule: LimitRule | None = None
    state: State = _FRESH
    note: str = ""
    due: Instant | None = None

    @property
    def is_idle(self) -> bool:
        """Say whether there is nothing to judge: absent and without a signal."""
        return self.state.condition is Condition.ABSENT and self.state.signal is Signal.OFF

    @property
    def is_standing(self) -> bool:
        """Say whether the condition is present or held."""
        return self.state.condition in _STANDING

    @property
    def priority(self) -> Priority:
        """Return the priority in force."""
        return stepping.priority_of(self.policy, self.state)


class Board:
    """The register of conditions and the changes not yet fetched.

    `hint` is never later than the earliest clock; whoever looks at all clocks may set it exactly.
    """

    def __init__(self, causes: Causes) -> None:
        self._watches: dict[str, Watch] = {}
        self._causes = causes
        self._told: list[AlarmChange] = []
        self.hint = NEVER

    def __iter__(self) -> Iterator[Watch]:
        return iter(self._watches.values())

    def add(self, watch: Watch) -> Watch:
        """Watch one more condition."""
        return self._watches.setdefault(watch.identity.alarm, watch)

    def get(self, alarm: str) -> Watch | None:
        """Return the condition of that name, if it is watched."""
        return self._watches.get(alarm)

    def fetch(self) -> tuple[AlarmChange, ...]:
        """Return what was told since the last call, in order."""
        if not self._told:
            return ()
        told = tuple(self._told)
        self._told.clear()
        return told

    def judge(
        self,
        watch: Watch,
        happened: Input,
        now: Instant,
        *,
        value: float | None = None,
        began: Instant | None = None,
        is_over: bool = False,
    ) -> None:
        """Step one condition by a judgement. A quiet one that hears nothing new costs nothing.

        `is_over`: its delay counts as over, whatever the clock says (a budget is spent).
        """
        if watch.is_idle and happened not in _CROSSED:
            return
        taken = stepping.step(watch.policy, watch.state, happened, now, value=value, began=began)
        self._put(watch, taken)
        if is_over and watch.state.condition is Condition.CANDIDATE:
            self._put(watch, stepping.hasten(watch.policy, watch.state, now))

    def act(self, watch: Watch, deed: Input, now: Instant, by: str) -> None:
        """Step one condition by a person's deed."""
        self._put(watch, stepping.act(watch.policy, watch.state, deed, now, by), by)

    def disallow(self, watch: Watch, now: Instant) -> None:
        """End what was done to one condition and is no longer allowed."""
        self._put(watch, stepping.disallow(watch.policy, watch.state, now))

    def mature(self, watch: Watch, now: Instant, floor: Instant) -> None:
        """Let the clocks of one condition that are due act.

        Nothing is stamped before `floor`: a phase may move a clock into the past, where nobody
        could have been told.
        """
        step = stepping.mature(watch.policy, watch.state, now)
        told = tuple(
            each if each.at >= floor else msgspec.structs.replace(each, at=floor)
            for each in step.told
        )
        self._put(watch, Step(step.state, told))
        watch.due = stepping.wake_at(watch.policy, watch.state)

    def restart(self, watch: Watch, stopped: Instant, now: Instant) -> None:
        """Take up one condition after a stop."""
        self._put(watch, stepping.restart(watch.policy, watch.state, stopped, now))

    def retime(self, watch: Watch) -> None:
        """Ask a condition again when its clocks run out: its policy changed."""
        watch.due = stepping.wake_at(watch.policy, watch.state)
        self.expect(watch.due)

    def put_back(self, watch: Watch, state: State, note: str) -> None:
        """Set a condition to what was saved, telling nobody."""
        watch.state, watch.note = state, note
        watch.due = stepping.wake_at(watch.policy, state)

    def _put(self, watch: Watch, step: Step, by: str = "") -> None:
        if step.state is watch.state:
            return
        watch.state = step.state
        watch.due = stepping.wake_at(watch.policy, step.state)
        self.expect(watch.due)
        self._told.extend(self._change(watch, told, by) for told in step.told)

    def _change(self, watch: Watch, told: Told, by: str) -> AlarmChange:
        identity, rule = watch.identity, watch.rule
        about = told.before if told.after.signal is Signal.OFF else told.after
        return AlarmChange(
            at=told.at,
            alarm=identity.alarm,
            change=told.change,
            priority=stepping.priority_of(watch.policy, about),
            kind=identity.kind,
            metric=identity.metric,
            value=told.after.value if told.after.value is not None else told.before.value,
            limit=None if rule is None else rule.limit_crossed(is_severe=_is_severe(told, about)),
            reason=reason(told, watch.policy, rule, watch.note),
            operator=by if told.cause in DEEDS else "",
            subsumed_by=self.cause_of(watch),
            inactivation=told.after.operator,
        )

    def cause_of(self, watch: Watch) -> str:
        """Return the standing condition that explains this one, if it is no less urgent."""
        for alarm in self._causes.of(watch.identity):
            cause = self._watches.get(alarm)
            if cause is None or cause is watch or not cause.is_standing:
                continue
            if RANK[cause.priority] >= RANK[watch.priority]:
                return alarm
        return ""

    def expect(self, due: Instant | None) -> None:
        """Note that a clock may run out at `due`."""
        if due is not None and due < self.hint:
            self.hint = due

    def soonest(self) -> Watch | None:
        """Return the condition whose clock runs out first; by name where two are due at once."""
        timed = [each for each in self._watches.values() if each.due is not None]
        return min(timed, key=lambda each: (each.due, each.identity.alarm), default=None)

    def snapshots(self) -> tuple[AlarmSnapshot, ...]:
        """Return what is present or latched in reading order: most urgent, present, newest.

        What is over and was acknowledged comes after what is not, and what has no signal for four
        metres after everything that has.
        """
        shown = [each for each in self if each.state.signal is not Signal.OFF]
        shown.sort(key=_reading_order)
        return tuple(self._snapshot(each) for each in shown)

    def inactivated(self) -> tuple[AlarmSnapshot, ...]:
        """Return what is absent and inactivated all the same, by name."""
        shown = [
            each
            for each in self
            if each.state.operator is not Inactivation.NONE and each.state.signal is Signal.OFF
        ]
        shown.sort(key=lambda each: each.identity.alarm)
        return tuple(self._snapshot(each) for each in shown)

    def _snapshot(self, watch: Watch) -> AlarmSnapshot:
        identity, rule, state = watch.identity, watch.rule, watch.state
        is_indefinite = state.operator in INDEFINITE
        since = state.began if state.began is not None else state.acted
        return AlarmSnapshot(
            alarm=identity.alarm,
            title=identity.title,
            priority=watch.priority,
            kind=identity.kind,
            since=since if since is not None else Instant(0),
            signal=state.signal,
            metric=identity.metric,
            value=state.value,
            limit=None if rule is None else rule.limit_crossed(is_severe=state.is_severe),
            limit_is_low=rule is not None and rule.is_low,
            held_since=state.held_since,
            inactivation=state.operator,
            inactivated_by=state.by,
            inactivated_at=state.acted,
            inactivated_until=None if is_indefinite else stepping.ends_at(watch.policy, state),
            reminded_at=stepping.reminded_at(watch.policy, state),
            subsumed_by=self.cause_of(watch),
        )


def _is_severe(told: Told, about: State) -> bool:
    """Say whether the severe limit was crossed: what is high since before tells its own limit."""
    if told.change is Change.PRESENT:
        return told.cause is Input.SEVERE_DELAY_OVER
    return about.is_severe


def _reading_order(watch: Watch) -> tuple[bool, bool, int, bool, int, str]:
    raised = watch.state.raised if watch.state.raised is not None else Instant(0)
    is_far = watch.state.operator not in FAR_SIGNAL_OFF
    is_seen = not watch.is_standing and watch.state.operator is Inactivation.ACKNOWLEDGED
    urgency = (-RANK[watch.priority], not watch.is_standing, -raised, watch.identity.alarm)
    return (not is_far, is_seen, *urgency)
