"""Laws for every driver, whatever carries its bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import registry
from drivers.contract import CanMeasure, Driver, OptionError, finish
from monitor.model.event import Observation, Validity, WaveformSegment, observe
from monitor.model.instant import OPENING, Duration, Instant, instant_at, later, seconds
from monitor.model.metric import Metric, describe
from tests.conformance.gear import ALL, frames, hear, meaning, open_plain, said

ROOT = Path(__file__).resolve().parents[2]
each_driver = pytest.mark.parametrize("driver", ALL, ids=lambda each: each.name)
few = settings(max_examples=40, deadline=None, derandomize=True)

CORE_FORBIDDEN = {
    "asyncio",
    "time",
    "datetime",
    "random",
    "socket",
    "threading",
    "logging",
    "pathlib",
    "sqlite3",
    "serial",
    "aiomqtt",
    "influxdb_client",
    "websockets",
    "textual",
}


@each_driver
def test_it_reads_its_own_examples(driver: Driver) -> None:
    assert driver.vectors
    for vector in driver.vectors:
        told = hear(driver, vector.data)
        assert tuple(meaning(told)) == vector.expected, f"{vector.data.hex(' ')}: {told}"
        assert vector.source


@each_driver
def test_its_examples_cover_every_metric_it_claims(driver: Driver) -> None:
    heard = {
        event.metric
        for vector in driver.vectors
        for event in hear(driver, vector.data)
        if (isinstance(event, Observation) and event.value is not None)
        or isinstance(event, WaveformSegment)
    }
    assert heard == driver.metrics


@each_driver
@few
@given(data=st.data())
def test_encoding_then_decoding_changes_nothing(driver: Driver, data: st.DataObject) -> None:
    observations = []
    for metric, (low, high, step) in driver.round_trip.items():
        steps = data.draw(st.integers(0, int((high - low) / step)), label=metric)
        observations.append(observe(metric, low + step * steps, Instant(7)))
    heard = meaning(hear(driver, driver.encode(observations)))
    assert sorted(heard) == sorted(meaning(observations))


@each_driver
def test_only_what_was_claimed_is_ever_told(driver: Driver) -> None:
    assert set(driver.round_trip) <= driver.metrics
    for low, high, step in driver.round_trip.values():
        assert low < high
        assert step > 0
    for vector in driver.vectors:
        assert {metric for metric, _ in vector.expected} <= driver.metrics


@each_driver
def test_every_event_carries_the_instant_it_was_given(driver: Driver) -> None:
    protocol = open_plain(driver)
    for number, frame in enumerate([*frames(driver, 3), b"\x00rubbish\xff" * 20]):
        now = instant_at(1000 + number * 17)
        told = [*protocol.receive(frame, now), *protocol.wake(now)]
        assert told
        assert {event.at for event in told} == {now}


@each_driver
def test_the_same_bytes_are_heard_the_same_twice(driver: Driver) -> None:
    stream = b"".join(frames(driver, 3))
    assert hear(driver, stream) == hear(driver, stream)


@each_driver
def test_waking_moves_the_next_wake_forward_and_sends_once(driver: Driver) -> None:
    protocol = open_plain(driver)
    for _ in range(500):
        due = protocol.wake_at
        if due is None:
            break
        assert not list(protocol.wake(Instant(due - 1))), "nothing is due before it is due"
        assert not list(protocol.take_outgoing())
        protocol.wake(due)
        assert protocol.wake_at is None or protocol.wake_at > due
        sent = list(protocol.take_outgoing())
        assert len(sent) <= 1, "one command at a time"
        assert not list(protocol.take_outgoing()), "each byte is given once"


@each_driver
def test_waking_an_hour_late_sends_no_burst(driver: Driver) -> None:
    protocol = open_plain(driver)
    for hour in range(1, 4):
        now = instant_at(3600 * hour)
        protocol.wake(now)
        assert len(list(protocol.take_outgoing())) <= 1
        assert protocol.wake_at is None or protocol.wake_at > now


@each_driver
def test_an_unknown_option_is_refused_by_name(driver: Driver) -> None:
    with pytest.raises(OptionError, match="no_such_option"):
        driver.open_protocol({"no_such_option": 1})
    with pytest.raises(OptionError, match="opened_utc_s"):
        driver.open_protocol({"opened_utc_s": "noon"})
    driver.open_protocol({"opened_utc_s": 1_700_000_000.0})


def test_no_driver_imports_a_clock_chance_a_loop_or_a_wire() -> None:
    script = (
        "import sys, json\n"
        "import msgspec, enum, re, struct, heapq, difflib, pkgutil, importlib, collections.abc\n"
        "before = set(sys.modules)\n"
        "from drivers import registry\n"
        "registry.all_drivers()\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "drivers" in imported
    assert not imported & CORE_FORBIDDEN


@each_driver
def test_it_has_a_page_and_is_complete(driver: Driver) -> None:
    if driver.name in registry.names():  # another package keeps its pages to itself
        page = ROOT / "docs" / "devices" / f"{driver.name}.md"
        assert driver.title in page.read_text(), f"{page.name} names the device: {driver.title}"
    assert driver.reference
    assert driver.transports
    assert driver.silence_limit > 0


def converse(driver: Driver, duration: Duration) -> list[tuple[Metric, float | None, Validity]]:
    """Join the two sides of the wire on virtual time; return what our side heard."""
    protocol, device = open_plain(driver), driver.open_device()
    heard = []
    now, end = OPENING, later(OPENING, duration)
    device.say(said(driver, 3), now)
    if isinstance(protocol, CanMeasure):
        protocol.measure(now)
    for _ in range(20_000):
        device.wake(now)
        for piece in device.take_outgoing():
            for event in protocol.receive(piece, now):
                assert event.at == now
                if isinstance(event, Observation):
                    heard.append((event.metric, event.value, event.validity))
        if protocol.wake_at is not None and protocol.wake_at <= now:
            protocol.wake(now)
        for piece in protocol.take_outgoing():
            device.receive(piece, now)
        due = [each for each in (protocol.wake_at, device.wake_at) if each is not None]
        if not due or min(due) > end:
            break
        now = max(Instant(now + 1_000_000), min(due))
    finish(protocol, now)
    return heard


@each_driver
def test_what_its_own_device_side_says_is_heard_and_nothing_else(driver: Driver) -> None:
    heard = converse(driver, seconds(60))
    spoken = set(meaning(said(driver, 3)))
    told = {(metric, value) for metric, value, _ in heard if metric in driver.round_trip}
    present = {(metric, value) for metric, value in told if value is not None}
    assert present == spoken
    assert all(validity is Validity.VALID for _, value, validity in heard if value is not None)


@each_driver
def test_its_device_side_has_a_rhythm_without_bursts(driver: Driver) -> None:
    device = driver.open_device()
    device.say(said(driver, 1), OPENING)
    for _ in range(200):
        due = device.wake_at
        if due is None:
            break
        device.wake(due)
        assert device.wake_at is None or device.wake_at > due
        device.take_outgoing()
    late = instant_at(100_000)
    device.wake(late)
    assert len(list(device.take_outgoing())) < 60, "a long sleep is not made up for"


@each_driver
def test_what_it_claims_is_described(driver: Driver) -> None:
    for metric in driver.metrics:
        assert describe(metric).mdc.startswith("MDC_")
