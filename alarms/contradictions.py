"""What in a limit set stands against something else in it: found by comparing, without playing."""

from collections.abc import Iterator
from typing import Final

from alarms.condition import Input
from alarms.ramps import Finding, place_of
from alarms.rules import LimitRule, LimitSet, judge
from monitor.model.instant import in_seconds
from monitor.model.metric import Metric, MetricDescriptor, describe

_SWEEP_STEPS: Final = 200
GAPS_MIN: Final = {
    Metric.SPO2: 2.0,
    Metric.PULSE_RATE: 5.0,
    Metric.HEART_RATE: 5.0,
    Metric.ETCO2: 5.0,
    Metric.FICO2: 2.0,
    Metric.RESP_RATE: 2.0,
    Metric.NIBP_SYS: 5.0,
    Metric.NIBP_DIA: 5.0,
    Metric.NIBP_MEAN: 5.0,
    Metric.TEMP: 0.5,
}
"""How far apart low and high limit must be: 2 % and 5 mmHg as monitors ask; rest proposal."""


def contradictions(limits: LimitSet, phase: str = "") -> Iterator[Finding]:
    """Yield what contradicts something else in the limits of one phase."""
    for metric in dict.fromkeys(rule.metric for rule in limits.limits):
        rules = [each for each in limits.limits if each.metric is metric]
        yield from _crossed_at_once(metric, rules, phase)
        yield from _too_near(metric, rules, phase)
        for rule in rules:
            yield from _severe_too_late(rule, phase)


def _wrong(rule: LimitRule, phase: str, text: str) -> Finding:
    return Finding(
        alarm=rule.alarm,
        is_well=False,
        text=text,
        place=place_of(rule, phase),
        phase=phase,
        metric=rule.metric,
    )


def _crossed_at_once(metric: Metric, rules: list[LimitRule], phase: str) -> Iterator[Finding]:
    """Sweep the metric: no value may be both too low and too high."""
    for value in _sweep(describe(metric)):
        crossed = [each for each in rules if judge(each, value) in {Input.VIOLATED, Input.SEVERE}]
        if len(crossed) > 1:
            both = " and ".join(each.alarm for each in crossed)
            yield _wrong(
                crossed[0], phase, f"{metric} {value:g} is {both} at once; move them apart"
            )
            return


def _sweep(facts: MetricDescriptor) -> Iterator[float]:
    span = facts.technical_high - facts.technical_low
    for number in range(_SWEEP_STEPS + 1):
        yield facts.technical_low + span * number / _SWEEP_STEPS


def _too_near(metric: Metric, rules: list[LimitRule], phase: str) -> Iterator[Finding]:
    low = next((each for each in rules if each.is_low), None)
    high = next((each for each in rules if not each.is_low), None)
    least = GAPS_MIN.get(metric)
    if low is not None and high is not None and least is not None:
        gap = high.limit - low.limit
        if gap < least:
            text = f"limit = {low.limit:g}: {gap:g} below the high limit {high.limit:g}"
            yield _wrong(low, phase, f"{text}; expected at least {least:g} between them")
    finest = 10.0 ** -describe(metric).decimals
    for rule in rules:
        if rule.severe is not None and abs(rule.severe - rule.limit) < finest:
            text = f"severe = {rule.severe:g}: no reading lies between it and {rule.limit:g}"
            yield _wrong(rule, phase, f"{text}; expected at least {finest:g} between them")


def _severe_too_late(rule: LimitRule, phase: str) -> Iterator[Finding]:
    if rule.severe is not None and rule.severe_delay > rule.delay:
        yield _wrong(
            rule,
            phase,
            f"severe_delay_s = {in_seconds(rule.severe_delay):g}: longer than delay_s; a worse "
            f"value would be told later; expected at most {in_seconds(rule.delay):g}",
        )
