"""Synthetic ramps for proving a limit set: values inside, then bad, then inside again.

They run through the same alarm system as a patient's data, one sample a second.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from alarms.rules import LimitRule, LimitSet
from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import AlarmChange, Change, Priority
from monitor.model.event import observe
from monitor.model.instant import NS_PER_S, Duration, Instant, in_seconds, instant_at
from monitor.model.metric import Metric, describe
from monitor.model.session import Deed, OperatorAction, Phase

SETTLED_S: Final = 30
RAMP_S: Final = 90
TOLD: Final = frozenset({Change.PRESENT, Change.ESCALATED})
OVER: Final = frozenset({Change.ENDED, Change.LATCHED})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found about one alarm.

    `place` is where in the preset it is decided; `phase` is empty for the limits of every phase;
    `band` is what is crossed, of a limit. `metric` is named where its device's averaging matters.
    `delay_s` is what the preset lets the alarm wait, `latency_s` the time from the first bad sample
    to the alarm as played: both in seconds, None where there is no such time.
    """

    alarm: str
    is_well: bool
    text: str
    place: str = ""
    phase: str = ""
    band: str = ""
    metric: Metric | None = None
    priority: Priority | None = None
    delay_s: float | None = None
    latency_s: float | None = None


def place_of(rule: LimitRule, phase: str = "") -> str:
    """Return the table of a limit, as a preset names it."""
    before = f"phase.{phase}." if phase else ""
    return f"[{before}limits.{rule.metric}.{'low' if rule.is_low else 'high'}]"


def band_of(rule: LimitRule, limit: float) -> str:
    """Return in words what is crossed."""
    unit = describe(rule.metric).unit
    space = "" if unit.startswith("/") else " "
    return f"{'below' if rule.is_low else 'above'} {limit:g}{space}{unit}"


def midway(limit: float, beyond: float) -> float:
    """Return the value half way between two."""
    return (limit + beyond) / 2


def beyond(metric: Metric, limit: float, far: float) -> float:
    """Return the first reading from `limit` towards `far`, half way where `far` is near."""
    finest = 10.0 ** -describe(metric).decimals
    return limit + math.copysign(min(finest, abs(far - limit) / 2), far - limit)


def span_inside(limits: LimitSet, metric: Metric) -> tuple[float, float]:
    """Return the lowest and the highest value inside every limit of `metric`, if low <= high."""
    facts = describe(metric)
    rules = [each for each in limits.limits if each.metric is metric]
    low = max((each.inside for each in rules if each.is_low), default=facts.technical_low)
    high = min((each.inside for each in rules if not each.is_low), default=facts.technical_high)
    return low, high


def inside_value(limits: LimitSet, metric: Metric) -> float | None:
    """Return a value that is inside every limit of `metric`, or None."""
    low, high = span_inside(limits, metric)
    return None if low > high else midway(low, high)


def usual(limits: LimitSet, metric: Metric) -> float:
    """Return a value that raises nothing, or any measurable one where there is none."""
    inside = inside_value(limits, metric)
    return describe(metric).technical_high / 2 if inside is None else inside


def way(limits: LimitSet, metric: Metric, start: float, goal: float) -> list[float]:
    """Return the quickest way from `start` to `goal` in believable steps, one a second, less start.

    A greater step is doubted, and what is doubted is not counted.
    """
    most = limits.data.steps.get(metric, math.inf)
    values = [start]
    while (last := values[-1]) != goal:
        following = goal if abs(goal - last) <= most else last + math.copysign(most, goal - last)
        while abs(following - last) > most:  # rounded up
            following = math.nextafter(following, last)
        values.append(following)
    return values[1:]


def enter(phase: Phase, second: int) -> OperatorAction:
    """Return that a phase begins."""
    at = instant_at(second)
    return OperatorAction(deed=Deed.ENTER_PHASE, at=at, operator="check", phase=phase)


def play(
    limits: LimitSet, last_s: int, happens: Callable[[int], Iterable[Happened]]
) -> list[AlarmChange]:
    """Let what `happens` in each second before `last_s` happen; return all that was told."""
    system, told = AlarmSystem(limits), list[AlarmChange]()
    for second in range(last_s):
        now = instant_at(second)
        for happened in happens(second):
            told.extend(system.accept(happened, now))
        told.extend(system.wake(Instant(now + NS_PER_S // 2)))
    return told


def play_values(limits: LimitSet, metric: Metric, values: Iterable[float]) -> list[AlarmChange]:
    """Let `metric` have these values, one a second."""
    said = list(values)
    return play(limits, len(said), lambda s: (observe(metric, said[s], instant_at(s)),))


def first(told: Iterable[AlarmChange], alarm: str) -> AlarmChange | None:
    """Return the first change of `alarm`, or None."""
    return next((each for each in told if each.alarm == alarm), None)


def seconds_after(change: AlarmChange, start_s: float) -> float:
    """Return how long after `start_s` a change was told, in seconds."""
    return in_seconds(Duration(change.at - instant_at(start_s)))
