"""Nonin OEM III, Xpod, iPod, WristOx2: SpO2, pulse and pleth; Bluetooth models take commands.

Formats 2 and 7 (75 frames a second, told apart by themselves; 25 frames make a packet)::

    #2:  01 | STATUS | PLETH         | FLOAT | CHK      CHK: sum of all before it
    #7:       STATUS | PLETH (2, hi) | FLOAT | CHK

FLOAT depends on the place in the packet, counted from the one frame whose STATUS has SYNC.
Formats 8 and 1 (one frame of 4 or 3 bytes a second, no checksum) only where an option asks. Older
handhelds print a line of text, see `nonin_text`.

What is told is the display pair (frames 9, 20 and 21), once per packet, and only when 25 frames
have passed in step and the SYNC frame of the next packet stands right behind them, 13 ms later. A
lost frame shifts the places, and half a pulse rate is still a pulse rate.
The display pair keeps its last value for 10 s after the finger has gone. So while the status or
the average (frames 1 to 3, missing at once) says that nothing is being measured, it is not told.
"""

from collections.abc import Sequence
from typing import Final

from drivers.contract import (
    NO_OPTIONS,
    DeviceProtocol,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.framing import Piece, Strays
from drivers.options import read_options
from drivers.parts.nonin_module import NoninDevice, encode
from drivers.parts.nonin_packet import (
    FIRMWARE_AT,
    FRAMES,
    GREEN,
    IS_GOOD,
    LOW_BATTERY,
    NO_SENSOR,
    OUT_OF_TRACK,
    RATE_AT,
    RATE_SHOWN_AT,
    RED,
    SIZE,
    SPO2_AT,
    SPO2_SHOWN_AT,
    STATUS_2_AT,
    STATUS_OFFSET,
    SYNC,
    Format,
    Packet,
)
from drivers.parts.nonin_setup import NoninOptions, Setup
from drivers.parts.nonin_short import (
    SIZE_OF_EIGHT,
    SIZE_OF_ONE,
    NoninShortProtocol,
    read_short_capture,
)
from drivers.parts.nonin_text import TextOrFrames
from drivers.reading import Flag, StatusWord
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, seconds
from monitor.model.metric import Metric

_IN_ROW: Final = 3  # good frames, the first with SYNC, before a place in the stream is believed
_KEPT: Final = 2 * SIZE  # bytes looked at again when step is lost
_HEAD_SIZE_MAX: Final = 60
_PAUSE_MAX: Final = seconds(0.9)  # a packet takes a third of a second
_AWAY: Final = seconds(3)  # a module silent for longer may have been switched off
_UNLEARN_AFTER: Final = 1000  # bytes without a frame of the known format

_LOW_PERFUSION_BIT: Final = 0x100  # our own bits, beside the device's
_LOW_BATTERY_BIT: Final = 0x200
_FLAGS: Final = (
    Flag(NO_SENSOR, NoticeKind.SENSOR_OFF),
    Flag(OUT_OF_TRACK, NoticeKind.SEARCHING),
    Flag(_LOW_PERFUSION_BIT, NoticeKind.LOW_PERFUSION),
    Flag(_LOW_BATTERY_BIT, NoticeKind.LOW_BATTERY),
)


_TRIED: Final = {
    Format.AUTO: (Format.TWO, Format.SEVEN),
    Format.TWO: (Format.TWO,),
    Format.SEVEN: (Format.SEVEN,),
}
_SHORT_SIZES: Final = {Format.EIGHT: SIZE_OF_EIGHT, Format.ONE: SIZE_OF_ONE}


class NoninProtocol:
    """Hunt for a packet's first frame, then follow five bytes at a time; set up what has ears."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, NoninOptions)
        self._setup = Setup(chosen)
        self._chosen = _TRIED[chosen.format]
        self._tried = (
            self._chosen
        )  # a format once met stays: a flat pleth of one looks like another
        self._strayed = 0
        self._format = Format.AUTO  # of the frames now followed; AUTO while hunting
        self._buffer = bytearray()
        self._strays = Strays("no Nonin frame")
        self._done = 0  # bytes at the head of the buffer that were followed already
        self._is_in_doubt = False  # the last frame was bad: corrupted, or the first out of step
        self._packet = Packet()
        self._flags = StatusWord(_FLAGS)
        self._own_bits = 0
        self._heard_at = OPENING
        self._firmware: int | None = None
        self._head: bytes | None = b""  # the first bytes, for `finish`; None once frames were found

    @property
    def has_frames(self) -> bool:
        """Whether a frame was ever found."""
        return self._head is None

    @property
    def wake_at(self) -> Instant | None:
        """When a module that is set up is asked; None for one that only talks."""
        return self._setup.wake_at

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the packets completed by them say."""
        events: list[DeviceEvent] = []
        if between(self._heard_at, now) > _AWAY:
            self._setup.begin()
        if between(self._heard_at, now) > _PAUSE_MAX:  # half a packet from before is none of this
            events += self._drop(now)
            self._refuse(bytes(self._buffer[self._done :]), events, now)
            self._buffer.clear()
            self._lose_step(0)
        self._heard_at = now
        self._buffer += data
        if self._head is not None and len(self._head) <= _HEAD_SIZE_MAX:
            self._head += data[: _HEAD_SIZE_MAX + 1]
        while (self._format or self._hunt(events, now)) and self._follow(events, now):
            pass
        self._setup.hear(now, is_in_format=bool(self._format))
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Set the module up, where an option asks for it; nothing else depends on time alone."""
        return self._setup.wake(now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command; nothing to a wired module, which has no ears."""
        return self._setup.take_outgoing()

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell what the last packet said, marked questionable: nothing shows that it was in step.

        Of a packet that was not completed, the average.
        """
        events: list[DeviceEvent] = []
        if not self._format:
            self._hunt(events, now, in_row=1)
        if self._format:
            self._follow(events, now)
        elif self._head and len(self._head) <= _HEAD_SIZE_MAX:
            events += read_short_capture(self._head, now)
        if self._packet.count == FRAMES:
            # With its last frame bad, nothing at all shows that the packet was in step.
            events += (
                self._drop(now) if self._is_in_doubt else self._close(now, Validity.QUESTIONABLE)
            )
        elif self._packet.count:
            events += self._flags.read(self._packet.status, now)
            events += self._packet.tell((SPO2_AT, RATE_AT), now, Validity.QUESTIONABLE)
            self._packet = Packet()
        return events

    def _hunt(self, events: list[DeviceEvent], now: Instant, in_row: int = _IN_ROW) -> bool:
        """Look for a packet's beginning; keep only what may still be one."""
        buffer = self._buffer
        keep = max(0, len(buffer) - in_row * SIZE + 1)
        for at in range(keep):
            for each in self._tried:
                if self._begins(each, at, in_row):
                    self._begin(each, at, events, now)
                    return True
        self._refuse(bytes(buffer[:keep]), events, now)
        del buffer[:keep]
        self._strayed += keep
        if self._strayed > _UNLEARN_AFTER:
            self._tried = self._chosen
        return False

    def _begins(self, layout: Format, at: int, in_row: int) -> bool:
        buffer, offset, is_good = self._buffer, STATUS_OFFSET[layout], IS_GOOD[layout]
        if not buffer[at + offset] & SYNC:  # the cheapest test first: this runs on all noise
            return False
        places = range(at + SIZE, at + in_row * SIZE, SIZE)
        return is_good(buffer, at) and all(
            is_good(buffer, place) and not buffer[place + offset] & SYNC for place in places
        )

    def _begin(self, layout: Format, at: int, events: list[DeviceEvent], now: Instant) -> None:
        self._refuse(bytes(self._buffer[:at]), events, now)
        pieces: list[Piece] = []
        self._strays.flush(pieces)
        events += [reject(piece.flaw, piece.data, now) for piece in pieces]
        del self._buffer[:at]
        self._format = layout
        self._tried = (layout,)
        self._strayed = 0
        self._head = None
        self._packet = Packet()

    def _refuse(self, data: bytes, events: list[DeviceEvent], now: Instant) -> None:
        pieces: list[Piece] = []
        self._strays.add(data, pieces)
        events += [reject(piece.flaw, piece.data, now) for piece in pieces]

    def _follow(self, events: list[DeviceEvent], now: Instant) -> bool:
        """Take whole frames in step; return True if step was lost and hunting is due."""
        buffer, is_good = self._buffer, IS_GOOD[self._format]
        at = self._done
        while at + SIZE <= len(buffer):
            size = self._setup.answer_size(buffer, at)
            if size is None:
                break
            if size:
                events += self._setup.read(bytes(buffer[at : at + size]), now)
                at += size
                continue
            frame = bytes(buffer[at : at + SIZE])
            if is_good(buffer, at):
                is_in_step = self._take(frame, events, now)
            else:
                is_in_step = self._spoil(frame, events, now)
            if not is_in_step:
                events += self._drop(now)
                self._lose_step(at)
                return True
            at += SIZE
        self._done = min(at, _KEPT)
        del buffer[: at - self._done]
        return False

    def _spoil(self, frame: bytes, events: list[DeviceEvent], now: Instant) -> bool:
        """Leave the place of a bad frame empty; return False if it is the second in a row."""
        if self._is_in_doubt:
            return False
        events += self._drop(now)
        self._is_in_doubt = True
        events.append(reject("checksum differs", frame, now))
        self._packet.add_hole()
        return True

    def _take(self, frame: bytes, events: list[DeviceEvent], now: Instant) -> bool:
        """Take a good frame; return False if it shows that step was lost."""
        self._is_in_doubt = False
        first, second, third, value = frame[:4]
        is_wide = self._format is Format.SEVEN
        status, pleth = (first, second << 8 | third) if is_wide else (second, third)
        is_first, count = bool(status & SYNC), self._packet.count
        if is_first and count == FRAMES:
            events += self._close(now)
        elif is_first and count:
            events.append(reject("packet cut short", frame, now))
            self._packet = Packet()
        elif not is_first and count in {0, FRAMES}:
            events.append(reject("packet without beginning", frame, now))
            return False
        self._packet.add(status, pleth, value)
        return True

    def _drop(self, now: Instant) -> Sequence[DeviceEvent]:
        """Refuse a packet that is complete and will not be proved; a begun one goes on."""
        if self._packet.count < FRAMES:
            return ()
        packet, self._packet = self._packet, Packet()
        return [reject("no packet follows in step", packet.as_bytes(), now)]

    def _lose_step(self, at: int) -> None:
        """Hunt again from inside the last two frames on: a good one may begin there.

        Also from inside one that looked good: the head of a cut frame with the first byte of the
        next is good once in 256 times.
        """
        del self._buffer[: max(0, at - _KEPT) + 1]
        self._done = 0
        self._is_in_doubt = False
        self._format = Format.AUTO
        self._packet = Packet()

    def _close(self, now: Instant, trust: Validity = Validity.VALID) -> Sequence[DeviceEvent]:
        packet, self._packet = self._packet, Packet()
        if not packet.is_in_step():
            return [reject("packet out of step", packet.as_bytes(), now)]
        if packet.status & (GREEN | RED):  # set only while a pulse is in progress
            is_low = packet.status & (GREEN | RED) == RED
            self._own_bits &= ~_LOW_PERFUSION_BIT
            self._own_bits |= _LOW_PERFUSION_BIT if is_low else 0
        status_2 = packet.values[STATUS_2_AT]
        if status_2 is not None:
            self._own_bits &= ~_LOW_BATTERY_BIT
            self._own_bits |= _LOW_BATTERY_BIT if status_2 & LOW_BATTERY else 0
        return [
            *self._identity(packet.values[FIRMWARE_AT], now),
            *self._flags.read(packet.status & 0xFF | self._own_bits, now),
            *packet.tell((SPO2_SHOWN_AT, RATE_SHOWN_AT), now, trust),
        ]

    def _identity(self, firmware: int | None, now: Instant) -> Sequence[DeviceEvent]:
        if not firmware or firmware == self._firmware:
            return ()
        self._firmware = firmware
        detail = f"format {int(self._format)}, firmware revision 0x{firmware:02X}"
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=detail)]


