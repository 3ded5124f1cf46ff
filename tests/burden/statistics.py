"""The few statistics of the study: an interval for a share, one for a rate, and a quantile."""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.int64]

_Z_95: Final = 1.959963984540054
_LOW, _HIGH = 0.025, 0.975
_ROUNDING: Final = 1e-9
RESAMPLES: Final = 1000


class Interval(NamedTuple):
    """A 95 % interval around an estimate."""

    estimate: float
    low: float
    high: float


def wilson(found: int, asked: int) -> Interval | None:
    """Return the share found with its interval after Wilson (1927); None where nothing was asked.

    Raises:
        ValueError: more found than asked for.
    """
    if not 0 <= found <= asked:
        raise ValueError(f"found {found} of {asked}")
    if asked == 0:
        return None
    share, square = found / asked, _Z_95**2
    middle = (share + square / (2 * asked)) / (1 + square / asked)
    half = sqrt(share * (1 - share) / asked + square / (4 * asked**2))
    half *= _Z_95 / (1 + square / asked)
    # At the ends the sum is exact on paper and off by a rounding in floats.
    low = 0.0 if found == 0 else max(0.0, middle - half)
    high = 1.0 if found == asked else min(1.0, middle + half)
    return Interval(share, low, high)


def draw_weights(sessions: int, seed: int, resamples: int = RESAMPLES) -> Weights:
    """Return how often each session is drawn in each resample; shape (resamples, sessions).

    The same weights serve every point of the grid, so that two points compare session by session.
    """
    chance = np.random.default_rng(seed)
    shares = np.full(sessions, 1 / sessions)
    return chance.multinomial(sessions, shares, size=resamples)


def rate(counts: Sequence[float], hours: Sequence[float], weights: Weights) -> Interval:
    """Return counts an hour over all sessions, with a percentile interval by whole sessions.

    Alarms of one patient come together: sessions are drawn again, never single alarms.

    Raises:
        ValueError: no hours.
    """
    if sum(hours) <= 0:
        raise ValueError("no hours")
    return Interval(sum(counts) / sum(hours), *_ends(_resampled(counts, hours, weights)))


def difference(
    ours: Sequence[float], theirs: Sequence[float], out_of: Sequence[float], weights: Weights
) -> Interval:
    """Return how much larger theirs is than ours, both out of the same, paired by session."""
    apart = [their - our for our, their in zip(ours, theirs, strict=True)]
    return Interval(sum(apart) / sum(out_of), *_ends(_resampled(apart, out_of, weights)))


def _resampled(counts: Sequence[float], out_of: Sequence[float], weights: Weights) -> Floats:
    drawn = weights.astype(np.float64)
    above: Floats = drawn @ np.asarray(counts, dtype=np.float64)
    below: Floats = drawn @ np.asarray(out_of, dtype=np.float64)
    return above[below > 0] / below[below > 0]


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (_LOW, _HIGH))
    return float(low), float(high)


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of `values` that at least `share` of them do not exceed; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    rank = ceil(share * len(ordered) - _ROUNDING)
    return ordered[max(0, rank - 1)]
