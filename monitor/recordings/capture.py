"""Raw bytes of one device with the instants they came at: what `listen --capture` writes.

A text file, one JSON object a line, so that a person can read, cut and mail it:

    {"vigil_capture":1,"driver":"nonin","transport":"serial"}
    {"t_s":0.0,"hex":"0181640046"}

The first line names the one driver; a capture never mixes devices. `t_s` counts from the start of
the capture and never goes back.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.instant import OPENING, Instant, in_seconds, instant_at

VERSION: Final = 1
LINE_SIZE_MAX: Final = 4 * 1024 * 1024


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
    """Return the first line of the capture at `path`.

    Raises:
        RecordingError: not a capture, or of a version this program does not read.
    """
    with path.open("rb") as file:
        line = file.readline(LINE_SIZE_MAX)
    try:
        head = msgspec.json.decode(line, type=CaptureHead)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{path}, line 1: not the head of a capture: {error}") from error
    if head.vigil_capture != VERSION:
        raise RecordingError(f"{path}: capture version {head.vigil_capture}; this reads {VERSION}")
    return head


def read_pieces(path: Path) -> Iterator[tuple[Instant, bytes]]:
    """Yield instants and bytes in order, streaming.

    Raises:
        RecordingError: a line is damaged or its time goes back; names the line.
    """
    last = OPENING
    with path.open("rb") as file:
        file.readline(LINE_SIZE_MAX)
        for number, line in enumerate(iter(lambda: file.readline(LINE_SIZE_MAX), b""), start=2):
            if not line.strip():
                continue
            try:
                piece = _PIECE.decode(line)
                at, data = instant_at(piece.t_s), bytes.fromhex(piece.hex)
            except (msgspec.DecodeError, ValueError) as error:
                raise RecordingError(f"{path}, line {number}: {error}") from error
            if at < last:
                raise RecordingError(f"{path}, line {number}: t_s goes back; a capture never does")
            last = at
            yield at, data
