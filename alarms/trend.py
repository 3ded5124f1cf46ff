"""Where a metric has been going: its fall or rise within a window, from a bounded memory."""

from typing import Final

import msgspec

from monitor.model.instant import Duration, Instant, seconds

_SPACING: Final = seconds(1)
WINDOW_MAX: Final = seconds(600)


class History(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The valid values of one metric within a window, at most one a second."""

    window: Duration
    at: list[Instant] = []
    values: list[float] = []

    def add(self, value: float, now: Instant) -> None:
        """Remember a value; forget what has left the window."""
        if not self.at or now - self.at[-1] >= _SPACING:
            self.at.append(now)
            self.values.append(value)
        else:
            self.values[-1] = value
        gone = sum(now - each > self.window for each in self.at)
        del self.at[:gone]
        del self.values[:gone]

    def forget(self) -> None:
        """Begin again: what came before a loss says nothing about a trend."""
        self.at.clear()
        self.values.clear()

    def fall(self, window: Duration, now: Instant) -> float:
        """Return how far the newest value lies below the highest within `window`."""
        recent = self._recent(window, now)
        return max(recent) - recent[-1] if recent else 0.0

    def rise(self, window: Duration, now: Instant) -> float:
        """Return how far the newest value lies above the lowest within `window`."""
        recent = self._recent(window, now)
        return recent[-1] - min(recent) if recent else 0.0

    def _recent(self, window: Duration, now: Instant) -> list[float]:
        return [v for at, v in zip(self.at, self.values, strict=True) if now - at <= window]
