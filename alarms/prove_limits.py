"""Each limit, budget, baseline and pattern of a limit set: does it fire in time and end?"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from alarms.baseline import limit_from
from alarms.ramps import (
    OVER,
    RAMP_S,
    SETTLED_S,
    TOLD,
    Finding,
    band_of,
    beyond,
    enter,
    first,
    inside_value,
    midway,
    place_of,
    play,
    play_values,
    seconds_after,
    span_inside,
    way,
)
from alarms.rules import (
    LimitRule,
    LimitSet,
    RelativeRule,
)
from alarms.system import Happened
from monitor.model.alarm import RANK
from monitor.model.event import observe
from monitor.model.instant import in_seconds, instant_at, seconds
from monitor.model.metric import NIBP, describe
from monitor.model.session import Phase

PIPELINE_MAX: Final = seconds(1)
_SWEEP_STEPS: Final = 200


def prove_rule(limits: LimitSet, rule: LimitRule, phase: str = "") -> Iterator[Finding]:
    """Yield what is found about one limit: its plain band, its severe band, its counts."""
    inside = inside_value(limits, rule.metric)
    told = Finding(
        alarm=rule.alarm,
        is_well=False,
        text="no value is inside all limits of its metric; move low and high apart",
        place=place_of(rule, phase),
        phase=phase,
        metric=rule.metric,
    )
    if inside is None:
        yield told
        return
    facts = describe(rule.metric)
    far = facts.technical_low if rule.is_low else facts.technical_high
    mild = far if rule.severe is None else rule.severe
    told = msgspec.structs.replace(told, band=band_of(rule, rule.limit))
    yield _timed(limits, rule, told, (inside, midway(rule.limit, mild)))
    if rule.severe is not None:
        severe = msgspec.structs.replace(told, band=band_of(rule, rule.severe))
        yield _timed(limits, rule, severe, (inside, midway(rule.severe, far)), is_severe=True)
    if rule.budget is not None:
        yield _prove_budget(limits, rule, told)
    if rule.violations_max is not None:
        yield _prove_count(limits, rule, told)


def _found(told: Finding, text: str, **more: object) -> Finding:
    return msgspec.structs.replace(told, text=text, **more)


def _timed(
    limits: LimitSet,
    rule: LimitRule,
    told: Finding,
    values: tuple[float, float],
    *,
    is_severe: bool = False,
) -> Finding:
    """Step from inside to bad and back; the alarm must come in time, as what it is, and must go."""
    inside, bad = values
    priority = rule.severe_priority if is_severe else rule.priority
    due_s = in_seconds(rule.severe_delay if is_severe else rule.delay)
    seen = play_values(limits, rule.metric, _step(inside, bad))
    raised = first((e for e in seen if e.change in TOLD and e.priority is priority), rule.alarm)
    what = f"{rule.metric} {bad:g} {describe(rule.metric).unit}"
    if raised is None:
        text = f"{what} raises no {priority} alarm; a shorter delay or a limit within reach would"
        return _found(told, text)
    latency_s = seconds_after(raised, SETTLED_S)
    told = _found(told, "", latency_s=latency_s, delay_s=due_s, priority=priority)
    if latency_s > due_s + in_seconds(PIPELINE_MAX):
        return _found(told, f"{what} is told after {latency_s:g} s, promised {due_s:g} s")
    if not any(each.alarm == rule.alarm and each.change in OVER for each in seen):
        return _found(told, f"{what} is never over; expected a shorter clear_for_s")
    return _found(told, f"{what}: {priority} after {latency_s:g} s", is_well=True)


def _step(inside: float, bad: float) -> list[float]:
    return [inside] * SETTLED_S + [bad] * RAMP_S + [inside] * RAMP_S


def _prove_budget(limits: LimitSet, rule: LimitRule, told: Finding) -> Finding:
    """Go as far beyond the limit as is not severe: the budget must be spent before the delay."""
    if rule.metric in NIBP:
        return _found(told, "budget: a cuff reading is judged at once; leave it out")
    assert rule.budget is not None
    bad = _deepest(rule)
    delay_s = in_seconds(rule.delay)
    values = way(limits, rule.metric, rule.limit, bad)
    values += [bad] * math.ceil(delay_s)
    seen = play_values(limits, rule.metric, [rule.limit] * SETTLED_S + values)
    raised = first(seen, rule.alarm)
    if raised is None or seconds_after(raised, SETTLED_S) >= delay_s:
        least = sum(abs(each - rule.limit) for each in values[: math.ceil(delay_s)])
        return _found(
            told,
            f"budget = {rule.budget:g}: never spent before the delay of {delay_s:g} s; "
            f"expected less than {least:g}",
        )
    latency_s = seconds_after(raised, SETTLED_S)
    band = f"budget of {rule.budget:g}"
    text = f"{band} at {bad:g}: {raised.priority} after {latency_s:g} s"
    more = {"is_well": True, "latency_s": latency_s, "priority": raised.priority}
    return _found(told, text, delay_s=latency_s, band=band, **more)


def _deepest(rule: LimitRule) -> float:
    """Return the value furthest beyond the limit that is not severe yet, nor the end of a range."""
    if rule.severe is not None:
        return rule.severe
    facts = describe(rule.metric)
    far = facts.technical_low if rule.is_low else facts.technical_high
    # A device may print the end of the range where it measures nothing.
    return rule.limit + 0.95 * (far - rule.limit)


def _prove_count(limits: LimitSet, rule: LimitRule, told: Finding) -> Finding:
    """Cross the limit as little and as shortly as can be, again and again within a minute."""
    count = rule.violations_max
    assert count is not None
    if rule.metric in NIBP:
        return _found(told, "violations_max: a cuff reading is judged at once; leave it out")
    bad = beyond(rule.metric, rule.limit, _deepest(rule))
    dip = way(limits, rule.metric, rule.inside, bad) + way(limits, rule.metric, bad, rule.inside)
    every = max(len(dip), 60 // count)
    dips = (dip + [rule.inside] * (every - len(dip))) * count
    alone = msgspec.structs.replace(rule, budget=None)
    limits = msgspec.structs.replace(limits, limits=(alone,))
    seen = play_values(limits, rule.metric, [rule.inside] * SETTLED_S + dips)
    raised = first(seen, rule.alarm)
    if raised is None:
        return _found(told, f"violations_max = {count}: {count} of them in a minute raise nothing")
    latency_s = seconds_after(raised, SETTLED_S)
    if latency_s < every * (count - 1):
        return _found(
            told, f"violations_max = {count}: the delay is over before it counts; leave it out"
        )
    text = f"{count} violations within a minute: {raised.priority} with the last"
    return _found(told, text, is_well=True, priority=raised.priority)


# -- from a baseline


def prove_relative(limits: LimitSet, rule: RelativeRule) -> Finding:
    """Find a baseline for which the limit comes before the absolute one, and let it be crossed."""
    told = Finding(
        alarm=rule.alarm,
        is_well=False,
        text="no baseline inside the limits puts it within reach",
        place=f"[relative.{rule.alarm}]",
        band=_away(rule),
        metric=rule.metric,
    )
    absolute = next(
        (e for e in limits.limits if e.metric is rule.metric and e.is_low == rule.is_low), None
    )
    binding = _binding(limits, rule, absolute)
    if not binding:
        if absolute is None:
            return told
        low, high = span_inside(limits, rule.metric)
        return _found(
            told,
            f"for every baseline from {low:g} to {high:g} {absolute.alarm} comes first, at "
            f"{absolute.limit:g}; expected less, or leave it out",
        )
    own, limit = binding[len(binding) // 2]
    facts = describe(rule.metric)
    far = facts.technical_low if rule.is_low else facts.technical_high
    bad = midway(limit.limit, far if absolute is None else absolute.limit)
    if absolute is not None and RANK[limit.priority] > RANK[absolute.priority]:
        bad = midway(limit.limit, far)
    span = f"for a baseline from {binding[0][0]:g} to {binding[-1][0]:g}"
    return _crossed(limits, rule, _found(told, span), own, bad)


def _away(rule: RelativeRule) -> str:
    away = f"{rule.amount:g}" if rule.amount is not None else f"{rule.percent:g} %"
    return f"{away} {'below' if rule.is_low else 'above'} baseline"


def _binding(
    limits: LimitSet, rule: RelativeRule, absolute: LimitRule | None
) -> list[tuple[float, LimitRule]]:
    """Return the baselines for which the limit comes before the absolute one, each with it."""
    low, high = span_inside(limits, rule.metric)
    step = (high - low) / _SWEEP_STEPS
    found = list[tuple[float, LimitRule]]()
    for number in range(_SWEEP_STEPS + 1):
        own = low + step * number
        limit = limit_from(rule, own)
        if limit is not None and _comes_first(limit, absolute):
            found.append((own, limit))
    return found


def _comes_first(limit: LimitRule, absolute: LimitRule | None) -> bool:
    if absolute is None or RANK[limit.priority] > RANK[absolute.priority]:
        return True
    room = absolute.limit - limit.limit
    return (-room if limit.is_low else room) > 0


def _crossed(
    limits: LimitSet, rule: RelativeRule, told: Finding, own: float, bad: float
) -> Finding:
    """Give a baseline of `own`, then, infusing, a bad reading and one like the baseline."""
    count = limits.baseline.readings_min
    every = min(60, int(in_seconds(limits.baseline.within)) // count)
    bad_s = every * count
    readings = {**dict.fromkeys(range(0, bad_s + every + 1, every), own), bad_s: bad}
    phases = {0: Phase.BASELINE, bad_s: Phase.INFUSING}

    def happens(second: int) -> Iterator[Happened]:
        if second in phases:
            yield enter(phases[second], second)
        if second in readings:
            yield observe(rule.metric, readings[second], instant_at(second))

    seen = play(limits, bad_s + every + 1, happens)
    raised = first(seen, rule.alarm)
    if raised is None:
        return _found(told, f"{bad:g} at a baseline of {own:g} raises nothing")
    if not any(each.alarm == rule.alarm and each.change in OVER for each in seen):
        return _found(
            told,
            f"the baseline itself, {own:g}, does not end it; expected less hysteresis",
        )
    latency_s = seconds_after(raised, bad_s)
    text = f"{told.text}; {bad:g} at a baseline of {own:g}: {raised.priority} at once"
    more = {"latency_s": latency_s, "priority": raised.priority}
    return _found(told, text, is_well=True, delay_s=latency_s, **more)
