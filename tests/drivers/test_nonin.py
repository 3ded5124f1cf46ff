"""Oddities of the Nonin formats."""

import pytest

from drivers.contract import OptionError, finish
from drivers.devices.nonin import DRIVER, NoninProtocol, open_nonin
from drivers.parts.nonin_module import NoninDevice, encode
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.metric import Metric

NOW = Instant(7)


def values(events: object) -> dict[Metric, tuple[float | None, Validity]]:
    assert isinstance(events, list | tuple)
    return {
        each.metric: (each.value, each.validity) for each in events if isinstance(each, Observation)
    }


def notices(events: object) -> list[tuple[NoticeKind, bool]]:
    assert isinstance(events, list | tuple)
    return [(each.notice, each.present) for each in events if isinstance(each, DeviceNotice)]


def packet(spo2: float | None, rate: float | None, *states: NoticeKind) -> bytes:
    said: list[DeviceEvent] = [DeviceNotice(each, NOW) for each in states]
    return encode([*said, observe(Metric.SPO2, spo2, NOW), observe(Metric.PULSE_RATE, rate, NOW)])


def alone(data: bytes) -> bytes:
    """The packet without the first frame of the next one."""
    return data[:125]


def as_seven(data: bytes) -> bytes:
    """The same frames in format 7: the pleth byte becomes the high one of two."""
    frames = (data[at : at + 5] for at in range(0, len(data), 5))
    bodies = (bytes([frame[1], frame[2], 0, frame[3]]) for frame in frames)
    return b"".join(body + bytes([sum(body) & 0xFF]) for body in bodies)


@pytest.mark.parametrize("rate", [72, 127, 128, 180, 255, 256, 300])
def test_a_pulse_above_127_is_not_cut_in_half(rate: int) -> None:
    assert values(NoninProtocol().receive(packet(97, rate), NOW))[Metric.PULSE_RATE][0] == rate


def test_format_seven_is_found_by_itself_and_read_alike() -> None:
    protocol = NoninProtocol()
    told = list(protocol.receive(as_seven(packet(95, 180)), NOW))
    assert values(told) == {
        Metric.SPO2: (95.0, Validity.VALID),
        Metric.PULSE_RATE: (180.0, Validity.VALID),
    }
    wave = next(each for each in told if isinstance(each, WaveformSegment))
    assert wave.samples == (128.0 * 256,) * 25
    assert wave.rate_hz == 75


@pytest.mark.hazard("H3")
def test_a_value_still_shown_after_the_sensor_came_off_does_not_count() -> None:
    held = packet(97, 72, NoticeKind.SENSOR_OFF)
    told = list(NoninProtocol().receive(held, NOW))
    assert values(told) == {
        Metric.SPO2: (None, Validity.NOT_AVAILABLE),
        Metric.PULSE_RATE: (None, Validity.NOT_AVAILABLE),
    }
    assert (NoticeKind.SENSOR_OFF, True) in notices(told)
    assert not [each for each in told if isinstance(each, WaveformSegment)]


@pytest.mark.hazard("H3")
def test_a_shown_value_whose_average_went_missing_does_not_count() -> None:
    frames = bytearray(packet(97, 72))
    for place, value in ((0, 0x03), (1, 0x7F), (2, 0x7F)):
        frames[place * 5 + 3] = value
        frames[place * 5 + 4] = sum(frames[place * 5 : place * 5 + 4]) & 0xFF
    assert values(NoninProtocol().receive(bytes(frames), NOW))[Metric.SPO2][0] is None


def test_out_of_track_is_told_and_taints_the_values() -> None:
    told = list(NoninProtocol().receive(packet(97, 72, NoticeKind.SEARCHING), NOW))
    assert (NoticeKind.SEARCHING, True) in notices(told)
    assert values(told)[Metric.SPO2] == (97.0, Validity.QUESTIONABLE)


