"""Long CSV: one row a value, `time_s,metric,value[,validity|state][,taken_s]`.

A metric without a row at a time says nothing then: nothing is carried forward. Only `valid` and
`questionable` carry a value; beside any other state the number is a leftover and is not read.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.event import WITH_VALUE, DeviceEvent, Observation, Validity
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import Metric, describe
from monitor.recordings.cells import Column, Garbage
from monitor.recordings.flags import EdgeColumn, GateColumn
from monitor.recordings.moment import (
    EVENTS_AT_ONCE_MAX,
    open_column,
    refuse_cell,
    said_why,
    tell_lone,
)
from monitor.recordings.names import Meaning
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.order import Row, in_order
from monitor.recordings.recording import ColumnUse, Description, Moment, ReadOptions
from monitor.recordings.sorting import RowSorter
from monitor.recordings.states import VALIDITY_OF, read_state
from monitor.recordings.table import Table, listed, meanings
from monitor.recordings.times import NumberColumn, TimeColumn, time_index
from monitor.recordings.waves import WaveGatherer

_METRIC_HEADERS: Final = ("metric", "parameter", "signal", "variable", "channel", "measurement")
_VALIDITY_HEADERS: Final = ("validity", "state", "valid")
_TAKEN_HEADERS: Final = ("taken_s",)
_NAMES_MAX: Final = 1000
_TAKEN_REMEMBERED_MAX: Final = 10_000
_BAD_TAKEN: Final = "taken_s that is not a number was rejected"


class Places(NamedTuple):
    """Where in a row each part stands; None where the file has no such column."""

    time: int
    metric: int
    value: int
    validity: int | None
    taken: int | None

    @property
    def needed(self) -> int:
        """Return the last place that a row must have."""
        return max(place for place in self if place is not None)


class Feed(NamedTuple):
    """What rows of one metric name become: numerics, samples of a waveform, or states."""

    column: Column | None = None
    gatherer: WaveGatherer | None = None
    state: EdgeColumn | None = None
    gate: GateColumn | None = None


class Scan(msgspec.Struct):
    """What one pass over a long file shows."""

    names: dict[str, int]
    is_sorted: bool = True
    has_rows: bool = False


def is_long(table: Table) -> bool:
    """Return whether the header is that of a long CSV."""
    names = {header.strip().lower() for header in table.headers}
    return "value" in names and not names.isdisjoint(_METRIC_HEADERS)


class LongRecording:
    """A long CSV file opened for reading. Opening reads it once, to learn its metrics and order."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        """Learn what the file holds.

        Raises:
            RecordingError: no time, no row, no known metric, or two names for one metric.
        """
        self._table = table
        self._options = options
        self._notes = Notes()
        self._time = table.open_time(self._notes)
        self._places = _places_of(table, self._time, self._notes)
        self._scan = _scan(table, self._places)
        if not self._scan.has_rows:
            raise RecordingError(f"{table.path}: no row has a readable time")
        names = tuple(self._scan.names)
        self._meanings = meanings(table.path, names, options.column_map)
        if all(meaning.reason for meaning in self._meanings.values()):
            raise RecordingError(
                f"{table.path}: no known metric among {listed(names)}; "
                "say --map NAME=METRIC for each that you know"
            )
        self._tell_names()
        self._span_s: float | None = None

    def _tell_names(self) -> None:
        """Note what is ignored, converted or put in order."""
        for name, meaning in self._meanings.items():
            if meaning.reason:
                count = self._scan.names[name]
                self._notes.tell(f"{count} rows of {name.strip()!r} are ignored: {meaning.reason}")
            if meaning.conversion:
                self._notes.tell(meaning.conversion)
        if not self._scan.is_sorted:
            self._notes.tell("the rows are not in time order and were put in order")

    def describe(self) -> Description:
        """Return what the file was taken for."""
        uses = tuple(
            ColumnUse(name.strip(), meaning.feeds, meaning.reason or meaning.conversion)
            for name, meaning in self._meanings.items()
        )
        order = "" if self._scan.is_sorted else ", put in time order"
        return Description(
            format="long CSV", columns=uses, time=self._time.how + order, span_s=self._span_s
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person must know, so far."""
        return self._notes.sentences

    def __iter__(self) -> Iterator[Moment]:
        self._notes.forget_counts()
        refusals = Refusals(self._notes)
        time = self._table.open_time(self._notes)
        rows = self._table.rows(time, self._places.needed, self._notes, refusals)
        if self._scan.is_sorted:
            ordered = in_order(rows, refusals)
        else:
            limit = self._options.sorted_rows_max
            sorter = RowSorter(self._table.path, self._places.metric, limit, refusals)
            ordered = sorter.sort(rows)
        fold = _Fold(self._places, self._feeds(), time, self._notes, refusals)
        at = Instant(0)
        for moment in said_why(fold.moments(ordered), self._table.path, self._notes):
            at = moment[0]
            yield moment
        self._span_s = at / NS_PER_S

    def _feeds(self) -> dict[str, Feed]:
        """Return what the rows of each name become, with nothing remembered yet."""
        comma = self._table.decimal_comma
        feeds = {}
        for name, meaning in self._meanings.items():
            if meaning.metric is not None:
                feeds[name] = _open_feed(meaning, self._options, decimal_comma=comma)
            elif meaning.state:
                feeds[name] = Feed(state=EdgeColumn(name, meaning.state))
            elif meaning.gates is not None:
                feeds[name] = Feed(gate=GateColumn(name, meaning.gates))
        return feeds


