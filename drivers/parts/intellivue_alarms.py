"""IntelliVue alarm lists: the monitor's own alarms as alarms, and as states of its sensors.

An entry: source, code, type, state (u16 each), object (class, context, handle), kind and length of
what follows: instance, text, priority, flags and, in kind 0204, the text that the monitor shows.

A technical alarm of the oximeter or the capnograph becomes a notice, because it explains what the
numbers are worth. One of any other source stays an alarm: an ECG lead that is off is no reason to
think that the oximeter is.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from drivers.parts.intellivue_messages import Cursor, Poll
from drivers.parts.intellivue_values import DEMO as VALUE_DEMO
from drivers.parts.intellivue_values import METRICS
from drivers.parts.intellivue_values import TEST as VALUE_TEST
from monitor.model.event import DeviceAlarm, DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant
from monitor.model.metric import NIBP, Metric

PATIENT_LIST, TECHNICAL_LIST = 0x0902, 0x0904
OFF, PAUSED, LATCHED, AUDIO_PAUSED = 0x8000, 0x4000, 0x2000, 0x1000
TEST, DEMO, NEW = 0x0400, 0x0100, 0x0008
_SHORT, _WITH_TEXT = 0x0201, 0x0204
_TEXT_SIZE_MAX: Final = 80

_PRIORITIES: Final = {1: "low", 2: "medium", 4: "high"}
CODES: Final = {
    0x0028: "high",
    0x003E: "low",
    0x0088: "no_breath",
    0x0C00: "apnoea",
    0x0016: "disconnected",
    0x0134: "disconnected",
    0x004A: "noisy",
    0x0050: "obstructed",
    0x00FA: "occlusion",
    0x00AE: "source_absent",
    0x006E: "unavailable",
    0x007C: "warming_up",
    0x0080: "weak",
    0x0CAE: "desaturation",
    0x00E6: "cuff_not_deflated",
    0x00E8: "cuff_over_pressure",
    0x0138: "sensor_problem",
    0x0136: "sensor_malfunction",
}
_ALONE: Final = frozenset({"no_breath", "apnoea", "desaturation"})  # words that need no source
_SOURCES: Final = {0x50AC: Metric.ETCO2, 0x4BB4: Metric.SPO2, 0x4A04: NIBP[0]}
OXIMETER: Final = {
    "disconnected": NoticeKind.SENSOR_OFF,
    "source_absent": NoticeKind.SENSOR_OFF,
    "noisy": NoticeKind.ARTEFACT,
    "weak": NoticeKind.LOW_PERFUSION,
    "sensor_problem": NoticeKind.SENSOR_FAULT,
    "sensor_malfunction": NoticeKind.SENSOR_FAULT,
}
CAPNOGRAPH: Final = {
    "disconnected": NoticeKind.SAMPLE_LINE_OFF,
    "source_absent": NoticeKind.SAMPLE_LINE_OFF,
    "obstructed": NoticeKind.OCCLUSION,
    "occlusion": NoticeKind.OCCLUSION,
    "warming_up": NoticeKind.WARMING_UP,
    "sensor_problem": NoticeKind.CO2_FAULT,
    "sensor_malfunction": NoticeKind.CO2_FAULT,
}
_NOTICES: Final = {
    Metric.SPO2: OXIMETER,
    Metric.PULSE_RATE: OXIMETER,
    Metric.PERFUSION_INDEX: OXIMETER,
    Metric.ETCO2: CAPNOGRAPH,
    Metric.FICO2: CAPNOGRAPH,
}


class Alarm(NamedTuple):
    """One entry of a list: which alarm, how urgent, how it stands, what the monitor shows."""

    name: str | NoticeKind
    metric: Metric | None
    priority: str
    state: int
    text: str


def alarms_in(data: bytes) -> list[Alarm]:
    """Return the alarms of a list.

    Raises:
        BrokenMessageError: counts and lengths contradict each other.
    """
    count, content = Cursor(data).listed()
    found = []
    for _ in range(count):
        source, code, kind, state = (content.number() for _ in range(4))
        content.take(6)
        form = content.number()
        more = content.take(content.number())
        is_technical = bool(kind & 7)
        priority = _PRIORITIES.get(kind & 7 or kind >> 8 & 7, "")
        name, metric = _name(source, code, is_technical=is_technical)
        found.append(Alarm(name, metric, priority, state, _text(form, more)))
    content.end()
    return found


def _name(source: int, code: int, *, is_technical: bool) -> tuple[str | NoticeKind, Metric | None]:
    """Return a stable name; sources and codes that nobody described keep their numbers."""
    metric = METRICS.get(source, _SOURCES.get(source))
    word = CODES.get(code, f"alarm_{code:04x}")
    if is_technical and metric in _NOTICES and word in _NOTICES[metric]:
        return _NOTICES[metric][word], metric
    if word in _ALONE:
        breathing = word != "desaturation"
        return word, Metric.RESP_RATE if breathing else Metric.SPO2
    return f"{metric.value if metric else f'source_{source:04x}'}_{word}", metric


def _text(form: int, more: bytes) -> str:
    if form != _WITH_TEXT or len(more) < 12:
        return ""
    size = min(int.from_bytes(more[10:12], "big"), _TEXT_SIZE_MAX) & ~1
    text = more[12 : 12 + size].decode("utf-16-be", errors="replace")
    return "".join(each for each in text if each.isprintable()).strip()


class AlarmReader:
    """Follows the alarm lists of one monitor; tells each alarm at its edges."""

    def __init__(self) -> None:
        self._lists: dict[int, dict[str, Alarm]] = {}
        self._is_paused = False

    def read(self, poll: Poll, now: Instant) -> tuple[list[DeviceEvent], list[int]]:
        """Return the edges since the last poll of alarms, and whether they are real.

        That is said by the mode bits of numerics, one word for each entry.

        Raises:
            BrokenMessageError: a list contradicts itself; nothing of this poll is then believed.
        """
        lists = {
            which: alarms_in(thing.attributes[which])
            for thing in poll.objects
            for which in (PATIENT_LIST, TECHNICAL_LIST)
            if which in thing.attributes
        }
        events: list[DeviceEvent] = []
        before = {name: each for alarms in self._lists.values() for name, each in alarms.items()}
        for which, alarms in lists.items():
            self._lists[which] = {each.name: each for each in alarms if not each.state & OFF}
        present = {name: each for alarms in self._lists.values() for name, each in alarms.items()}
        for name, alarm in before.items():
            if name not in present or present[name].priority != alarm.priority:
                events.append(_edge(alarm, now, present=False))
        for name, alarm in present.items():
            if name not in before or before[name].priority != alarm.priority:
                events.append(_edge(alarm, now, present=True))
        events += self._read_pause(present, now)
        return events, [_mode_bits(each.state) for alarms in lists.values() for each in alarms]

    def _read_pause(self, present: dict[str, Alarm], now: Instant) -> Sequence[DeviceEvent]:
        is_paused = any(each.state & (PAUSED | AUDIO_PAUSED) for each in present.values())
        if is_paused == self._is_paused:
            return ()
        self._is_paused = is_paused
        return [DeviceNotice(NoticeKind.AUDIO_PAUSED_AT_DEVICE, now, is_paused)]


def _mode_bits(state: int) -> int:
    """Return an alarm's test and demo bits where numerics have them."""
    return (VALUE_DEMO if state & DEMO else 0) | (VALUE_TEST if state & TEST else 0)


def _edge(alarm: Alarm, now: Instant, *, present: bool) -> DeviceEvent:
    if isinstance(alarm.name, NoticeKind):
        return DeviceNotice(alarm.name, now, present, alarm.text)
    latched = "latched" if alarm.state & LATCHED else ""
    detail = "; ".join(each for each in (alarm.text, latched) if each)
    return DeviceAlarm(
        alarm.name, now, present, alarm.metric, priority=alarm.priority, detail=detail
    )
