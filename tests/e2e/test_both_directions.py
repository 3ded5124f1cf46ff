"""Whoever records a line records the host too: its questions hide and change no answer."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from drivers.contract import NO_OPTIONS, Driver, TransportKind
from drivers.registry import all_drivers
from monitor.cli import main
from monitor.model.event import Observation, Validity
from monitor.model.instant import OPENING, Instant, later, seconds
from monitor.model.metric import Metric
from tests.recordings.packet_writing import (
    ACK,
    SYN,
    Format,
    Link,
    Taken,
    ipv4,
    network,
    tcp,
    udp,
    write,
)

HOST, DEVICE = "10.0.0.1", "10.0.0.7"
LASTS = seconds(12)
STEP = seconds(0.02)
SAID = {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0, Metric.ETCO2: 38.0, Metric.RESP_RATE: 14.0}
TALKERS = [each for each in all_drivers() if TransportKind.SERIAL in each.transports]


class Sent(NamedTuple):
    """Bytes of one write: when, and whose."""

    at: Instant
    is_host: bool
    data: bytes


def talk(driver: Driver) -> list[Sent]:
    """Return what a simulated device and its host say to each other, in order."""
    device, host = driver.open_device(), driver.open_protocol(NO_OPTIONS)
    device.say([Observation(each, x, Validity.VALID, OPENING) for each, x in SAID.items()], OPENING)
    sent = []
    now = OPENING
    while now < LASTS:
        for speaker, other in ((host, device), (device, host)):
            if speaker.wake_at is not None and speaker.wake_at <= now:
                speaker.wake(now)
            for data in speaker.take_outgoing():
                sent.append(Sent(now, speaker is host, data))
                other.receive(data, now)
        now = later(now, STEP)
    return sent


def as_stream(sent: Sequence[Sent], port: int = 4001) -> bytes:
    """Return a packet file of a device server's connection."""
    greeting = [
        Taken(0, network(ipv4(HOST, DEVICE, 6, tcp((50_000, port), 9, b"", SYN)), Link.ETHERNET)),
        Taken(
            0, network(ipv4(DEVICE, HOST, 6, tcp((port, 50_000), 9, b"", SYN | ACK)), Link.ETHERNET)
        ),
    ]
    numbers = {True: 10, False: 10}
    packets = []
    for at, is_host, data in sent:
        ends = (HOST, DEVICE) if is_host else (DEVICE, HOST)
        ports = (50_000, port) if is_host else (port, 50_000)
        segment = tcp(ports, numbers[is_host], data, ACK, numbers[not is_host])
        packets.append(Taken(at, network(ipv4(*ends, 6, segment), Link.ETHERNET)))
        numbers[is_host] += len(data)
    return write([*greeting, *packets], Format.PCAP_LITTLE)


def heard(
    capfd: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, list[tuple[str, float]], str]:
    """Return the exit code of `vigil decode`, what it told as (metric, value), and its notes."""
    code = main(["decode", *arguments])
    said = capfd.readouterr()
    lines = [json.loads(line) for line in said.out.splitlines()]
    values = [(each["metric"], each["value"]) for each in lines if each.get("value") is not None]
    return code, values, said.err


@pytest.mark.parametrize("driver", TALKERS, ids=lambda each: each.name)
def test_a_host_in_the_same_packet_file_is_not_taken_for_a_second_device(
    driver: Driver, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "line.pcap"
    sent = talk(driver)
    file.write_bytes(as_stream(sent))
    code, values, notes = heard(capfd, driver.name, str(file))
    assert code == 0, notes
    assert values == heard(capfd, driver.name, str(file), "--from", DEVICE)[1]
    assert values


@pytest.mark.parametrize("driver", TALKERS, ids=lambda each: each.name)
def test_both_directions_in_one_raw_file_give_the_values_of_the_device_alone(
    driver: Driver, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = talk(driver)
    mixed, alone = tmp_path / "mixed", tmp_path / "alone"
    mixed.write_bytes(b"".join(each.data for each in sent))
    alone.write_bytes(b"".join(each.data for each in sent if not each.is_host))
    code, values, notes = heard(capfd, driver.name, str(mixed))
    assert code == 0, notes
    assert values == heard(capfd, driver.name, str(alone))[1]


def test_a_host_that_asks_from_the_monitors_own_port_is_no_second_monitor(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    driver = next(each for each in TALKERS if each.device_ports)
    packets = []
    for at, is_host, data in talk(driver):
        ends = (HOST, DEVICE) if is_host else (DEVICE, HOST)
        packets.append(Taken(at, network(ipv4(*ends, 17, udp(24105, 24105, data)), Link.ETHERNET)))
    file = tmp_path / "line.pcap"
    file.write_bytes(write(packets, Format.PCAP_BIG))
    code, values, notes = heard(capfd, driver.name, str(file))
    assert code == 0, notes
    assert ("spo2", 97.0) in values


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("nonin", "datex"), ("datex", "medibus"), ("masimo", "capnostream"), ("ansar", "intellivue")],
)
def test_the_wrong_driver_on_a_packet_file_is_1_and_names_the_right_one(
    wrong: str, right: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "line.pcap"
    file.write_bytes(as_stream(talk(next(each for each in TALKERS if each.name == right))))
    code, values, notes = heard(capfd, wrong, str(file))
    assert (code, values) == (1, [])
    assert f"vigil decode {right}" in notes
    file.write_bytes(as_stream([Sent(OPENING, is_host, bytes(900)) for is_host in (True, False)]))
    code, values, notes = heard(capfd, wrong, str(file))
    assert (code, values) == (1, [])
    assert f"heard were {HOST}, {DEVICE}:4001; none reads as" in notes
    assert "looks like" not in notes


def test_datagrams_are_looked_through_for_a_driver_of_streams_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    driver = next(each for each in TALKERS if each.device_ports)
    packets = [
        Taken(at, network(ipv4(DEVICE, HOST, 17, udp(24105, 9, data)), Link.ETHERNET))
        for at, is_host, data in talk(driver)
        if not is_host
    ]
    file = tmp_path / "line.pcap"
    file.write_bytes(write(packets, Format.PCAP_BIG))
    code, _, notes = heard(capfd, "datex", str(file))
    assert code == 1
    assert f"vigil decode {driver.name}" in notes


def test_a_line_that_holds_by_chance_is_no_reason_to_name_its_driver(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nellcor = next(each for each in TALKERS if each.name == "nellcor")
    rubbish = b"".join(b"no such line %d\r\n" % number for number in range(300))
    said = [Sent(OPENING, is_host, rubbish + nellcor.vectors[0].data) for is_host in (True, False)]
    file = tmp_path / "line.pcap"
    file.write_bytes(as_stream(said))
    code, _, notes = heard(capfd, "datex", str(file))
    assert code == 1
    assert "looks like" not in notes
