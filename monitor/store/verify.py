"""Prove that a record is what was written: each entry, in order, nothing added or taken away.

What the chain proves: a record whose newest hash is known from elsewhere (a report, a log, an
InfluxDB) has not been changed since. What it cannot prove alone: somebody who may write the file
and knows this program can compute a new chain to the end, and a new head. So the report carries the
newest hash, to be kept somewhere else.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import msgspec

from monitor.model.entry import Entry, EntryKind, Opened, decode
from monitor.model.instant import Instant
from monitor.store.layout import (
    SCHEMA,
    RecordDamagedError,
    chain_hash,
    seed_hash,
)
from monitor.store.reading import PAGE_ENTRIES, connect_read_only

Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then with (entries checked, entries in all)."""

_Row: TypeAlias = tuple[int, int, str, str, bytes, bytes]


class Difference(msgspec.Struct, frozen=True):
    """The first thing that is not as written. `seq` is the entry concerned; 0 for the file."""

    seq: int
    what: str


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `check_chain` found. `head` is the newest hash that holds, in hexadecimal."""

    session: str
    entries: int
    head: str
    first_difference: Difference | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether everything is as it was written."""
        return self.first_difference is None


def check_chain(path: Path, progress: Progress | None = None) -> ChainReport:
    """Check every entry of a record against the chain; the file is only read.

    Entries that are being written meanwhile do not count: it sees the record as it was on opening.

    Raises:
        RecordFailedError: it cannot be read, or is no record.
    """
    walk = _Walk()
    difference: Difference | None
    try:
        with closing(connect_read_only(path)) as connection:
            connection.execute("BEGIN")  # one view of the file throughout
            difference = walk.first_difference(connection, progress or _say_nothing)
    except RecordDamagedError as damage:
        difference = Difference(walk.seq, damage.reason)
    except sqlite3.DatabaseError as error:
        difference = Difference(walk.seq, f"the file cannot be read behind this entry: {error}")
    return ChainReport(
        session=walk.session,
        entries=walk.seq,
        head=walk.tied.hex(),
        first_difference=difference,
    )


def _say_nothing(done: int, total: int) -> None:
    """Show no progress."""


class _Walk:
    """One pass over the file; remembers how far the chain held."""

    def __init__(self) -> None:
        self.session = ""
        self.seq = 0
        self.tied = b""

    def first_difference(
        self, connection: sqlite3.Connection, progress: Progress
    ) -> Difference | None:
        """Return the first difference from what was written; None if there is none."""
        layout = _layout_difference(connection)
        if layout is not None:
            return Difference(0, layout)
        session = connection.execute("SELECT value FROM meta WHERE name = 'session'").fetchone()
        head = connection.execute("SELECT seq, hash FROM head").fetchone()
        if session is None or head is None:
            return Difference(0, "the session's name or the head is missing")
        self.session = session[0]
        self.tied = seed_hash(self.session)
        for row in _rows(connection):
            what = self._judge(row)
            if what is not None:
                return Difference(self.seq + 1, what)
            if self.seq % PAGE_ENTRIES == 0:
                progress(self.seq, head[0])
        progress(self.seq, head[0])
        return self._judge_end(*head)

    def _judge(self, row: _Row) -> str | None:
        """Return what is wrong with the entry that should come next; None lets it pass."""
        seq, at, kind, link, body, tied = row
        if seq != self.seq + 1:
            gone = seq > self.seq + 1
            return "it is missing" if gone else f"before it stands entry {seq}, which was added"
        expected = chain_hash(self.tied, seq, at, (kind, link, body))
        if tied != expected:
            return "it, or an entry before it, is not what was written: the hash differs"
        if seq == 1:
            other = _other_session(Entry(EntryKind.OPENED, Instant(at), link, body), kind)
            if other not in {None, self.session}:
                return f"it opens session {other!r}, but the file is of {self.session!r}"
        self.seq, self.tied = seq, tied
        return None

    def _judge_end(self, head_seq: int, head_hash: bytes) -> Difference | None:
        if head_seq > self.seq:
            return Difference(self.seq + 1, f"the end is cut off: {head_seq} entries were written")
        if (head_seq, head_hash) != (self.seq, self.tied):
            return Difference(self.seq, f"the head names entry {head_seq} with another hash")
        return None


def _rows(connection: sqlite3.Connection) -> Iterator[_Row]:
    yield from connection.execute("SELECT seq, at, kind, link, body, hash FROM entry ORDER BY seq")


def _layout_difference(connection: sqlite3.Connection) -> str | None:
    """Return how tables, views and triggers differ from ours: a trigger taken away is a trace."""
    found = {
        row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
    }
    ours = set(SCHEMA)
    for what, statements in (("is missing", ours - found), ("was added", found - ours)):
        for statement in sorted(statements):
            return f"'{' '.join(statement.split()[:3])} ...' {what}"
    return None


def _other_session(entry: Entry, kind: str) -> str | None:
    """Return the session that the first entry names, where it is an opening that can be read."""
    if kind != EntryKind.OPENED:
        return None
    try:
        body = decode(entry)
    except msgspec.MsgspecError:
        return None
    return body.session if isinstance(body, Opened) else None
