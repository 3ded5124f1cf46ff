"""The tiles: one big figure for each metric, with unit, limits, trend and age.

A big figure is a live value. A value that is stale, held without a measurement, or seen through a
lost link is never drawn big: the tile shows that there is none, why, and what it last was.
"""

from typing import Final

import msgspec

from dashboards.views.glyphs import full_blocks, half_blocks
from dashboards.views.layout import Layout
from dashboards.views.line import (
    Line,
    Span,
    beside,
    cells_of,
    fit,
    joined,
    plain,
    shorten,
    spread,
    width_of,
)
from dashboards.views.sight import Sight, age_s, find, held_since, is_live
from dashboards.views.words import (
    ARROWS,
    MARKS,
    MISSING,
    baseline,
    lasting,
    lasting_s,
    limits_of,
    number,
    unit,
)
from monitor.model.alarm import RANK, Priority
from monitor.model.event import Validity
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.snapshot import MetricSnapshot

SINGLE: Final = (Metric.SPO2, Metric.PULSE_RATE, Metric.ETCO2, Metric.RESP_RATE)
SHOWN: Final = frozenset({*SINGLE, *NIBP})
_LIGHT: Final = "╭─╮│╰╯"
_HEAVY: Final = "┏━┓┃┗┛"


class TileView(msgspec.Struct, frozen=True, kw_only=True):
    """What a tile says. `figure` is MISSING unless the value is live; `note` then says why.

    `age` is never empty beside a figure; `was` is the last value where there is none to show.
    """

    title: str
    figure: str
    is_live: bool
    limits: str
    trend: str = ""
    age: str = ""
    held: str = ""
    was: str = ""
    note: str = ""
    extra: str = ""
    priority: Priority | None = None
    style: str = "note"


def has_extras(sight: Sight) -> bool:
    """Return whether the picture holds metrics that have no tile of their own."""
    return sight.chair is not None and any(m.metric not in SHOWN for m in sight.chair.metrics)


def tile_view(metric: MetricSnapshot, sight: Sight) -> TileView:
    """Return what the tile of one metric says."""
    live = is_live(metric, sight)
    facts = describe(metric.metric)
    return TileView(
        title=f"{facts.title} {unit(metric.metric)}",
        figure=number(metric.metric, metric.value)
        if live and metric.value is not None
        else MISSING,
        is_live=live,
        limits=limits_of(metric),
        trend=ARROWS[metric.trend] if live else " ",
        age=_age(metric, sight),
        held=_held((metric,), sight),
        was="" if live or metric.value is None else f"was {number(metric.metric, metric.value)}",
        note=_note(metric, sight),
        extra=baseline(metric) if live else "",
        priority=metric.priority,
        style=_style(metric.priority, sight, live=live),
    )


def pressure_view(sight: Sight) -> TileView | None:
    """Return what the tile of the cuff says: systolic over diastolic, with mean and age."""
    parts = [find(sight, metric) for metric in NIBP]
    sys, dia, mean = parts
    known = tuple(part for part in parts if part is not None)
    if sys is None:
        return None
    pair = (sys, dia) if dia is not None else (sys,)
    live = all(is_live(part, sight) for part in pair)
    doubtful = next((part for part in pair if not is_live(part, sight)), sys)
    figure = "/".join("--" if p.value is None else number(p.metric, p.value) for p in pair)
    is_known = any(part.value is not None for part in pair)
    ranks = [part.priority for part in known if part.priority]
    worst = max(ranks, key=lambda each: RANK[each], default=None)
    return TileView(
        title="NIBP mmHg",
        figure=figure if live else MISSING,
        is_live=live,
        limits="  ".join(f"{p.metric[-3:]} {limits_of(p)}" for p in pair),
        trend=ARROWS[sys.trend] if live else " ",
        age=_age(sys, sight),
        held=_held(known, sight),
        was=f"was {figure}" if is_known and not live else "",
        note=_note(doubtful, sight),
        extra=joined_words(_mean(mean, sight), baseline(sys)) if live else "",
        priority=worst,
        style=_style(worst, sight, live=live),
    )


