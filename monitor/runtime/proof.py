"""Re-derivation: recorded inputs give the recorded conclusions again, byte for byte.

The proof builds the pipeline that the session's first entry describes, feeds it every recorded
input in order, and compares each conclusion with the one on disk. It finds a conclusion that was
altered, left out or made up, and a record whose hash chain was computed anew over false entries.
"""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from alarms.limits import LimitSet
from drivers.contract import Driver
from monitor.model.entry import (
    Body,
    Closed,
    Entry,
    EntryKind,
    Opened,
    Resumed,
    SelfCheck,
    Side,
    decode,
)
from monitor.model.instant import WallAnchor
from monitor.model.link import LinkChange
from monitor.model.session import OperatorAction
from monitor.runtime.chair import build_pipeline, lines_of
from monitor.runtime.pipeline import Pipeline
from monitor.store.reading import read_entries, read_header


class Divergence(msgspec.Struct, frozen=True):
    """The first place where record and re-derivation differ."""

    seq: int
    what: str


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """What a re-derivation came to."""

    inputs: int
    conclusions: int
    difference: Divergence | None

    @property
    def is_same(self) -> bool:
        """Return whether every conclusion came out again."""
        return self.difference is None


class _Derived:
    """A log that keeps the conclusions a pipeline comes to, until they are compared."""

    def __init__(self) -> None:
        self.conclusions: deque[Entry] = deque()
        self._seq = 0

    def append(self, entry: Entry) -> int:
        if entry.side is Side.CONCLUSION:
            self.conclusions.append(entry)
        self._seq += 1
        return self._seq


def derive_again(
    path: Path,
    get: Callable[[str], Driver],
    read_limits: Callable[[str, str], LimitSet],
) -> Derivation:
    """Derive the conclusions of the record at `path` anew and compare.

    `get` returns a driver by name, `read_limits` a limit set from its TOML text and a name for it.

    Raises:
        MonitorError: the record cannot be read.
        ConfigError: it was made with a driver or limits this program does not know.
    """
    opened = read_header(path)
    log = _Derived()
    limits = read_limits(opened.limits, f"limits of session {opened.session}")
    pipeline = build_pipeline(opened, lines_of(opened, get), limits, log)
    return _Comparison(pipeline, log).run(read_entries(path))


class _Comparison:
    def __init__(self, pipeline: Pipeline, log: _Derived) -> None:
        self._pipeline = pipeline
        self._log = log
        self._inputs = 0
        self._conclusions = 0

    def run(self, entries: Iterator[tuple[int, Entry]]) -> Derivation:
        seq = 0
        for seq, entry in entries:
            difference = self._take(seq, entry)
            if difference is not None:
                return self._report(difference)
        if self._log.conclusions:
            first = self._log.conclusions[0]
            return self._report(Divergence(seq, f"left out: {_told(first)}"))
        return self._report(None)

    def _take(self, seq: int, entry: Entry) -> Divergence | None:
        if entry.side is Side.INPUT:
            return self._take_input(seq, entry)
        self._conclusions += 1
        if not self._log.conclusions:
            self._pipeline.mature(entry.at)  # it may have fallen due with no input to bring it out
        if not self._log.conclusions:
            return Divergence(seq, f"recorded, but does not follow: {_told(entry)}")
        derived = self._log.conclusions.popleft()
        if derived != entry:
            return Divergence(seq, f"recorded {_told(entry)}; derived {_told(derived)}")
        return None

    def _take_input(self, seq: int, entry: Entry) -> Divergence | None:
        """Feed one input, first letting out what the recorded run concluded before it."""
        if self._log.conclusions:
            first = self._log.conclusions[0]
            return Divergence(seq, f"left out before this: {_told(first)}")
        self._inputs += 1
        try:
            feed(self._pipeline, entry, decode(entry))
        except msgspec.DecodeError as error:
            return Divergence(seq, f"cannot be read: {error}")
        return None

    def _report(self, difference: Divergence | None) -> Derivation:
        return Derivation(inputs=self._inputs, conclusions=self._conclusions, difference=difference)


def feed(pipeline: Pipeline, entry: Entry, body: Body | WallAnchor | bytes) -> None:
    """Give one recorded input to `pipeline`, as the running session did."""
    if entry.kind is EntryKind.RECEIVED:
        pipeline.receive(entry.link, entry.body, entry.at)
    elif entry.kind is EntryKind.WOKEN:
        pipeline.wake_link(entry.link, entry.at)
    elif isinstance(body, LinkChange):
        pipeline.change_link(body)
    elif isinstance(body, OperatorAction):
        pipeline.operate(body)
    elif isinstance(body, SelfCheck):
        pipeline.check_self(body)
    elif isinstance(body, Resumed):
        pipeline.resume(body)
    elif isinstance(body, WallAnchor):
        pipeline.anchor(body)
    else:
        assert isinstance(body, Opened | Closed), entry.kind


def _told(entry: Entry) -> str:
    return f"{entry.kind} at {entry.at / 1e9:.3f} s {entry.body[:160].decode(errors='replace')}"
