"""What is gathered over time, each beside a model that reads like its description."""

from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alarms.baseline import Baseline, limit_from
from alarms.clock import Evidence, begin, interrupt, stop
from alarms.limits import read_preset
from alarms.refusals import Refusals
from alarms.rules import BaselineRules, LimitRule, RelativeRule
from alarms.tally import Tally
from alarms.trend import History
from monitor.model.errors import ConfigError
from monitor.model.instant import OPENING, Duration, Instant, in_seconds, instant_at, seconds
from monitor.model.metric import Metric
from monitor.model.session import Phase
from tests.alarms.records import is_frozen, is_named
from tests.alarms.score import LIMITS, PRESET_TEXT, Score

RULES: Final = {each.alarm: each for each in LIMITS.limits}

PATIENT: Final = Duration(99)
GATHERED: Final = (Tally(), History(window=seconds(5)), Baseline(), Refusals())


def test_what_gathers_nothing_is_written_as_nothing_and_its_fields_are_named() -> None:
    assert all(each.is_empty for each in GATHERED if isinstance(each, Tally))
    assert [each for each in GATHERED if not is_named(each)] == []
    assert msgspec.json.encode(GATHERED[0]) == msgspec.json.encode(GATHERED[2]) == b"{}"
    assert msgspec.json.encode(GATHERED[1]) == b'{"window":5000000000}'
    rules = BaselineRules(readings_min=1, within=seconds(600))
    assert GATHERED[2].add({}, Instant(1), rules) is False, "no phase was entered yet"
    assert GATHERED[2].entered == OPENING
    assert GATHERED[1].fall(seconds(5), Instant(0)) == GATHERED[3].count(Instant(0)) == 0


# -- evidence


def due_by_counting(stretches: list[tuple[int, int]], delay: int, *, runs: bool) -> int | None:
    """Return the first instant at which the delay has run and half of it was measured.

    `stretches` are measured, the last of them still running where `runs`; data are missing between.
    """
    closed = stretches[:-1] if runs else stretches
    measured = sum(end - start for start, end in closed)
    since, newest = stretches[0][0], stretches[-1][0]
    if not runs:
        return since + delay if 2 * measured >= delay else None
    instants = range(newest, newest + 2 * delay + 2)
    return next(
        each
        for each in instants
        if each - since >= delay and 2 * (measured + each - newest) >= delay
    )


@pytest.mark.hazard("H13")
@given(
    gaps=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=1, max_size=5),
    delay=st.integers(0, 20),
    runs=st.booleans(),
)
def test_evidence_is_enough_once_the_delay_has_run_and_half_of_it_was_measured(
    gaps: list[tuple[int, int]], delay: int, *, runs: bool
) -> None:
    at, evidence = 0, None
    stretches: list[tuple[int, int]] = []
    for number, (gap, length) in enumerate(gaps, start=1):
        at += gap
        evidence = begin(evidence, Instant(at), Duration(0))
        assert begin(evidence, Instant(at + 1), Duration(0)) == evidence, (
            "what runs is not begun again"
        )
        stretches.append((at, at + length))
        at += length
        if number < len(gaps) or not runs:
            evidence = interrupt(evidence, Instant(at))
            assert interrupt(evidence, Instant(at + 1)) == evidence, "lost once is lost"
    assert evidence is not None
    expected = due_by_counting(stretches, delay, runs=runs)
    assert evidence.due(Duration(delay)) == expected


def test_evidence_is_never_changed_and_its_beginning_is_written_short() -> None:
    evidence = begin(None, Instant(5), Duration(0))
    assert is_frozen(evidence)
    assert msgspec.json.encode(evidence) == b'{"since":5,"stretch":5}'


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(("so", "aside", "lost"))), max_size=12)
)
def test_a_stopped_clock_counts_neither_its_stops_nor_what_was_not_measured(
    story: list[tuple[int, str]],
) -> None:
    at, evidence, word = 7, begin(None, Instant(7), PATIENT), "so"
    ran = measured = 0
    for lasts, following in story:
        at += lasts
        ran += 0 if word == "aside" else lasts
        measured += lasts if word == "so" else 0
        if following == "so":
            evidence = begin(evidence, Instant(at), PATIENT)
        elif following == "aside":
            stopped = stop(evidence, Instant(at), PATIENT)
            assert stopped is not None
            evidence = stopped
        elif word == "so":
            evidence = evidence.interrupted(Instant(at))
        word = word if word == "aside" and following == "lost" else following
        assert evidence.ran(Instant(at)) == ran
        assert evidence.ran(Instant(at + 2)) == ran + (0 if word == "aside" else 2)
        assert evidence.interrupted(Instant(at)).measured == measured
        left = begin(evidence, Instant(at), PATIENT).due(Duration(100))
        assert left == at + max(100 - ran, 50 - measured)


