"""A file, or standard input, as a stream of bytes, whatever it is packed or encoded in.

Standard input is read as it comes and kept only where something must be read twice. Text that a
Windows console wrote, two bytes a character, comes as UTF-8: a device never sends that.
"""

import bz2
import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from monitor.model.errors import RecordingError
from monitor.recordings.files import open_unpacked
from monitor.recordings.notes import Notes

KEPT_SIZE_MAX: Final = 512 * 1024 * 1024
HEAD_SIZE: Final = 64 * 1024
LINE_SIZE_MAX: Final = 64 * 1024
DAMAGE: Final = (EOFError, OSError, zlib.error)
_CHUNK_SIZE: Final = 16 * 1024
_PACKED: Final = {
    b"PK\3\4": "is a zip archive; unpack it first",
    b"\xfd7zXZ\0": "is packed with xz; unpack it, or pack it with gzip or bzip2",
    b"\x28\xb5\x2f\xfd": "is packed with zstd; unpack it, or pack it with gzip or bzip2",
}
_BETWEEN: Final = (b" ", b",", b"\t", b"-", b":", b";")
_BEFORE: Final = b"\\"
_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_UTF_16_MARKS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class Input:
    """What to decode. `head` is its beginning, or all of it; `is_kept`: it can be opened again."""

    def __init__(self, file: str) -> None:
        """Open `file` (- is standard input) and look at its beginning.

        Raises:
            FileNotFoundError: it is not there.
            RecordingError: nothing of it can be read, or it is packed in a way that is not.
        """
        self.name = file
        self.is_kept = file != "-"
        self._encoding = ""  # where this is text of two bytes a character
        self._kept: bytes | None = None
        self._first: io.BufferedIOBase | None = None
        try:
            self.head = self._begin()
        except FileNotFoundError:
            raise
        except DAMAGE as error:
            raise RecordingError(f"{file}: {error}") from error
        for magic, what in _PACKED.items():
            if self.head.startswith(magic):
                raise RecordingError(f"{file}: {what}")
        self._recode()

    def _begin(self) -> bytes:
        """Return the beginning; standard input is left as if nothing had been taken from it."""
        if self.is_kept:
            with self._fresh() as stream:
                return _read(stream, HEAD_SIZE)
        stream = self._fresh()
        head = _read(stream, HEAD_SIZE)
        self._first = _joined(head, stream)
        return head

    def _fresh(self) -> io.BufferedIOBase:
        if self.is_kept:
            return open_unpacked(Path(self.name))
        return _unpacked(cast("io.BufferedIOBase", sys.stdin.buffer))

    def _recode(self) -> None:
        """Find out whether this is text of two bytes a character."""
        encoding = _UTF_16_MARKS.get(self.head[:2], "")
        if encoding:
            text = self.head[2 : len(self.head) & ~1].decode(encoding, errors="replace")
            if text and sum(map(str.isascii, text)) > 0.9 * len(text):
                self._encoding = encoding
                self.head = text.encode(errors="replace")
        elif self.head.startswith(_UTF_8_MARK) and self.head[3:].isascii():
            self.head = self.head[3:]

    def open(self) -> io.BufferedIOBase:
        """Return the bytes from the beginning, packed no more.

        Raises:
            RecordingError: standard input was read already and not kept.
        """
        if self._kept is not None:
            return io.BytesIO(self._kept)
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if not self.is_kept:
            raise RecordingError(f"{self.name}: standard input cannot be read twice")
        return self._fresh()

    def keep(self) -> None:
        """Keep all of standard input, to be opened again and again.

        Raises:
            RecordingError: it is damaged, or larger than can be kept.
        """
        if not self.is_kept:
            self._kept = self.whole()
            self.is_kept = True

    def whole(self) -> bytes:
        """Return all bytes.

        Raises:
            RecordingError: they are damaged, or more than can be kept.
        """
        try:
            content = b"".join(self._chunks(KEPT_SIZE_MAX))
        except DAMAGE as error:
            raise RecordingError(f"{self.name}: {error}") from error
        if len(content) > KEPT_SIZE_MAX:
            raise RecordingError(f"{self.name}: larger than {KEPT_SIZE_MAX >> 20} MiB; cut it")
        return content

    def chunks(self, notes: Notes) -> Iterator[bytes]:
        """Yield the bytes, streaming; damage ends them with a note."""
        at = 0
        try:
            for chunk in self._chunks():
                at += len(chunk)
                yield chunk
        except DAMAGE as error:
            notes.tell(f"{self.name}: damaged or cut off after byte {at} ({error})")

    def _chunks(self, size_max: int | None = None) -> Iterator[bytes]:
        decode = None
        if self._encoding:
            decode = codecs.getincrementaldecoder(self._encoding)("replace").decode
        at = 0
        with self.open() as stream:
            while (chunk := stream.read1(_CHUNK_SIZE)) and (size_max is None or at <= size_max):
                begins, at = not at, at + len(chunk)
                if begins and chunk.startswith(_UTF_8_MARK) and not self.head.startswith(chunk[:3]):
                    chunk = chunk[3:]
                yield decode(chunk).removeprefix("\ufeff").encode() if decode else chunk

    def lines(self, notes: Notes) -> Iterator[str]:
        """Yield the lines of a text, streaming; one too long for a line comes in parts."""
        rest = b""
        for chunk in self.chunks(notes):
            data = rest + chunk
            last = b"\r" if data.endswith(b"\r") else b""  # perhaps half of a line end
            data = data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *lines, rest = data.split(b"\n")
            yield from map(_text, lines)
            while len(rest) > LINE_SIZE_MAX:
                part, rest = _cut(rest)
                yield _text(part)
            rest += last
        if rest:
            yield _text(rest.rstrip())

    def head_lines(self) -> list[str]:
        """Return the whole lines of the beginning; of a single long one, a part."""
        *lines, last = self.head.splitlines() or [b""]
        if len(self.head) < HEAD_SIZE // 2:
            lines.append(last)
        elif not lines:
            lines.append(_cut(last)[0])  # perhaps cut, and in the middle of a byte
        return [_text(line if len(line) <= LINE_SIZE_MAX else _cut(line)[0]) for line in lines]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")


