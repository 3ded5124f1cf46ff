"""What a transport is: it carries bytes, and says when it can no longer."""

from typing import Protocol

import msgspec

from monitor.model.errors import MonitorError

READ_SIZE_MAX = 65_536
WRITE_BACKLOG_MAX = 65_536
"""Bytes a peer that does not read may leave us with before the link counts as lost."""


class LinkFailedError(MonitorError):
    """A transport could not be opened, or broke; the message says what and why."""


class Receiver(Protocol):
    """Who gets the bytes: called from the event loop, synchronously, in the path of a sample."""

    def heard(self, data: bytes) -> None:
        """Take at least one byte (one datagram, one message)."""

    def lost(self, reason: str) -> None:
        """Learn, once, that nothing more will come."""


class Transport(Protocol):
    """An open way to a device."""

    def write(self, data: bytes) -> None:
        """Send `data`; it waits in a bounded backlog where the peer is slow."""

    def close(self) -> None:
        """Stop; `lost` is not called for a close of our own. Harmless when called twice."""


class Secrets(msgspec.Struct, frozen=True):
    """What a broker wants to know of us; never written anywhere."""

    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
