"""Laws of the breath detector: rate, end-tidal CO2, and what must not change either."""

from math import exp, pi, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.breaths import BreathDetector
from alarms.rhythm import KEPT_MAX, Rhythm
from monitor.model.event import WaveformSegment
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.metric import Metric
from tests.alarms.plain_breaths import Breath, plain_rates
from tests.alarms.score import Score, capnogram

Wave = list[float | None]
rates = st.sampled_from([10.0, 12.5, 20.0, 25.0, 40.0, 62.5, 100.0, 125.0])
per_minutes = st.integers(5, 40)


def sloped(rate: float, per_minute: float, peak: float, length_s: float, *, at: float = 0) -> Wave:
    """Return a capnogram with slopes: rises in 0.1 s or so, a plateau, falls faster."""
    period = 60 / per_minute
    wave: Wave = []
    for number in range(int(length_s * rate)):
        place = (at + number / rate) % period
        out = 0.6 * period
        rise = 1 - exp(-(place - out) / 0.12) if place > out else exp(-place / 0.06)
        wave.append(peak * rise)
    return wave


def fed(wave: Wave, rate: float, detector: BreathDetector | None = None) -> BreathDetector:
    """Return a detector that heard a waveform in pieces of a quarter of a second."""
    heard = BreathDetector() if detector is None else detector
    size = max(1, round(rate / 4))
    for start in range(0, len(wave), size):
        piece = tuple(wave[start : start + size])
        at = instant_at((start + len(piece) - 1) / rate)
        heard.feed(WaveformSegment(Metric.CO2_WAVE, at, rate, piece))
    return heard


def rate_of(detector: BreathDetector) -> float | None:
    """Return the breath rate at the newest sample."""
    assert detector.sampled_at is not None
    return detector.rhythm.rate(detector.sampled_at)


def etco2_of(detector: BreathDetector) -> float | None:
    """Return the end-tidal CO2 at the newest sample."""
    assert detector.sampled_at is not None
    return detector.rhythm.etco2_now(detector.sampled_at)


@settings(max_examples=40)
@given(rates, per_minutes, st.floats(12, 70))
def test_any_sampling_rate_gives_the_same_breaths_rate_and_end_tidal_co2(
    rate: float, per_minute: int, peak: float
) -> None:
    heard = fed(sloped(rate, per_minute, peak, 65), rate)
    whole = fed(sloped(125.0, per_minute, peak, 65), 125.0)
    assert abs(heard.breaths - whole.breaths) <= 1
    measured, etco2 = rate_of(heard), etco2_of(heard)
    assert measured == pytest.approx(per_minute, rel=0.03)
    assert etco2 == pytest.approx(peak, rel=0.03)


@settings(max_examples=25)
@given(st.sampled_from([10.0, 20.0, 125.0]), st.integers(8, 30), st.sampled_from([0.35, 0.5, 2.0]))
def test_breaths_that_become_smaller_or_larger_go_on_being_counted(
    rate: float, per_minute: int, factor: float
) -> None:
    before = sloped(rate, per_minute, 38, 60)
    after = sloped(rate, per_minute, 38 * factor, 60, at=60)
    heard = fed(before + after, rate)
    assert rate_of(heard) == pytest.approx(per_minute, rel=0.05)
    assert etco2_of(heard) == pytest.approx(38 * factor, rel=0.05)


@pytest.mark.parametrize("peak", [9.5, 11.0])
def test_breaths_much_smaller_than_the_usual_ones_are_seen_again_within_half_a_minute(
    peak: float,
) -> None:
    heard = fed(sloped(20.0, 14, 60, 60) + sloped(20.0, 14, peak, 60, at=60), 20.0)
    assert rate_of(heard) == pytest.approx(14, rel=0.05)


@settings(max_examples=25)
@given(rates, st.integers(6, 30), st.floats(-0.08, 0.08), st.floats(30, 60))
def test_a_drifting_baseline_or_a_clipped_top_change_no_count(
    rate: float, per_minute: int, drift: float, clip: float
) -> None:
    wave = sloped(rate, per_minute, 45, 90)
    bent: Wave = [
        min(clip, 8 + drift * number / rate + (sample or 0.0)) for number, sample in enumerate(wave)
    ]
    assert rate_of(fed(bent, rate)) == pytest.approx(per_minute, rel=0.05)


