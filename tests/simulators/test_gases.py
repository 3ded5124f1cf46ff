"""Gas exchange: at rest it stays, in apnoea it goes as fast as in people."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.gases import Gases, saturation


@pytest.mark.parametrize(
    ("po2", "percent"), [(40, 74.9), (60, 90.6), (70, 93.8), (80, 95.7), (100, 97.7)]
)
def test_saturation_follows_the_published_values(po2: float, percent: float) -> None:
    assert saturation(po2) == pytest.approx(percent, abs=0.06)


@given(low=st.floats(-50, 600), more=st.floats(0, 100))
def test_saturation_never_falls_as_pressure_rises(low: float, more: float) -> None:
    assert 0 <= saturation(low) <= saturation(low + more) <= 100


@settings(max_examples=20, deadline=None)
@given(paco2=st.floats(36, 46), rate=st.floats(10, 20))
def test_breathing_at_rest_changes_nothing(paco2: float, rate: float) -> None:
    gases = Gases(paco2, rate)
    pao2 = gases.pao2
    for _ in range(600):
        gases.advance(rate)
    assert gases.paco2 == pytest.approx(paco2, abs=0.01)
    assert gases.pao2 == pytest.approx(pao2, abs=0.01)


def test_apnoea_raises_paco2_by_6_to_12_in_the_first_minute_then_by_3_to_4_a_minute() -> None:
    gases = Gases(40, 14)
    reached = [40.0]
    for _ in range(4):
        for _ in range(60):
            gases.advance(0)
        reached.append(gases.paco2)
    assert 6 <= reached[1] - reached[0] <= 12
    assert all(3 <= b - a <= 4.2 for a, b in pairwise(reached[1:]))


def test_apnoea_on_room_air_takes_half_a_minute_to_a_minute_and_a_half_to_90_percent() -> None:
    gases = Gases(40, 14)
    lasted = 0
    while saturation(gases.pao2 - 5) > 90:
        gases.advance(0)
        lasted += 1
    assert 30 <= lasted <= 90


@settings(max_examples=20, deadline=None)
@given(rates=st.lists(st.floats(0, 60), min_size=1, max_size=8))
def test_no_way_of_breathing_leaves_the_possible(rates: list[float]) -> None:
    gases = Gases(40, 14)
    for rate in rates:
        for _ in range(120):
            gases.advance(rate)
            assert 2 < gases.paco2 < 120
            assert 10 < gases.pao2 < 150
