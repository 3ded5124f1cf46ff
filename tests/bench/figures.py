"""What a figure is, and how it is said: an aligned table, or JSON lines."""

import sys
from collections.abc import Callable, Sequence
from typing import Final

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured number. `goal` is what is aimed at; `is_at_least` says on which side."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    is_at_least: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return whether the goal is reached, in a word; nothing without a goal."""
        if self.goal is None:
            return ""
        reached = self.value >= self.goal if self.is_at_least else self.value <= self.goal
        return "reached" if reached else "short"


Measure = Callable[[], Sequence[Figure]]
_COLUMNS: Final = ("figure", "value", "unit", "goal", "", "note")


def cells(figure: Figure) -> tuple[str, ...]:
    """Return the cells of a figure's line."""
    goal = ""
    if figure.goal is not None:
        goal = f"{'>=' if figure.is_at_least else '<='} {rounded(figure.goal)}"
    return (figure.name, rounded(figure.value), figure.unit, goal, figure.verdict, figure.note)


def rounded(value: float) -> str:
    """Return a number with three or four digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def say_table(figures: Sequence[Figure]) -> None:
    """Write all figures as one aligned table."""
    lines = [_COLUMNS, *(cells(each) for each in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    for line in lines:
        padded = (
            cell.rjust(width) if column == 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def say_json(figures: Sequence[Figure]) -> None:
    """Write each figure as a JSON line."""
    for each in figures:
        sys.stdout.write(msgspec.json.encode(each).decode() + "\n")


def say_progress(line: str) -> None:
    """Say on standard error what is being measured."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
