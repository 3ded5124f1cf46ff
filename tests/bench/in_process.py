"""What the cores do in a second, without wires: judging, recording, replaying, decoding.

All of it runs in one thread, so that CPU time is what one core that does nothing else would take.
"""

import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from alarms import step as stepping
from alarms.condition import Input, State
from alarms.limits import LimitSet, read_preset
from alarms.rules import limit_policy
from alarms.system import AlarmSystem
from drivers.contract import NO_OPTIONS, CanMeasure, DeviceProtocol, Driver, OptionError
from drivers.registry import get, names
from monitor.model.entry import Entry, EntryKind, Opened, encode
from monitor.model.event import DeviceEvent, observe
from monitor.model.instant import OPENING, Instant, WallAnchor, in_seconds, instant_at
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.runtime.chair import build_pipeline
from monitor.runtime.pipeline import Line
from monitor.runtime.replay import Replay
from monitor.store.record import Record, record_path
from tests.bench.figures import Figure
from tests.conversation import conversation

_UTC_NS: Final = 1_790_000_000_000_000_000
_STORY: Final = (
    (Input.NORMAL, 97.0),
    (Input.VIOLATED, 88.0),
    (Input.SEVERE, 84.0),
    (Input.BETWEEN, 90.5),
    (Input.UNKNOWN, None),
    (Input.VIOLATED, 87.0),
    (Input.NORMAL, 96.0),
)
_SIX: Final = (
    (Metric.SPO2, 97.0, 1.0),
    (Metric.PULSE_RATE, 72.0, 6.0),
    (Metric.HEART_RATE, 72.0, 6.0),
    (Metric.ETCO2, 38.0, 3.0),
    (Metric.FICO2, 0.0, 0.0),
    (Metric.RESP_RATE, 14.0, 3.0),
)
_COMMIT_EVERY: Final = 2_000
_RUN_S: Final = 3.0
_DECODED_S: Final = 60
_LINKS_MIN: Final = 200


def preset() -> tuple[str, LimitSet]:
    """Return the shipped limit set, as text and read."""
    path = files("alarms") / "presets" / "iv-ketamine.toml"
    text = path.read_text(encoding="utf-8")
    return text, read_preset(text, "iv-ketamine")


def numerics(s: int) -> list[DeviceEvent]:
    """Return the six numerics of second `s` of a patient who is well."""
    at = instant_at(s)
    return [observe(metric, round(mean + swing * sin(s / 7)), at) for metric, mean, swing in _SIX]


def open_record(folder: Path) -> tuple[Opened, Record]:
    """Return a new record and what it was opened with."""
    text, _ = preset()
    opened = Opened(
        session="bench",
        chair="1",
        software="bench",
        limits=text,
        devices=(),
        anchor=WallAnchor(OPENING, _UTC_NS),
    )
    record = Record.create(record_path(folder, opened.session), opened.session)
    record.append(Entry(EntryKind.OPENED, OPENING, "", encode(opened)))
    return opened, record


class Filled(NamedTuple):
    """A record, how many numerics are in it, and what that took."""

    record: Record
    numerics: int
    took_s: float
    cpu_s: float


def fill_record(folder: Path, run_s: float) -> Filled:
    """Judge and record numerics for `run_s` seconds."""
    opened, record = open_record(folder)
    line = Line(link="nonin", driver=get("nonin"), options=NO_OPTIONS)
    pipeline = build_pipeline(opened, [line], preset()[1], record)
    pipeline.change_link(LinkChange(link="nonin", state=LinkState.UP, at=OPENING))
    prepared = [numerics(s) for s in range(1, 20_000)]
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    count = 0
    for second, events in enumerate(prepared, start=1):
        pipeline.judge("nonin", events, instant_at(second))
        count += len(events)
        if record.pending_count >= _COMMIT_EVERY:
            record.commit()
            if time.perf_counter() - began_s > run_s:
                break
    record.commit()
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return Filled(record, count, took_s, cpu_s)


