"""What must hold of the record of a simulated session: after each restart, and at its end.

The record is read as anybody could read it: from the file. What the onlooker heard and was told is
held against it; then chain and conclusions are proved as `vigil verify` proves them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alarms.limits import read_preset
from drivers.registry import get
from monitor.model.alarm import AlarmChange, Change, Inactivation
from monitor.model.entry import Entry, EntryKind, Resumed, decode, encode
from monitor.model.instant import Instant, in_seconds, seconds
from monitor.runtime.proof import derive_again
from monitor.store.reading import read_entries
from monitor.store.verify import check_chain
from simulators.scene import Scene, Signal, add_up

_SHORTEST_ACKNOWLEDGEMENT: Final = seconds(119)
_AT_A_RESTART: Final = frozenset(
    {Change.HELD, Change.RESUMED, Change.PRESENT, Change.ESCALATED, Change.LATCHED}
)
_GAP: Final = "recording_gap"
_ACKED: Final = Inactivation.ACKNOWLEDGED
# It excuses low values, for so long and no longer: that it ends in time is the promise.
_BOUNDED_BY_TIME: Final = frozenset({"cuff_on_probe_arm"})
_GAP_TOLD_MIN_S: Final = 2.0


# -- the file --------------------------------------------------------------------------------------


def what_was_heard_is_in_the_record(scene: Scene, entries: Sequence[Entry]) -> str:
    """Hold every event on disk against the one heard in its place."""
    on_disk = [entry for entry in entries if entry.kind is EntryKind.HEARD]
    if len(on_disk) > len(scene.heard):
        return f"{len(on_disk)} events on disk, {len(scene.heard)} heard"
    for number, (entry, (link, event)) in enumerate(zip(on_disk, scene.heard, strict=False)):
        if (entry.link, entry.body) != (link, encode(event)):
            return f"event {number} is {entry.body[:120]!r} of {entry.link}, heard {event}"
    return ""


def what_was_told_is_in_the_record(scene: Scene, entries: Sequence[Entry]) -> str:
    """Hold every alarm change on disk against the one told in its place."""
    on_disk = changes_in(entries)
    for number, (change, told) in enumerate(zip(on_disk, scene.told, strict=False)):
        if change != told:
            return f"change {number} is {change}, told {told}"
    return ""


def nothing_is_missing_at_the_end(scene: Scene, entries: Sequence[Entry]) -> str:
    """Hold the counts on disk against what was heard and told."""
    heard = sum(entry.kind is EntryKind.HEARD for entry in entries)
    told = sum(entry.kind is EntryKind.ALARM for entry in entries)
    if (heard, told) == (len(scene.heard), len(scene.told)):
        return ""
    return (
        f"{heard} events and {told} changes on disk, {len(scene.heard)} and {len(scene.told)} were"
    )


def instants_on_disk_never_run_backwards(scene: Scene, entries: Sequence[Entry]) -> str:
    """Hold each entry's instant against the one before."""
    del scene
    newest = Instant(0)
    for number, entry in enumerate(entries, 1):
        if entry.at < newest:
            return f"entry {number}, {entry.kind} at {entry.at}, after {newest}"
        newest = entry.at
    return ""


def the_chain_verifies(scene: Scene, path: Path) -> str:
    """Prove the hash chain."""
    del scene
    found = check_chain(path).first_difference
    return "" if found is None else f"entry {found.seq}: {found.what}"


def the_record_derives_again(scene: Scene, path: Path) -> str:
    """Prove that the recorded inputs give the recorded conclusions, over all restarts."""
    del scene
    found = derive_again(path, get, read_preset).difference
    return "" if found is None else f"entry {found.seq}: {found.what}"


AT_THE_END: Final = (nothing_is_missing_at_the_end, instants_on_disk_never_run_backwards)
OF_THE_FILE: Final = (the_chain_verifies, the_record_derives_again)
WHENEVER_READ: Final = (what_was_heard_is_in_the_record, what_was_told_is_in_the_record)


# -- a restart -------------------------------------------------------------------------------------


