"""Oddities of the Datex displayed values: sentinels, modules, sources of rates, the cuff."""

from struct import pack_into

import pytest

from drivers.devices.datex import DatexProtocol
from drivers.parts.datex_displayed import CLASS_AT, CO2_AT, ECG_AT, NIBP_AT, SPO2_AT, TEMPS_AT
from drivers.parts.datex_record import (
    frame_of,
)
from monitor.model.event import (
    DeviceNotice,
    NoticeKind,
    Validity,
)
from monitor.model.instant import instant_at
from monitor.model.metric import NIBP, Metric
from tests.drivers.datex_records import (
    CUFF_LABEL,
    IS_OLD,
    MEASURING,
    RECORD,
    alarms,
    auxiliary,
    cuff,
    found,
    hear,
    notices,
    record,
    value,
)

# --- displayed values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "validity"),
    [
        (-32767, Validity.NOT_AVAILABLE),
        (-32766, Validity.NOT_AVAILABLE),
        (-32765, Validity.NOT_AVAILABLE),
        (-32764, Validity.UNDERFLOW),
        (-32763, Validity.OVERFLOW),
        (-32762, Validity.NOT_AVAILABLE),
        (-32001, Validity.NOT_AVAILABLE),
        (-32000, Validity.UNDERFLOW),
    ],
)
def test_a_sentinel_is_never_a_value(raw: int, validity: Validity) -> None:
    told = hear(DatexProtocol(), record(**{f"w{SPO2_AT + 8}": raw}))
    assert value(told, Metric.PULSE_RATE) == (None, validity)


def test_ambient_pressure_without_a_co2_module_gives_no_co2() -> None:
    told = hear(DatexProtocol(), record(**{f"w{CO2_AT}": 0}))
    assert found(told, Metric.ETCO2) is None
    assert value(told, Metric.RESP_RATE)[0] == 14.0  # the impedance rate of the ECG


def test_a_module_that_was_there_and_goes_takes_its_values_along() -> None:
    protocol = DatexProtocol()
    hear(protocol, record())
    told = hear(protocol, record(**{f"w{CO2_AT}": 0, f"w{SPO2_AT}": 1}))
    for metric in (Metric.ETCO2, Metric.RESP_RATE, Metric.SPO2, Metric.PULSE_RATE):
        assert value(told, metric) == (None, Validity.NOT_AVAILABLE)
    assert notices(told)[NoticeKind.SENSOR_OFF]
    assert not notices(hear(protocol, record()))[NoticeKind.SENSOR_OFF]


@pytest.mark.hazard("H1")
def test_impedance_never_stands_in_for_a_co2_module_that_fell_silent() -> None:
    protocol = DatexProtocol()
    hear(protocol, record())
    told = hear(protocol, record(**{f"w{CO2_AT}": 1, f"w{CO2_AT + 10}": -32767}))
    assert value(told, Metric.RESP_RATE) == (None, Validity.NOT_AVAILABLE)


@pytest.mark.hazard("H1")
def test_apnoea_is_the_status_bit_and_tells_its_end() -> None:
    protocol = DatexProtocol()
    assert alarms(hear(protocol, record(w132=3 | 4))) == [("no_breath", True)]
    assert alarms(hear(protocol, record(w132=3 | 4 | 0x80))) == [("apnoea", True)]
    assert alarms(hear(protocol, record(w132=3))) == [("no_breath", False), ("apnoea", False)]


@pytest.mark.parametrize(
    ("bits", "kind"),
    [
        (0x08, NoticeKind.AUTO_ZERO),
        (0x10, NoticeKind.AUTO_ZERO),
        (0x20, NoticeKind.OCCLUSION),
        (0x40, NoticeKind.SAMPLE_LINE_OFF),
        (0x100, NoticeKind.AUDIO_PAUSED_AT_DEVICE),
        (0x200, NoticeKind.CO2_FAULT),
    ],
)
def test_a_state_of_the_gas_module_is_told_at_its_edges(bits: int, kind: NoticeKind) -> None:
    protocol = DatexProtocol()
    hear(protocol, record())
    told = hear(protocol, record(w132=3 | bits))
    assert notices(told) == {kind: True}
    is_zeroing = kind is NoticeKind.AUTO_ZERO
    expected = (None, Validity.MEASURING) if is_zeroing else (14.0, Validity.VALID)
    assert value(told, Metric.RESP_RATE) == expected
    assert notices(hear(protocol, record())) == {kind: False}


def test_without_a_believable_ambient_pressure_co2_is_questionable_and_says_so() -> None:
    for ambient in (-32767, 0, 9000):
        told = hear(DatexProtocol(), record(**{f"w{CO2_AT + 12}": ambient}))
        assert value(told, Metric.ETCO2) == (38.0, Validity.QUESTIONABLE)
        details = [each.detail for each in told if isinstance(each, DeviceNotice)]
        assert any("UNCERTAIN" in each and "760 mmHg" in each for each in details)
    told = hear(DatexProtocol(), record(**{f"w{CO2_AT + 12}": 5000}))
    assert value(told, Metric.ETCO2) == (25.0, Validity.VALID)


def test_the_conversion_is_told_once_although_the_weather_changes() -> None:
    protocol = DatexProtocol()
    hear(protocol, record())
    assert not notices(hear(protocol, record(**{f"w{CO2_AT + 12}": 7590})))


def test_a_heart_rate_that_is_the_oximeters_is_not_told_as_one() -> None:
    protocol = DatexProtocol()
    no_ecg = {"w226": -32767}
    assert value(hear(protocol, record(**no_ecg)), Metric.HEART_RATE)[0] is None
    from_ecg = {**no_ecg, f"w{ECG_AT}": 3 | 1 << 3}
    assert value(hear(protocol, record(**from_ecg)), Metric.HEART_RATE)[0] == 72.0
    empty = {**from_ecg, "w226": 0}
    assert value(hear(protocol, record(**empty)), Metric.HEART_RATE)[0] == 72.0


def test_a_heart_rate_without_a_named_source_is_questionable() -> None:
    words = {f"w{ECG_AT}": 3, "w226": -32767}
    expected = (72.0, Validity.QUESTIONABLE)
    assert value(hear(DatexProtocol(), record(level=2, **words)), Metric.HEART_RATE) == expected
    words[f"w{ECG_AT + 6}"] = -32767
    assert value(hear(DatexProtocol(), record(level=2, **words)), Metric.HEART_RATE)[0] is None


def test_a_venous_saturation_is_not_told_as_spo2() -> None:
    told = hear(DatexProtocol(), record(**{f"w{SPO2_AT + 4}": 2}))
    assert found(told, Metric.SPO2) is None
    assert notices(told)[NoticeKind.UNKNOWN_FIELD]
    assert value(hear(DatexProtocol(), record(**{f"w{SPO2_AT + 4}": 1})), Metric.SPO2)[0] == 97.0


def test_the_first_temperature_that_measures_is_told() -> None:
    words = {f"w{TEMPS_AT[0]}": 0, f"w{TEMPS_AT[2]}": 3, f"w{TEMPS_AT[2] + 6}": 3650}
    protocol = DatexProtocol()
    assert value(hear(protocol, record(**words)), Metric.TEMP)[0] == 36.5
    nothing = {f"w{TEMPS_AT[0]}": 0}
    assert value(hear(protocol, record(**nothing)), Metric.TEMP) == (None, Validity.NOT_AVAILABLE)


def test_before_level_8_the_rate_of_another_source_goes_on_while_co2_zeroes() -> None:
    words = {f"w{CO2_AT}": 3 | 0x10, f"w{CO2_AT + 4}": 2}
    expected = (14.0, Validity.QUESTIONABLE)  # a chest that moves is no proof of breath
    assert value(hear(DatexProtocol(), record(level=6, **words)), Metric.RESP_RATE) == expected
    assert value(hear(DatexProtocol(), record(level=8, **words)), Metric.RESP_RATE)[0] is None
    words[f"w{CO2_AT + 4}"] = 0  # no source named: taken for the gas module's
    assert value(hear(DatexProtocol(), record(level=6, **words)), Metric.RESP_RATE)[0] is None


def test_other_classes_are_remarked_on_once() -> None:
    changed = bytearray(RECORD)
    pack_into("<H", changed, 40 + CLASS_AT, 0x01A1)
    protocol = DatexProtocol()
    frame = frame_of(bytes(changed))
    assert notices(hear(protocol, frame))[NoticeKind.UNKNOWN_FIELD]
    assert not hear(protocol, frame)


def test_a_trend_is_told_as_doubtful_and_never_beside_displayed_values() -> None:
    changed = bytearray(RECORD)
    changed[18] = 2
    trend = frame_of(bytes(changed))
    protocol = DatexProtocol()
    told = hear(protocol, trend)
    assert value(told, Metric.SPO2) == (97.0, Validity.QUESTIONABLE)
    assert value(told, Metric.NIBP_SYS) == (120.0, Validity.QUESTIONABLE)
    assert found(hear(protocol, trend), Metric.NIBP_SYS) is None
    hear(protocol, record())
    assert not hear(protocol, trend)


# --- the cuff ------------------------------------------------------------------------------------


