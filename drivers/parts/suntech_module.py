"""The SunTech module's own side: its error words, its packets, and a determination as it runs."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from drivers.checksums import complement_8
from drivers.framing import WindowSplitter
from monitor.model.event import DeviceEvent, NoticeKind
from monitor.model.instant import Duration, Instant, between, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric

RESULT_SIZE: Final = 24
ERRORS: Final = {
    1: "weak or no signal",
    2: "erratic signal",
    3: "out of range",
    4: "measurement time exceeded",
    85: "pneumatic blockage",
    86: "stopped by user",
    87: "inflate time-out, leak or loose cuff",
    88: "safety time-out",
    89: "cuff over-pressure",
    90: "power or hardware",
    91: "permission or auto-zero",
    97: "transducer out of range",
    99: "calibration data",
}
_WEAK: Final = 1

# The host's packets: size by command byte.
_HOST_HEAD: Final = 0x3A
_HOST_SIZES: Final = {
    0x20: 3,
    0x87: 3,
    0x28: 3,
    0x79: 5,
    0x17: 5,
    0x81: 3,
    0x0C: 6,
    0x8A: 3,
}
_STARTS: Final = frozenset({0x20, 0x87, 0x28})
_CONTROL, _ABORT, _PRESSURE, _RESULT = 0x79, 0x01, 0x05, 0x03

_INFLATION: Final = seconds(6)
_DETERMINATION_MIN: Final = seconds(20)
_DETERMINATION_MAX: Final = seconds(45)
_ABOVE_SYSTOLIC: Final = 35  # mmHg to which the cuff is inflated
_FALL_PER_S: Final = 4.0
_STEP: Final = 6  # mmHg: the cuff is let down in steps


def packet(body: bytes) -> bytes:
    """Return a module packet around `body`."""
    head = bytes([0x3E, len(body) + 3]) + body
    return head + bytes([complement_8(head)])


def _error_code(said: Said) -> int:
    failed = said.notices.get(NoticeKind.CUFF_FAILED)
    if failed is None:
        return _WEAK if said.value(Metric.NIBP_SYS) is None else 0
    named = (code for code, words in ERRORS.items() if words in failed.detail)
    return next(named, _WEAK)


def result_packet(said: Said) -> bytes:
    """Return the 24 bytes that tell the last determination; with an error there are no values."""
    body = bytearray(RESULT_SIZE - 3)
    code = _error_code(said)
    body[18] = code
    if not code:
        for at, metric in zip((0, 2, 16), NIBP, strict=True):
            body[at : at + 2] = round(said.value(metric) or 0).to_bytes(2, "little")
        body[4] = 30  # heart beats seen
        body[14] = min(255, round(said.value(Metric.NIBP_PULSE) or 0))
    return packet(bytes(body))


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the packets that say `events`: a cuff pressure, a result."""
    said = Said()
    said.hear(events)
    pressure = said.value(Metric.CUFF_PRESSURE)
    sent = b"" if pressure is None else packet(round(pressure).to_bytes(2, "little"))
    if NIBP[0] in said.observations or NoticeKind.CUFF_FAILED in said.notices:
        sent += result_packet(said)
    return sent


def _size_at(buffer: bytearray, at: int) -> int | None:
    if buffer[at] != _HOST_HEAD:
        return 0
    if at + 1 >= len(buffer):
        return None
    return _HOST_SIZES.get(buffer[at + 1], 0)


class SunTechDevice:
    """The module: waits to be asked, and runs a determination of 20 to 45 s."""

    def __init__(self) -> None:
        self._said = Said()
        self._packets = WindowSplitter(_size_at, lambda frame: sum(frame) & 0xFF == 0, 6)
        self._begun: Instant | None = None
        self._done_at: Instant | None = None
        self._result = result_packet(Said())
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the running determination ends."""
        return self._done_at

    @property
    def is_cuff_inflated(self) -> bool:
        """Whether a determination runs: an oximeter on the same arm would know."""
        return self._begun is not None

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the next determination will find; NIBP values come together."""
        del now
        if any(getattr(each, "metric", None) in NIBP for each in events):
            self._said.notices.pop(NoticeKind.CUFF_FAILED, None)
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Answer each packet of the host."""
        for frame, flaw in self._packets.feed(data):
            if not flaw:
                self._outgoing.append(self._answer(frame, now))

    def wake(self, now: Instant) -> None:
        """End the determination when its time has come."""
        if self._done_at is not None and now >= self._done_at:
            self._begun = self._done_at = None
            self._result = result_packet(self._said)
            self._outgoing.append(packet(b"K"))

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _answer(self, frame: bytes, now: Instant) -> bytes:
        is_control = frame[1] == _CONTROL
        if is_control and frame[2] == _PRESSURE:
            return packet(self._pressure(now).to_bytes(2, "little"))
        if is_control and frame[2] == _ABORT:
            self._begun = self._done_at = None
            return packet(b"A")
        if self._begun is not None:
            return packet(b"B")
        if is_control and frame[2] == _RESULT:
            return self._result
        if frame[1] in _STARTS:
            self._begun = now
            self._done_at = later(now, self._duration())
            return packet(b"O")
        return packet(b"K")

    def _top(self) -> float:
        return (self._said.value(Metric.NIBP_SYS) or 140) + _ABOVE_SYSTOLIC

    def _duration(self) -> Duration:
        floor = (self._said.value(Metric.NIBP_DIA) or 60) - 20
        whole = Duration(_INFLATION + seconds((self._top() - floor) / _FALL_PER_S))
        return max(_DETERMINATION_MIN, min(_DETERMINATION_MAX, whole))

    def _pressure(self, now: Instant) -> int:
        """Return the cuff pressure now: up in six seconds, then down step by step."""
        if self._begun is None:
            return 0
        age = between(self._begun, now)
        if age < _INFLATION:
            return round(self._top() * age / _INFLATION)
        fallen = in_seconds(between(Instant(_INFLATION), Instant(age))) * _FALL_PER_S
        return max(0, round(self._top() - fallen // _STEP * _STEP))