@settings(max_examples=25)
@given(st.integers(6, 25), st.integers(2, 9))
def test_single_lost_samples_neither_add_nor_remove_breaths(per_minute: int, each: int) -> None:
    wave = sloped(20.0, per_minute, 38, 60)
    holed: Wave = [None if number % each == 0 else one for number, one in enumerate(wave)]
    assert abs(fed(holed, 20.0).breaths - fed(wave, 20.0).breaths) <= 1


@pytest.mark.hazard("H1")
@settings(max_examples=25)
@given(rates, st.integers(70, 130), st.floats(5, 30))
def test_ripple_faster_than_any_chest_is_no_breath(
    rate: float, per_minute: int, amplitude: float
) -> None:
    turn = 2 * pi * per_minute / 60 / rate
    wave: Wave = [amplitude / 2 * (1 + sin(turn * number)) for number in range(int(60 * rate))]
    assert fed(wave, rate).breaths <= 1


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("rate", [10.0, 12.5, 20.0, 40.0, 100.0])
@pytest.mark.parametrize("amplitude", [9, 13, 18, 22, 30])
def test_ripple_that_just_misses_a_phase_is_no_breath(rate: float, amplitude: float) -> None:
    turn = 2 * pi * 72 / 60 / rate
    wave: Wave = [amplitude / 2 * (1 + sin(turn * number)) for number in range(int(60 * rate))]
    assert fed(wave, rate).breaths <= 1


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("per_minute", [60, 75, 100, 110, 120])
@pytest.mark.parametrize("rate", [10.0, 20.0, 125.0])
def test_ripple_on_a_flat_line_is_an_apnoea_in_time_at_any_rate(
    per_minute: int, rate: float
) -> None:
    score = Score()
    score.wave(0, 60, sloped(rate, 12, 38, 60), rate)
    amplitude = 7.0 if per_minute < 66 else 15.0
    turn = 2 * pi * per_minute / 60 / rate
    wave = [amplitude / 2 * (1 + sin(turn * number)) for number in range(int(60 * rate))]
    score.wave(60, 110, wave, rate)
    assert score.changes("apnoea")[0][0] <= 60 + 35


def test_compressions_on_top_of_breaths_do_not_multiply_them() -> None:
    turn = 2 * pi * 110 / 60 / 40
    wave: Wave = [
        max(0.0, (sample or 0.0) + 3 * sin(turn * number))
        for number, sample in enumerate(sloped(40.0, 10, 40, 90))
    ]
    assert rate_of(fed(wave, 40.0)) == pytest.approx(10, rel=0.1)


@settings(max_examples=30)
@given(per_minutes, st.floats(0, 60))
def test_a_rate_is_not_available_rather_than_old(per_minute: int, silent_s: float) -> None:
    heard = fed(sloped(20.0, per_minute, 38, 60), 20.0)
    last = heard.rhythm.begun[-1]
    is_there = heard.rhythm.rate(instant_at(last / 1e9 + silent_s)) is not None
    overdue_s = min(30.0, max(8.0, 2.5 * 60 / per_minute))
    if abs(silent_s - overdue_s) > 1:
        assert is_there == (silent_s < overdue_s)


def test_a_rate_needs_three_breaths_and_breaks_off_at_a_hole() -> None:
    wave = sloped(20.0, 12, 38, 30)
    heard = fed(wave[: 20 * 9], 20.0)
    assert heard.breaths == 1 or rate_of(heard) is None
    heard = fed(wave, 20.0)
    assert rate_of(heard) is not None
    late = WaveformSegment(Metric.CO2_WAVE, instant_at(40), 20.0, (0.0,))
    heard.feed(late)
    assert rate_of(heard) is None
    assert etco2_of(heard) is None


