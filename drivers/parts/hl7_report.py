"""What Vigil itself says in HL7: PCD-01 of its numerics, PCD-04 of each change of an alarm.

A number that is not the present one is not sent: its row is there, empty, and says why. What does
not come from a patient has the processing id T, a note, and a flag in every row.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from drivers.parts.hl7_codes import CODES
from drivers.parts.hl7_message import escaped
from drivers.parts.hl7_writing import (
    ALARMED,
    DEVICE_ROW,
    FLAGS_OF_MODE,
    HIGH_EVENT,
    LOCAL_SYSTEM,
    LOW_EVENT,
    OBSERVED,
    Row,
    Sender,
    head,
    message,
    note,
    order,
    range_text,
    text_row,
)
from monitor.model.alarm import Inactivation, Kind, Priority
from monitor.model.event import WITH_VALUE, GenerationMode, Validity
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import Metric
from monitor.model.snapshot import MetricSnapshot

PRIORITY_CODES: Final = {Priority.HIGH: "PH", Priority.MEDIUM: "PM", Priority.LOW: "PL"}
KIND_CODES: Final = {Kind.PHYSIOLOGICAL: "SP", Kind.TECHNICAL: "ST"}
NO_VALUE_FLAGS: Final = {
    Validity.NOT_AVAILABLE: "NAV",
    Validity.MEASURING: "BUSY",
    Validity.OVERFLOW: "INV",
    Validity.UNDERFLOW: "INV",
}
_TREE: Final = {
    Metric.SPO2: "1.1.1.1",
    Metric.PULSE_RATE: "1.1.1.2",
    Metric.PERFUSION_INDEX: "1.1.1.3",
    Metric.ETCO2: "1.2.1.1",
    Metric.RESP_RATE: "1.2.1.2",
    Metric.FICO2: "1.2.1.3",
    Metric.NIBP_SYS: "1.3.1.1",
    Metric.NIBP_DIA: "1.3.1.2",
    Metric.NIBP_MEAN: "1.3.1.3",
    Metric.NIBP_PULSE: "1.3.1.4",
    Metric.TEMP: "1.4.1.1",
    Metric.HEART_RATE: "1.5.1.1",
}
INACTIVATION_WORDS: Final = {
    Inactivation.NONE: "enabled",
    Inactivation.AUDIO_PAUSED: "audio-paused",
    Inactivation.AUDIO_OFF: "audio-off",
    Inactivation.ALARM_PAUSED: "alarm-paused",
    Inactivation.ALARM_OFF: "alarm-off",
    Inactivation.ACKNOWLEDGED: "alert-acknowledged",
}
_NO_CHANNEL: Final = "1.0.0.1"
_NOT_A_PATIENT: Final = "SIMULATED: not from a patient"


class Phase(StrEnum):
    """Event phase of PCD-04. Words beside start, update, end: UNCERTAIN (see docs/hl7-out.md)."""

    START = "start"
    CONTINUE = "continue"
    UPDATE = "update"
    ESCALATE = "escalate"
    END = "end"


class AlarmState(StrEnum):
    """Alarm state of PCD-04."""

    ACTIVE = "active"
    LATCHED = "latched"
    INACTIVE = "inactive"


class Bed(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data they are: site and chair (PV1-3), pseudonym (PID-3), and where data come from.

    `opened_utc_ns` is the wall time of instant 0 in nanoseconds since 1970.
    """

    site: str
    chair: str
    session: str
    opened_utc_ns: int
    pseudonym: str = ""
    mode: GenerationMode = GenerationMode.REAL

    def utc_s(self, instant: Instant) -> float:
        """Return `instant` in seconds since 1970 UTC."""
        return (self.opened_utc_ns + instant) / NS_PER_S


