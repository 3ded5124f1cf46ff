"""The spool: every point once, in order, however it is cut; the cursor moves after acceptance."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.entry import Entry, EntryKind, Resumed, encode
from monitor.model.instant import Instant, WallAnchor
from monitor.store import spool as spool_module
from monitor.store.points import Points, UnfitError
from monitor.store.reading import connect_read_only
from monitor.store.record import Record, RecordFailedError
from monitor.store.spool import Parked, Spool, read_parked
from monitor.store.verify import check_chain
from tests.store.sessions import OPENED, entries, heard, make_record, opening, wave


def drained(path: Path, points_max: int, *, reopens: bool = True) -> list[str]:
    """Accept all that waits, opening the spool anew for each stretch or not; return the lines."""
    lines: list[str] = []
    spool = Spool(path)
    while (stretch := spool.take(points_max)) is not None:
        lines += stretch.lines
        spool.accept(stretch)
        if reopens:
            spool.close()
            spool = Spool(path)
    spool.close()
    return lines


@settings(max_examples=20)
@given(st.lists(entries(), max_size=10), st.integers(1, 6), st.booleans())
def test_however_it_is_cut_and_restarted_the_same_points_come_out(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[Entry],
    points_max: int,
    reopens: bool,  # noqa: FBT001  # drawn
) -> None:
    points, anchor, expected = Points(OPENED), OPENED.anchor, []
    written = [opening(), *drawn]
    for seq, entry in enumerate(written, 1):
        if entry.kind is EntryKind.ANCHOR:
            anchor = msgspec.json.decode(entry.body, type=WallAnchor)
        elif entry.kind is EntryKind.RESUMED:
            anchor = msgspec.json.decode(entry.body, type=Resumed).anchor
        try:
            expected += points.lines(seq, entry, anchor)
        except UnfitError:
            continue
    path = make_record(tmp_path_factory.mktemp("spool"), written)
    assert drained(path, points_max, reopens=reopens) == expected


def test_nothing_is_accepted_until_it_is_said(tmp_path: Path) -> None:
    spool = Spool(make_record(tmp_path, [opening(), heard(1), heard(2)]))
    first = spool.take()
    assert first is not None
    assert spool.take() == first
    assert (spool.cursor, spool.waiting()) == (0, 3)
    spool.accept(first)
    assert (spool.cursor, spool.waiting()) == (3, 0)
    assert spool.take() is None
    spool.close()


def test_a_stretch_is_bounded_in_points_and_in_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_record(tmp_path, [opening(), *(heard(n) for n in range(20))])
    spool = Spool(path)
    assert len(getattr(spool.take(4), "lines", ())) == 4
    monkeypatch.setattr(spool_module, "STRETCH_CHARACTERS_MAX", 400)
    stretch = spool.take()
    assert stretch is not None
    assert 0 < len("\n".join(stretch.lines)) <= 400
    spool.close()


def test_one_entry_larger_than_the_bound_still_goes(tmp_path: Path) -> None:
    spool = Spool(make_record(tmp_path, [opening(), wave(0, [1.0] * 9), heard(1)]))
    sizes = []
    while (stretch := spool.take(2)) is not None:
        sizes.append(len(stretch.lines))
        spool.accept(stretch)
    assert sizes == [1, 9, 1]
    spool.close()


def test_a_long_run_of_raw_bytes_is_passed_over_in_bounded_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "STRETCH_ENTRIES_MAX", 10)
    raw = Entry(EntryKind.RECEIVED, Instant(0), "nonin", b"\x01")
    path = make_record(tmp_path, [opening(), *[raw] * 35, heard(1)])
    assert len(drained(path, 100)) == 2
    spool = Spool(path)
    assert spool.waiting() == 0
    spool.close()


@pytest.mark.hazard("H17")
@pytest.mark.parametrize("reopens", [True, False])
def test_a_clock_step_counts_from_its_own_entry_on(
    tmp_path: Path,
    reopens: bool,  # noqa: FBT001  # a parameter
) -> None:
    stepped = Entry(EntryKind.ANCHOR, Instant(1), "", encode(WallAnchor(Instant(1), 10**18)))
    path = make_record(tmp_path, [opening(), heard(1), stepped, heard(1)])
    times = [int(line.rsplit(" ", 1)[1]) // 10**15 for line in drained(path, 1, reopens=reopens)]
    assert times == [1790, 1790, 1000]


def test_what_cannot_become_points_is_noted_and_holds_nothing_up(tmp_path: Path) -> None:
    damaged = Entry(EntryKind.HEARD, Instant(1), "nonin", b"not JSON")
    path = make_record(tmp_path, [opening(), damaged, heard(2)])
    assert len(drained(path, 10)) == 2
    with closing(connect_read_only(path)) as connection:
        (noted,) = read_parked(path, connection)
    assert (noted.seq, noted.points) == (2, 0)
    assert "cannot be read" in noted.reason


def test_parked_rows_are_bounded_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "PARKED_ROWS_MAX", 2)
    path = make_record(tmp_path, [opening(), *(heard(n) for n in range(6))])
    spool = Spool(path)
    while (stretch := spool.take(2)) is not None:
        spool.accept(stretch, [Parked(seq, 1, "no") for seq in stretch.numbers])
    with closing(connect_read_only(path)) as connection:
        noted = read_parked(path, connection)
    assert [each.seq for each in noted] == [0, 1, 2]
    assert sum(each.points for each in noted) == 7
    spool.close()


def test_the_cursor_moves_beside_a_writer_and_touches_no_proof(tmp_path: Path) -> None:
    record = Record.create(tmp_path / "a.vigil", OPENED.session)
    record.append(opening())
    record.commit()
    spool = Spool(record.path)
    for n in range(20):
        record.append(heard(n))
        assert spool.waiting() == (1 if n == 0 else 0)  # pending entries are not durable yet
        stretch = spool.take()
        if stretch is not None:
            spool.accept(stretch)
        record.commit()
        stretch = spool.take()
        assert stretch is not None
        spool.accept(stretch)
    assert record.cursor("influx") == 21
    spool.close()
    record.close()
    assert check_chain(record.path).is_whole


def test_a_cursor_that_cannot_be_saved_has_not_moved(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1)])
    spool = Spool(path)
    spool._connection.execute("PRAGMA busy_timeout = 1")
    stretch = spool.take()
    assert stretch is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordFailedError):
            spool.accept(stretch)
    assert spool.take() == stretch
    spool.close()


def test_a_session_that_was_never_opened_has_no_spool(tmp_path: Path) -> None:
    with pytest.raises(RecordFailedError, match="no opening"):
        Spool(make_record(tmp_path, []))
