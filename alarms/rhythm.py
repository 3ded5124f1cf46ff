"""Rate and end-tidal CO2 of the newest breaths of a waveform, from the intervals between them.

The rate is that of the breaths of the last 30 s before the newest one, of three at least. It is not
available, rather than old, once the next breath is overdue: two and a half usual intervals (8 s at
least, 30 s at most) after the last. A hole in the waveform makes the interval across it unknown, so
counting begins again.
"""

from typing import Final

import msgspec

from monitor.model.instant import NS_PER_S, Instant, seconds

KEPT_MAX: Final = 33
_BREATHS_MIN: Final = 3
_WINDOW: Final = seconds(30)
_SPAN_MAX: Final = seconds(60)
_OVERDUE_INTERVALS: Final = 2.5
_OVERDUE_MIN: Final = seconds(8)
_OVERDUE_MAX: Final = seconds(30)


class Rhythm(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When the newest breaths began, oldest first; and the end-tidal CO2 of the last, in mmHg."""

    begun: list[Instant] = []
    etco2: float | None = None

    def begin_breath(self, at: Instant) -> None:
        """A breath began."""
        self.begun.append(at)
        while len(self.begun) > _BREATHS_MIN and self.begun[0] < at - _WINDOW:
            del self.begun[0]
        while self.begun[0] < at - _SPAN_MAX or len(self.begun) > KEPT_MAX:
            del self.begun[0]

    def end_breath(self, etco2: float) -> None:
        """The newest breath ended with this end-tidal CO2, in mmHg."""
        self.etco2 = etco2

    def break_off(self) -> None:
        """The waveform has a hole: no interval is known across it."""
        self.begun.clear()
        self.etco2 = None

    def is_current(self, now: Instant) -> bool:
        """Say whether three breaths were seen, and the next is not overdue."""
        count = len(self.begun)
        if count < _BREATHS_MIN:
            return False
        usual = (self.begun[-1] - self.begun[0]) / (count - 1)
        overdue = min(_OVERDUE_MAX, max(_OVERDUE_MIN, round(_OVERDUE_INTERVALS * usual)))
        return now - self.begun[-1] <= overdue

    def rate(self, now: Instant) -> float | None:
        """Return breaths a minute; None where it is not available."""
        if not self.is_current(now):
            return None
        span = self.begun[-1] - self.begun[0]
        return 60 * NS_PER_S * (len(self.begun) - 1) / span

    def etco2_now(self, now: Instant) -> float | None:
        """Return the end-tidal CO2 of the last breath, in mmHg; None where it is not available."""
        return self.etco2 if self.is_current(now) else None

    def is_slow(self, interval: int) -> bool:
        """Say whether the last two intervals were both this long at least, in nanoseconds."""
        last = self.begun[-3:]
        return len(last) == _BREATHS_MIN and min(last[1] - last[0], last[2] - last[1]) >= interval
