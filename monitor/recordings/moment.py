"""What the readers of both CSV shapes share: one moment being gathered, and its limits."""

from collections.abc import Iterable
from typing import Final

from monitor.model.event import Observation, Validity
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe
from monitor.recordings.cells import Cell, Column, Garbage
from monitor.recordings.names import Meaning
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.waves import WaveGatherer

EVENTS_AT_ONCE_MAX: Final = 100_000


def is_episodic(metric: Metric) -> bool:
    """Return whether a metric is measured now and then, so that no value is not a lost value."""
    return describe(metric).stale_after is None


def observation_of(
    cell: Cell, metric: Metric, at: Instant, taken: Instant | None = None
) -> Observation:
    """Return what a cell says: its value, or that there is none."""
    if isinstance(cell, float):
        return Observation(metric, cell, Validity.VALID, at, taken)
    return Observation(metric, None, Validity.NOT_AVAILABLE, at, taken)


def open_column(
    meaning: Meaning, zero_is_missing: frozenset[Metric], *, decimal_comma: bool
) -> Column:
    """Return the reader of one metric's cells."""
    assert meaning.metric is not None
    return Column(
        meaning.metric,
        meaning,
        zero_is_missing=meaning.metric in zero_is_missing,
        decimal_comma=decimal_comma,
    )


def refuse_cell(refusals: Refusals, garbage: Garbage, line: int, row: Iterable[str]) -> None:
    """Count a cell that means nothing, and tell it as rejected unless it stands for nothing."""
    if garbage.is_gap:
        refusals.count(garbage.kind, line)
    else:
        refusals.add(garbage.kind, line, ",".join(row), garbage.detail)


def tell_lone(gatherers: Iterable[WaveGatherer], notes: Notes) -> None:
    """Note the samples that make no waveform."""
    for gatherer in gatherers:
        if gatherer.lone:
            notes.tell(f"{gatherer.metric}: {gatherer.lone} lone samples make no waveform")
