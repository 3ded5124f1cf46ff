"""IntelliVue numerics: observed values to observations, the cuff's readings, modes, units.

An observed value: physiological identifier, state and unit (u16 each), FLOAT. A FLOAT is a signed
exponent byte and a signed mantissa of 24 bits, with five mantissas that are no numbers.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Final, NamedTuple

from drivers.parts.intellivue_messages import TICKS_PER_S, Object, Poll, clock_s_of
from drivers.reading import read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import NIBP, Metric

SINGLE, COMPOUND, LABEL, TAKEN_CLOCK, TAKEN_TICKS = 0x0950, 0x094B, 0x0924, 0x0990, 0x0991
INVALID, QUESTIONABLE, UNAVAILABLE, CALIBRATING = 0x8000, 0x4000, 0x2000, 0x1000
TEST, DEMO, MEASURING = 0x0800, 0x0400, 0x0020

PERCENT, NO_UNIT, MMHG, KPA, CELSIUS, FAHRENHEIT = 0x0220, 0x0200, 0x0F20, 0x0F03, 0x17A0, 0x1140
BEATS, BREATHS, PER_MIN = 0x0AA0, 0x0AE0, 0x09E0
MMHG_PER_KPA: Final = 7.50062
_AMBIENT_MMHG: Final = 760.0
_PRESSURE_SCALES: Final = {MMHG: 1.0, KPA: MMHG_PER_KPA, PERCENT: _AMBIENT_MMHG / 100}
_RATES: Final = frozenset({BEATS, BREATHS, PER_MIN})

METRICS: Final = {
    0x4BB8: Metric.SPO2,
    0x4BC8: Metric.SPO2,  # labelled left and right on the monitor; often the only one there is
    0x4BCC: Metric.SPO2,
    0x4822: Metric.PULSE_RATE,
    0x481A: Metric.PULSE_RATE,
    0x4BB0: Metric.PERFUSION_INDEX,
    0x4A05: Metric.NIBP_SYS,
    0x4A06: Metric.NIBP_DIA,
    0x4A07: Metric.NIBP_MEAN,
    0xF0E5: Metric.NIBP_PULSE,
    0x482A: Metric.NIBP_PULSE,
    0x50B0: Metric.ETCO2,
    0x509C: Metric.ETCO2,
    0x50BA: Metric.FICO2,
    0x50A4: Metric.FICO2,
    0x5012: Metric.RESP_RATE,
    0x502A: Metric.RESP_RATE,
    0x500A: Metric.RESP_RATE,
    0x501A: Metric.RESP_RATE,
    0x4182: Metric.HEART_RATE,
    0x4B48: Metric.TEMP,
    **dict.fromkeys((0xF0C7, 0xF0C8, 0xF0C9, 0xF0CA), Metric.TEMP),  # T1 to T4
    **dict.fromkeys((0x4B60, 0x4B64, 0x4B6C, 0x4B78), Metric.TEMP),  # core, oesophagus, nose, ear
    **dict.fromkeys(
        (0xE004, 0xF0C4, 0xF108, 0xF10C), Metric.TEMP
    ),  # rectum, bladder, mouth, axilla
}
"""What is told; not so skin, blood, airway and ambient temperatures: they are not the body's."""

_AIRWAY_RATES: Final = frozenset({0x5012, 0x502A})
_IMPEDANCE_RATES: Final = frozenset({0x500A, 0x501A})
_LEFT_ALONE: Final = frozenset({0x480A, 0x4A04})  # pulse of an arterial line; the NIBP group
_CUFF: Final = frozenset({*NIBP, Metric.NIBP_PULSE})
_CO2: Final = frozenset({Metric.ETCO2, Metric.FICO2})
_PRESSURES: Final = frozenset({*NIBP, *_CO2})
_PERCENTAGES: Final = frozenset({Metric.SPO2, Metric.PERFUSION_INDEX})
_OWNER_FOR: Final = seconds(10)
_AGE_S_MAX: Final = 86_400
_KEYS_MAX: Final = 512
_STRANGE_MAX: Final = 64
_NOT_NUMBERS: Final = {
    0x7FFFFF: Validity.NOT_AVAILABLE,
    0x800000: Validity.NOT_AVAILABLE,
    0x800001: Validity.NOT_AVAILABLE,
    0x7FFFFE: Validity.OVERFLOW,
    0x800002: Validity.UNDERFLOW,
}
_VALUE: Final = Struct(">HHHI")
VALUE_SIZE: Final = 10


