"""Big letters and figures: a face five pixels high, drawn in half blocks or in full blocks.

Half blocks make three lines, mostly three cells a glyph; full blocks five lines of six cells. Both
can be read from farther away than text, and neither needs a colour.
"""

from typing import Final

# Five rows of pixels, from the top; `1` is ink.
_FACE: Final = {
    "0": "111 101 101 101 111", "1": "010 110 010 010 111", "2": "111 001 111 100 111",
    "3": "111 001 111 001 111", "4": "101 101 111 001 001", "5": "111 100 111 001 111",
    "6": "111 100 111 101 111", "7": "111 001 001 010 010", "8": "111 101 111 101 111",
    "9": "111 101 111 001 111", "A": "010 101 111 101 101", "B": "110 101 110 101 110",
    "C": "111 100 100 100 111", "D": "110 101 101 101 110", "E": "111 100 110 100 111",
    "F": "111 100 110 100 100", "G": "111 100 101 101 111", "H": "101 101 111 101 101",
    "I": "111 010 010 010 111", "J": "001 001 001 101 111", "K": "101 101 110 101 101",
    "L": "100 100 100 100 111", "M": "10001 11011 10101 10001 10001",
    "N": "1001 1101 1011 1001 1001", "O": "111 101 101 101 111",
    "P": "111 101 111 100 100", "Q": "111 101 101 111 001",
    "R": "110 101 110 101 101", "S": "111 100 111 001 111", "T": "111 010 010 010 010",
    "U": "101 101 101 101 111", "V": "101 101 101 101 010", "W": "10001 10001 10101 11011 10001",
    "X": "101 101 010 101 101", "Y": "101 101 010 010 010", "Z": "111 001 010 100 111",
    "-": "000 000 111 000 000", "–": "000 000 111 000 000", ".": "0 0 0 0 1",
    "/": "001 001 010 100 100", ":": "0 1 0 1 0", "+": "000 010 111 010 000",
    "%": "101 001 010 100 101", " ": "00 00 00 00 00", "?": "111 001 010 000 010",
    "!": "1 1 1 0 1", ",": "000 000 000 010 100", "(": "001 010 010 010 001",
    ")": "100 010 010 010 100", "<": "001 010 100 010 001", ">": "100 010 001 010 100",
}  # fmt: skip
_PIXELS: Final = {letter: tuple(rows.split()) for letter, rows in _FACE.items()}
_HALVES: Final = {"00": " ", "10": "▀", "01": "▄", "11": "█"}
HALF_HEIGHT: Final = 3
FULL_HEIGHT: Final = 5


def _rows(text: str) -> list[str]:
    """Return five rows of pixels, one between glyphs; an unknown letter is a question mark."""
    glyphs = [_PIXELS.get(letter, _PIXELS["?"]) for letter in text.upper()]
    return ["0".join(glyph[row] for glyph in glyphs) for row in range(FULL_HEIGHT)]


def can_draw(text: str) -> bool:
    """Return whether the face has every letter of `text`."""
    return all(letter in _PIXELS for letter in text.upper())


def half_blocks(text: str) -> tuple[str, ...]:
    """Return `text` in three lines, a cell for each pixel of width."""
    rows = _rows(text)
    rows.append("0" * len(rows[0]))
    return tuple(
        "".join(_HALVES[upper + lower] for upper, lower in zip(rows[at], rows[at + 1], strict=True))
        for at in range(0, len(rows), 2)
    )


def full_blocks(text: str) -> tuple[str, ...]:
    """Return `text` in five lines, two cells for each pixel of width."""
    return tuple("".join("██" if pixel == "1" else "  " for pixel in row) for row in _rows(text))
