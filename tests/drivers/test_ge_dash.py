"""Oddities of the Dash network: datagrams without a checksum, pressures without a time."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.ge_dash import DRIVER, GeDashProtocol
from drivers.parts.ge_dash_datagrams import (
    PRESSURE,
    REQUEST_SIZE,
    SPO2,
    VITALS_HEAD_SIZE,
    GeDashDevice,
    alarm,
    block,
    discovery,
    vitals_request,
)
from monitor.model.event import (
    DeviceAlarm,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import OPENING, instant_at
from monitor.model.metric import NIBP, Metric
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
from tests.drivers.pages import hex_examples_of

few = settings(max_examples=60, deadline=None, derandomize=True)
OPENED = 1_700_000_000.0


def vitals(*blocks: bytes, counter: int = int(OPENED)) -> bytes:
    head = bytes(75) + counter.to_bytes(4, "big")
    return head.ljust(VITALS_HEAD_SIZE, b"\0") + b"".join(blocks) + b"\0\0"


def pressure(*values: float | None) -> bytes:
    return vitals(block(PRESSURE, values))


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        lines = decoded("ge_dash", vector.data.hex(" "), tmp_path, capsys)
        told = [each for each in numerics(lines) if each[0] != "pleth"]
        assert told == [(metric.value, value) for metric, value in vector.expected]


@pytest.mark.shared
def test_every_example_of_the_page_stands_in_our_own() -> None:
    examples = hex_examples_of("ge-dash")
    assert len(examples) == 4
    ours = b"".join(vector.data for vector in DRIVER.vectors)
    assert all(each in ours for each in examples)


def test_the_request_is_the_one_described() -> None:
    request = vitals_request("WARD|9")
    assert len(request) == REQUEST_SIZE
    assert request[:4] == bytes.fromhex("00 25 15 FC")
    assert request[23] == 0x29
    assert request[24:] == b"WARD|9".ljust(38, b"\0")
    assert len(vitals_request("x" * 99)) == REQUEST_SIZE


def test_the_monitor_is_asked_every_five_seconds_and_talks_only_then() -> None:
    device = GeDashDevice()
    device.say([observe(Metric.SPO2, 97, OPENING)], OPENING)
    wire = Wire(GeDashProtocol(), device)
    told = wire.run(21)
    assert [at for at, _ in wire.sent] == [instant_at(each) for each in (0, 5, 10, 15, 20)]
    assert len([each for each in told if isinstance(each, Observation)]) == 22
    assert details(told, NoticeKind.DEVICE_IDENTITY) == ["GE Dash / Unity network monitor"]
    for second in range(22, 60, 2):
        device.wake(instant_at(second))
    sizes = {len(each) for each in device.take_outgoing()}
    assert sizes == {88, 196}
    device.wake(instant_at(60))
    late = {len(each) for each in device.take_outgoing()}
    assert late <= {88}, "half a minute after the last request it announces itself only"


def test_neither_bed_nor_name_is_told() -> None:
    told = hear(GeDashProtocol(), discovery(OPENING), alarm(SPO2, "SPO2 LO", OPENING))
    assert "WARD" not in repr(told)


@pytest.mark.hazard("H3")
def test_a_pressure_that_is_repeated_is_told_once_and_the_first_is_of_unknown_age() -> None:
    protocol = GeDashProtocol({"pressure_is_nibp": True})
    readings = [pressure(90, 118, 76)] * 3 + [pressure(95, 121, 80)] * 3
    told = [each for each in hear(protocol, *readings) if isinstance(each, Observation)]
    assert [each.metric for each in told] == [NIBP[2], NIBP[0], NIBP[1]] * 2
    assert [each.validity for each in told] == [Validity.QUESTIONABLE] * 3 + [Validity.VALID] * 3
    assert [each.taken for each in told] == [None] * 3 + [instant_at(3)] * 3


def test_a_pressure_that_may_be_an_arterys_stays_questionable() -> None:
    told = hear(GeDashProtocol(), pressure(90, 118, 76), pressure(95, 121, 80))
    assert set(validities(told).values()) == {Validity.QUESTIONABLE}


def test_no_pressure_is_no_value() -> None:
    told = hear(GeDashProtocol(), vitals(block(PRESSURE, (None,) * 3)))
    assert values(told) == dict.fromkeys(NIBP)


@pytest.mark.parametrize("raw", [b"\x80\x00", b"\xff\xff", b"\x80\x01"])
def test_any_negative_value_is_missing(raw: bytes) -> None:
    one = bytearray(block(SPO2, (97, 72, None)))
    one[6:8] = raw
    told = hear(GeDashProtocol(), vitals(bytes(one)))
    assert values(told) == {Metric.SPO2: None, Metric.PULSE_RATE: 72.0}
    assert validities(told)[Metric.SPO2] is Validity.NOT_AVAILABLE


def test_the_unknown_is_told_once_and_the_rest_is_read() -> None:
    odd = vitals(block(0x77, (1, 2, 3)), block(0x23, (366, 0, 0)), block(0x56, (0, 0, 0)))
    after = vitals(block(0x77, (1, 2, 3)), block(SPO2, (97, 72, None)))
    told = hear(GeDashProtocol(), odd, after)
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["sensor 77", "temperature: scale not known"]
    assert values(told)[Metric.SPO2] == 97.0


def test_a_block_of_another_form_costs_none_beside_it() -> None:
    good, other = block(SPO2, (97, 72, None)), bytes([7, 0, 2]) + block(SPO2, (5, 5, 5))[3:]
    for blocks in ([other, good], [good, other]):
        told = hear(GeDashProtocol(), vitals(*blocks))
        assert values(told) == {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0}
        assert refusals(told) == ["a block is none"]
    assert refusals(hear(GeDashProtocol(), vitals(other))) == ["no datagram of a Dash monitor"]


def test_a_datagram_cut_short_gives_its_whole_blocks_only() -> None:
    whole = vitals(block(SPO2, (97, 72, None)), block(PRESSURE, (90, 118, 76)))
    for size in range(VITALS_HEAD_SIZE + 70 + 12, len(whole) - 2):
        told = hear(GeDashProtocol(), whole[:size])
        assert values(told) == {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0}
        assert refusals(told) == ["a block is cut short"]


def test_a_monitor_with_nothing_plugged_in_says_so_without_values() -> None:
    assert not hear(GeDashProtocol(), vitals())


def test_an_alarm_lasts_while_it_is_repeated() -> None:
    protocol = GeDashProtocol()
    told = hear(protocol, *[alarm(SPO2, "SPO2 LO", OPENING)] * 4, every_s=2)
    assert told == [DeviceAlarm("spo2_alarm", OPENING, detail="SPO2 LO")]
    assert protocol.wake_at == OPENING
    assert not alarms(protocol.wake(instant_at(10)))
    assert protocol.wake_at == instant_at(11)
    assert alarms(protocol.wake(instant_at(11))) == [("spo2_alarm", False)]
    assert protocol.wake_at == instant_at(15)


def test_lost_waves_are_told_and_an_invalid_sample_is_a_hole() -> None:
    def wave(sequence: int, *samples: int) -> bytes:
        items = b"".join(b"\x27\x09" + each.to_bytes(2, "big") for each in samples)
        ecg = b"\x08\x00" + bytes(8)
        return sequence.to_bytes(2, "big") + b"\0\0" + ecg + items

    told = hear(GeDashProtocol(), wave(65534, 100, 0x800F), wave(1, 102))
    strips = [each.samples for each in told if isinstance(each, WaveformSegment)]
    assert strips == [(100.0, None), (102.0,)]
    assert details(told, NoticeKind.MESSAGES_LOST) == ["2 wave datagrams"]


def test_a_clock_that_is_off_is_told_at_its_edges() -> None:
    protocol = GeDashProtocol({"opened_utc_s": OPENED})
    off = vitals(block(SPO2, (97, 72, None)), counter=int(OPENED) + 200)
    good = vitals(block(SPO2, (97, 72, None)))
    told = hear(protocol, good, off, off, good)
    assert notices(told) == [(NoticeKind.CLOCK_DIFFERS, True), (NoticeKind.CLOCK_DIFFERS, False)]


def test_settings_are_held_to_reason() -> None:
    for wrong in ({"host_name": ""}, {"host_name": "x" * 33}, {"pressure_is_nibp": "yes"}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            GeDashProtocol(wrong)


@few
@given(st.binary(max_size=400), st.integers(0, 400))
def test_hostile_datagrams_give_only_what_can_be_and_cost_little(noise: bytes, at: int) -> None:
    whole = vitals(block(SPO2, (97, 72, None)))
    told = hear(GeDashProtocol(), noise, whole[:at] + noise, noise + whole[at:], whole)
    assert len(told) < 60
    assert told[-1] == observe(Metric.PULSE_RATE, 72, instant_at(3))
