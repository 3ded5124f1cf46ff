"""Puts the record on disk: in groups four times a second, at once when an alarm changes.

A change of alarm is synced before its signal is given, within `SIGNAL_DEADLINE_S`; past it the
signal is given all the same and the disk becomes a technical condition. Disk work happens in one
thread, so a stalled disk delays no sample.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from monitor.store.record import Record, RecordFailedError

GROUP_EVERY_S: Final = 0.25
SIGNAL_DEADLINE_S: Final = 0.1
VIRTUAL_GROUP_EVERY_S: Final = 60.0
"""Four times a second of virtual time, the disk would be all that takes real time."""


class Committer:
    """Commits one record; tells, at edges, whether the disk is well."""

    def __init__(
        self,
        record: Record,
        tell: Callable[[bool, str], None],
        *,
        in_thread: bool = True,
        every_s: float = GROUP_EVERY_S,
    ) -> None:
        self._record = record
        self._tell = tell
        self._in_thread = in_thread
        self._every_s = every_s
        self._is_well = True
        self._writing: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Commit groups until cancelled, then commit what is left."""
        try:
            while True:
                await asyncio.sleep(self._every_s)
                await self.commit()
        finally:
            await self._finish()

    async def commit_before_signal(self) -> None:
        """Sync what has been concluded so far, but hold no signal back for longer than allowed."""
        writing = asyncio.ensure_future(self.commit())
        done, _ = await asyncio.wait({writing}, timeout=SIGNAL_DEADLINE_S)
        if not done:
            self._report(False, f"not synced within {SIGNAL_DEADLINE_S * 1000:.0f} ms")
            await asyncio.sleep(0)

    async def commit(self) -> None:
        """Write everything pending; a failure is told and tried again with the next group."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
        if not self._record.pending_count:
            return
        self._writing = asyncio.get_running_loop().create_task(self._write())
        await asyncio.wait({self._writing})

    async def _write(self) -> None:
        try:
            batch = self._record.take_pending()
            if self._in_thread:
                await asyncio.to_thread(self._record.write, batch)
            else:
                self._record.write(batch)
        except RecordFailedError as error:
            self._report(False, str(error))
        else:
            self._report(True, "")
        finally:
            self._writing = None

    async def _finish(self) -> None:
        while self._writing is not None:
            await asyncio.wait({self._writing})
        try:
            self._record.commit()
        except RecordFailedError as error:
            self._report(False, str(error))

    def _report(self, is_well: bool, reason: str) -> None:  # noqa: FBT001 - both edges, one place
        if is_well != self._is_well:
            self._is_well = is_well
            self._tell(is_well, reason)
