"""The breath clock by itself: what counts as a breath, and when missing ones are an apnoea."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.apnoea import BreathClock
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import Duration, Instant, instant_at, seconds
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, Score, capnogram

RULES: Final = LIMITS.apnoea
BREATH: Final = (0.0, 38.0, 38.0, 0.0)
FLAT: Final = (0.0, 0.0, 0.0, 0.0)
MOVING: Final = (0.0, 7.0, 0.0, 7.0)


def printed(made: BreathClock, rate: float | None, at: Instant) -> bool:
    """Let a clock hear a printed rate; say whether it counted as a breath."""
    return made.hear_rate(rate, None, at, RULES)


def clock(at: float = 0) -> BreathClock:
    """Return a clock of a patient whose device printed a breath rate and an EtCO2 at `at`."""
    made = BreathClock()
    made.hear_etco2(38.0, None, instant_at(at))
    assert printed(made, 12.0, instant_at(at))
    return made


def drawn(made: BreathClock, start: float, shapes: Sequence[tuple[float, ...]], rate: float) -> int:
    """Let a clock hear shapes of four samples one after the other; return the second of the end."""
    samples = tuple(each for shape in shapes for each in shape)
    at = start + (len(samples) - 1) / rate
    made.hear_wave(WaveformSegment(Metric.CO2_WAVE, instant_at(at), rate, samples))
    return round(at)


def test_half_a_minute_without_a_breath_is_an_apnoea_if_half_of_it_was_measured() -> None:
    for measured_s in (0, 7, 14, 15, 20):
        made = clock()
        printed(made, 0.0, instant_at(measured_s))
        made.lose(instant_at(measured_s))
        assert made.due(RULES) == (instant_at(30) if measured_s >= 15 else None)


@given(st.integers(1, 14), st.integers(0, 20), st.integers(1, 40))
def test_what_was_measured_before_a_loss_counts_and_the_loss_itself_does_not(
    measured_s: int, noticed_s: int, lost_s: int
) -> None:
    made = clock()
    printed(made, 0.0, instant_at(measured_s))
    made.lose(instant_at(measured_s + noticed_s))
    again = measured_s + noticed_s + lost_s
    printed(made, 0.0, instant_at(again))
    assert made.due(RULES) == instant_at(max(30, again + 15 - measured_s))


def test_a_loss_before_anything_was_measured_takes_nothing_away() -> None:
    made = clock(10)
    made.lose(instant_at(5))
    printed(made, 0.0, instant_at(30))
    assert made.due(RULES) == instant_at(45)


def test_a_reset_clock_forgets_what_was_measured() -> None:
    made = clock()
    printed(made, 0.0, instant_at(12))
    made.lose(instant_at(12))
    made.rearm()
    assert made.due(RULES) is None
    printed(made, 0.0, instant_at(50))
    assert made.due(RULES) == instant_at(80)
    printed(made, 0.0, instant_at(56))
    made.lose(instant_at(56))
    assert made.due(RULES) is None
    printed(made, 0.0, instant_at(60))
    assert made.due(RULES) == instant_at(80)


@pytest.mark.hazard("H2")
def test_a_device_that_explains_itself_is_looking_and_puts_the_end_off_to_a_minute() -> None:
    made = clock()
    made.lose(instant_at(0))
    assert made.due(RULES) is None
    made.explain(NoticeKind.AUTO_ZERO, instant_at(5), is_present=True)
    assert made.due(RULES) == instant_at(60)
    made.explain(NoticeKind.AUTO_ZERO, instant_at(8), is_present=True)
    made.explain(NoticeKind.AUTO_ZERO, instant_at(9), is_present=False)
    assert made.explained == []
    assert made.due(RULES) == instant_at(39)


@pytest.mark.parametrize(("rate", "counts"), [(60.0, True), (60.1, False), (110.0, False)])
def test_nobody_breathes_faster_than_sixty_whatever_moves_the_line(
    rate: float, *, counts: bool
) -> None:
    made = clock()
    end = drawn(made, 1, [MOVING] * 3, 1.0)
    assert printed(made, rate, instant_at(end)) is counts


@pytest.mark.parametrize("rate", [1.0, 20.0])
@pytest.mark.parametrize(("moved", "counts"), [(1, False), (3, True)])
def test_a_line_that_shows_breaths_is_the_better_clock_until_it_shows_none_for_ten_seconds(
    rate: float, moved: int, *, counts: bool
) -> None:
    made = clock()
    longer = 1 if rate == 1.0 else 10
    shape = [[value for value in each for _ in range(longer)] for each in (BREATH, MOVING)]
    samples = [*shape[0] * 3, *shape[1] * (moved if rate == 1.0 else moved * 2)]
    end = 1 + (len(samples) - 1) / rate
    made.hear_wave(WaveformSegment(Metric.CO2_WAVE, instant_at(end), rate, tuple(samples)))
    assert made.wave.breaths > 0
    assert printed(made, 12.0, instant_at(end)) is counts


@pytest.mark.parametrize(
    ("rate", "flat", "counts"),
    [
        (27.9, 2, False),
        (28, 2, True),
        (32, 2, True),
        (32.1, 2, False),
        (30, 7, True),
        (30, 8, False),
    ],
)
def test_a_line_of_a_sample_a_second_that_beats_with_the_breaths_leaves_them_to_the_device(
    rate: float, flat: int, *, counts: bool
) -> None:
    made = clock()
    end = drawn(made, 1, [BREATH] * 3 + [FLAT] * flat, 1.0)
    assert printed(made, rate, instant_at(end)) is counts


def test_a_timed_line_never_beats() -> None:
    made = clock()
    samples = (*[0.0] * 20, *[38.0] * 20, *[0.0] * 100)
    made.hear_wave(WaveformSegment(Metric.CO2_WAVE, instant_at(8), 20.0, samples))
    assert made.wave.breaths == 1
    assert not printed(made, 30.0, instant_at(8))


def test_a_line_that_no_longer_arrives_denies_nothing_and_one_that_does_denies() -> None:
    for later_s, counts in ((3, False), (3.1, True)):
        made = clock()
        end = drawn(made, 1, [BREATH] * 3, 1.0)
        assert printed(made, 12.0, instant_at(end + later_s)) is counts


def test_breaths_of_a_waveform_are_airway_co2_for_the_rates_that_come_after_it() -> None:
    made = BreathClock()
    assert not printed(made, 12.0, instant_at(0))
    end = drawn(made, 1, [BREATH] * 3, 1.0)
    assert made.has_co2
    assert printed(made, 12.0, instant_at(end + 10))


@pytest.mark.hazard("H1")
def test_the_devices_own_no_breath_waits_until_ten_seconds_after_a_breath_that_was_seen() -> None:
    made = clock()
    assert not printed(made, None, instant_at(1))
    made.hear_device(instant_at(20), seconds(15), is_present=True)
    assert made.due(RULES) == instant_at(20)
    seen = BreathClock()
    end = drawn(seen, 1, [BREATH] * 3, 1.0)
    assert seen.wave.breath_at == instant_at(end - 2)
    seen.hear_device(instant_at(end), Duration(0), is_present=True)
    assert seen.due(RULES) == Instant(instant_at(end - 2) + seconds(10))
    seen.hear_device(instant_at(end + 1), Duration(0), is_present=False)
    assert seen.due(RULES) == instant_at(end - 2 + 30)


def test_the_channel_is_silent_after_ten_seconds_unless_the_device_explains_itself() -> None:
    made = clock()
    assert made.silent_due() == instant_at(10)
    made.explain(NoticeKind.PURGING, instant_at(4), is_present=True)
    assert made.silent_due() is None
    made.explain(NoticeKind.PURGING, instant_at(6), is_present=False)
    assert made.silent_due() == instant_at(14)
    made.lose(instant_at(14))
    assert made.silent_due() is None


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_an_apnoea_ends_by_the_breaths_of_a_waveform_alone(rate: float) -> None:
    score = Score()
    wave = iter(capnogram(rate, 12))
    score.wave(0, 60, wave, rate)
    score.wave(60, 120, [0.0] * round(60 * rate), rate)
    assert "apnoea" in score.standing()
    score.wave(120, 140, wave, rate)
    assert score.changes("apnoea")[-1][1] == "latched"


def test_the_devices_own_no_breath_says_since_when_and_that_there_is_airway_co2() -> None:
    fresh = BreathClock()
    fresh.hear_device(instant_at(40), seconds(25), is_present=True)
    assert fresh.has_co2
    assert (fresh.since, fresh.silent_due()) == (instant_at(15), instant_at(50))
    for breath_s, said_s, since_s in ((10, 25, 5), (10, 15, 10), (0, 35, 0)):
        made = clock(breath_s)
        made.hear_device(instant_at(30), seconds(said_s), is_present=True)
        assert printed(made, 12.0, instant_at(30)) is False
        made.hear_device(instant_at(30), Duration(0), is_present=False)
        assert made.due(RULES) == instant_at(since_s + 30)


@pytest.mark.parametrize("rate", [0.5, 1.0])
def test_any_rate_above_zero_is_a_breath(rate: float) -> None:
    made = clock()
    assert printed(made, rate, instant_at(20))
    assert made.due(RULES) == instant_at(50)


def test_three_breaths_arm_the_clock_wherever_they_were_seen() -> None:
    made = BreathClock()
    drawn(made, 0, [BREATH], 1.0)
    armed = []
    for at in (10, 15, 20):
        armed.append(made.is_armed(RULES))
        assert printed(made, 12.0, instant_at(at))
    assert [*armed, made.is_armed(RULES)] == [False, False, True, True]
    made.rearm()
    assert not made.is_armed(RULES)


def test_each_breath_forgets_what_was_measured_before_it() -> None:
    made = clock()
    printed(made, 0.0, instant_at(14))
    made.lose(instant_at(14))
    assert printed(made, 12.0, instant_at(20))
    printed(made, 0.0, instant_at(27))
    made.lose(instant_at(27))
    assert made.due(RULES) is None
    made.rearm()
    printed(made, 0.0, instant_at(50))
    printed(made, 0.0, instant_at(52))
    made.lose(instant_at(52))
    printed(made, 0.0, instant_at(75))
    assert made.due(RULES) == instant_at(75 + 13)


def test_a_piece_of_waveform_without_a_breath_moves_no_breath() -> None:
    made = clock()
    end = drawn(made, 1, [BREATH] * 3, 1.0)
    assert printed(made, 12.0, instant_at(end + 8))
    drawn(made, end + 9, [FLAT], 1.0)
    assert made.since == instant_at(end + 8)


@pytest.mark.parametrize(("samples", "counts"), [(4, True), (5, False)])
def test_a_line_still_for_four_seconds_denies_a_printed_rate(samples: int, *, counts: bool) -> None:
    made = clock()
    end = drawn(made, 1, [(0.0,) * samples], 1.0)
    assert printed(made, 12.0, instant_at(end)) is counts


@pytest.mark.parametrize(("samples", "counts"), [(29, True), (30, False)])
def test_a_beating_line_leaves_it_to_the_device_for_less_than_half_a_minute(
    samples: int, *, counts: bool
) -> None:
    made = clock()
    end = drawn(made, 1, [BREATH, BREATH, (0.0,) * samples], 1.0)
    assert made.wave.is_still(seconds(samples))
    assert printed(made, 30.0, instant_at(end)) is counts


def test_a_rate_that_is_blank_ends_no_measuring_while_nobody_spoke_of_an_etco2() -> None:
    made = BreathClock()
    end = drawn(made, 1, [BREATH], 1.0)
    assert not printed(made, None, instant_at(end + 4))
    assert made.silent_due() == instant_at(end + 10)
    made.hear_etco2(None, None, instant_at(end + 5))
    assert not printed(made, None, instant_at(end + 5))
    assert made.silent_due() is None


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("has_etco2", [True, False])
def test_a_rate_printed_on_behind_a_line_cut_off_flat_needs_an_etco2_beside_it(
    *, has_etco2: bool
) -> None:
    made = BreathClock()
    end = drawn(made, 1, [BREATH] * 3 + [FLAT] * 3, 1.0)
    if has_etco2:
        made.hear_etco2(38.0, None, instant_at(end))
    assert printed(made, 12.0, instant_at(end + 5)) is has_etco2