def test_states_are_told_at_their_edges_only() -> None:
    protocol = NoninProtocol()
    protocol.receive(packet(97, 72), NOW)
    off = packet(97, 72, NoticeKind.SENSOR_OFF, NoticeKind.LOW_BATTERY)
    assert notices(list(protocol.receive(off, NOW))) == [
        (NoticeKind.SENSOR_OFF, True),
        (NoticeKind.LOW_BATTERY, True),
    ]
    assert not notices(list(protocol.receive(off, NOW)))
    assert notices(list(protocol.receive(packet(97, 72, NoticeKind.LOW_PERFUSION), NOW))) == [
        (NoticeKind.SENSOR_OFF, False),
        (NoticeKind.LOW_PERFUSION, True),
        (NoticeKind.LOW_BATTERY, False),
    ]


def test_a_lost_frame_costs_its_packet_because_the_places_shift() -> None:
    first, second, third = packet(97, 72), packet(96, 131), packet(95, 75)
    for lost in range(25):
        protocol = NoninProtocol()
        protocol.receive(first, NOW)
        torn = second[: lost * 5] + second[lost * 5 + 5 :]
        assert not values(list(protocol.receive(torn, NOW))), f"frame {lost} lost"
        heard = values(list(protocol.receive(third, NOW)))
        assert heard[Metric.SPO2][0] == 95.0


def test_a_frame_spoiled_in_place_costs_only_what_it_held() -> None:
    for spoiled in range(1, 25):
        data = bytearray(packet(97, 72))
        data[spoiled * 5 + 2] ^= 0x10
        told = list(NoninProtocol().receive(alone(packet(96, 70)) + bytes(data), NOW))
        told = told[next(at for at, each in enumerate(told) if isinstance(each, FrameRejected)) :]
        heard = values(told)
        assert (Metric.SPO2 in heard) == (spoiled != 8)
        assert (Metric.PULSE_RATE in heard) == (spoiled not in {19, 20})
        wave = next(each for each in told if isinstance(each, WaveformSegment))
        assert [place for place, each in enumerate(wave.samples) if each is None] == [spoiled]
        assert len([each for each in told if isinstance(each, FrameRejected)]) == 1


def test_a_flat_pleth_of_one_format_is_not_taken_for_the_other() -> None:
    protocol = NoninProtocol()
    flat = packet(97, 72)
    protocol.receive(flat[1:], NOW)
    told = [*protocol.receive(flat, NOW), *protocol.receive(flat, NOW)]
    assert values(told)[Metric.SPO2][0] == 97.0
    assert all(each.value in {97.0, 72.0} for each in told if isinstance(each, Observation))


def test_another_sensor_on_the_same_wire_is_heard_in_its_own_format() -> None:
    protocol = NoninProtocol()
    protocol.receive(packet(97, 72), NOW)
    other = as_seven(packet(95, 180))
    told = [values(list(protocol.receive(other, NOW))) for _ in range(20)]
    assert told[-1][Metric.SPO2][0] == 95.0


def test_the_firmware_is_told_once() -> None:
    protocol = NoninProtocol()
    told = [*protocol.receive(packet(97, 72), NOW), *protocol.receive(packet(97, 72), NOW)]
    details = [each.detail for each in told if isinstance(each, DeviceNotice)]
    assert details == ["format 2, firmware revision 0x30"]


@pytest.mark.parametrize(("size", "layout"), [(4, 8), (3, 1)])
def test_short_formats_are_read_where_an_option_asks(size: int, layout: int) -> None:
    protocol = open_nonin({"format": layout})
    stream = b"".join(
        bytes.fromhex(each)[:size] for each in ("80486100", "81345F00", "A07F7F00", "E37F7F08")
    )
    told = list(protocol.receive(b"\x11\x22" + stream[:5], NOW))
    told += protocol.receive(stream[5:], NOW)
    assert protocol.wake_at == NOW + seconds(0.2)
    told += protocol.wake(protocol.wake_at)
    heard = [(each.metric, each.value) for each in told if isinstance(each, Observation)]
    assert heard[:4] == [
        (Metric.SPO2, 97.0),
        (Metric.PULSE_RATE, 72.0),
        (Metric.SPO2, 95.0),
        (Metric.PULSE_RATE, 180.0),
    ]
    assert heard[-2:] == [(Metric.SPO2, None), (Metric.PULSE_RATE, None)]
    assert (NoticeKind.SENSOR_OFF, True) in notices(told)


