"""Wide CSV: one row a time, one column a metric.

A blank cell of a metric that is measured all the time is a lost value and is told as such. A blank
cell of a metric that is measured now and then (a cuff) tells
nothing: between two readings there is nothing to lose.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from monitor.model.event import DeviceEvent, Observation, Validity
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import Metric
from monitor.recordings.cells import Column
from monitor.recordings.flags import EdgeColumn, GateColumn
from monitor.recordings.layout import Layout, find_layout
from monitor.recordings.moment import (
    is_episodic,
    open_column,
    refuse_cell,
    said_why,
    tell_lone,
)
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.order import (
    ROWS_AT_ONE_TIME_MAX,
    Coarse,
    Row,
    find_coarse,
    in_order,
    spread,
)
from monitor.recordings.recording import Description, Moment, ReadOptions
from monitor.recordings.table import Table
from monitor.recordings.times import ClockColumn, TimeColumn
from monitor.recordings.waves import WaveGatherer

_NOT_AVAILABLE: Final = Validity.NOT_AVAILABLE
_VALID: Final = Validity.VALID


class WideRecording:
    """A wide CSV file opened for reading."""

    def __init__(self, table: Table, options: ReadOptions) -> None:
        """Learn the layout from the header and the first rows.

        Raises:
            RecordingError: no time, no known column, or two columns for one metric.
        """
        self._table = table
        self._options = options
        self._notes = Notes()
        time = table.open_time(self._notes)
        head = _timed(table, time)
        self._layout = find_layout(table, options, head, self._notes)
        self._coarse = _coarse_of(time, head, self._layout, self._notes)
        self._how = time.how
        self._span_s: float | None = None

    def describe(self) -> Description:
        """Return what the file was taken for."""
        how = self._how + (", rows placed between its coarse stamps" if self._coarse else "")
        return Description(
            format="wide CSV", columns=self._layout.uses, time=how, span_s=self._span_s
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person must know, so far."""
        return self._notes.sentences

    def __iter__(self) -> Iterator[Moment]:
        self._notes.forget_counts()
        refusals = Refusals(self._notes)
        needed = max(self._layout.places)
        time = self._table.open_time(self._notes)
        rows = in_order(self._table.rows(time, needed, self._notes, refusals), refusals)
        if self._coarse is not None:
            rows = spread(rows, self._coarse, self._notes)
        fold = _Fold(self._layout, self._options, self._table, self._notes, refusals)
        at = Instant(0)
        for moment in said_why(fold.moments(rows), self._table.path, self._notes):
            at = moment[0]
            yield moment
        self._span_s = at / NS_PER_S


