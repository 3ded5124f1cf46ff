"""The alarm conditions that no limit makes: their stable names, titles and priorities.

Priorities after the priority table of IEC 60601-1-8 (result of no response against onset). A name
that is not known here is HIGH: nobody has decided that it can wait.
"""

from typing import Final

import msgspec

from monitor.model.alarm import Kind, Priority
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric, describe

APNOEA: Final = "apnoea"
NIBP_IMPLAUSIBLE: Final = "nibp_implausible"
RECORDING_GAP: Final = "recording_gap"
REJECTED: Final = "input_rejected"
FROZEN_OXIMETER: Final = "frozen_oximeter"
FROZEN_CO2: Final = "frozen_co2"
RATES_DIFFER: Final = "rates_differ"
ETCO2_UNIT: Final = "etco2_unit"
CUFF_ON_PROBE_ARM: Final = "cuff_on_probe_arm"
NUMBERS_JUMP: Final = "numbers_jump"
NIBP_OVERDUE: Final = "nibp_overdue"

ABSENCE_TOLD: Final = (
    Metric.SPO2,
    Metric.PULSE_RATE,
    Metric.HEART_RATE,
    Metric.ETCO2,
    Metric.RESP_RATE,
)
RESPIRATORY: Final = (Metric.SPO2, Metric.ETCO2, Metric.RESP_RATE)
OXIMETER: Final = (Metric.SPO2, Metric.PULSE_RATE)
CO2_CHANNEL: Final = (Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a condition is: what does not change while it comes and goes."""

    alarm: str
    title: str
    kind: Kind
    priority: Priority
    metric: Metric | None = None


def _technical(alarm: str, title: str, priority: Priority) -> Identity:
    return Identity(alarm=alarm, title=title, kind=Kind.TECHNICAL, priority=priority)


_FIXED: Final = {
    APNOEA: Identity(
        alarm=APNOEA,
        title="Apnoea",
        kind=Kind.PHYSIOLOGICAL,
        priority=Priority.HIGH,
        metric=Metric.RESP_RATE,
    ),
    NIBP_IMPLAUSIBLE: _technical(NIBP_IMPLAUSIBLE, "NIBP implausible", Priority.MEDIUM),
    RECORDING_GAP: _technical(RECORDING_GAP, "Not watched", Priority.MEDIUM),
    REJECTED: _technical(REJECTED, "Input rejected", Priority.LOW),
    FROZEN_OXIMETER: _technical(FROZEN_OXIMETER, "Oximeter frozen?", Priority.MEDIUM),
    FROZEN_CO2: _technical(FROZEN_CO2, "CO2 monitor frozen?", Priority.MEDIUM),
    RATES_DIFFER: _technical(RATES_DIFFER, "Pulse and HR differ", Priority.LOW),
    ETCO2_UNIT: _technical(ETCO2_UNIT, "EtCO2 in kPa?", Priority.LOW),
    CUFF_ON_PROBE_ARM: _technical(CUFF_ON_PROBE_ARM, "Cuff on probe arm", Priority.LOW),
    NUMBERS_JUMP: _technical(NUMBERS_JUMP, "Numbers jump", Priority.LOW),
    NIBP_OVERDUE: _technical(NIBP_OVERDUE, "NIBP overdue", Priority.LOW),
}
_NOTICES: Final = {
    NoticeKind.SENSOR_OFF: ("Sensor off", Priority.MEDIUM),
    NoticeKind.SENSOR_FAULT: ("Sensor fault", Priority.MEDIUM),
    NoticeKind.OCCLUSION: ("CO2 line occluded", Priority.MEDIUM),
    NoticeKind.SAMPLE_LINE_OFF: ("CO2 line off", Priority.MEDIUM),
    NoticeKind.CO2_FAULT: ("CO2 fault", Priority.MEDIUM),
    NoticeKind.DEVICE_FAULT: ("Device fault", Priority.MEDIUM),
    NoticeKind.CUFF_FAILED: ("Cuff reading failed", Priority.LOW),
    NoticeKind.LOW_BATTERY: ("Device battery low", Priority.LOW),
    NoticeKind.AUDIO_PAUSED_AT_DEVICE: ("Audio paused at device", Priority.LOW),
    NoticeKind.NOT_THIS_DEVICE: ("Wrong device", Priority.MEDIUM),
}
MOMENTARY: Final = frozenset({NoticeKind.CUFF_FAILED})
"""What has no end: told at once, and latched until a person has seen it."""
_PARTS: Final = {
    "disk": ("Record cannot be written", Priority.MEDIUM),
    "record": ("Record cannot be written", Priority.MEDIUM),
    "audio": ("No sound", Priority.MEDIUM),
    "clock": ("Clock stepped", Priority.MEDIUM),
    "watchdog": ("Watchdog lost", Priority.MEDIUM),
    "influx": ("Upload waits", Priority.LOW),
    "mqtt": ("Broker lost", Priority.LOW),
    "hl7": ("HL7 messages wait", Priority.LOW),
}
_LINK: Final = "link_"
_NO_DATA: Final = "no_data_"
_SOURCES_DIFFER: Final = "sources_differ_"


def link_alarm(link: str) -> str:
    """Return the name of the condition of a lost link."""
    return _LINK + link


def no_data_alarm(metric: Metric) -> str:
    """Return the name of the condition of a metric that stopped coming."""
    return _NO_DATA + metric


def sources_differ_alarm(metric: Metric) -> str:
    """Return the name of the condition of two devices that disagree about a metric."""
    return _SOURCES_DIFFER + metric


def is_sources_differ(alarm: str) -> bool:
    """Say whether this is the condition of two devices that disagree."""
    return alarm.startswith(_SOURCES_DIFFER)


def is_notice(alarm: str) -> bool:
    """Say whether this is a device's notice that is a condition of its own."""
    return alarm in _NOTICE_WORDS


def is_link(alarm: str) -> bool:
    """Say whether this is the condition of a lost link."""
    return alarm.startswith(_LINK)


def is_taken(alarm: str) -> bool:
    """Say whether a condition that no limit makes has this name."""
    known = alarm in _FIXED or alarm in _PARTS or alarm in _NOTICE_WORDS
    return known or alarm.startswith((_LINK, _NO_DATA, _SOURCES_DIFFER))


def identify(alarm: str) -> Identity:
    """Return who the technical condition of that name is; an unknown name is HIGH."""
    if alarm in _FIXED:
        return _FIXED[alarm]
    known = _PARTS.get(alarm) or _NOTICE_WORDS.get(alarm)
    if known is not None:
        return _technical(alarm, *known)
    if alarm.startswith(_LINK):
        return _technical(alarm, f"No link: {alarm.removeprefix(_LINK)}", Priority.MEDIUM)
    if alarm.startswith(_NO_DATA) and alarm.removeprefix(_NO_DATA) in _METRICS:
        metric = Metric(alarm.removeprefix(_NO_DATA))
        return _about(alarm, metric, "no data", Priority.MEDIUM)
    if is_sources_differ(alarm) and alarm.removeprefix(_SOURCES_DIFFER) in _METRICS:
        metric = Metric(alarm.removeprefix(_SOURCES_DIFFER))
        priority = Priority.MEDIUM if metric in RESPIRATORY else Priority.LOW
        return _about(alarm, metric, "two devices differ", priority)
    return _technical(alarm, alarm, Priority.HIGH)


def _about(alarm: str, metric: Metric, what: str, priority: Priority) -> Identity:
    """Return who a technical condition about one metric is."""
    title = f"{describe(metric).title}: {what}"
    return Identity(alarm=alarm, title=title, kind=Kind.TECHNICAL, priority=priority, metric=metric)


_NOTICE_WORDS: Final = {each.value: words for each, words in _NOTICES.items()}
_METRICS: Final = frozenset(each.value for each in Metric)
