"""Shapes of the two waveforms: a capnogram made of breaths and a pulse wave made of beats.

Both are functions of the sample's own instant, computed for many samples at once.
"""

from typing import Final

import numpy as np

from simulators.chance import Floats, Indices, Stream, normal
from simulators.course import Course

SIDESTREAM_DELAY_S: Final = 2.5
PLETH_MIDDLE: Final = 128.0
ARTERIAL_TO_END_TIDAL_MMHG: Final = 3.0
_INSPIRED_SHARE: Final = 0.38
_DEAD_SPACE_S: Final = 0.2
_RISE_S: Final = 0.12
_FALL_S: Final = 0.1
_WASH_OUT_S: Final = 1.5
_PLATEAU_START: Final = 0.88
_CO2_NOISE_MMHG: Final = 0.12
_PLETH_SIZE: Final = 70.0
_PLETH_SWAY: Final = 5.0
_PLETH_NOISE: Final = 0.4


def end_tidal(course: Course, seed: int, breath: Indices) -> Floats:
    """Return what each breath's plateau ends at, in mmHg."""
    arterial = course.along(course.breath_at_s[breath], course.paco2)
    unevenness = np.clip(0.4 * normal(seed, Stream.PLATEAU, breath), -1, 1)
    tidal: Floats = arterial - ARTERIAL_TO_END_TIDAL_MMHG + unevenness
    return tidal


def capnogram(course: Course, seed: int, at_s: Floats) -> Floats:
    """Return CO2 at the mouth in mmHg at each of `at_s`.

    A breath: the last gas is washed out by fresh air, dead space, rise, a plateau that slopes up.
    After it the patient may rest; then what lies in the line is thinned to nothing.
    """
    breath = np.searchsorted(course.breath_at_s, at_s, side="right") - 1
    breath = np.clip(breath, 1, len(course.breath_at_s) - 1)
    since = at_s - course.breath_at_s[breath]
    lasts = course.breath_s[breath]
    top = end_tidal(course, seed, breath)
    rested = at_s - since - course.breath_at_s[breath - 1] - course.breath_s[breath - 1]
    left_over = end_tidal(course, seed, breath - 1) * np.exp(-np.maximum(0, rested) / _WASH_OUT_S)
    inspired = left_over * np.exp(-since / _FALL_S)
    opens = _INSPIRED_SHARE * lasts + _DEAD_SPACE_S
    along = np.clip((since - opens) / (lasts - opens), 0, 1)
    plateau = top * (_PLATEAU_START + (1 - _PLATEAU_START) * along)
    expired = plateau * -np.expm1(-np.maximum(0, since - opens) / _RISE_S)
    thinned: Floats = np.exp(-np.maximum(0, since - lasts) / _WASH_OUT_S)
    return np.where(since < opens, inspired, expired * thinned)


def co2_noise(seed: int, sample: Indices) -> Floats:
    """Return the analyser's noise for each sample, in mmHg."""
    return _CO2_NOISE_MMHG * np.clip(normal(seed, Stream.CO2_NOISE, sample), -2, 2)


def pulse_wave(course: Course, seed: int, at_s: Floats, sample: Indices) -> Floats:
    """Return the pulse wave at each of `at_s`, 0..65535 around the middle."""
    beat = course.along(at_s, course.beats) % 1.0
    systole = np.exp(-(((beat - 0.2) / 0.1) ** 2))
    notch = 0.42 * np.exp(-(((beat - 0.52) / 0.12) ** 2))
    sway = np.sin(2 * np.pi * course.along(at_s, course.breaths))
    noise = np.clip(normal(seed, Stream.PLETH_NOISE, sample), -3, 3)
    shape: Floats = _PLETH_SIZE * (systole + notch - 0.35)
    return PLETH_MIDDLE + shape + _PLETH_SWAY * sway + _PLETH_NOISE * noise
