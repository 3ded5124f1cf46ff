"""Somebody who takes the spool, forgets, refuses and comes again: InfluxDB's place in a session."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from monitor.model.entry import Entry, EntryKind
from monitor.model.instant import WallAnchor
from monitor.store.points import Points
from monitor.store.reading import anchor_in, read_entries, read_header
from monitor.store.spool import Spool, Stretch
from simulators.scene import Scene

_STRETCH_POINTS: Final = 400
_LOST_SHARE: Final = 0.3
_TIME_KINDS: Final = frozenset({EntryKind.OPENED, EntryKind.RESUMED, EntryKind.ANCHOR})


class Shelf:
    """Points by identity, as a database keeps them. `faults` says what a resend would change."""

    def __init__(self, chance: Random) -> None:
        self.points: dict[str, str] = {}
        self.faults: list[str] = []
        self._chance = chance
        self._spool: Spool | None = None

    def take(self, path: Path) -> None:
        """Take one stretch of the record at `path`; now and then the acceptance is lost."""
        if self._spool is None:
            self._spool = Spool(path)
        stretch = self._spool.take(_STRETCH_POINTS)
        if stretch is None:
            return
        self._store(stretch)
        if self._chance.random() >= _LOST_SHARE:
            self._spool.accept(stretch)

    def let_go(self) -> None:
        """Forget the file, as a process that ends does."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def drain(self, path: Path) -> None:
        """Take what is left."""
        self.let_go()
        spool = Spool(path)
        while (stretch := spool.take()) is not None:
            self._store(stretch)
            spool.accept(stretch)
        spool.close()

    def _store(self, stretch: Stretch) -> None:
        if stretch.unfit:
            self.faults.append(f"entry {stretch.unfit[0].seq}: {stretch.unfit[0].reason}")
        for line in stretch.lines:
            identity, fields = split(line)
            if self.points.setdefault(identity, fields) != fields:
                self.faults.append(f"{identity}: {fields} over {self.points[identity]}")


def split(line: str) -> tuple[str, str]:
    """Return identity (measurement, tags, time) and fields of a point; our tags hold no blank."""
    head, rest = line.split(" ", 1)
    fields, time = rest.rsplit(" ", 1)
    return f"{head} {time}", fields


def what_is_stored_is_the_record_without_a_gap(scene: Scene, path: Path, shelf: Shelf) -> str:
    """Hold the shelf, drained, against the points of every entry on disk."""
    del scene
    if shelf.faults:
        return shelf.faults[0]
    due = _points_of(path, list(read_entries(path)))
    if due == shelf.points:
        return ""
    missing, extra = set(due) - set(shelf.points), set(shelf.points) - set(due)
    return f"{len(missing)} points are missing {sorted(missing)[:1]}, {len(extra)} are too many"


def _points_of(path: Path, entries: Sequence[tuple[int, Entry]]) -> dict[str, str]:
    opened = read_header(path)
    points, anchor = Points(opened), opened.anchor
    found: dict[str, str] = {}
    for seq, entry in entries:
        anchor = _anchor(path, seq, entry, anchor)
        found.update(split(line) for line in points.lines(seq, entry, anchor))
    return found


def _anchor(path: Path, seq: int, entry: Entry, known: WallAnchor) -> WallAnchor:
    return anchor_in(path, seq, entry) if entry.kind in _TIME_KINDS else known
