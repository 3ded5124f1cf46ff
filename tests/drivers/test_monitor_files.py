"""`vigil decode` on bytes of the big bedside monitors: examples as hex text, packets, raw files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.contract import Driver, Vector
from drivers.devices import datex, intellivue
from drivers.parts.intellivue_wire import unwrap
from monitor.cli import main
from tests.conformance.gear import hear, meaning
from tests.drivers.intellivue_messages import CREATED, SPO2, accept, numeric, poll
from tests.recordings.packet_writing import Format, ipv4, taken, udp, write

Run = Callable[..., tuple[int, list[dict[str, object]]]]
EXAMPLES = [(each.DRIVER, vector) for each in (datex, intellivue) for vector in each.DRIVER.vectors]
MONITOR, HOST = "10.0.0.9", "10.0.0.1"
SATURATION = poll(numeric(0x83D5, SPO2))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `vigil decode` in this process: its code and its JSON lines."""

    def run(*arguments: str | Path) -> tuple[int, list[dict[str, object]]]:
        code = main(["decode", *(str(each) for each in arguments)])
        return code, [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    return run


def values(lines: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(line["metric"], line["value"]) for line in lines if "value" in line]


@pytest.mark.parametrize(("driver", "vector"), EXAMPLES)
def test_an_example_written_as_hex_gives_the_values_beside_it(
    run: Run, tmp_path: Path, driver: Driver, vector: Vector
) -> None:
    file = tmp_path / "example.hex"
    file.write_text(vector.data.hex(" ").upper())
    _, lines = run(driver.name, file, "--hex", "--waves")
    assert values(lines) == list(vector.expected)
    assert lines
    assert not [line for line in lines if "rejected" in line]


@pytest.mark.parametrize("vector", intellivue.DRIVER.vectors[:5])
def test_an_example_of_a_monitor_reads_without_its_frame_too(vector: Vector) -> None:
    for frame in vector.data[1:].split(b"\xc1\xc0"):
        plain = frame.removesuffix(b"\xc1")
        for escaped, byte in ((b"\x7d\xe0", b"\xc0"), (b"\x7d\xe1", b"\xc1"), (b"\x7d\x5d", b"}")):
            plain = plain.replace(escaped, byte)
        message = unwrap(plain)
        assert isinstance(message, bytes)
        assert tuple(meaning(hear(intellivue.DRIVER, message))) == vector.expected


def test_a_packet_file_tells_the_monitor_from_its_host(run: Run, tmp_path: Path) -> None:
    ask = bytes.fromhex("E1000002 0001 001C 0001 0007 0016 0021 0000 0000 00000000 0C16 0008")
    ask += bytes.fromhex("0001 0001 0006 0803")
    packets = [
        ipv4(MONITOR, HOST, 17, udp(24105, 5000, accept())),
        ipv4(MONITOR, HOST, 17, udp(24105, 5000, CREATED)),
        ipv4(HOST, MONITOR, 17, udp(5000, 24105, ask)),
        ipv4(MONITOR, HOST, 17, udp(24105, 5000, SATURATION)),
        ipv4(MONITOR, HOST, 17, udp(24105, 5000, SATURATION)),
    ]
    file = tmp_path / "monitor.pcap"
    file.write_bytes(write(taken(packets), Format.PCAP_LITTLE))
    code, lines = run("intellivue", file)
    assert code == 0
    assert values(lines) == [("spo2", 97.0), ("spo2", 97.0)]
    assert not [line for line in lines if "rejected" in line]


def test_datagrams_written_one_after_the_other_are_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "datagrams.bin"
    file.write_bytes(accept() + CREATED + SATURATION * 40)
    code, lines = run("intellivue", file)
    assert code == 0
    assert values(lines) == [("spo2", 97.0)] * 40
    assert not [line for line in lines if "rejected" in line]
