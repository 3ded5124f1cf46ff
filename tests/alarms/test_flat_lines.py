"""Flat lines and printed zeros: which of them are a device zeroing itself, and for how long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.breaths import BreathDetector
from monitor.model.event import WaveformSegment
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import Metric
from tests.alarms.score import Score, capnogram


def test_not_available_then_zeros_beside_a_coarse_wave_are_an_auto_zero_too() -> None:
    score = Score()
    wave = iter(capnogram(1.0, 12))
    for second in range(60):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, wave, 1.0)
    for second in range(60, 68):
        score.see(second, etco2=None, resp_rate=0)
        score.wave(second, second + 1, [None], 1.0)
    for second in range(68, 88):
        score.see(second, etco2=38, resp_rate=0)
        score.wave(second, second + 1, wave, 1.0)
    for second in range(88, 120):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, wave, 1.0)
    assert score.lines() == []


@settings(max_examples=25)
@given(st.integers(0, 12), st.integers(1, 15), st.integers(10, 20), st.sampled_from([10, 12, 20]))
def test_a_line_that_falls_flat_with_the_loss_is_an_auto_zero_for_as_long_as_one_takes(
    flat: int, lost: int, zeros: int, per_minute: int
) -> None:
    score = Score()
    wave = iter(capnogram(1.0, per_minute))
    for second in range(140):
        since = second - 60
        is_zeroing = 0 <= since < max(flat, lost) + zeros
        etco2 = None if 0 <= since < lost else 38
        score.see(second, etco2=etco2, resp_rate=0 if is_zeroing else per_minute)
        sample = 0.0 if 0 <= since < flat else next(wave)
        score.wave(second, second + 1, [sample], 1.0)
    assert score.lines() == []


@pytest.mark.hazard("H2")
@settings(max_examples=25)
@given(st.integers(8, 20), st.sampled_from([None, 0, 38]), st.sampled_from([1.0, 20.0]))
def test_a_line_that_was_flat_before_the_loss_is_believed_with_the_first_zero(
    before: int, etco2: float | None, rate: float
) -> None:
    score = Score()
    wave = iter(capnogram(rate, 12))
    for second in range(60):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, wave, rate)
    for second in range(60, 60 + before):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, [0.0] * round(rate), rate)
    for second in range(60 + before, 60 + before + 11):
        score.see(second, etco2=etco2, resp_rate=0)
        score.wave(second, second + 1, [0.0] * round(rate), rate)
    at, change = score.changes("resp_rate_low")[0]
    assert change == "present"
    assert at == pytest.approx(60 + before + 10, abs=0.1)


@pytest.mark.hazard("H2")
@pytest.mark.parametrize("amplitude", [0.0, 6.0])
def test_a_line_that_falls_flat_with_the_loss_is_believed_when_no_auto_zero_lasts_so_long(
    amplitude: float,
) -> None:
    score = Score()
    wave = iter(capnogram(1.0, 12))
    for second in range(60):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, wave, 1.0)
    for second in range(60, 90):
        score.see(second, etco2=None, resp_rate=0)
        score.wave(second, second + 1, [amplitude * (second % 2)], 1.0)
    (raised,) = [at for at, each in score.changes("resp_rate_low") if each == "present"]
    assert 60 + 11 + 10 <= raised + 3 <= 60 + 15 + 10 + 3


def test_a_wave_that_stopped_coming_says_nothing_about_a_loss() -> None:
    score = Score()
    wave = iter(capnogram(1.0, 12))
    for second in range(60):
        score.see(second, etco2=38, resp_rate=12)
        score.wave(second, second + 1, wave if second < 52 else [0.0], 1.0)
    score.run(60, 75, etco2=38, resp_rate=12)
    score.run(75, 95, etco2=None, resp_rate=0)
    score.run(95, 110, etco2=38, resp_rate=12)
    assert score.lines() == []


def test_a_wave_that_moves_or_is_lost_is_not_still() -> None:
    detector = BreathDetector()
    for second, sample in enumerate([0.0, 1.0, 3.0, 5.0, 5.0, None, 5.0]):
        segment = WaveformSegment(Metric.CO2_WAVE, instant_at(second), 1.0, (sample,))
        detector.feed(segment)
        stood = {2: 2, 3: 0, 4: 1, 6: 0}.get(second)
        if stood is not None:
            assert detector.is_still(seconds(stood))
            assert not detector.is_still(seconds(stood + 1))
    detector.feed(WaveformSegment(Metric.CO2_WAVE, instant_at(20), 1.0, (5.0,)))
    assert not detector.is_still(seconds(1))


def test_not_available_then_zeros_without_any_wave_are_an_auto_zero() -> None:
    score = Score()
    score.run(0, 60, etco2=38, resp_rate=12)
    score.run(60, 72, etco2=None, resp_rate=0)
    score.run(72, 92, etco2=38, resp_rate=0)
    score.run(92, 120, etco2=38, resp_rate=12)
    assert score.lines() == []


@pytest.mark.parametrize("missed", [20, 26, 32])
@pytest.mark.parametrize("rate", [29, 29.5, 31])
def test_breaths_that_a_coarse_waveform_misses_each_time_are_no_apnoea(
    missed: int, rate: float
) -> None:
    score = Score()
    for second in range(140):
        is_seen = second % 2 == 1 and not 60 <= second < 60 + missed
        score.see(second, spo2=97, etco2=38 + second % 2, resp_rate=rate - (second % 2) / 2)
        score.wave(second, second + 1, [38.0 if is_seen else 0.0], 1.0)
    assert score.changes("apnoea") == []


@pytest.mark.hazard("H1")
def test_a_coarse_waveform_that_could_have_missed_breaths_is_believed_after_a_minute() -> None:
    score = Score()
    for second in range(140):
        score.see(second, spo2=97, etco2=38 + second % 2, resp_rate=29)
        score.wave(second, second + 1, [38.0 * (second % 2) if second < 60 else 0.0], 1.0)
    assert 85 <= score.changes("apnoea")[0][0] <= 60 + 62


@pytest.mark.hazard("H1")
def test_breaths_that_come_slowly_speak_for_the_zeros() -> None:
    score = Score()
    for second in range(130):
        is_out = second % 14 < 4
        is_zero = second >= 60
        etco2 = None if is_zero and is_out else 38 + second % 2
        score.see(second, etco2=etco2, resp_rate=0 if is_zero else 9)
        score.wave(second, second + 1, [38.0 if is_out else 0.0], 1.0)
    assert score.changes("resp_rate_low")[0][0] <= 60 + 15
