"""`vigil decode` and `replay` on packet files: one device heard, two never mixed."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from drivers.contract import NO_OPTIONS, TransportKind
from drivers.devices.nonin import DRIVER
from drivers.registry import get
from monitor.cli import main
from monitor.main.decoding import Source, decoded
from monitor.model.event import DeviceEvent, Observation
from monitor.model.instant import in_seconds, seconds
from monitor.model.metric import Metric
from monitor.recordings.notes import Notes
from tests.recordings.packet_writing import (
    ACK,
    NS,
    SYN,
    Format,
    Taken,
    ipv4,
    taken,
    tcp,
    udp,
    write,
)

HOST = "10.0.0.1"
Run = Callable[..., tuple[int, list[dict[str, object]], str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in this process: its code, its JSON lines, its notes."""

    def run(*arguments: str | Path) -> tuple[int, list[dict[str, object]], str]:
        code = main([str(each) for each in arguments])
        said = capfd.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def nonin_bytes(spo2: int, packets: int = 2) -> bytes:
    """Return what a module sends that reads `spo2`."""
    device = DRIVER.open_device()
    said = [Observation(Metric.SPO2, spo2, "valid", seconds(0))]  # type: ignore[arg-type]
    out = bytearray()
    device.say(said, seconds(0))  # type: ignore[arg-type]
    while device.wake_at is not None and device.wake_at < packets * seconds(0.35):
        device.wake(device.wake_at)
        out += b"".join(device.take_outgoing())
    return bytes(out)


def stream(address: str, port: int, data: bytes, *, cut: int = 50) -> list[bytes]:
    """Return a device server's connection: three ways of greeting, then its bytes."""
    there, back = (port, 50_000), (50_000, port)
    packets = [
        ipv4(HOST, address, 6, tcp(back, 9, b"", SYN)),
        ipv4(address, HOST, 6, tcp(there, 99, b"", SYN | ACK)),
    ]
    for at in range(0, len(data), cut):
        packets.append(ipv4(address, HOST, 6, tcp(there, 100 + at, data[at : at + cut])))
        packets.append(ipv4(HOST, address, 6, tcp(back, 10, b"", ACK, 100 + at)))
    return packets


def values(lines: list[dict[str, object]]) -> set[object]:
    return {line["value"] for line in lines if line.get("metric") == "spo2"}


