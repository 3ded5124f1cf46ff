"""The NIBP group of a Datex monitor: which numbers are a new measurement, and when it was taken.

The monitor repeats the last numbers in every record, also while the next measurement runs. A new
measurement shows as the end of "measuring now" with a result not older than 60 s, as other numbers
than before, or as another time in the auxiliary record. Its moment is the auxiliary record's, where
there is one, else that of the record that ended it. Numbers met at the start that are marked older
than 60 s, and no auxiliary record beside them, have an unknown age: questionable, without a moment.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from drivers.parts.datex_displayed import NIBP_AT, PRESENT, observe_at
from drivers.reading import Flag, StatusWord
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, between, seconds
from monitor.model.metric import Metric

MEASURING: Final = 0x20
IS_OLD: Final = 0x100
_FLAGS: Final = (
    Flag(MEASURING, NoticeKind.CUFF_INFLATING),
    Flag(0x80, NoticeKind.CHECK_CALIBRATION, detail="NIBP calibrating"),
)
_PLACES: Final = (
    (Metric.NIBP_SYS, 6, 0.01),
    (Metric.NIBP_DIA, 8, 0.01),
    (Metric.NIBP_MEAN, 10, 0.01),
    (Metric.NIBP_PULSE, 12, 1.0),
)
_GROUP: Final = Struct("<IH")
_AGE_S_MAX: Final = 86_400
_NONE: Final = (0, 0xFFFFFFFF)
_SAME_WITHIN: Final = seconds(20)
"""An auxiliary time this near to a told measurement is that measurement's own."""


class CuffReader:
    """Follows the NIBP group of one monitor; tells each measurement once."""

    def __init__(self) -> None:
        self._flags = StatusWord(_FLAGS)
        self._is_measuring = False
        self._numbers: bytes | None = None  # as last told
        self._told_at: Instant | None = None  # the moment of what was last told
        self._time_s: int | None = None  # of the auxiliary record
        self._placed: Instant | None = None  # the same, in instants

    def hear_time(self, time_s: int, device_s: int, now: Instant) -> None:
        """Take the auxiliary record's time of the last measurement, by the monitor's own clock."""
        age_s = device_s - time_s
        if time_s in _NONE or not -2 <= age_s <= _AGE_S_MAX or time_s == self._time_s:
            return
        self._time_s = time_s
        self._placed = Instant(now - seconds(max(0, age_s)))

    def read(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Return the measurement in the class data, if it is a new one, and the cuff's states."""
        status, label = _GROUP.unpack_from(data, NIBP_AT)
        if not status & PRESENT:  # between measurements a cuff may count as not active
            return self._flags.read(0, now)
        events = list(self._flags.read(label, now))
        was_measuring, self._is_measuring = self._is_measuring, bool(label & MEASURING)
        if self._is_measuring:
            return events
        has_ended = was_measuring and not label & IS_OLD
        numbers = data[NIBP_AT + 6 : NIBP_AT + 14]
        readings = [observe_at(each, data, NIBP_AT + at, now, scale=by) for each, at, by in _PLACES]
        if all(each.value is None for each in readings):
            return [*events, *self._tell_none(readings, now, has_ended=has_ended)]
        if not (has_ended or numbers != self._numbers or self._is_later()):
            return events
        self._numbers = numbers
        taken = self._taken(now, is_old=bool(label & IS_OLD))
        if taken is not None:
            self._told_at = taken
        return [*events, *(_timed(each, taken) for each in readings)]

    def _is_later(self) -> bool:
        """Say whether the auxiliary record knows a later moment than what was told."""
        if self._placed is None:
            return False
        return self._told_at is None or between(self._told_at, self._placed) > _SAME_WITHIN

    def _taken(self, now: Instant, *, is_old: bool) -> Instant | None:
        if self._is_later():
            return self._placed
        return None if is_old else now

    def _tell_none(
        self, readings: Sequence[Observation], now: Instant, *, has_ended: bool
    ) -> Sequence[DeviceEvent]:
        """Tell a measurement that ended without numbers as failed; no cuff at all is no event."""
        self._numbers = None
        if not has_ended:
            return ()
        self._told_at = now
        failed = DeviceNotice(NoticeKind.CUFF_FAILED, now, detail="measurement without a result")
        return [failed, *(_timed(each, now) for each in readings)]


def _timed(heard: Observation, taken: Instant | None) -> Observation:
    validity = heard.validity
    if taken is None and heard.value is not None:
        validity = Validity.QUESTIONABLE
    return Observation(heard.metric, heard.value, validity, heard.at, taken)
