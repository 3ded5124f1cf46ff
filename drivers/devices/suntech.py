"""SunTech Advantage NIBP module: start, cuff pressure while measuring, result, error words.

::

    host   : 3A | CMD | DATA.. | CHK
    module : 3E | LEN | DATA.. | CHK       LEN counts the whole packet

CHK brings the sum of the packet to 0. The host speaks, the module answers each packet, and sends
"done" by itself when a determination ends. One packet at a time: nothing is sent before the last
answer came or a second has passed.

While nothing is measured the cuff pressure is asked for all the same, every two seconds: it is the
sign of life, and shows a cuff that somebody else inflates. A cuff is inflated only when a person
asks (`measure`) or after a full `cycle_min`; never because a link was opened or came back.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta

from drivers.checksums import sum_8
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.framing import WindowSplitter
from drivers.options import CommonOptions, read_options
from drivers.parts.suntech_module import ERRORS, RESULT_SIZE, SunTechDevice, encode
from drivers.reading import read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import NIBP, Metric, describe

_HEAD: Final = 0x3E
_LETTER_SIZE: Final = 4
_PRESSURE_SIZE: Final = 5
_PRESSURES_AT: Final = (2, 4, 18)  # systolic, diastolic, mean
_PULSE_AT: Final = 16
_ERROR_AT: Final = 20
_SIZES: Final = frozenset({_LETTER_SIZE, _PRESSURE_SIZE, RESULT_SIZE})

_START: Final = {
    "adult": bytes.fromhex("3A20A6"),
    "paediatric": bytes.fromhex("3A873F"),
    "neonatal": bytes.fromhex("3A289E"),
}
_ABORT: Final = bytes.fromhex("3A7901004C")
_ASK_PRESSURE: Final = bytes.fromhex("3A79050048")
_ASK_RESULT: Final = bytes.fromhex("3A7903004A")

_ANSWER_WITHIN: Final = seconds(1)
_PRESSURE_EVERY: Final = seconds(0.3)
_IDLE_EVERY: Final = seconds(2)
_DETERMINATION_MAX: Final = {
    "adult": seconds(120),
    "paediatric": seconds(120),
    "neonatal": seconds(90),
}
_MISSES_MAX: Final = 3
_INFLATED_MMHG: Final = 20
_EMPTY_MMHG: Final = 10
_INFLATION_MAX: Final = seconds(15)

_REFUSALS: Final = {
    "A": "aborted",
    "E": "the module reports an error",
    "N": "the module does not know the command",
    "D": "the module did not recognise the command",
    "S": "the module is asleep",
    "T": "the module timed out",
}


class SunTechOptions(CommonOptions, frozen=True, kw_only=True):
    """`patient` chooses the inflation programme; `cycle_min` repeats determinations by itself.

    A cycle under 2 minutes is refused: an arm needs its veins to empty between two of them.
    """

    patient: Literal["adult", "paediatric", "neonatal"] = "adult"
    cycle_min: Annotated[float, Meta(ge=2, le=240)] | None = None


class _Phase(StrEnum):
    IDLE = "idle"
    STARTING = "starting"
    MEASURING = "measuring"
    FETCHING = "fetching"
    ABORTING = "aborting"


def _size_at(buffer: bytearray, at: int) -> int | None:
    if buffer[at] != _HEAD:
        return 0
    if at + 1 >= len(buffer):
        return None
    return buffer[at + 1] if buffer[at + 1] in _SIZES else 0


def _is_whole(frame: bytes) -> bool:
    return sum_8(frame) == 0


def _word(frame: bytes, at: int) -> int:
    return frame[at] | frame[at + 1] << 8


def contradiction(frame: bytes) -> str:
    """Return what cannot be in a result packet, empty if nothing.

    The sum does not see a byte too many that equals the checksum: the values shift, it still fits.
    """
    pressures = [_word(frame, at) for at in _PRESSURES_AT]
    if frame[_ERROR_AT]:
        return "an error and pressures" if any(pressures) else ""
    facts = zip(map(describe, NIBP), pressures, strict=True)
    if not all(each.technical_low <= value <= each.technical_high for each, value in facts):
        return "pressures that cannot be"
    systolic, diastolic, mean = pressures
    return "" if diastolic <= mean <= systolic != diastolic else "pressures out of order"


def decode_result(frame: bytes, taken: Instant, now: Instant) -> Sequence[DeviceEvent]:
    """Return the determination in a result packet; a failed one has words and no values."""
    code = frame[_ERROR_AT]
    if code:
        words = ERRORS.get(code, "an error without a name")
        return _failure(f"error {code}: {words}", now, taken)
    pressures = [_word(frame, at) for at in _PRESSURES_AT]
    values = [*zip(NIBP, pressures, strict=True), (Metric.NIBP_PULSE, frame[_PULSE_AT] or None)]
    return [read(metric, value, now, taken=taken) for metric, value in values]


def _failure(detail: str, now: Instant, taken: Instant) -> list[DeviceEvent]:
    return [
        DeviceNotice(NoticeKind.CUFF_FAILED, now, detail=detail),
        *(Observation(each, None, Validity.NOT_AVAILABLE, now, taken) for each in NIBP),
    ]


class SunTechProtocol:
    """Asks; starts a determination when told to; waits for each answer before it speaks again."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, SunTechOptions)
        self._start = _START[chosen.patient]
        self._within = _DETERMINATION_MAX[chosen.patient]
        self._cycle = None if chosen.cycle_min is None else seconds(chosen.cycle_min * 60)
        self._packets = WindowSplitter(_size_at, _is_whole, RESULT_SIZE)
        self._outgoing: list[bytes] = []
        self._phase = _Phase.IDLE
        self._wake_at: Instant = OPENING
        self._is_waiting = False  # for an answer, until wake_at at the latest
        self._misses = 0
        self._is_wanted = False
        self._begun: Instant | None = None  # of the running determination
        self._next_cycle: Instant | None = None
        self._is_inflated = False
        self._taken: Instant | None = None  # when the last determination was done
        self._last_result = b""

    @property
    def wake_at(self) -> Instant | None:
        """When to ask next, or to stop waiting for an answer."""
        return self._wake_at

    def measure(self, now: Instant) -> Sequence[DeviceEvent]:
        """Start a determination as soon as the wire is free; one that runs is the one meant."""
        if self._phase is _Phase.IDLE:
            self._is_wanted = True
            if not self._is_waiting:
                self._wake_at = min(self._wake_at, now)
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next packet to send."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell pressures, results and refusals."""
        events: list[DeviceEvent] = []
        for frame, flaw in self._packets.feed(data):
            if flaw:
                events.append(reject(flaw, frame, now))
            elif len(frame) == _PRESSURE_SIZE:
                self._answered(now)
                events += self._on_pressure(_word(frame, 2), now)
            elif len(frame) == RESULT_SIZE:
                self._answered(now)
                events += self._on_result(frame, now)
            else:
                events += self._on_letter(chr(frame[2]), now)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Send what is due, or note that an answer did not come."""
        if now < self._wake_at:
            return ()
        # Half an answer from before is no half of the next one.
        events: list[DeviceEvent] = [
            reject(flaw, frame, now) for frame, flaw in self._packets.give_up()
        ]
        if self._is_waiting:
            self._is_waiting = False
            self._misses += 1
        if self._begun is not None and between(self._begun, now) >= self._within:
            events += self._give_up(now)
        elif self._phase is _Phase.ABORTING and self._misses >= _MISSES_MAX:
            self._rest()
        elif self._phase is not _Phase.IDLE and self._misses >= _MISSES_MAX:
            events += self._end("the module does not answer", now)
        self._speak(now)
        return events

    def _speak(self, now: Instant) -> None:
        """Send the one packet that this phase asks for."""
        if self._phase is _Phase.IDLE and self._is_due(now):
            self._is_wanted = False
            self._misses = 0
            self._phase = _Phase.STARTING
        packet = {
            _Phase.STARTING: self._start,
            _Phase.FETCHING: _ASK_RESULT,
            _Phase.ABORTING: _ABORT,
        }.get(self._phase, _ASK_PRESSURE)
        self._outgoing = [packet]
        self._is_waiting = True
        self._wake_at = later(now, _ANSWER_WITHIN)

    def _is_due(self, now: Instant) -> bool:
        if self._cycle is not None and self._next_cycle is None:
            self._next_cycle = later(now, self._cycle)
        is_due = self._is_wanted
        if self._cycle is not None and self._next_cycle is not None and now >= self._next_cycle:
            self._next_cycle = later(now, self._cycle)
            is_due = True
        return is_due

    def _answered(self, now: Instant) -> None:
        """Be free to speak again, at the pace of this phase."""
        if not self._is_waiting:
            return
        self._is_waiting = False
        self._misses = 0
        pace = {_Phase.MEASURING: _PRESSURE_EVERY, _Phase.IDLE: _IDLE_EVERY}.get(self._phase)
        self._wake_at = later(now, pace) if pace is not None and not self._is_wanted else now

    def _on_pressure(self, pressure: int, now: Instant) -> Sequence[DeviceEvent]:
        age = None if self._begun is None else between(self._begun, now)
        is_measuring = self._phase is _Phase.MEASURING
        if is_measuring and pressure < _EMPTY_MMHG and age is not None and age >= _INFLATION_MAX:
            # Empty again: "done" was lost on the way. The answer is "busy" where it was not.
            self._taken, self._phase, self._wake_at = now, _Phase.FETCHING, now
            is_measuring = False
        is_inflated = is_measuring or pressure >= _INFLATED_MMHG
        return [*self._inflated(is_inflated, now), read(Metric.CUFF_PRESSURE, pressure, now)]

    def _inflated(self, is_present: bool, now: Instant) -> Sequence[DeviceEvent]:  # noqa: FBT001
        if is_present == self._is_inflated:
            return ()
        self._is_inflated = is_present
        return [DeviceNotice(NoticeKind.CUFF_INFLATING, now, is_present)]

    def _on_result(self, frame: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Tell a determination; repeated without a new one being done, it is the same one."""
        flaw = contradiction(frame)
        if flaw:
            self._wake_at = later(now, _PRESSURE_EVERY)  # ask again
            return [reject(flaw, frame, now)]
        if self._taken is None or (self._begun is None and frame != self._last_result):
            self._taken = now
        self._last_result = frame
        events = [*self._inflated(False, now), *decode_result(frame, self._taken, now)]
        self._rest()
        return events

    def _on_letter(self, letter: str, now: Instant) -> Sequence[DeviceEvent]:
        if letter == "K" and self._phase in {_Phase.STARTING, _Phase.MEASURING}:
            # "Done" comes unasked: an answer that is still owed is waited for all the same.
            self._taken = now
            self._phase = _Phase.FETCHING
            if not self._is_waiting:
                self._wake_at = now
            return self._inflated(False, now)
        self._answered(now)
        if self._phase is not _Phase.IDLE:
            self._wake_at = later(now, _PRESSURE_EVERY)
        if letter in "OB" and self._phase is _Phase.STARTING:
            self._phase, self._begun, self._taken = _Phase.MEASURING, now, None
            return self._inflated(True, now)
        if letter == "B" and self._phase is _Phase.FETCHING:
            self._phase, self._taken = _Phase.MEASURING, None
        if self._phase is _Phase.ABORTING:
            self._rest()
        if letter in _REFUSALS and self._phase is not _Phase.IDLE:
            return self._end(_REFUSALS[letter], now)
        return ()

    def _end(self, detail: str, now: Instant) -> Sequence[DeviceEvent]:
        """End a determination that gave nothing."""
        self._rest()
        return [*self._inflated(False, now), *_failure(detail, now, now)]

    def _give_up(self, now: Instant) -> Sequence[DeviceEvent]:
        events = self._end(f"no result in {self._within // 10**9} s", now)
        self._phase = _Phase.ABORTING
        self._misses = 0
        return events

    def _rest(self) -> None:
        self._phase = _Phase.IDLE
        self._begun = None


