"""One chair at run time: its pipeline, links, record and timers, started and stopped in order."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from alarms.limits import LimitSet
from drivers.contract import Driver
from monitor.attach.messages import Command
from monitor.model.alarm import AlarmChange
from monitor.model.entry import Opened, SelfCheck
from monitor.model.event import DeviceEvent, GenerationMode, WaveformSegment
from monitor.model.instant import Instant
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.model.snapshot import ChairSnapshot, StoreSnapshot
from monitor.runtime.clock import SessionClock
from monitor.runtime.committer import GROUP_EVERY_S, VIRTUAL_GROUP_EVERY_S, Committer
from monitor.runtime.keeper import Keeper
from monitor.runtime.picture import Frame
from monitor.runtime.pipeline import Line, Log, Pipeline
from monitor.runtime.sources import Sources
from monitor.runtime.transports.opener import Opener
from monitor.session.sitting import Plan, Sitting
from monitor.store.record import Record

CLOCK_CHECK_EVERY_S: Final = 10.0
WAVES_WAITING_MAX: Final = 2_000
VIEW_AGE_MAX: Final = 240
"""A command that was based on a picture this many views back (about a minute) is refused."""


class Place(msgspec.Struct, frozen=True):
    """Where a line is reached."""

    line: Line
    url: str


def build_pipeline(opened: Opened, lines: Sequence[Line], limits: LimitSet, log: Log) -> Pipeline:
    """Return the pipeline that a session's first entry describes; `verify` builds the same one."""
    return Pipeline(
        lines=lines,
        limits=limits,
        sitting=Sitting(Plan(opened.protocol, opened.dose_mg, opened.infusion_min)),
        sources=Sources([line.link for line in lines], opened.priority_of_source),
        log=log,
        anchor=opened.anchor,
    )


def lines_of(opened: Opened, get: Callable[[str], Driver]) -> list[Line]:
    """Return the lines a session was opened with."""
    return [
        Line(link=each.link, driver=get(each.driver), options=each.options)
        for each in opened.devices
    ]