def _style(priority: Priority | None, sight: Sight, *, live: bool) -> str:
    """Return the style of figure and frame; everything is grey once the picture is lost."""
    if sight.is_lost:
        return "note"
    return f"{priority}" if priority else "value" if live else "note"


def joined_words(*words: str) -> str:
    """Return the words that are not empty, two spaces apart."""
    return "  ".join(word for word in words if word)


def _mean(mean: MetricSnapshot | None, sight: Sight) -> str:
    """Return the mean pressure where it is as live as the others."""
    if mean is None or mean.value is None or not is_live(mean, sight):
        return ""
    return f"mean {number(mean.metric, mean.value)}"


def _age(metric: MetricSnapshot, sight: Sight) -> str:
    """Return the age of the value, "" where there is none: hearing of none makes nothing young."""
    age = age_s(metric, sight)
    if age is None or metric.value is None:
        return ""
    text = lasting_s(int(age))
    return text if age < 120 else f"{text} ago"


def _held(metrics: tuple[MetricSnapshot, ...], sight: Sight) -> str:
    """Return that a condition on this metric is held, unmeasured, and for how long."""
    held = [metric for metric in metrics if metric.is_held]
    since = [held_since(metric.metric, sight) for metric in metrics]
    known = [instant for instant in since if instant is not None]
    if known:
        return f"held {lasting(min(known), sight.now)}"
    return "held" if held else ""


def _note(metric: MetricSnapshot, sight: Sight) -> str:
    """Return why there is no live value, or what is to be known about the one there is."""
    if sight.is_lost:
        return "not live"
    said = plain(metric.note)
    if is_live(metric, sight):
        return joined_words(
            "questionable" if metric.validity is Validity.QUESTIONABLE else "", said
        )
    if metric.value is not None:
        return said or "stale"
    return said or metric.validity.value.replace("_", " ")


def tiles(sight: Sight, width: int, layout: Layout) -> tuple[Line, ...]:
    """Return the row of tiles, and under it the metrics without one."""
    extras = has_extras(sight)
    height = layout.tiles - extras
    widths = shares(width)
    views = [_view_of(metric, sight) for metric in SINGLE]
    views.append(pressure_view(sight) or _absent("NIBP mmHg"))
    drawn = tuple(
        tile_lines(view, wide, height, is_big=layout.has_big_figures)
        for view, wide in zip(views, widths, strict=True)
    )
    lines = beside(drawn)
    return (*lines, _extras(sight, width)) if extras else lines


def shares(width: int) -> tuple[int, ...]:
    """Return the widths of the five tiles: the cuff's figure is two numbers wide."""
    cuff = max(28, round(width * (0.3 if width < 150 else 0.3625)))
    rest, more = divmod(width - cuff, len(SINGLE))
    return (*(rest + (at < more) for at in range(len(SINGLE))), cuff)


def _view_of(metric: Metric, sight: Sight) -> TileView:
    """Return the tile of `metric`; the heart rate stands in where there is no pulse rate."""
    found = find(sight, metric)
    if found is None and metric is Metric.PULSE_RATE:
        found = find(sight, Metric.HEART_RATE)
    return tile_view(found, sight) if found else _absent(f"{describe(metric).title} {unit(metric)}")


def _absent(title: str) -> TileView:
    """Return the tile of a metric no device of this chair gives."""
    return TileView(title=title, figure=MISSING, is_live=False, limits="", note="no device")


