"""Contec packets of both generations, and the V7.0 device's own side."""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.bedside import Said, Timed
from monitor.model.event import DeviceEvent, NoticeKind, WaveformSegment
from monitor.model.instant import Instant, between, seconds
from monitor.model.metric import Metric

RATE_HZ: Final = 60
BATCH: Final = 20  # packets to a telling
OFF, SEARCHING, SPO2_LOW, SPO2_DROPPING = 1, 2, 4, 8

_SIGNALS: Final = frozenset({*range(9), 15})  # 15: no signal strength to tell
_SPO2_MISSING: Final = 127
_RATES_MISSING: Final = frozenset({0, 255})
_RATES_UNSETTLED: Final = frozenset({0, 127, 255})
_PERFUSION_MISSING: Final = 0xFFFF
_PLETH_OF_NOBODY: Final = 64
_FORGOTTEN_AFTER: Final = seconds(20)
_COMMAND_SIZE: Final = 9
_COMMAND_MARK: Final = 0x7D


class Reading(msgspec.Struct, frozen=True):
    """What one packet says. `states`: OFF, SEARCHING, SPO2_LOW, SPO2_DROPPING."""

    spo2: int | None
    rate: int | None
    perfusion: float | None
    states: int
    pleth: int
    has_perfusion: bool

    def says_as(self, other: "Reading | None") -> bool:
        """Tell whether both say the same of the patient; the curve moves on with each packet."""
        return other is not None and msgspec.structs.replace(other, pleth=self.pleth) == self


def _numbers(spo2: int, rate: int, states: int) -> tuple[int | None, int | None] | None:
    """Return SpO2 and pulse, None each where missing; None where the packet cannot be one."""
    if spo2 > 100 and spo2 != _SPO2_MISSING:
        return None
    missing = _RATES_UNSETTLED if states & SEARCHING else _RATES_MISSING
    return (
        None if spo2 in {0, _SPO2_MISSING} else spo2,
        None if rate in missing else rate,
    )


def read_new(packet: bytes) -> Reading | None:
    """Return what a V7.0 real-time packet says; None where its bits cannot be."""
    high = packet[1]
    one, two, three, rate, spo2, low, top = (
        byte & 0x7F | (high >> place & 1) << 7 for place, byte in enumerate(packet[2:])
    )
    if one & 0x0F not in _SIGNALS:
        return None
    states = OFF if one & 0x80 else 0
    states |= SEARCHING if one & 0x10 or two & 0x80 else 0
    states |= SPO2_LOW if one & 0x20 else 0
    numbers = _numbers(spo2, rate, states)
    if numbers is None:
        return None
    index = top << 8 | low
    is_missing = three & 0x10 or index == _PERFUSION_MISSING
    perfusion = None if is_missing else index / 100
    return Reading(*numbers, perfusion, states, two & 0x7F, has_perfusion=True)


def read_old(packet: bytes) -> Reading | None:
    """Return what a packet of five bytes says; None where its bits cannot be."""
    one, pleth, three, rate, spo2 = packet
    if one & 0x0F not in _SIGNALS:
        return None
    states = OFF if one & 0x10 or three & 0x10 else 0
    states |= SEARCHING if three & 0x20 else 0
    states |= SPO2_DROPPING if one & 0x20 else 0
    numbers = _numbers(spo2, (three >> 6 & 1) << 7 | rate, states)
    if numbers is None:
        return None
    return Reading(*numbers, None, states, pleth, has_perfusion=False)


def with_high(kind: int, values: Sequence[int]) -> bytes:
    """Return a V7.0 packet: bit 7 of each value goes into the second byte."""
    high = sum((value >> 7 & 1) << place for place, value in enumerate(values))
    return bytes([kind, 0x80 | high, *(0x80 | value & 0x7F for value in values)])


def command(code: int) -> bytes:
    """Return a command without parameters."""
    return bytes([_COMMAND_MARK, 0x81, code, *([0x80] * 6)])


def packet_of(said: Said, pleth: float | None) -> bytes:
    """Return the V7.0 real-time packet that says what was said."""
    is_off = NoticeKind.SENSOR_OFF in said.notices
    spo2, rate = said.value(Metric.SPO2), said.value(Metric.PULSE_RATE)
    index = said.value(Metric.PERFUSION_INDEX)
    raw = _PERFUSION_MISSING if index is None or is_off else min(0xFFFE, max(0, round(index * 100)))
    one = 0x80 if is_off else 6
    one |= 0x20 if "spo2_low" in said.alarms else 0
    curve = _PLETH_OF_NOBODY if pleth is None or is_off else min(127, max(0, round(pleth)))
    two = curve | (0x80 if NoticeKind.SEARCHING in said.notices else 0)
    three = 0x10 if raw == _PERFUSION_MISSING else curve >> 3
    numbers = (
        255 if rate is None or is_off else min(254, max(0, round(rate))),
        _SPO2_MISSING if spo2 is None or is_off else min(100, max(0, round(spo2))),
    )
    return with_high(0x01, (one, two, three, *numbers, raw & 0xFF, raw >> 8))


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the packets of a third of a second that say `events`, their curve included."""
    said = Said(pleth=RATE_HZ)
    said.hear(events)
    tape = said.tapes[Metric.PLETH]
    waves = [each for each in events if isinstance(each, WaveformSegment)]
    size = max([BATCH, *(len(each.samples) for each in waves)])
    return b"".join(packet_of(said, tape.take()) for _ in range(size))


class ContecDevice(Timed):
    """A V7.0 oximeter: silent until started, and again when it hears nothing for 20 s."""

    def __init__(self) -> None:
        super().__init__(RATE_HZ, pleth=RATE_HZ)
        self._spoken_to = Instant(0)
        self._typed = bytearray()

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey: start, stop, stay awake; anything else is not supported."""
        self._typed += data
        while (start := self._typed.find(_COMMAND_MARK)) >= 0:
            del self._typed[:start]
            if len(self._typed) < _COMMAND_SIZE:
                break
            self._obey(self._typed[2], now)
            del self._typed[:_COMMAND_SIZE]
        del self._typed[:-_COMMAND_SIZE]

    def _obey(self, code: int, now: Instant) -> None:
        self._spoken_to = now
        if code == 0xA1:
            if self._beat.at is None:
                self._beat.start(now)
        elif code == 0xA2:
            self._beat.stop()
            self._outgoing.append(with_high(0x0C, ()))
        elif code != 0xAF:
            self._outgoing.append(with_high(0x0B, (code, 0x05)))

    def wake(self, now: Instant) -> None:
        """Send the packet that is due."""
        while self._beat.is_due(now):
            if between(self._spoken_to, now) > _FORGOTTEN_AFTER:
                self._beat.stop()
                return
            tape = self._said.tapes[Metric.PLETH]
            self._outgoing.append(packet_of(self._said, tape.take()))
