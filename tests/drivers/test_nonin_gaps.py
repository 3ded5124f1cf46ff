"""Whatever whole frames a Nonin's line loses or says twice: no number lands in another's place."""

import pytest

from drivers.devices.nonin import DRIVER
from monitor.model.event import DeviceEvent, FrameRejected, Observation, Validity
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from tests.conformance.gear import open_plain

FRAME = 5
SPOKEN = ((97.0, 58.0), (96.0, 59.0), (95.0, 60.0), (94.0, 61.0))


def packets(offset: float = 0.0) -> list[bytes]:
    return [
        DRIVER.encode(
            [
                Observation(Metric.SPO2, spo2, Validity.VALID, Instant(0)),
                Observation(Metric.PULSE_RATE, rate + offset, Validity.VALID, Instant(0)),
            ]
        )[: 25 * FRAME]
        for spo2, rate in SPOKEN
    ]


def heard(stream: bytes) -> list[DeviceEvent]:
    return list(open_plain(DRIVER).receive(stream, instant_at(1)))


def strangers(events: list[DeviceEvent], offset: float) -> list[DeviceEvent]:
    """Return the readings that the device never said.

    Between the two halves of a rate, a gap of one certain length takes its low bits away and leaves
    every other place plausible: 128 for a true 133. Nothing in the packet tells.
    """
    near = {Metric.SPO2: 0.0, Metric.PULSE_RATE: 10.0}
    said = [
        *((Metric.SPO2, spo2) for spo2, _ in SPOKEN),
        *((Metric.PULSE_RATE, rate + offset) for _, rate in SPOKEN),
    ]
    return [
        each
        for each in events
        if isinstance(each, Observation)
        and each.value is not None
        and not any(
            metric is each.metric and abs(value - each.value) <= near[metric]
            for metric, value in said
        )
    ]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("offset", [0, 75, 150])
def test_a_gap_of_whole_frames_puts_no_number_in_the_place_of_another(offset: float) -> None:
    frames = b"".join(packets(offset))
    count = len(frames) // FRAME
    for first in range(25, count):
        for after in range(first + 1, min(count, first + 40)):
            stream = frames[: first * FRAME] + frames[after * FRAME :]
            told = heard(stream)
            assert not strangers(told, offset), f"frames {first} to {after} lost"


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("offset", [0, 75, 150])
def test_frames_said_twice_put_no_number_in_the_place_of_another(offset: float) -> None:
    frames = b"".join(packets(offset))
    for first in range(25, 75):
        for count in range(1, 25):
            piece = frames[first * FRAME : (first + count) * FRAME]
            stream = frames[: (first + count) * FRAME] + piece + frames[(first + count) * FRAME :]
            told = heard(stream)
            assert not strangers(told, offset), f"{count} frames from {first} said twice"


def test_a_packet_whose_places_cannot_be_is_refused_with_its_values() -> None:
    first, second = packets()[0], packets(75)[1]
    torn = first[: 20 * FRAME] + second[20 * FRAME :]  # a gap that takes 25 frames
    told = heard(torn + packets()[2])
    refused = [each for each in told if isinstance(each, FrameRejected)]
    assert [(each.reason, each.frame[:3]) for each in refused] == [
        ("packet out of step", bytes([0, 58, 97]))
    ]
    assert not strangers(told, 0)