def tile_lines(view: TileView, width: int, height: int, *, is_big: bool) -> tuple[Line, ...]:
    """Return the tile in a frame of exactly `width` by `height` cells; heavy where it alarms."""
    corner = _HEAVY if view.priority in {Priority.HIGH, Priority.MEDIUM} else _LIGHT
    frame = view.style if view.priority else "frame"
    inner = width - 2
    mark = MARKS[view.priority] if view.priority else ""
    words = f" {joined_words(mark, view.title)} ".replace("  ", " ")
    is_tight = cells_of(words) > inner
    if is_tight:
        words = shorten(f" {view.title}", inner)
    title = (Span(words, frame if view.priority else "title"),)
    top = (Span(corner[0], frame), *_ruled(title, inner, corner[1], frame), Span(corner[2], frame))
    side = (Span(mark if is_tight else "", frame),)
    foot = _foot(view.age, inner - width_of(side))
    rule = _ruled(side, inner - cells_of(foot), corner[1], frame)
    bottom = (Span(corner[4], frame), *rule, Span(foot, "value"), Span(corner[5], frame))
    body = _body(view, inner, height - 3, is_big=is_big)
    last = _limits_line(view, inner)
    sides = [(Span(corner[3], frame), *row, Span(corner[3], frame)) for row in (*body, last)]
    return (top, *sides, bottom)


def _foot(age: str, room: int) -> str:
    """Return the age, without its last word where that leaves no room; "" where there is none."""
    if not age:
        return ""
    words = (f" {age} ", f" {age.removesuffix(' ago')} ", age.removesuffix(" ago"))
    return next((each for each in words if cells_of(each) <= room), shorten(age, room))


def _ruled(line: Line, width: int, rule: str, style: str) -> Line:
    """Return `line` followed by a rule up to `width` cells."""
    return (*line, Span(rule * max(0, width - width_of(line)), style))


def _body(view: TileView, width: int, rows: int, *, is_big: bool) -> tuple[Line, ...]:
    """Return the big figure, or in its place that there is none, why, and whether it is held.

    A figure is never cut: where it leaves no room to say that it is held, it is written small.
    """
    glyphs = _glyphs(view.figure, width, is_big=is_big)
    room = width - len(glyphs[0]) - 3
    if not view.is_live or cells_of(view.held) > room:
        said = _centred((view.held or view.was, _without_value(view, width), view.note), rows)
        return tuple(fit((Span(f" {text}", view.style),), width) for text in said)
    notes = [text if cells_of(text) <= room else "" for text in (view.held, view.note, view.extra)]
    side = (*("" for _ in range(rows - len(notes))), *notes)
    return tuple(
        spread((Span(f" {row}", view.style),), (Span(f"{text} ", "value"),) if text else (), width)
        for row, text in zip(_centred(glyphs, rows), side, strict=True)
    )


def _without_value(view: TileView, width: int) -> str:
    """Return the figure written small, and what it last was where only this line is left for it."""
    said = joined_words(view.figure, view.was)
    return said if view.held and cells_of(said) < width else view.figure


def _glyphs(figure: str, width: int, *, is_big: bool) -> tuple[str, ...]:
    """Return the figure as big as it fits with a cell before it."""
    for glyphs in ((full_blocks(figure),) if is_big else ()) + (half_blocks(figure),):
        if len(glyphs[0]) < width:
            return glyphs
    return (" " * len(figure), figure, "")


def _centred(texts: tuple[str, ...], rows: int) -> tuple[str, ...]:
    """Return the texts with empty ones above and below, `rows` in all."""
    above = (rows - len(texts)) // 2
    return (*("" for _ in range(above)), *texts, *("" for _ in range(rows - len(texts) - above)))


def _limits_line(view: TileView, width: int) -> Line:
    """Return trend and limits, and what is to be known about the value as far as there is room."""
    note = f"  {view.note}" if view.is_live else ""
    said = shorten(f"{view.limits}{note}", max(width - 3, len(view.limits)))
    return fit((Span(f" {view.trend} ", view.style), Span(said, "value")), width)


def _extras(sight: Sight, width: int) -> Line:
    """Return the metrics without a tile in one line, each with its age and limits."""
    metrics = sight.chair.metrics if sight.chair else ()
    said = [tile_view(m, sight) for m in metrics if m.metric not in SHOWN]
    parts = tuple(
        (
            Span(f"{view.title} ", "note"),
            Span(joined_words(view.figure, view.was), view.style),
            Span(f" {joined_words(view.held, view.note, view.limits, view.age)}", "note"),
        )
        for view in said
    )
    return fit(joined(((Span(" also", "note"),), *parts)), width)
