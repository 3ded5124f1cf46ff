"""One life of the station in a simulated session: it comes up, watches, and is stopped or killed.

It is put together from the very parts `vigil serve` is put together from; clocks, wires and disk
are the world's.
"""

import asyncio
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from alarms.limits import LimitSet, read_preset
from drivers.registry import get
from monitor.model.alarm import AlarmChange
from monitor.model.entry import DeviceLink, Opened
from monitor.model.event import DeviceEvent
from monitor.model.instant import OPENING, WallAnchor
from monitor.model.link import LinkChange
from monitor.runtime.chair import Chair, Place
from monitor.runtime.pipeline import Line
from monitor.runtime.sessions import Begun, Wanted, begin_session
from monitor.runtime.station import Station
from monitor.runtime.transports.opener import Opener
from monitor.store.record import Batch, RecordFailedError
from simulators import laws
from simulators.fate import Fate
from simulators.scene import Scene

CHAIR: Final = "1"
PRESET: Final = "iv-ketamine"
_WAL: Final = "-wal"
_SHARED_MEMORY: Final = "-shm"


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a life takes from the world."""

    monotonic_ns: Callable[[], int]
    utc_ns: Callable[[], int]
    opener: Opener
    chance: Random


def make_wanted(fate: Fate) -> Wanted:
    """Return the session that the configuration of this world asks for."""
    preset = (files("alarms") / "presets" / f"{PRESET}.toml").read_text(encoding="utf-8")
    limits: LimitSet = read_preset(preset, PRESET)
    opened = Opened(
        session="",
        chair=CHAIR,
        software="world",
        limits=preset,
        devices=tuple(
            DeviceLink(link=each.link, driver=each.link, url=each.link, options=each.options)
            for each in fate.links
        ),
        anchor=WallAnchor(OPENING, 0),
        mode="demo",
        dose_mg=35.0,
        infusion_min=40.0,
    )
    lines = [
        Line(link=each.link, driver=get(each.link), options=each.options) for each in fate.links
    ]
    return Wanted(opened=opened, lines=lines, limits=limits, resume_within_s=6 * 3600.0)


class Life:
    """A station from its start until it is stopped or killed. Make one inside a running loop."""

    def __init__(
        self, scene: Scene, wanted: Wanted, folder: Path, surroundings: Surroundings
    ) -> None:
        self.folder = folder
        self.begun: Begun = begin_session(
            wanted, folder, surroundings.monotonic_ns, surroundings.utc_ns
        )
        self.chair = Chair(
            self.begun.opened,
            [Place(line, line.link) for line in wanted.lines],
            pipeline=self.begun.pipeline,
            record=self.begun.record,
            clock=self.begun.clock,
            opener=surroundings.opener,
            chance=surroundings.chance.random,
            preset=wanted.limits.name,
            in_thread=False,
        )
        self._scene = scene
        self._station = Station([self.chair], site="world", software="world")
        self._station.on_changes = self._announced
        self._tap()
        self.running = asyncio.get_running_loop().create_task(self._station.run())

    def _tap(self) -> None:
        """Listen in behind the chair's own ears."""
        pipeline = self.chair.pipeline
        heard, told = pipeline.on_heard, pipeline.on_changes

        def on_heard(link: str, event: DeviceEvent) -> None:
            heard(link, event)
            if self._is_watched():
                self._scene.take_heard(link, event)
                self._scene.hold(laws.nothing_heard_was_never_said, link, event)
                self._scene.hold(laws.nothing_is_stamped_with_another_moment, link, event)

        def on_changes(changes: Sequence[AlarmChange]) -> None:
            told(changes)
            if self._is_watched():
                for change in changes:
                    self._scene.hold(laws.a_change_is_told_when_it_is_due, change)
                    self._scene.hold(laws.no_signal_ends_without_its_cause_ending, change)
                    self._scene.hold(
                        laws.a_new_occurrence_signals_unless_the_condition_was_inactivated, change
                    )
                self._scene.take_told(changes, self.chair.record.last_seq)

        pipeline.on_heard, pipeline.on_changes = on_heard, on_changes
        # In the instance: every edge of a link passes here, also one that the next takes back.
        change_link = pipeline.change_link

        def take_edge(edge: LinkChange) -> None:
            self._scene.take_edge(edge)
            change_link(edge)

        vars(pipeline)["change_link"] = take_edge

    def _is_watched(self) -> bool:
        return self._scene.chair is self.chair

    def _announced(self, chair: str, changes: Sequence[AlarmChange]) -> None:
        del chair
        if not self._is_watched():
            return
        for change in changes:
            self._scene.hold(laws.what_is_announced_was_told_in_that_order, change)
            if not self._scene.unannounced:
                return
            told = self._scene.unannounced.popleft()
            self._scene.hold(laws.what_is_signalled_was_written_first, told)
            if told.seq <= self.chair.record.written_seq:
                self._scene.safe_count = len(self._scene.told) - len(self._scene.unannounced)

    # -- the disk ----------------------------------------------------------------------------------

    def fail_disk(self) -> None:
        """Let every write fail from now on."""
        # In the instance: the class, and what it does with what could not be written, stay as is.
        vars(self.chair.record)["write"] = _refuse
        self._scene.disk_failed_s = self._scene.now_s()

    def mend_disk(self) -> None:
        """Let the disk work again."""
        vars(self.chair.record).pop("write", None)
        self._scene.disk_failed_s = None

    # -- its end -----------------------------------------------------------------------------------

    async def end(self) -> None:
        """Stop as a process that is asked to."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        try:
            self.chair.record.close()
        except RecordFailedError:
            self._scene.counts["closed on a failed disk"] += 1

    async def be_killed(self, folder: Path, *, chance: Random | None = None) -> None:
        """Die where it stands; what the disk holds is in `folder` afterwards.

        With `chance` it dies while it writes: some of the last bytes reach the disk.
        """
        if chance is None:
            _copy(self.folder, folder)
        else:
            self._die_writing(folder, chance)
        self._scene.leave()
        await self.end()

    def _die_writing(self, folder: Path, chance: Random) -> None:
        path = self.chair.record.path
        log = path.with_name(path.name + _WAL)
        _copy(self.folder, folder)
        before = log.read_bytes() if log.exists() else b""
        try:
            self.chair.record.commit()
        except RecordFailedError:
            return
        after = log.read_bytes() if log.exists() else b""
        # Behind the last byte that both have in common anything may be half written.
        common = next(
            (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before)
        )
        torn = after[: chance.randint(min(common, len(after)), len(after))]
        (folder / log.name).write_bytes(torn)


def _refuse(batch: Batch) -> None:
    raise RecordFailedError(f"{len(batch)} entries: no space left on the disk of this world")


def _copy(source: Path, target: Path) -> None:
    """Copy what a restart would find: everything but the memory that died with the process."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if not path.name.endswith(_SHARED_MEMORY):
            (target / path.name).write_bytes(path.read_bytes())
