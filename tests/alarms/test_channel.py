"""What is learned of one metric: how often its source speaks, its age, its possible steps."""

from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.channel import Channel
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, seen

DATA: Final = LIMITS.data
NEAR_S: Final = 2.0
FAR_S: Final = 20.0


def spoken(*intervals_s: float) -> Channel:
    """Return the channel of a source that gave a valid value after each of these intervals."""
    channel = Channel(metric=Metric.SPO2)
    at = 100.0
    for interval_s in (0.0, *intervals_s):
        at += interval_s
        channel.hear(instant_at(at))
        channel.value, channel.valid_at = 97.0, instant_at(at)
    return channel


def ages(channel: Channel) -> tuple[int, int]:
    """Return how old the newest value may become until it is stale, and until it is missed."""
    assert channel.valid_at is not None
    stale, absent = channel.stale_due(DATA), channel.absent_due(DATA)
    assert stale is not None
    assert absent is not None
    return stale - channel.valid_at, absent - channel.valid_at


@given(st.floats(0.1, 10.0), st.integers(3, 8))
def test_sources_of_up_to_ten_seconds_share_the_bounds_of_the_preset(
    interval_s: float, times: int
) -> None:
    channel = spoken(*[interval_s] * times)
    assert ages(channel) == (DATA.stale_after, DATA.absent_after)
    assert channel.is_fast


@given(st.floats(10.1, 900.0), st.integers(1, 8))
def test_a_slower_source_is_given_three_of_its_periods(interval_s: float, times: int) -> None:
    channel = spoken(*[interval_s] * times)
    stale, absent = ages(channel)
    assert stale == absent == pytest.approx(3 * seconds(interval_s), rel=1e-9)
    assert not channel.is_fast


def test_ten_seconds_are_not_yet_slow_and_a_source_heard_once_may_speak_once_a_minute() -> None:
    assert ages(spoken(10.0)) == (DATA.stale_after, DATA.absent_after)
    assert ages(spoken()) == (DATA.stale_after, seconds(180))
    assert not spoken().is_fast


@pytest.mark.parametrize(
    ("story", "is_fast", "is_slow"),
    [
        ("nn", False, False),
        ("nnn", True, False),
        ("nnnf", False, False),
        ("nnnfn", True, False),
        ("nnnfnf", False, False),
        ("nnnfnfn", True, False),
        ("nnnff", False, True),
        ("nnnffn", False, True),
        ("nnnffnn", False, True),
        ("nnnffnnn", True, False),
        ("nnnnnnff", False, True),
        ("nnf", False, True),
        ("nnfnn", False, True),
        ("f", False, True),
        ("fn", False, True),
        ("fnnn", True, False),
    ],
)
def test_three_near_readings_make_a_source_fast_and_two_gaps_in_a_row_slow(
    story: str, *, is_fast: bool, is_slow: bool
) -> None:
    channel = spoken(*[NEAR_S if each == "n" else FAR_S for each in story])
    assert channel.is_fast is is_fast
    assert ages(channel)[0] == (seconds(3 * FAR_S) if is_slow else DATA.stale_after)


def test_two_values_of_one_instant_say_nothing_about_a_period() -> None:
    assert ages(spoken(0.0)) == ages(spoken())


def test_what_was_told_is_not_due_again() -> None:
    lost, stale, absent, fresh = spoken(1), spoken(1), spoken(1), Channel(metric=Metric.SPO2)
    lost.is_lost = stale.is_stale = absent.is_absent = True
    assert lost.stale_due(DATA) is stale.stale_due(DATA) is absent.absent_due(DATA) is None
    assert None not in {lost.absent_due(DATA), stale.absent_due(DATA), absent.stale_due(DATA)}
    assert fresh.stale_due(DATA) is fresh.absent_due(DATA) is None


def test_a_step_is_impossible_beyond_what_a_patient_changes_in_that_time() -> None:
    step_max = DATA.steps[Metric.SPO2]
    for elapsed_s, share, sign in product((0, 0.5, 1, 1.5, 2, 5), (0.5, 1, 1.01), (-1, 1)):
        channel = spoken(1)
        assert channel.valid_at is not None
        at = Instant(channel.valid_at + seconds(elapsed_s))
        value = 97.0 + sign * share * step_max * max(1, elapsed_s)
        assert channel.is_impossible_step(value, at, DATA) == (share > 1)


def test_a_step_needs_a_value_to_step_from_and_a_rule() -> None:
    at = instant_at(200)
    fresh, restarted, unruled = Channel(metric=Metric.SPO2), spoken(1), spoken(1)
    restarted.value = None
    unruled.metric = Metric.ETCO2
    assert fresh.is_impossible_step(1.0, at, DATA) is False
    assert restarted.is_impossible_step(1.0, at, DATA) is False
    assert unruled.is_impossible_step(900.0, at, DATA) is False
    fresh.value = 97.0
    assert fresh.is_impossible_step(1.0, at, DATA) is False


def test_what_is_old_or_from_the_future_is_refused_and_what_is_of_now_is_not() -> None:
    channel = spoken()
    for heard_s, is_refused in ((99.9, True), (100, False), (105, False), (105.1, True)):
        assert channel.refuses(seen("spo2", 97, heard_s), instant_at(105)) is is_refused
    assert not Channel(metric=Metric.SPO2).refuses(seen("spo2", 97, 0), instant_at(0))


def test_only_the_same_value_of_the_same_instant_is_a_repeat() -> None:
    channel = spoken()
    channel.heard_value = 97.0
    assert channel.is_repeat(seen("spo2", 97, 100))
    assert not channel.is_repeat(seen("spo2", 96, 100))
    assert not channel.is_repeat(seen("spo2", 97, 101))
    assert not channel.is_repeat(seen("spo2", None, 100))
