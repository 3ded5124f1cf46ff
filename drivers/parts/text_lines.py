"""Lines of printable text as devices send them: torn by noise, by pauses and by lost line ends.

For every cut of the same bytes the same pieces come out. A byte that no line can hold ends what
came before it as refused, so a good line right behind noise is read.
"""

import re
from typing import Final

from drivers.framing import STRAY_SIZE_MAX, Piece, Strays
from monitor.model.instant import OPENING, Duration, Instant, between

_BREAK: Final = re.compile(rb"[^\x20-\x7e]")
_ENDS: Final = b"\r\n"


class TextLines:
    """Lines closed by CR or LF in any mixture; empty lines are none.

    `size_max` bounds a line: a longer one is told once, by its beginning, and left out to its
    end. A line that pauses for more than `pause_max` is refused: its rest belongs to no line.
    """

    def __init__(self, size_max: int, pause_max: Duration) -> None:
        self._size_max = size_max
        self._pause_max = pause_max
        self._line = bytearray()
        self._strays = Strays("no text")
        self._is_too_long = False
        self._heard_at = OPENING

    def feed(self, data: bytes, now: Instant) -> list[Piece]:
        """Take bytes, return the lines they complete and what is refused."""
        pieces: list[Piece] = []
        if between(self._heard_at, now) > self._pause_max:
            self._refuse("line cut short", pieces)
        self._heard_at = now
        at = 0
        for found in _BREAK.finditer(data):
            self._take(data[at : found.start()], pieces)
            if found[0] in _ENDS:
                self._close(pieces)
            else:
                self._spoil(found[0], pieces)
            at = found.end()
        self._take(data[at:], pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """Return the line that the end of the input left open."""
        pieces: list[Piece] = []
        self._strays.flush(pieces)
        self._close(pieces)
        return pieces

    def _take(self, part: bytes, pieces: list[Piece]) -> None:
        if self._is_too_long or not part:
            return
        self._strays.flush(pieces)
        self._line += part[: self._size_max + 1 - len(self._line)]
        if len(self._line) > self._size_max:
            self._refuse("line too long", pieces)
            self._is_too_long = True

    def _close(self, pieces: list[Piece]) -> None:
        if self._line:
            pieces.append(Piece(bytes(self._line)))
            self._line.clear()
        self._is_too_long = False

    def _spoil(self, byte: bytes, pieces: list[Piece]) -> None:
        self._strays.add(bytes(self._line) + byte, pieces)
        self._line.clear()
        self._is_too_long = False

    def _refuse(self, flaw: str, pieces: list[Piece]) -> None:
        if self._line:
            pieces.append(Piece(bytes(self._line[:STRAY_SIZE_MAX]), flaw))
            self._line.clear()
        self._is_too_long = False
