"""InfluxDB stopped under load and started again: in the end it holds what the record holds."""

import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.model.snapshot import ChairSnapshot
from tests.e2e.commands import vigil
from tests.e2e.site import Screen, Serve, Site, site
from tests.services.servers import Influxd, Nginx

pytestmark = [pytest.mark.service, pytest.mark.hazard("H18")]
SPEED = 20.0
ENTRIES_MEANWHILE = 500
LOOKS_MAX = 100


def _table(url: str, api: str) -> str:
    return f'[influx]\nurl = "{url}"\nbucket = "vigil"\norg = "clinic"\napi = "{api}"\n'


async def _until_equal(here: Site, screen: Screen) -> None:
    """Look each time the uploader says that nothing waits; give up after many looks."""
    for _ in range(LOOKS_MAX):
        await screen.until(lambda picture: not picture.store.waiting)
        found = vigil("reconcile", here.config, here.record, "--json")
        if found.code == 0:
            return
    raise AssertionError(found.out + found.err)


async def _upload_through_a_stop(here: Site, influxd: Influxd) -> Serve:
    serving = await here.serve()
    here.begin()
    async with here.screen() as screen:
        await screen.until(lambda picture: picture.store.entries > ENTRIES_MEANWHILE)
        influxd.server.kill()
        await screen.until(lambda picture: picture.store.influx == "waiting")
        stopped = await screen.until(lambda picture: bool(picture.store.waiting))
        later = await screen.until(_has_more(stopped))
        assert later.now > stopped.now
        influxd.start()
        await screen.until(lambda picture: picture.store.influx == "ok")
        await here.devices.end()  # so that there is an end to what can be counted
        await _until_equal(here, screen)
    return serving


def _has_more(than: ChairSnapshot) -> Callable[[ChairSnapshot], bool]:
    return lambda picture: picture.store.entries > than.store.entries + ENTRIES_MEANWHILE


async def test_a_1x_server_that_was_away_has_every_point_in_the_end_and_a_loss_is_told(
    place: Path, influxd: Influxd
) -> None:
    more = _table(influxd.url, "v1")
    async with site("hypertensive-peak", place, speed=SPEED, more=more) as here:
        serving = await _upload_through_a_stop(here, influxd)
        assert await serving.end() == 0
        _drop_series(influxd, "spo2")
        found = vigil("reconcile", here.config, here.record)
        assert found.code == 1
        assert "spo2" in found.err


def _drop_series(influxd: Influxd, metric: str) -> None:
    query = urllib.parse.urlencode({"q": f"DROP SERIES FROM vital WHERE metric = '{metric}'"})
    url = f"{influxd.url}/query?db={influxd.database}"
    with urllib.request.urlopen(url, query.encode(), timeout=5) as answer:  # noqa: S310 - loopback
        assert answer.status == 200


async def test_a_2x_server_that_was_away_has_every_point_in_the_end(
    place: Path, influxd: Influxd, nginx_v2: Nginx
) -> None:
    more = _table(nginx_v2.url, "v2")
    async with site("quiet", place, speed=SPEED, more=more) as here:
        serving = await _upload_through_a_stop(here, influxd)
        assert await serving.end() == 0
