"""What a Capnostream keeps and is told by people: marks, limits, the stored trend."""

from collections.abc import Sequence

import pytest

from drivers.contract import finish
from drivers.devices.capnostream import CapnostreamProtocol
from drivers.parts.capnostream_monitor import CapnostreamDevice, command, event_name, frame
from drivers.parts.capnostream_trend import END_OF_PATIENT
from monitor.model.event import NoticeKind, Observation, Validity, WaveformSegment, observe
from monitor.model.instant import OPENING, Instant, in_seconds, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import Wire, details, refusals, values
from tests.drivers.test_capnostream import hear, numerics, wave

OPENED_S = 1_700_000_000
HOST = NoticeKind.HOST_MESSAGE


def record(ago_s: int, *numbers: int, newest_s: int = OPENED_S + 600) -> bytes:
    return (newest_s - ago_s).to_bytes(4, "big") + bytes(numbers)


def trend(counter: int, *records: bytes, unit: int = 1) -> bytes:
    return frame(0x37, bytes([counter, unit]) + b"".join(records))


def stored(told: Sequence[object]) -> list[tuple[Metric, float | None, float]]:
    return [
        (each.metric, each.value, in_seconds(each.taken))
        for each in told
        if isinstance(each, Observation) and each.taken is not None
    ]


# --- marks and limits ----------------------------------------------------------------------------


def test_a_mark_is_told_once_with_its_name() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, frame(4, b"V04.55 06/11/2009 B201123456  ") + numerics())
    hear(protocol, event_name(3) + frame(0x16, b"\x04" + "MÉDIC".ljust(11).encode("utf-16-be")))
    told = [*hear(protocol, numerics(p11=3, p12=0xFF)), *hear(protocol, numerics(p11=3))]
    told += hear(protocol, numerics(p11=4, p13=9))
    told += hear(protocol, numerics())
    assert details(told, HOST) == [
        "marked: event 3: SUCTION",
        "marked: quick event",
        "marked: event 4: MÉDIC",
        "marked: event 9",
    ]


@pytest.mark.parametrize("body", [b"", b"\x00" + b"x" * 11, b"\x1f" + b"x" * 11, b"\x01x"])
def test_a_name_without_its_form_is_refused(body: bytes) -> None:
    assert refusals(hear(CapnostreamProtocol(), frame(0x15, body))) == [
        "event name without its form"
    ]


def test_the_monitors_own_limits_are_told_once_and_when_they_change() -> None:
    protocol = CapnostreamProtocol()
    told = [*hear(protocol, numerics()), *hear(protocol, numerics())]
    told += hear(protocol, numerics(p17=50))
    told += hear(protocol, numerics(p17=50, p10=1, p26=2))
    common = "respiration 5 to 30, SpO2 85 to 100, pulse 50 to 140"
    assert details(told, HOST) == [
        f"set for an adult; its alarm limits: EtCO2 15 to 60 mmHg, FiCO2 8 mmHg, {common}",
        f"set for an adult; its alarm limits: EtCO2 15 to 50 mmHg, FiCO2 8 mmHg, {common}",
        f"set for a newborn; its alarm limits: EtCO2 1.5 to 5 kPa, FiCO2 0.8 kPa, {common}",
    ]


def test_a_monitor_that_does_not_know_the_names_is_started_all_the_same() -> None:
    protocol = CapnostreamProtocol()
    hear(protocol, frame(4, b"V04.55 06/11/2009 B201123456  "), instant_at(1))
    assert protocol.take_outgoing() == [command(0x15)]
    assert protocol.wake_at == instant_at(2)
    protocol.wake(instant_at(2))
    assert protocol.take_outgoing() == [command(4)]
    plain = CapnostreamProtocol({"event_names": False})
    hear(plain, frame(4, b"V04.55 06/11/2009 B201123456  "), instant_at(1))
    assert plain.take_outgoing() == [command(4)]


# --- the stored trend ----------------------------------------------------------------------------


def downloading() -> CapnostreamProtocol:
    options = {"trend": True, "event_names": False, "opened_utc_s": float(OPENED_S)}
    protocol = CapnostreamProtocol(options)
    hear(protocol, frame(4, b"V04.55 06/11/2009 B201123456  "), instant_at(600))
    assert protocol.take_outgoing() == [command(0x36)]
    return protocol


def test_what_was_stored_is_told_as_old_with_its_moment_and_then_the_stream_starts() -> None:
    protocol = downloading()
    first = trend(7, record(60, 38, 0, 14, 97, 72), record(30, 40, 1, 0xFF, 96, 0xFF))
    assert not hear(protocol, first, instant_at(600.1))
    assert protocol.wake_at == instant_at(601.1)
    told = list(protocol.wake(instant_at(601.1)))
    assert stored(told)[:5] == [
        (Metric.ETCO2, 38.0, 540.0),
        (Metric.FICO2, 0.0, 540.0),
        (Metric.RESP_RATE, 14.0, 540.0),
        (Metric.SPO2, 97.0, 540.0),
        (Metric.PULSE_RATE, 72.0, 540.0),
    ]
    assert [each[:2] for each in stored(told)[5:]] == [
        (Metric.ETCO2, 40.0),
        (Metric.FICO2, 1.0),
        (Metric.SPO2, 96.0),
    ]
    assert {each.validity for each in told if isinstance(each, Observation)} == {
        Validity.QUESTIONABLE
    }
    assert {each.at for each in told} == {instant_at(601.1)}
    assert protocol.take_outgoing() == [command(0x37)]
    protocol.wake(instant_at(602.1))
    assert protocol.take_outgoing() == [command(4)]


