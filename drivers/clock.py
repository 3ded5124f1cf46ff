"""A device's own clock against ours: told at the edges, whatever time zone the device keeps.

Most monitors show local time and do not say which zone. So a difference of whole quarters of an
hour, up to 14 hours, counts as a zone; what is left over is how far the clocks differ.
"""

from collections.abc import Sequence
from typing import Final

from drivers.times import days_since_1970
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant, in_seconds

DIFFERENCE_S_MAX: Final = 60
YEAR_2000_S: Final = 946_684_800  # a clock before it was never set
_ZONE_STEP_S: Final = 900
_ZONE_S_MAX: Final = 14 * 3600
_SETTLED_S_MAX: Final = (
    50  # a difference ends below this, so that one at the limit does not flutter
)


def seconds_since_1970(date: Sequence[int], time: Sequence[int]) -> float | None:
    """Return year, month, day and hour, minute, second as seconds; None where there is no such."""
    days = days_since_1970(date[0], date[1], date[2])
    hour, minute, second = time
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    return days * 86_400.0 + hour * 3600 + minute * 60 + second


def difference_s(device_s: float, ours_s: float) -> float:
    """Return how far the device's clock is ahead of ours, in seconds, its time zone left out."""
    ahead = device_s - ours_s
    zone = round(ahead / _ZONE_STEP_S) * _ZONE_STEP_S
    return ahead - zone if abs(zone) <= _ZONE_S_MAX else ahead


class DeviceClock:
    """Compares the clocks of one conversation; silent where one of them was never set."""

    def __init__(self, opened_utc_s: float | None) -> None:
        is_known = opened_utc_s is not None and opened_utc_s > YEAR_2000_S
        self._opened_utc_s = opened_utc_s if is_known else None
        self._differs = False

    def hear(self, device_s: float, now: Instant) -> Sequence[DeviceEvent]:
        """Take the device's time, in seconds since 1970 of its own zone; return an edge."""
        if self._opened_utc_s is None or device_s < YEAR_2000_S:
            return ()
        ahead = difference_s(device_s, self._opened_utc_s + in_seconds(now))
        limit = _SETTLED_S_MAX if self._differs else DIFFERENCE_S_MAX
        if (abs(ahead) > limit) == self._differs:
            return ()
        self._differs = not self._differs
        words = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
        detail = f"the device's clock is {words}" if self._differs else ""
        return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, self._differs, detail)]
