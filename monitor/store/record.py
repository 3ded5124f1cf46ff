"""The record of one session: append in memory, write in groups, never change what is written.

The loop's thread calls `append` (cheap, no disk) and hands `take_pending()` to a worker thread,
which calls `write`. An entry leaves memory only once its group is durable: a write that fails
leaves everything where it was, and the next `take_pending` holds it again. Whatever else runs, one
thread at a time writes; readers use connections of their own.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Self, TypeAlias

import msgspec

from monitor.model.entry import Entry, EntryKind
from monitor.model.instant import Instant, WallAnchor
from monitor.store.layout import (
    RecordDamagedError,
    RecordFailedError,
    chain_hash,
    record_path,
    seed_hash,
)
from monitor.store.opening import Tip, examine, lay_out, set_aside
from monitor.store.reading import (
    BUSY_WAIT_S,
    connect_read_only,
    failure,
    latest_entry,
    read_anchors,
    walk,
)

__all__ = ["Batch", "Record", "RecordDamagedError", "RecordFailedError", "record_path"]

PENDING_ENTRIES_MAX: Final = 500_000
PENDING_BYTES_MAX: Final = 128 * 1024 * 1024
Row: TypeAlias = tuple[int, int, str, str, bytes, bytes]


class Batch(msgspec.Struct, frozen=True):
    """Entries that are to become durable together, in order."""

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.rows)


class Record:
    """An append-only record that is open for writing. Make one with `create` or `open`."""

    def __init__(self, path: Path, session: str, connection: sqlite3.Connection, tip: Tip) -> None:
        self.path = path
        self.session = session
        self.refused_count = 0
        self._connection = connection
        self._writing = threading.Lock()
        self._written_seq = tip.seq
        self._written_hash = tip.hash
        self._last_seq = tip.seq
        self._last_hash = tip.hash
        self._last_at = tip.at
        self._pending: list[Row] = []
        # Two threads, two counters: each is written by one of them only.
        self._bytes_taken = 0
        self._bytes_written = 0

    # -- making one ------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, session: str) -> Self:
        """Create the record of a new session.

        Raises:
            RecordFailedError: the file exists, or cannot be made.
        """
        if path.exists():
            raise RecordFailedError(f"{path}: exists already; a record is never written over")
        try:
            lay_out(path, session)
            connection = _connect(path)
        except OSError as error:
            raise RecordFailedError(f"{path}: {error.strerror}") from error
        except sqlite3.Error as error:
            raise failure(path, error) from error
        return cls(path, session, connection, Tip(0, seed_hash(session), Instant(0)))

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a record to go on with it, after looking whether it is whole.

        Raises:
            RecordDamagedError: it is not; the file was set aside beside its place, untouched.
            RecordFailedError: it cannot be read now, or is no record of this format.
        """
        try:
            session, tip = examine(path)
        except RecordDamagedError as damage:
            raise set_aside(path, damage.reason) from damage
        try:
            connection = _connect(path)
        except sqlite3.Error as error:
            raise failure(path, error) from error
        return cls(path, session, connection, tip)

    # -- writing ---------------------------------------------------------------------------------

    def append(self, entry: Entry) -> int:
        """Chain `entry` to the last one and keep it for the next write; return its number.

        Raises:
            RecordFailedError: the disk has failed for so long that no more can be kept. The entry
                is refused and counted in `refused_count`; the chain goes on without it.
        """
        kind = str(entry.kind)
        body = entry.body
        waiting = self._bytes_taken - self._bytes_written
        if waiting >= PENDING_BYTES_MAX or len(self._pending) >= PENDING_ENTRIES_MAX:
            self.refused_count += 1
            raise RecordFailedError(
                f"{self.path.name}: {len(self._pending)} entries wait for the disk; no more fit"
            )
        seq = self._last_seq + 1
        tied = chain_hash(self._last_hash, seq, entry.at, (kind, entry.link, body))
        self._pending.append((seq, entry.at, kind, entry.link, body, tied))
        self._bytes_taken += len(body)
        self._last_seq = seq
        self._last_hash = tied
        self._last_at = max(self._last_at, entry.at)
        return seq

    def take_pending(self) -> Batch:
        """Return what is not durable yet. It stays pending until `write` has succeeded."""
        return Batch(tuple(self._pending))

    def write(self, batch: Batch) -> None:
        """Make `batch` durable in one transaction; may run in a thread. Twice does no harm.

        Raises:
            RecordFailedError: nothing of it was written; everything is still pending.
        """
        with self._writing:
            rows = [row for row in batch.rows if row[0] > self._written_seq]
            if not rows:
                return
            assert rows[0][0] == self._written_seq + 1, "a batch was left out"
            with transaction(self.path, self._connection):
                self._put(rows)
            self._written_seq, self._written_hash = rows[-1][0], rows[-1][5]
            # The loop may append meanwhile: it only adds at the end, we only take from the front.
            del self._pending[: len(rows)]
            self._bytes_written += sum(len(row[4]) for row in rows)

    def commit(self) -> None:
        """Write all that is pending, here and now."""
        self.write(self.take_pending())

    def _put(self, rows: list[Row]) -> None:
        seq, tied = self._connection.execute("SELECT seq, hash FROM head").fetchone()
        if (seq, tied) == (rows[-1][0], rows[-1][5]):
            return  # A commit that was reported as failed had reached the disk.
        if (seq, tied) != (self._written_seq, self._written_hash):
            raise RecordFailedError(f"{self.path.name}: somebody else writes to this record")
        self._connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._connection.execute("UPDATE head SET seq = ?, hash = ?", (rows[-1][0], rows[-1][5]))

    def close(self) -> None:
        """Write what is pending and fold the write-ahead log into the one file.

        Raises:
            RecordFailedError: the last entries could not be written; the record is closed anyway.
        """
        try:
            self.commit()
        finally:
            with self._writing:
                self._connection.close()

    # -- asking ----------------------------------------------------------------------------------

    @property
    def pending_count(self) -> int:
        """Return how many entries are not durable yet."""
        return len(self._pending)

    @property
    def last_seq(self) -> int:
        """Return the number of the newest entry, pending ones included; 0 for none."""
        return self._last_seq

    @property
    def written_seq(self) -> int:
        """Return the number of the newest durable entry; 0 for none."""
        return self._written_seq

    @property
    def last_at(self) -> Instant:
        """Return the latest instant among the newest entries."""
        return self._last_at

    def entries(
        self, after: int = 0, kinds: Iterable[EntryKind] | None = None
    ) -> Iterator[tuple[int, Entry]]:
        """Yield durable entries with their numbers, in order, on a connection of their own."""
        with closing(connect_read_only(self.path)) as connection:
            yield from walk(self.path, connection, after, kinds)

    def latest(self, kind: EntryKind) -> Entry | None:
        """Return the newest durable entry of `kind`; None if there is none."""
        with closing(connect_read_only(self.path)) as connection:
            found = latest_entry(self.path, connection, kind)
        return None if found is None else found[1]

    def anchor(self) -> WallAnchor | None:
        """Return the newest durable moment known in both clocks."""
        with closing(connect_read_only(self.path)) as connection:
            anchors = read_anchors(self.path, connection)
        return anchors[-1][1] if anchors else None

    def cursor(self, name: str) -> int:
        """Return how far the reader `name` has come; 0 if it never said."""
        with self._writing:
            return read_cursor(self.path, self._connection, name)

    def set_cursor(self, name: str, seq: int) -> None:
        """Remember, durably, how far the reader `name` has come.

        Raises:
            RecordFailedError: it could not be written.
        """
        with self._writing:
            put_cursor(self.path, self._connection, name, seq)


def read_cursor(path: Path, connection: sqlite3.Connection, name: str) -> int:
    """Return the saved position `name`; 0 if there is none."""
    try:
        row = connection.execute("SELECT seq FROM cursor WHERE name = ?", (name,)).fetchone()
    except sqlite3.Error as error:
        raise failure(path, error) from error
    return 0 if row is None else int(row[0])


def put_cursor(path: Path, connection: sqlite3.Connection, name: str, seq: int) -> None:
    """Save a position under `name`."""
    with transaction(path, connection):
        connection.execute(
            "INSERT INTO cursor VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
            (name, seq),
        )


def connect_for_notes(path: Path) -> sqlite3.Connection:
    """Open a record to move cursors and park points, beside the writer of its entries.

    Raises:
        RecordFailedError: as `connect_read_only`.
        RecordDamagedError: as `connect_read_only`.
    """
    connect_read_only(path).close()
    try:
        return _connect(path)
    except sqlite3.Error as error:
        raise failure(path, error) from error


@contextlib.contextmanager
def transaction(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of it, durably, or nothing.

    Raises:
        RecordFailedError: nothing of it was done, as far as SQLite can tell.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise RecordFailedError(f"{path.name}: {error}") from error
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection
