"""What every demonstration is made of: its site's configuration, and a course on virtual time."""

import asyncio
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from monitor.config import Config
from monitor.main.output import flush, note, say_json
from monitor.main.serve import Surroundings, run_station
from monitor.model.alarm import AlarmChange, Change
from monitor.model.entry import encode
from monitor.model.instant import OPENING, instant_at
from monitor.model.session import Deed
from monitor.runtime.chair import Chair
from monitor.runtime.replay import alarm_line
from monitor.runtime.station import Station
from monitor.runtime.transports.contract import Receiver, Transport
from monitor.runtime.transports.memory import Wires
from simulators.bed import make_devices, posts_of
from simulators.scenario import Scenario
from simulators.virtual_loop import VirtualTimeLoop
from simulators.wiring import FINE_GRAIN, GRAIN, CourseClock, WiredDevice

OPERATOR: Final = "demonstration"


class DemoWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    scenario: str
    speed: str
    is_headless: bool
    for_s: float | None
    seed: int
    chairs: int
    record: str | None
    only_lists: bool


# -- the configuration of a demonstration ----------------------------------------------------------


def configure(scenario: Scenario, data_dir: Path, urls: dict[str, dict[str, str]]) -> str:
    """Return the TOML of a site whose chairs have the devices at `urls` (chair, driver, URL)."""
    lines = [
        "[site]",
        'name = "demonstration"',
        f"data_dir = {_quoted(str(data_dir))}",
        "simulated = true",
    ]
    for chair, places in urls.items():
        lines += [
            "[[chair]]",
            f"name = {_quoted(chair)}",
            f'pseudonym = "SIM-{int(chair):04d}"',
            "devices = [",
            *(
                f"  {{ {_device(post.driver, places[post.driver], post.options)} }},"
                for post in posts_of(int(chair))
            ),
            "]",
            *_plan(scenario),
        ]
    return "\n".join(lines) + "\n"


def _device(driver: str, url: str, options: dict[str, object]) -> str:
    fields = {"driver": _quoted(driver), "url": _quoted(url)}
    fields |= {key: str(value) for key, value in options.items()}
    return ", ".join(f"{key} = {value}" for key, value in fields.items())


def _plan(scenario: Scenario) -> list[str]:
    if scenario.dose is None:
        return []
    minutes = scenario.dose.over_s / 60
    title = f"ketamine IV {scenario.dose.mg_per_kg:g} mg/kg over {minutes:g} min"
    return [
        "[chair.plan]",
        f"protocol = {_quoted(title)}",
        f"dose_mg = {scenario.dose_mg:.1f}",
        f"infusion_min = {minutes:.1f}",
    ]


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


# -- on virtual time -------------------------------------------------------------------------------


class Tally:
    """Counts and digests what a course brought, and says it as it comes."""

    def __init__(self, *, chairs: int, tells: bool) -> None:
        self._several = chairs > 1
        self._tells = tells
        self.begun: dict[str, int] = {}
        self.digest = sha256()

    def take(self, chair: str, changes: Sequence[AlarmChange]) -> None:
        """Take alarm changes of one chair."""
        for change in changes:
            self.digest.update(chair.encode() + encode(change))
            if change.change is Change.PRESENT:
                self.begun[change.alarm] = self.begun.get(change.alarm, 0) + 1
            if self._tells:
                line = alarm_line(change)
                say_json({"chair": chair, **line} if self._several else line)
        flush()


def play_virtually(
    config: Config,
    scenario: Scenario,
    urls: dict[str, dict[str, str]],
    seed: int,
    *,
    until_s: float,
    utc_ns: int,
    tally: Tally,
) -> None:
    """Play the course from its beginning to `until_s` on virtual time, through the whole station.

    `utc_ns` is the wall time at which the course begins.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_play(config, scenario, urls, seed, until_s, utc_ns, tally))


async def _play(  # noqa: PLR0917 - the runner takes them from its one caller
    config: Config,
    scenario: Scenario,
    urls: dict[str, dict[str, str]],
    seed: int,
    until_s: float,
    utc_ns: int,
    tally: Tally,
) -> None:
    loop = asyncio.get_running_loop()
    wires = Wires()
    clock = CourseClock(OPENING)
    for number, (chair, places) in enumerate(urls.items()):
        posts = posts_of(int(chair))
        devices = make_devices(scenario, seed + number, OPENING, posts)
        for post in posts:
            device = devices[post.driver]
            grain = FINE_GRAIN if post.has_pauses else GRAIN
            wired = WiredDevice(device, clock, is_line=post.is_line, grain=grain)
            wires.plug(places[post.driver], wired)

    async def open_wire(url: str, line: object, receiver: Receiver) -> Transport:
        del line
        return wires.open(url, receiver)

    def monotonic_ns() -> int:
        return round(loop.time() * 1e9)

    world = Surroundings(
        monotonic_ns=monotonic_ns,
        utc_ns=lambda: utc_ns + monotonic_ns(),
        chance=random.Random(seed),  # noqa: S311 - a course comes back exactly
        opener=open_wire,
        in_thread=False,
    )
    acting: list[asyncio.Task[None]] = []

    def act(station: Station) -> None:
        acting.extend(loop.create_task(_act(scenario, chair, clock)) for chair in station.chairs)

    try:
        async with asyncio.timeout(until_s):
            await run_station(config, world, tally.take, act)
    except TimeoutError:
        return
    finally:
        for task in acting:
            task.cancel()
        await asyncio.gather(*acting, return_exceptions=True)


async def _act(scenario: Scenario, chair: Chair, clock: CourseClock) -> None:
    """Enter the phases of the course, as an operator would."""
    for entry in scenario.phases:
        await clock.until(instant_at(entry.at_s))
        refusal = chair.act(Deed.ENTER_PHASE, OPERATOR, phase=entry.phase)
        if refusal:
            note(f"chair {chair.name}: {entry.phase} refused: {refusal}")
