"""Oddities of the Contec packets: two generations, no checksum, a device that wants to be asked."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import registry
from drivers.contract import OptionError
from drivers.devices.contec import DRIVER, ContecProtocol
from drivers.parts.contec_oximeter import ContecDevice, command, encode, with_high
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import (
    Wire,
    alarms,
    decoded,
    details,
    hear,
    notices,
    numerics,
    refusals,
    validities,
    values,
)

NOW = Instant(7)
START, ALIVE = (bytes.fromhex(each) for each in ("7D81A1808080808080", "7D81AF808080808080"))
NEW = bytes.fromhex("0180C6AA85C8E1AC81")
NEW_OFF = bytes.fromhex("01E980C090FFFFFFFF")
OLD = bytes.fromhex("852A064861")
OLD_FAST = bytes.fromhex("853346165F")
OLD_OFF = bytes.fromhex("9000200000")
few = settings(max_examples=60, deadline=None, derandomize=True)


def real_time(*numbers: int) -> bytes:
    return with_high(0x01, numbers)


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("contec", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


def test_commands_are_those_of_the_document() -> None:
    assert command(0xA1) == START
    assert command(0xA2) == bytes.fromhex("7D81A2808080808080")
    assert command(0xAF) == ALIVE


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (NEW, {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0, Metric.PERFUSION_INDEX: 3.0}),
        (OLD, {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0}),
        (OLD_FAST, {Metric.SPO2: 95.0, Metric.PULSE_RATE: 150.0}),
    ],
)
def test_twenty_packets_in_agreement_are_one_telling(
    packet: bytes, expected: dict[Metric, float]
) -> None:
    told = list(ContecProtocol().receive(packet * 20, NOW))
    assert values(told) == expected
    assert set(validities(told).values()) == {Validity.VALID}
    assert len([each for each in told if isinstance(each, Observation)]) == len(expected)
    (wave,) = [each for each in told if isinstance(each, WaveformSegment)]
    assert len(wave.samples) == 20
    assert set(wave.samples) == {float(packet[1 if len(packet) == 5 else 3] & 0x7F)}
    assert not refusals(told)


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("packet", [NEW_OFF, OLD_OFF, real_time(0x86, 42, 5, 72, 97, 44, 1)])
def test_a_finger_that_is_out_gives_no_numbers_though_packets_go_on(packet: bytes) -> None:
    protocol = ContecProtocol()
    told = [*protocol.receive(packet * 20, NOW), *protocol.receive(packet * 20, NOW)]
    assert set(values(told).values()) == {None}
    assert notices(told)[0] == (NoticeKind.SENSOR_OFF, True)
    assert [each for each in notices(told) if each[0] is NoticeKind.SENSOR_OFF] == notices(told)[:1]
    waves = [each for each in told if isinstance(each, WaveformSegment)]
    assert {sample for wave in waves for sample in wave.samples} == {None}


@pytest.mark.parametrize(
    ("packet", "alarm"),
    [
        (real_time(0x26, 42, 5, 72, 88, 44, 1), "spo2_low"),
        (bytes([0xA5, 42, 6, 72, 88]), "spo2_dropping"),
    ],
)
def test_its_own_alarms_have_stable_words(packet: bytes, alarm: str) -> None:
    calm = NEW if packet[0] == 1 else OLD
    told = hear(ContecProtocol(), calm * 20, packet * 20, calm * 20)
    assert alarms(told) == [(alarm, True), (alarm, False)]


@pytest.mark.parametrize("rate", [0, 127, 255])
def test_while_searching_a_pulse_that_has_not_settled_is_missing(rate: int) -> None:
    searching = real_time(6, 0x80 | 42, 5, rate, 97, 44, 1)
    told = hear(ContecProtocol(), searching * 20)
    assert values(told)[Metric.PULSE_RATE] is None
    assert validities(told)[Metric.SPO2] is Validity.QUESTIONABLE
    assert (NoticeKind.SEARCHING, True) in notices(told)
    settled = hear(ContecProtocol(), real_time(6, 42, 5, 127, 97, 44, 1) * 20)
    assert values(settled)[Metric.PULSE_RATE] == 127.0


def test_an_invalid_perfusion_index_is_missing_alone() -> None:
    told = hear(ContecProtocol(), real_time(6, 42, 0x15, 72, 97, 44, 1) * 20)
    assert values(told)[Metric.PERFUSION_INDEX] is None
    assert values(told)[Metric.SPO2] == 97.0


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("packet", [NEW, OLD_FAST])
def test_a_garbled_packet_is_never_a_reading(packet: bytes) -> None:
    expected = values(hear(ContecProtocol(), packet * 20))
    for at in range(len(packet)):
        for byte in range(256):
            damaged = packet[:at] + bytes([byte]) + packet[at + 1 :]
            for place in (0, 10, 19):
                protocol = ContecProtocol()
                stream = packet * place + damaged + packet * (40 - place)
                for piece in (stream[:97], stream[97:]):
                    heard = values(protocol.receive(piece, NOW))
                    assert all(expected.get(each) == value for each, value in heard.items())


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("packet", [NEW, OLD_FAST])
def test_lost_bytes_cost_packets_and_make_no_numbers(packet: bytes) -> None:
    chance = Random(4)
    expected = values(hear(ContecProtocol(), packet * 20))
    for _ in range(100):
        stream = bytearray(packet * 300)
        for _ in range(12):
            at = chance.randrange(len(stream))
            del stream[at : at + chance.randrange(1, 12)]
        told = ContecProtocol().receive(bytes(stream), NOW)
        assert values(told) == expected
        assert len([each for each in told if isinstance(each, WaveformSegment)]) >= 12
        heard = [each for each in told if isinstance(each, Observation)]
        assert all(expected[each.metric] == each.value for each in heard)


@pytest.mark.parametrize("packet", [NEW, OLD])
def test_a_capture_that_starts_inside_a_packet_is_read(packet: bytes) -> None:
    for at in range(1, len(packet)):
        told = hear(ContecProtocol(), packet[at:] + packet * 20)
        assert values(told)[Metric.SPO2] == 97.0


@pytest.mark.parametrize(
    "packet",
    [
        real_time(9, 42, 5, 72, 97, 44, 1),
        real_time(6, 42, 5, 72, 110, 44, 1),
        bytes([0x89, 42, 6, 72, 97]),
        bytes([0x85, 42, 6, 72, 101]),
    ],
)
def test_bits_that_cannot_be_refuse_the_packet(packet: bytes) -> None:
    told = hear(ContecProtocol(), packet * 20)
    assert not values(told)
    assert refusals(told) == ["no such reading"] * 20


def test_a_pause_breaks_what_was_begun() -> None:
    told = hear(ContecProtocol(), NEW * 19, NEW[:4], NEW[4:] + NEW * 19)
    assert "packet cut short" in refusals(told)
    assert not [each for each in told if getattr(each, "validity", "") is Validity.VALID]


def test_answers_nobody_asked_for_are_passed_over_and_unknown_ones_told_once() -> None:
    stream = with_high(0x0B, (0xA1, 5)) + NEW + with_high(0x13, (1, 2, 3)) + NEW
    stream += with_high(0x33, range(7)) + NEW + with_high(0x33, range(7)) + NEW
    told = hear(ContecProtocol(), stream)
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["packet type 13", "packet type 33"]
    assert not refusals(told)


def test_a_device_that_leaves_says_why_and_is_well_when_it_is_back() -> None:
    told = hear(ContecProtocol(), NEW * 20 + with_high(0x0D, (1,)) + NEW * 20)
    faults = [each for each in told if getattr(each, "notice", "") == NoticeKind.DEVICE_FAULT]
    assert [getattr(each, "present", None) for each in faults] == [True, False]
    assert "shutting down" in details(told, NoticeKind.DEVICE_FAULT)[0]


@few
@given(st.binary(max_size=400))
def test_hostile_bytes_never_agree(noise: bytes) -> None:
    told = ContecProtocol().receive(noise, NOW)
    assert not values(told)
    assert len(told) <= 1 + len(noise) // 2


def wire_of(**options: object) -> Wire:
    device = ContecDevice()
    spoken: list[DeviceEvent] = [
        observe(Metric.SPO2, 97, Instant(0)),
        observe(Metric.PULSE_RATE, 72, Instant(0)),
    ]
    device.say(spoken, Instant(0))
    return Wire(ContecProtocol(options), device)


def test_the_device_is_started_and_kept_alive() -> None:
    wire = wire_of()
    told = wire.run(60)
    sent = [piece for _, piece in wire.sent]
    assert sent == [START] + [ALIVE] * 12
    assert 175 <= len([each for each in told if isinstance(each, WaveformSegment)]) <= 181


def test_a_silent_device_is_asked_again_every_two_seconds() -> None:
    wire = wire_of()
    wire.device = None
    wire.run(10.5)
    assert [piece for _, piece in wire.sent] == [START] * 6


def test_a_device_that_stopped_is_started_again() -> None:
    wire = wire_of()
    wire.run(3)
    assert wire.device is not None
    wire.device.receive(command(0xA2), wire.now)
    told = wire.run(8)
    assert [piece for _, piece in wire.sent].count(START) == 2
    assert values(told)[Metric.SPO2] == 97.0


def test_to_an_old_device_nothing_is_sent() -> None:
    protocol = ContecProtocol({"generation": "old"})
    assert protocol.wake_at is None
    heard = ContecProtocol()
    heard.receive(OLD * 20, instant_at(1))
    assert heard.wake_at is None
    with pytest.raises(OptionError, match="generation"):
        ContecProtocol({"generation": "v9"})


def test_states_survive_encoding() -> None:
    said: list[DeviceEvent] = [
        DeviceNotice(NoticeKind.SENSOR_OFF, NOW),
        DeviceAlarm("spo2_low", NOW),
        observe(Metric.SPO2, 97, NOW),
    ]
    told = hear(ContecProtocol(), encode(said))
    assert notices(told) == [(NoticeKind.SENSOR_OFF, True)]
    assert values(told)[Metric.SPO2] is None


@pytest.mark.hazard("H3")
def test_bytes_of_another_device_are_never_in_agreement() -> None:
    """Waves and numerics of a Capnostream now and then look like packets of five bytes."""
    capnostream = registry.get("capnostream")
    stream = [each.data for each in capnostream.vectors] * 3
    stream += [capnostream.encode([observe(Metric.SPO2, n, NOW)]) for n in range(70, 100)]
    assert not values(hear(ContecProtocol(), *stream, every_s=0.1))