def _cut(line: bytes) -> tuple[bytes, bytes]:
    """Cut a very long line between two bytes of hex: at a separator, else at an even place."""
    behind = max(line.rfind(mark, 0, LINE_SIZE_MAX) for mark in _BETWEEN) + 1
    at = max(behind, line.rfind(_BEFORE, 0, LINE_SIZE_MAX))
    at = at if at > 0 else LINE_SIZE_MAX & ~1
    return line[:at], line[at:]


def _read(stream: io.BufferedIOBase, size: int) -> bytes:
    """Return `size` bytes, or all there are; what came before damage is good."""
    found = bytearray()
    try:
        while len(found) < size and (part := stream.read1(size - len(found))):
            found += part
    except DAMAGE:
        if not found:
            raise
    return bytes(found)


class _Joined(io.RawIOBase):
    """Bytes read already, and the stream they were read from."""

    def __init__(self, first: bytes, rest: io.BufferedIOBase) -> None:
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview[int]", /) -> int:  # type: ignore[override]
        size = len(buffer)
        data, self._first = self._first[:size], self._first[size:]
        data = data or self._rest.read1(size)
        buffer[: len(data)] = data
        return len(data)


def _joined(first: bytes, rest: io.BufferedIOBase) -> io.BufferedIOBase:
    return io.BufferedReader(_Joined(first, rest))


def _unpacked(stream: io.BufferedIOBase) -> io.BufferedIOBase:
    """Return a stream that cannot be read twice, unpacked if it is gzip or bzip2 by its content."""
    magic = stream.read(4)
    whole = _joined(magic, stream)
    if magic[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=whole, mode="rb")
    if magic[:3] == b"BZh" and magic[3:4].isdigit():
        return bz2.BZ2File(whole, "rb")
    return whole
