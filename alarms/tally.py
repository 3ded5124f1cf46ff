"""How much, and how often: an integral budget below a limit, and violations in a window.

The budget adds, at each sample, its distance beyond the limit times the time since the sample
before (a first sample stands for one second), and takes away in the same way once back inside, down
to nothing. 88 for 2 s, 86 for 3 s, 84 for 6 s under a limit of 90 make 4 + 12 + 36 = 52: a budget
of 50 is spent with the eleventh sample. Counting starts at the limit itself: 89 under 90 is one
point.
"""

from typing import Final

import msgspec

from alarms.rules import LimitRule
from monitor.model.instant import NS_PER_S, Instant, seconds

VIOLATION_WINDOW: Final = seconds(60)
_FIRST_S: Final = 1.0
_INTERVAL_S_MAX: Final = 10.0


class Tally(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one limit has gathered: points, and when violations began."""

    points: float = 0.0
    is_beyond: bool = False
    begun: list[Instant] = []

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is gathered."""
        return not self.points and not self.begun

    def add(self, rule: LimitRule, value: float, now: Instant, since: Instant | None) -> bool:
        """Count one sample; say whether it is too much or too often.

        `since` is the sample before; None where there was none, or data were missing in between.
        """
        beyond = rule.limit - value if rule.is_low else value - rule.limit
        elapsed = _FIRST_S if since is None else min(_INTERVAL_S_MAX, (now - since) / NS_PER_S)
        self.points = max(0.0, self.points + beyond * elapsed)
        self._count(now, is_beyond=beyond > 0, kept_max=rule.violations_max or 0)
        return beyond > 0 and self._is_over(rule)

    def _count(self, now: Instant, *, is_beyond: bool, kept_max: int) -> None:
        if is_beyond and not self.is_beyond:
            self.begun.append(now)
        self.is_beyond = is_beyond
        self.begun = [each for each in self.begun if now - each < VIOLATION_WINDOW][-kept_max:]
        if not kept_max:
            self.begun = []

    def _is_over(self, rule: LimitRule) -> bool:
        spent = rule.budget is not None and self.points >= rule.budget
        often = rule.violations_max is not None and len(self.begun) >= rule.violations_max
        return spent or often
