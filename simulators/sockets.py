"""Simulated devices on the network: a device server's TCP port, a UDP port, a host to call.

A device has one host at a time. On TCP a second host takes the place of the first, as with most
device servers; on UDP whoever spoke last is answered, and nobody is told anything before they
spoke. The device lives on while nobody listens; what it says then is gone.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from monitor.model.errors import MonitorError
from simulators.device import SimulatedDevice
from simulators.wiring import CourseClock, Driven

BACKLOG_SIZE_MAX: Final = 65_536
"""Bytes a host that does not read may leave waiting before its connection is cut."""

CALL_AGAIN_S: Final = 1.0


class _Host(asyncio.Protocol):
    """The connection to one host."""

    def __init__(self, end: "_StreamEnd") -> None:
        self._end = end
        self.gone = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the place of the host before."""
        assert isinstance(transport, asyncio.Transport)
        self._end.join(transport)

    def data_received(self, data: bytes) -> None:
        """Let the device hear the host."""
        self._end.driven.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the host."""
        del exc
        self._end.leave()
        self.gone.set_result(None)


class _StreamEnd:
    """The device's end of a TCP connection."""

    def __init__(self, device: SimulatedDevice, clock: CourseClock) -> None:
        self._device = device
        self._clock = clock
        self._host: asyncio.Transport | None = None
        self.driven = Driven(device, clock)
        self.driven.send = self._send

    def join(self, host: asyncio.Transport) -> None:
        """Speak to `host` from now on."""
        if self._host is not None:
            self._host.abort()
        self._host = host

    def leave(self) -> None:
        """Forget a host that is gone; one that took its place stays."""
        if self._host is not None and self._host.is_closing():
            self._host = None

    def close(self) -> None:
        """End the device."""
        self.driven.stop()
        if self._host is not None:
            self._host.abort()

    def _send(self, pieces: Sequence[bytes]) -> None:
        if self._host is None or self._host.is_closing():
            return
        self._host.write(b"".join(pieces))
        if self._host.get_write_buffer_size() > BACKLOG_SIZE_MAX:
            self._host.abort()


async def serve_tcp(
    device: SimulatedDevice, clock: CourseClock, host: str, port: int
) -> tuple[_StreamEnd, asyncio.Server]:
    """Let `device` listen on a TCP port, 0 for any that is free; return its end and the server.

    Raises:
        MonitorError: the port is not to be had.
    """
    end = _StreamEnd(device, clock)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: _Host(end), host, port)
    except OSError as error:
        raise MonitorError(f"{host}:{port}: {error.strerror or error}") from error
    end.driven.step()
    return end, server


async def call_tcp(device: SimulatedDevice, clock: CourseClock, host: str, port: int) -> None:
    """Let `device` open the connection to a host that listens, again and again, until cancelled."""
    end = _StreamEnd(device, clock)
    end.driven.step()
    loop = asyncio.get_running_loop()
    try:
        while True:
            try:
                _, connection = await loop.create_connection(lambda: _Host(end), host, port)
            except OSError:
                await asyncio.sleep(CALL_AGAIN_S)
            else:
                await connection.gone
    finally:
        end.close()


class UdpPort(asyncio.DatagramProtocol):
    """A UDP port with a place for a device; what comes before the device is lost."""

    def __init__(self) -> None:
        self.gone = asyncio.get_running_loop().create_future()
        self.url = ""
        self._peer: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._driven: Driven | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "UdpPort":
        """Return a bound port, 0 for any that is free.

        Raises:
            MonitorError: the port is not to be had.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, end = await loop.create_datagram_endpoint(cls, local_addr=(host, port))
        except OSError as error:
            raise MonitorError(f"{host}:{port}: {error.strerror or error}") from error
        end._transport = transport  # noqa: SLF001 - its own class
        end.url = f"udp://{host}:{transport.get_extra_info('sockname')[1]}"
        return end

    def play(self, device: SimulatedDevice, clock: CourseClock) -> None:
        """Let `device` speak and listen here from now on."""
        self._driven = Driven(device, clock)
        self._driven.send = self._send
        self._driven.step()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Let the device hear a host, and answer that one from now on."""
        self._peer = addr
        if self._driven is not None:
            self._driven.receive(data)

    def error_received(self, exc: Exception) -> None:
        """Learn that the host's port is closed: nobody listens there any more."""
        del exc
        self._peer = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the socket is closed."""
        del exc
        self.gone.set_result(None)

    def close(self) -> None:
        """End the device."""
        if self._driven is not None:
            self._driven.stop()
        if self._transport is not None:
            self._transport.close()

    def _send(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            if self._transport is not None and self._peer is not None:
                self._transport.sendto(piece, self._peer)
