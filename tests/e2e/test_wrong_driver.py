"""The wrong driver for a file: told, with a guess of the right one, and never an exit code of 0."""

from functools import cache
from pathlib import Path
from random import Random

import pytest

from drivers.contract import NO_OPTIONS, Driver, TransportKind
from drivers.registry import all_drivers, get
from monitor.main.decoding import BEGINNING_SIZE_MAX, Beginning
from monitor.main.guessing import guess
from monitor.model.instant import OPENING
from monitor.recordings.pcap import Piece
from tests.conversation import conversation
from tests.e2e.commands import vigil

SERIAL = tuple(each for each in all_drivers() if TransportKind.SERIAL in each.transports)
SPAN_S = 20


@cache
def said_by(name: str) -> bytes:
    """Return what the simulated device says to its own host in the first seconds."""
    driver = get(name)
    said = conversation(driver, driver.open_protocol(NO_OPTIONS), SPAN_S)
    return b"".join(piece for _, piece in said)


def beginning(data: bytes) -> Beginning:
    kept = Beginning()
    kept.add(Piece(OPENING, "", "", data))
    return kept


@pytest.mark.parametrize("driver", SERIAL, ids=lambda driver: driver.name)
def test_the_bytes_of_a_serial_device_are_recognised_as_its_own(driver: Driver) -> None:
    chosen = next(each for each in SERIAL if each.name != driver.name)
    assert guess(chosen, beginning(said_by(driver.name)), all_drivers()) == (driver.name,)


def test_the_chosen_driver_is_never_what_is_offered() -> None:
    assert guess(get("masimo"), beginning(said_by("masimo")), all_drivers()) == ()


def test_noise_looks_like_nothing() -> None:
    noise = bytes((n * n * 31 + n * 7 + (n >> 3)) & 0xFF for n in range(5000))
    assert guess(get("nonin"), beginning(noise), all_drivers()) == ()
    assert guess(get("nonin"), Beginning(), all_drivers()) == ()


def test_no_more_than_the_beginning_of_a_file_is_kept() -> None:
    kept = Beginning()
    for _ in range(3):
        kept.add(Piece(OPENING, "", "", bytes(50_000)))
    assert sum(len(each.data) for each in kept.pieces) == BEGINNING_SIZE_MAX


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("nonin", "masimo"), ("medibus", "datex"), ("suntech", "capnostream"), ("hl7", "intellivue")],
)
def test_a_file_of_another_device_is_1_and_names_that_device(
    wrong: str, right: str, tmp_path: Path
) -> None:
    file = tmp_path / "captured.bin"
    file.write_bytes(said_by(right))
    said = vigil("decode", wrong, file)
    assert said.code == 1
    assert f"in {file} reads as {get(wrong).title}" in said.err
    assert f"try vigil decode {right} {file}" in said.err
    assert vigil("decode", right, file).code == 0


def test_standard_input_is_guessed_from_as_well() -> None:
    said = vigil("decode", "nonin", "-", stdin=said_by("contec"))
    assert said.code == 1
    assert "it looks like contec" in said.err


def test_a_device_that_says_little_is_still_read() -> None:
    said = vigil("decode", "suntech", "-", "--hex", stdin=b"3E 05 80 00 3D")
    assert said.code == 0, said.err
    assert "cuff_pressure" in {line.get("metric") for line in said.lines}


@pytest.mark.parametrize("driver", SERIAL, ids=lambda driver: driver.name)
def test_much_noise_around_a_few_good_frames_makes_no_other_device(driver: Driver) -> None:
    noise = bytes((n * n * 31 + n * 7 + (n >> 3)) & 0xFF for n in range(3000))
    kept = beginning(noise + said_by(driver.name)[:600] + noise)
    assert guess(driver, kept, all_drivers()) == ()


def test_a_few_good_frames_in_much_else_do_not_name_a_device() -> None:
    frames = said_by("capnostream")[:400]
    assert guess(get("nonin"), beginning(frames), all_drivers()) == ("capnostream",)
    assert guess(get("nonin"), beginning(frames + b"\x11" * 900), all_drivers()) == ()


@pytest.mark.parametrize(("frame", "format_number"), [("80486100", 8), ("804861", 1)])
def test_a_file_in_a_format_too_bare_for_a_live_line_is_read_and_said_to_be(
    tmp_path: Path, frame: str, format_number: int
) -> None:
    file = tmp_path / "night.bin"
    file.write_bytes(bytes.fromhex(frame) * 100)
    said = vigil("decode", "nonin", file)
    assert said.code == 0
    assert said.out.count('"metric":"spo2","value":97.0') == 100
    assert f"read with --option format={format_number}" in said.err


def test_noise_is_not_read_in_a_format_that_has_nothing_to_prove_it_by(tmp_path: Path) -> None:
    file = tmp_path / "noise.bin"
    file.write_bytes(Random(7).randbytes(20_000))
    said = vigil("decode", "nonin", file)
    assert said.code == 1
    assert '"metric"' not in said.out
