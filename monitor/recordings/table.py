"""A CSV file as a table: its header, and its rows with a readable time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.metric import Metric
from monitor.recordings.files import Text, cells_of, delimiter_of, lines_of
from monitor.recordings.flags import Gate
from monitor.recordings.names import Meaning, is_plain_co2, meaning_of
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.order import Row
from monitor.recordings.times import TimeColumn, open_time_column, time_index

_HEADER_CELLS_MAX: Final = 2000
_PREAMBLE_LINES_MAX: Final = 50
_TOO_SHORT: Final = "rows with too few columns were rejected"
_TOO_LONG: Final = "rows with more columns than the header were rejected"
_QUOTES: Final = "rows whose quotes do not close were rejected"
_TIMES_READ: Final = (
    "write seconds, milliseconds since 1970, a date with a time of day, or a time of day"
)
_BAD_TIME: Final = "rows without a readable time were rejected"


class Table(msgspec.Struct, frozen=True):
    """The shape of a CSV file, known from its beginning. `head` holds its first rows' cells.

    `skipped` counts the lines of a preamble before the header.
    """

    text: Text
    headers: tuple[str, ...]
    header_line: int
    delimiter: str
    head: tuple[tuple[int, list[str]], ...]
    skipped: int = 0

    @property
    def decimal_comma(self) -> bool:
        """Return whether a comma in a number is its decimal point: it separates no cells here."""
        return self.delimiter != ","

    @property
    def path(self) -> str:
        """Return the file's name for messages."""
        return str(self.text.path)

    def open_time(self, notes: Notes) -> TimeColumn:
        """Return a new reader of the time column.

        Raises:
            RecordingError: no column is about time, or none of the first rows has a readable one.
        """
        head = [cells for _, cells in self.head]
        if self.skipped:
            lines = "1 line was" if self.skipped == 1 else f"{self.skipped} lines were"
            notes.tell(f"{lines} skipped before the header in line {self.header_line}")
        column = open_time_column(self.headers, head, notes, decimal_comma=self.decimal_comma)
        if column is not None:
            return column
        index = time_index(self.headers)
        if index is None:
            raise RecordingError(
                f"{self.path}: line {self.header_line} names no time column among "
                f"{listed(self.headers)}; call it time_s (seconds) or Time (a clock)"
            )
        if not head:
            raise RecordingError(f"{self.path}: has a header and no rows")
        raise RecordingError(
            f"{self.path}: column {self.headers[index].strip()!r} holds no readable time in the "
            f"first rows, for example {head[0][index][:40] if index < len(head[0]) else ''!r}; "
            f"{_TIMES_READ}"
        )

    def rows(
        self, time: TimeColumn, needed: int, notes: Notes, refusals: Refusals
    ) -> Iterator[Row]:
        """Yield the rows that have a readable time and a cell at `needed`, in file order.

        Raises:
            RecordingError: at the end, if no row has a readable time.
        """
        width, delimiter = len(self.headers), self.delimiter
        unread = ""
        is_read = False
        for line, text in lines_of(self.text, notes):
            if line <= self.header_line:
                continue
            cells = text.split(delimiter) if '"' not in text else cells_of(text, delimiter)
            if cells is None:
                refusals.add(_QUOTES, line, text)
                continue
            if len(cells) != width:
                if not text.strip():
                    continue
                if len(cells) <= needed:
                    refusals.add(_TOO_SHORT, line, text)
                    continue
                if any(map(str.strip, cells[width:])):
                    refusals.add(_TOO_LONG, line, text)
                    continue
            try:
                ns = time.read(cells)
            except (ValueError, IndexError) as error:
                refusals.add(_BAD_TIME, line, text, str(error))
                unread = unread or f"line {line}: {error}"
                continue
            is_read = True
            yield Row(ns, line, cells)
        if unread and not is_read:
            raise RecordingError(
                f"{self.path}: no row has a readable time: {time.how}, {unread}; {_TIMES_READ}"
            )


