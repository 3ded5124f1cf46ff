"""Instants for a running session: the monotonic clock, tied to wall time by anchors."""

from collections.abc import Callable
from typing import Final

from monitor.model.instant import OPENING, Instant, WallAnchor, seconds

STEP_MIN: Final = seconds(1)
"""A wall clock that moved against ours by more than this was set by somebody (hazard H17)."""


class SessionClock:
    """Counts from the session's opening, across restarts, never backwards.

    `monotonic_ns` and `utc_ns` are the two clocks of the machine (or of a simulated world).
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        utc_ns: Callable[[], int],
        *,
        start: Instant = OPENING,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._utc_ns = utc_ns
        self._offset = start - monotonic_ns()
        self.anchor = WallAnchor(start, utc_ns())

    def now(self) -> Instant:
        """Return this instant."""
        return Instant(self._monotonic_ns() + self._offset)

    def until_s(self, instant: Instant) -> float:
        """Return the seconds until `instant`; negative when it has passed."""
        return (instant - self.now()) / 1e9

    def check_step(self) -> WallAnchor | None:
        """Return a new anchor if the wall clock was stepped since the last one."""
        now = self.now()
        fresh = WallAnchor(now, self._utc_ns())
        if abs(fresh.utc_ns - self.anchor.utc_of(now)) < STEP_MIN:
            return None
        self.anchor = fresh
        return fresh
