"""TCP the other way round: we listen, and the device connects to us (HL7 senders do).

One peer is one device: a second one is refused while the first is there. Between two conversations
nothing listens for a moment, so that a device that comes then is told so and tries again.
"""

import asyncio
from typing import cast

from monitor.runtime.transports.contract import LinkFailedError, Receiver
from monitor.runtime.transports.network import Stream, TcpTransport, keep_alive

FIRST_PEER_S_MAX = 5.0
"""How long nobody may connect before that is told, once; then we wait for as long as it takes."""


class _Door(asyncio.Protocol):
    """Lets the first peer in and turns others away."""

    def __init__(self, receiver: Receiver, came: "asyncio.Future[TcpTransport]") -> None:
        self._receiver = receiver
        self._came = came
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = cast("asyncio.Transport", transport)
        if self._came.done():
            peer.abort()
            return
        # Nothing is read before the link has begun: an HL7 sender speaks first, and only once.
        peer.pause_reading()
        keep_alive(peer)
        self._stream = Stream(self._receiver)
        self._came.set_result(TcpTransport(peer, self._stream))

    def data_received(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream is not None:
            self._stream.connection_lost(exc)


class ListeningTransport:
    """The bytes of the one device that connected to us."""

    def __init__(self, peer: TcpTransport, server: asyncio.Server) -> None:
        self._peer = peer
        self._server = server
        asyncio.get_running_loop().call_soon(peer.resume)

    def write(self, data: bytes) -> None:
        """Send `data`; a peer that reads nothing for too long is let go."""
        self._peer.write(data)

    def close(self) -> None:
        """End the connection and listen no more."""
        self._server.close()
        self._peer.close()


class Doorstep:
    """Waits for devices; remembers where it was told already that nobody came."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    async def open(self, host: str, port: int, receiver: Receiver) -> ListeningTransport:
        """Wait at `host:port` until a device connects: for a short time first, then without end.

        Raises:
            LinkFailedError: the port cannot be had, or (once) nobody has come yet.
        """
        loop = asyncio.get_running_loop()
        came: asyncio.Future[TcpTransport] = loop.create_future()
        try:
            server = await loop.create_server(lambda: _Door(receiver, came), host, port)
        except OSError as error:
            raise LinkFailedError(f"{host}:{port}: {error.strerror or error}") from error
        patience_s = None if (host, port) in self._told else FIRST_PEER_S_MAX
        self._told.add((host, port))
        try:
            async with asyncio.timeout(patience_s):
                peer = await came
        except TimeoutError as error:
            _leave(server, came)
            raise LinkFailedError(f"{host}:{port}: no device has connected yet") from error
        except asyncio.CancelledError:
            _leave(server, came)
            raise
        return ListeningTransport(peer, server)


def _leave(server: asyncio.Server, came: "asyncio.Future[TcpTransport]") -> None:
    """Listen no more; a peer that came in the very moment we left is let go too."""
    server.close()
    if came.done() and not came.cancelled():
        came.result().close()
