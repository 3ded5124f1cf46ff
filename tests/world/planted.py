"""Defects to plant, one for each law: what would be wrong, and which law must say so."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
import pytest

from alarms import condition, equipment, step
from alarms.board import Board
from alarms.clock import Evidence
from alarms.condition import Condition, Input, Outcome
from alarms.system import AlarmSystem
from drivers.devices import capnostream, nonin
from drivers.parts.nonin_packet import Packet
from monitor.model.alarm import Change, Inactivation, SignalPresence
from monitor.model.entry import EntryKind
from monitor.model.instant import Duration, Instant
from monitor.model.link import LinkState
from monitor.runtime import chair as chairs
from monitor.runtime import link as links
from monitor.runtime.clock import SessionClock
from monitor.runtime.committer import Committer
from monitor.runtime.picture import Picture
from monitor.runtime.pipeline import Pipeline
from monitor.store import layout
from monitor.store import record as records
from monitor.store.record import Record
from monitor.store.spool import Spool

Patch = pytest.MonkeyPatch
_ON, _OFF = SignalPresence.ON, SignalPresence.OFF
_SOME_NS: Final = 700_000_000


class Defect(msgspec.Struct, frozen=True):
    """One defect. `seed` is a session in which the law is known to notice."""

    law: str
    plant: Callable[[Patch], None]
    seed: int


def _with(function: Callable[..., Any], change: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with its result, and what it was called with, put through `change`."""
    return lambda *args, **named: change(function(*args, **named), *args)


# -- the alarm core --------------------------------------------------------------------------------


def loss_of_signal_ends_a_condition(patch: Patch) -> None:
    cell = (Condition.PRESENT, _ON, Inactivation.NONE)
    gone = Outcome((Condition.ABSENT, _OFF, Inactivation.NONE), (Change.ENDED,))
    patch.setitem(condition.TABLE, (cell, Input.UNKNOWN), gone)


def delays_run_for_ever(patch: Patch) -> None:
    patch.setattr(Evidence, "due", lambda self, delay: None if delay else self.since)


def a_deed_prolongs_every_other_one(patch: Patch) -> None:
    act = Board.act

    def act_on_one(self: Board, watch: object, *rest: Any) -> None:
        act(self, watch, *rest)  # type: ignore[arg-type]  # passed on as it came
        for each in self:
            if each is not watch and each.state.until is not None:
                until = Instant(each.state.until + _SOME_NS)
                each.state = msgspec.structs.replace(each.state, until=until)

    patch.setattr(Board, "act", act_on_one)


def a_restart_keeps_pauses(patch: Patch) -> None:
    for cell in condition.CELLS:
        outcome = condition.TABLE[cell, Input.RESTART]
        changes = tuple(each for each in outcome.changes if each is not Change.RESUMED)
        kept = Outcome((*outcome.cell[:2], cell[2]), changes)
        patch.setitem(condition.TABLE, (cell, Input.RESTART), kept)


def an_acknowledgement_outlives_its_occurrence(patch: Patch) -> None:
    for operator in (Inactivation.AUDIO_PAUSED, Inactivation.ACKNOWLEDGED):
        cell = (Condition.CANDIDATE, SignalPresence.LATCHED, operator)
        quiet = Outcome((Condition.PRESENT, _ON, operator), (Change.PRESENT,))
        for over in (Input.DELAY_OVER, Input.SEVERE_DELAY_OVER):
            patch.setitem(condition.TABLE, (cell, over), quiet)
    for standing in (Condition.PRESENT, Condition.HELD):
        for operator in (Inactivation.AUDIO_PAUSED, Inactivation.ACKNOWLEDGED):
            cell = (standing, _ON, operator)
            quiet = Outcome(cell, (Change.ESCALATED,))
            patch.setitem(condition.TABLE, (cell, Input.SEVERE_DELAY_OVER), quiet)


def the_limit_set_is_not_asked(patch: Patch) -> None:
    patch.setattr(AlarmSystem, "_forbidden", lambda *_: "")


