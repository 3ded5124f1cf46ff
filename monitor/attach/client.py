"""A screen's side of the attach link."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from monitor.attach.messages import (
    MESSAGE_SIZE_MAX,
    PROTOCOL_VERSION,
    Command,
    Hello,
    ToClient,
    decode_to_client,
    encode,
)
from monitor.model.errors import MonitorError


class Feed:
    """Messages of a server and the way to send it commands."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def messages(self) -> AsyncIterator[ToClient]:
        """Yield what the server says until the link ends.

        Raises:
            MonitorError: the server speaks another version.
        """
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._connection:
                yield _understood(frame)

    async def send(self, command: Command) -> None:
        """Send a command; its answer comes among the messages.

        Raises:
            MonitorError: the link is gone.
        """
        try:
            await self._connection.send(encode(command))
        except ConnectionClosed as error:
            raise MonitorError("the link to `vigil serve` is gone") from error


def _understood(frame: str | bytes) -> ToClient:
    try:
        message = decode_to_client(frame)
    except msgspec.DecodeError as error:
        raise MonitorError(f"the server speaks another version: {error}") from error
    if isinstance(message, Hello) and message.version != PROTOCOL_VERSION:
        raise MonitorError(f"the server speaks version {message.version}, not {PROTOCOL_VERSION}")
    return message


@contextlib.asynccontextmanager
async def attach(path: Path) -> AsyncIterator[Feed]:
    """Attach to the server at the Unix socket `path`.

    Raises:
        MonitorError: nobody serves there.
    """
    try:
        connection = await unix_connect(str(path), max_size=MESSAGE_SIZE_MAX)
    except (OSError, InvalidHandshake, TimeoutError) as error:
        raise MonitorError(f"no `vigil serve` at {path}: {error}") from error
    async with connection:
        yield Feed(connection)
