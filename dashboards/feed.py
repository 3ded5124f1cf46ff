"""What a screen needs of the link to `vigil serve`, and nothing more."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeAlias

from monitor.attach.messages import Command, ToClient


class ChairFeed(Protocol):
    """One attached link. `monitor.attach.client` satisfies it, and so does a recorded one.

    Both methods raise OSError or MonitorError when the link fails, and msgspec.MsgspecError when
    the other side speaks another language; the screen then attaches anew.
    """

    def messages(self) -> AsyncIterator[ToClient]:
        """Yield what the server says, until the link ends."""

    async def send(self, command: Command) -> None:
        """Send what an operator asks for."""


Connect: TypeAlias = Callable[[], contextlib.AbstractAsyncContextManager[ChairFeed]]
