"""Reading what a preset may hold beyond plain limits: phases, limits from a baseline, patterns."""

from enum import StrEnum
from typing import Final

import msgspec

from alarms import toml
from alarms.condition import Latch
from alarms.reading import DELAY_S_MAX, Provenance, leave_no_value, read_limits, read_metric
from alarms.rules import (
    BaselineRules,
    DoubtRules,
    LimitRule,
    Part,
    PartKind,
    PatternRule,
    RelativeRule,
)
from alarms.trend import WINDOW_MAX
from monitor.model.alarm import Priority
from monitor.model.instant import Duration, in_seconds, seconds
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.session import Phase

_BASELINE: Final = BaselineRules(readings_min=2, within=seconds(600))
_PARTS_MAX: Final = 4


class _Direction(StrEnum):
    LOW = "low"
    HIGH = "high"


def read_baseline(top: toml.Table, provenance: Provenance) -> BaselineRules:
    """Return when cuff readings make a baseline; two within ten minutes where nothing is said."""
    if "baseline" not in top:
        return _BASELINE
    table = top.table("baseline")
    rules = BaselineRules(
        readings_min=int(table.number("readings_min", 2, 6)),
        within=table.seconds("within_s", 60, 1800),
    )
    provenance.of(table)
    return rules


def read_doubt(top: toml.Table, provenance: Provenance) -> DoubtRules | None:
    """Return when numbers are doubted; a preset without that table suspects nothing."""
    if "doubt" not in top:
        return None
    table = top.table("doubt")
    rules = DoubtRules(
        frozen_after=table.seconds("frozen_after_s", 60, 1800),
        rates_differ=table.number("rates_differ", 5, 60),
        differ_for=table.seconds("differ_for_s", 5, 20),
        unit_for=table.seconds("unit_for_s", 5, 30),
        cuff_max=table.seconds("cuff_s_max", 0, 60),
        cuff_after=table.seconds("cuff_after_s", 0, 20),
        perfusion_min=table.number("perfusion_min", 0, 2),
    )
    rules = _with_more_doubt(table, rules)
    provenance.of(table)
    return rules


def _with_more_doubt(table: toml.Table, rules: DoubtRules) -> DoubtRules:
    """Add what a preset may leave out: devices that differ, numbers that jump."""
    if "sources_differ" in table:
        tolerances = table.table("sources_differ")
        for key in tolerances.names():
            if read_metric(tolerances, key) in NIBP:
                raise tolerances.wrong(key, "two cuffs never measure at once; leave it out")
        rules = msgspec.structs.replace(
            rules,
            sources_differ={
                read_metric(tolerances, key): tolerances.number(key, 0.1, 100)
                for key in tolerances.names()
            },
            sources_differ_for=table.seconds("sources_differ_for_s", 10, 120),
        )
    if "steps_per_minute" in table:
        count = int(table.number("steps_per_minute", 2, 60))
        rules = msgspec.structs.replace(rules, steps_per_minute=count)
    return rules


def read_cuff_due(top: toml.Table, provenance: Provenance) -> dict[Phase, Duration]:
    """Return when the next cuff reading is overdue, by phase; nothing where nothing is said."""
    if "cuff_due" not in top:
        return {}
    table = top.table("cuff_due")
    grace = table.seconds("grace_s", 0, 300)
    phases = [each for each in Phase if f"{each}_min" in table]
    due = {
        each: Duration(seconds(60 * table.number(f"{each}_min", 1, 240)) + grace) for each in phases
    }
    provenance.of(table)
    return due


def read_relatives(top: toml.Table, provenance: Provenance) -> tuple[RelativeRule, ...]:
    """Return the limits that are so many percent, or so much, away from the baseline."""
    if "relative" not in top:
        return ()
    tables = top.table("relative")
    return tuple(_relative(tables.table(alarm), alarm, provenance) for alarm in tables.names())