def open_table(text: Text) -> Table:
    """Return the shape of a CSV file: its header is the first line that names a time and a value.

    Without such a line the first one is taken for the header, and what it lacks is said later.

    Raises:
        RecordingError: there is no header line.
    """
    lines = [
        (number, line)
        for number, line in enumerate(text.head, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    found = next((each for each in lines[:_PREAMBLE_LINES_MAX] if _is_header(each[1])), None)
    for number, line in [found or lines[0]] if lines else []:
        delimiter = delimiter_of(line)
        headers = cells_of(line, delimiter)
        if headers is None or len(headers) > _HEADER_CELLS_MAX:
            break
        rows = ((place, row) for place, row in enumerate(text.head[number:], number + 1))
        head = tuple(
            (place, cells)
            for place, row in rows
            if row.strip() and (cells := cells_of(row, delimiter)) is not None
        )
        skipped = sum(place < number for place, _ in lines)
        return Table(text, tuple(headers), number, delimiter, head, skipped)
    raise RecordingError(f"{text.path}: no header line; name the columns, for example time_s,spo2")


def _is_header(line: str) -> bool:
    """Say whether a line names a time and something that can be read beside it."""
    cells = cells_of(line, delimiter_of(line)) or []
    if not 1 < len(cells) <= _HEADER_CELLS_MAX or time_index(cells) is None:
        return False
    is_long = "value" in {cell.strip().lower() for cell in cells}
    return is_long or any(meaning_of(cell).feeds or is_plain_co2(cell) for cell in cells)


def listed(names: Sequence[str]) -> str:
    """Return column names for a message, not too many."""
    shown = ", ".join(repr(name.strip()[:40]) for name in names[:20])
    return shown + (", ..." if len(names) > 20 else "")


def meanings(
    path: str, names: Sequence[str], column_map: Mapping[str, Metric | Gate]
) -> dict[str, Meaning]:
    """Return what each name stands for; what a person mapped comes first.

    Raises:
        RecordingError: a mapped name is not there, or two names stand for one metric.
    """
    wanted = {_match(path, column, names): metric for column, metric in column_map.items()}
    found: dict[str, Meaning] = {}
    for name in names:
        mapped = wanted.get(name)
        if mapped is not None:
            found[name] = _mapped(mapped)
            continue
        meaning = meaning_of(name)
        if meaning.metric in wanted.values():
            meaning = Meaning(reason=f"{meaning.metric} is mapped to another column")
        found[name] = meaning
    _refuse_twins(path, found)
    return found | plain_co2(found)


def _mapped(wanted: Metric | Gate) -> Meaning:
    """Return the meaning that a person gave a name."""
    return Meaning(gates=wanted) if isinstance(wanted, Gate) else Meaning(metric=wanted)


def plain_co2(found: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """Return what a column named plain `co2` is beside an end-tidal one: the waveform.

    Alone it may be anything, transcutaneous too; beside end-tidal CO2 monitors export the
    waveform under that name.
    """
    fed = {meaning.metric for meaning in found.values()}
    names = [name for name, each in found.items() if not each.metric and is_plain_co2(name)]
    if Metric.ETCO2 not in fed or Metric.CO2_WAVE in fed or len(names) != 1:
        return {}
    told = f"{names[0].strip()} is read as the CO2 waveform, as end-tidal CO2 has its own column"
    return {names[0]: Meaning(metric=Metric.CO2_WAVE, conversion=told)}


def _match(path: str, column: str, names: Sequence[str]) -> str:
    """Return the name in the file that a person meant by `column`."""
    for candidates in (
        [name for name in names if name.strip() == column.strip()],
        [name for name in names if name.strip().lower() == column.strip().lower()],
    ):
        if candidates:
            return candidates[0]
    raise RecordingError(f"{path}: --map {column!r}: there is only {listed(names)}")


def _refuse_twins(path: str, found: Mapping[str, Meaning]) -> None:
    """Refuse a recording in which two names stand for one word of ours."""
    seen: dict[str, str] = {}
    for name, meaning in found.items():
        word = meaning.metric or meaning.state
        if not word:
            continue
        if word in seen:
            raise RecordingError(
                f"{path}: {seen[word].strip()!r} and {name.strip()!r} both mean {word}; "
                + _remedy_of_twins(seen[word].strip(), name.strip(), meaning)
            )
        seen[word] = name


def _remedy_of_twins(one: str, other: str, meaning: Meaning) -> str:
    """Return what to type or change where two names stand for one word."""
    if one == other:
        return "give them different names, or leave one out"
    if meaning.metric is None:
        return "leave one of them out"
    return f"say which with --map '{one}={meaning.metric}' or --map '{other}={meaning.metric}'"
