r"""Bytes written as text: plain hex, logs of a line with times and directions, dumps with offsets.

::

    7E 31 00   7e3100   7E-31-00   0x7E, 0x31,   {0x7e, 0x31};   \x7e\x31   7Eh 31h
    2024-03-15 10:42:30.125 RX: 7E 31 00          [12.500] <- 7e3100  |~1.|

A line is hex as a whole or refused: a letter that is none is never passed over. A # or // begins a
comment. What a log calls its two directions is kept as it stands, for which of them is the device's
is for a driver to find out. Dumps are in `dump_text`.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain, islice
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.recordings.dump_text import is_dump, is_shown, rows_of

SIDES_MAX: Final = 4
BYTES_MIN: Final = 16
"""Fewer bytes of text that could be hex are taken for what they are."""

_HEAD_LINES: Final = 40
_GAPS_MAX: Final = 64  # places at which a column may begin; more are tried in no line
_HALF_A_DAY_S: Final = 43_200
_END: Final = r"(?=[\s,;|\])>]|:(?![0-9A-Fa-f])|$)"
_STAMP: Final = re.compile(
    r"[\[(]?(?:(?P<year>\d{4})[-/.](?P<month>\d\d)[-/.](?P<day>\d\d)[T _]+"
    r"|\d\d[-/.]\d\d[-/.]\d{4} +|[A-Z][a-z]{2} +\d{1,2} +)?"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?"
    rf"(?:Z|[+-]\d\d:?\d\d)?{_END}"
)
_SECONDS: Final = re.compile(rf"[\[(]?\s*(\d{{1,12}}\.\d{{1,9}})\s?s?{_END}")
_SIDE: Final = re.compile(
    r"[\[(]?(RXD?|TXD?|RECV|RECEIVED|SENT|SEND|READ|WRITE|RD|WR|IN|OUT|DEV|DEVICE|HOST|PC"
    r"|[RWST](?=:)"
    rf"|<-+|-+>|<=+|=+>|<+|>+|\u2190|\u2192)(?:{_END}|(?<=[<>\u2190\u2192]))",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(
    r"(?:length=\d+|from=\d+|to=\d+|\(\d+\)|\d+ bytes?|COM\d+|/dev/\w+|\[[A-Z]\]"
    r"|\[[a-z_]+:\d+\])(?=[\s:,\[]|$)",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"[\s,;:|\])]+")
_SHORT_BYTE: Final = re.compile(r"0x([0-9a-f])(?![0-9a-f])", re.IGNORECASE)
_MARKS: Final = re.compile(
    r"\(byte\)|\bb(?=['\"])|0x|\\x|(?<=[0-9a-f]{2})h(?![0-9a-z])", re.IGNORECASE
)
_PUNCTUATION: Final = re.compile(r"[\s,;:{}()\[\]\"'-]+")
_COMMENT: Final = re.compile(r"#|//")
_WIDE: Final = re.compile(r"\s{2,}|\t|\||;(?=.*\S)")


class Heard(msgspec.Struct, frozen=True):
    """The bytes of one line, and what the line says of them.

    `at_s`: seconds by the log's own clock, from wherever it counts; None where it says nothing.
    `side`: the log's own word for the direction, empty where it has none.
    """

    number: int
    data: bytes
    at_s: float | None = None
    side: str = ""


def is_hex_text(lines: Iterable[str]) -> bool:
    """Return whether the first lines of a file hold hex throughout, and enough of it."""
    try:
        heard = list(read_hex(islice(lines, _HEAD_LINES), ""))
    except RecordingError:
        return False
    return sum(len(each.data) for each in heard) >= BYTES_MIN


def read_hex(lines: Iterable[str], name: str) -> Iterator[Heard]:
    """Yield the bytes in lines of text, in order, streaming.

    Raises:
        RecordingError: a line is no hex; names it.
    """
    rest = iter(lines)
    head = list(islice(rest, _HEAD_LINES))
    lines = chain(head, rest)
    if is_dump(head):
        for number, row in rows_of(lines, name):
            yield Heard(number, row)
        return
    clock = _Clock()
    side = ""
    for number, line in enumerate(lines, start=1):
        at_s, said, text = _prefix(line)
        side = said or side
        at_s = clock.read(at_s, is_whole_day=at_s is not None and at_s < 2 * _HALF_A_DAY_S)
        data = _bytes_in(text)
        if data is None:
            raise RecordingError(f'{name}, line {number}: not hex text: "{line.strip()[:60]}"')
        if data:
            yield Heard(number, data, at_s, side)


class _Clock:
    """Times of lines: kept for lines without one; a time of day goes on behind midnight."""

    def __init__(self) -> None:
        self._now: float | None = None
        self._days_s = 0.0

    def read(self, at_s: float | None, *, is_whole_day: bool) -> float | None:
        if at_s is not None:
            at_s += self._days_s
            if is_whole_day and self._now is not None and at_s < self._now - _HALF_A_DAY_S:
                self._days_s += 2 * _HALF_A_DAY_S
                at_s += 2 * _HALF_A_DAY_S
            self._now = at_s if self._now is None else max(at_s, self._now)
        return self._now


def _prefix(line: str) -> tuple[float | None, str, str]:
    """Return the time and direction that a line begins with, and what follows them."""
    text = line.strip().lstrip("\ufeff")
    at_s: float | None = None
    side = ""
    while text:
        if at_s is None and (stamp := _STAMP.match(text)):
            at_s, found = _seconds_of(stamp), stamp
            if at_s is None:
                return None, "", text if not stamp["year"] else "no such date"
        elif at_s is None and (plain := _SECONDS.match(text)):
            at_s, found = float(plain[1]), plain
        elif not side and (word := _SIDE.match(text)):
            side, found = word[1].upper(), word
        elif (at_s is not None or side) and (aside := _ASIDE.match(text)):
            found = aside
        else:
            break
        text = text[found.end() :]
        between = _BETWEEN.match(text)
        text = text[between.end() :] if between else text
    return at_s, side, text


def _seconds_of(stamp: re.Match[str]) -> float | None:
    hour, minute, second = (int(stamp[each]) for each in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:
        return None
    days = 0
    if stamp["year"]:
        try:
            days = date(int(stamp["year"]), int(stamp["month"]), int(stamp["day"])).toordinal()
        except ValueError:
            return None
    fraction = float(f"0.{stamp['fraction'] or 0}")
    return days * 86_400 + hour * 3600 + minute * 60 + second + fraction


def _bytes_in(text: str) -> bytes | None:
    """Return the bytes that `text` writes; a column of their characters or a comment may follow."""
    whole = _plain(text)
    if whole is not None:
        return whole
    for gap in islice(_WIDE.finditer(text), _GAPS_MAX):
        data = _plain(text[: gap.start()])
        if data and is_shown(data, text[gap.start() :]):
            return data
    comment = _COMMENT.search(text)
    return _plain(text[: comment.start()]) if comment else None


def _plain(text: str) -> bytes | None:
    """Return the bytes of hex in any common dress; None where anything else is among it."""
    if "=" in text and "{" in text:  # a declaration in a program
        text = text.partition("{")[2]
    text = _MARKS.sub(" ", _SHORT_BYTE.sub(r" 0\1", text))
    try:
        return b"".join(map(bytes.fromhex, _PUNCTUATION.split(text)))
    except ValueError:
        return None
