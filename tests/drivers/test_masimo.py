"""Oddities of the Masimo line: keys, dashes, status bits, torn lines."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.masimo import DRIVER, MasimoProtocol
from drivers.parts.masimo_oximeter import MasimoDevice
from monitor.model.event import DeviceNotice, NoticeKind, Observation, Validity, observe
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
GOOD = b"11/14/23 22:13:20 SN=0000012345 SPO2=097%% BPM=072 PI=01.20%% ALARM=%s EXC=%s\r\n"
few = settings(max_examples=60, deadline=None, derandomize=True)


def line(alarm: bytes = b"0000", exc: bytes = b"000800") -> bytes:
    return GOOD % (alarm, exc)


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("masimo", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


def test_an_example_without_its_line_end_is_told_as_questionable() -> None:
    told = hear(MasimoProtocol(), DRIVER.vectors[3].data.strip())
    assert values(told)[Metric.SPO2] == 85.0
    assert set(validities(told).values()) == {Validity.QUESTIONABLE}


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("exc", [b"000820", b"000801", b"000802", b"000880"])
def test_a_number_printed_without_a_sensor_does_not_count(exc: bytes) -> None:
    told = hear(MasimoProtocol(), line(exc=exc))
    assert set(values(told).values()) == {None}
    assert set(validities(told).values()) == {Validity.NOT_AVAILABLE}


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (b"000801", NoticeKind.SENSOR_OFF),
        (b"000802", NoticeKind.SENSOR_FAULT),
        (b"000804", NoticeKind.LOW_PERFUSION),
        (b"000808", NoticeKind.SEARCHING),
        (b"000810", NoticeKind.ARTEFACT),
        (b"000820", NoticeKind.SENSOR_OFF),
        (b"000840", NoticeKind.ARTEFACT),
        (b"000880", NoticeKind.SENSOR_FAULT),
        (b"0000C00", NoticeKind.ARTEFACT),
    ],
)
def test_each_exception_is_told_when_it_comes_and_goes(exc: bytes, kind: NoticeKind) -> None:
    told = hear(MasimoProtocol(), line(), line(exc=exc), line(exc=exc), line())
    assert notices(told) == [(kind, True), (kind, False)]


@pytest.mark.parametrize("exc", [b"000808", b"000810", b"000840", b"000C00"])
def test_numbers_in_doubt_are_questionable(exc: bytes) -> None:
    told = hear(MasimoProtocol(), line(exc=exc))
    assert values(told)[Metric.SPO2] == 97.0
    assert validities(told)[Metric.SPO2] is Validity.QUESTIONABLE


def test_no_sensor_then_off_the_patient_is_one_state() -> None:
    told = hear(MasimoProtocol(), line(exc=b"000801"), line(exc=b"000820"), line())
    assert notices(told) == [(NoticeKind.SENSOR_OFF, True), (NoticeKind.SENSOR_OFF, False)]
    assert details(told, NoticeKind.SENSOR_OFF)[0] == "no sensor"


@pytest.mark.parametrize(
    ("word", "alarm"),
    [
        (b"0011", "spo2_high"),
        (b"0012", "spo2_low"),
        (b"0014", "pulse_rate_high"),
        (b"000018", "pulse_rate_low"),
    ],
)
def test_its_own_alarms_have_stable_words(word: bytes, alarm: str) -> None:
    told = hear(MasimoProtocol(), line(), line(alarm=word), line(alarm=word), line())
    assert alarms(told) == [(alarm, True), (alarm, False)]


def test_a_silenced_alarm_is_told_and_low_alarms_of_a_missing_sensor_are_not() -> None:
    told = hear(MasimoProtocol(), line(alarm=b"002A", exc=b"000820"), line())
    assert notices(told)[0] == (NoticeKind.SENSOR_OFF, True)
    assert (NoticeKind.AUDIO_PAUSED_AT_DEVICE, True) in notices(told)
    assert not alarms(told)


def test_order_blanks_and_unknown_keys_do_not_matter_and_are_told_once() -> None:
    odd = (
        b"11/14/23 22:13:20 EXC=000800 ORI=07 BPM=072% DESAT=--    3 SPO2=097% "
        b"ALARM=0100 EXC1=00000000\n\r\n"
    )
    told = hear(MasimoProtocol(), odd, odd)
    assert values(told) == {Metric.SPO2: 97.0, Metric.PULSE_RATE: 72.0}
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["ORI", "ALARM bits 000100"]


@pytest.mark.parametrize("width", [b"PI=1.20", b"PI=101.20%"])
def test_a_perfusion_index_of_another_width_is_told_as_unknown(width: bytes) -> None:
    told = hear(MasimoProtocol(), line().replace(b"PI=01.20%", width))
    assert Metric.PERFUSION_INDEX not in values(told)
    assert values(told)[Metric.SPO2] == 97.0
    assert details(told, NoticeKind.UNKNOWN_FIELD) == [width.decode()]


def test_a_line_without_exceptions_is_questionable() -> None:
    told = hear(MasimoProtocol(), b"11/14/23 22:13:20 SPO2=097% BPM=072\r\n")
    assert validities(told)[Metric.SPO2] is Validity.QUESTIONABLE


@pytest.mark.hazard("H3")
def test_a_lost_byte_is_never_another_number() -> None:
    whole = line(alarm=b"0012")
    expected = values(hear(MasimoProtocol(), whole))
    for size in (1, 2, 5):
        for at in range(len(whole)):
            told = hear(MasimoProtocol(), whole[:at] + whole[at + size :], whole)
            assert values(told) == expected
            for metric, value in values(told[:4]).items():
                assert value in {expected[metric], None}


def test_a_capture_that_starts_anywhere_is_read_from_the_next_line_on() -> None:
    stream = line() + line().replace(b"097", b"096")
    for at in range(1, len(line())):
        told = hear(MasimoProtocol(), stream[at:])
        assert [each.value for each in told if isinstance(each, Observation)] == [96, 72, 1.2]


def test_a_lost_line_end_costs_no_more_than_its_line() -> None:
    told = hear(MasimoProtocol(), line()[:-2] + line().replace(b"097", b"096"))
    assert values(told)[Metric.SPO2] == 96.0
    assert refusals(told) == ["line cut short"]


@pytest.mark.parametrize(
    "bad",
    [
        line().replace(b"SPO2=097%", b"SPO2=97%"),
        line().replace(b"BPM=072", b"BPM=0072"),
        line().replace(b"BPM=072 ", b""),
        line().replace(b"11/14/23", b"13/14/23"),
        line().replace(b"22:13", b"24:13"),
        line().replace(b"BPM=072", b"BPM=072 BPM=073"),
        line().replace(b"EXC=000800", b"EXC=0008"),
        line().replace(b"ALARM=0000", b"ALARM=00G0"),
    ],
)
def test_a_line_that_is_not_as_printed_is_refused_whole(bad: bytes) -> None:
    told = hear(MasimoProtocol(), bad)
    assert not values(told)
    assert len(refusals(told)) == 1


@few
@given(st.binary(max_size=700))
def test_hostile_bytes_give_no_values_and_cost_a_refusal_a_run(noise: bytes) -> None:
    told = hear(MasimoProtocol(), noise)
    assert not values(told)
    assert len(told) <= 2 + len(noise) // 2


def test_a_clock_that_is_years_off_is_told_once_and_whole_hours_are_a_zone() -> None:
    opened = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
    for hours, expected in ((0, 0), (-5, 0), (24 * 365, 1)):
        told = hear(MasimoProtocol({"opened_utc_s": opened + hours * 3600}), line(), line())
        assert len(details(told, NoticeKind.CLOCK_DIFFERS)) == expected
    late = MasimoProtocol({"opened_utc_s": opened + 300, "utc_offset_min": 0})
    assert details(hear(late, line()), NoticeKind.CLOCK_DIFFERS) == [
        "the device's clock is 300 s behind ours"
    ]
    with pytest.raises(OptionError, match="utc_offset_min"):
        MasimoProtocol({"utc_offset_min": 900})


def test_the_device_holds_its_numbers_for_seconds_and_we_are_not_deceived() -> None:
    device = MasimoDevice()
    wire = Wire(MasimoProtocol(), device)
    device.say(
        [observe(Metric.SPO2, 97, Instant(0)), observe(Metric.PULSE_RATE, 72, Instant(0))],
        Instant(0),
    )
    assert values(wire.run(2))[Metric.SPO2] == 97.0
    device.say(
        [
            DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(2)),
            observe(Metric.SPO2, None, instant_at(2)),
        ],
        instant_at(2),
    )
    device.wake(instant_at(3))
    assert b"SPO2=097%" in b"".join(device.take_outgoing())
    wire.now = instant_at(4)
    assert set(values(wire.run(12)).values()) == {None}


NARROW = b"11/14/23 22:13:20 SPO2=%b%% BPM=072 PI=01.20%% ALARM=%s EXC=%s\r\n"


def test_a_radical_5_prints_narrow_states_and_no_serial_number() -> None:
    told = hear(MasimoProtocol(), NARROW % (b"096", b"12", b"804"))
    assert not refusals(told)
    assert values(told)[Metric.SPO2] == 96.0
    assert (NoticeKind.LOW_PERFUSION, True) in notices(told)
    told = hear(MasimoProtocol(), NARROW % (b"096", b"00", b"820"))
    assert set(values(told).values()) == {None}, "the sensor is off"


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    "spoiled",
    [
        NARROW % (b"096", b"12", b"000804"),
        NARROW % (b"096", b"0012", b"804"),
        NARROW % (b"096", b"12", b""),
        NARROW.replace(b"EXC=%s", b"%s") % (b"096", b"12", b""),
        line(b"12", b"804"),
        line(b"12"),
        line(exc=b"804"),
    ],
)
def test_a_narrow_state_is_believed_only_where_both_are_narrow(spoiled: bytes) -> None:
    told = hear(MasimoProtocol(), spoiled)
    assert refusals(told)
    assert not values(told)


def test_lines_whose_break_was_lost_are_both_read_where_the_first_is_as_long_as_others() -> None:
    other = line().replace(b"097", b"096")
    both = hear(MasimoProtocol(), line() + other[:-2] + line())
    heard = [each.value for each in both if isinstance(each, Observation)]
    assert [value for value in heard if value and value > 90] == [97.0, 96.0, 97.0]
    assert not refusals(both)
    cut = hear(MasimoProtocol(), line() + other[:-3] + line())
    assert [each.value for each in cut if isinstance(each, Observation)].count(96.0) == 0
    assert refusals(cut) == ["line cut short"]
