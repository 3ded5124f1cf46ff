"""What can be asked of a record without opening it for writing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.model.entry import Closed, Entry, EntryKind, encode
from monitor.model.instant import Instant
from monitor.store.layout import APPLICATION_ID
from monitor.store.reading import list_sessions, read_entries, read_header
from monitor.store.record import RecordDamagedError, RecordFailedError
from tests.store.sessions import OPENED, SESSION, heard, make_record, opening


def test_sessions_are_listed_with_what_a_person_asks(tmp_path: Path) -> None:
    closed = Entry(EntryKind.CLOSED, Instant(90), "", encode(Closed(at=Instant(90))))
    path = make_record(tmp_path, [opening(), heard(80), closed])
    (tmp_path / "empty.vigil").touch()
    make_record(tmp_path, [], session="never-opened")
    lines = {line.path.name: line for line in list_sessions(tmp_path)}
    line = lines[path.name]
    assert (line.session, line.chair, line.mode, line.pseudonym) == (SESSION, "2", "real", "K-0417")
    assert (line.duration, line.entries, line.is_closed) == (90, 3, True)
    assert line.opened_utc_ns == OPENED.anchor.utc_ns
    assert "not a Vigil record" in lines["empty.vigil"].trouble
    assert "no opening" in lines["never-opened.vigil"].trouble
    assert list_sessions(tmp_path / "nowhere") == ()


def test_the_header_says_how_the_session_was_opened(tmp_path: Path) -> None:
    assert read_header(make_record(tmp_path, [opening()])) == OPENED


def test_a_header_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = make_record(tmp_path, [Entry(EntryKind.OPENED, Instant(0), "", b"{}")])
    with pytest.raises(RecordDamagedError, match="entry 1"):
        read_header(path)


def test_an_entry_of_an_unknown_kind_is_named(tmp_path: Path) -> None:
    path = make_record(tmp_path, [])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO entry VALUES (1, 0, 'prophecy', '', x'', x'')")
        connection.commit()
    with pytest.raises(RecordFailedError, match="prophecy"):
        list(read_entries(path))


def test_a_record_where_sqlite_cannot_make_its_files_can_be_read(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    path.with_name(f"{path.name}-shm").mkdir()  # as read-only media would: no index of the log
    assert len(list(read_entries(path))) == 1


def test_every_record_carries_our_mark(tmp_path: Path) -> None:
    path = make_record(tmp_path, [])
    assert path.read_bytes()[68:72] == APPLICATION_ID.to_bytes(4, "big")
