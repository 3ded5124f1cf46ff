"""Virtual time: it jumps, keeps the order of things, and never hangs."""

import asyncio
import socket
import time
from collections.abc import Coroutine
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.virtual_loop import NothingWillHappenError, VirtualTimeLoop

T = TypeVar("T")


def run(main: Coroutine[object, object, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_an_hour_returns_at_once_and_has_passed() -> None:
    async def hour() -> float:
        await asyncio.sleep(3600)
        return now()

    began = time.perf_counter()
    assert run(hour()) == pytest.approx(3600, abs=1e-6)
    assert time.perf_counter() - began < 5


@settings(max_examples=40, deadline=None)
@given(delays=st.lists(st.integers(0, 10_000).map(lambda ms: ms / 1000), max_size=30))
def test_timers_come_in_the_order_in_which_they_are_due(delays: list[float]) -> None:
    came: list[tuple[float, int]] = []

    async def wait(number: int, delay: float) -> None:
        await asyncio.sleep(delay)
        came.append((delay, number))
        # A delay of nothing only yields; it is due before everything.
        assert now() == pytest.approx(delay, abs=1e-6)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for number, delay in enumerate(delays):
                group.create_task(wait(number, delay))

    run(all_of_them())
    assert [delay for delay, _ in came] == sorted(delays)


def test_a_thousand_small_steps_add_up() -> None:
    async def steps() -> float:
        for _ in range(1000):
            await asyncio.sleep(86.4)
        return now()

    assert run(steps()) == pytest.approx(86_400, abs=1e-6)


def test_a_timeout_strikes_at_its_own_instant_and_not_before() -> None:
    async def main() -> list[float]:
        struck = []
        async with asyncio.timeout(10):
            await asyncio.sleep(9.999)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(5.001)
        struck.append(now())
        return struck

    assert run(main()) == [pytest.approx(14.999, abs=1e-6)]


def test_giver_and_taker_meet_over_virtual_time() -> None:
    async def give(mailbox: asyncio.Queue[int]) -> None:
        for number in range(5):
            await asyncio.sleep(60)
            await mailbox.put(number)

    async def main() -> list[tuple[int, float]]:
        mailbox: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        giving = asyncio.create_task(give(mailbox))
        taken = [(await mailbox.get(), round(now(), 6)) for _ in range(5)]
        await giving
        return taken

    assert run(main()) == [(n, 60.0 * (n + 1)) for n in range(5)]


def test_waiting_for_what_nobody_does_is_an_error_and_no_hang() -> None:
    async def wait_for_nothing() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingWillHappenError, match="no timer"):
        run(wait_for_nothing())


def test_bytes_on_a_socket_are_heard_before_time_jumps() -> None:
    async def main() -> tuple[bytes, float]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        theirs.send(b"97")
        async with asyncio.timeout(1):
            heard = await reader.readexactly(2)
        theirs.close()
        writer.close()
        await writer.wait_closed()
        return heard, now()

    assert run(main()) == (b"97", 0.0)


def test_work_for_a_thread_is_done_in_no_time_and_its_errors_are_told() -> None:
    async def main() -> tuple[int, float]:
        done = await asyncio.to_thread(sum, [1, 2, 3])
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        return done, now()

    assert run(main()) == (6, 0.0)


def test_an_error_in_a_task_group_stops_its_sleepers_now() -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("lead off")

    async def group_of_two() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(10_000))
            group.create_task(fail())

    async def main() -> float:
        with pytest.raises(ExceptionGroup, match="unhandled"):
            await group_of_two()
        return now()

    assert run(main()) == pytest.approx(1, abs=1e-6)
