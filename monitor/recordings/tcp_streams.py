"""TCP streams put together again as their receiver saw them, in bounded memory.

Bytes sent twice count once; bytes that come early wait for those before them. Where the capture
lacks some (the receiver acknowledged them, or they never come), the stream goes on behind the gap
as a new conversation: what stands on either side of a gap must never be read as one frame.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.recordings.notes import Notes
from monitor.recordings.packet_layers import ACK, RST, SYN, Segment

DIRECTIONS_MAX: Final = 128
WAITING_SIZE_MAX: Final = 128 * 1024
"""Early bytes kept for one direction: more than any device's receiver offers to take."""

WAITING_MAX: Final = 256
WAIT_MAX: Final = seconds(10)
_JUMP: Final = 1 << 26
"""A sequence number this far off belongs to another connection, whose beginning is not here."""

_LOST: Final = "bytes of a TCP stream are missing; it is read on behind them as a new conversation"

_Key = tuple[bytes, int, bytes, int]


class Stretch(msgspec.Struct, frozen=True):
    """Bytes of one direction in order. `conversation` numbers unbroken stretches of the file.

    `is_server`: the sender is the side that was connected to.
    """

    segment: Segment
    conversation: int
    is_server: bool
    data: bytes


class _Direction:
    """One side's bytes: the number expected next, and what came before its turn."""

    def __init__(self, conversation: int, *, is_server: bool) -> None:
        self.conversation = conversation
        self.is_server = is_server
        self.opened_with: int | None = None
        self.expected: int | None = None
        self.waits_since: Instant = OPENING
        self._waiting: dict[int, bytes] = {}
        self._waiting_size = 0

    def ahead(self, sequence: int) -> int:
        """Return how far `sequence` lies behind what was had; numbers wrap at 2**32."""
        expected = sequence if self.expected is None else self.expected
        return (sequence - expected + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000

    @property
    def is_waiting(self) -> bool:
        """Whether bytes are here whose turn has not come."""
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether no more can be kept."""
        return len(self._waiting) > WAITING_MAX or self._waiting_size > WAITING_SIZE_MAX

    @property
    def gap(self) -> int:
        """How many bytes are missing before those that wait."""
        return min(map(self.ahead, self._waiting))

    def take(self, sequence: int, data: bytes, now: Instant) -> bytes:
        """Return the bytes whose turn has come with `data`."""
        ahead = self.ahead(sequence)
        if ahead > 0:
            self._keep(sequence, data, now)
            return b""
        fresh = data[-ahead:] if ahead else data
        if not fresh:
            return b""
        self._pass(len(fresh), sequence - ahead)
        return fresh + self._follow()

    def skip(self) -> bytes:
        """Give up what is missing; return what follows it."""
        self._pass(self.gap, self.expected or 0)
        return self._follow()

    def _pass(self, size: int, sequence: int) -> None:
        self.expected = (sequence + size) % 0x1_0000_0000

    def _keep(self, sequence: int, data: bytes, now: Instant) -> None:
        if not self._waiting:
            self.waits_since = now
        known = self._waiting.get(sequence, b"")
        if len(data) > len(known):
            self._waiting[sequence] = data
            self._waiting_size += len(data) - len(known)

    def _follow(self) -> bytes:
        found = bytearray()
        while self._waiting:
            sequence = min(self._waiting, key=self.ahead)
            ahead = self.ahead(sequence)
            if ahead > 0:
                break
            data = self._waiting.pop(sequence)
            self._waiting_size -= len(data)
            fresh = data[-ahead:] if ahead else data
            self._pass(len(fresh), self.expected or 0)
            found += fresh
        return bytes(found)


class Streams:
    """Every direction of every connection in one capture."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._directions: OrderedDict[_Key, tuple[_Direction, Segment]] = OrderedDict()
        self._conversations = 0

    def take(self, segment: Segment, number: int, now: Instant) -> list[Stretch]:
        """Return what packet `number` brings into order, the peer's bytes it proves lost first."""
        told = self._acknowledge(segment, number)
        direction, ended = self._direction(segment, number)
        told += ended
        if direction.is_waiting and between(later(direction.waits_since, WAIT_MAX), now) > 0:
            told += self._skip(direction, segment, number)
        sequence = segment.sequence
        if segment.flags & SYN:
            sequence = (sequence + 1) % 0x1_0000_0000
        if direction.expected is None:
            direction.expected = sequence
        if abs(direction.ahead(sequence)) > _JUMP:
            told += self._flush(direction, segment, number)
            self._notes.count("TCP stream goes on somewhere else; read as a new one", number)
            direction.expected = sequence
            direction.conversation = self._next()
        data = direction.take(sequence, segment.payload, now) if segment.payload else b""
        if data:
            told.append(_stretch(direction, segment, data))
        while direction.is_full:
            told += self._skip(direction, segment, number)
        if segment.flags & RST:
            told += self._flush(direction, segment, number)
        return told

    def finish(self, number: int) -> list[Stretch]:
        """Return what still waits when the capture ends."""
        told: list[Stretch] = []
        for direction, segment in self._directions.values():
            told += self._flush(direction, segment, number)
        return told

    def _direction(self, segment: Segment, number: int) -> tuple[_Direction, list[Stretch]]:
        """Return the direction of `segment`, new where a connection begins, and what that ends."""
        key = _key(segment)
        known = self._directions.get(key)
        is_opening = bool(segment.flags & SYN)
        if known is not None and not (is_opening and known[0].opened_with != segment.sequence):
            self._directions.move_to_end(key)
            return known[0], []
        ended = self._flush(*known, number) if known is not None else []
        direction = _Direction(self._next(), is_server=self._is_server(segment))
        if is_opening:
            direction.opened_with = segment.sequence
        self._directions[key] = (direction, segment)
        self._directions.move_to_end(key)
        if len(self._directions) > DIRECTIONS_MAX:
            _, oldest = self._directions.popitem(last=False)
            ended += self._flush(*oldest, number)
        return direction, ended

    def _is_server(self, segment: Segment) -> bool:
        if segment.flags & SYN:
            return bool(segment.flags & ACK)
        peer = self._directions.get(_reverse(segment))
        if peer is not None:
            return not peer[0].is_server
        return segment.sender_port < segment.receiver_port

    def _acknowledge(self, segment: Segment, number: int) -> list[Stretch]:
        """Give up bytes that the receiver had and the capture lacks."""
        known = self._directions.get(_reverse(segment))
        if known is None or not segment.flags & ACK:
            return []
        direction, last = known
        told: list[Stretch] = []
        while direction.is_waiting and direction.gap <= direction.ahead(segment.acknowledged):
            told += self._skip(direction, last, number)
        return told

    def _skip(self, direction: _Direction, segment: Segment, number: int) -> list[Stretch]:
        self._notes.count(_LOST, number)
        direction.conversation = self._next()
        data = direction.skip()
        return [_stretch(direction, segment, data)] if data else []

    def _flush(self, direction: _Direction, segment: Segment, number: int) -> list[Stretch]:
        told: list[Stretch] = []
        while direction.is_waiting:
            told += self._skip(direction, segment, number)
        return told

    def _next(self) -> int:
        self._conversations += 1
        return self._conversations


def _key(segment: Segment) -> _Key:
    return segment.sender, segment.sender_port, segment.receiver, segment.receiver_port


def _reverse(segment: Segment) -> _Key:
    return segment.receiver, segment.receiver_port, segment.sender, segment.sender_port


def _stretch(direction: _Direction, segment: Segment, data: bytes) -> Stretch:
    return Stretch(segment, direction.conversation, direction.is_server, data)
