"""Peers as they are: ports with settings, strangers, frozen, babbling, greedy and flapping ones."""

import asyncio
import errno
import os
import socket
import struct
import termios
from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import SerialLine
from drivers.registry import get
from monitor.model.errors import ConfigError
from monitor.runtime.keeper import RETRY_DELAY_S_MAX
from monitor.runtime.transports import serial as serial_ports
from monitor.runtime.transports.network import (
    READ_AHEAD_MAX,
    READ_PACE_MAX,
    Pace,
    TcpTransport,
    open_tcp,
    open_udp,
)
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.serial import open_serial
from monitor.runtime.transports.url import parse, serial_line
from tests.conformance.gear import size_of
from tests.runtime.ears import Ears
from tests.runtime.lines import Kept, on_virtual_time, pass_time
from tests.runtime.test_doubt import said_by

# -- serial line settings --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "line", "flags", "input_flags"),
    [
        ("", SerialLine(baud=19200), 0, 0),
        ("stop=2", SerialLine(baud=19200, stop=2), termios.CSTOPB, 0),
        ("rtscts=1", SerialLine(baud=19200, rtscts=True), termios.CRTSCTS, 0),
        ("xonxoff=1", SerialLine(baud=19200, xonxoff=True), 0, termios.IXON | termios.IXOFF),
        (
            "stop=2&rtscts=1&xonxoff=1",
            SerialLine(baud=19200, stop=2, rtscts=True, xonxoff=True),
            termios.CSTOPB | termios.CRTSCTS,
            termios.IXON | termios.IXOFF,
        ),
    ],
)
async def test_a_port_is_set_as_its_url_says(
    query: str, line: SerialLine, flags: int, input_flags: int
) -> None:
    master, slave = os.openpty()
    asked = serial_line(parse(f"serial:///dev/x?baud=19200&{query}"), SerialLine())
    assert asked == line
    port = await open_serial(os.ttyname(slave), asked, Ears())
    iflag, _, cflag, _, _, speed, _ = termios.tcgetattr(slave)
    assert port.notes == ()
    assert speed == termios.B19200
    assert cflag & (termios.CSTOPB | termios.CRTSCTS) == flags
    assert iflag & (termios.IXON | termios.IXOFF) == input_flags
    port.close()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("setting", ["7E1", "7O1", "8E1", "8O2", "7N2", "8N1.5"])