def _relative(table: toml.Table, alarm: str, provenance: Provenance) -> RelativeRule:
    metric = table.choice("metric", Metric)
    if metric not in NIBP:
        raise table.wrong(
            "metric", f"expected one of {', '.join(NIBP)}: a baseline is of pressures"
        )
    facts = describe(metric)
    if ("percent" in table) == ("amount" in table):
        raise table.wrong("percent", "expected either percent or amount")
    percent = table.number("percent", 5, 100) if "percent" in table else None
    amount = table.number("amount", 5, 100) if "amount" in table else None
    direction = table.choice("direction", _Direction)
    limit = LimitRule(
        alarm=alarm,
        metric=metric,
        is_low=direction is _Direction.LOW,
        limit=facts.technical_low if direction is _Direction.LOW else facts.technical_high,
        priority=table.choice("priority", Priority),
        delay=table.seconds("delay_s", 0, 0),
        hysteresis=table.number("hysteresis", 0, 30),
        clear_for=table.seconds("clear_for_s", 0, 0),
        latch=table.choice("latch", Latch),
        acknowledge_envelope=table.number("acknowledge_envelope", 0, 60),
    )
    limit = msgspec.structs.replace(limit, provenance=provenance.of(table))
    return RelativeRule(limit=limit, percent=percent, amount=amount)


def read_patterns(top: toml.Table, provenance: Provenance) -> tuple[PatternRule, ...]:
    """Return the trends and compounds."""
    if "pattern" not in top:
        return ()
    tables = top.table("pattern")
    return tuple(_pattern(tables.table(alarm), alarm, provenance) for alarm in tables.names())


def _pattern(table: toml.Table, alarm: str, provenance: Provenance) -> PatternRule:
    parts = tuple(_part(each) for each in table.tables("parts", _PARTS_MAX))
    priority = table.choice("priority", Priority)
    rule = PatternRule(
        alarm=alarm,
        title=table.text("title"),
        parts=parts,
        priority=priority,
        delay=table.seconds("delay_s", 0, DELAY_S_MAX[priority]),
        clear_for=table.seconds("clear_for_s", 0, 120),
        latch=table.choice("latch", Latch),
    )
    return msgspec.structs.replace(rule, provenance=provenance.of(table))


def _part(table: toml.Table) -> Part:
    metric = table.choice("metric", Metric)
    kind = table.choice("kind", PartKind)
    facts = describe(metric)
    if facts.is_wave:
        raise table.wrong("metric", "expected a numeric")
    if kind is PartKind.LOST:
        part = Part(metric=metric, kind=kind)
    elif kind in {PartKind.BELOW, PartKind.ABOVE}:
        amount = table.number("amount", facts.technical_low, facts.technical_high)
        part = Part(metric=metric, kind=kind, amount=amount)
    else:
        span = facts.technical_high - facts.technical_low
        amount = table.number("amount", 0.1, span)
        window = table.seconds("window_s", 5, in_seconds(WINDOW_MAX))
        part = Part(metric=metric, kind=kind, amount=amount, window=window)
    table.finish()
    return part


def read_phases(
    top: toml.Table, provenance: Provenance, limits: tuple[LimitRule, ...]
) -> dict[Phase, tuple[LimitRule, ...]]:
    """Return the limits that stand in for others in a phase; each must have a plain one."""
    if "phase" not in top:
        return {}
    tables = top.table("phase")
    known = {each.alarm for each in limits}
    phases: dict[Phase, tuple[LimitRule, ...]] = {}
    for name in tables.names():
        if name not in [each.value for each in Phase]:
            raise tables.wrong(name, f"no such phase; known: {', '.join(Phase)}")
        table = tables.table(name)
        phases[Phase(name)] = read_limits(table.table("limits"), provenance)
        table.finish()
        for rule in phases[Phase(name)]:
            if rule.alarm not in known:
                raise tables.wrong(name, f"{rule.alarm} has no limit outside this phase; add one")
        _check_together(tables, name, _merged(limits, phases[Phase(name)]))
    return phases


def _merged(
    limits: tuple[LimitRule, ...], own: tuple[LimitRule, ...]
) -> dict[tuple[Metric, bool], LimitRule]:
    return {(each.metric, each.is_low): each for each in (*limits, *own)}


def _check_together(
    tables: toml.Table, name: str, rules: dict[tuple[Metric, bool], LimitRule]
) -> None:
    """Refuse a phase in which a value would be both too low and too high."""
    for (metric, is_low), rule in rules.items():
        other = rules.get((metric, not is_low))
        if is_low and other is not None and not rule.inside < other.inside:
            raise tables.wrong(name, f"limits.{metric}: {leave_no_value(rule, other)}")
