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
from alarms.channel import Channel
from alarms.clock import Evidence
from alarms.condition import Condition, Input, Policy, State
from alarms.names import CUFF_ON_PROBE_ARM, no_data_alarm
from alarms.rules import LimitRule, LimitSet, judge
from alarms.ruling import concerns, ruling
from alarms.suspicion import UNDER_A_CUFF
from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import INDEFINITE, AlarmChange, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.event import DeviceNotice, Observation, OtherReading, Validity
from monitor.model.instant import Duration, Instant, in_seconds
from monitor.model.metric import Metric, describe

SAMPLES_MAX: Final = 60


class Restart(msgspec.Struct, frozen=True):
    """The process came back: for `gap` nobody watched."""

    gap: Duration


class Said(msgspec.Struct, frozen=True):
    """A notice and the link it came from: what one link says, another does not take back."""

    notice: DeviceNotice
    link: str


Story: TypeAlias = Iterable[tuple[Happened | Said | Restart, Instant]]


class Sample(msgspec.Struct, frozen=True):
    """One observation as it came, and how it stands to the limit; `link`: of a second device."""

    at: Instant
    metric: Metric
    value: float | None
    validity: str
    judged: str
    link: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One change with everything behind it. `ruling` says what decides, beside a limit's `rule`."""

    change: AlarmChange
    title: str
    ruling: str
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
    seen = _Seen(limits, alarm)
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

    def __init__(self, limits: LimitSet, alarm: str) -> None:
        self._system = AlarmSystem(limits)
        self._alarm = alarm
        self._metrics = concerns(limits, alarm)
        self._ruling = ruling(limits, alarm)
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        self.found: list[Explanation] = []

    def look(self, now: Instant) -> None:
        """Let time pass until `now`, one due instant after the other."""
        while (due := self._system.wake_at) is not None and due <= now:
            was = _state(self._system, self._alarm)
            self._keep(self._system.wake(due), was)

    def hear(self, happened: Happened | Said | Restart, now: Instant) -> None:
        """Let something happen."""
        was = _state(self._system, self._alarm)
        if isinstance(happened, Restart):
            self._keep(self._system.resume(now, happened.gap), was)
            return
        if isinstance(happened, Observation | OtherReading) and happened.metric in self._metrics:
            self._samples.append(_sample(self._system.inspect(self._alarm), happened))
        self._keep(_accept(self._system, happened, now), was)

    def _keep(self, told: Sequence[AlarmChange], was: State) -> None:
        watch = self._system.inspect(self._alarm)
        if watch is None:
            return
        for change in told:
            if change.alarm == self._alarm:
                found = _explanation(change, watch, was, tuple(self._samples))
                self.found.append(msgspec.structs.replace(found, ruling=self._ruling))


def _accept(system: AlarmSystem, happened: Happened | Said, now: Instant) -> Sequence[AlarmChange]:
    if isinstance(happened, Said):
        return system.accept(happened.notice, now, happened.link)
    return system.accept(happened, now)


def _state(system: AlarmSystem, alarm: str) -> State:
    watch = system.inspect(alarm)
    return State() if watch is None else watch.state


def _sample(watch: Watch | None, heard: Observation | OtherReading) -> Sample:
    rule = None if watch is None else watch.rule
    judged = "unknown" if heard.value is None else "-"
    if isinstance(heard, OtherReading):
        said = Validity.NOT_AVAILABLE if heard.value is None else Validity.VALID
        return Sample(heard.at, heard.metric, heard.value, said.value, judged, heard.link)
    if rule is not None and rule.metric is heard.metric and heard.value is not None:
        judged = judge(rule, heard.value).value
    return Sample(heard.at, heard.metric, heard.value, heard.validity.value, judged)


