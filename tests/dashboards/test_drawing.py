"""Dots, bins, waves and windows: what the timeline and the strips are made of."""

import math
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.rehearsal import apnoea, quiet, trends, waves
from dashboards.views.braille import bars, canvas, cells, touch
from dashboards.views.lanes import AXIS_CELLS, LANES, rows_for
from dashboards.views.line import words_of
from dashboards.views.series import BINS_MAX, Series
from dashboards.views.strips import scale_of, strips
from dashboards.views.timeline import timeline
from dashboards.views.wave import SAMPLES_MAX, SPAN_S_MAX, Wave, sweep
from dashboards.views.window import SPAN_S_MIN, WHOLE_S_MIN, Window
from monitor.model.alarm import Priority
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from monitor.model.session import Phase
from monitor.model.snapshot import ChairSnapshot, LoggedEvent, SittingSnapshot, TrendBin
from tests.dashboards.staging import seen, text_of

LAW = settings(max_examples=60)
values = st.floats(-1000, 1000, allow_nan=False)
trend_bins = st.lists(
    st.tuples(st.integers(0, 400), values, st.floats(0, 50)).map(
        lambda each: TrendBin(each[0] * 5, each[1], each[1] + each[2])
    ),
    max_size=40,
)


@given(st.lists(st.booleans(), min_size=16, max_size=16))
def test_every_dot_of_a_cell_is_one_dot_of_its_letter(dots: list[bool]) -> None:
    field = np.array(dots, np.bool_).reshape(4, 4)
    text = "".join(cells(field))
    drawn = sum((ord(letter) - 0x2800).bit_count() for letter in text if letter != " ")
    assert drawn == sum(dots)


def test_the_dots_of_braille_lie_where_the_eye_expects_them() -> None:
    field = canvas(2, 1)
    field[0, 0] = field[3, 3] = field[1, 1] = True
    assert cells(field) == ("⠑⢀",)


@given(st.lists(st.none() | st.tuples(values, values), min_size=1, max_size=30))
def test_a_bar_never_leaves_the_field_and_a_gap_stays_empty(
    columns: list[tuple[float, float] | None],
) -> None:
    low = np.array([math.nan if each is None else min(each) for each in columns])
    high = np.array([math.nan if each is None else max(each) for each in columns])
    for lows, highs in ((low, high), touch(low, high)):
        dots = bars(lows, highs, 12)
        assert dots.shape == (12, len(columns))
        assert [bool(column.any()) for column in dots.T] == [each is not None for each in columns]


@LAW
@given(trend_bins, st.floats(0, 1000), st.floats(0.5, 60), st.integers(1, 60))
def test_a_column_holds_the_extremes_of_its_bins_and_nothing_else(
    bins: list[TrendBin], start_s: float, column_s: float, count: int
) -> None:
    series = Series(bins)
    newest = {each.start_s: each for each in bins}
    low, high = series.columns(start_s, column_s, count, 5)
    for at in range(count):
        left, right = start_s + at * column_s, start_s + (at + 1) * column_s
        inside = [
            each for each in newest.values()
            if each.start_s < right - 1e-6 and each.start_s + 5 > left + 1e-6
        ]  # fmt: skip
        near = [
            each for each in newest.values()
            if each.start_s < right + 1e-6 and each.start_s + 5 > left - 1e-6
        ]  # fmt: skip
        if not near:
            assert math.isnan(low[at])
        elif len(inside) == len(near):
            assert low[at] == min(each.low for each in inside)
            assert high[at] == max(each.high for each in inside)


@LAW
@given(trend_bins, st.randoms(use_true_random=False))
def test_bins_in_any_order_and_sent_twice_give_the_same_series(
    bins: list[TrendBin], chance: Random
) -> None:
    once = {each.start_s: each for each in bins}
    series = Series(tuple(once.values()))
    shuffled = list(once.values())
    chance.shuffle(shuffled)
    again = Series()
    for each in shuffled:
        again.put((each,))
    again.put(shuffled)
    assert list(series.starts) == list(again.starts) == sorted(once)
    assert list(series.lows) == list(again.lows)
    assert list(series.highs) == list(again.highs)


def test_a_series_is_bounded_and_keeps_the_newest() -> None:
    series = Series()
    series.put([TrendBin(s, 1.0, 2.0) for s in range(BINS_MAX + 50)])
    assert len(series.starts) == BINS_MAX
    assert series.starts[-1] == BINS_MAX + 49


