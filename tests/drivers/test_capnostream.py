"""Oddities of the Capnostream protocol."""

import pytest

from drivers.checksums import exclusive_or
from drivers.contract import OptionError
from drivers.devices.capnostream import CapnostreamProtocol
from drivers.parts.capnostream_monitor import CapnostreamDevice, command, event_name, frame
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric

NOW = instant_at(5)
QUIET = bytes.fromhex(
    "65 53 F1 00 26 00 0E 61 48 00 00 00 00 00 00 00 3C 0F 1E 05 08 64 55 8C 32 01 00"
)


def numerics(**places: int) -> bytes:
    """The quiet message with bytes changed: p10=... is byte 10 of the manual's table."""
    body = bytearray(QUIET)
    for place, value in places.items():
        body[int(place[1:]) - 1] = value
    return frame(0x01, bytes(body))


def wave(counter: int, status: int = 0, whole: int = 38) -> bytes:
    return frame(0x00, bytes([counter & 0xFF, whole, 0, status]))


def value(events: list[DeviceEvent], metric: Metric) -> tuple[float | None, Validity]:
    found = [each for each in events if isinstance(each, Observation) and each.metric is metric]
    assert len(found) == 1
    return found[0].value, found[0].validity


def hear(protocol: CapnostreamProtocol, data: bytes, now: Instant = NOW) -> list[DeviceEvent]:
    return list(protocol.receive(data, now))


def notices(events: list[DeviceEvent]) -> list[tuple[NoticeKind, bool]]:
    return [(each.notice, each.present) for each in events if isinstance(each, DeviceNotice)]


def test_commands_are_those_of_the_manual() -> None:
    printed = {1: "85010100", 4: "85010405", 5: "85010504", 2: "85010203", 6: "85010607"}
    for code, text in printed.items():
        assert command(code) == bytes.fromhex(text)


def test_the_conversation_enables_starts_and_keeps_alive() -> None:
    protocol = CapnostreamProtocol()
    assert protocol.wake_at == OPENING
    protocol.wake(OPENING)
    assert protocol.take_outgoing() == [command(1)]
    protocol.wake(instant_at(1.5))
    assert protocol.take_outgoing() == [command(1)]
    told = hear(protocol, frame(4, b"V04.55 06/11/2009 B201123456  "), instant_at(2))
    assert protocol.take_outgoing() == [command(0x15)]
    named = [event_name(number) for number in range(1, 31)]
    assert not hear(protocol, b"".join(named[:-1]), instant_at(2))
    assert not protocol.take_outgoing()
    assert not hear(protocol, named[-1], instant_at(2))
    assert protocol.take_outgoing() == [command(4)]
    assert [each.detail for each in told if isinstance(each, DeviceNotice)] == [
        "software V04.55 of 06/11/2009, oximeter Nellcor (B2)"
    ]
    sent: list[bytes] = []
    for count in range(40, 160):
        now = instant_at(count / 20)
        hear(protocol, wave(count), now)
        protocol.wake(now)
        sent += protocol.take_outgoing()
    assert sent == [command(6)]
    assert protocol.wake_at == instant_at(159 / 20 + 0.9)
    protocol.wake(instant_at(159 / 20 + 0.9))
    assert protocol.take_outgoing() == [command(1)]


def test_noise_is_no_sign_of_life() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, wave(1), instant_at(1))
    due = protocol.wake_at
    hear(protocol, b"\x11" * 50, instant_at(1.5))
    assert protocol.wake_at == due


def test_the_serial_number_is_told_to_nobody() -> None:
    told = hear(CapnostreamProtocol(), frame(4, b"V04.55 06/11/2009 B201123456  "))
    assert "123456" not in repr(told)
    assert "123456" not in repr(
        hear(CapnostreamProtocol(), frame(2, b"0000" + b"NAME 123456".ljust(24)))
    )


@pytest.mark.parametrize(
    ("unit", "raw", "expected", "trust"),
    [
        (1, 38, 38.0, Validity.VALID),
        (2, 50, 37.5, Validity.VALID),
        (3, 50, 38.0, Validity.QUESTIONABLE),
        (1, 0, 0.0, Validity.VALID),
    ],
)
def test_co2_is_told_in_mmhg_whatever_the_monitor_shows(
    unit: int, raw: int, expected: float, trust: Validity
) -> None:
    told = hear(CapnostreamProtocol(), numerics(p5=raw, p26=unit))
    assert value(told, Metric.ETCO2) == (expected, trust)
    assert ((NoticeKind.UNIT_CONVERTED, True) in notices(told)) == (unit != 1)


def test_ambient_pressure_is_an_option_within_reason() -> None:
    told = hear(CapnostreamProtocol({"ambient_mmhg": 700}), numerics(p5=50, p26=3))
    assert value(told, Metric.ETCO2)[0] == 35.0
    with pytest.raises(OptionError, match="ambient_mmhg"):
        CapnostreamProtocol({"ambient_mmhg": 101})


def test_no_wave_is_told_before_its_unit_is_known() -> None:
    protocol = CapnostreamProtocol()
    told = [each for n in range(30) for each in hear(protocol, wave(n, whole=50))]
    assert not told
    hear(protocol, numerics(p26=2))
    told = hear(protocol, wave(30, whole=50))
    assert [each.samples for each in told if isinstance(each, WaveformSegment)] == [
        (37.5,) * 5 + (37.5,)
    ]


