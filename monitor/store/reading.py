"""Read a record without ever changing it: entries in pages, the header, the list of sessions.

A page is one short read, so that a reader never holds up the writer, however slow it is. Read-only
media work too.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from monitor.model.entry import Entry, EntryKind, Opened, Resumed, decode
from monitor.model.instant import Duration, Instant, WallAnchor
from monitor.store.layout import (
    APPLICATION_ID,
    FORMAT_VERSION,
    FREQUENT_KINDS,
    IS_RARE,
    SUFFIX,
    RecordDamagedError,
    RecordFailedError,
)

PAGE_ENTRIES: Final = 2_000
BUSY_WAIT_S: Final = 5.0
SESSIONS_LISTED_MAX: Final = 10_000

_KINDS: Final = {str(kind): kind for kind in EntryKind}
_DAMAGE_CODES: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF
_Body = TypeVar("_Body", Opened, Resumed, WallAnchor)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite says the file itself is wrong, rather than the world around it."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & _PRIMARY_CODE) in _DAMAGE_CODES


def failure(path: Path, error: sqlite3.Error) -> RecordFailedError | RecordDamagedError:
    """Return what SQLite's error means to us."""
    if is_damage(error):
        return RecordDamagedError(path, str(error))
    return RecordFailedError(f"{path.name}: {error}")


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a record for reading; it may be used from any one thread at a time.

    Raises:
        RecordFailedError: there is no such file, it is no record, or a newer Vigil wrote it.
        RecordDamagedError: the file is not a database any more.
    """
    if not path.is_file():
        raise RecordFailedError(f"{path}: there is no such record")
    uri = path.resolve().as_uri()
    try:
        try:
            return _opened(path, f"{uri}?mode=ro")
        except sqlite3.OperationalError:
            # A folder that cannot be written: SQLite cannot make the index of the write-ahead log.
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _opened(path, f"{uri}?mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise failure(path, error) from error


def _opened(path: Path, uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False
    )
    try:
        _check_marks(path, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_marks(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise RecordFailedError(f"{path.name} is not a Vigil record")
    if version != FORMAT_VERSION:
        raise RecordFailedError(
            f"{path.name} has format {version}; this Vigil reads format {FORMAT_VERSION}"
        )


def read_entries(
    path: Path, after: int = 0, kinds: Iterable[EntryKind] | None = None
) -> Iterator[tuple[int, Entry]]:
    """Yield (sequence number, entry) behind `after`, in order; only of `kinds` where given.

    Entries that are written while we read are read too.

    Raises:
        RecordFailedError: as `connect_read_only`; or an entry of a kind that we do not know.
        RecordDamagedError: SQLite found a damaged page.
    """
    with closing(connect_read_only(path)) as connection:
        yield from walk(path, connection, after, kinds)


def walk(
    path: Path,
    connection: sqlite3.Connection,
    after: int = 0,
    kinds: Iterable[EntryKind] | None = None,
) -> Iterator[tuple[int, Entry]]:
    """Yield entries as `read_entries` does, on a connection that is open already."""
    wanted = None if kinds is None else sorted(str(kind) for kind in kinds)
    query = "SELECT seq, at, kind, link, body FROM entry WHERE seq > ?"
    query = f"{query}{_only(wanted)} ORDER BY seq LIMIT {PAGE_ENTRIES}"
    while True:
        try:
            rows = connection.execute(query, (after, *(wanted or ()))).fetchall()
        except sqlite3.Error as error:
            raise failure(path, error) from error
        for row in rows:
            yield row[0], as_entry(path, row)
        if len(rows) < PAGE_ENTRIES:
            return
        after = rows[-1][0]


def _only(wanted: list[str] | None) -> str:
    """Return the condition for kinds; it repeats the index's own where that one can serve."""
    if wanted is None:
        return ""
    condition = f" AND kind IN ({', '.join('?' * len(wanted))})"
    is_rare = not any(kind in wanted for kind in FREQUENT_KINDS)
    return f"{condition} AND {IS_RARE}" if is_rare else condition


def as_entry(path: Path, row: tuple[int, int, str, str, bytes]) -> Entry:
    """Return the entry in a row of seq, at, kind, link, body."""
    seq, at, kind, link, body = row
    known = _KINDS.get(kind)
    if known is None:
        raise RecordFailedError(f"{path.name}: entry {seq} is of kind {kind!r}, unknown here")
    return Entry(known, Instant(at), link, body)


