"""Clocks that need evidence: how long something has been so, and how much of that was measured."""

import msgspec

from monitor.model.instant import Duration, Instant


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something has been so since `since`; `stretch` is when the running measured stretch began.

    `measured` is the length of the measured stretches before it. `stretch` is None while data are
    missing, or say that it is just not so: then `aside` is since when. `paused` is how long data
    said so before: that time is no part of any delay.
    """

    since: Instant
    stretch: Instant | None
    measured: Duration = Duration(0)
    aside: Instant | None = None
    paused: Duration = Duration(0)

    def interrupted(self, now: Instant) -> "Evidence":
        """Return the evidence when data vanish."""
        if self.stretch is None:
            return self
        measured = Duration(self.measured + now - self.stretch)
        return Evidence(self.since, None, measured, paused=self.paused)

    def stopped(self, now: Instant) -> "Evidence":
        """Return the evidence when data say that it is just not so, and may be again."""
        if self.aside is not None:
            return self
        running = 0 if self.stretch is None else now - self.stretch
        return Evidence(self.since, None, Duration(self.measured + running), now, self.paused)

    def continued(self, now: Instant) -> "Evidence":
        """Return the evidence when data say again that it is so."""
        if self.stretch is not None:
            return self
        paused = self.paused if self.aside is None else Duration(self.paused + now - self.aside)
        return Evidence(self.since, now, self.measured, paused=paused)

    def ran(self, now: Instant) -> Duration:
        """Return how long the clock ran, with the time in which data were missing."""
        until = now if self.aside is None else self.aside
        return Duration(until - self.since - self.paused)

    def is_over(self, now: Instant, lasts: Duration) -> bool:
        """Say whether it has not been so for as long as `lasts`."""
        return self.aside is not None and now - self.aside >= lasts

    def due(self, delay: Duration) -> Instant | None:
        """Return when the delay has run, half of it measured; None if data must come first."""
        if self.aside is not None:
            return None
        ends = self.since + self.paused + delay
        missing = max(0, (delay + 1) // 2 - self.measured)
        if self.stretch is not None:
            return Instant(max(ends, self.stretch + missing))
        return None if missing else Instant(ends)


def begin(evidence: Evidence | None, now: Instant, lasts: Duration) -> Evidence:
    """Return evidence that goes on; or begins now, also after it was not so as long as `lasts`."""
    if evidence is None or evidence.is_over(now, lasts):
        return Evidence(now, now)
    return evidence.continued(now)


def stop(evidence: Evidence, now: Instant, lasts: Duration) -> Evidence | None:
    """Return evidence when data say that it is just not so; None once that is so for `lasts`."""
    if not lasts:
        return None
    stopped = evidence.stopped(now)
    return None if stopped.is_over(now, lasts) else stopped


def interrupt(evidence: Evidence | None, now: Instant) -> Evidence | None:
    """Return evidence as it is once data vanish; none stays none."""
    return None if evidence is None else evidence.interrupted(now)
