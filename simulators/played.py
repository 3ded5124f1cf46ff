"""Play one session from one seed: patient, devices, worn wires, blows, and the laws all along.

Everything runs in one thread on virtual time; the same seed gives the same session, to the last
byte of its record, on any machine.
"""

import asyncio
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from drivers.registry import get
from monitor.attach.messages import Command
from monitor.model.entry import encode
from monitor.model.errors import MonitorError
from monitor.model.instant import OPENING, seconds
from monitor.model.metric import Metric
from monitor.model.session import Deed as OperatorDeed
from monitor.model.session import Phase
from monitor.runtime.transports.contract import Receiver, Transport
from monitor.runtime.transports.memory import Wires
from simulators import laws, laws_of_record
from simulators.device import Bedside, SimulatedDevice
from simulators.fate import Blow, Deed, Fate, LinkFate, draw_fate
from simulators.faults import WornWire
from simulators.life import CHAIR, Life, Surroundings, make_wanted
from simulators.physiology import Patient
from simulators.scene import Breach, Scene
from simulators.shelf import Shelf, what_is_stored_is_the_record_without_a_gap
from simulators.testimony import Testimony
from simulators.virtual_loop import VirtualTimeLoop
from simulators.wiring import CourseClock
from simulators.worn import WornDevice

UTC_NS: Final = 1_700_000_000_000_000_000
TICK_S: Final = 1.0
UPLOAD_EVERY_TICKS: Final = 20
_LAST_S: Final = 3.0
"""A station that came up at the very end is watched for this long."""

