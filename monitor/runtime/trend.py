"""The session timeline's memory: the least and greatest valid value of each metric per bin."""

from typing import Final

from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import Metric
from monitor.model.snapshot import TrendBin

BIN_S: Final = 5
BINS_MAX: Final = 96 * 3600 // BIN_S
"""A 96-hour infusion; the oldest bins go first after that. The record keeps everything."""

_BIN_NS: Final = BIN_S * NS_PER_S


class Timeline:
    """Bins of every numeric metric since the opening; bounded by `BINS_MAX` a metric."""

    def __init__(self) -> None:
        self._bins: dict[Metric, dict[int, TrendBin]] = {}
        self._fresh: dict[Metric, set[int]] = {}

    def put(self, metric: Metric, value: float, at: Instant) -> None:
        """Take one valid value."""
        start = at // _BIN_NS * BIN_S
        bins = self._bins.setdefault(metric, {})
        known = bins.get(start)
        if known is None:
            bins[start] = TrendBin(start, value, value)
            if len(bins) > BINS_MAX:
                del bins[next(iter(bins))]
        elif value < known.low or value > known.high:
            bins[start] = TrendBin(start, min(value, known.low), max(value, known.high))
        else:
            return
        self._fresh.setdefault(metric, set()).add(start)

    def whole(self) -> dict[Metric, tuple[TrendBin, ...]]:
        """Return every bin, oldest first."""
        return {metric: tuple(bins.values()) for metric, bins in self._bins.items()}

    def take_fresh(self) -> dict[Metric, tuple[TrendBin, ...]]:
        """Return the bins that changed since the last call."""
        fresh, self._fresh = self._fresh, {}
        return {
            metric: tuple(
                self._bins[metric][start] for start in sorted(starts) if start in self._bins[metric]
            )
            for metric, starts in fresh.items()
        }
