"""Splitters: bytes as they came, cut anywhere, into whole frames and refused pieces.

Three rules hold for each of them, and for every cut of the same stream the same pieces come out:

- memory is bounded by `size_max` (and the fixed 64 bytes of a refused run);
- work is bounded: a byte is looked at a fixed number of times, whatever the bytes are;
- rubbish never holds back a good frame. Where any byte may occur inside a frame, a start that
  is believed wrongly does not block: every possible start is followed at the same time, and
  the first frame to become whole wins (`WindowSplitter`).
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Final, NamedTuple

STRAY_SIZE_MAX: Final = 64


class Piece(NamedTuple):
    """A frame without its framing, or bytes that are none: then `flaw` says why."""

    data: bytes
    flaw: str = ""


class Strays:
    """Gathers bytes that belong to no frame, so that noise costs one refusal per 64 bytes."""

    def __init__(self, flaw: str) -> None:
        self._flaw = flaw
        self._bytes = bytearray()

    def add(self, data: bytes | bytearray, pieces: list[Piece]) -> None:
        """Take bytes; full runs are told at once."""
        self._bytes += data
        while len(self._bytes) >= STRAY_SIZE_MAX:
            pieces.append(Piece(bytes(self._bytes[:STRAY_SIZE_MAX]), self._flaw))
            del self._bytes[:STRAY_SIZE_MAX]

    def flush(self, pieces: list[Piece]) -> None:
        """Tell what is left, because a frame follows."""
        if self._bytes:
            pieces.append(Piece(bytes(self._bytes), self._flaw))
            self._bytes.clear()


class LineSplitter:
    """Lines closed by `end`, which is taken off; an empty line is no line.

    A line of more than `size_max` bytes is told once, by its beginning, and left out to its end.
    """

    def __init__(self, end: bytes, size_max: int) -> None:
        self._end = end
        self._size_max = size_max
        self._line = bytearray()
        self._is_too_long = False

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the lines they complete."""
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            room = self._size_max + len(self._end) - len(self._line)
            part = data[at : at + room]
            at += len(part)
            seen = max(0, len(self._line) - len(self._end) + 1)
            self._line += part
            end = self._line.find(self._end, seen)
            if end >= 0:
                at -= len(self._line) - end - len(self._end)
                self._close(bytes(self._line[:end]), pieces)
            elif len(self._line) >= self._size_max + len(self._end):
                self._give_up(pieces)
        return pieces

    def _close(self, line: bytes, pieces: list[Piece]) -> None:
        self._line.clear()
        if line and not self._is_too_long:
            pieces.append(Piece(line))
        self._is_too_long = False

    def _give_up(self, pieces: list[Piece]) -> None:
        if not self._is_too_long:
            pieces.append(Piece(bytes(self._line[:STRAY_SIZE_MAX]), "line too long"))
        self._is_too_long = True
        del self._line[: len(self._line) - len(self._end) + 1]  # an end may begin in what is kept