@pytest.mark.hazard("H8")
def test_a_measurement_is_told_once_however_often_it_is_repeated() -> None:
    protocol = DatexProtocol()
    first = hear(protocol, record(), instant_at(10))
    assert [found(first, each).taken for each in NIBP] == [instant_at(10)] * 3  # type: ignore[union-attr]
    for second, label in ((15, 0), (40, 0), (70, IS_OLD), (600, IS_OLD)):
        told = hear(protocol, record(**cuff(120, label)), instant_at(second))
        assert found(told, Metric.NIBP_SYS) is None


def test_the_end_of_measuring_is_a_new_measurement_even_with_the_same_numbers() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(**cuff(120, IS_OLD)), instant_at(5))
    begun = hear(protocol, record(**cuff(120, MEASURING | IS_OLD)), instant_at(10))
    assert notices(begun) == {NoticeKind.CUFF_INFLATING: True}
    assert found(begun, Metric.NIBP_SYS) is None
    ended = hear(protocol, record(**cuff(120)), instant_at(15))
    assert notices(ended) == {NoticeKind.CUFF_INFLATING: False}
    told = found(ended, Metric.NIBP_SYS)
    assert told is not None
    assert (told.value, told.validity, told.taken) == (120.0, Validity.VALID, instant_at(15))


def test_numbers_that_move_while_the_cuff_measures_are_no_measurement() -> None:
    protocol = DatexProtocol()
    for second, systolic in ((5, 120), (10, 133), (15, 0)):
        told = hear(protocol, record(**cuff(systolic, MEASURING)), instant_at(second))
        assert found(told, Metric.NIBP_SYS) is None
    told = hear(protocol, record(**cuff(141)), instant_at(20))
    assert value(told, Metric.NIBP_SYS)[0] == 141.0


def test_a_measurement_broken_off_leaves_the_old_one_old() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(), instant_at(5))
    hear(protocol, record(**cuff(120, MEASURING | IS_OLD)), instant_at(100))
    ended = hear(protocol, record(**cuff(120, IS_OLD)), instant_at(105))
    assert found(ended, Metric.NIBP_SYS) is None


def test_numbers_change_only_with_a_new_measurement() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(), instant_at(5))
    told = found(hear(protocol, record(**cuff(141)), instant_at(50)), Metric.NIBP_SYS)
    assert told is not None
    assert (told.value, told.taken) == (141.0, instant_at(50))


def test_a_measurement_without_a_result_failed() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(**cuff(120, MEASURING)), instant_at(5))
    nothing = {f"w{NIBP_AT + each}": -32767 for each in (6, 8, 10, 12)}
    told = hear(protocol, record(**{f"w{CUFF_LABEL}": 0}, **nothing), instant_at(10))
    assert notices(told)[NoticeKind.CUFF_FAILED]
    assert value(told, Metric.NIBP_SYS) == (None, Validity.NOT_AVAILABLE)
    again = hear(protocol, record(**{f"w{CUFF_LABEL}": 0}, **nothing), instant_at(15))
    assert found(again, Metric.NIBP_SYS) is None


def test_numbers_of_unknown_age_are_questionable_until_their_time_is_known() -> None:
    protocol = DatexProtocol()
    told = found(hear(protocol, record(**cuff(120, IS_OLD)), instant_at(900)), Metric.NIBP_SYS)
    assert told is not None
    assert (told.validity, told.taken) == (Validity.QUESTIONABLE, None)
    now_s = 1_700_000_000
    hear(protocol, auxiliary(now_s - 400, now_s), instant_at(901))
    told = found(hear(protocol, record(**cuff(120, IS_OLD)), instant_at(905)), Metric.NIBP_SYS)
    assert told is not None
    assert (told.validity, told.taken) == (Validity.VALID, instant_at(501))
    hear(protocol, auxiliary(now_s - 400, now_s + 9), instant_at(910))
    told = found(hear(protocol, record(**cuff(120, IS_OLD)), instant_at(915)), Metric.NIBP_SYS)
    assert told is None


def test_the_auxiliary_time_shows_a_measurement_that_ended_between_two_records() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(), instant_at(10))
    now_s = 1_700_000_100
    hear(protocol, auxiliary(now_s - 8, now_s), instant_at(110))
    told = found(hear(protocol, record(), instant_at(112)), Metric.NIBP_SYS)
    assert told is not None
    assert told.taken == instant_at(102)


@pytest.mark.parametrize("taken_s", [0, 0xFFFFFFFF, 1_700_000_100, 1_699_000_000])
def test_an_auxiliary_time_that_cannot_be_says_nothing(taken_s: int) -> None:
    protocol = DatexProtocol()
    hear(protocol, auxiliary(taken_s, 1_700_000_000), instant_at(900))
    told = found(hear(protocol, record(**cuff(120, IS_OLD)), instant_at(901)), Metric.NIBP_SYS)
    assert told is not None
    assert told.taken is None
