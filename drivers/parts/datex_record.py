"""Datex DRI records: frames on the wire, the header, subrecords, and the host's requests.

::

    7E | record | CHK | 7E      CHK: sum of the record; 7E is sent as 7D 5E, 7D as 7D 5D
    record: r_len s16, r_nbr u8, level u8, plug u16, time u32, 4 reserved, main type s16,
            8 x (offset s16, type u8; FF ends), 40 bytes in all; then the subrecords

Two flags may stand between frames, or one may be shared. All integers little-endian.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

import msgspec

from drivers.checksums import sum_8
from drivers.framing import Piece, Strays
from monitor.model.instant import OPENING, Duration, Instant, between, seconds

FLAG: Final = 0x7E
HEADER_SIZE: Final = 40
RECORD_SIZE_MAX: Final = 4096
_BEGINNING: Final = 5  # bytes on the wire that hold the length, escaped or not
_PAUSE_MAX: Final = seconds(0.9)
_FLAG_LASTS: Final = seconds(60)
"""How long a flag that ended one frame may still begin the next, which shares it."""

PHYSIOLOGICAL, WAVE, ALARM = 0, 1, 4
DISPLAYED, TREND_10_S, TREND_60_S, AUXILIARY = 1, 2, 3, 4
_LIST_END: Final = 0xFF
_HEADER: Final = Struct("<hBBHI4xh")
_ENTRY: Final = Struct("<hB")
_LIST_AT: Final = 16
_LIST_MAX: Final = 8
_REQUEST_SIZES: Final = {PHYSIOLOGICAL: 49, WAVE: 72, ALARM: 52}


class Record(msgspec.Struct, frozen=True):
    """One record whose sum and length are right. `time_s` is the monitor's clock, since 1970."""

    number: int
    level: int
    time_s: int
    main_type: int
    subrecords: tuple[tuple[int, bytes], ...]
    """Type, and the bytes from its beginning to the next one's, or to the end."""

    @property
    def is_request(self) -> bool:
        """Whether a host sent it: requests carry no number and no time; some name a level."""
        is_bare = not (self.number or self.time_s) and len(self.subrecords) == 1
        return is_bare and self.subrecords[0][0] == 0


class RecordSplitter:
    """Bytes as they came to frames, unescaped; time matters, for half a frame does not keep."""

    def __init__(self) -> None:
        self._wire = bytearray()
        self._strays = Strays("no frame begins here")
        self._is_open = False
        self._limit = _BEGINNING  # bytes on the wire at which the frame is measured, or refused
        self._heard_at: Instant = OPENING

    def feed(self, data: bytes, now: Instant) -> list[Piece]:
        """Take bytes, return the frames they complete."""
        pieces = self.give_up(now)
        self._heard_at = now
        *ended, rest = data.split(b"\x7e")
        for part in ended:
            self._take(part, pieces)
            if not self._is_open:
                self._strays.flush(pieces)
                self._is_open = True
            elif self._wire:
                pieces.append(_plain(bytes(self._wire)))
                self._clear()
        self._take(rest, pieces)
        return pieces

    def give_up(self, now: Instant) -> list[Piece]:
        """Refuse what began too long ago to be completed now."""
        pieces: list[Piece] = []
        pause: Duration = between(self._heard_at, now)
        if self._wire and pause > _PAUSE_MAX:
            self._refuse("frame cut short", pieces)
        elif pause > _FLAG_LASTS:
            self._is_open = False
        return pieces

    def _take(self, part: bytes, pieces: list[Piece]) -> None:
        if not self._is_open:
            self._strays.add(part, pieces)
            return
        at = 0
        while len(self._wire) + len(part) - at >= self._limit:
            stop = at + self._limit - len(self._wire)
            self._wire += part[at:stop]
            at = stop
            if not self._measure():
                self._refuse("longer than it says", pieces)
                self._strays.add(part[at:], pieces)
                return
        self._wire += part[at:]

    def _measure(self) -> bool:
        """Learn how much longer the frame may become; False if it is too long or never can be."""
        size = int.from_bytes(_plain(bytes(self._wire[:_BEGINNING])).data[:2], "little")
        if HEADER_SIZE <= size <= RECORD_SIZE_MAX:  # the sum, and one byte that shows it too long
            self._limit = size + 2 + self._wire.count(b"\x7d")
        return len(self._wire) < self._limit

    def _refuse(self, flaw: str, pieces: list[Piece]) -> None:
        pieces.append(Piece(bytes(self._wire[:64]), flaw))
        self._clear()
        self._is_open = False

    def _clear(self) -> None:
        self._wire.clear()
        self._limit = _BEGINNING


