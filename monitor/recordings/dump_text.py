"""Dumps: rows of hex, each behind its offset, as xxd, hexdump, od and packet programs write them.

::

    00000000: 7e31 0000 0000 0000  ~1......        00000010  01 0a 00  |...|
    0000000 317e 0000                              *            (the row before, once more or often)

The offsets are what a row is held against: each must begin where the one before it ended. They may
count in hexadecimal, octal or decimal. One that begins again at 0 begins another packet.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from monitor.model.errors import RecordingError

FILL_SIZE_MAX: Final = 64 * 1024 * 1024
"""Bytes that one * may stand for."""

ROW_SIZE_MAX: Final = 256
_ROW: Final = re.compile(r"\s*(?:0x)?([0-9A-Fa-f]{4,16})(:?)(?:\s+(\S.*?))?\s*")
_GROUP: Final = re.compile(r"\s*((?:[0-9A-Fa-f]{2}){1,8})(?=[\s|]|$)")
_OCTAL: Final = re.compile(r"(?:[0-7]{3}|[0-7]{6})(?:\s+(?:[0-7]{3}|[0-7]{6}))*")
_SEVEN: Final = 7  # digits of an offset


class _Row(NamedTuple):
    """One row: its offset as written, and all readings of the rest, the shortest first."""

    number: int
    offset: str
    has_colon: bool
    text: str

    def begins(self, base: int) -> int | None:
        """Return where the row begins; None where its offset is no number in `base`."""
        try:
            return int(self.offset, base)
        except ValueError:
            return None

    @property
    def alone(self) -> bytes | None:
        """The bytes of the row as it explains itself: groups and no more, or what shows them."""
        for data, behind in self.readings:
            if not behind.strip() or is_shown(data, behind):
                return data
        return None

    @property
    def readings(self) -> Iterator[tuple[bytes, str]]:
        """Yield the bytes of the first groups and what stands behind them, group by group."""
        groups: list[str] = []
        at = 0
        while (found := _GROUP.match(self.text, at)) and len(groups) < ROW_SIZE_MAX:
            groups.append(found[1])
            at = found.end()
            yield _joined(groups, is_words=self.is_words), self.text[at:]

    @property
    def is_seven(self) -> bool:
        """Whether the offset is written as hexdump and od do, who each have their own ways."""
        return not self.has_colon and len(self.offset) == _SEVEN

    @property
    def bases(self) -> tuple[int, ...]:
        """In which bases the offset may count, the likeliest first."""
        return (16, 10, 8) if self.is_seven else (16,)

    @property
    def is_words(self) -> bool:
        """Whether groups are 16-bit words of a little-endian machine: hexdump and od -x."""
        return self.is_seven and all(len(each) == 4 for each in self.text.split())


def _joined(groups: Sequence[str], *, is_words: bool) -> bytes:
    parts = map(bytes.fromhex, groups)
    return b"".join(part[::-1] if is_words else part for part in parts)


def is_shown(data: bytes, column: str) -> bool:
    """Return whether `column` is how a dump shows `data`: printable characters, else a mark.

    The column may stand between bars or angles; blanks at its ends may be lost.
    """
    expected = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
    column = column.strip()
    is_framed = len(column) > 1 and column[0] + column[-1] in {"||", "><"}
    for shown in (column, column[1:-1] if is_framed else column.lstrip(" |>;")):
        for wanted in (expected, expected.strip(), expected.rstrip()):
            if shown and len(shown) == len(wanted) and all(map(_shows, shown, wanted)):
                return True
    return False


def _shows(mark: str, wanted: str) -> bool:
    return mark in (wanted, ".") or (wanted == "." and not (mark.isascii() and mark.isalnum()))


def is_dump(head: Sequence[str]) -> bool:
    """Return whether the first lines of a file are rows of a dump."""
    rows = [row for number, line in enumerate(head) if (row := _row(number, line))]
    if not rows or not rows[0].text:
        return False
    if _is_octal(rows[0]) or (rows[0].begins(16) == 0 and "*" in map(str.strip, head)):
        return True
    if len(rows) > 1 and _base_of(rows[0], rows[1]) is not None:
        return True
    alone = rows[0].alone
    if alone is None or rows[0].begins(16) != 0:
        return False
    return rows[0].has_colon or not _is_bare(rows[0], alone)


def rows_of(lines: Iterable[str], name: str) -> Iterator[tuple[int, bytes]]:
    """Yield line numbers and the bytes of each row, streaming; * is written out.

    Raises:
        RecordingError: a row does not fit its offset, or is octal; names the line.
    """
    last: _Row | None = None
    base: int | None = None
    is_filled = False
    for number, line in enumerate(lines, start=1):
        row = _row(number, line)
        if row is None:
            is_filled = is_filled or line.strip() == "*"
            continue
        if _is_octal(row):
            raise RecordingError(f"{name}, line {number}: octal; write the dump in hex (xxd)")
        if last is not None and last.text:
            base = base or (_filled_base(last, row) if is_filled else _base_of(last, row))
            size = None if row.begins(16) == 0 else _size_of(last, row, base) or 0
            yield last.number, _sized(last, size, name, is_filled=is_filled)
        last, is_filled = row, False
    if last is not None and last.text:
        yield last.number, _sized(last, None, name, is_filled=is_filled)


def _row(number: int, line: str) -> _Row | None:
    found = _ROW.fullmatch(line)
    return None if found is None else _Row(number, found[1], bool(found[2]), found[3] or "")


def _is_octal(row: _Row) -> bool:
    return row.is_seven and _OCTAL.fullmatch(row.text) is not None


def _is_bare(row: _Row, alone: bytes) -> bool:
    """Return whether nothing but hex stands in a row, as in any hex text."""
    return any(data == alone and not behind.strip() for data, behind in row.readings)


def _base_of(row: _Row, following: _Row) -> int | None:
    """Return in which base the offsets of two rows agree with the bytes of the first."""
    alone = row.alone
    for base in row.bases if alone else ():
        size = _size_of(row, following, base)
        if alone and size is not None and _fits(row, alone, size):
            return base
    return None


def _fits(row: _Row, alone: bytes, size: int) -> bool:
    """Return whether a row holds `size` bytes; a word may hold one more than there were."""
    return len(alone) == size or (row.is_words and len(alone) == size + 1)


def _filled_base(row: _Row, following: _Row) -> int | None:
    """Return the base of offsets between which a * stands for the same row again and again."""
    alone = row.alone or b"-"
    for base in (16,) if row.is_words else reversed(row.bases):
        size = _size_of(row, following, base)
        if size is not None and size > len(alone) and size % len(alone) == 0:
            return base
    return None


def _size_of(row: _Row, following: _Row, base: int | None) -> int | None:
    """Return how many bytes lie between two rows; None where that makes no sense."""
    here, there = (each.begins(base) if base else None for each in (row, following))
    return there - here if here is not None and there is not None and there > here else None


def _sized(row: _Row, size: int | None, name: str, *, is_filled: bool) -> bytes:
    """Return the bytes of a row: `size` by the next one's offset; None: the last of a packet."""
    alone = row.alone
    if size is None:
        found = alone
    elif is_filled:
        count, over = divmod(size, len(alone or b"-"))
        found = alone * count if alone and count and not over and size <= FILL_SIZE_MAX else None
    elif alone is not None:
        found = alone[:size] if _fits(row, alone, size) else None
    else:  # what stands behind the groups shows them in a way of its own
        found = next((data for data, _ in row.readings if len(data) == size), None)
    if found is None:
        raise RecordingError(f"{name}, line {row.number}: does not fit the offsets of this dump")
    return found