_OWN: Final = "command and result tables of public hosts, put together by hand"
_TEST: Final = "vendor's worked example, as repeated in an open-source unit test"

DRIVER: Final = Driver(
    name="suntech",
    title="SunTech Advantage NIBP module",
    reference="SunTech Advantage A+ / OEM host protocol",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({*NIBP, Metric.NIBP_PULSE, Metric.CUFF_PRESSURE}),
    silence_limit=seconds(6),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=SunTechProtocol,
    encode=encode,
    open_device=SunTechDevice,
    round_trip={
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
        Metric.NIBP_PULSE: (30, 250, 1),
    },
    vectors=(
        Vector(bytes.fromhex("3E0580003D"), ((Metric.CUFF_PRESSURE, 128.0),), _OWN),
        Vector(bytes.fromhex("3E050201BA"), ((Metric.CUFF_PRESSURE, 258.0),), _TEST),
        Vector(
            bytes.fromhex("3E18 7300 4A00 1E 01 0000000000003107 5500 5800 00 0000 E9"),
            (
                (Metric.NIBP_SYS, 115.0),
                (Metric.NIBP_DIA, 74.0),
                (Metric.NIBP_MEAN, 88.0),
                (Metric.NIBP_PULSE, 85.0),
            ),
            _TEST,
        ),
        Vector(
            bytes.fromhex("3E18 000000000000000000000000000000000000 57000053"),
            tuple((each, None) for each in NIBP),
            _OWN,
        ),
    ),
    doubts=(
        "a determination is given up after 120 s (neonatal 90 s): UNCERTAIN",
        "asking for the cuff pressure while idle is taken to be answered, as during a measurement",
    ),
)