_MEMORY_DISK: Final = Path("/dev/shm")  # noqa: S108  # its files are made by tempfile
_ENDS: Final = frozenset({Blow.KILL, Blow.KILL_WHILE_WRITING, Blow.STOP})


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What a session came to. `digest` is of all that was heard and told; `breach` is the first."""

    seed: int
    seconds: float
    counts: dict[str, int]
    digest: str
    breach: Breach | None = None


def play(seed: int, duration_s: float | None = None) -> Played:
    """Play session `seed` until its drawn end, or for `duration_s`, or until a law is broken."""
    fate = draw_fate(seed, duration_s)
    memory_disk = str(_MEMORY_DISK) if os.access(_MEMORY_DISK, os.W_OK) else None
    with (
        tempfile.TemporaryDirectory(prefix="vigil-world-", dir=memory_disk) as folder,
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        return runner.run(_play(fate, Path(folder)))


async def _play(fate: Fate, folder: Path) -> Played:
    session = Session(fate, folder)
    try:
        await session.run()
    finally:
        session.stop_devices()
    return session.result()


class Session:
    """One session while it is played."""

    def __init__(self, fate: Fate, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._note_failure)
        self._loop = loop
        self._fate = fate
        self._folder = folder
        self._chance = Random(f"session {fate.seed}")  # noqa: S311  # repeatable, not secret
        self._clock = CourseClock(OPENING)
        self._testimony = Testimony(fate.links)
        self.scene = Scene(fate, self._testimony, loop.time)
        self._wall_offset_ns = 0
        self._wires = Wires()
        bedside = Bedside(Patient(fate.scenario, fate.seed))
        self._devices = {each.link: self._make_device(each, bedside) for each in fate.links}
        self._wanted = make_wanted(fate)
        self._surroundings = Surroundings(
            monotonic_ns=self._monotonic_ns,
            utc_ns=self._utc_ns,
            opener=self._open_wire,
            chance=Random(f"retries {fate.seed}"),  # noqa: S311  # repeatable, not secret
        )
        self._shelf = Shelf(Random(f"shelf {fate.seed}"))  # noqa: S311  # repeatable, not secret
        self._lives = 0
        self._next_tick_s = TICK_S
        self._ticks = 0
        self._life: Life | None = None

    # -- the world ---------------------------------------------------------------------------------

    def _make_device(self, fate: LinkFate, bedside: Bedside) -> WornDevice:
        driver = get(fate.link)
        told = driver.metrics.intersection(fate.metrics)
        asked = Metric.CUFF_PRESSURE in told
        source = bedside.source(told, measures_when_asked=asked)
        device = SimulatedDevice(
            driver.open_device(), self._testimony.listen(fate.link, source), bedside=bedside
        )

        def lay(number: int) -> tuple[WornWire, WornWire]:
            seed = (self._fate.seed * 16 + len(fate.link)) * 10_000 + 2 * number
            return WornWire(fate.to_host, seed), WornWire(fate.to_device, seed + 1)

        grain = seconds(fate.grain_s)
        worn = WornDevice(device, self._clock, lay, grain=grain, is_line=fate.is_line)
        self._wires.plug(fate.link, worn)
        return worn

    async def _open_wire(self, url: str, line: object, receiver: Receiver) -> Transport:
        del line
        return self._wires.open(url, receiver)

    def _monotonic_ns(self) -> int:
        return round(self._loop.time() * 1e9)

    def _utc_ns(self) -> int:
        passed = self._monotonic_ns()
        return UTC_NS + passed + round(passed * self._fate.drift_ppm / 1e6) + self._wall_offset_ns

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Take an error in a callback of the loop: the alarm path runs in some."""
        del loop
        self._fail(str(context.get("exception") or context.get("message")))

    def _fail(self, how: str) -> None:
        self.scene.breaches.append(Breach("the station never fails", how, self._loop.time()))

    # -- playing -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Play to the end, or until a law is broken."""
        self._begin_life()
        for deed in self._fate.deeds:
            await self._until(deed.at_s)
            if self._is_over():
                return
            await self._strike(deed)
        await self._until(max(self._fate.seconds, self._loop.time() + _LAST_S))
        if not self._is_over():
            await self._end()

    def _is_over(self) -> bool:
        return bool(self.scene.breaches)

    async def _until(self, at_s: float) -> None:
        """Let time pass up to `at_s`, looking once a second."""
        while self._next_tick_s <= at_s and not self._is_over():
            await self._sleep_until(self._next_tick_s)
            self._next_tick_s += TICK_S
            self._look()
        await self._sleep_until(at_s)

    async def _sleep_until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self._loop.time()))

    def _look(self) -> None:
        life = self._life
        if life is None:
            return
        if life.running.done():
            self._fail(repr(_cause(life.running.exception())))
            return
        self._ticks += 1
        self.scene.look()
        for law in laws.EACH_SECOND:
            self.scene.hold(law)
        if self._fate.uploads and self._ticks % UPLOAD_EVERY_TICKS == 0:
            self._shelf.take(life.chair.record.path)

    def _begin_life(self) -> None:
        """Let the station come up, for the first time or again."""
        folder = self._folder / f"life-{self._lives}"
        is_first = self._lives == 0
        try:
            life = Life(self.scene, self._wanted, folder, self._surroundings)
        except (MonitorError, AssertionError) as error:
            self._fail(f"it does not come up: {error!r}")
            return
        self.scene.enter(life.chair)
        if not is_first:
            self._judge_restart(life)
        self._life = life

    def _judge_restart(self, life: Life) -> None:
        hold = self.scene.hold
        path = life.chair.record.path
        hold(the_session_goes_on, life.begun.words)
        if self._is_over():
            return
        entries = laws_of_record.entries_of(path)
        hold(laws_of_record.a_restart_is_written_down, entries)
        if self._is_over():
            return
        restart = laws_of_record.Restart(entries)
        for law in laws_of_record.WHENEVER_READ:
            hold(law, restart.entries_before)
        for law_of_restart in laws_of_record.AT_A_RESTART:
            hold(law_of_restart, restart)
        self.scene.recount(restart.heard_count, [*restart.kept, *restart.since])
        self.scene.safe_count = len(self.scene.told)

    async def _end(self) -> None:
        """Stop for good, and prove the record."""
        if self._life is None:
            self._begin_life()
        life = self._life
        if life is None or self._is_over():
            return
        path = life.chair.record.path
        if self.scene.disk_failed_s is not None:
            life.mend_disk()
            await asyncio.sleep(laws.DISK_TOLD_WITHIN_S)  # until what waited is written
        # Watched to its last word: the last group on disk may be what ends the alarm of the disk.
        await life.end()
        self.scene.leave()
        self._life = None
        entries = laws_of_record.entries_of(path)
        for law in (*laws_of_record.WHENEVER_READ, *laws_of_record.AT_THE_END):
            self.scene.hold(law, entries)
        for law_of_file in laws_of_record.OF_THE_FILE:
            self.scene.hold(law_of_file, path)
        if self._fate.uploads:
            self._shelf.drain(path)
            self.scene.hold(what_is_stored_is_the_record_without_a_gap, path, self._shelf)

    # -- blows -------------------------------------------------------------------------------------

    async def _strike(self, deed: Deed) -> None:
        self.scene.counts[str(deed.blow)] += 1
        life = self._life
        if life is None:
            return
        if deed.blow in _ENDS:
            await self._end_life(life, deed)
        elif deed.blow is Blow.STEP_WALL:
            self._wall_offset_ns += round(deed.by_s * 1e9)
        elif deed.blow is Blow.ACT:
            self._act(life)
        elif deed.link:
            _on_device(self._devices[deed.link])[deed.blow]()
        else:
            {Blow.DISK_FAILS: life.fail_disk, Blow.DISK_WORKS: life.mend_disk}[deed.blow]()

    async def _end_life(self, life: Life, deed: Deed) -> None:
        """Stop or kill the station, and let it come up again `by_s` later."""
        self._life = None
        self._lives += 1
        folder = self._folder / f"life-{self._lives}"
        self._shelf.let_go()
        if deed.blow is Blow.STOP:
            self.scene.leave()
            await life.end()
            life.folder.rename(folder)
        else:
            is_writing = deed.blow is Blow.KILL_WHILE_WRITING
            await life.be_killed(folder, chance=self._chance if is_writing else None)
        await asyncio.sleep(deed.by_s)
        self._next_tick_s = float(int(self._loop.time()) + 1)
        self._begin_life()

    def _act(self, life: Life) -> None:
        """Let somebody do something about some alarm, sensible or not."""
        chance, chair = self._chance, life.chair
        chair.pipeline.mature(chair.clock.now())
        picture = chair.picture()
        known = [each.alarm for each in (*picture.alarms, *picture.inactivated)]
        offered = [each.alarm for each in picture.offers[:3]]
        alarm = chance.choice([*known, *known, *known, *offered, "spo2_low", "nonsense", ""])
        command = Command(
            number=1,
            chair=CHAIR,
            view=picture.view - chance.choice((0, 0, 0, 0, 1, 30, 500, -3)),
            deed=chance.choice(tuple(OperatorDeed)),
            operator=chance.choice(("nurse-1", "nurse-1", "nurse-2", "", "  ")),
            alarm=alarm,
            phase=chance.choice((None, *picture.sitting.next_phases, *Phase)),
        )
        before = (*chair.pipeline.alarms.alarms(), *chair.pipeline.alarms.inactivated())
        self.scene.acting = command
        refusal = chair.command(command)
        after = (*chair.pipeline.alarms.alarms(), *chair.pipeline.alarms.inactivated())
        self.scene.counts["refused" if refusal else "done"] += 1
        self.scene.hold(laws.acting_on_one_alarm_leaves_the_others_alone, before, after, alarm)
        self.scene.acting = None

    # -- what it came to ---------------------------------------------------------------------------

    def stop_devices(self) -> None:
        """End every device."""
        for device in self._devices.values():
            device.stop()
        if self._life is not None:
            self._life.running.cancel()
        self._shelf.let_go()

    def result(self) -> Played:
        """Return what it came to."""
        scene, digest = self.scene, sha256()
        for link, event in scene.heard:
            digest.update(link.encode() + encode(event))
        for change in scene.told:
            digest.update(encode(change))
        counts: Counter[str] = Counter(scene.counts)
        for device in self._devices.values():
            device.left()
            counts += device.faults
        return Played(
            seed=self._fate.seed,
            seconds=self._fate.seconds,
            counts=dict(sorted(counts.items())),
            digest=digest.hexdigest(),
            breach=scene.breaches[0] if scene.breaches else None,
        )


def the_session_goes_on(scene: Scene, words: str) -> str:
    """Hold how a restarted station came up against a session that is to go on."""
    del scene
    return "" if "goes on" in words else words


def _on_device(device: WornDevice) -> dict[Blow, Callable[[], None]]:
    return {
        Blow.PULL: device.pull,
        Blow.PLUG: device.plug,
        Blow.FALL_DUMB: device.fall_dumb,
        Blow.SPEAK: device.speak,
    }


def _cause(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
