"""Time order of rows.

What goes backwards is refused, and so is a row that leaps ahead alone. Rows that share a coarse
stamp get the second that their place among the others says.

A row is never given another time than its own, save by `spread`, which the recording must earn by
a regular pattern, and which is noted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from monitor.model.instant import NS_PER_S
from monitor.recordings.notes import Notes, Refusals

LEAP_NS: Final = 600 * NS_PER_S
"""A step ahead longer than this is believed only when the next row agrees with it."""

ROWS_AT_ONE_TIME_MAX: Final = 10_000
_REGULAR_SHARE: Final = 0.8

BACKWARDS: Final = "rows that go backwards in time were rejected"
LEAPS: Final = "rows whose time leaps ahead of all others were rejected"


class Row(NamedTuple):
    """One row with a readable time, in nanoseconds on the recording's own clock."""

    ns: int
    line: int
    cells: list[str]


class Admission:
    """Lets rows pass in time order; holds back one that leaps ahead until the next one has come."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals
        self._last: int | None = None
        self._held: Row | None = None

    def admit(self, row: Row) -> tuple[Row, ...]:
        """Return the rows that may pass now that `row` has come."""
        ns = row.ns
        last = self._last
        if self._held is None and last is not None and last <= ns <= last + LEAP_NS:
            self._last = ns
            return (row,)
        released = self._settle_held(ns)
        last = self._last
        if last is not None and ns < last:
            detail = f"time goes back by {(last - ns) / NS_PER_S:g} s"
            self._refusals.add(BACKWARDS, row.line, ",".join(row.cells), detail)
            return released
        if last is None or ns - last > LEAP_NS:
            self._held = row
            return released
        self._last = ns
        return (*released, row)

    def _settle_held(self, ns: int) -> tuple[Row, ...]:
        """Return the held row if a row at `ns` after it makes its time credible; else refuse it."""
        held, self._held = self._held, None
        if held is None:
            return ()
        floor = self._last if self._last is not None else ns
        if floor <= ns < held.ns and ns - floor < held.ns - ns - (
            LEAP_NS if self._last is None else 0
        ):
            self._refusals.add(LEAPS, held.line, ",".join(held.cells))
            return ()
        self._last = held.ns
        return (held,)

    def finish(self) -> tuple[Row, ...]:
        """Return what was still held: nothing came after it to doubt it."""
        held, self._held = self._held, None
        return (held,) if held is not None else ()


def in_order(rows: Iterable[Row], refusals: Refusals) -> Iterator[Row]:
    """Yield the rows whose time does not go backwards."""
    admission = Admission(refusals)
    for row in rows:
        yield from admission.admit(row)
    yield from admission.finish()


class Coarse(NamedTuple):
    """A clock that shows less than the rows have: `rows` rows to each stamp, `gap_ns` apart."""

    rows: int
    gap_ns: int


def find_coarse(head: Sequence[Row], used: Sequence[int]) -> Coarse | None:
    """Return the pattern of a clock too coarse for its rows; None if there is none.

    Regular means: between the first and the last stamp, nearly all stamps have the same number of
    rows and the same distance. Rows that complete one another (each used column filled once at a
    stamp) belong together and are no such pattern.
    """
    groups = [list(group) for _, group in groupby(head, key=itemgetter(0))]
    inner = groups[1:-1]
    if len(inner) < 2:
        return None
    rows, alike = Counter(len(group) for group in inner).most_common(1)[0]
    steps = Counter(after[0].ns - before[0].ns for before, after in pairwise(groups))
    gap_ns, even = steps.most_common(1)[0]
    is_regular = alike >= _REGULAR_SHARE * len(inner) and even >= _REGULAR_SHARE * steps.total()
    if rows < 2 or gap_ns <= 0 or not is_regular:
        return None
    repeats = any(_fills_twice(group, used) for group in inner)
    return Coarse(rows, gap_ns) if repeats else None


def _fills_twice(group: Sequence[Row], used: Sequence[int]) -> bool:
    """Return whether some used column is filled in two rows of the group."""
    return any(
        sum(index < len(row.cells) and bool(row.cells[index].strip()) for row in group) > 1
        for index in used
    )


def spread(rows: Iterable[Row], coarse: Coarse, notes: Notes) -> Iterator[Row]:
    """Yield the rows of each stamp evenly over the time until the next one.

    The first stamp may have been joined late: its rows are the last of its time. A later stamp with
    fewer rows has lost its last ones; one with more has them closer together.
    """
    waiting: list[Row] = []
    is_first = True
    for _, group in groupby(rows, key=itemgetter(0)):
        members = _bounded(group, notes)
        if waiting:
            yield from _placed(waiting, coarse, members[0].ns - waiting[0].ns, is_first=is_first)
            if len(waiting) != coarse.rows and not is_first:
                notes.count(f"stamps with other than {coarse.rows} rows", waiting[0].line)
            is_first = False
        waiting = members
    yield from _placed(waiting, coarse, coarse.gap_ns, is_first=is_first)


def _placed(
    members: Sequence[Row], coarse: Coarse, until_next_ns: int, *, is_first: bool
) -> Iterator[Row]:
    """Yield the rows of one stamp, each in its place, none beyond the next stamp."""
    count = len(members)
    start = max(0, coarse.rows - count) if is_first else 0
    step = min(coarse.gap_ns, until_next_ns) / max(coarse.rows, count)
    for place, row in enumerate(members, start):
        yield Row(row.ns + round(place * step), row.line, row.cells)


def _bounded(group: Iterable[Row], notes: Notes) -> list[Row]:
    """Return the rows of one stamp; those beyond any sense are counted and left out."""
    members: list[Row] = []
    for row in group:
        if len(members) < ROWS_AT_ONE_TIME_MAX:
            members.append(row)
        else:
            notes.count(f"rows beyond {ROWS_AT_ONE_TIME_MAX} at one time were rejected", row.line)
    return members
