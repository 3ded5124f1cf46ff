"""What the two sides of a node that only publishes share: one never asks, the other never hears."""

from collections.abc import Sequence

from drivers.bedside import Beat, Said
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


class Publisher:
    """The node's side: a message with what it knows, once a second; what comes is not heard."""

    def __init__(self) -> None:
        self.said = Said()
        self._beat = Beat(1)
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next message is due."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, begin to publish."""
        self.said.hear(events)
        if self._beat.at is None:
            self._beat.start(now)

    def receive(self, data: bytes, now: Instant) -> None:
        """Ignore what comes."""

    def wake(self, now: Instant) -> None:
        """Publish."""
        while self._beat.is_due(now):
            payload = self.payload(now)
            if payload:
                self._outgoing.append(payload)

    def payload(self, now: Instant) -> bytes:
        """Return the message of this second, b"" for none. Each kind of node writes its own."""
        raise NotImplementedError

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the payloads published."""
        sent, self._outgoing = self._outgoing, []
        return sent
