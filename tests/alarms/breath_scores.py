"""How well breaths are found in real capnograms; `python -m tests.alarms.breath_scores` tells.

A breath of the plain rule rises through 10 mmHg and lasts until below 5 (the rule of the page that
comes with the recording); it knows nothing of the detector. Nobody marked these breaths by hand.
"""

import bz2
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from alarms.breaths import BreathDetector
from monitor.model.event import WaveformSegment
from monitor.model.instant import in_seconds, instant_at
from monitor.model.metric import Metric
from tests.alarms.plain_breaths import Breath, Sample, plain_breaths
from tests.alarms.recordings_table import REPOSITORY, SHARED

PAGE: Final = REPOSITORY / "docs" / "breaths.md"
CAPNOGRAM: Final = SHARED / "capnogram-waveform" / "Capnography.csv.bz2"
DEFIB: Final = SHARED / "defib-multiparameter" / "ZOLL_test_case.json.bz2"
DEFIB_NUMBERS: Final = SHARED / "defib-multiparameter" / "derived_long.csv"
_FULL_RATE_HZ: Final = 125.0
EACH: Final = (1, 3, 6, 12)
TOLERANCE_S: Final = 1.0
_MMHG: Final = 0.1
_SAMPLE_LOST: Final = 8


class Score(NamedTuple):
    """How breaths that were found stand to the breaths of the plain rule."""

    rate_hz: float
    plain: int
    found: int
    matched: int
    etco2_off: float

    @property
    def sensitivity(self) -> float:
        """Return the share of the plain rule's breaths that were found, in percent."""
        return 100 * self.matched / self.plain

    @property
    def ppv(self) -> float:
        """Return the share of what was found that the plain rule has too, in percent."""
        return 100 * self.matched / self.found


class Against(NamedTuple):
    """A number of ours against the device's: how many pairs, and how far apart."""

    name: str
    reports: int
    pairs: int
    median: float
    near: float


def capnogram() -> list[Sample]:
    """Return the recording as seconds and mmHg, 125 a second."""
    with bz2.open(CAPNOGRAM, "rt") as lines:
        return [(float(at), float(co2)) for at, co2 in list(csv.reader(lines))[1:]]


def found_breaths(samples: Sequence[Sample], rate_hz: float) -> list[Breath]:
    """Return the breaths of the detector, fed sample by sample."""
    detector, breaths = BreathDetector(), []
    began = None
    for at, co2 in samples:
        detector.feed(WaveformSegment(Metric.CO2_WAVE, instant_at(at), rate_hz, (co2,)))
        if detector.breath_at != began and not detector.is_high and detector.breath_at is not None:
            began = detector.breath_at
            breaths.append(Breath(in_seconds(began), at, detector.peak))
    return breaths


