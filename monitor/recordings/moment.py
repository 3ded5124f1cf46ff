"""What the readers of both CSV shapes share: one moment being gathered, and its limits."""

from collections.abc import Iterable
from typing import Final

from monitor.model.event import DeviceNotice, NoticeKind, Observation, Validity
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe
from monitor.recordings.cells import Cell, Column, Garbage
from monitor.recordings.names import Meaning
from monitor.recordings.notes import Notes, Refusals
from monitor.recordings.waves import WaveGatherer

EVENTS_AT_ONCE_MAX: Final = 100_000
_ON: Final = frozenset(("1", "1.0", "true", "yes", "on"))
_OFF: Final = frozenset(("0", "0.0", "false", "no", "off"))


class NoticeColumn:
    """A column of 0 and 1 about the device itself; speaks at its edges."""

    def __init__(self, notice: NoticeKind) -> None:
        self.notice = notice
        self._present = False

    def read(self, text: str, at: Instant) -> DeviceNotice | Garbage | None:
        """Return the edge that this cell makes, if any; a blank cell says nothing."""
        present = _flag(text, self.notice)
        if isinstance(present, Garbage):
            return present
        if present is None or present == self._present:
            return None
        self._present = present
        return DeviceNotice(self.notice, at, present)


class GateColumn:
    """A column of 0 and 1 that says whether a metric can be measured now."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    def read(self, text: str) -> bool | Garbage | None:
        """Return whether the metric is available; a blank cell says nothing."""
        return _flag(text, f"{self.metric} available")


def _flag(text: str, name: str) -> bool | Garbage | None:
    word = text.strip().lower()
    if word and word not in _ON and word not in _OFF:
        kind = f"{name}: cells other than 0 and 1 were rejected"
        return Garbage(kind, f"{name} {word[:40]!r} is neither 0 nor 1")
    return word in _ON if word else None


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
