"""What a recording is to those who replay it, and what a reader may be told about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from monitor.model.event import DeviceEvent
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from monitor.recordings.flags import Gate

Moment: TypeAlias = tuple[Instant, Sequence[DeviceEvent]]
"""Everything a recording says at one time. Instants count from its first row.

No event lies after its moment. Two kinds may lie before it: a waveform segment whose end only the
next sample could tell (the sampling stopped), by its `at`; a cuff reading told again, by its
`taken`, which may also be a little later where the device's two clocks differ, or negative where
the cuff measured before the recording began.
"""

SORTED_ROWS_MAX: Final = 10_000_000
"""Rows of a long CSV that may be put into time order; costs about 40 bytes of memory each."""


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says about a recording that the file itself does not.

    `zero_is_missing`: metrics for which this recorder writes 0 when it has no reading.
    `missing`: words in lower case, and numbers as text, that stand for no reading in any column.
    `column_map`: column header (wide), metric name (long) or signal name (WFDB) -> metric, or
    what a flag says can be measured; stronger than any name we know, and taken as being in the
    metric's unit.
    """

    zero_is_missing: frozenset[Metric] = frozenset()
    missing: frozenset[str] = frozenset()
    column_map: Mapping[str, Metric | Gate] = {}
    sorted_rows_max: int = SORTED_ROWS_MAX


class ColumnUse(msgspec.Struct, frozen=True):
    """What became of one column: the word it feeds, or why it is ignored; at times both."""

    column: str
    feeds: str = ""
    reason: str = ""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a file was taken for.

    `time` says how its times were read. `span_s` is the time from the first row to the last in
    seconds; None until the recording has been read to its end.
    """

    format: str
    columns: tuple[ColumnUse, ...]
    time: str
    span_s: float | None = None

    def sentences(self) -> tuple[str, ...]:
        """Return the description as lines for a person."""
        used = [f"{use.column} as {use.feeds}" for use in self.columns if use.feeds]
        lines = [f"{self.format}; {self.time}", "used: " + ", ".join(used)]
        lines += [f"ignored: {use.column} ({use.reason})" for use in self.columns if not use.feeds]
        return tuple(lines)


class Recording(Protocol):
    """One opened recording; may be iterated more than once, from its beginning each time."""

    def describe(self) -> Description:
        """Return what the file was taken for, as far as it has been read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person must know: guesses, losses and counts so far, a sentence each."""

    def __iter__(self) -> Iterator[Moment]:
        """Yield one moment for each distinct time, in rising order."""