@pytest.mark.parametrize("rate", [1.0, 2.0, 3.0])
def test_a_coarse_waveform_says_no_rate_and_no_end_tidal_co2(rate: float) -> None:
    score = Score()
    score.wave(0, 100, capnogram(rate, 5), rate)
    for metric in (Metric.RESP_RATE, Metric.ETCO2):
        channel = score.system.channel_of(metric)
        assert channel is not None
        assert channel.value is None
    assert score.lines() == []


def test_what_is_kept_of_a_rhythm_is_bounded() -> None:
    rhythm = Rhythm()
    for number in range(1000):
        rhythm.begin_breath(instant_at(number * 0.5))
    assert len(rhythm.begun) == KEPT_MAX == 33
    assert rhythm.rate(instant_at(499.5)) == pytest.approx(120, rel=0.01)


def test_two_long_intervals_are_slow_breathing_and_one_is_a_pause() -> None:
    rhythm = Rhythm()
    for at in (0, 4, 18):
        rhythm.begin_breath(instant_at(at))
    assert not rhythm.is_slow(seconds(10))
    rhythm.begin_breath(instant_at(30))
    assert rhythm.is_slow(seconds(10))


gaps = st.lists(st.sampled_from([1.0, 2.5, 5.0, 7.5, 10.0, 12.5, 15.0, 25.0, 30.0]), max_size=14)


@given(gaps)
def test_the_rate_is_that_of_the_last_half_minute_or_of_the_last_three_of_a_minute(
    gaps_s: list[float],
) -> None:
    rhythm, told = Rhythm(), []
    begun = [100.0]
    for gap_s in gaps_s:
        begun.append(begun[-1] + gap_s)
    for at in begun:
        rhythm.begin_breath(instant_at(at))
        rate = rhythm.rate(instant_at(at))
        if rate is not None:
            told.append((at, rate))
    assert told == pytest.approx(plain_rates([Breath(at, at, 38.0) for at in begun]))


def test_three_breaths_are_enough_half_a_minute_apart_and_not_a_nanosecond_more() -> None:
    for third_ns, is_there in ((0, True), (1, False)):
        rhythm = Rhythm()
        last = Instant(instant_at(60) + third_ns)
        for at in (instant_at(0), instant_at(30), last):
            rhythm.begin_breath(at)
        assert (rhythm.rate(last) is not None) == is_there


@given(st.lists(st.integers(1, 29), min_size=2, max_size=2))
def test_the_next_breath_is_overdue_after_two_and_a_half_intervals(intervals_s: list[int]) -> None:
    rhythm, at = Rhythm(), 0
    for interval_s in (0, *intervals_s):
        at += interval_s
        rhythm.begin_breath(instant_at(at))
        rhythm.end_breath(38.0)
    overdue = instant_at(at + min(30.0, max(8.0, 2.5 * sum(intervals_s) / 2)))
    for asked, is_there in ((overdue, True), (Instant(overdue + 1), False)):
        assert rhythm.is_current(asked) is is_there
        assert (rhythm.rate(asked) is not None) is is_there
        assert rhythm.etco2_now(asked) == (38.0 if is_there else None)


def test_no_end_tidal_co2_is_carried_across_a_hole() -> None:
    rhythm = Rhythm()
    for at in (0, 5, 10):
        rhythm.begin_breath(instant_at(at))
        rhythm.end_breath(38.0)
    rhythm.break_off()
    assert rhythm.is_current(instant_at(10)) is False
    for at in (20, 25, 30):
        rhythm.begin_breath(instant_at(at))
    assert rhythm.etco2_now(instant_at(30)) is None
    rhythm.end_breath(41.0)
    assert rhythm.etco2_now(instant_at(30)) == 41.0


@given(gaps)
def test_breathing_is_slow_where_the_last_two_intervals_both_are(gaps_s: list[float]) -> None:
    rhythm, at = Rhythm(), 100.0
    rhythm.begin_breath(instant_at(at))
    for gap_s in gaps_s:
        at += gap_s
        rhythm.begin_breath(instant_at(at))
    are_near = sum(gaps_s[-2:]) <= 60
    is_slow = len(gaps_s) >= 2 and are_near and min(gaps_s[-2:]) >= 10
    assert rhythm.is_slow(seconds(10)) is is_slow
