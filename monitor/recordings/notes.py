"""What was guessed, refused or lost while reading, in sentences; never more than fits a screen."""

from collections.abc import Sequence
from typing import Final

from monitor.model.event import FrameRejected, reject
from monitor.model.instant import Instant

LINES_NAMED_MAX: Final = 5
KINDS_MAX: Final = 200
REFUSED_AT_ONCE_MAX: Final = 100


class Notes:
    """Sentences, and counts of things that happen in many lines.

    Counting goes on for ever in bounded memory: a kind keeps its number and its first few lines.
    `unit` is what the file is made of, where that is not lines.
    """

    def __init__(self, unit: str = "line") -> None:
        self._unit = unit
        self._sentences: list[str] = []
        self._counts: dict[str, list[int]] = {}

    def tell(self, sentence: str) -> None:
        """Add `sentence` once."""
        if sentence not in self._sentences and len(self._sentences) < KINDS_MAX:
            self._sentences.append(sentence)

    def count(self, what: str, line: int) -> None:
        """Count `what`, seen in `line`; `what` reads well after a number and a colon."""
        counted = self._counts.get(what)
        if counted is None:
            if len(self._counts) >= KINDS_MAX:
                what = "of other kinds"
            counted = self._counts.setdefault(what, [0])
        counted[0] += 1
        if len(counted) <= LINES_NAMED_MAX:
            counted.append(line)

    def forget_counts(self) -> None:
        """Begin counting anew: the recording is read again from its beginning."""
        self._counts.clear()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return everything told and counted, in the order it first happened."""
        counted = (_sentence(*item, self._unit) for item in self._counts.items())
        return (*self._sentences, *counted)


def _sentence(what: str, counted: Sequence[int], unit: str) -> str:
    """Return `what` with its number and the first lines it was seen in."""
    count, *lines = counted
    named = ", ".join(str(line) for line in lines)
    more = ", ..." if count > len(lines) else ""
    return f"{count} x {what} ({unit}{'s' if count > 1 else ''} {named}{more})"


class Refusals:
    """Rows and cells that were refused since somebody last took them; counted without end."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._waiting: list[tuple[str, bytes]] = []

    def add(self, what: str, line: int, text: str, detail: str = "") -> None:
        """Refuse what stands in `line`; `what` is the kind to count, `detail` this one case."""
        self._notes.count(what, line)
        if len(self._waiting) < REFUSED_AT_ONCE_MAX:
            reason = f"line {line}: {detail or what}"
            self._waiting.append((reason, text.encode(errors="replace")))

    def count(self, what: str, line: int) -> None:
        """Count what stands in `line` and is no rejection."""
        self._notes.count(what, line)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, at: Instant) -> list[FrameRejected]:
        """Return the refusals that wait, told at `at`; each once."""
        taken = [reject(reason, frame, at) for reason, frame in self._waiting]
        self._waiting.clear()
        return taken
