"""Real-time curves of a MEDIBUS device: which there are, which we want, and their samples.

::

    53 answer: items of 23: 2 code (hex) | 8 interval (us) | 5 MIN | 5 MAX | 3 MAXBIN (hex)
    54: pairs of code and multiplier, two hex digits each: streams 1, 2, .. in this order
    D0-DF   sync; bits 0-3: which of streams 1-4 follow, each as two bytes 80-BF of six bits
    C0-CF   a command and its argument: C1 enables streams 1-4, C4 and C5 name streams 5-12 that
            follow, CF C0 a record the device itself calls corrupt

    value = MIN + raw * (MAX - MIN) / MAXBIN

There is no checksum. A record counts when it is complete and the next sync byte stands right behind
it; a raw value above MAXBIN, and a CO2 sample far from two neighbours that agree, are lost ones.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.model.event import DeviceEvent, WaveformSegment
from monitor.model.instant import OPENING, Instant, between, seconds
from monitor.model.metric import Metric, describe

_ITEM_SIZE: Final = 23
_ENDS: Final = (0, 2, 10, 15, 20, 23)
_FORMS: Final = tuple(
    re.compile(rb" *(" + form + rb") *")
    for form in (rb"[0-9A-F]{2}", rb"\d+", rb"-?\d+\.?\d*", rb"-?\d+\.?\d*", rb"[0-9A-F]+")
)
_PAIR: Final = re.compile(rb"([0-9A-F]{2})([0-9A-F]{2})")
CO2_MMHG, CO2_KPA, CO2_PERCENT, PLETH = 0x06, 0x07, 0x08, 0x02
_WITHOUT_METRIC: Final = frozenset({0x00, 0x01, 0x03})  # airway pressure, flow, volume
_METRICS: Final = {
    CO2_MMHG: Metric.CO2_WAVE,
    CO2_KPA: Metric.CO2_WAVE,
    CO2_PERCENT: Metric.CO2_WAVE,
    PLETH: Metric.PLETH,
}
_MMHG_PER_KPA: Final = 7.50062
_RATE_MAX_HZ: Final = 65
_SEGMENT_S: Final = 0.4
_SPIKE: Final = 15.0  # mmHg that CO2 does not jump and return within three samples
_PAUSE_MAX: Final = seconds(0.9)
_STREAMS_MAX: Final = 4

SYNC, COMMAND = 0xD0, 0xC0
_ENABLE, _MORE_5, _MORE_9, _CORRUPT = 0xC1, 0xC4, 0xC5, 0xCF
_END_OF_SEQUENCE: Final = b"\xc0\xc0"


class Curve(NamedTuple):
    """One curve that the device offers; `interval_us` between two samples."""

    code: int
    interval_us: int
    low: float
    high: float
    bins: int

    def value(self, raw: int) -> float | None:
        """Return a raw value in the curve's unit; None above what can be."""
        if raw > self.bins:
            return None
        return self.low + raw * (self.high - self.low) / self.bins

    def multiplier(self) -> int:
        """Return how many samples pass for one that is sent, so that the line has room."""
        return min(0xFF, max(1, -(-1_000_000 // (self.interval_us * _RATE_MAX_HZ))))


def curves_of(data: bytes) -> list[Curve] | str:
    """Return the curves of a 53 answer, or why they are not to be believed."""
    if len(data) % _ITEM_SIZE:
        return "curves of another size"
    curves = []
    for at in range(0, len(data), _ITEM_SIZE):
        parts = [data[at + begin : at + end] for begin, end in pairwise(_ENDS)]
        found = [form.fullmatch(part) for form, part in zip(_FORMS, parts, strict=True)]
        code, interval, low, high, bins = (each[1] if each else b"" for each in found)
        if not all(found):
            return "a curve without its form"
        curve = Curve(int(code, 16), int(interval), float(low), float(high), int(bins, 16))
        if not curve.interval_us or not curve.bins or curve.high <= curve.low:
            return "a curve that cannot be"
        curves.append(curve)
    return curves


def item(curve: Curve) -> bytes:
    """Return a curve as it stands in a 53 answer."""
    numbers = f"{curve.interval_us:>8}{curve.low:>5g}{curve.high:>5g}{curve.bins:03X}"
    return b"%02X" % curve.code + numbers.encode("ascii")


def wanted(offered: Sequence[Curve]) -> list[Curve]:
    """Return what is of use here: CO2 in one unit, and the pleth."""
    by_code = {each.code: each for each in offered}
    co2 = [by_code[code] for code in (CO2_MMHG, CO2_KPA, CO2_PERCENT) if code in by_code]
    return co2[:1] + [by_code[code] for code in (PLETH,) if code in by_code]


def choice(curves: Sequence[Curve]) -> bytes:
    """Return the argument of command 54 that makes `curves` streams 1, 2, .."""
    return b"".join(b"%02X%02X" % (each.code, each.multiplier()) for each in curves)


def enable(count: int) -> bytes:
    """Return the bytes that switch the first `count` streams on."""
    return bytes([SYNC, _ENABLE, COMMAND | (1 << count) - 1]) + _END_OF_SEQUENCE


def record(raws: Sequence[int]) -> bytes:
    """Return one sample of each of the first streams."""
    sent = bytes([SYNC | (1 << len(raws)) - 1])
    return sent + b"".join(bytes([0x80 | raw & 0x3F, 0x80 | raw >> 6 & 0x3F]) for raw in raws)


class _Stream:
    """The samples of one stream that were not told yet; the newest waits for its neighbour."""

    def __init__(self, curve: Curve, multiplier: int, scale: float) -> None:
        self.metric = _METRICS.get(curve.code)
        self.rate_hz = 1_000_000 / (curve.interval_us * multiplier)
        self._curve, self._scale = curve, scale
        self._before: float | None = None
        self.samples: list[float | None] = []

    def put(self, raw: int | None) -> None:
        """Add a sample; None is a lost one."""
        value = None if raw is None else self._curve.value(raw)
        if self.metric is not None:
            self.samples.append(None if value is None else self._in_range(value * self._scale))

    def _in_range(self, value: float) -> float | None:
        assert self.metric is not None
        facts = describe(self.metric)
        return round(value, 2) if facts.technical_low <= value <= facts.technical_high else None

    def is_full(self) -> bool:
        """Whether there is a segment to tell."""
        return len(self.samples) > max(1, round(self.rate_hz * _SEGMENT_S))

    def take(self, now: Instant, *, all_of_it: bool = False) -> WaveformSegment | None:
        """Return the segment, without the newest sample unless it is the last of all."""
        keep = [] if all_of_it else self.samples[-1:]
        near = [self._before, *self.samples]
        told = near[1:] if all_of_it else near[1:-1]
        if self.metric is Metric.CO2_WAVE:
            for at in range(1, len(near) - 1):
                told[at - 1] = _without_spike(near[at - 1], near[at], near[at + 1])
        if not told or self.metric is None:
            return None
        self._before, self.samples = told[-1], keep
        return WaveformSegment(self.metric, now, self.rate_hz, tuple(told))


def _without_spike(before: float | None, sample: float | None, after: float | None) -> float | None:
    if before is None or sample is None or after is None or abs(before - after) > _SPIKE / 2:
        return sample
    return None if min(abs(sample - before), abs(sample - after)) > _SPIKE else sample


class CurveReader:
    """What one device offers and sends; nothing is read before somebody chose the streams."""

    def __init__(self, ambient_mmhg: float) -> None:
        self._scales = {CO2_KPA: _MMHG_PER_KPA, CO2_PERCENT: ambient_mmhg / 100}
        self._offered: dict[int, Curve] = {}
        self._heard_at: Instant = OPENING
        self.forget()

    def forget(self) -> None:
        """Know of no streams: a new start makes the device forget what was chosen."""
        self._streams: list[_Stream] = []
        self._begin(0)

    @property
    def are_chosen(self) -> bool:
        """Whether it is known what the streams are."""
        return bool(self._streams)

    def offer(self, data: bytes) -> Sequence[int] | str:
        """Take a 53 answer; return codes nobody knows, or why it is not to be believed."""
        curves = curves_of(data)
        if isinstance(curves, str):
            return curves
        self._offered = {each.code: each for each in curves}
        return sorted(self._offered.keys() - _METRICS.keys() - _WITHOUT_METRIC)

    def choice(self) -> bytes:
        """Return the argument of command 54 for what is wanted of the offer; empty if nothing."""
        return choice(wanted(list(self._offered.values())))

    def choose(self, argument: bytes) -> None:
        """Take the argument of command 54, ours or one overheard on the line."""
        self.forget()
        for code, multiplier in _PAIR.findall(argument):
            curve = self._offered.get(int(code, 16))
            if curve is None or len(self._streams) == _STREAMS_MAX:
                break
            scale = self._scales.get(curve.code, 1.0)
            self._streams.append(_Stream(curve, max(1, int(multiplier, 16)), scale))

    def enable(self) -> bytes:
        """Return the bytes that switch the chosen streams on."""
        return enable(len(self._streams))

    def take(self, data: bytes, now: Instant, *, is_hidden: bool) -> list[DeviceEvent]:
        """Take bytes from 80 on; return segments. `is_hidden`: samples show no patient's CO2."""
        if between(self._heard_at, now) > _PAUSE_MAX:
            for stream in self._streams:
                stream.samples.clear()
            self._begin(0)
        self._heard_at = now
        for byte in data:
            self._take(byte, is_hidden=is_hidden)
        return self.tell(now)

    def tell(self, now: Instant, *, all_of_it: bool = False) -> list[DeviceEvent]:
        """Return the segments that are complete, or all there is."""
        full = [each for each in self._streams if all_of_it or each.is_full()]
        told = [each.take(now, all_of_it=all_of_it) for each in full]
        return [each for each in told if each is not None]

    def finish(self, now: Instant) -> list[DeviceEvent]:
        """Return all there is; the input has ended, no sync byte follows the last record."""
        self._close(is_hidden=False)
        return self.tell(now, all_of_it=True)

    def _begin(self, streams: int) -> None:
        self._expected = [at for at in range(4) if streams >> at & 1]
        self._raws: list[int] = []
        self._half: int | None = None
        self._command: int | None = None
        self._is_spoiled = False

    def _take(self, byte: int, *, is_hidden: bool) -> None:
        kind = byte & 0xF0
        if kind == SYNC:
            self._close(is_hidden=is_hidden)
            self._begin(byte & 0x0F)
        elif kind == COMMAND:
            self._obey(byte)
        elif byte >= 0xE0 or self._command is not None:
            self._is_spoiled = True
        elif self._half is None:
            self._half = byte & 0x3F
        elif len(self._raws) < len(self._expected):
            self._raws.append(self._half | (byte & 0x3F) << 6)
            self._half = None
        else:
            self._is_spoiled = True

    def _obey(self, byte: int) -> None:
        if self._command is None:
            self._command = byte
            return
        command, self._command = self._command, None
        first = {_MORE_5: 4, _MORE_9: 8}.get(command)
        if first is not None:
            self._expected += [first + at for at in range(4) if byte >> at & 1]
        elif command == _CORRUPT:
            self._is_spoiled = True

    def _close(self, *, is_hidden: bool) -> None:
        """Take the record that has come to its end; what is not whole is a hole."""
        is_whole = len(self._raws) == len(self._expected) and self._half is None
        is_whole = is_whole and not self._is_spoiled and self._command is None
        for place, at in enumerate(self._expected):
            if at < len(self._streams):
                stream = self._streams[at]
                hides = is_hidden and stream.metric is Metric.CO2_WAVE
                stream.put(self._raws[place] if is_whole and not hides else None)
        self._begin(0)
