"""The alarm bar: one signal to be read from four metres, and every condition from one.

After IEC 60601-1-8: the highest priority owns the band, in words, with its shape `!!!`, its colour
and its flash; below it every condition can be reached, with value, limit, age and inactivation. An
acknowledgement stops the flash of the band; alarm paused and alarm off take the band; nothing takes
the lines. A condition that is inactivated while it is absent has its line all the same.
"""

from typing import Final

from dashboards.views.flash import is_lit
from dashboards.views.glyphs import HALF_HEIGHT, can_draw, half_blocks
from dashboards.views.layout import Layout
from dashboards.views.line import Line, Span, blank, cells_of, fit, joined, plain, shorten, spread
from dashboards.views.sight import Sight, target, worst
from dashboards.views.words import (
    MARKS,
    broken_limit,
    inactivation,
    is_inactivated,
    lasting,
    lasting_s,
)
from monitor.model.alarm import AlarmSnapshot, Inactivation, Priority, SignalPresence
from monitor.model.instant import Instant

PAGE_S: Final = 4
QUIET: Final = "no alarm condition present"
NO_SIGNAL: Final = "no alarm signal"
NO_PICTURE: Final = "MONITORING LOST"


def alarm_bar(sight: Sight, width: int, layout: Layout) -> tuple[Line, ...]:
    """Return the band and the lines of conditions, exactly as many as `layout` has room for."""
    lines = (*_band(sight, width, layout), *_conditions(sight, width, layout.conditions))
    return tuple(fit(line, width) for line in lines)


def _band(sight: Sight, width: int, layout: Layout) -> tuple[Line, ...]:
    """Return the signal for four metres."""
    alarms = sight.chair.alarms if sight.chair else ()
    first = worst(alarms)
    if sight.is_lost:
        age = f"no picture for {lasting_s(int(sight.picture_age_s))}"
        style = "lost" if is_lit(Priority.HIGH, sight.clock_s) else "lost-unlit"
        return _big((NO_PICTURE,), (age, sight.link_reason), style, width, layout)
    if sight.chair is None:
        return _message("connecting to vigil serve", "note", width, layout.band)
    if first is None:
        return _message(_quiet(sight), "quiet", width, layout.band)
    title = plain(first.title).upper()
    mark = MARKS[first.priority]
    age = lasting(first.since, sight.now)
    place = f"{alarms.index(first) + 1} of {len(alarms)}"
    notes = (place, *_inactivation(first, sight.now))
    texts = (f"{mark} {title}  {age}", f"{mark} {title}")
    return _big(texts, notes, _band_style(first, sight), width, layout)


def _quiet(sight: Sight) -> str:
    """Return what the band says where nothing is signalled for four metres."""
    alarms = sight.chair.alarms if sight.chair else ()
    absent = sight.chair.inactivated if sight.chair else ()
    if alarms:
        return f"{NO_SIGNAL}: {len(alarms)} present, inactivated"
    return f"{QUIET}, {len(absent)} inactivated" if absent else QUIET


def _band_style(alarm: AlarmSnapshot, sight: Sight) -> str:
    """Return the style of the band: flashing by priority, steady once acknowledged."""
    is_steady = is_acknowledged(alarm, sight.now)
    lit = is_steady or is_lit(alarm.priority, sight.clock_s)
    return f"{alarm.priority}-lit" if lit else f"{alarm.priority}"


