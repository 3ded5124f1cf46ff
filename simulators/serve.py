"""The devices of a demonstration as a process of their own: on ptys, UDP ports and a broker.

Says on standard output, as one JSON line, where each device is. Then waits for a line on standard
input, which says where screens attach: from then on the course runs, and a demonstration operator
enters its phases there. Ends when standard input does, or with the course.
"""

import argparse
import asyncio
import os
import signal
import sys
import traceback
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Final

import msgspec

from monitor.attach.client import attach
from monitor.attach.messages import Answer, Command, SnapshotMessage
from monitor.model.errors import MonitorError
from monitor.model.instant import instant_at
from monitor.model.session import Deed, Phase
from simulators.bed import make_devices, posts_of
from simulators.broker import HOST, run_broker
from simulators.scaled_loop import ScaledLoop
from simulators.scenario import Scenario, load
from simulators.sockets import UdpPort
from simulators.wiring import CourseClock, Pty, publish_device

OPERATOR: Final = "demonstration"


class Places(msgspec.Struct, frozen=True):
    """Where the devices are: chair -> driver -> URL."""

    broker: str
    urls: dict[str, dict[str, str]]


class Wish(msgspec.Struct, frozen=True):
    """What to play: `chairs` patients from `seed` on, each on the scenario's course."""

    scenario: str
    seed: int = 1
    chairs: int = 1
    speed: float = 1.0


async def _serve(wish: Wish) -> None:
    scenario = load(wish.scenario)
    start = instant_at(scenario.fast_forward_s)
    async with AsyncExitStack() as stack:
        name, port = await stack.enter_async_context(run_broker())
        ends = {
            (chair, post.driver): stack.enter_context(
                closing(await UdpPort.open(HOST, 0) if post.is_datagram else Pty())
            )
            for chair in _chairs(wish)
            for post in posts_of(int(chair))
            if not post.is_published
        }
        _say(Places(name, _urls(wish, ends, port)))
        socket = Path((await _line()).strip())
        clock = CourseClock(start)
        async with asyncio.TaskGroup() as tasks:
            running = []
            for number, chair in enumerate(_chairs(wish)):
                posts = posts_of(int(chair))
                devices = make_devices(scenario, wish.seed + number, start, posts)
                for driver, device in devices.items():
                    if (chair, driver) in ends:
                        ends[chair, driver].play(device, clock)
                    else:
                        publishing = publish_device(device, clock, HOST, port, f"chair{chair}")
                        running.append(tasks.create_task(publishing))
                running.append(tasks.create_task(_act(scenario, socket, chair, clock)))
            await _ended(scenario.length_s - scenario.fast_forward_s)
            for task in running:
                task.cancel()


async def _serve_until_told(wish: Wish) -> None:
    """Serve; SIGTERM ends it as the end of its input does, and the broker with it."""
    serving = asyncio.ensure_future(_serve(wish))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.wait({serving})
    error = None if serving.cancelled() else serving.exception()
    if error is not None:
        traceback.print_exception(error)
    sys.stderr.flush()
    # The thread that waits on standard input would hold the process up until its next line.
    os._exit(0 if error is None else 1)


def _chairs(wish: Wish) -> list[str]:
    return [str(number) for number in range(1, wish.chairs + 1)]


def _urls(
    wish: Wish, ends: dict[tuple[str, str], Pty | UdpPort], port: int
) -> dict[str, dict[str, str]]:
    return {
        chair: {
            post.driver: f"mqtt://{HOST}:{port}/chair{chair}/#"
            if post.is_published
            else ends[chair, post.driver].url
            for post in posts_of(int(chair))
        }
        for chair in _chairs(wish)
    }


async def _ended(course_s: float) -> None:
    """Wait for the end of standard input or of the course, whichever is first."""
    ended = asyncio.ensure_future(_line())
    await asyncio.wait({ended}, timeout=course_s)
    ended.cancel()


async def _act(scenario: Scenario, socket: Path, chair: str, clock: CourseClock) -> None:
    """Enter the phases that lie ahead, as an operator at a screen would."""
    for entry in scenario.phases:
        at = instant_at(entry.at_s)
        if at < clock.now():
            continue
        await clock.until(at)
        try:
            await _enter(socket, chair, entry.phase)
        except MonitorError as error:
            sys.stderr.write(f"demonstration operator: {error}\n")


async def _enter(socket: Path, chair: str, phase: Phase) -> None:
    async with attach(socket) as feed:
        async for message in feed.messages():
            if isinstance(message, SnapshotMessage) and message.chair.chair == chair:
                await feed.send(
                    Command(
                        number=1,
                        chair=chair,
                        view=message.chair.view,
                        deed=Deed.ENTER_PHASE,
                        operator=OPERATOR,
                        phase=phase,
                    )
                )
            elif isinstance(message, Answer):
                return


async def _line() -> str:
    return await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def _say(places: Places) -> None:
    sys.stdout.write(msgspec.json.encode(places).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Play what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chairs", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    chosen = parser.parse_args()
    wish = Wish(chosen.scenario, chosen.seed, chosen.chairs, chosen.speed)
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(wish.speed)) as runner:
        runner.run(_serve_until_told(wish))


if __name__ == "__main__":
    main()