def test_a_later_bin_of_the_same_start_counts() -> None:
    series = Series((TrendBin(5, 1, 2), TrendBin(5, 3, 4)))
    series.put((TrendBin(5, 0, 9),))
    assert (list(series.lows), list(series.highs)) == ([0.0], [9.0])


@LAW
@given(st.lists(st.lists(st.none() | st.floats(0, 100), max_size=80), max_size=40))
def test_a_sweep_shows_no_sample_older_than_its_span(
    segments: list[list[float | None]],
) -> None:
    wave = Wave()
    now_s = 0.0
    for samples in segments:
        now_s += len(samples) / 20
        wave.put(instant_at(now_s), 20, tuple(samples))
    times, held = wave.samples()
    assert len(held) <= SAMPLES_MAX
    if len(times):
        assert times[0] > times[-1] - SPAN_S_MAX - 5
    low, high = sweep(wave, 6.0, 100)
    recent = held[times > now_s - 6] if len(times) else held
    present = low[~np.isnan(low)]
    assert set(present) <= set(recent[~np.isnan(recent)])
    assert len(low) == len(high) == 100


def test_ahead_of_the_pen_the_strip_is_erased() -> None:
    wave = Wave()
    wave.put(instant_at(33.0), 20, tuple([1.0] * 600))
    low, _ = sweep(wave, 6.0, 100)
    pen = int(33.0 % 6 / 6 * 100)
    assert np.isnan(low[(pen + 1) % 100])
    assert np.isnan(low).sum() <= 6


def test_a_lost_stretch_of_a_wave_stays_blank() -> None:
    wave = Wave()
    wave.put(instant_at(6.0), 20, tuple([1.0] * 60 + [None] * 40 + [1.0] * 20))
    low, _ = sweep(wave, 6.0, 100)
    assert np.isnan(low[52:80]).all()


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 1e9])
def test_a_segment_that_makes_no_sense_is_left_out(rate: float) -> None:
    wave = Wave()
    wave.put(Instant(1), rate, (1.0, 2.0))
    wave.put(Instant(1), 20, ())
    assert wave.newest is None


def test_a_waveform_is_bounded_however_fast_it_comes() -> None:
    wave = Wave()
    for at in range(200):
        wave.put(instant_at(at), 500, tuple([1.0] * 500))
    assert len(wave.samples()[1]) <= SAMPLES_MAX


@pytest.mark.hazard("H3")
def test_a_waveform_that_stopped_is_not_shown_as_live() -> None:
    chair = quiet()
    held = {}
    for message in waves(chair):
        held[message.metric] = Wave()
        held[message.metric].put(message.at, message.rate_hz, message.samples)
    live = text_of(strips(seen(chair), held, 110, 3))
    assert "no waveform" not in live
    stopped = text_of(strips(seen(chair, now=instant_at(1884)), held, 110, 3))
    assert stopped.count("no waveform for 4 s") == 2
    lost = text_of(strips(seen(chair, picture_age_s=3.0), held, 110, 3))
    assert lost.count("not live") == 2
    assert not any("\u2800" < letter < "\u2900" for letter in stopped + lost)


def test_a_scale_is_widened_to_what_is_there_and_never_empty() -> None:
    assert scale_of(np.array([10.0]), np.array([80.0]), (0.0, 50.0)) == (0.0, 80.0)
    assert scale_of(np.array([math.nan]), np.array([math.nan]), None) == (0.0, 1.0)
    assert scale_of(np.array([5.0]), np.array([5.0]), None) == (4.0, 6.0)


windows = st.builds(
    Window, st.none() | st.floats(60, 1e5), st.none() | st.floats(0, 1e5)
)  # fmt: skip


@given(st.lists(st.sampled_from(("+", "-", "<", ">", "0")), max_size=30), st.floats(0, 4e5))
def test_a_window_stays_within_the_sitting_whatever_is_pressed(
    presses: list[str], now_s: float
) -> None:
    window = Window()
    for press in presses:
        window = {
            "+": window.zoomed(0.5, now_s), "-": window.zoomed(2, now_s),
            "<": window.scrolled(-0.25, now_s), ">": window.scrolled(0.25, now_s), "0": Window(),
        }[press]  # fmt: skip
        start, end = window.stretch(now_s)
        assert start >= -1e-6
        assert end <= max(now_s, WHOLE_S_MIN) + 1e-6
        assert end - start >= SPAN_S_MIN - 1e-6


def test_a_window_at_the_present_follows_it() -> None:
    close = Window().zoomed(0.5, 3600)
    assert close.stretch(3600) == (1800, 3600)
    assert close.stretch(3700) == (1900, 3700)
    back = close.scrolled(-0.25, 3600)
    assert back.stretch(3600) == back.stretch(9000) == (1350, 3150)
    assert back.scrolled(1, 3600).end_s is None


@given(st.integers(0, 60))
def test_the_lanes_share_exactly_the_rows_there_are(total: int) -> None:
    rows = rows_for(total)
    assert sum(rows) == total
    assert len(rows) == len(LANES)


def _drawn(chair: ChairSnapshot, bins: dict[Metric, list[TrendBin]], rows: int = 20) -> list[str]:
    series = {metric: Series(each) for metric, each in bins.items()}
    lines = timeline(seen(chair), series, 5, Window(), (117, rows))
    return [words_of(line) for line in lines]


def test_a_gap_is_drawn_as_a_gap() -> None:
    chair = msgspec.structs.replace(quiet(), gaps=((instant_at(600), instant_at(900)),), events=())
    message = trends(chair)
    lines = timeline(
        seen(chair),
        {metric: Series(bins) for metric, bins in message.bins.items()},
        5,
        Window(),
        (117, 20),
    )
    first, last = (int(s / 1880 * 100) for s in (600, 900))
    for line in lines[1:-2]:
        field = words_of(line)[AXIS_CELLS : AXIS_CELLS + 100]
        assert set(field[first + 1 : last]) == {"░"}
    assert "░ gap" in text_of(lines)


@pytest.mark.hazard("H11")
def test_an_extreme_is_within_the_scale_not_cut_off() -> None:
    bins = {
        Metric.NIBP_SYS: [TrendBin(300, 240, 240)],
        Metric.NIBP_DIA: [TrendBin(300, 130, 130)],
        Metric.SPO2: [TrendBin(300, 41, 44)],
    }
    drawn = _drawn(quiet(), bins)
    assert " BP   240┤" in drawn[1]
    assert any(line.startswith("       41┤") for line in drawn)


def test_a_value_nobody_sent_is_not_drawn() -> None:
    drawn = _drawn(msgspec.structs.replace(quiet(), gaps=(), metrics=()), {})
    field = "".join(line[AXIS_CELLS : AXIS_CELLS + 100] for line in drawn[1:-2])
    assert not field.strip()


def test_a_missing_stretch_is_not_bridged() -> None:
    bins = {Metric.PULSE_RATE: [TrendBin(s, 80, 80) for s in range(0, 1800, 5)
                                if not 600 <= s < 1200]}  # fmt: skip
    chair = msgspec.structs.replace(quiet(), gaps=(), metrics=())
    lane = "".join(line[AXIS_CELLS + 33 : AXIS_CELLS + 63] for line in _drawn(chair, bins)[1:-2])
    assert not lane.strip()


def test_phases_alarms_and_deeds_are_marked_where_they_were() -> None:
    drawn = _drawn(apnoea(), {})
    band = drawn[0][AXIS_CELLS:]
    assert band.index("╷baseline") == int(20 / 1880 * 100)
    assert band.index("╷infusing") == int(500 / 1880 * 100)
    marks = drawn[-2][AXIS_CELLS:]
    assert marks[int(1846 / 1880 * 100)] == "!"
    assert marks[int(1490 / 1880 * 100)] == "●"
    assert "0:30" in drawn[-1]


def test_the_higher_priority_wins_a_shared_place() -> None:
    at = instant_at(1000)
    events = tuple(
        LoggedEvent(at=at, what="alarm", text="x", priority=priority)
        for priority in (Priority.LOW, Priority.HIGH, Priority.MEDIUM)
    )
    chair = msgspec.structs.replace(quiet(), events=events, gaps=())
    lines = timeline(seen(chair), {}, 5, Window(), (117, 20))
    assert [span.style for span in lines[-2] if span.text == "!"] == ["high"]


def test_a_server_that_knows_only_the_present_phase_is_drawn_as_far_as_it_knows() -> None:
    sitting = SittingSnapshot(phase=Phase.INFUSING, phase_since=instant_at(940))
    drawn = _drawn(msgspec.structs.replace(quiet(), sitting=sitting), {})
    assert drawn[0][AXIS_CELLS:].index("╷infusing") == 50
