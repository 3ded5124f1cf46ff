"""What IntelliVue waves, alarm lists and clocks mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.devices.intellivue import IntelliVueProtocol
from drivers.parts.intellivue_messages import clock_digits, clock_s_of
from drivers.parts.intellivue_vectors import SATURATION_LOW
from monitor.model.event import (
    DeviceAlarm,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    WaveformSegment,
)
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.drivers.intellivue_messages import (
    CLOCK,
    SPO2,
    alarm_lists,
    alarms,
    details,
    entry,
    hear,
    notices,
    numeric,
    poll,
    thing,
)

NO_CLOCK = "FF" * 8
LOW = entry(0x4BB8, 0x003E, 0x0200, 0x0008, "SpO2 LOW")
NO_BREATH = entry(0x5012, 0x0088, 0x0400)


def one(text: str) -> bytes:
    return poll(numeric(0x83D5, text))


# --- waves ---------------------------------------------------------------------------------------


def co2_wave(*more: tuple[int, str], state: int = 0, raw: str = "0000 01F4 03E8 FFFF") -> bytes:
    count = len(bytes.fromhex(raw))
    return poll(thing(2, (0x096E, f"50AC {state:04X} {count:04X} {raw}"), *more), about=0x09)


SCALE = (0x096F, "00000000 00000064 0000 03E8")  # 0 to 100 for 0 to 1000
FORM = (0x096D, "0004 10 0C 0000")  # twelve bits count


def waves(events: list[object]) -> list[WaveformSegment]:
    return [each for each in events if isinstance(each, WaveformSegment)]


def test_what_samples_mean_is_remembered_from_the_first_cycle() -> None:
    protocol = IntelliVueProtocol()
    assert details(hear(protocol, co2_wave())) == ["co2_wave without a scale: not told"]
    hear(protocol, co2_wave(SCALE, FORM, (0x098D, "00000080"), (0x0996, "0F20")))
    told = waves(list(hear(protocol, co2_wave(raw="0000 01F4 F3E8"))))
    assert [(each.samples, each.rate_hz) for each in told] == [((0.0, 50.0, 100.0), 62.5)]


def test_a_wave_in_kpa_is_told_in_mmhg_by_its_own_unit_or_the_numerics() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, one("50B0 0000 0F03 FF000032"))
    assert waves(list(hear(protocol, co2_wave(SCALE, raw="01F4"))))[0].samples == (375.03,)
    protocol = IntelliVueProtocol()
    told = waves(list(hear(protocol, co2_wave(SCALE, (0x0996, "0F03"), raw="01F4"))))
    assert told[0].samples == (375.03,)


@pytest.mark.parametrize("state", [0x8000, 0x2000, 0x1000])
def test_an_invalid_block_has_no_samples(state: int) -> None:
    told = waves(list(hear(IntelliVueProtocol(), co2_wave(SCALE, state=state))))
    assert told[0].samples == (None,) * 4


def test_without_a_period_a_block_lasts_256_ms() -> None:
    block = (0x096E, "4BB4 0000 0040" + "0064" * 32)
    told = waves(list(hear(IntelliVueProtocol(), poll(thing(1, block), about=0x09))))
    assert [(each.metric, each.rate_hz, len(each.samples)) for each in told] == [
        (Metric.PLETH, 125, 32)
    ]


def test_a_block_longer_than_its_attribute_says_nothing() -> None:
    for text in ("4BB4 0000 0040 0064", "4BB4 0000", "", "4BB4 0000 0000"):
        assert not waves(list(hear(IntelliVueProtocol(), poll(thing(1, (0x096E, text)), about=9))))


def test_a_compound_block_is_several_waves() -> None:
    both = (0x0967, "0002 0010 4BB4 0000 0002 0064 50AC 0000 0002 01F4")
    told = waves(list(hear(IntelliVueProtocol(), poll(thing(1, both, SCALE), about=0x09))))
    assert [(each.metric, each.samples) for each in told] == [
        (Metric.PLETH, (100.0,)),
        (Metric.CO2_WAVE, (50.0,)),
    ]


# --- alarms --------------------------------------------------------------------------------------


def test_the_printed_entry_is_a_low_saturation_of_medium_priority() -> None:
    told = [
        each for each in hear(IntelliVueProtocol(), SATURATION_LOW) if isinstance(each, DeviceAlarm)
    ]
    assert [(each.alarm, each.metric, each.priority, each.detail) for each in told] == [
        ("spo2_low", Metric.SPO2, "medium", "SpO2 LOW")
    ]


@pytest.mark.hazard("H1")
def test_alarms_are_told_at_their_edges_and_again_when_they_become_more_urgent() -> None:
    protocol = IntelliVueProtocol()
    assert alarms(hear(protocol, alarm_lists([LOW, NO_BREATH]))) == [
        ("spo2_low", True, "medium"),
        ("no_breath", True, "high"),
    ]
    assert not hear(protocol, alarm_lists([NO_BREATH, LOW]))
    urgent = entry(0x4BB8, 0x003E, 0x0400)
    assert alarms(hear(protocol, alarm_lists([urgent]))) == [
        ("no_breath", False, "high"),
        ("spo2_low", False, "medium"),
        ("spo2_low", True, "high"),
    ]
    assert alarms(hear(protocol, alarm_lists())) == [("spo2_low", False, "high")]


@pytest.mark.parametrize(
    ("source", "code", "kind"),
    [
        (0x4BB8, 0x0016, NoticeKind.SENSOR_OFF),
        (0x4BB8, 0x00AE, NoticeKind.SENSOR_OFF),
        (0x4822, 0x004A, NoticeKind.ARTEFACT),
        (0x4BB8, 0x0080, NoticeKind.LOW_PERFUSION),
        (0x4BB4, 0x0138, NoticeKind.SENSOR_FAULT),
        (0x50B0, 0x0050, NoticeKind.OCCLUSION),
        (0x50AC, 0x00FA, NoticeKind.OCCLUSION),
        (0x50B0, 0x007C, NoticeKind.WARMING_UP),
        (0x50B0, 0x0134, NoticeKind.SAMPLE_LINE_OFF),
        (0x50B0, 0x0136, NoticeKind.CO2_FAULT),
    ],
)
def test_a_technical_alarm_of_a_sensor_is_a_notice(
    source: int, code: int, kind: NoticeKind
) -> None:
    protocol = IntelliVueProtocol()
    assert notices(hear(protocol, alarm_lists((), [entry(source, code, 1)]))) == {kind: True}
    assert notices(hear(protocol, alarm_lists())) == {kind: False}


def test_an_ecg_lead_that_is_off_says_nothing_of_the_oximeter() -> None:
    told = hear(IntelliVueProtocol(), alarm_lists((), [entry(0x4182, 0x0016, 2)]))
    assert alarms(told) == [("heart_rate_disconnected", True, "medium")]
    assert not notices(told)


def test_a_patients_alarm_is_no_notice_whatever_its_code() -> None:
    told = hear(IntelliVueProtocol(), alarm_lists([entry(0x4BB8, 0x00AE, 0x0400)]))
    assert alarms(told) == [("spo2_source_absent", True, "high")]
    assert not notices(told)


def test_what_nobody_described_keeps_its_numbers() -> None:
    told = hear(IntelliVueProtocol(), alarm_lists([entry(0x1234, 0x0ABC, 0x0100)]))
    assert alarms(told) == [("source_1234_alarm_0abc", True, "low")]


def test_an_alarm_switched_off_is_not_present_and_a_paused_one_is() -> None:
    protocol = IntelliVueProtocol()
    assert not hear(protocol, alarm_lists([entry(0x4BB8, 0x003E, 0x0200, 0x8000)]))
    told = hear(protocol, alarm_lists([entry(0x4BB8, 0x003E, 0x0200, 0x1000)]))
    assert alarms(told) == [("spo2_low", True, "medium")]
    assert notices(told) == {NoticeKind.AUDIO_PAUSED_AT_DEVICE: True}
    told = hear(protocol, alarm_lists([entry(0x4BB8, 0x003E, 0x0200, 0x2000)]))
    assert notices(told) == {NoticeKind.AUDIO_PAUSED_AT_DEVICE: False}


def test_a_list_that_contradicts_itself_ends_no_alarm() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, alarm_lists([LOW]))
    for broken in ("0002 0000", "0001 0010" + "00" * 16, "0000 0002 0000", "FFFF 0000"):
        told = hear(protocol, poll(thing(1, (0x0902, broken)), about=0x36))
        assert [type(each) for each in told] == [FrameRejected]
    assert alarms(hear(protocol, alarm_lists())) == [("spo2_low", False, "medium")]


@pytest.mark.hazard("H21")
def test_alarms_and_waves_of_a_monitor_in_demo_mode_are_marked_whatever_they_say() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, alarm_lists([LOW]))
    hear(protocol, one("4BB8 0400 0220 FF0003CA"))
    for message in (alarm_lists([NO_BREATH]), alarm_lists(), co2_wave(SCALE)):
        told = hear(protocol, message)
        assert told
        assert {getattr(each, "mode", None) for each in told} == {GenerationMode.DEMO}
    hear(protocol, one(SPO2))
    assert {getattr(each, "mode", None) for each in hear(protocol, co2_wave())} == {
        GenerationMode.REAL
    }


# --- the clock -----------------------------------------------------------------------------------


@given(st.integers(0, 4_000_000_000))
def test_a_time_written_is_read_again(clock_s: int) -> None:
    assert clock_s_of(clock_digits(clock_s)) == clock_s


@pytest.mark.parametrize("digits", ["FF" * 8, "2024133110000000", "202403151A000000", "20240315"])
def test_a_time_that_is_none_is_not_read(digits: str) -> None:
    assert clock_s_of(bytes.fromhex(digits)) is None


def test_a_clock_that_differs_is_told_at_its_edges_whatever_the_zone() -> None:
    utc_s = clock_s_of(bytes.fromhex(CLOCK))
    assert utc_s is not None
    opened = utc_s - 100 - 3600 - 75
    protocol = IntelliVueProtocol({"opened_utc_s": opened})
    assert details(hear(protocol, one(SPO2))) == ["the device's clock is 75 s ahead of ours"]
    assert not notices(hear(protocol, one(SPO2)))
    assert notices(hear(protocol, one(SPO2), instant_at(170))) == {NoticeKind.CLOCK_DIFFERS: False}


def test_a_clock_that_was_never_set_or_belongs_to_a_demonstration_is_not_compared() -> None:
    utc_s = clock_s_of(bytes.fromhex(CLOCK))
    assert utc_s is not None
    assert not notices(hear(IntelliVueProtocol({"opened_utc_s": 0.0}), one(SPO2)))
    protocol = IntelliVueProtocol({"opened_utc_s": utc_s - 200})
    assert not notices(hear(protocol, one("4BB8 0400 0220 FF0003CA")))
    assert not notices(hear(protocol, poll(numeric(0x83D5, SPO2), clock="1970010203000000")))
    assert notices(hear(protocol, one(SPO2))) == {NoticeKind.CLOCK_DIFFERS: True}
