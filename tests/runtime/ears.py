"""A receiver that remembers: what tests of transports listen with."""

import asyncio


class Ears:
    """Remembers every piece and the one loss; lets a test wait for either."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.losses: list[str] = []
        self._changed = asyncio.Event()

    def heard(self, data: bytes) -> None:
        self.pieces.append(data)
        self._changed.set()

    def lost(self, reason: str) -> None:
        self.losses.append(reason)
        self._changed.set()

    @property
    def heard_bytes(self) -> bytes:
        return b"".join(self.pieces)

    async def until_heard(self, data: bytes) -> None:
        async with asyncio.timeout(10):
            while data not in self.heard_bytes:
                await self._changed.wait()
                self._changed.clear()

    async def until_lost(self) -> str:
        async with asyncio.timeout(30):
            while not self.losses:
                await self._changed.wait()
                self._changed.clear()
        return self.losses[0]

    def take(self) -> list[bytes]:
        taken, self.pieces = self.pieces, []
        return taken

    async def until_more(self) -> None:
        async with asyncio.timeout(10):
            while not self.pieces:
                await self._changed.wait()
                self._changed.clear()

    async def until_more_than(self, size: int) -> None:
        async with asyncio.timeout(20):
            while sum(map(len, self.pieces)) <= size:
                await self._changed.wait()
                self._changed.clear()
