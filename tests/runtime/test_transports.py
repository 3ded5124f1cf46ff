"""Transports on real parts: ptys, sockets, a broker."""

import asyncio
import gc
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import aiomqtt
import pytest

from drivers.contract import SerialLine
from drivers.envelope import Message, pack, unpack
from monitor.model.instant import instant_at
from monitor.recordings.capture import write_head, write_piece
from monitor.runtime.transports.contract import LinkFailedError, Secrets
from monitor.runtime.transports.mqtt import open_mqtt
from monitor.runtime.transports.network import open_tcp, open_udp
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.serial import open_serial
from tests.conftest import BROKER_PASSWORD
from tests.runtime.ears import Ears
from tests.services.servers import Mosquitto, free_port


@pytest.fixture
def pty() -> "tuple[int, str]":
    master, slave = os.openpty()
    name = os.ttyname(slave)
    os.close(slave)
    return master, name


async def test_bytes_on_a_port_are_heard_and_answered(pty: tuple[int, str]) -> None:
    master, name = pty
    ears = Ears()
    port = await open_serial(name, SerialLine(), ears)
    os.write(master, b"hello")
    await ears.until_heard(b"hello")
    port.write(b"question")
    assert os.read(master, 64) == b"question"
    port.close()
    os.close(master)
    assert not ears.losses, "a close of our own is no loss"


@pytest.mark.parametrize(
    "line", [SerialLine(baud=19200, parity="E"), SerialLine(bits=7, parity="O", stop=2)]
)
async def test_a_port_that_refuses_parity_is_used_all_the_same_and_again(
    pty: tuple[int, str], line: SerialLine
) -> None:
    master, name = pty
    for count in range(3):
        ears = Ears()
        port = await open_serial(name, line, ears)
        os.write(master, b"frame %d" % count)
        await ears.until_heard(b"frame %d" % count)
        port.close()
    os.close(master)


async def test_an_unplugged_port_is_lost_once_after_its_last_bytes(pty: tuple[int, str]) -> None:
    master, name = pty
    ears = Ears()
    await open_serial(name, SerialLine(), ears)
    os.write(master, b"last")
    await ears.until_heard(b"last")
    os.close(master)
    assert await ears.until_lost() == "unplugged"
    assert len(ears.losses) == 1


async def test_a_port_belongs_to_one_reader(pty: tuple[int, str]) -> None:
    master, name = pty
    port = await open_serial(name, SerialLine(), Ears())
    with pytest.raises(LinkFailedError, match=r"lock|xclusive|busy"):
        await open_serial(name, SerialLine(), Ears())
    port.close()
    os.close(master)


async def test_a_port_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkFailedError, match="nothing"):
        await open_serial(str(tmp_path / "nothing"), SerialLine(), Ears())


async def test_a_port_that_takes_nothing_is_given_up(pty: tuple[int, str]) -> None:
    master, name = pty
    ears = Ears()
    port = await open_serial(name, SerialLine(), ears)
    for _ in range(200):
        port.write(b"x" * 4096)
    assert await ears.until_lost() == "the port takes no more bytes"
    os.close(master)


@asynccontextmanager
async def _device_server(
    say: bytes, *, then_close: bool = False
) -> AsyncIterator[tuple[int, "asyncio.Queue[bytes]"]]:
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(say)
        if then_close:
            writer.close()
            return
        asked.put_nowait(await reader.read(64))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def test_a_device_server_is_heard_and_asked() -> None:
    async with _device_server(b"value") as (port, asked):
        ears = Ears()
        transport = await open_tcp("127.0.0.1", port, ears)
        await ears.until_heard(b"value")
        transport.write(b"next?")
        assert await asyncio.wait_for(asked.get(), 5) == b"next?"
        await ears.until_lost()
        transport.close()


async def test_a_connection_that_the_other_side_closes_is_lost_after_its_bytes() -> None:
    async with _device_server(b"bye", then_close=True) as (port, _):
        ears = Ears()
        transport = await open_tcp("127.0.0.1", port, ears)
        assert "closed" in await ears.until_lost()
        assert ears.heard_bytes == b"bye"
        transport.close()


async def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(LinkFailedError, match=str(port)):
        await open_tcp("127.0.0.1", port, Ears())


