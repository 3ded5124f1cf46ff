"""Bytes written as text come back from every dress they are worn in, and from no other text."""

import contextlib
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from drivers.registry import all_drivers
from monitor.model.errors import RecordingError
from monitor.recordings.hex_text import Heard, is_hex_text, read_hex

some_bytes = some.binary(min_size=1, max_size=80)
tricky = some.lists(some.sampled_from(b"ab09 |F#/;.\x00\x7e"), min_size=1, max_size=80).map(bytes)
Writer = Callable[[bytes], str]


def rows(data: bytes, width: int = 16) -> list[tuple[int, bytes]]:
    return [(at, data[at : at + width]) for at in range(0, len(data), width)]


def shown(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def xxd(data: bytes) -> str:
    return "\n".join(f"{at:08x}: {row.hex(' ', -2):<39}  {shown(row)}" for at, row in rows(data))


def hexdump_canonical(data: bytes) -> str:
    lines = []
    for at, row in rows(data):
        groups = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
        lines.append(f"{at:08x}  {groups}  |{shown(row)}|")
    return "\n".join([*lines, f"{len(data):08x}"])


def hexdump_words(data: bytes) -> str:
    lines = []
    for at, row in rows(data):
        even = row + b"\0" * (len(row) % 2)
        words = [even[i : i + 2][::-1].hex() for i in range(0, len(even), 2)]
        lines.append(f"{at:07x} " + " ".join(words))
    return "\n".join([*lines, f"{len(data):07x}"])


def od(data: bytes) -> str:
    lines = [f"{at:07o} {row.hex(' ')}" for at, row in rows(data)]
    return "\n".join([*lines, f"{len(data):07o}"])


def od_decimal(data: bytes) -> str:
    lines = [f"{at:07d} {row.hex(' ')}" for at, row in rows(data)]
    return "\n".join([*lines, f"{len(data):07d}"])


def od_characters(data: bytes) -> str:
    lines = [f"{at:06x} {row.hex(' '):<47}  >{shown(row)}<" for at, row in rows(data)]
    return "\n".join([*lines, f"{len(data):06x}"])


def log(data: bytes) -> str:
    return "\n".join(
        f"[10:42:{at // 2000:02d}.{at // 2 % 1000:03d}] RX: {row.hex().upper()}  |{shown(row)}|"
        for at, row in rows(data)
    )


DRESSES: dict[str, Writer] = {
    "blanks": lambda data: data.hex(" "),
    "bare": lambda data: data.hex().upper(),
    "dashes": lambda data: data.hex("-"),
    "colons": lambda data: data.hex(":"),
    "program": lambda data: f"x[] = {{ {', '.join(map(hex, data))} }};",
    "escapes": lambda data: '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"',
    "assembler": lambda data: " ".join(f"{byte:02X}h" for byte in data),
    "comment": lambda data: f"{data.hex(' ')} # {shown(data)}",
    "xxd": xxd,
    "hexdump -C": hexdump_canonical,
    "hexdump": hexdump_words,
    "od -t x1": od,
    "od -A d": od_decimal,
    "od -t x1z": od_characters,
    "log": log,
}


def read(text: str) -> bytes:
    return b"".join(each.data for each in read_hex(text.splitlines(), "x"))


@pytest.mark.parametrize("dress", DRESSES)
@given(data=some_bytes | tricky)
@example(data=bytes(64))
@example(data=b"abab" * 8)
def test_bytes_come_back_from_every_dress(dress: str, data: bytes) -> None:
    text = DRESSES[dress](data)
    if dress == "colons" and re.match(r"[0-2]\d:[0-5]\d:[0-6]\d$", text):
        return  # nobody can tell it from a time
    assert read(text) == data, text


@pytest.mark.parametrize("dress", ["xxd", "hexdump -C", "hexdump", "od -t x1", "od -A d"])
@given(data=some.binary(min_size=33, max_size=80), left=some.integers(1, 14))
def test_a_row_that_is_missing_or_cut_is_refused(dress: str, data: bytes, left: int) -> None:
    lines = DRESSES[dress](data).splitlines()
    without = [*lines[:1], *lines[2:]]
    if dress != "hexdump":  # whose offsets may be od's, which count in octal
        with pytest.raises(RecordingError):
            read("\n".join(without))
    cut = DRESSES[dress](data[:left]).splitlines()[0]
    with pytest.raises(RecordingError):
        read("\n".join([cut, *lines[1:]]))


def test_a_star_stands_for_the_row_before_it_as_often_as_the_offsets_say() -> None:
    text = "00000000  41 41 41 41  |AAAA|\n*\n00000010  42  |B|\n00000011\n"
    assert read(text) == b"A" * 16 + b"B"
    with pytest.raises(RecordingError, match="does not fit"):
        read(text.replace("00000010", "00000011"))
    with pytest.raises(RecordingError, match="line 1: does not fit"):
        next(read_hex(text.replace("00000010", "f0000010").splitlines(), "x"))


def test_a_dump_that_begins_again_at_0_is_another_packet() -> None:
    text = "0000  7e 31 00 02   ~1..\n0004  7e            ~\n\n0000  01 02         ..\n"
    assert read(text) == b"\x7e\x31\x00\x02\x7e\x01\x02"


def test_octal_is_named_and_not_read_as_hex() -> None:
    for text in ("0000000 030576 000000\n0000004", "0000000 176 061\n0000002"):
        with pytest.raises(RecordingError, match="octal"):
            read(text)


def test_times_and_directions_of_a_log_are_kept() -> None:
    text = (
        "2024-03-15 23:59:59.750 TX: 7E 31\n"
        "2024-03-15T23:59:59,875 RX: 7E 32\n"
        "2024-03-16 00:00:00.250 RX: 33 7E\n"
    )
    first, second, third = read_hex(text.splitlines(), "x")
    assert (first.side, second.side, third.side) == ("TX", "RX", "RX")
    assert first.at_s is not None
    assert second.at_s is not None
    assert third.at_s is not None
    assert (second.at_s - first.at_s, third.at_s - first.at_s) == (0.125, 0.5)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("23:59:59 < 7e", Heard(1, b"\x7e", 86_399.0, "<")),
        ("[12.500] -> 7e31  ~1", Heard(1, b"\x7e\x31", 12.5, "->")),
        ("1700000000.250 7E31", Heard(1, b"\x7e\x31", 1_700_000_000.25)),
        ("15.03.2024 10:42:30 RECV 7E", Heard(1, b"\x7e", 38_550.0, "RECV")),
        ("Mar 15 10:42:30 out: 7E", Heard(1, b"\x7e", 38_550.0, "OUT")),
        ("R: 7E", Heard(1, b"\x7e", None, "R")),
        ("[10:42:30][D][uart_debug:114]: <<< 7E:31", Heard(1, b"\x7e\x31", 38_550.0, "<<<")),
        ("2024-03-15_10:42:30 DEV 7E", Heard(1, b"\x7e", 63_846_182_550.0, "DEV")),
        ("[10:42:30] SEND (002): 10 40", Heard(1, b"\x10\x40", 38_550.0, "SEND")),
        ("10:42:30.5: b'7e31'", Heard(1, b"\x7e\x31", 38_550.5)),
        ("TX (3): 7E 31 00", Heard(1, b"\x7e\x31\x00", None, "TX")),
        ("\ufeff7E", Heard(1, b"\x7e")),
    ],
)
def test_what_stands_before_the_bytes_of_a_line(line: str, expected: Heard) -> None:
    assert list(read_hex([line], "x")) == [expected]


