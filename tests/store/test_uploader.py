"""Uploading into a real InfluxDB: counts in both are equal, whatever happens on the way."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from monitor.model.entry import Entry
from monitor.store.influx import Api, Influx, Target, Verdict
from monitor.store.points import SEQ_SPAN, Channel
from monitor.store.reconcile import reconcile
from monitor.store.record import Record
from tests.services.servers import Influxd, Nginx, start_influxd, start_nginx_v2
from tests.store.sessions import OPENED, heard, make_record, opening, wave
from tests.store.uploads import upload, v1, v2


def session() -> Iterable[Entry]:
    """Return a short session with numerics, waves and events."""
    yield opening()
    for n in range(500):
        yield heard(n * 250_000_000, 97.0 if n % 7 else None)
        yield wave(n * 250_000_000, [1.0, None, 2.0])


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
