"""The foot: what is due, links, record and upload, the newest events, the last answer and keys."""

from typing import Final

from dashboards.views.line import Line, Span, blank, fit, joined, plain, spread
from dashboards.views.sight import Sight
from dashboards.views.words import MARKS, clock_time, lasting
from monitor.model.instant import Instant
from monitor.model.link import LinkState
from monitor.model.snapshot import ChairSnapshot, LinkSnapshot, LoggedEvent, StoreSnapshot

DOTS: Final = {
    LinkState.UP: "●",
    LinkState.CONNECTING: "◐",
    LinkState.SILENT: "◌",
    LinkState.LOST: "✕",
}


def foot(sight: Sight, width: int, rows: int, hint: str) -> tuple[Line, ...]:
    """Return the foot in exactly `rows` lines; the last is always answer and keys."""
    if rows < 1:
        return ()
    last = _status(sight, width, hint)
    if sight.chair is None:
        return (*(blank(width) for _ in range(rows - 1)), last)
    health = [_due_and_links(sight.chair, sight.now, width), _store(sight, width)]
    room = max(0, rows - 1 - len(health))
    events = list(reversed(sight.chair.events[-room:])) if room else []
    lines = [*health, *(_event(each, sight.chair, width) for each in events)]
    if rows - 1 < len(lines):
        lines = [_narrow(sight, width)][: rows - 1]
    return (*lines, *(blank(width) for _ in range(rows - 1 - len(lines))), last)


def _narrow(sight: Sight, width: int) -> Line:
    """Return everything about health in one line, for a foot of two."""
    chair = sight.chair
    return fit(joined((links(chair, sight.now), store(chair.store))), width) if chair else ()


def _due_and_links(chair: ChairSnapshot, now: Instant, width: int) -> Line:
    """Return links at the left, what is due at the right."""
    return spread(links(chair, now), due(chair, now), width)


def due(chair: ChairSnapshot, now: Instant) -> Line:
    """Return what is asked for next: "DUE  BP in 4 min · MOAA/S now"."""
    said: list[Line] = []
    for what, at in chair.sitting.due:
        wait = "now" if at == now else (
            f"in {lasting(now, at)}" if at > now else f"overdue {lasting(at, now)}"
        )  # fmt: skip
        style = "value" if at > now else "medium"
        said.append((Span(f"{plain(what)} {wait}", style),))
    return joined(((Span("DUE", "title"),), *said, (Span(" "),))) if said else ()


def links(chair: ChairSnapshot, now: Instant) -> Line:
    """Return each link with its shape, and in words whatever is not as it should be."""
    said = tuple(_link(link, now) for link in chair.links)
    return (
        joined(((Span(" LINKS", "title"),), *said))
        if said
        else (Span(" LINKS  none configured", "note"),)
    )


def _link(link: LinkSnapshot, now: Instant) -> Line:
    """Return one link: "suntech ●", or "suntech ✕ lost 12 s: unplugged"."""
    notes = []
    if link.state is not LinkState.UP:
        notes.append(f"{link.state} {lasting(link.since, now)}")
        notes.extend([plain(link.reason)] if link.reason else [])
    notes.extend(plain(notice).replace("_", " ") for notice in link.notices)
    if link.rejected:
        notes.append(f"{link.rejected} rejected")
    style = "well" if link.state is LinkState.UP else "medium"
    words = f" {', '.join(notes)}" if notes else ""
    return (
        Span(f"{plain(link.link)} ", "value"),
        Span(DOTS[link.state], style),
        Span(words, "note"),
    )


def _store(sight: Sight, width: int) -> Line:
    """Return record and upload at the left, the age of the picture at the right."""
    assert sight.chair is not None
    age = (
        f"picture {min(sight.picture_age_s, 999):.0f} s old " if sight.is_lost else "picture live "
    )
    return spread(
        store(sight.chair.store), (Span(age, "lost" if sight.is_lost else "note"),), width
    )


def store(store_: StoreSnapshot) -> Line:
    """Return whether the record is written, and how far the upload is."""
    record: Line = (
        (Span("record ", "value"), Span("●", "well"), Span(f" {store_.entries} entries", "note"))
        if store_.record_is_well
        else (Span("record ✕ NOT WRITTEN", "medium"),)
    )
    waiting = f" {store_.waiting} waiting" if store_.waiting else ""
    shape = "◌" if store_.waiting or store_.influx == "off" else "●"
    influx: Line = (Span("influx ", "value"), Span(shape, "note"),
                    Span(f" {plain(store_.influx)}{waiting}", "note"))  # fmt: skip
    reason: Line = (Span(plain(store_.reason), "note"),) if store_.reason else ()
    return joined(((Span(" STORE", "title"),), record, influx, reason))


def _event(event: LoggedEvent, chair: ChairSnapshot, width: int) -> Line:
    """Return one line of the event list."""
    mark = f"{MARKS[event.priority]:>3}" if event.priority else "  ●"
    style = f"{event.priority}" if event.priority else "deed"
    return fit(
        (
            Span(f" {clock_time(chair, event.at)} ", "note"),
            Span(f"{mark} ", style),
            Span(f"{plain(event.what).replace('_', ' ')}  {plain(event.text)}", "value"),
        ),
        width,
    )


def _status(sight: Sight, width: int, hint: str) -> Line:
    """Return the last answer at the left, the keys at the right."""
    said: Line = (Span(f" {plain(sight.status)}", sight.status_style),) if sight.status else ()
    keys: Line = (Span(f"{hint} ", "keys"),)
    if not said:
        return spread((Span(f" {hint}", "keys"),), (), width)
    return (
        spread(said, keys, width) if len(said[0].text) + len(hint) + 3 < width else fit(said, width)
    )
