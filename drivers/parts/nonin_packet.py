"""The frames of the Nonin formats 2 and 7, and what the 25 of a packet say."""

from enum import IntEnum
from typing import Final

from drivers.reading import read
from monitor.model.event import (
    DeviceEvent,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant
from monitor.model.metric import Metric


class Format(IntEnum):
    """The vendor's numbers of the serial formats; 0 finds out whether it is 2, 7 or text."""

    AUTO = 0
    ONE = 1
    TWO = 2
    SEVEN = 7
    EIGHT = 8


SIZE: Final = 5  # of a frame
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
_HIGH_BITS: Final = 0x03
NO_SPO2: Final = 127

# Places in a packet, counted from 0. Of a rate, the place of its high byte.
RATE_AT: Final = 0
SPO2_AT: Final = 2
FIRMWARE_AT: Final = 3
STATUS_2_AT: Final = 7
SPO2_SHOWN_AT: Final = 8
RATE_SHOWN_AT: Final = 19
_RATES_AT: Final = (RATE_AT, 13, RATE_SHOWN_AT, 21)
_RATE_MIN: Final = 18  # per minute; below that a module tells none
_RATES_DIFFER_MAX: Final = 30  # four beats averaged against eight
_SPO2S_AT: Final = (SPO2_AT, SPO2_SHOWN_AT, 9, 10, 15, 16)
LOW_BATTERY: Final = 0x01


def _is_two(data: bytes | bytearray, at: int) -> bool:
    status, pleth, value = data[at + 1 : at + 4]
    return data[at] == 1 and status >= MARK and (1 + status + pleth + value) & 0xFF == data[at + 4]


def _is_seven(data: bytes | bytearray, at: int) -> bool:
    status, high, low, value = data[at : at + 4]
    return status >= MARK and (status + high + low + value) & 0xFF == data[at + 4]


IS_GOOD: Final = {Format.TWO: _is_two, Format.SEVEN: _is_seven}
STATUS_OFFSET: Final = {Format.TWO: 1, Format.SEVEN: 0}


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

    def as_bytes(self) -> bytes:
        """Return the values so far; 0 where a frame was refused."""
        return bytes(each or 0 for each in self.values)

    def is_in_step(self) -> bool:
        """Return whether each place holds what belongs there, as far as that can be seen.

        A gap that takes the one frame with SYNC away shifts the places and may keep the count. Then
        some place of a rate holds a saturation or 0, some saturation a 0 or a rate's high byte, or
        the rate shown is near none of the others. (One of them alone may be far: a held value, or
        eight beats beside four.) The upper bits of a rate's high byte are reserved; no module is
        known to set them, so that a saturation of 1 to 3 % is taken for one.
        """
        highs = [self.values[at] for at in _RATES_AT]
        shares = [self.spo2(at)[1] for at in _SPO2S_AT]
        return (
            all(high is None or high <= _HIGH_BITS for high in highs)
            and self._is_rate_likely()
            and all(share is None or _HIGH_BITS < share <= 100 for share in shares)
        )

    def _is_rate_likely(self) -> bool:
        rates = [rate for at in _RATES_AT if (rate := self.rate(at)[1]) is not None]
        shown = self.rate(RATE_SHOWN_AT)[1]
        near = [each for each in rates if shown is None or abs(each - shown) <= _RATES_DIFFER_MAX]
        is_near = shown is None or len(near) > 1 or len(rates) == 1
        return is_near and all(each >= _RATE_MIN for each in rates)

    def rate(self, at: int) -> tuple[bool, int | None]:
        """Return whether the pair at `at` was heard, and its rate or None."""
        high, low = (*self.values[at : at + 2], None, None)[:2]
        if high is None or low is None:
            return False, None
        rate = (high & _HIGH_BITS) << 7 | low & 0x7F
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
