"""From a captured packet to what UDP and TCP carry: link layers, VLAN tags, IPv4, IPv6, fragments.

Checksums are not looked at: a packet captured on the machine that sends it has none yet (the
adapter fills them in), and one whose addresses were made anonymous has a wrong one. What a bad
frame is, the device's own format says.
"""

import struct
from collections import OrderedDict
from typing import Final

import msgspec

from monitor.model.instant import Instant, between, later, seconds
from monitor.recordings.notes import Notes
from monitor.recordings.packet_file import Packet

FRAGMENTED_MAX: Final = 64
"""Datagrams in pieces that are kept at one time; the oldest goes first."""

FRAGMENTS_WAIT_MAX: Final = seconds(30)
_DATAGRAM_SIZE_MAX: Final = 65_535
_PARTS_MAX: Final = 256
_EXTENSIONS_MAX: Final = 8
_TAGS_MAX: Final = 4

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100})
_NULL_IPV6: Final = frozenset({10, 24, 28, 30})  # the same family, numbered by each system
_TCP: Final = 6
_UDP: Final = 17
_EXTENSIONS: Final = frozenset({0, 43, 60, 135})  # hop by hop, routing, destination, mobility
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51

_ETHERNET: Final = 1
_NULL: Final = frozenset({0, 108})
_RAW: Final = frozenset({12, 14, 101, 228, 229})
_SLL: Final = 113
_SLL2: Final = 276

SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10


class Datagram(msgspec.Struct, frozen=True):
    """What one UDP datagram carries; addresses are 4 or 16 bytes."""

    sender: bytes
    sender_port: int
    receiver: bytes
    receiver_port: int
    payload: bytes


class Segment(msgspec.Struct, frozen=True):
    """One TCP segment."""

    sender: bytes
    sender_port: int
    receiver: bytes
    receiver_port: int
    sequence: int
    acknowledged: int
    flags: int
    payload: bytes


class _RejectedError(Exception):
    """The packet is not used; says why, in words that are counted."""


class _Fragment(msgspec.Struct, frozen=True):
    """A part of what an IP packet carries: where it stands, and whether more follow."""

    key: tuple[bytes, bytes, int, int]
    start: int
    is_last: bool
    data: bytes


