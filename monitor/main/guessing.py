"""Which driver reads bytes that the chosen one does not: a guess, never a decision.

Every other driver is tried on the beginning of the file. Who refuses the fewest bytes and
understands more than it refuses is offered first; a person tries it, or not.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

from drivers.contract import NO_OPTIONS, Driver, OptionError
from monitor.main.decoding import (
    Beginning,
    Conversation,
    Score,
    Source,
    decoded,
    packet_scores,
)
from monitor.main.pacing import paced
from monitor.model.event import DeviceEvent, FrameRejected
from monitor.model.instant import OPENING
from monitor.recordings.notes import Notes
from monitor.recordings.pcap import Piece

OFFERED_MAX: Final = 2
PIECES_TRIED: Final = 1024
GOOD_PER_REFUSAL_MIN: Final = 50
"""A format with nothing to prove it by shows in noise too; only a clean file is read as one."""

SIZE_MIN: Final = 24
"""Fewer bytes look like too many devices."""


def guess(chosen: Driver, beginning: Beginning, drivers: Iterable[Driver]) -> tuple[str, ...]:
    """Return the names of the drivers that read the beginning of a file, the likeliest first."""
    size = sum(len(piece.data) for piece in beginning.pieces)
    if size < SIZE_MIN:
        return ()
    found = []
    for driver in drivers:
        if driver.name == chosen.name or not driver.transports:
            continue
        events = _tried(driver, beginning.pieces)
        score = Score()
        score.add(events)
        refused = sum(len(each.frame) for each in events if isinstance(each, FrameRejected))
        if score.good > score.rejected and 2 * refused < size:
            found.append((refused, -score.good, driver.name))
    return tuple(name for _, _, name in sorted(found)[:OFFERED_MAX])


def guess_speaker(chosen: Driver, file: str, drivers: Iterable[Driver]) -> tuple[str, ...]:
    """Return the names of the drivers that one of the senders in a packet file speaks as."""
    found = []
    for driver in drivers:
        if driver.name == chosen.name or file == "-":
            continue
        scores = packet_scores(driver, file, PIECES_TRIED).values()
        best = max((each.measured for each in scores if each.good > each.rejected), default=0)
        if best:
            found.append((-best, driver.name))
    return tuple(name for _, name in sorted(found)[:OFFERED_MAX])


def _tried(driver: Driver, pieces: list[Piece]) -> list[DeviceEvent]:
    """Return what `driver` makes of the pieces; nothing where it must be told more first."""
    try:
        conversation = Conversation(driver.open_protocol(NO_OPTIONS))
    except OptionError:
        return []
    if not any(piece.conversation for piece in pieces):
        # Bytes without packets: cut as the other device's line would have brought them.
        pieces = list(paced(driver, (piece.data for piece in pieces)))
    events: list[DeviceEvent] = []
    for piece in pieces:
        events += conversation.take(piece.data, piece.at)
    last = pieces[-1].at if pieces else OPENING
    return [*events, *conversation.finish(last)]


def best_reading(driver: Driver, source: Source) -> Source:
    """Return `source` with the options under which its beginning reads; as it is if none help.

    Only for a file, which can be read again, and only where a person gave no options.
    """
    if not driver.other_readings or source.options or source.file == "-":
        return source
    if _scored(driver, source).good:
        return source
    for options in driver.other_readings:
        tried = msgspec.structs.replace(source, options=options)
        score = _scored(driver, tried)
        if score.good > GOOD_PER_REFUSAL_MIN * max(1, score.rejected):
            return tried
    return source


def _scored(driver: Driver, source: Source) -> Score:
    score = Score()
    for _, events in islice(decoded(driver, source, Notes("packet")), PIECES_TRIED):
        score.add(events)
    return score
