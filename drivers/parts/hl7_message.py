"""HL7 version 2 as text: segments, fields, components, escapes, times; and how one is written."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.times import days_since_1970

_TIME: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?)?([+-]\d{4})?", re.ASCII
)
_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}(.|$)", re.DOTALL)
_SEGMENTS_MAX: Final = 5000
ENCODING: Final = "^~\\&"


class Hl7Error(ValueError):
    """The text is no HL7 message."""


class Time(msgspec.Struct, frozen=True):
    """A time as sent: seconds since 1970, of its own zone unless `has_zone`; then east of UTC."""

    s: float
    has_zone: bool
    zone_s: float = 0.0


class Segment:
    """One segment; fields count from 1 as the standard counts them."""

    def __init__(self, fields: Sequence[str], signs: str) -> None:
        self.name = fields[0]
        self._fields = fields
        self._offset = 1 if self.name == "MSH" else 0  # MSH-1 is the separator itself
        self._signs = signs

    def raw(self, number: int) -> str:
        """Return a field as sent; "" if there is none."""
        at = number - self._offset
        return self._fields[at].strip() if 0 < at < len(self._fields) else ""

    def text(self, number: int, component: int = 1) -> str:
        """Return one component of a field's first repetition, its escapes undone."""
        first = self.raw(number).split(self._signs[2])[0]
        parts = first.split(self._signs[1])
        return _plain(parts[component - 1], self._signs).strip() if component <= len(parts) else ""

    def words(self, number: int) -> list[str]:
        """Return all components of all repetitions of a field."""
        field = self.raw(number).replace(self._signs[1], self._signs[2])
        return [word for each in field.split(self._signs[2]) if (word := each.strip())]

    def time(self, number: int) -> Time | None:
        """Return a field as time; None where it is none."""
        return read_time(self.text(number))


def _plain(text: str, signs: str) -> str:
    """Undo the escapes of separators; others are left as they are."""
    escape = signs[3]
    if escape not in text:
        return text
    for letter, sign in zip("FSRT", (signs[0], signs[1], signs[2], signs[4]), strict=True):
        text = text.replace(f"{escape}{letter}{escape}", sign)
    return text.replace(f"{escape}E{escape}", escape)


def read_time(text: str) -> Time | None:
    """Return `YYYYMMDD[HHMM[SS[.f]]][+-ZZZZ]` as a time; None where it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    days = days_since_1970(int(found[1]), int(found[2]), int(found[3]))
    hour, minute, second = (int(found[at] or 0) for at in (4, 5, 6))
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    fraction = float(f"0.{found[7]}") if found[7] else 0.0
    s = days * 86_400 + hour * 3600 + minute * 60 + second + fraction
    zone = found[8]
    if zone is None:
        return Time(s, has_zone=False)
    offset_s = (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60) * (-1 if zone[0] == "-" else 1)
    return Time(s - offset_s, has_zone=True, zone_s=float(offset_s))


def sent_at(segments: Sequence[Segment]) -> Time | None:
    """Return when a message was sent (MSH-7), in the zone of its rows where it names none itself.

    None where it has no time.
    """
    sent = segments[0].time(7)
    if sent is None or sent.has_zone:
        return sent
    places = (each.time({"OBR": 7, "OBX": 14}.get(each.name, 0)) for each in segments[1:])
    zoned = next((each for each in places if each is not None and each.has_zone), None)
    if zoned is None:
        return sent
    return Time(sent.s - zoned.zone_s, has_zone=True, zone_s=zoned.zone_s)


def read_segments(data: bytes) -> list[Segment]:
    """Return the segments of a message, or of loose lines with the usual separators.

    Raises:
        Hl7Error: it does not begin as a message, or is too long.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [line for each in text.split("\r") if (line := each.strip(" \t\0\ufeff"))]
    if not lines or len(lines) > _SEGMENTS_MAX:
        raise Hl7Error("no segments" if not lines else "too many segments")
    signs = f"|{ENCODING}"
    if lines[0].startswith("MSH"):
        separator = lines[0][3:4]
        own = lines[0][4:8].split(separator)[0] if separator else ""
        if not separator or separator.isalnum() or len(own) < 2:
            raise Hl7Error("MSH names no separators")
        signs = separator + own + ENCODING[len(own) :]
    return [
        Segment(line.split(signs[0]), signs) for line in lines if _SEGMENT.match(line) is not None
    ]


def written_time(utc_s: float) -> str:
    """Return a time as HL7 writes it, in UTC."""
    days, rest = divmod(int(utc_s), 86_400)
    year = 1970 + days // 366
    while (days_since_1970(year + 1, 1, 1) or 0) <= days:
        year += 1
    month = 1
    while month < 12 and (days_since_1970(year, month + 1, 1) or 0) <= days:
        month += 1
    day = days - (days_since_1970(year, month, 1) or 0) + 1
    clock = f"{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}"
    return f"{year:04}{month:02}{day:02}{clock}+0000"


def escaped(text: str) -> str:
    """Return `text` so that it may stand in a field; control characters are left out."""
    text = "".join(sign for sign in text if sign.isprintable())
    signs = (("\\", "E"), ("|", "F"), ("^", "S"), ("~", "R"), ("&", "T"))
    for sign, letter in signs:
        text = text.replace(sign, f"\\{letter}\\") if sign != "\\" else text.replace("\\", "\\E\\")
    return text
