"""What in a limit set stands against something else in it, in one metric's plain limits."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.contradictions import GAPS_MIN, contradictions
from alarms.ramps import Finding
from alarms.rules import LimitRule
from monitor.model.instant import seconds
from monitor.model.metric import Metric, describe
from tests.alarms.score import LIMITS

BASE: Final = LIMITS.limits[0]
LEAST: Final = {
    Metric.SPO2: 2,
    Metric.PULSE_RATE: 5,
    Metric.HEART_RATE: 5,
    Metric.ETCO2: 5,
    Metric.FICO2: 2,
    Metric.RESP_RATE: 2,
    Metric.NIBP_SYS: 5,
    Metric.NIBP_DIA: 5,
    Metric.NIBP_MEAN: 5,
    Metric.TEMP: 0.5,
}


def rule(metric: Metric, way: str, limit: float, **values: object) -> LimitRule:
    own = msgspec.structs.replace(BASE, alarm=f"{metric}_{way}", metric=metric, hysteresis=0.0,
                                  is_low=way == "low", limit=limit, severe=None)  # fmt: skip
    return msgspec.structs.replace(own, **values)


def found(*rules: LimitRule, phase: str = "") -> list[Finding]:
    limits = msgspec.structs.replace(LIMITS, limits=rules)
    return list(contradictions(limits, phase))


@pytest.mark.parametrize("metric", LEAST)
def test_low_and_high_stand_the_least_distance_apart(metric: Metric) -> None:
    least, middle = LEAST[metric], 30.0
    assert LEAST == GAPS_MIN
    assert found(rule(metric, "low", middle), rule(metric, "high", middle + least)) == []
    near = middle + least - 0.25
    (wrong,) = found(rule(metric, "low", middle), rule(metric, "high", near))
    assert wrong == Finding(
        alarm=f"{metric}_low",
        is_well=False,
        text=f"limit = 30: {near - middle:g} below the high limit {near:g}; expected at least "
        f"{least:g} between them",
        place=f"[limits.{metric}.low]",
        metric=metric,
    )


@given(
    st.sampled_from(sorted(LEAST)),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["", "infusing"]),
)
def test_limits_that_overlap_are_found_in_words(
    metric: Metric, one: float, two: float, phase: str
) -> None:
    facts = describe(metric)
    span = facts.technical_high - facts.technical_low
    low, high = facts.technical_low + one * span, facts.technical_low + two * span
    both = f"is {metric}_low and {metric}_high at once; move them apart"
    pair = (rule(metric, "low", low), rule(metric, "high", high))
    told = [each for each in found(*pair, phase=phase) if each.text.endswith(both)]
    assert bool(told) == (high < low)
    for each in told:
        assert (each.alarm, each.phase) == (f"{metric}_low", phase)
        assert each.text == f"{metric} {(low + high) / 2:g} {both}"


@pytest.mark.parametrize(
    ("metric", "way", "limit", "severe", "least"),
    [
        (Metric.SPO2, "low", 90.0, 89.5, 1),
        (Metric.PULSE_RATE, "high", 120.0, 120.75, 1),
        (Metric.TEMP, "low", 35.0, 34.95, 0.1),
    ],
)
def test_a_severe_band_is_at_least_one_reading_away(
    metric: Metric, way: str, limit: float, severe: float, least: float
) -> None:
    (wrong,) = found(rule(metric, way, limit, severe=severe), phase="ready")
    assert wrong.text == (
        f"severe = {severe:g}: no reading lies between it and {limit:g}; expected at least "
        f"{least:g} between them"
    )
    assert (wrong.place, wrong.phase) == (f"[phase.ready.limits.{metric}.{way}]", "ready")
    away = limit - least if way == "low" else limit + least
    assert found(rule(metric, way, limit, severe=away - 0.001 if way == "low" else away)) == []


def test_what_is_worse_is_not_told_later() -> None:
    own = rule(Metric.SPO2, "low", 90.0, severe=80.0, delay=seconds(4), severe_delay=seconds(5))
    (wrong,) = found(own)
    assert wrong.text == (
        "severe_delay_s = 5: longer than delay_s; a worse value would be told later; expected at "
        "most 4"
    )
    assert found(msgspec.structs.replace(own, delay=seconds(5))) == []
    assert found(msgspec.structs.replace(own, severe=None)) == []


def test_limits_of_a_metric_without_a_least_distance_may_touch_but_not_cross() -> None:
    metric = Metric.PERFUSION_INDEX
    assert metric not in GAPS_MIN
    assert found(rule(metric, "low", 3.0), rule(metric, "high", 3.0)) == []
    (crossed,) = found(rule(metric, "low", 4.0), rule(metric, "high", 2.0))
    assert crossed.text == f"{metric} 3 is {metric}_low and {metric}_high at once; move them apart"


def test_metrics_are_not_compared_with_each_other() -> None:
    assert found(rule(Metric.SPO2, "low", 90.0), rule(Metric.ETCO2, "high", 50.0)) == []
    assert found(rule(Metric.SPO2, "high", 90.0), rule(Metric.SPO2, "low", 80.0)) == []
