"""Clocks that need evidence: how long something has been so, and how much of that was measured."""

import msgspec

from monitor.model.instant import Duration, Instant


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something has been so since `since`; `stretch` is when the running measured stretch began.

    `measured` is the length of the measured stretches before it. `stretch` is None while data are
    missing.
    """

    since: Instant
    stretch: Instant | None
    measured: Duration = Duration(0)

    def interrupted(self, now: Instant) -> "Evidence":
        """Return the evidence when data vanish."""
        if self.stretch is None:
            return self
        return Evidence(self.since, None, Duration(self.measured + now - self.stretch))

    def continued(self, now: Instant) -> "Evidence":
        """Return the evidence when data say again that it is so."""
        return self if self.stretch is not None else Evidence(self.since, now, self.measured)

    def due(self, delay: Duration) -> Instant | None:
        """Return when the delay has run, half of it measured; None if data must come first."""
        missing = max(0, (delay + 1) // 2 - self.measured)
        if self.stretch is not None:
            return Instant(max(self.since + delay, self.stretch + missing))
        return None if missing else Instant(self.since + delay)


def begin(evidence: Evidence | None, now: Instant) -> Evidence:
    """Return evidence that goes on, or begins now."""
    return Evidence(now, now) if evidence is None else evidence.continued(now)


def interrupt(evidence: Evidence | None, now: Instant) -> Evidence | None:
    """Return evidence as it is once data vanish; none stays none."""
    return None if evidence is None else evidence.interrupted(now)
