"""What of a number is believed: how old it may be, and how near nothing it must be to be a zero."""

import pytest

from alarms.condition import Condition
from monitor.model.event import NoticeKind
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
