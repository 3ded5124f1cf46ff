"""Words and numbers as cells hold them, whatever the column is about."""

import re
from math import isfinite
from typing import Final

MISSING: Final = frozenset(
    ("", "nan", "-", "--", "---", "----", "-?-", "null", "none", "na", "n/a", "#n/a", "missing")
)
NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


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
