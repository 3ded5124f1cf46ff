"""Prove a limit set by synthetic ramps: each rule fires in time, ends, and contradicts no other.

The ramps run through the same system as a patient's data. What is disclosed is the delay this
software adds; a device's own averaging (often 8 s for SpO2) comes before it and is not known here.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from alarms.baseline import limit_from
from alarms.condition import Input
from alarms.names import ABSENCE_TOLD, APNOEA, no_data_alarm
from alarms.rules import (
    LimitRule,
    LimitSet,
    Part,
    PartKind,
    PatternRule,
    RelativeRule,
    judge,
)
from alarms.system import AlarmSystem
from monitor.model.alarm import AlarmChange, Change
from monitor.model.event import observe
from monitor.model.instant import NS_PER_S, Duration, Instant, in_seconds, instant_at
from monitor.model.metric import Metric, MetricDescriptor, describe
from monitor.model.session import Deed, OperatorAction, Phase

_SETTLED_S: Final = 30
_RAMP_S: Final = 90
_SWEEP_STEPS: Final = 200
_PIPELINE_MAX: Final = Duration(NS_PER_S)


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one alarm. `latency_s`: from the first bad sample to the alarm."""

    alarm: str
    is_well: bool
    text: str
    latency_s: float | None = None


def prove(limits: LimitSet) -> list[Finding]:
    """Return one finding for each alarm of the set, and one for each contradiction."""
    found = [finding for rule in limits.limits for finding in _prove_rule(limits, rule)]
    found.extend(_prove_relative(limits, rule) for rule in limits.relatives)
    found.extend(_prove_pattern(limits, rule) for rule in limits.patterns)
    found.append(_prove_apnoea(limits))
    found.extend(_prove_absence(limits, metric) for metric in ABSENCE_TOLD)
    found.extend(_contradictions(limits))
    return found


def _prove_rule(limits: LimitSet, rule: LimitRule) -> Iterator[Finding]:
    inside = inside_value(limits, rule.metric)
    facts = describe(rule.metric)
    if inside is None:
        text = "no value is inside all limits of its metric"
        yield Finding(alarm=rule.alarm, is_well=False, text=text)
        return
    far = facts.technical_low if rule.is_low else facts.technical_high
    mild = rule.severe if rule.severe is not None else far
    plain = _midway(rule.limit, mild)
    yield _timed(limits, rule, plain, inside, due=rule.delay)
    if rule.severe is not None:
        yield _timed(limits, rule, _midway(rule.severe, far), inside, due=rule.severe_delay)


def _midway(limit: float, beyond: float) -> float:
    return (limit + beyond) / 2


def inside_value(limits: LimitSet, metric: Metric) -> float | None:
    """Return a value that is inside every limit of `metric`, or None."""
    facts = describe(metric)
    rules = [each for each in limits.limits if each.metric is metric]
    low = max((each.inside for each in rules if each.is_low), default=facts.technical_low)
    high = min((each.inside for each in rules if not each.is_low), default=facts.technical_high)
    return None if low > high else _midway(low, high)


def _timed(
    limits: LimitSet, rule: LimitRule, bad: float, inside: float, *, due: Duration
) -> Finding:
    """Step from inside to bad and back; the alarm must come by `due` and must go."""
    told = _play(limits, rule.metric, inside, bad)
    raised = next((each for each in told if each.alarm == rule.alarm), None)
    what = f"{rule.metric} {bad:g} {describe(rule.metric).unit}"
    if raised is None or raised.change is not Change.PRESENT:
        return Finding(alarm=rule.alarm, is_well=False, text=f"{what} raises nothing")
    latency = Duration(raised.at - instant_at(_SETTLED_S))
    latency_s = in_seconds(latency)
    if latency > due + _PIPELINE_MAX:
        text = f"{what} is told after {latency_s:g} s, promised {in_seconds(due):g} s"
        return Finding(alarm=rule.alarm, is_well=False, text=text, latency_s=latency_s)
    over = {Change.ENDED, Change.LATCHED}
    if not any(each.alarm == rule.alarm and each.change in over for each in told):
        text = f"{what} is never over"
        return Finding(alarm=rule.alarm, is_well=False, text=text, latency_s=latency_s)
    text = f"{what}: {raised.priority} after {latency_s:g} s, plus the device's own averaging"
    return Finding(alarm=rule.alarm, is_well=True, text=text, latency_s=latency_s)