class Value(NamedTuple):
    """One observed value: which, its state word, its unit, the number or why there is none."""

    code: int
    state: int
    unit: int
    number: float | None
    trust: Validity


def float_of(word: int) -> tuple[float | None, Validity]:
    """Return what the four bytes of a FLOAT say."""
    mantissa = word & 0xFFFFFF
    if mantissa in _NOT_NUMBERS:
        return None, _NOT_NUMBERS[mantissa]
    exponent = (word >> 24) - (256 if word >> 31 else 0)
    signed = mantissa - (1 << 24 if mantissa >> 23 else 0)
    number = signed * 10.0**exponent if exponent >= 0 else signed / 10.0**-exponent
    return number, Validity.VALID


def float_word(number: float | None, decimals: int) -> int:
    """Return a number as the four bytes of a FLOAT; None as "not a number"."""
    if number is None:
        return 0x007FFFFF
    mantissa: int = round(number * 10**decimals) & 0xFFFFFF
    return (-decimals & 0xFF) << 24 | mantissa


def value_of(raw: bytes, at: int) -> Value:
    """Return the observed value at a place."""
    code, state, unit, word = _VALUE.unpack_from(raw, at)
    number, trust = float_of(word)
    if state & (INVALID | UNAVAILABLE):
        return Value(code, state, unit, None, Validity.NOT_AVAILABLE)
    if state & CALIBRATING:
        return Value(code, state, unit, None, Validity.MEASURING)
    if number is not None and state & QUESTIONABLE:
        trust = Validity.QUESTIONABLE
    return Value(code, state, unit, number, trust)


def values_in(thing: Object) -> list[Value]:
    """Return the observed values of an object, empty where it has none now."""
    found = []
    single = thing.attributes.get(SINGLE, b"")
    if len(single) >= VALUE_SIZE:
        found.append(value_of(single, 0))
    compound = thing.attributes.get(COMPOUND, b"")
    count = int.from_bytes(compound[:2], "big")
    if count and 4 + VALUE_SIZE * count <= len(compound):
        found += [value_of(compound, 4 + VALUE_SIZE * place) for place in range(count)]
    return found


def mode_of(states: Iterable[int], otherwise: GenerationMode) -> GenerationMode:
    """Return the mode that state words say; `otherwise` where there is none."""
    mode = otherwise
    for place, state in enumerate(states):
        if state & DEMO:
            return GenerationMode.DEMO
        if state & TEST:
            mode = GenerationMode.TEST
        elif not place:
            mode = GenerationMode.REAL
    return mode


