"""One cell of a table: a value in the metric's unit, nothing, or garbage with a reason."""

from typing import Final

import msgspec

from monitor.model.metric import Metric, describe
from monitor.recordings.names import Meaning
from monitor.recordings.words import MISSING, number_in

CELLS_REMEMBERED_MAX: Final = 4096


class Garbage(msgspec.Struct, frozen=True):
    """A cell that means nothing: `kind` is counted, `detail` names the very text.

    Where it `is_gap`, the recorder wrote what cannot be measured in place of nothing: it is counted
    like the rest, and no frame was rejected.
    """

    kind: str
    detail: str
    is_gap: bool = False


Cell = float | Garbage | None


class Column(dict[str, Cell]):
    """The cells of one metric by their text; remembers them, since vital signs repeat.

    `column[text]` is the value in the metric's unit, None where there is none, or `Garbage`.
    """

    def __init__(
        self, metric: Metric, meaning: Meaning, *, zero_is_missing: bool, decimal_comma: bool
    ) -> None:
        super().__init__()
        self.metric = metric
        self._meaning = meaning
        self._zero_is_missing = zero_is_missing
        self._decimal_comma = decimal_comma

    def __missing__(self, text: str) -> Cell:
        cell = self._read(text)
        if len(self) < CELLS_REMEMBERED_MAX:
            self[text] = cell
        return cell

    def _read(self, text: str) -> Cell:
        """Return what `text` means."""
        word = text.strip().strip("'\"").strip()
        if word.lower() in MISSING:
            return None
        number = number_in(word, decimal_comma=self._decimal_comma)
        if number is None:
            kind = f"{self.metric}: text that is not a number was rejected"
            return Garbage(kind, f"{self.metric} {word[:40]!r} is not a number")
        return self.judge(number)

    def judge(self, number: float) -> Cell:
        """Return what a number in the file's own unit means."""
        if number == 0 and self._zero_is_missing:
            return None
        value = number * self._meaning.factor + self._meaning.offset
        facts = describe(self.metric)
        if facts.technical_low <= value <= facts.technical_high:
            return value
        bounds = f"{facts.technical_low:g} to {facts.technical_high:g} {facts.unit}"
        detail = f"{self.metric} {number:g} lies outside {bounds}"
        if number == 0:
            kind = f"{self.metric}: 0 cannot be measured and was read as no reading"
            return Garbage(kind, detail, is_gap=True)
        return Garbage(f"{self.metric}: values outside {bounds} were rejected", detail)
