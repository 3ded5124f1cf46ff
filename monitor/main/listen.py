"""`vigil listen`: one device, live; nothing is stored unless a capture is asked for."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from drivers.contract import NO_OPTIONS, Driver, Options
from drivers.likeness import is_word
from monitor.config import read_limits
from monitor.installed import every_driver
from monitor.main.decoding import open_with
from monitor.main.output import flush, note, say_json
from monitor.model.entry import Entry, EntryKind, Opened
from monitor.model.errors import ConfigError, MonitorError
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.recordings.capture import write_head, write_piece
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import Keeper
from monitor.runtime.pipeline import Line
from monitor.runtime.replay import observation_line
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.url import parse

UNKNOWN_SIZE_MAX: Final = 1024
"""Bytes shown of the piece in which something unknown was found."""


class ListenWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line; `unknown`: the bytes that nobody could name."""

    options: Options = NO_OPTIONS
    waves: bool = False
    unknown: bool = False
    capture: str | None = None
    for_s: float = 0.0


class _Nowhere:
    """A log that keeps nothing but the newest bytes and, where asked, all bytes as they came."""

    def __init__(self, capture: IO[bytes] | None, failed: "asyncio.Future[None]") -> None:
        self._capture = capture
        self._failed = failed
        self.newest = b""

    def append(self, entry: Entry) -> int:
        if entry.kind is EntryKind.RECEIVED:
            self.newest = entry.body
            if self._capture is not None:
                with _failing(self._failed):
                    write_piece(self._capture, entry.at, entry.body)
        elif entry.kind is EntryKind.LINK:
            note(f"link: {entry.body.decode()}")
        return 0


def listen(driver: Driver, url: str, wishes: ListenWishes) -> int:
    """Say what one device says, live; 1 if it said nothing for as long as was asked for.

    Raises:
        ConfigError: the URL cannot be one, or the capture would be written over something.
        MonitorError: the capture file cannot be written.
    """
    scheme = parse(url).scheme
    open_with(driver, wishes.options)
    line = Line(link=driver.name, driver=driver, options=wishes.options)
    if wishes.capture is None:
        return asyncio.run(_listen(line, url, None, wishes))
    with _new_file(wishes.capture) as file:
        write_head(file, driver.name, scheme)
        return asyncio.run(_listen(line, url, file, wishes))


@contextmanager
def _new_file(name: str) -> Iterator[IO[bytes]]:
    """Open a capture for writing, each line at once: a kill leaves whole lines.

    Raises:
        ConfigError: there is something in that file already.
        MonitorError: it cannot be opened or, later, not be written to.
    """
    path = Path(name)
    try:
        if path.is_file() and path.stat().st_size > 0:
            raise ConfigError(f"{name}: exists; a capture is one device and one listening")
        with path.open("wb", buffering=0) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise MonitorError(f"{name}: {error.strerror or error}") from error


async def _listen(line: Line, url: str, capture: IO[bytes] | None, wishes: ListenWishes) -> int:
    clock = SessionClock(time.monotonic_ns, time.time_ns)
    _, limits = read_limits("iv-ketamine", Path(), "listen")
    opened = Opened(session="", chair="", software="", limits="", devices=(), anchor=clock.anchor)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    log = _Nowhere(capture, failed)
    pipeline = build_pipeline(opened, [line], limits, log)
    keeper = Keeper(
        line,
        url,
        pipeline=pipeline,
        clock=clock,
        opener=make_opener(),
        chance=random.random,
        drivers=lambda: every_driver()[0],
        tell_aside=lambda words: note(f"note: {words}"),
    )
    heard = 0

    def tell(link: str, event: DeviceEvent) -> None:
        nonlocal heard
        if keeper.link is not None:
            keeper.link.take_heard(event)
        heard += is_word(event)
        with _failing(failed):
            _tell(event, link, wishes, log)

    pipeline.on_heard = tell
    try:
        async with asyncio.timeout(wishes.for_s or None):
            await _keep(keeper, failed)
    except TimeoutError:
        return 0 if heard else 1
    return 0


def _tell(event: DeviceEvent, device: str, wishes: ListenWishes, log: _Nowhere) -> None:
    said = observation_line(event, device=device, waves=wishes.waves)
    if said is None:
        return
    if wishes.unknown and _is_unknown(event):
        said["bytes"] = log.newest[:UNKNOWN_SIZE_MAX].hex(" ")
    say_json(said)
    flush()


def _is_unknown(event: DeviceEvent) -> bool:
    return isinstance(event, DeviceNotice) and event.notice is NoticeKind.UNKNOWN_FIELD


@contextmanager
def _failing(failed: asyncio.Future[None]) -> Iterator[None]:
    """Pass on what the system refuses; a TCP connection of the loop would keep it to itself."""
    try:
        yield
    except OSError as error:
        if not failed.done():
            failed.set_exception(error)


async def _keep(keeper: Keeper, failed: asyncio.Future[None]) -> None:
    """Keep the link; what fails in a callback of the loop (a reader that left) ends it too."""
    loop = asyncio.get_running_loop()

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not failed.done():
            failed.set_exception(error)
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(fail)
    keeping = loop.create_task(keeper.keep())
    try:
        await asyncio.wait({keeping, failed}, return_when=asyncio.FIRST_COMPLETED)
        (failed if failed.done() else keeping).result()
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
