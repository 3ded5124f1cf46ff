"""TCP to a device server, UDP to a monitor."""

import asyncio
import socket
from typing import Final

from monitor.runtime.transports.contract import WRITE_BACKLOG_MAX, LinkFailedError, Receiver

CONNECT_S_MAX = 5.0

_KEEP_ALIVE: Final = {
    "TCP_KEEPIDLE": 10,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 25_000,
}
"""Seconds of quiet before a peer is asked whether it is there, between questions; how many. While
something of ours is unanswered it is not asked: then milliseconds until it counts as gone, which
would otherwise be a quarter of an hour."""

READ_PACE_MAX: Final = 256 * 1024
"""Bytes a second that are read from one connection for long: no device needs a fifth of it."""

READ_AHEAD_MAX: Final = 1024 * 1024
"""Bytes that may come at once, as a gateway's backlog does, before the pace is kept."""

_CHUNK_SIZE: Final = 16 * 1024
"""What the system is asked to keep for us to read at once: one peer's rubbish holds up no other."""


class Pace:
    """Says how long not to read, so that an endless stream takes its share and no more."""

    def __init__(self, per_s: float, ahead: float) -> None:
        self._per_s = per_s
        self._ahead = ahead
        self._left = ahead
        self._at_s = 0.0

    def take(self, size: int, now_s: float) -> float:
        """Take `size` bytes that came at `now_s`; return the seconds until the next may come."""
        self._left = min(self._ahead, self._left + (now_s - self._at_s) * self._per_s) - size
        self._at_s = now_s
        return max(0.0, -self._left / self._per_s)


class Stream(asyncio.Protocol):
    """Passes the bytes of a connection on, at a bounded pace, and its end."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._pace = Pace(READ_PACE_MAX, READ_AHEAD_MAX)
        self._pausing: asyncio.TimerHandle | None = None
        self.is_ours_to_close = False
        self.reason = ""
        """Why the connection was ended by us, where it was not a plain close."""

    def attach(self, transport: asyncio.Transport) -> None:
        """Know the connection whose bytes come here."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        self._receiver.heard(data)
        loop = asyncio.get_running_loop()
        wait_s = self._pace.take(len(data), loop.time())
        if wait_s > 0 and self._transport is not None:
            self._transport.pause_reading()
            self._pausing = loop.call_later(wait_s, self._transport.resume_reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the end, unless we made it."""
        if self._pausing is not None:
            self._pausing.cancel()
        if not self.is_ours_to_close:
            words = self.reason or (str(exc) if exc else "the other side closed the connection")
            self._receiver.lost(words)


class TcpTransport:
    """Bytes of one TCP connection."""

    def __init__(self, transport: asyncio.Transport, stream: Stream) -> None:
        self._transport = transport
        self._stream = stream
        stream.attach(transport)

    def write(self, data: bytes) -> None:
        """Send `data`; a peer that reads nothing for too long is let go."""
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > WRITE_BACKLOG_MAX:
            self._stream.reason = "the other side takes no more bytes"
            self._transport.abort()

    def resume(self) -> None:
        """Read on after reading was paused."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """End the connection."""
        self._stream.is_ours_to_close = True
        self._transport.close()


def keep_alive(transport: asyncio.Transport) -> None:
    """Let a peer that vanished without a word (a pulled cable, a power cut) be noticed."""
    wire: socket.socket = transport.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _CHUNK_SIZE)
    ask_for_peer(wire)


def ask_for_peer(wire: socket.socket) -> None:
    """Let the system ask for the peer of `wire` now and then, and give it up in half a minute.

    Without it a connection that nobody writes to is open for ever.
    """
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE.items():
        if hasattr(socket, name):  # not every system lets them be set
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def open_tcp(host: str, port: int, receiver: Receiver) -> TcpTransport:
    """Connect to a device server.

    Raises:
        LinkFailedError: nobody answers there.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            transport, stream = await loop.create_connection(lambda: Stream(receiver), host, port)
    except TimeoutError as error:
        raise LinkFailedError(f"{host}:{port}: no answer in {CONNECT_S_MAX:.0f} s") from error
    except OSError as error:
        raise LinkFailedError(f"{host}:{port}: {error.strerror or error}") from error
    keep_alive(transport)
    return TcpTransport(transport, stream)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.is_ours_to_close = False

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr  # the socket is connected: only the device's own datagrams arrive
        if data:
            self._receiver.heard(data)

    def error_received(self, exc: Exception) -> None:
        # A refused datagram says that nobody listens yet; the driver asks again by its own clock.
        del exc

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_ours_to_close:
            self._receiver.lost(str(exc) if exc else "the socket was closed")


class UdpTransport:
    """Datagrams to and from one device."""

    def __init__(self, transport: asyncio.DatagramTransport, datagrams: _Datagrams) -> None:
        self._transport = transport
        self._datagrams = datagrams

    def write(self, data: bytes) -> None:
        """Send one datagram."""
        self._transport.sendto(data)

    def close(self) -> None:
        """Close the socket."""
        self._datagrams.is_ours_to_close = True
        self._transport.close()


async def open_udp(
    host: str, port: int, receiver: Receiver, *, local_port: int | None = None
) -> UdpTransport:
    """Open a socket that speaks with one device, from `local_port` where it answers only there.

    Raises:
        LinkFailedError: the host is not known or no socket is to be had.
    """
    loop = asyncio.get_running_loop()
    # Any address of ours; the socket is connected, so only that device's datagrams arrive.
    wildcard = "::" if ":" in host else "0.0.0.0"  # noqa: S104
    try:
        transport, datagrams = await loop.create_datagram_endpoint(
            lambda: _Datagrams(receiver),
            remote_addr=(host, port),
            local_addr=None if local_port is None else (wildcard, local_port),
        )
    except OSError as error:
        raise LinkFailedError(f"{host}:{port}: {error.strerror or error}") from error
    return UdpTransport(transport, datagrams)
