"""The task that uploads: what it tells, when, and how it ends."""

import asyncio
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest

from monitor.model.entry import SelfCheck
from monitor.model.instant import Instant
from monitor.store import uploader as uploader_module
from monitor.store.influx import Answer, Verdict
from monitor.store.reconcile import reconcile
from monitor.store.record import Record
from monitor.store.spool import STRETCH_POINTS_MAX, Spool
from monitor.store.uploader import Drain, Outcome, Uploader
from tests.services.servers import Influxd
from tests.store.sessions import OPENED, heard, make_record, opening, wave
from tests.store.uploads import drain_all, v1

WITHIN_S = 20.0


def uploader(drain: Drain, told: list[SelfCheck]) -> Uploader:
    """Return the task with a seeded spread, telling into a list."""
    return Uploader(drain, chance=random.Random(1), now=lambda: Instant(42), report=told.append)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(WITHIN_S):
        while not is_so():
            await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(bool))])


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for it."""
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the task look and retry without waiting long."""
    monkeypatch.setattr(uploader_module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(uploader_module, "RETRY_S_MIN", 0.01)
    monkeypatch.setattr(uploader_module, "RETRY_S_MAX", 0.05)


@pytest.mark.service
@pytest.mark.hazard("H18")
@pytest.mark.usefixtures("hurried")
async def test_an_outage_under_load_loses_nothing(tmp_path: Path, influxd: Influxd) -> None:
    record = Record.create(tmp_path / f"{OPENED.session}.vigil", OPENED.session)
    record.append(opening())
    record.commit()
    told: list[SelfCheck] = []
    drain = Drain(Spool(record.path), v1(influxd))
    task = asyncio.create_task(uploader(drain, told).run())
    for n in range(600):
        record.append(heard(n * 10_000_000))
        record.append(wave(n * 10_000_000, [1.0, 2.0]))
        record.commit()
        if n == 200:
            await until(lambda: drain.waiting == 0)
            influxd.server.kill()
        if n == 400:
            await until(lambda: bool(told))
            assert drain.waiting > 0
            influxd.start()
    await until(lambda: len(told) == 2 and drain.waiting == 0)
    await until(lambda: record.cursor("influx") == record.last_seq)
    await ended(task)
    assert [(each.part, each.is_well, each.at) for each in told] == [
        ("influx", False, 42),
        ("influx", True, 42),
    ]
    record.close()
    found = reconcile(record.path, v1(influxd))
    assert found.is_equal
    assert {each.channel.measurement: each.in_influx for each in found.channels} == {
        "event": 1,
        "vital": 600,
        "wave": 1200,
    }


class Scripted:
    """A server that gives answers from a list, then accepts."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    def write(self, body: bytes) -> Answer:
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else Answer(Verdict.ACCEPTED)


class Watched(Drain):
    """A drain that knows whether it has found nothing to do: then all before has been told."""

    was_idle = False

    def step(self) -> Outcome:
        outcome = super().step()
        self.was_idle = outcome.is_idle
        return outcome


async def told_by(path: Path, server: Scripted) -> list[SelfCheck]:
    """Upload a record to a scripted server and return what the task told."""
    told: list[SelfCheck] = []
    drain = Watched(Spool(path), server)
    task = asyncio.create_task(uploader(drain, told).run())
    await until(lambda: drain.was_idle)
    await ended(task)
    assert not server.answers
    return told


LATER = Answer(Verdict.LATER, "503: busy")


@pytest.mark.usefixtures("hurried")
async def test_one_refused_request_is_no_news(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1)])
    assert await told_by(path, Scripted([LATER, LATER])) == []


@pytest.mark.usefixtures("hurried")
async def test_trouble_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1)])
    told = await told_by(path, Scripted([LATER] * 9))
    assert [(each.is_well, each.reason) for each in told] == [(False, "503: busy"), (True, "")]


async def test_a_wrong_token_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploader_module, "RETRY_MISCONFIGURED_S", 0.01)
    path = make_record(tmp_path, [opening(), heard(1)])
    told = await told_by(path, Scripted([Answer(Verdict.MISCONFIGURED, "401: no")]))
    assert [each.is_well for each in told] == [False, True]


@pytest.mark.usefixtures("hurried")
async def test_points_refused_for_good_are_told_once_for_each_reason(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), *(heard(n) for n in range(3 * STRETCH_POINTS_MAX))])
    refusal = Answer(Verdict.LINES_REFUSED, "400: type conflict", dropped=STRETCH_POINTS_MAX)
    record = Record.open(path)
    record.set_cursor("influx", 1)  # the vitals alone: lines of one shape, refused as one
    record.close()
    told = await told_by(path, Scripted([refusal] * 3))
    assert [(each.part, each.is_well) for each in told] == [("influx_points", False)]
    assert "from entry 2 on" in told[0].reason


async def test_a_record_that_fails_is_trouble_not_a_crash(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1)])
    spool = Spool(path)
    spool._connection.execute("PRAGMA query_only = ON")  # a file system gone read-only
    drain = Drain(spool, Scripted([]))
    outcome = drain.step()
    assert outcome.answer.verdict is Verdict.LATER
    assert "the record" in outcome.answer.reason
    drain.close()


async def test_cancelling_waits_for_the_request_in_progress(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), *(heard(n) for n in range(2000))])
    server = Scripted([])
    task = asyncio.create_task(uploader(Drain(Spool(path), server), []).run())
    await until(lambda: len(server.bodies) > 0)
    await ended(task)
    record = Record.open(path)
    assert record.cursor("influx") == record.last_seq
    record.close()


def test_the_word_for_the_screen_follows_the_state(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening()])
    drain = Drain(Spool(path), Scripted([]))
    running = uploader(drain, [])
    assert running.state == "ok"
    running._take(Outcome(LATER))
    assert (running.state, running.reason) == ("waiting", "503: busy")
    running._take(Outcome(Answer(Verdict.ACCEPTED)))
    drain.waiting = STRETCH_POINTS_MAX + 1
    assert (running.state, running.reason, running.waiting) == ("sending", "", drain.waiting)
    drain.close()


def test_a_drained_stretch_is_sent_as_one_body(tmp_path: Path) -> None:
    path = make_record(tmp_path, [opening(), heard(1), heard(2)])
    server = Scripted([])
    drain = Drain(Spool(path), server)
    drain_all(drain)
    (body,) = server.bodies
    assert body.count(b"\n") == 2
    drain.close()


def test_one_entry_too_large_for_the_server_is_parked_point_by_point(tmp_path: Path) -> None:
    class Tiny:
        def write(self, body: bytes) -> Answer:
            fits = len(body) < 10
            return Answer(Verdict.ACCEPTED if fits else Verdict.TOO_LARGE, "" if fits else "413")

    path = make_record(tmp_path, [opening(), wave(1, [1.0] * 5)])
    drain = Drain(Spool(path), Tiny())
    outcomes = drain_all(drain)
    parked = [each for outcome in outcomes for each in outcome.parked]
    assert [(each.seq, each.points) for each in parked] == [(1, 1), (2, 5)]
    assert msgspec.structs.asdict(parked[0])["reason"] == "413"
    drain.close()
