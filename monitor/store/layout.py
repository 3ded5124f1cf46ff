"""What a record looks like on disk: tables, marks, and the hash that ties each entry to the last.

One SQLite file holds one session. `entry` is one ordered log of causes and consequences; nothing
but the session's own writer adds to it, and triggers refuse to change or remove a row. `head` names
the newest entry and is written in the same transaction, so that a cut tail is found. `cursor` and
`parked` are the uploader's notes: they may change and prove nothing.
"""

import hashlib
import re
import struct
from pathlib import Path
from typing import Final

from monitor.model.entry import EntryKind
from monitor.model.errors import MonitorError

SUFFIX: Final = ".vigil"
APPLICATION_ID: Final = 0x5647494C  # "VGIL"
FORMAT_VERSION: Final = 1

FREQUENT_KINDS: Final = (EntryKind.RECEIVED, EntryKind.WOKEN, EntryKind.HEARD)
"""Kinds that come many times a second; all others are indexed, so that `latest` is quick."""

_FREQUENT: Final = ", ".join(f"'{kind}'" for kind in FREQUENT_KINDS)
IS_RARE: Final = f"kind NOT IN ({_FREQUENT})"

SCHEMA: Final = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    (
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,"
        " link TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT"
    ),
    (
        "CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL,"
        " hash BLOB NOT NULL) STRICT"
    ),
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT",
    (
        "CREATE TABLE parked (name TEXT NOT NULL, seq INTEGER NOT NULL, points INTEGER NOT NULL,"
        " reason TEXT NOT NULL, PRIMARY KEY (name, seq)) STRICT"
    ),
    f"CREATE INDEX rare ON entry (kind, seq) WHERE {IS_RARE}",
    "CREATE VIEW inputs AS SELECT * FROM entry WHERE kind NOT IN ('heard', 'alarm', 'checkpoint')",
    "CREATE VIEW conclusions AS SELECT * FROM entry WHERE kind IN ('heard', 'alarm', 'checkpoint')",
    (
        "CREATE TRIGGER entry_stays BEFORE UPDATE ON entry"
        " BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END"
    ),
    (
        "CREATE TRIGGER entry_remains BEFORE DELETE ON entry"
        " BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END"
    ),
    (
        "CREATE TRIGGER meta_stays BEFORE UPDATE ON meta"
        " BEGIN SELECT RAISE(ABORT, 'the session is never renamed'); END"
    ),
    (
        "CREATE TRIGGER meta_remains BEFORE DELETE ON meta"
        " BEGIN SELECT RAISE(ABORT, 'the session is never renamed'); END"
    ),
)

HASH_SIZE: Final = 32
_FRAME: Final = struct.Struct(">qqIII")
_SESSION_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class RecordFailedError(MonitorError):
    """The record cannot be written or read now; what was appended waits and may be tried again."""


class RecordDamagedError(MonitorError):
    """A record is not what was written. `path` is the file; `set_aside` is where it lies now."""

    def __init__(self, path: Path, reason: str, set_aside: Path | None = None) -> None:
        where = "" if set_aside is None else f"; kept, untouched, as {set_aside.name}"
        super().__init__(f"{path.name} is damaged: {reason}{where}")
        self.path = path
        self.reason = reason
        self.set_aside = set_aside


def seed_hash(session: str) -> bytes:
    """Return what the first entry is chained to: format and session, so that neither can change."""
    return hashlib.sha256(f"vigil record {FORMAT_VERSION} {session}".encode()).digest()


def chain_hash(previous: bytes, seq: int, at: int, what: tuple[str, str, bytes]) -> bytes:
    """Return the hash of one entry; `what` is its kind, link and body.

    Each length is part of what is hashed, so that no two entries frame to the same bytes.
    """
    kind, link, body = what
    kind_bytes = kind.encode()
    link_bytes = link.encode()
    frame = _FRAME.pack(seq, at, len(kind_bytes), len(link_bytes), len(body))
    return hashlib.sha256(previous + frame + kind_bytes + link_bytes + body).digest()


def record_path(data_dir: Path, session: str) -> Path:
    """Return where the record of `session` lies.

    Raises:
        ValueError: the name could lead out of the folder, or a file system might fold it.
    """
    if _SESSION_NAME.fullmatch(session) is None:
        raise ValueError(
            f"session {session!r}: letters, digits, '.', '_' and '-' only, 128 at most"
        )
    return data_dir / f"{session}{SUFFIX}"