class AlarmReport(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one alarm condition. `since` is when its occurrence began, `at` the change.

    `value` and `limit` are in the metric's unit; `is_low` says on which side the limit lies, None
    where the condition is of no limit. `words` says in a sentence what happened.
    """

    alarm: str
    title: str
    phase: Phase
    state: AlarmState
    inactivation: Inactivation
    priority: Priority
    kind: Kind
    since: Instant
    at: Instant
    metric: Metric | None = None
    value: float | None = None
    limit: float | None = None
    is_low: bool | None = None
    words: str = ""


def identity_of(bed: Bed, alarm: str, since: Instant) -> str:
    """Return what names one occurrence from start to end (OBR-3), across restarts of ours."""
    return f"{bed.session}.{alarm}.{since // 1_000_000}"


def observations(
    sender: Sender, bed: Bed, metrics: Sequence[MetricSnapshot], now: Instant, control: str
) -> str:
    """Return a PCD-01 message of the newest numerics; "" where there is none that has a code."""
    told = [each for each in metrics if each.metric in CODES]
    if not told:
        return ""
    rows = [_numeric(place + 2, each, bed) for place, each in enumerate(told)]
    lines = [head(sender, "R01", control, bed.utc_s(now), bed.mode), *_place(bed)]
    lines.append(order(control, sender.application, OBSERVED, bed.utc_s(now)))
    return message([*lines, *_source_note(bed), DEVICE_ROW, *rows])


def alarm(sender: Sender, bed: Bed, report: AlarmReport, now: Instant, control: str) -> str:
    """Return a PCD-04 message of one change of one alarm."""
    identity = identity_of(bed, report.alarm, report.since)
    return message(
        [
            head(sender, "R40", control, bed.utc_s(now), bed.mode),
            *_place(bed),
            order(identity, sender.application, ALARMED, bed.utc_s(report.since)),
            *_source_note(bed),
            *_facets(report, bed),
        ]
    )


def _place(bed: Bed) -> list[str]:
    who = f"{escaped(bed.pseudonym)}^^^{escaped(bed.site)}^PI" if bed.pseudonym else ""
    return [f"PID|||{who}", f"PV1||U|{escaped(bed.site)}^^{escaped(bed.chair)}"]


def _source_note(bed: Bed) -> list[str]:
    return [] if bed.mode is GenerationMode.REAL else [note(_NOT_A_PATIENT)]


def _numeric(number: int, each: MetricSnapshot, bed: Bed) -> str:
    validity, value = each.validity, each.value
    if each.is_stale or value is None or validity not in WITH_VALUE:
        value = None
        validity = validity if validity in NO_VALUE_FLAGS else Validity.NOT_AVAILABLE
    trust = "QUES" if validity is Validity.QUESTIONABLE else NO_VALUE_FLAGS.get(validity, "")
    taken = each.taken if each.taken is not None else each.at
    return Row(
        number=number,
        tree=_TREE[each.metric],
        metric=each.metric,
        value=value,
        flags="~".join(flag for flag in (trust, FLAGS_OF_MODE[bed.mode]) if flag),
        limits=range_text(each.low, each.high),
        utc_s=None if value is None or taken is None else bed.utc_s(taken),
    ).text()


def _facets(report: AlarmReport, bed: Bed) -> list[str]:
    tree = _TREE.get(report.metric, _NO_CHANNEL) if report.metric else _NO_CHANNEL
    priority, kind = PRIORITY_CODES[report.priority], KIND_CODES[report.kind]
    abnormal = {None: "A", True: "L", False: "H"}[report.is_low]
    flags = "~".join(flag for flag in (abnormal, priority, kind, FLAGS_OF_MODE[bed.mode]) if flag)
    words = [note(report.words)] if report.words else []
    told = (
        ("68481^MDC_ATTR_EVENT_PHASE^MDC", report.phase),
        ("68482^MDC_ATTR_ALARM_STATE^MDC", report.state),
        ("68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC", INACTIVATION_WORDS[report.inactivation]),
        ("68484^MDC_ATTR_ALARM_PRIORITY^MDC", priority),
        ("68485^MDC_ATTR_ALERT_TYPE^MDC", kind),
    )
    return [
        text_row(1, _event(report), f"{tree}.1", report.title, flags),
        *words,
        _source(report, f"{tree}.2", flags),
        *(
            text_row(place, code, f"{tree}.{place}", value)
            for place, (code, value) in enumerate(told, start=3)
        ),
    ]


def _event(report: AlarmReport) -> str:
    """Return what happened: the standard's word for a crossed limit, and always our own."""
    own = f"{escaped(report.alarm)}^{escaped(report.title)}^{LOCAL_SYSTEM}"
    if report.is_low is None or report.metric is None:
        return own
    return f"{LOW_EVENT if report.is_low else HIGH_EVENT}^{own}"


def _source(report: AlarmReport, tree: str, flags: str) -> str:
    if report.metric not in CODES:
        return text_row(2, "68480^MDC_ATTR_ALERT_SOURCE^MDC", tree, "VIGIL", flags)
    assert report.metric is not None, "what is in the table is a metric"
    is_low = report.is_low
    limits = (report.limit if is_low else None, report.limit if is_low is False else None)
    return Row(
        number=2,
        tree=tree,
        metric=report.metric,
        value=report.value,
        flags=flags,
        limits=range_text(*limits),
    ).text()
