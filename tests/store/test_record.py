"""The record: nothing written changes, nothing pending is lost, damage is never hidden."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.entry import Entry, EntryKind, Resumed, encode
from monitor.model.instant import Instant, WallAnchor
from monitor.store import record as record_module
from monitor.store.layout import record_path
from monitor.store.reading import read_entries
from monitor.store.record import Record, RecordFailedError
from monitor.store.verify import check_chain
from tests.store.sessions import SESSION, entries, heard, make_record, opening


def test_what_is_appended_is_read_back_in_order(tmp_path: Path) -> None:
    written = [opening(), *(heard(n) for n in range(5000))]
    path = make_record(tmp_path, written)
    assert list(read_entries(path)) == list(enumerate(written, 1))


@settings(max_examples=20)
@given(st.lists(st.lists(entries(), max_size=6), max_size=5))
def test_groups_of_any_entries_come_back_whole_after_reopening(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Entry]]
) -> None:
    path = record_path(tmp_path_factory.mktemp("record"), SESSION)
    Record.create(path, SESSION).close()
    for group in groups:
        record = Record.open(path)
        for entry in group:
            record.append(entry)
        record.close()
    written = [entry for group in groups for entry in group]
    assert list(read_entries(path)) == list(enumerate(written, 1))
    report = check_chain(path)
    assert report.is_whole
    assert report.entries == len(written)


@settings(max_examples=20)
@given(st.lists(entries(), max_size=12), st.sets(st.sampled_from(EntryKind)), st.integers(0, 13))
def test_reading_some_kinds_is_reading_all_and_choosing(
    tmp_path_factory: pytest.TempPathFactory,
    written: list[Entry],
    kinds: set[EntryKind],
    after: int,
) -> None:
    path = make_record(tmp_path_factory.mktemp("record"), written)
    expected = [(n, e) for n, e in enumerate(written, 1) if n > after and e.kind in kinds]
    assert list(read_entries(path, after, kinds)) == expected


def test_an_entry_is_pending_until_it_is_durable(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    assert [record.append(heard(n)) for n in range(3)] == [1, 2, 3]
    assert (record.pending_count, record.last_seq, record.written_seq) == (3, 3, 0)
    assert list(record.entries()) == []
    batch = record.take_pending()
    record.append(heard(9))
    record.write(batch)
    assert (record.pending_count, record.last_seq, record.written_seq) == (1, 4, 3)
    record.commit()
    assert record.pending_count == 0
    assert [seq for seq, _ in record.entries(after=1)] == [2, 3, 4]
    record.close()


def test_a_batch_written_twice_is_written_once(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    record.append(opening())
    batch = record.take_pending()
    record.write(batch)
    record.write(batch)
    assert len(list(record.entries())) == 1
    record.close()


def test_the_loop_may_append_while_a_thread_writes(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    is_done = threading.Event()

    def write() -> None:
        while not is_done.is_set():
            record.commit()

    writer = threading.Thread(target=write)
    writer.start()
    for n in range(20_000):
        record.append(heard(n))
    is_done.set()
    writer.join()
    record.close()
    assert check_chain(record.path).entries == 20_000


def test_the_newest_of_a_kind_is_found_among_many(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    for n in range(50):
        record.append(Entry(EntryKind.CHECKPOINT, Instant(n), "", str(n).encode()))
        record.append(heard(n))
    record.commit()
    found = record.latest(EntryKind.CHECKPOINT)
    assert found is not None
    assert found.body == b"49"
    assert record.latest(EntryKind.HEARD) == heard(49)
    assert record.latest(EntryKind.CLOSED) is None
    record.close()


def test_the_newest_checkpoint_is_found_by_the_index(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    with closing(sqlite3.connect(path)) as connection:
        query = "EXPLAIN QUERY PLAN SELECT seq FROM entry WHERE kind = 'checkpoint'"
        rare = "kind NOT IN ('received', 'woken', 'heard')"
        plan = connection.execute(f"{query} AND {rare} ORDER BY seq DESC LIMIT 1").fetchall()
    assert "INDEX rare" in str(plan)


def test_the_last_instant_survives_and_a_late_alarm_does_not_turn_it_back(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    record.append(heard(500))
    record.append(heard(400))
    assert record.last_at == 500
    record.close()
    record = Record.open(record.path)
    assert (record.last_at, record.last_seq) == (500, 2)
    record.close()


def test_the_newest_anchor_is_the_one_that_counts(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    assert record.anchor() is None
    record.append(opening())
    stepped = WallAnchor(Instant(7), 99)
    record.append(
        Entry(EntryKind.RESUMED, Instant(7), "", encode(Resumed(anchor=stepped, gap_s=1)))
    )
    record.commit()
    assert record.anchor() == stepped
    record.close()


def test_a_cursor_is_remembered_and_is_not_part_of_the_proof(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    assert record.cursor("influx") == 0
    record.set_cursor("influx", 5)
    record.set_cursor("influx", 9)
    record.close()
    record = Record.open(record.path)
    assert record.cursor("influx") == 9
    assert check_chain(record.path).is_whole
    record.close()


# --- nothing is changed --------------------------------------------------------------------------


@pytest.mark.hazard("H18")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET at = 0",
        "DELETE FROM entry",
        "REPLACE INTO entry VALUES (1, 0, 'heard', '', x'00', x'00')",
        "UPDATE meta SET value = 'other'",
        "DELETE FROM meta",
    ],
)
def test_the_file_itself_refuses_change(tmp_path: Path, statement: str) -> None:
    path = make_record(tmp_path, [opening()])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA recursive_triggers = ON")
        with pytest.raises(sqlite3.IntegrityError, match="is never"):
            connection.execute(statement)


def test_a_record_is_never_written_over(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    with pytest.raises(RecordFailedError, match="exists already"):
        Record.create(path, SESSION)
    assert len(list(read_entries(path))) == 1


def test_two_writers_cannot_fork_a_record(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    first, second = Record.open(path), Record.open(path)
    first.append(heard(1))
    first.commit()
    second.append(heard(2))
    with pytest.raises(RecordFailedError, match="somebody else"):
        second.commit()
    assert second.pending_count == 1
    with pytest.raises(RecordFailedError):
        second.close()
    first.close()
    assert check_chain(path).entries == 2


def test_only_its_owner_may_read_a_record(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden", "a b", "x" * 200, "a\x00"])
def test_a_session_cannot_be_named_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        record_path(tmp_path, name)


# --- the disk fails ------------------------------------------------------------------------------


@pytest.mark.hazard("H18")
def test_a_full_disk_loses_nothing_and_the_next_write_catches_up(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    (pages,) = record._connection.execute("PRAGMA page_count").fetchone()
    record._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    for n in range(500):
        record.append(heard(n))
    with pytest.raises(RecordFailedError, match="full"):
        record.commit()
    assert record.pending_count == 500
    record.append(heard(500))
    with pytest.raises(RecordFailedError):
        record.commit()
    record._connection.execute("PRAGMA max_page_count = 1000000")
    record.commit()
    assert record.pending_count == 0
    record.close()
    report = check_chain(record.path)
    assert report.is_whole
    assert report.entries == 501


def test_a_commit_that_only_seemed_to_fail_is_not_written_twice(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    record.append(heard(1))
    twin = Record.open(record.path)
    twin.append(heard(1))
    twin.close()  # the very bytes our own transaction would have left
    record.commit()
    record.append(heard(2))
    record.close()
    assert check_chain(record.path).entries == 2


def test_what_memory_cannot_keep_is_refused_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_module, "PENDING_ENTRIES_MAX", 3)
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    for n in range(3):
        record.append(heard(n))
    for _ in range(2):
        with pytest.raises(RecordFailedError, match="no more fit"):
            record.append(heard(9))
    assert record.refused_count == 2
    record.commit()
    assert record.append(heard(4)) == 4
    record.close()
    assert check_chain(record.path).is_whole


def test_the_bytes_that_wait_are_bounded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_module, "PENDING_BYTES_MAX", 100)
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    big = Entry(EntryKind.RECEIVED, Instant(0), "", bytes(100))
    for _ in range(3):
        record.append(big)
        with pytest.raises(RecordFailedError, match="no more fit"):
            record.append(big)
        record.commit()
    record.close()


def test_a_locked_record_is_a_failure_that_can_be_tried_again(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    record._connection.execute("PRAGMA busy_timeout = 1")
    record.append(heard(1))
    with closing(sqlite3.connect(record.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordFailedError, match="locked"):
            record.commit()
    record.commit()
    record.close()


@pytest.mark.parametrize("name", ["missing", "folder/missing"])
def test_a_record_that_is_not_there_is_a_failure(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordFailedError, match="no such record"):
        Record.open(tmp_path / name)


def test_a_folder_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordFailedError):
        Record.create(tmp_path / "file" / "a.vigil", "a")


def test_a_group_is_on_the_disk_itself_before_it_counts_as_written(tmp_path: Path) -> None:
    # Only a power cut could show the difference; so the promise itself is looked at.
    record = Record.create(record_path(tmp_path, SESSION), SESSION)
    for pragma, expected in (("synchronous", 2), ("journal_mode", "wal")):
        assert record._connection.execute(f"PRAGMA {pragma}").fetchone() == (expected,)
    record.close()


# --- killed --------------------------------------------------------------------------------------

_WRITER = """
import sys
from pathlib import Path
from monitor.store.record import Record
from tests.store.sessions import SESSION, heard, opening
record = Record.create(Path(sys.argv[1]), SESSION)
record.append(opening())
n = 0
while True:
    for _ in range(50):
        n += 1
        record.append(heard(n))
    record.commit()
    sys.stdout.write(f"{record.written_seq}\\n")
    sys.stdout.flush()
"""


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("groups", [1, 7, 60])
def test_kill_9_loses_nothing_that_was_reported_durable(tmp_path: Path, groups: int) -> None:
    path = record_path(tmp_path, SESSION)
    root = Path(__file__).resolve().parents[2]
    command = (sys.executable, "-c", _WRITER, str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout is not None
        reported = [int(writer.stdout.readline()) for _ in range(groups)]
        writer.kill()
        rest = writer.stdout.read().split()
    reported += [int(line) for line in rest[:-1]]
    record = Record.open(path)
    assert record.last_seq >= reported[-1]
    assert record.append(heard(1)) == record.last_seq
    record.close()
    report = check_chain(path)
    assert report.is_whole
    kept = [entry for _, entry in read_entries(path)][: reported[-1]]
    assert kept == [opening(), *(heard(n) for n in range(1, reported[-1]))]
