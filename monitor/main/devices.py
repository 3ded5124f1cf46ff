"""`vigil devices`, `decode` and `listen`: what a clinical engineer asks of one device."""

import asyncio
import random
import time
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

import msgspec

from drivers.contract import NO_OPTIONS, Driver, Options, TransportKind
from drivers.likeness import is_word
from monitor.config import read_limits
from monitor.installed import every_driver
from monitor.main.decoding import Beginning, Score, Source, decoded, open_with
from monitor.main.guessing import best_reading, guess
from monitor.main.output import flush, note, say_json, say_table
from monitor.model.entry import Entry, EntryKind, Opened
from monitor.model.errors import ConfigError
from monitor.model.event import DeviceEvent, DeviceNotice, FrameRejected, NoticeKind
from monitor.model.instant import OPENING, WallAnchor
from monitor.recordings.capture import write_head, write_piece
from monitor.recordings.notes import Notes
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import Keeper
from monitor.runtime.pipeline import Line
from monitor.runtime.replay import observation_line
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.url import parse


def list_devices(*, as_json: bool) -> int:
    """Say which drivers there are, what they need and what our knowledge of them rests on."""
    drivers, complaints = every_driver()
    for complaint in complaints:
        note(f"note: {complaint}")
    if as_json:
        for driver in drivers:
            say_json(_described(driver))
        return 0
    say_table(
        ("driver", "device", "transports", "metrics", "evidence"),
        [
            (
                driver.name,
                driver.title,
                " ".join(sorted(driver.transports)),
                " ".join(sorted(driver.metrics)),
                driver.evidence,
            )
            for driver in drivers
        ],
    )
    return 0


def _described(driver: Driver) -> dict[str, object]:
    line = driver.serial
    settings = f"{line.baud} {line.bits}{line.parity}{line.stop:g}"
    is_serial = TransportKind.SERIAL in driver.transports
    return {
        "driver": driver.name,
        "device": driver.title,
        "transports": sorted(driver.transports),
        "metrics": sorted(driver.metrics),
        "evidence": driver.evidence,
        "reference": driver.reference,
        "serial": settings + (" rts/cts" if line.rtscts else "") if is_serial else None,
        "silence_limit_s": driver.silence_limit / 1e9,
        "doubts": list(driver.doubts),
    }


def read_options(texts: Sequence[str]) -> Options:
    """Return driver options written as `KEY=VALUE`, the value as in TOML or else plain text.

    Raises:
        ConfigError: an option without a key or a value.
    """
    options: dict[str, object] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not (key and separator):
            raise ConfigError(f'--option "{text}": write KEY=VALUE, as in format=8')
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    return options


# -- decode ------------------------------------------------------------------------------------


def decode(driver: Driver, source: Source, *, waves: bool) -> int:
    """Say what the bytes in a file mean; 1 if they do not read as this device.

    They do if something was understood. Where no more was understood than refused, the driver
    itself, or another one that reads the file, may say that it is of another device; that one is
    offered.

    Raises:
        RecordingError: the file cannot be read, is a capture of another device, or mixes devices.
        ConfigError: hex text that is none, or an option the driver does not know.
    """
    source = best_reading(driver, source)
    if source.options:
        options = " ".join(f"--option {key}={value}" for key, value in source.options.items())
        note(f"read with {options}")
    notes, beginning, score = Notes("packet"), Beginning(), Score()
    is_heard = is_doubted = False
    for _, events in decoded(driver, source, notes, beginning):
        score.add(events)
        for event in events:
            is_doubt = _is_doubt(event)
            is_doubted |= is_doubt
            is_heard |= not (is_doubt or isinstance(event, FrameRejected))
            line = observation_line(event, device=driver.name, waves=waves)
            if line is not None:
                say_json(line)
    flush()
    for sentence in notes.sentences:
        note(f"note: {sentence}")
    offered = guess(driver, beginning, every_driver()[0]) if score.good <= score.rejected else ()
    is_strange = bool(offered) or (is_doubted and score.good <= score.rejected)
    if is_heard and not is_strange:
        return 0
    note(f"{'little' if score.good else 'nothing'} in {source.file} reads as {driver.title}")
    if offered:
        how = " --hex" if source.is_hex else ""
        tries = " or ".join(f"vigil decode {name} {source.file}{how}" for name in offered)
        note(f"it looks like {' or '.join(offered)}; try {tries}")
    return 1


def _is_doubt(event: DeviceEvent) -> bool:
    return isinstance(event, DeviceNotice) and event.notice is NoticeKind.NOT_THIS_DEVICE


# -- listen ------------------------------------------------------------------------------------


class _Nowhere:
    """A log that keeps nothing but the newest bytes and, where asked, all bytes as they came."""

    def __init__(self, capture: IO[bytes] | None) -> None:
        self._capture = capture
        self.newest = b""

    def append(self, entry: Entry) -> int:
        if entry.kind is EntryKind.RECEIVED:
            self.newest = entry.body
            if self._capture is not None:
                write_piece(self._capture, entry.at, entry.body)
        elif entry.kind is EntryKind.LINK:
            note(f"link: {entry.body.decode()}")
        return 0


UNKNOWN_SIZE_MAX: Final = 1024
"""Bytes shown of the piece in which something unknown was found."""


def _is_unknown(event: DeviceEvent) -> bool:
    return isinstance(event, DeviceNotice) and event.notice is NoticeKind.UNKNOWN_FIELD


class ListenWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line; `unknown`: the bytes that nobody could name."""

    options: Options = NO_OPTIONS
    waves: bool = False
    unknown: bool = False
    capture: str | None = None
    for_s: float = 0.0


def listen(driver: Driver, url: str, wishes: ListenWishes) -> int:
    """Say what one device says, live; nothing is stored unless a capture is asked for.

    Raises:
        ConfigError: the URL cannot be one.
        MonitorError: the capture file cannot be written.
    """
    scheme = parse(url).scheme
    open_with(driver, wishes.options)
    line = Line(link=driver.name, driver=driver, options=wishes.options)
    with ExitStack() as stack:
        file: IO[bytes] | None = None
        if wishes.capture is not None:
            file = stack.enter_context(Path(wishes.capture).open("wb"))
            write_head(file, driver.name, scheme)
        return asyncio.run(_listen(line, url, file, wishes))


async def _listen(line: Line, url: str, capture: IO[bytes] | None, wishes: ListenWishes) -> int:
    clock = SessionClock(time.monotonic_ns, time.time_ns)
    _, limits = read_limits("iv-ketamine", Path(), "listen")
    opened = Opened(
        session="", chair="", software="", limits="", devices=(), anchor=WallAnchor(OPENING, 0)
    )
    log = _Nowhere(capture)
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
        said = observation_line(event, device=link, waves=wishes.waves)
        if said is not None:
            if wishes.unknown and _is_unknown(event):
                said["bytes"] = log.newest[:UNKNOWN_SIZE_MAX].hex(" ")
            heard += is_word(event)
            say_json(said)
            flush()

    pipeline.on_heard = tell
    try:
        async with asyncio.timeout(wishes.for_s or None):
            await keeper.keep()
    except TimeoutError:
        return 0 if heard else 1
    return 0