def pauses_last_for_ever(patch: Patch) -> None:
    patch.setattr(step, "length_of", lambda *_: Duration(10**18))


def a_restart_forgets_acknowledgements(patch: Patch) -> None:
    for standing in (Condition.PRESENT, Condition.HELD):
        cell = (standing, _ON, Inactivation.ACKNOWLEDGED)
        goal = (Condition.HELD, _ON, Inactivation.NONE)
        held = (Change.HELD,) if standing is Condition.PRESENT else ()
        patch.setitem(
            condition.TABLE, (cell, Input.RESTART), Outcome(goal, (*held, Change.RESUMED))
        )


def a_restart_ends_conditions(patch: Patch) -> None:
    cell = (Condition.PRESENT, _ON, Inactivation.NONE)
    gone = Outcome((Condition.ABSENT, _OFF, Inactivation.NONE), (Change.ENDED,))
    patch.setitem(condition.TABLE, (cell, Input.RESTART), gone)


def gaps_are_not_told(patch: Patch) -> None:
    patch.setattr(equipment.Equipment, "note_gap", lambda *_: None)


def changes_are_stamped_with_the_last_look(patch: Patch) -> None:
    def stamp(change: Any, *_: object) -> Any:
        return msgspec.structs.replace(change, at=Instant(max(0, change.at - _SOME_NS)))

    patch.setattr(Board, "_change", _with(Board._change, stamp))


def held_is_not_shown(patch: Patch) -> None:
    def hide(alarms: Any, *_: object) -> Any:
        return tuple(msgspec.structs.replace(each, held_since=None) for each in alarms)

    patch.setattr(AlarmSystem, "alarms", _with(AlarmSystem.alarms, hide))


def silence_counts_as_up(patch: Patch) -> None:
    hear = equipment.Equipment.hear_link

    def hear_link(self: Any, change: Any, now: Instant) -> None:
        hear(self, change, now)
        if change.state is LinkState.LOST:
            watch = self._watch(f"link_{change.link}")
            board_ = self._board
            board_.judge(watch, Input.VIOLATED, now)
            watch.state = msgspec.structs.replace(
                watch.state, condition=Condition.PRESENT, signal=_ON, evidence=None
            )
            board_.judge(watch, Input.NORMAL, now)

    patch.setattr(equipment.Equipment, "hear_link", hear_link)


# -- drivers ---------------------------------------------------------------------------------------


def a_checksum_is_computed_and_not_compared(patch: Patch) -> None:
    patch.setattr(capnostream, "exclusive_or", lambda frame: 0)  # noqa: ARG005


def readings_are_stamped_with_their_packet_before(patch: Patch) -> None:
    tell = Packet.tell
    patch.setattr(
        Packet, "tell", lambda self, pairs, now, *more: tell(self, pairs, now - _SOME_NS, *more)
    )


# -- the record ------------------------------------------------------------------------------------


def the_record_drops_an_entry(patch: Patch) -> None:
    append, count = Record.append, itertools.count(1)

    def forget(self: Record, entry: Any) -> int:
        if entry.kind is EntryKind.HEARD and next(count) % 200 == 0:
            return self.last_seq
        return append(self, entry)

    patch.setattr(Record, "append", forget)


def the_record_alters_a_change(patch: Patch) -> None:
    append = Record.append

    def alter(self: Record, entry: Any) -> int:
        if entry.kind is EntryKind.ALARM:
            body = entry.body.replace(b'"medium"', b'"low"')
            entry = msgspec.structs.replace(entry, body=body)
        return append(self, entry)

    patch.setattr(Record, "append", alter)


def the_chain_leaves_the_body_out(patch: Patch) -> None:
    chain_hash = layout.chain_hash
    patch.setattr(
        records,
        "chain_hash",
        lambda before, seq, at, what: chain_hash(before, seq, at, (what[0], what[1], b"")),
    )


