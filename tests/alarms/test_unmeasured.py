"""A device says "CO2 not available": flat samples meanwhile are no breath and no stillness."""

from collections.abc import Iterable
from itertools import count
from typing import Final

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alarms.apnoea import BreathClock
from alarms.breaths import BreathDetector
from alarms.unmeasured import Unmeasured
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import Duration, Instant, instant_at, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, Score

FLAG: Final = NoticeKind.CO2_UNMEASURED
RULES: Final = LIMITS.apnoea
ABOUT_BREATHING: Final = ("apnoea", "resp_rate_low")
FIRST_S: Final = 60
LAST_BREATH_S: Final = 57
"""When the breath rose that `breathing` shows last."""
LINE: Final = (38.0, 38.0, 0.0, 0.0, 0.0)


def row(
    score: Score, second: int, wave: float | None, rate: float | None, etco2: float | None
) -> None:
    """Hear one row: the numbers first, then the sample of the waveform."""
    score.see(second, resp_rate=rate, etco2=etco2, spo2=97)
    if wave is not None:
        score.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(second), 1.0, (wave,)), second)


def breathing() -> Score:
    """Return a score of a minute of breathing, 12 a minute, at one row a second."""
    score = Score()
    for second in range(FIRST_S):
        row(score, second, LINE[(second + 3) % 5], 12, 38)
    return score


def pause(
    flagged: Iterable[int],
    lasts: int,
    zeros_from: int | None = None,
    says: NoticeKind | None = FLAG,
) -> Score:
    """Return a pause of so many seconds that ends in breathing; `flagged` are seconds of it.

    Numbers are blank while flagged; after that, and from `zeros_from` on, a rate of 0 is printed.
    """
    score, shut, is_shut = breathing(), set(flagged), False
    for second in range(lasts + 20):
        now = FIRST_S + second
        if (second in shut) != is_shut:
            is_shut = not is_shut
            if says is not None:
                score.notice(says, now, present=is_shut)
        wave = 0.0 if second < lasts else LINE[(second - lasts) % 5]
        is_zero = zeros_from is not None and second >= zeros_from
        rate = None if is_shut or not is_zero else 0.0
        row(score, now, wave, rate, None if is_shut or is_zero else 38)
    return score


def first(score: Score, *alarms: str) -> float:
    """Return when the first of these alarms was told, in seconds; infinity if none was."""
    told = [at for at, alarm, change, _ in score.lines() if alarm in alarms and change == "present"]
    return min(told, default=float("inf"))


@pytest.mark.hazard("H2")
def test_a_flag_of_half_a_minute_over_a_flat_line_calls_nobody() -> None:
    assert first(pause(range(1, 33), 33), *ABOUT_BREATHING) == float("inf")
    assert first(pause(range(1, 33), 33, says=None), "apnoea") == LAST_BREATH_S + 30


@pytest.mark.hazard("H1")
@given(
    measured=st.integers(0, 25),
    flagged=st.integers(0, 59),
    says=st.sampled_from([FLAG, FLAG, None]),
)
def test_unmeasured_time_puts_an_apnoea_off_by_its_own_length_and_by_a_minute_at_most(
    measured: int, flagged: int, says: NoticeKind | None
) -> None:
    score = pause(range(measured, measured + flagged), 80, says=says)
    off = flagged if says else 0
    assert first(score, "apnoea") == LAST_BREATH_S + min(60, 30 + off)


@pytest.mark.hazard("H1")
@settings(max_examples=40)
@given(flags=st.lists(st.tuples(st.integers(0, 55), st.integers(1, 12)), max_size=5))
def test_an_apnoea_measured_for_half_a_minute_is_told_whatever_lies_between(
    flags: list[tuple[int, int]],
) -> None:
    shut = {second for start, length in flags for second in range(start, start + length)}
    told = first(pause(shut, 80), "apnoea")
    measured = [second for second in range(-3, 80) if second not in shut][30]
    assert told <= LAST_BREATH_S + min(60, measured + 3)


@pytest.mark.hazard("H1")
@settings(max_examples=60)
@given(
    start=st.integers(0, 25),
    length=st.integers(1, 30),
    lasts=st.integers(1, 45),
    zeros_from=st.none() | st.integers(0, 40),
)
@example(start=10, length=8, lasts=25, zeros_from=10)
@example(start=0, length=1, lasts=20, zeros_from=3)
def test_a_flag_never_brings_an_alarm_forward(
    start: int, length: int, lasts: int, zeros_from: int | None
) -> None:
    shut = range(start, start + length)
    with_flag = first(pause(shut, lasts, zeros_from), *ABOUT_BREATHING)
    without = first(pause(shut, lasts, zeros_from, says=None), *ABOUT_BREATHING)
    assert with_flag >= without


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("shut", "zeros_from", "until"),
    [
        (range(10, 18), 10, 28),
        (range(3, 11), 3, 25),
        (range(2, 7), 10, 21),
        (range(13, 19), 10, 23),
    ],
)
def test_a_pause_of_25_s_is_found_with_a_flag_in_its_midst(
    shut: range, zeros_from: int, until: int
) -> None:
    assert first(pause(shut, 25, zeros_from), *ABOUT_BREATHING) <= FIRST_S + until


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(("zeros_from", "until"), [(10, 20), (3, 30)])
def test_a_rate_of_0_printed_beside_the_flag_is_a_count_in_the_end(
    zeros_from: int, until: int
) -> None:
    score = breathing()
    for second in range(45):
        now = FIRST_S + second
        if second == zeros_from:
            score.notice(FLAG, now)
        is_zero = second >= zeros_from
        row(score, now, 0.0, 0.0 if is_zero else 12, None if is_zero else 38)
    assert first(score, "resp_rate_low") == FIRST_S + until
    assert first(score, "apnoea") == LAST_BREATH_S + 30


