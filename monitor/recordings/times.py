"""The time column: what its cells say, in nanoseconds on the recording's own clock.

Two kinds: numbers (seconds or another named unit) and clocks (a date with a time of day, or a time
of day alone). The zero of either is its own; only differences mean anything.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Final, Protocol

from monitor.model.instant import NS_PER_S
from monitor.recordings.clocks import COMPACT, match_clock
from monitor.recordings.names import split_unit
from monitor.recordings.notes import Notes
from monitor.recordings.words import NUMBER, number_in

_TIME_WORDS: Final = (
    "time t seconds second secs sec elapsed elapsedtime elapsedseconds timestamp datetime "
    "dateandtime timeanddate times timesec relativetime reltime timerelative timeoffset "
    "timefromstart timesincestart timeelapsed recordtime sampletime measurementtime devicetime "
    "monitortime systemtime localtime timelocal utctime timeutc unixtime epochtime clocktime"
)
_TIME_NAMES: Final = frozenset(_TIME_WORDS.split())
_NS_OF_UNIT: Final = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), NS_PER_S),
    **dict.fromkeys(("ms", "msec", "milliseconds"), 1_000_000),
    **dict.fromkeys(("us", "µs", "usec", "microseconds"), 1_000),
    **dict.fromkeys(("ns", "nanoseconds"), 1),
    **dict.fromkeys(("min", "minutes"), 60 * NS_PER_S),
    **dict.fromkeys(("h", "hr", "hours"), 3600 * NS_PER_S),
}
_SPAN_NS_MAX: Final = 1 << 61
"""A time beyond this (73 years of nanoseconds) would not fit the record; epoch seconds do."""

_DAY_NS: Final = 24 * 3600 * NS_PER_S
_MONTH_WORDS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS: Final = {month: str(number) for number, month in enumerate(_MONTH_WORDS.split(), 1)}
_EPOCH_UNITS: Final = ((1e11, 1e14, 1_000_000), (1e14, 1e17, 1_000), (1e17, 1e20, 1))
"""By size, what a number is that is too large for seconds: ms, us or ns since 1970."""


class TimeColumn(Protocol):
    """How to read the time of a row."""

    how: str

    def read(self, row: Sequence[str]) -> int:
        """Return the time of `row` in nanoseconds on the recording's own clock.

        Raises:
            ValueError: the cell is not a time of this kind; says what it is.
            IndexError: the row has no such cell.
        """


class NumberColumn:
    """Times as numbers. Stateless: equal text is equal time, so it also reads `taken_s`."""

    def __init__(self, index: int, ns_of_unit: int, name: str, *, decimal_comma: bool) -> None:
        self._index = index
        self._scale = ns_of_unit
        self._decimal_comma = decimal_comma
        self.how = f"time from {name!r} in units of {ns_of_unit / NS_PER_S:g} s"

    def read(self, row: Sequence[str]) -> int:
        """Return the time of `row`; see `TimeColumn.read`."""
        return self.read_text(row[self._index])

    def read_text(self, text: str) -> int:
        """Return what one cell says in nanoseconds."""
        if self._decimal_comma:
            text = text.replace(",", ".")
        try:
            ns = round(float(text) * self._scale)
        except (ValueError, OverflowError):
            raise ValueError(f"time {text.strip()[:40]!r} is not a number") from None
        if not -_SPAN_NS_MAX < ns < _SPAN_NS_MAX or "_" in text:
            raise ValueError(f"time {text.strip()[:40]!r} is not a number of this century")
        return ns


class ClockColumn:
    """Times as clocks. Remembers what it has read: the order of a date may show only later.

    While day and month cannot be told apart, the first change of date decides: time between rows
    is short, so the reading with the smaller step forward is the true one.
    """

    def __init__(self, index: int, date_index: int | None, name: str, notes: Notes) -> None:
        self._index = index
        self._date_index = date_index
        self._notes = notes
        self.how = f"time from {name!r} as a clock"
        self._order = ""
        self._shift = 0
        self._first: tuple[str, str, str] | None = None
        self._days: dict[tuple[str, str, str], int] = {}
        self._zoned: bool | None = None
        self._rolled = 0
        self._last_clock: int | None = None

    def learn(self, rows: Sequence[Sequence[str]]) -> None:
        """Let the beginning of a recording show in which order its dates are written."""
        triples = {self._date_in(row) for row in rows} - {None}
        for triple in triples:
            assert triple is not None
            a, b, _ = triple
            if not self._order and len(a) <= 2 and b.isdigit():
                self._order = "dmy" if int(a) > 12 else "mdy" if int(b) > 12 else ""

    def _date_in(self, row: Sequence[str]) -> tuple[str, str, str] | None:
        """Return the three parts of a row's date, if it has one."""
        match = match_clock(self._text(row)) if self._index < len(row) else None
        return (match[1], match[2], match[3]) if match and match[1] else None

    def _text(self, row: Sequence[str]) -> str:
        """Return the cell that holds the clock, with the date column before it if there is one."""
        text = row[self._index].strip().strip("'\"[]").strip()
        if self._date_index is not None:
            text = f"{row[self._date_index].strip()} {text}"
        return text

    def read(self, row: Sequence[str]) -> int:
        """Return the time of `row`; see `TimeColumn.read`."""
        text = self._text(row)
        match = match_clock(text)
        if match is None:
            raise ValueError(f"time {text[:40]!r} is not a date and time, nor a time of day")
        first, month, last, hour, minute, second, fraction, half, zone = match.groups()
        clock = _clock_ns(int(hour), int(minute), int(second or 0), half) + int(
            (fraction or "0").ljust(9, "0")
        )
        if self._zoned is None:
            self._zoned = bool(zone)
        if self._zoned != bool(zone):
            raise ValueError(
                f"time {text[:40]!r} has a zone where others have none, or the reverse"
            )
        if first is None:
            return self._rolled_over(clock) - _zone_ns(zone)
        return self._day_of((first, month, last)) * _DAY_NS + clock - _zone_ns(zone)

    def _rolled_over(self, clock: int) -> int:
        """Return a time of day on the day it must be: a step back of half a day is midnight."""
        if self._last_clock is None and self._days:
            raise ValueError("a time of day where others have a date")
        if self._last_clock is not None and self._last_clock - clock > _DAY_NS // 2:
            self._rolled += 1
        self._last_clock = clock
        return self._rolled * _DAY_NS + clock

    def _day_of(self, triple: tuple[str, str, str]) -> int:
        """Return the number of the day that a date names."""
        if triple in self._days:
            return self._days[triple]
        if self._last_clock is not None:
            raise ValueError("a date where others have a time of day alone")
        self._decide(triple)
        day = _ordinal(triple, self._order or "dmy") + self._shift
        if len(self._days) < 100_000:
            self._days[triple] = day
        return day

    def _decide(self, triple: tuple[str, str, str]) -> None:
        """Learn from a new date whether day or month stands first."""
        a, b, _ = triple
        if self._order or len(a) > 2 or not b.isdigit():
            return
        possible = {order: day for order in ("dmy", "mdy") if (day := _day_or_none(triple, order))}
        if len(possible) == 1 and self._first is None:
            (self._order,) = possible
        elif self._first is None:
            self._first = triple
            self._notes.tell("dates could be day/month or month/day: day/month is assumed")
        else:
            self._decide_by_step(possible)

    def _decide_by_step(self, possible: dict[str, int]) -> None:
        """Choose the order in which the second date follows the first one soonest."""
        assert self._first is not None
        base = {order: _ordinal(self._first, order) for order in possible}
        ahead = {order: day - base[order] for order, day in possible.items()}
        forward = [order for order in ahead if ahead[order] > 0]
        if not forward:
            return
        self._order = min(forward, key=ahead.__getitem__)
        self._shift = _ordinal(self._first, "dmy") - base[self._order]
        self._notes.tell(f"the first change of date shows that dates are written {self._order}")


