"""One link kept on virtual time over a wire that a test writes on; its edges, as they were told."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec

from drivers.contract import NO_OPTIONS, Driver, SerialLine
from monitor.model.entry import Entry, EntryKind, Opened
from monitor.model.event import DeviceEvent
from monitor.model.instant import OPENING, WallAnchor
from monitor.model.link import LinkChange
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import Keeper
from monitor.runtime.pipeline import Line
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Transport
from simulators.virtual_loop import VirtualTimeLoop
from tests.runtime.chairs import LIMITS, UTC_NS

T = TypeVar("T")
_CHANGE = msgspec.json.Decoder(LinkChange)


class Said(NamedTuple):
    """One edge of a link: when, which state, why."""

    at_s: float
    state: str
    reason: str


class Log:
    """Keeps the edges of links, counts the rest."""

    def __init__(self) -> None:
        self.edges: list[Said] = []
        self.count = 0

    def append(self, entry: Entry) -> int:
        self.count += 1
        if entry.kind is EntryKind.LINK:
            change = _CHANGE.decode(entry.body)
            self.edges.append(Said(change.at / 1e9, change.state.value, change.reason))
        return self.count


class Wire:
    """The host's end of a wire that is open as long as a test lets it be."""

    def __init__(self, receiver: Receiver, notes: tuple[str, ...] = ()) -> None:
        self.receiver = receiver
        self.notes = notes
        self.is_closed = False
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True


class Kept:
    """A keeper at work: `plug` waits for its next wire; `edges` and `asides` are what it told."""

    def __init__(self, driver: Driver, scheme: str = "serial") -> None:
        self.log = Log()
        self.asides: list[str] = []
        self.refuses = False
        self.notes: tuple[str, ...] = ()
        self.openings = 0
        self._wires: asyncio.Queue[Wire] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        clock = SessionClock(lambda: round(loop.time() * 1e9), lambda: UTC_NS)
        line = Line(link=driver.name, driver=driver, options=NO_OPTIONS)
        opened = Opened(
            session="", chair="", software="", limits="", devices=(), anchor=WallAnchor(OPENING, 0)
        )
        self.pipeline = build_pipeline(opened, [line], LIMITS, self.log)
        self.keeper = Keeper(
            line,
            f"{scheme}:///dev/line",
            pipeline=self.pipeline,
            clock=clock,
            opener=self._open,
            chance=lambda: 0.5,
            tell_aside=self.asides.append,
        )
        self.pipeline.on_heard = self._heard
        self._keeping = loop.create_task(self.keeper.keep())

    @property
    def edges(self) -> list[Said]:
        """Return what was told so far."""
        return self.log.edges

    async def plug(self) -> Wire:
        """Return the wire of the next opening, its conversation begun."""
        wire = await self._wires.get()
        await asyncio.sleep(0)  # the keeper's own turn
        assert self.keeper.link is not None
        return wire

    async def end(self) -> None:
        """Keep no longer."""
        self._keeping.cancel()
        await asyncio.wait({self._keeping})

    async def _open(self, url: str, line: SerialLine, receiver: Receiver) -> Transport:
        del url, line
        self.openings += 1
        if self.refuses:
            raise LinkFailedError("nothing there")
        wire = Wire(receiver, self.notes)
        self._wires.put_nowait(wire)
        return wire

    def _heard(self, link: str, event: DeviceEvent) -> None:
        del link
        if self.keeper.link is not None:
            self.keeper.link.take_heard(event)


def on_virtual_time(main: Callable[[], Awaitable[T]]) -> T:
    """Run `main` where hours pass at once."""

    async def run() -> T:
        return await main()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


async def pass_time(until_s: float) -> None:
    """Let time pass until the loop's clock shows `until_s`."""
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    loop.call_at(until_s, turn.set_result, None)
    await turn


async def send_paced(wire: Wire, pieces: Iterable[tuple[float, bytes]]) -> None:
    """Let bytes come at their times, in seconds of the loop's clock."""
    for at_s, data in pieces:
        await pass_time(at_s)
        wire.receiver.heard(data)
