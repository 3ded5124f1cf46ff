"""A long CSV whose rows are not in time order, read in time order.

Such files are written channel by channel. Within one metric, time must still go forward: a row that
goes back within its own metric is refused as anywhere else. The rows are copied to a temporary
file; what is kept in memory is their times and places, so there is a stated limit.
"""

import mmap
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import numpy as np

from monitor.model.errors import RecordingError
from monitor.recordings.notes import Refusals
from monitor.recordings.order import Admission, Row

_CELL_END: Final = "\x1f"
_CHUNK_ROWS: Final = 65_536


class RowSorter:
    """Takes rows in any order and gives them back in time order; equal times keep file order."""

    def __init__(self, path: str, metric_place: int, rows_max: int, refusals: Refusals) -> None:
        self._path = path
        self._metric_place = metric_place
        self._rows_max = rows_max
        self._refusals = refusals
        self._times = array("q")
        self._lines = array("q")
        self._places = array("q")

    def sort(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows in time order.

        Raises:
            RecordingError: there are more than the stated limit, or no room to copy them.
        """
        with tempfile.TemporaryFile() as spool:
            try:
                for row in self._admitted(rows):
                    self._write(row, spool)
                spool.flush()
            except OSError as error:
                raise RecordingError(
                    f"{self._path}: cannot be put in time order: the temporary folder: {error}"
                ) from error
            if self._times:
                yield from self._read(spool)

    def _admitted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows whose time does not go back within their own metric."""
        admissions: dict[str, Admission] = {}
        for row in rows:
            metric = row.cells[self._metric_place]
            admission = admissions.get(metric)
            if admission is None:
                admission = admissions[metric] = Admission(self._refusals)
            yield from admission.admit(row)
        for admission in admissions.values():
            yield from admission.finish()

    def _write(self, row: Row, spool: BinaryIO) -> None:
        """Keep one row."""
        if len(self._times) >= self._rows_max:
            raise RecordingError(
                f"{self._path}: is not in time order and has more than {self._rows_max} rows, "
                "too many to put in order here; sort it by its time column first"
            )
        self._times.append(row.ns)
        self._lines.append(row.line)
        self._places.append(spool.tell())
        spool.write((_CELL_END.join(row.cells) + "\n").encode(errors="replace"))

    def _read(self, spool: BinaryIO) -> Iterator[Row]:
        """Yield the kept rows in time order."""
        times = np.frombuffer(self._times, dtype=np.int64)
        order = np.argsort(times, kind="stable")
        with mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ) as kept:
            for start in range(0, len(order), _CHUNK_ROWS):
                for index in order[start : start + _CHUNK_ROWS].tolist():
                    place = self._places[index]
                    line = kept[place : kept.find(b"\n", place)].decode(errors="replace")
                    yield Row(self._times[index], self._lines[index], line.split(_CELL_END))
