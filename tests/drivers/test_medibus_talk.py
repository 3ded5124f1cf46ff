"""The MEDIBUS conversation: calls, questions in turn, pauses, long answers, silence."""

from drivers.devices.medibus import MedibusProtocol
from drivers.parts.medibus_device import MedibusDevice
from drivers.parts.medibus_frames import Code, answer, command
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    observe,
)
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.metric import NIBP, Metric
from tests.drivers.hearing import Wire, alarms, details, notices, refusals, values

NOW = Instant(7)
VENDOR = bytes.fromhex("01 24 45 42 20 39 38 20 45 31 20 37 30 20 37 41 0D")
IDENTITY = bytes.fromhex(
    "01 52 38 33 30 30 27 43 61 70 6E 6F 73 61 74 27 30 31 2E 30 30 3A 30 33 2E 30 30 42 46 0D"
)


def measured(items: str) -> bytes:
    return answer(Code.MEASURED_1, items.encode())


def wire_of() -> Wire:
    device = MedibusDevice()
    spoken = (
        (Metric.SPO2, 97.0),
        (Metric.ETCO2, 38.0),
        *zip(NIBP, (118.0, 76.0, 90.0), strict=True),
    )
    device.say([observe(metric, value, NOW) for metric, value in spoken], NOW)
    return Wire(MedibusProtocol(), device)


def test_a_device_is_called_answered_and_then_asked_in_turn() -> None:
    wire = wire_of()
    told = wire.run(70)
    sent = [piece for _, piece in wire.sent]
    assert sent[0] in {command(Code.INIT), answer(Code.INIT)}
    assert answer(Code.IDENTITY, b"0161'Vigil'01.00:03.00") in sent
    assert sent.count(command(Code.IDENTITY)) <= 2
    assert 60 <= sent.count(command(Code.MEASURED_1)) <= 72
    assert sent.count(command(Code.DATE)) == 2
    assert sent.count(answer(Code.NOP)) > 5, "commands inside answers are answered"
    assert not refusals(told)
    assert values(told)[Metric.ETCO2] == 38.0
    assert details(told, NoticeKind.DEVICE_IDENTITY)[0].startswith("Capnosat (8300)")


def test_the_device_learns_who_we_are() -> None:
    protocol = MedibusProtocol()
    protocol.receive(command(Code.IDENTITY), NOW)
    (sent,) = protocol.take_outgoing()
    assert sent == answer(Code.IDENTITY, b"0161'Vigil'01.00:03.00")


def test_every_command_is_answered_even_one_nobody_knows() -> None:
    for code in (0x51, 0x55, 0x24, 0x2B, 0x49, 0x53, 0x56, 0x6A, 0x7E):
        protocol = MedibusProtocol()
        protocol.receive(command(code), NOW)
        assert answer(code) in protocol.take_outgoing()


def test_states_of_the_device_side_arrive() -> None:
    wire = wire_of()
    wire.run(5)
    assert wire.device is not None
    said: list[DeviceEvent] = [
        DeviceNotice(NoticeKind.SENSOR_OFF, wire.now),
        DeviceAlarm("no_breath", wire.now),
    ]
    wire.device.say(said, wire.now)
    told = wire.run(9)
    assert notices(told) == [(NoticeKind.SENSOR_OFF, True)]
    assert alarms(told) == [("no_breath", True)]
    assert values(told)[Metric.SPO2] is None


def test_a_silent_device_is_called_every_three_seconds() -> None:
    wire = wire_of()
    wire.device = None
    wire.run(10)
    assert [(in_seconds(at), piece) for at, piece in wire.sent] == [
        (float(s), command(Code.INIT)) for s in (0, 3, 6, 9)
    ]


def test_a_device_that_comes_back_is_asked_again() -> None:
    wire = wire_of()
    wire.run(5)
    device, wire.device = wire.device, None
    wire.run(20)
    wire.device = device
    told = wire.run(30)
    assert values(told)[Metric.SPO2] == 97.0


def test_a_question_refused_or_lost_is_repeated_and_then_begun_anew() -> None:
    protocol = MedibusProtocol()
    protocol.receive(command(Code.INIT), NOW)
    protocol.take_outgoing()
    sent: list[bytes] = []
    for _ in range(5):
        now = protocol.wake_at or NOW
        protocol.wake(now)
        sent += protocol.take_outgoing()
        protocol.receive(answer(Code.NAK), now)
    assert sent[:4] == [command(Code.IDENTITY)] * 3 + [command(Code.INIT)]


def test_a_pause_the_device_asked_for_is_kept_for_three_seconds_at_most() -> None:
    wire = wire_of()
    wire.run(5)
    wire.told += wire.protocol.receive(b"\x11", wire.now)
    begun = len(wire.sent)
    wire.run(7.5)
    assert len(wire.sent) == begun
    wire.told += wire.protocol.receive(b"\x13", wire.now)
    wire.run(8)
    assert len(wire.sent) > begun
    wire.told += wire.protocol.receive(b"\x11", wire.now)
    begun = len(wire.sent)
    wire.run(12)
    assert len(wire.sent) > begun


def test_a_long_answer_is_waited_for() -> None:
    protocol = MedibusProtocol()
    long = measured("".join(f"{code:02X} 1.0" for code in range(0x30, 0xFF)))
    told: list[DeviceEvent] = []
    for number, byte in enumerate(long + VENDOR):
        now = instant_at(number / 100)
        while protocol.wake_at is not None and protocol.wake_at <= now:
            told += protocol.wake(protocol.wake_at)
            protocol.take_outgoing()
        told += protocol.receive(bytes([byte]), now)
    assert not refusals(told)
    assert values(told)[Metric.SPO2] == 98.0


def test_a_question_is_not_repeated_while_its_long_answer_comes() -> None:
    protocol = MedibusProtocol()
    protocol.receive(command(Code.INIT), NOW)
    sent: list[bytes] = []
    long = measured("".join(f"{code:02X} 1.0" for code in range(0x30, 0x80)))
    at = 0
    for number in range(900):
        now = instant_at(number / 100)
        while protocol.wake_at is not None and protocol.wake_at <= now:
            protocol.wake(protocol.wake_at)
        for piece in protocol.take_outgoing():
            sent.append(piece)
            if piece == command(Code.IDENTITY):
                protocol.receive(IDENTITY, now)
            elif piece == command(Code.ALARMS_1):
                protocol.receive(answer(Code.ALARMS_1), now)
        if command(Code.MEASURED_1) in sent and at < len(long):
            protocol.receive(long[at : at + 1], now)
            at += 1
    assert at == len(long)
    between = sent[sent.index(command(Code.MEASURED_1)) + 1 :]
    assert between[0] == command(Code.ALARMS_2), "the next question, not the same again"
