"""What must hold from one point of the grid to the next, on any series of numbers.

True, and held here: with a longer delay, a lower limit or a bigger budget an alarm never stands
when it would not have stood before, so nothing more is found; and a longer delay never calls more
often. Not true, and shown: a lower limit can call more often, where a higher one stands through.
"""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.burden.grid import (
    QUICK,
    WHOLE,
    Filter,
    Point,
    Study,
    digest,
    limits_of,
    points,
    preset_point,
)
from tests.burden.play import Stood, filtered, observed, told_of

END_S = 400
RUN = st.tuples(st.sampled_from((97, 93, 92, 91, 90, 89, 87, 84, 80, None)), st.integers(1, 25))
SERIES = st.lists(RUN, min_size=1, max_size=24).map(
    lambda runs: [value for value, count in runs for _ in range(count)][: END_S - 1]
)
DELAYS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)


def play(values: Sequence[float | None], limit: float, wait: float, kind: Filter) -> list[Stood]:
    stream = [
        (instant_at(s), observed(Metric.SPO2, value and float(value), instant_at(s)))
        for s, value in enumerate(values)
    ]
    return told_of(Point(Study.SATURATION, limit, wait, kind), stream, END_S)


def is_within(spans: Sequence[Stood], others: Sequence[Stood]) -> bool:
    """Say whether whenever one of `spans` stood, one of `others` did."""
    return all(
        any(other.began <= each.began and each.ended <= other.ended for other in others)
        for each in spans
    )


@given(SERIES, DELAYS)
def test_a_longer_delay_never_calls_more_often_nor_stands_when_a_shorter_did_not(
    values: list[float | None], delays: list[int]
) -> None:
    short, long = (play(values, 90, each, Filter.CORE) for each in delays)
    assert len(long) <= len(short)
    assert is_within(long, short)


@given(SERIES, st.tuples(st.integers(85, 92), st.integers(85, 92)).map(sorted), st.integers(0, 30))
def test_a_lower_limit_never_stands_when_a_higher_one_did_not(
    values: list[float | None], limits: list[int], delay: int
) -> None:
    low, high = (play(values, each, delay, Filter.CORE) for each in limits)
    assert is_within(low, high)


def test_a_lower_limit_may_call_more_often() -> None:
    values = [97.0] * 5 + ([87.0] * 12 + [90.0] * 8) * 4 + [97.0] * 20
    assert len(play(values, 90, 5, Filter.CORE)) == 1
    assert len(play(values, 88, 5, Filter.CORE)) == 4


@given(SERIES, st.tuples(st.integers(5, 150), st.integers(5, 150)).map(sorted))
def test_a_bigger_budget_tells_first_no_earlier(
    values: list[float | None], budgets: list[int]
) -> None:
    small, big = (play(values, 90, each, Filter.BUDGET) for each in budgets)
    if big:
        assert small
        assert small[0].began <= big[0].began


@given(SERIES)
def test_without_blanks_holding_the_last_value_changes_nothing(values: list[float | None]) -> None:
    whole = [each for each in values if each is not None]
    assert filtered(whole, Filter.HOLD) == whole
    assert filtered(values, Filter.CORE) == values


@given(SERIES)
def test_a_filter_shows_one_value_a_second_and_none_that_was_not_there(
    values: list[float | None],
) -> None:
    seen = {float(each) for each in values if each is not None}
    for kind in Filter:
        shown = filtered(values, kind)
        assert len(shown) == len(values)
        if kind is not Filter.MEDIAN:
            assert {each for each in shown if each is not None} <= seen


@given(st.lists(st.integers(60, 100), min_size=1, max_size=60))
def test_a_median_lies_among_the_last_five(values: list[int]) -> None:
    shown = filtered([float(each) for each in values], Filter.MEDIAN)
    for place, each in enumerate(shown):
        recent = values[max(0, place - 4) : place + 1]
        assert each is not None
        assert min(recent) <= each <= max(recent)


def test_a_median_of_five_passes_over_two_odd_values() -> None:
    values = [97.0, 97.0, 97.0, 70.0, 70.0, 97.0, 97.0]
    assert filtered(values, Filter.MEDIAN) == [97.0] * 7


def test_holding_ends_after_half_a_minute_and_passes_over_zeros() -> None:
    shown = filtered([97.0, 0.0, *[None] * 40], Filter.HOLD)
    assert shown == [97.0] * 31 + [None] * 11


def test_zeros_are_blank_where_they_are_taken_for_missing() -> None:
    assert filtered([14.0, 0.0, None, 3.0], Filter.BLANK_ZEROS) == [14.0, None, None, 3.0]


@pytest.mark.parametrize("grids", [QUICK, WHOLE])
@pytest.mark.parametrize("study", Study)
def test_the_preset_is_one_point_of_every_grid_and_no_point_comes_twice(
    grids: dict[Study, object], study: Study
) -> None:
    found = points(grids, study)  # type: ignore[arg-type]  # the parameter loses the grid's type
    assert found.count(preset_point(study)) == 1
    assert len(found) == len(set(found))


@pytest.mark.parametrize("study", Study)
def test_the_point_of_the_preset_changes_nothing_in_the_limits(study: Study) -> None:
    shipped = limits_of(preset_point(study))
    other = limits_of(preset_point(study)._replace(limit=preset_point(study).limit + 1))
    assert shipped == limits_of(preset_point(Study.PRESSURE))
    assert other != shipped


@pytest.mark.parametrize(("limit", "severe"), [(92, 85), (90, 85), (89, 84), (85, 80)])
def test_the_severe_band_of_saturation_keeps_its_distance(limit: float, severe: float) -> None:
    rules = limits_of(Point(Study.SATURATION, limit, 20)).limits
    assert [each.severe for each in rules if each.alarm == Study.SATURATION] == [severe]


def test_the_digest_is_a_short_word_of_its_own() -> None:
    assert len(digest()) == 16
    assert set(digest()) <= set("0123456789abcdef")
