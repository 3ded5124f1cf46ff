"""Cuff readings: once each, whole or not at all, and never set aside for being extreme."""

from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.cuff import fault_of, remark_on
from alarms.limits import read_preset
from monitor.model.event import Observation, Validity
from monitor.model.instant import instant_at
from monitor.model.link import LinkState
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import PRESET_TEXT, Score, seen

RANGES: Final = ((20, 300), (10, 250), (15, 280))
EDGES: Final = (None, 9, 10, 14, 15, 19, 20, 80, 81, 250, 251, 280, 281, 300, 301)


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
    assert score.told[0].reason == "above 180 mmHg; unconfirmed, pulse pressure 30 is narrow"


def test_pressures_are_set_aside_exactly_where_no_patient_can_have_them() -> None:
    for pressures in product(EDGES, repeat=3):
        values = {
            metric: float(value)
            for metric, value in zip(NIBP, pressures, strict=True)
            if value is not None
        }
        can_be = all(
            value is None or low <= value <= high
            for value, (low, high) in zip(pressures, RANGES, strict=True)
        )
        systolic, diastolic, mean = pressures
        upwards = [each for each in (diastolic, mean, systolic) if each is not None]
        can_be = can_be and upwards == sorted(set(upwards))
        assert (fault_of(values) == "") == can_be, pressures


@pytest.mark.parametrize(
    ("pressures", "words"),
    [
        ((0, 0, 0), "NIBP sys 0 cannot be measured"),
        ((120, 80, 281), "NIBP mean 281 cannot be measured"),
        ((80, 90.5, 85), "systolic 80 is not above diastolic 90.5"),
        ((150, 80, 160.5), "mean 160.5 is not below systolic 150"),
        ((120, 80, 70), "mean 70 is not above diastolic 80"),
    ],
)
def test_the_words_for_what_is_set_aside_say_which_pressures_contradict(
    pressures: tuple[float, ...], words: str
) -> None:
    score = Score()
    cuff(score, 10, pressures)
    (told,) = score.told
    assert told.alarm == "nibp_implausible"
    assert told.reason == f"measurement set aside: {words}"


@pytest.mark.parametrize(
    ("systolic", "least"),
    [(60, 10), (100, 10), (101, 15), (150, 15), (151, 30), (200, 30), (201, 50), (290, 50)],
)
def test_a_pulse_pressure_is_narrow_below_what_was_published_for_that_systolic(
    systolic: float, least: float
) -> None:
    def remark(pulse: float) -> str:
        return remark_on({Metric.NIBP_SYS: systolic, Metric.NIBP_DIA: systolic - pulse})

    assert remark(least) == ""
    assert remark(least - 0.5) == f"pulse pressure {least - 0.5:g} is narrow"
    assert remark_on({Metric.NIBP_SYS: systolic}) == ""
    assert remark_on({Metric.NIBP_DIA: systolic}) == ""


def test_a_reading_within_what_is_usual_is_called_unconfirmed_and_no_more() -> None:
    score = Score()
    cuff(score, 10, (190, 110, 140))
    assert score.told[0].reason == "above 180 mmHg; unconfirmed"


Told = tuple[int, tuple[Metric, ...]]
tellings = st.lists(
    st.tuples(st.integers(0, 3), st.permutations(NIBP).map(tuple)), min_size=4, max_size=30
)


@pytest.mark.hazard("H10")
@given(tellings)
def test_a_device_may_tell_its_readings_in_any_order_and_as_often_as_it_likes(
    told: list[Told],
) -> None:
    """A reading counts when it is the newest taken; whatever was older then is passed over."""
    score = Score()
    at, newest, judged_at = 10.0, -1, 0.0
    for number, order in told:
        at += 10
        pressures = dict(zip(NIBP, (120 + number, 80 + number, 93 + number), strict=True))
        for metric in order:
            score.hear(seen(metric, pressures[metric], at, taken=number), at)
        judged_at = at if number > newest else judged_at
        newest = max(newest, number)
        for offset, metric in zip((120, 80, 93), NIBP, strict=True):
            channel = score.system.channel_of(metric)
            assert channel is not None
            assert channel.value == offset + newest
            assert channel.valid_at == instant_at(judged_at)


@pytest.mark.hazard("H9")
@pytest.mark.parametrize("order", [NIBP, tuple(reversed(NIBP))])
@pytest.mark.parametrize("lost_at", [0, 1])
@pytest.mark.parametrize("age", [1, None])
@given(st.sets(st.sampled_from(NIBP), min_size=1, max_size=2))
def test_a_pressure_lost_once_is_judged_again_two_readings_later_at_the_latest(
    order: tuple[Metric, ...], lost_at: int, age: float | None, lost: set[Metric]
) -> None:
    score = Score()
    values = dict(zip(NIBP, (120, 80, 93), strict=True))
    for number in range(3):
        at = 10 + 300 * number
        for metric in order:
            if number != lost_at or metric not in lost:
                taken = None if age is None else at - age
                score.hear(seen(metric, values[metric] + number, at, taken=taken), at)
        score.wait(at + 60)
    for metric in NIBP:
        channel = score.system.channel_of(metric)
        assert channel is not None
        assert channel.value == values[metric] + 2
        assert channel.valid_at == instant_at(610)


def test_the_same_pressure_again_from_a_device_that_says_no_time_is_the_next_reading() -> None:
    score = Score()
    score.see(10, nibp_sys=185)
    score.see(10.3, nibp_sys=186)
    assert score.changes("nibp_sys_high") == [(10.3, "present")]
    assert score.told[0].value == 185
    channel = score.system.channel_of(Metric.NIBP_SYS)
    assert channel is not None
    assert (channel.value, channel.valid_at) == (186, instant_at(10.3))


def test_a_pressure_that_is_not_available_is_part_of_the_reading_and_waited_for_no_longer() -> None:
    score = Score()
    cuff(score, 10, (170, 80, None))
    assert score.changes("nibp_sys_high") == [(10, "present")]
    mean = score.system.channel_of(Metric.NIBP_MEAN)
    assert mean is not None
    assert mean.value is None


def test_a_pressure_is_there_again_with_the_first_reading_after_its_link_was_lost() -> None:
    score = Score()
    cuff(score, 10, (120, 80, 93))
    score.link(LinkState.LOST, 20, *NIBP)
    channel = score.system.channel_of(Metric.NIBP_SYS)
    assert channel is not None
    assert channel.is_lost
    cuff(score, 60, (120, 80, 93))
    assert not channel.is_lost


def test_a_pattern_may_look_at_a_pressure() -> None:
    text = (
        PRESET_TEXT
        + """
[pattern.shock]
title = "Pressure falls, pulse rises"
priority = "high"
delay_s = 0
clear_for_s = 0
latch = "never"
parts = [
  { metric = "nibp_sys", kind = "below", amount = 95 },
  { metric = "pulse_rate", kind = "above", amount = 100 },
]
"""
    )
    score = Score(read_preset(text, "x"))
    score.run(0, 10, pulse_rate=110)
    cuff(score, 10, (93, 60, 71))
    score.run(11, 15, pulse_rate=110)
    assert "shock" in score.standing()


def test_a_measurement_without_a_time_that_is_said_twice_at_once_is_one() -> None:
    score = Score()
    action = OperatorAction(
        deed=Deed.ENTER_PHASE, at=instant_at(0), operator="n", phase=Phase.BASELINE
    )
    score.hear(action, 0)
    for at, is_enough in ((10, False), (10, False), (70, True)):
        cuff(score, at, (110, 70, 83))
        assert (score.system.limits_of(Metric.NIBP_SYS)[1] != 160) is is_enough
