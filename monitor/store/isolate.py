"""Find the lines that a server will never take, so that only they are held back.

A refusal says how many lines are bad, not which. Sending parts again is harmless, because a point
has an identity; so the parts are halved until each bad line stands alone. Lines of one shape go
together first: a field whose type differs from what the server holds is refused in all of them, and
one answer then names the whole part.
"""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

import msgspec

from monitor.store.influx import Answer, Verdict

_MEASUREMENT: Final = re.compile(r"[^, ]*")
_FIELD: Final = re.compile(r"[ ,](\w+)=")


class Isolated(msgspec.Struct, frozen=True):
    """Which lines (by index) are refused for good, and why.

    `interrupted` is the answer that stopped the search; then nothing is known for certain.
    """

    refused: tuple[tuple[int, str], ...]
    interrupted: Answer | None = None


def isolate(write: Callable[[bytes], Answer], lines: Sequence[str], first: Answer) -> Isolated:
    """Return which of `lines` are refused; `first` is the refusal of all of them together.

    All others have been accepted when it returns uninterrupted. It asks at most twice per line.
    """
    refused: list[tuple[int, str]] = []
    suspects = _by_shape(lines, range(len(lines)), first)
    while suspects:
        part, answer = suspects.pop()
        if answer is None:
            answer = write("\n".join([lines[index] for index in part]).encode())
        match answer.verdict:
            case Verdict.ACCEPTED:
                continue
            case Verdict.LINES_REFUSED | Verdict.TOO_LARGE if len(
                part
            ) == 1 or answer.dropped == len(part):
                refused += [(index, answer.reason) for index in part]
            case Verdict.LINES_REFUSED | Verdict.TOO_LARGE:
                middle = len(part) // 2
                suspects += [(part[middle:], None), (part[:middle], None)]
            case _:
                return Isolated((), answer)
    return Isolated(tuple(sorted(refused)))


_Suspect = tuple[Sequence[int], Answer | None]


def _by_shape(lines: Sequence[str], part: Sequence[int], answer: Answer) -> list[_Suspect]:
    """Return the lines grouped by measurement and fields; as one part where all are alike."""

    def shape(index: int) -> tuple[str, ...]:
        line = lines[index]
        return (*_MEASUREMENT.findall(line)[:1], *_FIELD.findall(line))

    groups = [list(group) for _, group in groupby(sorted(part, key=shape), key=shape)]
    return [(part, answer)] if len(groups) < 2 else [(group, None) for group in groups]
