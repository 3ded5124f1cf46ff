r"""HL7 v2 over MLLP: observations (IHE PCD-01, ORU^R01) and alarms (PCD-04, ORU^R40) of a monitor.

::

    0B | MSH|^~\&|.. CR PV1|.. CR OBR|.. CR OBX|n|NM|code^name^MDC|tree|value|unit CR | 1C 0D

The monitor or its gateway connects and sends; each message is answered as its MSH-15 and MSH-16
ask. A row counts when code and name mean the same metric and its unit is known. A value is of the
moment its row, its order or its message names, in the sender's own clock; see `SenderClock`.

One link is one bed: messages of another bed (PV1-3) are answered and not used.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from drivers.clock import ClockOptions
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
)
from drivers.options import read_options
from drivers.parts.hl7_alarms import Alarms
from drivers.parts.hl7_answers import answer_to
from drivers.parts.hl7_clock import SenderClock
from drivers.parts.hl7_codes import METRICS
from drivers.parts.hl7_message import Hl7Error, Segment, read_segments, sent_at
from drivers.parts.hl7_monitor import Hl7Monitor, encode
from drivers.parts.hl7_rows import Row, Unknown, moments_of, read_row
from drivers.parts.hl7_vectors import VECTORS
from drivers.parts.mllp import Heard, MllpSplitter
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    GenerationMode,
    Validity,
    reject,
)
from monitor.model.instant import Instant, between, in_seconds, seconds
from monitor.model.metric import Metric, describe

_OLD: Final = seconds(30)
_OLD_EPISODIC: Final = seconds(600)
_ANSWERS_MAX: Final = 256
_ALARM_ORDER: Final = "196616"
_TESTING: Final = frozenset({"T", "D"})


class Hl7Options(ClockOptions, frozen=True, kw_only=True):
    """`location`: the bed to listen to, PV1-3 as sent; without it, the first bed heard.

    `ambient_mmhg` turns Vol% into mmHg. `name`: what we call ourselves in answers.
    """

    location: Annotated[str, Meta(max_length=80)] = ""
    ambient_mmhg: Annotated[float, Meta(ge=400, le=850)] = 760.0
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$")] = "VIGIL"


class Hl7Protocol:
    """Messages come and are answered; nothing is asked."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        self._chosen = read_options(options, Hl7Options)
        self._messages = MllpSplitter()
        self._opened_utc_s = self._chosen.opened_utc_s
        self._clock = SenderClock(self._opened_utc_s, self._chosen.utc_offset_min)
        self._alarms = Alarms()
        self._unknown = UnknownFields()
        self._location = self._chosen.location
        self._newest: dict[Metric, tuple[float, float | None]] = {}
        self._told_last: dict[Metric, tuple[float, float | None]] = {}
        self._count = 0
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When a message that was never closed counts as ended."""
        return self._messages.wake_at

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the answers."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Take a message that nothing more comes of."""
        return self._told(self._messages.wake(now), now)

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the messages completed by them say."""
        return self._told(self._messages.feed(data, now), now)

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell a message that was not closed, or rows that stand alone, as questionable."""
        return self._told(self._messages.finish(), now)

    def _told(self, pieces: Sequence[Heard], now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for each in pieces:
            events += [reject(each.flaw, each.data, now)] if each.flaw else self._read(each, now)
        return events

    def _read(self, heard: Heard, now: Instant) -> list[DeviceEvent]:
        try:
            segments = read_segments(heard.data)
        except Hl7Error as error:
            return [reject(f"no HL7 message: {error}", heard.data, now)]
        if not segments or segments[0].name not in {"MSH", "OBR", "OBX"}:
            return [reject("no HL7 message", heard.data, now)]
        if segments[0].name != "MSH":
            if heard.is_closed:
                return [reject("message without MSH", heard.data, now)]
            return self._orders(segments, heard, GenerationMode.REAL, now)
        return self._message(segments, heard, now)

    def _message(
        self, segments: Sequence[Segment], heard: Heard, now: Instant
    ) -> list[DeviceEvent]:
        msh = segments[0]
        kind = msh.text(9, 1)
        if kind == "ACK":
            return []
        if kind != "ORU" or not msh.text(10):
            flaw = "no control id" if kind == "ORU" else "message type not supported"
            self._answer(msh, "AR" if kind != "ORU" else "AE", flaw, now)
            if kind == "ORU":
                return [reject(flaw, heard.data, now)]
            return list(self._unknown.meet(f"message {kind}^{msh.text(9, 2)}", now))
        self._answer(msh, "AA", "", now)
        if not self._is_our_bed(segments):
            return [reject("message of another bed", heard.data, now)]
        events: list[DeviceEvent] = []
        sent = sent_at(segments)
        if sent is not None:
            is_new, edges = self._clock.hear(sent, now)
            events += edges
            if is_new:  # what was newest by the clock believed before says nothing any more
                self._newest.clear()
        mode = GenerationMode.TEST if msh.text(11) in _TESTING else GenerationMode.REAL
        return [*events, *self._orders(segments, heard, mode, now)]

    def _answer(self, msh: Segment, code: str, words: str, now: Instant) -> None:
        self._count += 1
        utc_s = None if self._opened_utc_s is None else self._opened_utc_s + in_seconds(now)
        answer = answer_to(msh, code, words, (self._chosen.name, f"V{self._count}", utc_s))
        if answer and len(self._outgoing) < _ANSWERS_MAX:
            self._outgoing.append(answer)

    def _is_our_bed(self, segments: Sequence[Segment]) -> bool:
        visits = [each.raw(3).rstrip("^") for each in segments if each.name == "PV1"]
        location = next((each for each in visits if each), "")
        if not location:
            return not self._chosen.location
        self._location = self._location or location
        return location == self._location

    def _orders(
        self, segments: Sequence[Segment], heard: Heard, mode: GenerationMode, now: Instant
    ) -> list[DeviceEvent]:
        """Read order by order: a group of rows is of an alarm, or of a patient."""
        events: list[DeviceEvent] = []
        rows: dict[float, list[Row | Unknown]] = {}  # by the time of their order
        order: Segment | None = None
        group: list[Segment] = []
        is_alarm = segments[0].name == "MSH" and segments[0].text(9, 2) == "R40"
        for each in [*segments, None]:
            if each is not None and each.name == "OBX":
                group.append(each)
            elif each is None or each.name == "OBR":
                if order is not None and (is_alarm or order.text(4) == _ALARM_ORDER):
                    events += self._alarms.read(order, group, mode, now)
                else:
                    time = order.time(7) if order else None
                    ambient = self._chosen.ambient_mmhg
                    found = [read_row(obx, time, ambient) for obx in group]
                    moment = rows.setdefault(time.s if time else 0.0, [])
                    moment += [row for row in found if row is not None]
                order, group = each, []
        return [*events, *self._rows(rows, heard, mode, now)]

    def _rows(
        self,
        found: Mapping[float, Sequence[Row | Unknown]],
        heard: Heard,
        mode: GenerationMode,
        now: Instant,
    ) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for each in (row for moment in found.values() for row in moment):
            if isinstance(each, Unknown):
                if each.flaw:
                    events.append(reject(f"{each.name[:40]}: {each.flaw}", heard.data, now))
                else:
                    events += self._unknown.meet(each.name[:40], now)
        best, twice = moments_of(
            {time: [row for row in rows if isinstance(row, Row)] for time, rows in found.items()}
        )
        for row in twice:
            events.append(reject(f"{row.metric}: given twice in one message", heard.data, now))
        for row in best:
            events += self._tell(row, heard, mode, now)
        return events

    def _tell(
        self, row: Row, heard: Heard, mode: GenerationMode, now: Instant
    ) -> Sequence[DeviceEvent]:
        metric, value = row.metric, row.value
        if row.flaw:
            return [reject(f"{metric}: {row.flaw}", heard.data, now)]
        is_episodic = describe(metric).stale_after is None
        moment = (self._clock.device_s(row.time), value)
        newest = self._newest.get(metric)
        if newest is not None and moment[0] < newest[0]:
            return [reject(f"{metric}: older than the newest", heard.data, now)]
        if is_episodic and moment in {newest, self._told_last.get(metric)}:
            return ()
        self._told_last[metric] = moment
        if self._clock.lag_s >= 0:  # a time that lies ahead must not make the next ones old
            self._newest[metric] = moment
        taken = self._clock.taken(row.time, now)
        is_old = between(taken, now) > (_OLD_EPISODIC if is_episodic else _OLD)
        is_doubtful = row.is_doubtful or is_old or not heard.is_closed
        trust = Validity.QUESTIONABLE if is_doubtful else Validity.VALID
        told = read(metric, value, now, taken=taken, validity=trust)
        own = row.mode if row.mode is not GenerationMode.REAL else mode
        return [msgspec.structs.replace(told, mode=own)]


DRIVER: Final = Driver(
    name="hl7",
    title="HL7 monitor or gateway (IHE PCD-01, PCD-04)",
    reference="HL7 v2.6; IHE Patient Care Device profiles",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.TCP}),
    metrics=METRICS,
    silence_limit=seconds(90),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=Hl7Protocol,
    encode=encode,
    open_device=Hl7Monitor,
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.ETCO2: (0, 150, 0.5),
    },
    vectors=VECTORS,
    doubts=(
        "no checksum: TCP has one; a damaged digit would be another reading",
        "a time without zone is placed by whole quarters of an hour unless `utc_offset_min` is set",
        "a sender that lags steadily behind cannot be told from one whose clock is wrong",
        "words of alarm phases and states beside start, end, active, inactive: UNCERTAIN",
        "measurement-state words in OBX-8 (INV, QUES, TEST, DEMO): UNCERTAIN, not seen in samples",
        "after how long a sender repeats an unanswered message: UNCERTAIN",
    ),
)
