"""Every driver's simulated device, over every transport it declares, heard by the real host."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final

import pytest

from drivers.contract import NO_OPTIONS, Driver, TransportKind
from drivers.registry import all_drivers, get
from monitor.model.entry import Entry, EntryKind, Opened
from monitor.model.event import DeviceEvent, FrameRejected, Observation, WaveformSegment
from monitor.model.instant import OPENING, WallAnchor, instant_at
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import Keeper
from monitor.runtime.pipeline import Line
from monitor.runtime.transports.opener import make_opener
from simulators import broker
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient
from simulators.scaled_loop import ScaledLoop
from simulators.scenario import load
from simulators.sockets import UdpPort, call_tcp, serve_tcp
from simulators.wiring import CourseClock, Pty, publish_device
from tests.runtime.chairs import LIMITS, UTC_NS
from tests.services.servers import free_port

HOST: Final = "127.0.0.1"
START: Final = instant_at(700)
"""Of the course: the first cuff reading has been taken."""

HEARD_S_MAX: Final = 90.0
SPEED: Final = 10.0
SPEED_WITH_PAUSES: Final = 3.0
"""For devices whose frames are told apart by pauses, which a busy machine blurs."""

HAVE_PAUSES: Final = frozenset({"phasein", "respironics", "contec"})
NOT_PLAYED: Final = {
    "ge_dash": {Metric.PLETH},
    "senml": {Metric.CUFF_PRESSURE},
    "sparkplug": {Metric.CUFF_PRESSURE},
}
"""What a driver reads and no simulated device sends."""

PLACES: Final = {
    TransportKind.SERIAL: ("pty",),
    TransportKind.TCP: ("tcp", "calls"),
    TransportKind.UDP: ("udp",),
    TransportKind.MQTT: ("mqtt",),
}
CASES: Final = [
    (driver.name, place)
    for driver in all_drivers()
    for kind in sorted(driver.transports)
    for place in PLACES[kind]
]


@asynccontextmanager
async def played(device: SimulatedDevice, place: str) -> AsyncIterator[str]:
    """Let the device play at a place of that kind; yield the URL a host uses."""
    clock = CourseClock(START)
    if place == "pty":
        pty = Pty(unread_s_max=1.0)
        pty.play(device, clock)
        yield pty.url
        pty.close()
    elif place == "tcp":
        end, server = await serve_tcp(device, clock, HOST, 0)
        yield f"tcp://{HOST}:{server.sockets[0].getsockname()[1]}"
        end.close()
        server.close()
    elif place == "udp":
        port = await UdpPort.open(HOST, 0)
        port.play(device, clock)
        yield port.url
        port.close()
    elif place == "calls":
        number = free_port()
        async with _beside(call_tcp(device, clock, HOST, number)):
            yield f"tcp://{HOST}:{number}?listen=1"
    else:
        async with (
            broker.run_broker() as (_, number),
            _beside(publish_device(device, clock, HOST, number, "bed1")),
        ):
            yield f"mqtt://{HOST}:{number}/bed1/#"


@asynccontextmanager
async def _beside(running: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(running)
    yield
    task.cancel()
    await asyncio.wait({task})


class Host:
    """The host side as `vigil listen` runs it; remembers which metrics had a value."""

    def __init__(self, driver: Driver, url: str) -> None:
        loop = asyncio.get_running_loop()
        self.heard: set[Metric] = set()
        self.rejected: list[FrameRejected] = []
        self.links: list[str] = []
        self._wanted = driver.metrics - NOT_PLAYED.get(driver.name, set())
        self._all: asyncio.Future[None] = loop.create_future()
        self._clock = SessionClock(lambda: round(loop.time() * 1e9), lambda: UTC_NS)
        opened = Opened(
            session="", chair="", software="", limits="", devices=(), anchor=WallAnchor(OPENING, 0)
        )
        line = Line(link=driver.name, driver=driver, options=NO_OPTIONS)
        pipeline = build_pipeline(opened, [line], LIMITS, self)
        self._pipeline = pipeline
        self._keeper = Keeper(
            line,
            url,
            pipeline=pipeline,
            clock=self._clock,
            opener=make_opener(),
            chance=lambda: 0.5,
        )
        pipeline.on_heard = self._take
        pipeline.on_outgoing = self._flush

    def append(self, entry: Entry) -> int:
        if entry.kind is EntryKind.LINK:
            self.links.append(entry.body.decode())
        return 0

    async def hear(self) -> set[Metric]:
        """Listen until every metric was heard, or for long; return those that were not."""
        async with _beside(self._keeper.keep()):
            await asyncio.wait({self._all}, timeout=HEARD_S_MAX)
        leaving = {task for task in asyncio.all_tasks() if task.get_name() == "mqtt-leave"}
        if leaving:
            await asyncio.wait(leaving)
        return set(self._wanted - self.heard)

    def _take(self, link: str, event: DeviceEvent) -> None:
        del link
        if self._keeper.link is not None:
            self._keeper.link.take_heard(event)
        if isinstance(event, FrameRejected):
            self.rejected.append(event)
        elif isinstance(event, WaveformSegment) or (
            isinstance(event, Observation) and event.value is not None
        ):
            if not self.heard:
                asyncio.get_running_loop().call_soon(self._measure)
            self.heard.add(event.metric)
        if self._wanted <= self.heard and not self._all.done():
            self._all.set_result(None)

    def _measure(self) -> None:
        """Ask for a cuff reading as a person would; a device without a cuff of its own refuses."""
        deed = OperatorAction(deed=Deed.MEASURE_NIBP, at=self._clock.now(), operator="nurse")
        self._pipeline.operate(deed)

    def _flush(self) -> None:
        if self._keeper.link is not None:
            self._keeper.link.flush()


def on_scaled_time(speed: float, main: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(speed)) as runner:
        runner.run(main())


@pytest.mark.parametrize(("name", "place"), CASES)
def test_a_host_hears_all_that_the_simulated_device_measures(name: str, place: str) -> None:
    async def hear() -> None:
        device = simulate(get(name), Bedside(Patient(load("quiet"), 1)), starts_at=START)
        async with played(device, place) as url:
            host = Host(get(name), url)
            missing = await host.hear()
        assert not missing, f"{host.links} {host.rejected[-3:]}"
        assert len(host.rejected) <= 3, "but for what was under way when the host came"

    speed = SPEED_WITH_PAUSES if name in HAVE_PAUSES else SPEED
    on_scaled_time(1.0 if place == "mqtt" else speed, hear)  # a broker keeps its own time
