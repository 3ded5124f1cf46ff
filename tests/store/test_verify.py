"""Whatever is done to a record behind our back, the first difference is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.store.layout import chain_hash
from monitor.store.reading import connect_read_only
from monitor.store.record import Record, RecordFailedError
from monitor.store.verify import check_chain
from tests.store.sessions import SESSION, heard, make_record, opening

pytestmark = pytest.mark.hazard("H18")
ENTRIES = 40
TRIGGERS = ("entry_stays", "entry_remains", "meta_stays", "meta_remains")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_record(tmp_path, [opening(), *(heard(n) for n in range(ENTRIES - 1))])


def tamper(path: Path, *statements: str) -> None:
    """Change a record as somebody would who knows SQL and puts the triggers back."""
    with closing(sqlite3.connect(path)) as connection:
        texts = connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for (text,) in texts:
            connection.execute(text)
        connection.commit()


def test_an_untouched_record_is_whole_and_tells_its_head(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = check_chain(path, lambda done, total: seen.append((done, total)))
    assert report.is_whole
    assert (report.session, report.entries, len(report.head)) == (SESSION, ENTRIES, 64)
    assert seen[-1] == (ENTRIES, ENTRIES)


@settings(max_examples=18)
@given(
    st.integers(1, ENTRIES),
    st.sampled_from(
        [
            "at = at + 1",
            "kind = 'woken'",
            "link = link || 'x'",
            "body = CAST(body || ' ' AS BLOB)",
            "body = x''",
            "hash = zeroblob(32)",
        ]
    ),
)
def test_a_changed_entry_is_named(
    tmp_path_factory: pytest.TempPathFactory, seq: int, change: str
) -> None:
    path = make_record(tmp_path_factory.mktemp("r"), [opening(), *map(heard, range(ENTRIES - 1))])
    tamper(path, f"UPDATE entry SET {change} WHERE seq = {seq}")  # noqa: S608  # our own words
    report = check_chain(path)
    assert report.first_difference is not None
    assert report.first_difference.seq == seq
    assert report.entries == seq - 1


def test_bytes_moved_from_one_field_to_the_next_are_found() -> None:
    assert chain_hash(b"", 1, 0, ("ab", "c", b"")) != chain_hash(b"", 1, 0, ("a", "bc", b""))
    assert chain_hash(b"", 1, 0, ("a", "b", b"c")) != chain_hash(b"", 1, 0, ("a", "bc", b""))


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        ("DELETE FROM entry WHERE seq = 7", 7, "missing"),
        ("DELETE FROM entry WHERE seq <= 3", 1, "missing"),
        ("DELETE FROM entry WHERE seq > 30", 31, "cut off"),
        ("DELETE FROM entry", 1, "cut off"),
        ("INSERT INTO entry SELECT -1, at, kind, link, body, hash FROM entry LIMIT 1", 1, "added"),
        (
            "INSERT INTO entry SELECT 41, at, kind, link, body, hash FROM entry LIMIT 1",
            ENTRIES + 1,
            "hash differs",
        ),
        ("UPDATE meta SET value = 'another'", 1, "hash differs"),
        ("DELETE FROM meta", 0, "missing"),
        ("DELETE FROM head", 0, "missing"),
        ("UPDATE head SET seq = 39", ENTRIES, "head names entry 39"),
        ("UPDATE head SET hash = zeroblob(32)", ENTRIES, "another hash"),
    ],
)
def test_rows_taken_away_or_added_are_named(
    path: Path, statement: str, seq: int, what: str
) -> None:
    tamper(path, statement)
    found = check_chain(path).first_difference
    assert found is not None
    assert found.seq == seq
    assert what in found.what


def test_entries_that_changed_places_are_named(path: Path) -> None:
    tamper(
        path,
        "UPDATE entry SET seq = -1 WHERE seq = 5",
        "UPDATE entry SET seq = 5 WHERE seq = 6",
        "UPDATE entry SET seq = 6 WHERE seq = -1",
    )
    found = check_chain(path).first_difference
    assert found is not None
    assert found.seq == 5


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP TRIGGER entry_stays", "is missing"),
        ("CREATE TRIGGER mine AFTER INSERT ON entry BEGIN SELECT 1; END", "was added"),
        ("CREATE TABLE mine (x)", "was added"),
    ],
)
def test_a_changed_layout_is_named(path: Path, statement: str, what: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    found = check_chain(path).first_difference
    assert found is not None
    assert found.seq == 0
    assert what in found.what


def test_an_opening_of_another_session_is_named(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()], session="other")
    found = check_chain(path).first_difference
    assert found is not None
    assert SESSION in found.what


def test_rubbish_behind_the_first_page_is_a_difference(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    path.write_bytes(content)
    assert not check_chain(path).is_whole


def test_a_running_session_can_be_checked(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "a.vigil", "a")
    for n in range(3):
        record.append(heard(n))
        record.commit()
        assert check_chain(record.path).entries == n + 1
    record.close()


def test_checking_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    check_chain(path)
    assert path.read_bytes() == before


def test_what_is_no_record_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(RecordFailedError):
        check_chain(tmp_path / "nothing.vigil")


def test_a_reader_cannot_write(path: Path) -> None:
    with closing(connect_read_only(path)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM cursor")
