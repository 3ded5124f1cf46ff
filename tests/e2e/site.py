"""A simulated site of real processes: devices on ptys and a broker, `vigil serve`, and screens."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Self

import msgspec

from monitor.attach.client import Feed, attach
from monitor.attach.messages import Answer, Command, SnapshotMessage, ToClient
from monitor.main.course import configure
from monitor.model.session import Deed
from monitor.model.snapshot import ChairSnapshot
from simulators.scenario import load
from simulators.serve import Places
from tests.e2e.commands import COMMAND, REPOSITORY, Fields, environment

START_S_MAX: Final = 30.0
WAIT_S_MAX: Final = 60.0
_LINES: Final = msgspec.json.Decoder(Fields)


class Child:
    """A process of ours and what it says, line by line."""

    def __init__(self, process: Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *command: str, stderr: int = DEVNULL) -> Self:
        """Start `command` in the repository."""
        return cls(
            await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=stderr, cwd=REPOSITORY, env=environment()
            )
        )

    async def line(self) -> bytes:
        """Return its next line of results."""
        assert self.process.stdout is not None
        return await self.process.stdout.readline()

    def tell(self, line: str) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    @property
    def is_running(self) -> bool:
        """Return whether it has not ended."""
        return self.process.returncode is None

    async def end(self, *, at_once: bool = False) -> int:
        """End it, politely or as a power cut would; return its exit code."""
        if self.is_running:
            (self.process.kill if at_once else self.process.terminate)()
        async with asyncio.timeout(START_S_MAX):
            await self.process.communicate()  # what it still said is nobody's
        assert self.process.returncode is not None
        return self.process.returncode


class Serve(Child):
    """A `vigil serve` that is watching."""

    @classmethod
    async def watch(cls, config: Path, speed: float) -> Self:
        """Start it and return once it says that it watches."""
        serving = await cls.start(
            *COMMAND, "serve", str(config), "--speed", str(speed), stderr=PIPE
        )
        assert serving.process.stderr is not None
        async with asyncio.timeout(START_S_MAX):
            heard = [b""]
            while not heard[-1].startswith(b"watching chair"):
                heard.append(await serving.process.stderr.readline())
                assert heard[-1], f"it ended before it watched: {b''.join(heard).decode()}"
        return serving

    async def until_alarm(self, alarm: str, change: str = "present") -> Fields:
        """Return the line that says this change of this alarm."""
        async with asyncio.timeout(WAIT_S_MAX):
            while said := await self.line():
                fields = _LINES.decode(said)
                if (fields["alarm"], fields["change"]) == (alarm, change):
                    return fields
        raise AssertionError(f"vigil serve ended before it said {alarm} {change}")


class Screen:
    """A screen without a terminal: sees pictures, gives commands."""

    def __init__(self, feed: Feed) -> None:
        self._messages = feed.messages()
        self._feed = feed
        self._commands = 0

    async def until(self, holds: Callable[[ChairSnapshot], bool]) -> ChairSnapshot:
        """Return the first picture of which `holds` is true."""
        async with asyncio.timeout(WAIT_S_MAX):
            async for message in self._messages:
                if isinstance(message, SnapshotMessage) and holds(message.chair):
                    return message.chair
        raise AssertionError("vigil serve ended before it showed what was waited for")

    async def command(self, deed: Deed, operator: str, view: int, alarm: str = "") -> Answer:
        """Ask for `deed` on chair 1 and return the answer."""
        self._commands += 1
        number = self._commands
        await self._feed.send(
            Command(number=number, chair="1", view=view, deed=deed, operator=operator, alarm=alarm)
        )

        def is_answer(message: ToClient) -> bool:
            return isinstance(message, Answer) and message.number == number

        async with asyncio.timeout(WAIT_S_MAX):
            async for message in self._messages:
                if isinstance(message, Answer) and is_answer(message):
                    return message
        raise AssertionError("vigil serve ended before it answered")


class Site:
    """One chair with the devices of a scenario, and the file that configures it."""

    def __init__(self, devices: Child, config: Path, speed: float) -> None:
        self.devices = devices
        self.config = config
        self.socket = config.parent / "vigil.sock"
        self._speed = speed

    @property
    def record(self) -> Path:
        """Return the one record of the site."""
        (path,) = self.config.parent.glob("*.vigil")
        return path

    async def serve(self) -> Serve:
        """Start `vigil serve` on it."""
        return await Serve.watch(self.config, self._speed)

    def begin(self) -> None:
        """Let the course run."""
        self.devices.tell(str(self.socket))

    @contextlib.asynccontextmanager
    async def screen(self) -> AsyncIterator[Screen]:
        """Attach a screen."""
        async with attach(self.socket) as feed:
            yield Screen(feed)


@contextlib.asynccontextmanager
async def site(scenario: str, folder: Path, *, speed: float, more: str = "") -> AsyncIterator[Site]:
    """Put the devices of `scenario` on wires and configure a chair for them; `more` is TOML."""
    devices = await Child.start(
        *(sys.executable, "-m", "simulators.serve"),
        *("--scenario", scenario, "--seed", "1", "--chairs", "1", "--speed", str(speed)),
    )
    try:
        async with asyncio.timeout(START_S_MAX):
            places = msgspec.json.decode(await devices.line(), type=Places)
        config = folder / "site.toml"
        config.write_text(configure(load(scenario), folder, places.urls) + more, encoding="utf-8")
        yield Site(devices, config, speed)
    finally:
        await devices.end()