def _explanation(
    change: AlarmChange, watch: Watch, was: State, samples: tuple[Sample, ...]
) -> Explanation:
    before = msgspec.structs.replace(watch, state=was)
    return Explanation(
        change=change,
        title=watch.identity.title,
        ruling="",
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
        inside = _at(Duration(now - state.clearing_since))
        said.append(f"inside for {inside} of {in_seconds(policy.clear_for):g} s")
    if state.held_since is not None:
        said.append(f"unmeasured for {_at(Duration(now - state.held_since))} s")
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
    ran = _at(evidence.ran(now))
    seen = evidence.measured + (0 if evidence.stretch is None else now - evidence.stretch)
    said = f"{name}: {ran} of {in_seconds(delay):g} s, {_at(Duration(seen))} s of it measured"
    if evidence.aside is None:
        return said
    return f"{said}; stopped {_at(Duration(now - evidence.aside))} s ago by a better value"


def why_not(limits: LimitSet, story: Story, metric: Metric, at: Instant) -> list[Silence]:
    """Return for each condition of `metric` why it gave no signal at `at`, or that it gave one."""
    system = AlarmSystem(limits)
    for happened, now in story:
        if now > at:
            break
        if isinstance(happened, Restart):
            system.resume(now, happened.gap)
        else:
            _accept(system, happened, now)
    system.wake(at)
    return [
        Silence(
            alarm=watch.identity.alarm,
            title=watch.identity.title,
            priority=watch.priority,
            text=_silence(system, limits, watch, at),
            state=watch.state,
        )
        for watch in system.watches()
        if metric in concerns(limits, watch.identity.alarm)
    ]


def _silence(system: AlarmSystem, limits: LimitSet, watch: Watch, now: Instant) -> str:
    state = watch.state
    clocks = "; ".join(clocks_of(watch, now))
    cause = system.cause_of(watch)
    if watch.is_standing and cause:
        return f"present, explained by {cause}"
    if state.operator is not state.operator.NONE:
        return f"{state.condition}, but {state.operator.words} by {state.by}: {clocks}"
    match state.condition:
        case Condition.PRESENT:
            return f"it was signalled, and is present{_since(watch)}"
        case Condition.HELD:
            return f"it was signalled, held: {clocks}; present{_since(watch)}"
        case Condition.CANDIDATE | Condition.UNMEASURED:
            due = stepping.wake_at(watch.policy, state)
            when = "" if due is None else f"; next at {_at(due)} s"
            doubt = _unmeasured(system, watch)
            return f"the limit is crossed, not for long enough: {clocks}{doubt}{when}"
        case Condition.ABSENT:
            latched = "its signal is latched; " if watch.state.signal is Signal.LATCHED else ""
            return latched + _absence(system, limits, watch, now)


def _at(at: Instant | Duration) -> str:
    """Return seconds as a person reads them: to a tenth."""
    return f"{round(in_seconds(Duration(at)), 1):g}"


def _since(watch: Watch) -> str:
    state, rule = watch.state, watch.rule
    assert state.raised is not None
    said = f" since {_at(state.raised)} s"
    if rule is None:
        return said
    assert state.value is not None
    side = "from" if rule.is_low else "down to"
    return f"{said}: last {state.value:g}, ends {side} {rule.inside:g}"


def _channel_of(system: AlarmSystem, watch: Watch) -> Channel | None:
    """Return what is known of the metric a condition is about; None where it is about no one."""
    metric = watch.identity.metric
    return None if metric is None else system.channel_of(metric)


def _unmeasured(system: AlarmSystem, watch: Watch) -> str:
    """Return why a crossing is not measured though values come; empty where it is, or none do."""
    channel = _channel_of(system, watch)
    if channel is None or channel.is_lost or channel.is_stale:
        return ""
    if watch.state.condition is not Condition.UNMEASURED:
        return ""
    return f"; what came since does not decide: {_doubted(system, channel.metric)}"


def _doubted(system: AlarmSystem, metric: Metric) -> str:
    """Return what speaks against a value that crossed a limit without being judged by it."""
    cuff = system.inspect(CUFF_ON_PROBE_ARM)
    assert cuff is not None
    if cuff.is_standing and metric in UNDER_A_CUFF:
        return "a cuff on the arm of the probe explains it, for a bounded time"
    return "an auto-zero, a waveform that shows breaths, or an impossible step; the next may"


def _absence(system: AlarmSystem, limits: LimitSet, watch: Watch, now: Instant) -> str:
    alarm, channel = watch.identity.alarm, _channel_of(system, watch)
    if channel is None:
        return f"absent; it is told when: {ruling(limits, alarm)}"
    if channel.valid_at is None:
        return "no valid value was ever heard"
    age = _at(Duration(now - channel.valid_at))
    if channel.is_lost or channel.is_stale:
        off = f" ({', '.join(channel.is_off_by)})" if channel.is_off_by else ""
        due = channel.absent_due(limits.data) if alarm == no_data_alarm(channel.metric) else None
        told = "" if due is None else f"; told at {_at(due)} s if none comes"
        return f"nothing to judge: the last valid value is {age} s old{off}{told}"
    if channel.value is not None and watch.rule is not None:
        unit = describe(channel.metric).unit
        return f"{channel.value:g} {unit}, {age} s ago, {_stands(system, watch)}"
    if any(each.alarm == alarm for each in limits.relatives):
        return f"not in force, there is no baseline: {ruling(limits, alarm)}"
    return f"data are there, the last {age} s ago; it is told when: {ruling(limits, alarm)}"


def _stands(system: AlarmSystem, watch: Watch) -> str:
    """Return how the newest value stands to the limit of a condition that is absent."""
    rule = watch.rule
    assert rule is not None
    channel = system.channel_of(rule.metric)
    assert channel is not None
    assert channel.value is not None
    side = "below" if rule.is_low else "above"
    if judge(rule, channel.value) not in {Input.VIOLATED, Input.SEVERE}:
        return f"is not {side} {rule.limit:g}"
    return f"is {side} {rule.limit:g} and does not decide: {_doubted(system, rule.metric)}"