def test_a_clock_that_stopped_for_as_long_as_an_end_takes_is_gone() -> None:
    evidence = begin(None, Instant(0), Duration(5))
    stopped = stop(evidence, Instant(3), Duration(5))
    assert stopped is not None
    assert stopped.due(Duration(1)) is None, "data must come first"
    assert stop(stopped, Instant(7), Duration(5)) == stopped
    assert stop(stopped, Instant(8), Duration(5)) is None
    assert stop(evidence, Instant(3), Duration(0)) is None
    assert begin(stopped, Instant(8), Duration(5)) == begin(None, Instant(8), Duration(5))
    assert begin(stopped, Instant(7), Duration(5)).since == 0


def test_evidence_that_begins_has_nothing_measured_yet() -> None:
    assert begin(None, Instant(5), Duration(0)) == Evidence(Instant(5), Instant(5), Duration(0))
    assert interrupt(None, Instant(5)) is None


# -- budgets and counts

samples = st.lists(
    st.tuples(
        st.sampled_from([80.0, 88.0, 90.0, 93.0, 100.0, 121.0, 150.0]),
        st.sampled_from([0.5, 1.0, 4.0, 15.0, 30.0]),
        st.booleans(),
    ),
    max_size=40,
)


@given(
    samples,
    st.sampled_from(["spo2_low", "pulse_rate_high"]),
    st.sampled_from([None, 20.0, 100.0]),
    st.sampled_from([None, 2, 3]),
)
def test_points_and_violations_are_counted_as_it_is_said(
    heard: list[tuple[float, float, bool]], alarm: str, budget: float | None, often: int | None
) -> None:
    rule = msgspec.structs.replace(RULES[alarm], budget=budget, violations_max=often)
    tally, points, begun, second, was_beyond = Tally(), 0.0, list[float](), 0.0, False
    assert tally.is_empty
    for value, gap, is_known in heard:
        second += gap
        beyond = rule.limit - value if rule.is_low else value - rule.limit
        points = max(0.0, points + beyond * (min(gap, 10.0) if is_known else 1.0))
        if beyond > 0 and not was_beyond:
            begun.append(second)
        was_beyond = beyond > 0
        lately = [each for each in begun if second - each < 60]
        expected = budget is not None and points >= budget
        expected = expected or (often is not None and len(lately) >= often)
        since = instant_at(second - gap) if is_known else None
        is_over = tally.add(rule, value, instant_at(second), since)
        assert is_over == (was_beyond and expected)
        assert tally.points == pytest.approx(points)
        assert len(tally.begun) == min(len(lately), often or 0)
        assert tally.is_empty == (not tally.points and not tally.begun)


# -- trends


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from([0.25, 0.5, 1.0, 3.0, 12.0])), max_size=60
    ),
    st.sampled_from([0.0, 1.0, 5.0, 20.0]),
)
def test_a_history_keeps_the_newest_value_of_each_second_of_its_window(
    heard: list[tuple[float, float]], part_s: float
) -> None:
    history, kept, second = History(window=seconds(20)), list[tuple[float, float]](), 0.0
    for value, gap in heard:
        second += gap
        history.add(value, instant_at(second))
        if kept and second - kept[-1][0] < 1:
            kept[-1] = (kept[-1][0], value)
        else:
            kept.append((second, value))
        kept = [each for each in kept if second - each[0] <= 20]
        assert [
            (in_seconds(at), v) for at, v in zip(history.at, history.values, strict=True)
        ] == kept
    recent = [value for at, value in kept if second - at <= part_s]
    falls, rises = (max(recent) - recent[-1], recent[-1] - min(recent)) if recent else (0, 0)
    assert history.fall(seconds(part_s), instant_at(second)) == falls
    assert history.rise(seconds(part_s), instant_at(second)) == rises


def test_a_history_that_began_again_knows_no_fall_and_no_rise() -> None:
    history = History(window=seconds(20))
    for second, value in enumerate((100, 50, 70)):
        history.add(value, instant_at(second))
    history.forget()
    now = instant_at(3)
    assert (history.fall(seconds(20), now), history.rise(seconds(20), now)) == (0, 0)
    history.add(90, now)
    assert (history.fall(seconds(20), now), history.rise(seconds(20), now)) == (0, 0)


LONG: Final = """
[pattern.fading]
title = "Saturation fades"
priority = "medium"
delay_s = 0
clear_for_s = 5
latch = "never"
parts = [ { metric = "spo2", kind = "falls", amount = 4, window_s = 600 } ]
"""


def test_a_fall_is_seen_over_the_ten_minutes_that_a_pattern_may_ask_for_and_no_longer() -> None:
    limits = read_preset(PRESET_TEXT + LONG, "long.toml")
    for fallen_at, is_told in ((600, True), (601, False)):
        score = Score(limits)
        score.see(0, spo2=99)
        score.run(1, fallen_at, spo2=97)
        score.see(fallen_at, spo2=95)
        assert bool(score.changes("fading")) == is_told
    with pytest.raises(ConfigError, match="window_s = 601: expected a number from 5 to 600"):
        read_preset(PRESET_TEXT + LONG.replace("600", "601"), "long.toml")


