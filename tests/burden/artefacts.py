"""What measuring does to good numbers: movement, drop-outs, single zeros, auto-zeros, talking.

Rates are per hour, for a quiet and for a poor signal. They are ours: chosen so that a limit of 90
without a delay calls several times an hour in a poor signal, as wards report, and mostly briefly.

=============  =====  ====  =======================================================================
what           quiet  poor  what it looks like
=============  =====  ====  =======================================================================
movement       0.5    5     SpO2 too low by 4 to 18 % for a lognormal time (median 10 s, sigma 0.8,
                            90 s at most), each second blank with a chance of 0.35
drop-out       1      12    SpO2 and pulse blank for 2 to 12 s; one in twenty for 25 to 60 s
single zero    1      9     one SpO2 of 0
auto-zero      1      2     EtCO2 blank for 3 to 12 s, then the rate printed as 0 for 14 to 24 s
talking        0.5    3     breaths missed: a rate of 3 to 9 for 5 to 25 s, EtCO2 a third lower
spike          0.2    2     EtCO2 too high by 8 to 20 mmHg for 1 to 4 s
=============  =====  ====  =======================================================================
"""

from collections.abc import Iterator
from math import exp
from random import Random
from typing import Final

Shown = list[float | None]
_QUIET: Final = {
    "movement": 0.5,
    "drop-out": 1.0,
    "zero": 1.0,
    "auto-zero": 1.0,
    "talking": 0.5,
    "spike": 0.2,
}
_POOR: Final = {
    "movement": 5.0,
    "drop-out": 12.0,
    "zero": 9.0,
    "auto-zero": 2.0,
    "talking": 3.0,
    "spike": 2.0,
}


def spoil(
    chance: Random,
    spo2: Shown,
    etco2: Shown,
    resp_rate: Shown,
    *,
    is_poor: bool,
) -> None:
    """Lay drawn artefacts over good numbers, one a second; what is spoilt twice stays spoilt."""
    rates = _POOR if is_poor else _QUIET
    for at in _times(chance, rates["movement"], len(spo2)):
        _move(chance, spo2, at)
    for at in _times(chance, rates["drop-out"], len(spo2)):
        lasts = chance.randint(25, 60) if chance.random() < 0.05 else chance.randint(2, 12)
        _blank(spo2, at, lasts)
    for at in _times(chance, rates["zero"], len(spo2)):
        spo2[at] = 0.0
    for at in _times(chance, rates["talking"], len(etco2)):
        _talk(chance, etco2, resp_rate, at)
    for at in _times(chance, rates["spike"], len(etco2)):
        _raise(etco2, at, chance.randint(1, 4), chance.uniform(8, 20))
    for at in _times(chance, rates["auto-zero"], len(etco2)):
        _zero_itself(chance, etco2, resp_rate, at)


def _times(chance: Random, per_hour: float, length: int) -> Iterator[int]:
    """Yield seconds at which something with a steady rate happens."""
    at = chance.expovariate(per_hour / 3600)
    while at < length:
        yield int(at)
        at += chance.expovariate(per_hour / 3600)


def _span(shown: Shown, at: int, lasts: int) -> range:
    return range(at, min(len(shown), at + lasts))


def _blank(shown: Shown, at: int, lasts: int) -> None:
    for second in _span(shown, at, lasts):
        shown[second] = None


def _move(chance: Random, spo2: Shown, at: int) -> None:
    depth = chance.uniform(4, 18)
    lasts = min(90, max(1, round(10 * exp(chance.gauss(0, 0.8)))))
    for second in _span(spo2, at, lasts):
        value = spo2[second]
        if value is None or chance.random() < 0.35:
            spo2[second] = None
        elif value > 0:
            spo2[second] = float(max(50, round(value - depth + chance.gauss(0, 1.5))))


def _talk(chance: Random, etco2: Shown, resp_rate: Shown, at: int) -> None:
    seen = chance.randint(3, 9)
    for second in _span(etco2, at, chance.randint(5, 25)):
        co2, rate = etco2[second], resp_rate[second]
        etco2[second] = None if co2 is None else float(round(co2 * 2 / 3))
        resp_rate[second] = None if rate is None else min(rate, float(seen))


def _raise(etco2: Shown, at: int, lasts: int, by: float) -> None:
    for second in _span(etco2, at, lasts):
        value = etco2[second]
        etco2[second] = None if value is None else float(round(value + by))


def _zero_itself(chance: Random, etco2: Shown, resp_rate: Shown, at: int) -> None:
    """Say that EtCO2 is not available, then print a rate of 0 until breaths are counted again."""
    blank, zeros = chance.randint(3, 12), chance.randint(14, 24)
    _blank(etco2, at, blank + zeros)
    for second in _span(resp_rate, at + blank, zeros):
        resp_rate[second] = 0.0
