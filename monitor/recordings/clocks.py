"""Dates and times of day as people and devices write them, brought into one form.

The one form is `CLOCK`: a date in three parts, if there is one, a time of day, and a zone, if there
is one. What is written otherwise is rewritten first; which part of a date is the day is not decided
here.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

CLOCK: Final = re.compile(
    r"(?:(\d{1,4})[/.-](\d{1,2}|[A-Za-z]{3})[/.-](\d{1,4})[T ,]+)?"
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*(?:([AaPp])\.?[Mm]\.?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
COMPACT: Final = re.compile(
    r"((?:19|20)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[T _-]?"
    r"([01]\d|2[0-3]):?([0-5]\d):?([0-5]\d)([.,]\d{1,9})?\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY_ZERO: Final = date(2000, 1, 1).toordinal()
_DAYS_MAX: Final = 100_000


def _days_ahead(match: re.Match[str]) -> str:
    days = min(int(match[1]), _DAYS_MAX)
    return f"{date.fromordinal(_DAY_ZERO + days).isoformat()} {match[2]}"


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = tuple(
    (re.compile(form, re.ASCII | re.IGNORECASE), write)
    for form, write in (
        # Mar 14 2021 10:00:01, March 14, 21 10:00:01 PM
        (
            _WEEKDAY + _MONTH + r"\s*(\d{1,2})\s*,?\s+(\d{4}|\d{2}),?\s+(\d{1,2}:.*)",
            lambda found: f"{found[2]}-{found[1]}-{found[3]} {found[4]}",
        ),
        # 14 Mar 2021 10:00:01, 14-March-2021 10:00:01
        (
            _WEEKDAY + r"(\d{1,2})[\s-]+" + _MONTH + r",?[\s-]+(\d{4}|\d{2}),?\s+(\d{1,2}:.*)",
            lambda found: f"{found[1]}-{found[2]}-{found[3]} {found[4]}",
        ),
        # Sun Mar 14 10:00:01 2021
        (
            _WEEKDAY + _MONTH + r"\s+(\d{1,2})\s+(\d{1,2}:\S*)\s+(\d{4})",
            lambda found: f"{found[2]}-{found[1]}-{found[4]} {found[3]}",
        ),
        # 0 days 00:00:01
        (r"(\d{1,6})\s+days?,?\s+\+?(\d{1,2}:.*)", _days_ahead),
    )
)


def match_clock(text: str) -> re.Match[str] | None:
    """Return what `CLOCK` finds in a date and time or a time of day; None if it is neither."""
    match = CLOCK.fullmatch(text)
    if match is not None:
        return match
    compact = COMPACT.fullmatch(text)
    if compact is not None:
        year, month, day, hour, minute, second, fraction, zone = compact.groups("")
        return CLOCK.fullmatch(f"{year}-{month}-{day} {hour}:{minute}:{second}{fraction}{zone}")
    for form, write in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return CLOCK.fullmatch(write(found))
    return None
