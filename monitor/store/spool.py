"""The stretch of the record that InfluxDB has not accepted yet.

There is no second copy to keep in step: the spool is a saved position in the record. It moves only
after acceptance, in the same transaction that notes which points were refused for good. A crash in
between sends the stretch again, which changes nothing. The spool sets nothing aside by age or size:
what waits lies in the record, which stays; what one stretch may hold is bounded.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from monitor.model.entry import Entry, EntryKind
from monitor.model.instant import WallAnchor
from monitor.store.layout import RecordFailedError
from monitor.store.points import NOT_SENT, Points, UnfitError
from monitor.store.reading import anchor_in, as_entry, failure, read_anchors, read_header
from monitor.store.record import connect_for_notes, read_cursor, transaction

CURSOR: Final = "influx"
STRETCH_POINTS_MAX: Final = 5_000
STRETCH_CHARACTERS_MAX: Final = 4 * 1024 * 1024
STRETCH_ENTRIES_MAX: Final = 20_000
REASON_SIZE_MAX: Final = 200
PARKED_ROWS_MAX: Final = 10_000
"""Parked entries are named up to here; further ones are counted in one last row."""

_TIME_KINDS: Final = frozenset({EntryKind.OPENED, EntryKind.RESUMED, EntryKind.ANCHOR})
_NOT_SENT: Final = frozenset(NOT_SENT) - _TIME_KINDS
_PAGE: Final = (
    "SELECT seq, at, kind, link, body FROM entry WHERE seq > ? AND seq <= ?"  # noqa: S608  # ours
    f" AND kind NOT IN ({', '.join(repr(str(kind)) for kind in sorted(_NOT_SENT))})"
    " ORDER BY seq LIMIT ?"
)


class Parked(msgspec.Struct, frozen=True):
    """Points of one entry that InfluxDB will never take, and why. They stay in the record."""

    seq: int
    points: int
    reason: str


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Points to be sent together: those of the entries behind `after`, up to `last_seq`.

    `numbers` holds the entry of each line. `unfit` are entries that could not become points.
    """

    after: int
    last_seq: int
    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    anchor: WallAnchor
    unfit: tuple[Parked, ...] = ()


