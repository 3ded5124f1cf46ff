"""Limit sets from TOML: read, validated, never wider than the site allows.

A preset is refused whole when one number in it is missing, out of order, out of reach, contradicts
another, lacks its provenance, or is wider than `[site_maximum]` allows. There is no half a preset.
"""

from typing import Final

import msgspec

from alarms import toml
from alarms.condition import Latch
from alarms.rules import ApnoeaRules, DataRules, LimitRule, LimitSet, OperatorRules
from monitor.model.alarm import RANK, Priority
from monitor.model.errors import ConfigError
from monitor.model.metric import NIBP, Metric, describe

__all__ = ["LimitSet", "read_preset"]

_DIRECTIONS: Final = ("low", "high")
_SEVERE_KEYS: Final = ("severe", "severe_priority", "severe_delay_s")
_DELAY_S_MAX: Final = {Priority.HIGH: 5.0, Priority.MEDIUM: 20.0, Priority.LOW: 30.0}
_SEVERE_DELAY_S_MAX: Final = 5.0
_AUDIO_PAUSE_S_MAX: Final = 180.0
_ACKNOWLEDGE_HIGH_S_MAX: Final = 120.0


class _Provenance:
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


def read_preset(text: str, where: str) -> LimitSet:
    """Return the limit set written in `text`; `where` names the file in errors.

    Raises:
        ConfigError: names file, table, key, value and what would be right.
    """
    top = toml.read(text, where)
    name, title, status = top.text("name"), top.text("title"), top.text("status")
    provenance = _Provenance(top)
    operator = _operator(top.table("operator"), provenance)
    apnoea = _apnoea(top.table("apnoea"), provenance)
    data = _data(top.table("data"), provenance)
    limits = _limits(top.table("limits"), provenance)
    _check_site_maximum(top.table("site_maximum"), limits)
    top.finish()
    return LimitSet(
        name=name,
        title=title,
        status=status,
        limits=limits,
        apnoea=apnoea,
        data=data,
        operator=operator,
    )


def _operator(table: toml.Table, provenance: _Provenance) -> OperatorRules:
    rules = OperatorRules(
        audio_pause=table.seconds("audio_pause_s", 10, _AUDIO_PAUSE_S_MAX),
        acknowledge_high=table.seconds("acknowledge_high_s", 10, _ACKNOWLEDGE_HIGH_S_MAX),
        acknowledge_medium=table.seconds("acknowledge_medium_s", 10, 1800),
        acknowledge_low=table.seconds("acknowledge_low_s", 10, 3600),
    )
    provenance.of(table)
    return rules


def _apnoea(table: toml.Table, provenance: _Provenance) -> ApnoeaRules:
    after = table.seconds("after_s", 10, 60)
    rules = ApnoeaRules(
        after=after,
        ambiguous_max=table.seconds("ambiguous_s_max", 10, 60),
        arm_breaths=int(table.number("arm_breaths", 1, 10)),
        clear_for=table.seconds("clear_for_s", 0, 30),
        latch=table.choice("latch", Latch),
    )
    if rules.ambiguous_max < after:
        raise table.wrong("ambiguous_s_max", "expected at least after_s")
    provenance.of(table)
    return rules


def _data(table: toml.Table, provenance: _Provenance) -> DataRules:
    steps = table.table("steps_per_s")
    rules = DataRules(
        stale_after=table.seconds("stale_after_s", 2, 30),
        absent_after=table.seconds("absent_after_s", 5, 30),
        periods=table.number("periods", 2, 5),
        last_channel_after=table.seconds("last_channel_after_s", 0, 60),
        latch=table.choice("latch", Latch),
        link_delay=table.seconds("link_delay_s", 0, 15),
        sensor_delay=table.seconds("sensor_delay_s", 0, 15),
        rejected_per_minute=int(table.number("rejected_per_minute", 1, 600)),
        steps={_metric(steps, key): steps.number(key, 0.1, 1000) for key in steps.names()},
    )
    if rules.absent_after < rules.stale_after:
        raise table.wrong("absent_after_s", "expected at least stale_after_s")
    provenance.of(table)
    return rules


def _metric(table: toml.Table, key: str) -> Metric:
    known = {each.value: each for each in Metric if not describe(each).is_wave}
    if key not in known:
        raise table.wrong(key, f"no such metric; known: {', '.join(known)}")
    return known[key]


def _limits(table: toml.Table, provenance: _Provenance) -> tuple[LimitRule, ...]:
    limits: list[LimitRule] = []
    for key in table.names():
        metric = _metric(table, key)
        both = table.table(key)
        pair = {
            way: _limit(both.table(way), metric, provenance) for way in _DIRECTIONS if way in both
        }
        both.finish()
        if not pair:
            raise table.wrong(key, "expected a table low or high, or both")
        if len(pair) == 2 and not pair["low"].inside < pair["high"].inside:
            raise both.wrong("low", "low and high limit leave no value that is inside both")
        limits.extend(pair.values())
    if not limits:
        raise ConfigError(f"{table.where}: [limits]: no limit at all; expected at least one")
    return tuple(limits)


def _limit(table: toml.Table, metric: Metric, provenance: _Provenance) -> LimitRule:
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
        delay=table.seconds("delay_s", 0, 0 if metric in NIBP else _DELAY_S_MAX[priority]),
        hysteresis=table.number("hysteresis", 0, facts.technical_high - facts.technical_low),
        clear_for=table.seconds("clear_for_s", 0, 60),
        latch=table.choice("latch", Latch),
        acknowledge_envelope=table.number("acknowledge_envelope", 0, facts.technical_high),
    )
    if any(key in table for key in _SEVERE_KEYS):
        rule = _with_severe_band(table, rule)
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


def _check_site_maximum(table: toml.Table, limits: tuple[LimitRule, ...]) -> None:
    """Refuse a limit that is wider than the responsible organisation allows."""
    widest: dict[tuple[Metric, bool], float] = {}
    for key in table.names():
        metric, each = _metric(table, key), table.table(key)
        for way in _DIRECTIONS:
            if way in each:
                widest[metric, way == "low"] = each.number(way)
        each.finish()
    for rule in limits:
        most = widest.get((rule.metric, rule.is_low))
        if most is not None and (rule.limit < most if rule.is_low else rule.limit > most):
            way = "low" if rule.is_low else "high"
            raise ConfigError(
                f"{table.where}: [limits.{rule.metric}.{way}] limit = {rule.limit:g}: wider than "
                f"[site_maximum.{rule.metric}] {way} = {most:g}"
            )