def the_end_is_not_written(patch: Patch) -> None:
    async def do_nothing(self: Committer) -> None:
        del self

    patch.setattr(Committer, "_finish", do_nothing)
    patch.setattr(Record, "close", lambda self: self._connection.close())


def signals_do_not_wait_for_the_disk(patch: Patch) -> None:
    async def at_once(self: Committer) -> None:
        del self

    patch.setattr(Committer, "commit_before_signal", at_once)


def a_commit_is_not_durable(patch: Patch) -> None:
    """What was written is noted as written, and only a start reaches the file."""
    put = Record._put

    def pretend(self: Record, rows: Any) -> None:
        if rows[0][2] in {"opened", "resumed"}:
            put(self, rows)

    patch.setattr(Record, "_put", pretend)


def a_restart_is_not_recorded(patch: Patch) -> None:
    append = Record.append

    def forget(self: Record, entry: Any) -> int:
        return self.last_seq if entry.kind is EntryKind.RESUMED else append(self, entry)

    patch.setattr(Record, "append", forget)


def entries_run_backwards(patch: Patch) -> None:
    append = Record.append

    def back(self: Record, entry: Any) -> int:
        if entry.kind is EntryKind.CHECKPOINT:
            entry = msgspec.structs.replace(entry, at=Instant(entry.at - 1))
        return append(self, entry)

    patch.setattr(Record, "append", back)


def inputs_are_recorded_cut_short(patch: Patch) -> None:
    append = Record.append

    def cut(self: Record, entry: Any) -> int:
        if entry.kind is EntryKind.RECEIVED:
            entry = msgspec.structs.replace(entry, body=entry.body[:60])
        return append(self, entry)

    patch.setattr(Record, "append", cut)


def the_spool_passes_over_an_entry(patch: Patch) -> None:
    def skip(page: Any, *_: object) -> Any:
        return page[0][1:], page[1]

    patch.setattr(Spool, "_page", _with(Spool._page, skip))


# -- the shell -------------------------------------------------------------------------------------


def the_screen_misses_values(patch: Patch) -> None:
    take, count = Picture.take_event, itertools.count(1)

    def miss(self: Picture, link: str, event: Any, now: Instant) -> None:
        if next(count) % 50 > 10:
            take(self, link, event, now)

    patch.setattr(Picture, "take_event", miss)


def old_values_look_current(patch: Patch) -> None:
    def renew(tile: Any, *_: object) -> Any:
        return msgspec.structs.replace(tile, is_stale=False)

    patch.setattr(Picture, "_metric", _with(Picture._metric, renew))


def instants_follow_the_wall_clock(patch: Patch) -> None:
    patch.setattr(
        SessionClock,
        "now",
        lambda self: Instant(self._utc_ns() - self.anchor.utc_ns + self.anchor.at),
    )


def changes_wait_for_the_next_group(patch: Patch) -> None:
    async def slowly(self: Committer) -> None:
        await asyncio.wait_for(asyncio.Event().wait(), 5)
        await self.commit()

    patch.setattr(Committer, "commit_before_signal", slowly)


def changes_are_announced_in_another_order(patch: Patch) -> None:
    def turn(self: Any, *_: object) -> None:
        changes, self._unsaid = self._unsaid[::-1], []
        if changes:
            self.announce(changes)

    patch.setattr(chairs.Chair, "_say", turn)


def a_failing_disk_is_nobodys_business(patch: Patch) -> None:
    patch.setattr(chairs.Chair, "check_self", lambda *_, **__: None)


def a_task_is_left_for_each_connection(patch: Patch) -> None:
    begin = links.Link.begin

    def begin_and_leave(self: Any) -> None:
        begin(self)
        for _ in range(10):
            self.left = [*getattr(self, "left", []), self._loop.create_task(_for_ever())]

    patch.setattr(links.Link, "begin", begin_and_leave)


async def _for_ever() -> None:
    await asyncio.get_running_loop().create_future()


