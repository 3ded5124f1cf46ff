"""One MLLP connection to a receiver: one message goes out, its answer comes back."""

import asyncio
import ssl
from typing import Final, cast

import msgspec

from drivers.parts.hl7_answers import Answer, read_answer
from drivers.parts.mllp import MllpSplitter, frame
from monitor.model.instant import instant_at
from monitor.runtime.transports.contract import LinkFailedError
from monitor.runtime.transports.network import CONNECT_S_MAX, keep_alive


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where the receiver is. `tls`: how its certificate is checked and ours is shown; None: plain.

    `name` is what its certificate must name.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def place(self) -> str:
        """Return where it is, for people."""
        return f"{self.host}:{self.port}"


class Peer(asyncio.Protocol):
    """Sends one message at a time. What comes without being waited for is passed over."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: Final[asyncio.Future[str]] = loop.create_future()
        """Done when the connection is gone, with the reason."""
        self._loop = loop
        self._answers = MllpSplitter()
        self._transport: asyncio.Transport | None = None
        self._awaited = ""
        self._answer: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = cast("asyncio.Transport", transport)
        keep_alive(self._transport)

    def data_received(self, data: bytes) -> None:
        """Take what the receiver sent; the answer that is waited for is handed on."""
        for heard in self._answers.feed(data, instant_at(self._loop.time())):
            answer = None if heard.flaw else read_answer(heard.data)
            waiting = self._answer
            if answer is None or waiting is None or waiting.done():
                continue
            if answer.control == self._awaited:
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that the connection is gone."""
        if not self.lost.done():
            self.lost.set_result(str(exc) if exc else "the receiver closed the connection")

    async def exchange(self, control: str, text: str, patience_s: float) -> Answer:
        """Send a message and return its answer.

        Raises:
            LinkFailedError: the connection was lost, or nothing answered in `patience_s`.
        """
        assert self._transport is not None, "a peer speaks when it is connected"
        self._awaited, self._answer = control, self._loop.create_future()
        self._transport.write(frame(text))
        waited: set[asyncio.Future[Answer] | asyncio.Future[str]] = {self._answer, self.lost}
        try:
            await asyncio.wait(waited, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if self._answer.done():
                return self._answer.result()
        finally:
            self._answer = None
        if self.lost.done():
            raise LinkFailedError(self.lost.result())
        raise LinkFailedError(f"no answer in {patience_s:.0f} s")

    def close(self) -> None:
        """End the connection at once: what was not answered is sent again."""
        if not self.lost.done():
            self.lost.set_result("closed by us")
        if self._transport is not None:
            self._transport.abort()


async def connect(target: Target) -> Peer:
    """Connect to a receiver.

    Raises:
        LinkFailedError: nobody answers there, or its certificate is not trusted.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            _, peer = await loop.create_connection(Peer, target.host, target.port, ssl=target.tls)
    except TimeoutError as error:
        raise LinkFailedError(f"{target.place}: no answer in {CONNECT_S_MAX:.0f} s") from error
    except OSError as error:  # a certificate that is not trusted is one too
        raise LinkFailedError(f"{target.place}: {error.strerror or error}") from error
    return peer
