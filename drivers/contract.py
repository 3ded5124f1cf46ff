"""What a driver is: one device's bytes to meaning and back, as pure functions of what came and now.

A driver file reads like a datasheet: format, constants, decode, encode, conversation, declaration.
Adding the file is enough: the registry finds it, the conformance suite in `tests/conformance/`
holds it to the promises it declares, the simulator plays it, `vigil devices` lists it.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias, runtime_checkable

import msgspec

from monitor.model.event import DeviceEvent
from monitor.model.instant import Duration, Instant
from monitor.model.metric import Metric

Options: TypeAlias = Mapping[str, object]
NO_OPTIONS: Final[Options] = MappingProxyType({})


class TransportKind(StrEnum):
    """What can carry a device's bytes; the scheme of its URL."""

    SERIAL = "serial"
    TCP = "tcp"
    UDP = "udp"
    MQTT = "mqtt"


class Evidence(StrEnum):
    """What our knowledge of a device rests on, from strong to weak."""

    CAPTURE = "capture"
    VENDOR_TABLE = "vendor table"
    OPEN_IMPLEMENTATION = "open implementation"


class OptionError(ValueError):
    """A driver option is unknown or wrong; names key, value and what would be right."""


class DeviceProtocol(Protocol):
    """One conversation with one device, on our side of the wire. No I/O, no clock, no chance."""

    @property
    def wake_at(self) -> Instant | None:
        """When `wake` must next be called; None if never."""

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes as they came, cut anywhere; never raise on what they hold."""

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Act on time alone; moves `wake_at` forward."""

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is to be sent, each byte once; one element is one datagram or message."""


@runtime_checkable
class CanFinish(Protocol):
    """A protocol that can say what an input that ended in the middle of something still holds."""

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell what was heard and not yet told, marked questionable; called once, at the end."""


@runtime_checkable
class CanMeasure(Protocol):
    """A protocol whose device determines a value when asked, such as a cuff."""

    def measure(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask for one determination as soon as the device may be asked; repeats change nothing."""


class DeviceSide(Protocol):
    """The device's side of the same wire: what a simulator plays. Same rules."""

    @property
    def wake_at(self) -> Instant | None:
        """When `wake` must next be called; None if never."""

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Let the device know what the patient is like now; it sends it when its protocol says."""

    def receive(self, data: bytes, now: Instant) -> None:
        """Take what the host sent."""

    def wake(self, now: Instant) -> None:
        """Act on time alone."""

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what the device sends, each byte once."""


class Vector(msgspec.Struct, frozen=True):
    """Bytes and what they mean, copied from a manual or a capture, never computed by our own code.

    `expected` lists (metric, value) of the observations in the order heard, those told at the end
    of the input included; waveforms are not listed. `source` says where the bytes come from.
    """

    data: bytes
    expected: tuple[tuple[Metric, float | None], ...]
    source: str


class SerialLine(msgspec.Struct, frozen=True, kw_only=True):
    """Line settings a device leaves the factory with; a URL may say otherwise.

    `rtscts`: flow is held up by the wires RTS and CTS; `xonxoff`: by the bytes 0x11 and 0x13, which
    can then be no data.
    """

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: float = 1
    rtscts: bool = False
    xonxoff: bool = False


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """The declaration at the end of a driver file; every field is a promise or a fact.

    `silence_limit`: no readable word for longer means the device is silent.
    `detects_corruption`: a flipped bit is never another reading.
    `frames_lost_after_cut_max`: good frames that a frame cut short may cost.
    `encode`: observations to the frame(s) the device would send, for simulators and round trips.
    `open_device`: the device's side of the conversation.
    `device_ports`: UDP ports that the device's own datagrams come from; with them `decode` tells
    the device from its host in a packet file. Empty: any port; who speaks as the device does is it.
    `other_readings`: option sets worth trying on a file in which the usual reading understands
    nothing: formats too bare to be found out on a live line.
    `averaging_s`: over how many seconds the device averages a metric at most, where a source says.
    `round_trip`: values that survive `encode` unchanged: metric -> (low, high, step).
    """

    name: str
    title: str
    reference: str
    evidence: Evidence
    transports: frozenset[TransportKind]
    metrics: frozenset[Metric]
    silence_limit: Duration
    detects_corruption: bool
    frames_lost_after_cut_max: int
    open_protocol: Callable[[Options], DeviceProtocol]
    encode: Callable[[Sequence[DeviceEvent]], bytes]
    open_device: Callable[[], DeviceSide]
    round_trip: Mapping[Metric, tuple[float, float, float]]
    vectors: tuple[Vector, ...]
    serial: SerialLine = SerialLine()
    device_ports: frozenset[int] = frozenset()
    other_readings: tuple[Mapping[str, object], ...] = ()
    doubts: tuple[str, ...] = ()
    averaging_s: Mapping[Metric, float] = MappingProxyType({})


def finish(protocol: DeviceProtocol, now: Instant) -> Sequence[DeviceEvent]:
    """Return what `protocol` still holds at the end of its input; most hold nothing."""
    return protocol.finish(now) if isinstance(protocol, CanFinish) else ()
