"""One cell of a table: a value in the metric's unit, nothing, or garbage with a reason."""

from typing import Final

import msgspec

from monitor.model.metric import describe
from monitor.recordings.names import Meaning
from monitor.recordings.words import is_missing, number_in

_MARKER_NUMBERS: Final = (
    "-1 -99 -100 -999 -9999 -99999 127 255 511 999 9999 99999 32767 -32767 -32768 65535 "
    "8388607 -8388608 16777215 2147483647 -2147483648 4294967295"
)
_MARKERS: Final = frozenset(map(float, _MARKER_NUMBERS.split()))
"""Numbers that devices and exports write for no reading: Nonin and Contec 127, 255 and 511, PHASEIN
255, Dash -32768, Datex -32767, gateways -1, -100 and 65535; the largest and smallest whole numbers;
nines by custom. Only where a metric cannot have such a value."""

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
        self,
        meaning: Meaning,
        *,
        zero_is_missing: bool,
        decimal_comma: bool,
        missing: frozenset[str] = frozenset(),
    ) -> None:
        assert meaning.metric is not None
        super().__init__()
        self.metric = meaning.metric
        self._meaning = meaning
        self._missing_words = missing
        self._missing_numbers = frozenset(map(number_in, missing)) - {None}
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
        if is_missing(word) or word.lower() in self._missing_words:
            return None
        number = number_in(word, decimal_comma=self._decimal_comma)
        if number is None:
            kind = f"{self.metric}: text that is not a number was rejected"
            return Garbage(kind, f"{self.metric} {word[:40]!r} is not a number")
        return self.judge(number)

    def judge(self, number: float) -> Cell:
        """Return what a number in the file's own unit means."""
        if number in self._missing_numbers or (number == 0 and self._zero_is_missing):
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
        if number in _MARKERS:
            kind = f"{self.metric}: {number:.10g} stands for no reading and was read as none"
            return Garbage(kind, detail, is_gap=True)
        return Garbage(f"{self.metric}: values outside {bounds} were rejected", detail)
