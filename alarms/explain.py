"""Why an alarm changed, and why none did: by judging the recorded inputs again, and looking.

Nothing is kept for this beside the record: the same inputs through the same core give the same
conclusions, so the core can be asked at any instant what it knew. `Story` is what a record holds:
what happened, restarts among it, and when.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from alarms import step as stepping
from alarms.board import Watch
from alarms.clock import Evidence
from alarms.condition import Condition, Policy, State
from alarms.rules import LimitRule, LimitSet, judge
from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import INDEFINITE, AlarmChange, Priority
from monitor.model.event import Observation
from monitor.model.instant import Duration, Instant, in_seconds
from monitor.model.metric import Metric, describe

SAMPLES_MAX: Final = 60


class Restart(msgspec.Struct, frozen=True):
    """The process came back: for `gap` nobody watched."""

    gap: Duration


Story: TypeAlias = Iterable[tuple[Happened | Restart, Instant]]


class Sample(msgspec.Struct, frozen=True):
    """One observation as it came, and how it stands to the limit."""

    at: Instant
    value: float | None
    validity: str
    judged: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One change with everything behind it."""

    change: AlarmChange
    title: str
    rule: LimitRule | None
    policy: Policy
    before: State
    after: State
    samples: tuple[Sample, ...]
    clocks: tuple[str, ...]


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Why one condition gave no signal at an instant, in a sentence; and where it stood."""

    alarm: str
    title: str
    priority: Priority
    text: str
    state: State


def explain(limits: LimitSet, story: Story, alarm: str, at: Instant) -> list[Explanation]:
    """Return the changes of `alarm` told at exactly `at`, each with what led to it."""
    return [each for each in explain_until(limits, story, alarm, at) if each.change.at == at]


def explain_until(
    limits: LimitSet, story: Story, alarm: str, until: Instant | None
) -> list[Explanation]:
    """Return the changes of `alarm` told by `until`, or in the whole story; oldest first."""
    seen = _Seen(AlarmSystem(limits), alarm)
    for happened, now in story:
        if until is not None and now > until:
            break
        seen.look(now)
        seen.hear(happened, now)
    if until is not None:
        seen.look(until)
    return seen.found


class _Seen:
    """A system being played, and what was found about one alarm."""

    def __init__(self, system: AlarmSystem, alarm: str) -> None:
        self._system = system
        self._alarm = alarm
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self.found: list[Explanation] = []

    def look(self, now: Instant) -> None:
        """Let time pass until `now`, one due instant after the other."""
        while (due := self._system.wake_at) is not None and due <= now:
            was = _state(self._system, self._alarm)
            self._keep(self._system.wake(due), was)

    def hear(self, happened: Happened | Restart, now: Instant) -> None:
        """Let something happen."""
        was = _state(self._system, self._alarm)
        if isinstance(happened, Restart):
            self._keep(self._system.resume(now, happened.gap), was)
            return
        if isinstance(happened, Observation):
            _note(self._samples, self._system.inspect(self._alarm), happened)
        self._keep(self._system.accept(happened, now), was)

    def _keep(self, told: Sequence[AlarmChange], was: State) -> None:
        watch = self._system.inspect(self._alarm)
        if watch is None:
            return
        for change in told:
            if change.alarm == self._alarm:
                self.found.append(_explanation(change, watch, was, tuple(self._samples)))


def _state(system: AlarmSystem, alarm: str) -> State:
    watch = system.inspect(alarm)
    return State() if watch is None else watch.state


def _note(samples: deque[Sample], watch: Watch | None, heard: Observation) -> None:
    if watch is None or watch.identity.metric is not heard.metric:
        return
    rule = watch.rule
    judged = "unknown" if heard.value is None else "-"
    if rule is not None and heard.value is not None:
        judged = judge(rule, heard.value).value
    samples.append(Sample(heard.at, heard.value, heard.validity.value, judged))


def _explanation(
    change: AlarmChange, watch: Watch, was: State, samples: tuple[Sample, ...]
) -> Explanation:
    before = msgspec.structs.replace(watch, state=was)
    return Explanation(
        change=change,
        title=watch.identity.title,
        rule=watch.rule,
        policy=watch.policy,
        before=was,
        after=watch.state,
        samples=samples,
        clocks=clocks_of(before, change.at),
    )


def clocks_of(watch: Watch, now: Instant) -> tuple[str, ...]:
    """Return every clock of a condition that runs, in words."""
    state, policy = watch.state, watch.policy
    said = [
        _delay("delay", state.evidence, policy.delay, now),
        _delay("severe delay", state.severe_evidence, policy.severe_delay, now),
    ]
    if state.clearing_since is not None:
        inside = in_seconds(Duration(now - state.clearing_since))
        said.append(f"inside for {inside:g} of {in_seconds(policy.clear_for):g} s")
    if state.held_since is not None:
        said.append(f"unmeasured for {in_seconds(Duration(now - state.held_since)):g} s")
    if (ends := stepping.ends_at(policy, state)) is not None:
        left = in_seconds(Duration(ends - now))
        is_off = state.operator in INDEFINITE
        said.append(
            f"{state.operator.words}{', reminder in' if is_off else ' for another'} {left:g} s"
        )
    return tuple(each for each in said if each)


def _delay(name: str, evidence: Evidence | None, delay: Duration, now: Instant) -> str:
    if evidence is None:
        return ""
    ran = in_seconds(Duration(now - evidence.since))
    seen = evidence.measured + (0 if evidence.stretch is None else now - evidence.stretch)
    measured = in_seconds(Duration(seen))
    return f"{name}: {ran:g} of {in_seconds(delay):g} s, {measured:g} s of it measured"


def why_not(limits: LimitSet, story: Story, metric: Metric, at: Instant) -> list[Silence]:
    """Return for each condition of `metric` why it gave no signal at `at`, or that it gave one."""
    system = AlarmSystem(limits)
    for happened, now in story:
        if now > at:
            break
        if isinstance(happened, Restart):
            system.resume(now, happened.gap)
        else:
            system.accept(happened, now)
    system.wake(at)
    return [
        Silence(
            alarm=watch.identity.alarm,
            title=watch.identity.title,
            priority=watch.priority,
            text=_silence(system, watch, at),
            state=watch.state,
        )
        for watch in system.watches_of(metric)
    ]


def _silence(system: AlarmSystem, watch: Watch, now: Instant) -> str:
    state = watch.state
    clocks = "; ".join(clocks_of(watch, now))
    cause = system.cause_of(watch)
    if watch.is_standing and cause:
        return f"present, explained by {cause}"
    if state.operator is not state.operator.NONE:
        return f"{state.condition}, but {state.operator.words} by {state.by}: {clocks}"
    match state.condition:
        case Condition.PRESENT:
            return "it was signalled"
        case Condition.HELD:
            return f"it was signalled, held: {clocks}"
        case Condition.CANDIDATE | Condition.UNMEASURED:
            due = stepping.wake_at(watch.policy, state)
            when = "" if due is None else f"; next at {in_seconds(due):g} s"
            return f"the limit is crossed, not for long enough: {clocks}{when}"
        case Condition.ABSENT:
            return _absence(system, watch, now)


def _absence(system: AlarmSystem, watch: Watch, now: Instant) -> str:
    metric = watch.identity.metric
    channel = None if metric is None else system.channel_of(metric)
    if metric is None or channel is None or channel.valid_at is None:
        return "no valid value was ever heard"
    age = in_seconds(Duration(now - channel.valid_at))
    if channel.is_lost or channel.is_stale:
        off = f" ({', '.join(channel.is_off_by)})" if channel.is_off_by else ""
        return f"nothing to judge: the last valid value is {age:g} s old{off}"
    if watch.rule is None or channel.value is None:
        return f"data are there, the last {age:g} s ago"
    side = "not below" if watch.rule.is_low else "not above"
    unit = describe(metric).unit
    return f"{channel.value:g} {unit}, {age:g} s ago, is {side} {watch.rule.limit:g}"