def _play(limits: LimitSet, metric: Metric, inside: float, bad: float) -> list[AlarmChange]:
    system, told = AlarmSystem(limits), list[AlarmChange]()
    for second in range(_SETTLED_S + 2 * _RAMP_S):
        value = bad if _SETTLED_S <= second < _SETTLED_S + _RAMP_S else inside
        now = instant_at(second)
        told.extend(system.accept(observe(metric, value, now), now))
        told.extend(system.wake(Instant(now + NS_PER_S // 2)))
    return told


def _prove_relative(limits: LimitSet, rule: RelativeRule) -> Finding:
    """Give a baseline, then a pressure well beyond what it allows."""
    own = inside_value(limits, rule.metric)
    limit = None if own is None else limit_from(rule, own)
    if own is None or limit is None:
        return Finding(alarm=rule.alarm, is_well=False, text="no baseline puts it within reach")
    system, told = AlarmSystem(limits), list[AlarmChange]()
    enter = OperatorAction(
        deed=Deed.ENTER_PHASE, at=Instant(0), operator="check", phase=Phase.BASELINE
    )
    system.accept(enter, Instant(0))
    facts = describe(rule.metric)
    far = _midway(limit.limit, facts.technical_low if rule.is_low else facts.technical_high)
    for second, value in ((60, own), (180, own), (300, far), (420, own)):
        now = instant_at(second)
        told.extend(system.accept(observe(rule.metric, value, now), now))
        told.extend(system.wake(instant_at(second + 1)))
    raised = next((each for each in told if each.alarm == rule.alarm), None)
    if raised is None:
        return Finding(alarm=rule.alarm, is_well=False, text=f"{far:g} raises nothing")
    latency_s = in_seconds(Duration(raised.at - instant_at(300)))
    text = f"{rule.metric} {far:g} over a baseline of {own:g}: {raised.priority} at once"
    return Finding(alarm=rule.alarm, is_well=True, text=text, latency_s=latency_s)


def _prove_pattern(limits: LimitSet, rule: PatternRule) -> Finding:
    """Bring every part about at once, from values that are inside all limits."""
    system, told = AlarmSystem(limits), list[AlarmChange]()
    last = 2 * _SETTLED_S + round(in_seconds(rule.delay)) + 2
    for second in range(last):
        now = instant_at(second)
        for part in rule.parts:
            start = inside_value(limits, part.metric)
            start = describe(part.metric).technical_high / 2 if start is None else start
            value = start if second < _SETTLED_S else _brought_about(part, start)
            told.extend(system.accept(observe(part.metric, value, now), now))
    raised = next((each for each in told if each.alarm == rule.alarm), None)
    if raised is None:
        return Finding(alarm=rule.alarm, is_well=False, text="its parts together raise nothing")
    latency_s = in_seconds(Duration(raised.at - instant_at(_SETTLED_S)))
    text = f"all parts together: {raised.priority} after {latency_s:g} s"
    return Finding(alarm=rule.alarm, is_well=True, text=text, latency_s=latency_s)


def _brought_about(part: Part, start: float) -> float | None:
    facts = describe(part.metric)
    wanted = {
        PartKind.LOST: None,
        PartKind.BELOW: _midway(part.amount, facts.technical_low),
        PartKind.ABOVE: _midway(part.amount, facts.technical_high),
        PartKind.FALLS: max(facts.technical_low, start - part.amount),
        PartKind.RISES: min(facts.technical_high, start + part.amount),
    }
    return wanted[part.kind]


def _prove_apnoea(limits: LimitSet) -> Finding:
    system, told = AlarmSystem(limits), list[AlarmChange]()
    for second in range(_SETTLED_S + _RAMP_S):
        now = instant_at(second)
        breathes = second < _SETTLED_S
        for metric, value in ((Metric.ETCO2, 38.0), (Metric.RESP_RATE, 12.0)):
            told.extend(system.accept(observe(metric, value if breathes else 0.0, now), now))
    raised = next((each for each in told if each.alarm == APNOEA), None)
    if raised is None:
        return Finding(alarm=APNOEA, is_well=False, text="a rate of 0 raises nothing")
    latency_s = in_seconds(Duration(raised.at - instant_at(_SETTLED_S - 1)))
    text = f"no breath: {raised.priority} {latency_s:g} s after the last one"
    return Finding(alarm=APNOEA, is_well=True, text=text, latency_s=latency_s)


def _prove_absence(limits: LimitSet, metric: Metric) -> Finding:
    system, alarm = AlarmSystem(limits), no_data_alarm(metric)
    inside = inside_value(limits, metric)
    value = inside if inside is not None else describe(metric).technical_high
    for second in range(_SETTLED_S):
        system.accept(observe(metric, value, instant_at(second)), instant_at(second))
    told = system.wake(instant_at(_SETTLED_S + 2 * _RAMP_S))
    raised = next((each for each in told if each.alarm == alarm), None)
    if raised is None:
        return Finding(alarm=alarm, is_well=False, text="silence raises nothing")
    latency_s = in_seconds(Duration(raised.at - instant_at(_SETTLED_S - 1)))
    text = f"silence: {raised.priority} after {latency_s:g} s"
    return Finding(alarm=alarm, is_well=True, text=text, latency_s=latency_s)


def _contradictions(limits: LimitSet) -> Iterator[Finding]:
    """Sweep each metric: no value may be both too low and too high, some value must be neither."""
    for metric in dict.fromkeys(rule.metric for rule in limits.limits):
        rules = [each for each in limits.limits if each.metric is metric]
        for value in _sweep(describe(metric)):
            crossed = [e.alarm for e in rules if judge(e, value) in {Input.VIOLATED, Input.SEVERE}]
            if len(crossed) > 1:
                text = f"{metric} {value:g} is {' and '.join(crossed)} at once"
                yield Finding(alarm=crossed[0], is_well=False, text=text)
                break


def _sweep(facts: MetricDescriptor) -> Iterator[float]:
    span = facts.technical_high - facts.technical_low
    for number in range(_SWEEP_STEPS + 1):
        yield facts.technical_low + span * number / _SWEEP_STEPS