class Chair:
    """Runs one session on one chair.

    `announce` is called with alarm changes after they are on disk (or the deadline passed), in
    order. Everything here is on one event loop; only disk writes leave it.
    """

    def __init__(
        self,
        opened: Opened,
        places: Sequence[Place],
        *,
        pipeline: Pipeline,
        record: Record,
        clock: SessionClock,
        opener: Opener,
        chance: Callable[[], float],
        preset: str,
        in_thread: bool = True,
    ) -> None:
        self.opened = opened
        self.pipeline = pipeline
        self.record = record
        self.clock = clock
        self.announce: Callable[[Sequence[AlarmChange]], None] = lambda changes: None  # noqa: ARG005
        self.store_state: Callable[[], StoreSnapshot] = StoreSnapshot
        self.disk_is_well = True
        self._preset = preset
        self._keepers = {
            place.line.link: Keeper(
                place.line, place.url, pipeline=pipeline, clock=clock, opener=opener, chance=chance
            )
            for place in places
        }
        self._committer = Committer(
            record,
            self._tell_disk,
            in_thread=in_thread,
            every_s=GROUP_EVERY_S if in_thread else VIRTUAL_GROUP_EVERY_S,
        )
        self._unsaid: list[AlarmChange] = []
        self._has_unsaid = asyncio.Event()
        self._waves: list[WaveformSegment] = []
        self._view = 0
        self._views_of_alarms: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        pipeline.on_changes = self._take_changes
        pipeline.on_heard = self._take_heard
        pipeline.on_wake_due = self._arm
        pipeline.on_outgoing = self._flush

    @property
    def name(self) -> str:
        """The chair's name."""
        return self.opened.chair

    async def run(self) -> None:
        """Watch until cancelled or until the session is closed.

        The record outlives the links: it is closed last, with all that was concluded in it.
        """
        keeping_record = asyncio.create_task(self._committer.keep())
        try:
            async with asyncio.TaskGroup() as tasks:
                for keeper in self._keepers.values():
                    tasks.create_task(keeper.keep())
                tasks.create_task(self._announce())
                tasks.create_task(self._watch_clock())
                if self.pipeline.alarms.wake_at is not None:
                    self._arm(self.pipeline.alarms.wake_at)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            keeping_record.cancel()
            await asyncio.gather(keeping_record, return_exceptions=True)
            self._say(len(self._unsaid))

    def command(self, command: Command) -> str:
        """Do what an operator asks; return why not, or ""."""
        if command.view > self._view or command.view < self._view - VIEW_AGE_MAX:
            return "that picture is too old; look again"
        changed_in = self._views_of_alarms.get(command.alarm, 0)
        if command.deed in _ABOUT_ALARMS and changed_in > command.view:
            return "that alarm has changed since; look again"
        return self.act(
            command.deed,
            command.operator,
            alarm=command.alarm,
            phase=command.phase,
            note=command.note,
        )

    async def settle(self) -> None:
        """Have on disk what was concluded so far, before anybody is told; bounded like a signal."""
        await self._committer.commit_before_signal()

    def act(
        self,
        deed: Deed,
        operator: str,
        *,
        alarm: str = "",
        phase: Phase | None = None,
        note: str = "",
    ) -> str:
        """Let `operator` act now; return why not, or ""."""
        return self.pipeline.operate(
            OperatorAction(
                deed=deed,
                at=self.clock.now(),
                operator=operator,
                alarm=alarm,
                phase=phase,
                note=note,
            )
        )

    def picture(self) -> ChairSnapshot:
        """Return the newest picture."""
        frame = Frame(
            chair=self.opened.chair,
            session=self.opened.session,
            opened_utc_ns=self.clock.anchor.utc_of(Instant(0)),
            mode=GenerationMode(self.opened.mode),
            preset=self._preset,
            pseudonym=self.opened.pseudonym,
            watermark="" if self.opened.mode == "real" else "SIMULATED",
            store=self.store_state(),
        )
        now = self.clock.now()
        drawn = self.pipeline.picture.draw(frame, self.pipeline.alarms, self.pipeline.sitting, now)
        self._view = drawn.view
        return drawn

    def take_waves(self) -> list[WaveformSegment]:
        """Return the wave pieces heard since the last call."""
        waves, self._waves = self._waves, []
        return waves

    def check_self(self, part: str, reason: str, *, is_well: bool) -> None:
        """Let the alarm core know how a part of ours is."""
        now = self.clock.now()
        self.pipeline.check_self(SelfCheck(part=part, at=now, is_well=is_well, reason=reason))

    # -- inside ----------------------------------------------------------------------------------

    def _tell_disk(self, is_well: bool, reason: str) -> None:  # noqa: FBT001 - the committer's edge
        self.disk_is_well = is_well
        self.check_self("disk", reason, is_well=is_well)

    def _take_changes(self, changes: Sequence[AlarmChange]) -> None:
        for change in changes:
            self._views_of_alarms[change.alarm] = self._view + 1
        self._unsaid.extend(changes)
        self._has_unsaid.set()

    async def _announce(self) -> None:
        while True:
            await self._has_unsaid.wait()
            self._has_unsaid.clear()
            count = len(self._unsaid)  # what is told meanwhile waits for a sync of its own
            await self._committer.commit_before_signal()
            self._say(count)

    def _say(self, count: int) -> None:
        changes, self._unsaid = self._unsaid[:count], self._unsaid[count:]
        if changes:
            self.announce(changes)

    def _take_heard(self, link: str, event: DeviceEvent) -> None:
        keeper = self._keepers.get(link)
        if keeper is not None and keeper.link is not None:
            keeper.link.take_heard(event)
        if isinstance(event, WaveformSegment) and len(self._waves) < WAVES_WAITING_MAX:
            self._waves.append(event)

    def _flush(self) -> None:
        for keeper in self._keepers.values():
            if keeper.link is not None:
                keeper.link.flush()

    def _arm(self, due: Instant) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(0.0, self.clock.until_s(due)) + 1e-6
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.pipeline.mature(self.clock.now())
        due = self.pipeline.alarms.wake_at
        if due is not None:
            self._arm(due)

    async def _watch_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_CHECK_EVERY_S)
            anchor = self.clock.check_step()
            if anchor is not None:
                self.pipeline.anchor(anchor)
                self.check_self("clock", "the wall clock was stepped", is_well=False)
                self.check_self("clock", "", is_well=True)


_ABOUT_ALARMS: Final = frozenset(
    {
        Deed.ACKNOWLEDGE,
        Deed.RESET,
        Deed.PAUSE_AUDIO,
        Deed.TURN_AUDIO_OFF,
        Deed.PAUSE_ALARM,
        Deed.TURN_ALARM_OFF,
    }
)
"""Deeds refused where the alarm has changed since the picture; to resume is always safe."""