class _Fold:
    """Rows to moments; holds what must be remembered from row to row."""

    def __init__(
        self,
        places: Places,
        feeds: dict[str, Feed],
        time: TimeColumn,
        notes: Notes,
        refusals: Refusals,
    ) -> None:
        self._places = places
        self._feeds = feeds
        self._time = time
        self._notes = notes
        self._refusals = refusals
        self._zero: int | None = None
        self._taken: dict[str, Instant | None] = {}
        self._shut: set[Metric] = set()

    def moments(self, rows: Iterator[Row]) -> Iterator[Moment]:
        """Yield one moment for each distinct time.

        A time at which nothing but waveform samples stood yields none: their segment will.
        """
        at = Instant(0)
        events: list[DeviceEvent] = []
        has_said = True
        for row in rows:
            if self._zero is None:
                self._zero = row.ns
            now = Instant(row.ns - self._zero)
            if now != at:
                if events or has_said:
                    yield at, events
                at, events, has_said = now, [], False
            if len(events) < EVENTS_AT_ONCE_MAX:
                has_said |= self._take(row, now, events)
            else:
                self._notes.count(f"rows beyond {EVENTS_AT_ONCE_MAX} at one time", row.line)
        gatherers = [feed.gatherer for feed in self._feeds.values() if feed.gatherer is not None]
        for gatherer in gatherers:
            events += gatherer.flush()
        tell_lone(gatherers, self._notes)
        for flag in [feed.state or feed.gate for feed in self._feeds.values()]:
            if flag is not None:
                flag.tell(self._notes)
        if self._zero is not None or self._refusals:
            yield at, events + list(self._refusals.take(at))

    def _take(self, row: Row, now: Instant, events: list[DeviceEvent]) -> bool:
        """Add what one row says; return whether it is more than a sample of a waveform."""
        if self._refusals:
            events += self._refusals.take(now)
        feed = self._feeds.get(row.cells[self._places.metric])
        if feed is None:
            return True
        text = row.cells[self._places.value]
        if feed.column is None:
            self._take_state(feed, row, now, events)
            return True
        validity = self._validity(row)
        if feed.column.metric in self._shut:
            validity = Validity.NOT_AVAILABLE
        cell = feed.column[text] if validity in WITH_VALUE else None
        if isinstance(cell, Garbage):
            refuse_cell(self._refusals, cell, row.line, row.cells)
            events += self._refusals.take(now)
        if feed.gatherer is not None:
            if isinstance(cell, float):
                events += feed.gatherer.add(now, cell)
            return False
        value = cell if isinstance(cell, float) else None
        if value is None and validity in WITH_VALUE:
            validity = Validity.NOT_AVAILABLE
        taken = self._taken_in(row)
        events.append(Observation(feed.column.metric, value, validity, now, taken))
        return True

    def _take_state(self, feed: Feed, row: Row, now: Instant, events: list[DeviceEvent]) -> None:
        """Add what a row of 0 or 1 says about the device."""
        text = row.cells[self._places.value]
        if feed.state is not None:
            edge = feed.state.read(text, now)
            if edge is not None:
                events.append(edge)
        elif feed.gate is not None:
            self._take_gate(feed.gate, text, now, events)

    def _take_gate(
        self, gate: GateColumn, text: str, now: Instant, events: list[DeviceEvent]
    ) -> None:
        """Shut or open a metric: while it is shut, numbers of it are leftovers."""
        is_open = gate[text]
        events += gate.edge(now, is_open=is_open)
        if is_open:
            self._shut.discard(gate.metric)
        elif is_open is not None:
            self._shut.add(gate.metric)
            events.append(Observation(gate.metric, None, Validity.NOT_AVAILABLE, now))

    def _validity(self, row: Row) -> Validity:
        """Return how far the row's value can be trusted; a word we do not know is no trust."""
        place = self._places.validity
        if place is None:
            return Validity.VALID
        text = row.cells[place]
        validity = VALIDITY_OF.get(text)
        return read_state(text, row.line, self._notes) if validity is None else validity

    def _taken_in(self, row: Row) -> Instant | None:
        """Return when the device determined the row's value, on the recording's own zero."""
        place = self._places.taken
        if place is None or not row.cells[place]:
            return None
        text = row.cells[place]
        if text not in self._taken:
            if len(self._taken) >= _TAKEN_REMEMBERED_MAX:
                self._taken.clear()
            self._taken[text] = self._read_taken(text, row)
        return self._taken[text]

    def _read_taken(self, text: str, row: Row) -> Instant | None:
        """Return what one `taken_s` cell says."""
        if not text.strip():
            return None
        assert isinstance(self._time, NumberColumn)
        assert self._zero is not None
        try:
            return Instant(self._time.read_text(text) - self._zero)
        except ValueError as error:
            self._refusals.add(_BAD_TAKEN, row.line, ",".join(row.cells), str(error))
            return None


