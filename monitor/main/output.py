"""What commands say: results on standard output, everything else on standard error."""

import sys
from collections.abc import Iterable, Sequence

import msgspec


def say(line: str) -> None:
    """Write one line of results."""
    sys.stdout.write(line + "\n")


def say_json(fields: object) -> None:
    """Write one line of results as JSON."""
    say(msgspec.json.encode(fields).decode())


def note(line: str) -> None:
    """Write one line that is not a result."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def flush() -> None:
    """Let a reader see what was said so far."""
    sys.stdout.flush()


def say_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table with aligned columns."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say("  ".join(cells).rstrip())
