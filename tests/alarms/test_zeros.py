"""Zeros as a device prints them at one row a second: with a waveform, cut off, and without any."""

from collections.abc import Iterator
from itertools import count, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.alarms.score import Score, capnogram

_ABOUT_BREATHING = ("apnoea", "resp_rate_low", "etco2_low")


def told(score: Score) -> list[tuple[float, str, str, str]]:
    """Return what was told about breathing."""
    return [line for line in score.lines() if line[1] in _ABOUT_BREATHING]


def row(score: Score, second: int, wave: float | None, **values: float | None) -> None:
    """Hear one row: the numbers first, then the sample of the waveform."""
    score.see(second, **values)
    if wave is not None:
        score.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(second), 1.0, (wave,)), second)


def breathing(samples: Iterator[float]) -> Score:
    """Return a score of a minute of breathing, 12 a minute, at one row a second."""
    score = Score()
    for second in range(60):
        row(score, second, next(samples), etco2=38, resp_rate=12)
    return score


LOST: list[dict[str, float | None]] = [
    {"resp_rate": 12},
    {"resp_rate": 12, "etco2": None},
    {"resp_rate": None, "etco2": None},
    {"etco2": None},
    {"etco2": 38},
    {},
]
"""What a device still prints while it has no CO2; what is not named is left out of its rows."""

Zeroing = tuple[dict[str, float | None], int, int, int]


@pytest.mark.hazard("H2")
@settings(max_examples=40)
@given(
    first=st.integers(0, 4),
    zeroings=st.lists(
        st.tuples(
            st.sampled_from(LOST), st.integers(4, 13), st.integers(10, 16), st.integers(20, 90)
        ),
        max_size=3,
    ),
)
def test_zeroing_is_left_alone_however_its_numbers_go(first: int, zeroings: list[Zeroing]) -> None:
    samples = iter(capnogram(1.0, 12)[first:])
    score = breathing(samples)
    seconds = count(60)
    for lost, lost_s, zeros_s, breathing_s in zeroings:
        for second in islice(seconds, lost_s):
            row(score, second, 0.0, **lost)
        for second in islice(seconds, zeros_s):
            row(score, second, next(samples), **{**lost, "resp_rate": 0.0})
        for second in islice(seconds, breathing_s):
            row(score, second, next(samples), resp_rate=12, etco2=38)
    assert told(score) == []


@pytest.mark.hazard("H1")
@settings(max_examples=20)
@given(flat_s=st.integers(11, 20), cut_s=st.integers(4, 18), etco2=st.sampled_from([0, None]))
def test_a_rate_still_printed_while_a_flat_waveform_is_cut_off_is_no_breath(
    flat_s: int, cut_s: int, etco2: float | None
) -> None:
    score = breathing(iter(capnogram(1.0, 12)))
    for second in range(60, 60 + flat_s):
        row(score, second, 0.0, etco2=38, resp_rate=12)
    for second in range(60 + flat_s, 60 + flat_s + cut_s):
        row(score, second, None, etco2=etco2, resp_rate=12)
    for second in range(60 + flat_s + cut_s, 110):
        row(score, second, 0.0, etco2=etco2, resp_rate=0)
    assert "apnoea" in score.standing()
    assert score.changes("apnoea")[0][0] <= 60 + 45


def test_a_rate_beside_an_etco2_goes_on_counting_where_the_waveform_is_cut_off() -> None:
    score = breathing(iter(capnogram(1.0, 12)))
    for second in range(60, 72):
        row(score, second, 0.0, etco2=38, resp_rate=12)
    for second in range(72, 140):
        row(score, second, None, etco2=38, resp_rate=12)
    assert told(score) == []


@pytest.mark.hazard("H2")
@settings(max_examples=20)
@given(lost_s=st.integers(1, 10), zeros_s=st.integers(10, 20), rate=st.sampled_from([12, None]))
def test_without_a_waveform_zeros_after_the_loss_of_etco2_are_the_devices_own(
    lost_s: int, zeros_s: int, rate: float | None
) -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 60 + lost_s, etco2=None, resp_rate=rate)
    score.run(60 + lost_s, 60 + lost_s + zeros_s, etco2=None, resp_rate=0)
    score.run(60 + lost_s + zeros_s, 120, etco2=38, resp_rate=12)
    assert told(score) == []


@pytest.mark.hazard("H1")
@settings(max_examples=20)
@given(before_s=st.integers(0, 8))
def test_without_a_waveform_numbers_that_go_at_once_are_an_apnoea_after_half_a_minute(
    before_s: int,
) -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 60 + before_s, etco2=38, resp_rate=0)
    score.run(60 + before_s, 110, etco2=None, resp_rate=0)
    assert score.changes("apnoea") == [(90, "present")]
    assert score.changes("resp_rate_low")[0][0] <= 60 + 30 + 10


@pytest.mark.hazard("H1")
@settings(max_examples=20)
@given(lost_s=st.integers(1, 20))
def test_without_a_waveform_no_explanation_puts_an_apnoea_off_beyond_a_minute(lost_s: int) -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 60 + lost_s, etco2=None, resp_rate=None)
    score.run(60 + lost_s, 130, etco2=None, resp_rate=0)
    assert 89 <= score.changes("apnoea")[0][0] <= 59 + 60


@pytest.mark.hazard("H1")
def test_one_late_breath_does_not_speak_against_zeros_that_followed_no_loss() -> None:
    score = breathing(iter(capnogram(1.0, 12)))
    for second in range(60, 90):
        rate = 12 if second < 68 else 0
        row(score, second, 36.0 if second == 70 else 0.0, etco2=38, resp_rate=rate)
    assert score.changes("resp_rate_low") == [(78, "present")]


@pytest.mark.hazard("H3")
def test_seconds_in_which_nothing_arrived_are_not_measured_as_breathless() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 65, etco2=0, resp_rate=0)
    score.wait(300)
    assert score.changes("apnoea") == []
    assert "no_data_resp_rate" in score.standing()


@pytest.mark.hazard("H1")
def test_the_last_breath_of_a_waveform_starts_the_clock_and_a_printed_rate_does_not() -> None:
    score = breathing(iter(capnogram(1.0, 12)))
    for second in range(60, 100):
        rate = 12 if second < 68 else 0
        row(score, second, 7.5 * (second % 2), etco2=38, resp_rate=rate)
    assert score.changes("apnoea")[0][0] <= 59 + 31


@pytest.mark.hazard("H2")
@settings(max_examples=20)
@given(lost_s=st.integers(1, 24), held_s=st.integers(1, 29))
def test_without_a_waveform_an_etco2_that_returns_took_a_breath(lost_s: int, held_s: int) -> None:
    end = 60 + min(44, lost_s + held_s)
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 60 + lost_s, etco2=None, resp_rate=0)
    score.run(60 + lost_s, end, etco2=38, resp_rate=0)
    score.run(end, 130, etco2=38, resp_rate=12)
    assert told(score) == []


@pytest.mark.hazard("H2")
@pytest.mark.parametrize("says", [NoticeKind.AUTO_ZERO, NoticeKind.PURGING])
def test_zeros_beside_a_state_that_the_device_names_wait_for_a_minute(says: NoticeKind) -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.notice(says, 60)
    score.run(60, 140, etco2=38, resp_rate=0)
    assert score.changes("resp_rate_low") == [(60 + 60 + 10, "present")]
