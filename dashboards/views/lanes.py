"""One lane of the timeline: a metric or two on one scale, with its limits and its axis."""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from dashboards.views.braille import (
    DOTS_HIGH,
    DOTS_WIDE,
    Dots,
    bars,
    canvas,
    cells,
    touch,
)
from dashboards.views.line import Line, Span, fit
from dashboards.views.series import Series
from dashboards.views.words import limits
from monitor.model.metric import Metric, describe

AXIS_CELLS: Final = 10
EDGE_CELLS: Final = 7


class LaneFacts(msgspec.Struct, frozen=True):
    """What a lane shows. `scale` is what it always spans, widened to what was really measured."""

    title: str
    metric: Metric
    scale: tuple[float, float]
    style: str
    weight: int
    lower: Metric | None = None


LANES: Final = (
    LaneFacts("BP", Metric.NIBP_SYS, (60, 180), "pressure", 4, Metric.NIBP_DIA),
    LaneFacts("SpO2", Metric.SPO2, (84, 100), "spo2", 3),
    LaneFacts("Pulse", Metric.PULSE_RATE, (40, 120), "pulse", 3),
    LaneFacts("EtCO2", Metric.ETCO2, (0, 50), "co2", 2),
    LaneFacts("Resp", Metric.RESP_RATE, (0, 24), "resp", 2),
)


class Stretch(msgspec.Struct, frozen=True):
    """The stretch of time that is drawn: start and end in seconds, and its cells."""

    start_s: float
    end_s: float
    cells: int

    @property
    def column_s(self) -> float:
        """Return how many seconds one column of dots covers."""
        return (self.end_s - self.start_s) / (self.cells * DOTS_WIDE)

    def cell_of(self, s: float) -> int | None:
        """Return the cell of an instant in seconds, None if it lies outside."""
        at = int((s - self.start_s) / (self.end_s - self.start_s) * self.cells)
        at = min(at, self.cells - 1) if s <= self.end_s else at
        return at if s >= self.start_s and at < self.cells else None


class LaneInput(msgspec.Struct, frozen=True):
    """The numbers of one lane and the limits in force."""

    facts: LaneFacts
    series: Mapping[Metric, Series]
    bin_s: float
    low: float | None = None
    high: float | None = None


def rows_for(total: int) -> tuple[int, ...]:
    """Share `total` rows among the lanes by weight; the first lanes come first when it is tight."""
    rows = [1 if at < total else 0 for at in range(len(LANES))]
    while sum(rows) < total:
        wants = [lane.weight / max(have, 1) for lane, have in zip(LANES, rows, strict=True)]
        rows[int(np.argmax(wants))] += 1
    return tuple(rows)


def lane_lines(
    lane: LaneInput, stretch: Stretch, rows: int, gap_cells: frozenset[int]
) -> tuple[Line, ...]:
    """Return the lane in exactly `rows` lines: axis, dots, limits at their height."""
    if rows < 1:
        return ()
    ends = _scale(lane, stretch)
    drawn = cells(_dots(lane, stretch, ends, rows))
    rules = cells(_limit_dots(lane, stretch, ends, rows))
    marks = _limit_words(lane, ends, rows)
    labels = _axis(lane.facts, ends, rows)
    return tuple(
        (
            Span(labels[row], "title" if row == 0 else "axis"),
            *_field(drawn[row], rules[row], lane.facts.style, gap_cells),
            *fit((Span(marks.get(row, ""), "limit"),), EDGE_CELLS),
        )
        for row in range(rows)
    )


def _scale(lane: LaneInput, stretch: Stretch) -> tuple[float, float]:
    """Return floor and ceiling: the usual scale, widened so that no extreme is cut off (H11)."""
    floor, ceiling = lane.facts.scale
    for metric in (lane.facts.metric, lane.facts.lower):
        series = lane.series.get(metric) if metric else None
        if series is None:
            continue
        lows, highs = series.within(stretch.start_s - lane.bin_s, stretch.end_s)
        if len(lows):
            floor, ceiling = min(floor, float(lows.min())), max(ceiling, float(highs.max()))
    return floor, ceiling


