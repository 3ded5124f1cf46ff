"""An asyncio event loop whose clock stands still while code runs and jumps when all of it waits.

An hour's sleep returns at once, in the order in which a real hour would have brought things about.
Real sockets work, but only what is already readable or writable counts: while the world is slow,
virtual time runs on. Work given to a thread is done on the spot and takes no virtual time, so that
nothing depends on how fast the machine is.

When nothing is scheduled and nothing is ready, only the outside could wake the loop. It refuses to
wait for that, and refuses to spin: it raises `NothingWillHappenError`.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_OPENING_S: Final = 0.0


class NothingWillHappenError(RuntimeError):
    """Every task waits, no timer is set and no file is ready: this would hang for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Looks at files without waiting, and moves the clock by as long as it was asked to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = _OPENING_S

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; if nothing is, let `timeout` seconds pass at once."""
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise NothingWillHappenError(
                "no timer is set and no file is ready; some task waits for what nobody will do"
            )
        self.now_s += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, in seconds from 0. Use as a runner's `loop_factory`."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._jumping.now_s

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[_Ts]], _T],
        *args: Unpack[_Ts],  # noqa: UP044  # as the base class spells it
    ) -> asyncio.Future[_T]:
        """Call `func` in this thread, in no virtual time, and return its outcome."""
        del executor  # no thread is used

        async def call() -> _T:  # a task carries the outcome, good or bad
            return func(*args)

        return self.create_task(call())
