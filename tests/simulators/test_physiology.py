"""The patient: the same answer in any order, calibrated to trials, and true to each course."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.event import NoticeKind
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric, describe
from simulators.course import draw_traits
from simulators.physiology import (
    CO2_RATE_HZ,
    NO_OCCLUSION,
    PLETH_RATE_HZ,
    Occlusion,
    Patient,
    Vitals,
)
from simulators.scenario import PatientFacts, load, names

PatientOf = Callable[[str, int], Patient]
COURSES = st.sampled_from(names())
SEEDS = st.integers(0, 20)
SECONDS = st.integers(0, 4500)


def vitals(patient: Patient, seconds: Iterable[int]) -> list[Vitals]:
    return [patient.vitals(instant_at(s)) for s in seconds]


def breaths_in(samples: list[float], floor: float = 10.0) -> int:
    """Count rises through `floor`, as a breath detector does."""
    return sum(a < floor <= b for a, b in pairwise(samples))


@settings(max_examples=25, deadline=None)
@given(course=COURSES, seed=SEEDS, seconds=st.lists(SECONDS, min_size=1, max_size=8))
def test_a_patient_answers_the_same_whoever_looked_before(
    course: str, seed: int, seconds: list[int], patient: PatientOf
) -> None:
    looked_at = patient(course, seed)
    fresh = Patient(load(course), seed)
    for s in reversed(seconds):
        at = instant_at(s)
        assert looked_at.vitals(at) == fresh.vitals(at)
        assert looked_at.co2(at) == fresh.co2(at)
        assert looked_at.pleth(at) == fresh.pleth(at)
        assert looked_at.cuff_reading(at) == fresh.cuff_reading(at)


@settings(max_examples=25, deadline=None)
@given(
    course=COURSES,
    first=st.integers(-100, 300_000),
    counts=st.lists(st.integers(1, 900), min_size=1, max_size=5),
)
def test_a_waveform_does_not_depend_on_how_it_is_cut(
    course: str, first: int, counts: list[int], patient: PatientOf
) -> None:
    subject = patient(course, 3)
    for samples_of in (subject.co2_samples, subject.pleth_samples):
        whole = samples_of(first, sum(counts))
        parts, at = [], first
        for count in counts:
            parts += samples_of(at, count)
            at += count
        assert parts == whole


@settings(max_examples=30, deadline=None)
@given(course=COURSES, seed=SEEDS, s=SECONDS)
def test_every_value_is_one_that_a_device_can_mean(
    course: str, seed: int, s: int, patient: PatientOf
) -> None:
    subject = patient(course, seed)
    shown = subject.vitals(instant_at(s))
    for metric, value in {
        Metric.SPO2: shown.spo2,
        Metric.PULSE_RATE: shown.pulse,
        Metric.HEART_RATE: shown.hr,
        Metric.ETCO2: shown.etco2,
        Metric.RESP_RATE: shown.resp_rate,
        Metric.NIBP_SYS: shown.sys,
        Metric.NIBP_DIA: shown.dia,
        Metric.NIBP_MEAN: shown.mean,
        Metric.PERFUSION_INDEX: shown.perfusion,
        Metric.TEMP: shown.temp,
    }.items():
        facts = describe(metric)
        assert value is None or facts.technical_low <= value <= facts.technical_high
    assert shown.dia < shown.mean < shown.sys
    assert all(0 <= x <= 65535 for x in subject.pleth_samples(75 * s, 75))
    assert all(0 <= x <= 80 for x in subject.co2_samples(20 * s, 20))


@pytest.mark.parametrize("seed", range(5))
def test_a_quiet_sitting_stays_inside_every_example_limit(seed: int, patient: PatientOf) -> None:
    for shown in vitals(patient("quiet", seed), range(0, 4500, 5)):
        assert shown.spo2 is not None
        assert shown.spo2 >= 96
        assert shown.resp_rate is not None
        assert 11 <= shown.resp_rate <= 18
        assert shown.etco2 is not None
        assert 33 <= shown.etco2 <= 44
        assert shown.pulse is not None
        assert 55 <= shown.pulse <= 90
        assert shown.sys < 150
        assert shown.dia < 95


def test_people_differ_as_the_population_does() -> None:
    people = [draw_traits(PatientFacts(), seed) for seed in range(3000)]
    assert fmean(p.sys for p in people) == pytest.approx(125, abs=1)
    assert stdev(p.sys for p in people) == pytest.approx(14, abs=1)
    assert fmean(p.dia for p in people) == pytest.approx(78, abs=1)
    assert stdev(p.dia for p in people) == pytest.approx(9, abs=1)
    assert fmean(p.gain_sys for p in people) == pytest.approx(1, abs=0.05)
    assert stdev(p.gain_sys for p in people) == pytest.approx(0.7, abs=0.1)
    logs = np.log([[p.gain_sys, p.gain_dia] for p in people])
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(0.7, abs=0.05)
    assert all(12 <= p.resp_rate <= 16 and 97 <= p.spo2 <= 99 for p in people)
    assert all(36 <= p.paco2 - 3 <= 42 for p in people)
    assert all(p.dia <= p.sys - 25 for p in people)


def test_older_people_respond_more_strongly() -> None:
    young = draw_traits(PatientFacts(age=30), 5)
    older = draw_traits(PatientFacts(age=60), 5)
    assert older.gain_sys == pytest.approx(1.4 * young.gain_sys)


def test_the_mean_response_is_that_of_the_pooled_trials(patient: PatientOf) -> None:
    subject = patient("cannula-off", 4)  # both gains are 1
    before = vitals(subject, range(200, 300))
    peak = vitals(subject, range(2600, 2700))
    after = vitals(subject, range(4400, 4500))
    assert fmean(v.sys for v in peak) - fmean(v.sys for v in before) == pytest.approx(12.6, abs=1.5)
    assert fmean(v.dia for v in peak) - fmean(v.dia for v in before) == pytest.approx(8.5, abs=1.5)
    assert fmean(v.hr for v in peak) - fmean(v.hr for v in before) == pytest.approx(4.1, abs=1.5)
    assert fmean(v.sys for v in after) - fmean(v.sys for v in before) < 5


def test_the_capnogram_and_the_rate_agree(patient: PatientOf) -> None:
    subject = patient("quiet", 2)
    for start in range(60, 4200, 300):
        seen = breaths_in(subject.co2_samples(20 * start, 20 * 60))
        shown = fmean(v.resp_rate or 0 for v in vitals(subject, range(start, start + 60)))
        assert seen == pytest.approx(shown, abs=1.5)


@settings(max_examples=25, deadline=None)
@given(course=COURSES, first=st.integers(0, 80_000), count=st.integers(1, 1300))
def test_a_sample_is_the_wave_at_its_own_instant(
    course: str, first: int, count: int, patient: PatientOf
) -> None:
    subject = patient(course, 4)
    samples = subject.co2_samples(first, count)
    assert len(samples) == count
    for n in {0, count // 2, count - 1}:
        assert samples[n] == pytest.approx(subject.co2(instant_at((first + n) / 20)), abs=0.3)


def test_breaths_come_as_evenly_as_a_resting_person_breathes(patient: PatientOf) -> None:
    samples = patient("quiet", 2).co2_samples(20 * 600, 20 * 300)
    rises = [n / 20 for n, (a, b) in enumerate(pairwise(samples)) if a < 10 <= b]
    intervals = [b - a for a, b in pairwise(rises)]
    assert all(abs(b - a) < 0.4 for a, b in pairwise(intervals))


def test_gas_reaches_the_analyser_two_to_four_seconds_late(patient: PatientOf) -> None:
    early = [max(patient("cannula-off", seed).co2_samples(20 * 1500, 40)) for seed in range(6)]
    late = [max(patient("cannula-off", seed).co2_samples(20 * 1504, 40)) for seed in range(6)]
    assert min(early) > 10  # breathed out before the cannula slipped, seen after
    assert max(late) < 1


def test_a_breath_has_a_baseline_and_a_rising_plateau_that_ends_at_end_tidal(
    patient: PatientOf,
) -> None:
    subject = patient("quiet", 2)
    samples = subject.co2_samples(20 * 600, 20 * 30)
    shown = subject.vitals(instant_at(630)).etco2
    assert shown is not None
    assert max(samples) == pytest.approx(shown, abs=2.5)
    assert min(samples) < 1
    low = sum(x < 3 for x in samples) / len(samples)
    high = sum(x > 0.85 * shown for x in samples) / len(samples)
    assert 0.25 < low < 0.55
    assert 0.35 < high < 0.65


def test_the_pulse_wave_beats_at_the_pulse_rate(patient: PatientOf) -> None:
    subject = patient("quiet", 2)
    samples = subject.pleth_samples(round(PLETH_RATE_HZ) * 900, round(PLETH_RATE_HZ) * 60)
    beats = sum(a < 164 <= b for a, b in pairwise(samples))
    shown = fmean(v.pulse or 0 for v in vitals(subject, range(900, 960)))
    assert beats == pytest.approx(shown, abs=2)


@pytest.mark.parametrize("seed", range(5))
def test_slow_apnoea_slows_stops_desaturates_and_recovers(seed: int, patient: PatientOf) -> None:
    subject = patient("slow-apnoea", seed)
    flat = subject.co2_samples(20 * 1570, 20 * 54)
    assert max(flat) < 8
    assert breaths_in(flat) == 0
    course = {s: subject.vitals(instant_at(s)) for s in range(1500, 1900)}
    slow = [s for s in range(1500, 1580) if (course[s].resp_rate or 99) < 8]
    assert 1530 <= slow[0] <= 1560
    assert slow[-1] - slow[0] >= 12
    assert all(course[s].resp_rate is None for s in range(1582, 1625))
    assert all(course[s].etco2 is None for s in range(1582, 1625))
    low = [s for s, shown in course.items() if shown.spo2 is not None and shown.spo2 < 90]
    assert 1575 <= low[0] <= 1625
    assert 55 <= min(shown.spo2 or 100 for shown in course.values()) <= 82
    again = [s for s in range(1625, 1660) if course[s].resp_rate is not None]
    assert again
    assert all((course[s].resp_rate or 0) >= 11 for s in range(again[0], 1800))
    assert (course[1800].spo2 or 0) >= 94
    assert (course[1800].resp_rate or 0) >= 11


@pytest.mark.hazard("H2")
@pytest.mark.parametrize("seed", range(3))
def test_a_cannula_that_slips_leaves_flat_co2_and_good_saturation(
    seed: int, patient: PatientOf
) -> None:
    subject = patient("cannula-off", seed)
    flat = subject.co2_samples(20 * 1504, 20 * 86)
    assert max(flat) < 1
    shown = vitals(subject, range(1500, 1640))
    assert all((v.spo2 or 0) >= 96 for v in shown)
    assert all(v.resp_rate is None for v in shown[30:88])
    assert min(v.resp_rate for v in shown[:30] if v.resp_rate is not None) < 10
    assert subject.no_breath_s(instant_at(1560)) is not None
    assert subject.no_breath_s(instant_at(1490)) is None
    assert subject.sao2(instant_at(1560)) > 96
    assert (subject.vitals(instant_at(1640)).resp_rate or 0) >= 11


def test_a_probe_that_falls_off_takes_its_numbers_and_wave_and_says_so(patient: PatientOf) -> None:
    subject = patient("probe-off", 1)
    assert subject.notices(instant_at(1499)) == frozenset()
    for s in range(1500, 1620):
        shown = subject.vitals(instant_at(s))
        assert (shown.spo2, shown.pulse, shown.perfusion) == (None, None, None)
        assert shown.etco2 is not None
        assert subject.notices(instant_at(s)) == {NoticeKind.SENSOR_OFF}
    assert len(set(subject.pleth_samples(75 * 1501, 75))) == 1
    assert subject.notices(instant_at(1621)) == {NoticeKind.SEARCHING}
    assert subject.vitals(instant_at(1621)).spo2 is None
    assert (subject.vitals(instant_at(1640)).spo2 or 0) >= 96


def test_a_cuff_on_the_probe_arm_makes_saturation_sag_then_vanish_then_return(
    patient: PatientOf,
) -> None:
    subject = patient("cuff-on-probe-arm", 1)
    shown = {s: subject.vitals(instant_at(s)) for s in range(1490, 1560)}
    assert (shown[1499].spo2 or 0) >= 96
    assert (shown[1514].spo2 or 100) < 92
    assert all(shown[s].spo2 is None for s in range(1516, 1534))
    assert all((shown[s].spo2 or 0) >= 96 for s in range(1543, 1560))
    assert subject.sao2(instant_at(1515)) > 96
    assert NoticeKind.LOW_PERFUSION in subject.notices(instant_at(1510))
    before = subject.pleth_samples(75 * 1490, 150)
    under = subject.pleth_samples(75 * 1515, 150)
    assert np.ptp(under) < 0.06 * np.ptp(before)


def test_a_cuff_that_is_off_the_arm_is_not_felt(patient: PatientOf) -> None:
    subject = patient("cuff-on-probe-arm", 1)
    assert (subject.vitals(instant_at(1520), NO_OCCLUSION).spo2 or 0) >= 96
    assert subject.notices(instant_at(1520), NO_OCCLUSION) == frozenset()
    free = subject.pleth_samples(75 * 1515, 150, occlusion=NO_OCCLUSION)
    assert np.ptp(free) > 58


@given(lasts=st.integers(1, 180), after=st.integers(0, 60))
def test_what_a_cuff_did_is_over_a_quarter_minute_after_release(lasts: int, after: int) -> None:
    occlusion = Occlusion(100.0, 100.0 + lasts)
    s = occlusion.end_s + after
    sag = occlusion.sag(s)
    assert sag is None or 0 <= sag <= 10
    if after >= 15:
        assert sag == 0
        assert not occlusion.matters(s)
        assert occlusion.pulse_share(np.array([s]))[0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_the_hypertensive_course_crosses_its_limits_where_it_says(
    seed: int, patient: PatientOf
) -> None:
    subject = patient("hypertensive-peak", seed)
    readings = {s: subject.cuff_reading(instant_at(s)) for s in range(30, 4500, 300)}
    for s, reading in readings.items():
        assert reading is not None
        assert reading.taken == instant_at(s)
        if s < 2730:
            assert (reading.sys > 160) == (s >= 930)
    peak = readings[2430]
    assert peak is not None
    assert peak.sys > 180
    last = readings[4230]
    assert last is not None
    assert last.sys < peak.sys - 20


def test_a_cuff_reading_is_the_same_until_the_next_one(patient: PatientOf) -> None:
    subject = patient("quiet", 1)
    assert subject.cuff_reading(instant_at(29)) is None
    readings = {subject.cuff_reading(instant_at(s)) for s in range(330, 630)}
    assert len(readings) == 1


def test_a_session_may_outlast_its_course(patient: PatientOf) -> None:
    subject = Patient(load("quiet"), 9)
    late = subject.vitals(instant_at(3 * 3600))
    assert late == subject.vitals(instant_at(3 * 3600))
    assert late.spo2 is not None
    assert subject.effect_ng_ml(instant_at(3 * 3600)) < 40
    assert subject.vitals(instant_at(4000)) == patient("quiet", 9).vitals(instant_at(4000))
    assert len(subject.co2_samples(int(CO2_RATE_HZ) * 10_800, 20)) == 20


def test_different_seeds_are_different_people_on_the_same_course(patient: PatientOf) -> None:
    at = Instant(600_000_000_000)
    waves = {tuple(patient("quiet", seed).co2_samples(12_000, 100)) for seed in range(6)}
    assert len(waves) == 6
    assert len({patient("quiet", seed).vitals(at) for seed in range(6)}) == 6
