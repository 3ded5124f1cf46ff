"""Whether sending is well, told at its edges: once when it fails, once when it works again."""

from collections.abc import Callable
from typing import Final, TypeAlias

FAILURES_BEFORE_REPORT: Final = 3
"""One failed connection is no news; three in a row (some two seconds) are."""

TROUBLE_S_MAX: Final = 20.0
"""Nor is a slow answer; that nothing was accepted for so long is."""

REASONS_REPORTED_MAX: Final = 20

Report: TypeAlias = Callable[[str, bool], None]
"""Told a reason, and whether sending is well."""


class Wellness:
    """Says a thing once; counts what was accepted and what was refused for good."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._is_well = True
        self._reasons: set[str] = set()
        self._lost_told = 0
        self.accepted = 0
        self.refused = 0

    def fail(self, reason: str, failures: int, for_s: float) -> None:
        """Take the end of a conversation, the `failures`-th in `for_s` without an acceptance."""
        is_news = failures >= FAILURES_BEFORE_REPORT or for_s >= TROUBLE_S_MAX
        if self._is_well and is_news:
            self._tell(reason)

    def refuse(self, words: str) -> None:
        """Take that a message was refused for good; each reason is said once."""
        self.refused += 1
        if words not in self._reasons and len(self._reasons) < REASONS_REPORTED_MAX:
            self._reasons.add(words)
            self._tell(f"refused for good: {words}")

    def lose(self, count: int) -> None:
        """Take how many alarm messages were given up in all; said at the first, tenth, ..."""
        if count >= max(1, 10 * self._lost_told):
            self._lost_told = count
            self._tell(f"{count} alarm messages given up: more wait than are kept")

    def accept(self, lost: int) -> None:
        """Take that a message was accepted; `lost` were given up in all."""
        self.accepted += 1
        if not self._is_well:
            self._is_well = True
            self._report(
                f"accepted again; {lost} alarm messages were given up" if lost else "", True
            )

    def _tell(self, reason: str) -> None:
        self._is_well = False
        self._report(reason, False)
