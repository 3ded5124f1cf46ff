"""The statistics of the study, by laws and by examples worked by hand."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.burden.statistics import difference, draw_weights, quantile, rate, wilson

Z = 1.959963984540054
COUNTS = st.lists(st.integers(0, 20), min_size=1, max_size=12)
VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("found", "asked", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 2, 0.0945, 0.9055)],
)
def test_wilson_gives_the_printed_intervals(
    found: int, asked: int, low: float, high: float
) -> None:
    interval = wilson(found, asked)
    assert interval is not None
    assert interval == pytest.approx((found / asked, low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_of_wilson_are_where_the_share_lies_just_within_chance(
    case: tuple[int, int],
) -> None:
    found, asked = case
    interval = wilson(found, asked)
    assert interval is not None
    share, low, high = interval
    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(share - end) == pytest.approx(Z * sqrt(end * (1 - end) / asked), rel=1e-6)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_missed_is_the_mirror_of_found(case: tuple[int, int]) -> None:
    found, asked = case
    ours, theirs = wilson(found, asked), wilson(asked - found, asked)
    assert ours is not None
    assert theirs is not None
    assert (ours.low, ours.high) == pytest.approx((1 - theirs.high, 1 - theirs.low))


def test_nothing_asked_has_no_share_and_more_found_than_asked_is_an_error() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(ValueError, match="found 3 of 2"):
        wilson(3, 2)


def test_two_sessions_worked_by_hand() -> None:
    """Drawn again, two sessions with 0 and 2 alarms give 0, 1 or 2 an hour: 1/4, 1/2, 1/4."""
    weights = draw_weights(2, seed=1, resamples=4000)
    rates = weights @ np.array([0, 2]) / 2
    shares = [float(np.mean(rates == each)) for each in (0, 1, 2)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    assert rate([0, 2], [1.0, 1.0], weights) == (1.0, 0.0, 2.0)


@given(COUNTS, st.integers(1, 9))
def test_a_rate_scales_with_counts_and_against_hours(counts: list[int], times: int) -> None:
    hours, weights = [1.0] * len(counts), draw_weights(len(counts), seed=3, resamples=200)
    plain = rate(counts, hours, weights)
    more = rate([each * times for each in counts], hours, weights)
    longer = rate(counts, [each * times for each in hours], weights)
    assert plain.low <= plain.high
    assert more == pytest.approx([each * times for each in plain])
    assert longer == pytest.approx([each / times for each in plain])


@given(st.integers(0, 9), st.lists(st.floats(0.5, 9), min_size=1, max_size=12))
def test_sessions_that_are_all_alike_leave_no_doubt(per_hour: int, hours: list[float]) -> None:
    counts = [per_hour * each for each in hours]
    interval = rate(counts, hours, draw_weights(len(hours), seed=4, resamples=100))
    assert interval == pytest.approx((per_hour, per_hour, per_hour))


def test_the_interval_covers_the_true_rate_about_as_often_as_it_says() -> None:
    chance, covered = np.random.default_rng(11), 0
    for trial in range(200):
        counts = chance.poisson(2.0, size=40)
        interval = rate(counts.tolist(), [1.0] * 40, draw_weights(40, seed=trial, resamples=300))
        covered += interval.low <= 2.0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_chance_comes_from_the_seed_alone_and_draws_as_many_sessions_as_there_are() -> None:
    first, again, other = (draw_weights(7, seed) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).any()
    assert (first.sum(axis=1) == 7).all()


def test_no_hours_have_no_rate() -> None:
    with pytest.raises(ValueError, match="no hours"):
        rate([], [], draw_weights(1, 1))


@given(COUNTS, st.integers(0, 5))
def test_a_difference_is_paired(counts: list[int], more: int) -> None:
    """One more in every session is certain, however much the sessions differ."""
    out_of, weights = [1.0] * len(counts), draw_weights(len(counts), seed=2, resamples=100)
    theirs = [each + more for each in counts]
    assert difference(counts, theirs, out_of, weights) == pytest.approx((more, more, more))


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 2.0), (0.51, 3.0), (0.75, 3.0), (0.95, 4.0), (0.01, 1.0)]
)
def test_quantiles_worked_by_hand(share: float, expected: float) -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == expected
    assert quantile([], share) is None


@given(VALUES, st.floats(0.01, 1))
def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = quantile(values, share)
    assert found in values
    below = [each for each in values if each < found]
    within = [each for each in values if each <= found]
    assert len(within) >= share * len(values) - 1e-6
    assert len(below) <= share * len(values)
