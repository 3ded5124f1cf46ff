"""A patient as the bedside sees one: scenario x seed x instant to vital signs and waveforms.

Truth stands in `simulators.course`; here it goes through what measuring does to it: an oximeter
that averages 8 s and lags the lungs by 15, a capnograph that knows a breath only once it is over
and 2.5 s of tube later, a cuff that is off by a few mmHg. Delays and averages are those of common
devices, not of one.

Every function takes an instant and remembers nothing that matters: asked twice, in any order, at
any rate, it answers the same.
"""

from functools import lru_cache
from math import inf
from typing import Final

import msgspec
import numpy as np

from monitor.model.event import NoticeKind
from monitor.model.instant import Instant, in_seconds, instant_at
from simulators import waves
from simulators.chance import Floats, Stream, normal, wander
from simulators.course import DIA_PER_NG_ML, SYS_PER_NG_ML, Course, draw_traits
from simulators.scenario import CannulaOff, ProbeOff, Scenario

CO2_RATE_HZ: Final = 20.0
PLETH_RATE_HZ: Final = 75.0
PLETH_MAX: Final = 255
"""The pulse wave has no unit; this is the range of an 8-bit module, the commonest there is."""

CO2_BASELINE_MIN: Final = 0.0
NO_BREATH_S: Final = 20.0

_CIRCULATION_S: Final = 15
_OXIMETER_AVERAGE_S: Final = 8
_HEART_AVERAGE_S: Final = 4
_SEARCH_S: Final = 6.0
_BREATHS_AVERAGED: Final = 4
_CUFF_ERROR_MMHG: Final = 2.5
_CUFF_ERROR_MAX: Final = 5.0
_MEAN_SHARE: Final = 0.36
_BLOCK_S: Final = 60

# What a cuff on the same arm does to an oximeter, in seconds from inflation and from release.
_SAG_FROM_S: Final = 4.0
_PULSE_GONE_S: Final = 16.0
_SAG_MAX: Final = 10.0
_PULSE_BACK_S: Final = 4.0
_SAG_OVER_S: Final = 12.0
_OCCLUDED_PERFUSION: Final = 0.2
_OCCLUDED_PLETH: Final = 0.03


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What devices show at one instant; None where they show dashes.

    Saturations and perfusion in %, rates per minute, pressures in mmHg, `temp` in Cel. `sys`, `dia`
    and `mean` are what a cuff that finishes at this second reads.
    """

    spo2: int | None
    pulse: int | None
    perfusion: float | None
    resp_rate: int | None
    etco2: int | None
    fico2: int | None
    hr: int
    sys: int
    dia: int
    mean: int
    temp: float


class CuffReading(msgspec.Struct, frozen=True, kw_only=True):
    """A finished cuff reading, in mmHg and per minute; `taken` is when the cuff was done."""

    taken: Instant
    sys: int
    dia: int
    mean: int
    pulse: int


class Occlusion(msgspec.Struct, frozen=True):
    """A cuff on the probe's arm is inflated from `start_s` until `end_s`."""

    start_s: float
    end_s: float = inf

    def sag(self, s: float) -> float | None:
        """Return by how many points SpO2 reads too low at `s`; None while no pulse is found."""
        since, released = s - self.start_s, s - self.end_s
        if released >= 0:
            reached = self._sag_after(self.end_s - self.start_s)
            if reached is None and released < _PULSE_BACK_S:
                return None
            share = max(0.0, 1 - released / _SAG_OVER_S)
            return (_SAG_MAX if reached is None else reached) * share
        return self._sag_after(since)

    def _sag_after(self, since: float) -> float | None:
        if since >= _PULSE_GONE_S:
            return None
        return _SAG_MAX * max(0.0, since - _SAG_FROM_S) / (_PULSE_GONE_S - _SAG_FROM_S)

    def pulse_share(self, at_s: Floats) -> Floats:
        """Return which share of the pulse wave is left at each of `at_s`."""
        closing = np.clip((at_s - self.start_s) / 3.0, 0, 1)
        opening = np.clip((at_s - self.end_s) / 2.0, 0, 1)
        share: Floats = 1 - (1 - _OCCLUDED_PLETH) * closing * (1 - opening)
        return share

    def matters(self, s: float) -> bool:
        """Return whether the oximeter still feels it at `s`."""
        return self.start_s <= s < self.end_s + _SAG_OVER_S


NO_OCCLUSION: Final = Occlusion(-1e9, -1e9)