def open_nonin(options: Options = NO_OPTIONS) -> DeviceProtocol:
    """Return the protocol for the format that `options` name.

    Raises:
        OptionError: an option is unknown, or the format is none of 0, 1, 2, 7, 8.
    """
    chosen = read_options(options, NoninOptions)
    if chosen.format is Format.AUTO:
        return TextOrFrames(NoninProtocol(options))
    size = _SHORT_SIZES.get(chosen.format)
    return NoninProtocol(options) if size is None else NoninShortProtocol(size, Setup(chosen))


_PAGE: Final = "public OEM III / Xpod format tables, put together by hand"
_PACKET: Final = bytes.fromhex(
    "018164 00E6 01806848 31 01807061 52 01807C30 2D 01828B00 0E"
    "01829B00 1E 0182AA00 2D 0182B600 39 0182BE61 A2 0182C261 A6"
    "0182C262 A7 0182BE00 41 0182B800 3B 0182B100 34 0182AA49 76"
    "0182A361 87 01809D61 7F 01809700 18 01809200 13 01808D00 0E"
    "01808848 51 01808300 04 01807E49 48 01807900 FA 01807400 F5"
)
_NO_FINGER: Final = bytes.fromhex("01C90003CD 01C8007F48 01C8007F48")
_SEVEN: Final = bytes.fromhex("814E2000EF 804F004817 8050006131")

