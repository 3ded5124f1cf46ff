"""The ramps of the linter themselves: readings that are measurable, steps that are believed."""

from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alarms.channel import Channel
from alarms.names import link_alarm
from alarms.ramps import beyond, first, inside_value, play, usual, way
from alarms.rules import LimitSet
from alarms.system import Happened
from monitor.model.instant import instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric, describe
from tests.alarms.score import LIMITS

PULSE: Final = Metric.PULSE_RATE


def stepping(most: float) -> LimitSet:
    data = msgspec.structs.replace(LIMITS.data, steps={PULSE: most})
    return msgspec.structs.replace(LIMITS, data=data)


@given(st.floats(0.1, 1000), st.integers(10, 350), st.integers(10, 350))
@example(0.3, 10, 20)  # 10.3 less 10 is more than 0.3 in floats
def test_each_step_of_a_way_is_believed_and_none_is_spared(
    most: float, start: int, goal: int
) -> None:
    limits, channel = stepping(most), Channel(metric=PULSE)
    values = way(limits, PULSE, start, goal)
    channel.value, channel.valid_at = float(start), instant_at(0)
    for second, value in enumerate(values, 1):
        at = instant_at(second)
        assert not channel.is_impossible_step(value, at, limits.data)
        channel.value, channel.valid_at = value, at
    assert [start, *values][-1] == goal
    needed = abs(goal - start) / most
    assert needed - 1e-6 <= len(values) <= needed + 1 + 1e-6


def test_a_way_is_as_quick_as_can_be() -> None:
    assert way(stepping(10.0), PULSE, 50.0, 12.0) == [40.0, 30.0, 20.0, 12.0]
    assert way(stepping(38.0), PULSE, 50.0, 12.0) == [12.0]
    assert way(stepping(19.0), PULSE, 12.0, 50.0) == [31.0, 50.0]
    assert way(LIMITS, Metric.ETCO2, 40.0, 150.0) == [150.0]
    assert way(LIMITS, Metric.ETCO2, 40.0, 40.0) == []


@pytest.mark.parametrize(
    ("metric", "limit", "far", "value"),
    [
        (Metric.SPO2, 90.0, 85.0, 89.0),
        (Metric.SPO2, 90.0, 89.0, 89.5),
        (Metric.SPO2, 90.0, 88.0, 89.0),
        (Metric.SPO2, 1.5, 1.0, 1.25),
        (Metric.PULSE_RATE, 120.0, 140.0, 121.0),
        (Metric.TEMP, 35.0, 34.0, 34.9),
        (Metric.TEMP, 38.5, 50.0, 38.6),
    ],
)
def test_the_first_reading_beyond_a_limit(
    metric: Metric, limit: float, far: float, value: float
) -> None:
    assert beyond(metric, limit, far) == pytest.approx(value, abs=1e-9)


def between(low: float, high: float) -> LimitSet:
    """Return a set in which saturations from `low` to `high` are inside both limits."""
    rule = msgspec.structs.replace(LIMITS.limits[0], hysteresis=0.0, severe=None)
    rules = (
        msgspec.structs.replace(rule, limit=low),
        msgspec.structs.replace(rule, limit=high, is_low=False, alarm="spo2_high"),
    )
    return msgspec.structs.replace(LIMITS, limits=rules)


def test_a_value_inside_all_limits() -> None:
    assert inside_value(between(90.0, 94.0), Metric.SPO2) == 92
    assert inside_value(between(92.0, 92.0), Metric.SPO2) == 92
    assert inside_value(between(94.0, 90.0), Metric.SPO2) is None
    assert usual(between(90.0, 94.0), Metric.SPO2) == 92
    facts = describe(Metric.SPO2)
    anything = usual(between(94.0, 90.0), Metric.SPO2)
    assert facts.technical_low <= anything <= facts.technical_high


@pytest.mark.parametrize(("delay_s", "is_told"), [(0.0, True), (0.5, True), (0.75, False)])
def test_clocks_run_on_for_half_a_second_behind_what_happens(
    delay_s: float, *, is_told: bool
) -> None:
    data = msgspec.structs.replace(LIMITS.data, link_delay=seconds(delay_s))

    def happens(second: int) -> Iterator[Happened]:
        if second == 2:
            at = instant_at(second)
            yield LinkChange(link="device", state=LinkState.LOST, at=at, metrics=())

    told = play(msgspec.structs.replace(LIMITS, data=data), 3, happens)
    assert (first(told, link_alarm("device")) is not None) == is_told
