"""How often input was refused lately: bounded memory, told when it is more than now and then."""

import msgspec

from monitor.model.instant import Instant, later, seconds

WINDOW = seconds(60)


class Refusals(msgspec.Struct, kw_only=True):
    """The newest refusals within a minute, and how many there were in all."""

    total: int = 0
    recent: list[Instant] = []
    reason: str = ""

    def add(self, reason: str, now: Instant, kept_max: int) -> None:
        """Count one refusal; only as many as the rule can ask for are kept."""
        self.total += 1
        self.reason = reason
        self.recent.append(now)
        del self.recent[: max(0, len(self.recent) - kept_max)]

    def count(self, now: Instant) -> int:
        """Return how many of those kept lie within the last minute."""
        return sum(now - each < WINDOW for each in self.recent)

    def due(self) -> Instant | None:
        """Return when the last minute will hold no refusal."""
        return later(self.recent[-1], WINDOW) if self.recent else None

    def rewatch(self, now: Instant) -> None:
        """Begin the minute again after a stop: what nobody watched was not free of refusals."""
        self.recent = [now] * len(self.recent)

    def forget(self) -> None:
        """Begin counting anew."""
        self.recent.clear()
