"""What is known of one metric: the newest value, its age, its source's period, whether to doubt it.

A source's period is learned only where it is long: sources of up to ten seconds share the fixed
bounds of the preset, a source that speaks once a minute is not stale between its readings.
"""

from typing import Final

import msgspec

from alarms.rules import DataRules
from monitor.model.event import Observation
from monitor.model.instant import NS_PER_S, Duration, Instant, seconds
from monitor.model.metric import Metric

FAST_INTERVAL_MAX: Final = seconds(10)
_FAST_RUN: Final = 3
UNKNOWN_PERIOD: Final = seconds(60)


class Channel(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The newest of one metric.

    `heard_at` is the last observation of any validity, `valid_at` the last one that could be judged
    (or the start of watching after a restart). `is_lost`: known to give nothing now. `is_off_by`
    lists the notices and links that say so.
    """

    metric: Metric
    heard_at: Instant | None = None
    heard_value: float | None = None
    value: float | None = None
    valid_at: Instant | None = None
    changed_at: Instant | None = None
    taken: Instant | None = None
    is_lost: bool = False
    is_stale: bool = False
    is_absent: bool = False
    spoke_twice: bool = False
    period: Duration = Duration(0)
    slow_run: int = 0
    fast_run: int = 0
    is_off_by: list[str] = []

    def hear(self, at: Instant) -> None:
        """Note that the source spoke, and learn how often it does."""
        if self.heard_at is not None and at > self.heard_at:
            self._learn(Duration(at - self.heard_at))
        self.heard_at = at

    def _learn(self, interval: Duration) -> None:
        self.spoke_twice = True
        if interval <= FAST_INTERVAL_MAX:
            self.fast_run = min(self.fast_run + 1, _FAST_RUN)
            self.slow_run = 0
            if self.fast_run >= _FAST_RUN:
                self.period = Duration(0)
            return
        self.slow_run += 1
        if self.fast_run < _FAST_RUN or self.slow_run > 1:
            self.period = interval
            self.fast_run = 0

    @property
    def is_fast(self) -> bool:
        """Say whether the source is known to speak at least every ten seconds."""
        return self.fast_run >= _FAST_RUN and not self.period and not self.slow_run

    def stale_due(self, rules: DataRules) -> Instant | None:
        """Return when the newest value is too old to be current; None if it is no longer so."""
        if self.valid_at is None or self.is_lost or self.is_stale:
            return None
        return Instant(self.valid_at + max(rules.stale_after, round(rules.periods * self.period)))

    def absent_due(self, rules: DataRules) -> Instant | None:
        """Return when the loss of this metric is to be told; None if it never spoke or was told."""
        if self.valid_at is None or self.is_absent:
            return None
        period = self.period if self.spoke_twice else UNKNOWN_PERIOD
        return Instant(self.valid_at + max(rules.absent_after, round(rules.periods * period)))

    def is_impossible_step(self, value: float, at: Instant, rules: DataRules) -> bool:
        """Say whether no patient changes from the last value to this one in that time."""
        step_max = rules.steps.get(self.metric)
        if step_max is None or self.value is None or self.valid_at is None:
            return False
        elapsed = max(1.0, (at - self.valid_at) / NS_PER_S)
        return abs(value - self.value) > step_max * elapsed

    def refuses(self, heard: Observation, now: Instant) -> bool:
        """Say whether an observation is from the future or older than one already heard."""
        return heard.at > now or (self.heard_at is not None and heard.at < self.heard_at)

    def is_repeat(self, heard: Observation) -> bool:
        """Say whether this very observation was heard before: the same instant, the same value."""
        return heard.at == self.heard_at and heard.value == self.heard_value
