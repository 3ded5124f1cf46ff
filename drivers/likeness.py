"""What bytes on a line look like when their driver does not know them: a guess, never a decision.

Every other driver is tried on the newest bytes. Who understands more than it refuses, and refuses
fewer than half of the bytes, is offered; a person tries it, or not. Nothing is ever sent: a device
that speaks only when it is asked is not found.

The commonest mistakes of a serial line are known by their traces: a parity that is read as data
leaves text whole and its eighth bit set by a rule; a rate set too high leaves no bit alone between
two others, because each bit of the device is seen several times.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, NamedTuple

from drivers.contract import NO_OPTIONS, Driver, OptionError, finish
from monitor.model.event import DeviceEvent, DeviceNotice, FrameRejected, NoticeKind, Observation
from monitor.model.instant import Instant, between, seconds

OFFERED_MAX: Final = 2
SIZE_MIN: Final = 24
"""Fewer bytes look like too many devices."""

VALUES_MIN: Final = 5
"""Fewer values of a second device may be chance."""

CATCH_UP_MAX: Final = seconds(60)
_SAYS_NO_BITS: Final = frozenset({0x00, 0xFF})
_SINGLE_BIT: Final = re.compile("(?<=0)1(?=0)|(?<=1)0(?=1)")
_STRETCHED: Final = frozenset(byte for byte in range(256) if not _SINGLE_BIT.search(f"{byte:08b}"))
_STRETCHED_SHARE: Final = 0.97
_SAYS_NOTHING: Final = frozenset({NoticeKind.NOT_THIS_DEVICE, NoticeKind.UNKNOWN_FIELD})


class Piece(NamedTuple):
    """Bytes as one read gave them, and when."""

    at: Instant
    data: bytes


class Trial(NamedTuple):
    """What one driver made of some bytes: events understood, values, refusals, bytes refused."""

    good: int
    values: int
    rejected: int
    refused_size: int


def is_word(event: DeviceEvent) -> bool:
    """Return whether `event` shows that the device speaks its driver's language."""
    if isinstance(event, DeviceNotice):
        return event.notice is not NoticeKind.NOT_THIS_DEVICE
    return not isinstance(event, FrameRejected)


def tried(driver: Driver, pieces: Sequence[Piece]) -> Trial:
    """Return what `driver` makes of `pieces`; nothing where it must be told more first."""
    good = values = rejected = refused_size = 0
    for event in chain.from_iterable(_heard(driver, pieces)):
        if isinstance(event, FrameRejected):
            rejected += 1
            refused_size += len(event.frame)
        elif not isinstance(event, DeviceNotice) or event.notice not in _SAYS_NOTHING:
            good += 1
            values += isinstance(event, Observation) and event.value is not None
    return Trial(good, values, rejected, refused_size)


def _heard(driver: Driver, pieces: Sequence[Piece]) -> list[list[DeviceEvent]]:
    """Return what was told of each piece, at the last one also what was still held."""
    try:
        protocol = driver.open_protocol(NO_OPTIONS)
    except OptionError:
        return []
    told: list[list[DeviceEvent]] = []
    for at, data in pieces:
        events: list[DeviceEvent] = []
        while (due := protocol.wake_at) is not None and due <= at:
            events += protocol.wake(at if between(due, at) > CATCH_UP_MAX else due)
            protocol.take_outgoing()
        told.append([*events, *protocol.receive(data, at)])
        protocol.take_outgoing()
    if pieces:
        told[-1] += finish(protocol, pieces[-1].at)
    return told


def guess(chosen: Driver, pieces: Sequence[Piece], drivers: Iterable[Driver]) -> tuple[str, ...]:
    """Return the names of the drivers that read `pieces` instead, the likeliest first.

    Only those are tried that what carries the chosen one's bytes may carry.
    """
    size = sum(len(piece.data) for piece in pieces)
    if size < SIZE_MIN:
        return ()
    found = []
    for driver in _others(chosen, drivers):
        trial = tried(driver, pieces)
        if trial.good > trial.rejected and 2 * trial.refused_size < size:
            found.append((trial.refused_size, -trial.good, driver.name))
    return tuple(name for _, _, name in sorted(found)[:OFFERED_MAX])


def second(chosen: Driver, pieces: Sequence[Piece], drivers: Iterable[Driver]) -> str:
    """Return the name of a driver that reads what `chosen` does not read of `pieces`, or "".

    Both what was refused and the pieces that gave no word are tried: two devices' bytes may meet
    within a piece or come in pieces of their own. Only a driver that proves its frames is believed;
    amidst strange bytes form alone is chance.
    """
    proving = [driver for driver in drivers if driver.detects_corruption]
    told = _heard(chosen, pieces) or [[] for _ in pieces]
    refused = [
        Piece(event.at, event.frame)
        for event in chain.from_iterable(told)
        if isinstance(event, FrameRejected)
    ]
    wordless = [
        piece for piece, events in zip(pieces, told, strict=True) if not any(map(is_word, events))
    ]
    for strange in (wordless, refused):
        for name in guess(chosen, strange, proving):
            driver = next(each for each in proving if each.name == name)
            if tried(driver, strange).values >= VALUES_MIN:
                return name
    return ""


def _others(chosen: Driver, drivers: Iterable[Driver]) -> list[Driver]:
    return [
        driver
        for driver in drivers
        if driver.name != chosen.name and driver.transports & chosen.transports
    ]


# -- traces of a wrong line setting ----------------------------------------------------------------


def line_fault(driver: Driver, pieces: Sequence[Piece]) -> str:
    """Return which setting of a serial line is likely wrong, or ""."""
    data = b"".join(piece.data for piece in pieces)
    if len(data) < SIZE_MIN:
        return ""
    parity = _parity_in_bit_8(data)
    if parity and _reads_in_7_bits(driver, pieces):
        return f"it reads with bits=7&parity={parity}"
    telling = [byte for byte in data if byte not in _SAYS_NO_BITS]
    stretched = sum(byte in _STRETCHED for byte in telling)
    if len(telling) >= SIZE_MIN and stretched >= _STRETCHED_SHARE * len(telling):
        return "the bytes look as if the baud rate were set too high"
    return ""


def _parity_in_bit_8(data: bytes) -> str:
    """Return "E" or "O" where every byte's bits add up so, and some byte uses its eighth."""
    odd = sum(byte.bit_count() % 2 for byte in data)
    if not any(byte & 0x80 for byte in data) or odd not in {0, len(data)}:
        return ""
    return "O" if odd else "E"


def _reads_in_7_bits(driver: Driver, pieces: Sequence[Piece]) -> bool:
    text = [Piece(piece.at, bytes(byte & 0x7F for byte in piece.data)) for piece in pieces]
    trial = tried(driver, text)
    return trial.good > trial.rejected
