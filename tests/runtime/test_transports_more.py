"""Devices that connect to us, and device servers that speak RFC 2217: on real sockets and ptys."""

import asyncio
import os
import select
import socket
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import serial
from serial import rfc2217

from drivers.contract import SerialLine
from monitor.model.errors import ConfigError
from monitor.runtime.transports import rfc2217 as rfc2217_port
from monitor.runtime.transports.contract import LinkFailedError
from monitor.runtime.transports.listening import Doorstep, ListeningTransport
from monitor.runtime.transports.network import TcpTransport, open_tcp
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.rfc2217 import Rfc2217Transport, open_rfc2217
from monitor.runtime.transports.url import parse
from tests.runtime.ears import Ears
from tests.services.servers import free_port

# -- a device that connects to us ------------------------------------------------------------------


@asynccontextmanager
async def _connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(10):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _url(port: int) -> str:
    return f"tcp://127.0.0.1:{port}?listen=1"


async def test_a_device_that_connects_to_us_is_heard_and_answered() -> None:
    port, ears = free_port(), Ears()
    opening = asyncio.ensure_future(make_opener()(_url(port), SerialLine(), ears))
    async with _connected(port) as (reader, writer):
        writer.write(b"first message, sent at once")
        transport = await opening
        await ears.until_heard(b"at once")
        transport.write(b"acknowledged")
        assert await reader.readexactly(12) == b"acknowledged"
        transport.close()
        assert await reader.read() == b""
    assert not ears.losses, "a close of our own is no loss"


async def test_nothing_is_read_before_the_link_has_begun() -> None:
    port, ears = free_port(), Ears()
    opening = asyncio.ensure_future(make_opener()(_url(port), SerialLine(), ears))
    async with _connected(port) as (_, writer):
        writer.write(b"spoken first")
        transport = await opening
        assert not ears.pieces, "the opener's caller comes before the first byte"
        await ears.until_heard(b"spoken first")
        transport.close()


async def test_a_second_peer_is_refused_while_one_is_there() -> None:
    port, ears = free_port(), Ears()
    opening = asyncio.ensure_future(make_opener()(_url(port), SerialLine(), ears))
    async with _connected(port) as (_, writer):
        transport = await opening
        async with _connected(port) as (other_reader, other_writer):
            other_writer.write(b"not heard")
            with suppress(ConnectionResetError):
                assert await other_reader.read() == b""
        writer.write(b"still here")
        await ears.until_heard(b"still here")
        transport.close()
    assert ears.heard_bytes == b"still here"
    assert not ears.losses


async def test_a_peer_that_goes_is_a_loss_and_may_come_back() -> None:
    port, opener = free_port(), make_opener()
    for count in range(3):
        ears = Ears()
        opening = asyncio.ensure_future(opener(_url(port), SerialLine(), ears))
        async with _connected(port) as (_, writer):
            transport = await opening
            writer.write(b"%d" % count)
            await ears.until_heard(b"%d" % count)
        assert "closed" in await ears.until_lost()
        assert len(ears.losses) == 1
        transport.close()


async def test_a_peer_that_vanishes_without_a_word_will_be_asked_for() -> None:
    """A pulled cable cannot be played on loopback: the socket's own settings are looked at."""
    port, ears = free_port(), Ears()
    opening = asyncio.ensure_future(make_opener()(_url(port), SerialLine(), ears))
    ours = await open_tcp_when_there(port)
    theirs = await opening
    assert isinstance(theirs, ListeningTransport)
    for transport in (ours, theirs._peer):
        wire = transport._transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        quiet_s = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        every_s = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        count = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
        assert quiet_s + every_s * count <= 30
        transport.close()
    theirs.close()
    await asyncio.sleep(0)


async def open_tcp_when_there(port: int) -> TcpTransport:
    async with asyncio.timeout(10):
        while True:
            try:
                return await open_tcp("127.0.0.1", port, Ears())
            except LinkFailedError:
                await asyncio.sleep(0)


async def test_that_nobody_came_is_told_once_and_then_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.runtime.transports.listening.FIRST_PEER_S_MAX", 0.01)
    port, doorstep = free_port(), Doorstep()
    with pytest.raises(LinkFailedError, match=f"{port}: no device has connected yet"):
        await doorstep.open("127.0.0.1", port, Ears())
    waiting = asyncio.ensure_future(doorstep.open("127.0.0.1", port, Ears()))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done
    async with _connected(port):
        (await waiting).close()


