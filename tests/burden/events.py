"""What truly happens to a drawn patient: the course of the simulator, and falls and rises on top.

Everything is drawn from one seed. The distributions are ours, chosen so that each study meets
cases that are plainly beyond its limit, cases that hardly are, and cases that are not:

=============  ==================================================================================
fall           of SpO2: by a lognormal amount (median 7 %, sigma 0.5), 0.2 to 1 %/s down, at the
               bottom for a lognormal time (median 20 s, sigma 0.8), 0.3 to 1 %/s up
slow           breathing at 3 to 9.5 a minute for 40 to 150 s, reached within 10 s
pause          no breath for 12 to 80 s, then 18 breaths a minute for 40 s
rise           of EtCO2 to about 44 to 62 mmHg within 30 s, for 20 to 180 s, back within 30 s
cannula off    10 to 90 s: the patient breathes, nothing sees it
probe off      5 to 60 s
=============  ==================================================================================
"""

from math import exp
from random import Random
from typing import Final, NamedTuple

import numpy as np

from simulators.chance import Floats
from simulators.scenario import (
    AnyEvent,
    Apnoea,
    CannulaOff,
    Cuff,
    Dose,
    Hypoventilation,
    PatientFacts,
    ProbeOff,
    Scenario,
)

_FIRST_S: Final = 240.0
_LAST_S: Final = 240.0
_RAMP_S: Final = 30.0
_CO2_USUAL: Final = 38.0
_KINDS: Final = ("fall", "fall", "slow", "pause", "rise", "rise", "equipment")


class Shift(NamedTuple):
    """A value shifted by `amount` from `start_s`: `down_s` to get there, `stay_s`, `back_s`."""

    start_s: float
    amount: float
    there_s: float
    stay_s: float
    back_s: float

    @property
    def end_s(self) -> float:
        """Return when nothing of it is left."""
        return self.start_s + self.there_s + self.stay_s + self.back_s

    def along(self, at_s: Floats) -> Floats:
        """Return the shift at each of `at_s`."""
        since = at_s - self.start_s
        going = np.clip(since / self.there_s, 0, 1)
        coming = np.clip((since - self.there_s - self.stay_s) / self.back_s, 0, 1)
        shift: Floats = self.amount * (going - coming)
        return shift


class Drawn(NamedTuple):
    """A drawn patient: the scenario for the simulator, falls of SpO2 and rises of EtCO2 on top."""

    scenario: Scenario
    falls: tuple[Shift, ...]
    rises: tuple[Shift, ...]


def draw_patient(seed: int, length_s: float) -> Drawn:
    """Return what happens to the patient of `seed` within `length_s` seconds."""
    chance = Random(seed)
    facts = _draw_facts(chance)
    falls: list[Shift] = []
    rises: list[Shift] = []
    events: list[AnyEvent] = []
    at_s = _FIRST_S
    while at_s < length_s - _LAST_S:
        kind = chance.choice(_KINDS)
        if kind == "fall":
            falls.append(_draw_fall(chance, at_s))
            end_s = falls[-1].end_s
        elif kind == "rise":
            rises.append(_draw_rise(chance, at_s))
            end_s = rises[-1].end_s
        else:
            events.append(_draw_event(chance, kind, at_s))
            end_s = events[-1].until_s + 60
        at_s = end_s + chance.uniform(100, 260)
    scenario = Scenario(
        title=f"drawn {seed}",
        description="drawn for the burden study",
        length_s=length_s + 300,
        patient=facts,
        dose=Dose(),
        cuff=Cuff(on_probe_arm=chance.random() < 0.25),
        events=tuple(events),
    )
    return Drawn(scenario, tuple(falls), tuple(rises))


def _draw_facts(chance: Random) -> PatientFacts:
    """One in five has a resting saturation of 92 to 95 %, one in five breathes 9 to 11 a minute."""
    spo2 = chance.uniform(92, 95.5) if chance.random() < 0.2 else chance.uniform(96, 99)
    slow = chance.random() < 0.2
    return PatientFacts(
        spo2=spo2, resp_rate=chance.uniform(9, 11) if slow else chance.uniform(12, 17)
    )


def _draw_fall(chance: Random, at_s: float) -> Shift:
    amount = min(25.0, 7 * exp(chance.gauss(0, 0.5)))
    stays_s = min(180.0, 20 * exp(chance.gauss(0, 0.8)))
    down_s, back_s = amount / chance.uniform(0.2, 1.0), amount / chance.uniform(0.3, 1.0)
    return Shift(at_s, -amount, down_s, stays_s, back_s)


def _draw_rise(chance: Random, at_s: float) -> Shift:
    amount = chance.uniform(44, 62) - _CO2_USUAL
    return Shift(at_s, amount, _RAMP_S, chance.uniform(20, 180), _RAMP_S)


def _draw_event(chance: Random, kind: str, at_s: float) -> AnyEvent:
    if kind == "slow":
        until_s, rate = at_s + chance.uniform(40, 150), chance.uniform(3, 9.5)
        return Hypoventilation(at_s=at_s, until_s=until_s, rate_per_min=rate, ramp_s=10)
    if kind == "pause":
        return Apnoea(at_s=at_s, until_s=at_s + chance.uniform(12, 80), recovery_s=40)
    if chance.random() < 0.5:
        return CannulaOff(at_s=at_s, until_s=at_s + chance.uniform(10, 90))
    return ProbeOff(at_s=at_s, until_s=at_s + chance.uniform(5, 60))
