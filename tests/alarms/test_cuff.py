"""Cuff readings: once each, whole or not at all, and never set aside for being extreme."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.cuff import fault_of, remark_on
from monitor.model.event import Observation, Validity
from monitor.model.instant import instant_at
from monitor.model.metric import NIBP, Metric
from tests.alarms.score import Score, seen


def cuff(
    score: Score, at: float, pressures: tuple[float | None, ...], taken: float | None = None
) -> None:
    for metric, value in zip(NIBP, pressures, strict=False):
        score.hear(seen(metric, value, at, taken=taken), at)


@pytest.mark.hazard("H11")
def test_a_true_extreme_is_told_at_once() -> None:
    score = Score()
    cuff(score, 10, (240, 130, 167))
    assert (10, "nibp_sys_high", "present", "high") in score.lines()
    assert "unconfirmed" in score.told[0].reason


@pytest.mark.hazard("H10")
@pytest.mark.parametrize(
    "pressures", [(150, 80, -2), (150, 80, 160), (80, 90, 85), (120, 80, 70), (320, 80, 120)]
)
def test_one_impossible_pressure_sets_the_whole_measurement_aside(
    pressures: tuple[float, ...],
) -> None:
    score = Score()
    cuff(score, 10, (185, 115, 140), taken=9)
    cuff(score, 400, pressures, taken=399)
    assert score.changes("nibp_implausible") == [(400, "present")]
    assert score.changes("nibp_sys_high") == [(10, "present")]
    cuff(score, 500, (120, 80, 93), taken=499)
    assert score.changes("nibp_implausible")[-1] == (500, "ended")
    assert score.changes("nibp_sys_high")[-1] == (500, "latched")


def test_the_same_measurement_told_again_is_judged_once() -> None:
    score = Score()
    for at in range(10, 500, 30):
        cuff(score, at, (185, 115, 140), taken=9)
    assert score.changes("nibp_sys_high") == [(10, "present")]


def test_an_older_measurement_never_ends_a_newer_alarm() -> None:
    score = Score()
    cuff(score, 100, (185, 115, 140), taken=99)
    cuff(score, 110, (120, 80, 93), taken=50)
    assert score.changes("nibp_sys_high") == [(100, "present")]


def test_an_old_reading_stays_what_it_is_when_the_device_blanks_it() -> None:
    score = Score()
    cuff(score, 10, (185, 115, 140))
    cuff(score, 100, (None, None, None))
    score.wait(4000)
    assert score.changes("nibp_sys_high") == [(10, "present")]


def test_the_next_measurement_inside_ends_it_and_one_between_does_not() -> None:
    score = Score()
    cuff(score, 10, (170, 80, 110))
    cuff(score, 310, (158, 80, 106))
    assert score.changes("nibp_sys_high") == [(10, "present")]
    cuff(score, 610, (150, 80, 103))
    assert score.changes("nibp_sys_high")[-1] == (610, "ended")


def test_two_pressures_are_judged_when_no_third_comes() -> None:
    score = Score()
    cuff(score, 10, (185, 115))
    score.wait(11)
    assert score.lines("nibp_sys_high") == [(10.5, "nibp_sys_high", "present", "high")]
    cuff(score, 310, (120, 80))
    assert score.changes("nibp_sys_high")[-1] == (310, "latched")


def test_equal_values_of_two_measurements_are_two_measurements() -> None:
    score = Score()
    cuff(score, 10, (170, 80, 110), taken=9)
    score.run(11, 40, spo2=97)
    cuff(score, 310, (170, 80, 110), taken=309)
    cuff(score, 311, (120, 80, 93), taken=310)
    assert score.changes("nibp_sys_high") == [(10, "present"), (311, "ended")]


@given(st.permutations(NIBP), st.floats(30, 299), st.floats(0.2, 0.8))
def test_the_order_of_the_three_does_not_matter(
    order: list[Metric], systolic: float, share: float
) -> None:
    values = {
        Metric.NIBP_SYS: systolic,
        Metric.NIBP_DIA: systolic / 2,
        Metric.NIBP_MEAN: systolic * (0.5 + share / 2),
    }
    plain, other = Score(), Score()
    cuff(plain, 10, tuple(values[each] for each in NIBP))
    for metric in order:
        at = instant_at(10)
        other.hear(Observation(metric, values[metric], Validity.VALID, at), 10)
    assert sorted(plain.lines()) == sorted(other.lines())


def test_a_narrow_pulse_pressure_is_remarked_on_and_still_judged() -> None:
    values = {Metric.NIBP_SYS: 210.0, Metric.NIBP_DIA: 180.0, Metric.NIBP_MEAN: 190.0}
    assert fault_of(values) == ""
    assert "narrow" in remark_on(values)
    score = Score()
    cuff(score, 10, (210, 180, 190))
    assert "narrow" in score.told[0].reason
