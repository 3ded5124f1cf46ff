"""The Capnostream's own side: its framing, its messages, and how it answers a host."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said, Timed
from drivers.checksums import exclusive_or
from drivers.framing import EscapedSplitter, whole
from drivers.parts.capnostream_events import EVENT_COUNT, EVENTS_AT
from drivers.parts.capnostream_numerics import (
    CO2_ALARM_FLAGS,
    CO2_ALARMS_AT,
    ETCO2_AT,
    EXTENDED_AT,
    EXTENDED_FLAGS,
    FICO2_AT,
    LIMITS_AT,
    MISSING,
    MMHG,
    NUMERICS_SIZE,
    PULSE_AT,
    RESP_RATE_AT,
    SLOW_FLAGS,
    SLOW_STATUS_AT,
    SPO2_ALARM_FLAGS,
    SPO2_ALARMS_AT,
    SPO2_AT,
    UNIT_AT,
)
from drivers.reading import Flag
from monitor.model.event import DeviceEvent, NoticeKind, WaveformSegment
from monitor.model.instant import OPENING, Instant, in_seconds, later, seconds
from monitor.model.metric import Metric

START: Final = 0x85
ESCAPES: Final = {b"\x80\x05": START, b"\x80\x00": 0x80}
FRAME_SIZE_MAX: Final = 2 * 257
_CLOCK_AT_OPENING: Final = 1_700_000_000
_IDENTITY: Final = b"V04.55 06/11/2009 B201000000  "
_LIMITS: Final = bytes([60, 15, 30, 5, 8, 100, 85, 140, 50])
_EVENT_NAMES: Final = ("MEDS GIVEN", "INTUBATION", "SUCTION", "COUGH", "REPOSITION")
_STORE_EVERY: Final = seconds(30)
_STORED_MAX: Final = 1440  # twelve hours
_RECORDS_A_MESSAGE: Final = 10
_VALUES: Final = (
    (Metric.ETCO2, ETCO2_AT),
    (Metric.FICO2, FICO2_AT),
    (Metric.RESP_RATE, RESP_RATE_AT),
    (Metric.SPO2, SPO2_AT),
    (Metric.PULSE_RATE, PULSE_AT),
)
_FAST: Final = {
    NoticeKind.WARMING_UP: 0x02,
    NoticeKind.OCCLUSION: 0x04,
    NoticeKind.AUTO_ZERO: 0x10,
    NoticeKind.PURGING: 0x20,
    NoticeKind.SAMPLE_LINE_OFF: 0x40,
    NoticeKind.CO2_FAULT: 0x80,
}
_INVALID: Final = 0x01
_WAVE_RATE_HZ: Final = 20


def size_of(plain: bytes) -> int:
    """Return the size of the frame that begins with `plain`: LEN, then LEN bytes, then CHK."""
    return plain[0] + 2 if plain else 0


def frame(code: int, body: bytes = b"") -> bytes:
    """Return a framed message, either way."""
    plain = bytes([len(body) + 1, code]) + body
    plain += bytes([exclusive_or(plain)])
    return bytes([START]) + plain.replace(b"\x80", b"\x80\x00").replace(b"\x85", b"\x80\x05")


def command(code: int) -> bytes:
    """Return a command without data."""
    return frame(code)


def _word(flags: Sequence[Flag], said: Said) -> int:
    """Return the status word that says what was said; of a wide flag, its lowest bit."""
    word = 0
    for flag in flags:
        if flag.says in said.notices or flag.says in said.alarms:
            word |= flag.mask & -flag.mask
    return word


def numerics(said: Said, now: Instant, event: int = 0) -> bytes:
    """Return the numerics message; CO2 in mmHg. `event` is the index of one just marked."""
    body = bytearray(NUMERICS_SIZE - 1)
    body[:4] = (_CLOCK_AT_OPENING + int(in_seconds(now))).to_bytes(4, "big")
    for metric, at in _VALUES:
        value = said.value(metric)
        body[at] = MISSING if value is None else max(0, min(MISSING - 1, round(value)))
    body[SLOW_STATUS_AT] = _word(SLOW_FLAGS, said)
    body[CO2_ALARMS_AT] = _word(CO2_ALARM_FLAGS, said)
    body[SPO2_ALARMS_AT] = _word(SPO2_ALARM_FLAGS, said)
    body[EXTENDED_AT] = _word(EXTENDED_FLAGS, said)
    body[LIMITS_AT : LIMITS_AT + len(_LIMITS)] = _LIMITS
    body[UNIT_AT] = MMHG
    body[EVENTS_AT[0]] = event
    return frame(0x01, bytes(body))


def wave(counter: int, sample: float | None, said: Said) -> bytes:
    """Return a wave message; without a sample it is marked invalid."""
    status = sum(bit for notice, bit in _FAST.items() if notice in said.notices)
    raw = 0 if sample is None else max(0, min(0xFFFF, round(sample * 256)))
    status |= _INVALID if sample is None else 0
    return frame(0x00, bytes([counter & 0xFF, raw >> 8, raw & 0xFF, status]))


def event_name(number: int) -> bytes:
    """Return the message that names one event."""
    known = _EVENT_NAMES[number - 1] if number <= len(_EVENT_NAMES) else f"EVENT {number}"
    return frame(0x15, bytes([number]) + known.encode("ascii").ljust(11))


def stored_record(said: Said, now: Instant) -> bytes:
    """Return what the monitor stores of now."""
    values = [said.value(metric) for metric, _ in _VALUES]
    time = (_CLOCK_AT_OPENING + int(in_seconds(now))).to_bytes(4, "big")
    return time + bytes(MISSING if each is None else round(each) & 0xFF for each in values)


def trend_messages(records: Sequence[bytes]) -> list[bytes]:
    """Return the messages of a download."""
    runs = range(0, len(records), _RECORDS_A_MESSAGE)
    return [
        frame(0x37, bytes([number & 0xFF, MMHG]) + b"".join(records[at : at + _RECORDS_A_MESSAGE]))
        for number, at in enumerate(runs)
    ]


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the messages that say `events`: waves as they come, then one of numerics."""
    said = Said()
    said.hear(events)
    now = max((each.at for each in events), default=Instant(0))
    sent = bytearray()
    for event in events:
        if isinstance(event, WaveformSegment) and event.metric is Metric.CO2_WAVE:
            first = round(in_seconds(event.at) * _WAVE_RATE_HZ) - len(event.samples) + 1
            for place, sample in enumerate(event.samples):
                sent += wave(first + place, sample, said)
    if any(not isinstance(event, WaveformSegment) for event in events):
        sent += numerics(said, now)
    return bytes(sent)


