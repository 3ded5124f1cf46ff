"""Opening a session on a chair, or going on with the one a stop interrupted.

After a stop that nobody chose the session goes on: alarm conditions, acknowledgements and latches
as they were, audio pauses gone, the gap written down and shown. A session whose chair has other
devices or limits now, or that was left longer than the site allows, is closed instead: readings and
limits of one patient must never greet the next (hazards H7, H8).
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from alarms.limits import LimitSet
from monitor.model.entry import Closed, Entry, EntryKind, Opened, Resumed, decode, encode
from monitor.model.errors import MonitorError
from monitor.model.instant import OPENING, Instant, in_seconds, later, seconds
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.pipeline import Line, Log, Pipeline
from monitor.store.layout import SUFFIX
from monitor.store.reading import (
    connect_read_only,
    latest_entry,
    list_sessions,
    read_entries,
    read_header,
)
from monitor.store.record import Record, RecordDamagedError, RecordFailedError, record_path

RESTART_TAKES: Final = seconds(0.001)
"""A restarted session's first instant lies at least this much after its last entry."""

_RECALLED: Final = frozenset(EntryKind) - {
    EntryKind.RECEIVED,
    EntryKind.WOKEN,
    EntryKind.CHECKPOINT,
}
_WAVEFORM: Final = b'"waveform"'


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The session a chair's configuration asks for; `opened` lacks only name and anchor."""

    opened: Opened
    lines: Sequence[Line]
    limits: LimitSet
    resume_within_s: float


class Begun(msgspec.Struct, frozen=True):
    """A session that is ready to run. `words` says how it came about, for people."""

    opened: Opened
    record: Record
    pipeline: Pipeline
    clock: SessionClock
    words: str


class SteadyLog:
    """A record that never raises into the alarm path: recording may stop, monitoring does not.

    What it could not take is counted in `lost`; the committer tells of the disk.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self.lost = 0

    def append(self, entry: Entry) -> int:
        """Take `entry` if there is room."""
        try:
            return self._record.append(entry)
        except RecordFailedError:
            self.lost += 1
            return 0


def begin_session(
    wanted: Wanted,
    data_dir: Path,
    monotonic_ns: Callable[[], int],
    utc_ns: Callable[[], int],
) -> Begun:
    """Go on with the chair's interrupted session, or open a new one.

    Raises:
        RecordFailedError: the data directory cannot be written.
    """
    reason = ""
    for path in _unclosed(data_dir, wanted.opened.chair):
        reason = _why_not(path, wanted, utc_ns())
        if not reason:
            try:
                return _go_on(path, wanted, monotonic_ns, utc_ns)
            except RecordDamagedError as damage:
                reason = str(damage)
                continue
        _close_old(path, reason)
    unreadable = _unreadable(data_dir)
    begun = _open_new(wanted, data_dir, monotonic_ns, utc_ns, reason)
    return msgspec.structs.replace(begun, words=begun.words + unreadable)


def replay_into(pipeline: Pipeline, path: Path) -> None:
    """Bring `pipeline` to the state the record at `path` ends in.

    The alarm core goes on from the last checkpoint and what followed it; the picture (timeline,
    last values, event list) is drawn from everything.
    """
    with closing(connect_read_only(path)) as connection:
        found = latest_entry(path, connection, EntryKind.CHECKPOINT)
    start = 0
    if found is not None:
        start, checkpoint = found
        pipeline.restore(checkpoint.body)
    for seq, entry in read_entries(path, kinds=_RECALLED):
        if seq > start:
            pipeline.recall(entry, decode(entry))
        elif not (entry.kind is EntryKind.HEARD and _WAVEFORM in entry.body[:24]):
            pipeline.recall_picture(entry, decode(entry))


def _unclosed(data_dir: Path, chair: str) -> list[Path]:
    """Return the chair's open sessions, newest first."""
    if not data_dir.is_dir():
        return []
    lines = [line for line in list_sessions(data_dir) if line.chair == chair and not line.is_closed]
    return [line.path for line in sorted(lines, key=lambda line: line.opened_utc_ns, reverse=True)]


