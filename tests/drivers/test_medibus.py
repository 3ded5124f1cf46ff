"""Oddities of MEDIBUS: both sides ask, commands inside answers, units three times, absences."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.medibus import DRIVER, MedibusProtocol
from drivers.parts.medibus_frames import Code, Frame, MedibusSplitter, answer, command
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import (
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
VENDOR = bytes.fromhex("01 24 45 42 20 39 38 20 45 31 20 37 30 20 37 41 0D")
CAPNOSAT = DRIVER.vectors[2].data
CO2_LOW = bytes.fromhex("01 27 42 32 37 45 54 20 43 4F 32 20 4C 4F 57 20 20 41 32 0D")
APNOEA = bytes.fromhex("01 27 4F 30 44 41 50 4E 45 41 20 43 4F 32 20 20 20 39 34 0D")
IDENTITY = bytes.fromhex(
    "01 52 38 33 30 30 27 43 61 70 6E 6F 73 61 74 27 30 31 2E 30 30 3A 30 33 2E 30 30 42 46 0D"
)
PC_IDENTITY = bytes.fromhex(
    "01 52 30 31 36 31 27 4D 79 20 50 43 27 30 31 2E 30 30 3A 30 33 2E 30 30 46 43 0D"
)
DATE = bytes.fromhex("01 28 31 31 3A 31 31 3A 31 39 31 31 2D 4E 4F 56 2D 39 33 45 36 0D")
few = settings(max_examples=80, deadline=None, derandomize=True)


def measured(items: str) -> bytes:
    return answer(Code.MEASURED_1, items.encode())


def alarm(code: str, phrase: str = "", priority: int = 18) -> bytes:
    return answer(Code.ALARMS_1, f"{chr(0x30 + priority)}{code}{phrase:<12}".encode())


def texts(*items: tuple[str, str]) -> bytes:
    data = "".join(f"{code}{chr(0x30 + len(words))}{words}\x03" for code, words in items)
    return answer(Code.TEXT, data.encode())


@pytest.mark.parametrize(
    ("made", "printed"),
    [
        (command(0x51), "1B 51 36 43 0D"),
        (answer(0x51), "01 51 35 32 0D"),
        (command(0x52), "1B 52 36 44 0D"),
        (answer(0x52), "01 52 35 33 0D"),
        (command(0x30), "1B 30 34 42 0D"),
        (answer(0x30), "01 30 33 31 0D"),
        (command(0x55), "1B 55 37 30 0D"),
        (command(0x24), "1B 24 33 46 0D"),
        (command(0x2E), "1B 2E 34 39 0D"),
        (command(0x4A, b"$EB"), "1B 4A 24 45 42 31 30 0D"),
        (answer(0x4A), "01 4A 34 42 0D"),
        (answer(0x15), "01 15 31 36 0D"),
        (answer(0x52, b"0161'My PC'01.00:03.00"), PC_IDENTITY.hex()),
    ],
)
def test_frames_are_made_as_the_vendor_prints_them(made: bytes, printed: str) -> None:
    assert made == bytes.fromhex(printed)


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("medibus", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]
    (low,) = decoded("medibus", CO2_LOW.hex(), tmp_path, capsys)
    assert (low["alarm"], low["priority"], low["detail"]) == ("etco2_low", "18", "ET CO2 LOW")
    (apnoea,) = decoded("medibus", APNOEA.hex(), tmp_path, capsys)
    assert (apnoea["alarm"], apnoea["priority"]) == ("no_breath", "31")
    (identity,) = decoded("medibus", IDENTITY.hex(), tmp_path, capsys)
    assert identity["detail"] == "Capnosat (8300), version 01.00:03.00"
    (own,) = decoded("medibus", PC_IDENTITY.hex(), tmp_path, capsys)
    assert own["detail"] == "My PC (0161), version 01.00:03.00"
    (date,) = decoded("medibus", DATE.hex(), tmp_path, capsys)
    assert date["detail"] == "clock at 1993-11-11 11:11:19"


@pytest.mark.hazard("H3")
def test_what_is_absent_was_there_and_is_not_any_more() -> None:
    told = hear(MedibusProtocol(), CAPNOSAT, VENDOR)
    assert values(told)[Metric.ETCO2] is None
    assert values(told)[Metric.RESP_RATE] is None
    assert values(told)[Metric.SPO2] == 98.0
    assert Metric.ETCO2 not in values(hear(MedibusProtocol(), VENDOR, VENDOR))


@pytest.mark.parametrize("blank", ["    ", "--- ", "****", "--.-", " -- ", "?.? "])
def test_a_blank_value_is_missing_and_never_zero(blank: str) -> None:
    told = hear(MedibusProtocol(), measured(f"EB{blank}E1 72 "))
    assert values(told) == {Metric.SPO2: None, Metric.PULSE_RATE: 72.0}


def test_units_are_never_mixed_and_the_text_decides() -> None:
    protocol = MedibusProtocol()
    told = list(protocol.receive(CAPNOSAT, NOW))
    assert (values(told)[Metric.ETCO2], values(told)[Metric.FICO2]) == (38.0, 2.0)
    protocol.receive(texts(("23", "CO2 kPa")), NOW)
    told = list(protocol.receive(CAPNOSAT, NOW))
    assert values(told)[Metric.ETCO2] == pytest.approx(38.25)
    assert values(told)[Metric.FICO2] is None, "kPa was not sent for it"
    assert details(told, NoticeKind.UNIT_CONVERTED) == ["CO2 comes in kPa and is told in mmHg"]
    protocol.receive(texts(("22", "CO2 mmHg")), NOW)
    told = list(protocol.receive(CAPNOSAT, NOW))
    assert values(told)[Metric.ETCO2] == 38.0
    assert notices(told) == [(NoticeKind.UNIT_CONVERTED, False)]


def test_percent_needs_the_ambient_pressure() -> None:
    alone = hear(MedibusProtocol(), measured("DB 5.0"))
    assert values(alone)[Metric.ETCO2] == 38.0
    assert validities(alone)[Metric.ETCO2] is Validity.QUESTIONABLE
    stated = hear(MedibusProtocol(), measured("DB 5.06B1000"))
    assert values(stated)[Metric.ETCO2] == pytest.approx(37.5, abs=0.01)
    assert validities(stated)[Metric.ETCO2] is Validity.VALID
    high = hear(MedibusProtocol({"ambient_mmhg": 600}), measured("DB 5.0"))
    assert values(high)[Metric.ETCO2] == 30.0


def test_respiration_by_co2_is_preferred_and_its_loss_is_seen() -> None:
    both, flow = measured("D514  D716  "), measured("D716  ")
    protocol = MedibusProtocol()
    assert values(protocol.receive(both, NOW))[Metric.RESP_RATE] == 14.0
    told = list(protocol.receive(flow, NOW))
    assert values(told)[Metric.RESP_RATE] == 16.0
    assert validities(told)[Metric.RESP_RATE] is Validity.QUESTIONABLE
    assert validities(hear(MedibusProtocol(), flow))[Metric.RESP_RATE] is Validity.VALID


def cuff(told: list[DeviceEvent]) -> list[tuple[float | None, Validity, Instant | None]]:
    return [
        (each.value, each.validity, each.taken)
        for each in told
        if isinstance(each, Observation) and each.metric is Metric.NIBP_SYS
    ]


def test_a_cuff_reading_is_told_once_with_the_age_the_device_states() -> None:
    reading = "96118 8C 76 91 90 "
    pieces = [measured(f"{reading}92 {age}  ") for age in (3, 3, 4, 0, 0, 1)]
    protocol = MedibusProtocol()
    told = [
        each
        for n, piece in enumerate(pieces)
        for each in protocol.receive(piece, instant_at(200 + n))
    ]
    assert cuff(told) == [
        (118.0, Validity.VALID, instant_at(20)),
        (118.0, Validity.VALID, instant_at(203)),
    ]
    other = hear(MedibusProtocol(), measured(reading), measured(reading.replace("118", "121")))
    assert [each[:2] for each in cuff(other)] == [
        (118.0, Validity.QUESTIONABLE),
        (121.0, Validity.VALID),
    ]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("code", ["35", "68"])
def test_an_oximeter_that_is_off_gives_no_numbers(code: str) -> None:
    told = hear(MedibusProtocol(), alarm(code), VENDOR)
    assert values(told) == {Metric.SPO2: None, Metric.PULSE_RATE: None}


@pytest.mark.parametrize(
    ("code", "metric"), [("3D", Metric.ETCO2), ("63", Metric.ETCO2), ("01", Metric.SPO2)]
)
def test_numbers_in_doubt_are_questionable(code: str, metric: Metric) -> None:
    told = hear(MedibusProtocol(), alarm(code), CAPNOSAT)
    assert validities(told)[metric] is Validity.QUESTIONABLE


def test_alarms_begin_and_end_and_pages_are_apart() -> None:
    none, second = answer(Code.ALARMS_1), answer(Code.ALARMS_2, b"B27WHATEVER    ")
    told = hear(MedibusProtocol(), CO2_LOW, CO2_LOW, second, APNOEA, none, answer(Code.ALARMS_2))
    assert alarms(told) == [
        ("etco2_low", True),
        ("medibus_2_27", True),
        ("etco2_low", False),
        ("no_breath", True),
        ("no_breath", False),
        ("medibus_2_27", False),
    ]
    lasting = next(
        each for each in told if isinstance(each, DeviceAlarm) and each.alarm == "no_breath"
    )
    assert "30 s" in lasting.detail


def test_an_alarm_nobody_knows_is_told_with_its_phrase() -> None:
    (event,) = hear(MedibusProtocol(), alarm("42", "FLOW SENSOR?"))
    assert isinstance(event, DeviceAlarm)
    assert (event.alarm, event.detail) == ("medibus_1_42", "FLOW SENSOR?")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("3D", NoticeKind.OCCLUSION),
        ("3E", NoticeKind.CHECK_CALIBRATION),
        ("63", NoticeKind.WARMING_UP),
        ("64", NoticeKind.CO2_FAULT),
        ("D9", NoticeKind.CO2_FAULT),
        ("35", NoticeKind.SENSOR_OFF),
    ],
)
def test_states_among_the_alarms_are_notices(code: str, kind: NoticeKind) -> None:
    told = hear(MedibusProtocol(), alarm(code), answer(Code.ALARMS_1))
    assert notices(told) == [(kind, True), (kind, False)]


def test_texts_tell_standby_and_what_nobody_knows_once() -> None:
    told = hear(
        MedibusProtocol(),
        texts(("1E", "STANDBY"), ("2C", "GERMAN"), ("77", "ODD")),
        texts(("77", "ODD")),
    )
    assert notices(told) == [
        (NoticeKind.STANDBY, True),
        (NoticeKind.UNKNOWN_FIELD, True),
        (NoticeKind.STANDBY, False),
    ]


def test_a_demonstration_marks_all_data_until_it_ends() -> None:
    protocol = MedibusProtocol()
    told = [*protocol.receive(texts(("77", "DEMO MODE")), NOW), *protocol.receive(VENDOR, NOW)]
    assert {each.mode for each in told if not isinstance(each, FrameRejected)} == {
        GenerationMode.DEMO
    }
    told = [*protocol.receive(texts(), NOW), *protocol.receive(VENDOR, NOW)]
    assert {each.mode for each in told if isinstance(each, Observation)} == {GenerationMode.REAL}


@pytest.mark.parametrize(
    "text",
    [b" 9:33 7-OCT-14", b" 9:33:00 7-OKT-14", b"09:33:0007-OKT-14", b" 9:33 07-OKT-14"],
)
def test_dates_are_read_as_machines_print_them(text: bytes) -> None:
    told = hear(MedibusProtocol(), answer(Code.DATE, text))
    assert details(told, NoticeKind.DEVICE_IDENTITY) == ["clock at 2014-10-07 09:33:00"]


def test_a_clock_that_is_off_is_told() -> None:
    protocol = MedibusProtocol({"opened_utc_s": 1_700_000_000.0, "utc_offset_min": 0})
    told = [*protocol.receive(DATE, NOW), *protocol.receive(DATE, NOW)]
    assert len(details(told, NoticeKind.CLOCK_DIFFERS)) == 1


@pytest.mark.hazard("H3")
def test_a_command_inside_an_answer_is_answered_and_does_not_spoil_it() -> None:
    nop = command(Code.NOP)
    for at in range(2, len(CAPNOSAT)):
        protocol = MedibusProtocol()
        told = list(protocol.receive(CAPNOSAT[:at] + nop + CAPNOSAT[at:], NOW))
        assert values(told)[Metric.ETCO2] == 38.0
        assert not refusals(told)
        assert answer(Code.NOP) in protocol.take_outgoing()


def test_real_time_bytes_stand_anywhere_and_are_told_once() -> None:
    for at in range(len(CAPNOSAT)):
        torn = CAPNOSAT[:at] + b"\xd3\x91\x81" + CAPNOSAT[at:] + b"\x8d\x83"
        told = MedibusProtocol().receive(torn, NOW)
        assert values(told)[Metric.ETCO2] == 38.0
        assert details(told, NoticeKind.UNKNOWN_FIELD) == [
            "real-time data of curves that nobody chose here"
        ]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("padding", [b"\n", b"\0", b"\n\n"])
def test_what_a_terminal_program_puts_behind_a_line_end_is_passed_over(padding: bytes) -> None:
    embedded = VENDOR[:5] + bytes.fromhex("1B 30 34 42 0D") + VENDOR[5:]
    told = hear(MedibusProtocol(), (IDENTITY + embedded + CAPNOSAT).replace(b"\r", b"\r" + padding))
    assert not refusals(told)
    assert values(told)[Metric.ETCO2] == 38.0
    assert [each.value for each in told if isinstance(each, Observation)][:2] == [98.0, 70.0]
    for at in (1, 6):
        told = hear(MedibusProtocol(), VENDOR[:at] + padding + VENDOR[at:])
        assert refusals(told)
        assert not values(told)


def test_a_file_saved_as_text_may_end_its_frames_with_line_feeds() -> None:
    told = hear(MedibusProtocol(), (IDENTITY + CAPNOSAT + VENDOR).replace(b"\r", b"\n"))
    assert not refusals(told)
    assert {97.0, 98.0, 38.0} <= {each.value for each in told if isinstance(each, Observation)}
    for at in range(1, len(CAPNOSAT) - 1):  # one that came in does not make the half a whole
        told = hear(MedibusProtocol(), CAPNOSAT[:at] + b"\n" + CAPNOSAT[at:])
        assert not values(told), at


def test_lost_bytes_cost_their_answer_and_nothing_else() -> None:
    expected = values(hear(MedibusProtocol(), CAPNOSAT))
    for size in (1, 2, 6, 12):
        for at in range(len(CAPNOSAT)):
            torn = CAPNOSAT[:at] + CAPNOSAT[at + size :]
            told = MedibusProtocol().receive(torn + CAPNOSAT, NOW)
            assert values(told) == expected
            assert len([each for each in told if isinstance(each, Observation)]) == len(expected)


@pytest.mark.parametrize(
    "bad",
    [
        measured("EB 98"),
        measured("EB 9x "),
        measured("eb 98 "),
        measured("EB 98 EB 97 "),
        measured("EB 98 EB    "),
        answer(Code.ALARMS_1, b"B27TOO SHORT"),
        answer(Code.ALARMS_1, b"BXXET CO2 LOW  "),
        answer(Code.TEXT, b"22\x30"),
        answer(Code.TEXT, b"22:abc\x03"),
        answer(Code.IDENTITY, b"nobody"),
        answer(Code.DATE, b"99:99:9999-XXX-99"),
        VENDOR[:-3] + b"7B\r",
        VENDOR[:5] + b"\x00" + VENDOR[5:],
    ],
)
def test_what_has_a_wrong_form_is_refused_whole(bad: bytes) -> None:
    told = hear(MedibusProtocol(), bad)
    assert refusals(told)
    assert not values(told)


def test_unknown_codes_are_told_once_and_known_ones_left_alone() -> None:
    told = hear(MedibusProtocol(), measured("F030  1099  EB 98 "), measured("1099  "))
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["measured data 10"]


def test_an_item_said_twice_alike_is_one() -> None:
    told = hear(MedibusProtocol(), measured("EB 98 E1 72 EB98  "))
    assert values(told) == {Metric.SPO2: 98.0, Metric.PULSE_RATE: 72.0}
    assert not refusals(told)


def test_a_value_nobody_reads_may_have_any_form() -> None:
    told = hear(MedibusProtocol(), measured("B81:2.EB 98 "))
    assert values(told) == {Metric.SPO2: 98.0}
    assert not refusals(told)


@few
@given(seed=st.integers(0, 2**32))
def test_where_a_hostile_stream_is_cut_does_not_matter(seed: int) -> None:
    chance = Random(seed)
    parts = [VENDOR, CAPNOSAT, command(0x30), b"\x01", b"\x1b", b"\r", b"\x18", b"\x11\x13"]
    parts += [VENDOR[:7], b"A" * 300, b"\x01" + b"B" * 4000, chance.randbytes(30), b"\x15"]
    stream = b"".join(chance.choice(parts) for _ in range(14))
    cuts = sorted({0, len(stream), *(chance.randrange(len(stream)) for _ in range(20))})
    by_cuts, at_once = MedibusSplitter(), MedibusSplitter()
    pieces = [each for a, b in pairwise(cuts) for each in by_cuts.feed(stream[a:b])]
    frames = [each for each in pieces if isinstance(each, Frame)]
    assert frames == [each for each in at_once.feed(stream) if isinstance(each, Frame)]


@few
@given(st.binary(max_size=400))
def test_hostile_bytes_give_no_values(noise: bytes) -> None:
    assert not values(MedibusProtocol().receive(noise, NOW))


def test_cancelled_transmissions_are_dropped() -> None:
    told = MedibusProtocol().receive(VENDOR[:9] + b"\x18" + VENDOR, NOW)
    assert values(told)[Metric.SPO2] == 98.0
    assert not refusals(told)
