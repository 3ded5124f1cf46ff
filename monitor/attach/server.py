"""The server's side of the attach link: pictures down, commands up, any number of screens.

A Unix socket by default: who may open the file may watch and act. A screen that reads slowly skips
pictures; it never holds up the alarm path, because each has its own bounded mailbox.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Protocol

import msgspec
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from monitor.attach.messages import (
    MESSAGE_SIZE_MAX,
    Answer,
    Command,
    Hello,
    ToClient,
    TrendMessage,
    decode_to_server,
    encode,
)
from monitor.model.errors import MonitorError

WAVES_WAITING_MAX: Final = 400
"""Wave pieces kept for a screen that is slow: about half a minute; the oldest go first."""

CLIENTS_MAX: Final = 64
SOCKET_MODE: Final = 0o600


class Station(Protocol):
    """What the server shows and whom it asks: the chairs of this process."""

    def hello(self) -> Hello:
        """Return the first message for a new screen."""

    def trends(self) -> list[TrendMessage]:
        """Return the whole timelines, for a new screen."""

    def pictures(self) -> list[ToClient]:
        """Return the newest picture of each chair."""

    async def command(self, command: Command) -> Answer:
        """Do what an operator asks, or say why not."""


class _Client:
    """One screen's mailbox: the newest picture a chair, answers and waves in order."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}
        self._ordered: deque[str] = deque(maxlen=WAVES_WAITING_MAX)
        self.has_missed = False
        self._answers: deque[str] = deque()
        self._has_mail = asyncio.Event()

    def put_newest(self, key: str, frame: str) -> None:
        self._newest[key] = frame
        self._has_mail.set()

    def put_ordered(self, frame: str) -> None:
        self.has_missed |= len(self._ordered) == WAVES_WAITING_MAX
        self._ordered.append(frame)
        self._has_mail.set()

    def put_answer(self, frame: str) -> None:
        self._answers.append(frame)
        self._has_mail.set()

    async def take(self) -> list[str]:
        await self._has_mail.wait()
        self._has_mail.clear()
        frames = [*self._answers, *self._newest.values(), *self._ordered]
        self._answers.clear()
        self._newest.clear()
        self._ordered.clear()
        return frames


class AttachServer:
    """Serves the station to screens, over one socket."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._clients: set[_Client] = set()

    @property
    def screens(self) -> int:
        """How many screens are attached."""
        return len(self._clients)

    @contextlib.asynccontextmanager
    async def listen(self, path: Path) -> AsyncIterator[None]:
        """Serve on the Unix socket at `path` while the context lasts.

        Raises:
            MonitorError: another process serves there, or the place cannot be written.
        """
        await _make_room(path)
        try:
            # On one machine, packing a picture costs more than passing it.
            server = await unix_serve(
                self._serve, str(path), max_size=MESSAGE_SIZE_MAX, compression=None
            )
        except OSError as error:
            raise MonitorError(f"attach socket {path}: {error.strerror or error}") from error
        path.chmod(SOCKET_MODE)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()
            path.unlink(missing_ok=True)

    def publish_newest(self, key: str, message: ToClient) -> None:
        """Show `message` to every screen, in place of an older one of that key."""
        if not self._clients:
            return
        frame = encode(message)
        for client in self._clients:
            client.put_newest(key, frame)

    def publish(self, message: ToClient) -> None:
        """Send `message` to every screen, in order, bounded."""
        if not self._clients:
            return
        frame = encode(message)
        for client in self._clients:
            client.put_ordered(frame)

    async def _serve(self, connection: ServerConnection) -> None:
        if len(self._clients) >= CLIENTS_MAX:
            await connection.close(1013, f"more than {CLIENTS_MAX} screens")
            return
        client = _Client()
        reading = asyncio.create_task(self._read(connection, client))
        writing = asyncio.create_task(self._write(connection, client))
        try:
            self._clients.add(client)  # first: what happens during the greeting waits for it
            await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._clients.discard(client)
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)

    async def _write(self, connection: ServerConnection, client: _Client) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._greet(connection)
            while True:
                for frame in await client.take():
                    await connection.send(frame)
                if client.has_missed:
                    # Bins of the timeline were among what it missed: a gap that never was.
                    client.has_missed = False
                    for message in self._station.trends():
                        await connection.send(encode(message))

    async def _greet(self, connection: ServerConnection) -> None:
        await connection.send(encode(self._station.hello()))
        for message in (*self._station.trends(), *self._station.pictures()):
            await connection.send(encode(message))

    async def _read(self, connection: ServerConnection, client: _Client) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in connection:
                client.put_answer(encode(await self._answer(frame)))

    async def _answer(self, frame: str | bytes) -> Answer:
        try:
            command = decode_to_server(frame)
        except msgspec.DecodeError as error:
            return Answer(0, False, f"not understood: {error}")
        return await self._station.command(command)


async def _make_room(path: Path) -> None:
    """Remove a socket that a killed process left behind; refuse to take one that is served."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        path.unlink(missing_ok=True)
        return
    writer.close()
    raise MonitorError(f"attach socket {path}: another `vigil serve` is running there")
