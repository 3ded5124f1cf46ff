"""The page about breaths in real capnograms is what the detector makes of them today."""

import pytest

from tests.alarms.breath_scores import (
    DEFIB,
    EACH,
    PAGE,
    Against,
    Score,
    against_device,
    capnogram,
    page,
    score,
)
from tests.alarms.plain_breaths import Breath, plain_breaths, plain_rates
from tests.alarms.recordings_table import SHARED

SENSITIVITY_MIN = 95.0
PPV_MIN = 95.0


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    """Return how the detector does on the capnogram at each rate."""
    if not SHARED.is_dir():
        pytest.skip("recordings are not beside the checkout")
    samples = capnogram()
    return [score(samples, each) for each in EACH]


@pytest.fixture(scope="module")
def against() -> list[Against]:
    """Return how the waveform's numbers stand to the device's."""
    if not DEFIB.exists():
        pytest.skip("recordings are not beside the checkout")
    return against_device()


@pytest.mark.shared
def test_the_page_is_what_the_detector_makes_of_the_recordings(
    scores: list[Score], against: list[Against]
) -> None:
    assert PAGE.read_text() == page(scores, against), "run: make tables"


@pytest.mark.shared
def test_breaths_of_a_real_capnogram_are_found_at_every_rate(scores: list[Score]) -> None:
    assert min(each.sensitivity for each in scores) >= SENSITIVITY_MIN
    assert min(each.ppv for each in scores) >= PPV_MIN


@pytest.mark.shared
def test_the_waveforms_numbers_are_near_those_of_the_device(against: list[Against]) -> None:
    rate, etco2 = against
    assert rate.median <= 2
    assert etco2.median <= 3


def test_the_plain_rule_counts_what_rises_through_ten_until_below_five() -> None:
    samples = [(0.0, 0.0), (1.0, 11.0), (2.0, None), (3.0, 20.0), (4.0, 6.0), (5.0, 4.0)]
    assert plain_breaths(samples) == [Breath(1.0, 5.0, 20.0)]
    breaths = [Breath(at, at + 1, 30.0) for at in (0.0, 5.0, 10.0, 70.0)]
    assert plain_rates(breaths) == [(10.0, 12.0)]