def a_strange_byte_ends_the_process(patch: Patch) -> None:
    receive = nonin.NoninProtocol.receive

    def fragile(self: Any, data: bytes, now: Instant) -> Any:
        assert data.count(b"\x01") < 40, "nobody sends that"
        return receive(self, data, now)

    patch.setattr(nonin.NoninProtocol, "receive", fragile)


def a_restart_opens_another_session(patch: Patch) -> None:
    from monitor.runtime import sessions  # noqa: PLC0415  # patched below, by name

    patch.setattr(sessions, "_why_not", lambda *_: "it is Monday")


def checkpoints_are_not_gone_on_from(patch: Patch) -> None:
    patch.setattr(Pipeline, "restore", lambda *_: None)


def defects() -> Iterable[Defect]:
    """Return every defect with the law that must notice it."""
    yield Defect("no signal ends without its cause ending", loss_of_signal_ends_a_condition, 2)
    yield Defect("low for long enough is signalled in time", delays_run_for_ever, 4)
    yield Defect("acting on one alarm leaves the others alone", a_deed_prolongs_every_other_one, 27)
    yield Defect("no pause or off survives a restart", a_restart_keeps_pauses, 12)
    new = "a new occurrence signals unless the condition was inactivated"
    yield Defect(new, an_acknowledgement_outlives_its_occurrence, 18)
    yield Defect("nothing is inactivated that must signal", the_limit_set_is_not_asked, 21)
    yield Defect("a pause ends and what is off reminds", pauses_last_for_ever, 0)
    yield Defect("acknowledgements survive a restart", a_restart_forgets_acknowledgements, 95)
    yield Defect("nothing ends because of a restart", a_restart_ends_conditions, 4)
    yield Defect("a gap is told", gaps_are_not_told, 4)
    yield Defect("a change is told when it is due", changes_are_stamped_with_the_last_look, 0)
    yield Defect("the alarms shown are what was told", held_is_not_shown, 1)
    yield Defect("a lost link stays told until it is up", silence_counts_as_up, 8)
    yield Defect("nothing heard was never said", a_checksum_is_computed_and_not_compared, 19)
    stamped = readings_are_stamped_with_their_packet_before
    yield Defect("nothing is stamped with another moment", stamped, 1)
    yield Defect("what was heard is in the record", the_record_drops_an_entry, 0)
    yield Defect("what was told is in the record", the_record_alters_a_change, 0)
    yield Defect("the chain verifies", the_chain_leaves_the_body_out, 0)
    yield Defect("nothing is missing at the end", the_end_is_not_written, 0)
    yield Defect("what is signalled was written first", signals_do_not_wait_for_the_disk, 0)
    yield Defect("what was signalled survives", a_commit_is_not_durable, 4)
    yield Defect("a restart is written down", a_restart_is_not_recorded, 4)
    yield Defect("instants on disk never run backwards", entries_run_backwards, 0)
    yield Defect("the record derives again", inputs_are_recorded_cut_short, 0)
    yield Defect("the record derives again", checkpoints_are_not_gone_on_from, 16)
    stored = "what is stored is the record without a gap"
    yield Defect(stored, the_spool_passes_over_an_entry, 4)
    yield Defect("what is on the screen was heard", the_screen_misses_values, 0)
    yield Defect("an old value is never shown as current", old_values_look_current, 0)
    yield Defect("time only goes forward", instants_follow_the_wall_clock, 21)
    yield Defect("what was told is announced soon", changes_wait_for_the_next_group, 0)
    order = "what is announced was told in that order"
    yield Defect(order, changes_are_announced_in_another_order, 0)
    yield Defect("a disk that fails is told", a_failing_disk_is_nobodys_business, 4)
    yield Defect("everything that grows stays bounded", a_task_is_left_for_each_connection, 0)
    yield Defect("the station never fails", a_strange_byte_ends_the_process, 5)
    yield Defect("the session goes on", a_restart_opens_another_session, 4)
