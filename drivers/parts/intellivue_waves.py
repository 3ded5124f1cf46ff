"""IntelliVue waves: pleth and CO2 blocks; what the samples mean is told once and remembered.

A block: identifier, state, length (u16 each), samples u16. Scale, sample form, period and unit come
as attributes of their own, usually in the first cycle only.
"""

from collections.abc import Sequence
from struct import Struct, unpack
from typing import Final

import msgspec

from drivers.parts.intellivue_messages import TICKS_PER_S, Object, Poll
from drivers.parts.intellivue_values import (
    CALIBRATING,
    INVALID,
    UNAVAILABLE,
    float_of,
    pressure_scale,
)
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind, WaveformSegment
from monitor.model.instant import Instant
from monitor.model.metric import Metric

BLOCK, BLOCKS, SAMPLE_FORM, SCALE, PERIOD, UNIT = 0x096E, 0x0967, 0x096D, 0x096F, 0x098D, 0x0996
PLETH_CODE, CO2_CODE = 0x4BB4, 0x50AC
WAVES: Final = {PLETH_CODE: Metric.PLETH, CO2_CODE: Metric.CO2_WAVE}
_BLOCK_S: Final = 0.256
_NO_SAMPLES: Final = INVALID | UNAVAILABLE | CALIBRATING
_KEYS_MAX: Final = 64
_SCALE: Final = Struct(">IIHH")


class Form(msgspec.Struct):
    """What is known of one wave."""

    mask: int = 0xFFFF
    low: float = 0.0
    high: float = 0.0
    raw_low: int = 0
    raw_high: int = 0
    rate_hz: float = 0.0
    unit: int = 0

    def learn(self, attributes: dict[int, bytes]) -> None:
        """Take what the attributes say; what they leave out stays."""
        form = attributes.get(SAMPLE_FORM, b"")
        if len(form) >= 4 and 0 < form[3] <= 16:
            self.mask = (1 << form[3]) - 1
        scale = attributes.get(SCALE, b"")
        if len(scale) >= _SCALE.size:
            low, high, raw_low, raw_high = _SCALE.unpack_from(scale)
            bottom, top = float_of(low)[0], float_of(high)[0]
            if bottom is not None and top is not None and raw_low != raw_high:
                self.low, self.high = bottom, top
                self.raw_low, self.raw_high = raw_low, raw_high
        period = int.from_bytes(attributes.get(PERIOD, b"")[:4], "big")
        if 8 <= period <= TICKS_PER_S:  # 1 to 1000 samples a second
            self.rate_hz = TICKS_PER_S / period
        unit = attributes.get(UNIT, b"")
        if len(unit) >= 2:
            self.unit = int.from_bytes(unit[:2], "big")


class WaveReader:
    """Reads the waves of one monitor."""

    def __init__(self) -> None:
        self._forms: dict[tuple[int, int], Form] = {}
        self._scale_missed = False

    def read(self, poll: Poll, now: Instant, co2_unit: int) -> tuple[list[DeviceEvent], list[int]]:
        """Return the segments in a poll of waves, and the state words they came with.

        `co2_unit` is that of the CO2 numerics, for a wave that names none of its own.
        """
        events: list[DeviceEvent] = []
        states: list[int] = []
        for thing in poll.objects:
            form = self._form(thing)
            for code, state, raw in _blocks(thing):
                metric = WAVES.get(code)
                if metric is None or not raw:
                    continue
                states.append(state)
                samples = _samples(metric, raw, state, form, form.unit or co2_unit)
                rate_hz = form.rate_hz or len(raw) / _BLOCK_S
                if samples is not None:
                    events.append(WaveformSegment(metric, now, rate_hz, samples))
                elif not self._scale_missed:
                    self._scale_missed = True
                    detail = f"{metric} without a scale: not told"
                    events.append(DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=detail))
        return events, states

    def _form(self, thing: Object) -> Form:
        form = self._forms.get(thing.key)
        if form is None:
            form = Form()
            if len(self._forms) < _KEYS_MAX:
                self._forms[thing.key] = form
        form.learn(thing.attributes)
        return form


def _blocks(thing: Object) -> list[tuple[int, int, Sequence[int]]]:
    """Return identifier, state and raw samples of each block in an object."""
    found: list[tuple[int, int, Sequence[int]]] = []
    rest = [thing.attributes.get(BLOCK, b""), thing.attributes.get(BLOCKS, b"")[4:]]
    for data in rest:
        at = 0
        while at + 6 <= len(data):
            code, state, size = unpack(">HHH", data[at : at + 6])
            at += 6
            if at + size > len(data):
                break
            count = size // 2
            found.append((code, state, unpack(f">{count}H", data[at : at + 2 * count])))
            at += size
    return found


def _samples(
    metric: Metric, raw: Sequence[int], state: int, form: Form, unit: int
) -> tuple[float | None, ...] | None:
    """Return samples in the metric's unit; None where their scale was not told yet."""
    if state & _NO_SAMPLES:
        return (None,) * len(raw)
    mask = form.mask
    if metric is Metric.PLETH:
        return tuple(float(each & mask) for each in raw)
    scale = pressure_scale(unit)
    if form.raw_low == form.raw_high or scale is None:
        return None
    step = (form.high - form.low) / (form.raw_high - form.raw_low)
    low, raw_low = form.low, form.raw_low
    return tuple(round((low + ((each & mask) - raw_low) * step) * scale, 2) for each in raw)