async def test_waiting_can_be_given_up_and_frees_the_port() -> None:
    port, opener = free_port(), make_opener()
    for _ in range(2):
        waiting = asyncio.ensure_future(opener(_url(port), SerialLine(), Ears()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LinkFailedError, match=f"{port}.*in use"):
            await make_opener()(_url(port), SerialLine(), Ears())


@pytest.mark.parametrize(
    ("url", "names_it"),
    [
        ("tcp://10.0.0.7:4001?lisen=1", "lisen"),
        ("tcp://10.0.0.7:4001?listen=yes", "listen=yes"),
        ("udp://10.0.0.7:4001?listen=1", "listen"),
        ("serial+rfc2217://10.0.0.7", "port"),
        ("serial+rfc2217://:4001", "host"),
        ("rfc2217://10.0.0.7:4001", "serial\\+rfc2217"),
    ],
)
def test_a_url_that_cannot_be_is_named(url: str, names_it: str) -> None:
    with pytest.raises(ConfigError, match=names_it):
        parse(url)


# -- RFC 2217 --------------------------------------------------------------------------------------

# pyserial's client names its thread in a way that Python deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


class _Port(serial.Serial):  # type: ignore[misc]  # pyserial has no types
    """A pty as a serial port: it has no modem lines, and PortManager asks for them."""

    cts = dsr = ri = cd = property(lambda self: True)  # noqa: ARG005

    def _update_rts_state(self) -> None:
        return

    def _update_dtr_state(self) -> None:
        return


class _DeviceServer(threading.Thread):
    """pyserial's own server side between a pty and one TCP client."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self._port = _Port(os.ttyname(slave), timeout=0)
        os.close(slave)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.number: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._end, self._told = os.pipe()
        self.baud = 0

    def run(self) -> None:
        self._client, _ = self._listener.accept()
        self._listener.close()
        with suppress(ConnectionError):
            self._serve(self._client)

    def _serve(self, client: socket.socket) -> None:
        server = rfc2217.PortManager(self._port, self)
        while True:
            ready, _, _ = select.select([client, self._port.fileno(), self._end], [], [])
            if self._end in ready:
                return
            if client in ready:
                data = client.recv(1024)
                if not data:
                    return
                self._port.write(b"".join(server.filter(data)))
                self.baud = self._port.baudrate
            if self._port.fileno() in ready:
                client.sendall(b"".join(server.escape(self._port.read(1024))))

    def write(self, data: bytes) -> None:
        assert self._client is not None
        self._client.sendall(data)

    def end(self) -> None:
        os.write(self._told, b"x")
        self.join(5)
        for each in (self._client, self._listener):
            if each is not None:
                each.close()
        self._port.close()
        for number in (self.master, self._end, self._told):
            os.close(number)


@contextmanager
def _device_server() -> Iterator[_DeviceServer]:
    server = _DeviceServer()
    server.start()
    try:
        yield server
    finally:
        server.end()


async def _ended(transport: Rfc2217Transport) -> None:
    await asyncio.to_thread(transport.thread.join, 10)
    assert not transport.thread.is_alive()


async def test_a_port_behind_a_device_server_is_set_heard_and_answered() -> None:
    with _device_server() as server:
        ears = Ears()
        url = f"serial+rfc2217://127.0.0.1:{server.number}?baud=19200"
        transport = await make_opener()(url, SerialLine(), ears)
        assert isinstance(transport, Rfc2217Transport)
        assert server.baud == 19_200
        wire = transport._port._socket
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        everything = bytes(range(256))  # 255 begins a command unless it is doubled
        os.write(server.master, everything)
        await ears.until_heard(everything)
        transport.write(everything)
        got = b""
        while len(got) < 256:
            got += await asyncio.to_thread(os.read, server.master, 256)
        assert got == everything
        transport.close()
        await _ended(transport)
        await asyncio.to_thread(server.join, 10)
        assert not server.is_alive(), "the port was given back"
        assert not ears.losses, "a close of our own is no loss"


async def test_a_device_server_that_goes_is_a_loss_after_its_last_bytes() -> None:
    with _device_server() as server:
        ears = Ears()
        transport = await open_rfc2217("127.0.0.1", server.number, SerialLine(), ears)
        os.write(server.master, b"last")
        await ears.until_heard(b"last")
    assert await ears.until_lost() == "the device server ended the connection"
    transport.write(b"anybody?")
    await _ended(transport)
    assert len(ears.losses) == 1


async def test_a_device_server_that_floods_us_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217_port, "UNREAD_MAX", 2_000)
    with _device_server() as server:
        ears = Ears()
        transport = await open_rfc2217("127.0.0.1", server.number, SerialLine(), ears)
        flood = asyncio.ensure_future(asyncio.to_thread(_flood, server))
        assert await ears.until_lost() == "the device server sends faster than a line can"
        await _ended(transport)
        await flood
        assert len(ears.losses) == 1


def _flood(server: _DeviceServer) -> None:
    with suppress(OSError):
        for _ in range(500):
            server.write(bytes(4096))


async def test_opening_can_be_given_up_and_lets_the_device_server_go() -> None:
    with _device_server() as server:
        opening = asyncio.ensure_future(
            open_rfc2217("127.0.0.1", server.number, SerialLine(), Ears())
        )
        done, _ = await asyncio.wait({opening}, timeout=0.02)
        assert not done
        opening.cancel()
        await asyncio.wait({opening})
        await asyncio.to_thread(server.join, 10)
        assert not server.is_alive(), "the server saw its client leave"


async def test_a_device_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(LinkFailedError, match=f"127.0.0.1:{port}: .*refused"):
        await open_rfc2217("127.0.0.1", port, SerialLine(), Ears())


async def test_a_raw_port_is_told_from_one_that_speaks_rfc_2217() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x01\x81\x64\x00\x46" * 10)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkFailedError, match="no RFC 2217; for a raw port write tcp://"):
            await open_rfc2217("127.0.0.1", port, SerialLine(), Ears())
