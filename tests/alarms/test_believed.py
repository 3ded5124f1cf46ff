"""How old a number may be, how near nothing a zero is, and how the time without one is said."""

import msgspec
import pytest

from alarms.condition import Condition
from monitor.model.alarm import Change
from monitor.model.event import NoticeKind, Observation
from monitor.model.instant import instant_at, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from tests.alarms.listening import listening
from tests.alarms.score import LIMITS, Score, seen


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(("age_s", "is_believed"), [(0, True), (30, True), (30.1, False)])
def test_a_value_taken_more_than_half_a_minute_ago_is_old(
    age_s: float, *, is_believed: bool
) -> None:
    score = Score()
    score.hear(seen("spo2", 88, 100, taken=100 - age_s), 100)
    watch = score.system.inspect("spo2_low")
    assert watch is not None
    assert (watch.state.condition is Condition.CANDIDATE) is is_believed
    assert score.system.rejected == (not is_believed)


@pytest.mark.hazard("H2")
@pytest.mark.parametrize(
    ("metric", "value", "is_zero"),
    [
        (Metric.RESP_RATE, 0.4, True),
        (Metric.RESP_RATE, 0.5, False),
        (Metric.RESP_RATE, 1.0, False),
        (Metric.ETCO2, 7.9, True),
        (Metric.ETCO2, 8.0, False),
        (Metric.ETCO2, 8.5, False),
    ],
)
def test_what_an_auto_zero_explains_is_less_than_half_a_breath_and_than_8_mmhg(
    metric: Metric, value: float, *, is_zero: bool
) -> None:
    score = Score()
    score.run(0, 20, etco2=38, resp_rate=14)
    score.notice(NoticeKind.AUTO_ZERO, 20)
    score.see(20, **{metric: value})
    watch = score.system.inspect(f"{metric}_low")
    assert watch is not None
    assert watch.state.condition is (Condition.ABSENT if is_zero else Condition.CANDIDATE)


def test_how_long_nothing_was_heard_is_said_to_a_tenth_of_a_second() -> None:
    score = Score()
    score.run(0, 61, every=12.38, spo2=97)
    score.wait(100)
    assert score.first("no_data_spo2", Change.PRESENT).reason == "no valid value for 37.1 s"
    score = Score()
    score.run(0, 10, etco2=38, resp_rate=14)
    score.link(LinkState.LOST, 12, Metric.ETCO2, Metric.RESP_RATE)
    score.run(28.27, 70, etco2=0, resp_rate=0)
    assert score.first("apnoea", Change.PRESENT).reason == "no breath seen for 34.3 s"


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (seen("pleth", 50, 100), "pleth is no numeric"),
        (seen("spo2", 97, 100.1), "spo2 from the future or out of order"),
        (seen("spo2", 97, 100, taken=60), "spo2 is old"),
        (seen("spo2", 100.1, 100), "spo2 100.1 cannot be measured"),
        (seen("spo2", 100, 100), ""),
    ],
)
def test_a_value_that_is_refused_is_counted_and_the_reason_said(
    refused: Observation, said: str
) -> None:
    vitals = listening(LIMITS)
    assert vitals.hear(refused, instant_at(100)) == said


def test_an_auto_zero_explains_nothing_of_what_is_breathed_in() -> None:
    score = Score()
    score.run(0, 30, fico2=10)
    score.notice(NoticeKind.AUTO_ZERO, 30)
    score.run(30, 40, fico2=0.5)
    assert [change for _, change in score.changes("fico2_high")] == ["present", "ended"]


@pytest.mark.hazard("H3")
def test_a_sensor_that_is_off_gives_no_value_however_ordinary_it_looks() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.run(20, 60, spo2=97)
    assert score.changes("no_data_spo2") == [(49, "present")]


def test_a_budget_counts_the_time_between_values_and_none_in_which_there_were_none() -> None:
    plain = next(each for each in LIMITS.limits if each.alarm == "spo2_low")
    rule = msgspec.structs.replace(plain, severe=None, delay=seconds(60), budget=50.0)
    limits = msgspec.structs.replace(LIMITS, limits=(rule,))
    score = Score(limits)
    score.run(0, 20, every=5, spo2=84)
    assert score.changes("spo2_low") == [(10, "present")]
    score = Score(limits)
    for at in (0, 1, 30, 31):
        score.see(at, spo2=84)
    assert score.changes("spo2_low") == []


def test_a_rate_that_comes_seldom_differs_no_more_once_the_other_has_come_round() -> None:
    score = Score()
    for second in range(60):
        if second % 10 == 0:
            score.see(second, heart_rate=72 if second < 40 else 95)
        score.see(second, pulse_rate=70 if second < 40 else 90)
    assert "rates_differ" not in {each.alarm for each in score.told}
