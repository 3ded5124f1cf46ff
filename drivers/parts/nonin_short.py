"""Nonin formats 8 and 1: a frame of 4 or 3 bytes each second, with nothing to prove it by.

Bit 7 marks the first byte of a frame; there is no checksum, so a damaged frame may read as
another value. Chosen by option only, never guessed on a live line.
"""

from collections.abc import Sequence
from typing import Final

from drivers.framing import Piece, Strays
from drivers.parts.nonin_packet import MARK, NO_RATE, NO_SPO2
from drivers.reading import Flag, StatusWord, read
from monitor.model.event import DeviceEvent, NoticeKind, Validity, reject
from monitor.model.instant import Instant
from monitor.model.metric import Metric

_SENSOR_GONE: Final = 0x40
_OUT_OF_TRACK: Final = 0x20
_LOW_PERFUSION: Final = 0x10
_FINGER_OFF: Final = 0x08 << 8  # byte 4, moved above byte 1
_LOW_BATTERY: Final = 0x03 << 8
_NO_SENSOR: Final = _SENSOR_GONE | _FINGER_OFF
_FLAGS: Final = (
    Flag(_NO_SENSOR, NoticeKind.SENSOR_OFF),
    Flag(_OUT_OF_TRACK, NoticeKind.SEARCHING),
    Flag(_LOW_PERFUSION, NoticeKind.LOW_PERFUSION),
    Flag(_LOW_BATTERY, NoticeKind.LOW_BATTERY),
)
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
    trust = Validity.QUESTIONABLE if status & _OUT_OF_TRACK else validity
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
    """Format 8 or 1: bit 7 marks a first byte, and that is all there is to go by."""

    wake_at: Instant | None = None

    def __init__(self, size: int) -> None:
        self._size = size
        self._frame = bytearray()
        self._flags = StatusWord(_FLAGS)
        self._strays = Strays("no Nonin frame")

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the frames completed by them say."""
        events: list[DeviceEvent] = []
        pieces: list[Piece] = []
        for byte in data:
            if byte >= MARK:
                self._strays.add(self._frame, pieces)
                self._frame.clear()
            elif not self._frame:
                self._strays.add(bytes([byte]), pieces)
                continue
            self._frame.append(byte)
            if len(self._frame) == self._size:
                self._strays.flush(pieces)
                events += [reject(piece.flaw, piece.data, now) for piece in pieces]
                pieces.clear()
                events += _decode(bytes(self._frame), self._flags, now, Validity.VALID)
                self._frame.clear()
        return [*events, *(reject(piece.flaw, piece.data, now) for piece in pieces)]

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Nothing depends on time alone."""
        del now
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return nothing."""
        return ()