def test_lost_wave_messages_are_a_hole_and_a_notice() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    told = [each for n in (254, 255, 2) for each in hear(protocol, wave(n))]
    assert [each.detail for each in told if isinstance(each, DeviceNotice)] == [
        "2 CO2 wave messages"
    ]
    segments = [each.samples for each in told if isinstance(each, WaveformSegment)]
    assert segments == [(38.0, 38.0, None, None, 38.0)]


def test_a_long_gap_breaks_the_strip_and_is_told_in_full() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    told = [each for n in (0, 1, 202, 203, 204, 205, 206) for each in hear(protocol, wave(n))]
    details = [each.detail for each in told if isinstance(each, DeviceNotice)]
    assert details == ["200 CO2 wave messages"]
    assert [len(each.samples) for each in told if isinstance(each, WaveformSegment)] == [5]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x02, NoticeKind.WARMING_UP),
        (0x04, NoticeKind.OCCLUSION),
        (0x10, NoticeKind.AUTO_ZERO),
        (0x20, NoticeKind.PURGING),
        (0x40, NoticeKind.SAMPLE_LINE_OFF),
        (0x80, NoticeKind.CO2_FAULT),
    ],
)
@pytest.mark.hazard("H1")
def test_a_state_of_the_gas_path_is_told_and_its_samples_are_not(
    status: int, kind: NoticeKind
) -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    told = [each for n in range(5) for each in hear(protocol, wave(n, status, whole=0))]
    assert notices(told) == [(kind, True)]
    assert [each.samples for each in told if isinstance(each, WaveformSegment)] == [(None,) * 5]
    assert notices(hear(protocol, wave(5, 0x08))) == [(kind, False)]


@pytest.mark.hazard("H1")
def test_an_apnoea_is_the_bit_and_not_the_missing_number() -> None:
    protocol = CapnostreamProtocol()
    missing = hear(protocol, numerics(p5=0xFF, p6=0xFF, p7=0xFF))
    assert value(missing, Metric.RESP_RATE) == (None, Validity.NOT_AVAILABLE)
    assert not [each for each in missing if isinstance(each, DeviceAlarm)]
    told = hear(protocol, numerics(p5=0xFF, p7=0xFF, p10=0x08, p14=0x01, p16=25))
    alarms = [each for each in told if isinstance(each, DeviceAlarm)]
    assert [(each.alarm, each.present, each.metric) for each in alarms] == [
        ("no_breath", True, Metric.RESP_RATE)
    ]
    assert alarms[0].detail == "no breath for 25 s; monitor sounds high priority"
    ended = [each for each in hear(protocol, numerics()) if isinstance(each, DeviceAlarm)]
    assert [(each.alarm, each.present) for each in ended] == [("no_breath", False)]


@pytest.mark.hazard("H3")
def test_a_saturation_printed_beside_sensor_off_does_not_count() -> None:
    told = hear(CapnostreamProtocol(), numerics(p15=0x20))
    assert value(told, Metric.SPO2) == (None, Validity.NOT_AVAILABLE)
    assert (NoticeKind.SENSOR_OFF, True) in notices(told)


@pytest.mark.parametrize("shifted", [QUIET[1:] + b"\x00", b"\x00" + QUIET[:-1]])
def test_a_message_shifted_by_a_byte_is_refused_although_its_sum_fits(shifted: bytes) -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    told = hear(protocol, frame(0x01, shifted))
    assert [type(each) for each in told] == [FrameRejected]


def test_a_clock_far_off_is_refused_once_and_believed_when_it_stays() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    assert isinstance(hear(protocol, numerics(p1=0x53))[0], FrameRejected)
    assert value(hear(protocol, numerics(p1=0x53)), Metric.ETCO2)[0] == 38.0


def test_what_is_not_ours_to_read_is_left_alone_and_the_unknown_is_told_once() -> None:
    protocol = CapnostreamProtocol()
    for code in (0x02, 0x0C, 0x03, 0x39, 0x3A):
        assert not hear(protocol, frame(code, b"x" * 8))
    assert notices(hear(protocol, frame(0x77, b"x"))) == [(NoticeKind.UNKNOWN_FIELD, True)]
    assert not hear(protocol, frame(0x77, b"x"))
    assert isinstance(hear(protocol, frame(0x01, b"short"))[0], FrameRejected)


def test_a_battery_pump_or_calibration_is_told_at_its_edges() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, numerics())
    told = notices(hear(protocol, numerics(p27=0x85, p10=0x02)))
    assert told == [
        (NoticeKind.AUDIO_PAUSED_AT_DEVICE, True),
        (NoticeKind.CHECK_CALIBRATION, True),
        (NoticeKind.DEVICE_FAULT, True),
        (NoticeKind.LOW_BATTERY, True),
    ]
    assert all(not present for _, present in notices(hear(protocol, numerics())))


def test_the_monitors_side_waits_to_be_started() -> None:
    device = CapnostreamDevice()
    device.say([observe(Metric.ETCO2, 38, OPENING)], OPENING)
    due = [device.wake_at]
    for sent in (command(4), command(1) + command(4), command(5)):
        device.receive(sent, OPENING)
        due.append(device.wake_at)
        device.wake(OPENING)
    assert due == [None, None, OPENING, None]
    assert len(device.take_outgoing()) == 3
    assert exclusive_or(command(5)[1:]) == 0
