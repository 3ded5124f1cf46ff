"""The sessions of the study: truth is what was drawn, artefacts touch only what is shown."""

from itertools import pairwise
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.rules import AT_ONCE, LimitSet
from monitor.model.alarm import Change
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, Score
from tests.burden.artefacts import Shown, spoil
from tests.burden.cuff import draw_responder, make_readings
from tests.burden.events import Shift, draw_patient
from tests.burden.grid import QUICK, Filter, Study, points, preset_point
from tests.burden.play import (
    Outcome,
    Stood,
    cuff_stream,
    observed,
    outcome,
    stood,
    stream_of,
    told_of,
    told_of_all,
)
from tests.burden.sessions import Episode, Plan, episodes, make

LENGTH_S = 1200
CALLS_MAX_H = 6.0
HOURS = 8
EVENTFUL = 18
"""A seed whose first half hour has a fall, a rise, slow breathing and a pause."""
SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), max_size=6).map(
    lambda pairs: [
        (sum(a + b for a, b in pairs[:place]) + gap, sum(a + b for a, b in pairs[: place + 1]))
        for place, (gap, _) in enumerate(pairs)
    ]
)


@given(st.floats(-25, 25), st.floats(1, 60), st.floats(0, 120), st.floats(1, 60), st.floats(0, 500))
def test_a_shift_goes_there_stays_and_comes_back(
    amount: float, there_s: float, stay_s: float, back_s: float, start_s: float
) -> None:
    shift = Shift(start_s, amount, there_s, stay_s, back_s)
    places = (start_s - 1, start_s, start_s + there_s, start_s + there_s + stay_s, shift.end_s)
    along = shift.along(np.array([*places, shift.end_s + 1]))
    assert along == pytest.approx([0, 0, amount, amount, 0, 0], abs=1e-6)
    between = shift.along(np.linspace(start_s - 5, shift.end_s + 5, 200))
    assert np.all(np.abs(between) <= abs(amount) + 1e-9)


@given(st.integers(0, 2**31))
def test_what_is_drawn_ends_within_the_session_and_one_after_the_other(seed: int) -> None:
    drawn = draw_patient(seed, 3600)
    spans = [(each.start_s, each.end_s) for each in (*drawn.falls, *drawn.rises)]
    spans += [(each.at_s, each.until_s) for each in drawn.scenario.events]
    spans.sort()
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
    assert not spans or spans[-1][1] < drawn.scenario.length_s
    assert draw_patient(seed, 3600) == drawn


@given(SPANS, st.integers(1, 30))
def test_episodes_are_the_runs_that_last_with_short_gaps_bridged(
    spans: list[tuple[int, int]], least_s: int
) -> None:
    holds = np.zeros(900, dtype=np.bool_)
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        holds[start:end] = True
        if merged and start - merged[-1][1] <= 5:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    found = episodes(holds, least_s, deep=np.zeros(900, dtype=np.bool_))
    wanted = [Episode(start, end) for start, end in merged if end - start >= least_s]
    assert list(found) == wanted


@given(st.integers(0, 2**31))
def test_artefacts_keep_the_length_and_never_show_more_saturation_than_there_is(seed: int) -> None:
    spo2: Shown = [97.0] * LENGTH_S
    etco2: Shown = [38.0] * LENGTH_S
    rates: Shown = [14.0] * LENGTH_S
    spoil(Random(seed), spo2, etco2, rates, is_poor=True)
    assert len(spo2) == len(etco2) == len(rates) == LENGTH_S
    assert all(each is None or 0 <= each <= 97 for each in spo2)
    assert all(each is None or 0 <= each <= 14 for each in rates)


def test_a_poor_signal_is_poorer_than_a_quiet_one() -> None:
    odd = []
    for is_poor in (False, True):
        spo2: Shown = [97.0] * 36_000
        spoil(Random(7), spo2, [38.0] * 36_000, [14.0] * 36_000, is_poor=is_poor)
        odd.append(sum(each != 97.0 for each in spo2))
    assert 4 * odd[0] < odd[1]


def test_a_printed_rate_of_zero_comes_with_no_end_tidal_value() -> None:
    """An auto-zero: EtCO2 goes first, the zeros come within it and last 14 to 24 s."""
    etco2: Shown = [38.0] * 36_000
    rates: Shown = [14.0] * 36_000
    spoil(Random(8), [97.0] * 36_000, etco2, rates, is_poor=False)
    zeros = [second for second, rate in enumerate(rates) if rate == 0]
    assert len(zeros) >= 5 * 14
    assert all(etco2[second] is None for second in zeros)
    assert all(rates[second] or etco2[second - 1] is None for second in range(1, 36_000))


def test_truth_does_not_depend_on_how_poor_the_signal_is() -> None:
    quiet, poor = (make(Plan(21, LENGTH_S, is_poor=each)) for each in (False, True))
    assert quiet.truths == poor.truths
    assert quiet.shown != poor.shown
    assert make(Plan(21, LENGTH_S, is_poor=True)) == poor


def test_a_shipped_scenario_has_the_truth_its_page_tells() -> None:
    """`slow-apnoea`: breathing slows at 1500 s, stops from 1555 to 1625 s; saturation falls."""
    session = make(Plan(1, 1800, scenario="slow-apnoea"))
    (slow,) = session.truths[Study.BREATHS]
    assert slow.start_s == pytest.approx(1510, abs=10)
    assert slow.end_s == pytest.approx(1625, abs=2)
    (pause,) = session.truths[Study.PAUSES]
    assert (pause.start_s, pause.end_s) == pytest.approx((1555, 1625), abs=6)
    (fall,) = session.truths[Study.SATURATION]
    assert 1580 <= fall.start_s <= 1650
    for study in (Study.BREATHS, Study.PAUSES, Study.SATURATION):
        point = preset_point(study)
        spans = told_of(point, stream_of(session, study, Filter.CORE), session.length_s)
        found = outcome(study, spans, session.truths[study])
        assert len(found.late_s) == found.asked == 1