class _Fold:
    """Rows to moments; holds what must be remembered from row to row."""

    def __init__(
        self,
        layout: Layout,
        options: ReadOptions,
        table: Table,
        notes: Notes,
        refusals: Refusals,
    ) -> None:
        self._notes = notes
        self._refusals = refusals
        comma = table.decimal_comma
        self._numerics: list[tuple[int, Column, Metric, bool]] = []
        self._waves: list[tuple[int, Column, WaveGatherer]] = []
        self._states = [
            (place, EdgeColumn(name, said.state)) for place, name, said in layout.states
        ]
        self._gates = [
            (place, GateColumn(name, gate), _own_places(layout, gate.metric))
            for place, name, gate in layout.gates
        ]
        for place, meaning in layout.numerics:
            column = open_column(meaning, options, decimal_comma=comma)
            self._numerics.append((place, column, column.metric, is_episodic(column.metric)))
        for place, meaning in layout.waves:
            column = open_column(meaning, options, decimal_comma=comma)
            self._waves.append((place, column, WaveGatherer(column.metric)))

    def moments(self, rows: Iterator[Row]) -> Iterator[Moment]:
        """Yield one moment for each distinct time.

        A time at which nothing but a waveform sample stood yields none: its segment will.
        """
        keeps_silent_times = bool(self._numerics or self._states or self._gates)
        zero: int | None = None
        at = Instant(0)
        events: list[DeviceEvent] = []
        sharing = 0
        for row in rows:
            if zero is None:
                zero = row.ns
            now = Instant(row.ns - zero)
            if now != at:
                if events or keeps_silent_times or not at:
                    yield at, events
                at, events, sharing = now, [], 0
            sharing += 1
            if sharing > ROWS_AT_ONE_TIME_MAX:
                self._notes.count(f"rows beyond {ROWS_AT_ONE_TIME_MAX} at one time", row.line)
                continue
            if sharing == 2 and keeps_silent_times:
                self._notes.count("times that more than one row has", row.line)
            self._take(row, now, events)
        for _, _, gatherer in self._waves:
            events += gatherer.flush()
        tell_lone((gatherer for _, _, gatherer in self._waves), self._notes)
        for flag in (*(gate for _, gate, _ in self._gates), *(state for _, state in self._states)):
            flag.tell(self._notes)
        if zero is not None or self._refusals:
            yield at, events + list(self._refusals.take(at))

    def _take(self, row: Row, now: Instant, events: list[DeviceEvent]) -> None:
        """Add what one row says. This is the inner loop of every replay: it stays flat."""
        cells = self._gated(row, now, events) if self._gates else row.cells
        for place, column, metric, episodic in self._numerics:
            cell = column[cells[place]]
            if cell.__class__ is float:
                events.append(Observation(metric, cell, _VALID, now))
            elif cell is None:
                if not episodic or cells[place].strip():
                    events.append(Observation(metric, None, _NOT_AVAILABLE, now))
            else:
                refuse_cell(self._refusals, cell, row.line, cells)  # type: ignore[arg-type]
                events.append(Observation(metric, None, _NOT_AVAILABLE, now))
        if self._waves:
            self._take_samples(row, now, events)
        for place, state in self._states:
            edge = state.read(cells[place], now)
            if edge is not None:
                events.append(edge)
        if self._refusals:
            events += self._refusals.take(now)

    def _gated(self, row: Row, now: Instant, events: list[DeviceEvent]) -> Sequence[str]:
        """Return the cells of a row, blank where another says that nothing can be measured.

        A metric without a column of its own is told as not available.
        """
        cells = row.cells
        for place, gate, own in self._gates:
            is_open = gate[row.cells[place]]
            events += gate.edge(now, is_open=is_open)
            if is_open is not False:
                continue
            if cells is row.cells:
                cells = list(cells)
            for at in own:
                cells[at] = ""
            if not own:
                events.append(Observation(gate.metric, None, _NOT_AVAILABLE, now))
        return cells

    def _take_samples(self, row: Row, now: Instant, events: list[DeviceEvent]) -> None:
        """Add the waveform segments that one row completes."""
        for place, column, gatherer in self._waves:
            cell = column[row.cells[place]]
            if isinstance(cell, float):
                events += gatherer.add(now, cell)
            elif cell is not None:
                refuse_cell(self._refusals, cell, row.line, row.cells)


def _own_places(layout: Layout, metric: Metric) -> tuple[int, ...]:
    """Return the places of the columns that hold numbers of `metric`."""
    return tuple(place for place, meaning in layout.numerics if meaning.metric is metric)


def _timed(table: Table, time: TimeColumn) -> list[Row]:
    """Return those of the first rows whose time can be read."""
    rows: list[Row] = []
    for line, cells in table.head:
        try:
            rows.append(Row(time.read(cells), line, cells))
        except (ValueError, IndexError):
            continue
    return rows


def _coarse_of(
    time: TimeColumn, head: Sequence[Row], layout: Layout, notes: Notes
) -> Coarse | None:
    """Return the pattern of a clock that is too coarse; a number can say what it means."""
    coarse = find_coarse(head, layout.places) if isinstance(time, ClockColumn) else None
    if coarse is not None:
        step = coarse.gap_ns / coarse.rows / NS_PER_S
        notes.tell(
            f"the clock shows {coarse.gap_ns / NS_PER_S:g} s steps with {coarse.rows} rows each: "
            f"the row's place is its time, one every {step:g} s"
        )
    return coarse