def _message(text: str, style: str, width: int, rows: int) -> tuple[Line, ...]:
    """Return a quiet band."""
    lines = [blank(width, style) for _ in range(rows)]
    lines[rows // 2] = fit((Span(f" {text}", style),), width, style)
    return tuple(lines)


def _big(
    texts: tuple[str, ...], notes: tuple[str, ...], style: str, width: int, layout: Layout
) -> tuple[Line, ...]:
    """Return the band in the biggest letters in which one of `texts` fits beside the notes."""
    said = [shorten(plain(note), width // 2) for note in notes if note]
    column = max((cells_of(note) for note in said), default=0) + 1
    if layout.has_big_band:
        for text in texts:
            rows = half_blocks(text)
            if can_draw(text) and len(rows[0]) + column + 3 <= width:
                return tuple(
                    _banded(f"  {row}", said[at] if at < len(said) else "", style, width)
                    for at, row in enumerate(rows)
                )
    line = _banded(f" {texts[0]}", "  ".join(said), style, width)
    if not layout.has_big_band:
        return (line,)
    return (blank(width, style), line, blank(width, style))[:HALF_HEIGHT]


def _banded(text: str, note: str, style: str, width: int) -> Line:
    """Return one line of the band; the words at its left are cut last."""
    room = max(0, width - cells_of(text) - 2)
    side = fit((Span(f"{note} ", style),), min(room, cells_of(note) + 1), style) if note else ()
    return spread((Span(text, style),), side, width, style)


def _conditions(sight: Sight, width: int, rows: int) -> tuple[Line, ...]:
    """Return the lines for one metre, one page of them; the page follows selection or time."""
    listed = _listed(sight)
    start = page_start(sight, rows)
    lines = [
        _condition(listed[at], f"{at + 1} of {len(listed)}", sight, width)
        for at in range(start, min(start + rows, len(listed)))
    ]
    return (*lines, *(blank(width) for _ in range(rows - len(lines))))


def page_start(sight: Sight, rows: int) -> int:
    """Return the first condition on the page: the selected one's page, else the next every 4 s."""
    names = [alarm.alarm for alarm in _listed(sight)]
    pages = max(1, -(-len(names) // rows))
    if sight.selected in names:
        return names.index(sight.selected) // rows * rows
    return int(sight.clock_s / PAGE_S) % pages * rows


def _listed(sight: Sight) -> tuple[AlarmSnapshot, ...]:
    """Return what has a line: every condition, then those that are only inactivated."""
    return () if sight.chair is None else (*sight.chair.alarms, *sight.chair.inactivated)


def _condition(alarm: AlarmSnapshot, place: str, sight: Sight, width: int) -> Line:
    """Return one condition: shape, title, value against limit, age, inactivation, place."""
    aim = target(sight)
    pointer = "▶" if aim is not None and aim.alarm == alarm.alarm else " "
    is_absent = alarm.signal is SignalPresence.OFF
    is_quiet = sight.is_lost or is_absent or bool(alarm.subsumed_by)
    style = "note" if is_quiet else f"{alarm.priority}"
    title = f"{pointer} {MARKS[alarm.priority]:>3} {plain(alarm.title)}"
    age = "not present" if is_absent else f"for {lasting(alarm.since, sight.now)}"
    known = ("last known",) if sight.is_lost else ()
    notes = (*known, broken_limit(alarm), age, *_inactivation(alarm, sight.now))
    said = joined(tuple((Span(note, "value"),) for note in notes if note))
    return spread(joined(((Span(title, style),), said)), (Span(f"{place} ", "note"),), width)


def _inactivation(alarm: AlarmSnapshot, now: Instant) -> tuple[str, ...]:
    """Return what a person, or a lost signal, has done to the condition."""
    notes: list[str] = []
    if alarm.held_since is not None:
        notes.append(f"held {lasting(alarm.held_since, now)}, unmeasured")
    if alarm.signal is SignalPresence.LATCHED:
        notes.append("latched, cause gone: r resets")
    notes.append(inactivation(alarm, now))
    if alarm.subsumed_by:
        notes.append(f"explained by {plain(alarm.subsumed_by)}")
    return tuple(note for note in notes if note)


def is_acknowledged(alarm: AlarmSnapshot, now: Instant) -> bool:
    """Return whether the acknowledgement still stands."""
    return alarm.inactivation is Inactivation.ACKNOWLEDGED and is_inactivated(alarm, now)


def can_be_resumed(alarm: AlarmSnapshot, now: Instant) -> bool:
    """Return whether a pause or an off state of this condition still stands."""
    return is_inactivated(alarm, now) and not is_acknowledged(alarm, now)