def measure_path() -> Sequence[Figure]:
    """Driver event to sources, alarm core, picture and durable record."""
    with TemporaryDirectory(prefix="vigil-bench-") as folder:
        filled = fill_record(Path(folder), _RUN_S)
        filled.record.close()
    return [
        Figure(
            name="numerics judged and recorded",
            value=filled.numerics / filled.cpu_s,
            unit="/s of CPU",
            goal=50_000,
            note=f"{filled.numerics / filled.took_s:,.0f}/s by the wall; "
            f"a synced commit every {_COMMIT_EVERY:,} entries",
        )
    ]


def measure_alarms() -> Sequence[Figure]:
    """The alarm core alone: one numeric against the whole limit set."""
    prepared = [(instant_at(s), event) for s in range(1, 20_000) for event in numerics(s)]
    alarms = AlarmSystem(preset()[1])
    accept = alarms.accept
    began_s = time.process_time()
    for now, event in prepared:
        accept(event, now)
    took_s = time.process_time() - began_s
    return [
        Figure(
            name="numerics through the alarm core", value=len(prepared) / took_s, unit="/s of CPU"
        ),
        Figure(
            name="condition steps",
            value=_condition_steps_a_second(),
            unit="/s of CPU",
            goal=500_000,
            note="one condition, quiet, crossed, severe, lost and ending again and again",
        ),
    ]


def _condition_steps_a_second() -> float:
    """Step one condition by every judgement, as a minute of each of them brings it."""
    limits = preset()[1]
    rule = next(each for each in limits.limits if each.alarm == "spo2_low")
    policy, state = limit_policy(rule, limits.operator), State()
    story = [judged for judged in _STORY for _ in range(60)] * 300
    prepared = [(instant_at(s), *judged) for s, judged in enumerate(story)]
    began_s = time.process_time()
    for now, happened, value in prepared:
        state = stepping.step(policy, state, happened, now, value=value).state
    return len(prepared) / (time.process_time() - began_s)


def measure_replay() -> Sequence[Figure]:
    """A recording of six numerics at 1 Hz, full limit set."""
    span_s = 6 * 3600
    items = [(instant_at(s), numerics(s)) for s in range(span_s)]
    replay = Replay(preset()[1], lambda change: None)  # noqa: ARG005
    began_s = time.process_time()
    replay.play(items)
    took_s = time.process_time() - began_s
    return [
        Figure(
            name="replay, six numerics at 1 Hz",
            value=span_s / took_s,
            unit="x real time",
            goal=5_000,
            note="alarm core and digest; reading the file is not counted",
        )
    ]


# -- decoding --------------------------------------------------------------------------------------


def _opened(driver: Driver) -> DeviceProtocol:
    """Return a conversation; a cuff begins a determination at once: then it has most to say."""
    protocol = driver.open_protocol(NO_OPTIONS)
    if isinstance(protocol, CanMeasure):
        protocol.measure(OPENING)
    return protocol


def _decode_s(driver: Driver, said: Sequence[tuple[Instant, bytes]]) -> tuple[float, int]:
    """Return the seconds it takes to read what was said, and how many events came of it."""
    protocol = _opened(driver)
    events = 0
    began_s = time.process_time()
    for now, piece in said:
        if protocol.wake_at is not None and protocol.wake_at <= now:
            protocol.wake(now)
            protocol.take_outgoing()
        events += len(protocol.receive(piece, now))
    return time.process_time() - began_s, events


def measure_drivers() -> Sequence[Figure]:
    """How many links of each device one core could read at the device's own rate."""
    return [figure for name in names() for figure in _measure_driver(get(name))]


def _measure_driver(driver: Driver) -> Iterator[Figure]:
    try:
        said = list(conversation(driver, _opened(driver), _DECODED_S))
    except OptionError:
        return  # it needs to be told what its fields mean: there is no rate of its own
    size = sum(len(piece) for _, piece in said)
    took_s, events = min(_decode_s(driver, said) for _ in range(3))
    if not events:
        return
    span_s = max(1.0, in_seconds(said[-1][0]))
    yield Figure(
        name=f"links of {driver.name}",
        value=span_s / took_s,
        unit="per core",
        goal=_LINKS_MIN,
        note=f"{size / span_s:,.0f} bytes/s each, {size / took_s / 1e6:.2g} MB/s read",
    )