@pytest.mark.hazard("H7")
def test_only_the_last_patient_and_only_this_session_count() -> None:
    protocol = downloading()
    before_us = record(601, 50, 0, 10, 90, 60)
    other = record(90, 61, 0, 20, 80, 130)
    hear(protocol, trend(0, other, END_OF_PATIENT, before_us), instant_at(600.1))
    hear(protocol, trend(1, record(30, 40, 1, 12, 96, 70)), instant_at(600.2))
    told = list(protocol.wake(instant_at(601.2)))
    assert {value for _, value, _ in stored(told)} == {40.0, 1.0, 12.0, 96.0, 70.0}


def test_a_clock_that_is_wrong_is_set_right_by_the_numerics_heard_before() -> None:
    protocol = downloading()
    hear(protocol, numerics() + wave(1), instant_at(599))  # its clock stands at OPENED_S
    hear(protocol, trend(0, record(610, 40, 1, 12, 96, 70)), instant_at(600.1))
    told = list(protocol.wake(instant_at(601.1)))
    assert stored(told)[0] == (Metric.ETCO2, 40.0, 589.0)


def test_stored_marks_and_alarms_are_told_in_words() -> None:
    protocol = downloading()
    hear(protocol, event_name(1), instant_at(600))
    rows = (record(60, 0xFC, 1, 7, 0, 0), record(30, 0xFD, 1, 0xFF, 0, 0), record(20, 0xFC, 99))
    hear(protocol, trend(0, *rows[:2]), instant_at(600))
    told = list(protocol.wake(instant_at(601)))
    assert details(told, HOST) == [
        "stored alarm of 61 s ago: no breath",
        "stored alarm of 61 s ago: SpO2 low",
        "stored mark of 31 s ago: event 1: MEDS GIVEN",
        "stored mark of 31 s ago: quick event",
    ]
    assert not stored(told)


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_stored_co2_comes_in_the_unit_of_its_message(unit: int) -> None:
    protocol = downloading()
    hear(protocol, trend(0, record(60, 50, 0, 14, 97, 72), unit=unit), instant_at(600))
    told = list(protocol.wake(instant_at(601)))
    assert values(told)[Metric.ETCO2] == {1: 50.0, 2: 37.5, 3: 38.0}[unit]


def test_lost_and_torn_trend_messages_are_told() -> None:
    protocol = downloading()
    told = hear(protocol, trend(0, record(60, 38, 0, 14, 97, 72)), instant_at(600))
    told += hear(protocol, trend(3, record(30, 38, 0, 14, 97, 72)), instant_at(600))
    told += hear(protocol, frame(0x37, b"\x04\x01" + b"x" * 8), instant_at(600))
    told += hear(protocol, frame(0x37, b"\x04\x09" + b"x" * 9), instant_at(600))
    assert details(told, NoticeKind.MESSAGES_LOST) == ["2 trend messages"]
    assert refusals(told) == ["trend without its form"] * 2


def test_a_download_without_end_is_ended() -> None:
    protocol = downloading()
    now = instant_at(600)
    for count in range(200):
        now = Instant(instant_at(600) + count * instant_at(0.5))
        hear(protocol, trend(count & 0xFF, record(60, 38, 0, 14, 97, 72)), now)
        protocol.wake(now)
        if protocol.take_outgoing() == [command(0x37)]:
            break
    assert now == instant_at(660)


def test_a_file_of_a_download_is_read_without_any_clock() -> None:
    protocol = CapnostreamProtocol()
    protocol.receive(trend(0, record(60, 38, 0, 14, 97, 72), record(0, 39, 0, 14, 97, 72)), OPENING)
    told = list(finish(protocol, OPENING))
    assert [(value, at) for metric, value, at in stored(told) if metric is Metric.ETCO2] == [
        (38.0, -60.0),
        (39.0, 0.0),
    ]


def test_both_sides_download_then_stream() -> None:
    device = CapnostreamDevice()
    device.say([observe(Metric.ETCO2, 38, OPENING), observe(Metric.SPO2, 97, OPENING)], OPENING)
    for second in range(90):
        device.wake(instant_at(second))
    options = {"trend": True, "opened_utc_s": float(OPENED_S)}
    wire = Wire(CapnostreamProtocol(options), device)
    wire.now = instant_at(90)
    told = wire.run(100)
    codes = [sent[2] for _, sent in wire.sent]
    assert codes[:5] == [0x01, 0x15, 0x36, 0x37, 0x04]
    assert [at for metric, _, at in stored(told) if metric is Metric.SPO2] == pytest.approx(
        [0, 30, 60, 90], abs=2
    )
    assert any(isinstance(each, WaveformSegment) for each in told)
    device.mark(2)
    assert "marked: event 2: INTUBATION" in details(wire.run(102), HOST)
