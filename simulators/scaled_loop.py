"""An asyncio event loop on which time passes faster or slower than on the wall."""

import asyncio
import selectors
import time


class _ScaledSelector(selectors.DefaultSelector):
    """Waits as long on the wall as its loop's time needs for the timeout."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._rate = rate

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._rate)


class ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose clock runs `rate` times as fast as the wall's; sockets and ptys are real."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._start_s = time.monotonic()
        super().__init__(_ScaledSelector(rate))

    def time(self) -> float:
        """Return seconds of this loop's own time."""
        return self._start_s + (time.monotonic() - self._start_s) * self._rate
