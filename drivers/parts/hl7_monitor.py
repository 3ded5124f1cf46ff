"""A gateway's own side: observations every two seconds, alarms at once, each to be answered."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from drivers.parts.hl7_codes import CODES, UNIT_FIELDS
from drivers.parts.hl7_message import ENCODING, escaped, read_segments, written_time
from drivers.parts.mllp import MllpSplitter, frame
from monitor.model.event import DeviceAlarm, DeviceEvent, GenerationMode, Observation
from monitor.model.instant import Instant, in_seconds, later, seconds
from monitor.model.metric import Metric, describe

PERIOD: Final = seconds(2)
_REPEAT_AFTER: Final = seconds(10)
_BACKLOG_MAX: Final = 32
_OPENING_S: Final = 1_700_000_000
_PROFILES: Final = {
    "R01": "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
    "R40": "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO",
}
_DEVICE_ROW: Final = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X"
_PRIORITIES: Final = {"high": "PH", "medium": "PM", "low": "PL"}
_RATES: Final = {Metric.RESP_RATE: "264928^MDC_DIM_RESP_PER_MIN^MDC"}


def _head(trigger: str, control: str, now: Instant, *, is_demo: bool = False) -> list[str]:
    time = written_time(_OPENING_S + in_seconds(now))
    kind = f"ORU^{trigger}^ORU_{trigger}"
    use = "T" if is_demo else "P"
    return [
        (
            f"MSH|{ENCODING}|VSIM|TEST|VIGIL||{time}||{kind}|{control}|{use}|2.6|||NE|AL"
            f"||UNICODE UTF-8|||{_PROFILES[trigger]}"
        ),
        "PV1||I|SIM^1^B1",
    ]


def _row(number: int, each: Observation) -> str:
    metric = each.metric
    unit = _RATES.get(metric, UNIT_FIELDS[describe(metric).unit])
    taken = each.taken
    if taken is None and describe(metric).stale_after is None:
        taken = each.at
    time = "" if taken is None else written_time(_OPENING_S + in_seconds(taken))
    value = "" if each.value is None else f"{each.value:g}"
    flag, result = ("INV", "X") if each.value is None else ("", "R")
    return (
        f"OBX|{number}|NM|{CODES[metric]}|1.1.1.{number}|{value}|{unit}||{flag}"
        f"|||{result}|||{time}".rstrip("|")
    )


def observations(events: Sequence[Observation], control: str, now: Instant) -> str:
    """Return a PCD-01 message with all its segments."""
    time = written_time(_OPENING_S + in_seconds(now))
    told = [each for each in events if each.metric in CODES]
    is_demo = any(each.mode is not GenerationMode.REAL for each in told)
    order = f"OBR|1|{control}^VSIM|{control}^VSIM|182777000^monitoring of patient^SCT|||{time}"
    rows = [_row(place + 2, each) for place, each in enumerate(told)]
    lines = [*_head("R01", control, now, is_demo=is_demo), order, _DEVICE_ROW, *rows]
    return "".join(f"{line}\r" for line in lines)


def short_observations(events: Sequence[Observation], control: str, now: Instant) -> str:
    """Return the shortest message that says `events`: no bed, no order, no device."""
    time = written_time(_OPENING_S + in_seconds(now))
    head = f"MSH|{ENCODING}|VSIM||||{time}||ORU^R01|{control}|P|2.6"
    rows = [_row(place + 1, each) for place, each in enumerate(events) if each.metric in CODES]
    return "".join(f"{line}\r" for line in (head, *rows))


def alarm(event: DeviceAlarm, control: str, now: Instant) -> str:
    """Return a PCD-04 message: the alarm began, or ended."""
    time = written_time(_OPENING_S + in_seconds(now))
    identity = f"{escaped(event.alarm)}^VSIM"
    side = {"high": "196648^MDC_EVT_HI", "low": "196670^MDC_EVT_LO"}.get(
        event.alarm.rpartition("_")[2], f"0^MDC_EVT_{escaped(event.alarm).upper()}"
    )
    side = "0^MDC_EVT_APNEA" if event.alarm == "no_breath" else side
    phase, state = ("start", "active") if event.present else ("end", "inactive")
    flags = f"A~{_PRIORITIES.get(event.priority, 'PM')}~SP"
    lines = [
        *_head("R40", control, now),
        f"OBR|1|{identity}|{identity}|196616^MDC_EVT_ALARM^MDC|||{time}",
        f"OBX|1|ST|{side}^MDC|1.1.1.1.1|{escaped(event.detail or event.alarm)}|||{flags}|||R",
    ]
    if event.metric in CODES:
        lines.append(f"OBX|2|NM|{CODES[event.metric]}|1.1.1.1.2||||{flags}|||X")
    lines.append(f"OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|{phase}||||||R")
    lines.append(f"OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|{state}||||||R")
    return "".join(f"{line}\r" for line in lines)


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the messages that say `events`: one of observations, one for each alarm."""
    now = max((each.at for each in events), default=Instant(0))
    told = [each for each in events if isinstance(each, Observation)]
    control = f"M{in_seconds(now):.0f}"
    sent = [frame(short_observations(told, control, now))] if told else []
    sent += [frame(alarm(each, "A1", now)) for each in events if isinstance(each, DeviceAlarm)]
    return b"".join(sent)


class Hl7Monitor:
    """The sender: one message at a time, repeated when it is not answered."""

    def __init__(self) -> None:
        self._said = Said()
        self._answers = MllpSplitter()
        self._due: Instant | None = None
        self._repeat_at: Instant | None = None
        self._waiting: list[tuple[str, bytes]] = []
        self._count = 0
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next message is due, or the last one is repeated."""
        due = [each for each in (self._due, self._repeat_at) if each is not None]
        return min(due, default=None)

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; alarms are sent at once."""
        self._said.hear(events)
        self._due = now if self._due is None else self._due
        for each in events:
            if isinstance(each, DeviceAlarm):
                control = self._control()
                self._send(control, frame(alarm(each, control, now)), now)

    def receive(self, data: bytes, now: Instant) -> None:
        """Take answers: what was accepted or refused for good is not repeated."""
        for heard in self._answers.feed(data, now):
            if heard.flaw:
                continue
            answered = {each.text(2) for each in read_segments(heard.data) if each.name == "MSA"}
            if self._waiting and self._waiting[0][0] in answered:
                self._waiting.pop(0)
                self._repeat_at = None
                self._next(now)

    def wake(self, now: Instant) -> None:
        """Send what is due; say the unanswered once more."""
        if self._repeat_at is not None and now >= self._repeat_at:
            self._next(now)
        if self._due is not None and now >= self._due:
            self._due = later(now, PERIOD)
            told = list(self._said.observations.values())
            if told:
                control = self._control()
                self._send(control, frame(observations(told, control, now)), now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _control(self) -> str:
        self._count += 1
        return f"M{self._count:04}"

    def _send(self, control: str, message: bytes, now: Instant) -> None:
        self._waiting.append((control, message))
        del self._waiting[:-_BACKLOG_MAX]
        if self._repeat_at is None:
            self._next(now)

    def _next(self, now: Instant) -> None:
        if self._waiting:
            self._outgoing.append(self._waiting[0][1])
            self._repeat_at = later(now, _REPEAT_AFTER)