class EscapedSplitter:
    """Frames after a start byte that never occurs inside one, because it is escaped there.

    A frame ends where `size_of` says (from its unescaped beginning: the whole size without the
    start byte, or 0 while it cannot be told), or, where `end` is given, at that byte. `escapes`
    maps each escape sequence to the byte it stands for. A start byte always begins a frame, also
    in the middle of a broken one. `size_max` bounds a frame on the wire.
    """

    def __init__(
        self,
        start: int,
        escapes: Mapping[bytes, int],
        size_max: int,
        *,
        size_of: Callable[[bytes], int] | None = None,
        end: int | None = None,
    ) -> None:
        assert (size_of is None) != (end is None), "a frame has either a size or an end"
        self._start = start
        self._size_of = size_of
        self._end = end
        self._size_max = size_max
        # The escape byte's own sequence comes last: else what it leaves could be read again.
        lead = next(iter(escapes))[0]
        self._escapes = sorted(
            ((each, bytes([byte])) for each, byte in escapes.items()),
            key=lambda pair: pair[1][0] == lead,
        )
        self._lead = bytes([lead])
        self._strays = Strays("no frame begins here")
        self._wire = bytearray()
        self._wire_size_min = 1
        self._is_open = False

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the frames they complete, unescaped, without start and end."""
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            step = self._go_on if self._is_open else self._hunt
            at = step(data, at, pieces)
        return pieces

    def give_up(self) -> list[Piece]:
        """Refuse what has begun: no more of it is expected."""
        pieces: list[Piece] = []
        if self._is_open:
            self._refuse("frame cut short", pieces)
        return pieces

    def _hunt(self, data: bytes, at: int, pieces: list[Piece]) -> int:
        start = data.find(self._start, at)
        self._strays.add(data[at:] if start < 0 else data[at:start], pieces)
        if start < 0:
            return len(data)
        self._strays.flush(pieces)
        self._open()
        return start + 1

    def _open(self) -> None:
        self._wire.clear()
        self._wire_size_min = 1
        self._is_open = True

    def _go_on(self, data: bytes, at: int, pieces: list[Piece]) -> int:
        byte = self._start if self._end is None else self._end
        size = self._size_max - len(self._wire)
        if self._end is None:
            size = min(size, self._wire_size_min - len(self._wire))
        stop = min(at + size, len(data))
        mark = data.find(byte, at, stop)
        if self._end is not None and self._end != self._start:
            start = data.find(self._start, at, mark if mark >= 0 else stop)
            mark = start if start >= 0 else mark
        self._wire += data[at : stop if mark < 0 else mark]
        if mark >= 0:
            self._meet(data[mark], pieces)
            return mark + 1
        if len(self._wire) >= self._size_max:
            self._refuse("frame too long", pieces)
        elif self._end is None:
            self._measure(pieces)
        return stop

    def _meet(self, byte: int, pieces: list[Piece]) -> None:
        if byte == self._end:
            if self._wire:
                self._close(pieces)
            self._is_open = self._end == self._start
            self._wire.clear()
            return
        self._refuse("frame cut short", pieces)
        self._open()

    def _measure(self, pieces: list[Piece]) -> None:
        """Close the frame if it is whole, else learn how many wire bytes it needs at least."""
        assert self._size_of is not None
        if len(self._wire) < self._wire_size_min:
            return
        plain = self._plain()
        if plain is None:
            if self._wire.endswith(self._lead):  # the second half of an escape is still to come
                self._wire_size_min = len(self._wire) + 1
                return
            self._refuse("wrong escape", pieces)
            return
        size = self._size_of(plain)
        if size and len(plain) >= size:
            pieces.append(Piece(plain))
            self._is_open = False
            return
        self._wire_size_min = len(self._wire) + max(1, size - len(plain))

    def _close(self, pieces: list[Piece]) -> None:
        plain = self._plain()
        if plain is None:
            self._refuse("wrong escape", pieces)
        else:
            pieces.append(Piece(plain))

    def _refuse(self, flaw: str, pieces: list[Piece]) -> None:
        pieces.append(Piece(bytes(self._wire[:STRAY_SIZE_MAX]), flaw))
        self._is_open = False

    def _plain(self) -> bytes | None:
        """Return the bytes meant; None where an escape byte begins no known sequence."""
        wire = bytes(self._wire)
        count = wire.count(self._lead)
        if not count:
            return wire
        known = 0
        for sequence, _ in self._escapes:
            known += wire.count(sequence)
        if known != count:
            return None
        for sequence, byte in self._escapes:
            wire = wire.replace(sequence, byte)
        return wire


class WindowSplitter:
    """Frames whose bytes may look like anything: every possible start is followed at once.

    `size_at(buffer, at)` returns the size of the frame that would begin there, 0 if none can, or
    None if the bytes that say are not here yet. `is_whole(frame)` is the checksum. The frame that
    becomes whole first wins; what lies before it and what it covers is no frame.
    """

    def __init__(
        self,
        size_at: Callable[[bytearray, int], int | None],
        is_whole: Callable[[bytes], bool],
        size_max: int,
    ) -> None:
        self._size_at = size_at
        self._is_whole = is_whole
        self._size_max = size_max
        self._strays = Strays("no whole frame")
        self._buffer = bytearray()
        self._base = 0  # place of the buffer's first byte in the whole stream
        self._next = 0  # place of the first byte not yet looked at as a start
        self._open: list[tuple[int, int]] = []  # (end, start) of frames that may be

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the frames they complete, framing included."""
        pieces: list[Piece] = []
        for at in range(0, len(data), self._size_max):
            self._buffer += data[at : at + self._size_max]
            self._look()
            self._complete(pieces)
            self._forget(pieces)
        return pieces

    def give_up(self) -> list[Piece]:
        """Refuse what has begun: no more of it is expected, because something new was asked."""
        pieces: list[Piece] = []
        self._strays.add(self._buffer, pieces)
        self._strays.flush(pieces)
        self._open.clear()
        self._forget_to(self._base + len(self._buffer))
        return pieces

    def _look(self) -> None:
        stop = self._base + len(self._buffer)
        while self._next < stop:
            size = self._size_at(self._buffer, self._next - self._base)
            if size is None:
                break
            if 0 < size <= self._size_max:
                heappush(self._open, (self._next + size, self._next))
            self._next += 1

    def _complete(self, pieces: list[Piece]) -> None:
        stop = self._base + len(self._buffer)
        while self._open and self._open[0][0] <= stop:
            end, start = heappop(self._open)
            if start < self._base:
                continue
            frame = bytes(self._buffer[start - self._base : end - self._base])
            if not self._is_whole(frame):
                continue
            self._strays.add(self._buffer[: start - self._base], pieces)
            self._strays.flush(pieces)
            pieces.append(Piece(frame))
            self._forget_to(end)

    def _forget(self, pieces: list[Piece]) -> None:
        self._open = [each for each in self._open if each[1] >= self._base]
        keep = min((start for _, start in self._open), default=self._next)
        keep = min(keep, self._next)
        self._strays.add(self._buffer[: keep - self._base], pieces)
        self._forget_to(keep)

    def _forget_to(self, place: int) -> None:
        del self._buffer[: place - self._base]
        self._base = place
        self._next = max(self._next, place)


def whole(pieces: Iterable[Piece]) -> list[bytes]:
    """Return the frames among `pieces`."""
    return [piece.data for piece in pieces if not piece.flaw]
