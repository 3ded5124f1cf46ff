"""Columns that hold a state and no number: what can be measured now, and what the device says.

A word that is not known says nothing: it is no refused input, and is told once, with the remedy.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

from monitor.model.event import DeviceAlarm, DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant
from monitor.model.metric import Metric
from monitor.recordings.notes import Notes
from monitor.recordings.words import number_in

NO_BREATH: Final = "no_breath"
"""The device's own alarm that it sees no breath, by the word that drivers use."""

_YES: Final = frozenset(("true", "t", "yes", "y", "on"))
_NO: Final = frozenset(("false", "f", "no", "n", "off"))
_AVAILABLE: Final = "available avail valid ok okay good normal measured"
AVAILABLE_WORDS: Final = frozenset(_AVAILABLE.split())
_NOT_AVAILABLE: Final = (
    "notavailable notavail unavailable unavail na invalid notvalid bad missing notok notgood "
    "error fault failed lost disconnected"
)
NOT_AVAILABLE_WORDS: Final = frozenset(_NOT_AVAILABLE.split())
_BLANK: Final = frozenset(("", "nan", "null", "none", "#n/a", "<na>", "nat"))
_ABOUT: Final = re.compile(r"^(etco2|co2|capno|spo2|sensor|signal|data)(is)?(?=[a-z])")
_WORDS_NAMED_MAX: Final = 5
_WORDS_REMEMBERED_MAX: Final = 256


class Sense(StrEnum):
    """What the number 1 says in a flag about a metric; in a status it says nothing."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not_available"
    STATUS = "status"


class Gate(msgspec.Struct, frozen=True):
    """A column that says whether `metric` can be measured now."""

    metric: Metric
    sense: Sense = Sense.AVAILABLE


class Flag(dict[str, bool | None]):
    """The cells of one flag by their text: True, False, or None for one that says nothing.

    Words that are not known are counted, and told by `tell`.
    """

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__()
        self._name = name.strip()
        self._remedy = remedy
        self._unknown: list[str] = []
        self._count = 0

    def __missing__(self, text: str) -> bool | None:
        word = text.strip().strip("'\"").strip().lower()
        is_blank = word in _BLANK or set(word) <= set("-.?*_")
        said = None if is_blank else self._said(word)
        if said is None and not is_blank:
            self._count += 1
            if word[:40] not in self._unknown and len(self._unknown) < _WORDS_NAMED_MAX:
                self._unknown.append(word[:40])
            return None  # not remembered, so that each one is counted
        if len(self) < _WORDS_REMEMBERED_MAX:
            self[text] = said
        return said

    def _said(self, word: str) -> bool | None:
        """Return what a word says; None if it is not one of a flag."""
        return _yes_or_no(word)

    def tell(self, notes: Notes) -> None:
        """Note the words that said nothing, if there were any."""
        if self._count:
            words = ", ".join(repr(word) for word in self._unknown)
            cells = "1 cell" if self._count == 1 else f"{self._count} cells"
            notes.tell(
                f"{self._name!r}: {cells} held no word of a flag ({words}) and said nothing; "
                f"{self._remedy}"
            )


class GateColumn(Flag):
    """A flag about a metric: True where it can be measured, False where it cannot.

    A flag about CO2 is also a notice of the device at each edge. One about EtCO2 alone is not:
    the number is gone in many a true apnoea, while CO2 can be measured.
    """

    def __init__(self, name: str, gate: Gate) -> None:
        word = "co2" if gate.metric is Metric.ETCO2 else gate.metric
        super().__init__(
            name,
            f"write 1 and 0, and say what 1 means: --map '{name.strip()}={word}_available' or "
            f"--map '{name.strip()}={word}_not_available'",
        )
        self.metric = gate.metric
        self._sense = gate.sense
        is_number = "etco2" in re.sub(r"[^a-z0-9]", "", name.lower())
        self._tells = gate.metric is Metric.ETCO2 and not is_number
        self._is_shut = False

    def _said(self, word: str) -> bool | None:
        key = _ABOUT.sub("", re.sub(r"[^a-z0-9]", "", word))
        if key in AVAILABLE_WORDS or key in NOT_AVAILABLE_WORDS:
            return key in AVAILABLE_WORDS
        said = _yes_or_no(word)
        if self._sense is Sense.STATUS:
            return said if word in {"on", "off"} else None
        return not said if said is not None and self._sense is Sense.NOT_AVAILABLE else said

    def edge(self, at: Instant, *, is_open: bool | None) -> tuple[DeviceNotice, ...]:
        """Return that CO2 cannot be measured from now on, or can again, where a cell says so."""
        if is_open is None or is_open is not self._is_shut or not self._tells:
            return ()
        self._is_shut = not is_open
        return (DeviceNotice(NoticeKind.CO2_UNMEASURED, at, self._is_shut),)


class EdgeColumn(Flag):
    """A flag about the device itself, a notice or its own alarm: speaks where it changes."""

    def __init__(self, name: str, state: NoticeKind | str) -> None:
        super().__init__(name, "write 1 and 0")
        self._state = state
        self._present = False

    def read(self, text: str, at: Instant) -> DeviceEvent | None:
        """Return the edge that this cell makes, if any; a blank cell says nothing."""
        present = self[text]
        if present is None or present == self._present:
            return None
        self._present = present
        if isinstance(self._state, NoticeKind):
            return DeviceNotice(self._state, at, present)
        return DeviceAlarm(self._state, at, present)


def _yes_or_no(word: str) -> bool | None:
    """Return what 1 and 0, or a word for them, say."""
    if word in _YES or word in _NO:
        return word in _YES
    number = number_in(word, decimal_comma=True)
    return None if number not in {0.0, 1.0} else number == 1.0
