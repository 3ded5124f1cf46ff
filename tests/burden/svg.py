"""Curves as SVG, by hand: axes with units, lines with their own colour, dash and mark, intervals.

The colours are those of Okabe and Ito, which people who see colours differently tell apart; the
shape of the mark and the dash say the same again.
"""

from collections.abc import Callable, Sequence
from math import ceil, floor, log10, sqrt
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444")
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "5 5", "12 4", "1 2")
_WIDTH, _HEIGHT = 760, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 548, 66, 414
_TICKS: Final = 6
_DOUBLED: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
_APART: Final = 0.09
_INK, _PALE, _GRID = "#222222", "#9a9a9a", "#e4e4e4"
_MARK: Final = 4.0
_LABEL_W, _LABEL_H = 26, 13


class Spot(NamedTuple):
    """One point of a line. The ranges are its intervals; `label` stands beside it."""

    x: float
    y: float
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    label: str = ""
    is_preset: bool = False


class Line(NamedTuple):
    """A named line through spots; without `has_intervals` its intervals are not drawn."""

    name: str
    spots: tuple[Spot, ...]
    has_intervals: bool = True


class Axis(NamedTuple):
    """An axis from `low` to `high` with its title, unit included; a `root` scale widens the low."""

    title: str
    low: float
    high: float
    root: bool = False


class Chart(NamedTuple):
    """A chart with a legend: `note` names what its lines differ in, `beside` what labels say."""

    title: str
    beside: str
    note: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]


def ticks(axis: Axis) -> list[float]:
    """Return round numbers along an axis, some six of them, its ends included where round."""
    if axis.root:
        return _root_ticks(axis.high)
    raw = (axis.high - axis.low) / _TICKS
    power = 10.0 ** floor(log10(raw))
    step = min((each * power for each in (1, 2, 5, 10)), key=lambda each: abs(each - raw))
    first = ceil(axis.low / step - 1e-9)
    count = floor(axis.high / step + 1e-9) - first + 1
    return [round((first + number) * step, 10) for number in range(count)]


def _root_ticks(high: float) -> list[float]:
    kept = [0.0]
    for value in _DOUBLED:
        if value <= high and sqrt(value) - sqrt(kept[-1]) >= _APART * sqrt(high):
            kept.append(value)
    return kept


def _place(axis: Axis, start: float, end: float) -> Callable[[float], float]:
    """Return where a value lies on the paper; what is beyond an end lies on it."""
    bend = sqrt if axis.root else float

    def at(value: float) -> float:
        kept = min(axis.high, max(axis.low, value))
        share = (bend(kept) - bend(axis.low)) / (bend(axis.high) - bend(axis.low))
        return round(start + share * (end - start), 1)

    return at


def draw(chart: Chart) -> str:
    """Return the chart as the text of an SVG file."""
    at_x = _place(chart.x, _LEFT, _RIGHT)
    at_y = _place(chart.y, _BOTTOM, _TOP)
    body = [*_frame(chart, at_x, at_y)]
    for number, line in enumerate(chart.lines):
        body += _intervals(line, number, at_x, at_y)
    for number, line in enumerate(chart.lines):
        body += _curve(line, number, at_x, at_y)
    for line in chart.lines:
        body += _labels(line, at_x, at_y)
    body += _legend(chart)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{_INK}" role="img">\n'
        f"<title>{escape(chart.title)}</title>\n"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


Placed = Callable[[float], float]


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{" " + more if more else ""}>{escape(words)}</text>'


def _stroke(points: Sequence[tuple[float, float]], colour: str, more: str = "") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}"{" " + more if more else ""}/>'


def _frame(chart: Chart, at_x: Placed, at_y: Placed) -> list[str]:
    middle_x, middle_y = (_LEFT + _RIGHT) / 2, (_TOP + _BOTTOM) / 2
    said = [_text(_LEFT, 20, chart.title, 'font-size="16" font-weight="bold"')]
    said.append(_text(_LEFT, 38, chart.beside))
    for value in ticks(chart.x):
        x = at_x(value)
        said.append(_stroke([(x, _TOP), (x, _BOTTOM)], _GRID))
        said.append(_text(x, _BOTTOM + 18, f"{value:g}", 'text-anchor="middle"'))
    for value in ticks(chart.y):
        y = at_y(value)
        said.append(_stroke([(_LEFT, y), (_RIGHT, y)], _GRID))
        said.append(_text(_LEFT - 8, y + 4, f"{value:g}", 'text-anchor="end"'))
    said.append(_stroke([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], _INK))
    scale = ", square-root scale" if chart.x.root else ""
    said.append(_text(middle_x, _BOTTOM + 42, chart.x.title + scale, 'text-anchor="middle"'))
    turned = f'text-anchor="middle" transform="rotate(-90 22 {middle_y:g})"'
    return [*said, _text(22, middle_y, chart.y.title, turned)]


