"""What we say in HL7 is what our own listener reads back: every metric, priority and validity."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.devices.hl7 import Hl7Protocol
from drivers.parts.hl7_answers import Verdict, answer_to, read_answer
from drivers.parts.hl7_codes import CODES
from drivers.parts.hl7_message import read_segments
from drivers.parts.hl7_report import (
    AlarmReport,
    AlarmState,
    Bed,
    Phase,
    alarm,
    identity_of,
    observations,
)
from drivers.parts.hl7_writing import Sender, number_text, range_text
from drivers.parts.mllp import frame
from monitor.model.alarm import Inactivation, Kind, Priority
from monitor.model.event import (
    WITH_VALUE,
    DeviceAlarm,
    DeviceEvent,
    GenerationMode,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.metric import Metric, describe
from monitor.model.snapshot import MetricSnapshot
from tests.drivers.hearing import refusals

laws = settings(max_examples=200, deadline=None, derandomize=True)
OPENED_S = 1_790_000_000
NOW = instant_at(1000)
SENDER = Sender(application="VIGIL", facility="NORTH")
words = st.text(max_size=30)
modes = st.sampled_from(GenerationMode)
instants = st.integers(0, NOW).map(Instant)


def beds(mode: GenerationMode, name: str = "north") -> Bed:
    return Bed(
        site=name,
        chair="2",
        session="2-20260923",
        opened_utc_ns=OPENED_S * 10**9,
        pseudonym="K-0417",
        mode=mode,
    )


def heard(*messages: str) -> list[DeviceEvent]:
    """What our own listener makes of messages that come at `NOW`."""
    protocol = Hl7Protocol({"opened_utc_s": float(OPENED_S)})
    told: list[DeviceEvent] = []
    for each in messages:
        told += protocol.receive(frame(each), NOW)
        (answer,) = protocol.take_outgoing()
        read = read_answer(answer.strip(b"\x0b\x1c\r"))
        assert read is not None
        assert read.verdict is Verdict.ACCEPTED
    return told


@st.composite
def numerics(draw: st.DrawFn) -> MetricSnapshot:
    """The newest of one metric as a picture may show it: fresh, stale, or never there."""
    metric = draw(st.sampled_from([each for each in Metric if not describe(each).is_wave]))
    facts = describe(metric)
    value = draw(
        st.none() | st.floats(facts.technical_low, facts.technical_high).map(lambda x: round(x, 2))
    )
    at = Instant(NOW - draw(st.integers(0, seconds(8))))
    limits = st.none() | st.integers(1, 200).map(float)
    return MetricSnapshot(
        metric=metric,
        value=value,
        validity=draw(st.sampled_from(Validity)),
        at=at,
        taken=draw(st.none() | st.just(Instant(at - seconds(1)))),
        low=draw(limits),
        high=draw(limits),
        is_stale=draw(st.booleans()),
    )


@laws
@given(st.lists(numerics(), max_size=12, unique_by=lambda each: each.metric), modes)
def test_every_numeric_is_read_back_as_it_is_shown(
    shown: Sequence[MetricSnapshot], mode: GenerationMode
) -> None:
    told = [each for each in shown if each.metric in CODES]
    text = observations(SENDER, beds(mode), shown, NOW, "V1")
    assert bool(text) == bool(told)
    found = (
        {each.metric: each for each in heard(text) if isinstance(each, Observation)} if text else {}
    )
    assert set(found) == {each.metric for each in told}
    for each in told:
        back = found[each.metric]
        is_current = each.value is not None and not each.is_stale and each.validity in WITH_VALUE
        # Beside a flag, 0 of saturation or a rate is no value to our listener (nor to others).
        is_flagged_zero = each.value == 0 and each.validity is Validity.QUESTIONABLE
        if is_flagged_zero:
            assert not back.value
        elif is_current:
            assert back.value == each.value
            assert back.validity is each.validity
            taken = each.taken if each.taken is not None else each.at
            assert taken is not None
            assert back.taken is not None
            assert abs(back.taken - taken) < seconds(1)
        else:
            assert back.value is None
        assert back.mode is mode


@pytest.mark.parametrize("mode", GenerationMode)
def test_a_breath_rate_of_zero_is_a_value_of_a_simulated_patient_too(mode: GenerationMode) -> None:
    shown = [MetricSnapshot(metric=Metric.RESP_RATE, value=0.0, validity=Validity.VALID, at=NOW)]
    (told,) = heard(observations(SENDER, beds(mode), shown, NOW, "V1"))
    assert isinstance(told, Observation)
    assert (told.value, told.validity, told.mode) == (0.0, Validity.VALID, mode)


@st.composite
def reports(draw: st.DrawFn) -> AlarmReport:
    metric = draw(st.none() | st.sampled_from(Metric))
    has_limit = metric is not None and draw(st.booleans())
    return AlarmReport(
        alarm=draw(st.from_regex(r"[a-z][a-z0-9_]{0,40}", fullmatch=True)),
        title=draw(words),
        phase=draw(st.sampled_from(Phase)),
        state=draw(st.sampled_from(AlarmState)),
        inactivation=draw(st.sampled_from(Inactivation)),
        priority=draw(st.sampled_from(Priority)),
        kind=draw(st.sampled_from(Kind)),
        since=draw(instants),
        at=NOW,
        metric=metric,
        value=draw(st.none() | st.floats(-1e6, 1e6)),
        limit=draw(st.floats(0, 300)) if has_limit else None,
        is_low=draw(st.booleans()) if has_limit else None,
        words=draw(words),
    )


def begun(report: AlarmReport) -> AlarmReport:
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    return AlarmReport(**(fields | {"phase": Phase.START, "state": AlarmState.ACTIVE}))


@laws
@given(reports(), modes)
def test_an_alarm_is_read_back_with_name_metric_priority_and_end(
    report: AlarmReport, mode: GenerationMode
) -> None:
    bed, first = beds(mode), begun(report)
    told = heard(alarm(SENDER, bed, first, NOW, "V1"), alarm(SENDER, bed, report, NOW, "V2"))
    assert refusals(told) == []
    edges = [each for each in told if isinstance(each, DeviceAlarm)]
    assert edges[0].alarm == report.alarm
    assert edges[0].metric is (report.metric if report.metric in CODES else None)
    assert edges[0].priority == report.priority
    is_over = report.phase is Phase.END or report.state is AlarmState.INACTIVE
    assert [each.present for each in edges] == ([True, False] if is_over else [True])
    assert {each.alarm for each in edges} == {report.alarm}
    assert {each.mode for each in edges} == {mode}


@laws
@given(reports(), words, words, modes)
def test_no_text_breaks_a_message(
    report: AlarmReport, site: str, chair: str, mode: GenerationMode
) -> None:
    bed = Bed(site=site, chair=chair, session=chair, opened_utc_ns=0, pseudonym=site, mode=mode)
    text = alarm(SENDER, bed, report, NOW, "V1")
    names = [each.name for each in read_segments(text.encode())]
    expected = ["MSH", "PID", "PV1", "OBR", *["OBX"] * 7]
    assert [name for name in names if name != "NTE"] == expected
    assert text.count("\r") == len(names)
    assert text.isprintable() or set(text) - set("\r") == set(text.replace("\r", ""))


@laws
@given(reports(), modes)
def test_what_is_no_patient_says_so_in_the_head_in_a_note_and_in_a_flag(
    report: AlarmReport, mode: GenerationMode
) -> None:
    """Hazard H21: no reader that looks at one of the three takes it for a patient."""
    shown = [MetricSnapshot(metric=Metric.SPO2, value=97.0, validity=Validity.VALID, at=NOW)]
    for text in (
        alarm(SENDER, beds(mode), report, NOW, "V1"),
        observations(SENDER, beds(mode), shown, NOW, "V2"),
    ):
        segments = read_segments(text.encode())
        is_real = mode is GenerationMode.REAL
        assert segments[0].text(11) == ("P" if is_real else "T")
        assert ("SIMULATED" in text) != is_real
        flags = [word for each in segments if each.name == "OBX" for word in each.words(8)]
        assert (mode.name in flags) != is_real


def test_an_alarm_message_in_full() -> None:
    report = AlarmReport(
        alarm="spo2_low",
        title="SpO2 low",
        phase=Phase.START,
        state=AlarmState.ACTIVE,
        inactivation=Inactivation.NONE,
        priority=Priority.MEDIUM,
        kind=Kind.PHYSIOLOGICAL,
        since=instant_at(990),
        at=NOW,
        metric=Metric.SPO2,
        value=84.0,
        limit=90.0,
        is_low=True,
        words="present; below 90 %",
    )
    bed = beds(GenerationMode.REAL)
    assert alarm(SENDER, bed, report, NOW, "V7").split("\r") == [
        (
            r"MSH|^~\&|VIGIL|NORTH|||20260921143000+0000||ORU^R40^ORU_R40|V7|P|2.6|||NE|AL"
            "||UNICODE UTF-8|||IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO"
        ),
        "PID|||K-0417^^^north^PI",
        "PV1||U|north^^2",
        (
            "OBR|1|2-20260923.spo2_low.990000^VIGIL|2-20260923.spo2_low.990000^VIGIL"
            "|196616^MDC_EVT_ALARM^MDC|||20260921142950+0000"
        ),
        "OBX|1|ST|196670^MDC_EVT_LO^MDC^spo2_low^SpO2 low^99VIGIL|1.1.1.1.1|SpO2 low|||L~PM~SP|||R",
        "NTE|1|L|present; below 90 %",
        (
            "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|84|262688^MDC_DIM_PERCENT^MDC|>90"
            "|L~PM~SP|||R"
        ),
        "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start||||||R",
        "OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||R",
        "OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|enabled||||||R",
        "OBX|6|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.1.6|PM||||||R",
        "OBX|7|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.1.1.1.7|SP||||||R",
        "",
    ]


def test_rows_of_numbers_in_full() -> None:
    shown = (
        MetricSnapshot(
            metric=Metric.ETCO2, value=38.5, validity=Validity.QUESTIONABLE, at=NOW, high=50
        ),
        MetricSnapshot(
            metric=Metric.PULSE_RATE, value=72.0, validity=Validity.VALID, is_stale=True
        ),
        MetricSnapshot(
            metric=Metric.SPO2, value=None, validity=Validity.MEASURING, low=90, high=100
        ),
    )
    rows = observations(SENDER, beds(GenerationMode.DEMO), shown, NOW, "V7").split("\r")[3:-1]
    assert rows == [
        "OBR|1|V7^VIGIL|V7^VIGIL|182777000^monitoring of patient^SCT|||20260921143000+0000",
        "NTE|1|L|SIMULATED: not from a patient",
        "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X",
        (
            "OBX|2|NM|151708^MDC_CONC_AWAY_CO2_ET^MDC|1.2.1.1|38.5|266016^MDC_DIM_MMHG^MDC|<50"
            "|QUES~DEMO|||R|||20260921143000+0000"
        ),
        (
            "OBX|3|NM|149530^MDC_PULS_OXIM_PULS_RATE^MDC|1.1.1.2||264864^MDC_DIM_BEAT_PER_MIN^MDC|"
            "|NAV~DEMO|||X"
        ),
        (
            "OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1||262688^MDC_DIM_PERCENT^MDC|90-100"
            "|BUSY~DEMO|||X"
        ),
    ]


def test_an_occurrence_keeps_its_name_when_the_wall_clock_is_stepped() -> None:
    bed = beds(GenerationMode.REAL)
    stepped = Bed(site="n", chair="2", session=bed.session, opened_utc_ns=5, pseudonym="")
    since = instant_at(12.5)
    assert identity_of(bed, "apnoea", since) == identity_of(stepped, "apnoea", since)
    assert identity_of(bed, "apnoea", since) != identity_of(bed, "apnoea", instant_at(12.6))


@laws
@given(st.floats(-1e6, 1e6))
def test_numbers_have_no_exponent(value: float) -> None:
    text = number_text(value)
    assert "e" not in text
    assert text != "-0"
    assert abs(float(text) - value) <= 5.1e-5


def test_limits_are_written_as_hl7_has_them() -> None:
    found = [range_text(*each) for each in ((90, 100), (90, None), (None, 120), (None, None))]
    assert found == ["90-100", ">90", "<120", ""]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("AA", Verdict.ACCEPTED),
        ("CA", Verdict.ACCEPTED),
        ("AE", Verdict.FAULTY),
        ("CE", Verdict.FAULTY),
        ("AR", Verdict.REFUSED),
        ("CR", Verdict.REFUSED),
    ],
)
def test_each_answer_is_understood(code: str, verdict: Verdict) -> None:
    data = rf"MSH|^~\&|R||||1||ACK|9|P|2.6{chr(13)}MSA|{code}|V7|why{chr(13)}ERR||||||||because"
    answer = read_answer(data.encode())
    assert answer is not None
    assert (answer.control, answer.verdict) == ("V7", verdict)
    assert answer.words == f"{code} why; because"


@laws
@given(st.binary(max_size=200), st.sampled_from([b"", b"MSH|^~\\&|\rMSA|", b"MSH|^~\\&|\rMSA|AA|"]))
def test_whatever_comes_back_is_an_answer_or_none(data: bytes, start: bytes) -> None:
    answer = read_answer(start + data)
    assert answer is None or len(answer.words) <= 130


@pytest.mark.parametrize("asks_commit", [True, False])
def test_a_receiver_of_ours_answers_as_is_asked(asks_commit: bool) -> None:  # noqa: FBT001
    sender = Sender(application="VIGIL", asks_commit=asks_commit)
    shown = [MetricSnapshot(metric=Metric.SPO2, value=97.0, validity=Validity.VALID, at=NOW)]
    text = observations(sender, beds(GenerationMode.REAL), shown, NOW, "V7")
    msh = read_segments(text.encode())[0]
    answer = answer_to(msh, "AA", "", ("R", "1", None))
    assert (b"MSA|CA|V7" if asks_commit else b"MSA|AA|V7") in answer
