"""The newest picture of a chair, as every screen gets it.

Screens compute nothing clinical: limits, ages, priorities and trends are in here already.
All times are instants of the session; `now` is the instant the picture was taken.
"""

from enum import StrEnum

import msgspec

from monitor.model.alarm import AlarmSnapshot, Priority
from monitor.model.event import GenerationMode, Validity
from monitor.model.instant import Instant
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, Phase


class Trend(StrEnum):
    """Where a metric has been going over the last minutes."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    UNKNOWN = "unknown"


class MetricSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One numeric with everything a tile needs.

    `value` is the last one determined, None if there never was one; `at` is when it was heard and
    `taken` when the device determined it. `is_stale`: it is not the present one, for nothing was
    heard for too long or what was heard since (`validity`) had no value; `note` then says why in a
    word or two. `priority` is that of the worst present condition on this metric. Limits are
    those in force now.
    """

    metric: Metric
    value: float | None
    validity: Validity
    at: Instant | None = None
    taken: Instant | None = None
    low: float | None = None
    high: float | None = None
    priority: Priority | None = None
    is_held: bool = False
    is_stale: bool = False
    trend: Trend = Trend.UNKNOWN
    baseline: float | None = None
    source: str = ""
    note: str = ""


class LinkSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Health of one link. `rejected` counts refused frames since the session opened."""

    link: str
    driver: str
    state: LinkState
    since: Instant
    heard_at: Instant | None = None
    rejected: int = 0
    reason: str = ""
    notices: tuple[str, ...] = ()


class StoreSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Health of record and upload. `waiting` counts entries InfluxDB has yet to accept."""

    record_is_well: bool = True
    entries: int = 0
    influx: str = "off"
    waiting: int = 0
    reason: str = ""


class SittingSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the sitting stands. Doses in mg; minutes as floats.

    `phases` lists the phases entered so far with their beginnings, the present one last; `due` what
    is asked for next and when ("BP", at), soonest first; `next_phases` where one can go from here,
    the usual way first. Each may be empty: not known, or there is none.
    """

    phase: Phase = Phase.SETUP
    phase_since: Instant = Instant(0)
    infusion_minute: float | None = None
    infusion_min: float | None = None
    dose_given_mg: float | None = None
    dose_mg: float | None = None
    protocol: str = ""
    phases: tuple[tuple[Phase, Instant], ...] = ()
    due: tuple[tuple[str, Instant], ...] = ()
    next_phases: tuple[Phase, ...] = ()


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the event list: an alarm change, an operator's deed, a link edge, a gap."""

    at: Instant
    what: str
    text: str
    priority: Priority | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What the organisation lets a person do to the signals of one condition, here and now."""

    alarm: str
    title: str
    deeds: tuple[Deed, ...]


class ChairSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One chair, whole. `view` numbers the pictures; a command names the view it was based on.

    `alarms` come in the order they are to be read: the first owns the 4-metre line, unless it is
    alarm paused or alarm off; those come last. `inactivated` are the absent conditions that would
    not signal, `offers` what may be done to which condition beyond an audio pause and an
    acknowledgement. `opened_utc_ns` lets a screen show wall time. `preset` names the limit set in
    force.
    """

    view: int
    chair: str
    session: str
    now: Instant
    opened_utc_ns: int
    mode: GenerationMode
    sitting: SittingSnapshot
    metrics: tuple[MetricSnapshot, ...]
    alarms: tuple[AlarmSnapshot, ...]
    links: tuple[LinkSnapshot, ...]
    store: StoreSnapshot
    events: tuple[LoggedEvent, ...] = ()
    gaps: tuple[tuple[Instant, Instant], ...] = ()
    preset: str = ""
    pseudonym: str = ""
    watermark: str = ""
    inactivated: tuple[AlarmSnapshot, ...] = ()
    offers: tuple[Offer, ...] = ()


class TrendBin(msgspec.Struct, frozen=True, array_like=True):
    """The least and greatest valid value of a metric within one bin of the session timeline.

    `start_s` is whole seconds since the opening; the bin's width travels in `TrendMessage`. A bin
    without valid values is not there: a gap is a gap.
    """

    start_s: int
    low: float
    high: float
