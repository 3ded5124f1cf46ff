"""`vigil devices`, `decode` and `listen`: what a clinical engineer asks of one device."""

import asyncio
import random
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from drivers.contract import DeviceProtocol, Driver, OptionError, Options, TransportKind, finish
from drivers.registry import all_drivers
from monitor.config import read_limits
from monitor.main.output import flush, note, say_json, say_table
from monitor.model.entry import Entry, EntryKind, Opened
from monitor.model.errors import ConfigError, RecordingError
from monitor.model.event import DeviceEvent
from monitor.model.instant import OPENING, Instant, WallAnchor
from monitor.recordings.capture import is_capture, read_head, read_pieces, write_head, write_piece
from monitor.runtime.chair import build_pipeline
from monitor.runtime.clock import SessionClock
from monitor.runtime.keeper import Keeper
from monitor.runtime.pipeline import Line
from monitor.runtime.replay import observation_line
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.url import parse

PIECE_SIZE: Final = 64
FILE_SIZE_MAX: Final = 512 * 1024 * 1024


def list_devices(*, as_json: bool) -> int:
    """Say which drivers there are, what they need and what our knowledge of them rests on."""
    drivers = all_drivers()
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
    return {
        "driver": driver.name,
        "device": driver.title,
        "transports": sorted(driver.transports),
        "metrics": sorted(driver.metrics),
        "evidence": driver.evidence,
        "reference": driver.reference,
        "serial": f"{line.baud} {line.bits}{line.parity}{line.stop:g}",
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


def open_with(driver: Driver, options: Options) -> DeviceProtocol:
    """Open a conversation with options a person gave.

    Raises:
        ConfigError: the driver does not know one of them, or not that value.
    """
    try:
        return driver.open_protocol(options)
    except OptionError as error:
        raise ConfigError(f"driver {driver.name}: {error}") from error


# -- decode ------------------------------------------------------------------------------------


def decode(driver: Driver, file: str, *, options: Options, is_hex: bool, waves: bool) -> int:
    """Say what the bytes in `file` mean; 1 if there was not one good frame in them.

    Raises:
        RecordingError: the file cannot be read, or is a capture of another device.
        ConfigError: hex text that is none.
    """
    protocol = open_with(driver, options)
    heard_any = False
    last = OPENING
    for at, data in pieces_of(driver, file, is_hex=is_hex):
        last = at
        heard_any |= _say_events(driver, received(protocol, data, at), waves=waves)
    heard_any |= _say_events(driver, list(finish(protocol, last)), waves=waves)
    if not heard_any:
        note(f"nothing in {file} reads as {driver.title}")
    return 0 if heard_any else 1


def received(protocol: DeviceProtocol, data: bytes, at: Instant) -> list[DeviceEvent]:
    """Return what `data` means; time that passed acts before the bytes do, as on a link."""
    events: list[DeviceEvent] = []
    while protocol.wake_at is not None and protocol.wake_at <= at:
        events += protocol.wake(protocol.wake_at)
        protocol.take_outgoing()
    return [*events, *protocol.receive(data, at)]


def _say_events(driver: Driver, events: list[DeviceEvent], *, waves: bool) -> bool:
    heard_any = False
    for event in events:
        line = observation_line(event, device=driver.name, waves=waves)
        if line is not None:
            say_json(line)
            heard_any |= "rejected" not in line
        else:
            heard_any = True
    return heard_any


def pieces_of(driver: Driver, file: str, *, is_hex: bool) -> Iterator[tuple[Instant, bytes]]:
    """Yield the bytes of a capture of ours at its instants, or of another file at a line's pace.

    Raises:
        RecordingError: a capture of another device, or not readable.
        ConfigError: hex text that is none.
    """
    if file != "-" and _begins_as_capture(Path(file)):
        head = read_head(Path(file))
        if head.driver != driver.name:
            raise RecordingError(
                f'{file}: a capture of "{head.driver}", not of "{driver.name}"; '
                f"vigil decode {head.driver} {file}"
            )
        yield from read_pieces(Path(file))
        return
    data = _content(file)
    yield from _paced(driver, _from_hex(data, file) if is_hex else data)


def _begins_as_capture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_capture(file.read(64))
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from error


def _content(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(FILE_SIZE_MAX)
    path = Path(file)
    if path.stat().st_size > FILE_SIZE_MAX:
        raise RecordingError(f"{path}: larger than {FILE_SIZE_MAX >> 20} MiB; cut it")
    return path.read_bytes()


def _from_hex(data: bytes, file: str) -> bytes:
    """Read hex text: any white space, commas and 0x between bytes, comments after a #."""
    text = data.decode("ascii", errors="replace")
    pairs = bytearray()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].replace(",", " ").replace("0x", " ").split()
        try:
            for word in words:
                pairs += bytes.fromhex(word)
        except ValueError as error:
            raise ConfigError(f"{file}, line {number}: not hex text: {error}") from error
    return bytes(pairs)


def _paced(driver: Driver, data: bytes) -> Iterator[tuple[Instant, bytes]]:
    """Cut bytes without a clock at the pace their line needs for them; messages come whole."""
    if TransportKind.SERIAL not in driver.transports:
        yield OPENING, data
        return
    line = driver.serial
    ns_per_byte = round(1e9 * (2 + line.bits) / line.baud)
    for start in range(0, len(data), PIECE_SIZE):
        piece = data[start : start + PIECE_SIZE]
        yield Instant((start + len(piece)) * ns_per_byte), piece


# -- listen ------------------------------------------------------------------------------------


class _Nowhere:
    """A log that keeps nothing but, where asked, the bytes as they came."""

    def __init__(self, capture: IO[bytes] | None) -> None:
        self._capture = capture

    def append(self, entry: Entry) -> int:
        if entry.kind is EntryKind.RECEIVED and self._capture is not None:
            write_piece(self._capture, entry.at, entry.body)
        elif entry.kind is EntryKind.LINK:
            note(f"link: {entry.body.decode()}")
        return 0


def listen(
    driver: Driver, url: str, *, options: Options, waves: bool, capture: str | None, for_s: float
) -> int:
    """Say what one device says, live; nothing is stored unless a capture is asked for.

    Raises:
        ConfigError: the URL cannot be one.
        MonitorError: the capture file cannot be written.
    """
    scheme = parse(url).scheme
    open_with(driver, options)
    line = Line(link=driver.name, driver=driver, options=options)
    with ExitStack() as stack:
        file: IO[bytes] | None = None
        if capture is not None:
            file = stack.enter_context(Path(capture).open("wb"))
            write_head(file, driver.name, scheme)
        return asyncio.run(_listen(line, url, file, waves=waves, for_s=for_s))


async def _listen(
    line: Line, url: str, capture: IO[bytes] | None, *, waves: bool, for_s: float
) -> int:
    clock = SessionClock(time.monotonic_ns, time.time_ns)
    _, limits = read_limits("iv-ketamine", Path(), "listen")
    opened = Opened(
        session="", chair="", software="", limits="", devices=(), anchor=WallAnchor(OPENING, 0)
    )
    pipeline = build_pipeline(opened, [line], limits, _Nowhere(capture))
    keeper = Keeper(
        line, url, pipeline=pipeline, clock=clock, opener=make_opener(), chance=random.random
    )
    heard = 0

    def tell(link: str, event: DeviceEvent) -> None:
        nonlocal heard
        if keeper.link is not None:
            keeper.link.take_heard(event)
        said = observation_line(event, device=link, waves=waves)
        if said is not None:
            heard += "rejected" not in said
            say_json(said)
            flush()

    pipeline.on_heard = tell
    try:
        async with asyncio.timeout(for_s or None):
            await keeper.keep()
    except TimeoutError:
        return 0 if heard else 1
    return 0
