"""Upload a record once, to either write path of a real engine."""

from pathlib import Path

from monitor.store.influx import Api, Influx, Target, Verdict
from monitor.store.spool import Spool
from monitor.store.uploader import Drain, Outcome
from tests.services.servers import Influxd, Nginx


def v1(influxd: Influxd) -> Influx:
    """Return the engine itself, over the path it has had since 1.0."""
    return Influx(Target(url=influxd.url, bucket=influxd.database, api=Api.V1))


def v2(nginx: Nginx) -> Influx:
    """Return the engine behind the path of 2.x and 3.x."""
    return Influx(Target(url=nginx.url, bucket="vigil/autogen", org="clinic", token="any"))  # noqa: S106


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
