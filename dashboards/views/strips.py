"""The strips of waveforms: CO2 on a fixed scale, pleth on its own."""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from dashboards.views.braille import DOTS_HIGH, DOTS_WIDE, Dots, Numbers, bars, cells, touch
from dashboards.views.line import Line, Span, beside, blank, fit
from dashboards.views.sight import Sight
from dashboards.views.wave import Wave, sweep
from dashboards.views.words import lasting
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe

LABEL_CELLS: Final = 8


class StripFacts(msgspec.Struct, frozen=True):
    """How a waveform is drawn: seconds a sweep, and the scale that is always shown, if fixed."""

    metric: Metric
    span_s: float
    scale: tuple[float, float] | None
    style: str


STRIPS: Final = (
    StripFacts(Metric.CO2_WAVE, 24.0, (0.0, 50.0), "co2"),
    StripFacts(Metric.PLETH, 6.0, None, "spo2"),
)


def strips(sight: Sight, waves: Mapping[Metric, Wave], width: int, rows: int) -> tuple[Line, ...]:
    """Return the strips side by side in exactly `rows` lines of `width` cells."""
    if rows < 1:
        return ()
    left = width // 2
    blocks = tuple(
        _strip(facts, waves.get(facts.metric), sight, (wide, rows))
        for facts, wide in zip(STRIPS, (left, width - left), strict=True)
    )
    return beside(blocks)


def _strip(
    facts: StripFacts, wave: Wave | None, sight: Sight, size: tuple[int, int]
) -> tuple[Line, ...]:
    """Return one strip, or in words why there is none to be seen."""
    width, rows = size
    title = describe(facts.metric).title
    reason = _absence(facts.metric, wave, sight)
    if reason or wave is None:
        first: Line = (Span(f" {title} ", "title"), Span(reason, "note"))
        return (fit(first, width), *(blank(width) for _ in range(rows - 1)))
    room = max(1, width - LABEL_CELLS - 1)
    low, high = sweep(wave, facts.span_s, room * DOTS_WIDE)
    floor, ceiling = scale_of(low, high, facts.scale)
    drawn = cells(_dots((low, high), (floor, ceiling), rows))
    labels = _labels(facts, (floor, ceiling), rows)
    styles = ("title", *("axis" for _ in labels[1:]))
    rows_ = zip(labels, styles, drawn, strict=True)
    return tuple(
        fit((Span(f"{label:<{LABEL_CELLS}}", style), Span(text, facts.style)), width)
        for label, style, text in rows_
    )


def _absence(metric: Metric, wave: Wave | None, sight: Sight) -> str:
    """Return why no live waveform can be shown; "" if one can."""
    if wave is None or wave.newest is None:
        return "no waveform"
    if sight.is_lost:
        return "not live"
    limit = describe(metric).stale_after
    age = max(0, sight.now - wave.newest)
    if limit is not None and age > limit:
        return f"no waveform for {lasting(Instant(wave.newest), sight.now)}"
    return ""


def scale_of(low: Numbers, high: Numbers, fixed: tuple[float, float] | None) -> tuple[float, float]:
    """Return floor and ceiling of the scale: the fixed one, widened to what is really there."""
    present = ~np.isnan(low)
    floor, ceiling = fixed or (np.inf, -np.inf)
    if present.any():
        floor, ceiling = (
            min(floor, float(low[present].min())),
            max(ceiling, float(high[present].max())),
        )
    if not np.isfinite(floor) or not np.isfinite(ceiling):
        return 0.0, 1.0
    return (floor, ceiling) if ceiling > floor else (floor - 1.0, ceiling + 1.0)


def _dots(columns: tuple[Numbers, Numbers], scale: tuple[float, float], rows: int) -> Dots:
    """Return the line of the wave as dots, without holes between neighbours."""
    low, high = touch(*columns)
    dots = rows * DOTS_HIGH
    floor, ceiling = scale
    unit = (dots - 1) / (ceiling - floor)
    return bars((ceiling - high) * unit, (ceiling - low) * unit, dots)


def _labels(facts: StripFacts, scale: tuple[float, float], rows: int) -> tuple[str, ...]:
    """Return title, and floor and ceiling where the scale means something."""
    labels = [""] * rows
    labels[0] = f" {describe(facts.metric).title}"
    if facts.scale is not None:
        labels[0] += f"{scale[1]:>{LABEL_CELLS - len(labels[0]) - 1}.0f}"
        if rows > 1:
            labels[-1] = f"{scale[0]:>{LABEL_CELLS - 1}.0f}"
        if rows > 2:
            labels[rows // 2] = f" {describe(facts.metric).unit}"
    return tuple(labels)
