"""The screen on the real link: a Unix socket, the real server and the real client."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from dashboards.app import VigilApp
from dashboards.feed import Connect
from dashboards.rehearsal import apnoea, trends, waves
from monitor.attach.client import attach
from monitor.attach.messages import (
    PROTOCOL_VERSION,
    Answer,
    Command,
    Hello,
    SnapshotMessage,
    ToClient,
    TrendMessage,
)
from monitor.attach.server import AttachServer
from monitor.model.session import Deed
from tests.dashboards.staging import moved

TRIES_MAX = 200


class OneChair:
    """A station of one chair that accepts everything."""

    def __init__(self) -> None:
        self.chair = apnoea()
        self.asked: list[Command] = []

    def hello(self) -> Hello:
        return Hello(PROTOCOL_VERSION, "vigil", "clinic", ("2",))

    def trends(self) -> list[TrendMessage]:
        return [trends(self.chair)]

    def pictures(self) -> list[ToClient]:
        return [SnapshotMessage(self.chair)]

    async def command(self, command: Command) -> Answer:
        self.asked.append(command)
        return Answer(command.number, is_accepted=False, reason="somebody else was faster")


def screen_of(app: VigilApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Wait for the other side of the socket, not for time."""
    for _ in range(TRIES_MAX):
        if holds():
            return
        await pilot.pause(0.02)
    assert holds()


async def test_a_chair_is_watched_and_commanded_through_the_real_socket(tmp_path: Path) -> None:
    station, path, now_s = OneChair(), tmp_path / "vigil.sock", [100.0]
    server = AttachServer(station)
    connect: Connect = lambda: attach(path)  # noqa: E731 - its type is what is under test
    app = VigilApp(connect, chair=None, operator="nurse-1", clock=lambda: now_s[0], retry_s=0.02)
    async with server.listen(path):
        async with app.run_test(size=(110, 34)) as pilot:
            await until(pilot, lambda: "!!! Apnoea" in screen_of(app))
            for message in waves(station.chair):
                server.publish(message)
            await until(pilot, lambda: "Pleth no waveform" not in screen_of(app))
            now_s[0] += 1
            await pilot.press("a")
            await until(pilot, lambda: "REFUSED: somebody else was faster" in screen_of(app))
            assert [(each.deed, each.view) for each in station.asked] == [(Deed.ACKNOWLEDGE, 4712)]
            now_s[0] += 5
            await until(pilot, lambda: "no picture for 6 s" in screen_of(app))
            fresh = SnapshotMessage(moved(station.chair, 6))
            server.publish_newest("2", fresh)
            await until(pilot, lambda: "no picture for" not in screen_of(app))
        while server.screens:  # a server sees that a screen has gone when it next speaks to it
            server.publish(fresh)
            await asyncio.sleep(0)


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nobody.sock"
    now_s = [0.0]
    app = VigilApp(
        lambda: attach(path), chair=None, operator="n", clock=lambda: now_s[0], retry_s=0.02
    )
    async with app.run_test(size=(160, 50)) as pilot:
        now_s[0] = 3.0
        await until(pilot, lambda: "no `vigil serve` at" in screen_of(app))
