"""What the two sides of a node that only publishes share: one never asks, the other never hears."""

from collections.abc import Callable, Sequence

from drivers.bedside import Said, Timed
from monitor.model.event import DeviceEvent
from monitor.model.instant import Instant


class Listens:
    """Our side: messages come, nothing is asked, and nothing depends on time alone."""

    wake_at: Instant | None = None

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell nothing."""
        del now
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return nothing."""
        return ()


class Publisher(Timed):
    """The node's side: once a second a message with what it knows, as `payload` writes it.

    It begins with the first it is told. Where `payload` returns b"", nothing is published.
    """

    def __init__(self, payload: Callable[[Said, Instant], bytes]) -> None:
        super().__init__(1)
        self._payload = payload

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, begin to publish."""
        super().say(events, now)
        if self.wake_at is None:
            self._beat.start(now)

    def wake(self, now: Instant) -> None:
        """Publish what is due."""
        while self._beat.is_due(now):
            payload = self._payload(self._said, now)
            if payload:
                self._outgoing.append(payload)
