"""Kelvin T2 thermometer: temperature, in a packet of six bytes, to whoever asks.

::

    ask     A5 01 5A
    answer  A5 81 SS HH LL CC

SS is status, its bits 1 to 6 always 0; HH LL hundredths of a degree Celsius, 7FFF where there is
no value; CC brings the sum of all bytes to a multiple of 256.
"""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Answering, Said
from drivers.checksums import complement_8, sum_8
from drivers.contract import NO_OPTIONS, Driver, Evidence, Options, TransportKind, Vector
from drivers.framing import Piece, WindowSplitter
from drivers.host import Asking
from drivers.reading import Flag, StatusWord, read
from monitor.model.event import DeviceEvent, NoticeKind, reject
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

_ASK: Final = bytes.fromhex("A5015A")
_SIZE: Final = 6
_NOTHING: Final = 0x7FFF
_FLAGS: Final = (Flag(0x01, NoticeKind.SENSOR_OFF), Flag(0x80, NoticeKind.DEVICE_FAULT))


def _size_at(buffer: bytearray, at: int) -> int | None:
    if buffer[at] != _ASK[0]:
        return 0
    if at + 1 >= len(buffer):
        return None
    return _SIZE if buffer[at + 1] == 0x81 else 0


def _is_whole(packet: bytes) -> bool:
    # The sum alone passes much into which a byte like the checksum came: values shift.
    return sum_8(packet) == 0 and not packet[2] & 0x7E and packet[3] < 0x80


class KelvinProtocol(Asking):
    """Asks every second."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        super().__init__(_ASK, seconds(1), options)
        self._packets = WindowSplitter(_size_at, _is_whole, _SIZE)
        self._status = StatusWord(_FLAGS)

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the packets completed by them say."""
        return self._told(self._packets.feed(data), now)

    def give_up(self, now: Instant) -> Sequence[DeviceEvent]:
        """Refuse half an answer: it is no half of the next one."""
        return self._told(self._packets.give_up(), now)

    def _told(self, pieces: Sequence[Piece], now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for packet, flaw in pieces:
            if flaw:
                events.append(reject(flaw, packet, now))
                continue
            events += self._status.read(packet[2], now)
            number = int.from_bytes(packet[3:5], "big")
            events.append(read(Metric.TEMP, None if number == _NOTHING else number / 100, now))
        return events


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the packet that says `events`."""
    said = Said()
    said.hear(events)
    value = said.value(Metric.TEMP)
    number = _NOTHING if value is None else round(value * 100)
    status = sum(flag.mask for flag in _FLAGS if flag.says in said.notices)
    packet = bytes([0xA5, 0x81, status]) + number.to_bytes(2, "big")
    return packet + bytes([complement_8(packet)])


DRIVER: Final = Driver(
    name="kelvin",
    title="Kelvin T2 thermometer",
    reference="nobody: this device is made up",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({Metric.TEMP}),
    silence_limit=seconds(4),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=KelvinProtocol,
    encode=encode,
    open_device=lambda: Answering(_ASK, encode),
    round_trip={Metric.TEMP: (20, 45, 0.25)},
    vectors=(
        Vector(
            bytes.fromhex("A5 81 00 0E 74 58"),
            ((Metric.TEMP, 37.0),),
            "the sum worked out on paper",
        ),
    ),
    doubts=("a sum of eight bits: a byte too many that equals the checksum is not seen",),
)
