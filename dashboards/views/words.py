"""Numbers, ages, limits and names as a nurse reads them; formatted here and nowhere else."""

from datetime import UTC, datetime
from typing import Final

from dashboards.views.line import plain
from monitor.model.alarm import INDEFINITE, AlarmSnapshot, Inactivation, Priority
from monitor.model.event import GenerationMode
from monitor.model.instant import NS_PER_S, Instant, between, in_seconds
from monitor.model.metric import Metric, describe
from monitor.model.session import Phase
from monitor.model.snapshot import ChairSnapshot, MetricSnapshot, Trend

MISSING: Final = "– –"
MARKS: Final = {Priority.HIGH: "!!!", Priority.MEDIUM: "!!", Priority.LOW: "!"}
# As the symbols of IEC 60601-1-8: a note for the sound, a triangle for the whole signal; a dash
# where it ends by itself, a cross where it does not.
MARKS_OF_INACTIVATION: Final = {
    Inactivation.AUDIO_PAUSED: "⊝♪",
    Inactivation.AUDIO_OFF: "⊗♪",
    Inactivation.ALARM_PAUSED: "⊝△",
    Inactivation.ALARM_OFF: "⊗△",
    Inactivation.ACKNOWLEDGED: "✓",
}
ARROWS: Final = {Trend.RISING: "↗", Trend.FALLING: "↘", Trend.STEADY: "→", Trend.UNKNOWN: " "}
_ORIGIN: Final = {
    GenerationMode.REAL: "",
    GenerationMode.TEST: "TEST DATA",
    GenerationMode.DEMO: "SIMULATED",
}
_PHASE_TITLES: Final = {Phase.READY: "ready to leave"}
_UNITS: Final = {"Cel": "°C"}


def whole_seconds(start: Instant, now: Instant) -> int:
    """Return the full seconds from `start` to `now`; 0 where `start` is later."""
    return max(0, between(start, now) // NS_PER_S)


def lasting(start: Instant, now: Instant) -> str:
    """Return how long something has lasted: "34 s", "3 min", "2 h 05 min"."""
    return lasting_s(whole_seconds(start, now))


def lasting_s(count: int) -> str:
    """Return `count` seconds as "34 s", "3 min", "2 h 05 min", "4 d 3 h"."""
    if count < 120:
        return f"{count} s"
    minutes = count // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def ago(start: Instant, now: Instant) -> str:
    """Return an age: "1 s", and from two minutes on "3 min ago"."""
    text = lasting(start, now)
    return text if whole_seconds(start, now) < 120 else f"{text} ago"


def left(until: Instant, now: Instant) -> str:
    """Return how long it still is until an instant, as "118 s" or "4 min"."""
    return lasting_s(max(0, -(between(until, now) // NS_PER_S)))


def number(metric: Metric, value: float) -> str:
    """Return `value` with the decimals of its metric."""
    text = f"{value:.{describe(metric).decimals}f}"
    return "0" if text == "-0" else text


def unit(metric: Metric) -> str:
    """Return the unit as it is read on a screen."""
    name = describe(metric).unit
    return _UNITS.get(name, name)


def limits(metric: Metric, low: float | None, high: float | None) -> str:
    """Return the limits in force: "≥ 90", "≤ 50", "50–120", or "no limit"."""
    if low is not None and high is not None:
        return f"{number(metric, low)}–{number(metric, high)}"
    if low is not None:
        return f"≥ {number(metric, low)}"
    return "no limit" if high is None else f"≤ {number(metric, high)}"


def limits_of(metric: MetricSnapshot) -> str:
    """Return the limits in force for `metric`."""
    return limits(metric.metric, metric.low, metric.high)


def broken_limit(alarm: AlarmSnapshot) -> str:
    """Return value and limit of a condition: "88 %  below 90"; "" where it has neither."""
    if alarm.metric is None:
        return ""
    value = None if alarm.value is None else number(alarm.metric, alarm.value)
    said = "" if value is None else f"{value} {unit(alarm.metric)}"
    if alarm.limit is None:
        return said
    side = "below" if alarm.limit_is_low else "above"
    return f"{said}  {side} {number(alarm.metric, alarm.limit)}".strip()


def inactivation(alarm: AlarmSnapshot, now: Instant) -> str:
    """Return what was done to the signals, how long it still holds or has held, and by whom.

    "⊝♪ audio paused, 60 s left, by nurse-1"; "" where nothing was done or it is over. The name
    comes last: on a narrow screen it is cut first.
    """
    if not is_inactivated(alarm, now):
        return ""
    said = f"{MARKS_OF_INACTIVATION[alarm.inactivation]} {alarm.inactivation.words}"
    if alarm.inactivated_until is not None:
        said += f", {left(alarm.inactivated_until, now)} left"
    elif alarm.inactivation in INDEFINITE and alarm.inactivated_at is not None:
        said += f" for {lasting(alarm.inactivated_at, now)}"
    return f"{said}, by {plain(alarm.inactivated_by)}" if alarm.inactivated_by else said


def is_inactivated(alarm: AlarmSnapshot, now: Instant) -> bool:
    """Return whether something that was done to the signals still holds."""
    if alarm.inactivation is Inactivation.NONE:
        return False
    return alarm.inactivated_until is None or alarm.inactivated_until > now


def baseline(metric: MetricSnapshot) -> str:
    """Return the distance to the patient's own baseline: "base +27", "at base", or ""."""
    if metric.value is None or metric.baseline is None:
        return ""
    change = round(metric.value - metric.baseline)
    return f"base {change:+d}" if change else "at base"


def phase_title(phase: Phase) -> str:
    """Return the phase in words."""
    return _PHASE_TITLES.get(phase, phase.value)


def clock_time(chair: ChairSnapshot, instant: Instant) -> str:
    """Return the local wall time of `instant` as "10:25:03"."""
    return wall(chair, instant).strftime("%H:%M:%S")


def wall(chair: ChairSnapshot, instant: Instant) -> datetime:
    """Return the wall time of `instant` in the zone of this machine."""
    s = (chair.opened_utc_ns + instant) / NS_PER_S
    return datetime.fromtimestamp(s, UTC).astimezone()


def minute(instant: Instant) -> float:
    """Return minutes since the session opened."""
    return in_seconds(instant) / 60


def watermark(chair: ChairSnapshot) -> str:
    """Return what must stand on every picture of data that are not a patient's (hazard H21).

    Data whose mode is not real are marked even where the server forgot to say so.
    """
    origin = _ORIGIN[chair.mode]
    said = chair.watermark.upper()
    return said if not origin or origin in said else f"{origin} {said}".strip()
