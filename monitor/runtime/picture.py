"""The newest picture of a chair, kept up as events come and drawn up when a screen wants it."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from alarms.system import AlarmSystem
from monitor.model.alarm import RANK, AlarmChange, AlarmSnapshot, Change, Priority
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import OPENING, Instant, WallAnchor, in_seconds, later, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.session import Deed, OperatorAction
from monitor.model.snapshot import (
    ChairSnapshot,
    LinkSnapshot,
    LoggedEvent,
    MetricSnapshot,
    StoreSnapshot,
    Trend,
)
from monitor.runtime.sources import Sources, explains
from monitor.runtime.trend import Timeline
from monitor.session.sitting import Sitting

EVENTS_KEPT_MAX: Final = 200
GAPS_KEPT_MAX: Final = 100
_TREND_SPAN: Final = seconds(120)
_TREND_STEP: Final = {Metric.SPO2: 2.0, Metric.ETCO2: 4.0, Metric.RESP_RATE: 3.0}
_TREND_STEP_OTHERS: Final = 8.0


class _Link(msgspec.Struct):
    driver: str
    state: LinkState = LinkState.CONNECTING
    since: Instant = OPENING
    heard_at: Instant | None = None
    rejected: int = 0
    reason: str = ""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture needs from around the pipeline: names, and the state of the store."""

    chair: str
    session: str
    opened_utc_ns: int
    mode: GenerationMode = GenerationMode.REAL
    preset: str = ""
    pseudonym: str = ""
    watermark: str = ""
    store: StoreSnapshot = StoreSnapshot()