async def test_every_setting_reaches_the_port(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pty has no parity to look at; what the serial library is asked for is looked at instead."""
    asked: list[SerialLine] = []
    opened = serial_ports._opened

    def look(path: str, line: SerialLine) -> object:
        asked.append(line)
        return opened(path, SerialLine())

    monkeypatch.setattr(serial_ports, "_opened", look)
    master, slave = os.openpty()
    bits, parity, stop = setting[0], setting[1], setting[2:]
    url = f"serial://{os.ttyname(slave)}?bits={bits}&parity={parity.lower()}&stop={stop}"
    port = await make_opener()(url, SerialLine(baud=2400), Ears())
    (line,) = asked
    assert (line.baud, line.bits, line.parity, line.stop) == (2400, int(bits), parity, float(stop))
    port.close()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("query", ["rtscts=yes", "xonxoff=on", "rtscts=", "bits=9", "stop=3"])
def test_a_setting_that_no_port_has_is_refused(query: str) -> None:
    with pytest.raises(ConfigError, match=query.partition("=")[0]):
        serial_line(parse(f"serial:///dev/x?{query}"), SerialLine())


async def test_a_refused_parity_is_said_and_costs_no_other_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = serial_ports._opened

    def refuse(path: str, line: SerialLine) -> object:
        if line.parity != "N":
            raise termios.error(errno.EINVAL, "Invalid argument")
        return opened(path, line)

    monkeypatch.setattr(serial_ports, "_opened", refuse)
    master, slave = os.openpty()
    line = SerialLine(baud=9600, parity="E", stop=2, xonxoff=True)
    port = await open_serial(os.ttyname(slave), line, Ears())
    assert port.notes == (f"{os.ttyname(slave)} refuses 9600 8E2 xon/xoff",)
    iflag, _, cflag, *_ = termios.tcgetattr(slave)
    assert cflag & termios.CSTOPB
    assert iflag & termios.IXON
    port.close()
    os.close(master)
    os.close(slave)


def test_what_a_port_refuses_is_said_when_the_link_comes_up() -> None:
    async def come_up() -> None:
        kept = Kept(get("nonin"))
        kept.notes = ("/dev/line refuses 9600 8E1",)
        await kept.plug()
        assert [edge[1:] for edge in kept.edges] == [("up", "/dev/line refuses 9600 8E1")]
        await kept.end()

    on_virtual_time(come_up)


# -- strangers -------------------------------------------------------------------------------------


async def test_datagrams_of_a_stranger_are_not_heard() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        device.bind(("127.0.0.1", 0))
        ears = Ears()
        port = await open_udp("127.0.0.1", device.getsockname()[1], ears)
        port.write(b"who is there")
        _, ours = device.recvfrom(64)
        stranger.sendto(b"not the device", ours)
        device.sendto(b"the device", ours)
        await ears.until_heard(b"the device")
        assert ears.pieces == [b"the device"]
        port.close()


# -- half-open, frozen, greedy ---------------------------------------------------------------------


async def _accepted(listening: socket.socket) -> socket.socket:
    listening.setblocking(False)
    peer, _ = await asyncio.get_running_loop().sock_accept(listening)
    return peer


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def test_a_peer_that_answers_nothing_of_ours_is_given_up_in_half_a_minute() -> None:
    """While bytes of ours wait for an answer the system does not ask for the peer: it counts."""
    with _listener() as listening:
        port = await open_tcp("127.0.0.1", listening.getsockname()[1], Ears())
        wire = port._transport.get_extra_info("socket")
        assert 0 < wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        port.close()


async def test_a_frozen_peer_that_reads_nothing_is_let_go_and_said_to_be() -> None:
    with _listener() as listening:
        ears = Ears()
        port = await open_tcp("127.0.0.1", listening.getsockname()[1], ears)
        peer = await _accepted(listening)
        for _ in range(400):
            port.write(bytes(65_536))
        assert await ears.until_lost() == "the other side takes no more bytes"
        assert len(ears.losses) == 1
        peer.close()


async def test_a_reset_is_a_loss() -> None:
    with _listener() as listening:
        ears = Ears()
        port = await open_tcp("127.0.0.1", listening.getsockname()[1], ears)
        peer = await _accepted(listening)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert "reset" in (await ears.until_lost()).lower()
        port.close()


# -- babbling --------------------------------------------------------------------------------------


@given(sizes=st.lists(st.integers(1, 300_000), min_size=1, max_size=50), gap_ms=st.integers(0, 400))
def test_a_stream_takes_its_share_and_no_more(sizes: list[int], gap_ms: int) -> None:
    pace = Pace(READ_PACE_MAX, READ_AHEAD_MAX)
    now_s, taken = 100.0, 0
    for size in sizes:
        wait_s = pace.take(size, now_s)
        taken += size
        passed_s = now_s - 100.0
        assert taken <= READ_AHEAD_MAX + READ_PACE_MAX * passed_s + size
        assert wait_s <= size / READ_PACE_MAX + 1e-6
        now_s += wait_s + gap_ms / 1000


def test_a_device_at_its_own_rate_is_never_held_up() -> None:
    pace = Pace(READ_PACE_MAX, READ_AHEAD_MAX)
    assert not any(pace.take(1200, n / 10) for n in range(10_000))


async def test_a_babbling_peer_is_read_at_a_pace_and_no_other_is_held_up() -> None:
    with _listener() as babbling, _listener() as quiet:
        flood, ears = Ears(), Ears()
        port = await open_tcp("127.0.0.1", babbling.getsockname()[1], flood)
        other = await open_tcp("127.0.0.1", quiet.getsockname()[1], ears)
        assert isinstance(port, TcpTransport)
        peer, calm = await _accepted(babbling), await _accepted(quiet)

        async def babble() -> None:
            noise = Random(1).randbytes(65_536)
            while True:
                await asyncio.get_running_loop().sock_sendall(peer, noise)

        babbler = asyncio.create_task(babble())
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while len(flood.heard_bytes) < READ_AHEAD_MAX:
            flood.pieces = [flood.heard_bytes]
            await flood.until_more_than(len(flood.heard_bytes))
        for count in range(20):
            await loop.sock_sendall(calm, b"%d;" % count)
            await ears.until_heard(b"%d;" % count)
        took_s = loop.time() - began_s
        assert len(flood.heard_bytes) <= READ_AHEAD_MAX + READ_PACE_MAX * (took_s + 1)
        babbler.cancel()
        await asyncio.wait({babbler})
        for each in (port, other):
            each.close()
        for end in (peer, calm):
            end.close()


@pytest.mark.parametrize("name", ["nonin", "datex", "hl7", "medibus"])
def test_an_hour_of_babble_is_told_in_three_lines_and_leaves_nothing_behind(name: str) -> None:
    async def babble() -> None:
        kept = Kept(get(name), "tcp")
        wire = await kept.plug()
        chance = Random(name)
        sizes = []
        for minute in range(60):
            wire.receiver.heard(chance.randbytes(20_000))
            await pass_time(60.0 * minute + 1)
            link = kept.keeper.link
            assert link is not None
            sizes.append(size_of(kept.pipeline.protocol(name)) + size_of(link._doubt))
        assert max(sizes) < 300_000
        assert max(sizes[30:]) <= 1.2 * max(sizes[:30])
        assert [edge.state for edge in kept.edges[:1]] == ["up"]
        assert "does not look like" in kept.edges[-1].reason
        assert len(kept.edges) <= 3
        await kept.end()

    on_virtual_time(babble)


# -- flapping --------------------------------------------------------------------------------------

LINES_AN_HOUR_MAX = 1000


class Habit(msgspec.Struct, frozen=True):
    """What a peer does each time it is reached: refuses, or stays for `up_s` and talks or not."""

    refuses: bool
    up_s: float
    talks: bool


habits = st.lists(
    st.builds(
        Habit,
        refuses=st.booleans(),
        up_s=st.sampled_from([0.0, 0.1, 1.0, 4.0, 29.0, 31.0, 600.0]),
        talks=st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


async def _flap(peers: list[Habit]) -> Kept:
    kept = Kept(get("nonin"))
    loop = asyncio.get_running_loop()
    turn = 0
    while loop.time() < 3600:
        habit = peers[turn % len(peers)]
        turn += 1
        kept.refuses = habit.refuses
        if habit.refuses:
            await pass_time(loop.time() + RETRY_DELAY_S_MAX)
            continue
        wire = await kept.plug()
        began_s = loop.time()
        if habit.talks:
            for piece in said_by("nonin")[:80]:
                wire.receiver.heard(piece.data)
        await pass_time(began_s + habit.up_s)
        wire.receiver.lost("gone")
        await pass_time(loop.time() + 0.01)
    await kept.end()
    return kept


@settings(max_examples=25, deadline=None, derandomize=True)
@given(peers=habits)
def test_a_flapping_peer_is_told_at_its_edges_and_floods_no_log(peers: list[Habit]) -> None:
    edges = on_virtual_time(lambda: _flap(peers)).edges
    assert len(edges) <= LINES_AN_HOUR_MAX
    for before, after in pairwise(edges):
        assert (before.state, before.reason) != (after.state, after.reason), "told once an edge"


def test_a_peer_that_is_away_for_a_day_is_told_once() -> None:
    async def away() -> None:
        kept = Kept(get("nonin"))
        kept.refuses = True
        await pass_time(86_400)
        assert [edge.state for edge in kept.edges] == ["lost"]
        assert kept.openings <= 86_400 / (0.75 * RETRY_DELAY_S_MAX) + 20
        await kept.end()

    on_virtual_time(away)