def test_a_device_server_in_a_packet_file_is_decoded_at_its_times(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ward.pcap"
    file.write_bytes(
        write(taken(stream("10.0.0.7", 4001, nonin_bytes(91)), every_s=0.1), Format.NG_NS)
    )
    code, lines, notes = run("decode", "nonin", file)
    assert code == 0
    assert 91.0 in values(lines)
    assert not any("rejected" in line for line in lines)
    assert not notes
    assert lines == sorted(lines, key=lambda line: float(str(line["t_s"])))


def test_a_packed_file_and_standard_input_give_the_same(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write(taken(stream("10.0.0.7", 4001, nonin_bytes(91)), every_s=0.1), Format.PCAP_BIG)
    plain, packed = tmp_path / "a", tmp_path / "b"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    expected = run("decode", "nonin", plain)
    assert run("decode", "nonin", packed) == expected
    for form in (content, gzip.compress(content)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(form)))
        assert run("decode", "nonin", "-") == expected


def test_two_devices_in_one_file_are_refused_until_one_is_named(run: Run, tmp_path: Path) -> None:
    one = stream("10.0.0.7", 4001, nonin_bytes(91))
    other = stream("10.0.0.7", 4002, nonin_bytes(84))
    file = tmp_path / "ward.pcap"
    both = [each for pair in zip(one, other, strict=True) for each in pair]
    file.write_bytes(write(taken(both, every_s=0.05), Format.PCAP_LITTLE))
    code, lines, notes = run("decode", "nonin", file)
    assert (code, lines) == (2, [])
    assert "refuses to mix devices" in notes
    assert "10.0.0.7:4001, 10.0.0.7:4002" in notes
    assert "--from" in notes
    for port, heard, unheard in ((4001, 91.0, 84.0), (4002, 84.0, 91.0)):
        code, lines, _ = run("decode", "nonin", file, "--from", f"10.0.0.7:{port}")
        assert code == 0
        assert heard in values(lines)
        assert unheard not in values(lines)
    code, lines, notes = run("replay", "--driver", "nonin", file)
    assert (code, lines) == (2, [])
    code, lines, _ = run("replay", "--driver", "nonin", file, "--from", "10.0.0.7:4002")
    assert code == 0
    assert lines[-1]["observations"]


def test_an_address_that_cannot_help_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ward.pcap"
    file.write_bytes(write(taken(stream("10.0.0.7", 4001, nonin_bytes(91))), Format.PCAP_LITTLE))
    code, lines, notes = run("decode", "nonin", file, "--from", "10.0.0.8")
    assert (code, lines) == (1, [])
    assert "nobody at 10.0.0.8; heard were 10.0.0.7:4001" in notes
    file.write_bytes(nonin_bytes(91))
    code, lines, notes = run("decode", "nonin", file, "--from", "10.0.0.7")
    assert (code, lines) == (2, [])
    assert "no packet file" in notes


def test_a_lost_segment_costs_frames_and_is_noted_and_makes_up_none(
    run: Run, tmp_path: Path
) -> None:
    packets = stream("10.0.0.7", 4001, nonin_bytes(91, packets=6))
    file = tmp_path / "ward.pcap"
    heard = []
    for lost in range(4, 20, 2):
        left = packets[:lost] + packets[lost + 1 :]
        file.write_bytes(write(taken(left, every_s=0.1), Format.PCAP_LITTLE))
        code, lines, notes = run("decode", "nonin", file)
        assert code == 0
        assert "missing" in notes
        heard.append(values(lines))
    assert set().union(*heard) <= {91.0, None}


def test_among_foreign_traffic_the_device_is_found(run: Run, tmp_path: Path) -> None:
    web = stream("10.0.0.80", 443, bytes(range(256)) * 8, cut=900)
    mine = stream("10.0.0.7", 4001, nonin_bytes(91))
    file = tmp_path / "ward.pcap"
    file.write_bytes(write(taken([*web, *mine], every_s=0.01), Format.PCAP_LITTLE))
    code, lines, _ = run("decode", "nonin", file)
    assert code == 0
    assert 91.0 in values(lines)


def test_frames_that_hold_by_chance_make_no_second_device(run: Run, tmp_path: Path) -> None:
    line = get("nellcor").vectors[0].data
    rubbish = b"".join(b"no such line %d\r\n" % n for n in range(300))
    other = stream("10.0.0.80", 443, rubbish + line + rubbish)
    mine = stream("10.0.0.7", 4001, line * 5)
    file = tmp_path / "ward.pcap"
    file.write_bytes(write(taken([*other, *mine], every_s=0.01), Format.PCAP_LITTLE))
    alone = run("decode", "nellcor", file, "--from", "10.0.0.80")
    assert alone[0] == 0, "it does hold one that reads"
    code, lines, _ = run("decode", "nellcor", file)
    assert code == 0
    assert lines == run("decode", "nellcor", file, "--from", "10.0.0.7")[1]


def test_halves_on_either_side_of_a_gap_make_no_reading(run: Run, tmp_path: Path) -> None:
    line = get("nellcor").vectors[0].data
    greeting, middle = stream("10.0.0.7", 4001, b"")[:2], len(line) // 2
    file = tmp_path / "ward.pcap"
    for lost, expected in ((0, True), (100, False)):
        halves = [(100, line[:middle]), (100 + middle + lost, line[middle:])]
        sent = [ipv4("10.0.0.7", HOST, 6, tcp((4001, 50_000), *half)) for half in halves]
        file.write_bytes(write(taken([*greeting, *sent], every_s=0.01), Format.PCAP_LITTLE))
        _, lines, _ = run("decode", "nellcor", file, "--from", "10.0.0.7")
        assert any("value" in each for each in lines) is expected, lines


def test_a_file_without_the_device_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ward.pcap"
    file.write_bytes(write(taken(stream("10.0.0.80", 443, b"GET / HTTP")), Format.PCAP_LITTLE))
    code, _, notes = run("decode", "nonin", file)
    assert code == 1
    assert "nothing in" in notes
    file.write_bytes(write([], Format.PCAP_LITTLE))
    code, _, notes = run("decode", "nonin", file)
    assert code == 1
    assert "no packet" in notes


def test_a_device_of_a_broker_is_not_looked_for_in_packets(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ward.pcap"
    file.write_bytes(write([], Format.PCAP_LITTLE))
    code, _, notes = run("decode", "senml", file)
    assert code == 2
    assert "mqtt" in notes


# -- datagrams, with a driver made up for them -----------------------------------------------------

_PORTS = frozenset({24105, 24005})


def hear(packets: list[Taken], tmp_path: Path, ports: frozenset[int]) -> list[DeviceEvent]:
    driver = msgspec.structs.replace(
        DRIVER, transports=frozenset({TransportKind.UDP}), device_ports=ports
    )
    file = tmp_path / "net.pcap"
    file.write_bytes(write(packets, Format.NG_BIG))
    source = Source(file=str(file), options=NO_OPTIONS)
    return [event for _, events in decoded(driver, source, Notes("packet")) for event in events]


@pytest.mark.parametrize("ports", [_PORTS, frozenset[int]()])
def test_datagrams_of_the_device_are_heard_and_those_of_its_host_are_not(
    tmp_path: Path, ports: frozenset[int]
) -> None:
    data = nonin_bytes(91, packets=4)
    packets = []
    for at in range(0, len(data), 25):
        packets.append(ipv4("10.0.0.9", HOST, 17, udp(24105, 9000, data[at : at + 25])))
        packets.append(ipv4(HOST, "10.0.0.9", 17, udp(9000, 24105, b"poll")))
    events = hear(taken(packets, every_s=0.05), tmp_path, ports)
    found = {event.value for event in events if isinstance(event, Observation)}
    assert 91 in found
    assert all(not hasattr(event, "reason") for event in events)


def test_a_network_monitor_is_heard_by_its_own_datagrams(run: Run, tmp_path: Path) -> None:
    monitor = get("intellivue")
    vector = next(each for each in monitor.vectors if (Metric.SPO2, 97) in each.expected)
    message = unframed(vector.data)
    packets = [
        ipv4(HOST, "10.0.0.9", 17, udp(50_000, 24105, message)),  # an echo is not the device
        ipv4("10.0.0.9", HOST, 17, udp(24105, 50_000, message)),
    ]
    file = tmp_path / "net.pcapng"
    file.write_bytes(write(taken(packets), Format.NG_LITTLE))
    code, lines, _ = run("decode", "intellivue", file)
    assert code == 0
    assert values(lines) == {97.0}
    assert {line["t_s"] for line in lines} == {1.0}


def unframed(data: bytes) -> bytes:
    """Return the message in an RS-232 frame: what a datagram holds alone."""
    whole = bytearray()
    escaped = False
    for byte in data.strip(b"\xc0\xc1"):
        if byte == 0x7D:
            escaped = True
            continue
        whole.append(byte ^ 0x20 if escaped else byte)
        escaped = False
    return bytes(whole[4:-2])


def test_a_long_quiet_or_a_clock_that_jumps_is_bounded_work(tmp_path: Path) -> None:
    driver = get("capnostream")
    assert driver.open_protocol(NO_OPTIONS).wake_at is not None, "one that asks again and again"
    packets = [ipv4("10.0.0.9", HOST, 6, tcp((4001, 5000), n, b"x")) for n in range(3)]
    file = tmp_path / "net.pcap"
    times = (0, 40 * 365 * 86_400 * NS, 80 * 365 * 86_400 * NS)
    made = [Taken(at, each.data) for at, each in zip(times, taken(packets), strict=True)]
    file.write_bytes(write(made, Format.PCAP_LITTLE))
    source = Source(file=str(file))
    last = [at for at, _ in decoded(driver, source, Notes("packet"))][-1]
    assert in_seconds(last) == times[-1] / NS