DRIVER: Final = Driver(
    name="nonin",
    title="Nonin OEM III, Xpod, iPod, WristOx2 oximeter",
    reference="Nonin OEM III / Xpod serial data formats 1, 2, 7 and 8",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({Metric.SPO2, Metric.PULSE_RATE, Metric.PLETH}),
    silence_limit=seconds(3),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=open_nonin,
    encode=encode,
    open_device=NoninDevice,
    round_trip={Metric.SPO2: (4, 100, 1), Metric.PULSE_RATE: (18, 350, 1)},
    averaging_s={Metric.SPO2: 7.5, Metric.PULSE_RATE: 7.5},  # four beats at 40 /min, and 1.5 s
    vectors=(
        Vector(_PACKET, ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)), _PAGE),
        Vector(bytes.fromhex("01816401E7 018066341B"), ((Metric.PULSE_RATE, 180.0),), _PAGE),
        Vector(_NO_FINGER, ((Metric.SPO2, None), (Metric.PULSE_RATE, None)), _PAGE),
        Vector(_SEVEN, ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)), _PAGE),
        Vector(
            bytes.fromhex("80486100 81345F00 E37F7F08"),
            (
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
                (Metric.SPO2, 95.0),
                (Metric.PULSE_RATE, 180.0),
                (Metric.SPO2, None),
                (Metric.PULSE_RATE, None),
            ),
            _PAGE,
        ),
    ),
    other_readings=({"format": 8}, {"format": 1}),
    doubts=(
        "formats 8 and 1 have no checksum: a damaged frame may pass as another reading",
        "the 3-byte format 8 of some OEM III is unconfirmed; choose format 1 for it",
        "answers to the set-up commands follow the commands by analogy: UNCERTAIN",
        "frame 8 (battery) is reserved on the OEM III; only its lowest bit is read",
    ),
)
