"""`vigil replay`: a recording through the alarm core on virtual time."""

import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from monitor.config import read_limits
from monitor.installed import get_driver
from monitor.main.decoding import Source, decoded
from monitor.main.devices import read_options
from monitor.main.output import flush, note, say_json
from monitor.model.entry import EntryKind, decode
from monitor.model.errors import ConfigError
from monitor.model.event import DeviceEvent
from monitor.model.instant import Instant, in_seconds
from monitor.recordings.capture import is_capture, read_head
from monitor.recordings.files import open_unpacked
from monitor.recordings.notes import Notes
from monitor.recordings.opening import open_recording
from monitor.recordings.options import read_column_map, read_missing, read_zero_is_missing
from monitor.recordings.recording import ReadOptions
from monitor.runtime.replay import Replay, alarm_line
from monitor.store.reading import read_entries

REPLAY_PRESET = "iv-ketamine"
PROGRESS_EVERY_S = 1.0
SQLITE = b"SQLite format 3\0"


class ReplayWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line."""

    file: str
    limits: str
    speed: str
    zero_is_missing: tuple[str, ...]
    columns: tuple[str, ...]
    driver: str | None
    options: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sender: str | None = None


def replay(wishes: ReplayWishes) -> int:
    """Replay a recording: JSON lines of alarm changes, then one summary line.

    Raises:
        RecordingError: the file cannot be read; names file, line or column and a remedy.
        ConfigError: a wish that cannot be; names it.
    """
    rate = _rate(wishes.speed)
    preset = wishes.limits or REPLAY_PRESET
    _, limits = read_limits(preset, Path(), "--limits")
    items, described, notes = open_items(wishes)
    playing = Replay(limits, lambda change: say_json(alarm_line(change)))
    began_s = time.perf_counter()
    summary = playing.play(_paced(_watched(items), rate))
    took_s = time.perf_counter() - began_s
    for line in notes():
        note(f"note: {line}")
    pace = summary.span_s / took_s
    note(f"replayed {summary.span_s:.0f} s in {took_s:.2f} s: {pace:,.0f} x real time")
    say_json(
        {
            "summary": True,
            "file": wishes.file,
            "mode": "replay",
            "preset": preset,
            **described(),
            **msgspec.to_builtins(summary),
            "notes": notes(),
        }
    )
    return 0


Items = Iterator[tuple[Instant, Sequence[DeviceEvent]]]
Described = Callable[[], dict[str, object]]


def open_items(wishes: ReplayWishes) -> tuple[Items, Described, Callable[[], tuple[str, ...]]]:
    """Return the recording's events, what describes it, and its notes once it was read."""
    first = beginning_of(Path(wishes.file))
    name = wishes.driver
    if name is None and is_capture(first):
        name = read_head(Path(wishes.file)).driver
    if name is not None:
        heard = Notes("packet")
        return _captured(name, wishes, heard), lambda: {"driver": name}, lambda: heard.sentences
    if first.startswith(SQLITE):
        return _session(Path(wishes.file)), lambda: {"recording": {"format": "session"}}, tuple
    recording = open_recording(
        Path(wishes.file),
        ReadOptions(
            zero_is_missing=read_zero_is_missing(wishes.zero_is_missing),
            missing=read_missing(wishes.missing),
            column_map=read_column_map(wishes.columns),
        ),
    )
    described = lambda: {"recording": msgspec.to_builtins(recording.describe())}  # noqa: E731
    return iter(recording), described, lambda: recording.notes


def beginning_of(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked; none where its packing is damaged."""
    with open_unpacked(path) as file:
        try:
            return file.read(64)
        except (EOFError, OSError, zlib.error):
            return b""  # what reads recordings says it better


def _session(path: Path) -> Items:
    """Yield what a recorded session heard, in its order."""
    heard = read_entries(path, kinds=(EntryKind.HEARD,))
    for at, entries in groupby((entry for _, entry in heard), key=lambda entry: entry.at):
        yield at, [event for event in map(decode, entries) if isinstance(event, DeviceEvent)]


def _captured(name: str, wishes: ReplayWishes, notes: Notes) -> Items:
    options = read_options(wishes.options)
    source = Source(file=wishes.file, options=options, sender=wishes.sender)
    return decoded(get_driver(name), source, notes)


def _rate(speed: str) -> float | None:
    if speed == "max":
        return None
    try:
        rate = float(speed)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ConfigError(f'--speed: "{speed}" is neither a number above 0 nor max')
    return rate


def _paced(items: Items, rate: float | None) -> Items:
    began_s = time.monotonic()
    for at, events in items:
        if rate is not None:
            flush()
            time.sleep(max(0.0, began_s + in_seconds(at) / rate - time.monotonic()))
        yield at, events


def _watched(items: Items) -> Items:
    """Show on a terminal how far a long replay has come."""
    if not sys.stderr.isatty():
        yield from items
        return
    told_s = time.monotonic()
    for at, events in items:
        if time.monotonic() - told_s > PROGRESS_EVERY_S:
            told_s = time.monotonic()
            sys.stderr.write(f"\r{in_seconds(at) / 3600:.2f} h of the recording")
            sys.stderr.flush()
        yield at, events
    sys.stderr.write("\r")
