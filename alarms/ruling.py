"""What decides about a condition, in words, and the metrics it is about: for explanations.

The limit of a metric speaks for itself (`LimitRule`); this is for all the others.
"""

from collections.abc import Callable
from typing import Final

from alarms.names import (
    APNOEA,
    CUFF_ON_PROBE_ARM,
    ETCO2_UNIT,
    FROZEN_CO2,
    FROZEN_OXIMETER,
    MOMENTARY,
    NIBP_IMPLAUSIBLE,
    NIBP_OVERDUE,
    NUMBERS_JUMP,
    RATES_DIFFER,
    RECORDING_GAP,
    REJECTED,
    RESPIRATORY,
    identify,
    is_link,
    is_notice,
    is_sources_differ,
)
from alarms.rules import DoubtRules, LimitSet, Part, PartKind, RelativeRule
from alarms.suspicion import GROUPS
from monitor.model.alarm import Kind
from monitor.model.instant import Duration, in_seconds
from monitor.model.metric import NIBP, Metric, describe

_ABOUT: Final[dict[str, tuple[Metric, ...]]] = {
    **GROUPS,
    RATES_DIFFER: (Metric.PULSE_RATE, Metric.HEART_RATE),
    ETCO2_UNIT: (Metric.ETCO2, Metric.RESP_RATE),
    CUFF_ON_PROBE_ARM: (Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX),
    NIBP_IMPLAUSIBLE: NIBP,
    NIBP_OVERDUE: NIBP,
    APNOEA: (Metric.RESP_RATE, Metric.ETCO2),
}


def concerns(limits: LimitSet, alarm: str) -> tuple[Metric, ...]:
    """Return the metrics whose values decide about a condition; none for one of equipment."""
    for pattern in limits.patterns:
        if pattern.alarm == alarm:
            return tuple(dict.fromkeys(each.metric for each in pattern.parts))
    own = [(each.alarm, each.metric) for each in limits.limits]
    own += [(each.alarm, each.metric) for each in limits.relatives]
    for name, metric in own:
        if name == alarm:
            return (metric,)
    if alarm in _ABOUT:
        return _ABOUT[alarm]
    about = identify(alarm).metric
    return () if about is None else (about,)


def ruling(limits: LimitSet, alarm: str) -> str:
    """Return what decides about a condition, in words; "" for a plain limit."""
    for pattern in limits.patterns:
        if pattern.alarm == alarm:
            return " and ".join(_part(each) for each in pattern.parts)
    for relative in limits.relatives:
        if relative.alarm == alarm:
            return _relative(limits, relative)
    if any(each.alarm == alarm for each in limits.limits):
        return ""
    said = _DATA.get(alarm)
    if said is not None:
        return said(limits)
    doubted = _DOUBT.get(alarm)
    if doubted is not None and limits.doubt is not None:
        return doubted(limits.doubt)
    return _of_equipment(limits, alarm)


def _of_equipment(limits: LimitSet, alarm: str) -> str:
    data, identity = limits.data, identify(alarm)
    if is_link(alarm):
        return f"the link is lost or silent for {_s(data.link_delay)}"
    if alarm in MOMENTARY:
        return "the device says so once"
    if is_notice(alarm):
        return f"the device says so for {_s(data.sensor_delay)}"
    if is_sources_differ(alarm) and limits.doubt is not None and identity.metric is not None:
        apart = limits.doubt.sources_differ.get(identity.metric, 0.0)
        unit = describe(identity.metric).unit
        for_s = _s(limits.doubt.sources_differ_for)
        return f"another device reads more than {apart:g} {unit} away for {for_s}"
    if identity.metric is not None and identity.kind is Kind.TECHNICAL:
        return _absence(limits, identity.metric)
    return "a part of Vigil says that it is not well"


def _absence(limits: LimitSet, metric: Metric) -> str:
    data = limits.data
    slow = f"{data.periods:g} periods of a slower source"
    said = f"no valid value for {_s(data.absent_after)}, or {slow}"
    if metric not in RESPIRATORY:
        return said
    return f"{said}; high {_s(data.last_channel_after)} later if no respiratory channel is left"


def _s(duration: Duration) -> str:
    return f"{in_seconds(duration):g} s"


def _part(part: Part) -> str:
    if part.kind is PartKind.LOST:
        return f"{part.metric} lost"
    within = f" within {_s(part.window)}" if part.window else ""
    by = "by " if part.kind in {PartKind.FALLS, PartKind.RISES} else ""
    return f"{part.metric} {part.kind} {by}{part.amount:g}{within}"


def _relative(limits: LimitSet, rule: RelativeRule) -> str:
    away = f"{rule.amount:g}" if rule.amount is not None else f"{rule.percent:g} %"
    side, baseline = "below" if rule.is_low else "above", limits.baseline
    return (
        f"more than {away} {side} the patient's baseline, which takes {baseline.readings_min} cuff "
        f"readings within {_s(baseline.within)} in phase baseline"
    )


def _apnoea(limits: LimitSet) -> str:
    rules = limits.apnoea
    return (
        f"no breath for {_s(rules.after)} after the last one, {_s(rules.ambiguous_max)} at most "
        f"while the device explains it; armed by {rules.arm_breaths} breaths"
    )


def _overdue(limits: LimitSet) -> str:
    said = [f"{in_seconds(after) / 60:g} min in phase {phase}" for phase, after in
            limits.cuff_due.items()]  # fmt: skip
    return f"no plausible cuff reading for {', '.join(said)}" if said else "no schedule"


_DATA: Final[dict[str, Callable[[LimitSet], str]]] = {
    APNOEA: _apnoea,
    NIBP_OVERDUE: _overdue,
    NIBP_IMPLAUSIBLE: lambda _: "systolic, mean and diastolic of one reading contradict each other",
    RECORDING_GAP: lambda _: "nobody watched",
    REJECTED: lambda limits: f"more than {limits.data.rejected_per_minute} refusals in a minute",
}
_DOUBT: Final[dict[str, Callable[[DoubtRules], str]]] = {
    FROZEN_OXIMETER: lambda rules: f"neither SpO2 nor pulse changed for {_s(rules.frozen_after)}",
    FROZEN_CO2: lambda rules: f"neither EtCO2 nor rate changed for {_s(rules.frozen_after)}",
    RATES_DIFFER: lambda rules: (
        f"pulse and heart rate more than {rules.rates_differ:g} /min apart for "
        f"{_s(rules.differ_for)}"
    ),
    ETCO2_UNIT: lambda rules: f"an EtCO2 as small as kPa beside breaths for {_s(rules.unit_for)}",
    CUFF_ON_PROBE_ARM: lambda rules: (
        f"the pulse is lost, or perfusion below {rules.perfusion_min:g}, while the cuff inflates; "
        f"explains the saturation for {_s(rules.cuff_max)} at most"
    ),
    NUMBERS_JUMP: lambda rules: f"{rules.steps_per_minute} impossible steps within a minute",
}
