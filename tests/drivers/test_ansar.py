"""Oddities of ANSAR-B frames: waves that hold anything, text whose form is the only check."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.ansar import DRIVER, AnsarProtocol
from drivers.parts.ansar_monitor import MARK, AnsarDevice, AnsarSplitter, encode
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import Instant, instant_at
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

WHOLE, TEXT = DRIVER.vectors[0].data, DRIVER.vectors[1].data
HEAD = WHOLE[: -len(TEXT) - 1]
few = settings(max_examples=60, deadline=None, derandomize=True)


def frame(*changes: tuple[bytes, bytes]) -> bytes:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return HEAD + text + b"\xfe"


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("ansar", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


def test_the_worked_frame_has_the_bytes_of_the_page() -> None:
    assert WHOLE[:9] == bytes.fromhex("FF 41 4E 53 41 52 2D 42 20")
    assert TEXT.startswith(bytes.fromhex("48523D313B37323B4543472D49492D444941473B0D"))
    (wave,) = [each for each in hear(AnsarProtocol(), WHOLE) if isinstance(each, WaveformSegment)]
    assert wave == WaveformSegment(Metric.PLETH, Instant(0), 50, (0.0,) * 50)


def test_text_alone_is_questionable_and_rubbish_alone_is_nothing() -> None:
    told = hear(AnsarProtocol(), TEXT)
    assert set(validities(told).values()) == {Validity.QUESTIONABLE}
    assert not values(hear(AnsarProtocol(), TEXT + b"\x00"))


def test_an_alarm_text_begins_and_ends_and_is_told_with_its_words() -> None:
    low = frame((b"PR=72 ;", b"PR=72 ;SPO2 LOW"))
    told = hear(AnsarProtocol(), WHOLE, low, low, WHOLE)
    assert alarms(told) == [("spo2_low", True), ("spo2_low", False)]
    first = next(each for each in told if isinstance(each, DeviceAlarm))
    assert (first.metric, first.detail) == (Metric.SPO2, "SPO2 LOW")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((b"RR=1;14;;", b"RR=1;14;;APNEA"), "no_breath"),
        ((b"DIAG;", b"DIAG;HR HIGH"), "heart_rate_high"),
        ((b"ETCO2=1;38;;", b"ETCO2=1;38;;CO2 LOW"), "etco2_low"),
        ((b"PR=72 ;", b"PR=72 ;PULSE LOW"), "pulse_rate_low"),
        ((b"PR=72 ;", b"PR=72 ;WHATEVER"), "spo2_alarm"),
        ((b"90;72;;", b"90;72;;CUFF LEAK"), "nibp_alarm"),
        ((b"P1=3;;;;;", b"P1=3;;;;;LOW"), "p1_low"),
    ],
)
def test_alarm_texts_have_stable_words(change: tuple[bytes, bytes], word: str) -> None:
    assert alarms(hear(AnsarProtocol(), frame(change))) == [(word, True)]


@pytest.mark.hazard("H3")
def test_numbers_without_a_probe_do_not_count() -> None:
    told = hear(AnsarProtocol(), frame((b"PR=72 ;", b"PR=72 ;PROBE OFF")))
    assert values(told)[Metric.SPO2] is None
    assert values(told)[Metric.PULSE_RATE] is None
    assert notices(told) == [(NoticeKind.SENSOR_OFF, True)]


def test_empty_values_are_missing() -> None:
    told = hear(
        AnsarProtocol(), frame((b"HR=1;72", b"HR=1;"), (b"SPO2=1;97;PR=72 ", b"SPO2=1; ;PR=   "))
    )
    assert values(told)[Metric.HEART_RATE] is None
    assert values(told)[Metric.SPO2] is None
    assert values(told)[Metric.PULSE_RATE] is None


def pressures(told: list[DeviceEvent]) -> list[tuple[float | None, Validity, Instant | None]]:
    return [
        (each.value, each.validity, each.taken)
        for each in told
        if isinstance(each, Observation) and each.metric is Metric.NIBP_SYS
    ]


def test_a_cuff_reading_is_told_when_it_changes_and_the_first_is_in_doubt() -> None:
    old, new = WHOLE, frame((b"118;76;90;72", b"121;80;93;70"))
    told = hear(AnsarProtocol(), old, old, new, new, new)
    assert pressures(told) == [
        (118.0, Validity.QUESTIONABLE, instant_at(0)),
        (121.0, Validity.VALID, instant_at(2)),
    ]


def test_a_cuff_reading_that_comes_back_after_a_blank_is_new() -> None:
    blank = frame((b"118;76;90;72", b";;;"))
    told = hear(AnsarProtocol(), blank, WHOLE, blank, WHOLE)
    assert pressures(told) == [
        (118.0, Validity.VALID, instant_at(1)),
        (118.0, Validity.VALID, instant_at(3)),
    ]


def test_respiration_of_the_chest_wall_is_questionable() -> None:
    for co2 in (b"", b"0"):
        told = hear(AnsarProtocol(), frame((b"ETCO2=1;38", b"ETCO2=1;" + co2)))
        assert validities(told)[Metric.RESP_RATE] is Validity.QUESTIONABLE
    assert validities(hear(AnsarProtocol(), WHOLE))[Metric.RESP_RATE] is Validity.VALID


def test_co2_in_another_unit_is_converted_or_not_told() -> None:
    kpa = frame((b"ETCO2=1;38", b"ETCO2=1;5.1"))
    told = hear(AnsarProtocol({"co2_unit": "kPa"}), kpa)
    assert values(told)[Metric.ETCO2] == pytest.approx(38.25)
    assert (NoticeKind.UNIT_CONVERTED, True) in notices(told)
    percent = hear(AnsarProtocol({"co2_unit": "%", "ambient_mmhg": 750}), kpa)
    assert values(percent)[Metric.ETCO2] == pytest.approx(38.25)
    assert validities(percent)[Metric.ETCO2] is Validity.QUESTIONABLE
    unknown = hear(AnsarProtocol(), kpa)
    assert values(unknown)[Metric.ETCO2] is None
    assert "co2_unit" in details(unknown, NoticeKind.UNKNOWN_FIELD)[0]


def test_the_second_temperature_stands_in_and_none_at_all_is_not_told() -> None:
    second = frame((b"T1=1;37.0;;", b"T1=1;;;"), (b"T2=1;;;", b"T2=1;36.5;;"))
    assert values(hear(AnsarProtocol(), second))[Metric.TEMP] == 36.5
    none = frame((b"T1=1;37.0;;", b"T1=1;;;"))
    assert Metric.TEMP not in values(hear(AnsarProtocol(), none))
    assert values(hear(AnsarProtocol(), WHOLE, none))[Metric.TEMP] is None


def test_a_demonstration_marks_all_it_tells() -> None:
    told = hear(AnsarProtocol(), frame((b"ECG-II-DIAG", b"ECG-II-DEMO")))
    assert {each.mode for each in told if not isinstance(each, FrameRejected)} == {
        GenerationMode.DEMO
    }


def test_waves_may_hold_ends_and_starts() -> None:
    waves = bytearray(HEAD)
    waves[20:23], waves[200:202] = b"\xff\xfe\xff", b"\xfe\xfe"
    told = hear(AnsarProtocol(), bytes(waves) + TEXT + b"\xfe")
    assert values(told)[Metric.SPO2] == 97.0
    assert not refusals(told)


@pytest.mark.hazard("H3")
def test_lost_bytes_cost_their_frame_and_nothing_else() -> None:
    expected = values(hear(AnsarProtocol(), WHOLE))
    for size in (1, 3, 60):
        for at in [*range(0, 409, 7), *range(409, len(WHOLE))]:
            torn = WHOLE[:at] + WHOLE[at + size :]
            told = AnsarProtocol().receive(torn + WHOLE, Instant(0))
            heard = [each for each in told if isinstance(each, Observation)]
            assert values(heard) == expected
            if at < 409 - size:
                assert len(heard) == len(expected), "the torn frame is refused whole"


@pytest.mark.hazard("H3")
def test_a_lost_character_of_the_text_is_another_number_only_where_a_digit_went() -> None:
    expected = values(hear(AnsarProtocol(), WHOLE))
    for at in range(409, len(WHOLE) - 1):
        if chr(WHOLE[at]).isdigit():
            continue
        told = AnsarProtocol().receive(WHOLE[:at] + WHOLE[at + 1 :], Instant(0))
        for metric, value in values(told).items():
            assert value in {expected[metric], None} or metric is Metric.TEMP


def test_a_capture_that_starts_anywhere_is_read_from_the_next_frame_on() -> None:
    for at in range(1, len(WHOLE), 11):
        told = hear(AnsarProtocol(), WHOLE[at:] + WHOLE)
        assert values(told)[Metric.SPO2] == 97.0
        assert len([each for each in told if isinstance(each, Observation)]) == 10


@pytest.mark.parametrize(
    "bad",
    [
        frame((b"RR=1;14;;", b"RR=1;14;")),
        frame((b"RR=1;14;;", b"RR=2;14;;")),
        frame((b"HR=1;72", b"HR=1;7x")),
        frame((b"SPO2=1;97", b"SPO2=1;9.7.1")),
        frame((b"PR=72 ", b"PX=72 ")),
        frame((b"T2=1;;;", b"T1=1;;;")),
        frame((b"RR=1;14;;", b"\x01\x02")),
    ],
)
def test_a_line_without_its_form_refuses_the_frame(bad: bytes) -> None:
    told = hear(AnsarProtocol(), bad)
    assert not values(told)
    assert len(refusals(told)) == 1


def test_a_number_as_label_is_no_damage_and_a_number_cut_in_two_is() -> None:
    delay = frame((b"RR=1;14;;", b"RR=1;14;20;"))
    assert values(hear(AnsarProtocol(), delay))[Metric.RESP_RATE] == 14.0
    for old, cut in (
        (b"RR=1;14;;", b"RR=1;1;4;;"),
        (b"ETCO2=1;38;;", b"ETCO2=1;3;8;;"),
        (b"HR=1;72;ECG-II-DIAG;", b"HR=1;7;2;ECG-II-DIAG;"),
    ):
        assert refusals(hear(AnsarProtocol(), frame((old, cut))))


def test_an_invasive_pressure_below_zero_is_no_damage() -> None:
    told = hear(AnsarProtocol(), frame((b"P1=3;;;;;", b"P1=3;7;-2;3;CVP;")))
    assert values(told)[Metric.SPO2] == 97.0


def test_unknown_lines_are_told_once_and_a_missing_line_is_believed_the_second_time() -> None:
    more = frame((b"T2=1;;;\r", b"T2=1;;;\rCO=1;5;;\r"))
    assert details(hear(AnsarProtocol(), more, more), NoticeKind.UNKNOWN_FIELD) == ["line CO"]
    fewer = frame((b"T2=1;;;\r", b""))
    told = hear(AnsarProtocol(), WHOLE, fewer, fewer)
    assert refusals(told) == ["line T2 is missing"]
    assert len([each for each in told if isinstance(each, WaveformSegment)]) == 2


def test_a_frame_without_end_is_given_up_and_the_next_one_read() -> None:
    told = hear(AnsarProtocol(), HEAD + b"x" * 1000 + WHOLE)
    assert values(told)[Metric.SPO2] == 97.0
    assert "frame without end" in refusals(told)


@few
@given(seed=st.integers(0, 2**32))
def test_where_a_hostile_stream_is_cut_does_not_matter(seed: int) -> None:
    chance = Random(seed)
    parts = [MARK, b"\xfe", b"\xff", HEAD, TEXT, WHOLE, chance.randbytes(200), b"\xffANS"]
    stream = b"".join(chance.choice(parts) for _ in range(12))
    cuts = sorted({0, len(stream), *(chance.randrange(len(stream)) for _ in range(20))})
    bit_by_bit, at_once = AnsarSplitter(), AnsarSplitter()
    pieces = [each for a, b in pairwise(cuts) for each in bit_by_bit.feed(stream[a:b])]
    assert pieces == at_once.feed(stream)


@few
@given(st.binary(max_size=900))
def test_hostile_bytes_after_a_mark_give_no_values(noise: bytes) -> None:
    assert not values(AnsarProtocol().receive(HEAD + noise + b"\xfe", Instant(0)))


def test_the_device_shows_a_new_pressure_as_a_change() -> None:
    device = AnsarDevice()
    wire = Wire(AnsarProtocol(), device)
    spoken = zip(NIBP, (118.0, 76.0, 90.0), strict=True)
    device.say([observe(metric, value, Instant(0)) for metric, value in spoken], Instant(0))
    assert pressures(wire.run(5)) == [(118.0, Validity.VALID, instant_at(1))]
    said: list[DeviceEvent] = [DeviceNotice(NoticeKind.SENSOR_OFF, wire.now)]
    said += [DeviceAlarm("no_breath", wire.now)]
    device.say(said, wire.now)
    told = wire.run(8)
    assert notices(told) == [(NoticeKind.SENSOR_OFF, True)]
    assert alarms(told) == [("no_breath", True)]
    assert not pressures(told)


def test_encoding_keeps_the_curve() -> None:
    samples = tuple(float(each) for each in range(50))
    told = hear(AnsarProtocol(), encode([WaveformSegment(Metric.PLETH, Instant(0), 50, samples)]))
    assert [each.samples for each in told if isinstance(each, WaveformSegment)] == [samples]
