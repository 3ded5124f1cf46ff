"""The clock of a sender that may be wrong, and its messages, which may be late: which is it?

Both look alike in one message. But a backlog is sent faster than it was recorded, while a wrong
clock runs at our pace: a difference that stays the same for five seconds and three messages is the
clock's. Until then a message that lags behind counts as old.
"""

from collections.abc import Sequence
from typing import Final

from drivers.parts.hl7_message import Time
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import NS_PER_S, Instant, between, in_seconds, seconds

_SAME_S: Final = 5.0
_STEADY_S: Final = 2.0
_STEADY_FOR: Final = seconds(5)
_STEADY_COUNT: Final = 3
_DIFFERS_S: Final = 60.0
_ZONE_STEP_S: Final = 900
_ZONE_S_MAX: Final = 14 * 3600


class SenderClock:
    """What is believed of one sender's clock. Without our wall time it is taken to be right."""

    def __init__(self, opened_utc_s: float | None, utc_offset_min: int | None) -> None:
        self._opened_utc_s = opened_utc_s
        self._is_anchored = opened_utc_s is not None
        self._zone_s = None if utc_offset_min is None else utc_offset_min * 60.0
        self._ahead_s = 0.0
        self._candidate: tuple[float, Instant, int] | None = None
        self._differs = False
        self._sent_s = 0.0
        self._sent_zone_s = 0.0
        self.lag_s = 0.0
        """How much later than its sending the present message came, as far as is believed."""

    def hear(self, sent: Time, now: Instant) -> tuple[bool, Sequence[DeviceEvent]]:
        """Take a message's own time. Return whether another clock is believed now, and an edge."""
        self._sent_zone_s = sent.zone_s
        if self._opened_utc_s is None:
            self._opened_utc_s = self._absolute(sent, None) - in_seconds(now)
        ours = self._opened_utc_s + in_seconds(now)
        self._sent_s = self._absolute(sent, ours)
        seen = self._sent_s - ours
        is_new = self._weigh(seen, now)
        self.lag_s = self._ahead_s - seen if abs(self._ahead_s - seen) > _SAME_S else 0.0
        return is_new, self._edge(now)

    def taken(self, time: Time | None, now: Instant) -> Instant:
        """Return when a value of this message was taken; never later than now."""
        age_s = max(0.0, self.lag_s)
        if time is not None:
            age_s += max(0.0, self._sent_s - self._absolute(time, None))
        return Instant(now - round(age_s * NS_PER_S))

    def device_s(self, time: Time | None) -> float:
        """Return a time of this message in the sender's own clock; without one, its sending."""
        return self._sent_s if time is None else self._absolute(time, None)

    def _absolute(self, time: Time, ours: float | None) -> float:
        if time.has_zone:
            return time.s
        if self._zone_s is None and ours is not None:
            zone_s = round((time.s - ours) / _ZONE_STEP_S) * _ZONE_STEP_S
            self._zone_s = float(zone_s) if abs(zone_s) <= _ZONE_S_MAX else 0.0
        return time.s - (self._sent_zone_s if self._zone_s is None else self._zone_s)

    def _weigh(self, seen: float, now: Instant) -> bool:
        if abs(seen - self._ahead_s) <= _SAME_S:
            self._candidate = None
            return False
        if self._candidate is None or abs(seen - self._candidate[0]) > _STEADY_S:
            self._candidate = (seen, now, 1)
            return False
        first, since, count = self._candidate
        self._candidate = (first, since, count + 1)
        if count + 1 < _STEADY_COUNT or between(since, now) < _STEADY_FOR:
            return False
        self._ahead_s, self._candidate = first, None
        return True

    def _edge(self, now: Instant) -> Sequence[DeviceEvent]:
        differs = self._is_anchored and abs(self._ahead_s) > _DIFFERS_S
        if differs == self._differs:
            return ()
        self._differs = differs
        side = "ahead" if self._ahead_s > 0 else "behind"
        detail = f"the sender's clock is {abs(self._ahead_s):.0f} s {side}" if differs else ""
        return [DeviceNotice(NoticeKind.CLOCK_DIFFERS, now, differs, detail)]
