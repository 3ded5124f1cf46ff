"""What the 25 frames of a Nonin packet (formats 2 and 7) say, and how they are made."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said
from drivers.checksums import sum_8
from drivers.reading import read
from monitor.model.event import (
    DeviceEvent,
    NoticeKind,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant
from monitor.model.metric import Metric

RATE_HZ: Final = 75
FRAMES: Final = 25

# STATUS
SYNC: Final = 0x01
GREEN: Final = 0x02
RED: Final = 0x04
SENSOR_ALARM: Final = 0x08
OUT_OF_TRACK: Final = 0x10
SENSOR_GONE: Final = 0x40
MARK: Final = 0x80
NO_SENSOR: Final = SENSOR_ALARM | SENSOR_GONE

NO_RATE: Final = 511
NO_SPO2: Final = 127

# Places in a packet, counted from 0. Of a rate, the place of its high byte.
RATE_AT: Final = 0
SPO2_AT: Final = 2
FIRMWARE_AT: Final = 3
STATUS_2_AT: Final = 7
SPO2_SHOWN_AT: Final = 8
RATE_SHOWN_AT: Final = 19
LOW_BATTERY: Final = 0x01


class Packet:
    """The frames of one packet so far; None where a frame was refused."""

    __slots__ = ("count", "pleth", "status", "values")

    def __init__(self) -> None:
        self.count = 0
        self.status = 0
        self.values: list[int | None] = []
        self.pleth: list[float | None] = []

    def add(self, status: int, pleth: int, value: int) -> None:
        """Add a good frame."""
        self.count += 1
        self.status |= status
        self.values.append(value)
        # With no sensor the pleth freezes or falls to 0 and goes on coming: that is no wave.
        self.pleth.append(None if status & NO_SENSOR else float(pleth))

    def add_hole(self) -> None:
        """Add the place of a refused frame."""
        self.count += 1
        self.values.append(None)
        self.pleth.append(None)

    def rate(self, at: int) -> tuple[bool, int | None]:
        """Return whether the pair at `at` was heard, and its rate or None."""
        high, low = (*self.values[at : at + 2], None, None)[:2]
        if high is None or low is None:
            return False, None
        rate = (high & 0x03) << 7 | low & 0x7F
        return True, None if rate == NO_RATE else rate

    def spo2(self, at: int) -> tuple[bool, int | None]:
        """Return whether the byte at `at` was heard, and its saturation or None."""
        byte = self.values[at] if at < len(self.values) else None
        if byte is None:
            return False, None
        return True, None if byte & 0x7F == NO_SPO2 else byte & 0x7F

    def tell(
        self, pairs: tuple[int, int], now: Instant, validity: Validity = Validity.VALID
    ) -> list[DeviceEvent]:
        """Return the wave, and the numerics found at the two places, as far as heard."""
        spo2_at, rate_at = pairs
        told: list[DeviceEvent] = []
        if any(sample is not None for sample in self.pleth):
            told.append(WaveformSegment(Metric.PLETH, now, RATE_HZ, tuple(self.pleth)))
        for metric, now_at, shown_at, field in (
            (Metric.SPO2, SPO2_AT, spo2_at, self.spo2),
            (Metric.PULSE_RATE, RATE_AT, rate_at, self.rate),
        ):
            is_heard, value = field(shown_at)
            if not is_heard:
                continue
            is_average_heard, average = field(now_at)
            if self.status & NO_SENSOR or (is_average_heard and average is None):
                value = None
            trust = Validity.QUESTIONABLE if self.status & OUT_OF_TRACK else validity
            told.append(read(metric, value, now, validity=trust))
        return told


# Making one


def _pair(rate: float | None) -> tuple[int, int]:
    count = NO_RATE if rate is None else min(round(rate), NO_RATE)
    return count >> 7, count & 0x7F


def _spo2_byte(spo2: float | None) -> int:
    return NO_SPO2 if spo2 is None else min(round(spo2), NO_SPO2)


def encode_packet(said: Said, pleth: Sequence[float | None]) -> list[bytes]:
    """Return the 25 frames of a packet in format 2.

    With SENSOR_OFF said and a value said with it, the display pair still carries the value: that
    is how the module holds it.
    """
    spo2, rate = said.value(Metric.SPO2), said.value(Metric.PULSE_RATE)
    is_off = NoticeKind.SENSOR_OFF in said.notices
    values = [0] * FRAMES
    values[RATE_AT : RATE_AT + 2] = _pair(None if is_off else rate)
    values[SPO2_AT] = _spo2_byte(None if is_off else spo2)
    values[FIRMWARE_AT] = 0x30
    values[STATUS_2_AT] = int(NoticeKind.LOW_BATTERY in said.notices)
    for place in (SPO2_SHOWN_AT, 9, 10, 15, 16):
        values[place] = _spo2_byte(spo2)
    for place in (13, RATE_SHOWN_AT, 21):
        values[place : place + 2] = _pair(rate)
    always = MARK
    always |= SENSOR_ALARM if is_off else 0
    always |= OUT_OF_TRACK if NoticeKind.SEARCHING in said.notices else 0
    beat = RED if NoticeKind.LOW_PERFUSION in said.notices else GREEN
    frames = []
    for place in range(FRAMES):
        status = always | (SYNC if place == 0 else 0) | (beat if 4 <= place < 16 else 0)
        sample = pleth[place] if place < len(pleth) else None
        body = bytes([1, status, 0 if sample is None else round(sample) & 0xFF, values[place]])
        frames.append(body + bytes([sum_8(body)]))
    return frames


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return one packet in format 2 that says `events`; pleth samples are 0 to 255."""
    said = Said()
    said.hear(events)
    waves = [each for each in events if isinstance(each, WaveformSegment)]
    samples = [sample for wave in waves if wave.metric is Metric.PLETH for sample in wave.samples]
    return b"".join(encode_packet(said, samples or [128.0] * FRAMES))
