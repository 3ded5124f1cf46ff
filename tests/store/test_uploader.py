"""Uploading into a real InfluxDB: counts in both are equal, whatever happens on the way."""

import asyncio
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest

from monitor.model.entry import Entry, SelfCheck
from monitor.model.instant import Instant
from monitor.store import uploader as uploader_module
from monitor.store.influx import Answer, Api, Influx, Target, Verdict
from monitor.store.points import SEQ_SPAN, Channel
from monitor.store.reconcile import reconcile
from monitor.store.record import Record
from monitor.store.spool import STRETCH_POINTS_MAX, Spool
from monitor.store.uploader import Drain, Outcome, Uploader
from tests.services.servers import Influxd, Nginx, start_influxd, start_nginx_v2
from tests.store.sessions import OPENED, heard, make_record, opening, wave

WITHIN_S = 20.0


def v1(influxd: Influxd) -> Influx:
    """Return the engine itself, over the path it has had since 1.0."""
    return Influx(Target(url=influxd.url, bucket=influxd.database, api=Api.V1))


def v2(nginx: Nginx) -> Influx:
    """Return the engine behind the path of 2.x and 3.x."""
    return Influx(Target(url=nginx.url, bucket="vigil/autogen", org="clinic", token="any"))  # noqa: S106


def session() -> Iterable[Entry]:
    """Return a short session with numerics, waves and events."""
    yield opening()
    for n in range(500):
        yield heard(n * 250_000_000, 97.0 if n % 7 else None)
        yield wave(n * 250_000_000, [1.0, None, 2.0])


def drain_all(drain: Drain) -> list[Outcome]:
    """Step until nothing waits or the server will not; return what came of each step."""
    outcomes: list[Outcome] = []
    while not outcomes or not outcomes[-1].is_idle:
        outcomes.append(drain.step())
        if outcomes[-1].answer.verdict not in {Verdict.ACCEPTED, Verdict.TOO_LARGE}:
            break
    return outcomes


def upload(path: Path, influx: Influx) -> list[Outcome]:
    """Drain the record at `path` once."""
    drain = Drain(Spool(path), influx)
    outcomes = drain_all(drain)
    drain.close()
    return outcomes


@pytest.mark.service
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_both_write_paths_store_every_point_once(
    tmp_path: Path, influxd: Influxd, nginx_v2: Nginx, api: str
) -> None:
    path = make_record(tmp_path, session())
    influx = v1(influxd) if api == "v1" else v2(nginx_v2)
    upload(path, influx)
    found = reconcile(path, influx)
    counts = {each.channel: each.in_influx for each in found.channels}
    assert counts == {
        Channel("event", "session"): 1,
        Channel("vital", "spo2"): 500,
        Channel("wave", "pleth"): 1000,
    }
    assert found.is_equal
    influx.close()


@pytest.mark.service
def test_sending_everything_again_changes_nothing(tmp_path: Path, influxd: Influxd) -> None:
    path = make_record(tmp_path, session())
    influx = v1(influxd)
    for _ in range(2):
        upload(path, influx)
        assert reconcile(path, influx).is_equal
        record = Record.open(path)
        record.set_cursor("influx", 0)
        record.close()
    found = reconcile(path, influx)
    assert found.waiting == 1501
    assert sum(each.in_influx for each in found.channels) == 1501
    influx.close()


@pytest.mark.service
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_point_lies_at_its_time_not_a_thousand_times_too_early(
    tmp_path: Path, influxd: Influxd, nginx_v2: Nginx, api: str
) -> None:
    path = make_record(tmp_path, [opening(), heard(1_000_000_000)])
    influx = v1(influxd) if api == "v1" else v2(nginx_v2)
    upload(path, influx)
    (series,) = influx.query('SELECT "value" FROM "vital"')
    utc_ns = OPENED.anchor.utc_ns + 1_000_000_000
    assert series["values"] == [[utc_ns - utc_ns % SEQ_SPAN + 2, 97.0]]
    influx.close()


@pytest.mark.service
def test_readings_of_the_same_instant_do_not_overwrite_each_other(
    tmp_path: Path, influxd: Influxd
) -> None:
    path = make_record(tmp_path, [opening(), *(heard(5, float(n)) for n in range(1, 90))])
    influx = v1(influxd)
    upload(path, influx)
    (series,) = influx.query('SELECT "value" FROM "vital"')
    values = series["values"]
    assert isinstance(values, list)
    assert [value for _, value in values] == [float(n) for n in range(1, 90)]
    influx.close()


