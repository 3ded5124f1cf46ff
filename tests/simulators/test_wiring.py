"""Simulated devices on real wires: a pty that a host opens, a broker that needs no install."""

import asyncio
import contextlib
import time

import aiomqtt
import pytest

from drivers.contract import SerialLine
from drivers.envelope import Message, pack, unpack
from drivers.registry import get
from monitor.model.event import Observation, Validity
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from monitor.runtime.transports.contract import LinkFailedError
from monitor.runtime.transports.memory import MemoryTransport
from monitor.runtime.transports.serial import open_serial
from simulators import broker
from simulators.bed import POSTS, make_devices
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient
from simulators.scaled_loop import ScaledLoop
from simulators.scenario import load
from simulators.virtual_loop import VirtualTimeLoop
from simulators.wiring import CourseClock, Pty, WiredDevice, publish_device
from tests.runtime.ears import Ears
from tests.services.servers import Mosquitto


def _nonin(scenario: str, start: Instant = OPENING) -> SimulatedDevice:
    return make_devices(load(scenario), 1, start)["nonin"]


async def test_a_device_on_a_pty_is_read_like_one_on_a_cable() -> None:
    pty = Pty()
    ears = Ears()
    port = await open_serial(pty.path, SerialLine(), ears)
    pty.play(_nonin("quiet"), CourseClock(OPENING))
    protocol = get("nonin").open_protocol({})
    heard: set[Metric] = set()
    async with asyncio.timeout(20):
        while not {Metric.SPO2, Metric.PULSE_RATE} <= heard:
            await ears.until_more()
            events = protocol.receive(b"".join(ears.take()), OPENING)
            heard |= {event.metric for event in events if isinstance(event, Observation)}
    port.close()
    pty.close()


async def test_bytes_that_nobody_reads_hold_nobody_up() -> None:
    pty = Pty()
    pty.play(_nonin("quiet", instant_at(600)), CourseClock(instant_at(1200)))  # ten minutes at once
    pty.close()


def test_a_pulled_cable_cuts_the_wire_and_refuses_until_it_is_back() -> None:
    scenario = load("cable-pulled")
    event = next(each for each in scenario.events if each.at_s > 0)

    async def play() -> list[str]:
        clock = CourseClock(instant_at(event.at_s - 5))
        device = WiredDevice(_nonin("cable-pulled", instant_at(event.at_s - 5)), clock)
        ears = Ears()
        MemoryTransport(device, ears)
        await clock.until(instant_at(event.at_s + 1))
        with pytest.raises(LinkFailedError, match="unplugged"):
            MemoryTransport(device, Ears())
        await clock.until(instant_at(event.until_s + 1))
        again = Ears()
        MemoryTransport(device, again)
        await clock.until(instant_at(event.until_s + 3))
        assert again.pieces
        device.stop()
        return ears.losses

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(play()) == ["unplugged"]


async def test_a_broker_inside_the_process_carries_messages() -> None:
    async with broker.run_inside() as port, aiomqtt.Client(broker.HOST, port) as client:
        await client.subscribe("chair1/#", qos=1)
        await client.publish("chair1/temp", b"36.6")
        async with asyncio.timeout(10):
            message = await anext(aiter(client.messages))
    assert (str(message.topic), message.payload) == ("chair1/temp", b"36.6")


def test_time_on_a_scaled_loop_passes_as_many_times_faster() -> None:
    began_s = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(200)) as runner:

        async def hour() -> float:
            loop = asyncio.get_running_loop()
            start_s = loop.time()
            done = loop.create_future()
            loop.call_later(20, done.set_result, None)
            await done
            return loop.time() - start_s

        assert runner.run(hour()) >= 20
    assert time.monotonic() - began_s < 10


def test_every_post_of_the_chair_has_a_driver_and_a_device() -> None:
    assert set(make_devices(load("quiet"), 1, OPENING)) == {post.driver for post in POSTS}


@pytest.mark.parametrize("topic", ["spBv1.0", "bed1"])
async def test_a_simulated_edge_node_hears_that_its_births_are_wanted(topic: str) -> None:
    """Data by alias mean nothing to a host that came later: it asks, and the node answers."""
    device = simulate(get("sparkplug"), Bedside(Patient(load("quiet"), 1)))
    protocol = get("sparkplug").open_protocol({})
    heard: set[Metric] = set()
    async with broker.run_inside() as port, aiomqtt.Client(broker.HOST, port) as host:
        clock = CourseClock(OPENING)
        playing = asyncio.ensure_future(publish_device(device, clock, broker.HOST, port, topic))
        await clock.until(instant_at(1))
        await host.subscribe(f"{topic}/#")
        async with asyncio.timeout(20):
            async for message in host.messages:
                piece = pack(Message(str(message.topic), message.payload))
                events = protocol.receive(piece, clock.now())
                heard |= {
                    each.metric
                    for each in events
                    if isinstance(each, Observation) and each.validity is Validity.VALID
                }
                for asked in protocol.take_outgoing():
                    command = unpack(asked)
                    await host.publish(command.topic, command.payload)
                if {Metric.SPO2, Metric.ETCO2} <= heard:
                    break
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


async def test_a_device_stops_although_its_broker_confirmed_at_that_very_moment(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.11's `wait_for` does: it returns the confirmation and forgets the end."""
    confirmed = aiomqtt.Client.publish

    async def swallow(self: aiomqtt.Client, topic: str, payload: bytes, *, retain: bool) -> None:
        await confirmed(self, topic, payload, retain=retain)
        playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)

    monkeypatch.setattr(aiomqtt.Client, "publish", swallow)
    device = make_devices(load("quiet"), 1, OPENING)["senml"]
    clock = CourseClock(OPENING)
    playing = asyncio.ensure_future(
        publish_device(device, clock, broker.HOST, mosquitto.port, "bed1")
    )
    done, _ = await asyncio.wait({playing}, timeout=20)
    assert done
    assert playing.cancelled()
