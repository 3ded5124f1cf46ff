"""The last seconds of a waveform, and its sweep: the pen runs right and writes over the old."""

from collections import deque
from typing import Final

import numpy as np

from dashboards.views.braille import Numbers
from monitor.model.instant import Instant, in_seconds

SPAN_S_MAX: Final = 30.0
SEGMENTS_MAX: Final = 2_000
SAMPLES_MAX: Final = 20_000
"""30 s at 500 Hz and some more; what is older or beyond goes first."""
RATE_HZ_MAX: Final = 1_000.0


class Wave:
    """Segments of one waveform as they came; lost samples are NaN."""

    def __init__(self) -> None:
        self.newest: Instant | None = None
        self.revision = 0
        self._segments: deque[tuple[Numbers, Numbers]] = deque(maxlen=SEGMENTS_MAX)

    def put(self, at: Instant, rate_hz: float, samples: tuple[float | None, ...]) -> None:
        """Add samples, the last heard at `at`. A segment that makes no sense is left out."""
        if not samples or not 0 < rate_hz <= RATE_HZ_MAX or len(samples) > SAMPLES_MAX:
            return
        if self.newest is not None and at < self.newest:
            self._segments.clear()  # the session began anew
        self.newest = at
        self.revision += 1
        values = np.array([np.nan if each is None else each for each in samples], np.float64)
        times = in_seconds(at) + (np.arange(len(values)) - (len(values) - 1)) / rate_hz
        self._segments.append((times, values))
        oldest = in_seconds(at) - SPAN_S_MAX
        while self._segments and (self._segments[0][0][-1] < oldest or self._held() > SAMPLES_MAX):
            self._segments.popleft()

    def _held(self) -> int:
        """Return how many samples are kept."""
        return sum(len(values) for _, values in self._segments)

    def samples(self) -> tuple[Numbers, Numbers]:
        """Return the times in seconds of the session, and the values."""
        if not self._segments:
            return np.empty(0), np.empty(0)
        times, values = zip(*self._segments, strict=True)
        return np.concatenate(times), np.concatenate(values)


def sweep(wave: Wave, span_s: float, columns: int) -> tuple[Numbers, Numbers]:
    """Return least and greatest value in each column of a sweep of `span_s` seconds.

    The pen stands at the newest sample; just ahead of it a stretch is erased, so that old and new
    never join.
    """
    low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
    times, values = wave.samples()
    if wave.newest is None or not len(times):
        return np.full(columns, np.nan), np.full(columns, np.nan)
    end_s = in_seconds(wave.newest)
    eraser_s = span_s * max(3, columns // 25) / columns
    seen = (times > end_s - span_s + eraser_s) & ~np.isnan(values)
    at = np.minimum((times[seen] % span_s / span_s * columns).astype(np.int64), columns - 1)
    np.minimum.at(low, at, values[seen])
    np.maximum.at(high, at, values[seen])
    empty = np.isinf(low)
    low[empty], high[empty] = np.nan, np.nan
    return low, high