class CapnostreamDevice(Timed):
    """The monitor: silent until enabled and started; then 20 waves and one numerics a second."""

    def __init__(self) -> None:
        super().__init__(_WAVE_RATE_HZ, co2_wave=_WAVE_RATE_HZ)
        self._frames = EscapedSplitter(START, ESCAPES, FRAME_SIZE_MAX, size_of=size_of)
        self._counter = 0
        self._is_enabled = False
        self._marked = 0
        self._stored: list[bytes] = []
        self._store_at = OPENING

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey the host: enable, disable, start, stop, event names, the stored trend."""
        for plain in whole(self._frames.feed(data)):
            if exclusive_or(plain):
                continue
            code = plain[1]
            if code == 0x01:
                self._is_enabled = True
                self._outgoing.append(frame(0x04, _IDENTITY))
            elif code == 0x04 and self._is_enabled:
                self._said.tapes[Metric.CO2_WAVE].rewind()
                self._beat.start(now)
            elif code == 0x15 and self._is_enabled:
                self._outgoing += [event_name(number) for number in range(1, EVENT_COUNT + 1)]
            elif code == 0x36 and self._is_enabled:
                self._beat.stop()
                self._outgoing += trend_messages(self._stored)
            elif code in {0x02, 0x05}:
                self._is_enabled = self._is_enabled and code != 0x02
                self._beat.stop()

    def mark(self, event: int) -> None:
        """Let a person press the button of an event; it stands in one numerics message."""
        self._marked = event

    def wake(self, now: Instant) -> None:
        """Send what is due."""
        if now >= self._store_at:
            self._store_at = later(now, _STORE_EVERY)
            self._stored = [*self._stored[1 - _STORED_MAX :], stored_record(self._said, now)]
        while self._beat.is_due(now):
            if self._counter % _WAVE_RATE_HZ == 0:
                self._outgoing.append(numerics(self._said, now, self._marked))
                self._marked = 0
            sample = self._said.tapes[Metric.CO2_WAVE].take()
            self._outgoing.append(wave(self._counter, sample, self._said))
            self._counter += 1
