"""What IntelliVue numerics mean: values, states, units, sources, the time of the cuff."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.intellivue import IntelliVueProtocol
from drivers.parts.intellivue_values import float_of, float_word
from drivers.parts.intellivue_vectors import NUMERICS_RESULT
from monitor.model.event import (
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import instant_at
from monitor.model.metric import NIBP, Metric, describe
from tests.drivers.intellivue_messages import (
    ETCO2,
    NOW,
    SPO2,
    alarm_lists,
    details,
    entry,
    found,
    hear,
    notices,
    numeric,
    poll,
    pressures,
    thing,
    value,
)

NO_CLOCK = "FF" * 8
LOW = entry(0x4BB8, 0x003E, 0x0200, 0x0008, "SpO2 LOW")
NO_BREATH = entry(0x5012, 0x0088, 0x0400)


def one(text: str) -> bytes:
    return poll(numeric(0x83D5, text))


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("FF0003CA", 97.0),
        ("FF00016E", 36.6),
        ("00000078", 120),
        ("FD007D00", 32.0),
        ("02000020", 3200),
        ("00FFFFFB", -5),
        ("007FFFFF", None),
        ("00800000", None),
        ("007FFFFE", None),
        ("00800002", None),
    ],
)
def test_a_float_is_read_as_printed(text: str, number: float | None) -> None:
    assert float_of(int(text, 16))[0] == number


@given(st.integers(-8_000_000, 8_000_000), st.integers(0, 6))
def test_a_float_written_is_read_again(mantissa: int, decimals: int) -> None:
    number = mantissa / 10**decimals
    assert float_of(float_word(number, decimals))[0] == number
    assert float_of(float_word(None, decimals))[0] is None


@given(st.integers(0, 0xFFFFFFFF))
def test_no_float_makes_a_value_that_cannot_be(word: int) -> None:
    told = found(hear(IntelliVueProtocol(), one(f"4BB8 0000 0220 {word:08X}")), Metric.SPO2)
    assert told is not None
    assert told.value is None or 1 <= told.value <= 100


ATTRIBUTES = (0x0950, 0x094B, 0x0924, 0x0990, 0x0991, 0x096E, 0x0967, 0x096D, 0x096F, 0x098D)


@settings(max_examples=150)
@given(
    about=st.sampled_from([0x06, 0x09, 0x36]),
    attributes=st.dictionaries(
        st.sampled_from([*ATTRIBUTES, 0x0996, 0x0902, 0x0904, 0x1234]),
        st.binary(max_size=60),
        max_size=4,
    ),
    start=st.sampled_from(["", "4BB80000", "50B0", "0003001E4A05", "50AC00000008"]),
)
def test_any_content_of_attributes_is_read_or_refused(
    about: int, attributes: dict[int, bytes], start: str
) -> None:
    told = [(name, start + data.hex()) for name, data in attributes.items()]
    protocol = IntelliVueProtocol()
    for event in hear(protocol, poll(thing(7, *told), numeric(8, SPO2), about=about)):
        assert event.at == NOW
        if isinstance(event, Observation) and event.value is not None:
            facts = describe(event.metric)
            assert facts.technical_low <= event.value <= facts.technical_high
    assert value(hear(protocol, poll(numeric(8, SPO2)), instant_at(120)), Metric.SPO2) == 97.0


@pytest.mark.parametrize(
    ("state", "validity"),
    [
        (0x8000, Validity.NOT_AVAILABLE),
        (0x2000, Validity.NOT_AVAILABLE),
        (0x1000, Validity.MEASURING),
        (0x4000, Validity.QUESTIONABLE),
        (0x0080, Validity.VALID),
        (0x0040, Validity.VALID),
        (0x0002, Validity.VALID),
        (0x0001, Validity.VALID),
        (0xC000, Validity.NOT_AVAILABLE),
    ],
)
def test_a_state_says_how_far_a_value_can_be_trusted(state: int, validity: Validity) -> None:
    told = found(hear(IntelliVueProtocol(), one(f"4BB8 {state:04X} 0220 FF0003CA")), Metric.SPO2)
    assert told is not None
    assert told.validity is validity
    assert (told.value is None) == (validity in {Validity.NOT_AVAILABLE, Validity.MEASURING})


@pytest.mark.hazard("H21")
def test_demo_and_test_data_are_marked_and_the_mark_ends_with_them() -> None:
    protocol = IntelliVueProtocol()
    for state, mode in (("0400", "demo"), ("0800", "test"), ("0C00", "demo"), ("0000", "real")):
        told = hear(protocol, one(f"4BB8 {state} 0220 FF0003CA"))
        assert [each.mode for each in told if isinstance(each, Observation)] == [mode]
    mixed = poll(numeric(1, "4182 0000 0AA0 00000048"), numeric(2, "4BB8 0400 0220 FF0003CA"))
    assert {each.mode for each in hear(protocol, mixed)} == {GenerationMode.DEMO}  # type: ignore[union-attr]
    silent = hear(protocol, alarm_lists([entry(0x4BB8, 0x003E, 0x0200, 0x0100)]))
    assert {each.mode for each in silent} == {GenerationMode.DEMO}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "metric", "number", "validity"),
    [
        ("50B0 0000 0F03 FF000032", Metric.ETCO2, 37.5, Validity.VALID),
        ("509C 0000 0220 FF000032", Metric.ETCO2, 38.0, Validity.QUESTIONABLE),
        ("50BA 0000 0F20 00000002", Metric.FICO2, 2.0, Validity.VALID),
        ("4B48 0000 1140 FF0003DA", Metric.TEMP, 37.0, Validity.VALID),
        ("4A05 0000 0F03 FF0000A0", Metric.NIBP_SYS, 120.01, Validity.QUESTIONABLE),
    ],
)
def test_a_value_is_told_in_our_unit(
    text: str, metric: Metric, number: float, validity: Validity
) -> None:
    events = hear(IntelliVueProtocol(), one(text))
    told = found(events, metric)
    assert told is not None
    assert (told.value, told.validity) == (number, validity)
    converts = "0F03" in text or "509C" in text
    assert (NoticeKind.UNIT_CONVERTED in notices(events)) == converts


@pytest.mark.hazard("H11")
def test_a_unit_that_does_not_fit_gives_no_value_and_is_told_once() -> None:
    protocol = IntelliVueProtocol()
    assert details(hear(protocol, one("50B0 0000 17A0 00000026"))) == ["etco2 in unit 17A0"]
    assert not hear(protocol, one("50B0 0000 17A0 00000026"))
    assert not [
        each
        for each in hear(protocol, one("4BB8 0000 0F20 00000061"))
        if isinstance(each, Observation)
    ]


def test_what_nobody_here_reads_is_told_once() -> None:
    protocol = IntelliVueProtocol()
    told = hear(protocol, poll(numeric(1, "4A10 0000 0F20 00000050", (0x0921, "0001"))))
    assert details(told) == ["numeric 4A10 in unit 0F20", "attribute 0921 of class 0006"]
    assert not hear(protocol, poll(numeric(1, "4A10 0000 0F20 00000050", (0x0921, "0001"))))
    assert not hear(protocol, one("480A 0000 0AA0 00000048"))


def test_an_object_without_a_value_is_not_available_once_its_metric_is_known() -> None:
    protocol = IntelliVueProtocol()
    label = (0x0924, "00024BB8")
    assert not hear(protocol, poll(thing(0x83D5, label)))
    hear(protocol, one(SPO2))
    told = found(hear(protocol, poll(thing(0x83D5, label))), Metric.SPO2)
    assert told is not None
    assert told.validity is Validity.NOT_AVAILABLE


@pytest.mark.hazard("H1")
def test_an_impedance_rate_never_stands_in_for_the_airway() -> None:
    impedance, airway = "500A 0000 0AE0 0000000C", "5012 0000 0AE0 0000000E"
    protocol = IntelliVueProtocol()
    assert value(hear(protocol, poll(numeric(5, impedance))), Metric.RESP_RATE) == 12
    told = hear(protocol, poll(numeric(5, impedance), numeric(6, airway)), instant_at(120))
    assert value(told, Metric.RESP_RATE) == 14
    lost = hear(protocol, poll(numeric(5, impedance), thing(6)), instant_at(140))
    assert value(lost, Metric.RESP_RATE) is None
    assert not hear(protocol, poll(numeric(5, impedance)), instant_at(160))


def test_of_two_sources_the_first_is_told_until_it_falls_silent() -> None:
    protocol = IntelliVueProtocol()
    first, second = numeric(1, "4B48 0000 17A0 FF00016E"), numeric(2, "4B48 0000 17A0 FF000154")
    told = hear(protocol, poll(first, second))
    assert value(told, Metric.TEMP) == 36.6
    assert details(told) == ["a second source of temp"]
    assert not hear(protocol, poll(second), instant_at(105))
    assert value(hear(protocol, poll(second), instant_at(111)), Metric.TEMP) == 34.0


@pytest.mark.parametrize(
    ("code", "metric"),
    [
        *((code, Metric.TEMP) for code in ("F0C7", "F0CA", "4B60", "4B64", "4B6C", "4B78")),
        *((code, Metric.TEMP) for code in ("E004", "F0C4", "F108", "F10C")),
        *((code, Metric.SPO2) for code in ("4BC8", "4BCC")),
    ],
)
def test_a_metric_goes_by_the_label_it_was_given_on_the_monitor(code: str, metric: Metric) -> None:
    unit, number = ("17A0", "FF00016E") if metric is Metric.TEMP else ("0220", "00000061")
    told = hear(IntelliVueProtocol(), one(f"{code} 0000 {unit} {number}"))
    assert value(told, metric) == (36.6 if metric is Metric.TEMP else 97)


@pytest.mark.parametrize("code", ["4B74", "4B50", "4B54", "F0C6", "E014", "E018"])
def test_a_temperature_that_is_not_the_bodys_is_no_temperature(code: str) -> None:
    told = hear(IntelliVueProtocol(), one(f"{code} 0000 17A0 FF00016E"))
    assert details(told) == [f"numeric {code} in unit 17A0"]
    assert found(told, Metric.TEMP) is None


@pytest.mark.hazard("H1")
def test_a_source_that_never_measured_gives_way_at_once_and_one_that_stopped_after_a_while() -> (
    None
):
    nothing, left, right = (
        numeric(handle, f"{code} {state} 0220 {number}")
        for handle, code, state, number in (
            (1, "4BB8", "2000", "007FFFFF"),
            (2, "4BC8", "0000", "00000061"),
            (3, "4BCC", "0000", "0000005F"),
        )
    )
    off = numeric(2, "4BC8 2000 0220 007FFFFF")
    protocol = IntelliVueProtocol()
    told = hear(protocol, poll(nothing, left, right))
    assert [each.value for each in told if isinstance(each, Observation)] == [None, 97]
    assert value(hear(protocol, poll(nothing, off, right), instant_at(101)), Metric.SPO2) is None
    assert value(hear(protocol, poll(nothing, off, right), instant_at(109)), Metric.SPO2) is None
    told = hear(protocol, poll(nothing, off, right), instant_at(110))
    assert [each.value for each in told if isinstance(each, Observation)] == [None, 95]
    assert value(hear(protocol, poll(nothing, left, right), instant_at(111)), Metric.SPO2) == 95


def test_a_capnograph_that_zeroes_itself_has_no_value_and_says_so() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, one(ETCO2))
    told = hear(protocol, one("50B0 1000 0F20 00000000"))
    assert notices(told) == {NoticeKind.AUTO_ZERO: True}
    assert value(told, Metric.ETCO2) is None
    assert notices(hear(protocol, one(ETCO2))) == {NoticeKind.AUTO_ZERO: False}


# --- the cuff ------------------------------------------------------------------------------------


def taken_at(time: str) -> tuple[int, str]:
    return (0x0990, f"20240315{time}00")


@pytest.mark.hazard("H8")
def test_a_reading_is_told_once_and_placed_by_the_monitors_own_clock() -> None:
    protocol = IntelliVueProtocol()
    told = hear(protocol, poll(pressures(120, taken_at("104130"))))
    assert [found(told, each).taken for each in NIBP] == [instant_at(10)] * 3  # type: ignore[union-attr]
    assert {each.validity for each in told if isinstance(each, Observation)} == {Validity.VALID}
    for second in range(101, 130, 7):
        assert not hear(protocol, poll(pressures(120, taken_at("104130"))), instant_at(second))
    again = hear(protocol, poll(pressures(120, taken_at("104258"))), instant_at(130))
    assert found(again, NIBP[0]).taken == instant_at(128)  # type: ignore[union-attr]


def test_a_reading_is_placed_by_the_monitors_uptime_where_it_has_no_clock() -> None:
    ticks = (0x0991, f"{0x12345000 - 40 * 8000:08X}")
    told = hear(IntelliVueProtocol(), poll(pressures(120, ticks), clock=NO_CLOCK))
    assert found(told, NIBP[0]).taken == instant_at(60)  # type: ignore[union-attr]
    wrapped = (0x0991, f"{(1000 - 40 * 8000) & 0xFFFFFFFF:08X}")
    told = hear(IntelliVueProtocol(), poll(pressures(120, wrapped), clock=NO_CLOCK, ticks=1000))
    assert found(told, NIBP[0]).taken == instant_at(60)  # type: ignore[union-attr]


def test_a_reading_of_unknown_age_is_questionable_and_the_next_is_not() -> None:
    protocol = IntelliVueProtocol()
    first = found(hear(protocol, NUMERICS_RESULT), NIBP[0])
    assert first is not None
    assert (first.value, first.validity, first.taken) == (118.0, Validity.QUESTIONABLE, None)
    again = poll(pressures(121, taken_at("105000")), clock=NO_CLOCK)
    second = found(hear(protocol, again, framed=True), NIBP[0])
    assert second is not None
    assert (second.validity, second.taken) == (Validity.VALID, NOW)


def test_without_any_time_a_reading_is_new_when_its_numbers_are_or_a_measurement_ended() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, poll(pressures(120)))
    assert not hear(protocol, poll(pressures(120)))
    assert found(hear(protocol, poll(pressures(130))), NIBP[0]).taken == NOW  # type: ignore[union-attr]
    assert notices(hear(protocol, poll(pressures(130, state=0x20)))) == {
        NoticeKind.CUFF_INFLATING: True
    }
    ended = hear(protocol, poll(pressures(130)))
    assert notices(ended) == {NoticeKind.CUFF_INFLATING: False}
    assert value(ended, NIBP[0]) == 130


def test_a_reading_that_the_monitor_lets_go_is_no_new_one() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, poll(pressures(120, taken_at("104130"))))
    assert not hear(protocol, poll(pressures(120, taken_at("104130"), state=0x8000)))


def test_a_time_from_the_future_or_long_past_places_nothing() -> None:
    for time in ("110000", "104302"):
        told = hear(IntelliVueProtocol(), poll(pressures(120, taken_at(time))))
        taken = found(told, NIBP[0]).taken  # type: ignore[union-attr]
        assert taken == (None if time == "110000" else NOW)
