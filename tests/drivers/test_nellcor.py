"""Oddities of the Nellcor printout: columns, stars, codes, headers, the menu."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.nellcor import DRIVER, NellcorProtocol
from drivers.parts.nellcor_oximeter import NellcorDevice
from monitor.model.event import NoticeKind, Observation, Validity, observe
from monitor.model.instant import Instant
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

GOOD = b"14-Nov-23 22:13:20    97      72      48                     \r\n"
LOW = b"14-Nov-23 22:13:22    84*     72      12    MO SL       AS   \r\n"
HEADER = (
    b"N-560    VERSION 1.60.00    CRC:XXXX  SpO2 Limit: 88-100%    PR Limit: 50-120BPM\r\n"
    b"                             ADULT           10SAT-S \r\n"
    b"TIME                 %SpO2   BPM     PA     Status\r\n"
)
HEADER_595 = (
    b"N-595    VERSION 3.0.0.0    CRC:1234  SpO2 Limit: 85-100%    PR Limit: 40-170BPM\r\n"
    b"                             NEO             0SAT-S    SPO2 RESP MODE: FAST\r\n"
    b"TIME                 %SPO2   BPM     PA     Status\r\n"
)
few = settings(max_examples=60, deadline=None, derandomize=True)


def coded(*codes: str, spo2: bytes = b" 97 ", rate: bytes = b" 72 ") -> bytes:
    tail = " ".join(codes).encode()
    return b"14-Nov-23 22:13:20   " + spo2 + b"    " + rate + b"     48    " + tail + b"\r\n"


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("nellcor", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


def test_columns_are_where_the_page_says() -> None:
    assert (GOOD[22:24], GOOD[30:32], GOOD[38:40]) == (b"97", b"72", b"48")
    assert len(GOOD) == len(coded()) + 61 - 44 == 63


def test_motion_and_a_low_saturation_are_told_and_taint_the_numbers() -> None:
    told = hear(NellcorProtocol(), GOOD, LOW, LOW, GOOD)
    assert notices(told) == [
        (NoticeKind.AUDIO_PAUSED_AT_DEVICE, True),
        (NoticeKind.ARTEFACT, True),
        (NoticeKind.AUDIO_PAUSED_AT_DEVICE, False),
        (NoticeKind.ARTEFACT, False),
    ]
    assert alarms(told) == [("spo2_low", True), ("spo2_low", False)]
    assert validities(hear(NellcorProtocol(), LOW))[Metric.SPO2] is Validity.QUESTIONABLE


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AO", NoticeKind.AUDIO_PAUSED_AT_DEVICE),
        ("AS", NoticeKind.AUDIO_PAUSED_AT_DEVICE),
        ("LB", NoticeKind.LOW_BATTERY),
        ("MO", NoticeKind.ARTEFACT),
        ("PS", NoticeKind.SEARCHING),
        ("SD", NoticeKind.SENSOR_OFF),
        ("SO", NoticeKind.SENSOR_OFF),
    ],
)
def test_each_state_code_is_told_when_it_comes_and_goes(code: str, kind: NoticeKind) -> None:
    told = hear(NellcorProtocol(), coded(code), coded())
    assert notices(told) == [(kind, True), (kind, False)]


@pytest.mark.parametrize(
    ("code", "alarm"),
    [
        ("PH", "pulse_rate_high"),
        ("PL", "pulse_rate_low"),
        ("SH", "spo2_high"),
        ("SL", "spo2_low"),
        ("LP", "pulse_not_found"),
        ("LM", "pulse_not_found"),
    ],
)
def test_each_alarm_code_has_a_stable_word(code: str, alarm: str) -> None:
    assert alarms(hear(NellcorProtocol(), coded(code), coded())) == [(alarm, True), (alarm, False)]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("code", ["SD", "SO"])
def test_a_number_printed_without_a_sensor_does_not_count(code: str) -> None:
    assert set(values(hear(NellcorProtocol(), coded(code))).values()) == {None}


def test_a_zero_while_searching_is_missing() -> None:
    told = hear(NellcorProtocol(), coded("PS", spo2=b"  0 ", rate=b"  0 "))
    assert values(told) == {Metric.SPO2: None, Metric.PULSE_RATE: None}
    assert set(validities(told).values()) == {Validity.NOT_AVAILABLE}


def test_a_star_alone_is_an_alarm_of_its_own() -> None:
    told = hear(NellcorProtocol(), coded(spo2=b" 84*", rate=b"140*"))
    assert alarms(told) == [("spo2_out_of_limits", True), ("pulse_rate_out_of_limits", True)]
    assert values(told) == {Metric.SPO2: 84.0, Metric.PULSE_RATE: 140.0}


def test_an_unknown_code_is_told_once() -> None:
    told = hear(NellcorProtocol(), coded("ZZ"), coded("ZZ"))
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["status ZZ"]


def test_headers_are_understood_and_told_when_they_change() -> None:
    told = hear(NellcorProtocol(), HEADER + GOOD + HEADER + GOOD, HEADER_595 + GOOD)
    assert not refusals(told)
    assert details(told, NoticeKind.DEVICE_IDENTITY) == [
        "N-560 version 1.60.00, limits SpO2 88-100 %, pulse 50-120 /min",
        "adult, SatSeconds 10",
        "N-595 version 3.0.0.0, limits SpO2 85-100 %, pulse 40-170 /min",
        "neo, SatSeconds 0, SpO2 response fast",
    ]


@pytest.mark.hazard("H3")
def test_a_lost_character_is_never_another_number() -> None:
    for whole in (GOOD, LOW, coded(spo2=b"100 ", rate=b"120 ")):
        expected = values(hear(NellcorProtocol(), whole))
        for size in (1, 2, 3):
            for at in range(len(whole)):
                told = hear(NellcorProtocol(), whole[:at] + whole[at + size :], whole)
                heard = [each for each in told if isinstance(each, Observation)]
                assert values(told) == expected
                assert all(each.value in {expected[each.metric], None} for each in heard)


def test_another_layout_is_believed_when_two_lines_agree() -> None:
    other = [line.replace(b"20    ", b"20      ") for line in (GOOD, GOOD.replace(b"97", b"96"))]
    protocol = NellcorProtocol()
    assert not protocol.receive(other[0], Instant(0))
    both = [
        each for each in protocol.receive(other[1], Instant(1)) if isinstance(each, Observation)
    ]
    assert [(each.value, each.at) for each in both] == [(97.0, 0), (72.0, 0), (96.0, 1), (72.0, 1)]
    assert values(protocol.receive(GOOD, Instant(2)))[Metric.SPO2] == 97.0
    assert values(protocol.receive(other[0], Instant(3)))[Metric.SPO2] == 97.0
    alone = hear(NellcorProtocol(), other[0])
    assert validities(alone) == dict.fromkeys(values(alone), Validity.QUESTIONABLE)
    assert values(alone)[Metric.SPO2] == 97.0


def test_a_table_may_be_aligned_to_the_left() -> None:
    lines = (
        b"14-Nov-23 22:13:20   97      72      48  \r\n",
        b"14-Nov-23 22:13:22   97      101     9   \r\n",
        b"14-Nov-23 22:13:24   100     99      130 \r\n",
    )
    told = hear(NellcorProtocol(), *lines)
    heard = [each.value for each in told if isinstance(each, Observation)]
    assert heard == [97.0, 72.0, 97.0, 101.0, 100.0, 99.0]
    assert not refusals(told)


def test_a_layout_met_once_is_refused_when_the_next_line_is_as_known() -> None:
    told = hear(NellcorProtocol(), GOOD.replace(b"20    ", b"20      "), LOW)
    assert refusals(told) == ["columns differ"]
    assert values(told)[Metric.SPO2] == 84.0


def test_lines_whose_break_was_lost_are_both_read_where_the_first_is_whole() -> None:
    told = hear(NellcorProtocol(), GOOD[:-2] + LOW)
    assert [each.value for each in told if isinstance(each, Observation)] == [97, 72, 84, 72]
    told = hear(NellcorProtocol(), GOOD[:-3] + LOW)
    assert [each.value for each in told if isinstance(each, Observation)] == [84, 72]
    assert refusals(told) == ["line cut short"]


def test_a_capture_that_starts_anywhere_is_read_from_the_next_line_on() -> None:
    for at in range(1, len(GOOD)):
        told = hear(NellcorProtocol(), GOOD[at:] + GOOD.replace(b"97", b"96"))
        assert [each.value for each in told if isinstance(each, Observation)] == [96.0, 72.0]


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace(b"14-Nov", b"34-Nov"),
        GOOD.replace(b"Nov", b"Nox"),
        GOOD.replace(b"22:13", b"25:13"),
        GOOD.replace(b"72", b"7x"),
        b"some trend table\r\n",
    ],
)
def test_a_line_that_is_not_as_printed_is_refused_whole(bad: bytes) -> None:
    told = hear(NellcorProtocol(), bad)
    assert not values(told)
    assert len(refusals(told)) == 1


@few
@given(st.binary(max_size=400))
def test_hostile_bytes_give_no_values(noise: bytes) -> None:
    told = hear(NellcorProtocol(), noise)
    assert not values(told)
    assert len(told) <= 2 + len(noise) // 2


def test_a_clock_years_off_is_told_once() -> None:
    protocol = NellcorProtocol({"opened_utc_s": 1_800_000_000.0})
    assert len(details(hear(protocol, GOOD, GOOD), NoticeKind.CLOCK_DIFFERS)) == 1


def wire_of(**options: object) -> Wire:
    device = NellcorDevice()
    spoken = [observe(Metric.SPO2, 97, Instant(0)), observe(Metric.PULSE_RATE, 72, Instant(0))]
    device.say(spoken, Instant(0))
    return Wire(NellcorProtocol(options), device)


def test_by_itself_nothing_is_ever_typed() -> None:
    wire = wire_of()
    told = wire.run(60)
    assert not wire.sent
    assert len([each for each in told if isinstance(each, Observation)]) == 2 * 31
    assert len(details(told, NoticeKind.DEVICE_IDENTITY)) == 2


def test_identifying_asks_the_menu_once_and_lets_the_printout_go_on() -> None:
    wire = wire_of(identify=True)
    told = wire.run(30)
    assert [piece for _, piece in wire.sent] == [b"\x03\x03", b"1\r\n", b"0\r\n"]
    assert "N-595 version 3.0.0.0" in details(told, NoticeKind.DEVICE_IDENTITY)
    assert not refusals(told)
    assert values(wire.run(40))[Metric.SPO2] == 97.0


def test_a_menu_left_open_is_left() -> None:
    wire = wire_of()
    assert wire.device is not None
    wire.device.receive(b"\x03\x03", Instant(0))
    told = wire.run(10)
    assert [piece for _, piece in wire.sent] == [b"0\r\n"]
    assert values(told)[Metric.SPO2] == 97.0
