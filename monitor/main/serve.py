"""`vigil serve`: watch and record every chair of a configuration, without a screen."""

import asyncio
import logging
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from monitor import config as configuration
from monitor.config import Config
from monitor.main.hl7_out import heard_by, open_sender
from monitor.main.output import flush, note, say_json
from monitor.main.upload import open_uploaders
from monitor.model.alarm import AlarmChange
from monitor.model.entry import DeviceLink, Opened
from monitor.model.errors import ConfigError, MonitorError
from monitor.model.instant import OPENING, WallAnchor
from monitor.runtime.chair import Chair, Place
from monitor.runtime.pipeline import Line
from monitor.runtime.replay import alarm_line
from monitor.runtime.sessions import Wanted, begin_session
from monitor.runtime.station import PICTURE_EVERY_S, VIRTUAL_PICTURE_EVERY_S, Station
from monitor.runtime.transports.opener import Opener, make_opener
from monitor.store.hold import hold

SWITCH_INTERVAL_S: Final = 0.0005
Tell = Callable[[str, Sequence[AlarmChange]], None]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run takes from the world: clocks, chance, wires. A simulated world brings its own."""

    chance: random.Random
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    utc_ns: Callable[[], int] = time.time_ns
    opener: Opener | None = None
    in_thread: bool = True


def serve(path: str, speed: float = 1.0, *, ends_with_stdin: bool = False) -> int:
    """Serve the configuration at `path` until told to stop.

    `speed` lets a simulated site's time pass faster. `ends_with_stdin` ends it with its standard
    input: where a demonstration was killed its devices are gone, and whoever went on looking for
    them would take the pseudo-terminals of the next one.

    Raises:
        ConfigError: what is wrong in it.
        MonitorError: the socket or the data directory cannot be used.
    """
    config = configuration.read_config(Path(path))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    note(
        "Vigil is not a medical device. A cleared monitor with its alarms on stays at the bedside."
    )
    note("Vigil gives no sound: its alarms are seen on a screen and not heard.")
    if (speed != 1.0 or ends_with_stdin) and not config.site.simulated:
        raise ConfigError(
            "--speed, --while-stdin: a site that is not simulated is watched as time passes"
        )
    # The uploader encodes for milliseconds at a time; the alarm path shall not wait for it.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with asyncio.Runner(loop_factory=_loop_factory(speed)) as runner:
        return runner.run(
            serve_until_stopped(
                config,
                tell_lines(config),
                is_scaled=speed != 1.0,
                ends_with_stdin=ends_with_stdin,
            )
        )


def _loop_factory(speed: float) -> Callable[[], asyncio.AbstractEventLoop]:
    if speed == 1.0:
        return asyncio.SelectorEventLoop
    from simulators.scaled_loop import ScaledLoop  # noqa: PLC0415 - demonstrations alone need it

    return lambda: ScaledLoop(speed)


def _surroundings(*, is_scaled: bool) -> Surroundings:
    chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
    if not is_scaled:
        return Surroundings(chance=chance)
    loop = asyncio.get_running_loop()
    began_utc_ns, began_s = time.time_ns(), loop.time()
    return Surroundings(
        chance=chance,
        monotonic_ns=lambda: round(loop.time() * 1e9),
        utc_ns=lambda: began_utc_ns + round((loop.time() - began_s) * 1e9),
    )


async def serve_until_stopped(
    config: Config, tell: Tell, *, is_scaled: bool, ends_with_stdin: bool = False
) -> int:
    """Run until SIGTERM or SIGINT; the sessions stay open, so that the next start goes on."""
    loop = asyncio.get_running_loop()
    world = _surroundings(is_scaled=is_scaled)

    def tell_ready(station: Station) -> None:
        names = ", ".join(chair.name for chair in station.chairs)
        note(f"watching chair {names}; screens attach at unix://{config.socket}")

    running = asyncio.ensure_future(run_station(config, world, tell, tell_ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    if ends_with_stdin:
        loop.add_reader(sys.stdin.fileno(), running.cancel)  # nobody writes: it is the end
    try:
        await running
    except asyncio.CancelledError:
        note("stopped; the sessions stay open and go on at the next start")
    return 0


async def run_station(
    config: Config,
    world: Surroundings,
    tell: Tell,
    on_ready: Callable[[Station], None] = lambda station: None,  # noqa: ARG005
) -> None:
    """Run every chair of `config` until cancelled; a chair that fails stops everything, loudly.

    Raises:
        MonitorError: the data directory is another process's, or it or the socket cannot be used.
    """
    with hold(Path(config.site.data_dir)):
        await _run_station(config, world, tell, on_ready)


async def _run_station(
    config: Config, world: Surroundings, tell: Tell, on_ready: Callable[[Station], None]
) -> None:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    _stop_on_failure(failed)
    chairs = open_chairs(config, world)
    station = Station(
        chairs,
        site=config.site.name,
        software=software(),
        picture_every_s=PICTURE_EVERY_S if world.in_thread else VIRTUAL_PICTURE_EVERY_S,
    )
    station.on_changes = tell
    try:
        sender = open_sender(config, chairs, world.chance.random) if world.in_thread else None
        if sender is not None:
            station.on_changes = heard_by(tell, sender)
        async with AsyncExitStack() as stack:
            if world.in_thread:
                await stack.enter_async_context(station.server.listen(config.socket))
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(station.run())
                for uploader in open_uploaders(config, chairs, world.chance):
                    tasks.create_task(uploader)
                if sender is not None:
                    tasks.create_task(sender.run())
                tasks.create_task(_raise_failure(failed))
                on_ready(station)
                await running
    finally:
        for chair in chairs:
            chair.record.close()


def open_chairs(config: Config, world: Surroundings) -> list[Chair]:
    """Open or go on with a session for every chair.

    Raises:
        MonitorError: the data directory cannot be written.
    """
    opener = world.opener or make_opener(configuration.broker_secrets(config))
    return [_open_chair(config, chair, world, opener) for chair in config.chairs]


def _open_chair(
    config: Config, chair: configuration.Chair, world: Surroundings, opener: Opener
) -> Chair:
    lines = [
        Line(link=each.link, driver=each.driver, options=each.options) for each in chair.devices
    ]
    wanted = Wanted(
        opened=_described(config, chair),
        lines=lines,
        limits=chair.limits,
        resume_within_s=config.site.resume_within_min * 60,
    )
    begun = begin_session(wanted, Path(config.site.data_dir), world.monotonic_ns, world.utc_ns)
    note(f"chair {chair.name}: {begun.words}")
    return Chair(
        begun.opened,
        [Place(line, each.url) for line, each in zip(lines, chair.devices, strict=True)],
        pipeline=begun.pipeline,
        record=begun.record,
        clock=begun.clock,
        opener=opener,
        chance=world.chance.random,
        preset=chair.preset,
        in_thread=world.in_thread,
    )


def _described(config: Config, chair: configuration.Chair) -> Opened:
    return Opened(
        session="",
        chair=chair.name,
        site=config.site.name,
        software=software(),
        limits=chair.limits_text,
        devices=tuple(
            DeviceLink(link=each.link, driver=each.driver.name, url=each.url, options=each.options)
            for each in chair.devices
        ),
        anchor=WallAnchor(OPENING, 0),
        pseudonym=chair.pseudonym,
        mode="demo" if config.site.simulated else "real",
        protocol=chair.plan.protocol,
        dose_mg=chair.plan.dose_mg,
        infusion_min=chair.plan.infusion_min,
        priority_of_source=chair.priority_of_source,
    )


def software() -> str:
    """Return name and version of this program."""
    return f"vigil {metadata.version('vigil-infusion')}"


def tell_lines(config: Config) -> Tell:
    """Return a teller that prints a line per alarm change, with its chair if there are several."""
    several = len(config.chairs) > 1

    def tell(chair: str, changes: Sequence[AlarmChange]) -> None:
        for change in changes:
            line = alarm_line(change)
            say_json({"chair": chair, **line} if several else line)
        flush()

    return tell


def _stop_on_failure(failed: asyncio.Future[None]) -> None:
    """Let an error in a callback of the loop (the alarm path runs in some) end the process."""

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not failed.done():
            failed.set_exception(error)
        else:
            loop.default_exception_handler(context)

    asyncio.get_running_loop().set_exception_handler(fail)


async def _raise_failure(failed: asyncio.Future[None]) -> None:
    try:
        await failed
    except MonitorError:
        raise
    except Exception as error:
        raise AssertionError("the alarm path failed; stopping, loudly") from error
