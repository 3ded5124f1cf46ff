"""DINAMAP frames and the monitor's own side: it speaks when asked, and runs determinations."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from drivers.parts.text_lines import TextLines
from monitor.model.event import DeviceEvent, NoticeKind
from monitor.model.instant import Instant, between, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric

LINE_SIZE_MAX: Final = 80
_SUM_MAX: Final = 0xFFF
_PAUSE_MAX: Final = seconds(0.5)
_DETERMINATION: Final = seconds(30)
_IDLE, _RESULT, _RUNNING, _ERROR = "0", "1", "2", "3"
_AGE_MAX: Final = 9999


def check_of(body: bytes) -> bytes:
    """Return the two closing characters: each character counts from 1 for a blank."""
    total = sum(body) - 0x1F * len(body)
    if total > _SUM_MAX:
        total -= _SUM_MAX
    return bytes([0x20 + (total >> 6 & 0x3F), 0x20 + (total & 0x3F)])


def frame_of(body: bytes) -> bytes:
    """Return `body`, which begins with its blank, as it goes over the wire."""
    return body + check_of(body) + b"\r"


def whole_in(line: bytes) -> tuple[bytes, int] | None:
    """Return the body of the frame that ends `line` and where it begins; None if there is none.

    What lies before it is the rest of a frame that lost its end.
    """
    for start in range(len(line) - 4):
        if line[start] != 0x20 or not line[start + 1 : start + 3].isalpha():
            continue
        body = line[start:-2]
        if check_of(body) == line[-2:]:
            return body, start
    return None


def _three(value: float | None) -> bytes:
    return b"%03d" % min(999, max(0, round(value or 0)))


def result_of(said: Said, status: str, age_s: int) -> bytes:
    """Return the answer to NA."""
    is_result = status == _RESULT
    values = [said.value(metric) if is_result else None for metric in NIBP]
    age = b"%04d" % min(_AGE_MAX, age_s)
    return frame_of(b" NA" + status.encode() + b"00" + age + b"".join(map(_three, values)))


def _answer_of(said: Said, metric: Metric) -> bytes:
    value = said.value(metric)
    if metric is Metric.PULSE_RATE:
        return frame_of(b" RA" + (b"0" if value is None else b"2") + b"0" + _three(value))
    unit = b" OA" if metric is Metric.SPO2 else b" RC"
    return frame_of(unit + (b"0" if value is None else b"1") + _three(value))


_ASKED: Final = {
    b" OA": Metric.SPO2,
    b" RA": Metric.PULSE_RATE,
    b" RC": Metric.HEART_RATE,
}


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the answers that say `events`."""
    said = Said()
    said.hear(events)
    sent = b""
    if NoticeKind.CUFF_FAILED in said.notices:
        sent += result_of(said, _ERROR, 0)
    elif NIBP[0] in said.observations:
        sent += result_of(said, _RESULT, 0)
    for metric in _ASKED.values():
        if metric in said.observations:
            sent += _answer_of(said, metric)
    return sent


class DinamapDevice:
    """The monitor: answers what it is asked with the right sum, and is silent to anything else."""

    def __init__(self) -> None:
        self._said = Said()
        self._lines = TextLines(LINE_SIZE_MAX, _PAUSE_MAX)
        self._shown = Said()
        self._status = _IDLE
        self._done_at: Instant | None = None  # when the running determination ends
        self._result_at = Instant(0)
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the running determination ends."""
        return self._done_at

    @property
    def is_cuff_inflated(self) -> bool:
        """Whether there is pressure in the cuff now."""
        return self._done_at is not None

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the next determination will find."""
        del now
        if any(getattr(each, "metric", None) in NIBP for each in events):
            self._said.notices.pop(NoticeKind.CUFF_FAILED, None)
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Answer each question; obey start and cancel."""
        for line, flaw in self._lines.feed(data, now):
            found = None if flaw else whole_in(line)
            if found is not None:
                self._answer(found[0], now)

    def _answer(self, body: bytes, now: Instant) -> None:
        if body == b" NA":
            age_s = int(in_seconds(between(self._result_at, now)))
            status = _RUNNING if self._done_at is not None else self._status
            self._outgoing.append(result_of(self._shown, status, age_s))
        elif body.startswith(b" NC"):
            self._done_at = later(now, _DETERMINATION)
            self._outgoing.append(frame_of(b" NC0"))
        elif body == b" ND":
            self._done_at = None
            self._outgoing.append(frame_of(b" ND0"))
        elif body in _ASKED:
            self._outgoing.append(_answer_of(self._said, _ASKED[body]))

    def wake(self, now: Instant) -> None:
        """End the determination when its time has come."""
        if self._done_at is None or now < self._done_at:
            return
        self._done_at, self._result_at = None, now
        self._shown = Said()
        self._shown.hear(self._said.events())
        is_failed = NoticeKind.CUFF_FAILED in self._said.notices
        is_failed |= self._said.value(NIBP[0]) is None
        self._status = _ERROR if is_failed else _RESULT

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent
