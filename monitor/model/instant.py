"""Time inside Vigil: integer nanoseconds since the session opened.

All logic uses instants; they never jump. Wall time exists only at the edges, and `WallAnchor`
is the one bridge to it.
"""

from typing import Final, NewType

import msgspec

Instant = NewType("Instant", int)
"""Nanoseconds since the session opened. Never negative in a running session."""

Duration = NewType("Duration", int)
"""A difference of two instants, in nanoseconds."""

NS_PER_S: Final = 1_000_000_000
OPENING: Final = Instant(0)


def seconds(count: float) -> Duration:
    """Return `count` seconds, rounded to a nanosecond."""
    return Duration(round(count * NS_PER_S))


def instant_at(s: float) -> Instant:
    """Return the instant `s` seconds after the opening."""
    return Instant(round(s * NS_PER_S))


def later(instant: Instant, by: Duration) -> Instant:
    """Return the instant that lies `by` after `instant`."""
    return Instant(instant + by)


def between(start: Instant, end: Instant) -> Duration:
    """Return how long it is from `start` to `end`; negative if `end` is earlier."""
    return Duration(end - start)


def in_seconds(of: Instant | Duration) -> float:
    """Return an instant or a duration in seconds."""
    return of / NS_PER_S


class WallAnchor(msgspec.Struct, frozen=True):
    """A moment known in both clocks, so that an edge can turn instants into UTC.

    `utc_ns` is nanoseconds since 1970-01-01 UTC. A new anchor is written when the session opens,
    when it resumes and when the system clock is seen to step.
    """

    at: Instant
    utc_ns: int

    def utc_of(self, instant: Instant) -> int:
        """Return `instant` as nanoseconds since 1970 UTC."""
        return self.utc_ns + (instant - self.at)
