"""Breaths by a plain rule that knows nothing of the detector: up through 10 mmHg until below 5."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

_RISES: Final = 10.0
_FALLS: Final = 5.0
_WINDOW_S: Final = 30.0
_SPAN_S_MAX: Final = 60.0
_BREATHS_MIN: Final = 3

Sample = tuple[float, float | None]


class Breath(NamedTuple):
    """One breath: when it began and ended, in seconds, and its highest CO2, in mmHg."""

    at: float
    end: float
    peak: float


def plain_breaths(samples: Iterable[Sample]) -> list[Breath]:
    """Return the breaths of the plain rule."""
    breaths: list[Breath] = []
    running: Breath | None = None
    for at, co2 in samples:
        if co2 is None:
            continue
        if running is None:
            running = Breath(at, at, co2) if co2 > _RISES else None
        elif co2 < _FALLS:
            breaths.append(running._replace(end=at))
            running = None
        else:
            running = running._replace(peak=max(running.peak, co2))
    return breaths


def plain_rates(breaths: Sequence[Breath]) -> list[tuple[float, float]]:
    """Return at each breath the rate of those of the last 30 s, or of the last three of 60 s."""
    rates: list[tuple[float, float]] = []
    for number, breath in enumerate(breaths):
        recent = [one.at for one in breaths[: number + 1] if one.at >= breath.at - _WINDOW_S]
        if len(recent) < _BREATHS_MIN:
            recent = [one.at for one in breaths[max(0, number + 1 - _BREATHS_MIN) : number + 1]]
        if len(recent) >= _BREATHS_MIN and breath.at - recent[0] <= _SPAN_S_MAX:
            rates.append((breath.at, 60 * (len(recent) - 1) / (recent[-1] - recent[0])))
    return rates
