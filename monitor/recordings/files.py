"""A file on disk as numbered lines of text, whatever it is packed or encoded in."""

import bz2
import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.recordings.notes import Notes

HEAD_SIZE: Final = 256 * 1024
LINE_SIZE_MAX: Final = 64 * 1024
_CHUNK_SIZE: Final = 1 << 18
_DAMAGE: Final = (EOFError, OSError, zlib.error)
_DELIMITERS: Final = ",;\t"
_NOT_TEXT: Final = {
    b"SQLite format 3\0": "is a Vigil session file or another database, not a table",
    b"VITA": "is a VitalDB file, which this version does not read yet; export it as CSV",
    b"PK\3\4": "is a zip archive; unpack it first",
    b"\xfd7zXZ\0": "is packed with xz; unpack it, or pack it with gzip or bzip2",
    b"\x28\xb5\x2f\xfd": "is packed with zstd; unpack it, or pack it with gzip or bzip2",
}
_MARKS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Text(msgspec.Struct, frozen=True):
    """A file known to hold text, and how to read it. `head` is its beginning, in whole lines.

    `is_whole`: the head is all there is.
    """

    path: Path
    encoding: str
    head: tuple[str, ...]
    is_whole: bool


def open_unpacked(path: Path) -> io.BufferedIOBase:
    """Return the bytes of a file, unpacked if it is gzip or bzip2 by its content.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic[:2] == b"\x1f\x8b":
        return gzip.GzipFile(path, "rb")
    if magic[:3] == b"BZh" and magic[3:4].isdigit():
        return bz2.BZ2File(path, "rb")
    return path.open("rb")


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked; fewer if its packing is damaged after them.

    Raises:
        RecordingError: it cannot be opened, or nothing of it can be unpacked.
    """
    head = b""
    try:
        with open_unpacked(path) as stream:
            while len(head) < HEAD_SIZE and (piece := stream.read1(HEAD_SIZE - len(head))):
                head += piece
    except _DAMAGE as error:
        if not head:
            raise RecordingError(f"{path}: cannot be read: {error}") from error
    return head


def recognise_text(path: Path) -> Text:
    """Return how to read a file as text.

    Raises:
        RecordingError: it is empty, cannot be opened, or does not hold text; says what it is.
    """
    head = read_head(path)
    if not head.strip(b"\r\n\t \0\xef\xbb\xbf"):
        raise RecordingError(f"{path}: the file is empty; a recording needs a header and rows")
    for magic, what in _NOT_TEXT.items():
        if head.startswith(magic):
            raise RecordingError(f"{path}: {what}")
    encoding = _encoding_of(path, head)
    is_whole = len(head) < HEAD_SIZE
    text = head.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not is_whole and len(lines) > 1:
        lines.pop()  # cut anywhere
    return Text(path, encoding, tuple(lines), is_whole)


def _encoding_of(path: Path, head: bytes) -> str:
    """Return the encoding of a text file by its first bytes."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head or sum(byte < 9 for byte in head[:4096]) > 0:
        remedy = "if it holds bytes from a device, say --driver"
        raise RecordingError(f"{path}: holds binary data, not a table of text; {remedy}")
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def lines_of(text: Text, notes: Notes) -> Iterator[tuple[int, str]]:
    """Yield each line with its number from 1; a line too long to be one comes cut.

    A file that ends in the middle of its packing, or becomes unreadable, ends here with a note:
    the whole lines before are good, the broken one is not told.

    Raises:
        RecordingError: the file is gone since it was recognised.
    """
    number = 0
    rest = ""
    is_cut = False
    for chunk in _chunks_of(text, notes):
        if chunk is None:
            return
        lines = (rest + chunk).split("\n")
        rest = lines.pop()
        for line in lines:
            number += 1
            if not is_cut:
                yield number, line
            is_cut = False
        if len(rest) > LINE_SIZE_MAX:
            if not is_cut:
                notes.tell(f"line {number + 1} is longer than {LINE_SIZE_MAX} characters")
                yield number + 1, rest[:LINE_SIZE_MAX]
            is_cut, rest = True, ""
    if rest and not is_cut:
        notes.tell("the last line has no line end: if the file was cut off, its last value may be")
        yield number + 1, rest


def _chunks_of(text: Text, notes: Notes) -> Iterator[str | None]:
    """Yield the text of a file in pieces of bounded size, line ends made one; None at damage."""
    decode = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(text.encoding)(errors="replace"), translate=True
    ).decode
    try:
        with open_unpacked(text.path) as stream:
            while piece := stream.read1(_CHUNK_SIZE):
                yield decode(piece)
    except FileNotFoundError as error:
        raise RecordingError(f"{text.path}: is gone since it was opened") from error
    except _DAMAGE as error:
        notes.tell(f"the file is damaged or cut off; it was read up to there ({error})")
        yield None
        return
    yield decode(b"", final=True)


def delimiter_of(header: str) -> str:
    """Return what separates the cells of a header line: the commonest candidate outside quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def cells_of(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of one line; None where its quotes do not close.

    A row is one line: a quoted line break is not part of any recorder's format, and believing in
    one would let a stray quote swallow the rows after it.
    """
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return None
