"""Words and numbers as cells hold them, whatever the column is about."""

import re
from math import isfinite
from typing import Final

_MISSING_WORDS: Final = (
    "null,none,nil,na,n/a,#n/a,<na>,n.a.,n.a,nd,n.d.,n/d,nat,missing,off,invalid,unavailable,"
    "not available,not_available,no data,no reading,not measured,unmonitored,unknown"
)
_MISSING: Final = frozenset(_MISSING_WORDS.split(","))
_NO_NUMBER: Final = re.compile(
    r"[-\u2013\u2014.?*_#~ ]*|[+-]?(?:nan|1?\.?#[qs]?nan|1\.#ind)(?:[.(].*)?"
)
"""Dashes, dots and the like alone, and the ways in which programs write that a number is none."""

NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def is_missing(word: str) -> bool:
    """Say whether a word stands for no reading."""
    lowered = word.lower()
    return lowered in _MISSING or _NO_NUMBER.fullmatch(lowered) is not None


def number_in(word: str, *, decimal_comma: bool = False) -> float | None:
    """Return the finite number that `word` is; None if it is anything else.

    Narrower than `float`, which also takes "1_000", "inf" and digits of other scripts.
    """
    if decimal_comma:
        word = word.replace(",", ".")
    if not NUMBER.fullmatch(word):
        return None
    number = float(word)
    return number if isfinite(number) else None
