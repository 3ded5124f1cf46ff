"""However late a running chair looks, and wherever it stopped: a replay comes to the same state."""

from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from alarms.limits import read_preset
from drivers.contract import NO_OPTIONS
from drivers.registry import get
from monitor.model.entry import Entry, Opened, Resumed
from monitor.model.event import DeviceEvent, observe
from monitor.model.instant import OPENING, Instant, WallAnchor, in_seconds, instant_at, later
from monitor.model.metric import Metric
from monitor.runtime.chair import build_pipeline
from monitor.runtime.pipeline import Line, Pipeline

PRESET = (files("alarms") / "presets" / "iv-ketamine.toml").read_text(encoding="utf-8")
LIMITS = read_preset(PRESET, "iv-ketamine")
LATE = Instant(1_000)


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> int:
        self.entries.append(entry)
        return len(self.entries)


def new_pipeline() -> tuple[Pipeline, Kept]:
    opened = Opened(
        session="s",
        chair="1",
        software="test",
        limits=PRESET,
        devices=(),
        anchor=WallAnchor(OPENING, 0),
    )
    log = Kept()
    lines = [Line(link="nonin", driver=get("nonin"), options=NO_OPTIONS)]
    return build_pipeline(opened, lines, LIMITS, log), log


def hear(pipeline: Pipeline, spo2: float, at_s: float) -> None:
    now = instant_at(at_s)
    events: list[DeviceEvent] = [observe(Metric.SPO2, spo2, now)]
    pipeline.judge("nonin", events, now)


@given(
    values=st.lists(st.sampled_from([97.0, 88.0, 80.0]), min_size=1, max_size=40),
    pauses=st.lists(st.integers(1, 25), min_size=40, max_size=40),
    lateness=st.sampled_from([Instant(0), LATE]),
)
def test_how_late_one_looks_leaves_no_trace(
    values: list[float], pauses: list[int], lateness: Instant
) -> None:
    timely, _ = new_pipeline()
    late, _ = new_pipeline()
    at_s = 0
    for value, pause in zip(values, pauses, strict=False):
        at_s += pause
        while (due := timely.alarms.wake_at) is not None and due <= instant_at(at_s):
            timely.mature(Instant(due + lateness))
        for pipeline in (timely, late):
            pipeline.mature(instant_at(at_s))
        assert timely.alarms.save() == late.alarms.save()
        hear(timely, value, at_s)
        hear(late, value, at_s)
        assert timely.alarms.save() == late.alarms.save()


@given(gap_s=st.sampled_from([0.001, 0.5, 3.0, 90.0]))
def test_a_restart_is_kept_at_once_and_derives_alike(gap_s: float) -> None:
    """A core that is told of a gap while it runs, and a restored one, stay in the same state."""
    running, log = new_pipeline()
    for second in range(40):
        hear(running, 97.0, second)
    saved = log.entries[-1]
    checkpoint = next(entry for entry in reversed(log.entries) if entry.kind == "checkpoint")
    restored, restored_log = new_pipeline()
    restored.restore(checkpoint.body)
    for second in range(int(in_seconds(checkpoint.at)) + 1, 40):
        hear(restored, 97.0, second)
    assert restored.alarms.save() == running.alarms.save()
    anchor = WallAnchor(later(saved.at, Instant(round(gap_s * 1e9))), 0)  # type: ignore[arg-type]  # a duration
    kept_before = len(log.entries)
    for pipeline in (running, restored):
        pipeline.resume(Resumed(anchor=anchor, gap_s=gap_s))
    assert "checkpoint" in {entry.kind for entry in log.entries[kept_before:]}
    assert log.entries[-1] == restored_log.entries[-1]
    for second in range(200, 230):
        for pipeline in (running, restored):
            hear(pipeline, 97.0, second)
        assert running.alarms.save() == restored.alarms.save()
