"""A line of a screen: spans of text, each with the name of a style; cut and filled to cells.

Style names are words (`high`, `value`, `note`), never colours: `dashboards.widgets.palette` knows
the colours. Text from outside goes through `plain`, so that no byte of it can act on a terminal.
"""

from typing import Final, TypeAlias
from unicodedata import category, normalize

import msgspec
from rich.cells import cell_len, set_cell_size

STRANGE: Final = "\N{REPLACEMENT CHARACTER}"
TEXT_LENGTH_MAX: Final = 500
# Controls, directions and joiners, surrogates, private use, unassigned, line and paragraph ends,
# marks that stack on their neighbour: what could move the cursor or make a width a lie.
_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"})


class Span(msgspec.Struct, frozen=True):
    """A stretch of text in one style."""

    text: str
    style: str = ""


Line: TypeAlias = tuple[Span, ...]


def plain(text: str) -> str:
    """Return `text` from outside in one line without anything that acts on a terminal."""
    composed = normalize("NFC", text[:TEXT_LENGTH_MAX])
    if composed.isascii() and composed.isprintable():
        return composed
    return "".join(STRANGE if category(letter) in _REFUSED else letter for letter in composed)


def width_of(line: Line) -> int:
    """Return how many cells `line` takes."""
    return sum(cell_len(span.text) for span in line)


def cells_of(text: str) -> int:
    """Return how many cells `text` takes; some letters take two."""
    return cell_len(text)


def words_of(line: Line) -> str:
    """Return the text of `line` without its styles."""
    return "".join(span.text for span in line)


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with an ellipsis where something was cut."""
    if cell_len(text) <= width:
        return text
    return "" if width < 1 else set_cell_size(text, width - 1).rstrip() + "…"


def fit(line: Line, width: int, style: str = "") -> Line:
    """Return `line` cut or filled to exactly `width` cells; `style` fills."""
    spans: list[Span] = []
    room = max(width, 0)
    for span in line:
        wanted = cell_len(span.text)
        if wanted > room:
            spans.append(Span(set_cell_size(shorten(span.text, room), room), span.style))
            room = 0
            break
        spans.append(span)
        room -= wanted
    if room:
        spans.append(Span(" " * room, style))
    return tuple(spans)


def spread(left: Line, right: Line, width: int, style: str = "") -> Line:
    """Return `left` and `right` at the two ends of `width` cells; `right` is cut last."""
    right_width = min(width_of(right), width)
    room = width - right_width
    gap = 1 if room and right_width else 0
    start = fit(left, room - gap, style)
    return fit((*start, Span(" " * gap, style), *right), width, style)


def joined(parts: tuple[Line, ...], between: str = "  ", style: str = "") -> Line:
    """Return the parts that say something, one after another."""
    spans: list[Span] = []
    for part in parts:
        if width_of(part):
            spans.extend((Span(between, style), *part) if spans else part)
    return tuple(spans)


def blank(width: int, style: str = "") -> Line:
    """Return an empty line."""
    return (Span(" " * max(width, 0), style),)


def beside(blocks: tuple[tuple[Line, ...], ...]) -> tuple[Line, ...]:
    """Return blocks of equally many lines side by side."""
    return tuple(tuple(span for line in row for span in line) for row in zip(*blocks, strict=True))
