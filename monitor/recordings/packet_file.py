"""Packets out of a pcap or pcapng file, in the order they stand there.

Both formats are public (libpcap's savefile manual page; the IETF draft of pcapng). A file that is
cut off or damaged is read up to there, with a note that names the byte; nothing is looked for
behind the damage, since a length that is wrong once gives no place to go on from.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Final

import msgspec

from monitor.model.errors import RecordingError
from monitor.model.instant import NS_PER_S
from monitor.recordings.notes import Notes

PACKET_SIZE_MAX: Final = 262_144
"""The most that capturing programs keep of one packet."""

_BLOCK_SIZE_MAX: Final = PACKET_SIZE_MAX + 65_536
_INTERFACES_MAX: Final = 1024
_CHUNK_SIZE: Final = 65_536
_DAMAGE: Final = (EOFError, OSError, zlib.error)

_PCAP: Final = {  # the first four bytes: byte order, ticks in a second
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", NS_PER_S),
    b"\xa1\xb2\x3c\x4d": (">", NS_PER_S),
}
_PCAP_VERSION: Final = (2, 4)
_PCAP_REST: Final = 20  # of the file's head, after its first four bytes

_SECTION: Final = b"\x0a\x0d\x0d\x0a"  # reads the same in either byte order
_ORDERS: Final = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE_BLOCK: Final = 1
_OLD_PACKET_BLOCK: Final = 2
_SIMPLE_PACKET_BLOCK: Final = 3
_PACKET_BLOCK: Final = 6
_OPTION_RESOLUTION: Final = 9
_OPTION_OFFSET: Final = 14


class Packet(msgspec.Struct, frozen=True):
    """One packet as the capturing program kept it.

    `number` counts from 1. `at_ns` is on the file's own clock; None where the format has no time.
    `link_type` says what `data` begins with. `size` is how large the packet was on the wire.
    """

    number: int
    at_ns: int | None
    link_type: int
    data: bytes
    size: int


class _DamagedError(Exception):
    """What follows cannot be read; says why."""


class _Interface(msgspec.Struct, frozen=True):
    """Where packets of a pcapng section were captured, and how its clock counts."""

    link_type: int
    size_max: int
    ticks: int = 1_000_000
    offset_s: int = 0

    def at_ns(self, high: int, low: int) -> int:
        return ((high << 32 | low) * NS_PER_S) // self.ticks + self.offset_s * NS_PER_S


def is_packet_file(first: bytes) -> bool:
    """Return whether a file that begins so (12 bytes are enough) is pcap or pcapng."""
    return first[:4] in _PCAP or (first[:4] == _SECTION and first[8:12] in _ORDERS)


def read_packets(stream: BufferedIOBase, name: str, notes: Notes) -> Iterator[Packet]:
    """Yield the packets of the file `name`; damage ends them with a note.

    Raises:
        RecordingError: not a packet file, or of a version that is not read.
    """
    source = _Source(stream)
    try:
        magic = source.take(4)
        if magic in _PCAP:
            yield from _pcap(source, name, *_PCAP[magic])
        elif magic == _SECTION:
            yield from _Sections(source, notes).packets()
        else:
            raise RecordingError(f"{name}: neither pcap nor pcapng")
    except _DamagedError as damage:
        notes.tell(f"{name}: {damage} at byte {source.at}; what comes before was read")
    except _DAMAGE as error:
        notes.tell(f"{name}: damaged or cut off after byte {source.at} ({error})")


class _Source:
    """The bytes of the file, counted."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self.at = 0

    def head(self, size: int) -> bytes | None:
        """Return the next `size` bytes; None at a clean end."""
        data = self._stream.read(size)
        if data and len(data) < size:
            raise _DamagedError("the file ends within a packet")
        self.at += len(data)
        return data or None

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, which must be there."""
        data = self._stream.read(size) if size else b""
        if len(data) < size:
            raise _DamagedError("the file ends within a packet")
        self.at += size
        return data

    def skip(self, size: int) -> None:
        """Pass over `size` bytes in bounded memory."""
        while size > 0:
            size -= len(self.take(min(size, _CHUNK_SIZE)))


# -- pcap ------------------------------------------------------------------------------------------


def _pcap(source: _Source, name: str, order: str, ticks: int) -> Iterator[Packet]:
    head = struct.unpack(f"{order}HHiIII", source.take(_PCAP_REST))
    major, minor, link_type = head[0], head[1], head[5] & 0xFFFF
    if (major, minor) != _PCAP_VERSION:
        raise RecordingError(f"{name}: pcap version {major}.{minor}; this reads 2.4")
    record = struct.Struct(f"{order}IIII")
    ns = NS_PER_S // ticks
    number = 0
    while (each := source.head(record.size)) is not None:
        number += 1
        whole_s, fraction, kept, size = record.unpack(each)
        if kept > PACKET_SIZE_MAX:
            raise _DamagedError(f"packet {number} cannot have {kept} bytes: damaged")
        at_ns = whole_s * NS_PER_S + fraction * ns
        yield Packet(number, at_ns, link_type, source.take(kept), size)


# -- pcapng ----------------------------------------------------------------------------------------


class _Sections:
    """The blocks of a pcapng file, section after section."""

    def __init__(self, source: _Source, notes: Notes) -> None:
        self._source = source
        self._notes = notes
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._number = 0

    def packets(self) -> Iterator[Packet]:
        """Yield the packets; the first block's type was taken already."""
        kind: bytes | None = _SECTION
        while kind is not None:
            if kind == _SECTION:
                self._begin_section()
            else:
                packet = self._block(struct.unpack(f"{self._order}I", kind)[0])
                if packet is not None:
                    yield packet
            kind = self._source.head(4)

    def _begin_section(self) -> None:
        length, magic = self._source.take(4), self._source.take(4)
        if magic not in _ORDERS:
            raise _DamagedError("a section without its byte-order mark")
        self._order = _ORDERS[magic]
        self._interfaces = []
        self._source.skip(self._body_size(length) - 4)
        self._end_block(length)

    def _block(self, kind: int) -> Packet | None:
        length = self._source.take(4)
        size = self._body_size(length)
        readers = {
            _INTERFACE_BLOCK: self._interface_block,
            _SIMPLE_PACKET_BLOCK: self._simple_packet_block,
            _PACKET_BLOCK: self._packet_block,
            _OLD_PACKET_BLOCK: self._packet_block,
        }
        read = readers.get(kind)
        if read is None:
            self._source.skip(size)
            self._end_block(length)
            return None
        if size > _BLOCK_SIZE_MAX:
            raise _DamagedError(f"a block of {size} bytes is none")
        body = self._source.take(size)
        self._end_block(length)
        try:
            return read(body, is_old=kind == _OLD_PACKET_BLOCK)
        except struct.error as error:
            raise _DamagedError("a block that is too short") from error

    def _body_size(self, length: bytes) -> int:
        size: int = struct.unpack(f"{self._order}I", length)[0] - 12
        if size < 0 or size % 4:
            raise _DamagedError("a block whose length cannot be")
        return size

    def _end_block(self, length: bytes) -> None:
        if self._source.take(4) != length:
            raise _DamagedError("a block whose two lengths differ")

    def _interface_block(self, body: bytes, *, is_old: bool) -> None:
        del is_old
        link_type, _, size_max = struct.unpack_from(f"{self._order}HHI", body)
        if len(self._interfaces) >= _INTERFACES_MAX:
            raise _DamagedError(f"more than {_INTERFACES_MAX} interfaces")
        ticks, offset_s = 1_000_000, 0
        for code, value in self._options(body[8:]):
            if code == _OPTION_RESOLUTION and len(value) == 1:
                ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == _OPTION_OFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        self._interfaces.append(_Interface(link_type, size_max, ticks, offset_s))

    def _options(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        while len(data) >= 4:
            code, size = struct.unpack_from(f"{self._order}HH", data)
            if code == 0 or len(data) < 4 + size:
                return
            yield code, data[4 : 4 + size]
            data = data[4 + (size + 3) // 4 * 4 :]

    def _packet_block(self, body: bytes, *, is_old: bool) -> Packet:
        head = f"{self._order}{'HH' if is_old else 'I'}IIII"
        values = struct.unpack_from(head, body)
        high, low, kept, size = values[-4:]
        data = body[20 : 20 + kept]
        if len(data) < kept:
            raise _DamagedError("a packet that is larger than its block")
        interface = self._interface(values[0])
        return self._numbered(interface.at_ns(high, low), interface, data, size)

    def _simple_packet_block(self, body: bytes, *, is_old: bool) -> Packet:
        del is_old
        (size,) = struct.unpack_from(f"{self._order}I", body)
        interface = self._interface(0)
        kept = min(size, interface.size_max or size)
        if kept > len(body) - 4:
            raise _DamagedError("a packet that is larger than its block")
        self._notes.tell("packets without a time count as coming with the packet before them")
        return self._numbered(None, interface, body[4 : 4 + kept], size)

    def _interface(self, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise _DamagedError(f"a packet of interface {number}, which was not described,")
        return self._interfaces[number]

    def _numbered(self, at_ns: int | None, interface: _Interface, data: bytes, size: int) -> Packet:
        self._number += 1
        return Packet(self._number, at_ns, interface.link_type, data, size)
