"""How old a number may be, how near nothing a zero is, and how the time without one is said."""

import pytest

from alarms.condition import Condition
from monitor.model.alarm import Change
from monitor.model.event import NoticeKind
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from tests.alarms.score import Score, seen


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
