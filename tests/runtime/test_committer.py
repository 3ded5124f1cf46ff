"""The disk fails, stalls and recovers: it is told at the edges, and no signal waits for it."""

import asyncio
import threading
from pathlib import Path

import pytest

from monitor.model.entry import Entry, EntryKind
from monitor.model.instant import Instant
from monitor.runtime.committer import SIGNAL_DEADLINE_S, Committer
from monitor.store.record import Batch, Record, RecordFailedError

ENTRY = Entry(EntryKind.WOKEN, Instant(1), "nonin", b"")
pytestmark = pytest.mark.hazard("H18")


class _Disk:
    """A record whose writes can be refused or stalled."""

    def __init__(self, folder: Path) -> None:
        self.record = Record.create(folder / "s.vigil", "s")
        self.told: list[tuple[bool, str]] = []
        self.is_full = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self._write = self.record.write
        vars(self.record)["write"] = self._write_if_it_may

    def _write_if_it_may(self, batch: Batch) -> None:
        self.may_go_on.wait(10)
        if self.is_full:
            raise RecordFailedError("disk full")
        self._write(batch)

    def tell(self, is_well: bool, reason: str) -> None:  # noqa: FBT001 - the committer's own form
        self.told.append((is_well, reason))


@pytest.fixture
def disk(tmp_path: Path) -> _Disk:
    return _Disk(tmp_path)


async def test_a_full_disk_is_told_once_and_its_end_is_told_once(disk: _Disk) -> None:
    committer = Committer(disk.record, disk.tell, in_thread=False)
    disk.is_full = True
    for _ in range(3):
        disk.record.append(ENTRY)
        await committer.commit()
    assert disk.told == [(False, "disk full")]
    assert disk.record.written_seq == 0
    disk.is_full = False
    await committer.commit()
    await committer.commit()
    assert disk.told == [(False, "disk full"), (True, "")]
    assert disk.record.written_seq == 3
    disk.record.close()


async def test_a_stalled_disk_holds_no_signal_back_longer_than_allowed(disk: _Disk) -> None:
    committer = Committer(disk.record, disk.tell)
    disk.record.append(ENTRY)
    disk.may_go_on.clear()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await committer.commit_before_signal()
    assert SIGNAL_DEADLINE_S * 0.9 <= loop.time() - began_s < SIGNAL_DEADLINE_S * 10
    assert disk.told == [(False, "not synced within 100 ms")]
    disk.may_go_on.set()
    await committer.commit()
    assert disk.told[-1] == (True, "")
    assert disk.record.written_seq == 1
    disk.record.close()


async def test_what_is_announced_is_on_disk_where_the_disk_is_well(disk: _Disk) -> None:
    committer = Committer(disk.record, disk.tell)
    for count in range(1, 6):
        disk.record.append(ENTRY)
        await committer.commit_before_signal()
        assert disk.record.written_seq == count
    assert disk.told == []
    disk.record.close()


async def test_two_that_wait_for_the_same_write_both_see_their_entries_written(
    disk: _Disk,
) -> None:
    committer = Committer(disk.record, disk.tell)
    disk.record.append(ENTRY)
    first = asyncio.ensure_future(committer.commit_before_signal())
    await asyncio.sleep(0)
    disk.record.append(ENTRY)
    await committer.commit_before_signal()
    await first
    assert disk.record.written_seq == 2
    disk.record.close()


async def test_the_last_entries_are_written_when_keeping_ends(disk: _Disk) -> None:
    committer = Committer(disk.record, disk.tell, every_s=3600)
    keeping = asyncio.ensure_future(committer.keep())
    await asyncio.sleep(0)
    disk.record.append(ENTRY)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert disk.record.written_seq == 1
    disk.record.close()
