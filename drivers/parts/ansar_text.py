"""The text of an ANSAR-B frame: one line a parameter, `NAME=n;v1;..;vn;LABEL;ALARM`.

An empty value is one that is not there. Lines nobody knows are told once; a line that breaks the
form spoils its frame, because only the form can show a lost byte.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from monitor.model.event import NoticeKind
from monitor.model.metric import Metric

_LINE: Final = re.compile(r"([A-Z][A-Z0-9]{0,7})=(\d);(.*)")
_VALUE: Final = re.compile(r" *(?:(-?\d{1,3}(?:\.\d{1,2})?)|-*) *")
_NUMBER: Final = re.compile(r"[\d.]+")
_PULSE: Final = re.compile(r"PR= *(?:(\d{1,3})|-*) *|")
COUNTS: Final = {
    "HR": 1,
    "RR": 1,
    "ETCO2": 1,
    "SPO2": 1,
    "NIBP": 4,
    "P1": 3,
    "P2": 3,
    "T1": 1,
    "T2": 1,
}
_NAMES: Final = {
    "HR": ("heart_rate", Metric.HEART_RATE),
    "RR": ("resp_rate", Metric.RESP_RATE),
    "ETCO2": ("etco2", Metric.ETCO2),
    "SPO2": ("spo2", Metric.SPO2),
    "NIBP": ("nibp", Metric.NIBP_SYS),
    "T1": ("temp", Metric.TEMP),
    "T2": ("temp", Metric.TEMP),
}
# The wording of alarms is nowhere written down but for "SPO2 LOW": these are guesses at the rest.
_NOTICES: Final = (
    ("SPO2", re.compile("PROBE|SENSOR|FINGER"), NoticeKind.SENSOR_OFF),
    ("SPO2", re.compile("SEARCH"), NoticeKind.SEARCHING),
    ("ETCO2", re.compile("OCCLU|BLOCK"), NoticeKind.OCCLUSION),
    ("ETCO2", re.compile("WARM"), NoticeKind.WARMING_UP),
)


class Field(msgspec.Struct, frozen=True):
    """One line: its values, None where missing, its label and the text of its alarm."""

    values: tuple[float | None, ...]
    label: str
    alarm: str
    has_decimals: bool


class Text(msgspec.Struct, frozen=True):
    """The lines of a frame by name, and the names nobody knows."""

    fields: dict[str, Field]
    unknown: tuple[str, ...]


def read_text(data: bytes, *, is_whole: bool = True) -> Text | str:
    """Return the lines in `data`, or why they are not to be believed.

    `is_whole`: the first line must be HR, as in every whole frame; a byte lost before the text
    eats into it.
    """
    fields: dict[str, Field] = {}
    unknown = []
    for number, raw in enumerate(data.decode("latin-1").replace("\n", "").split("\r")):
        if not raw.strip():
            continue
        found = _LINE.fullmatch(raw)
        if found is None:
            return "a line without its form"
        name, count, rest = found[1], int(found[2]), found[3].split(";")
        if is_whole and number == 0 and name != "HR":
            return "text does not begin with HR: shifted frame"
        if name not in COUNTS:
            unknown.append(name)
            continue
        field = _field(name, count, rest)
        if field is None or name in fields:
            return f"{name} has a wrong form"
        fields[name] = field
    return Text(fields, tuple(unknown))


def _field(name: str, count: int, rest: Sequence[str]) -> Field | None:
    if (
        count != COUNTS[name]
        or len(rest) < count + 2
        or any(each.strip() for each in rest[count + 2 :])
    ):
        return None
    found = [_VALUE.fullmatch(each) for each in rest[:count]]
    if None in found:
        return None
    if len(rest) > count + 2 and _NUMBER.fullmatch(rest[count]):  # a field was split
        return None
    digits = [each[1] for each in found if each is not None]
    if name == "SPO2":
        pulse = _PULSE.fullmatch(rest[count])
        if pulse is None:
            return None
        digits.append(pulse[1])
    values = tuple(None if each is None else float(each) for each in digits)
    has_decimals = any(each is not None and "." in each for each in digits)
    return Field(values, rest[count].strip(), rest[count + 1].strip(), has_decimals)


def alarm_of(name: str, words: str) -> NoticeKind | tuple[str, Metric | None]:
    """Return the notice that an alarm text is, or our stable word for it and its metric."""
    text = words.upper()
    for line, pattern, notice in _NOTICES:
        if line == name and pattern.search(text):
            return notice
    if "APNEA" in text or "APNOEA" in text or "NO BREATH" in text:
        return "no_breath", Metric.RESP_RATE
    word, metric = _NAMES.get(name, (name.lower(), None))
    if name == "SPO2" and ("PULSE" in text or "PR " in text):
        word, metric = "pulse_rate", Metric.PULSE_RATE
    for side in ("LOW", "HIGH"):
        if side in text:
            return f"{word}_{side.lower()}", metric
    return f"{word}_alarm", metric
