"""What the readers of both CSV shapes share: one moment being gathered, and its limits."""

from collections.abc import Iterable, Iterator
from typing import Final

from monitor.model.errors import RecordingError
from monitor.model.event import FrameRejected, Observation, Validity
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe
from monitor.recordings.cells import Cell, Column, Garbage
from monitor.recordings.names import Meaning
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.recording import Moment, ReadOptions
from monitor.recordings.waves import WaveGatherer

EVENTS_AT_ONCE_MAX: Final = 100_000
_REASONS_MAX: Final = 3


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


def open_column(meaning: Meaning, options: ReadOptions, *, decimal_comma: bool) -> Column:
    """Return the reader of one metric's cells; a sample of 0 is one whatever the options say."""
    assert meaning.metric is not None
    zero_is_missing = not describe(meaning.metric).is_wave
    return Column(
        meaning,
        zero_is_missing=zero_is_missing and meaning.metric in options.zero_is_missing,
        decimal_comma=decimal_comma,
        missing=options.missing,
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
            many = f"{gatherer.lone} samples have no rate and make"
            told = many if gatherer.lone > 1 else "1 sample has no rate and makes"
            notes.tell(f"{gatherer.metric}: {told} no waveform")


def said_why(moments: Iterator[Moment], path: str, notes: Notes) -> Iterator[Moment]:
    """Yield the moments; see that a recording of which nothing was read says why.

    Raises:
        RecordingError: at the end, if nothing was heard; says what became of the rows.
    """
    is_heard = False
    for moment in moments:
        yield moment
        said = [event for event in moment[1] if not isinstance(event, FrameRejected)]
        is_heard = is_heard or bool(said)
        if any(not isinstance(event, Observation) or event.value is not None for event in said):
            yield from moments
            return
    if not is_heard:
        why = "; ".join(notes.sentences[:_REASONS_MAX]) or "no cell holds a value"
        raise RecordingError(
            f"{path}: nothing was read from its rows: {why}; "
            "name columns with --map COLUMN=METRIC, or what stands for no reading with --missing"
        )
    notes.tell("not one value was read: each was blank, rejected or said to be not available")
