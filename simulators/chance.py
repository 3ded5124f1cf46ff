"""Chance by counting: the same (seed, stream, index) gives the same draw, asked in any order.

A generator that remembers where it stands would make the patient depend on who looked when. Here
each draw is a hash of its own coordinates (the finaliser of SplitMix64), so that a waveform can be
computed from the middle, in blocks, or twice.
"""

from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = 0xBF58476D1CE4E5B9
_MIX_2: Final = 0x94D049BB133111EB
_FRACTION_BITS: Final = 53


class Stream(IntEnum):
    """What a draw is for. The numbers are part of what a seed means: add, never renumber."""

    TRAITS = 1
    BREATHING = 2
    HEART = 3
    OXIMETER = 4
    TEMPERATURE = 5
    PLATEAU = 6
    CO2_NOISE = 7
    PLETH_NOISE = 8
    CUFF = 9
    PERFUSION = 10


def uniform(seed: int, stream: int, index: Indices) -> Floats:
    """Return a draw from [0, 1) for each index."""
    start = np.uint64(_mixed(_mixed(seed & _MASK) + stream * _GOLDEN))
    z = np.atleast_1d(index).astype(np.uint64) * np.uint64(_GOLDEN) + start
    z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX_2)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(64 - _FRACTION_BITS)).astype(np.float64) * 2.0**-_FRACTION_BITS


def normal(seed: int, stream: int, index: Indices) -> Floats:
    """Return a draw from the standard normal distribution for each index (Box and Muller)."""
    pairs = np.atleast_1d(index) * 2
    radius = np.sqrt(-2.0 * np.log1p(-uniform(seed, stream, pairs)))
    turned: Floats = radius * np.cos(2 * np.pi * uniform(seed, stream, pairs + 1))
    return turned


def wander(seed: int, stream: int, at_s: Indices, every_s: int) -> Floats:
    """Return a slow normal drift: drawn anew each `every_s` seconds, straight lines between."""
    knot = at_s // every_s
    share = (at_s - knot * every_s) / every_s
    drawn: Floats = (1 - share) * normal(seed, stream, knot) + share * normal(
        seed, stream, knot + 1
    )
    return drawn


def _mixed(z: int) -> int:
    """Return `z` thoroughly stirred, as SplitMix64 does."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)