@pytest.mark.parametrize("study", [Study.SATURATION, Study.BREATHS, Study.CO2, Study.PAUSES])
@pytest.mark.parametrize("seed", [5, 18])
def test_points_in_one_pass_are_told_what_each_is_told_alone(study: Study, seed: int) -> None:
    session = make(Plan(seed, 1800, is_poor=True))
    assert not session.notices  # a cuff on the probe's arm is judged by the shipped rule for all
    tried = [each for each in points(QUICK, study) if each.filter in {Filter.CORE, Filter.BUDGET}]
    stream = stream_of(session, study, Filter.CORE)
    alone = [sorted(told_of(point, stream, session.length_s)) for point in tried]
    joint = [sorted(each) for each in told_of_all(tried, stream, session.length_s)]
    assert joint == alone
    assert seed != EVENTFUL or any(alone)


def test_a_pulled_cable_is_silence_and_no_blank() -> None:
    session = make(Plan(1, 1800, scenario="cable-pulled"))
    heard = len(stream_of(session, Study.SATURATION, Filter.CORE))
    silent = sum(session.silent[Metric.SPO2])
    assert silent > 0
    assert heard == session.length_s - silent


def test_a_cuff_reads_what_is_true_unless_it_is_a_poor_session() -> None:
    patient = draw_responder(4, 4500)
    quiet, poor = (make_readings(patient, 300, 4500, is_poor=each) for each in (False, True))
    assert quiet.truths == poor.truths
    assert len(quiet.readings) == len(poor.readings) == 15
    apart = [a != b for a, b in zip(quiet.readings, poor.readings, strict=True)]
    assert 0 < sum(apart) < 8
    stream = cuff_stream(quiet.readings)
    assert [now for now, _ in stream[:3]] == [instant_at(30)] * 3


# -- how an outcome is counted ---------------------------------------------------------------------


def count(spans: list[Stood], truths: list[Episode]) -> Outcome:
    return outcome(Study.SATURATION, spans, truths)


def test_outcomes_worked_by_hand() -> None:
    truths = [Episode(100, 130, is_deep=True), Episode(300, 330), Episode(500, 520)]
    low = Study.SATURATION.value
    spans = [
        Stood(low, 112, 140),  # found after 12 s
        Stood(low, 200, 210),  # needless and brief
        Stood(low, 290, 340),  # stood before: 0 s
        Stood(low, 536, 560),  # more than 15 s after the end: needless
    ]
    assert count(spans, truths) == Outcome(3, 1, (12.0, 0.0), 1, 4, 2, 1)


def test_one_alarm_through_two_episodes_finds_both_and_is_needful() -> None:
    found = count([Stood("spo2_low", 110, 400)], [Episode(100, 120), Episode(300, 330)])
    assert found == Outcome(2, 0, (10.0, 0.0), 0, 1, 0, 0)


def test_slow_breathing_is_found_by_the_apnoea_alarm_too_but_counted_by_its_own() -> None:
    spans = [Stood("apnoea", 130, 160), Stood("resp_rate_low", 400, 410)]
    found = outcome(Study.BREATHS, spans, [Episode(100, 150)])
    assert (found.late_s, found.alarms, found.needless) == ((30.0,), 1, 1)


def test_an_alarm_that_never_ended_stands_until_the_end() -> None:
    score = Score()
    score.run(0, 40, spo2=80)
    (span,) = stood(each for each in score.told if each.alarm == "spo2_low")
    assert span == ("spo2_low", 5.0, float("inf"))
    assert [each for each in score.told if each.change is Change.ENDED] == []


def test_an_alarm_that_stays_latched_no_longer_stands() -> None:
    score = Score()
    score.run(0, 40, spo2=80)
    score.run(40, 80, spo2=97)
    assert score.lines("spo2_low")[-1][2] == Change.LATCHED.value
    (span,) = stood(each for each in score.told if each.alarm == "spo2_low")
    assert 40 < span.ended < 60


# -- fatigue ---------------------------------------------------------------------------------------


def called(seed: int, limits: LimitSet) -> int:
    """Return how many alarms of any kind eight hours of a poor signal raise; nobody is ill."""
    length, score = HOURS * 3600, Score(limits)
    spo2: Shown = [97.0, 98.0] * (length // 2)
    etco2: Shown = [38.0, 39.0] * (length // 2)
    rates: Shown = [14.0, 13.0] * (length // 2)
    spoil(Random(seed), spo2, etco2, rates, is_poor=True)
    metrics = (Metric.SPO2, Metric.ETCO2, Metric.RESP_RATE)
    for second, values in enumerate(zip(spo2, etco2, rates, strict=True)):
        for metric, value in zip(metrics, values, strict=True):
            score.hear(observed(metric, value, instant_at(second)), second)
    return sum(each.change is Change.PRESENT for each in score.told)


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_eight_hours_of_a_poor_signal_call_less_than_once_in_ten_minutes(seed: int) -> None:
    """Six an hour is what process industry bears and what an intensive care unit had (Goerges)."""
    at_once = tuple(msgspec.structs.replace(each, delay=AT_ONCE) for each in LIMITS.limits)
    with_delays = called(seed, LIMITS)
    without = called(seed, msgspec.structs.replace(LIMITS, limits=at_once))
    assert 0 < with_delays <= CALLS_MAX_H * HOURS
    assert 3 * with_delays < 2 * without
