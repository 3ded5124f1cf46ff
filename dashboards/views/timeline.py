"""The session timeline: phases as bands, lanes, marks of alarms and deeds, gaps as gaps."""

from collections.abc import Mapping
from typing import Final

from dashboards.views.lanes import (
    AXIS_CELLS,
    EDGE_CELLS,
    LANES,
    LaneInput,
    Stretch,
    lane_lines,
    rows_for,
)
from dashboards.views.line import Line, Span, blank, fit
from dashboards.views.series import Series
from dashboards.views.sight import Sight, find
from dashboards.views.window import Window
from dashboards.views.words import MARKS, lasting_s, phase_title
from monitor.model.alarm import RANK
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import Metric
from monitor.model.session import Phase
from monitor.model.snapshot import ChairSnapshot, LoggedEvent

ROWS_MIN: Final = 4
_STEPS_S: Final = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_LABEL_CELLS: Final = 9


def timeline(
    sight: Sight,
    series: Mapping[Metric, Series],
    bin_s: float,
    window: Window,
    size: tuple[int, int],
) -> tuple[Line, ...]:
    """Return the timeline in exactly `size` (width, rows); "" lines where there is no room."""
    width, rows = size
    if rows < 1:
        return ()
    chair = sight.chair
    if chair is None or rows < ROWS_MIN:
        return tuple(blank(width) for _ in range(rows))
    now_s = in_seconds(chair.now)
    stretch = Stretch(*window.stretch(now_s), max(1, width - AXIS_CELLS - EDGE_CELLS))
    gaps = gap_cells(chair, stretch)
    lines: list[Line] = [_phases(chair, stretch, window)]
    for facts, high in zip(LANES, rows_for(rows - 3), strict=True):
        now = find(sight, facts.metric)
        limits = (now.low, now.high) if now else (None, None)
        lines += lane_lines(LaneInput(facts, series, bin_s, *limits), stretch, high, gaps)
    lines += [_marks(chair, stretch), _axis(stretch)]
    return tuple(fit(line, width) for line in lines)


def gap_cells(chair: ChairSnapshot, stretch: Stretch) -> frozenset[int]:
    """Return the cells in which nothing was watched; a short gap takes one cell at least."""
    found: set[int] = set()
    for start, end in chair.gaps:
        first_s = max(in_seconds(start), stretch.start_s)
        last_s = min(in_seconds(end), stretch.end_s)
        first, last = stretch.cell_of(first_s), stretch.cell_of(last_s)
        if first_s <= last_s and first is not None and last is not None:
            found.update(range(first, last + 1))
    return frozenset(found)


def phase_spans(chair: ChairSnapshot) -> tuple[tuple[Phase, Instant], ...]:
    """Return the phases with their beginnings; the present one alone where no more is known."""
    return chair.sitting.phases or ((chair.sitting.phase, chair.sitting.phase_since),)


def _phases(chair: ChairSnapshot, stretch: Stretch, window: Window) -> Line:
    """Return the bands of the phases, and at the left which stretch this is."""
    known = phase_spans(chair)
    row = [" "] * stretch.cells
    for at, (phase, since) in enumerate(known):
        ends = in_seconds(known[at + 1][1] if at + 1 < len(known) else chair.now)
        start = stretch.cell_of(max(in_seconds(since), stretch.start_s))
        end = stretch.cell_of(min(ends, stretch.end_s))
        if start is None or end is None or ends < stretch.start_s:
            continue
        words = f"╷{phase_title(phase)} "
        band = (words + "─" * stretch.cells)[: end - start + 1]
        row[start : end + 1] = band
    span = "whole" if window.span_s is None else lasting_s(round(window.span_s))
    label = f" {span:<{AXIS_CELLS - 1}}"
    return (Span(label, "note"), Span("".join(row), "phase"))


def _mark(event: LoggedEvent) -> tuple[str, int]:
    """Return the letter of an event and its rank where two share a cell."""
    if event.priority is not None:
        return MARKS[event.priority][0], RANK[event.priority] + 1
    return "●", 1


def _marks(chair: ChairSnapshot, stretch: Stretch) -> Line:
    """Return the row of marks: `!` alarms in the style of their priority, `●` deeds, `░` gaps."""
    row: dict[int, tuple[int, Span]] = {
        at: (0, Span("░", "gap")) for at in gap_cells(chair, stretch)
    }
    for event in chair.events:
        at = stretch.cell_of(in_seconds(event.at))
        letter, rank = _mark(event)
        if at is not None and rank > row.get(at, (-1,))[0]:
            style = f"{event.priority}" if event.priority else "deed"
            row[at] = (rank, Span(letter, style))
    now = stretch.cell_of(in_seconds(chair.now))
    if now is not None and now not in row:
        row[now] = (0, Span("▲", "value"))
    spans = [row[at][1] if at in row else Span(" ") for at in range(stretch.cells)]
    legend = (Span(" ░ gap", "gap"),) if chair.gaps else ()
    return (Span(f" {'events':<{AXIS_CELLS - 1}}", "axis"), *spans, *legend)


def _axis(stretch: Stretch) -> Line:
    """Return the minutes of the session under the lanes, "min" at the left."""
    span = stretch.end_s - stretch.start_s
    room = max(1, stretch.cells // _LABEL_CELLS)
    step = next((each for each in _STEPS_S if span / each <= room), _STEPS_S[-1])
    row = [" "] * (stretch.cells + EDGE_CELLS)
    first = -(-stretch.start_s // step) * step
    for at in range(int((stretch.end_s - first) // step) + 1):
        s = first + at * step
        cell = stretch.cell_of(s)
        text = _clock(s)
        if cell is not None and cell + len(text) <= len(row):
            row[cell : cell + len(text)] = text
    return (Span(f" {'h:min' if span >= 120 else 'min:s':<{AXIS_CELLS - 1}}", "axis"),
            Span("".join(row), "axis"))  # fmt: skip


def _clock(s: float) -> str:
    """Return seconds since the opening as "0:25", or "0:25:30" where seconds matter."""
    minutes, rest = divmod(round(s), 60)
    text = f"{minutes // 60}:{minutes % 60:02}"
    return text if not rest else f"{text}:{rest:02}"