def _open_feed(meaning: Meaning, options: ReadOptions, *, decimal_comma: bool) -> Feed:
    """Return what the rows of one metric become."""
    assert meaning.metric is not None
    column = open_column(meaning, options, decimal_comma=decimal_comma)
    is_wave = describe(meaning.metric).is_wave
    return Feed(column=column, gatherer=WaveGatherer(meaning.metric) if is_wave else None)


def _places_of(table: Table, time: TimeColumn, notes: Notes) -> Places:
    """Return where each part of a row stands; notes the columns that are not used."""
    names = [header.strip().lower() for header in table.headers]

    def place_of(candidates: Sequence[str]) -> int | None:
        return next((names.index(name) for name in candidates if name in names), None)

    at, metric, value = time_index(table.headers), place_of(_METRIC_HEADERS), names.index("value")
    assert at is not None
    assert metric is not None
    taken = place_of(_TAKEN_HEADERS)
    if taken is not None and not isinstance(time, NumberColumn):
        taken = None
    places = Places(at, metric, value, place_of(_VALIDITY_HEADERS), taken)
    for place, header in enumerate(table.headers):
        if place not in places:
            notes.tell(f"column {header.strip()!r} is ignored")
    return places


def _scan(table: Table, places: Places) -> Scan:
    """Read the whole file once for its metric names and its order."""
    unseen = Notes()
    refusals = Refusals(unseen)
    scan = Scan({})
    last: int | None = None
    names = scan.names
    for ns, _, cells in table.rows(table.open_time(unseen), places.needed, unseen, refusals):
        if last is not None and ns < last:
            scan.is_sorted = False
        last = ns
        name = cells[places.metric]
        if name in names or len(names) < _NAMES_MAX:
            names[name] = names.get(name, 0) + 1
    scan.has_rows = last is not None
    return scan