def test_a_format_that_does_not_exist_is_refused() -> None:
    with pytest.raises(OptionError, match="format"):
        open_nonin({"format": 3})


def test_short_frames_on_a_live_line_are_never_guessed() -> None:
    protocol = NoninProtocol()
    told = [
        each for n in range(60) for each in protocol.receive(b"\x80\x48\x61\x00", instant_at(n))
    ]
    assert not values(told)
    assert any(isinstance(each, FrameRejected) for each in told)


def test_the_module_holds_its_display_for_ten_seconds_and_we_are_not_deceived() -> None:
    device, protocol = NoninDevice(), NoninProtocol()
    device.say(
        [observe(Metric.SPO2, 97, Instant(0)), observe(Metric.PULSE_RATE, 72, Instant(0))],
        Instant(0),
    )
    off: list[DeviceEvent] = [
        DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(2)),
        observe(Metric.SPO2, None, instant_at(2)),
        observe(Metric.PULSE_RATE, None, instant_at(2)),
    ]
    heard: list[tuple[int, float | None]] = []
    said_off = False
    while (now := device.wake_at) is not None and now < instant_at(15):
        if now >= instant_at(2) and not said_off:
            device.say(off, now)
            said_off = True
        device.wake(now)
        for piece in device.take_outgoing():
            told = values(list(protocol.receive(piece, now)))
            heard += [(now, told[Metric.SPO2][0])] if Metric.SPO2 in told else []
    assert [value for now, value in heard if now < instant_at(2)] == [97.0] * 5
    assert not [value for now, value in heard if now > instant_at(2.5) and value is not None]
    assert DRIVER.silence_limit > instant_at(1)


@pytest.mark.hazard("H3")
def test_a_packet_counts_when_the_next_one_begins_in_step() -> None:
    protocol = NoninProtocol()
    first, second = alone(packet(97, 72)), alone(packet(96, 131))
    assert not values(list(protocol.receive(first, instant_at(1))))
    told = list(protocol.receive(second[:5], instant_at(1.013)))
    assert values(told)[Metric.SPO2] == (97.0, Validity.VALID)
    assert {each.at for each in told} == {instant_at(1.013)}


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("spoiled", [False, True])
def test_a_packet_that_is_not_followed_in_step_is_refused(*, spoiled: bool) -> None:
    first, second = alone(packet(97, 72)), bytearray(packet(96, 131))
    if spoiled:  # the frame that would prove the first packet
        second[2] ^= 0x10
    else:
        del second[:5]
    told = list(NoninProtocol().receive(first + bytes(second) + first, NOW))
    assert not [each for each in told if isinstance(each, Observation) and each.value == 97.0]
    refused = {each.reason for each in told if isinstance(each, FrameRejected)}
    assert refused & {"no packet follows in step", "packet without beginning"}


@pytest.mark.hazard("H3")
def test_the_frame_that_proves_a_packet_does_not_come_a_second_later() -> None:
    protocol = NoninProtocol()
    data = packet(97, 72)
    protocol.receive(alone(data), instant_at(1))
    told = list(protocol.receive(data, instant_at(2)))
    assert [each.value for each in told if isinstance(each, Observation)] == [97.0, 72.0]
    assert [each.reason for each in told if isinstance(each, FrameRejected)] == [
        "no packet follows in step"
    ]


def test_the_last_packet_of_a_file_is_told_as_questionable() -> None:
    protocol = NoninProtocol()
    told = list(protocol.receive(alone(packet(97, 72)) + alone(packet(95, 180)), NOW))
    assert values(told)[Metric.SPO2] == (97.0, Validity.VALID)
    assert values(list(finish(protocol, NOW))) == {
        Metric.SPO2: (95.0, Validity.QUESTIONABLE),
        Metric.PULSE_RATE: (180.0, Validity.QUESTIONABLE),
    }
