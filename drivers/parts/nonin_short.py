"""Nonin formats 8 and 1: a frame of 4 or 3 bytes each second, with nothing to prove it by.

Bit 7 marks the first byte of a frame; there is no checksum, so a damaged frame may read as
another value. Chosen by option only, never guessed on a live line.
"""

from collections.abc import Sequence
from typing import Final

from drivers.framing import Piece, Strays
from drivers.parts.nonin_packet import MARK, NO_RATE, NO_SPO2
from drivers.parts.nonin_setup import Setup
from drivers.reading import Flag, StatusWord, read
from monitor.model.event import DeviceEvent, NoticeKind, Validity, reject
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import Metric

SHORT_SENSOR_GONE: Final = 0x40
SHORT_OUT_OF_TRACK: Final = 0x20
SHORT_FINGER_OFF: Final = 0x08  # of byte 4
_LOW_PERFUSION: Final = 0x10
_LOW_BATTERY: Final = 0x03 << 8  # byte 4, moved above byte 1
_NO_SENSOR: Final = SHORT_SENSOR_GONE | SHORT_FINGER_OFF << 8
_FLAGS: Final = (
    Flag(_NO_SENSOR, NoticeKind.SENSOR_OFF),
    Flag(SHORT_OUT_OF_TRACK, NoticeKind.SEARCHING),
    Flag(_LOW_PERFUSION, NoticeKind.LOW_PERFUSION),
    Flag(_LOW_BATTERY, NoticeKind.LOW_BATTERY),
)
_STANDS_ALONE: Final = seconds(0.2)  # frames come once a second
_AWAY: Final = seconds(3)
SIZE_OF_EIGHT: Final = 4
SIZE_OF_ONE: Final = 3


def _decode(
    frame: bytes, flags: StatusWord, now: Instant, validity: Validity
) -> Sequence[DeviceEvent]:
    """Return what a frame of format 8 or 1 says; nothing protects it but bit 7 of its bytes."""
    status = frame[0] | (frame[3] << 8 if len(frame) == SIZE_OF_EIGHT else 0)
    rate: int | None = (frame[0] & 0x03) << 7 | frame[1]
    spo2: int | None = frame[2]
    if status & (_NO_SENSOR):
        rate = spo2 = None
    rate = None if rate == NO_RATE else rate
    spo2 = None if spo2 == NO_SPO2 else spo2
    trust = Validity.QUESTIONABLE if status & SHORT_OUT_OF_TRACK else validity
    return [
        *flags.read(status, now),
        read(Metric.SPO2, spo2, now, validity=trust),
        read(Metric.PULSE_RATE, rate, now, validity=trust),
    ]


def read_short_capture(data: bytes, now: Instant) -> Sequence[DeviceEvent]:
    """Read a whole short input as format 8 or 1 if every byte of it fits, else refuse it."""
    for size in (SIZE_OF_EIGHT, SIZE_OF_ONE):
        is_pattern = all((byte >= MARK) == (at % size == 0) for at, byte in enumerate(data))
        if data and len(data) % size == 0 and is_pattern:
            flags = StatusWord(_FLAGS)
            frames = [data[at : at + size] for at in range(0, len(data), size)]
            return [
                event
                for frame in frames
                for event in _decode(frame, flags, now, Validity.QUESTIONABLE)
            ]
    return [reject("no Nonin frame", data, now)] if data else []


class NoninShortProtocol:
    """Format 8 or 1: bit 7 marks a first byte; that, and what follows, is all there is to go by.

    A frame is believed when the next one stands right behind it, or nothing comes for a while: a
    byte that was slipped in shifts the numbers and leaves one byte too many, and a device that
    sends another format leaves no room between frames.
    """

    def __init__(self, size: int, setup: Setup) -> None:
        self._size = size
        self._setup = setup
        self._buffer = bytearray()
        self._heard_at = OPENING
        self._flags = StatusWord(_FLAGS)
        self._strays = Strays("no Nonin frame")

    @property
    def wake_at(self) -> Instant | None:
        """When a frame with nothing behind it is believed, or the module is asked."""
        due = [self._setup.wake_at] if self._setup.wake_at is not None else []
        if len(self._buffer) == self._size and self._is_frame():
            due.append(later(self._heard_at, _STANDS_ALONE))
        return min(due, default=None)

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the frames completed by them say."""
        events = list(self._settle(now))
        pieces: list[Piece] = []
        pause = between(self._heard_at, now)
        if pause > _STANDS_ALONE:  # half a frame from before is none of this
            self._refuse(len(self._buffer), pieces)
        if pause > _AWAY:
            self._setup.begin()
        self._heard_at = now
        self._buffer += data
        while self._buffer and self._take(events, pieces, now):
            pass
        events += [reject(piece.flaw, piece.data, now) for piece in pieces]
        self._setup.hear(now, is_in_format=False)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Believe a frame behind which nothing came; set the module up where that was asked."""
        return [*self._settle(now), *self._setup.wake(now)]

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command, where the module is set up."""
        return self._setup.take_outgoing()

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the last frame, marked questionable."""
        return self._tell(now, Validity.QUESTIONABLE) if self._is_frame() else ()

    def _is_frame(self) -> bool:
        return len(self._buffer) >= self._size and self._fits(0)

    def _settle(self, now: Instant) -> Sequence[DeviceEvent]:
        is_alone = len(self._buffer) == self._size and self._is_frame()
        if not is_alone or between(self._heard_at, now) < _STANDS_ALONE:
            return ()
        self._setup.hear(now, is_in_format=True)
        return self._tell(now, Validity.VALID)

    def _tell(self, now: Instant, trust: Validity) -> Sequence[DeviceEvent]:
        frame = bytes(self._buffer[: self._size])
        del self._buffer[: self._size]
        return _decode(frame, self._flags, now, trust)

    def _refuse(self, size: int, pieces: list[Piece]) -> None:
        self._strays.add(self._buffer[:size], pieces)
        del self._buffer[:size]

    def _take(self, events: list[DeviceEvent], pieces: list[Piece], now: Instant) -> bool:
        """Take what stands at the head of the buffer; return False if more must come first."""
        answer_size = self._setup.answer_size(self._buffer, 0)
        if answer_size == 0:
            return self._take_frame(events, pieces, now)
        if answer_size is None:
            return False
        events += self._setup.read(bytes(self._buffer[:answer_size]), now)
        del self._buffer[:answer_size]
        return True

    def _take_frame(self, events: list[DeviceEvent], pieces: list[Piece], now: Instant) -> bool:
        size = self._size
        if not self._fits(0):
            self._refuse(1, pieces)
            return True
        if len(self._buffer) <= size:
            return False
        answer_size = self._setup.answer_size(self._buffer, size)
        if answer_size is None:
            return False
        if not answer_size and not self._fits(size):
            self._refuse(size + 1, pieces)
            return True
        if not answer_size and len(self._buffer) < 2 * size:
            return False
        self._strays.flush(pieces)
        events += self._tell(now, Validity.VALID)
        return True

    def _fits(self, at: int) -> bool:
        """Whether a frame stands at `at`, or its beginning as far as it is here."""
        part = self._buffer[at : at + self._size]
        return part[0] >= MARK > max(part[1:], default=0)
