"""Raw bytes of one device with the instants they came at: what `listen --capture` writes.

A text file, one JSON object a line, so that a person can read, cut and mail it:

    {"vigil_capture":1,"driver":"nonin","transport":"serial"}
    {"t_s":0.0,"hex":"0181640046"}

The first line names the one driver; a capture never mixes devices. `t_s` counts from the start of
the capture and never goes back. A capture may be packed with gzip or bzip2.
"""

import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.instant import OPENING, Instant, in_seconds, instant_at
from monitor.recordings.files import open_unpacked

VERSION: Final = 1
LINE_SIZE_MAX: Final = 4 * 1024 * 1024
_DAMAGE: Final = (EOFError, OSError, zlib.error)


class CaptureHead(msgspec.Struct, frozen=True):
    """The first line of a capture."""

    vigil_capture: int
    driver: str
    transport: str = ""


class CapturePiece(msgspec.Struct, frozen=True):
    """Bytes as one read gave them; `t_s` in seconds since the capture began."""

    t_s: float
    hex: str


_PIECE: Final[msgspec.json.Decoder[CapturePiece]] = msgspec.json.Decoder(CapturePiece)


def is_capture(first_line: bytes) -> bool:
    """Return whether a file that begins so is a capture of ours."""
    return first_line.lstrip().startswith(b'{"vigil_capture"')


def write_head(file: IO[bytes], driver: str, transport: str) -> None:
    """Begin a capture."""
    file.write(msgspec.json.encode(CaptureHead(VERSION, driver, transport)) + b"\n")


def write_piece(file: IO[bytes], at: Instant, data: bytes) -> None:
    """Add the bytes of one read."""
    piece = CapturePiece(round(in_seconds(at), 6), data.hex())
    file.write(msgspec.json.encode(piece) + b"\n")


def read_head(path: Path) -> CaptureHead:
    """Return the first line of the capture at `path`, packed or not.

    Raises:
        RecordingError: not a capture, or of a version this program does not read.
    """
    with open_unpacked(path) as file:
        return head_in(file, str(path))


def head_in(file: BufferedIOBase, name: str) -> CaptureHead:
    """Return the first line of an open capture, and leave the file behind it.

    Raises:
        RecordingError: not a capture, or of a version this program does not read.
    """
    try:
        head = msgspec.json.decode(file.readline(LINE_SIZE_MAX), type=CaptureHead)
    except (msgspec.DecodeError, *_DAMAGE) as error:
        raise RecordingError(f"{name}, line 1: not the head of a capture: {error}") from error
    if head.vigil_capture != VERSION:
        raise RecordingError(f"{name}: capture version {head.vigil_capture}; this reads {VERSION}")
    return head


def read_pieces(path: Path) -> Iterator[tuple[Instant, bytes]]:
    """Yield instants and bytes in order, streaming.

    Raises:
        RecordingError: a line is damaged or its time goes back; names the line.
    """
    with open_unpacked(path) as file:
        head_in(file, str(path))
        yield from pieces_in(file, str(path))


def pieces_in(file: BufferedIOBase, name: str) -> Iterator[tuple[Instant, bytes]]:
    """Yield instants and bytes of an open capture whose head was read.

    Raises:
        RecordingError: a line is damaged or its time goes back; names the line.
    """
    last = OPENING
    number = 1
    try:
        for number, line in enumerate(iter(lambda: file.readline(LINE_SIZE_MAX), b""), start=2):
            if not line.strip():
                continue
            piece = _PIECE.decode(line)
            at, data = instant_at(piece.t_s), bytes.fromhex(piece.hex)
            if at < last:
                raise RecordingError(f"{name}, line {number}: t_s goes back; a capture never does")
            last = at
            yield at, data
    except _DAMAGE as error:
        raise RecordingError(f"{name}, after line {number}: damaged or cut off: {error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise RecordingError(f"{name}, line {number}: {error}") from error
