"""Breaths in a CO2 waveform, sample by sample, at any rate from 1 Hz up.

A breath is a rise well above the running baseline that lasts, after a fall that lasted. Amplitude
must reach a floor and a share of the usual breath; both phases must last: chest compressions and
cardiogenic ripple (100 to 120 a minute) have half-periods of 0.25 to 0.3 s and are not breaths.
Below 4 Hz phases cannot be timed: each rise counts, which tells breathing from flat, not the rate.

Numbers after the published start values for capnogram detectors: rise of 10 mmHg, fall to half of
the last peak, phases of at least 0.3 to 0.5 s, peaks of 5 to 8 mmHg at least.
"""

from typing import Final

import msgspec

from monitor.model.event import WaveformSegment
from monitor.model.instant import NS_PER_S, Duration, Instant, seconds
from monitor.model.metric import Metric, describe

AMPLITUDE_MIN: Final = 8.0
_SHARE_OF_USUAL: Final = 0.3
_FALL_SHARE: Final = 0.5
_PHASE_MIN: Final = seconds(0.38)
_TIMED_RATE_MIN: Final = 4.0
_BASELINE_MAX: Final = 25.0
_BASELINE_LEAK_S: Final = 30.0
_WINDOW: Final = seconds(5)
_FLAT_MAX: Final = 4.0
_HOLE_MIN: Final = seconds(3)
_LOWEST: Final = float(describe(Metric.CO2_WAVE).technical_low)
_HIGHEST: Final = float(describe(Metric.CO2_WAVE).technical_high)


class BreathDetector(msgspec.Struct, kw_only=True):
    """Where the capnogram stands. Instants of samples follow from the segment's end and rate.

    `breath_at` is the last accepted breath, `sampled_at` the last sample that had a value,
    `still_from` the first of the newest samples among which nothing moved.
    """

    baseline: float | None = None
    usual: float = 0.0
    peak: float = 0.0
    is_high: bool = False
    is_counted: bool = False
    turned_at: Instant | None = None
    breath_at: Instant | None = None
    sampled_at: Instant | None = None
    breaths: int = 0
    window_from: Instant | None = None
    low: float = _HIGHEST
    high: float = _LOWEST
    low_before: float = _HIGHEST
    high_before: float = _LOWEST
    still_from: Instant | None = None
    still_low: float = _HIGHEST
    still_high: float = _LOWEST

    def feed(self, segment: WaveformSegment) -> int:
        """Take the samples of one segment; return how many breaths were accepted in it."""
        counted = self.breaths
        period = NS_PER_S / segment.rate_hz
        first = segment.at - (len(segment.samples) - 1) * period
        is_timed = segment.rate_hz >= _TIMED_RATE_MIN
        for number, sample in enumerate(segment.samples):
            if sample is None or not _LOWEST <= sample <= _HIGHEST:
                self._lose()
            else:
                self._take(sample, Instant(round(first + number * period)), is_timed=is_timed)
        return self.breaths - counted

    def is_flat(self) -> bool:
        """Say whether nothing moved in the last five to ten seconds of samples."""
        low, high = min(self.low, self.low_before), max(self.high, self.high_before)
        return high - low < _FLAT_MAX

    def is_still(self, at_least: Duration) -> bool:
        """Say whether nothing has moved for so long, up to the newest sample."""
        if self.still_from is None or self.sampled_at is None:
            return False
        return self.sampled_at - self.still_from >= at_least

    def is_breathless(self, at_least: Duration) -> bool:
        """Say whether no breath was seen for so long, up to the newest sample."""
        if self.breath_at is None or self.sampled_at is None:
            return False
        return self.sampled_at - self.breath_at >= at_least

    def _lose(self) -> None:
        self.still_from = None
        self.turned_at = None
        self.is_high = False

    def _take(self, sample: float, at: Instant, *, is_timed: bool) -> None:
        self._settle(sample, at)
        base = self._follow_baseline(sample, at)
        self._widen(sample, at)
        opens = max(AMPLITUDE_MIN, _SHARE_OF_USUAL * self.usual)
        if self.is_high:
            self.peak = max(self.peak, sample)
            if sample < base + _FALL_SHARE * max(opens, self.peak - base):
                self._turn(at, is_high=False)
        elif sample > base + opens:
            lasted = self.turned_at is None or at - self.turned_at >= _PHASE_MIN
            self.is_counted = is_timed and not lasted
            self.peak = sample
            self._turn(at, is_high=True)
        if self.is_high and not self.is_counted and self._has_lasted(at, is_timed=is_timed):
            self._accept(at)

    def _has_lasted(self, at: Instant, *, is_timed: bool) -> bool:
        return not is_timed or (self.turned_at is not None and at - self.turned_at >= _PHASE_MIN)

    def _follow_baseline(self, sample: float, at: Instant) -> float:
        if self.baseline is None or sample < self.baseline:
            self.baseline = max(sample, _LOWEST)
        elif self.sampled_at is not None:
            elapsed_s = min(1.0, (at - self.sampled_at) / NS_PER_S)
            self.baseline += (sample - self.baseline) * elapsed_s / _BASELINE_LEAK_S
        self.baseline = min(self.baseline, _BASELINE_MAX)
        self.sampled_at = at
        return self.baseline

    def _turn(self, at: Instant, *, is_high: bool) -> None:
        if not is_high and self.is_counted:
            self.usual += (self.peak - (self.baseline or 0.0) - self.usual) * 0.25
        self.is_high = is_high
        self.turned_at = at

    def _accept(self, at: Instant) -> None:
        self.is_counted = True
        self.breath_at = at
        self.breaths += 1

    def _widen(self, sample: float, at: Instant) -> None:
        """Keep the extremes of this window of five seconds and of the one before."""
        if self.window_from is None or at - self.window_from >= _WINDOW:
            self.low_before, self.high_before = self.low, self.high
            self.low, self.high = sample, sample
            self.window_from = at
        elif sample < self.low:
            self.low = sample
        elif sample > self.high:
            self.high = sample

    def _settle(self, sample: float, at: Instant) -> None:
        """Begin a new still stretch with the first sample that moved, or came after a hole."""
        low, high = min(self.still_low, sample), max(self.still_high, sample)
        has_hole = self.sampled_at is not None and at - self.sampled_at > _HOLE_MIN
        if self.still_from is None or has_hole or high - low >= _FLAT_MAX:
            self.still_from, low, high = at, sample, sample
        self.still_low, self.still_high = low, high
