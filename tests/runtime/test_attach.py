"""The attach link on a real Unix socket: pictures that may be skipped, commands that may not."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed

from monitor.attach.client import Feed, attach
from monitor.attach.messages import (
    MESSAGE_SIZE_MAX,
    PROTOCOL_VERSION,
    Answer,
    Command,
    Hello,
    SnapshotMessage,
    ToClient,
    TrendMessage,
    WaveMessage,
    decode_to_client,
    encode,
)
from monitor.attach.server import CLIENTS_MAX, WAVES_WAITING_MAX, AttachServer
from monitor.model.errors import MonitorError
from monitor.model.event import GenerationMode
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from monitor.model.session import Deed
from monitor.model.snapshot import ChairSnapshot, LoggedEvent, SittingSnapshot, StoreSnapshot

WAIT_S_MAX = 10.0
Message = TypeVar("Message")


def picture(view: int, weight: int = 0) -> ChairSnapshot:
    """Return a picture of chair 1; `weight` makes it as many bytes heavier."""
    return ChairSnapshot(
        view=view,
        chair="1",
        session="s",
        now=Instant(view),
        opened_utc_ns=0,
        mode=GenerationMode.DEMO,
        sitting=SittingSnapshot(),
        metrics=(),
        alarms=(),
        links=(),
        store=StoreSnapshot(),
        events=(LoggedEvent(at=Instant(0), what="event", text="x" * weight),),
    )


class _Board:
    """A station that shows one picture and accepts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Command] = []

    def hello(self) -> Hello:
        return Hello(PROTOCOL_VERSION, "test", "north", ("1",))

    def trends(self) -> list[TrendMessage]:
        return [TrendMessage("1", 5, {}, is_whole=True)]

    def pictures(self) -> list[ToClient]:
        return [SnapshotMessage(picture(1))]

    async def command(self, command: Command) -> Answer:
        self.asked.append(command)
        return Answer(command.number, is_accepted=True)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[AttachServer, _Board, Path]]:
    board = _Board()
    server = AttachServer(board)
    with TemporaryDirectory(prefix="vigil-") as folder:
        path = Path(folder) / "vigil.sock"
        async with server.listen(path):
            yield server, board, path


async def next_of(feed: Feed, kind: type[Message]) -> Message:
    async with asyncio.timeout(WAIT_S_MAX):
        async for message in feed.messages():
            if isinstance(message, kind):
                return message
    raise AssertionError(f"the link ended before a {kind.__name__} came")


async def until_attached(server: AttachServer, count: int) -> None:
    async with asyncio.timeout(WAIT_S_MAX):
        while server.screens != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)


def command(number: int = 1, **fields: object) -> Command:
    asked = {"chair": "1", "view": 1, "deed": Deed.ACKNOWLEDGE, "operator": "nurse"} | fields
    return Command(number=number, **asked)  # type: ignore[arg-type]


# -- pictures down ---------------------------------------------------------------------------------


async def test_a_new_screen_is_greeted_and_gets_the_whole_timeline_before_pictures() -> None:
    async with served() as (_, _, path), attach(path) as feed:
        kinds = []
        async for message in feed.messages():
            kinds.append(type(message))
            if isinstance(message, SnapshotMessage):
                break
    assert kinds == [Hello, TrendMessage, SnapshotMessage]


async def test_every_screen_sees_the_picture_and_one_that_leaves_takes_nothing_along() -> None:
    async with served() as (server, _, path), attach(path) as stays:
        async with attach(path) as leaves:
            await next_of(leaves, SnapshotMessage)
        await next_of(stays, SnapshotMessage)
        await until_attached(server, 1)
        server.publish_newest("1", SnapshotMessage(picture(2)))
        assert (await next_of(stays, SnapshotMessage)).chair.view == 2


async def test_a_slow_screen_skips_pictures_and_holds_nobody_up() -> None:
    async with served() as (server, _, path), attach(path) as quick:
        slow = await unix_connect(str(path), max_queue=1, compression=None)
        await next_of(quick, SnapshotMessage)
        await until_attached(server, 2)
        last = 60
        for view in range(2, last + 1):
            server.publish_newest("1", SnapshotMessage(picture(view, weight=400_000)))
            while (await next_of(quick, SnapshotMessage)).chair.view != view:
                pass
        seen = await _views_until(slow, last)
        await slow.close()
    assert seen[-1] == last
    assert len(seen) < last - 10
    assert seen == sorted(seen)


async def _views_until(connection: ClientConnection, last: int) -> list[int]:
    views: list[int] = []
    async with asyncio.timeout(WAIT_S_MAX):
        while not views or views[-1] != last:
            message = decode_to_client(await connection.recv())
            if isinstance(message, SnapshotMessage):
                views.append(message.chair.view)
    return views


