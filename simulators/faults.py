"""Wear of a wire: lose, repeat, flip, split, join, delay and cut pieces of bytes, by seed.

Which kinds of fault there are is drawn from the seed too: many are off, some are extreme. A rare
mix hides the best defects, and an even mix never shows one kind alone.
"""

from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec

from monitor.model.instant import Duration, Instant, later, seconds

HELD_PIECES_MAX: Final = 100_000
_OFF_SHARE: Final = 0.5
_EXTREME_SHARE: Final = 0.2
_MILD: Final = (0.0005, 0.02)
_EXTREME: Final = (0.05, 0.4)
_DELAYS: Final = (Duration(0), seconds(0.02), seconds(0.5), seconds(5))


class Wear(msgspec.Struct, frozen=True, kw_only=True):
    """How worn a wire is. Each share is the chance, 0..1, that one piece suffers that fault.

    `lose`: the piece is gone. `repeat`: it comes twice. `flip`: one of its bits is turned.
    `cut_off`: only its beginning comes. `split`: it comes as two. `join`: it comes with the next.
    `delay_share` of the pieces come late by up to `delay_max`. A stream keeps its order; datagrams
    (`is_datagram`) overtake each other and are never split nor joined.
    """

    lose: float = 0.0
    repeat: float = 0.0
    flip: float = 0.0
    cut_off: float = 0.0
    split: float = 0.0
    join: float = 0.0
    delay_share: float = 0.0
    delay_max: Duration = Duration(0)
    is_datagram: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that are no chances.

        Raises:
            ValueError: names the field and its value.
        """
        for name in _SHARES:
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name}: {share} is not a chance from 0 to 1")
        if self.delay_max < 0:
            raise ValueError(f"delay_max: {self.delay_max} is negative")


_SHARES: Final = ("lose", "repeat", "flip", "cut_off", "split", "join", "delay_share")
UNWORN: Final = Wear()


def draw_wear(seed: int, *, is_datagram: bool = False) -> Wear:
    """Return a wear whose kinds and shares are drawn from `seed`."""
    chance = Random(f"wear {seed}")  # noqa: S311  # repeatable, not secret
    shares = {name: _draw_share(chance) for name in _SHARES}
    delay_max = chance.choice(_DELAYS)
    return Wear(**shares, delay_max=delay_max, is_datagram=is_datagram)


def _draw_share(chance: Random) -> float:
    """Return no chance at all half the time, else a mild one, now and then an extreme one."""
    draw = chance.random()
    if draw < _OFF_SHARE:
        return 0.0
    return chance.uniform(*(_EXTREME if draw > 1 - _EXTREME_SHARE else _MILD))


class WornWire:
    """A wire in one direction: pieces put in come out worn, when their time has come.

    Holds at most `HELD_PIECES_MAX` pieces; beyond that the oldest comes out early.
    """

    def __init__(self, wear: Wear, seed: int) -> None:
        self._wear = wear
        self._chance = Random(f"wire {seed}")  # noqa: S311  # repeatable, not secret
        self._held: deque[tuple[Instant, bytes]] = deque()
        self._joined = b""
        self.counts: dict[str, int] = dict.fromkeys(_SHARES, 0)

    @property
    def wake_at(self) -> Instant | None:
        """When the next held piece is due; None while nothing is held."""
        return self._held[0][0] if self._held else None

    def put(self, pieces: Sequence[bytes], now: Instant) -> None:
        """Take `pieces` into the wire at `now`."""
        for piece in pieces:
            for worn in self._wear_out(piece):
                self._hold(worn, now)

    def take(self, now: Instant) -> Sequence[bytes]:
        """Return what has come out of the wire by `now`, each piece once."""
        out = []
        while self._held and (self._held[0][0] <= now or len(self._held) > HELD_PIECES_MAX):
            out.append(self._held.popleft()[1])
        return out

    def _happens(self, fault: str) -> bool:
        # Chance is asked even where the share is 0, so that one fault more leaves the others alone.
        share: float = getattr(self._wear, fault)
        happens = self._chance.random() < share
        self.counts[fault] += happens
        return happens

    def _wear_out(self, piece: bytes) -> list[bytes]:
        """Return what becomes of one piece."""
        lost, repeated, flipped, cut = (
            self._happens(fault) for fault in ("lose", "repeat", "flip", "cut_off")
        )
        if lost:
            return []
        if flipped and piece:
            piece = self._flip(piece)
        if cut and piece:
            piece = piece[: self._chance.randrange(len(piece))]
        pieces = [piece, piece] if repeated else [piece]
        if self._wear.is_datagram:
            return pieces
        return [part for each in pieces for part in self._split_or_join(each)]

    def _flip(self, piece: bytes) -> bytes:
        bit = self._chance.randrange(8 * len(piece))
        turned = bytearray(piece)
        turned[bit // 8] ^= 1 << bit % 8
        return bytes(turned)

    def _split_or_join(self, piece: bytes) -> list[bytes]:
        split, join = self._happens("split"), self._happens("join")
        piece, self._joined = self._joined + piece, b""
        if join:
            self._joined = piece
            return []
        if split and len(piece) > 1:
            at = self._chance.randrange(1, len(piece))
            return [piece[:at], piece[at:]]
        return [piece]

    def _hold(self, piece: bytes, now: Instant) -> None:
        due = now
        if self._happens("delay_share"):
            due = later(now, Duration(self._chance.randint(0, self._wear.delay_max)))
        place = len(self._held)
        # In a stream all wait behind the slowest; a datagram overtakes what is due later.
        while self._wear.is_datagram and place and self._held[place - 1][0] > due:
            place -= 1
        self._held.insert(place, (due, piece))
