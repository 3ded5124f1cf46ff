"""MEDIBUS frames: commands and answers of both sides out of one stream, and the same made.

::

    command: 1B | CODE | argument | C C | 0D        CC: sum of all before it, two hex digits
    answer : 01 | CODE | data     | C C | 0D

A whole command may stand inside an answer, at any place; its bytes do not count in the answer.
Bytes from 80 on are real-time data and may stand anywhere. For every cut of the same bytes the same
frames come out, and memory is bounded by the longest answer.
"""

import re
from enum import IntEnum
from typing import Final, NamedTuple

from drivers.checksums import sum_8
from drivers.framing import STRAY_SIZE_MAX, Piece, Strays

COMMAND, ANSWER = 0x1B, 0x01
END: Final = 0x0D
LINE_FEED: Final = 0x0A
PAUSE, GO_ON, CANCEL = 0x11, 0x13, 0x18
_COMMAND_SIZE_MAX: Final = 256
_ANSWER_SIZE_MAX: Final = 3860
REAL_TIME: Final = 0x80
_PADDING: Final = (b"\n", b"\0")
"""What terminal programs and adapters put behind a carriage return; no device sends it."""
_ENDS: Final = frozenset({END, LINE_FEED})
"""A file saved as text may hold line feeds in place of carriage returns; the sum still decides."""

_RUN: Final = re.compile(
    rb"(?P<text>[\x20-\x7e\x03]+)|(?P<real>[\x80-\xff]+)|[^\x20-\x7e\x03]", re.DOTALL
)
_HEX: Final = re.compile(rb"[0-9A-F]{2}")


class Code(IntEnum):
    """What is asked; an answer repeats it."""

    NAK = 0x15
    MEASURED_1 = 0x24
    LOW_LIMITS_1 = 0x25
    HIGH_LIMITS_1 = 0x26
    ALARMS_1 = 0x27
    DATE = 0x28
    SETTINGS = 0x29
    TEXT = 0x2A
    MEASURED_2 = 0x2B
    LOW_LIMITS_2 = 0x2C
    HIGH_LIMITS_2 = 0x2D
    ALARMS_2 = 0x2E
    NOP = 0x30
    TIME_CHANGED = 0x49
    INIT = 0x51
    IDENTITY = 0x52
    REAL_TIME_SETTING = 0x53
    REAL_TIME_CHOICE = 0x54
    STOP = 0x55
    REAL_TIME_CHANGED = 0x56


class Frame(NamedTuple):
    """A whole command or answer, without its framing."""

    is_command: bool
    code: int
    data: bytes


class Control(NamedTuple):
    """A byte of flow control: PAUSE, GO_ON or CANCEL."""

    byte: int


class RealTime(NamedTuple):
    """Bytes from 80 on, wherever they stood."""

    data: bytes


Found = Frame | Control | RealTime | Piece


def _frame(start: int, code: int, data: bytes) -> bytes:
    head = bytes([start, code]) + data
    return head + b"%02X\r" % sum_8(head)


def command(code: int, argument: bytes = b"") -> bytes:
    """Return a command as it goes over the wire."""
    return _frame(COMMAND, code, argument)


def answer(code: int, data: bytes = b"") -> bytes:
    """Return an answer as it goes over the wire."""
    return _frame(ANSWER, code, data)


class MedibusSplitter:
    """Takes the bytes of the other side apart."""

    def __init__(self) -> None:
        self._strays = Strays("no MEDIBUS frame")
        self._answer: bytearray | None = None
        self._command: bytearray | None = None
        self._is_after_end = False

    @property
    def is_in_answer(self) -> bool:
        """Whether an answer has begun and not ended."""
        return self._answer is not None

    def feed(self, data: bytes) -> list[Found]:
        """Take bytes; return frames, flow control and refusals in their order."""
        found: list[Found] = []
        for run in _RUN.finditer(data):
            if run["text"]:
                self._take(run[0], found)
                self._is_after_end = False
            elif run["real"]:
                found.append(RealTime(run[0]))
            elif not (self._is_after_end and run[0] in _PADDING):
                self._control(run[0][0], found)
                self._is_after_end = run[0][0] == END
        return found

    def give_up(self) -> list[Piece]:
        """Refuse what has begun: no more of it is expected."""
        found: list[Found] = []
        self._refuse("frame cut short", found)
        return [each for each in found if isinstance(each, Piece)]

    def _take(self, run: bytes, found: list[Found]) -> None:
        """Add printable bytes to the frame that is open; the innermost one."""
        inner = self._command if self._command is not None else self._answer
        if inner is None:
            self._stray(run, found)
            return
        room = (_COMMAND_SIZE_MAX if inner is self._command else _ANSWER_SIZE_MAX) - len(inner)
        inner += run[:room]
        if len(run) > room:
            self._refuse("frame too long", found)
            self._stray(run[room:], found)

    def _stray(self, data: bytes, found: list[Found]) -> None:
        pieces: list[Piece] = []
        self._strays.add(data, pieces)
        found += pieces

    def _control(self, byte: int, found: list[Found]) -> None:
        inner = self._command if self._command is not None else self._answer
        if byte == Code.NAK and inner is not None and len(inner) == 1:
            inner.append(byte)  # the one code that is a control character itself
        elif byte in {PAUSE, GO_ON}:
            found.append(Control(byte))
        elif byte == CANCEL:
            self._answer = self._command = None
            found.append(Control(byte))
        elif byte == COMMAND:
            if self._command is not None:
                self._refuse("frame cut short", found)
            self._begin(found)
            self._command = bytearray([byte])
        elif byte == ANSWER:
            self._refuse("frame cut short", found)
            self._begin(found)
            self._answer = bytearray([byte])
        elif byte in _ENDS and self._command is not None:
            frame, self._command = self._command, None
            self._close(frame, found)
        elif byte in _ENDS and self._answer is not None:
            frame, self._answer = self._answer, None
            self._close(frame, found)
        else:
            self._refuse("control character in a frame", found)
            self._stray(bytes([byte]), found)

    def _begin(self, found: list[Found]) -> None:
        pieces: list[Piece] = []
        self._strays.flush(pieces)
        found += pieces

    def _refuse(self, flaw: str, found: list[Found]) -> None:
        begun = [each for each in (self._answer, self._command) if each is not None]
        found += [Piece(bytes(each[:STRAY_SIZE_MAX]), flaw) for each in begun]
        self._answer = self._command = None

    @staticmethod
    def _close(frame: bytearray, found: list[Found]) -> None:
        """Tell a frame whose sum agrees; a damaged one of either kind is no more than that."""
        sent = bytes(frame[-2:])
        is_whole = len(frame) >= 4 and _HEX.fullmatch(sent) is not None
        if is_whole and int(sent, 16) == sum_8(bytes(frame[:-2])):
            found.append(Frame(frame[0] == COMMAND, frame[1], bytes(frame[2:-2])))
        else:
            found.append(Piece(bytes(frame[:STRAY_SIZE_MAX]), "checksum differs"))
