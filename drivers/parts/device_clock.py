"""A device's own clock beside ours: how far it is off, told at the edges.

Devices print local time without a zone. Where no option names the zone, a difference of at most
14 hours is taken modulo a quarter of an hour, which all zones are multiples of; a larger one is a
wrong clock whatever the zone. Without a known wall time of the opening nothing can be said.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from drivers.options import CommonOptions
from drivers.times import days_since_1970
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant, in_seconds

_DIFFERS_S_MIN: Final = 60
_ZONE_S_MAX: Final = 14 * 3600
_ZONE_STEP_S: Final = 900
_DAY_S: Final = 86_400
SOME_OPENING_S: Final = 1_700_000_000  # what a device side shows where nobody says the time


class ClockOptions(CommonOptions, frozen=True, kw_only=True):
    """`utc_offset_min`: the zone of the device's clock in minutes; None where it is not known."""

    utc_offset_min: Annotated[int, Meta(ge=-840, le=840)] | None = None


def local_s_of(date: tuple[int, int, int], clock: tuple[int, int, int]) -> float | None:
    """Return (year, month, day), (hour, minute, second) as local seconds since 1970.

    None where there is no such date or time.
    """
    days = days_since_1970(*date)
    hour, minute, second = clock
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    return float(days * _DAY_S + hour * 3600 + minute * 60 + second)


def calendar_of(utc_s: float) -> tuple[int, int, int, int, int, int]:
    """Return year, month, day, hour, minute, second of `utc_s`."""
    days, rest = divmod(int(utc_s), _DAY_S)
    year = 1970 + days // 366
    while (days_since_1970(year + 1, 1, 1) or 0) <= days:
        year += 1
    month = 1
    while month < 12 and (days_since_1970(year, month + 1, 1) or 0) <= days:
        month += 1
    day = days - (days_since_1970(year, month, 1) or 0) + 1
    return year, month, day, rest // 3600, rest // 60 % 60, rest % 60


class DeviceClock:
    """Compares what a device prints with what we know."""

    def __init__(self, options: ClockOptions) -> None:
        self._opened_utc_s = options.opened_utc_s
        self._offset_min = options.utc_offset_min
        self._differs = False

    def read(self, local_s: float | None, now: Instant) -> Sequence[DeviceEvent]:
        """Return the edge, if the device's clock began or ceased to differ by over a minute."""
        if self._opened_utc_s is None or local_s is None:
            return ()
        ahead_s = local_s - self._opened_utc_s - in_seconds(now)
        if self._offset_min is not None:
            ahead_s -= self._offset_min * 60
        elif abs(ahead_s) <= _ZONE_S_MAX + _DIFFERS_S_MIN:
            ahead_s -= round(ahead_s / _ZONE_STEP_S) * _ZONE_STEP_S
        differs = abs(ahead_s) > _DIFFERS_S_MIN
        if differs == self._differs:
            return ()
        self._differs = differs
        if not differs:
            return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, present=False)]
        side = "ahead" if ahead_s > 0 else "behind"
        detail = f"the device's clock is {abs(ahead_s):.0f} s {side}"
        return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, detail=detail)]


class UnknownFields:
    """Remembers which fields nobody here knows, and tells each once; bounded."""

    def __init__(self, count_max: int = 64) -> None:
        self._count_max = count_max
        self._seen: set[str] = set()

    def meet(self, field: str, now: Instant) -> Sequence[DeviceEvent]:
        """Return the notice if `field` is met for the first time."""
        if field in self._seen or len(self._seen) >= self._count_max:
            return ()
        self._seen.add(field)
        return [DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=field[:64])]
