"""How many rows each part of the chair screen gets at a given size; the alarm bar never yields."""

from typing import Final

import msgspec

HEADER_ROWS: Final = 2


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of each part, from the top; `has_big_…` say how band and figures are drawn."""

    header: int
    band: int
    conditions: int
    tiles: int
    strips: int
    timeline: int
    foot: int
    has_big_band: bool
    has_big_figures: bool

    @property
    def alarm_bar(self) -> int:
        """Return the rows of the whole alarm bar."""
        return self.band + self.conditions


def lay_out(width: int, height: int, *, has_extras: bool = False) -> Layout:
    """Share `height` rows out. A small terminal loses the timeline first, then strips and foot."""
    has_big_band = height >= 30 and width >= 60
    has_big_figures = height >= 44 and width >= 150
    band = 3 if has_big_band else 1
    conditions = 2 if height < 30 else 3 if height < 44 else 4
    tiles = (8 if has_big_figures else 6) + has_extras
    room = max(0, height - HEADER_ROWS - band - conditions - tiles)
    foot = min(room, 3 if height < 30 else 5 if height < 44 else 8)
    room -= foot
    strips = min(room, 2 if height < 30 else 3 if height < 44 else 5)
    return Layout(
        header=HEADER_ROWS,
        band=band,
        conditions=conditions,
        tiles=tiles,
        strips=strips,
        timeline=room - strips,
        foot=foot,
        has_big_band=has_big_band,
        has_big_figures=has_big_figures,
    )
