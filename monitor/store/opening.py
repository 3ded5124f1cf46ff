"""Lay out a new record, look whether an old one is whole, and set a damaged one aside."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from monitor.model.instant import Instant
from monitor.store.layout import (
    APPLICATION_ID,
    FORMAT_VERSION,
    SCHEMA,
    SUFFIX,
    RecordDamagedError,
    chain_hash,
    seed_hash,
)
from monitor.store.reading import TAIL_ENTRIES, connect_read_only, failure

QUICK_CHECK_SIZE_MAX: Final = 256 * 1024 * 1024
"""Opening checks every page of a file up to this size; of a larger one the newest entries only."""

SET_ASIDE_MAX: Final = 1_000


class Tip(msgspec.Struct, frozen=True):
    """Where a chain stands: the newest entry's number and hash, and the last instant."""

    seq: int
    hash: bytes
    at: Instant


def lay_out(path: Path, session: str) -> None:
    """Make the whole file under another name first: a record is there complete, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unborn = path.with_name(f"{path.name}.new")
    unborn.unlink(missing_ok=True)
    os.close(os.open(unborn, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with closing(sqlite3.connect(unborn, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('session', ?)", (session,))
        connection.execute("INSERT INTO head VALUES (1, 0, ?)", (seed_hash(session),))
        connection.execute("COMMIT")
    unborn.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def examine(path: Path) -> tuple[str, Tip]:
    """Return the session and where its chain stands, after looking whether the file is whole.

    Read-only throughout: looking must not change a damaged file, not even by a checkpoint.
    """
    try:
        with closing(connect_read_only(path)) as connection:
            if path.stat().st_size <= QUICK_CHECK_SIZE_MAX:
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise RecordDamagedError(path, verdict)
            return _examine_tail(path, connection)
    except sqlite3.Error as error:
        raise failure(path, error) from error


def _examine_tail(path: Path, connection: sqlite3.Connection) -> tuple[str, Tip]:
    row = connection.execute("SELECT value FROM meta WHERE name = 'session'").fetchone()
    head = connection.execute("SELECT seq, hash FROM head").fetchone()
    if row is None or head is None:
        raise RecordDamagedError(path, "session or head is missing")
    rows = connection.execute(
        "SELECT seq, at, kind, link, body, hash FROM entry ORDER BY seq DESC LIMIT ?",
        (TAIL_ENTRIES + 1,),
    ).fetchall()[::-1]
    seq, previous = 0, seed_hash(row[0])
    if len(rows) > TAIL_ENTRIES:
        seq, previous = rows[0][0], rows[0][5]
        del rows[0]
    for each in rows:
        expected = chain_hash(previous, seq + 1, each[1], (each[2], each[3], each[4]))
        if (each[0], each[5]) != (seq + 1, expected):
            raise RecordDamagedError(path, f"entry {each[0]} does not follow entry {seq}")
        seq, previous = each[0], each[5]
    if tuple(head) != (seq, previous):
        raise RecordDamagedError(path, f"it ends at entry {seq}, but entry {head[0]} was written")
    return row[0], Tip(seq, previous, Instant(max((each[1] for each in rows), default=0)))


def set_aside(path: Path, reason: str) -> RecordDamagedError:
    """Rename a damaged record, its log with it, so that a new one can take its place."""
    if path.suffix != SUFFIX:
        return RecordDamagedError(path, reason)
    for number in range(1, SET_ASIDE_MAX):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if aside.exists():
            continue
        try:
            path.rename(aside)
            for companion in ("-wal", "-shm"):
                beside = path.with_name(f"{path.name}{companion}")
                if beside.exists():
                    beside.rename(aside.with_name(f"{aside.name}{companion}"))
        except OSError as error:
            return RecordDamagedError(path, f"{reason}; it cannot be set aside: {error.strerror}")
        return RecordDamagedError(path, reason, aside)
    return RecordDamagedError(path, f"{reason}; {SET_ASIDE_MAX} damaged files lie there already")