FlaggedZeroing = tuple[int, int, int, int, bool]


@pytest.mark.hazard("H2")
@settings(max_examples=40)
@given(
    zeroings=st.lists(
        st.tuples(
            st.integers(0, 7),
            st.integers(1, 28),
            st.integers(10, 24),
            st.integers(30, 60),
            st.booleans(),
        ),
        min_size=1,
        max_size=3,
    )
)
@example(zeroings=[(7, 12, 22, 30, False)])
@example(zeroings=[(0, 20, 20, 30, True)])
def test_zeroing_that_the_device_flags_is_left_alone(zeroings: list[FlaggedZeroing]) -> None:
    score, seconds_on = breathing(), count(FIRST_S)
    for pause_s, flagged_s, zeros_s, breathing_s, is_zero in zeroings:
        for _ in range(pause_s):
            row(score, next(seconds_on), 0.0, 12, 38)
        for number in range(flagged_s):
            now = next(seconds_on)
            if not number:
                score.notice(FLAG, now)
            row(score, now, 0.0, 0.0 if is_zero and flagged_s <= 20 and not pause_s else None, None)
        for number in range(zeros_s + breathing_s):
            now = next(seconds_on)
            if not number:
                score.notice(FLAG, now, present=False)
            is_over = number >= zeros_s
            row(score, now, LINE[number % 5], 12 if is_over else 0, 38 if is_over else None)
    assert first(score, *ABOUT_BREATHING) == float("inf")


@pytest.mark.parametrize("says", [FLAG, NoticeKind.AUTO_ZERO, NoticeKind.PURGING])
def test_a_breath_seen_meanwhile_is_a_breath(says: NoticeKind) -> None:
    score = breathing()
    score.notice(says, FIRST_S)
    for second in range(FIRST_S, FIRST_S + 20):
        row(score, second, 0.0, None, None)
    for number, sample in enumerate(LINE):
        row(score, FIRST_S + 20 + number, sample, None, None)
    score.notice(says, FIRST_S + 25, present=False)
    for second in range(FIRST_S + 25, FIRST_S + 80):
        row(score, second, 0.0, None, None)
    assert first(score, "apnoea") >= FIRST_S + 20 + 30


def test_a_flag_over_blank_cells_alone_is_lost_data() -> None:
    score = breathing()
    score.notice(FLAG, FIRST_S)
    for second in range(FIRST_S, FIRST_S + 120):
        row(score, second, None, None, None)
    assert first(score, *ABOUT_BREATHING) == float("inf")
    assert first(score, "no_data_etco2") == FIRST_S - 1 + 30


@pytest.mark.hazard("H3")
def test_a_flag_ends_with_its_link() -> None:
    score = breathing()
    score.notice(FLAG, FIRST_S)
    for second in range(FIRST_S, FIRST_S + 5):
        row(score, second, 0.0, None, None)
    score.link(LinkState.LOST, FIRST_S + 5, Metric.ETCO2, Metric.RESP_RATE, Metric.CO2_WAVE)
    for second in range(FIRST_S + 6, FIRST_S + 60):
        row(score, second, 0.0, None, None)
    assert first(score, "apnoea") == LAST_BREATH_S + 30 + 5


def test_what_a_device_flags_outlives_a_restart() -> None:
    told = []
    for saves in (False, True):
        score = breathing()
        score.notice(FLAG, FIRST_S)
        for second in range(FIRST_S, FIRST_S + 70):
            row(score, second, 0.0, None, None)
            if saves:
                score.system = type(score.system).restore(score.limits, score.system.save())
        told.append(score.lines())
    assert told[0] == told[1]
    assert "apnoea" in {line[1] for line in told[0]}


