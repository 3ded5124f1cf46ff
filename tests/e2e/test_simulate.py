"""`vigil simulate` on one side, `vigil listen` on the other: what any host would meet."""

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import aiomqtt
import msgspec
import pytest

from drivers.contract import TransportKind
from drivers.registry import all_drivers, get
from monitor.main.simulate import read_place
from monitor.model.errors import ConfigError
from monitor.model.instant import OPENING, instant_at
from simulators import broker
from simulators.device import Bedside, simulate
from simulators.physiology import Patient
from simulators.scenario import load
from simulators.sockets import UdpPort, serve_tcp
from simulators.wiring import CourseClock, Pty
from tests.e2e.commands import COMMAND, REPOSITORY, Fields, Said, environment, vigil


@contextmanager
def simulated(*arguments: str) -> Iterator[str]:
    """Play a device in a process of its own; yield the URL it says it is at."""
    with subprocess.Popen(
        [*COMMAND, "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env=environment(),
    ) as playing:
        try:
            assert playing.stdout is not None
            line = playing.stdout.readline()
            assert line, playing.stderr and playing.stderr.read().decode()
            yield str(msgspec.json.decode(line, type=Fields)["url"])
        finally:
            playing.terminate()


class Heard(msgspec.Struct):
    """What a host made of a device: metrics with a valid value, and what it refused."""

    metrics: set[str]
    rejected: list[Fields]


def hear(driver: str, url: str, wanted: set[str]) -> Heard:
    """Listen in a process of its own until every metric of `wanted` was valid, or for long."""
    heard = Heard(set(), [])
    with subprocess.Popen(
        [*COMMAND, "listen", driver, url, "--for", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env=environment(),
    ) as listening:
        assert listening.stdout is not None
        for text in listening.stdout:
            line = msgspec.json.decode(text, type=Fields)
            if line.get("validity") == "valid":
                heard.metrics.add(str(line["metric"]))
            elif "rejected" in line:
                heard.rejected.append(line)
            if wanted <= heard.metrics:
                break
        listening.terminate()
    return heard


CONNECTIONS = (
    ("nonin", "pty:", {"spo2", "pulse_rate"}),  # it talks by itself
    ("suntech", "pty:", {"cuff_pressure"}),  # it is polled
    ("capnostream", "tcp://127.0.0.1:0", {"etco2", "resp_rate"}),  # a handshake first
    ("intellivue", "udp://127.0.0.1:0", {"spo2", "etco2"}),  # an association first
    ("datex", "pty:", {"spo2", "etco2"}),  # it sends what was asked for
)


@pytest.mark.parametrize(("driver", "url", "metrics"), CONNECTIONS)
def test_a_simulated_device_is_heard_by_whoever_connects(
    driver: str, url: str, metrics: set[str]
) -> None:
    with simulated(driver, url, "--scenario", "quiet") as place:
        heard = hear(driver, place, metrics)
    assert metrics <= heard.metrics
    # What was under way when the host came is refused; afterwards nothing is.
    assert [line for line in heard.rejected if float(str(line["t_s"])) > 1.5] == []


async def test_a_host_that_comes_late_hears_the_present() -> None:
    pty = Pty(unread_s_max=0.0)
    start = instant_at(60)
    pty.play(simulate(get("nonin"), Bedside(Patient(load("quiet"), 1))), CourseClock(start))
    first = os.open(pty.path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    loop = asyncio.get_running_loop()
    for _ in range(8):  # each second frame, at 75 a second, throws away what was not read before
        turn = loop.create_future()
        loop.call_later(0.05, turn.set_result, None)
        await turn
    waiting = os.read(first, 65536)
    os.close(first)
    pty.close()
    assert 0 < len(waiting) < 500


def test_a_device_on_a_broker_is_heard_below_its_topic() -> None:
    async def both() -> Heard:
        async with broker.run_inside() as port:

            def play() -> Heard:
                place = f"mqtt://127.0.0.1:{port}/bed1"
                with simulated("senml", place, "--scenario", "quiet") as url:
                    assert url == f"{place}/#"
                    return hear("senml", url, {"heart_rate"})

            return await asyncio.get_running_loop().run_in_executor(None, play)

    assert "heart_rate" in asyncio.run(both()).metrics


def test_a_device_that_opens_the_connection_itself_finds_the_host_that_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with simulated("hl7", f"tcp://127.0.0.1:{port}?connect=1", "--scenario", "quiet") as url:
        assert url.endswith("?listen=1")
        assert "spo2" in hear("hl7", url, {"spo2"}).metrics


def test_a_second_host_finds_the_device_as_the_first_did() -> None:
    with simulated("nonin", "tcp://127.0.0.1:0", "--scenario", "quiet") as place:
        for _ in range(2):
            assert "spo2" in hear("nonin", place, {"spo2"}).metrics


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_every_device_survives_hosts_that_talk_rubbish(transport: str) -> None:
    kind = TransportKind(transport)
    for driver in all_drivers():
        if kind not in driver.transports:
            continue
        device = simulate(driver, Bedside(Patient(load("quiet"), 1)))
        clock = CourseClock(OPENING)
        if transport == "tcp":
            end, server = await serve_tcp(device, clock, "127.0.0.1", 0)
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(bytes(range(256)) * 8)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            end.close()
            server.close()
            await server.wait_closed()
        else:
            other = await UdpPort.open("127.0.0.1", 0)
            other.play(device, clock)
            port = int(other.url.rpartition(":")[2])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
                host.sendto(bytes(range(256)) * 4, ("127.0.0.1", port))
            other.close()
            await other.gone


async def test_a_device_on_udp_answers_whoever_spoke_last() -> None:
    end = await UdpPort.open("127.0.0.1", 0)
    device = simulate(get("intellivue"), Bedside(Patient(load("quiet"), 1)))
    end.play(device, CourseClock(OPENING))
    place = ("127.0.0.1", int(end.url.rpartition(":")[2]))
    loop = asyncio.get_running_loop()
    for _ in range(2):
        protocol = get("intellivue").open_protocol({})
        protocol.wake(OPENING)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
            host.setblocking(False)
            for asked in protocol.take_outgoing():
                await loop.sock_sendto(host, asked, place)
            async with asyncio.timeout(5):
                assert await loop.sock_recv(host, 4096)
    end.close()
    await end.gone


def test_it_ends_when_its_time_is_up_and_says_that_it_is_no_patient() -> None:
    said = vigil("simulate", "masimo", "pty:", "--for", "0.2")
    assert said.code == 0
    assert said.summary["mode"] == "demo"
    assert said.err.startswith("SIMULATED")


@pytest.mark.parametrize(
    ("driver", "url", "word"),
    [
        ("nonin", "udp://127.0.0.1:0", "nonin is carried by serial and tcp"),
        ("senml", "pty:", "senml is carried by mqtt"),
        ("nonin", "tcp://127.0.0.1", "needs a port"),
        ("nonin", "tcp://127.0.0.1:70000", "the port is a number"),
        ("nonin", "serial:///dev/ttyUSB0", "write pty:"),
        ("nonin", "tcp://127.0.0.1:0?connect=1", "needs a port"),
        ("nonin", "tcp://127.0.0.1:0?listen=1", "connect=1"),
        ("senml", "mqtt://127.0.0.1/", "without wildcards"),
        ("nonn", "pty:", "nonin"),
    ],
)
def test_a_place_that_cannot_be_is_named(driver: str, url: str, word: str) -> None:
    said = vigil("simulate", driver, url)
    assert (said.code, said.out) == (2, "")
    assert word in said.err


def test_a_port_that_is_taken_is_the_world_failing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = vigil("simulate", "nonin", f"tcp://127.0.0.1:{taken.getsockname()[1]}")
    assert said.code == 3
    assert "in use" in said.err


def test_a_topic_keeps_its_levels_and_loses_its_wildcard() -> None:
    place = read_place("mqtt://127.0.0.1:1884/clinic/chair1/#")
    assert (place.port, place.topic) == (1884, "clinic/chair1")
    with pytest.raises(ConfigError, match="wildcards"):
        read_place("mqtt://127.0.0.1/+/x")


def test_a_field_nobody_knows_is_shown_with_the_bytes_it_was_found_in() -> None:
    name = "dew-point"
    pack = f'[{{"n":"{name}","u":"mmHg","v":38}},{{"n":"spo2","u":"%","v":97}}]'.encode()

    async def published() -> Said:
        async with broker.run_inside() as port, aiomqtt.Client("127.0.0.1", port) as client:

            def hear_it() -> Said:
                url = f"mqtt://127.0.0.1:{port}/bed1/#"
                return vigil("listen", "senml", url, "--unknown", "--for", "2")

            hearing = asyncio.get_running_loop().run_in_executor(None, hear_it)
            while not hearing.done():
                await client.publish("bed1/all", pack)
                await asyncio.wait({hearing}, timeout=0.2)
            return await hearing

    said = asyncio.run(published())
    (line, *_) = [line for line in said.lines if line.get("notice") == "unknown_field"]
    assert pack.hex(" ") in str(line["bytes"])
    assert name in str(line["detail"])