def _intervals(line: Line, number: int, at_x: Placed, at_y: Placed) -> list[str]:
    said = []
    more = 'stroke-width="1" stroke-opacity="0.4"'
    for spot in line.spots if line.has_intervals else ():
        x, y = at_x(spot.x), at_y(spot.y)
        if spot.x_range is not None:
            ends = [(at_x(each), y) for each in spot.x_range]
            said.append(_stroke(ends, _colour(number), more))
        if spot.y_range is not None:
            ends = [(x, at_y(each)) for each in spot.y_range]
            said.append(_stroke(ends, _colour(number), more))
    return said


def _curve(line: Line, number: int, at_x: Placed, at_y: Placed) -> list[str]:
    places = [(at_x(each.x), at_y(each.y)) for each in line.spots]
    said = [_stroke(places, _colour(number), _dashed(number))]
    for spot, (x, y) in zip(line.spots, places, strict=True):
        said.append(_mark(number, x, y))
        if spot.is_preset:
            said.append(_ring(x, y))
    return said


def _ring(x: float, y: float) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="9" fill="none" stroke="{_INK}" stroke-width="2.2"/>'


def _labels(line: Line, at_x: Placed, at_y: Placed) -> list[str]:
    """Write beside the spots, on the other side where two would meet, with a white edge."""
    edge = 'stroke="#ffffff" stroke-width="3" paint-order="stroke" font-size="11"'
    said, taken = [], [(-1000.0, -1000.0)]
    for spot in line.spots:
        words, x, y = spot.label, at_x(spot.x), at_y(spot.y)
        if not words:
            continue
        meets = any(abs(x - a) < _LABEL_W and abs(y - b) < _LABEL_H for a, b in taken)
        taken.append((x, y))
        if meets:
            said.append(_text(x - 9, y - 8, words, edge + ' text-anchor="end"'))
        else:
            said.append(_text(x + 9, y + 15, words, edge))
    return said


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _dashed(number: int) -> str:
    dash = _DASHES[number % len(_DASHES)]
    return 'stroke-width="1.8"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _mark(number: int, x: float, y: float) -> str:
    """Draw a mark of a line's own shape: disc, square, triangle, diamond, ring, box, cross."""
    colour, r = _colour(number), _MARK
    filled, hollow = f'fill="{colour}"', f'fill="#ffffff" stroke="{colour}" stroke-width="1.6"'
    match number % 7:
        case 0 | 4:
            style = filled if number % 7 == 0 else hollow
            return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" {style}/>'
        case 1 | 5:
            style = filled if number % 7 == 1 else hollow
            corner = f'x="{x - r:g}" y="{y - r:g}"'
            return f'<rect {corner} width="{2 * r:g}" height="{2 * r:g}" {style}/>'
        case 2:
            corners = [(x, y - r - 1), (x + r + 0.5, y + r), (x - r - 0.5, y + r)]
        case 3:
            corners = [(x, y - r - 1), (x + r + 1, y), (x, y + r + 1), (x - r - 1, y)]
        case _:
            return _stroke([(x - r, y), (x + r, y), (x, y), (x, y - r), (x, y + r)], colour)
    path = " ".join(f"{a:g},{b:g}" for a, b in corners)
    return f'<polygon points="{path}" {filled}/>'


def _legend(chart: Chart) -> list[str]:
    x, y = _RIGHT + 24, _TOP + 14
    said = [_text(x, y, chart.note, 'font-weight="bold"')]
    for number, line in enumerate(chart.lines):
        y += 22
        said.append(_stroke([(x, y - 4), (x + 34, y - 4)], _colour(number), _dashed(number)))
        said.append(_mark(number, x + 17, y - 4))
        said.append(_text(x + 42, y, line.name))
    if any(spot.is_preset for line in chart.lines for spot in line.spots):
        y += 28
        said.append(_ring(x + 17, y - 4))
        said.append(_text(x + 42, y, "shipped preset"))
    if any(line.has_intervals for line in chart.lines):
        y += 24
        said.append(_stroke([(x, y - 4), (x + 34, y - 4)], _PALE))
        said.append(_text(x + 42, y, "95 % interval"))
    return said