class Unpacker:
    """Unpacks one capture's packets, in their order; rejects what it cannot trust and counts it."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._fragments = _Fragments(notes)

    def unpack(self, packet: Packet, at: Instant) -> Datagram | Segment | None:
        """Return what `packet` carries; None where that is neither UDP nor TCP, or not whole."""
        try:
            found = _network(packet)
            if found is None:
                return None
            kind, start = found
            return self._internet(kind, packet, start, at)
        except _RejectedError as rejected:
            self._notes.count(f"rejected: {rejected}", packet.number)
        except (struct.error, IndexError):
            self._notes.count(f"rejected: {_short(packet)}", packet.number)
        return None

    def finish(self) -> None:
        """Count what is still in pieces at the end."""
        self._fragments.finish()

    def _internet(
        self, kind: int, packet: Packet, start: int, at: Instant
    ) -> Datagram | Segment | None:
        read = _ipv4 if kind == _IPV4 else _ipv6
        sender, receiver, protocol, carried = read(packet, start)
        if isinstance(carried, _Fragment):
            joined = self._fragments.join(carried, packet.number, at)
            if joined is None:
                return None
            carried = joined
        if protocol == _UDP:
            return _datagram(sender, receiver, carried)
        return _segment(sender, receiver, carried) if protocol == _TCP else None


def _short(packet: Packet) -> str:
    return (
        "cut short by the capturing program (its snap length)"
        if len(packet.data) < packet.size
        else "shorter than its headers say"
    )


# -- link layers -----------------------------------------------------------------------------------


def _network(packet: Packet) -> tuple[int, int] | None:
    """Return the network protocol and where it begins; None for ARP and all that is no IP."""
    data, link = packet.data, packet.link_type
    if link == _ETHERNET:
        kind, start = _u16(data, 12), 14
    elif link == _SLL:
        kind, start = _u16(data, 14), 16
    elif link == _SLL2:
        kind, start = _u16(data, 0), 20
    elif link in _NULL:
        family = min(struct.unpack_from("<I", data)[0], struct.unpack_from(">I", data)[0])
        kind, start = _IPV4 if family == 2 else _IPV6 if family in _NULL_IPV6 else 0, 4
    elif link in _RAW:
        kind, start = {4: _IPV4, 6: _IPV6}.get(data[0] >> 4, 0), 0
    else:
        raise _RejectedError(f"link type {link} is not read")
    for _ in range(_TAGS_MAX):
        if kind not in _TAGS:
            break
        kind, start = _u16(data, start + 2), start + 4
    return (kind, start) if kind in {_IPV4, _IPV6} else None


def _u16(data: bytes, at: int) -> int:
    value: int = struct.unpack_from(">H", data, at)[0]
    return value


# -- IP --------------------------------------------------------------------------------------------

_Carried = tuple[bytes, bytes, int, bytes | _Fragment]


def _ipv4(packet: Packet, start: int) -> _Carried:
    data = packet.data
    version, total = data[start], _u16(data, start + 2)
    header = (version & 0x0F) * 4
    if version >> 4 != 4 or header < 20:
        raise _RejectedError("not an IPv4 header")
    end = _end(packet, start, total)
    if header > end - start:
        raise _RejectedError("an IPv4 header longer than its packet")
    number, place = struct.unpack_from(">HH", data, start + 4)
    protocol = data[start + 9]
    sender, receiver = data[start + 12 : start + 16], data[start + 16 : start + 20]
    carried = data[start + header : end]
    if place & 0x3FFF:
        key = (sender, receiver, protocol, number)
        part = _Fragment(key, (place & 0x1FFF) * 8, not place & 0x2000, carried)
        return sender, receiver, protocol, part
    return sender, receiver, protocol, carried


def _end(packet: Packet, start: int, size: int) -> int:
    """Return where an IP packet of `size` bytes ends; 0 says that an adapter will cut it later."""
    end = start + size if size else packet.size
    if end > len(packet.data):
        raise _RejectedError(_short(packet))
    return end


def _ipv6(packet: Packet, start: int) -> _Carried:
    data = packet.data
    if data[start] >> 4 != 6:
        raise _RejectedError("not an IPv6 header")
    size, following = _u16(data, start + 4), data[start + 6]
    sender, receiver = data[start + 8 : start + 24], data[start + 24 : start + 40]
    end = _end(packet, start, 40 + size if size else 0)
    at = start + 40
    for _ in range(_EXTENSIONS_MAX):
        if following == _FRAGMENT:
            inner, place, number = data[at], _u16(data, at + 2), data[at + 4 : at + 8]
            key = (sender, receiver, inner, int.from_bytes(number, "big"))
            part = _Fragment(key, place & 0xFFF8, not place & 1, data[at + 8 : end])
            return sender, receiver, inner, part
        if following in _EXTENSIONS:
            following, at = data[at], at + (data[at + 1] + 1) * 8
        elif following == _AUTHENTICATION:
            following, at = data[at], at + (data[at + 1] + 2) * 4
        else:
            break
        if at > end:
            raise _RejectedError("IPv6 headers longer than their packet")
    return sender, receiver, following, data[at:end]


# -- fragments -------------------------------------------------------------------------------------


class _Parts:
    """The fragments of one datagram that have come so far."""

    def __init__(self, at: Instant, number: int) -> None:
        self.at = at
        self.number = number
        self._parts: dict[int, bytes] = {}
        self._size: int | None = None

    def add(self, part: _Fragment) -> bytes | None:
        """Take one part; return the whole when it is complete.

        Raises:
            _RejectedError: parts overlap or contradict each other; nobody can say which is true.
        """
        if self._parts.get(part.start) == part.data:
            return None  # sent twice
        end = part.start + len(part.data)
        last = max((start + len(data) for start, data in self._parts.items()), default=0)
        if part.is_last and last <= end and self._size is None:
            self._size = end
        elif part.is_last or len(part.data) % 8 or end > (self._size or _DATAGRAM_SIZE_MAX):
            raise _RejectedError("IP fragments that cannot be")
        if end > _DATAGRAM_SIZE_MAX or not part.data or len(self._parts) >= _PARTS_MAX:
            raise _RejectedError("IP fragments that cannot be")
        for start, data in self._parts.items():
            if start < end and part.start < start + len(data):
                raise _RejectedError("IP fragments that overlap")
        self._parts[part.start] = part.data
        if sum(map(len, self._parts.values())) != self._size:
            return None
        return b"".join(data for _, data in sorted(self._parts.items()))


class _Fragments:
    """Datagrams in pieces: bounded in number, size and time."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._waiting: OrderedDict[tuple[bytes, bytes, int, int], _Parts] = OrderedDict()

    def join(self, part: _Fragment, number: int, at: Instant) -> bytes | None:
        """Return the whole that `part` completes, if it does.

        Raises:
            _RejectedError: the parts do not fit together; they are forgotten.
        """
        parts = self._waiting.get(part.key)
        if parts is None or between(later(parts.at, FRAGMENTS_WAIT_MAX), at) > 0:
            self._forget(part.key)
            parts = self._waiting[part.key] = _Parts(at, number)
        if len(self._waiting) > FRAGMENTED_MAX:
            self._forget(next(iter(self._waiting)))
        try:
            whole = parts.add(part)
        except _RejectedError:
            del self._waiting[part.key]
            raise
        if whole is not None:
            del self._waiting[part.key]
        return whole

    def finish(self) -> None:
        """Count what never became whole."""
        for key in list(self._waiting):
            self._forget(key)

    def _forget(self, key: tuple[bytes, bytes, int, int]) -> None:
        parts = self._waiting.pop(key, None)
        if parts is not None:
            self._notes.count("rejected: IP fragments without the rest", parts.number)


# -- UDP, TCP --------------------------------------------------------------------------------------


def _datagram(sender: bytes, receiver: bytes, carried: bytes) -> Datagram | None:
    sender_port, receiver_port, size = struct.unpack_from(">HHH", carried)
    if size == 0:
        size = len(carried)  # IPv6 jumbograms and adapters that cut later
    if not 8 <= size <= len(carried):
        raise _RejectedError("a UDP length that its packet does not have")
    payload = carried[8:size]
    return Datagram(sender, sender_port, receiver, receiver_port, payload) if payload else None


def _segment(sender: bytes, receiver: bytes, carried: bytes) -> Segment:
    head = struct.unpack_from(">HHIIBB", carried)
    sender_port, receiver_port, sequence, acknowledged, offset, flags = head
    start = (offset >> 4) * 4
    if not 20 <= start <= len(carried):
        raise _RejectedError("a TCP header longer than its packet")
    return Segment(
        sender,
        sender_port,
        receiver,
        receiver_port,
        sequence,
        acknowledged,
        flags,
        carried[start:],
    )
