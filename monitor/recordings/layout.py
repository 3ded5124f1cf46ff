"""The layout of a wide table: which column feeds what, and why the others are ignored."""

from collections.abc import Sequence
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.instant import NS_PER_S
from monitor.model.metric import describe
from monitor.recordings.flags import Gate
from monitor.recordings.names import UNKNOWN_NAME, Meaning
from monitor.recordings.notes import Notes
from monitor.recordings.order import Row
from monitor.recordings.recording import ColumnUse, ReadOptions
from monitor.recordings.table import Table, listed, meanings
from monitor.recordings.times import time_index

NUMERIC_RATE_HZ_MAX: Final = 4.0
"""A column filled faster than this holds a waveform, whatever its name says."""

_ROW_COUNT: Final = "a count of the rows"

RATE_CELLS_MIN: Final = 20
"""Fewer cells than these say nothing of a rate: two readings may fall close together."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Which column feeds what, by its place in a row."""

    numerics: tuple[tuple[int, Meaning], ...]
    waves: tuple[tuple[int, Meaning], ...]
    states: tuple[tuple[int, str, Meaning], ...]
    gates: tuple[tuple[int, str, Gate], ...]
    uses: tuple[ColumnUse, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Return the places of all used columns."""
        numbers = [place for place, _ in (*self.numerics, *self.waves)]
        flags = [each[0] for each in (*self.states, *self.gates)]
        return (*numbers, *flags)


def find_layout(table: Table, options: ReadOptions, head: Sequence[Row], notes: Notes) -> Layout:
    """Return which column feeds what, told to `notes` where something is ignored or converted.

    Raises:
        RecordingError: no column is known, a mapped one is missing, or two feed one metric.
    """
    found = meanings(table.path, _told_apart(table.headers), options.column_map)
    mapped = frozenset(options.column_map.values())
    clock = _clock_places(table)
    columns = [
        (
            place,
            name.strip() or f"column {place + 1}",
            _with_reason(table, place, _not_a_fast_numeric(meaning, _rate_hz(head, place), mapped)),
        )
        for place, (name, meaning) in enumerate(found.items())
        if place not in clock
    ]
    layout = Layout(
        numerics=tuple(
            (place, meaning) for place, _, meaning in columns if _is(meaning, wave=False)
        ),
        waves=tuple((place, meaning) for place, _, meaning in columns if _is(meaning, wave=True)),
        states=tuple(column for column in columns if column[2].state),
        gates=tuple(
            (place, name, meaning.gates)
            for place, name, meaning in columns
            if meaning.gates is not None
        ),
        uses=tuple(_use(name, meaning) for _, name, meaning in columns),
    )
    if not layout.places:
        why = "".join(
            f"; {use.column}: {use.reason}" for use in layout.uses[:5] if use.reason != UNKNOWN_NAME
        )
        raise RecordingError(
            f"{table.path}: no known column among {listed(table.headers)}; "
            f"say --map COLUMN=METRIC for each that you know{why}"
        )
    for use in layout.uses:
        if use.reason and use.reason != _ROW_COUNT:
            notes.tell(use.reason if use.feeds else f"{use.column} is ignored: {use.reason}")
    return layout


def _is(meaning: Meaning, *, wave: bool) -> bool:
    """Return whether a meaning is a metric of that kind."""
    return meaning.metric is not None and describe(meaning.metric).is_wave is wave


def _use(name: str, meaning: Meaning) -> ColumnUse:
    """Return what a person should know of one column."""
    return ColumnUse(name, meaning.feeds, meaning.reason or meaning.conversion)


def _not_a_fast_numeric(meaning: Meaning, rate_hz: float, mapped: frozenset[object]) -> Meaning:
    """Return the meaning, unless a numeric's name stands over what must be a waveform."""
    metric = meaning.metric
    if not _is(meaning, wave=False) or metric in mapped or rate_hz <= NUMERIC_RATE_HZ_MAX:
        return meaning
    return Meaning(reason=f"{rate_hz:.0f} values a second are a waveform, not {metric}")


def _with_reason(table: Table, place: int, meaning: Meaning) -> Meaning:
    """Return the meaning, with a better reason where a name is not known for what it is."""
    if meaning.reason != UNKNOWN_NAME:
        return meaning
    name = table.headers[place].strip()
    if time_index([name]) is not None:
        time = table.headers[time_index(table.headers) or 0].strip()
        return Meaning(reason=f"the time is read from {time!r}")
    if name.lower() in {"", "index", "unnamed: 0"}:
        cells = [row[place].strip() for _, row in table.head if place < len(row)]
        starts = (
            [str(place) for place in range(len(cells))],
            [str(n + 1) for n in range(len(cells))],
        )
        return Meaning(reason=_ROW_COUNT if cells in starts else "it has no name")
    return meaning


def _rate_hz(head: Sequence[Row], place: int) -> float:
    """Return how many cells a second a column fills in the first rows; 0 if they are too few."""
    times = [row.ns for row in head if place < len(row.cells) and row.cells[place].strip()]
    apart = len(set(times))
    if len(times) < RATE_CELLS_MIN or apart < 2:
        return 0.0
    # The last stamp lasts as long as the others, however many rows share one.
    span = (max(times) - min(times)) * apart / (apart - 1)
    return len(times) * NS_PER_S / span


def _clock_places(table: Table) -> frozenset[int | None]:
    """Return the places of the time column and of a date column beside it."""
    dates = {
        place for place, header in enumerate(table.headers) if header.strip().lower() == "date"
    }
    return frozenset({time_index(table.headers), *dates})


def _told_apart(headers: Sequence[str]) -> tuple[str, ...]:
    """Return the headers with equal ones told apart by trailing blanks, which mean nothing."""
    seen: dict[str, int] = {}
    apart = []
    for header in headers:
        seen[header] = seen.get(header, 0) + 1
        apart.append(header + " " * (1000 * (seen[header] - 1)))
    return tuple(apart)