def _dots(lane: LaneInput, stretch: Stretch, ends: tuple[float, float], rows: int) -> Dots:
    """Return the dots of the lane: a bar for each cuff reading, else a line from bin to bin."""
    upper = lane.series.get(lane.facts.metric)
    dots = rows * DOTS_HIGH
    unit = (dots - 1) / (ends[1] - ends[0])
    if upper is None:
        return canvas(stretch.cells, rows)
    count = stretch.cells * DOTS_WIDE
    if lane.facts.lower is not None:
        return _pressure_dots(lane, stretch, (ends[1], unit), rows)
    low, high = upper.columns(stretch.start_s, stretch.column_s, count, lane.bin_s)
    low, high = touch(low, high)
    return bars((ends[1] - high) * unit, (ends[1] - low) * unit, dots)


def _pressure_dots(
    lane: LaneInput, stretch: Stretch, scale: tuple[float, float], rows: int
) -> Dots:
    """Return an upright from diastolic to systolic at each reading, with feet as wide as a cell."""
    ceiling, unit = scale
    count = stretch.cells * DOTS_WIDE
    # A reading is a moment: one column, however wide its bin.
    upper = lane.series[lane.facts.metric]
    lower = lane.series.get(lane.facts.lower) if lane.facts.lower else None
    sys, high = upper.columns(stretch.start_s, stretch.column_s, count, 0)
    dia = sys if lower is None else lower.columns(stretch.start_s, stretch.column_s, count, 0)[0]
    dia = np.where(np.isnan(dia), sys, dia)
    field = bars((ceiling - high) * unit, (ceiling - dia) * unit, rows * DOTS_HIGH)
    for end in (high, dia):
        foot = bars((ceiling - end) * unit, (ceiling - end) * unit, rows * DOTS_HIGH)
        field[:, 1:] |= foot[:, :-1]
        field[:, :-1] |= foot[:, 1:]
    return field


def _limit_dots(lane: LaneInput, stretch: Stretch, ends: tuple[float, float], rows: int) -> Dots:
    """Return a dotted rule at the height of each limit in force."""
    field = canvas(stretch.cells, rows)
    unit = (len(field) - 1) / (ends[1] - ends[0])
    if rows == 1:
        return field  # four dots high: a rule would read as data; the words at the edge remain
    for limit in (lane.low, lane.high):
        if limit is not None and ends[0] <= limit <= ends[1]:
            field[round((ends[1] - limit) * unit), :: 2 * DOTS_WIDE] = True
    return field


def _field(text: str, rule: str, style: str, gap_cells: frozenset[int]) -> tuple[Span, ...]:
    """Return the cells of one line: data, else a gap's shade, else the limit's rule."""
    spans: list[Span] = []
    for at, letter in enumerate(text):
        kind = style
        said = letter
        if letter == " ":
            said, kind = ("░", "gap") if at in gap_cells else (rule[at], "limit")
        if spans and spans[-1].style == kind:
            spans[-1] = Span(spans[-1].text + said, kind)
        else:
            spans.append(Span(said, kind))
    return tuple(spans)


def _limit_words(lane: LaneInput, ends: tuple[float, float], rows: int) -> dict[int, str]:
    """Return the words of the limits at the rows of their height; both in one where they meet."""
    metric = lane.facts.metric
    if rows == 1 or lane.low is None or lane.high is None:
        said = "" if lane.low is None and lane.high is None else limits(metric, lane.low, lane.high)
        if rows == 1:
            return {0: f" {said}"} if said else {}
    span = ends[1] - ends[0]
    marks: dict[int, str] = {}
    for low, high in ((None, lane.high), (lane.low, None)):
        limit = high if low is None else low
        if limit is None or not ends[0] <= limit <= ends[1]:
            continue
        row = min(rows - 1, int((ends[1] - limit) / span * rows))
        text = f" {limits(metric, low, high)}".replace(" ≥ ", " ≥").replace(" ≤ ", " ≤")
        marks[row] = text if row not in marks else f" {limits(metric, lane.low, lane.high)}"
    return marks


def _axis(facts: LaneFacts, ends: tuple[float, float], rows: int) -> tuple[str, ...]:
    """Return title and scale: the ceiling in the first row, the floor in the last."""
    unit = describe(facts.metric).unit
    if rows == 1:
        return (f" {facts.title:<6}{'':>{AXIS_CELLS - 8}}┤",)
    labels = [""] * rows
    labels[0] = f" {facts.title:<5}{ends[1]:>{AXIS_CELLS - 7}.0f}"
    labels[-1] = f"{ends[0]:>{AXIS_CELLS - 1}.0f}"
    if rows > 2:
        labels[1] = f" {unit}"
    else:
        labels[-1] = f" {unit:<5}{ends[0]:>{AXIS_CELLS - 7}.0f}"
    return tuple(f"{label:<{AXIS_CELLS - 1}}┤" for label in labels)