def test_a_head_line_says_time_and_direction_of_the_lines_under_it() -> None:
    text = (
        "> 2024/03/15 10:42:30.125  length=3 from=0 to=2\n 7e 31\n 00\n"
        "< 2024/03/15 10:42:31.125  length=1 from=0 to=0\n 55\n"
    )
    asked, more, answered = read_hex(text.splitlines(), "x")
    assert (asked.side, more.side, answered.side) == (">", ">", "<")
    assert asked.at_s == more.at_s
    assert answered.at_s == (asked.at_s or 0) + 1


def test_midnight_passes_and_a_clock_set_back_does_not() -> None:
    times = [each.at_s for each in read_hex(["23:59:59 01", "00:00:01 02", "00:00:00 03"], "x")]
    assert times == [86_399.0, 86_401.0, 86_401.0]


@pytest.mark.parametrize(
    "text", ["7E 3", "7E 3G", "RX: hello", "7E 31  ~2", "2024-13-40 10:00:00 7E", "0 1 2"]
)
def test_a_line_that_is_no_hex_is_refused_and_named(text: str) -> None:
    with pytest.raises(RecordingError, match="line 2: not hex text"):
        read(f"7E 31\n{text}")


@given(some.text(max_size=200) | some.text("0123456789abcdef:;|-<> \n*RX", max_size=200))
def test_hostile_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(RecordingError):
        assert len(read(text)) <= len(text) or "*" in text


@pytest.mark.parametrize("driver", all_drivers(), ids=lambda each: each.name)
def test_what_a_device_sends_is_not_taken_for_hex(driver: object) -> None:
    for vector in driver.vectors:  # type: ignore[attr-defined]
        lines = (vector.data * 20).decode("latin-1").splitlines()
        assert not is_hex_text(lines)


def test_little_is_taken_for_what_it_is() -> None:
    assert not is_hex_text(["72"])
    assert not is_hex_text(["20240315"])
    assert is_hex_text(["7E 31 00 00"] * 4)
    assert not is_hex_text([])
