"""GE DINAMAP (Compact, PRO, ProCare, V100): NIBP on demand; SpO2, pulse, heart rate where fitted.

::

    ' ' | unit letter | command letter | [arguments] | K1 K2 | CR       both ways, host asks
    answer to NA:  ' ' N A | status | xx | age, 4 digits | sys | dia | mean | K1 K2

The last result is told in every answer. It is new when its age restarts or its numbers change; one
that stood there as we came is questionable. What is not fitted does not answer: after three
questions in vain it is asked for once in half a minute.

A cuff is inflated only when a person asks (`measure`) or after a full `cycle_min`; never because a
link was opened or came back. Determinations that the monitor starts by itself are told as well.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.options import CommonOptions, read_options
from drivers.parts.dinamap_monitor import (
    LINE_SIZE_MAX,
    DinamapDevice,
    encode,
    frame_of,
    whole_in,
)
from drivers.parts.text_lines import TextLines
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric

_ASK_RESULT, _START, _CANCEL = frame_of(b" NA"), frame_of(b" NC0"), frame_of(b" ND")
_QUESTIONS: Final = (b" NA", b" OA", b" RA", b" RC")
_PACE: Final = seconds(0.5)
_ANSWER_WITHIN: Final = seconds(1)
_PAUSE_MAX: Final = seconds(0.9)
_MISSES_MAX: Final = 3
_REST: Final = seconds(30)
_DETERMINATION_MAX: Final = seconds(120)

_RESULT_SIZE: Final = 19
_VALID, _ERROR_ABOVE = "1", "2"
# Answer: what it tells, the status that makes it valid (None: any), the end of its digits.
_SIMPLE: Final = {
    b" OA": (Metric.SPO2, "1", 7),
    b" RA": (Metric.PULSE_RATE, "2", 8),
    b" RC": (Metric.HEART_RATE, None, 7),
}


class DinamapOptions(CommonOptions, frozen=True, kw_only=True):
    """`cycle_min` repeats determinations by itself.

    A cycle under 2 minutes is refused: an arm needs its veins to empty between two of them.
    """

    cycle_min: Annotated[float, Meta(ge=2, le=240)] | None = None


class DinamapProtocol:
    """Asks in turn; starts a determination when told to; waits for each answer or a second."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        cycle_min = read_options(options, DinamapOptions).cycle_min
        self._cycle = None if cycle_min is None else seconds(cycle_min * 60)
        self._lines = TextLines(LINE_SIZE_MAX, _PAUSE_MAX)
        self._outgoing: list[bytes] = []
        self._wake_at: Instant = OPENING
        self._turn = 0
        self._asked: bytes | None = None  # the question whose answer is waited for
        self._misses = dict.fromkeys(_QUESTIONS, 0)
        self._rested_until = dict.fromkeys(_QUESTIONS, OPENING)
        self._is_wanted = False
        self._is_unwanted = False  # a determination that took too long is to be cancelled
        self._begun: Instant | None = None  # of the determination we asked for
        self._next_cycle: Instant | None = None
        self._last: tuple[str, int, bytes] | None = None  # status, age, numbers last answered
        self._result: tuple[int, bytes] | None = None  # age and numbers of the last valid one
        self._unknown = UnknownFields()

    @property
    def wake_at(self) -> Instant | None:
        """When to ask next, or to stop waiting for an answer."""
        return self._wake_at

    def measure(self, now: Instant) -> Sequence[DeviceEvent]:
        """Start a determination as soon as the wire is free; one that runs is the one meant."""
        if self._begun is None:
            self._is_wanted = True
            if self._asked is None:
                self._wake_at = min(self._wake_at, now)
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next question."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask what is next, or note that an answer did not come."""
        if now < self._wake_at:
            return ()
        events: list[DeviceEvent] = []
        if self._asked is not None:
            self._miss(self._asked, now)
        if self._begun is not None and between(self._begun, now) >= _DETERMINATION_MAX:
            self._is_unwanted = True
            events += self._fail(f"no result in {in_seconds(_DETERMINATION_MAX):.0f} s", now)
        events += self._speak(now)
        return events

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell results, errors and rates."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.feed(data, now):
            found = None if flaw else whole_in(line)
            if found is None:
                events.append(reject(flaw or "checksum differs", line, now))
                continue
            if found[1]:
                events.append(reject("frame cut short", line[: found[1]], now))
            events += self._read(found[0], now)
        return events

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the frame whose end the input left out: its sum proves it."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.finish():
            found = None if flaw else whole_in(line)
            events += self._read(found[0], now) if found else [reject("cut short", line, now)]
        return events

    def _miss(self, asked: bytes, now: Instant) -> None:
        self._asked = None
        self._misses[asked] += 1
        if self._misses[asked] >= _MISSES_MAX and asked != b" NA":
            self._rested_until[asked] = later(now, _REST)

    def _speak(self, now: Instant) -> Sequence[DeviceEvent]:
        """Send one frame: a start or cancel that is wanted, else the next question."""
        self._wake_at = later(now, _ANSWER_WITHIN)
        if self._is_unwanted:
            self._is_unwanted = False
            self._outgoing = [_CANCEL]
            self._wake_at = later(now, _PACE)
            return ()
        is_known = self._last is not None or self._misses[b" NA"]  # what stood there before
        if is_known and self._begun is None and self._is_due(now):
            self._is_wanted = False
            self._begun = now
            self._outgoing = [_START]
            self._wake_at = later(now, _PACE)
            return [DeviceNotice(NoticeKind.CUFF_INFLATING, now, detail="asked for")]
        for _ in _QUESTIONS:
            question = _QUESTIONS[self._turn]
            self._turn = (self._turn + 1) % len(_QUESTIONS)
            if now >= self._rested_until[question]:
                break
        self._asked = question
        self._outgoing = [frame_of(question)]
        return ()

    def _is_due(self, now: Instant) -> bool:
        is_due = self._is_wanted
        if self._cycle is not None:
            if self._next_cycle is not None and now >= self._next_cycle:
                self._next_cycle, is_due = None, True
            self._next_cycle = self._next_cycle or later(now, self._cycle)
        return is_due

    def _read(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        code = body[:3]
        if code not in self._misses:
            if code in {b" NC", b" ND"}:  # answers to a start or cancel, whatever they hold
                return ()
            return self._unknown.meet(f"answer {code[1:].decode('ascii')}", now)
        if len(body) == len(code):  # our own question, echoed by the wire
            return ()
        if code == self._asked:
            self._asked = None
            self._wake_at = later(now, _PACE) if not self._is_wanted else now
        self._misses[code] = 0
        self._rested_until[code] = OPENING
        return self._read_result(body, now) if code == b" NA" else _read_simple(body, now)

    def _read_result(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        status, age, numbers = body[3:4].decode("ascii"), body[6:10].strip(), body[10:19]
        fields = [numbers[at : at + 3].strip() for at in (0, 3, 6)]
        if len(body) < _RESULT_SIZE or not all((each or b"0").isdigit() for each in (*fields, age)):
            return [reject("no such result", body, now)]
        events: list[DeviceEvent] = []
        if len(body) > _RESULT_SIZE:
            events += self._unknown.meet(f"NA with {len(body)} characters", now)
        before, self._last = self._last, (status, int(age or b"0"), numbers)
        if status == _VALID:
            values = [int(each or b"0") or None for each in fields]
            return events + self._tell(values, now, is_first=before is None)
        is_error = status.isdigit() and status > _ERROR_ABOVE
        is_same = before is not None and before[0] == status and before[1] <= self._last[1]
        if is_error and not is_same:
            events += self._fail(f"error {status}", now)
        return events

    def _tell(
        self, values: Sequence[int | None], now: Instant, *, is_first: bool
    ) -> list[DeviceEvent]:
        """Tell a result that is new; a repeated one is none, the first one met may be old."""
        assert self._last is not None
        _, age, numbers = self._last
        before, self._result = self._result, (age, numbers)
        if before is not None and age >= before[0] and numbers == before[1]:
            return []
        systolic, diastolic, mean = (each or 0 for each in values)
        if all(values) and not diastolic <= mean <= systolic != diastolic:
            self._result = before
            return [reject("pressures out of order", numbers, now)]
        trust = Validity.QUESTIONABLE if is_first else Validity.VALID
        taken = max(OPENING, Instant(now - seconds(age))) if is_first else now
        told = [
            read(metric, value, now, taken=taken, validity=trust)
            for metric, value in zip(NIBP, values, strict=True)
        ]
        return [*told] if is_first else [*self._end(now), *told]

    def _end(self, now: Instant) -> list[DeviceEvent]:
        """End the determination that we asked for."""
        if self._begun is None:
            return []
        self._begun = None
        return [DeviceNotice(NoticeKind.CUFF_INFLATING, now, present=False)]

    def _fail(self, detail: str, now: Instant) -> list[DeviceEvent]:
        return [
            *self._end(now),
            DeviceNotice(NoticeKind.CUFF_FAILED, now, detail=detail),
            *(Observation(each, None, Validity.NOT_AVAILABLE, now, now) for each in NIBP),
        ]


def _read_simple(body: bytes, now: Instant) -> Sequence[DeviceEvent]:
    """Return what the answer to OA, RA or RC says."""
    metric, valid, end = _SIMPLE[body[:3]]
    status, digits = body[3:4].decode("ascii"), body[4:end].strip()
    if digits and not digits.isdigit():
        is_dashed = not digits.strip(b"-")
        return [read(metric, None, now) if is_dashed else reject("no such rate", body, now)]
    is_valid = valid is None or status == valid
    value = int(digits or b"0") if is_valid else 0
    return [read(metric, value or None, now)]


_OWN: Final = "put together by hand from the tables of two open hosts, sums by hand"

DRIVER: Final = Driver(
    name="dinamap",
    title="GE DINAMAP PRO / CARESCAPE V100 NIBP monitor",
    reference="DINAMAP host communications, ASCII, as used by two open hosts",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({*NIBP, Metric.SPO2, Metric.PULSE_RATE, Metric.HEART_RATE}),
    silence_limit=seconds(6),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=DinamapProtocol,
    encode=encode,
    open_device=DinamapDevice,
    round_trip={
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
    },
    vectors=(
        Vector(
            bytes.fromhex("204E4131303030303132313138303736303930 2626 0D"),
            (
                (Metric.NIBP_SYS, 118.0),
                (Metric.NIBP_DIA, 76.0),
                (Metric.NIBP_MEAN, 90.0),
            ),
            _OWN,
        ),
        Vector(
            bytes.fromhex("204E4133303030303030303030303030303030 2545 0D"),
            tuple((each, None) for each in NIBP),
            _OWN,
        ),
        Vector(b' OA1097"H\r', ((Metric.SPO2, 97.0),), _OWN),
        Vector(b' RA20072"V\r', ((Metric.PULSE_RATE, 72.0),), _OWN),
        Vector(b' RC1072"F\r', ((Metric.HEART_RATE, 72.0),), _OWN),
        Vector(bytes.fromhex("204E4121320D"), (), _OWN),
    ),
    doubts=(
        "positions 4 and 5 of a result and the unit of its age are UNCERTAIN: left alone",
        "which status means running is not known: an error is any digit above 2",
        "a determination is given up after 120 s: UNCERTAIN",
        "how a wrong sum or a start is answered is UNCERTAIN: nothing is waited for",
    ),
)
