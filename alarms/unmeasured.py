"""How much of the time since the last breath the device itself said it could not measure.

Flat samples of such a time are neither a breath nor stillness: the clocks that count what is
missing stand still meanwhile, and go on from where they stood.
"""

import msgspec

from monitor.model.instant import Duration, Instant


class Unmeasured(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`running_from`: it cannot measure since then; `before`: what such times lasted before it."""

    running_from: Instant | None = None
    before: Duration = Duration(0)

    def begin(self, now: Instant) -> None:
        """The device cannot measure from now on; said twice, it counts once."""
        if self.running_from is None:
            self.running_from = now

    def end(self, now: Instant) -> None:
        """The device can measure again."""
        self.before = self.until(now)
        self.running_from = None

    def restart(self, at: Instant) -> None:
        """A breath was seen at `at`: what lay before it does not matter any more."""
        self.before = Duration(0)
        if self.running_from is not None:
            self.running_from = max(self.running_from, at)

    def until(self, at: Instant) -> Duration:
        """Return how long nothing could be measured since the last breath, up to `at`."""
        if self.running_from is None or at <= self.running_from:
            return self.before
        return Duration(self.before + at - self.running_from)