@pytest.mark.parametrize("rate", [0, None])
def test_a_co2_of_0_before_any_breath_was_seen_is_a_lost_signal(rate: float | None) -> None:
    score = Score()
    for second in range(60):
        row(score, second, 0.0, rate, 0)
    assert score.lines() == []
    for second in range(60, 120):
        row(score, second, LINE[second % 5], 12, 38)
    assert score.lines() == []
    for second in range(120, 160):
        row(score, second, 0.0, 0, 0)
    assert "etco2_low" in {line[1] for line in score.lines()}


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9)), max_size=6), st.integers(0, 99))
def test_unmeasured_time_is_what_lay_between_a_begin_and_its_end(
    drawn: list[tuple[int, int]], asked: int
) -> None:
    made, seconds_shut = Unmeasured(), set()
    for start, length in sorted(drawn):
        if start in seconds_shut or start + length in seconds_shut:
            continue
        made.begin(instant_at(start))
        made.begin(instant_at(start + length))
        made.end(instant_at(start + length))
        made.end(instant_at(start + length + 1))
        seconds_shut |= set(range(start, start + length))
    assert made.until(instant_at(100)) == seconds(len(seconds_shut))
    made.begin(instant_at(100))
    assert made.until(instant_at(100 + asked)) == seconds(len(seconds_shut) + asked)
    made.restart(instant_at(100 + asked))
    assert made.until(instant_at(200)) == seconds(100 - asked)
    assert made.until(Instant(0)) == Duration(0)


def test_unmeasured_time_before_the_last_breath_takes_no_room_in_a_saved_core() -> None:
    made = Unmeasured()
    assert msgspec.json.encode(made) == b"{}"
    made.begin(instant_at(5))
    made.end(instant_at(9))
    assert msgspec.json.decode(msgspec.json.encode(made), type=Unmeasured) == made
    made.restart(instant_at(12))
    assert msgspec.json.encode(made) == b"{}"


def flag(made: BreathClock, start: int, end: int) -> None:
    """Let a device flag its CO2 from one second to another."""
    made.explain(FLAG, instant_at(start), is_present=True)
    made.explain(FLAG, instant_at(end), is_present=False)


def test_each_breath_forgets_what_was_not_measured_before_it() -> None:
    made = BreathClock()
    made.hear_etco2(38.0, None, instant_at(0))
    assert made.hear_rate(12.0, None, instant_at(0), RULES)
    made.hear_rate(None, None, instant_at(1), RULES)
    flag(made, 5, 15)
    assert made.due(RULES) == instant_at(40)
    assert made.hear_rate(12.0, None, instant_at(16), RULES)
    assert made.due(RULES) == instant_at(46)
    flag(made, 17, 20)
    made.rearm()
    made.hear_rate(0.0, None, instant_at(30), RULES)
    assert made.due(RULES) == instant_at(60)


def test_the_clock_of_apnoea_runs_on_while_a_rate_of_0_is_printed() -> None:
    made = BreathClock()
    made.hear_etco2(38.0, None, instant_at(0))
    assert made.hear_rate(12.0, None, instant_at(0), RULES)
    made.explain(FLAG, instant_at(2), is_present=True)
    assert made.due(RULES) == instant_at(60)
    made.hear_rate(0.0, None, instant_at(7), RULES)
    assert made.due(RULES) == instant_at(35)
    made.explain(FLAG, instant_at(9), is_present=False)
    made.explain(FLAG, instant_at(12), is_present=True)
    assert made.due(RULES) == instant_at(35)


def test_a_flag_by_itself_measures_nothing() -> None:
    made = BreathClock()
    made.hear_etco2(38.0, None, instant_at(0))
    assert made.hear_rate(12.0, None, instant_at(0), RULES)
    made.explain(FLAG, instant_at(4), is_present=True)
    assert made.silent_due() == instant_at(10)
    made.lose(instant_at(10))
    assert made.silent_due() is None
    flag(made, 11, 12)
    assert made.silent_due() is None
    assert made.due(RULES) is None


def fed(made: BreathDetector, start: int, samples: Iterable[float]) -> None:
    """Let a detector hear samples, one a second."""
    for second, sample in enumerate(samples, start):
        made.feed(WaveformSegment(Metric.CO2_WAVE, instant_at(second), 1.0, (sample,)))


def test_a_line_goes_on_after_a_flag_from_where_it_stood() -> None:
    made = BreathDetector()
    fed(made, 0, LINE * 3)
    made.look_away(instant_at(15))
    fed(made, 15, [0.0] * 10)
    assert made.still_for(instant_at(24)) == seconds(3)
    made.look_again(instant_at(25))
    fed(made, 25, [0.0] * 2)
    assert made.still_for(instant_at(26)) == seconds(4)
    assert made.breathless_for(instant_at(26)) == seconds(26 - 10 - 10)
    fed(made, 27, [38.0])
    assert (made.breath_before, made.breath_at) == (instant_at(20), instant_at(27))
    assert made.rhythm.begun == [instant_at(27)]
    assert made.breathless_for(instant_at(30)) == seconds(3)


def test_a_line_that_moved_during_a_flag_is_still_from_its_end_on() -> None:
    made = BreathDetector()
    fed(made, 0, LINE)
    made.look_away(instant_at(5))
    fed(made, 5, [0.0, 6.0, 6.0, 6.0])
    made.look_again(instant_at(9))
    fed(made, 9, [6.0] * 3)
    assert made.still_for(instant_at(11)) == seconds(2)
