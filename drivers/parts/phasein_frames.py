"""The gas analyser's frames of 21 bytes: how they are found, and how they are put together.

::

    AA 55 | ID | STS | CO2 N2O AA1 AA2 O2 (16 bit, 0.01 %) | six slow bytes | CHK

All bytes from ID to CHK make 0 in their low 8 bits. AA 55 may occur inside, and the sum does not
see a byte slipped in that pushes the checksum out. So a frame counts when the next AA 55 stands
right behind it, one frame (50 ms) later.
"""

from typing import Final

from drivers.checksums import complement_8
from drivers.framing import Piece, Strays

MARK: Final = b"\xaa\x55"
FRAME_SIZE: Final = 21
ID_MAX: Final = 9
RATE_HZ: Final = 20
NO_WORD: Final = 0xFFFF
MISSING: Final = 0xFF

# What the six slow bytes are, by ID.
INSPIRED, EXPIRED, MOMENTARY, BREATHING, STATE, CONFIGURATION, SERVICE = range(7)
# STS
APNOEA, O2_LOW, O2_REPLACE, CHECK_LINE, INACCURATE, SENSOR_ERROR, O2_CALIBRATE = (
    1 << bit for bit in range(1, 8)
)
SELF_TEST, SLEEP, MEASURING, DEMO = range(4)
# commands
SET_MODE, SET_APNOEA_S, SET_AGENT, SET_O2, SET_N2O, ZERO = 0, 1, 2, 4, 5, 6


def command(name: int, value: int) -> bytes:
    """Return five bytes from host to analyser."""
    body = bytes([name, value])
    return MARK + body + bytes([complement_8(body)])


def frame(name: int, status: int, co2: int, slow: bytes) -> bytes:
    """Return a frame with CO2 (0.01 %) as its only fast gas."""
    words = co2.to_bytes(2, "big") + b"\xff" * 8
    body = bytes([name, status]) + words + slow
    return MARK + body + bytes([complement_8(body)])


def is_whole(data: bytes) -> bool:
    """Tell whether 21 bytes are a frame."""
    return data.startswith(MARK) and data[2] <= ID_MAX and not sum(data[2:]) & 0xFF


class FrameSplitter:
    """Bytes to frames, each believed when the next one begins behind it.

    A mark believed in vain holds nothing back: it is judged before any frame that begins later.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._strays = Strays("no whole frame, or its checksum differs")

    def feed(self, data: bytes) -> list[Piece]:
        """Take bytes, return the frames they complete and what is none."""
        pieces: list[Piece] = []
        self._buffer += data
        at = 0
        while True:
            start = self._buffer.find(MARK, at)
            if start < 0:
                start = len(self._buffer) - self._buffer.endswith(MARK[:1])
                start = max(at, start)
            self._strays.add(self._buffer[at:start], pieces)
            at = start
            if len(self._buffer) - at < FRAME_SIZE + len(MARK):
                break
            at += self._judge(at, pieces)
        del self._buffer[:at]
        return pieces

    def give_up(self) -> list[Piece]:
        """Refuse what has begun: no more of it is expected."""
        pieces: list[Piece] = []
        self._strays.add(self._buffer, pieces)
        self._strays.flush(pieces)
        self._buffer.clear()
        return pieces

    def finish(self) -> list[Piece]:
        """Return the frame that only waits for the next one to begin."""
        pieces: list[Piece] = []
        if len(self._buffer) == FRAME_SIZE and is_whole(bytes(self._buffer)):
            self._strays.flush(pieces)
            pieces.append(Piece(bytes(self._buffer)))
            self._buffer.clear()
        return [*pieces, *self.give_up()]

    def _judge(self, at: int, pieces: list[Piece]) -> int:
        """Return how many bytes of the buffer are done with."""
        stop = at + FRAME_SIZE
        data = bytes(self._buffer[at:stop])
        if self._buffer[stop : stop + len(MARK)] == MARK and is_whole(data):
            self._strays.flush(pieces)
            pieces.append(Piece(data))
            return FRAME_SIZE
        self._strays.add(data[:1], pieces)
        return 1
