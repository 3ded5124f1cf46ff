"""What the laws share: drivers found, things said, bytes fed, meaning compared."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from drivers.contract import NO_OPTIONS, DeviceProtocol, Driver, TransportKind, finish
from monitor.installed import every_driver
from monitor.model.event import DeviceEvent, FrameRejected, Observation, observe
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric

ALL: Final = every_driver()[0]
WHOLE: Final = {TransportKind.MQTT, TransportKind.UDP}  # what these carry arrives whole or not
MESSAGES: Final = tuple(each for each in ALL if each.transports <= WHOLE)
STREAMS: Final = tuple(each for each in ALL if each not in MESSAGES)
FULL_STREAM_SIZE_MAX: Final = 80

Meaning = tuple[Metric, float | None]


def said(driver: Driver, number: int) -> list[Observation]:
    """Return observations that differ from those of every nearby number."""
    observations = []
    for place, (metric, (low, high, step)) in enumerate(driver.round_trip.items()):
        count = int((high - low) / step) + 1
        value = low + step * ((number * 7 + place * 5 + 3) % count)
        observations.append(observe(metric, value, instant_at(number)))
    return observations


def frames(driver: Driver, count: int) -> list[bytes]:
    """Return what the device would send for `count` different sets of observations."""
    return [driver.encode(said(driver, number)) for number in range(count)]


def open_plain(driver: Driver) -> DeviceProtocol:
    return driver.open_protocol(NO_OPTIONS)


def feed(
    protocol: DeviceProtocol, pieces: Iterable[bytes], *, ends: bool = False
) -> list[list[DeviceEvent]]:
    """Feed piece after piece, one a second; return what was told for each."""
    told = [list(protocol.receive(piece, instant_at(n))) for n, piece in enumerate(pieces)]
    if ends:
        told[-1] += finish(protocol, instant_at(len(told) - 1))
    return told


def hear(driver: Driver, data: bytes) -> list[DeviceEvent]:
    """Return all that a fresh protocol tells of `data`, its end included."""
    protocol = open_plain(driver)
    return [*protocol.receive(data, Instant(7)), *finish(protocol, Instant(7))]


def meaning(events: Iterable[DeviceEvent]) -> list[Meaning]:
    """Return the observations among `events`, as metric and value."""
    return [(each.metric, each.value) for each in events if isinstance(each, Observation)]


def without_rejects(events: Iterable[DeviceEvent]) -> list[DeviceEvent]:
    return [each for each in events if not isinstance(each, FrameRejected)]


def size_of(thing: object, seen: set[int] | None = None) -> int:
    """Return the bytes a protocol holds, all it refers to included (types and code are not)."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type) or callable(thing):
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if isinstance(thing, Mapping):
        size += sum(size_of(key, seen) + size_of(value, seen) for key, value in thing.items())
    elif isinstance(thing, str | bytes | bytearray):
        pass
    elif isinstance(thing, Iterable):
        size += sum(size_of(each, seen) for each in list(thing))
    names: Sequence[str] = [
        *getattr(thing, "__dict__", {}),
        *(name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())),
    ]
    return size + sum(size_of(getattr(thing, name, None), seen) for name in names)
