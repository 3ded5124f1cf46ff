"""From a file of captured bytes to what a driver makes of them, for `decode` and `replay`.

A file is our own capture, pcap or pcapng (both may be packed), raw bytes, or hex text. One file is
one device: a packet file that holds several is refused until a person says which.
"""

import gzip
import sys
import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Final

import msgspec

from drivers.contract import (
    NO_OPTIONS,
    DeviceProtocol,
    Driver,
    OptionError,
    Options,
    TransportKind,
    finish,
)
from monitor.model.errors import ConfigError, RecordingError
from monitor.model.event import DeviceEvent, DeviceNotice, FrameRejected, NoticeKind
from monitor.model.instant import OPENING, Instant, between, seconds
from monitor.recordings.capture import head_in, is_capture, pieces_in
from monitor.recordings.files import open_unpacked
from monitor.recordings.notes import Notes
from monitor.recordings.pcap import Carried, Piece, is_packet_file, read_pieces

PIECE_SIZE: Final = 64
FILE_SIZE_MAX: Final = 512 * 1024 * 1024
CONVERSATIONS_MAX: Final = 16
SENDERS_MAX: Final = 256
BEGINNING_SIZE_MAX: Final = 64 * 1024
CATCH_UP_MAX: Final = seconds(600)
"""A protocol that would have to be woken for longer than this is told the time at once."""

_FIRST_SIZE: Final = 64
_GZIP: Final = b"\x1f\x8b"
_DAMAGE: Final = (EOFError, OSError, zlib.error)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A file to decode; `sender` is the address to hear in a packet file, where it says several."""

    file: str
    options: Options = NO_OPTIONS
    is_hex: bool = False
    sender: str | None = None


def open_with(driver: Driver, options: Options) -> DeviceProtocol:
    """Open a conversation with options a person gave.

    Raises:
        ConfigError: the driver does not know one of them, or not that value.
    """
    try:
        return driver.open_protocol(options)
    except OptionError as error:
        raise ConfigError(f"driver {driver.name}: {error}") from error


class Beginning:
    """The first pieces of a file, kept so that other drivers can be tried on them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._size = 0

    def add(self, piece: Piece) -> None:
        """Keep `piece` while there is room; what would not fit is cut."""
        data = piece.data[: BEGINNING_SIZE_MAX - self._size]
        if data:
            self._size += len(data)
            self.pieces.append(msgspec.structs.replace(piece, data=data))


def decoded(
    driver: Driver, source: Source, notes: Notes, beginning: Beginning | None = None
) -> Iterator[tuple[Instant, list[DeviceEvent]]]:
    """Yield instants in order and what the device said at each; a last time what it still held.

    Raises:
        RecordingError: the file cannot be read, is of another device, or mixes devices.
        ConfigError: hex text that is none, or an option the driver does not know.
    """
    conversations = _Conversations(driver, source.options)
    last = OPENING
    for piece in _pieces(driver, source, notes):
        last = piece.at
        if beginning is not None:
            beginning.add(piece)
        yield last, conversations.take(piece)
    yield last, conversations.finish(last)


# -- conversations ---------------------------------------------------------------------------------


class Conversation:
    """One protocol and the time it knows of."""

    def __init__(self, protocol: DeviceProtocol) -> None:
        self._protocol = protocol
        self._is_new = True

    def take(self, data: bytes, at: Instant) -> list[DeviceEvent]:
        """Return what `data` means; time that passed acts before the bytes do, as on a link."""
        events: list[DeviceEvent] = []
        while (due := self._protocol.wake_at) is not None and due <= at:
            is_late = self._is_new or between(due, at) > CATCH_UP_MAX
            self._is_new = False
            events += self._protocol.wake(at if is_late else due)
            self._protocol.take_outgoing()
        self._is_new = False
        events += self._protocol.receive(data, at)
        self._protocol.take_outgoing()
        return events

    def finish(self, at: Instant) -> list[DeviceEvent]:
        """Return what was heard and not told yet."""
        return list(finish(self._protocol, at))