class Picture:
    """Keeps the newest of everything a screen shows; bounded in every direction."""

    def __init__(
        self,
        links: Sequence[str],
        drivers: Mapping[str, str],
        sources: Sources,
        anchor: WallAnchor,
    ) -> None:
        self._links = {link: _Link(drivers[link]) for link in links}
        self._sources = sources
        self._anchor = anchor
        self._latest: dict[Metric, Observation] = {}
        self._valued: dict[Metric, Observation] = {}
        self._recent: dict[Metric, deque[tuple[Instant, float]]] = {}
        self._events: deque[LoggedEvent] = deque(maxlen=EVENTS_KEPT_MAX)
        self._gaps: deque[tuple[Instant, Instant]] = deque(maxlen=GAPS_KEPT_MAX)
        self._view = 0
        self.timeline = Timeline()
        self.mode = GenerationMode.REAL

    # -- taking --------------------------------------------------------------------------------

    def take_event(self, link: str, event: DeviceEvent, now: Instant) -> None:
        """Take an event of the source that counts for its metric."""
        if isinstance(event, Observation):
            self._latest[event.metric] = event
            if event.value is not None:
                self._valued[event.metric] = event
                self.timeline.put(event.metric, event.value, event.taken or event.at)
                recent = self._recent.setdefault(event.metric, deque(maxlen=150))
                recent.append((now, event.value))
        elif isinstance(event, DeviceNotice) and event.present:
            self._log(now, "notice", f"{link}: {_words(event.notice)} {event.detail}".strip())
        elif isinstance(event, DeviceAlarm):
            edge = "began" if event.present else "ended"
            self._log(now, "notice", f"{link}: its own alarm {_words(event.alarm)} {edge}")

    def count(self, link: str, event: DeviceEvent, now: Instant) -> None:
        """Count an event of any link for its health."""
        line = self._links.get(link)
        if line is None:
            return
        if isinstance(event, FrameRejected):
            line.rejected += 1
            return
        line.heard_at = now
        if getattr(event, "mode", GenerationMode.REAL) is not GenerationMode.REAL:
            self.mode = event.mode

    def take_link(self, change: LinkChange) -> None:
        """Take an edge of a link."""
        line = self._links[change.link]
        line.state, line.since, line.reason = change.state, change.at, change.reason
        if change.state is not LinkState.CONNECTING:
            self._log(change.at, "link", f"{change.link} {change.state} {change.reason}".strip())

    def take_change(self, change: AlarmChange) -> None:
        """Take a change of an alarm condition for the event list."""
        done = change.change
        if done is Change.PAUSED:  # one word for four deeds: say which
            text = f"{_words(change.alarm)} {change.inactivation.words}"
        else:
            text = f"{_words(change.alarm)} {done}"
        if change.value is not None:
            text += f" {change.value:g}"
        self._log(change.at, "alarm", text, change.priority)

    def take_action(self, action: OperatorAction) -> None:
        """Take an operator's deed for the event list; alarm deeds are listed as alarm changes."""
        if action.deed is Deed.ENTER_PHASE:
            self._log(action.at, "phase", f"{action.phase} ({action.operator})")
        elif action.deed in {Deed.MARK_EVENT, Deed.MEASURE_NIBP}:
            self._log(action.at, "event", action.note or _words(action.deed))

    def take_gap(self, start: Instant, end: Instant) -> None:
        """Take a stretch that nobody watched."""
        self._gaps.append((start, end))
        for line in self._links.values():
            line.state, line.since = LinkState.CONNECTING, end
        self._log(end, "gap", f"not recorded for {in_seconds(Instant(end - start)):.0f} s")

    # -- drawing up ------------------------------------------------------------------------------

    def draw(
        self, frame: Frame, alarms: AlarmSystem, sitting: Sitting, now: Instant
    ) -> ChairSnapshot:
        """Return the picture at `now`, with the next view number."""
        self._view += 1
        present = alarms.alarms()
        return ChairSnapshot(
            view=self._view,
            chair=frame.chair,
            session=frame.session,
            now=now,
            opened_utc_ns=frame.opened_utc_ns,
            mode=self.mode if self.mode is not GenerationMode.REAL else frame.mode,
            sitting=sitting.snapshot(now),
            metrics=tuple(self._metric(each, alarms, present, now) for each in self._shown()),
            alarms=present,
            inactivated=alarms.inactivated(),
            offers=alarms.offers(),
            links=tuple(self._link(name, line) for name, line in self._links.items()),
            store=frame.store,
            events=tuple(self._events)[-50:],
            gaps=tuple(self._gaps),
            preset=frame.preset,
            pseudonym=frame.pseudonym,
            watermark=frame.watermark,
        )

    def _shown(self) -> list[Metric]:
        return [metric for metric in Metric if metric in self._latest]

    def _metric(
        self,
        metric: Metric,
        alarms: AlarmSystem,
        present: tuple[AlarmSnapshot, ...],
        now: Instant,
    ) -> MetricSnapshot:
        latest = self._latest[metric]
        shown = self._valued.get(metric, latest)
        low, high = alarms.limits_of(metric)
        own = [alarm for alarm in present if alarm.metric is metric]
        stale_after = describe(metric).stale_after
        return MetricSnapshot(
            metric=metric,
            value=shown.value,
            validity=latest.validity,
            at=shown.at,
            taken=shown.taken,
            low=low,
            high=high,
            priority=_worst(own),
            is_held=any(alarm.held_since is not None for alarm in own),
            is_stale=latest.value is None
            or (stale_after is not None and now > later(latest.at, stale_after)),
            trend=self._trend(metric, now),
            source=self._sources.source_of(metric),
            note=self._note(metric, latest),
        )

    def _note(self, metric: Metric, latest: Observation) -> str:
        if latest.validity is Validity.VALID:
            return ""
        told = self._sources.notices_of(self._sources.source_of(metric))
        why = [notice for notice in told if explains(notice, metric)]
        return _words(why[-1]) if why else _words(latest.validity)

    def _trend(self, metric: Metric, now: Instant) -> Trend:
        if metric in NIBP:
            return Trend.UNKNOWN
        recent = self._recent.get(metric, ())
        window = [value for at, value in recent if at > now - _TREND_SPAN]
        if len(window) < 10:
            return Trend.UNKNOWN
        third = len(window) // 3
        step = sum(window[-third:]) / third - sum(window[:third]) / third
        if abs(step) < _TREND_STEP.get(metric, _TREND_STEP_OTHERS):
            return Trend.STEADY
        return Trend.RISING if step > 0 else Trend.FALLING

    def _link(self, name: str, line: _Link) -> LinkSnapshot:
        return LinkSnapshot(
            link=name,
            driver=line.driver,
            state=line.state,
            since=line.since,
            heard_at=line.heard_at,
            rejected=line.rejected,
            reason=line.reason,
            notices=tuple(
                _words(each)
                for each in self._sources.notices_of(name)
                if each is not NoticeKind.DEVICE_IDENTITY
            ),
        )

    def _log(self, at: Instant, what: str, text: str, priority: Priority | None = None) -> None:
        self._events.append(LoggedEvent(at=at, what=what, text=text, priority=priority))


def _worst(alarms: list[AlarmSnapshot]) -> Priority | None:
    return max((each.priority for each in alarms), key=RANK.__getitem__, default=None)


def _words(word: str) -> str:
    return word.replace("_", " ")