# -- baselines

PRESSURES: Final = (Metric.NIBP_SYS, Metric.NIBP_DIA, Metric.NIBP_MEAN)
readings = st.dictionaries(st.sampled_from(PRESSURES), st.floats(40, 200), min_size=1)


@pytest.mark.hazard("H9")
@example([(1, {Metric.NIBP_SYS: 100.0 + number}) for number in range(15)], 2, 1200)
@example([(150, {Metric.NIBP_SYS: 100.0 + number}) for number in range(5)], 2, 300)
@given(
    st.lists(st.tuples(st.integers(1, 400), readings), max_size=20),
    st.integers(1, 3),
    st.sampled_from([300, 1200, 9000]),
)
def test_a_baseline_is_the_mean_of_the_last_twelve_readings_near_enough_in_time(
    taken: list[tuple[int, dict[Metric, float]]], least: int, within_s: int
) -> None:
    rules = BaselineRules(readings_min=least, within=seconds(within_s))
    baseline, second = Baseline(phase=Phase.BASELINE), 0
    every: list[tuple[int, dict[Metric, float]]] = []
    known: dict[Metric, float] = {}
    for gap, values in taken:
        second += gap
        every.append((second, values))
        recent = [each for at, each in every[-12:] if second - at <= within_s]
        is_enough = len(recent) >= least
        if is_enough:
            common = [each for each in PRESSURES if all(each in reading for reading in recent)]
            known = {m: sum(each[m] for each in recent) / len(recent) for m in common}
        assert baseline.add(values, instant_at(second), rules) == is_enough
        assert baseline.values == pytest.approx(known)
        assert len(baseline.readings) == len(baseline.at) == min(12, len(every))


@pytest.mark.parametrize("phase", [each for each in Phase if each is not Phase.BASELINE])
def test_a_reading_of_another_phase_is_no_part_of_a_baseline(phase: Phase) -> None:
    baseline, rules = Baseline(phase=phase), BaselineRules(readings_min=1, within=seconds(600))
    assert baseline.add({Metric.NIBP_SYS: 120.0}, instant_at(1), rules) is False
    assert baseline == Baseline(phase=phase)


def relative(*, is_low: bool, percent: float | None, amount: float | None) -> RelativeRule:
    way = "low" if is_low else "high"
    rule: LimitRule = RULES[f"nibp_sys_{way}"]
    return RelativeRule(limit=rule, percent=percent, amount=amount)


@example(baseline=200, away=100.0, is_low=False, is_percent=False)
@example(baseline=120, away=100.0, is_low=True, is_percent=False)
@given(
    baseline=st.floats(20, 300),
    away=st.sampled_from([0.0, 5.0, 30.0, 100.0]),
    is_low=st.booleans(),
    is_percent=st.booleans(),
)
def test_a_relative_limit_lies_that_far_from_the_baseline_or_is_out_of_reach(
    baseline: float, away: float, *, is_low: bool, is_percent: bool
) -> None:
    rule = relative(
        is_low=is_low, percent=away if is_percent else None, amount=None if is_percent else away
    )
    distance = baseline * away / 100 if is_percent else away
    expected = baseline - distance if is_low else baseline + distance
    found = limit_from(rule, baseline)
    if 20 < expected < 300:
        assert found == msgspec.structs.replace(rule.limit, limit=round(expected, 1))
    else:
        assert found is None, "a cuff could measure nothing beyond it"


# -- refusals


@example([60.0, 60.0], 3)
@given(st.lists(st.floats(0.1, 90), max_size=30), st.integers(1, 12))
def test_refusals_are_counted_in_all_and_of_the_last_minute(
    gaps: list[float], kept_max: int
) -> None:
    refusals, second, every = Refusals(), 0.0, list[Instant]()
    assert (refusals.count(instant_at(0)), refusals.due()) == (0, None)
    for number, gap in enumerate(gaps, start=1):
        second += gap
        now = instant_at(second)
        every.append(now)
        refusals.add(f"reason {number}", now, kept_max)
        lately = [each for each in every if now - each < seconds(60)]
        assert refusals.count(now) == min(kept_max, len(lately))
        assert (refusals.total, refusals.reason) == (number, f"reason {number}")
        assert refusals.due() == now + seconds(60)
        assert len(refusals.recent) <= kept_max


def test_after_a_stop_the_minute_without_refusals_begins_again() -> None:
    refusals = Refusals()
    for second in (1, 2, 3):
        refusals.add("cut", instant_at(second), 5)
    refusals.rewatch(instant_at(500))
    assert refusals.count(instant_at(559)) == 3
    assert refusals.due() == instant_at(560)
    refusals.forget()
    assert (refusals.count(instant_at(559)), refusals.due(), refusals.total) == (0, None, 3)
