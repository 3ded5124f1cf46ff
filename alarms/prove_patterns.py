"""Each pattern of a limit set: can its parts hold together, and is that told in time?"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from alarms.ramps import SETTLED_S, Finding, beyond, first, play, seconds_after, span_inside, usual
from alarms.rules import LimitSet, Part, PartKind, PatternRule
from alarms.system import Happened
from monitor.model.alarm import AlarmChange
from monitor.model.event import observe
from monitor.model.instant import in_seconds, instant_at
from monitor.model.metric import Metric, describe

_SURE: Final = 1 + 1e-9
"""A difference of two floats is rounded: what moves does so by a little more."""


def prove_pattern(limits: LimitSet, rule: PatternRule) -> Finding:
    """Bring every part about at once, from values that are inside all limits."""
    told = Finding(
        alarm=rule.alarm,
        is_well=False,
        text="its parts together raise nothing; can they hold at once?",
        place=f"[pattern.{rule.alarm}]",
        metric=rule.parts[0].metric,
    )
    seen = _played(limits, rule)
    raised = first(seen, rule.alarm)
    if raised is None:
        return told
    latency_s = seconds_after(raised, SETTLED_S)
    if latency_s < 0:
        text = "its parts hold while every value is inside its limits"
        return msgspec.structs.replace(told, text=text)
    return msgspec.structs.replace(
        told,
        is_well=True,
        text=f"all parts together: {raised.priority} after {latency_s:g} s",
        priority=raised.priority,
        delay_s=in_seconds(rule.delay),
        latency_s=latency_s,
    )


def _played(limits: LimitSet, rule: PatternRule) -> list[AlarmChange]:
    parts: dict[Metric, list[Part]] = {}
    for part in rule.parts:
        parts.setdefault(part.metric, []).append(part)
    starts = {metric: _start(limits, metric, own) for metric, own in parts.items()}

    def happens(second: int) -> Iterator[Happened]:
        for metric, own in parts.items():
            bad_s = second - SETTLED_S
            value = starts[metric] if bad_s < 0 else _brought_about(own, starts[metric], bad_s)
            yield observe(metric, value, instant_at(second))

    return play(limits, SETTLED_S + math.ceil(in_seconds(rule.delay)) + 1, happens)


def _start(limits: LimitSet, metric: Metric, parts: list[Part]) -> float:
    """Return a value that raises nothing and from which the metric can move as far as it should."""
    kinds = {each.kind for each in parts}
    low, high = span_inside(limits, metric)
    if PartKind.FALLS in kinds:
        return high
    return low if PartKind.RISES in kinds else usual(limits, metric)


def _brought_about(parts: list[Part], start: float, bad_s: int) -> float | None:
    """Return a value for which all `parts` of one metric hold, if there is one; None is lost.

    What falls or rises does so again whenever its window is over.
    """
    facts = describe(parts[0].metric)
    low, high = facts.technical_low, facts.technical_high
    value, again = start, 0.0
    for part in parts:
        move = part.amount * _SURE
        match part.kind:
            case PartKind.LOST:
                return None
            case PartKind.BELOW:
                value = min(value, beyond(part.metric, part.amount, low))
            case PartKind.ABOVE:
                value = max(value, beyond(part.metric, part.amount, high))
            case PartKind.FALLS:
                value = min(value, start - move)
                again -= move * (bad_s // int(in_seconds(part.window)))
            case PartKind.RISES:
                value = max(value, start + move)
                again += move * (bad_s // int(in_seconds(part.window)))
    return min(high, max(low, value + again))