class _Conversations:
    """A protocol for each conversation; the one unheard for longest ends when there are many."""

    def __init__(self, driver: Driver, options: Options) -> None:
        self._driver = driver
        self._options = options
        self._open: OrderedDict[str, Conversation] = OrderedDict()
        open_with(driver, options)  # a wrong option is told before any file is read

    def take(self, piece: Piece) -> list[DeviceEvent]:
        """Return what `piece` means in its conversation."""
        events: list[DeviceEvent] = []
        if piece.conversation not in self._open and len(self._open) >= CONVERSATIONS_MAX:
            _, oldest = self._open.popitem(last=False)
            events += oldest.finish(piece.at)
        return events + self._conversation(piece.conversation).take(piece.data, piece.at)

    def finish(self, at: Instant) -> list[DeviceEvent]:
        """End all of them."""
        return [event for each in self._open.values() for event in each.finish(at)]

    def _conversation(self, name: str) -> Conversation:
        if name not in self._open:
            self._open[name] = Conversation(open_with(self._driver, self._options))
        self._open.move_to_end(name)
        return self._open[name]


# -- what kind of file -----------------------------------------------------------------------------


def _pieces(driver: Driver, source: Source, notes: Notes) -> Iterator[Piece]:
    opened = _opener(source.file)
    first = _content(opened, source.file, size=_FIRST_SIZE)
    if is_packet_file(first) and not source.is_hex:
        return _packets(driver, source, opened, notes)
    if source.sender is not None:
        raise ConfigError(f"--from {source.sender}: {source.file} is no packet file")
    if source.is_hex:
        return paced(driver, _from_hex(_content(opened, source.file), source.file))
    if is_capture(first):
        return _captured(driver, opened(), source.file)
    return paced(driver, _content(opened, source.file))


def _opener(file: str) -> Callable[[], BufferedIOBase]:
    """Return what opens `file` as often as it is asked; standard input is kept in memory."""
    if file != "-":
        return lambda: open_unpacked(Path(file))
    data = sys.stdin.buffer.read(FILE_SIZE_MAX + 1)
    if data.startswith(_GZIP):
        return lambda: gzip.GzipFile(fileobj=BytesIO(data))
    return lambda: BytesIO(data)


def _content(opened: Callable[[], BufferedIOBase], file: str, size: int | None = None) -> bytes:
    """Return the first `size` bytes of a file, or all of a file that is not too large."""
    try:
        with opened() as stream:
            content = stream.read(size or FILE_SIZE_MAX + 1)
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise RecordingError(f"{file}: {error}") from error
    if len(content) > FILE_SIZE_MAX:
        raise RecordingError(f"{file}: larger than {FILE_SIZE_MAX >> 20} MiB; cut it")
    return content


def _captured(driver: Driver, stream: BufferedIOBase, name: str) -> Iterator[Piece]:
    with stream:
        head = head_in(stream, name)
        if head.driver != driver.name:
            raise RecordingError(
                f'{name}: a capture of "{head.driver}", not of "{driver.name}"; '
                f"vigil decode {head.driver} {name}"
            )
        for at, data in pieces_in(stream, name):
            yield Piece(at, "", "", data)


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


def paced(driver: Driver, data: bytes) -> Iterator[Piece]:
    """Cut bytes without a clock at the pace their line needs for them; messages come whole."""
    if TransportKind.SERIAL not in driver.transports:
        yield Piece(OPENING, "", "", data)
        return
    line = driver.serial
    ns_per_byte = round(1e9 * (2 + line.bits) / line.baud)
    for start in range(0, len(data), PIECE_SIZE):
        piece = data[start : start + PIECE_SIZE]
        yield Piece(Instant((start + len(piece)) * ns_per_byte), "", "", piece)


# -- packet files ----------------------------------------------------------------------------------


