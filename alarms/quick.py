"""The quick way for the ordinary sample: nothing is going on and this value changes nothing.

It allocates nothing and decides nothing: whatever is slightly out of the ordinary takes the long
way, which is the only one that judges. A law in the tests holds both ways to the same answer.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from alarms.channel import FAST_INTERVAL_MAX, Channel
from alarms.rules import LimitRule
from monitor.model.event import Observation, Validity
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe

_NEAR_ZERO: Final = 9.5
_ZERO_IS_ORDINARY: Final = frozenset({Metric.FICO2, Metric.PERFUSION_INDEX})


class Quick(msgspec.Struct, kw_only=True):
    """A metric with nothing going on: the span of values, and the step, that change nothing.

    `partner` is a metric that should read the same within `partner_differs_max`.

    Anything else, however slightly out of the ordinary, takes the long way.
    """

    channel: Channel
    low: float
    high: float
    step_max: float
    partner: Channel | None = None
    partner_differs_max: float = 0.0

    def takes(self, heard: Observation, now: Instant) -> bool:
        """Note an ordinary value and say so; or leave it to the long way."""
        value, at, channel = heard.value, heard.at, self.channel
        if value is None or not self.low <= value <= self.high or at > now:
            return False
        if heard.validity is not Validity.VALID or heard.taken is not None:
            return False
        before, since = channel.value, channel.heard_at
        if before is None or since is None or not 0 < at - since <= FAST_INTERVAL_MAX:
            return False
        if not -self.step_max <= value - before <= self.step_max:
            return False
        if self.partner is not None and not self._agrees(value, self.partner.value):
            return False
        if value != before:
            channel.changed_at = at
        channel.value = channel.heard_value = float(value)
        channel.heard_at = channel.valid_at = at
        return True

    def _agrees(self, value: float, other: float | None) -> bool:
        """Say whether the metric that measures the same thing is near enough, or silent."""
        return other is None or abs(value - other) <= self.partner_differs_max


def quick_way(channel: Channel, rules: Sequence[LimitRule], step_max: float | None) -> Quick:
    """Return the quick way of a metric whose conditions are all absent.

    Values near zero never take it: devices print 0 for many things.
    """
    facts = describe(channel.metric)
    near_zero = 0.0 if channel.metric in _ZERO_IS_ORDINARY else _NEAR_ZERO
    return Quick(
        channel=channel,
        low=max([near_zero, facts.technical_low, *(each.inside for each in rules if each.is_low)]),
        high=min([facts.technical_high, *(each.inside for each in rules if not each.is_low)]),
        step_max=facts.technical_high if step_max is None else step_max,
    )