class Spool:
    """Reads one record behind its cursor. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the spool of the record at `path`.

        Raises:
            RecordFailedError: it cannot be read now, or the session was never opened.
            RecordDamagedError: it cannot be read any more.
        """
        self.path = path
        opened = read_header(path)
        self._points = Points(opened)
        self._connection = connect_for_notes(path)
        self._cursor = read_cursor(path, self._connection, CURSOR)
        anchors = read_anchors(path, self._connection, until=self._cursor)
        self._anchor = anchors[-1][1] if anchors else opened.anchor

    @property
    def cursor(self) -> int:
        """Return the number of the newest entry that InfluxDB has accepted."""
        return self._cursor

    def waiting(self) -> int:
        """Return how many durable entries lie behind the cursor.

        Raises:
            RecordFailedError: the record cannot be read now.
        """
        try:
            (head,) = self._connection.execute("SELECT seq FROM head").fetchone()
        except sqlite3.Error as error:
            raise failure(self.path, error) from error
        return max(0, int(head) - self._cursor)

    def take(self, points_max: int = STRETCH_POINTS_MAX) -> Stretch | None:
        """Return the next stretch, at least one entry long; None when nothing waits.

        It may hold no lines: entries that stay in the record are passed over by accepting it.

        Raises:
            RecordFailedError: the record cannot be read now.
        """
        making = _Making(self._points, self._anchor, points_max)
        entries, last_seq = self._page(points_max)
        for seq, entry in entries:
            if not making.add(seq, entry, self.path):
                last_seq = seq - 1
                break
        if last_seq == self._cursor:
            return None
        return Stretch(
            after=self._cursor,
            last_seq=last_seq,
            lines=tuple(making.lines),
            numbers=tuple(making.numbers),
            anchor=making.anchor,
            unfit=tuple(making.unfit),
        )

    def _page(self, entries_max: int) -> tuple[list[tuple[int, Entry]], int]:
        """Return the next entries that may become points, and how far that looked."""
        try:
            (head,) = self._connection.execute("SELECT seq FROM head").fetchone()
            end = min(int(head), self._cursor + STRETCH_ENTRIES_MAX)
            rows = self._connection.execute(_PAGE, (self._cursor, end, entries_max)).fetchall()
        except sqlite3.Error as error:
            raise failure(self.path, error) from error
        if len(rows) == entries_max:
            end = rows[-1][0]
        return [(row[0], as_entry(self.path, row)) for row in rows], max(end, self._cursor)

    def accept(self, stretch: Stretch, parked: Sequence[Parked] = ()) -> None:
        """Move behind `stretch`, durably; note what of it was refused for good.

        Raises:
            RecordFailedError: it could not be noted; the stretch will be sent again.
        """
        assert stretch.after == self._cursor, "a stretch was left out"
        with transaction(self.path, self._connection):
            self._connection.execute(
                "INSERT INTO cursor VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
                (CURSOR, stretch.last_seq),
            )
            self._note((*stretch.unfit, *parked))
        self._cursor = stretch.last_seq
        self._anchor = stretch.anchor

    def _note(self, parked: Sequence[Parked]) -> None:
        if not parked:
            return
        (noted,) = self._connection.execute("SELECT count(*) FROM parked").fetchone()
        fits = max(0, PARKED_ROWS_MAX - noted)
        rows = [(CURSOR, each.seq, each.points, each.reason) for each in parked[:fits]]
        rest = sum(each.points for each in parked[fits:])
        if rest:
            rows.append((CURSOR, 0, rest, "more than can be named"))
        self._connection.executemany(
            "INSERT INTO parked VALUES (?, ?, ?, ?) ON CONFLICT (name, seq)"
            " DO UPDATE SET points = points + excluded.points",
            rows,
        )

    def close(self) -> None:
        """Let go of the record."""
        self._connection.close()


class _Making:
    """A stretch while it grows."""

    def __init__(self, points: Points, anchor: WallAnchor, points_max: int) -> None:
        self.lines: list[str] = []
        self.numbers: list[int] = []
        self.unfit: list[Parked] = []
        self.anchor = anchor
        self._points = points
        self._points_max = points_max
        self._characters = 0

    def add(self, seq: int, entry: Entry, path: Path) -> bool:
        """Add the points of an entry; False where they no longer fit."""
        anchor = self.anchor
        if entry.kind in _TIME_KINDS:
            anchor = anchor_in(path, seq, entry)
        try:
            lines = self._points.lines(seq, entry, anchor)
        except UnfitError as error:
            self.unfit.append(Parked(seq, 0, str(error)[:REASON_SIZE_MAX]))
            return True
        characters = sum([len(line) + 1 for line in lines])
        if not self._fits(len(lines), characters):
            return False
        self.anchor = anchor
        self.lines += lines
        self.numbers += [seq] * len(lines)
        self._characters += characters
        return True

    def _fits(self, points: int, characters: int) -> bool:
        """Return whether so much more may be sent together; the first entry always may."""
        if not self.lines or not points:
            return True
        return (
            len(self.lines) + points <= self._points_max
            and self._characters + characters <= STRETCH_CHARACTERS_MAX
        )


def read_parked(path: Path, connection: sqlite3.Connection) -> tuple[Parked, ...]:
    """Return what InfluxDB refused for good, in order.

    Raises:
        RecordFailedError: the record cannot be read now.
    """
    query = "SELECT seq, points, reason FROM parked WHERE name = ? ORDER BY seq"
    try:
        return tuple(Parked(*row) for row in connection.execute(query, (CURSOR,)))
    except sqlite3.Error as error:
        raise failure(path, error) from error


__all__ = ["CURSOR", "Parked", "RecordFailedError", "Spool", "Stretch", "read_parked"]
