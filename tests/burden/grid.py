"""The grid: which limits, waits and filters are tried, and the limit set of each point.

Each point is the shipped preset with one rule changed. The preset's own point is always in it.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from alarms.rules import LimitRule, LimitSet
from monitor.model.instant import in_seconds, seconds
from tests.alarms.score import LIMITS

_set: Final = msgspec.structs.replace


class Study(StrEnum):
    """What is studied: the condition whose rule is changed."""

    SATURATION = "spo2_low"
    BREATHS = "resp_rate_low"
    CO2 = "etco2_high"
    PAUSES = "apnoea"
    PRESSURE = "nibp_sys_high"


class Filter(StrEnum):
    """What stands between the numbers and the decision.

    `core`: nothing but what the alarm core does itself: a delay is a clock plus evidence, half of
    it measured. `budget`: the core's integral budget with 3 violations in 60 s, the delay only as
    a cap. The others change the numbers before the core, which has no such thing: `hold` repeats
    the last value over blanks, so that the delay runs on as a plain clock; `median` shows the
    median of the last five values; `blank zeros` takes a printed 0 for missing.
    """

    CORE = "core"
    HOLD = "hold"
    MEDIAN = "median of 5"
    BUDGET = "budget"
    BLANK_ZEROS = "blank zeros"


class Point(NamedTuple):
    """One point of the grid.

    `limit` is in the unit of the metric (seconds since the last breath for pauses). `wait` is the
    delay in s; the budget in %·s for `Filter.BUDGET`; the cuff's interval in min for pressure.
    """

    study: Study
    limit: float
    wait: float
    filter: Filter = Filter.CORE


BUDGET_CAP_S: Final = 30.0
_SEVERE_APART: Final = 5.0
_VIOLATIONS_MAX: Final = 3
_SHIPPED_CUFF_MIN: Final = 5.0


def rule_of(study: Study) -> LimitRule:
    """Return the shipped rule of a study that is about a limit."""
    return next(each for each in LIMITS.limits if each.alarm == study)


def preset_point(study: Study) -> Point:
    """Return where the shipped preset lies; its cuff interval is that of the shipped scenarios."""
    if study is Study.PAUSES:
        return Point(study, in_seconds(LIMITS.apnoea.after), 0.0)
    rule = rule_of(study)
    wait = _SHIPPED_CUFF_MIN if study is Study.PRESSURE else in_seconds(rule.delay)
    return Point(study, rule.limit, wait)


def limits_of(point: Point) -> LimitSet:
    """Return the shipped limit set with the rule of `point` changed."""
    if point.study is Study.PAUSES:
        after = seconds(point.limit)
        longest = max(after, LIMITS.apnoea.ambiguous_max)
        return _set(LIMITS, apnoea=_set(LIMITS.apnoea, after=after, ambiguous_max=longest))
    rule = _rule_at(point)
    others = tuple(rule if each.alarm == rule.alarm else each for each in LIMITS.limits)
    return _set(LIMITS, limits=others)


def joint_limits(points: Sequence[Point]) -> LimitSet:
    """Return the shipped limit set with a rule more for each point: many points in one pass.

    The rules do not know of each other. Only the shipped rule says, for all of them, whether a
    cuff on the probe's arm may explain a saturation. Points of pauses cannot be joined.
    """
    more = tuple(
        _set(_rule_at(point), alarm=joint_name(place)) for place, point in enumerate(points)
    )
    return _set(LIMITS, limits=LIMITS.limits + more)


def joint_name(place: int) -> str:
    """Return the name of the condition of the point at `place` in a joint limit set."""
    return f"point {place}"


def _rule_at(point: Point) -> LimitRule:
    """Return the rule of a point.

    Low saturation keeps its severe band five points below the limit, at most where it is shipped;
    the other severe bands stay where they are or give way to the limit.
    """
    rule = _set(rule_of(point.study), limit=point.limit)
    rule = _set(rule, severe=_severe(rule))
    if point.filter is Filter.BUDGET:
        return _set(
            rule,
            delay=seconds(BUDGET_CAP_S),
            budget=point.wait,
            violations_max=_VIOLATIONS_MAX,
        )
    if point.study is Study.PRESSURE:
        return rule
    return _set(rule, delay=seconds(point.wait))


def _severe(rule: LimitRule) -> float | None:
    if rule.severe is None:
        return None
    if rule.is_low:
        return min(rule.severe, rule.limit - _SEVERE_APART)
    return max(rule.severe, rule.limit + _SEVERE_APART)


_STUDIED: Final = (
    "limit",
    "severe",
    "delay",
    "severe_delay",
    "hysteresis",
    "clear_for",
    "budget",
    "violations_max",
)


class Grid(NamedTuple):
    """Limits, waits and filters of one study; budgets replace the waits of `Filter.BUDGET`."""

    limits: tuple[float, ...]
    waits: tuple[float, ...]
    filters: tuple[Filter, ...] = (Filter.CORE,)
    budgets: tuple[float, ...] = ()


_F: Final = Filter
WHOLE: Final = {
    Study.SATURATION: Grid(
        tuple(range(85, 93)),
        (0, 5, 10, 15, 20, 30),
        (_F.CORE, _F.HOLD, _F.MEDIAN),
        (10, 25, 50, 100),
    ),
    Study.BREATHS: Grid((6, 7, 8, 9, 10), (0, 10, 20, 30), (_F.CORE, _F.BLANK_ZEROS)),
    Study.CO2: Grid((45, 48, 50, 52, 55), (0, 10, 20, 30), (_F.CORE, _F.MEDIAN)),
    Study.PAUSES: Grid((15, 20, 25, 30, 40, 60), (0,)),
    Study.PRESSURE: Grid((150, 155, 160, 165, 170, 180), (2.5, 5, 10, 15)),
}
QUICK: Final = {
    Study.SATURATION: Grid((85, 88, 90, 92), (0, 10, 20), (_F.CORE, _F.HOLD, _F.MEDIAN), (25, 100)),
    Study.BREATHS: Grid((7, 8, 9), (0, 10, 20), (_F.CORE, _F.BLANK_ZEROS)),
    Study.CO2: Grid((48, 50, 52), (0, 10, 20), (_F.CORE, _F.MEDIAN)),
    Study.PAUSES: Grid((20, 30, 40), (0,)),
    Study.PRESSURE: Grid((150, 160, 170), (5, 10)),
}


def points(grids: dict[Study, Grid], study: Study) -> list[Point]:
    """Return every point of a study, in a fixed order, the preset's own among them."""
    grid, shipped = grids[study], preset_point(study)
    limits = sorted({*map(float, grid.limits), shipped.limit})
    waits = sorted({*map(float, grid.waits), shipped.wait})
    found = [
        Point(study, limit, wait, each)
        for each in grid.filters
        for wait in waits
        for limit in limits
    ]
    budgets = [
        Point(study, limit, float(budget), Filter.BUDGET)
        for budget in grid.budgets
        for limit in limits
    ]
    return found + budgets


def digest() -> str:
    """Return a digest of the shipped rules that are studied, and of nothing else of the preset."""
    said = [
        f"{study} {key} {getattr(rule_of(study), key)}"
        for study in Study
        if study is not Study.PAUSES
        for key in _STUDIED
    ]
    apnoea = LIMITS.apnoea
    said.append(f"apnoea {apnoea.after} {apnoea.ambiguous_max} {apnoea.arm_breaths}")
    return sha256("\n".join(said).encode()).hexdigest()[:16]
