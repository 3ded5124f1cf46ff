"""Times as strangers write them, to seconds since 1970 UTC; a calendar without a clock."""

import re
from typing import Final

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s?(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_DIGITS: Final = re.compile(r"\d{1,14}(\.\d{1,9})?", re.ASCII)
_MS_ABOVE: Final = 1e11  # as seconds that would be the year 5138
_DAYS_IN_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def days_since_1970(year: int, month: int, day: int) -> int | None:
    """Return the days from 1970-01-01 to a Gregorian date, None if there is no such date."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12:
        return None
    if not 1 <= day <= _DAYS_IN_MONTH[month - 1] + (is_leap and month == 2):
        return None
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400
    days += sum(_DAYS_IN_MONTH[: month - 1]) + (is_leap and month > 2) + day
    return days - 719_163


def utc_s_of(value: object, offset_s: int) -> float | None:
    """Return a time as seconds since 1970 UTC, None where it is not understood.

    Numbers, also written as text, are seconds or, above 10**11, milliseconds. Text is
    `YYYY-MM-DDTHH:MM[:SS[.f]]` with or without a zone; `offset_s` is the zone of those without.
    """
    if isinstance(value, str):
        text = value.strip()
        if not _DIGITS.fullmatch(text):
            return _iso(text, offset_s)
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < 1e15:
        return None
    return value / 1000 if value > _MS_ABOVE else float(value)


def _iso(text: str, offset_s: int) -> float | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    second = int(match[6] or 0)
    days = days_since_1970(year, month, day)
    if days is None or hour > 23 or minute > 59 or second > 60:
        return None
    zone = match[8]
    if zone is not None:
        digits = zone[1:].replace(":", "").ljust(4, "0") if zone != "Z" else "0000"
        offset_s = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if zone[0] == "-" else 1)
    fraction = float(f"0.{match[7]}") if match[7] else 0.0
    return days * 86_400 + hour * 3600 + minute * 60 + second + fraction - offset_s
