"""The Capnostat's packets: where one ends, and how one is put together.

::

    CMD (>= 80) | NBF | DB1 .. DBn | CKS      every byte after CMD is < 80
    NBF counts what follows it, CKS included; all bytes together make 0 in their low 7 bits

Seven bits of sum do not see a byte that was slipped in and pushed the last one out. What does see
it: behind a packet of the stream the next one begins. So a stream packet is believed when the next
byte is >= 80 (one packet, 10 ms, later); an answer to a command stands alone and is believed at
once.
"""

import re
from typing import Final

from drivers.framing import Piece, Strays

WAVE: Final = 0x80
SET: Final = 0x84
NACK: Final = 0xC8
STOP: Final = 0xC9
REVISION: Final = 0xCA
RESET: Final = 0xF8
PRESSURE, TEMPERATURE, PERIOD, NO_BREATH_S, UNIT, COMPENSATION = 0x01, 0x04, 0x05, 0x06, 0x07, 0x0B
MMHG, KPA, PERCENT = 0, 1, 2
ETCO2, RESP_RATE, FICO2, STATUS, BREATH, HARDWARE = 0x02, 0x03, 0x04, 0x01, 0x05, 0x07
RATE_HZ: Final = 100

_START: Final = re.compile(rb"[\x80-\xff]")


def packet(command: int, body: bytes = b"") -> bytes:
    """Return a whole packet; every byte of `body` must be below 80 hex."""
    head = bytes([command, len(body) + 1]) + body
    return head + bytes([-sum(head) & 0x7F])


def two(value: int) -> bytes:
    """Return a 14-bit number as high and low seven bits."""
    value = max(0, min(0x3FFF, value))
    return bytes([value >> 7, value & 0x7F])


class PacketSplitter:
    """Bytes to whole packets. `holds_stream`: a packet 80 waits for the start of the next one."""

    def __init__(self, *, holds_stream: bool) -> None:
        self._held = WAVE if holds_stream else -1
        self._run = bytearray()
        self._strays = Strays("no whole packet")

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the packets they complete and what is none."""
        pieces: list[Piece] = []
        at = 0
        while at < len(data):
            found = _START.search(data, at)
            stop = found.start() if found else len(data)
            if stop > at:
                self._take(data[at:stop], pieces)
            if found:
                self._end(pieces)
                self._run.append(data[stop])
                stop += 1
            at = stop
        return pieces

    def give_up(self) -> list[Piece]:
        """Refuse what has begun: no more of it is expected."""
        pieces: list[Piece] = []
        self._strays.add(self._run, pieces)
        self._strays.flush(pieces)
        self._run.clear()
        return pieces

    def finish(self) -> list[Piece]:
        """Return the packet that only waits for the next one to begin."""
        pieces: list[Piece] = []
        self._end(pieces)
        self._strays.flush(pieces)
        return pieces

    def _size(self) -> int:
        return self._run[1] + 2 if len(self._run) > 1 else 2

    def _take(self, part: bytes, pieces: list[Piece]) -> None:
        if not self._run:
            self._strays.add(part, pieces)
            return
        self._run += part
        size = self._size()
        is_stream = self._run[0] == self._held
        if len(self._run) < size + is_stream:
            return
        rest = bytes(self._run[size:])
        del self._run[size:]
        self._close("bytes behind the packet" if is_stream else "", pieces)
        self._strays.add(rest, pieces)

    def _end(self, pieces: list[Piece]) -> None:
        """Judge what the start of a packet, or the end of the input, has brought to an end."""
        if len(self._run) > 1 and len(self._run) == self._size():
            self._close("", pieces)
        else:
            self._strays.add(self._run, pieces)
            self._run.clear()

    def _close(self, flaw: str, pieces: list[Piece]) -> None:
        if sum(self._run) & 0x7F:
            flaw = "checksum differs"
        self._strays.flush(pieces)
        pieces.append(Piece(bytes(self._run), flaw))
        self._run.clear()
