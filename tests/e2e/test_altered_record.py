"""A record that somebody changed, with all the skill there is, is found out by `vigil verify`."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.model.entry import EntryKind
from monitor.store.layout import chain_hash, seed_hash
from tests.e2e.commands import vigil

pytestmark = pytest.mark.hazard("H18")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the record of twelve minutes of a course that brings an alarm."""
    folder = tmp_path_factory.mktemp("record")
    arguments = ("--headless", "--speed", "max", "--scenario", "hypertensive-peak", "--for", "960")
    assert vigil("demo", *arguments, "--record", folder).code == 0
    (path,) = folder.glob("*.vigil")
    return path


@pytest.fixture
def record(played: Path, tmp_path: Path) -> Path:
    copy = tmp_path / played.name
    shutil.copyfile(played, copy)
    return copy


Forgery = Callable[[sqlite3.Connection], None]


def _forge(path: Path, forgery: Forgery, *, chained_anew: bool) -> None:
    """Change a record as its owner could: triggers put back, and the chain computed to the end."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        forgery(connection)
        if chained_anew:
            _chain_anew(connection)
        for _, text in triggers:
            connection.execute(text)
        connection.commit()


def _chain_anew(connection: sqlite3.Connection) -> None:
    (session,) = connection.execute("SELECT value FROM meta WHERE name = 'session'").fetchone()
    rows = connection.execute("SELECT seq, at, kind, link, body FROM entry ORDER BY seq").fetchall()
    tied = seed_hash(session)
    connection.execute("UPDATE entry SET seq = -seq")
    for number, (seq, at, kind, link, body) in enumerate(rows, start=1):
        tied = chain_hash(tied, number, at, (kind, link, body))
        connection.execute("UPDATE entry SET seq = ?, hash = ? WHERE seq = ?", (number, tied, -seq))
    connection.execute("UPDATE head SET seq = ?, hash = ?", (len(rows), tied))


def _nth(connection: sqlite3.Connection, kind: EntryKind, like: bytes, number: int) -> int:
    rows = connection.execute(
        "SELECT seq FROM entry WHERE kind = ? AND instr(body, ?) ORDER BY seq", (kind, like)
    ).fetchall()
    return int(rows[number][0])


def _change_one_byte(seq: int) -> Forgery:
    def forge(connection: sqlite3.Connection) -> None:
        (body,) = connection.execute("SELECT body FROM entry WHERE seq = ?", (seq,)).fetchone()
        place = max(body.rfind(digit) for digit in (b"1", b"2", b"7", b"8", b"9"))
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        connection.execute("UPDATE entry SET body = ? WHERE seq = ?", (changed, seq))

    return forge


def _find(path: Path, kind: EntryKind, like: bytes, number: int = 0) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return _nth(connection, kind, like, number)


def test_an_untouched_record_holds(record: Path) -> None:
    said = vigil("verify", record)
    assert (said.code, said.err) == (0, "")
    assert "chain whole" in said.out


@pytest.mark.parametrize(
    ("kind", "like", "number"),
    [
        (EntryKind.HEARD, b'"spo2"', 200),
        (EntryKind.ALARM, b'"nibp_sys_high"', 0),
        (EntryKind.CHECKPOINT, b"{", 3),
    ],
)
def test_one_byte_of_a_conclusion_changed_and_chained_anew_is_named(
    record: Path, kind: EntryKind, like: bytes, number: int
) -> None:
    seq = _find(record, kind, like, number)
    _forge(record, _change_one_byte(seq), chained_anew=True)
    said = vigil("verify", record)
    assert said.code == 1
    assert f"first difference at entry {seq}:" in said.out


def test_a_changed_value_without_a_new_chain_breaks_the_chain_there(record: Path) -> None:
    seq = _find(record, EntryKind.HEARD, b'"spo2"', 300)
    _forge(record, _change_one_byte(seq), chained_anew=False)
    said = vigil("verify", record, "--json")
    assert said.code == 1
    chain = said.lines[0]["chain"]
    assert isinstance(chain, dict)
    assert chain["first_difference"]["seq"] == seq
    assert said.lines[0]["derivation"] is None


def test_bytes_of_a_device_changed_and_chained_anew_no_longer_give_what_was_heard(
    record: Path,
) -> None:
    heard = _find(record, EntryKind.HEARD, b'"spo2"', 250)

    def forge(connection: sqlite3.Connection) -> None:
        (seq, body) = connection.execute(
            "SELECT seq, body FROM entry WHERE kind = 'received' AND link = 'nonin' AND seq < ? "
            "ORDER BY seq DESC LIMIT 1",
            (heard,),
        ).fetchone()
        connection.execute(
            "UPDATE entry SET body = ? WHERE seq = ?", (bytes(b ^ 0x40 for b in body), seq)
        )

    _forge(record, forge, chained_anew=True)
    said = vigil("verify", record)
    assert said.code == 1
    assert "first difference at entry" in said.out


def test_a_row_taken_out_is_missed(record: Path) -> None:
    seq = _find(record, EntryKind.HEARD, b'"etco2"', 100)

    def forge(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entry WHERE seq = ?", (seq,))

    _forge(record, forge, chained_anew=False)
    said = vigil("verify", record)
    assert said.code == 1
    assert f"chain broken at entry {seq}: it is missing" in said.out


def test_an_alarm_taken_out_and_chained_anew_is_missed(record: Path) -> None:
    seq = _find(record, EntryKind.ALARM, b'"nibp_sys_high"')

    def forge(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entry WHERE seq = ?", (seq,))

    _forge(record, forge, chained_anew=True)
    said = vigil("verify", record)
    assert said.code == 1
    assert f"first difference at entry {seq}:" in said.out


def test_a_tail_cut_off_is_missed(record: Path) -> None:
    def forge(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entry WHERE seq > (SELECT seq - 5 FROM head)")

    _forge(record, forge, chained_anew=False)
    said = vigil("verify", record)
    assert said.code == 1
    assert "the end is cut off" in said.out


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    junk = tmp_path / "junk.vigil"
    junk.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    for place, code in ((junk, {1, 3}), (tmp_path / "none.vigil", {2})):
        said = vigil("verify", place)
        assert said.code in code
        assert place.name in said.err + said.out
