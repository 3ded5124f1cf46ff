"""A session of the study: what devices showed each second, and what was true meanwhile.

The simulator gives patient and devices (`simulators.physiology`); falls, rises and artefacts are
laid over. Truth is taken at the sensor, before any averaging: saturation at the finger, breaths at
the mouth. So a detection delay holds the averaging of the device, the delay of the limit, and
whatever the alarm core adds.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.event import DeviceNotice, NoticeKind
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from simulators.chance import Floats
from simulators.course import WARM_S, Course
from simulators.physiology import Patient, Vitals
from simulators.scenario import Apnoea, CannulaOff, Scenario, load
from tests.burden.artefacts import Shown, spoil
from tests.burden.events import Drawn, Shift, draw_patient
from tests.burden.grid import Study

Flags = npt.NDArray[np.bool_]
WAVE_HZ: Final = 10.0
_GAP_S: Final = 5
_CIRCULATION_S: Final = 15
_AVERAGE_S: Final = 8
_CO2_LATE_S: Final = 4
_BREATHS_BACK_S: Final = 25
_DEEP_BELOW: Final = 85.0


class Episode(NamedTuple):
    """Something true from `start_s` to `end_s`; `is_deep` marks the graver half of its kind."""

    start_s: float
    end_s: float
    is_deep: bool = False


class Session(NamedTuple):
    """One session. `shown` holds a value a second, None where the device shows dashes.

    `silent` says of each second whether the cable was pulled. `wave` is CO2 at `WAVE_HZ`.
    """

    name: str
    length_s: int
    shown: dict[Metric, Shown]
    silent: dict[Metric, list[bool]]
    wave: list[float]
    notices: tuple[tuple[int, DeviceNotice], ...]
    truths: dict[Study, tuple[Episode, ...]]

    @property
    def hours(self) -> float:
        """Return how long it is, in hours."""
        return self.length_s / 3600


class Plan(NamedTuple):
    """Which session to make: a shipped scenario by name, or a drawn one where there is none."""

    seed: int
    length_s: int
    scenario: str = ""
    is_poor: bool = False


def make(plan: Plan) -> Session:
    """Return the session of a plan; the same plan gives the same session."""
    if plan.scenario:
        drawn = Drawn(load(plan.scenario), (), ())
    else:
        drawn = draw_patient(plan.seed, plan.length_s)
    patient = Patient(drawn.scenario, plan.seed)
    seconds = range(plan.length_s)
    vitals = [patient.vitals(instant_at(s)) for s in seconds]
    shown = _shown(vitals, drawn)
    _print_zeros(shown, drawn.scenario)
    truths = _truths(patient, drawn, vitals)
    if not plan.scenario:
        spoil(
            Random(plan.seed + 1_000_000),
            shown[Metric.SPO2],
            shown[Metric.ETCO2],
            shown[Metric.RESP_RATE],
            is_poor=plan.is_poor,
        )
    kind = plan.scenario or ("poor" if plan.is_poor else "quiet")
    return Session(
        name=f"{kind} {plan.seed}",
        length_s=plan.length_s,
        shown=shown,
        silent={
            each: [drawn.scenario.cut({each}, s) for s in seconds]
            for each in (*shown, Metric.CO2_WAVE)
        },
        wave=patient.co2_samples(0, int(plan.length_s * WAVE_HZ), WAVE_HZ),
        notices=tuple(_cuff_notices(drawn.scenario, plan.length_s)),
        truths=truths,
    )


def _shown(vitals: Sequence[Vitals], drawn: Drawn) -> dict[Metric, Shown]:
    at_s = np.arange(len(vitals), dtype=np.float64)
    fall = _averaged(_sum(drawn.falls, at_s))
    rise = _sum(drawn.rises, at_s - _CO2_LATE_S)
    spo2: Shown = [
        None if each.spo2 is None else float(max(40, min(100, round(each.spo2 + by))))
        for each, by in zip(vitals, fall.tolist(), strict=True)
    ]
    etco2: Shown = [
        None if each.etco2 is None else float(round(each.etco2 + by))
        for each, by in zip(vitals, rise.tolist(), strict=True)
    ]
    return {
        Metric.SPO2: spo2,
        Metric.PULSE_RATE: [None if each.pulse is None else float(each.pulse) for each in vitals],
        Metric.ETCO2: etco2,
        Metric.RESP_RATE: [
            None if each.resp_rate is None else float(each.resp_rate) for each in vitals
        ],
    }


def _sum(shifts: Sequence[Shift], at_s: Floats) -> Floats:
    total = np.zeros(len(at_s))
    for each in shifts:
        total += each.along(at_s)
    return total


def _averaged(values: Floats) -> Floats:
    """Return what an oximeter that averages the last 8 s makes of it."""
    sums = np.concatenate([np.zeros(_AVERAGE_S), np.cumsum(values)])
    averaged: Floats = (sums[_AVERAGE_S:] - sums[:-_AVERAGE_S]) / _AVERAGE_S
    return averaged


def _cuff_notices(scenario: Scenario, length_s: int) -> Iterator[tuple[int, DeviceNotice]]:
    """Yield when a cuff on the probe's arm inflates and is empty; the chair hears its monitor."""
    cuff = scenario.cuff
    start_s = cuff.first_s
    while cuff.on_probe_arm and start_s + cuff.inflated_s < length_s:
        for at_s, present in ((start_s, True), (start_s + cuff.inflated_s, False)):
            at = Instant(instant_at(at_s))
            yield int(at_s), DeviceNotice(NoticeKind.CUFF_INFLATING, at, present)
        start_s += cuff.every_s