class _Monitor(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.transport.sendto(b"re:" + data, addr)  # type: ignore[arg-type]
        self.transport.sendto(b"", addr)  # type: ignore[arg-type]


async def test_datagrams_come_whole_and_empty_ones_are_nothing() -> None:
    loop = asyncio.get_running_loop()
    monitor, _ = await loop.create_datagram_endpoint(_Monitor, local_addr=("127.0.0.1", 0))
    ears = Ears()
    transport = await open_udp("127.0.0.1", monitor.get_extra_info("sockname")[1], ears)
    transport.write(b"one")
    transport.write(b"two")
    await ears.until_heard(b"re:two")
    assert ears.pieces == [b"re:one", b"re:two"]
    transport.close()
    monitor.close()


async def test_a_device_that_answers_one_port_only_is_spoken_to_from_there() -> None:
    loop = asyncio.get_running_loop()
    monitor, _ = await loop.create_datagram_endpoint(_Monitor, local_addr=("127.0.0.1", 0))
    port, ours = monitor.get_extra_info("sockname")[1], free_port()
    ears = Ears()
    url = f"udp://127.0.0.1:{port}?local={ours}"
    transport = await make_opener()(url, SerialLine(), ears)
    transport.write(b"hello")
    await ears.until_heard(b"re:hello")
    with pytest.raises(LinkFailedError):
        await make_opener()(url, SerialLine(), ears)
    transport.close()
    monitor.close()


async def test_a_monitor_that_does_not_listen_yet_is_no_loss() -> None:
    ears = Ears()
    transport = await open_udp("127.0.0.1", free_port(), ears)
    transport.write(b"anybody?")
    transport.write(b"anybody?")
    await asyncio.sleep(0)
    assert not ears.losses
    transport.close()
    await asyncio.sleep(0)


@pytest.mark.service
async def test_messages_come_with_topic_and_say_whether_they_are_old(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as device:
        await device.publish("chair2/old", b"kept", retain=True, qos=1)
        ears = Ears()
        transport = await open_mqtt(
            "127.0.0.1", mosquitto.port, "chair2/#", ears, secrets=Secrets(), is_tls=False
        )
        await device.publish("chair2/spo2", b"97", qos=1)
        await device.publish("chair3/spo2", b"11", qos=1)
        await ears.until_heard(b"97")
    messages = [unpack(piece) for piece in ears.pieces]
    assert [(each.topic, each.payload, each.is_retained) for each in messages] == [
        ("chair2/old", b"kept", True),
        ("chair2/spo2", b"97", False),
    ]
    transport.close()
    await transport.closed()


@pytest.mark.service
async def test_a_request_is_published_to_its_own_topic(mosquitto: Mosquitto) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as node:
        await node.subscribe("node/command", qos=1)
        transport = await open_mqtt(
            "127.0.0.1", mosquitto.port, "node/data", Ears(), secrets=Secrets(), is_tls=False
        )
        transport.write(pack(Message("node/command", b"rebirth")))
        async with asyncio.timeout(10):
            message = await anext(aiter(node.messages))
        assert message.payload == b"rebirth"
        await transport.closed()


@pytest.mark.service
async def test_a_killed_broker_is_a_loss_at_once(mosquitto: Mosquitto) -> None:
    ears = Ears()
    transport = await open_mqtt(
        "127.0.0.1", mosquitto.port, "#", ears, secrets=Secrets(), is_tls=False
    )
    mosquitto.server.kill()
    assert await ears.until_lost()
    await transport.closed()


async def _refusal(port: int, secrets: Secrets) -> str:
    """Return why a broker was not joined.

    paho leaves the socket of a failed TLS handshake to the garbage collector, which complains.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            await open_mqtt("127.0.0.1", port, "#", Ears(), secrets=secrets, is_tls=True)
        except LinkFailedError as error:
            said = str(error)
        else:
            said = ""
        gc.collect()
    return said


@pytest.mark.service
async def test_tls_and_password_let_us_in_and_keep_others_out(mosquitto_tls: Mosquitto) -> None:
    port, ca_file = mosquitto_tls.port, str(mosquitto_tls.ca_file)
    good = Secrets(mosquitto_tls.username, BROKER_PASSWORD, ca_file)
    transport = await open_mqtt("127.0.0.1", port, "#", Ears(), secrets=good, is_tls=True)
    transport.close()
    await transport.closed()
    assert await _refusal(port, Secrets(mosquitto_tls.username, "guess", ca_file))
    untrusted = Secrets(mosquitto_tls.username, BROKER_PASSWORD, None)
    assert "CERTIFICATE" in await _refusal(port, untrusted)


async def test_a_capture_plays_its_bytes_and_ends(tmp_path: Path) -> None:
    file = tmp_path / "one.capture"
    with file.open("wb") as out:
        write_head(out, "nonin", "serial")
        write_piece(out, instant_at(0), b"\x01\x02")
        write_piece(out, instant_at(0.01), b"\x03")
    ears = Ears()
    await make_opener()(f"capture://{file}", SerialLine(), ears)
    assert await ears.until_lost() == "the capture is over"
    assert ears.pieces == [b"\x01\x02", b"\x03"]
