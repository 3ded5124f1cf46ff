"""What every test may lean on: hypothesis profiles, a guard against left tasks, real servers."""

import asyncio
import functools
import inspect
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.services.servers import (
    Influxd,
    Mosquitto,
    Nginx,
    ServerMissingError,
    start_influxd,
    start_mosquitto,
    start_nginx_v2,
)

BROKER_PASSWORD = "open sesame"  # noqa: S105  # of a broker that lives for one test
IS_CI = os.environ.get("CI") == "true"
TASKS_END_WITHIN_S = 0.5

# A slow machine is no defect: no deadline. The same examples each time: a red run can be repeated.
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# A planted defect is to be noticed, not told well: few examples, and no search for a smaller one.
settings.register_profile(
    "mutants",
    settings.get_profile("ci"),
    max_examples=40,
    phases=[Phase.explicit, Phase.generate],
)
settings.register_profile("explore", settings.get_profile("ci"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# --- no test leaves a task -----------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wrap each coroutine test so that a task it started and left is a failure."""
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        laws = getattr(item.obj, "hypothesis", None)
        if laws is not None and inspect.iscoroutinefunction(laws.inner_test):
            laws.inner_test = _leaving_no_task(laws.inner_test)
        elif inspect.iscoroutinefunction(item.obj):
            item.obj = _leaving_no_task(item.obj)


def _leaving_no_task(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    if hasattr(test, "leaves_no_task"):
        return test

    @functools.wraps(test)
    async def guarded(*arguments: Any, **named: Any) -> None:
        before = asyncio.all_tasks()
        await test(*arguments, **named)
        left = asyncio.all_tasks() - before
        if left:
            # Tasks of a fixture's server may need a moment to see that the test hung up.
            _, left = await asyncio.wait(left, timeout=TASKS_END_WITHIN_S)
        assert not left, f"the test left tasks running: {left}"

    guarded.leaves_no_task = True  # type: ignore[attr-defined]  # a mark for repeated collection
    return guarded


# --- real servers --------------------------------------------------------------------------------

_Started = TypeVar("_Started", Influxd, Nginx, Mosquitto)


def _started(start: Callable[[], _Started]) -> Iterator[_Started]:
    try:
        running = start()
    except ServerMissingError as missing:
        if IS_CI:
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        yield running
    finally:
        running.server.stop()


@pytest.fixture
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A real InfluxDB 1.x with an empty database `vigil`."""
    folder = tmp_path_factory.mktemp("influxd")
    yield from _started(lambda: start_influxd(folder))


@pytest.fixture
def nginx_v2(influxd: Influxd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """An nginx that gives `influxd` the `/api/v2/write` path."""
    folder = tmp_path_factory.mktemp("nginx")
    yield from _started(lambda: start_nginx_v2(folder, influxd))


@pytest.fixture
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A real MQTT broker that lets anybody in."""
    folder = tmp_path_factory.mktemp("mosquitto")
    yield from _started(lambda: start_mosquitto(folder))


@pytest.fixture
def mosquitto_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A real MQTT broker that wants TLS and a password."""
    folder = tmp_path_factory.mktemp("mosquitto")
    yield from _started(lambda: start_mosquitto(folder, password=BROKER_PASSWORD, tls=True))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and protocol files beside the checkout; skips where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"no recordings beside the checkout ({folder.name}/ is absent)")
    return folder
