"""What one screen knows at one moment: the newest picture, how old it is, and what a person chose.

Everything a view draws is in here; no view asks a clock. `LOST_AFTER_S` is fail-loud rule 3:
without a fresh picture no value is shown as live, by this machine's own monotonic clock.
"""

from typing import Final

import msgspec

from monitor.model.alarm import FAR_SIGNAL_OFF, RANK, AlarmSnapshot, Priority
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import Metric, describe
from monitor.model.snapshot import ChairSnapshot, MetricSnapshot

LOST_AFTER_S: Final = 3.0


class OtherChair(msgspec.Struct, frozen=True):
    """A chair that is not on this screen, with its worst condition; `title` is "" if none."""

    name: str
    priority: Priority | None = None
    title: str = ""
    is_lost: bool = False


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """The newest picture of one chair and what stands around it.

    `now` is the session's instant by this machine's clock, so that ages go on while no picture
    comes. `picture_age_s` is the age of the newest fresh picture, or of the wait for the first.
    `clock_s` drives the flashing. `selected` names the condition the operator chose, or is "".
    """

    name: str
    chair: ChairSnapshot | None
    now: Instant
    picture_age_s: float
    clock_s: float
    link_reason: str = ""
    selected: str = ""
    status: str = ""
    status_style: str = "note"
    others: tuple[OtherChair, ...] = ()

    @property
    def is_lost(self) -> bool:
        """Return whether nothing on this screen may be taken for the present state."""
        return self.picture_age_s >= LOST_AFTER_S


def worst(alarms: tuple[AlarmSnapshot, ...]) -> AlarmSnapshot | None:
    """Return the condition that owns the 4-metre line.

    That is the first in the server's order among those of the highest priority: whatever the order,
    a high condition is never hidden behind another. One that is alarm paused or alarm off has no
    signal there.
    """
    signalled = [alarm for alarm in alarms if alarm.inactivation not in FAR_SIGNAL_OFF]
    return max(signalled, key=lambda alarm: RANK[alarm.priority], default=None)


def target(sight: Sight) -> AlarmSnapshot | None:
    """Return the condition that an operator's key is about: the selected one, else the worst.

    Where none has a signal for four metres it is the first one.
    """
    alarms = sight.chair.alarms if sight.chair else ()
    chosen = [alarm for alarm in alarms if alarm.alarm == sight.selected]
    return chosen[0] if chosen else worst(alarms) or next(iter(alarms), None)


def is_live(metric: MetricSnapshot, sight: Sight) -> bool:
    """Return whether the value may be shown as the present one.

    Not if the server calls it stale, nor if it, or the picture, has grown too old on the way.
    """
    if metric.value is None or metric.at is None or metric.is_stale or sight.is_lost:
        return False
    limit = describe(metric.metric).stale_after
    return limit is None or sight.now - metric.at <= limit


def find(sight: Sight, metric: Metric) -> MetricSnapshot | None:
    """Return what the picture says of `metric`."""
    return (
        next((each for each in sight.chair.metrics if each.metric is metric), None)
        if (sight.chair)
        else None
    )


def held_since(metric: Metric, sight: Sight) -> Instant | None:
    """Return since when a condition on `metric` is held, unmeasured."""
    alarms = sight.chair.alarms if sight.chair else ()
    since = [a.held_since for a in alarms if a.metric is metric and a.held_since is not None]
    return min(since, default=None)


def age_s(metric: MetricSnapshot, sight: Sight) -> float | None:
    """Return the age of a value in seconds, by the device's own clock where it says."""
    at = metric.at if metric.taken is None else metric.taken
    return None if at is None else max(0.0, in_seconds(Instant(sight.now - at)))
