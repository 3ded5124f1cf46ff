"""All that came out of one run, and the same as CSV and as JSON lines."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from tests.burden.grid import Filter, Grid, Point, Study, digest, points, preset_point
from tests.burden.recordings import why_absent
from tests.burden.rows import Rival, Row, compare, later_of, rivals_of, rows_of
from tests.burden.run import Part
from tests.burden.statistics import Interval, draw_weights

_RealFile = tuple[str, float, tuple[float | None, ...]]
_COLUMNS: Final = (
    "study",
    "limit",
    "wait",
    "filter",
    "is_preset",
    "hours",
    "asked",
    "found",
    "deep_asked",
    "deep_found",
    "delay_median_s",
    "delay_p95_s",
    "alarms",
    "needless",
    "brief_share",
)
_RANGES: Final = ("sensitivity", "deep", "alarms_h", "needless_h")


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by study, what dominates the preset or is only later, and the real recordings.

    `plain_clock` compares the shipped rule for saturation on a delay without evidence.
    """

    seed: int
    rows: dict[Study, list[Row]]
    rivals: dict[Study, list[Rival]]
    later: dict[Study, list[Rival]]
    plain_clock: Rival | None
    real: list[Row]
    real_files: list[_RealFile]
    real_hours: float
    why_no_real: str

    @property
    def shipped(self) -> dict[Study, Row]:
        """Return the row of the shipped preset in each study."""
        return {
            study: next(each for each in rows if each.is_preset)
            for study, rows in self.rows.items()
        }

    @property
    def points(self) -> int:
        """Return how many points the grid has."""
        return sum(map(len, self.rows.values()))

    def find(self, study: Study, limit: float, wait: float) -> Row | None:
        """Return the row of the core alone at a limit and a wait, if the grid has it."""
        wanted = Point(study, limit, wait)
        return next((each for each in self.rows[study] if each.point == wanted), None)


def results_of(parts: Sequence[Part], grids: dict[Study, Grid], seed: int) -> Results:
    """Return what the parts of one run come to."""
    rows: dict[Study, list[Row]] = {}
    rivals: dict[Study, list[Rival]] = {}
    later: dict[Study, list[Rival]] = {}
    plain_clock: Rival | None = None
    for study in Study:
        own = [each for each in parts if each.study is study and not each.is_real]
        weights = draw_weights(len(own), seed)
        rows[study] = rows_of(points(grids, study), own, weights)
        rivals[study] = rivals_of(rows[study], own, weights)
        later[study] = later_of(rows[study], own, weights)
        if study is Study.SATURATION:
            wanted = preset_point(study)._replace(filter=Filter.HOLD)
            plain_clock = compare(wanted, rows[study], own, weights)
    real = [each for each in parts if each.is_real]
    return Results(
        seed=seed,
        rows=rows,
        rivals=rivals,
        later=later,
        plain_clock=plain_clock,
        real=_real_rows(real, grids, seed),
        real_files=_real_files(real, grids),
        real_hours=sum({each.name: each.hours for each in real}.values()),
        why_no_real=why_absent(),
    )


def _real_rows(real: Sequence[Part], grids: dict[Study, Grid], seed: int) -> list[Row]:
    found: list[Row] = []
    for study in Study:
        own = [each for each in real if each.study is study]
        if own:
            found += rows_of(points(grids, study), own, draw_weights(len(own), seed))
    return found


def _real_files(real: Sequence[Part], grids: dict[Study, Grid]) -> list[_RealFile]:
    """Return each recording with its alarms an hour in each study, with the shipped rules."""
    places = {study: points(grids, study).index(preset_point(study)) for study in Study}
    files: dict[str, dict[Study, float]] = {}
    hours: dict[str, float] = {}
    for part in real:
        hours[part.name] = part.hours
        alarms = part.outcomes[places[part.study]].alarms
        files.setdefault(part.name, {})[part.study] = alarms / part.hours
    return [
        (name, hours[name], tuple(rates.get(study) for study in Study))
        for name, rates in files.items()
    ]


# -- for programs ----------------------------------------------------------------------------------


def csv_of(results: Results) -> str:
    """Return every point of the grid as CSV; an empty cell where there is nothing to say."""
    head = [*_COLUMNS, *(f"{each}{end}" for each in _RANGES for end in ("", "_low", "_high"))]
    lines = [",".join(head)]
    for row in (each for rows in results.rows.values() for each in rows):
        cells = [_cell(getattr(row, each)) for each in _COLUMNS]
        for name in _RANGES:
            interval: Interval | None = getattr(row, name)
            cells += ["", "", ""] if interval is None else [_cell(each) for each in interval]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def json_lines(results: Results) -> Iterator[str]:
    """Yield a JSON line that names the preset, then one for each point of the grid."""
    yield msgspec.json.encode({"digest": digest(), "seed": results.seed}).decode()
    for row in (each for rows in results.rows.values() for each in rows):
        yield msgspec.json.encode(row).decode()
    for row in results.real:
        yield msgspec.json.encode({"recordings": True, **msgspec.to_builtins(row)}).decode()