def _print_zeros(shown: dict[Metric, Shown], scenario: Scenario) -> None:
    """Print a rate of 0 where no breath is seen, as most capnographs do, in place of dashes."""
    spans = [each for each in scenario.events if isinstance(each, Apnoea | CannulaOff)]
    rates, etco2 = shown[Metric.RESP_RATE], shown[Metric.ETCO2]
    for second, rate in enumerate(rates):
        if rate is not None or etco2[second] is not None:
            continue
        if any(each.at_s <= second <= each.until_s + _BREATHS_BACK_S for each in spans):
            rates[second] = etco2[second] = 0.0


# -- truth -----------------------------------------------------------------------------------------


def _truths(
    patient: Patient, drawn: Drawn, vitals: Sequence[Vitals]
) -> dict[Study, tuple[Episode, ...]]:
    course = Course(drawn.scenario, patient.traits, patient.seed)
    count = len(vitals)
    at_s = np.arange(count, dtype=np.float64)
    course.reach(count)
    first = WARM_S - _CIRCULATION_S
    arterial = course.sao2[first : first + count] + (patient.traits.spo2 - course.sao2[0])
    finger = arterial + _sum(drawn.falls, at_s)
    rates = course.resp_rate[WARM_S : WARM_S + count]
    # Without breaths there is no end-tidal CO2 to be high.
    tidal = np.array([0.0 if each.etco2 is None else float(each.etco2) for each in vitals])
    tidal += np.where(tidal > 0, _sum(drawn.rises, at_s), 0.0)
    return {
        Study.SATURATION: episodes(finger < 90, 10, deep=finger < _DEEP_BELOW),
        Study.BREATHS: episodes(rates < 8, 20, deep=rates < 5),
        Study.CO2: episodes(tidal > 50, 10, deep=tidal > 55),
        Study.PAUSES: tuple(_pauses(course, count)),
        Study.PRESSURE: (),
    }


def episodes(holds: Flags, least_s: int, *, deep: Flags) -> tuple[Episode, ...]:
    """Return the runs of true seconds that last at least `least_s`, a short gap bridged."""
    holds = _bridged(holds)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], holds, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return tuple(
        Episode(start, end, bool(deep[start:end].any()))
        for start, end in runs
        if end - start >= least_s
    )


def _bridged(holds: Flags) -> Flags:
    """Close gaps of up to `_GAP_S` seconds between true ones: a value that flickers is one run."""
    places = np.flatnonzero(holds)
    closed = holds.copy()
    for before, after in pairwise(places.tolist()):
        if 1 < after - before <= _GAP_S + 1:
            closed[before:after] = True
    return closed


def _pauses(course: Course, count: int, least_s: float = 30.0) -> Iterator[Episode]:
    """Yield pauses from the end of one breath to the beginning of the next."""
    ends = course.breath_at_s + course.breath_s
    for end_s, next_s in zip(ends[:-1].tolist(), course.breath_at_s[1:].tolist(), strict=True):
        if 0 <= end_s < count and next_s - end_s >= least_s:
            yield Episode(end_s, next_s, next_s - end_s >= 45)
