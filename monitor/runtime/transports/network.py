"""TCP to a device server, UDP to a monitor."""

import asyncio
import socket
from typing import Final

from monitor.runtime.transports.contract import WRITE_BACKLOG_MAX, LinkFailedError, Receiver

CONNECT_S_MAX = 5.0

_KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds of quiet before a peer is asked whether it is there, between questions; how many."""


class Stream(asyncio.Protocol):
    """Passes the bytes of a connection on, and its end."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.is_ours_to_close = False

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        self._receiver.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the end, unless we made it."""
        if not self.is_ours_to_close:
            self._receiver.lost(str(exc) if exc else "the other side closed the connection")


class TcpTransport:
    """Bytes of one TCP connection."""

    def __init__(self, transport: asyncio.Transport, stream: Stream) -> None:
        self._transport = transport
        self._stream = stream

    def write(self, data: bytes) -> None:
        """Send `data`; a peer that reads nothing for too long is let go."""
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > WRITE_BACKLOG_MAX:
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
    """Let a peer that vanished without a word (a pulled cable, a power cut) be noticed.

    Found in half a minute; without it a connection that nobody writes to is open for ever.
    """
    wire: socket.socket = transport.get_extra_info("socket")
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
