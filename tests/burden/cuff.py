"""Sessions of a cuff: how high pressure truly was, and what was read every so many minutes."""

from random import Random
from typing import NamedTuple

import msgspec
import numpy as np

from monitor.model.instant import instant_at
from simulators.course import SYS_PER_NG_ML
from simulators.physiology import Patient
from tests.burden.events import draw_patient
from tests.burden.sessions import Episode, episodes

_STEP_S = 10
_HIGH_MMHG = 160
_SEVERE_MMHG = 180


class Readings(NamedTuple):
    """One session of a cuff: readings as (second, systolic, diastolic, mean), and what was true."""

    readings: tuple[tuple[int, int, int, int], ...]
    truths: tuple[Episode, ...]


def make_readings(patient: Patient, every_s: float, length_s: int, *, is_poor: bool) -> Readings:
    """Return what a cuff reads every `every_s`; in a poor session one in twelve is wrong."""
    chance = Random(patient.seed + 2_000_000)
    taken: list[tuple[int, int, int, int]] = []
    for count in range(int(length_s / every_s)):
        second = int(count * every_s) + 30
        vitals = patient.vitals(instant_at(second))
        off = chance.choice((-25, 20, 30, 40)) if is_poor and chance.random() < 1 / 12 else 0
        taken.append((second, vitals.sys + off, vitals.dia + off // 2, vitals.mean + off // 2))
    steps = range(0, length_s, _STEP_S)
    effects = np.array([patient.effect_ng_ml(instant_at(s)) for s in steps])
    sys = patient.traits.sys + SYS_PER_NG_ML * patient.traits.gain_sys * effects
    high, severe = np.repeat(sys > _HIGH_MMHG, _STEP_S), np.repeat(sys > _SEVERE_MMHG, _STEP_S)
    return Readings(tuple(taken), episodes(high, 300, deep=severe))


def draw_responder(seed: int, length_s: int) -> Patient:
    """Return a patient under an infusion; two in five begin high and respond strongly."""
    chance = Random(seed + 3_000_000)
    drawn = draw_patient(seed, length_s).scenario
    facts = drawn.patient
    if chance.random() < 0.4:
        sys, gain = chance.uniform(125, 150), chance.uniform(1.5, 5)
        facts = msgspec.structs.replace(facts, sys=sys, gain_sys=gain)
    return Patient(msgspec.structs.replace(drawn, patient=facts, events=()), seed)
