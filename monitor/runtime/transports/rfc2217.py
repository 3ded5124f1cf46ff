"""A serial port behind a device server that sets its line by RFC 2217, through pyserial's client.

That client blocks, so a thread of its own reads and writes, and ends when the transport is closed.
It hands over byte by byte and keeps what the server sends without a limit of its own, so a server
that sends faster than any line is let go: good enough for one bedside device; where a server can do
raw TCP, `tcp://` costs a tenth.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import serial
from serial import rfc2217

from drivers.contract import SerialLine
from monitor.runtime.transports.contract import (
    READ_SIZE_MAX,
    WRITE_BACKLOG_MAX,
    LinkFailedError,
    Receiver,
)
from monitor.runtime.transports.network import ask_for_peer

UNREAD_MAX: Final = 1024 * 1024
"""Bytes that may have come and not been read by us yet before the server counts as out of order."""

_LOOK_S: Final = 0.05
"""How long a read waits before it is looked whether something is to be written."""

_BITS: Final = {7: serial.SEVENBITS, 8: serial.EIGHTBITS}


class Rfc2217Transport:
    """Bytes of one port of a device server."""

    def __init__(self, port: rfc2217.Serial, receiver: Receiver) -> None:
        self._port = port
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        self._outgoing: deque[bytes] = deque()
        self._backlog = 0
        self._read_size = 0  # by the thread
        self._heard_size = 0  # by the loop
        self._is_open = True
        self.thread = threading.Thread(target=self._carry, name="rfc2217", daemon=True)
        self.thread.start()

    def write(self, data: bytes) -> None:
        """Send `data` within a twentieth of a second; a server that takes nothing is let go."""
        if not self._is_open:
            return
        self._backlog += len(data)
        if self._backlog > WRITE_BACKLOG_MAX:
            self._fail("the device server takes no more bytes")
        else:
            self._outgoing.append(data)

    def close(self) -> None:
        """Give the port back; the thread ends by itself shortly after."""
        self._is_open = False

    # -- on the thread -----------------------------------------------------------------------------

    def _carry(self) -> None:
        reason = ""
        try:
            while self._is_open:
                while self._outgoing:
                    data = self._outgoing.popleft()
                    self._port.write(data)
                    self._tell(self._sent, len(data))
                data = self._port.read(1)
                if data:
                    waiting: int = self._port.in_waiting
                    if waiting + self._read_size - self._heard_size > UNREAD_MAX:
                        reason = "the device server sends faster than a line can"
                        break
                    data += self._port.read(min(waiting, READ_SIZE_MAX))
                    self._read_size += len(data)
                    self._tell(self._heard, data)
        except OSError as error:  # SerialException is one
            reason = _words(error)
        self._port.close()
        self._tell(self._fail, reason or "closed")

    def _tell(self, take: Callable[..., None], *what: object) -> None:
        if not self._is_open:
            return
        try:
            self._loop.call_soon_threadsafe(take, *what)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._is_open = False

    # -- on the loop -------------------------------------------------------------------------------

    def _heard(self, data: bytes) -> None:
        self._heard_size += len(data)
        if self._is_open:
            self._receiver.heard(data)

    def _sent(self, size: int) -> None:
        self._backlog -= size

    def _fail(self, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self._receiver.lost(reason)


async def open_rfc2217(
    host: str, port: int, line: SerialLine, receiver: Receiver
) -> Rfc2217Transport:
    """Open the port behind a device server and set its line.

    Raises:
        LinkFailedError: nobody answers, no RFC 2217 is spoken there, or the line is refused.
    """
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(None, _open, host, port, line)
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_late)
        raise
    return Rfc2217Transport(opened, receiver)


def _close_late(opening: "asyncio.Future[rfc2217.Serial]") -> None:
    """Give back a port that nobody waits for any more; closing takes a moment, so on a thread."""
    if not opening.cancelled() and opening.exception() is None:
        threading.Thread(target=opening.result().close, daemon=True).start()


def _open(host: str, port: int, line: SerialLine) -> rfc2217.Serial:
    where = f"[{host}]" if ":" in host else host
    # Answers about modem lines are not waited for: servers in front of a pty refuse them.
    url = f"rfc2217://{where}:{port}" + ("" if line.rtscts else "?ign_set_control")
    try:
        opened = rfc2217.Serial(
            url,
            baudrate=line.baud,
            bytesize=_BITS[line.bits],
            parity=line.parity,
            stopbits=line.stop,
            rtscts=line.rtscts,
            xonxoff=line.xonxoff,
            timeout=_LOOK_S,
        )
    except (OSError, ValueError) as error:
        said = _words(error)
        if "does not accept" in said or "rejected value" in said:
            said = f"the device server refuses {line.baud} {line.bits}{line.parity}{line.stop:g}"
        raise LinkFailedError(f"{host}:{port}: {said}") from error
    ask_for_peer(opened._socket)  # noqa: SLF001 - it offers no other way to its socket
    return opened


def _words(error: Exception) -> str:
    """Return what pyserial means; its own words quote its inner state."""
    text = str(error)
    if "does not seem to support" in text:
        return "speaks no RFC 2217; for a raw port write tcp://"
    if "reader thread died" in text or "socket error" in text:
        return "the device server ended the connection"
    return text.removeprefix("Could not open port ").partition("://")[2].partition(": ")[2] or text