def latest_entry(
    path: Path, connection: sqlite3.Connection, kind: EntryKind
) -> tuple[int, Entry] | None:
    """Return the newest written entry of `kind` with its sequence number; None if there is none."""
    rare = "" if kind in FREQUENT_KINDS else f" AND {IS_RARE}"
    query = "SELECT seq, at, kind, link, body FROM entry WHERE kind = ?"
    try:
        row = connection.execute(
            f"{query}{rare} ORDER BY seq DESC LIMIT 1", (str(kind),)
        ).fetchone()
    except sqlite3.Error as error:
        raise failure(path, error) from error
    return None if row is None else (row[0], as_entry(path, row))


def read_header(path: Path) -> Opened:
    """Return how the session was opened.

    Raises:
        RecordFailedError: as `connect_read_only`, or the session was never opened.
        RecordDamagedError: the opening cannot be read any more.
    """
    for seq, entry in read_entries(path, kinds=[EntryKind.OPENED]):
        return _decoded(path, seq, entry, Opened)
    raise RecordFailedError(f"{path.name} has no opening entry")


def read_anchors(
    path: Path, connection: sqlite3.Connection, until: int | None = None
) -> list[tuple[int, WallAnchor]]:
    """Return (sequence number, anchor) for each moment known in both clocks, up to `until`."""
    kinds = (EntryKind.OPENED, EntryKind.RESUMED, EntryKind.ANCHOR)
    anchors: list[tuple[int, WallAnchor]] = []
    for seq, entry in walk(path, connection, kinds=kinds):
        if until is not None and seq > until:
            break
        anchors.append((seq, anchor_in(path, seq, entry)))
    return anchors


def anchor_in(path: Path, seq: int, entry: Entry) -> WallAnchor:
    """Return the anchor that an opening, a resumption or a clock step carries."""
    match entry.kind:
        case EntryKind.OPENED:
            return _decoded(path, seq, entry, Opened).anchor
        case EntryKind.RESUMED:
            return _decoded(path, seq, entry, Resumed).anchor
        case _:
            return _decoded(path, seq, entry, WallAnchor)


def _decoded(path: Path, seq: int, entry: Entry, wanted: type[_Body]) -> _Body:
    try:
        body = decode(entry)
    except msgspec.MsgspecError as error:
        raise RecordDamagedError(path, f"entry {seq} ({entry.kind}): {error}") from error
    if not isinstance(body, wanted):
        raise RecordDamagedError(path, f"entry {seq} ({entry.kind}) holds something else")
    return body


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One session in the list. `trouble` says why a file cannot be read; then the rest is empty."""

    path: Path
    session: str = ""
    chair: str = ""
    pseudonym: str = ""
    opened_utc_ns: int = 0
    duration: Duration = Duration(0)
    entries: int = 0
    is_closed: bool = False
    mode: str = ""
    trouble: str = ""


def list_sessions(data_dir: Path) -> tuple[SessionLine, ...]:
    """Return the sessions whose records lie in `data_dir`, oldest first; unreadable files too."""
    if not data_dir.is_dir():
        return ()
    paths = sorted(data_dir.glob(f"*{SUFFIX}"))[:SESSIONS_LISTED_MAX]
    damaged = sorted(data_dir.glob(f"*{SUFFIX}.damaged-*[0-9]"))[:SESSIONS_LISTED_MAX]
    lines = [_line_of(path) for path in paths]
    lines += [SessionLine(path=path, trouble="set aside as damaged") for path in damaged]
    return tuple(sorted(lines, key=lambda line: (line.opened_utc_ns, line.path.name)))


def _line_of(path: Path) -> SessionLine:
    try:
        opened = read_header(path)
        with closing(connect_read_only(path)) as connection:
            is_closed = latest_entry(path, connection, EntryKind.CLOSED) is not None
            entries, last_at = _extent(path, connection)
    except (RecordFailedError, RecordDamagedError) as error:
        return SessionLine(path=path, trouble=str(error))
    return SessionLine(
        path=path,
        session=opened.session,
        chair=opened.chair,
        pseudonym=opened.pseudonym,
        opened_utc_ns=opened.anchor.utc_of(Instant(0)),
        duration=Duration(last_at),
        entries=entries,
        is_closed=is_closed,
        mode=opened.mode,
    )


TAIL_ENTRIES: Final = 256
"""How many of the newest entries are looked at for the last instant and on opening."""


def _extent(path: Path, connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the number of entries and the last instant: an alarm may be stamped a little back."""
    query = "SELECT max(seq), max(at) FROM (SELECT seq, at FROM entry ORDER BY seq DESC LIMIT ?)"
    try:
        last_seq, last_at = connection.execute(query, (TAIL_ENTRIES,)).fetchone()
    except sqlite3.Error as error:
        raise failure(path, error) from error
    return last_seq or 0, last_at or 0