def _clock_ns(hour: int, minute: int, second: int, half: str | None) -> int:
    """Return a time of day in nanoseconds."""
    if half:
        if hour > 12:  # some capnographs write 0:05 AM for five past midnight
            raise ValueError(f"hour {hour} does not go with AM or PM")
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"{hour}:{minute:02}:{second:02} is not a time of day")
    return (hour * 3600 + minute * 60 + second) * NS_PER_S


def _zone_ns(zone: str | None) -> int:
    """Return how far a zone lies east of UTC, in nanoseconds."""
    if not zone or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60 * NS_PER_S
    return -offset if zone[0] == "-" else offset


def _ordinal(triple: tuple[str, str, str], order: str) -> int:
    """Return the number of the day; a year of three or four digits in front decides by itself.

    Raises:
        ValueError: there is no such day.
    """
    a, b, c = triple
    month = _MONTHS.get(b.lower(), b)
    if not month.isdigit():
        raise ValueError(f"{b!r} is not a month")
    if len(a) > 2:
        return date(int(a), int(month), int(c)).toordinal()
    year = int(c) if len(c) > 2 else 2000 + int(c)
    if order == "mdy" and month == b:
        return date(year, int(a), int(b)).toordinal()
    return date(year, int(month), int(a)).toordinal()


