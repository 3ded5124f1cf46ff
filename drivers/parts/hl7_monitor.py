"""A gateway's own side: observations every two seconds, alarms at once, each to be answered."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from drivers.parts.hl7_codes import CODES
from drivers.parts.hl7_message import ENCODING, escaped, read_segments, written_time
from drivers.parts.hl7_writing import (
    ALARMED,
    DEVICE_ROW,
    HIGH_EVENT,
    LOW_EVENT,
    OBSERVED,
    Row,
    Sender,
    head,
    message,
    order,
    text_row,
)
from drivers.parts.mllp import MllpSplitter, frame
from monitor.model.event import DeviceAlarm, DeviceEvent, GenerationMode, Observation
from monitor.model.instant import Instant, in_seconds, later, seconds
from monitor.model.metric import describe

PERIOD: Final = seconds(2)
_REPEAT_AFTER: Final = seconds(10)
_BACKLOG_MAX: Final = 32
_OPENING_S: Final = 1_700_000_000
_SENDER: Final = Sender(application="VSIM", facility="TEST", receiving_application="VIGIL")
_BED: Final = "PV1||I|SIM^1^B1"
_PRIORITIES: Final = {"high": "PH", "medium": "PM", "low": "PL"}


def _utc_s(instant: Instant) -> float:
    return _OPENING_S + in_seconds(instant)


def _row(number: int, each: Observation) -> str:
    taken = each.taken
    if taken is None and describe(each.metric).stale_after is None:
        taken = each.at
    return Row(
        number=number,
        tree=f"1.1.1.{number}",
        metric=each.metric,
        value=each.value,
        flags="INV" if each.value is None else "",
        utc_s=None if taken is None else _utc_s(taken),
    ).text()


def observations(events: Sequence[Observation], control: str, now: Instant) -> str:
    """Return a PCD-01 message with all its segments."""
    told = [each for each in events if each.metric in CODES]
    is_demo = any(each.mode is not GenerationMode.REAL for each in told)
    mode = GenerationMode.DEMO if is_demo else GenerationMode.REAL
    rows = [_row(place + 2, each) for place, each in enumerate(told)]
    begun = order(control, "VSIM", OBSERVED, _utc_s(now))
    return message(
        [head(_SENDER, "R01", control, _utc_s(now), mode), _BED, begun, DEVICE_ROW, *rows]
    )


def short_observations(events: Sequence[Observation], control: str, now: Instant) -> str:
    """Return the shortest message that says `events`: no bed, no order, no device."""
    first = f"MSH|{ENCODING}|VSIM||||{written_time(_utc_s(now))}||ORU^R01|{control}|P|2.6"
    rows = [_row(place + 1, each) for place, each in enumerate(events) if each.metric in CODES]
    return message([first, *rows])


def alarm(event: DeviceAlarm, control: str, now: Instant) -> str:
    """Return a PCD-04 message: the alarm began, or ended."""
    side = {"high": HIGH_EVENT, "low": LOW_EVENT}.get(
        event.alarm.rpartition("_")[2], f"0^MDC_EVT_{escaped(event.alarm).upper()}^MDC"
    )
    side = "0^MDC_EVT_APNEA^MDC" if event.alarm == "no_breath" else side
    phase, state = ("start", "active") if event.present else ("end", "inactive")
    flags = f"A~{_PRIORITIES.get(event.priority, 'PM')}~SP"
    lines = [
        head(_SENDER, "R40", control, _utc_s(now), GenerationMode.REAL),
        _BED,
        order(event.alarm, "VSIM", ALARMED, _utc_s(now)),
        text_row(1, side, "1.1.1.1.1", event.detail or event.alarm, flags),
    ]
    if event.metric in CODES:
        source = Row(number=2, tree="1.1.1.1.2", metric=event.metric, value=None, flags=flags)
        lines.append(source.text())
    lines.append(text_row(3, "68481^MDC_ATTR_EVENT_PHASE^MDC", "1.1.1.1.3", phase))
    lines.append(text_row(4, "68482^MDC_ATTR_ALARM_STATE^MDC", "1.1.1.1.4", state))
    return message(lines)


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
