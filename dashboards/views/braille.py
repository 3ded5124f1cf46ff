"""Dots to braille: two dots wide and four dots high in every cell."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Dots: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.float64]

DOTS_WIDE: Final = 2
DOTS_HIGH: Final = 4
_FIRST: Final = 0x2800
_WEIGHTS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint32)


def canvas(width: int, height: int) -> Dots:
    """Return an empty field of dots for `width` by `height` cells."""
    return np.zeros((height * DOTS_HIGH, width * DOTS_WIDE), np.bool_)


def cells(dots: Dots) -> tuple[str, ...]:
    """Return the braille text of a field of dots, a blank for a cell without any."""
    high, wide = dots.shape
    blocks = dots.reshape(high // DOTS_HIGH, DOTS_HIGH, wide // DOTS_WIDE, DOTS_WIDE)
    codes = np.einsum("rich,ih->rc", blocks.transpose(0, 1, 3, 2).swapaxes(2, 3), _WEIGHTS)
    letters = np.where(codes == 0, ord(" "), codes + _FIRST).astype(np.uint32)
    return tuple(row.tobytes().decode("utf-32-le") for row in letters)


def bars(low: Numbers, high: Numbers, rows: int) -> Dots:
    """Return dots from `low` to `high` in every column, in rows counted from the top.

    A column whose `low` is NaN stays empty. What lies outside is drawn on the edge, never left out.
    """
    present = ~np.isnan(low)
    top = np.clip(np.where(present, np.minimum(low, high), 0), 0, rows - 1)
    bottom = np.clip(np.where(present, np.maximum(low, high), 0), 0, rows - 1)
    row = np.arange(rows)[:, None]
    return (row >= np.round(top)) & (row <= np.round(bottom)) & present


def touch(low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Stretch each column to its left neighbour, so that a line has no holes; gaps stay gaps."""
    new_low, new_high = low.copy(), high.copy()
    before_low, before_high = low[:-1], high[:-1]
    both = ~np.isnan(low[1:]) & ~np.isnan(before_low)
    new_low[1:] = np.where(both, np.minimum(low[1:], before_high), low[1:])
    new_high[1:] = np.where(both, np.maximum(high[1:], before_low), high[1:])
    return new_low, new_high
