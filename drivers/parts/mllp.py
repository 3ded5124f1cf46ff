"""MLLP: `0B | message | 1C 0D`; and what field devices send that leave the frame out.

0B begins a message, 1C ends it. Without 0B a message begins at a line `MSH`, and ends at 1C, at the
next `MSH`, or when nothing more comes for two seconds. A framed one that is never closed is given
up after ten. A sender that has framed a message frames them all. Line ends CR, LF and CR LF are all
taken for the CR that is meant.
"""

import re
from typing import Final, NamedTuple

from drivers.framing import STRAY_SIZE_MAX, Piece, Strays
from monitor.model.instant import OPENING, Instant, between, later, seconds

START, END = b"\x0b", b"\x1c"
SIZE_MAX: Final = 256 * 1024
_PAUSE_FRAMED: Final = seconds(10)
_PAUSE_BARE: Final = seconds(2)
_MARKS: Final = re.compile(rb"[\x0b\x1c\r\n]")
_HEAD: Final = b"MSH"
_LOOSE_SIZE_MAX: Final = 4096


class Heard(NamedTuple):
    """A message without its frame, or bytes that are none (`flaw`). `is_closed`: its end came."""

    data: bytes
    flaw: str = ""
    is_closed: bool = True


def frame(message: str) -> bytes:
    """Return `message` as it is sent."""
    return START + message.encode() + END + b"\r"


class MllpSplitter:
    """Bytes to messages, for every cut of the same bytes the same ones."""

    def __init__(self) -> None:
        self._message: bytearray | None = None
        self._segment_at = 0
        self._is_framed = False
        self._line = bytearray()
        self._is_stray_line = False
        self._strays = Strays("no HL7 message")
        self._heard_at: Instant = OPENING
        self._loose = bytearray()
        self._has_message = False
        self._has_frames = False

    @property
    def wake_at(self) -> Instant | None:
        """When an open message counts as ended."""
        if self._message is None:
            return None
        return later(self._heard_at, _PAUSE_FRAMED if self._is_framed else _PAUSE_BARE)

    def feed(self, data: bytes, now: Instant) -> list[Heard]:
        """Take bytes, return the messages they complete and what is none."""
        heard: list[Heard] = []
        if self._message is not None and between(self._heard_at, now) > _PAUSE_FRAMED:
            self._refuse("message cut short", heard)
        self._heard_at = now
        at = 0
        for found in _MARKS.finditer(data):
            self._take(data[at : found.start()], heard)
            self._mark(found[0], heard)
            at = found.end()
        self._take(data[at:], heard)
        return heard

    def wake(self, now: Instant) -> list[Heard]:
        """Return the whole segments of a message that nothing more comes of."""
        heard: list[Heard] = []
        due = self.wake_at
        if due is None or now < due or self._message is None:
            return heard
        del self._message[self._message.rfind(b"\r") + 1 :]  # a segment without its end may be torn
        if self._message:
            self._close(heard, is_closed=not self._is_framed)
        self._message = None
        return heard

    def finish(self) -> list[Heard]:
        """Return what the end of the input left open: a message, or lines that belong to none."""
        heard: list[Heard] = []
        if self._message:
            self._close(heard, is_closed=False)
        self._loose += self._line
        if self._loose and not self._has_message:
            return [Heard(bytes(self._loose), is_closed=False)]
        self._spoil(heard)
        return heard

    def _take(self, part: bytes, heard: list[Heard]) -> None:
        if not part:
            return
        if self._message is not None:
            self._message += part
            if len(self._message) > SIZE_MAX:
                self._refuse("message too long", heard)
                self._is_stray_line = True
            return
        if self._is_stray_line:
            self._stray(part, heard)
            return
        self._line += part
        head = bytes(self._line[: len(_HEAD)])
        if head == _HEAD and not self._has_frames:
            self._begin(bytes(self._line), is_framed=False)
        elif head == _HEAD or not _HEAD.startswith(head):
            self._spoil(heard)
            self._is_stray_line = True

    def _mark(self, mark: bytes, heard: list[Heard]) -> None:
        if mark in b"\r\n":
            self._end_line(heard)
        elif self._message is not None:
            if mark == END or not self._is_framed:
                self._has_frames = self._has_frames or self._is_framed
                self._close(heard, is_closed=True)
            else:
                self._refuse("message cut short", heard)
        else:
            self._spoil(heard)
        if mark == START:
            self._begin(b"", is_framed=True)
        elif mark == END:
            self._is_stray_line = False

    def _end_line(self, heard: list[Heard]) -> None:
        """A segment ended. Where it is another MSH, the message before it has lost its end."""
        if self._message is None:
            self._spoil(heard)
            self._is_stray_line = False
            if self._loose and len(self._loose) < _LOOSE_SIZE_MAX:
                self._loose += b"\r"
            return
        segment = bytes(self._message[self._segment_at :])
        if self._segment_at and segment.startswith(_HEAD):
            del self._message[self._segment_at :]
            if self._is_framed:
                self._refuse("message cut short", heard)
            else:
                self._close(heard, is_closed=True)
            self._begin(segment, is_framed=False)
        assert self._message is not None, "a message is open"
        self._message += b"\r"
        self._segment_at = len(self._message)

    def _begin(self, data: bytes, *, is_framed: bool) -> None:
        self._message = bytearray(data)
        self._segment_at = 0
        self._is_framed = is_framed
        self._line.clear()
        self._is_stray_line = False

    def _close(self, heard: list[Heard], *, is_closed: bool) -> None:
        assert self._message is not None, "only an open message is closed"
        self._flush(heard)
        if self._message:
            self._has_message = True
            heard.append(Heard(bytes(self._message), "", is_closed))
        self._message = None

    def _refuse(self, flaw: str, heard: list[Heard]) -> None:
        self._flush(heard)
        if self._message:
            heard.append(Heard(bytes(self._message[:STRAY_SIZE_MAX]), flaw))
        self._message = None

    def _spoil(self, heard: list[Heard]) -> None:
        """Refuse the line that begins no message."""
        if self._line:
            self._stray(bytes(self._line), heard)
            self._line.clear()

    def _stray(self, part: bytes, heard: list[Heard]) -> None:
        if not self._has_message and len(self._loose) + len(part) <= _LOOSE_SIZE_MAX:
            self._loose += part
        found: list[Piece] = []
        self._strays.add(part, found)
        heard += [Heard(piece.data, piece.flaw) for piece in found]

    def _flush(self, heard: list[Heard]) -> None:
        found: list[Piece] = []
        self._strays.flush(found)
        heard += [Heard(piece.data, piece.flaw) for piece in found]
