"""Two devices, one metric: which of them is judged and shown.

One source at a time for each metric. The others are recorded, not judged: an alarm is about the
patient, and two half-agreeing streams would raise and end it in turn. The choice is deterministic,
so that a replay chooses alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    OtherReading,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import NIBP, Metric

PATIENCE: Final = seconds(10)
"""A source that gave no value for this long yields to a lower one that does."""

_OXIMETRY: Final = frozenset(
    {
        NoticeKind.SENSOR_OFF,
        NoticeKind.SENSOR_FAULT,
        NoticeKind.SEARCHING,
        NoticeKind.ARTEFACT,
        NoticeKind.LOW_PERFUSION,
    }
)
_CAPNOGRAPHY: Final = frozenset(
    {
        NoticeKind.OCCLUSION,
        NoticeKind.AUTO_ZERO,
        NoticeKind.PURGING,
        NoticeKind.WARMING_UP,
        NoticeKind.SAMPLE_LINE_OFF,
        NoticeKind.CO2_FAULT,
        NoticeKind.CO2_UNMEASURED,
    }
)


def metric_told_by(notice: NoticeKind) -> Metric | None:
    """Return the metric whose source must be the teller for `notice` to count; None: always."""
    if notice in _OXIMETRY:
        return Metric.SPO2
    return Metric.ETCO2 if notice in _CAPNOGRAPHY else None


def explains(notice: NoticeKind, metric: Metric) -> bool:
    """Return whether `notice` can be why `metric` has no value."""
    if metric in {Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX}:
        return notice in _OXIMETRY
    if metric in {Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE}:
        return notice in _CAPNOGRAPHY
    return notice is NoticeKind.CUFF_FAILED and metric in NIBP


class Sources:
    """Chooses the source of each metric as values come; remembers what each link's device said."""

    def __init__(self, links: Sequence[str], preferred: Mapping[str, Sequence[str]]) -> None:
        self._links = tuple(links)
        self._preferred = preferred
        self._source: dict[Metric, str] = {}
        self._heard: dict[Metric, Instant] = {}
        self._notices: dict[str, dict[NoticeKind, DeviceNotice]] = {}

    def source_of(self, metric: Metric) -> str:
        """Return the link whose values of `metric` are judged now; "" if there is none."""
        return self._source.get(metric, "")

    def notices_of(self, link: str) -> tuple[NoticeKind, ...]:
        """Return the device states that are present on `link`."""
        return tuple(self._notices.get(link, ()))

    def choose(self, link: str, event: DeviceEvent, now: Instant) -> Iterable[DeviceEvent]:
        """Return what of `event` counts: itself, nothing, or with it the new source's states."""
        if isinstance(event, Observation | WaveformSegment):
            return self._choose_value(link, event, now)
        if isinstance(event, DeviceNotice):
            return self._choose_notice(link, event)
        return (event,)

    def aside(self, link: str, event: DeviceEvent) -> OtherReading | None:
        """Return what `event` says beside the judged source of its metric; None if it does not.

        Asked after `choose`. A device that explains why it has no value, or doubts its value
        itself, contradicts nobody.
        """
        if not isinstance(event, Observation) or event.metric in NIBP:
            return None
        if self._source.get(event.metric, link) == link:
            return None
        is_meant = event.validity is Validity.VALID and not any(
            explains(kind, event.metric) for kind in self._notices.get(link, ())
        )
        return OtherReading(event.metric, link, event.value if is_meant else None, event.at)

    def clear(self) -> None:
        """Know nothing any more: after a stop, every source has to show itself again."""
        self._source.clear()
        self._heard.clear()
        self._notices.clear()

    def forget(self, link: str) -> None:
        """Drop the device states of a link that was opened anew; its device will tell again."""
        self._notices.pop(link, None)

    def _choose_value(
        self, link: str, event: Observation | WaveformSegment, now: Instant
    ) -> Iterable[DeviceEvent]:
        metric = event.metric
        has_value = not isinstance(event, Observation) or event.value is not None
        current = self._source.get(metric)
        if current == link:
            if has_value:
                self._heard[metric] = now
            return (event,)
        if current is not None and not (has_value and self._yields(metric, current, link, now)):
            return ()
        self._source[metric] = link
        self._heard[metric] = now
        return (*self._handed_over(metric, link, now), event)

    def _yields(self, metric: Metric, current: str, link: str, now: Instant) -> bool:
        if now > later(self._heard[metric], PATIENCE):
            return True
        return self._rank(metric, link) < self._rank(metric, current)

    def _rank(self, metric: Metric, link: str) -> int:
        order = self._preferred.get(metric, self._links)
        return order.index(link) if link in order else len(order) + self._links.index(link)

    def _choose_notice(self, link: str, notice: DeviceNotice) -> Iterable[DeviceEvent]:
        states = self._notices.setdefault(link, {})
        if notice.present:
            states[notice.notice] = notice
        else:
            states.pop(notice.notice, None)
        metric = metric_told_by(notice.notice)
        counts = metric is None or self._source.get(metric, link) == link
        return (notice,) if counts else ()

    def _handed_over(self, metric: Metric, new: str, now: Instant) -> Iterable[DeviceEvent]:
        """End what other devices had said of themselves and tell what the new source says."""
        ended = [
            DeviceNotice(kind, now, present=False, detail=f"source is now {new}")
            for link, states in self._notices.items()
            for kind in states
            if link != new and metric_told_by(kind) is metric
        ]
        begun = [
            state
            for kind, state in self._notices.get(new, {}).items()
            if metric_told_by(kind) is metric
        ]
        return (*ended, *begun)
