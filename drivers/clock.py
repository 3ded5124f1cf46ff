"""A device's own clock against ours: told at the edges, whatever time zone the device keeps.

Most monitors show local time and do not say which zone. So where no option names the zone, a
difference of whole quarters of an hour, up to 14 hours, counts as one; what is left over is how far
the clocks differ. Where our own wall time is not known nothing is said.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from drivers.options import CommonOptions
from drivers.times import days_since_1970
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant, in_seconds

DIFFERENCE_S_MAX: Final = 60
YEAR_1990_S: Final = 631_152_000  # a clock before it was never set: it counts from 1970 or 1980
SOME_OPENING_S: Final = 1_700_000_000  # what a device side shows where nobody says the time
_DAY_S: Final = 86_400
_ZONE_STEP_S: Final = 900
_ZONE_S_MAX: Final = 14 * 3600
_SETTLED_S_MAX: Final = 50  # a difference ends below it: one at the limit does not flutter


class ClockOptions(CommonOptions, frozen=True, kw_only=True):
    """`utc_offset_min`: the zone of the device's clock in minutes; None where it is not known."""

    utc_offset_min: Annotated[int, Meta(ge=-840, le=840)] | None = None


def seconds_since_1970(date: Sequence[int], time: Sequence[int]) -> float | None:
    """Return year, month, day and hour, minute, second as seconds; None where there is no such."""
    days = days_since_1970(date[0], date[1], date[2])
    hour, minute, second = time
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    return float(days * _DAY_S) + hour * 3600 + minute * 60 + second


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


def difference_s(device_s: float, ours_s: float) -> float:
    """Return how far the device's clock is ahead of ours, in seconds, its time zone left out."""
    ahead = device_s - ours_s
    zone = round(ahead / _ZONE_STEP_S) * _ZONE_STEP_S
    return ahead - zone if abs(zone) <= _ZONE_S_MAX else ahead


class DeviceClock:
    """Compares the clocks of one conversation; silent where one of them was never set."""

    def __init__(self, opened_utc_s: float | None, utc_offset_min: int | None = None) -> None:
        is_known = opened_utc_s is not None and opened_utc_s > YEAR_1990_S
        self._opened_utc_s = opened_utc_s if is_known else None
        self._zone_s = None if utc_offset_min is None else utc_offset_min * 60
        self._differs = False

    def hear(self, device_s: float | None, now: Instant) -> Sequence[DeviceEvent]:
        """Take the device's time, in seconds since 1970 of its own zone; return an edge.

        None is a time that was not understood; one before 1990 is of a clock that was never set.
        """
        if self._opened_utc_s is None or device_s is None or device_s < YEAR_1990_S:
            return ()
        ours_s = self._opened_utc_s + in_seconds(now)
        if self._zone_s is None:
            ahead = difference_s(device_s, ours_s)
        else:
            ahead = device_s - self._zone_s - ours_s
        limit = _SETTLED_S_MAX if self._differs else DIFFERENCE_S_MAX
        if (abs(ahead) > limit) == self._differs:
            return ()
        self._differs = not self._differs
        words = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
        detail = f"the device's clock is {words}" if self._differs else ""
        return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, self._differs, detail)]
