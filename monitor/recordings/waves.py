"""Waveform samples that come one at a time, gathered into segments of at most a second.

The rate is found from the spacing of the samples, never from a header. A missing sample ends a
segment: none is made up, and a segment holds only samples that follow one another. Recorders that
round their times give neighbouring samples one time; all of them count.
"""

from itertools import pairwise
from statistics import median
from typing import Final

from monitor.model.event import WaveformSegment
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import Metric

SEGMENT_NS_MAX: Final = NS_PER_S
SAMPLES_MAX: Final = 4096
SLOW_STEP_MIN: Final = NS_PER_S * 6 // 10
SLOW_STEP_MAX: Final = NS_PER_S * 5 // 2
"""Recorders that keep one sample a second, or nearly so, give each as a segment of its own."""

_GAP: Final = 1.5
"""Spacing beyond this many periods means that samples are missing."""


class WaveGatherer:
    """The samples of one waveform since its last segment.

    `lone` counts samples that make no waveform: so alone that they have no rate. The first of a
    recorder that keeps one a second is not among them: it shows the rate to the second.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.lone = 0
        self._times: list[int] = []
        self._samples: list[float] = []
        self._period: float | None = None
        self._gap = 0.0
        self._learned_from = 0
        self._slow_at = 0

    def add(self, at: Instant, value: float) -> tuple[WaveformSegment, ...]:
        """Take one sample, not earlier than the one before; return what it completes."""
        if self._is_slow(at):
            return self._take_slow(at, value)
        done: tuple[WaveformSegment, ...] = ()
        times = self._times
        if times and (
            at - times[0] >= SEGMENT_NS_MAX
            or (self._period is not None and at - times[-1] > self._gap)
        ):
            done = self.flush()
        self._times.append(at)
        self._samples.append(value)
        if self._is_full():
            done += self.flush()
        return done

    def _is_slow(self, at: Instant) -> bool:
        """Return whether samples come one by one, about a second apart."""
        if self._period is not None:
            return self._period >= SLOW_STEP_MIN
        step = at - self._times[-1] if len(self._times) == 1 else 0
        return SLOW_STEP_MIN <= step <= SLOW_STEP_MAX

    def _take_slow(self, at: Instant, value: float) -> tuple[WaveformSegment, ...]:
        """Return a slow sample at once: the next one is a second away."""
        step = at - self._slow_at if self._times == [] else at - self._times[-1]
        if self._slow_at:
            self.lone += len(self._times)
        self._times, self._samples = [], []
        if step < SLOW_STEP_MIN:  # faster after all
            self._period = None
            self._times, self._samples = [at], [value]
            return ()
        if step <= SLOW_STEP_MAX:
            self._period = float(step)
        self._slow_at = at
        return (self._segment([at], [value]),)

    def _is_full(self) -> bool:
        """Return whether the next sample would lie beyond the segment."""
        if len(self._times) >= SAMPLES_MAX:
            return True
        if self._period is None:
            return False
        return (len(self._times) + 1) * self._period > SEGMENT_NS_MAX * 1.001

    def flush(self) -> tuple[WaveformSegment, ...]:
        """Return everything gathered, cut where samples are missing."""
        times, samples = self._times, self._samples
        self._times, self._samples = [], []
        if len(times) == 1 and self._period is not None:
            # A rate that no longer fits would leave every sample alone: learn it anew.
            segment = self._segment(times, samples)
            self._period, self._learned_from = None, 0
            return (segment,)
        if not times:
            return ()
        steps = [after - before for before, after in pairwise(times)]
        if not any(steps) and self._period is None:
            self.lone += len(times)
            return ()
        gap = _gap_among(steps) if any(steps) else self._gap
        cuts = [place for place, step in enumerate(steps, 1) if step > gap]
        parts = list(zip([0, *cuts], [*cuts, len(times)], strict=True))
        # The smallest step is never a cut, so some part has a span and with it a rate.
        spanning = [part for part in parts if times[part[1] - 1] > times[part[0]]]
        if spanning:
            self._learn(times, max(spanning, key=lambda part: part[1] - part[0]), gap)
        return tuple(self._segment(times[a:b], samples[a:b]) for a, b in parts)

    def _learn(self, times: list[int], part: tuple[int, int], gap: float) -> None:
        """Take the rate from the longest unbroken stretch seen so far."""
        first, end = part
        count = end - first
        rate = (count - 1) * NS_PER_S / (times[end - 1] - times[first])
        known = NS_PER_S / self._period if self._period else None
        if known is None or count > self._learned_from or abs(rate / known - 1) > 0.05:
            self._period = NS_PER_S / _rounded(rate)
            self._learned_from = count
            self._gap = max(gap, _GAP * self._period)

    def _segment(self, times: list[int], samples: list[float]) -> WaveformSegment:
        """Return samples that follow one another as a segment."""
        assert self._period is not None
        rate_hz = round(NS_PER_S / self._period, 6)
        return WaveformSegment(self.metric, Instant(times[-1]), rate_hz, tuple(samples))


def _gap_among(steps: list[int]) -> float:
    """Return the longest step between samples that follow one another; some step is not 0."""
    usual = median(steps) if all(steps) else sum(steps) / len(steps)
    return _GAP * max(usual, min(step for step in steps if step))


def _rounded(rate_hz: float) -> float:
    """Return a measured rate without the noise of times written with few decimals."""
    whole = round(rate_hz * 2) / 2
    if whole and abs(rate_hz / whole - 1) < 0.002:
        return whole
    return round(rate_hz, 3) or rate_hz