async def test_what_waits_for_a_screen_that_never_reads_is_bounded() -> None:
    async with served() as (server, _, path):
        deaf = await unix_connect(str(path), max_queue=1)
        await until_attached(server, 1)
        wave = WaveMessage("1", Metric.PLETH, Instant(0), 75.0, (1.0,) * 75)
        for view in range(3_000):
            server.publish(wave)
            server.publish_newest("1", SnapshotMessage(picture(view)))
        (client,) = server._clients
        assert len(client._ordered) == WAVES_WAITING_MAX
        assert len(client._newest) == 1
        deaf.transport.abort()
        await deaf.wait_closed()


async def test_waves_come_in_order() -> None:
    async with served() as (server, _, path), attach(path) as feed:
        await next_of(feed, SnapshotMessage)
        for number in range(20):
            server.publish(WaveMessage("1", Metric.PLETH, Instant(number), 75.0, ()))
        got = [(await next_of(feed, WaveMessage)).at for _ in range(20)]
    assert got == list(range(20))


# -- commands up -----------------------------------------------------------------------------------


@pytest.mark.hazard("H19")
async def test_each_command_gets_its_own_answer_also_from_two_screens() -> None:
    async with served() as (_, board, path), attach(path) as one, attach(path) as two:
        await one.send(command(7))
        await two.send(command(7, operator="other"))
        assert await next_of(one, Answer) == Answer(7, is_accepted=True)
        assert await next_of(two, Answer) == Answer(7, is_accepted=True)
    assert sorted(each.operator for each in board.asked) == ["nurse", "other"]


@pytest.mark.hazard("H24")
@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{}",
        "[" * 5_000,
        b"\xff\xfe\x00",
        '{"type":"hello"}',
        '{"type":"command","number":1,"chair":"1","view":1,"deed":"stop_pump","operator":"n"}',
        '{"type":"command","number":"1","chair":"1","view":1,"deed":"reset","operator":"n"}',
        '{"type":"command","number":1,"chair":"1","view":1e99,"deed":"reset","operator":"n"}',
    ],
)
async def test_a_hostile_frame_is_answered_and_does_nothing(frame: str | bytes) -> None:
    async with served() as (_, board, path):
        connection = await unix_connect(str(path))
        await connection.send(frame)
        async with asyncio.timeout(WAIT_S_MAX):
            while not isinstance(said := decode_to_client(await connection.recv()), Answer):
                pass
        assert not said.is_accepted
        assert "not understood" in said.reason
        await connection.close()
        assert board.asked == []


@pytest.mark.hazard("H24")
async def test_a_frame_too_large_costs_its_sender_the_link_and_nobody_else() -> None:
    async with served() as (_, _, path), attach(path) as other:
        connection = await unix_connect(str(path), max_size=None)
        with contextlib.suppress(ConnectionClosed):
            await connection.send("9" * (MESSAGE_SIZE_MAX + 1))
        async with asyncio.timeout(WAIT_S_MAX):
            await connection.wait_closed()
        assert connection.close_code == 1009
        await other.send(command(3))
        assert (await next_of(other, Answer)).number == 3


@pytest.mark.hazard("H24")
async def test_more_screens_than_there_may_be_are_turned_away() -> None:
    async with served() as (server, _, path):
        crowd = [await unix_connect(str(path)) for _ in range(CLIENTS_MAX)]
        await until_attached(server, CLIENTS_MAX)
        late = await unix_connect(str(path))
        with pytest.raises(ConnectionClosed, match="more than"):
            await late.recv()
        await asyncio.gather(*(each.close() for each in crowd))


# -- the socket ------------------------------------------------------------------------------------


@pytest.mark.hazard("H24")
async def test_the_socket_is_its_owners_alone_and_is_gone_afterwards() -> None:
    async with served() as (_, _, path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_socket_that_a_killed_process_left_is_taken_and_a_served_one_is_not(
    tmp_path: Path,
) -> None:
    del tmp_path
    async with served() as (_, _, path):
        with pytest.raises(MonitorError, match="another"):
            async with AttachServer(_Board()).listen(path):
                pass
        left = path.with_name("left.sock")
        server = await asyncio.start_unix_server(lambda r, w: None, str(left))  # noqa: ARG005
        server.close()
        await server.wait_closed()
        left.touch()
        async with AttachServer(_Board()).listen(left), attach(left) as feed:
            await next_of(feed, Hello)


async def test_where_nobody_serves_is_said(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="no `vigil serve`"):
        async with attach(tmp_path / "none.sock"):
            pass


async def test_a_server_of_another_version_is_refused() -> None:
    class Newer(_Board):
        def hello(self) -> Hello:
            return Hello(PROTOCOL_VERSION + 1, "test", "north", ())

    with TemporaryDirectory(prefix="vigil-") as folder:
        path = Path(folder) / "vigil.sock"
        async with AttachServer(Newer()).listen(path), attach(path) as feed:
            with pytest.raises(MonitorError, match="version"):
                await next_of(feed, SnapshotMessage)


def test_messages_survive_the_way() -> None:
    for message in (SnapshotMessage(picture(3)), Answer(1, is_accepted=False, reason="no")):
        assert decode_to_client(encode(message)) == message
