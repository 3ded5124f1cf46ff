"""Breaths in a CO2 waveform, sample by sample, at any rate from 1 Hz up.

A breath is a rise well above the running baseline that lasts, after a fall that lasted. Amplitude
must reach a floor and a share of the usual breath; the share shrinks while no breath comes, so that
a patient who breathes less deeply is seen again. Both phases must last, and so must the cycle:
chest compressions and cardiogenic ripple (100 to 120 a minute) have half-periods of 0.25 to 0.3 s,
and nobody breathes more than 63 times a minute. Below 4 Hz phases cannot be timed: each rise
counts, which tells breathing from flat, not the rate.

Numbers after the published start values for capnogram detectors: rise of 10 mmHg, fall to half of
the last peak, phases of at least 0.3 to 0.5 s, peaks of 5 to 8 mmHg at least.
"""

from typing import Final

import msgspec

from alarms.rhythm import Rhythm
from alarms.unmeasured import Unmeasured
from monitor.model.event import WaveformSegment
from monitor.model.instant import NS_PER_S, Duration, Instant, later, seconds
from monitor.model.metric import Metric, describe

AMPLITUDE_MIN: Final = 8.0
TIMED_RATE_MIN: Final = 4.0
_SHARE_OF_USUAL: Final = 0.3
_FALL_SHARE: Final = 0.5
_PHASE_MIN: Final = seconds(0.38)
_CYCLE_MIN: Final = seconds(0.95)
_BLIP_MAX: Final = seconds(0.2)
_BASELINE_MAX: Final = 25.0
_BASELINE_LEAK_S: Final = 30.0
_OPENS_KEPT: Final = seconds(15)
_OPENS_LEAK_S: Final = 15.0
_USUAL_SHARE: Final = 0.25
_STIR_MIN: Final = 4.0
_STIR_SHARE: Final = 0.25
_STIR_MAX: Final = 7.0
_HOLE_MIN: Final = seconds(3)
_LOWEST: Final = float(describe(Metric.CO2_WAVE).technical_low)
_HIGHEST: Final = float(describe(Metric.CO2_WAVE).technical_high)


