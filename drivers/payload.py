"""What all message payloads share: units, time in a stranger's clock, old and repeated readings.

The rules, so that no kept or late message ever passes for the patient of now:

- A reading's payload time becomes `taken`. Where the wall time of the opening is known, it is
  placed by it; else the newest time heard counts as now, and others relative to it.
- Older than `stale_after` asks (30 s, an episodic reading 10 min), or kept by the broker:
  questionable. Kept by the broker and without a time: refused, its age cannot be known.
- Older than the newest reading of that metric: refused. The same once more: passed over.
- A time that lies ahead of now is not believed: the reading counts as taken on arrival, and one
  notice says that the clocks differ.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.reading import read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Validity,
    reject,
)
from monitor.model.instant import (
    NS_PER_S,
    Instant,
    between,
    in_seconds,
    seconds,
)
from monitor.model.metric import Metric, describe

PAYLOAD_SIZE_MAX: Final = 64 * 1024
UTC_S_MIN: Final = 946_684_800  # 2000-01-01
UTC_S_MAX: Final = 4_102_444_800  # 2100-01-01
_OLD: Final = seconds(30)
_OLD_EPISODIC: Final = seconds(600)
_AHEAD_MAX: Final = seconds(5)
_RELEARN_MAX: Final = seconds(86_400)
_PA_PER_MMHG: Final = 133.322

_RATES: Final = dict.fromkeys(
    ("/min", "1/min", "beat/min", "{beat}/min", "bpm", "respiration/min", "breath/min"), 1.0
) | dict.fromkeys(("Hz", "1/s", "beat/s"), 60.0)
_PRESSURES: Final = {
    "mmHg": 1.0,
    "mm[Hg]": 1.0,
    "Pa": 1 / _PA_PER_MMHG,
    "hPa": 100 / _PA_PER_MMHG,
    "kPa": 1000 / _PA_PER_MMHG,
}
_FACTORS: Final = {
    "%": {"%": 1.0, "/100": 1.0, "/": 100.0},
    "/min": _RATES,
    "mmHg": _PRESSURES,
    "Cel": {"Cel": 1.0, "C": 1.0, "degC": 1.0},
}


def known_units(metric: Metric) -> tuple[str, ...]:
    """Return the units in which `metric` is understood."""
    return tuple(_FACTORS.get(describe(metric).unit, {}))


def unit_flaw(metric: Metric, unit: str) -> str:
    """Return in words that `unit` is none of the metric's, and which are."""
    return f"unit {unit or 'none'}; known: {', '.join(known_units(metric)) or 'none'}"


def in_unit(metric: Metric, value: float, unit: str) -> float | None:
    """Return `value` in the metric's unit, None where `unit` is not one of its units.

    What had to be converted is rounded to two decimals: its further digits mean nothing.
    """
    factor = _FACTORS.get(describe(metric).unit, {}).get(unit)
    if factor is None:
        return None
    return value if factor == 1.0 else round(value * factor, 2)


class Reading(msgspec.Struct, frozen=True):
    """One number of a message, in its metric's unit. `raw` is what a refusal shows.

    None as value: the sender says that there is none. `is_retained`: the broker kept the message.
    """

    metric: Metric
    value: float | None
    raw: bytes
    is_retained: bool = False


class Intake:
    """Judges the readings of one link by what was heard before."""

    def __init__(self, opened_utc_s: float | None) -> None:
        self._is_anchored = opened_utc_s is not None
        self._opened_utc_s = opened_utc_s
        self._newest: dict[Metric, tuple[Instant, float | None]] = {}
        self._ahead: dict[Metric, tuple[float, float | None]] = {}
        self._differs = False

    def learn(self, utc_s: float, now: Instant) -> None:
        """Take the newest time of a fresh message as now, where no wall time is known."""
        if self._is_anchored or not UTC_S_MIN <= utc_s <= UTC_S_MAX:
            return
        opened_utc_s = utc_s - in_seconds(now)
        known = self._opened_utc_s
        if known is None or 0 < opened_utc_s - known < in_seconds(_RELEARN_MAX):
            self._opened_utc_s = opened_utc_s

    def admit_at(self, utc_s: float, reading: Reading, now: Instant) -> Sequence[DeviceEvent]:
        """Return a reading that says when it was taken, in seconds since 1970 UTC."""
        metric, raw = reading.metric, reading.raw
        if not UTC_S_MIN <= utc_s <= UTC_S_MAX:
            return [reject(f"{metric}: time {utc_s:g} is none", raw, now)]
        if self._opened_utc_s is None:  # a kept message alone, and no clock to hold it against
            return [reject(f"{metric}: kept by the broker, age unknown", raw, now)]
        taken = Instant(round((utc_s - self._opened_utc_s) * NS_PER_S))
        if between(now, taken) > _AHEAD_MAX:
            if self._ahead.get(metric) == (utc_s, reading.value):
                return ()
            self._ahead[metric] = (utc_s, reading.value)
            trust = Validity.QUESTIONABLE if reading.is_retained else Validity.VALID
            notice = self._clock_notice("payload time lies ahead of ours", now)
            return [*notice, *_told(reading, now, now, trust)]
        return self.admit(min(taken, now), reading, now)

    def admit(self, taken: Instant | None, reading: Reading, now: Instant) -> Sequence[DeviceEvent]:
        """Return a reading taken at `taken`; None where the message does not say."""
        metric, value, raw = reading.metric, reading.value, reading.raw
        if taken is None:
            if reading.is_retained:
                return [reject(f"{metric}: kept by the broker, age unknown", raw, now)]
            return _told(reading, None, now, Validity.VALID)
        newest = self._newest.get(metric)
        if newest is not None and taken <= newest[0]:
            if (taken, value) == newest:
                return ()
            words = "older than" if taken < newest[0] else "another value beside"
            return [reject(f"{metric}: {words} the newest", raw, now)]
        self._newest[metric] = (taken, value)
        limit = _OLD if describe(metric).stale_after is not None else _OLD_EPISODIC
        is_old = between(taken, now) > limit
        notice: Sequence[DeviceEvent] = ()
        if is_old and not reading.is_retained:
            notice = self._clock_notice("payload time lies behind ours", now)
        elif self._differs and not reading.is_retained:
            self._differs = False
            notice = [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, present=False)]
        trust = Validity.QUESTIONABLE if is_old or reading.is_retained else Validity.VALID
        return [*notice, *_told(reading, taken, now, trust)]

    def _clock_notice(self, detail: str, now: Instant) -> Sequence[DeviceEvent]:
        if self._differs:
            return ()
        self._differs = True
        return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, detail=detail)]


def _told(
    reading: Reading, taken: Instant | None, now: Instant, trust: Validity
) -> Sequence[DeviceEvent]:
    metric, value = reading.metric, reading.value
    facts = describe(metric)
    if value is not None and not facts.technical_low <= value <= facts.technical_high:
        return [reject(f"{metric}: {value:g} {facts.unit} cannot be", reading.raw, now)]
    return [read(metric, value, now, taken=taken, validity=trust)]