def _unreadable(data_dir: Path) -> str:
    """Return words for the records of which not even the chair can be told: one may be ours."""
    found = list_sessions(data_dir) if data_dir.is_dir() else ()
    names = [line.path.name for line in found if line.trouble and line.path.suffix == SUFFIX]
    return f"; damaged, and left as it is: {', '.join(names)}" if names else ""


def _why_not(path: Path, wanted: Wanted, utc_ns: int) -> str:
    try:
        before = read_header(path)
        record_end = _end_utc_ns(path)
    except (MonitorError, msgspec.DecodeError) as error:
        return str(error)
    if _identity(before) != _identity(wanted.opened):
        return "the chair's devices, limits or plan are others now"
    if (utc_ns - record_end) / 1e9 > wanted.resume_within_s:
        return f"left for longer than {wanted.resume_within_s / 60:.0f} min"
    return ""


def _identity(opened: Opened) -> bytes:
    """Return what must be the same for a session to go on."""
    kept = msgspec.structs.replace(
        opened, session="", software="", anchor=msgspec.structs.replace(opened.anchor, utc_ns=0)
    )
    return encode(kept)


def _end_utc_ns(path: Path) -> int:
    line = next(line for line in list_sessions(path.parent) if line.path == path)
    return line.opened_utc_ns + line.duration


def _go_on(
    path: Path, wanted: Wanted, monotonic_ns: Callable[[], int], utc_ns: Callable[[], int]
) -> Begun:
    record = Record.open(path)
    opened = read_header(path)
    last = record.last_at
    anchor = record.anchor() or opened.anchor
    now = max(Instant(anchor.at + utc_ns() - anchor.utc_ns), later(last, RESTART_TAKES))
    clock = SessionClock(monotonic_ns, utc_ns, start=now)
    pipeline = build_pipeline(opened, wanted.lines, wanted.limits, SteadyLog(record))
    replay_into(pipeline, path)
    pipeline.catch_up(last)
    gap_s = in_seconds(Instant(now - last))
    pipeline.resume(
        Resumed(anchor=clock.anchor, gap_s=round(gap_s, 3), software=wanted.opened.software)
    )
    record.commit()
    words = f"session {opened.session} goes on after {gap_s:.1f} s"
    return Begun(opened, record, pipeline, clock, words)


def _open_new(
    wanted: Wanted,
    data_dir: Path,
    monotonic_ns: Callable[[], int],
    utc_ns: Callable[[], int],
    reason: str,
) -> Begun:
    clock = SessionClock(monotonic_ns, utc_ns)
    session = _free_name(data_dir, wanted.opened.chair, clock.anchor.utc_ns)
    opened = msgspec.structs.replace(wanted.opened, session=session, anchor=clock.anchor)
    record = Record.create(record_path(data_dir, session), session)
    log: Log = SteadyLog(record)
    log.append(Entry(EntryKind.OPENED, OPENING, "", encode(opened)))
    pipeline = build_pipeline(opened, wanted.lines, wanted.limits, log)
    record.commit()
    after = f"; the one before was closed: {reason}" if reason else ""
    return Begun(opened, record, pipeline, clock, f"session {session} opened{after}")


def _free_name(data_dir: Path, chair: str, utc_ns: int) -> str:
    """Return a name nobody has: chair and wall time in UTC to the second, then a number."""
    data_dir.mkdir(parents=True, exist_ok=True)
    stem = f"{chair}-{wall_name(utc_ns)}"
    names = [stem, *(f"{stem}-{count}" for count in range(2, 1000))]
    return next(name for name in names if not record_path(data_dir, name).exists())


def wall_name(utc_ns: int) -> str:
    """Return UTC as `20261123T081500Z`."""
    return datetime.fromtimestamp(utc_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")


def _close_old(path: Path, reason: str) -> None:
    """Close a session that cannot go on; one that is damaged was set aside already."""
    try:
        record = Record.open(path)
    except MonitorError:
        return
    closed = Closed(at=later(record.last_at, RESTART_TAKES), reason=reason)
    record.append(Entry(EntryKind.CLOSED, closed.at, "", encode(closed)))
    record.close()