class Patient:
    """One patient on one course.

    `occlusion` arguments stand in for the cuff times of the course; None means those times.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.traits = draw_traits(scenario.patient, seed)
        self._course = Course(scenario, self.traits, seed)
        self._seen_of = -1
        self._seen = np.zeros(0, dtype=np.int64)
        self._seen_at_s = np.zeros(0)
        self._co2_block = lru_cache(maxsize=8)(self._make_co2_block)
        self._pleth_block = lru_cache(maxsize=8)(self._make_pleth_block)
        self._drift_block = lru_cache(maxsize=16)(self._make_drift_block)
        self._cuff_errors = lru_cache(maxsize=8)(self._make_cuff_errors)

    def vitals(self, now: Instant, occlusion: Occlusion | None = None) -> Vitals:
        """Return what devices show at `now`."""
        s = int(in_seconds(now))
        self._course.reach(s)
        spo2, pulse, perfusion = self._oximeter(s, occlusion or self.scheduled_occlusion(now))
        resp_rate, etco2, fico2 = self._capnograph(in_seconds(now))
        sys, dia, mean = self._pressures(s)
        drift = self._drift(Stream.TEMPERATURE, s, 600)
        return Vitals(
            spo2=spo2,
            pulse=pulse,
            perfusion=perfusion,
            resp_rate=resp_rate,
            etco2=etco2,
            fico2=fico2,
            hr=self._rate(s),
            sys=sys,
            dia=dia,
            mean=mean,
            temp=round(self.traits.temp + 0.1 * drift, 1),
        )

    def cuff_reading(self, now: Instant) -> CuffReading | None:
        """Return the newest reading of a cuff that measures by the course's own times."""
        cuff = self.scenario.cuff
        count = (in_seconds(now) - cuff.first_s - cuff.inflated_s) // cuff.every_s
        if count < 0:
            return None
        taken_s = cuff.first_s + count * cuff.every_s + cuff.inflated_s
        self._course.reach(taken_s)
        sys, dia, mean = self._pressures(int(taken_s))
        return CuffReading(
            taken=instant_at(taken_s), sys=sys, dia=dia, mean=mean, pulse=self._rate(int(taken_s))
        )

    def scheduled_occlusion(self, now: Instant) -> Occlusion | None:
        """Return the newest inflation by the course's times, if that cuff is on the probe's arm."""
        cuff = self.scenario.cuff
        count = (in_seconds(now) - cuff.first_s) // cuff.every_s
        if not cuff.on_probe_arm or count < 0:
            return None
        start_s = cuff.first_s + count * cuff.every_s
        return Occlusion(start_s, start_s + cuff.inflated_s)

    def notices(self, now: Instant, occlusion: Occlusion | None = None) -> frozenset[NoticeKind]:
        """Return what an oximeter says of its own state at `now`."""
        s = in_seconds(now)
        if self._is_probe_off(s):
            return frozenset({NoticeKind.SENSOR_OFF})
        if self._is_searching(s):
            return frozenset({NoticeKind.SEARCHING})
        occlusion = occlusion or self.scheduled_occlusion(now)
        if occlusion is None or not occlusion.matters(s):
            return frozenset()
        if occlusion.sag(s) is None:
            return frozenset({NoticeKind.SEARCHING, NoticeKind.LOW_PERFUSION})
        return frozenset({NoticeKind.LOW_PERFUSION} if s < occlusion.end_s else ())

    def no_breath_s(self, now: Instant) -> int | None:
        """Return for how many seconds the capnograph has seen no breath, once it says so at all."""
        s = in_seconds(now)
        seen, _ = self._breaths_seen(s)
        since = s - (float(self._seen_at_s[seen - 1]) if seen else -inf)
        return int(since) if NO_BREATH_S < since < inf else None

    def plasma_ng_ml(self, now: Instant) -> float:
        """Return the drug's concentration in plasma."""
        return self._row_value("plasma", now)

    def effect_ng_ml(self, now: Instant) -> float:
        """Return the drug's concentration at the effect site."""
        return self._row_value("effect", now)

    def paco2(self, now: Instant) -> float:
        """Return arterial CO2 pressure in mmHg, which no device shows."""
        return self._row_value("paco2", now)

    def sao2(self, now: Instant) -> float:
        """Return arterial oxygen saturation in %, before any oximeter."""
        return self._row_value("sao2", now)

    def co2(self, now: Instant) -> float:
        """Return the CO2 that the capnograph shows at `now`, in mmHg."""
        return float(self._co2_at(np.array([in_seconds(now)]))[0])

    def pleth(self, now: Instant) -> int:
        """Return the pulse wave at `now`, 0..255."""
        sample = round(in_seconds(now) * PLETH_RATE_HZ)
        return int(self.pleth_samples(sample, 1)[0])

    def co2_samples(self, first: int, count: int, rate_hz: float = CO2_RATE_HZ) -> list[float]:
        """Return `count` samples of CO2 in mmHg; sample `n` is taken at `n / rate_hz` seconds."""
        size = int(_BLOCK_S * rate_hz)
        blocks = range(first // size, (first + count - 1) // size + 1)
        whole = np.concatenate([self._co2_block(block, rate_hz) for block in blocks])
        return _listed(whole[first - blocks[0] * size :][:count])

    def pleth_samples(
        self,
        first: int,
        count: int,
        rate_hz: float = PLETH_RATE_HZ,
        occlusion: Occlusion | None = None,
    ) -> list[float]:
        """Return `count` samples of the pulse wave, 0..255; sample `n` is at `n / rate_hz` s."""
        size = int(_BLOCK_S * rate_hz)
        blocks = range(first // size, (first + count - 1) // size + 1)
        whole = np.concatenate([self._pleth_block(block, rate_hz) for block in blocks])
        shown = whole[first - blocks[0] * size :][:count]
        at_s = np.arange(first, first + count) / rate_hz
        felt = occlusion or self.scheduled_occlusion(instant_at(float(at_s[-1])))
        if felt is not None:
            shown = waves.PLETH_MIDDLE + (shown - waves.PLETH_MIDDLE) * felt.pulse_share(at_s)
        return _listed(np.clip(np.rint(shown), 0, PLETH_MAX))

    def _make_co2_block(self, block: int, rate_hz: float) -> Floats:
        size = int(_BLOCK_S * rate_hz)
        sample = np.arange(block * size, (block + 1) * size)
        noise = waves.co2_noise(self.seed, sample)
        shown = np.maximum(CO2_BASELINE_MIN, self._co2_at(sample / rate_hz) + noise)
        return shown.round(2)

    def _co2_at(self, shown_at_s: Floats) -> Floats:
        at_s = shown_at_s - waves.SIDESTREAM_DELAY_S
        self._course.reach(float(at_s[-1]))
        gas = waves.capnogram(self._course, self.seed, at_s)
        for event in self.scenario.events:
            if isinstance(event, CannulaOff):
                gas = np.where((at_s >= event.at_s) & (at_s < event.until_s), 0.0, gas)
        return gas

    def _make_pleth_block(self, block: int, rate_hz: float) -> Floats:
        size = int(_BLOCK_S * rate_hz)
        sample = np.arange(block * size, (block + 1) * size)
        at_s = sample / rate_hz
        self._course.reach(float(at_s[-1]))
        wave = waves.pulse_wave(self._course, self.seed, at_s, sample)
        for event in self.scenario.events:
            if isinstance(event, ProbeOff):
                off = (at_s >= event.at_s) & (at_s < event.until_s)
                wave = np.where(off, waves.PLETH_MIDDLE, wave)
        return wave

    def _oximeter(
        self, s: int, occlusion: Occlusion | None
    ) -> tuple[int | None, int | None, float | None]:
        if self._is_probe_off(s) or self._is_searching(s):
            return None, None, None
        course, traits = self._course, self.traits
        drift = self._drift(Stream.OXIMETER, s, 20)
        # The oximeter's own bias makes this person's resting saturation what the traits say.
        arterial = self._recent(course.sao2, s, _CIRCULATION_S, _OXIMETER_AVERAGE_S)
        spo2 = arterial + (traits.spo2 - float(course.sao2[0])) + max(-0.6, min(0.6, 0.3 * drift))
        pulse = round(self._recent(course.heart_rate, s, 0, _OXIMETER_AVERAGE_S))
        swing = self._drift(Stream.PERFUSION, s, 40)
        perfusion = max(0.4, traits.perfusion * (1 + 0.1 * swing))
        if occlusion is not None and occlusion.matters(s):
            sag = occlusion.sag(s)
            if s < occlusion.end_s:
                perfusion = _OCCLUDED_PERFUSION
            if sag is None:
                return None, None, perfusion
            spo2 -= sag
        return max(1, min(100, round(spo2))), pulse, round(perfusion, 1)

    def _capnograph(self, s: float) -> tuple[int | None, int | None, int | None]:
        """Return breath rate, end-tidal and inspired CO2 as shown."""
        seen, ends = self._breaths_seen(s)
        if not seen or s - ends[-1] > NO_BREATH_S:
            return None, None, None
        breath = self._seen[seen - 1 : seen]
        etco2 = round(float(waves.end_tidal(self._course, self.seed, breath)[0]))
        gaps = np.diff(ends)
        # A pause as long as "no breath" starts the count of breaths anew.
        pauses = np.flatnonzero(gaps > NO_BREATH_S)
        kept = gaps[pauses[-1] + 1 :] if len(pauses) else gaps
        if not len(kept):
            return None, etco2, 0
        span = float(kept.sum())
        waiting = max(0.0, s - float(ends[-1]) - span / len(kept))
        return round(60 * len(kept) / (span + waiting)), etco2, 0

    def _breaths_seen(self, s: float) -> tuple[int, Floats]:
        """Return how many breaths the capnograph has seen by `s`, and when the last few were."""
        course = self._course
        course.reach(s)
        if len(course.breath_at_s) != self._seen_of:
            self._seen_of = len(course.breath_at_s)
            ends = course.breath_at_s + course.breath_s
            seen = np.ones(len(ends), dtype=bool)
            for event in self.scenario.events:
                if isinstance(event, CannulaOff):
                    seen &= (ends < event.at_s) | (course.breath_at_s >= event.until_s)
            self._seen = np.flatnonzero(seen)
            self._seen_at_s = ends[self._seen] + waves.SIDESTREAM_DELAY_S
        count = int(np.searchsorted(self._seen_at_s, s, side="right"))
        return count, self._seen_at_s[max(0, count - _BREATHS_AVERAGED - 1) : count]

    def _rate(self, s: int) -> int:
        return round(self._recent(self._course.heart_rate, s, 0, _HEART_AVERAGE_S))

    def _pressures(self, s: int) -> tuple[int, int, int]:
        """Return systolic, diastolic and mean pressure as a cuff done at `s` reads them."""
        effect = float(self._course.effect[self._course.row(s)])
        traits = self.traits
        off_sys, off_dia = self._cuff_errors(s // _BLOCK_S)[s % _BLOCK_S]
        sys = round(traits.sys + SYS_PER_NG_ML * traits.gain_sys * effect + off_sys)
        rise_dia = DIA_PER_NG_ML * traits.gain_dia * effect
        dia = min(round(traits.dia + rise_dia + off_dia), sys - 10)
        return sys, dia, round(dia + _MEAN_SHARE * (sys - dia))

    def _make_cuff_errors(self, block: int) -> list[tuple[float, float]]:
        second = np.arange(2 * block * _BLOCK_S, 2 * (block + 1) * _BLOCK_S)
        error = _CUFF_ERROR_MMHG * normal(self.seed, Stream.CUFF, second)
        drawn = _listed(np.clip(error, -_CUFF_ERROR_MAX, _CUFF_ERROR_MAX))
        return list(zip(drawn[::2], drawn[1::2], strict=True))

    def _drift(self, stream: Stream, s: int, every_s: int) -> float:
        return self._drift_block(stream, s // _BLOCK_S, every_s)[s % _BLOCK_S]

    def _make_drift_block(self, stream: Stream, block: int, every_s: int) -> list[float]:
        second = np.arange(block * _BLOCK_S, (block + 1) * _BLOCK_S)
        return _listed(wander(self.seed, stream, second, every_s))

    def _recent(self, column: Floats, s: int, lag_s: int, over_s: int) -> float:
        end = self._course.row(s - lag_s) + 1
        return float(column[max(0, end - over_s) : end].mean())

    def _row_value(self, name: str, now: Instant) -> float:
        s = in_seconds(now)
        self._course.reach(s)
        return float(getattr(self._course, name)[self._course.row(s)])

    def _is_probe_off(self, s: float) -> bool:
        return any(isinstance(each, ProbeOff) and each.covers(s) for each in self.scenario.events)

    def _is_searching(self, s: float) -> bool:
        """Return whether the probe is on again, but no pulse is found yet."""
        return any(
            isinstance(each, ProbeOff) and 0 <= s - each.until_s < _SEARCH_S
            for each in self.scenario.events
        )


def _listed(samples: Floats) -> list[float]:
    listed: list[float] = samples.tolist()
    return listed
