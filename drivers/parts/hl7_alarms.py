"""PCD-04: one alarm of a monitor through start, continue and end, by the id it keeps."""

from collections.abc import Sequence
from typing import Final

from drivers.parts.hl7_codes import metric_of
from drivers.parts.hl7_message import Segment
from drivers.parts.hl7_writing import LOCAL_SYSTEM
from monitor.model.event import DeviceAlarm, DeviceEvent, DeviceNotice, GenerationMode, NoticeKind
from monitor.model.instant import Instant
from monitor.model.metric import Metric

_ALARMS_MAX: Final = 64
_ENDED: Final = frozenset({"end", "reset"})
_MOMENT: Final = "tpoint"
_PAUSED: Final = frozenset({"audio-paused", "audio-off", "alarm-paused", "alarm-off"})
_PRIORITIES: Final = {"PH": "high", "PM": "medium", "PL": "low", "PI": "info", "PN": "none"}
_HEARTBEAT: Final = "MDC_EVT_ACTIVE"
_LOW: Final = ("_LO", "_LT_LIM", "_LOW")
_HIGH: Final = ("_HI", "_GT_LIM", "_HIGH")
_MODES: Final = {"TEST": GenerationMode.TEST, "DEMO": GenerationMode.DEMO}
_BY_CODE: Final = {"196670": "low", "196648": "high"}


class Alarms:
    """What the monitor's alarms are, by their ids."""

    def __init__(self) -> None:
        self._present: dict[str, DeviceAlarm] = {}
        self._paused: dict[str, None] = {}

    def read(
        self, obr: Segment, rows: Sequence[Segment], mode: GenerationMode, now: Instant
    ) -> list[DeviceEvent]:
        """Return the edges of one alarm; said again, it tells nothing new."""
        if obr.text(4, 2) == _HEARTBEAT:
            return []
        facets = {_facet(each): each.text(5).lower() for each in reversed(rows)}
        phase, state = facets.get("EVENT_PHASE", ""), facets.get("STATE", "")
        alarm = _alarm(rows, facets, mode, now)
        identity = obr.text(3) or alarm.alarm
        is_present = phase not in _ENDED and state != "inactive"
        events = self._pause(
            identity, facets.get("INACTIVATION_STATE", ""), now, is_present=is_present
        )
        held = self._present.pop(identity, None)
        if not is_present:
            ended = held or alarm
            if held is None:
                return events
            return [*events, DeviceAlarm(ended.alarm, now, present=False, mode=alarm.mode)]
        if phase == _MOMENT:
            return [*events, alarm, DeviceAlarm(alarm.alarm, now, present=False, mode=alarm.mode)]
        if len(self._present) >= _ALARMS_MAX:
            return events
        self._present[identity] = alarm
        is_news = held is None or (held.alarm, held.priority) != (alarm.alarm, alarm.priority)
        if held is not None and held.alarm != alarm.alarm:
            events.append(DeviceAlarm(held.alarm, now, present=False, mode=alarm.mode))
        return [*events, alarm] if is_news else events

    def _pause(
        self, identity: str, words: str, now: Instant, *, is_present: bool
    ) -> list[DeviceEvent]:
        before = bool(self._paused)
        if is_present and words in _PAUSED and len(self._paused) < _ALARMS_MAX:
            self._paused[identity] = None
        elif words or not is_present:
            self._paused.pop(identity, None)
        if bool(self._paused) == before:
            return []
        return [DeviceNotice(NoticeKind.AUDIO_PAUSED_AT_DEVICE, now, not before, words)]


def _facet(obx: Segment) -> str:
    """Return what a row says of the alarm, by its name: numbers differ between gateways."""
    name = obx.text(3, 2)
    for part in ("EVENT_PHASE", "INACTIVATION_STATE", "PRIORITY", "SOURCE", "TYPE"):
        if name.endswith(part):
            return part
    return "STATE" if name.endswith(("ALARM_STATE", "ALERT_STATE")) else name


def _alarm(
    rows: Sequence[Segment], facets: dict[str, str], mode: GenerationMode, now: Instant
) -> DeviceAlarm:
    events = [each for each in rows if _is_event(each)]
    found = (metric_of(each.text(3, 1), each.text(3, 2), each.text(3, 3)) for each in rows)
    metric = next((each[0] for each in found if not isinstance(each, str)), None)
    event = events[0] if events else None
    name = _own_name(event) or _name(
        event.text(3, 2) if event else "", event.text(3, 1) if event else "", metric
    )
    words = [word for each in rows for word in each.words(8)]
    for mode_word, meant in _MODES.items():
        mode = meant if mode_word in words else mode
    code = facets.get("PRIORITY", "").upper()
    code = code or next((word for word in words if word in _PRIORITIES), "")
    return DeviceAlarm(
        name,
        now,
        metric=metric,
        priority=_PRIORITIES.get(code, ""),
        detail=(event.text(5) if event else "")[:80],
        mode=mode,
    )


def _is_event(obx: Segment) -> bool:
    """Tell whether a row names the event: by its standard name, or by a word of the sender's."""
    return obx.text(3, 2).startswith("MDC_EVT_") or obx.text(3, 3) == LOCAL_SYSTEM


def _own_name(event: Segment | None) -> str:
    """Return the stable word of a sender that is a Vigil itself, as first or second code."""
    if event is None:
        return ""
    for code, system in ((1, 3), (4, 6)):
        if event.text(3, system) == LOCAL_SYSTEM:
            return _plain_word(event.text(3, code))
    return ""


def _plain_word(word: str) -> str:
    return "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in word)[:48]


def _name(event: str, code: str, metric: Metric | None) -> str:
    """Return our stable word: metric and side where both are known, else the event's own name."""
    if "APNEA" in event:
        return "no_breath"
    side = _BY_CODE.get(code, "")
    if event.endswith(_LOW):
        side = "low"
    elif event.endswith(_HIGH):
        side = "high"
    if metric is not None and side:
        return f"{metric}_{side}"
    word = event.removeprefix("MDC_EVT_").lower()
    return _plain_word(word) or (f"{metric}_alarm" if metric else "alarm")
