"""The work of the study: what is played, in as many processes as asked for, one session at a time.

A process holds one session or recording; only counts come back.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final, NamedTuple

from simulators.scenario import names
from tests.burden.cuff import draw_responder, make_readings
from tests.burden.grid import QUICK, WHOLE, Filter, Grid, Point, Study, points
from tests.burden.play import (
    Outcome,
    Stood,
    Stream,
    cuff_stream,
    outcome,
    stream_of,
    told_of_all,
)
from tests.burden.recordings import files, hear, with_filter
from tests.burden.sessions import Plan, make

_CUFF_SESSION_S: Final = 4500
_BAR: Final = 30


class Size(NamedTuple):
    """How much is played: the grids, drawn sessions and their length, sessions of a cuff."""

    grids: dict[Study, Grid]
    drawn: int
    length_s: int
    scenario_s: int
    cuffs: int


FULL: Final = Size(WHOLE, drawn=36, length_s=3600, scenario_s=4500, cuffs=120)
SHORT: Final = Size(QUICK, drawn=6, length_s=1800, scenario_s=1800, cuffs=16)


class Unit(NamedTuple):
    """One piece of work: a session to make, a cuff's session (`cuff`), or a recording's place."""

    grids: dict[Study, Grid]
    plan: Plan
    is_cuff: bool = False
    recording: int | None = None


class Part(NamedTuple):
    """What one study made of one session or recording, point by point in the grid's order."""

    name: str
    study: Study
    hours: float
    outcomes: tuple[Outcome, ...]
    is_real: bool = False


def units(size: Size, seed: int) -> list[Unit]:
    """Return all work: shipped scenarios, drawn sessions, sessions of a cuff, recordings.

    Two drawn sessions of three have a poor signal.
    """
    plans = [Plan(seed, size.scenario_s, scenario=name) for name in names()]
    plans += [
        Plan(seed + number, size.length_s, is_poor=number % 3 != 0) for number in range(size.drawn)
    ]
    cuffs = [
        Plan(seed + number, _CUFF_SESSION_S, is_poor=number % 3 != 0)
        for number in range(size.cuffs)
    ]
    whole = [Unit(size.grids, plan) for plan in plans]
    whole += [Unit(size.grids, plan, is_cuff=True) for plan in cuffs]
    none = Plan(seed, 0)
    return whole + [Unit(size.grids, none, recording=place) for place in range(len(files()))]


def work(unit: Unit) -> list[Part]:
    """Do one piece of work."""
    if unit.recording is not None:
        return list(_play_recording(unit.recording, unit.grids))
    if unit.is_cuff:
        return [_play_cuff(unit.plan, unit.grids)]
    return list(_play_session(unit.plan, unit.grids))


def _play_session(plan: Plan, grids: dict[Study, Grid]) -> Iterator[Part]:
    session = make(plan)
    for study in (Study.SATURATION, Study.BREATHS, Study.CO2, Study.PAUSES):
        truths = session.truths[study]
        told = _told_of_all(
            points(grids, study), partial(stream_of, session, study), session.length_s
        )
        outcomes = tuple(outcome(study, spans, truths) for spans in told)
        yield Part(session.name, study, session.hours, outcomes)


def _told_of_all(
    wanted: Sequence[Point], stream_with: Callable[[Filter], Stream], end_s: float
) -> list[list[Stood]]:
    """Play each stream once, with all points that hear it; return what stood, point by point."""
    groups: dict[Filter, list[int]] = {}
    for place, point in enumerate(wanted):
        heard = Filter.CORE if point.filter is Filter.BUDGET else point.filter
        groups.setdefault(heard, []).append(place)
    told: list[list[Stood]] = [[] for _ in wanted]
    for kind, places in groups.items():
        spans = told_of_all([wanted[place] for place in places], stream_with(kind), end_s)
        for place, each in zip(places, spans, strict=True):
            told[place] = each
    return told


def _play_cuff(plan: Plan, grids: dict[Study, Grid]) -> Part:
    patient = draw_responder(plan.seed, plan.length_s)
    outcomes: dict[Point, Outcome] = {}
    wanted = points(grids, Study.PRESSURE)
    for wait in {point.wait: None for point in wanted}:
        own = [point for point in wanted if point.wait == wait]
        read = make_readings(patient, wait * 60, plan.length_s, is_poor=plan.is_poor)
        told = told_of_all(own, cuff_stream(read.readings), plan.length_s)
        for point, spans in zip(own, told, strict=True):
            outcomes[point] = outcome(Study.PRESSURE, spans, read.truths)
    name = f"cuff {plan.seed}"
    counted = tuple(outcomes[point] for point in wanted)
    return Part(name, Study.PRESSURE, plan.length_s / 3600, counted)


def _play_recording(place: int, grids: dict[Study, Grid]) -> Iterator[Part]:
    for heard in hear(files()[place]):
        wanted = points(grids, heard.study)
        told = _told_of_all(wanted, partial(with_filter, heard), heard.hours * 3600)
        outcomes = tuple(outcome(heard.study, spans, truths=()) for spans in told)
        yield Part(heard.file, heard.study, heard.hours, outcomes, is_real=True)


def run(todo: Sequence[Unit], jobs: int) -> list[Part]:
    """Do all work; what comes back is in the order of the work, whoever did it."""
    if jobs <= 1:
        done = _with_progress(map(work, todo), len(todo))
        return [part for parts in done for part in parts]
    with ProcessPoolExecutor(jobs) as pool:
        done = _with_progress(pool.map(work, todo), len(todo))
        return [part for parts in done for part in parts]


def _with_progress(done: Iterable[list[Part]], total: int) -> Iterator[list[Part]]:
    for count, parts in enumerate(done, 1):
        filled = _BAR * count // total
        if sys.stderr.isatty() or count % 20 == 0 or count == total:
            bar = "#" * filled + "." * (_BAR - filled)
            sys.stderr.write(f"\r[{bar}] {count} of {total}")
            sys.stderr.flush()
        yield parts
    sys.stderr.write("\n")
