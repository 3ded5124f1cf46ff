"""Both ends of a wire inside one process: for virtual time, where no real port can follow."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from monitor.runtime.transports.contract import LinkFailedError, Receiver


class FarEnd(Protocol):
    """What sits at the other end: a simulated device."""

    def connected(self, send: Callable[[bytes], None], cut: Callable[[str], None]) -> None:
        """Learn how to send to the host, and how to cut the wire."""

    def receive(self, data: bytes) -> None:
        """Take what the host sent."""

    def left(self) -> None:
        """Learn that the host closed its end."""


class MemoryTransport:
    """The host's end of the wire."""

    def __init__(self, far_end: FarEnd, receiver: Receiver) -> None:
        self._far_end = far_end
        self._receiver = receiver
        self._is_open = True
        far_end.connected(self._arrive, self._cut)

    def write(self, data: bytes) -> None:
        """Hand `data` to the far end on the next turn of the loop, as a wire would."""
        if self._is_open:
            asyncio.get_running_loop().call_soon(self._far_end.receive, data)

    def close(self) -> None:
        """Let go of the wire."""
        if self._is_open:
            self._is_open = False
            self._far_end.left()

    def _arrive(self, data: bytes) -> None:
        if self._is_open and data:
            self._receiver.heard(data)

    def _cut(self, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self._receiver.lost(reason)


class Wires:
    """The far ends that exist, by name; a name that is not plugged in refuses to open."""

    def __init__(self) -> None:
        self._far_ends: dict[str, FarEnd] = {}

    def plug(self, name: str, far_end: FarEnd) -> None:
        """Make `memory://name` answer."""
        self._far_ends[name] = far_end

    def unplug(self, name: str) -> None:
        """Make `memory://name` refuse to open; cut what is open by the far end itself."""
        self._far_ends.pop(name, None)

    def open(self, name: str, receiver: Receiver) -> MemoryTransport:
        """Join the wire `name`.

        Raises:
            LinkFailedError: nothing is plugged in there.
        """
        far_end = self._far_ends.get(name)
        if far_end is None:
            raise LinkFailedError(f"memory://{name}: nothing is plugged in")
        return MemoryTransport(far_end, receiver)