class BreathDetector(msgspec.Struct, kw_only=True):
    """Where the capnogram stands. Instants of samples follow from the segment's end and rate.

    `usual` is the amplitude of the usual breath, `opens` the rise that may be one now, `peak` the
    highest sample of the running one. `is_counted`: the running rise is a breath; `is_refused`: it
    came too soon after the last one. `turned_at` is when the line last rose or fell, `rose_at` the
    last rise that was no blip, `breath_at` the last accepted breath and `breath_before` the one
    before. `sampled_at` is the last sample that had a value, `still_from` the first of the newest
    samples among which nothing moved. `is_timed`: the waveform is fast enough to time its phases,
    and `rhythm` means something. `unmeasured` is taken off what is counted since the last breath.
    """

    baseline: float | None = None
    usual: float = 0.0
    opens: float = AMPLITUDE_MIN
    peak: float = 0.0
    is_high: bool = False
    is_counted: bool = False
    is_refused: bool = False
    is_timed: bool = False
    turned_at: Instant | None = None
    rose_at: Instant | None = None
    breath_at: Instant | None = None
    breath_before: Instant | None = None
    sampled_at: Instant | None = None
    breaths: int = 0
    rhythm: Rhythm = msgspec.field(default_factory=Rhythm)
    still_from: Instant | None = None
    still_low: float = _HIGHEST
    still_high: float = _LOWEST
    unmeasured: Unmeasured = msgspec.field(default_factory=Unmeasured)

    def feed(self, segment: WaveformSegment) -> int:
        """Take the samples of one segment; return how many breaths were accepted in it."""
        counted = self.breaths
        period = NS_PER_S / segment.rate_hz
        first = segment.at - (len(segment.samples) - 1) * period
        self.is_timed = segment.rate_hz >= TIMED_RATE_MIN
        for number, sample in enumerate(segment.samples):
            if sample is None or not _LOWEST <= sample <= _HIGHEST:
                self.still_from = None
            else:
                self._take(sample, Instant(round(first + number * period)))
        return self.breaths - counted

    def is_still(self, at_least: Duration) -> bool:
        """Say whether nothing has moved for so long, up to the newest sample."""
        if self.still_from is None or self.sampled_at is None:
            return False
        return self.still_for(self.sampled_at) >= at_least

    def is_breathless(self, at_least: Duration) -> bool:
        """Say whether no breath was seen for so long, up to the newest sample."""
        if self.breath_at is None or self.sampled_at is None:
            return False
        return self.breathless_for(self.sampled_at) >= at_least

    def is_behind(self, at_least: Duration) -> bool:
        """Say whether the last breath was so long ago at the newest sample, measured or not."""
        if self.breath_at is None or self.sampled_at is None:
            return False
        return self.sampled_at - self.breath_at >= at_least

    def still_for(self, at: Instant) -> Duration:
        """Return for how long nothing has moved at `at`, unmeasured time aside."""
        if self.still_from is None:
            return Duration(0)
        running = self.unmeasured.running_from
        return Duration(max(0, (at if running is None else min(at, running)) - self.still_from))

    def breathless_for(self, at: Instant) -> Duration:
        """Return for how long no breath was seen at `at`, unmeasured time aside."""
        if self.breath_at is None:
            return Duration(0)
        return Duration(at - self.breath_at - self.unmeasured.until(at))

    def look_away(self, now: Instant) -> None:
        """The device says that it cannot measure: only a breath means something now."""
        self.unmeasured.begin(now)

    def look_again(self, now: Instant) -> None:
        """The device can measure again: stillness goes on from where it stood."""
        running = self.unmeasured.running_from
        if running is not None and self.still_from is not None:
            self.still_from = Instant(now - max(0, running - self.still_from))
        self.unmeasured.end(now)

    def _take(self, sample: float, at: Instant) -> None:
        before = self.sampled_at
        if before is not None and at - before > _HOLE_MIN:
            self._begin_anew()
        self._settle(sample, at)
        base = self._follow(sample, at)
        if self.is_high:
            self.peak = max(self.peak, sample)
            if sample < base + _FALL_SHARE * max(self.opens, self.peak - base):
                self._fall(at, base)
            elif not self.is_counted and not self.is_refused:
                self._weigh(at)
        elif sample > base + self.opens:
            self._rise(sample, at)

    def _begin_anew(self) -> None:
        """Nothing is known of what the line did meanwhile."""
        self.still_from = self.turned_at = self.rose_at = None
        self.is_high = False
        self.rhythm.break_off()

    def _rise(self, sample: float, at: Instant) -> None:
        turned = self.turned_at
        self.is_refused = self.is_timed and turned is not None and at - turned < _PHASE_MIN
        self.is_counted = False
        self.peak = sample
        self.is_high = True
        self.turned_at = at
        if not self.is_timed:
            self._count(at)

    def _weigh(self, at: Instant) -> None:
        """Count a rise that has lasted, unless the last one that did was too short a while ago."""
        rose, before = self.turned_at, self.rose_at
        if rose is None or at - rose < _PHASE_MIN:
            return
        if before is not None and rose - before < _CYCLE_MIN:
            self.is_refused = True
        else:
            self._count(rose)

    def _count(self, rose: Instant) -> None:
        self.is_counted = True
        apart = self.unmeasured.until(rose)
        if apart >= _HOLE_MIN:
            self.rhythm.break_off()
        self.breath_before = None if self.breath_at is None else later(self.breath_at, apart)
        self.breath_at = rose
        self.unmeasured.restart(rose)
        self.breaths += 1
        self.rhythm.begin_breath(rose)

    def _fall(self, at: Instant, base: float) -> None:
        if self.is_counted:
            height = self.peak - base
            is_small = height < _SHARE_OF_USUAL * self.usual
            self.usual = height if is_small else self.usual + (height - self.usual) * _USUAL_SHARE
            self.opens = max(AMPLITUDE_MIN, _SHARE_OF_USUAL * self.usual)
            self.rhythm.end_breath(self.peak)
        if self.turned_at is not None and at - self.turned_at >= _BLIP_MAX:
            self.rose_at = self.turned_at
        self.is_high = False
        self.turned_at = at

    def _follow(self, sample: float, at: Instant) -> float:
        """Follow the line between breaths: down at once, up slowly; shrink what opens a breath."""
        base, before = self.baseline, self.sampled_at
        self.sampled_at = at
        if before is None or base is None:
            self.baseline = min(sample, _BASELINE_MAX)
            return self.baseline
        elapsed_s = min(1.0, (at - before) / NS_PER_S)
        if sample < base:
            base = sample
        else:
            base = min(base + (sample - base) * elapsed_s / _BASELINE_LEAK_S, _BASELINE_MAX)
        if self.breath_at is not None and at - self.breath_at > _OPENS_KEPT:
            self.opens = max(AMPLITUDE_MIN, self.opens * (1 - elapsed_s / _OPENS_LEAK_S))
        self.baseline = base
        return base

    def _settle(self, sample: float, at: Instant) -> None:
        """Begin a new still stretch with the first sample that moved, or came after a hole."""
        if self.still_from is not None:
            if sample < self.still_low:
                self.still_low = sample
            elif sample > self.still_high:
                self.still_high = sample
            else:
                return
            stir = min(_STIR_MAX, max(_STIR_MIN, _STIR_SHARE * self.usual))
            if self.still_high - self.still_low < stir:
                return
        self.still_from = at
        self.still_low = self.still_high = sample
