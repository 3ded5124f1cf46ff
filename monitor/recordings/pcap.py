"""What devices said in a pcap or pcapng file: datagrams, and TCP streams in order.

Instants count from the first packet of the file and never go back. What cannot be used (packets cut
short by the capturing program, broken headers, fragments without the rest, gaps in a stream) is
counted in the notes with the numbers of the first packets it happened to.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import lru_cache
from io import BufferedIOBase
from ipaddress import ip_address
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.instant import OPENING, Instant
from monitor.recordings.notes import Notes
from monitor.recordings.packet_file import Packet, is_packet_file, read_packets
from monitor.recordings.packet_layers import Datagram, Segment, Unpacker
from monitor.recordings.tcp_streams import Streams, Stretch

__all__ = ["Carried", "Piece", "is_packet_file", "read_pieces"]

_BACK: Final = "a time before that of the packet ahead of it; read at that one's"


class Carried(msgspec.Struct, frozen=True):
    """What to look for. `ports`: only datagrams from these; empty means from any."""

    datagrams: bool
    streams: bool
    ports: frozenset[int] = frozenset()


class Piece(msgspec.Struct, frozen=True):
    """One datagram, or bytes of a stream in order.

    `sender` names who said it, for people: `10.0.0.9`, or `10.0.0.7:4001` for one port of several.
    Bytes of different `conversation`s never belong to one frame.
    """

    at: Instant
    sender: str
    conversation: str
    data: bytes

    def is_from(self, address: str) -> bool:
        """Return whether `address`, with or without a port, is the sender's."""
        return address in {self.sender, _without_port(self.sender)}


def read_pieces(
    opened: Callable[[], BufferedIOBase], name: str, carried: Carried, notes: Notes
) -> Iterator[Piece]:
    """Yield what `carried` describes in the packet file `name`, streaming, in the file's order.

    Raises:
        RecordingError: it cannot be opened or is no packet file that can be read.
    """
    clock = _Clock(notes)
    unpacker = Unpacker(notes)
    streams = Streams(notes)
    number = 0
    try:
        stream = opened()
    except OSError as error:
        raise RecordingError(f"{name}: {error.strerror or error}") from error
    with closing(stream):
        for packet in read_packets(stream, name, notes):
            number = packet.number
            at = clock.instant(packet)
            found = unpacker.unpack(packet, at)
            if isinstance(found, Datagram):
                if carried.datagrams and found.sender_port in (
                    carried.ports or {found.sender_port}
                ):
                    yield _datagram_piece(found, at, is_known=bool(carried.ports))
            elif found is not None and carried.streams:
                for stretch in streams.take(found, number, at):
                    yield _stream_piece(stretch, at)
    unpacker.finish()
    for stretch in streams.finish(number):
        yield _stream_piece(stretch, clock.now)
    if not number:
        notes.tell(f"{name}: holds no packet")


class _Clock:
    """Instants of packets: from the first one on, never back."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._began_ns: int | None = None
        self.now: Instant = OPENING

    def instant(self, packet: Packet) -> Instant:
        """Return the instant of `packet`."""
        if packet.at_ns is None:
            return self.now
        if self._began_ns is None:
            self._began_ns = packet.at_ns
        at = Instant(packet.at_ns - self._began_ns)
        if at < self.now:
            self._notes.count(_BACK, packet.number)
        else:
            self.now = at
        return self.now


def _datagram_piece(found: Datagram, at: Instant, *, is_known: bool) -> Piece:
    """Return a datagram's piece; a device known by its ports may use several of them."""
    address = _text(found.sender)
    if is_known:
        return Piece(at, address, f"udp {address}", found.payload)
    conversation = (
        f"udp {address} {found.sender_port} {_text(found.receiver)} {found.receiver_port}"
    )
    is_server = found.sender_port < found.receiver_port
    sender = _with_port(address, found.sender_port) if is_server else address
    return Piece(at, sender, conversation, found.payload)


def _stream_piece(stretch: Stretch, at: Instant) -> Piece:
    segment: Segment = stretch.segment
    address = _text(segment.sender)
    sender = _with_port(address, segment.sender_port) if stretch.is_server else address
    return Piece(at, sender, f"tcp {stretch.conversation}", stretch.data)


@lru_cache(maxsize=256)
def _text(address: bytes) -> str:
    return str(ip_address(address))


def _with_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _without_port(text: str) -> str:
    """Return the address in `10.0.0.7:4001`, `[fe80::1]:4001` or a bare address."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
