"""The transition table as text: a page for people, and a listing in which nothing is left out."""

import sys

from alarms.condition import CELLS, TABLE, Cell, Input

_INTRO = """# The alarm table

Made from `alarms/condition.py` by `python -m alarms.tables`; a test holds it fresh. A *cell* is
where one alarm condition stands: condition, signal, what a person did. An input that is not listed
for a cell leaves it alone. The theory is at the head of `alarms/condition.py`.

| condition | signal | operator | input | condition | signal | operator | told |
|---|---|---|---|---|---|---|---|
"""


def _words(cell: Cell) -> str:
    return " | ".join(each.value.replace("_", " ") for each in cell)


def page() -> str:
    """Return the Markdown page that lists every pair of cell and input that does something."""
    rows = [
        f"| {_words(cell)} | {each.value} | {_words(outcome.cell)} | "
        f"{', '.join(change.value for change in outcome.changes)} |"
        for cell in CELLS
        for each in Input
        if (outcome := TABLE[cell, each]).changes or outcome.cell != cell
    ]
    return _INTRO + "\n".join(rows) + "\n"


def listing() -> str:
    """Return every cell with every input, one a line."""
    lines = []
    for cell in CELLS:
        for each in Input:
            outcome = TABLE[cell, each]
            goal = "stays" if outcome.cell == cell else "/".join(outcome.cell)
            told = ", ".join(outcome.changes) or "-"
            lines.append(f"{'/'.join(cell)} + {each}: {goal}: {told}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