def score(samples: Sequence[Sample], each: int) -> Score:
    """Score the detector on every `each`th sample against the plain rule on all of them."""
    plain = plain_breaths(samples)
    found = found_breaths(samples[::each], _FULL_RATE_HZ / each)
    off: list[float] = []
    left = list(plain)
    for breath in found:
        near = [one for one in left if abs(one.at - breath.at) <= TOLERANCE_S]
        if near:
            same = min(near, key=lambda one: abs(one.at - breath.at))
            left.remove(same)
            off.append(abs(same.peak - breath.peak))
    return Score(_FULL_RATE_HZ / each, len(plain), len(found), len(off), sorted(off)[len(off) // 2])


# -- against a device's own numbers


def defib_segments() -> Iterator[WaveformSegment]:
    """Yield the capnogram of the monitor/defibrillator, three seconds at a time."""
    with bz2.open(DEFIB, "rt") as text:
        disclosed: dict[str, Any] = json.load(text)
    for record in disclosed["ZOLL"]["FullDisclosure"][0]["FullDisclosureRecord"]:
        whole = record.get("ContinWaveRec")
        if whole is None:
            continue
        at = whole["StdHdr"]["MsecTime"] / 1000
        for wave in whole["Waveform"]:
            piece = wave["WaveRec"]
            if not piece["WaveTypeVar"].startswith("CO2") or not piece["UnpackedSamples"]:
                continue
            pairs = zip(piece["UnpackedSamples"], piece["SampleStatus"], strict=True)
            samples = tuple(None if lost & _SAMPLE_LOST else raw * _MMHG for raw, lost in pairs)
            yield WaveformSegment(Metric.CO2_WAVE, instant_at(at), _FULL_RATE_HZ, samples)


def device_numbers(metric: str) -> list[tuple[float, float]]:
    """Return what the device reported as valid of one metric, above 0."""
    with DEFIB_NUMBERS.open() as lines:
        return [
            (float(row["time_s"]), float(row["value"]))
            for row in csv.DictReader(lines)
            if row["metric"] == metric and row["state"] == "valid" and float(row["value"]) > 0
        ]


def against_device() -> list[Against]:
    """Hold the rate and EtCO2 of the waveform against each report of the device."""
    detector = BreathDetector()
    ours: list[tuple[float, float | None, float | None]] = []
    for segment in defib_segments():
        detector.feed(segment)
        now = segment.at
        ours.append((in_seconds(now), detector.rhythm.rate(now), detector.rhythm.etco2_now(now)))
    rates = [(at, rate) for at, rate, _ in ours if rate is not None]
    peaks = [(at, etco2) for at, _, etco2 in ours if etco2 is not None]
    return [
        _against("RR, /min (near: 3)", device_numbers("rr"), rates, 3),
        _against("EtCO2, mmHg (near: 5)", device_numbers("etco2"), peaks, 5),
    ]


def _against(
    name: str,
    device: Sequence[tuple[float, float]],
    ours: Sequence[tuple[float, float]],
    near: float,
) -> Against:
    off: list[float] = []
    for at, theirs in device:
        close = [each for each in ours if abs(each[0] - at) <= 3]
        if close:
            off.append(abs(min(close, key=lambda each: abs(each[0] - at))[1] - theirs))
    off.sort()
    share = 100 * sum(each <= near for each in off) / len(off)
    return Against(name, len(device), len(off), off[len(off) // 2], share)


# -- the page

_HEAD: Final = """# Breaths in real capnograms

Written by `python -m tests.alarms.breath_scores` from the recordings beside the checkout.

*capnogram-waveform*, 78 minutes at 125 Hz, with pauses and chest compressions; the lower rates
take every third, sixth and twelfth sample, unfiltered. A breath of the plain rule rises through
10 mmHg and lasts until below 5; nobody marked it by hand, and it counts some humps of compressions.
A breath is the same if it begins within {tolerance:g} s; *EtCO2 off* is the median difference of
the peaks.

| rate, Hz | plain rule | found | the same | sensitivity, % | PPV, % | EtCO2 off, mmHg |
|---|---|---|---|---|---|---|
"""
_DEVICE: Final = """
*defib-multiparameter*, the capnogram of a monitor/defibrillator during a resuscitation (125 Hz, in
steps of 0.1 mmHg: our reading of the format) against the device's own numbers, printed every 30 s
and on alarms. The device averages as it does, and we count the breaths of 30 s; under chest
compressions the two count different things. *Pairs*: our number was available within 3 s of the
report.

| number | reports | pairs | median difference | near, % |
|---|---|---|---|---|
"""
_REST: Final = """
Not applicable: *icu-bidmc-numerics*. Its marked breaths belong to a chest impedance signal and its
numbers to the same; no CO2 waveform was recorded, so a capnogram detector has nothing to read.

What this does not show: breaths marked by people on a capnogram; a sidestream capnograph during
sedation; infants. Below 4 Hz the waveform tells breathing from flat only: rate and end-tidal CO2
are not available from it.
"""


def page(scores: Sequence[Score], against: Sequence[Against]) -> str:
    """Return the page as Markdown."""
    rows = "".join(
        f"| {each.rate_hz:.1f} | {each.plain} | {each.found} | {each.matched} "
        f"| {each.sensitivity:.1f} | {each.ppv:.1f} | {each.etco2_off:.1f} |\n"
        for each in scores
    )
    device = "".join(
        f"| {each.name} | {each.reports} | {each.pairs} | {each.median:.1f} | {each.near:.0f} |\n"
        for each in against
    )
    return _HEAD.format(tolerance=TOLERANCE_S) + rows + _DEVICE + device + _REST


def main() -> int:
    """Write the page."""
    if not SHARED.is_dir():
        sys.stderr.write(f"no recordings beside the checkout: {SHARED.name}\n")
        return 2
    samples = capnogram()
    PAGE.write_text(page([score(samples, each) for each in EACH], against_device()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
