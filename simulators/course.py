"""What goes on inside one patient, second by second, before any device measures it.

`Course` integrates the drug, breathing, gases and heart once, in order, and keeps a row for each
second; everything else is a look-up. So every question has one answer, in whatever order it is put.
The course begins `WARM_S` seconds before the session opens: the patient was breathing already.

The links from effect site to pressure and rate are calibrated to pooled trials (mean peak rise
12.6/8.4 mmHg, 4 per minute); their spread between people is lognormal. They describe a population,
and are no prediction for anybody.
"""

from math import exp, log, sqrt
from typing import Final

import msgspec
import numpy as np

from simulators.chance import Floats, Stream, normal, uniform, wander
from simulators.gases import Gases, saturation
from simulators.kinetics import Kinetics
from simulators.scenario import Apnoea, Hypoventilation, PatientFacts, Scenario

WARM_S: Final = 60
_BLOCK_S: Final = 3600
SYS_PER_NG_ML: Final = 0.057
DIA_PER_NG_ML: Final = 0.038
HEART_RATE_PER_NG_ML: Final = 0.0185
RESP_RATE_PER_NG_ML: Final = 0.003
_GAIN_CV: Final = 0.7
_GAIN_CORRELATION: Final = 0.7
_OLDER_FROM: Final = 50
_OLDER_GAIN: Final = 1.4
_PULSE_PRESSURE_MIN: Final = 25.0
_ALVEOLAR_ARTERIAL_MMHG: Final = 5.0
_RETURN_S: Final = 10.0
_SINUS_ARRHYTHMIA: Final = 1.5
_HYPOXIC_BELOW: Final = 92.0
_HYPOXIC_GAIN: Final = 0.8
_HYPOXIC_RISE_MAX: Final = 25.0
_BREATH_S_MAX: Final = 6.0


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One person at rest, and how strongly this person responds to the drug."""

    weight_kg: float
    sys: float
    dia: float
    heart_rate: float
    resp_rate: float
    paco2: float
    spo2: float
    temp: float
    perfusion: float
    gain_sys: float
    gain_dia: float


def draw_traits(facts: PatientFacts, seed: int) -> Traits:
    """Return a person: what `facts` fixes, and the rest drawn from the population by `seed`."""
    draws = normal(seed, Stream.TRAITS, np.arange(8))
    share = uniform(seed, Stream.TRAITS, np.arange(100, 104))
    older = _OLDER_GAIN if facts.age >= _OLDER_FROM else 1.0
    # A rise of systolic pressure mostly comes with one of diastolic pressure.
    along = _GAIN_CORRELATION * draws[4] + sqrt(1 - _GAIN_CORRELATION**2) * draws[5]
    sys = _given(facts.sys, min(160.0, max(95.0, 125 + 14 * draws[0])))
    dia = _given(facts.dia, min(100.0, max(50.0, 78 + 9 * draws[1])))
    return Traits(
        weight_kg=facts.weight_kg,
        sys=sys,
        dia=min(dia, sys - _PULSE_PRESSURE_MIN),
        heart_rate=_given(facts.heart_rate, min(95.0, max(52.0, 70 + 9 * draws[2]))),
        resp_rate=_given(facts.resp_rate, 12 + 4 * share[0]),
        paco2=39 + 6 * share[1],
        spo2=_given(facts.spo2, 97 + 2 * share[2]),
        temp=float(36.6 + 0.2 * draws[3]),
        perfusion=1.5 + 3 * float(share[3]),
        gain_sys=_given(facts.gain_sys, older * _gain(draws[4])),
        gain_dia=_given(facts.gain_dia, older * _gain(along)),
    )


def _given(fixed: float | None, drawn: float) -> float:
    return float(drawn) if fixed is None else fixed


def _gain(draw: float) -> float:
    """Return a lognormal gain of mean 1."""
    variance = log(1 + _GAIN_CV**2)
    return exp(sqrt(variance) * draw - variance / 2)


def breathing_rate(scenario: Scenario, s: float, own: float) -> float:
    """Return the rate at `s` of a patient who by himself would breathe `own` times a minute."""
    rate = own
    for event in scenario.events:
        if isinstance(event, Hypoventilation):
            into = _ramp(s - event.at_s, event.ramp_s)
            out = _ramp(s - event.until_s, _RETURN_S)
            rate += (event.rate_per_min - rate) * (into - out)
        elif isinstance(event, Apnoea):
            if event.covers(s):
                return 0.0
            if 0 <= s - event.until_s < event.recovery_s:
                rate = event.recovery_rate_per_min
    return rate


def _ramp(since_s: float, over_s: float) -> float:
    return min(1.0, max(0.0, since_s / over_s))


class Course:
    """Rows of one patient, one a second; row 0 is `WARM_S` before the opening.

    `effect` and `plasma` in ng/mL, `paco2` in mmHg, `sao2` in %, rates per minute; `breaths` and
    `beats` count since the first row, as fractions. `breath_at_s` and `breath_s` say of each breath
    when its inspiration begins and how long it lasts (6 s at most; then the patient rests).
    """

    def __init__(self, scenario: Scenario, traits: Traits, seed: int) -> None:
        self.traits = traits
        self._scenario = scenario
        self._seed = seed
        self._kinetics = Kinetics(traits.weight_kg)
        self._gases = Gases(traits.paco2, traits.resp_rate)
        self._rows = np.zeros((0, 8))
        self._counts = (0.0, 0.0)
        self.reach(scenario.length_s + 1)

    def reach(self, until_s: float) -> None:
        """Make sure that there are rows up to `until_s` and one beyond."""
        missing = int(until_s) + WARM_S + 2 - len(self._rows)
        if missing > 0:
            whole = missing if not len(self._rows) else -(-missing // _BLOCK_S) * _BLOCK_S
            self._rows = np.concatenate([self._rows, self._block(len(self._rows), whole)])
            self._name_columns()

    def row(self, s: float) -> int:
        """Return the row of the second that holds `s`; the first one for all before."""
        return max(0, int(s // 1) + WARM_S)

    def along(self, at_s: Floats, column: Floats) -> Floats:
        """Return a column's values at `at_s`, straight between rows."""
        place = np.clip(at_s + WARM_S, 0, len(column) - 1.001)
        before = place.astype(np.int64)
        straight: Floats = column[before] + (place - before) * (column[before + 1] - column[before])
        return straight

    def _name_columns(self) -> None:
        (
            self.effect,
            self.plasma,
            self.resp_rate,
            self.paco2,
            self.sao2,
            self.heart_rate,
            self.breaths,
            self.beats,
        ) = np.ascontiguousarray(self._rows.T)
        whole = np.arange(1, int(self.breaths[-1]) + 1)
        after = np.searchsorted(self.breaths, whole, side="left")
        before = self.breaths[after - 1]
        share = (whole - before) / (self.breaths[after] - before)
        self.breath_at_s: Floats = after - 1 + share - WARM_S
        rates = np.maximum(self.resp_rate[after - 1], 60 / _BREATH_S_MAX)
        self.breath_s: Floats = 60 / rates

    def _block(self, first: int, count: int) -> Floats:
        """Integrate `count` seconds on from row `first`."""
        seconds = np.arange(first, first + count) - WARM_S
        resp_drift = np.clip(0.5 * wander(self._seed, Stream.BREATHING, seconds, 12), -1, 1)
        heart_drift = np.clip(1.5 * wander(self._seed, Stream.HEART, seconds, 15), -4, 4)
        drifts = zip(seconds.tolist(), resp_drift.tolist(), heart_drift.tolist(), strict=True)
        return np.array([self._second(*each) for each in drifts])

    def _second(self, s: int, resp_drift: float, heart_drift: float) -> tuple[float, ...]:
        """Return the row of the second that begins at `s`, and let it pass."""
        traits, kinetics, gases = self.traits, self._kinetics, self._gases
        effect, plasma = kinetics.effect_ng_ml, kinetics.plasma_ng_ml
        own_rate = traits.resp_rate + RESP_RATE_PER_NG_ML * effect + resp_drift
        resp_rate = breathing_rate(self._scenario, s, own_rate)
        sao2 = saturation(gases.pao2 - _ALVEOLAR_ARTERIAL_MMHG)
        breaths, beats = self._counts
        # Ketamine damps the sinus arrhythmia.
        swing = _SINUS_ARRHYTHMIA * (1 - min(0.7, effect / 400)) * np.sin(2 * np.pi * breaths)
        hypoxic = min(_HYPOXIC_RISE_MAX, _HYPOXIC_GAIN * max(0.0, _HYPOXIC_BELOW - sao2))
        own_heart = traits.heart_rate + HEART_RATE_PER_NG_ML * effect
        heart_rate = own_heart + heart_drift + float(swing) + hypoxic
        row = (effect, plasma, resp_rate, gases.paco2, sao2, heart_rate, breaths, beats)
        self._counts = (breaths + resp_rate / 60, beats + heart_rate / 60)
        kinetics.advance(self._scenario.rate_mg_min(s))
        gases.advance(resp_rate)
        return row
