"""The real recordings beside the checkout: what of each a study can be played on.

Nothing was injected into them and nobody marked what is true, so they say how often alarms come and
nothing about what is found. `docs/recordings-table.md` holds them against the facts of their pages.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from monitor.main.replay import ReplayWishes, open_items
from monitor.model.event import DeviceEvent, Observation, WaveformSegment
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import NIBP, Metric
from tests.alarms.recordings_table import RECORDINGS, SHARED, Recording
from tests.burden.grid import Filter, Study
from tests.burden.play import METRICS, Stream, filtered, observed

STUDIES: Final = (Study.SATURATION, Study.BREATHS, Study.CO2, Study.PRESSURE, Study.PAUSES)
_CUFF: Final = frozenset(NIBP)


class Heard(NamedTuple):
    """A recording as one study hears it; `hours` from its first row to its last."""

    file: str
    study: Study
    hours: float
    stream: Stream


def why_absent() -> str:
    """Return why no recording can be played; empty where they can."""
    if SHARED.is_dir():
        return ""
    return f"the recordings (../shared/{SHARED.name}) are not beside this checkout"


def files() -> tuple[Recording, ...]:
    """Return the recordings that can be played; none where they are absent."""
    return () if why_absent() else tuple(RECORDINGS)


def hear(recording: Recording) -> Iterator[Heard]:
    """Yield a recording once for each study that it has numbers for."""
    items, _, _ = open_items(
        ReplayWishes(
            file=str(SHARED / recording.file),
            limits="",
            speed="max",
            zero_is_missing=recording.zeros,
            columns=(),
            driver=None,
        )
    )
    streams: dict[Study, Stream] = {study: [] for study in STUDIES}
    now = Instant(0)
    for now, events in items:
        for event in events:
            for study in STUDIES:
                if _concerns(event, study):
                    streams[study].append((now, event))
    for study, stream in streams.items():
        if _has_values(stream, METRICS[study][-1]):
            yield Heard(recording.file, study, in_seconds(now) / 3600, stream)


def _concerns(event: DeviceEvent, study: Study) -> bool:
    return isinstance(event, Observation | WaveformSegment) and event.metric in METRICS[study]


def _has_values(stream: Stream, metric: Metric) -> bool:
    """Say whether a stream holds anything of the study's own metric (any pressure of a cuff)."""
    wanted = _CUFF if metric in _CUFF else {metric}
    return any(
        isinstance(event, WaveformSegment)
        or (isinstance(event, Observation) and event.metric in wanted and event.value is not None)
        for _, event in stream
    )


def with_filter(heard: Heard, kind: Filter) -> Stream:
    """Return the stream with the study's own metric filtered before the core."""
    if kind in {Filter.CORE, Filter.BUDGET} or heard.study is Study.PRESSURE:
        return heard.stream
    metric = METRICS[heard.study][-1]
    own = [
        event
        for _, event in heard.stream
        if isinstance(event, Observation) and event.metric is metric
    ]
    values = iter(filtered([each.value for each in own], kind))
    return [
        (now, observed(metric, next(values), event.at))
        if isinstance(event, Observation) and event.metric is metric
        else (now, event)
        for now, event in heard.stream
    ]
