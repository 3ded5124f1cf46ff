"""Recordings written for tests, and what was read from them in a form that compares well."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.model.event import (
    DeviceEvent,
    FrameRejected,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import NS_PER_S, Instant, in_seconds
from monitor.model.metric import Metric
from monitor.recordings.opening import open_recording
from monitor.recordings.recording import ReadOptions, Recording

Heard = tuple[float, Metric, float | None]


class Read:
    """Everything one pass over a recording gave; holds it to the promises of every recording."""

    def __init__(self, recording: Recording) -> None:
        self.moments = [(at, tuple(events)) for at, events in recording]
        self.notes = recording.notes
        self.description = recording.describe()
        times = [at for at, _ in self.moments]
        assert times == sorted(set(times)), "one moment for each time, in rising order"
        assert not times or times[0] >= 0
        assert all(event.at <= at for at, events in self.moments for event in events)
        assert all(
            event.at == at
            for at, events in self.moments
            for event in events
            if not isinstance(event, WaveformSegment)
        )

    @property
    def events(self) -> list[DeviceEvent]:
        return [event for _, events in self.moments for event in events]

    @property
    def observations(self) -> list[Observation]:
        return [event for event in self.events if isinstance(event, Observation)]

    @property
    def segments(self) -> list[WaveformSegment]:
        return [event for event in self.events if isinstance(event, WaveformSegment)]

    @property
    def rejected(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, FrameRejected)]

    @property
    def heard(self) -> list[Heard]:
        """Time in seconds, metric and value of every observation."""
        return [(in_seconds(o.at), o.metric, o.value) for o in self.observations]

    def of(self, metric: Metric) -> list[tuple[float, float | None]]:
        """Time in seconds and value of every observation of one metric."""
        return [(at, value) for at, heard, value in self.heard if heard is metric]


def read(content: str | bytes, options: ReadOptions | None = None, name: str = "r.csv") -> Read:
    """Return what a file of that content says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return Read(open_recording(path, options or ReadOptions()))


def read_path(path: Path, options: ReadOptions | None = None) -> Read:
    """Return what the recording at `path` says."""
    return Read(open_recording(path, options or ReadOptions()))


def seconds_text(ns: int) -> str:
    """Return nanoseconds as seconds, exactly."""
    sign = "-" if ns < 0 else ""
    return f"{sign}{abs(ns) // NS_PER_S}.{abs(ns) % NS_PER_S:09}"


def wide_csv(metrics: Sequence[Metric], rows: Mapping[Instant, Mapping[Metric, float]]) -> str:
    """Return a wide CSV; a metric that is not in a row is a blank cell."""
    lines = [",".join(("time_s", *metrics))]
    for at, values in rows.items():
        cells = [repr(values[metric]) if metric in values else "" for metric in metrics]
        lines.append(",".join((seconds_text(at), *cells)))
    return "\n".join(lines) + "\n"


def long_csv(observations: Sequence[Observation], zero_ns: int = 0) -> str:
    """Return a long CSV with every column we know; times count from `zero_ns` before."""
    lines = ["time_s,metric,value,validity,taken_s"]
    for o in observations:
        value = "" if o.value is None else repr(o.value)
        taken = "" if o.taken is None else seconds_text(o.taken + zero_ns)
        lines.append(f"{seconds_text(o.at + zero_ns)},{o.metric},{value},{o.validity},{taken}")
    return "\n".join(lines) + "\n"


def not_available(metric: Metric, at_s: float) -> Observation:
    """Return the observation that there is no value."""
    return Observation(metric, None, Validity.NOT_AVAILABLE, Instant(round(at_s * NS_PER_S)))