class Restart:
    """What the record kept of the lives before, and what was told when the station came up."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        resumed = max(n for n, entry in enumerate(entries) if entry.kind is EntryKind.RESUMED)
        self.entries_before = entries[:resumed]
        self.kept = changes_in(self.entries_before)
        self.since = changes_in(entries[resumed:])
        self.at = entries[resumed].at
        body = decode(entries[resumed])
        assert isinstance(body, Resumed)
        self.gap_s = body.gap_s
        self.heard_count = sum(entry.kind is EntryKind.HEARD for entry in entries)
        self.before = _sum_of(self.kept)
        self.after = _sum_of([*self.kept, *self.since])


def a_restart_is_written_down(scene: Scene, entries: Sequence[Entry]) -> str:
    """Look for a resumption for each time the station came up again."""
    count = sum(entry.kind is EntryKind.RESUMED for entry in entries)
    return "" if count == scene.restarts else f"{count} of {scene.restarts} are in the record"


def what_was_signalled_survives(scene: Scene, restart: Restart) -> str:
    """Hold what was announced from a disk that was well against what the record kept."""
    if len(restart.kept) >= scene.safe_count:
        return ""
    lost = scene.told[len(restart.kept)]
    return f"{lost.alarm} {lost.change} of {in_seconds(lost.at)} s was announced and is lost"


def nothing_ends_because_of_a_restart(scene: Scene, restart: Restart) -> str:
    """Hold the changes of a restart against those it may bring."""
    del scene
    for change in restart.since:
        if change.alarm in _BOUNDED_BY_TIME:
            continue
        if change.change not in _AT_A_RESTART:
            return f"{change.alarm} {change.change}"
        if change.change is Change.LATCHED and change.alarm != _GAP:
            return f"{change.alarm} {change.change}"
    stood = {name for name, each in restart.before.items() if each.is_standing or each.is_latched}
    gone = sorted(stood - set(restart.after) - _BOUNDED_BY_TIME)
    return f"{gone} are gone" if gone else ""


def acknowledgements_survive_a_restart(scene: Scene, restart: Restart) -> str:
    """Hold who had acknowledged what against who still has; only time and worse data end it."""
    del scene
    for alarm, signal in restart.before.items():
        after = restart.after.get(alarm, Signal())
        if signal.inactivation is not _ACKED or after.inactivation is _ACKED or alarm == _GAP:
            continue
        if any(
            change.alarm == alarm and change.change is Change.ESCALATED for change in restart.since
        ):
            continue
        done = max(
            change.at
            for change in restart.kept
            if (change.alarm, change.change) == (alarm, Change.ACKNOWLEDGED)
        )
        if restart.at - done < _SHORTEST_ACKNOWLEDGEMENT:
            return f"{alarm}, acknowledged {(restart.at - done) / 1e9:.1f} s before"
    return ""


def no_pause_or_off_survives_a_restart(scene: Scene, restart: Restart) -> str:
    """Look for something that was done to signals and is still in force, but acknowledgements."""
    del scene
    kept = [
        f"{alarm} is {signal.inactivation.words}"
        for alarm, signal in restart.after.items()
        if signal.inactivation not in {_ACKED, Inactivation.NONE}
    ]
    return ", ".join(kept)


def a_gap_is_told(scene: Scene, restart: Restart) -> str:
    """Look for the alarm that says how long nobody watched, unless no value grew stale in it."""
    del scene
    if restart.gap_s < _GAP_TOLD_MIN_S:
        return ""
    signal = restart.after.get(_GAP)
    return "" if signal is not None and signal.is_latched else f"{restart.gap_s} s, not a word"


AT_A_RESTART: Final = (
    what_was_signalled_survives,
    nothing_ends_because_of_a_restart,
    acknowledgements_survive_a_restart,
    no_pause_or_off_survives_a_restart,
    a_gap_is_told,
)


def changes_in(entries: Sequence[Entry]) -> list[AlarmChange]:
    """Return the alarm changes among `entries`."""
    decoded = [decode(entry) for entry in entries if entry.kind is EntryKind.ALARM]
    return [each for each in decoded if isinstance(each, AlarmChange)]


def entries_of(path: Path) -> list[Entry]:
    """Return everything in the record at `path`."""
    return [entry for _, entry in read_entries(path)]


def _sum_of(changes: Sequence[AlarmChange]) -> dict[str, Signal]:
    signals: dict[str, Signal] = {}
    for change in changes:
        add_up(signals, change)
    return signals
