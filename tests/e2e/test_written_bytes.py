"""`vigil decode` on what people have: dumps, logs, text of consoles, streams without an end."""

import bz2
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from drivers.registry import get
from monitor.cli import main
from monitor.main.decoding import Source, decoded
from monitor.main.inputs import HEAD_SIZE, Input
from monitor.main.pacing import paced
from monitor.model.event import Observation
from monitor.recordings.notes import Notes
from tests.e2e.test_both_directions import Sent, talk
from tests.recordings.test_hex_text import DRESSES

Run = Callable[..., tuple[int, list[tuple[str, float]], str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `vigil decode`: its code, what it told as (metric, value), its notes."""

    def run(*arguments: str | Path) -> tuple[int, list[tuple[str, float]], str]:
        code = main(["decode", *map(str, arguments)])
        said = capfd.readouterr()
        lines = [json.loads(line) for line in said.out.splitlines()]
        return (
            code,
            [(each["metric"], each["value"]) for each in lines if "value" in each],
            said.err,
        )

    return run


@pytest.fixture(scope="module")
def said() -> dict[str, list[Sent]]:
    """Return conversations by driver, host and device."""
    return {name: talk(get(name)) for name in ("datex", "medibus", "intellivue", "capnostream")}


def of_device(sent: list[Sent]) -> bytes:
    return b"".join(each.data for each in sent if not each.is_host)


@pytest.mark.parametrize("dress", DRESSES)
def test_a_dump_says_what_its_bytes_say_with_and_without_being_told(
    dress: str, run: Run, said: dict[str, list[Sent]], tmp_path: Path
) -> None:
    data = of_device(said["datex"])[:3000]
    raw, file = tmp_path / "raw", tmp_path / "text"
    raw.write_bytes(data)
    file.write_text(DRESSES[dress](data))
    expected = run("datex", raw)[:2]
    assert expected[0] == 0
    code, values, notes = run("datex", file)
    assert (code, values) == expected
    assert "read as hex text" in notes
    assert run("datex", file, "--hex")[:2] == expected


@pytest.mark.parametrize("name", ["datex", "medibus", "intellivue", "capnostream"])
@pytest.mark.parametrize(("mine", "yours"), [("RX:", "TX:"), ("<", ">"), ("->", "<-")])
def test_of_a_log_of_two_directions_the_device_is_heard_at_its_times(
    name: str, mine: str, yours: str, run: Run, said: dict[str, list[Sent]], tmp_path: Path
) -> None:
    alone, file = tmp_path / "alone", tmp_path / "port.log"
    alone.write_bytes(of_device(said[name]))
    with file.open("w", newline="\r\n") as log:
        for at, is_host, data in said[name]:
            second, ms = divmod(at // 1_000_000, 1000)
            log.write(f"23:59:{50 + second:02d}.{ms:03d} " if second < 10 else "")
            log.write(f"00:00:{second - 10:02d}.{ms:03d} " if second >= 10 else "")
            log.write(f"{yours if is_host else mine} {data.hex(' ')}\n")
    code, values, notes = run(name, file)
    assert code == 0
    assert values == run(name, alone)[1]
    assert f'"{mine.strip(":")}" is the direction of the device' in notes
    events = decoded(get(name), Source(file=str(file)), Notes())
    assert max(at for at, _ in events) == said[name][-1].at // 1_000_000 * 1_000_000


def test_directions_that_both_measure_or_neither_are_read_apart(run: Run, tmp_path: Path) -> None:
    one, other = (each.data for each in get("nellcor").vectors[:2])
    file = tmp_path / "port.log"
    halves = (("RX", one[:30]), ("TX", other[:25]), ("RX", one[30:]), ("TX", other[25:]))
    file.write_text("\n".join(f"{side}: {data.hex()}" for side, data in halves))
    code, values, notes = run("nellcor", file)
    assert code == 0
    assert [value for metric, value in values if metric == "spo2"] == [97.0, 84.0]
    assert "direction of the device" not in notes
    file.write_text("\n".join(f"{side}: {bytes(30).hex()}" for side in ("RX", "TX")))
    code, values, notes = run("nellcor", file)
    assert (code, values) == (1, [])
    assert "direction of the device" not in notes


def test_a_log_of_the_host_alone_says_what_it_asked(
    run: Run, said: dict[str, list[Sent]], tmp_path: Path
) -> None:
    file = tmp_path / "port.log"
    asked = [f"TX: {each.data.hex()}" for each in said["datex"] if each.is_host]
    file.write_text("\n".join(asked))
    code, values, _ = run("datex", file)
    assert (code, values) == (0, [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_what_a_console_wrote_is_read(
    encoding: str, pack: Callable[[bytes], bytes], run: Run, tmp_path: Path
) -> None:
    line = get("masimo").vectors[0].data.decode()
    plain, file = tmp_path / "plain", tmp_path / "console.txt"
    plain.write_text(line * 900)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    file.write_bytes(pack((mark + line * 900).encode(encoding)))
    assert file.stat().st_size > HEAD_SIZE or pack is not bytes
    assert run("masimo", file) == run("masimo", plain)
    text = "\n".join([get("datex").vectors[0].data.hex()] * 4)
    file.write_bytes(pack((mark + text).encode(encoding)))
    code, values, _ = run("datex", file)
    assert code == 0
    assert values


@pytest.mark.parametrize(
    ("begins", "says"),
    [(b"PK\3\4", "zip"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")],
)
def test_a_packing_that_is_not_read_is_named(
    begins: bytes, says: str, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "packed"
    file.write_bytes(begins + bytes(100))
    code, values, notes = run("nonin", file)
    assert (code, values) == (2, [])
    assert says in notes


def test_a_packed_file_that_was_cut_is_read_up_to_there(run: Run, tmp_path: Path) -> None:
    data = get("nonin").vectors[0].data * 4000
    file = tmp_path / "cut.gz"
    packed = gzip.compress(data, compresslevel=0)
    file.write_bytes(packed[: len(packed) // 2])
    code, values, notes = run("nonin", file)
    assert code == 0
    assert values
    assert "damaged or cut off" in notes


class Endless(io.RawIOBase):
    """The same bytes for ever, as a serial port piped into the command gives them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        size = min(len(buffer), len(self._data))
        buffer[:size] = self._data[:size]
        self._data = self._data[size:] + self._data[:size]
        self.taken += size
        return size


@pytest.mark.parametrize("form", [bytes, lambda data: data.hex(" ").encode() + b"\n"])
def test_a_stream_without_an_end_is_decoded_while_it_comes(
    form: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Endless(form(get("ansar").vectors[0].data))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(endless)))
    heard = islice(decoded(get("ansar"), Source(file="-"), Notes()), 200)
    assert any(isinstance(event, Observation) for _, events in heard for event in events)
    assert endless.taken < 4 * HEAD_SIZE


def test_what_is_cut_into_pieces_is_not_gathered_first() -> None:
    def chunks() -> Iterator[bytes]:
        for size in (1, 63, 64, 65, 1000, 7):
            yield bytes(size)
        pytest.fail("all of it was wanted before the first piece came")

    sizes = [len(piece.data) for piece in islice(paced(get("nonin"), chunks()), 18)]
    assert sizes == [64] * 18


def test_standard_input_is_read_once_or_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for keeps in (False, True):
        content = b"0123456789" * 50_000
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        data = Input("-")
        if keeps:
            data.keep()
            assert data.open().read() == content
        assert data.open().read() == content
        assert content.startswith(data.head)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_come_whole_wherever_a_read_ends(ends: str, tmp_path: Path) -> None:
    lines = [f"{number:x}" * (1 + number % 90) for number in range(3000)]
    file = tmp_path / "lines"
    file.write_bytes(ends.join([*lines, ""]).encode())
    data = Input(str(file))
    assert list(data.lines(Notes())) == lines
    assert data.head_lines() == lines[: len(data.head_lines())]


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
def test_a_line_end_where_a_read_ends_is_one(end: bytes, tmp_path: Path) -> None:
    for size in range(16_380, 16_388):  # about the size of one read
        file = tmp_path / "lines"
        file.write_bytes(b"a" * size + end + b"b" + end)
        assert list(Input(str(file)).lines(Notes())) == ["a" * size, "b"]


def test_a_mark_of_the_encoding_is_no_byte_of_the_device(tmp_path: Path) -> None:
    file = tmp_path / "text"
    for text, expected in (("\ufeff12 é", b"\xef\xbb\xbf12 \xc3\xa9"), ("\ufeff12", b"12")):
        file.write_bytes(text.encode())
        data = Input(str(file))
        assert b"".join(data.chunks(Notes())) == expected
        assert data.head == expected


@pytest.mark.parametrize("separator", [" ", "", ",", "-", ":", ", 0x", "\\x"])
def test_one_line_of_any_length_is_cut_between_bytes(
    separator: str, run: Run, tmp_path: Path
) -> None:
    data = get("nonin").vectors[0].data * 900
    raw, file = tmp_path / "raw", tmp_path / "line"
    raw.write_bytes(data)
    file.write_text(separator.join(f"{byte:02x}" for byte in data))
    assert file.stat().st_size > HEAD_SIZE
    expected = run("nonin", raw)[:2]
    assert expected[1]
    assert run("nonin", file, "--hex")[:2] == expected
    assert run("nonin", file)[:2] == expected
