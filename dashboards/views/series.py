"""The timeline's numbers as arrays: least and greatest value of each bin, sorted, bounded."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dashboards.views.braille import Numbers
from monitor.model.snapshot import TrendBin

BINS_MAX: Final = 100_000
"""More than 96 h of 4-second bins; the oldest go first."""


class Series:
    """The bins of one metric: starts in seconds, least and greatest value of each."""

    def __init__(self, bins: Sequence[TrendBin] = ()) -> None:
        self.starts: Numbers = np.empty(0)
        self.lows: Numbers = np.empty(0)
        self.highs: Numbers = np.empty(0)
        self.put(bins)

    def put(self, bins: Sequence[TrendBin]) -> None:
        """Add bins, or replace those of the same start; any order."""
        if not bins:
            return
        new = np.array([(each.start_s, each.low, each.high) for each in bins], np.float64)
        # Only what is not older than the oldest new bin can change: usually the last bin or none.
        cut = int(np.searchsorted(self.starts, new[:, 0].min()))
        starts = np.concatenate((self.starts[cut:], new[:, 0]))
        # Of several bins with one start the one that came last counts.
        _, last = np.unique(starts[::-1], return_index=True)
        order = len(starts) - 1 - last
        self.starts = self._followed(self.starts, cut, starts[order])
        self.lows = self._followed(
            self.lows, cut, np.concatenate((self.lows[cut:], new[:, 1]))[order]
        )
        self.highs = self._followed(
            self.highs, cut, np.concatenate((self.highs[cut:], new[:, 2]))[order]
        )

    @staticmethod
    def _followed(before: Numbers, cut: int, tail: Numbers) -> Numbers:
        """Return what was there up to `cut`, then `tail`, no longer than the bound."""
        return np.concatenate((before[:cut], tail))[-BINS_MAX:]

    def columns(self, start_s: float, column_s: float, count: int, bin_s: float) -> "Columns":
        """Return least and greatest value in each of `count` columns of `column_s` seconds.

        A bin counts in every column it covers; a column without one is NaN.
        """
        low, high = np.full(count, np.inf), np.full(count, -np.inf)
        first = np.floor((self.starts - start_s) / column_s).astype(np.int64)
        last = np.ceil((self.starts + bin_s - start_s) / column_s).astype(np.int64) - 1
        seen = (last >= 0) & (first < count)
        first, last = np.maximum(first[seen], 0), np.minimum(last[seen], count - 1)
        spans = np.maximum(last - first + 1, 1)
        offsets = np.arange(spans.sum()) - np.repeat(np.cumsum(spans) - spans, spans)
        at = np.repeat(first, spans) + offsets
        np.minimum.at(low, at, np.repeat(self.lows[seen], spans))
        np.maximum.at(high, at, np.repeat(self.highs[seen], spans))
        empty = np.isinf(low)
        low[empty], high[empty] = np.nan, np.nan
        return low, high

    def within(self, start_s: float, end_s: float) -> "Columns":
        """Return the least and greatest values of the bins that begin in a stretch of time."""
        seen = (self.starts >= start_s) & (self.starts <= end_s)
        return self.lows[seen], self.highs[seen]


Columns = tuple[Numbers, Numbers]
