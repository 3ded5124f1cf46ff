"""From a file of captured bytes to what a driver makes of them, for `decode` and `replay`.

A file is our own capture, pcap or pcapng, raw bytes, or bytes written as text (hex, a dump, a log);
each may be packed, and of any size. One file is one device: a packet file that holds several is
refused until a person says which.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from io import BufferedIOBase
from itertools import islice
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
from monitor.main.inputs import Input
from monitor.main.pacing import paced, written
from monitor.model.errors import ConfigError, RecordingError
from monitor.model.event import DeviceEvent, DeviceNotice, FrameRejected, NoticeKind
from monitor.model.instant import OPENING, Instant, between, seconds
from monitor.recordings.capture import head_in, is_capture, pieces_in
from monitor.recordings.hex_text import is_hex_text, read_hex
from monitor.recordings.notes import Notes
from monitor.recordings.pcap import Carried, Piece, is_packet_file, read_pieces

CONVERSATIONS_MAX: Final = 16
SENDERS_MAX: Final = 256
BEGINNING_SIZE_MAX: Final = 64 * 1024
CATCH_UP_MAX: Final = seconds(600)
"""A protocol that would have to be woken for longer than this is told the time at once."""


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
    data = Input(source.file)
    if is_packet_file(data.head) and not source.is_hex:
        return _packets(driver, source, data, notes)
    if source.sender is not None:
        raise ConfigError(f"--from {source.sender}: {source.file} is no packet file")
    if is_capture(data.head) and not source.is_hex:
        return _captured(driver, data.open(), source.file)
    if source.is_hex:
        return _written(driver, source, data, notes)
    if driver.transports - {TransportKind.MQTT} and is_hex_text(data.head_lines()):
        notes.tell(f"{source.file}: read as hex text")
        return _written(driver, source, data, notes)
    if TransportKind.SERIAL in driver.transports:
        return paced(driver, data.chunks(notes))
    return paced(driver, [data.whole()])


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


def _written(driver: Driver, source: Source, data: Input, notes: Notes) -> Iterator[Piece]:
    """Yield the bytes that a text writes; of a log of two directions, those of the device.

    Where both, or neither, measure, each goes its own way: bytes of two directions are no frame.
    """
    heard = _sides_in(data)
    side = None
    if len(heard) > 1 and data.is_kept:
        trial = written(driver, read_hex(data.lines(Notes()), source.file))
        scores = _scores(driver, source, trial)
        speaking = [who for who, score in scores.items() if score.measured]
        side = speaking[0] if len(speaking) == 1 else None
    if side is not None:
        notes.tell(f'{source.file}: "{side}" is the direction of the device')
    pieces = written(driver, read_hex(data.lines(notes), source.file))
    yield from (each for each in pieces if side in {None, each.sender})


def _sides_in(data: Input) -> frozenset[str]:
    """Return what the beginning of a log calls its directions."""
    try:
        return frozenset(each.side for each in read_hex(data.head_lines(), data.name))
    except RecordingError:
        return frozenset()  # told in its place when all of it is read


# -- packet files ----------------------------------------------------------------------------------


def _carried(driver: Driver) -> Carried | None:
    """Return what to look for in packets; None where the driver is carried by neither."""
    carried = Carried(
        datagrams=TransportKind.UDP in driver.transports,
        streams=TransportKind.TCP in driver.transports,
        ports=driver.device_ports,
    )
    return carried if carried.datagrams or carried.streams else None


def _packets(driver: Driver, source: Source, data: Input, notes: Notes) -> Iterator[Piece]:
    """Yield what one device says in a packet file.

    Raises:
        RecordingError: several senders read as this device, none was named; or nothing could.
    """
    carried, name = _carried(driver), source.file
    if carried is None:
        kinds = " and ".join(sorted(driver.transports))
        raise RecordingError(
            f"{name}: {driver.name} is carried by {kinds}; in packets only UDP and TCP are "
            "looked for. Record it with `vigil listen --capture`"
        )
    sender = source.sender
    if sender is None:
        data.keep()
        tried = read_pieces(data.open, name, carried, Notes("packet"))
        sender = _only_sender(driver, source, tried)
    is_heard = False
    others: set[str] = set()
    for piece in read_pieces(data.open, name, carried, notes):
        if piece.is_from(sender):
            is_heard = True
            yield piece
        elif len(others) < _NAMED_MAX:
            others.add(piece.sender)
    if source.sender and not is_heard:
        notes.tell(f"{name}: nobody at {source.sender}; heard were {_named(others)}")
    elif others and not is_heard:
        notes.tell(f"{name}: heard were {_named(others)}; none reads as {driver.title}")


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
    """Return who speaks as this device does, by trying everybody; "" where nobody does.

    Who is understood more often than not comes first: among much foreign traffic a weak checksum
    holds by chance now and then. Of those, who tells measurements: a host asks in the same frames.

    Raises:
        RecordingError: more than one does: a capture of several devices is never mixed.
    """
    scores = _scores(driver, source, pieces)
    fits = [who for who, score in scores.items() if score.good > score.rejected]
    fits = [who for who in fits if scores[who].measured] or fits
    found = fits or [who for who, score in scores.items() if score.good]
    found = found or list(scores)[: len(scores) == 1]  # alone: to say what is refused, and why
    if len(found) > 1:
        raise RecordingError(_several(driver, source.file, found, any_good=bool(fits)))
    return found[0] if found else ""


def _scores(driver: Driver, source: Source, pieces: Iterable[Piece]) -> dict[str, Score]:
    """Return how well each sender speaks as this device does, by trying everybody.

    Raises:
        RecordingError: there are more senders than can be tried.
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
    return scores


def packet_scores(driver: Driver, file: str, pieces_max: int) -> dict[str, Score]:
    """Return how well each sender in a packet file speaks as `driver`, by its first pieces.

    Empty for any other file, and where the driver is carried by no packets or must be told more.
    """
    data, carried = Input(file), _carried(driver)
    if carried is None or not is_packet_file(data.head):
        return {}
    pieces = read_pieces(data.open, file, carried, Notes("packet"))
    try:
        return _scores(driver, Source(file=file), islice(pieces, pieces_max))
    except (ConfigError, RecordingError):
        return {}


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