class NumericsReader:
    """Reads the numerics of one monitor."""

    def __init__(self) -> None:
        self._metrics: dict[tuple[int, int], tuple[int, ...]] = {}  # object to its codes
        self._owners: dict[Metric, tuple[tuple[int, int, int], Instant | None]] = {}
        self._has_airway_rate = False
        self._told_cuff: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        self._cuffs: dict[tuple[int, int], bool] = {}  # whether a cuff object is measuring
        self._conversion = ""
        self._is_zeroing = False
        self._strange: set[str] = set()
        self.co2_unit = MMHG
        """The unit of the CO2 numerics, which is that of the CO2 wave where it names none."""

    def read(self, poll: Poll, now: Instant) -> tuple[list[DeviceEvent], list[int]]:
        """Return what a poll of numerics says, and the state words it was said with."""
        events: list[DeviceEvent] = []
        found = [(thing, values_in(thing)) for thing in poll.objects]
        if not self._has_airway_rate:
            codes = [value.code for _, values in found for value in values]
            self._has_airway_rate = not _AIRWAY_RATES.isdisjoint(codes)
        for thing, values in found:
            if not values:
                self._tell_none(thing, events, now)
                continue
            if len(self._metrics) < _KEYS_MAX:
                self._metrics[thing.key] = tuple([value.code for value in values])
            if METRICS.get(values[0].code) in _CUFF:
                self._read_cuff(thing, values, poll, events, now)
            else:
                for value in values:
                    self._tell(thing.key, value, events, now)
        return events, [value.state for _, values in found for value in values]

    def _tell(
        self, key: tuple[int, int], value: Value, events: list[DeviceEvent], now: Instant
    ) -> None:
        metric = METRICS.get(value.code)
        if metric is None:
            if value.code not in _LEFT_ALONE:
                self._remark(f"numeric {value.code:04X} in unit {value.unit:04X}", events, now)
            return
        if value.code in _IMPEDANCE_RATES and self._has_airway_rate:
            return  # a chest that moves against a closed airway is no breath
        if not self._owns(metric, (*key, value.code), value, now):
            self._remark(f"a second source of {metric}", events, now)
            return
        told = self._observed(metric, value, events, now)
        if told is not None:
            events.append(told)
        if metric is Metric.ETCO2:
            events += self._zeroing(bool(value.state & CALIBRATING), now)

    def _owns(
        self, metric: Metric, source: tuple[int, int, int], value: Value, now: Instant
    ) -> bool:
        """Say whether `source` gives `metric`: the first one does, for as long as it measures.

        Another one follows when that has had no number for a while, or never had one.
        """
        has_number = value.number is not None
        owner, measured_at = self._owners.get(metric, (source, None))
        if owner != source:
            is_alive = measured_at is not None and now < later(measured_at, _OWNER_FOR)
            if is_alive or not has_number:
                return False
            measured_at = None
        self._owners[metric] = (source, now if has_number else measured_at)
        return True

    def _observed(
        self,
        metric: Metric,
        value: Value,
        events: list[DeviceEvent],
        now: Instant,
        taken: Instant | None = None,
    ) -> Observation | None:
        """Return a value in the metric's unit; None where its unit is not understood."""
        if value.number is None:
            return Observation(metric, None, value.trust, now, taken)
        number, trust = self._converted(metric, value, events, now)
        if number is None:
            self._remark(f"{metric} in unit {value.unit:04X}", events, now)
            return None
        return read(metric, number, now, taken=taken, validity=trust)

    def _converted(
        self, metric: Metric, value: Value, events: list[DeviceEvent], now: Instant
    ) -> tuple[float | None, Validity]:
        number, unit, trust = value.number, value.unit, value.trust
        assert number is not None
        if metric in _CO2:
            self.co2_unit = unit
        if metric in _PERCENTAGES:
            is_known = unit == PERCENT or (unit == NO_UNIT and metric is not Metric.SPO2)
            return (number if is_known else None), trust
        if metric is Metric.TEMP:
            if unit == FAHRENHEIT:
                return round((number - 32) / 1.8, 2), trust
            return (number if unit == CELSIUS else None), trust
        if metric in _PRESSURES:
            scale = pressure_scale(unit) if metric in _CO2 or unit != PERCENT else None
            if scale is None:
                return None, trust
            if unit == PERCENT and trust is Validity.VALID:
                trust = Validity.QUESTIONABLE
            events += self._say_conversion(unit, now)
            return (round(number * scale, 2) if unit != MMHG else number), trust
        return (number if unit in _RATES else None), trust

    def _say_conversion(self, unit: int, now: Instant) -> Sequence[DeviceEvent]:
        words = {KPA: "pressures come in kPa", PERCENT: "CO2 comes in Vol%"}.get(unit, "")
        if not words or words == self._conversion:
            return ()
        self._conversion = words
        detail = f"{words} and are told in mmHg" if unit == KPA else f"{words}, told in mmHg"
        if unit == PERCENT:
            detail += f" at {_AMBIENT_MMHG:g} mmHg ambient: UNCERTAIN"
        return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail)]

    def _zeroing(self, is_present: bool, now: Instant) -> Sequence[DeviceEvent]:  # noqa: FBT001
        if is_present == self._is_zeroing:
            return ()
        self._is_zeroing = is_present
        return [DeviceNotice(NoticeKind.AUTO_ZERO, now, is_present)]

    def _tell_none(self, thing: Object, events: list[DeviceEvent], now: Instant) -> None:
        """Tell that an object that had values has none now; a cuff's keep, they have their time."""
        for code in self._metrics.get(thing.key, ()):
            metric = METRICS.get(code)
            owner = self._owners.get(metric) if metric is not None else None
            if metric is not None and metric not in _CUFF and owner and owner[0][:2] == thing.key:
                events.append(Observation(metric, None, Validity.NOT_AVAILABLE, now))

    # -- the cuff --------------------------------------------------------------------------------

    def _read_cuff(
        self,
        thing: Object,
        values: Sequence[Value],
        poll: Poll,
        events: list[DeviceEvent],
        now: Instant,
    ) -> None:
        """Tell a reading once: when its own time is new, or, without one, when its numbers are."""
        is_measuring = any(value.state & MEASURING for value in values)
        was_measuring = self._cuffs.get(thing.key, False)
        events += self._cuff_edge(thing.key, is_measuring=is_measuring, now=now)
        clock = thing.attributes.get(TAKEN_CLOCK, b"")
        ticks = thing.attributes.get(TAKEN_TICKS, b"")
        stamp = clock if clock_s_of(clock) is not None else ticks
        numbers = repr([value.number for value in values]).encode()
        before = self._told_cuff.get(thing.key)
        has_values = any(value.number is not None for value in values)
        if before is not None:
            is_later = stamp != before[0] if stamp else was_measuring and not is_measuring
            if not is_later and (not has_values or numbers == before[1]):
                return
        if (is_measuring and not stamp) or len(self._told_cuff) >= _KEYS_MAX:
            return
        self._told_cuff[thing.key] = (stamp, numbers)
        age_s = _age_s(poll, clock, ticks)
        taken = Instant(now - seconds(max(0.0, age_s))) if age_s is not None else None
        if taken is None and before is not None:
            taken = now  # new in this conversation: its time cannot be far
        for value in values:
            self._tell_pressure(thing.key, value, taken, events, now)

    def _tell_pressure(
        self,
        key: tuple[int, int],
        value: Value,
        taken: Instant | None,
        events: list[DeviceEvent],
        now: Instant,
    ) -> None:
        metric = METRICS.get(value.code)
        if metric is None:
            return
        if taken is None and value.trust is Validity.VALID:
            value = value._replace(trust=Validity.QUESTIONABLE)
        if self._owns(metric, (*key, value.code), value, now):
            told = self._observed(metric, value, events, now, taken)
            if told is not None:
                events.append(told)

    def _cuff_edge(
        self, key: tuple[int, int], *, is_measuring: bool, now: Instant
    ) -> Sequence[DeviceEvent]:
        was_any = any(self._cuffs.values())
        if len(self._cuffs) < _KEYS_MAX:
            self._cuffs[key] = is_measuring
        is_any = any(self._cuffs.values())
        return [DeviceNotice(NoticeKind.CUFF_INFLATING, now, is_any)] if is_any != was_any else ()

    def _remark(self, words: str, events: list[DeviceEvent], now: Instant) -> None:
        if words not in self._strange and len(self._strange) < _STRANGE_MAX:
            self._strange.add(words)
            events.append(DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=words))


def pressure_scale(unit: int) -> float | None:
    """Return what one of a unit is in mmHg; per cent at 760 mmHg; None where it is no pressure."""
    return _PRESSURE_SCALES.get(unit)


def _age_s(poll: Poll, clock: bytes, ticks: bytes) -> float | None:
    """Return how old a reading is by the monitor's own clock or uptime; None where neither says."""
    ages: list[float] = []
    taken_s = clock_s_of(clock)
    if taken_s is not None and poll.clock_s is not None:
        ages.append(poll.clock_s - taken_s)
    if len(ticks) == 4:
        ages.append((poll.ticks - int.from_bytes(ticks, "big")) % (1 << 32) / TICKS_PER_S)
    return next((age_s for age_s in ages if -2 <= age_s <= _AGE_S_MAX), None)
