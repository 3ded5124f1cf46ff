"""A keeper ends when it is told to, whatever the opening of its link does with that."""

import asyncio
from pathlib import Path

import pytest

from drivers.contract import SerialLine
from monitor.runtime.keeper import Keeper
from monitor.runtime.sessions import begin_session
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Transport
from tests.runtime.chairs import UTC_NS, wanted


class _Wire:
    """A transport that remembers whether it was given back."""

    def __init__(self) -> None:
        self.is_closed = False

    def write(self, data: bytes) -> None:
        del data

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancellation_that_an_opening_swallowed_is_heeded(
    tmp_path: Path,
    fails: bool,  # noqa: FBT001
) -> None:
    """As Python 3.11's `wait_for` does when a broker answers at that very moment."""
    wire = _Wire()
    opening = asyncio.Event()

    async def swallow(url: str, line: SerialLine, receiver: Receiver) -> Transport:
        del line, receiver
        opening.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if fails:
                raise LinkFailedError(url) from None
        return wire

    begun = begin_session(wanted(), tmp_path, lambda: 0, lambda: UTC_NS)
    keeper = Keeper(
        wanted().lines[0],
        "mqtt://broker/topic",
        pipeline=begun.pipeline,
        clock=begun.clock,
        opener=swallow,
        chance=lambda: 0.0,
    )
    keeping = asyncio.ensure_future(keeper.keep())
    await opening.wait()
    keeping.cancel()
    done, _ = await asyncio.wait({keeping}, timeout=10)
    assert done
    assert keeping.cancelled()
    assert wire.is_closed is not fails
    begun.record.close()
