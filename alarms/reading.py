"""Reading limits from TOML: one limit, all limits of a table, and where their numbers come from."""

from typing import Final

import msgspec

from alarms import toml
from alarms.condition import Latch
from alarms.rules import LimitRule
from monitor.model.alarm import RANK, Priority
from monitor.model.errors import ConfigError
from monitor.model.metric import NIBP, Metric, describe

DIRECTIONS: Final = ("low", "high")
_SEVERE_KEYS: Final = ("severe", "severe_priority", "severe_delay_s")
DELAY_S_MAX: Final = {Priority.HIGH: 5.0, Priority.MEDIUM: 20.0, Priority.LOW: 30.0}
_SEVERE_DELAY_S_MAX: Final = 5.0


class Provenance:
    """Where numbers come from: said beside them, or once for all tables under `[provenance]`."""

    def __init__(self, top: toml.Table) -> None:
        self._common = _texts(top.table("provenance"))

    def of(self, table: toml.Table) -> dict[str, str]:
        """Return the source of each number in `table`, and refuse keys nobody asked for."""
        said = self._common | (_texts(table.table("provenance")) if "provenance" in table else {})
        table.finish()
        for key in table.numbers():
            if key not in said:
                raise table.wrong(key, f"no provenance; say where it comes from: provenance.{key}")
        return {key: said[key] for key in table.numbers()}


def _texts(table: toml.Table) -> dict[str, str]:
    return {key: table.text(key) for key in table.names()}


def read_metric(table: toml.Table, key: str) -> Metric:
    """Return the numeric metric that `key` names."""
    known = {each.value: each for each in Metric if not describe(each).is_wave}
    if key not in known:
        raise table.wrong(key, f"no such metric; known: {', '.join(known)}")
    return known[key]


def read_limits(table: toml.Table, provenance: Provenance) -> tuple[LimitRule, ...]:
    """Return every limit of a table METRIC.low, METRIC.high."""
    limits: list[LimitRule] = []
    for key in table.names():
        metric = read_metric(table, key)
        both = table.table(key)
        pair = {
            way: read_limit(both.table(way), metric, provenance)
            for way in DIRECTIONS
            if way in both
        }
        both.finish()
        if not pair:
            raise table.wrong(key, "expected a table low or high, or both")
        if len(pair) == 2 and not pair["low"].inside < pair["high"].inside:
            raise both.wrong("low", leave_no_value(pair["low"], pair["high"]))
        limits.extend(pair.values())
    if not limits:
        raise ConfigError(f"{table.where}: [limits]: no limit at all; expected at least one")
    return tuple(limits)


def leave_no_value(low: LimitRule, high: LimitRule) -> str:
    """Return what is wrong with a low and a high limit that are too near, or in wrong order."""
    least = low.hysteresis + high.hysteresis
    return (
        f"low limit {low.limit:g} and high limit {high.limit:g} leave no value that is inside both "
        f"by the hysteresis; expected low below high by more than {least:g}"
    )


def read_limit(table: toml.Table, metric: Metric, provenance: Provenance) -> LimitRule:
    """Return one limit; the table is named after its direction."""
    facts = describe(metric)
    way = table.path.rpartition(".")[2]
    is_low = way == "low"
    limit = table.number("limit", facts.technical_low, facts.technical_high)
    if limit == (facts.technical_low if is_low else facts.technical_high):
        raise table.wrong("limit", f"out of reach: no {metric} beyond it can be measured")
    priority = table.choice("priority", Priority)
    rule = LimitRule(
        alarm=f"{metric}_{way}",
        metric=metric,
        is_low=is_low,
        limit=limit,
        priority=priority,
        delay=table.seconds("delay_s", 0, 0 if metric in NIBP else DELAY_S_MAX[priority]),
        hysteresis=table.number("hysteresis", 0, facts.technical_high - facts.technical_low),
        clear_for=table.seconds("clear_for_s", 0, 60),
        latch=table.choice("latch", Latch),
        acknowledge_envelope=table.number("acknowledge_envelope", 0, facts.technical_high),
    )
    if any(key in table for key in _SEVERE_KEYS):
        rule = _with_severe_band(table, rule)
    if "budget" in table:
        rule = msgspec.structs.replace(rule, budget=table.number("budget", 1, 1000))
    if "violations_max" in table:
        count = int(table.number("violations_max", 2, 30))
        rule = msgspec.structs.replace(rule, violations_max=count)
    if not facts.technical_low <= rule.inside <= facts.technical_high:
        raise table.wrong("hysteresis", "no measurable value would end this condition")
    return msgspec.structs.replace(rule, provenance=provenance.of(table))


def _with_severe_band(table: toml.Table, rule: LimitRule) -> LimitRule:
    facts = describe(rule.metric)
    severe = table.number("severe", facts.technical_low, facts.technical_high)
    if severe >= rule.limit if rule.is_low else severe <= rule.limit:
        raise table.wrong("severe", f"expected a value beyond the limit {rule.limit:g}")
    if severe == (facts.technical_low if rule.is_low else facts.technical_high):
        raise table.wrong("severe", f"out of reach: no {rule.metric} beyond it can be measured")
    severe_priority = table.choice("severe_priority", Priority)
    if RANK[severe_priority] <= RANK[rule.priority]:
        raise table.wrong("severe_priority", f"expected one above {rule.priority}")
    return msgspec.structs.replace(
        rule,
        severe=severe,
        severe_priority=severe_priority,
        severe_delay=table.seconds("severe_delay_s", 0, _SEVERE_DELAY_S_MAX),
    )
