"""Oddities of HL7 over MLLP: frames left out, codes that lie, clocks that are wrong, answers."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.hl7 import DRIVER, Hl7Protocol
from drivers.parts.hl7_message import escaped, read_segments, read_time, written_time
from drivers.parts.hl7_monitor import Hl7Monitor
from drivers.parts.hl7_vectors import ALARM, HEAD, MISSING, VITALS, framed
from drivers.parts.mllp import MllpSplitter
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at
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
from tests.drivers.pages import examples_of

few = settings(max_examples=60, deadline=None, derandomize=True)
SENT_S = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC
SPO2 = "OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1|97|262688^MDC_DIM_PERCENT^MDC"


def head(
    age_s: float = 0, *, control: str = "M1", accept: str = "NE", application: str = "AL"
) -> str:
    time = written_time(SENT_S - age_s)
    return rf"MSH|^~\&|VSIM|TEST|||{time}||ORU^R01|{control}|P|2.6|||{accept}|{application}"


def told(*lines: str, options: dict[str, object] | None = None) -> list[DeviceEvent]:
    """What one framed message of these rows tells."""
    return hear(Hl7Protocol(options or {}), framed((head(), *lines)))


def alarm(phase: str = "start", state: str = "active", pause: str = "enabled") -> bytes:
    """The worked alarm, in another phase."""
    lines = [HEAD.replace("ORU^R01^ORU_R01", "ORU^R40^ORU_R40"), *ALARM]
    lines[4] = lines[4].replace("start", phase)
    lines[5] = lines[5].replace("active", state)
    lines[6] = lines[6].replace("enabled", pause)
    return framed(tuple(lines))


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        found = numerics(decoded("hl7", vector.data.hex(" "), tmp_path, capsys))
        assert found == [(metric.value, value) for metric, value in vector.expected]


@pytest.mark.shared
def test_the_examples_are_those_of_the_page() -> None:
    page = examples_of("hl7-pcd")
    for line in (*VITALS, MISSING, *ALARM):
        assert line in page


def test_a_cuff_reading_is_of_the_moment_its_row_names() -> None:
    found = hear(Hl7Protocol(), framed(VITALS), every_s=1)
    taken = {each.metric: each.taken for each in found if isinstance(each, Observation)}
    assert taken[Metric.SPO2] == OPENING
    assert taken[Metric.NIBP_SYS] == instant_at(-50)
    assert set(validities(found).values()) == {Validity.VALID}


def test_the_worked_alarm_is_told_with_metric_priority_and_words() -> None:
    found = hear(Hl7Protocol(), alarm())
    assert found == [
        DeviceAlarm("spo2_low", OPENING, True, Metric.SPO2, "medium", "SpO2 LOW"),
    ]


def test_the_answer_is_the_one_described() -> None:
    protocol = Hl7Protocol({"opened_utc_s": SENT_S + 1, "name": "MON"})
    protocol.receive(framed(VITALS), OPENING)
    assert protocol.take_outgoing() == [
        rb"".join(
            (
                b"\x0bMSH|^~\\&|MON||VSIM|TEST|20231114221321+0000||ACK^R01^ACK|V1|P|2.6\r",
                b"MSA|AA|M0001\r\x1c\r",
            )
        )
    ]


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [("NE", "AL", "AA"), ("NE", "NE", ""), ("AL", "NE", "CA"), ("", "", "AA"), ("NE", "ER", "")],
)
def test_each_message_is_answered_as_it_asks(accept: str, application: str, code: str) -> None:
    protocol = Hl7Protocol()
    protocol.receive(framed((head(accept=accept, application=application), SPO2)), OPENING)
    sent = list(protocol.take_outgoing())
    assert [each.split(b"MSA|")[1][:2].decode() for each in sent] == [code] * bool(code)


def test_what_is_not_supported_is_refused_by_answer() -> None:
    protocol = Hl7Protocol()
    found = hear(protocol, framed((head().replace("ORU^R01", "ADT^A01"), "PID|1")))
    assert details(found, NoticeKind.UNKNOWN_FIELD) == ["message ADT^A01"]
    assert b"MSA|AR|M1" in protocol.take_outgoing()[0]
    assert not hear(protocol, framed((head().replace("ORU^R01", "ACK"), "MSA|AA|1")))
    assert not protocol.take_outgoing(), "an answer is not answered"


def test_without_a_control_id_there_is_an_error() -> None:
    protocol = Hl7Protocol()
    found = hear(protocol, framed((head(control=""), SPO2)))
    assert refusals(found) == ["no control id"]
    assert b"MSA|AE|" in protocol.take_outgoing()[0]


def test_an_answer_carries_nothing_but_text_that_cannot_break_it() -> None:
    protocol = Hl7Protocol()
    hear(protocol, framed((head(control="a\\F\\b\x01c"), SPO2)))
    assert b"MSA|AA|a\\F\\bc\r" in protocol.take_outgoing()[0]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(("start", "close"), [(b"\x0b", b"\x1c\r"), (b"", b"\x1c\r"), (b"", b"")])
def test_frames_and_line_ends_may_be_left_out(end: bytes, start: bytes, close: bytes) -> None:
    message = start + b"".join(line.encode() + end for line in (head(), SPO2)) + close
    protocol = Hl7Protocol()
    found = [*protocol.receive(message, OPENING)]
    while protocol.wake_at is not None:
        found += protocol.wake(protocol.wake_at)
    assert values(found) == {Metric.SPO2: 97.0}
    assert set(validities(found).values()) == {Validity.VALID}


def test_bare_messages_end_where_the_next_one_begins() -> None:
    one = "".join(f"{line}\r" for line in (head(), SPO2)).encode()
    two = one.replace(b"|97|", b"|96|")
    assert values(Hl7Protocol().receive(one + two, OPENING)) == {Metric.SPO2: 97.0}
    assert values(hear(Hl7Protocol(), one + two)) == {Metric.SPO2: 96.0}


@pytest.mark.hazard("H3")
def test_a_framed_message_that_is_never_closed_is_questionable_and_torn_rows_are_not_told() -> None:
    protocol = Hl7Protocol()
    pulse = SPO2.replace("150456^MDC_PULS_OXIM_SAT_O2", "149530^MDC_PULS_OXIM_PULS_RATE")
    whole = framed((head(), SPO2, pulse.replace("|97|", "|120|")))
    protocol.receive(whole[: whole.index(b"|120|") + 3], OPENING)
    assert protocol.wake_at == instant_at(10)
    found = protocol.wake(instant_at(10))
    assert validities(found) == {Metric.SPO2: Validity.QUESTIONABLE}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (SPO2.replace("|97|", "||") + "||INV|||X", None),
        (SPO2.replace("|97|", "|---|"), None),
        (SPO2.replace("|97|", "|-100|"), None),
        (SPO2.replace("|97|", "|0|") + "||L", None),
        (SPO2 + "||OFF", None),
        (SPO2 + "|||||X", None),
        (SPO2.replace("|NM|", "|ST|"), 97.0),
        (SPO2.replace("262688^MDC_DIM_PERCENT^MDC", "%"), 97.0),
        (SPO2.replace("|262688^MDC_DIM_PERCENT^MDC", ""), 97.0),
        (SPO2.replace("150456^MDC_PULS_OXIM_SAT_O2^MDC", "59408-5^SpO2^LN"), 97.0),
        (SPO2.replace("150456^MDC", "150456^SpO2"), 97.0),
        (SPO2.replace("150456^", "^"), 97.0),
    ],
)
def test_what_is_missing_and_what_is_a_number(row: str, expected: float | None) -> None:
    assert values(told(row)) == {Metric.SPO2: expected}


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    "row",
    [
        SPO2.replace("MDC_PULS_OXIM_SAT_O2", "MDC_CONC_AWAY_CO2_ET"),
        SPO2.replace("MDC_PULS_OXIM_SAT_O2", "MDC_OTHER"),
        SPO2.replace("150456", "149522"),
        SPO2.replace("|97|", "|9x7|"),
        SPO2.replace("|97|", "|9,7|"),
        SPO2.replace("|NM|", "|CWE|"),
        SPO2.replace("262688^MDC_DIM_PERCENT", "266016^MDC_DIM_MMHG"),
        SPO2.replace("262688^", "266016^"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(row: str) -> None:
    found = told(row)
    assert not values(found)
    assert len(refusals(found)) == 1


@pytest.mark.parametrize(
    ("code", "text", "unit", "expected", "trust"),
    [
        ("151708^MDC_CONC_AWAY_CO2_ET", "5", "265987^MDC_DIM_KILO_PASCAL", 37.5, Validity.VALID),
        ("151708^MDC_AWAY_CO2_ET", "38", "266016^MDC_DIM_MMHG", 38.0, Validity.VALID),
        ("151728^MDC_AWAY_CO2_ET", "38", "mm[Hg]", 38.0, Validity.VALID),
        ("151708^MDC_CONC_AWAY_CO2_ET", "5", "262688^MDC_DIM_PERCENT", 38.0, Validity.QUESTIONABLE),
    ],
)
def test_carbon_dioxide_has_two_codes_and_three_units(
    code: str, text: str, unit: str, expected: float, trust: Validity
) -> None:
    found = told(f"OBX|1|NM|{code}^MDC|1.1|{text}|{unit}^MDC|||||R")
    assert values(found) == {Metric.ETCO2: pytest.approx(expected, abs=0.01)}
    assert validities(found) == {Metric.ETCO2: trust}


@pytest.mark.parametrize(
    ("row", "metric", "expected"),
    [
        ("0002-4bb8^SpO2^MDIL|0|97|0004-0220^%^MDIL", Metric.SPO2, 97.0),
        ("0002-4BB8^SpO\\E\\2^MDIL|0|97|0004-0220^%^MDIL", Metric.SPO2, 97.0),
        ("0002-4822^Pulse^MDIL|0|72|0004-0aa0^bpm^MDIL", Metric.PULSE_RATE, 72.0),
        ("0002-480a^Pulse^MDIL|0|72|0004-0aa0^bpm^MDIL", Metric.PULSE_RATE, 72.0),
        ("0002-4182^HR^MDIL||80|0004-0aa0^bpm^MDIL", Metric.HEART_RATE, 80.0),
        ("0002-5000^Resp^MDIL|0|14|0004-0ae0^rpm^MDIL", Metric.RESP_RATE, 14.0),
        ("0002-50b0^etCO2^MDIL|0|5|0004-0f03^kPa^MDIL", Metric.ETCO2, 37.5),
        ("0002-4a05^NBPs^MDIL|0|120|0004-0f20^mmHg^MDIL", Metric.NIBP_SYS, 120.0),
        ("0002-f0c7^Temp1^MDIL|0|98.6|0004-1140^F^MDIL", Metric.TEMP, 37.0),
        ("0002-4b60^Tcore^MDIL|0|36.9|0004-17a0^C^MDIL", Metric.TEMP, 36.9),
    ],
)
def test_codes_of_philips_monitors_are_terms_of_the_same_nomenclature(
    row: str, metric: Metric, expected: float
) -> None:
    events = told(f"OBX||NM|{row}|||||F")
    assert not refusals(events)
    assert values(events)[metric] == pytest.approx(expected, abs=0.05)


def test_a_philips_code_is_of_its_own_system_and_partition() -> None:
    for code in (
        "0402-4bb8^SpO2^MDIL",
        "0402-4822^Pulse^MDIL",
        "0002-4a15^ABPs^MDIL",
        "2-4bb8^SpO2^MDIL",
        "^SpO2^MDIL",
    ):
        assert not values(told(f"OBX||NM|{code}|0|97|0004-0220^%^MDIL|||||F"))
    assert not values(told("OBX||NM|0402-4822^Pulse^MDIL|0|72|0004-0aa0^bpm^MDIL|||||F"))
    assert not values(told("OBX||NM|0002-4bb8^SpO2^MDC|0|97|0004-0220^%^MDIL|||||F"))
    assert not values(told("OBX||NM|0002-4bb8^SpO2^MDIL|0|97|0004-0f20^mmHg^MDIL|||||F"))


def test_a_pressure_without_a_unit_is_refused() -> None:
    assert refusals(told("OBX|1|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1|118|"))


def test_the_best_respiration_is_told_and_two_probes_are_not_one() -> None:
    rate = "OBX|1|NM|{}^MDC|1|{}|264928^MDC_DIM_RESP_PER_MIN^MDC"
    impedance = rate.format("151578^MDC_TTHOR_RESP_RATE", 20)
    gas = rate.format("151594^MDC_CO2_RESP_RATE", 14)
    assert values(told(impedance, gas)) == {Metric.RESP_RATE: 14.0}
    assert values(told(impedance, gas.replace("|14|", "||"))) == {Metric.RESP_RATE: 20.0}
    found = told(SPO2, SPO2.replace("|97|", "|80|"))
    assert values(found) == {Metric.SPO2: 97.0}
    assert refusals(found) == ["spo2: given twice in one message"]


@pytest.mark.hazard("H21")
@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ((head(), SPO2 + "||DEMO"), GenerationMode.DEMO),
        ((head(), SPO2 + "||TEST"), GenerationMode.TEST),
        ((head().replace("|P|2.6", "|T|2.6"), SPO2), GenerationMode.TEST),
        ((head(), SPO2 + "||QUES"), GenerationMode.REAL),
    ],
)
def test_demo_and_test_are_never_lost(lines: tuple[str, ...], mode: GenerationMode) -> None:
    (found,) = hear(Hl7Protocol(), framed(lines))
    assert isinstance(found, Observation)
    assert found.mode is mode


@pytest.mark.hazard("H3")
def test_one_link_is_one_bed() -> None:
    ours = framed((head(), "PV1||I|ICU^1^B1", SPO2))
    other = framed((head(), "PV1||I|ICU^1^B2", SPO2.replace("|97|", "|80|")))
    first = Hl7Protocol()
    found = hear(first, ours, other)
    assert values(found) == {Metric.SPO2: 97.0}
    assert refusals(found) == ["message of another bed"]
    assert len(first.take_outgoing()) == 2, "it is answered all the same"
    chosen = Hl7Protocol({"location": "ICU^1^B2"})
    assert values(hear(chosen, ours, other, framed((head(), SPO2)))) == {Metric.SPO2: 80.0}


def test_an_alarm_is_told_at_its_edges_by_the_id_it_keeps() -> None:
    found = hear(
        Hl7Protocol(),
        alarm(),
        alarm("continue"),
        alarm("continue", pause="audio-paused"),
        alarm("continue"),
        alarm("end", "inactive"),
        alarm("end", "inactive"),
    )
    assert alarms(found) == [("spo2_low", True), ("spo2_low", False)]
    paused = NoticeKind.AUDIO_PAUSED_AT_DEVICE
    assert notices(found) == [(paused, True), (paused, False)]


def test_a_gateway_may_number_the_facets_otherwise_and_send_a_heartbeat() -> None:
    other = alarm("end").replace(b"68481", b"68165").replace(b"ALARM_STATE", b"ALERT_STATE")
    assert alarms(hear(Hl7Protocol(), alarm(), other))[-1] == ("spo2_low", False)
    beat = alarm().replace(b"196616^MDC_EVT_ALARM", b"196614^MDC_EVT_ACTIVE")
    assert not hear(Hl7Protocol(), beat)


def test_other_alarms_have_the_events_own_name() -> None:
    leads = alarm().replace(b"196670^MDC_EVT_LO", b"196000^MDC_EVT_LEADS_OFF")
    apnoea = alarm().replace(b"196670^MDC_EVT_LO", b"199680^MDC_EVT_APNEA")
    assert alarms(hear(Hl7Protocol(), leads)) == [("leads_off", True)]
    assert alarms(hear(Hl7Protocol(), apnoea)) == [("no_breath", True)]


def test_an_unknown_observation_is_told_once_and_names_of_people_never() -> None:
    odd = framed((*VITALS[:4], "OBX|1|NM|150017^MDC_PRESS_BLD_SYS^MDC|1|120|266016^X^MDC"))
    found = hear(Hl7Protocol(), odd, odd)
    assert details(found, NoticeKind.UNKNOWN_FIELD) == ["MDC_PRESS_BLD_SYS"]
    assert "DOE" not in repr(found)


def test_the_sender_repeats_what_is_not_answered() -> None:
    monitor = Hl7Monitor()
    monitor.say([observe(Metric.SPO2, 97, OPENING)], OPENING)
    monitor.wake(OPENING)
    (first,) = monitor.take_outgoing()
    for second in range(2, 10, 2):
        monitor.wake(instant_at(second))
        assert not monitor.take_outgoing(), "one at a time"
    monitor.wake(instant_at(10))
    assert monitor.take_outgoing() == [first]


def test_states_of_the_patient_reach_us_through_messages_of_both_kinds() -> None:
    monitor = Hl7Monitor()
    wire = Wire(Hl7Protocol({"opened_utc_s": SENT_S}), monitor)
    monitor.say([observe(each, 40, OPENING) for each in sorted(DRIVER.metrics)], OPENING)
    monitor.say([DeviceAlarm("etco2_high", OPENING, True, Metric.ETCO2, "high", "CO2")], OPENING)
    found = wire.run(10)
    assert set(values(found)) == DRIVER.metrics
    assert alarms(found) == [("etco2_high", True)]
    monitor.say([DeviceAlarm("etco2_high", wire.now, present=False)], wire.now)
    assert alarms(wire.run(12)) == [("etco2_high", False)]
    assert len(wire.sent) >= 6, "each message is answered"


def test_settings_are_held_to_reason() -> None:
    for wrong in ({"name": "a|b"}, {"utc_offset_min": 900}, {"ambient_mmhg": 101}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            Hl7Protocol(wrong)


@few
@given(st.text(max_size=20), st.floats(0, 4e9))
def test_what_is_written_is_read(text: str, utc_s: float) -> None:
    line = f"{head()}\rNTE|1||{escaped(text)}"
    (_, note) = read_segments(line.encode())
    plain = "".join(sign for sign in text if sign.isprintable())
    assert note.text(3) == plain.strip()
    time = read_time(written_time(utc_s))
    assert time is not None
    assert (time.s, time.has_zone) == (float(int(utc_s)), True)


@few
@given(st.binary(max_size=300), st.integers(0, 300))
def test_hostile_bytes_are_cut_alike_and_give_no_values(noise: bytes, cut: int) -> None:
    whole, parts = MllpSplitter(), MllpSplitter()
    now = Instant(7)
    heard = [*whole.feed(noise, now), *whole.finish()]
    again = [*parts.feed(noise[:cut], now), *parts.feed(noise[cut:], now), *parts.finish()]
    assert heard == again
    assert not values(hear(Hl7Protocol(), b"\x0bMSH|^~\\&|" + noise + b"\x1c\r"))
