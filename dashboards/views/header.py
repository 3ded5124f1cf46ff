"""The two top lines: whose chair, where the sitting stands, and what this program is not."""

from typing import Final

from dashboards.views.line import Line, Span, fit, joined, plain, spread, width_of
from dashboards.views.sight import OtherChair, Sight
from dashboards.views.words import MARKS, clock_time, phase_title, watermark
from monitor.model.session import Phase
from monitor.model.snapshot import SittingSnapshot

POSTURE: Final = "not a medical device"
BAR_CELLS_MIN: Final = 6
BAR_CELLS_MAX: Final = 24


def header(sight: Sight, width: int) -> tuple[Line, ...]:
    """Return the two top lines in `width` cells. The watermark stands first: nothing cuts it."""
    return _sitting_line(sight, width), _posture_line(sight, width)


def _sitting_line(sight: Sight, width: int) -> Line:
    """Return chair, pseudonym and protocol at the left, phase, minute and dose at the right."""
    chair = sight.chair
    left: Line = (Span(f" CHAIR {plain(sight.name)}", "title"),)
    if chair is None:
        return spread(left, (Span("waiting for the first picture ", "note"),), width, "header")
    sitting = chair.sitting
    who = joined((left, (Span(plain(chair.pseudonym), "value"),) if chair.pseudonym else ()))
    whole = joined((who, (Span(plain(sitting.protocol), "note"),)), style="header")
    end = (Span(" ", "header"),)
    room = width - width_of(whole) - width_of(joined((_phase(sitting), _dose(sitting)))) - 6
    right = (*joined((_phase(sitting), _bar(sitting, room), _dose(sitting))), *end)
    return spread(whole, right, width, "header")


def _phase(sitting: SittingSnapshot) -> Line:
    """Return the phase and the minute of the infusion."""
    words = phase_title(sitting.phase).upper()
    if sitting.infusion_minute is None or sitting.phase in {Phase.SETUP, Phase.BASELINE}:
        return (Span(words, "title"),)
    minute = f"  min {sitting.infusion_minute:.0f}"
    if sitting.infusion_min is not None:
        minute += f" of {sitting.infusion_min:.0f}"
    return (Span(words, "title"), Span(minute, "value"))


def _bar(sitting: SittingSnapshot, room: int) -> Line:
    """Return how far the infusion is, as a bar; nothing where it would be too short to read."""
    if sitting.infusion_minute is None or not sitting.infusion_min or room < BAR_CELLS_MIN:
        return ()
    cells = min(room, BAR_CELLS_MAX)
    share = min(1.0, max(0.0, sitting.infusion_minute / sitting.infusion_min))
    done = round(share * cells)
    return (Span("━" * done, "value"), Span("─" * (cells - done), "note"))


def _dose(sitting: SittingSnapshot) -> Line:
    """Return the dose by now as planned: nobody asked the pump."""
    if sitting.dose_mg is None:
        return ()
    given = 0.0 if sitting.dose_given_mg is None else sitting.dose_given_mg
    return (Span(f"{given:.1f} of {sitting.dose_mg:.1f} mg", "value"), Span(" planned", "note"))


def _posture_line(sight: Sight, width: int) -> Line:
    """Return watermark and posture at the left, other chairs, limit set and time at the right."""
    chair = sight.chair
    mark = watermark(chair) if chair else ""
    left = joined(((Span(f" {plain(mark)} ", "watermark"),) if mark else (), _posture(sight)), " ")
    clock = clock_time(chair, sight.now) if chair else ""
    preset = f"limits {plain(chair.preset)}" if chair and chair.preset else ""
    right = joined((*map(_other, sight.others), (Span(preset, "note"),), (Span(clock, "value"),)))
    if width_of(left) + width_of(right) + 1 > width:
        right = joined((*map(_other, sight.others), (Span(clock, "value"),)))
    room = max(0, width - width_of(left) - 1)
    return spread(left, fit(right, min(room, width_of(right))), width, "header")


def _posture(sight: Sight) -> Line:
    """Return what this program is not, on every screen (hazard H26)."""
    if sight.chair is None:
        return (Span(f" {POSTURE}", "note"),)
    return (Span(f" {POSTURE}: secondary display" if not sight.others else f" {POSTURE}", "note"),)


def _other(other: OtherChair) -> Line:
    """Return a chair that is not on this screen, where somebody is wanted there."""
    if other.is_lost:
        return (Span(f" CHAIR {plain(other.name)} LOST ", "lost"),)
    if other.priority is None:
        return ()
    said = f" CHAIR {plain(other.name)} {MARKS[other.priority]} {plain(other.title)} "
    return (Span(said, f"{other.priority}-lit"),)