def _day_or_none(triple: tuple[str, str, str], order: str) -> int | None:
    """Return the number of the day; None if there is no such day."""
    try:
        return _ordinal(triple, order)
    except ValueError:
        return None


def time_index(headers: Sequence[str]) -> int | None:
    """Return which column holds the time; None if no header says so."""
    for index, header in enumerate(headers):
        if _time_name(header) is not None:
            return index
    return None


def _time_name(header: str) -> str | None:
    """Return the unit a time header names ("" if none); None if it is not about time."""
    words, unit = split_unit(header)
    if not unit:
        parts = re.split(r"[_/\s]+", words)
        if len(parts) > 1 and parts[-1] in _NS_OF_UNIT:
            words, unit = " ".join(parts[:-1]), parts[-1]
    key = re.sub(r"[^a-z0-9]", "", words)
    return unit if key in _TIME_NAMES else None


def open_time_column(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    notes: Notes,
    *,
    decimal_comma: bool,
) -> TimeColumn | None:
    """Return how to read the time, decided by what the first rows hold; None if they hold none."""
    index = time_index(headers)
    if index is None:
        return None
    name = headers[index].strip()
    kinds = Counter(kind for row in rows[:50] if index < len(row) and (kind := _kind(row[index])))
    if not kinds:
        return None
    if kinds.most_common(1)[0][0] == "number":
        unit = _NS_OF_UNIT.get(_time_name(name) or "", NS_PER_S)
        if unit == NS_PER_S:
            unit = _epoch_unit(name, [row[index] for row in rows[:50] if index < len(row)], notes)
        return NumberColumn(index, unit, name, decimal_comma=decimal_comma)
    dates = [place for place, header in enumerate(headers) if header.strip().lower() == "date"]
    column = ClockColumn(index, dates[0] if dates else None, name, notes)
    column.learn(rows)
    return column


def _epoch_unit(name: str, cells: Sequence[str], notes: Notes) -> int:
    """Return the nanoseconds of one unit where nothing names it: seconds, if they can be."""
    read = [number_in(cell.strip().strip("'\""), decimal_comma=True) for cell in cells]
    numbers = [abs(number) for number in read if number is not None]
    usual = median(numbers) if numbers else 0.0
    for low, high, unit in _EPOCH_UNITS:
        if low <= usual < high:
            word = {1_000_000: "milliseconds", 1_000: "microseconds", 1: "nanoseconds"}[unit]
            notes.tell(f"the times in {name!r} are read as {word} since 1970, by their size")
            return unit
    return NS_PER_S


def _kind(cell: str) -> str:
    """Return whether a cell looks like a number or a clock."""
    word = cell.strip().strip("'\"[]").strip()
    if NUMBER.fullmatch(word.replace(",", ".")) and not COMPACT.fullmatch(word):
        return "number"
    return "clock" if match_clock(word) else ""
