"""The patient's own pressure before the infusion, and limits relative to it.

A baseline counts only when it is validated: at least `readings_min` plausible cuff readings within
`within`, taken in the baseline phase. Without one the relative limits are out of force and the
absolute ones stand alone.
"""

from typing import Final

import msgspec

from alarms.rules import BaselineRules, LimitRule, RelativeRule
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe
from monitor.model.session import Phase

_READINGS_KEPT_MAX: Final = 12


class Baseline(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Cuff readings of the baseline phase, each with its instant, and what they amount to.

    `entered` is when the present phase began.
    """

    phase: Phase = Phase.SETUP
    entered: Instant = Instant(0)
    at: list[Instant] = []
    readings: list[dict[Metric, float]] = []
    values: dict[Metric, float] = {}

    def add(self, values: dict[Metric, float], now: Instant, rules: BaselineRules) -> bool:
        """Take one plausible reading; say whether the baseline changed."""
        if self.phase is not Phase.BASELINE:
            return False
        self.at.append(now)
        self.readings.append(dict(values))
        del self.at[:-_READINGS_KEPT_MAX], self.readings[:-_READINGS_KEPT_MAX]
        recent = [
            each
            for at, each in zip(self.at, self.readings, strict=True)
            if now - at <= rules.within
        ]
        if len(recent) < rules.readings_min:
            return False
        metrics = set.intersection(*(set(each) for each in recent))
        self.values = {
            metric: sum(each[metric] for each in recent) / len(recent) for metric in sorted(metrics)
        }
        return True


def limit_from(rule: RelativeRule, baseline: float) -> LimitRule | None:
    """Return the absolute limit that `rule` means for this baseline; None if it is out of reach."""
    away = rule.amount if rule.amount is not None else baseline * (rule.percent or 0.0) / 100
    limit = baseline - away if rule.is_low else baseline + away
    facts = describe(rule.metric)
    if not facts.technical_low < limit < facts.technical_high:
        return None
    return msgspec.structs.replace(rule.limit, limit=round(limit, 1))