def _packets(
    driver: Driver, source: Source, opened: Callable[[], BufferedIOBase], notes: Notes
) -> Iterator[Piece]:
    """Yield what one device says in a packet file.

    Raises:
        RecordingError: several senders read as this device, none was named; or nothing could.
    """
    carried = Carried(
        datagrams=TransportKind.UDP in driver.transports,
        streams=TransportKind.TCP in driver.transports,
        ports=driver.device_ports,
    )
    if not (carried.datagrams or carried.streams):
        kinds = " and ".join(sorted(driver.transports))
        raise RecordingError(
            f"{source.file}: {driver.name} is carried by {kinds}; in packets only UDP and TCP are "
            "looked for. Record it with `vigil listen --capture`"
        )
    name = source.file
    sender = source.sender
    if sender is None:
        tried = read_pieces(opened, name, carried, Notes("packet"))
        sender = _only_sender(driver, source, tried)
    is_heard = False
    others: set[str] = set()
    for piece in read_pieces(opened, name, carried, notes):
        if piece.is_from(sender):
            is_heard = True
            yield piece
        elif len(others) < _NAMED_MAX:
            others.add(piece.sender)
    if sender and not is_heard:
        notes.tell(f"{name}: nobody at {sender}; heard were {_named(others)}")


class Score:
    """How well what one sender says reads as the device; `measured`: what only a device says."""

    def __init__(self) -> None:
        self.good = 0
        self.rejected = 0
        self.measured = 0

    def add(self, events: Iterable[DeviceEvent]) -> None:
        """Count what was understood and what was not."""
        for event in events:
            if isinstance(event, FrameRejected):
                self.rejected += 1
            elif not isinstance(event, DeviceNotice):
                self.good += 1
                self.measured += 1
            elif event.notice not in _SAYS_NOTHING:
                self.good += 1


_SAYS_NOTHING: Final = frozenset({NoticeKind.NOT_THIS_DEVICE, NoticeKind.UNKNOWN_FIELD})


def _only_sender(driver: Driver, source: Source, pieces: Iterable[Piece]) -> str:
    """Return who speaks as this device does, by trying everybody; "" where nobody spoke.

    Who is understood more often than not comes first: among much foreign traffic a weak checksum
    holds by chance now and then. Of those, who tells measurements: a host asks in the same frames.

    Raises:
        RecordingError: more than one does: a capture of several devices is never mixed.
    """
    scores: dict[str, Score] = {}
    conversations: dict[str, _Conversations] = {}
    last = OPENING
    for piece in pieces:
        if piece.sender not in scores:
            if len(scores) >= SENDERS_MAX:
                raise RecordingError(f"{source.file}: over {SENDERS_MAX} senders; {_CHOOSE}")
            scores[piece.sender] = Score()
            conversations[piece.sender] = _Conversations(driver, source.options)
        scores[piece.sender].add(conversations[piece.sender].take(piece))
        last = piece.at
    for sender, trial in conversations.items():
        scores[sender].add(trial.finish(last))
    fits = [who for who, score in scores.items() if score.good > score.rejected]
    fits = [who for who in fits if scores[who].measured] or fits
    found = fits or [who for who, score in scores.items() if score.good] or list(scores)
    if len(found) > 1:
        raise RecordingError(_several(driver, source.file, found, any_good=bool(fits)))
    return found[0] if found else ""


_CHOOSE: Final = "say which one with --from ADDRESS"
_NAMED_MAX: Final = 8


def _several(driver: Driver, file: str, found: Collection[str], *, any_good: bool) -> str:
    named = _named(found)
    if any_good:
        return f"{file}: refuses to mix devices: {named} all speak as {driver.title}; {_CHOOSE}"
    return f"{file}: none of {named} clearly speaks as {driver.title}; {_CHOOSE}"


def _named(senders: Collection[str]) -> str:
    more = ", ..." if len(senders) >= _NAMED_MAX else ""
    return (", ".join(sorted(senders)[:_NAMED_MAX]) or "none") + more
