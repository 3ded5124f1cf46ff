"""Contec CMS50 finger oximeters: SpO2, pulse, perfusion index and pleth, 60 packets a second.

::

    V7.0 :  01 | HIGH | D1 .. D7         bit 7: clear in the first byte, set in all others; HIGH
                                         carries the missing bits 7 of D1 .. D7
    older:  B1 | B2 | B3 | B4 | B5       bit 7: set in the first byte alone

A V7.0 device talks after it was told to start (A1) and wants to hear from us (AF) every five
seconds. An older one talks by itself, at another speed. No run of bytes can be read as both.

There is no checksum. What stands in for it is agreement: numbers are told three times a second,
when three packets in a row say the same.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
    Vector,
)
from drivers.framing import Piece, Strays
from drivers.options import CommonOptions, read_options
from drivers.parts.contec_oximeter import (
    BATCH,
    OFF,
    RATE_HZ,
    SEARCHING,
    SPO2_DROPPING,
    SPO2_LOW,
    ContecDevice,
    Reading,
    command,
    encode,
    read_new,
    read_old,
)
from drivers.reading import Flag, StatusWord, UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    NoticeKind,
    Validity,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import Metric

_PACKET: Final = re.compile(
    rb"(?P<new>[\x00-\x7f][\x80-\xff]{8})"
    rb"|(?P<old>[\x80-\xff][\x00-\x7f]{4})"
    rb"|(?P<answer>[\x02-\x15][\x80-\xff]{1,7})(?=[\x00-\x7f])"
)
_SIZE_MAX: Final = 9
# What came before is of another moment; bursts over Bluetooth and lazy adapters are shorter.
_PAUSE_MAX: Final = seconds(0.9)
_AGREE: Final = 3
_START, _ALIVE = command(0xA1), command(0xAF)
_ALIVE_EVERY: Final = seconds(5)
_START_EVERY: Final = seconds(2)
_SILENCE: Final = seconds(1.5)

_REAL_TIME, _STOPPED, _LEAVING = 0x01, 0x0C, 0x0D
# Answers to questions we never ask: identity, users, stored data.
_LEFT_ALONE: Final = frozenset({*range(0x02, 0x0B), 0x0B, _STOPPED, 0x0E, 0x0F, 0x10, 0x11, 0x12})
_REASONS: Final = {
    0: "done",
    1: "shutting down",
    2: "the user was changed",
    3: "recording",
    4: "deleting failed",
    5: "not supported",
}
_LEAVING_BIT: Final = 0x100
_FLAGS: Final = (
    Flag(OFF, NoticeKind.SENSOR_OFF),
    Flag(SEARCHING, NoticeKind.SEARCHING),
    Flag(SPO2_LOW, "spo2_low", Metric.SPO2),
    Flag(SPO2_DROPPING, "spo2_dropping", Metric.SPO2),
    Flag(_LEAVING_BIT, NoticeKind.DEVICE_FAULT, detail="the device ends the connection"),
)


class ContecOptions(CommonOptions, frozen=True, kw_only=True):
    """`generation`: "v7" or "old" where known; to an old one nothing is ever sent."""

    generation: Literal["auto", "old", "v7"] = "auto"


class ContecProtocol:
    """Start it, keep it alive, and believe what packets agree on."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        generation = read_options(options, ContecOptions).generation
        self._chosen = generation
        self._buffer = bytearray()
        self._strays = Strays("no Contec packet")
        self._heard_at = OPENING
        self._silent_at: Instant | None = None if generation == "old" else OPENING
        self._alive_at: Instant | None = None
        self._outgoing: list[bytes] = []
        self._newest: Reading | None = None
        self._agreed = 0  # packets in a row that say the same
        self._count = 0  # packets since the last telling
        self._has_strayed = self._has_told = False
        self._pleth: list[float | None] = []
        self._states = StatusWord(_FLAGS)
        self._unknown = UnknownFields()

    @property
    def wake_at(self) -> Instant | None:
        """When the device is told to start again, or that we are here."""
        due = [each for each in (self._silent_at, self._alive_at) if each is not None]
        return min(due, default=None)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Start a device that is silent; keep one that talks."""
        if self._silent_at is not None and now >= self._silent_at:
            self._silent_at = later(now, _START_EVERY)
            self._alive_at = None
            self._outgoing = [_START]
        elif self._alive_at is not None and now >= self._alive_at:
            self._alive_at = later(now, _ALIVE_EVERY)
            self._outgoing = [_ALIVE]
        return ()

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what packets in agreement say."""
        events: list[DeviceEvent] = []
        if between(self._heard_at, now) > _PAUSE_MAX:
            self._break_off(events, now)
        self._heard_at = now
        self._buffer += data
        done = 0
        for found in _PACKET.finditer(self._buffer):
            self._refuse(self._buffer[done : found.start()], events, now)
            done = found.end()
            events += self._read(found, now)
        keep = max(done, len(self._buffer) - _SIZE_MAX + 1)
        self._refuse(self._buffer[done:keep], events, now)
        del self._buffer[:keep]
        return events

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell what the last packets said, marked questionable: nothing came to agree.

        Nothing from an input that held other bytes too and no packets in agreement.
        """
        if not self._count or self._newest is None or (self._has_strayed and not self._has_told):
            return ()
        return self._tell(self._newest, now, Validity.QUESTIONABLE)

    def _break_off(self, events: list[DeviceEvent], now: Instant) -> None:
        """Forget what was begun before a pause: it is no half of what comes after it."""
        if self._buffer:
            events.append(reject("packet cut short", bytes(self._buffer), now))
        self._buffer.clear()
        self._newest, self._agreed, self._count = None, 0, 0
        self._pleth.clear()

    def _refuse(
        self,
        data: bytes | bytearray,
        events: list[DeviceEvent],
        now: Instant,
        *,
        ends: bool = False,
    ) -> None:
        pieces: list[Piece] = []
        if data:  # packets before and after are not in a row
            self._agreed = 0
            self._has_strayed = True
        self._strays.add(data, pieces)
        if ends:
            self._strays.flush(pieces)
        events += [reject(piece.flaw, piece.data, now) for piece in pieces]

    def _read(self, found: re.Match[bytes], now: Instant) -> list[DeviceEvent]:
        packet = found[0]
        events: list[DeviceEvent] = []
        self._refuse(b"", events, now, ends=True)
        if found["answer"] or (found["new"] and packet[0] != _REAL_TIME):
            return events + self._read_answer(packet, now)
        is_old = bool(found["old"])
        reading = read_old(packet) if is_old else read_new(packet)
        if reading is None:
            self._agreed = 0
            self._has_strayed = True
            return [*events, reject("no such reading", packet, now)]
        self._hear(now, is_old=is_old)
        self._agreed = self._agreed + 1 if reading.says_as(self._newest) else 1
        self._newest = reading
        self._count += 1
        self._pleth.append(None if reading.states & OFF else float(reading.pleth))
        del self._pleth[:-BATCH]
        if self._count >= BATCH and self._agreed >= _AGREE:
            events += self._tell(reading, now, Validity.VALID)
        return events

    def _hear(self, now: Instant, *, is_old: bool) -> None:
        if is_old or self._chosen == "old":
            self._silent_at = self._alive_at = None
            return
        self._silent_at = later(now, _SILENCE)
        if self._alive_at is None:
            self._alive_at = later(now, _ALIVE_EVERY)

    def _read_answer(self, packet: bytes, now: Instant) -> list[DeviceEvent]:
        code = packet[0]
        if code == _LEAVING:
            reason = _REASONS.get(packet[2] & 0x7F if len(packet) > 2 else 0x7F, "unknown")
            states = self._newest.states if self._newest else 0
            return list(self._states.read(states | _LEAVING_BIT, now, reason))
        if code in _LEFT_ALONE:
            return []
        return list(self._unknown.meet(f"packet type {code:02X}", now))

    def _tell(self, reading: Reading, now: Instant, trust: Validity) -> list[DeviceEvent]:
        is_off = bool(reading.states & OFF)
        self._has_told = True
        if reading.states & SEARCHING:
            trust = Validity.QUESTIONABLE
        values: list[tuple[Metric, float | None]] = [
            (Metric.SPO2, reading.spo2),
            (Metric.PULSE_RATE, reading.rate),
        ]
        if reading.has_perfusion:
            values.append((Metric.PERFUSION_INDEX, reading.perfusion))
        events: list[DeviceEvent] = [*self._states.read(reading.states, now)]
        events += [
            read(metric, None if is_off else value, now, validity=trust) for metric, value in values
        ]
        events.append(WaveformSegment(Metric.PLETH, now, RATE_HZ, tuple(self._pleth)))
        self._pleth.clear()
        self._count = 0
        return events


_OWN: Final = "put together by hand from the vendor's packet tables"

DRIVER: Final = Driver(
    name="contec",
    title="Contec CMS50 oximeter",
    reference="Contec communication protocol of pulse oximeter V7.0; CMS50D+ V5.0A",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX, Metric.PLETH}),
    silence_limit=seconds(4),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=ContecProtocol,
    encode=encode,
    open_device=ContecDevice,
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 250, 1),
        Metric.PERFUSION_INDEX: (0.25, 20, 0.25),
    },
    vectors=(
        Vector(
            bytes.fromhex("0180C6AA85C8E1AC81"),
            (
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
                (Metric.PERFUSION_INDEX, 3.0),
            ),
            _OWN,
        ),
        Vector(
            bytes.fromhex("01E980C090FFFFFFFF"),
            (
                (Metric.SPO2, None),
                (Metric.PULSE_RATE, None),
                (Metric.PERFUSION_INDEX, None),
            ),
            _OWN,
        ),
        Vector(bytes.fromhex("852A064861"), ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)), _OWN),
        Vector(
            bytes.fromhex("853346165F"), ((Metric.SPO2, 95.0), (Metric.PULSE_RATE, 150.0)), _OWN
        ),
        Vector(bytes.fromhex("9000200000"), ((Metric.SPO2, None), (Metric.PULSE_RATE, None)), _OWN),
    ),
    serial=SerialLine(baud=115200),
    doubts=(
        "there is no checksum: what three packets in a row agree on is believed",
        "an old device's missing numbers (0, 127, 255) are UNCERTAIN",
        "old devices: 19200 8O1 in the field, 4800 8O1 in the document; say it in the URL",
    ),
)
