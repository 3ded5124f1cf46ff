"""Bytes without packets, cut and timed as the line of their device would have brought them."""

from collections.abc import Iterable, Iterator
from typing import Final

from drivers.contract import Driver, TransportKind
from monitor.model.instant import OPENING, Instant, seconds
from monitor.recordings.hex_text import Heard
from monitor.recordings.pcap import Piece

PIECE_SIZE: Final = 64


def ns_per_byte(driver: Driver) -> int:
    """Return how long one byte takes on the line of `driver`; 0 where messages come whole."""
    if TransportKind.SERIAL not in driver.transports:
        return 0
    line = driver.serial
    return round(1e9 * (2 + line.bits) / line.baud)


def paced(driver: Driver, chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Cut bytes without a clock at the pace their line needs for them; messages come whole."""
    each_ns = ns_per_byte(driver)
    if not each_ns:
        yield Piece(OPENING, "", "", b"".join(chunks))
        return
    sent = 0
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        whole = len(data) // PIECE_SIZE * PIECE_SIZE
        for start in range(0, whole, PIECE_SIZE):
            sent += PIECE_SIZE
            yield Piece(Instant(sent * each_ns), "", "", data[start : start + PIECE_SIZE])
        rest = data[whole:]
    if rest:
        yield Piece(Instant((sent + len(rest)) * each_ns), "", "", rest)


def written(driver: Driver, lines: Iterable[Heard]) -> Iterator[Piece]:
    """Return the pieces of a text: at the times of its lines, or at the pace of the line.

    Each direction is a conversation of its own, and its sender. Where messages come whole, a text
    without directions is one message.
    """
    each_ns = ns_per_byte(driver)
    if not each_ns:
        return _whole(lines)
    return _timed(each_ns, lines)


def _whole(lines: Iterable[Heard]) -> Iterator[Piece]:
    messages: dict[str, bytearray] = {}
    for line in lines:
        messages.setdefault(line.side, bytearray()).extend(line.data)
    for side, data in messages.items():
        yield Piece(OPENING, side, side, bytes(data))


def _timed(each_ns: int, lines: Iterable[Heard]) -> Iterator[Piece]:
    now = OPENING
    began_s: float | None = None
    for line in lines:
        if line.at_s is not None:
            began_s = line.at_s if began_s is None else began_s
            now = max(now, Instant(OPENING + seconds(line.at_s - began_s)))
        for start in range(0, len(line.data), PIECE_SIZE):
            data = line.data[start : start + PIECE_SIZE]
            if line.at_s is None:
                now = Instant(now + len(data) * each_ns)
            yield Piece(now, line.side, line.side, data)
