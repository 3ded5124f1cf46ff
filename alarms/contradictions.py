"""What in a limit set stands against something else in it: found by comparing, without playing."""

from collections.abc import Iterator
from typing import Final

from alarms.ramps import Finding, midway, place_of
from alarms.rules import LimitRule, LimitSet
from monitor.model.instant import in_seconds
from monitor.model.metric import Metric, describe

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
        low = next((each for each in rules if each.is_low), None)
        high = next((each for each in rules if not each.is_low), None)
        if low is not None and high is not None:
            yield from _both(low, high, phase)
        for rule in rules:
            yield from _severe_too_near(rule, phase)
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


def _both(low: LimitRule, high: LimitRule, phase: str) -> Iterator[Finding]:
    """No value may be both too low and too high, and there must be room between the limits."""
    gap = high.limit - low.limit
    if gap < 0:
        between = f"{low.metric} {midway(low.limit, high.limit):g}"
        text = f"{between} is {low.alarm} and {high.alarm} at once; move them apart"
        yield _wrong(low, phase, text)
    least = GAPS_MIN.get(low.metric)
    if least is not None and gap < least:
        text = f"limit = {low.limit:g}: {gap:g} below the high limit {high.limit:g}"
        yield _wrong(low, phase, f"{text}; expected at least {least:g} between them")


def _severe_too_near(rule: LimitRule, phase: str) -> Iterator[Finding]:
    finest = 10.0 ** -describe(rule.metric).decimals
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