# --- refused for good ----------------------------------------------------------------------------


@pytest.mark.service
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_field_of_another_type_is_parked_and_the_rest_is_in(
    tmp_path: Path, influxd: Influxd, nginx_v2: Nginx, api: str
) -> None:
    influx = v1(influxd) if api == "v1" else v2(nginx_v2)
    foreign = (
        f'vital,x=y value="text" {OPENED.anchor.utc_ns}'  # the same shard: types are per shard
    )
    assert influx.write(foreign.encode()).verdict is Verdict.ACCEPTED
    path = make_record(tmp_path, [opening(), heard(1), heard(2, None), wave(3, [1.0])])
    outcomes = upload(path, influx)
    parked = [each for outcome in outcomes for each in outcome.parked]
    assert [(each.seq, each.points) for each in parked] == [(2, 1)]
    assert "type conflict" in parked[0].reason
    found = reconcile(path, influx)
    assert (found.parked, found.waiting, found.is_equal) == (1, 0, False)
    assert {each.channel.measurement: each.in_influx for each in found.channels} == {
        "event": 1,
        "vital": 1,
        "wave": 1,
    }
    influx.close()


# --- try later -----------------------------------------------------------------------------------


@pytest.mark.service
@pytest.mark.parametrize(
    ("trouble", "verdict"),
    [
        ("busy", Verdict.LATER),
        ("too-many", Verdict.LATER),
        ("forbidden", Verdict.MISCONFIGURED),
    ],
)
def test_a_refusal_moves_nothing_and_passes(
    tmp_path: Path, influxd: Influxd, nginx_v2: Nginx, trouble: str, verdict: Verdict
) -> None:
    path = make_record(tmp_path, session())
    influx = v2(nginx_v2)
    nginx_v2.answer_with(trouble)
    (outcome,) = upload(path, influx)
    assert outcome.answer.verdict is verdict
    if verdict is Verdict.LATER:
        assert outcome.answer.retry_after_s == 7.0
    assert reconcile(path, v1(influxd)).waiting == 1501
    nginx_v2.answer_with(None)
    upload(path, influx)
    assert reconcile(path, influx).is_equal
    influx.close()


@pytest.mark.service
def test_a_database_that_is_not_there_is_a_matter_of_configuration(
    tmp_path: Path, influxd: Influxd
) -> None:
    path = make_record(tmp_path, [opening()])
    for bucket in ("nodb", "vigil/norp"):
        influx = Influx(Target(url=influxd.url, bucket=bucket, api=Api.V1))
        (outcome,) = upload(path, influx)
        assert outcome.answer.verdict is Verdict.MISCONFIGURED
        influx.close()


@pytest.mark.service
def test_a_body_that_is_too_large_is_halved_until_it_fits(tmp_path: Path, influxd: Influxd) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    nginx = start_nginx_v2(folder, influxd, body_size_max="8k")
    path = make_record(tmp_path, [*session(), wave(10**12, [1.0] * 400)])
    influx = v2(nginx)
    try:
        outcomes = upload(path, influx)
        assert Verdict.TOO_LARGE in {outcome.answer.verdict for outcome in outcomes}
        assert reconcile(path, influx).is_equal
    finally:
        influx.close()
        nginx.server.stop()


@pytest.mark.service
def test_a_server_that_wants_a_name_gets_one(tmp_path: Path) -> None:
    folder = tmp_path / "influxd"
    folder.mkdir()
    influxd = start_influxd(folder, auth=True)
    path = make_record(tmp_path, [opening(), heard(1)])
    try:
        (outcome,) = upload(path, v1(influxd))
        assert outcome.answer.verdict is Verdict.MISCONFIGURED
        named = Influx(
            Target(url=influxd.url, bucket="vigil", api=Api.V1, username="a", password="open")  # noqa: S106
        )
        for deed in (
            "CREATE USER a WITH PASSWORD 'open' WITH ALL PRIVILEGES",
            "CREATE DATABASE vigil",
        ):
            named._ask("POST", "/query", [("q", deed)], b"-")
        upload(path, named)
        assert reconcile(path, named).is_equal
        named.close()
    finally:
        influxd.server.stop()


# --- the task ------------------------------------------------------------------------------------


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
