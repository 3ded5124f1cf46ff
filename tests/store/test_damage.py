"""A damaged record is never opened, never repaired in silence, never thrown away."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.errors import MonitorError
from monitor.store.layout import record_path
from monitor.store.reading import list_sessions, read_entries
from monitor.store.record import Record, RecordDamagedError, RecordFailedError
from monitor.store.verify import check_chain
from tests.store.sessions import SESSION, heard, make_record, opening


@pytest.mark.hazard("H18")
@settings(max_examples=20)
@given(data=st.data())
def test_a_flipped_byte_is_found_or_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = make_record(tmp_path_factory.mktemp("record"), [opening(), *map(heard, range(300))])
    before = list(read_entries(path))
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    outcome = _open(path)
    if outcome is None:
        assert list(read_entries(path)) == before or not check_chain(path).is_whole
    elif isinstance(outcome, RecordDamagedError) and outcome.set_aside is not None:
        assert outcome.set_aside.read_bytes() == content
        assert not path.exists()
    else:
        assert path.read_bytes() == content


def _open(path: Path) -> MonitorError | None:
    """Open and close a record; return what was raised."""
    try:
        Record.open(path).close()
    except MonitorError as error:
        return error
    return None


@settings(max_examples=12)
@given(fraction=st.floats(0, 0.999))
def test_a_record_cut_short_is_set_aside_and_a_new_one_may_take_its_place(
    tmp_path_factory: pytest.TempPathFactory, fraction: float
) -> None:
    path = make_record(tmp_path_factory.mktemp("record"), [opening(), *map(heard, range(300))])
    content = path.read_bytes()[: int(path.stat().st_size * fraction)]
    path.write_bytes(content)
    outcome = _open(path)
    if not content:
        assert "not a Vigil record" in str(outcome)  # to SQLite, an empty file is an empty database
        return
    assert isinstance(outcome, RecordDamagedError)
    assert outcome.set_aside is not None
    assert outcome.set_aside.read_bytes() == content
    assert outcome.set_aside.name in str(outcome)
    Record.create(path, SESSION).close()


def test_what_waits_beside_a_damaged_file_is_kept_with_it(tmp_path: Path) -> None:
    record = Record.create(record_path(tmp_path / "live", SESSION), SESSION)
    for n in range(300):
        record.append(heard(n))
    record.commit()
    path = record_path(tmp_path, SESSION)
    path.write_bytes(b"rubbish" * 2000)
    log = record.path.with_name(f"{path.name}-wal").read_bytes()
    path.with_name(f"{path.name}-wal").write_bytes(log)
    record.close()
    outcome = _open(path)
    assert isinstance(outcome, RecordDamagedError)
    assert outcome.set_aside is not None
    assert outcome.set_aside.with_name(f"{outcome.set_aside.name}-wal").read_bytes() == log
    assert not path.with_name(f"{path.name}-wal").exists()


def test_damaged_files_never_push_each_other_away(tmp_path: Path) -> None:
    asides = set()
    for n in range(3):
        path = record_path(tmp_path, SESSION)
        path.write_bytes(b"not a database at all " * 50 + bytes([n]))
        with pytest.raises(RecordDamagedError) as damage:
            Record.open(path)
        asides.add(damage.value.set_aside)
    assert len(asides) == 3
    assert len([line for line in list_sessions(tmp_path) if line.trouble]) == 3


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = record_path(tmp_path, SESSION)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(RecordFailedError, match="not a Vigil record"):
        Record.open(path)
    text = tmp_path / "letter.txt"
    text.write_text("a letter, long enough to have a header " * 10)
    with pytest.raises(RecordDamagedError):
        Record.open(text)
    assert path.exists()
    assert text.exists()


def test_a_record_of_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(RecordFailedError, match="format 2"):
        Record.open(path)
    assert path.exists()


def test_an_altered_tail_is_found_on_opening(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1), heard(2)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER entry_remains")
        connection.execute("DELETE FROM entry WHERE seq = 3")
        connection.commit()
    with pytest.raises(RecordDamagedError, match="entry 3 was written"):
        Record.open(path)
