"""From outcomes to figures: one row for each point of the grid."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tests.burden.grid import Filter, Point, Study, preset_point
from tests.burden.play import Outcome
from tests.burden.run import Part
from tests.burden.statistics import Interval, Weights, difference, quantile, rate, wilson

_LATE_SHARE: Final = 0.95


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What one point of the grid comes to over all simulated sessions.

    `found` of `asked` episodes with the share as `sensitivity` (None where none was asked), `deep`
    for the graver ones alone; delays in s; alarms an hour; shares from 0 to 1.
    """

    study: Study
    limit: float
    wait: float
    filter: Filter
    is_preset: bool
    hours: float
    asked: int
    found: int
    sensitivity: Interval | None
    deep_asked: int
    deep_found: int
    deep: Interval | None
    delay_median_s: float | None
    delay_p95_s: float | None
    alarms: int
    alarms_h: Interval
    needless: int
    needless_h: Interval
    brief_share: float | None

    @property
    def point(self) -> Point:
        """Return the point of the grid."""
        return Point(self.study, self.limit, self.wait, self.filter)


def rows_of(points: Sequence[Point], parts: Sequence[Part], weights: Weights) -> list[Row]:
    """Return a row for each point; every part holds one outcome for each, in the same order."""
    hours = [each.hours for each in parts]
    return [
        _row(point, [each.outcomes[place] for each in parts], hours, weights)
        for place, point in enumerate(points)
    ]


def _row(
    point: Point, outcomes: Sequence[Outcome], hours: Sequence[float], weights: Weights
) -> Row:
    late = [delay for each in outcomes for delay in each.late_s]
    asked = sum(each.asked for each in outcomes)
    deep_asked = sum(each.deep_asked for each in outcomes)
    deep_found = sum(each.deep_found for each in outcomes)
    alarms = sum(each.alarms for each in outcomes)
    return Row(
        study=point.study,
        limit=point.limit,
        wait=point.wait,
        filter=point.filter,
        is_preset=point == preset_point(point.study),
        hours=sum(hours),
        asked=asked,
        found=len(late),
        sensitivity=wilson(len(late), asked),
        deep_asked=deep_asked,
        deep_found=deep_found,
        deep=wilson(deep_found, deep_asked),
        delay_median_s=quantile(late, 0.5),
        delay_p95_s=quantile(late, _LATE_SHARE),
        alarms=alarms,
        alarms_h=rate([each.alarms for each in outcomes], hours, weights),
        needless=sum(each.needless for each in outcomes),
        needless_h=rate([each.needless for each in outcomes], hours, weights),
        brief_share=sum(each.brief for each in outcomes) / alarms if alarms else None,
    )


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """A point beside the preset.

    `needless_h` and `found_share` are how much the rival has more than the preset, an hour and as
    a share of the episodes, with intervals from sessions drawn again, pair by pair.
    """

    row: Row
    needless_h: Interval
    found_share: Interval | None

    @property
    def is_certain(self) -> bool:
        """Say whether fewer needless alarms, or more found, are beyond chance."""
        fewer = self.needless_h.high < 0
        more = self.found_share is not None and self.found_share.low > 0
        return fewer or more


def rivals_of(rows: Sequence[Row], parts: Sequence[Part], weights: Weights) -> list[Rival]:
    """Return the points that dominate the preset, fewest needless alarms first."""
    shipped = _shipped_place(rows)
    places = [
        place
        for place, row in enumerate(rows)
        if dominates(row, rows[shipped]) and _is_comparable(row, rows[shipped])
    ]
    return _compared(places, rows, parts, weights)


def later_of(rows: Sequence[Row], parts: Sequence[Part], weights: Weights) -> list[Rival]:
    """Return the points that find no less and call less needlessly, but later than the preset."""
    shipped = _shipped_place(rows)
    places = [
        place
        for place, row in enumerate(rows)
        if _is_comparable(row, rows[shipped])
        and row.found >= rows[shipped].found
        and row.deep_found >= rows[shipped].deep_found
        and row.needless < rows[shipped].needless
        and not dominates(row, rows[shipped])
    ]
    return _compared(places, rows, parts, weights)


def compare(
    wanted: Point, rows: Sequence[Row], parts: Sequence[Part], weights: Weights
) -> Rival | None:
    """Return how one point compares with the preset; None if the grid does not have it."""
    places = [place for place, row in enumerate(rows) if row.point == wanted]
    return next(iter(_compared(places, rows, parts, weights)), None)


def _shipped_place(rows: Sequence[Row]) -> int:
    return next(place for place, row in enumerate(rows) if row.is_preset)


def _compared(
    places: Sequence[int], rows: Sequence[Row], parts: Sequence[Part], weights: Weights
) -> list[Rival]:
    """Return points beside the preset, session by session, fewest needless alarms first."""
    hours = [each.hours for each in parts]
    ours = [each.outcomes[_shipped_place(rows)] for each in parts]
    asked, rivals = [each.asked for each in ours], []
    for place in places:
        theirs = [each.outcomes[place] for each in parts]
        needless = difference(
            [each.needless for each in ours], [each.needless for each in theirs], hours, weights
        )
        found = [len(each.late_s) for each in theirs]
        share = None
        if sum(asked):
            share = difference([len(each.late_s) for each in ours], found, asked, weights)
        rivals.append(Rival(row=rows[place], needless_h=needless, found_share=share))
    return sorted(rivals, key=lambda each: each.row.needless_h.estimate)


def _is_comparable(row: Row, other: Row) -> bool:
    """Say whether two rows differ in rules alone: how often a cuff measures is none of the rule."""
    return row.study is not Study.PRESSURE or row.wait == other.wait


def dominates(row: Row, other: Row) -> bool:
    """Say whether `row` is no worse in what is found, how late and how needless; better in one.

    Graver episodes count by themselves: nothing makes up for one of them missed.
    """
    if row.delay_median_s is None or other.delay_median_s is None:
        return False
    pairs = (
        (row.found, other.found),
        (row.deep_found, other.deep_found),
        (-row.needless, -other.needless),
        (-row.delay_median_s, -other.delay_median_s),
        (-(row.delay_p95_s or 0.0), -(other.delay_p95_s or 0.0)),
    )
    return all(ours >= theirs for ours, theirs in pairs) and any(
        ours > theirs for ours, theirs in pairs
    )