def _plain(wire: bytes) -> Piece:
    count = wire.count(b"\x7d")
    if count:
        if wire.count(b"\x7d\x5e") + wire.count(b"\x7d\x5d") != count:
            return Piece(wire, "wrong escape")
        wire = wire.replace(b"\x7d\x5e", b"\x7e").replace(b"\x7d\x5d", b"\x7d")
    return Piece(wire)


def open_record(frame: bytes) -> Record | str:
    """Return the record in a frame, or why it is none."""
    if len(frame) <= HEADER_SIZE:
        return "frame shorter than a header"
    if sum_8(frame[:-1]) != frame[-1]:
        return "checksum differs"
    size, number, level, _, time_s, main_type = _HEADER.unpack_from(frame)
    if size != len(frame) - 1:
        return "length differs"
    found: list[tuple[int, int]] = []
    for place in range(_LIST_MAX):
        offset, kind = _ENTRY.unpack_from(frame, _LIST_AT + 3 * place)
        if kind == _LIST_END:
            break
        if not 0 <= offset <= size - HEADER_SIZE:  # an empty one stands at the end
            return "subrecord outside the record"
        if not found or offset or kind:  # a list may go on with zeros in place of its end
            found.append((kind, HEADER_SIZE + offset))
    return Record(number, level, time_s, main_type, _parts(frame, found, size))


def _parts(
    frame: bytes, found: Sequence[tuple[int, int]], size: int
) -> tuple[tuple[int, bytes], ...]:
    """Return each subrecord to the next one's beginning; of several at one place, the last."""
    starts = [start for _, start in found]
    ends = [
        start
        if start in starts[place + 1 :]
        else min({each for each in starts if each > start} | {size})
        for place, start in enumerate(starts)
    ]
    return tuple((kind, frame[start:end]) for (kind, start), end in zip(found, ends, strict=True))


def frame_of(record: bytes) -> bytes:
    """Return a record on the wire."""
    wire = record + bytes([sum_8(record)])
    return b"\x7e" + wire.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


def record_of(
    main_type: int,
    subrecords: Sequence[tuple[int, bytes]],
    *,
    number: int = 0,
    level: int = 0,
    time_s: int = 0,
) -> bytes:
    """Return a record with its header; at most eight subrecords."""
    listed = bytearray()
    offset = 0
    for kind, body in subrecords:
        listed += _ENTRY.pack(offset, kind)
        offset += len(body)
    if len(subrecords) < _LIST_MAX:
        listed += _ENTRY.pack(0, _LIST_END)
    size = HEADER_SIZE + offset
    head = _HEADER.pack(size, number & 0xFF, level, 0, time_s, main_type)
    return head + bytes(listed).ljust(3 * _LIST_MAX, b"\x00") + b"".join(b for _, b in subrecords)


def _request(main_type: int, body: bytes) -> bytes:
    size = _REQUEST_SIZES[main_type] - HEADER_SIZE
    return frame_of(record_of(main_type, [(0, body.ljust(size, b"\x00"))]))


def ask_values(wanted: int, interval_s: int, classes: int = 0) -> bytes:
    """Return the request for a kind of physiological record, each `interval_s` (0 stops it).

    `classes`: 0 is basic alone; +2, +4, +8 add the extension classes.
    """
    return _request(PHYSIOLOGICAL, Struct("<BhI").pack(wanted, interval_s, classes))


def ask_waves(kinds: Sequence[int], *, starts: bool = True) -> bytes:
    """Return the request that starts, or stops, waves."""
    head = Struct("<hh").pack(0 if starts else 1, 0)
    return _request(WAVE, head + bytes([*kinds, _LIST_END]))


def ask_alarms(wanted: int = 2) -> bytes:
    """Return the alarm request: 0 status once, 2 enter differential mode, 3 leave it."""
    return _request(ALARM, Struct("<h").pack(wanted))


def describe_request(record: Record) -> str:
    """Return in words what a host asked for; empty if the record is no request."""
    body = record.subrecords[0][1] if record.is_request else b""
    if not body or len(body) != _REQUEST_SIZES.get(record.main_type, 0) - HEADER_SIZE:
        return ""
    if record.main_type == PHYSIOLOGICAL:
        wanted, interval_s, classes = Struct("<BhI").unpack_from(body)
        names = {DISPLAYED: "displayed values", TREND_10_S: "10-s trend", TREND_60_S: "60-s trend"}
        what = names.get(wanted, "auxiliary record" if wanted == AUXILIARY else f"record {wanted}")
        often = {0: "stop", -1: "once"}.get(interval_s, f"every {interval_s} s")
        return f"request: {what}, {often}, classes {classes:X}"
    (wanted,) = Struct("<h").unpack_from(body)
    if record.main_type == ALARM:
        return f"request: alarms, {wanted}"
    kinds = ", ".join(str(kind) for kind in body[4:12].split(b"\xff")[0])
    return f"request: waves {kinds}, {'stop' if wanted else 'start'}"
