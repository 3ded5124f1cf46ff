"""A session or a recording through the real alarm core, under every point of the grid.

Points that hear the same numbers go through in one pass, each as a rule of its own.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from statistics import median
from typing import Final, NamedTuple

from alarms.rules import LimitSet
from alarms.system import AlarmSystem
from monitor.model.alarm import AlarmChange, Change
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.metric import NIBP, Metric
from tests.burden.grid import Filter, Point, Study, joint_limits, joint_name, limits_of
from tests.burden.sessions import WAVE_HZ, Episode, Session

Stream = list[tuple[Instant, DeviceEvent]]
Heard = Sequence[tuple[Instant, DeviceEvent]]
METRICS: Final = {
    Study.SATURATION: (Metric.SPO2,),
    Study.BREATHS: (Metric.ETCO2, Metric.RESP_RATE),
    Study.CO2: (Metric.ETCO2,),
    Study.PAUSES: (Metric.CO2_WAVE,),
    Study.PRESSURE: NIBP,
}
FOUND_BY: Final = {Study.BREATHS: frozenset({"resp_rate_low", "apnoea"})}
BRIEF_S: Final = 17.0
"""Half of the alarms of an intensive care unit were shorter (Goerges 2009)."""
_RECOVERY_S: Final = 15.0
_HOLD_MAX: Final = 30
_MEDIAN_OF: Final = 5
_ENDINGS: Final = frozenset({Change.ENDED, Change.LATCHED, Change.RESET})


class Stood(NamedTuple):
    """An alarm stood from `began` to `ended`, in seconds; without end, until infinity."""

    alarm: str
    began: float
    ended: float


class Outcome(NamedTuple):
    """What one point made of one session.

    `asked` and `deep_asked` count true episodes, `late_s` and `deep_found` those found; `alarms`
    are all of the condition, `needless` those during no episode, `brief` those under `BRIEF_S`.
    """

    asked: int
    deep_asked: int
    late_s: tuple[float, ...]
    deep_found: int
    alarms: int
    needless: int
    brief: int


# -- what the core hears ---------------------------------------------------------------------------


def stream_of(session: Session, study: Study, kind: Filter) -> Stream:
    """Return what the core hears of a session, in order of time."""
    if study is Study.PAUSES:
        return list(_waves(session))
    stream: Stream = [(notice.at, notice) for _, notice in session.notices]
    for metric in _heard(session, study):
        is_changed = metric is METRICS[study][-1]
        values = filtered(session.shown[metric], kind) if is_changed else session.shown[metric]
        stream += [
            (instant_at(s), observed(metric, value, instant_at(s)))
            for s, value in enumerate(values)
            if not session.silent[metric][s]
        ]
    return sorted(stream, key=_order)


def _heard(session: Session, study: Study) -> tuple[Metric, ...]:
    """Return the metrics of a study; the pulse too where a cuff may take it away."""
    if study is Study.SATURATION and session.notices:
        return (Metric.PULSE_RATE, Metric.SPO2)
    return METRICS[study]


def _order(heard: tuple[Instant, DeviceEvent]) -> tuple[Instant, bool]:
    return heard[0], not isinstance(heard[1], DeviceNotice)


def observed(metric: Metric, value: float | None, at: Instant) -> Observation:
    """Return an observation, of a value or of a blank."""
    if value is None:
        return Observation(metric, None, Validity.NOT_AVAILABLE, at)
    return observe(metric, value, at)


def _waves(session: Session) -> Iterator[tuple[Instant, DeviceEvent]]:
    size = int(WAVE_HZ)
    for second, is_silent in enumerate(session.silent[Metric.CO2_WAVE]):
        if not is_silent:
            at = instant_at(second + 1 - 1 / WAVE_HZ)
            samples = tuple(session.wave[second * size : (second + 1) * size])
            yield at, WaveformSegment(Metric.CO2_WAVE, at, WAVE_HZ, samples)


def filtered(values: Sequence[float | None], kind: Filter) -> list[float | None]:
    """Return the values as a filter before the core would show them."""
    match kind:
        case Filter.HOLD:
            return list(_held(values))
        case Filter.MEDIAN:
            return list(_medians(values))
        case Filter.BLANK_ZEROS:
            return [value or None for value in values]
        case Filter.CORE | Filter.BUDGET:
            return list(values)


def _held(values: Iterable[float | None]) -> Iterator[float | None]:
    """Repeat the last value over blanks and zeros, for at most half a minute."""
    last, since = None, 0
    for value in values:
        since += 1
        if value:
            last, since = value, 0
        yield last if since <= _HOLD_MAX else None


def _medians(values: Iterable[float | None]) -> Iterator[float | None]:
    """Show the median of the last five values; blanks and zeros of a sensor stay blanks."""
    recent: deque[float] = deque(maxlen=_MEDIAN_OF)
    for value in values:
        if value:
            recent.append(value)
        yield float(median(recent)) if value else None


def cuff_stream(readings: Iterable[tuple[int, int, int, int]]) -> Stream:
    """Return cuff readings as the core hears them: three pressures at one instant."""
    return [
        (at, Observation(metric, float(value), Validity.VALID, at, at))
        for second, *pressures in readings
        for at in (instant_at(second),)
        for metric, value in zip(NIBP, pressures, strict=True)
    ]


# -- what the core tells ---------------------------------------------------------------------------


def told_of(point: Point, stream: Heard, end_s: float) -> list[Stood]:
    """Play a stream under one point; return when the alarms of its study stood."""
    alarms = FOUND_BY.get(point.study, frozenset({point.study.value}))
    told = _told(limits_of(point), stream, end_s)
    return stood(each for each in told if each.alarm in alarms)


def told_of_all(points: Sequence[Point], stream: Heard, end_s: float) -> list[list[Stood]]:
    """Play a stream once under many points of one study; return what `told_of` would of each."""
    if points[0].study is Study.PAUSES:
        return [told_of(point, stream, end_s) for point in points]
    study = points[0].study
    told = _told(joint_limits(points), stream, end_s)
    also = FOUND_BY.get(study, frozenset()) - {study.value}
    own: dict[str, list[AlarmChange]] = {}
    for each in told:
        own.setdefault(each.alarm, []).append(each)
    shared = [each for alarm in also for each in stood(own.get(alarm, ()))]
    return [
        [each._replace(alarm=study.value) for each in stood(own.get(joint_name(place), ()))]
        + shared
        for place in range(len(points))
    ]


def _told(limits: LimitSet, stream: Heard, end_s: float) -> list[AlarmChange]:
    system = AlarmSystem(limits)
    accept = system.accept
    told: list[AlarmChange] = []
    for now, event in stream:
        told += accept(event, now)
    told += system.wake(max(instant_at(end_s), stream[-1][0] if stream else Instant(0)))
    return told


def stood(told: Iterable[AlarmChange]) -> list[Stood]:
    """Return from when to when alarms stood, held or not, in the order in which they began."""
    spans: list[Stood] = []
    open_at: dict[str, int] = {}
    for change in told:
        at = in_seconds(change.at)
        if change.change is Change.PRESENT:
            open_at[change.alarm] = len(spans)
            spans.append(Stood(change.alarm, at, inf))
        elif change.change in _ENDINGS and change.alarm in open_at:
            place = open_at.pop(change.alarm)
            spans[place] = spans[place]._replace(ended=at)
    return spans


def outcome(study: Study, spans: Sequence[Stood], truths: Sequence[Episode]) -> Outcome:
    """Hold what stood against what was true."""
    delays = [_delay(each, spans) for each in truths]
    ours = [each for each in spans if each.alarm == study]
    return Outcome(
        asked=len(truths),
        deep_asked=sum(each.is_deep for each in truths),
        late_s=tuple(each for each in delays if each is not None),
        deep_found=sum(
            each.is_deep and delay is not None for each, delay in zip(truths, delays, strict=True)
        ),
        alarms=len(ours),
        needless=sum(not any(_meets(each, truth) for truth in truths) for each in ours),
        brief=sum(each.ended - each.began < BRIEF_S for each in ours),
    )


def _meets(span: Stood, truth: Episode) -> bool:
    """Say whether an alarm stood during an episode, or at most until the device shows its end."""
    return span.began <= truth.end_s + _RECOVERY_S and span.ended >= truth.start_s


def _delay(truth: Episode, spans: Sequence[Stood]) -> float | None:
    """Return how long after its beginning an episode was told; 0 if it was told before."""
    told = [max(0.0, each.began - truth.start_s) for each in spans if _meets(each, truth)]
    return min(told, default=None)
