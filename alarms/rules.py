"""What is judged and by which numbers: the frozen records a preset is read into.

All limits are in the metric's fixed unit, all times are durations. Nothing here has a default that
decides anything clinical: the numbers come from a preset, each with its provenance.
"""

from enum import StrEnum
from typing import Final

import msgspec

from alarms.condition import Input, Latch, Policy
from monitor.model.alarm import Priority
from monitor.model.instant import Duration, seconds
from monitor.model.metric import Metric
from monitor.model.session import Phase

AT_ONCE: Final = Duration(0)


class InactivationRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the responsible organisation allows beyond an audio pause and an acknowledgement.

    Each `_max` is the highest priority at which that state may be set, None where it may not be
    set at all. In the phases `kept_phases` none of the three may be set for conditions about
    `kept_metrics`, nor for conditions without a metric above low priority: a link, a sensor or a
    monitor that is frozen may be why nothing is measured. `reminder` is the interval at which an
    indefinite state is reminded of. Without rules nothing is allowed.
    """

    audio_off_max: Priority | None = None
    alarm_paused_max: Priority | None = None
    alarm_off_max: Priority | None = None
    alarm_pause: Duration = seconds(120)
    reminder: Duration = seconds(180)
    kept_metrics: tuple[Metric, ...] = ()
    kept_phases: tuple[Phase, ...] = ()


class OperatorRules(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may do to a signal, and how long it lasts."""

    audio_pause: Duration
    acknowledge_high: Duration
    acknowledge_medium: Duration
    acknowledge_low: Duration
    inactivation: InactivationRules = InactivationRules()

    def acknowledge_max(self, priority: Priority) -> Duration:
        """Return how long an acknowledgement at `priority` lasts at most."""
        match priority:
            case Priority.HIGH:
                return self.acknowledge_high
            case Priority.MEDIUM:
                return self.acknowledge_medium
            case Priority.LOW:
                return self.acknowledge_low


class LimitRule(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm limit of one metric in one direction, with its severe band.

    The value violates the limit beyond `limit`; it is back inside once it lies `hysteresis` within
    it for `clear_for`. `severe` is None where there is no severe band. `budget` (unit times
    seconds) and `violations_max` (violations within a minute) raise it before the delay has run.
    """

    alarm: str
    metric: Metric
    is_low: bool
    limit: float
    priority: Priority
    delay: Duration
    hysteresis: float
    clear_for: Duration
    latch: Latch
    acknowledge_envelope: float
    severe: float | None = None
    severe_priority: Priority = Priority.HIGH
    severe_delay: Duration = Duration(0)
    budget: float | None = None
    violations_max: int | None = None
    provenance: dict[str, str] = {}

    @property
    def inside(self) -> float:
        """Return the value from which on it is back inside."""
        return self.limit + self.hysteresis if self.is_low else self.limit - self.hysteresis

    def well_beyond(self, limit: float) -> float:
        """Return beyond which a value is well beyond `limit`: as far as an end is within it."""
        return limit - self.hysteresis if self.is_low else limit + self.hysteresis

    def limit_crossed(self, *, is_severe: bool) -> float:
        """Return the limit that decided: the severe one for an escalated condition."""
        return self.severe if is_severe and self.severe is not None else self.limit


class ApnoeaRules(msgspec.Struct, frozen=True, kw_only=True):
    """When missing breaths are an apnoea.

    `after` the last breath; armed after `arm_breaths` breaths. While the device explains itself
    (auto-zero, line off) at most `ambiguous_max` after the last breath.
    """

    after: Duration
    ambiguous_max: Duration
    arm_breaths: int
    clear_for: Duration
    latch: Latch


class DataRules(msgspec.Struct, frozen=True, kw_only=True):
    """When silence is a condition, and what a device cannot mean.

    A value is old after `stale_after`, its loss is told `absent_after` the last valid value, both
    at least `periods` learned periods. The last respiratory channel is told as HIGH after another
    `last_channel_after`. `steps` bounds a believable change per second. More than
    `rejected_per_minute` refused frames or values are a condition.
    """

    stale_after: Duration
    absent_after: Duration
    periods: float
    last_channel_after: Duration
    latch: Latch
    link_delay: Duration
    sensor_delay: Duration
    rejected_per_minute: int
    steps: dict[Metric, float]


class RelativeRule(msgspec.Struct, frozen=True, kw_only=True):
    """A limit in relation to the patient's own baseline: so many percent, or so much, away.

    `limit` holds everything else about it; its `limit` field is filled in from the baseline.
    """

    limit: LimitRule
    percent: float | None = None
    amount: float | None = None

    @property
    def alarm(self) -> str:
        """Return the name of the condition."""
        return self.limit.alarm

    @property
    def metric(self) -> Metric:
        """Return the metric it is about."""
        return self.limit.metric

    @property
    def is_low(self) -> bool:
        """Say whether it is crossed downwards."""
        return self.limit.is_low


class BaselineRules(msgspec.Struct, frozen=True, kw_only=True):
    """When cuff readings of the baseline phase make a baseline."""

    readings_min: int
    within: Duration


class PartKind(StrEnum):
    """What one part of a pattern looks for in its metric."""

    BELOW = "below"
    ABOVE = "above"
    FALLS = "falls"
    RISES = "rises"
    LOST = "lost"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a pattern. `amount` is a value (below, above) or a change within `window`."""

    metric: Metric
    kind: PartKind
    amount: float = 0.0
    window: Duration = Duration(0)


class PatternRule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition made of parts that must hold together: a trend (one part) or a compound."""

    alarm: str
    title: str
    parts: tuple[Part, ...]
    priority: Priority
    delay: Duration
    clear_for: Duration
    latch: Latch
    provenance: dict[str, str] = {}


class DoubtRules(msgspec.Struct, frozen=True, kw_only=True):
    """When numbers that are there are doubted.

    `frozen_after` without any change of all numbers of a device part; rates that differ by more
    than `rates_differ` for `differ_for`; an EtCO2 as small as if in kPa for `unit_for`; a cuff on
    the probe's arm explains at most `cuff_max`, and `cuff_after` once empty, where the pulse is
    lost or perfusion below `perfusion_min`. Two devices that differ by more than `sources_differ`
    (in the metric's unit) for `sources_differ_for`; `steps_per_minute` impossible steps of one
    metric within a minute. A preset that says nothing of the last two suspects neither.
    """

    frozen_after: Duration
    rates_differ: float
    differ_for: Duration
    unit_for: Duration
    cuff_max: Duration
    cuff_after: Duration
    perfusion_min: float
    sources_differ: dict[Metric, float] = {}
    sources_differ_for: Duration = AT_ONCE
    steps_per_minute: int | None = None


class LimitSet(msgspec.Struct, frozen=True, kw_only=True):
    """A validated group of limits and policies: what a preset file holds.

    `cuff_due` says for a phase how long after the last cuff reading the next one is overdue.
    """

    name: str
    title: str
    status: str
    limits: tuple[LimitRule, ...]
    apnoea: ApnoeaRules
    data: DataRules
    operator: OperatorRules
    baseline: BaselineRules
    doubt: DoubtRules | None = None
    relatives: tuple[RelativeRule, ...] = ()
    patterns: tuple[PatternRule, ...] = ()
    phases: dict[Phase, tuple[LimitRule, ...]] = {}
    cuff_due: dict[Phase, Duration] = {}

    def in_phase(self, rule: LimitRule, phase: Phase) -> LimitRule:
        """Return the limit that stands in for `rule` in `phase`, or `rule` itself."""
        return next((each for each in self.phases.get(phase, ()) if each.alarm == rule.alarm), rule)


def judge(rule: LimitRule, value: float) -> Input:
    """Say how `value` stands to the limit; between means inside it, but within the hysteresis."""
    if rule.is_low:
        if value >= rule.inside:
            return Input.NORMAL
        if value >= rule.limit:
            return Input.BETWEEN
        return Input.SEVERE if rule.severe is not None and value < rule.severe else Input.VIOLATED
    if value <= rule.inside:
        return Input.NORMAL
    if value <= rule.limit:
        return Input.BETWEEN
    return Input.SEVERE if rule.severe is not None and value > rule.severe else Input.VIOLATED


def limit_policy(rule: LimitRule, operator: OperatorRules) -> Policy:
    """Return how the condition of a limit behaves."""
    return Policy(
        priority=rule.priority,
        severe_priority=rule.severe_priority,
        delay=rule.delay,
        severe_delay=rule.severe_delay,
        clear_for=rule.clear_for,
        latch=rule.latch,
        is_low=rule.is_low,
        well=rule.well_beyond(rule.limit),
        severe_well=None if rule.severe is None else rule.well_beyond(rule.severe),
        envelope=rule.acknowledge_envelope,
        pause=operator.audio_pause,
        alarm_pause=operator.inactivation.alarm_pause,
        reminder=operator.inactivation.reminder,
        acknowledge_max=operator.acknowledge_max(rule.priority),
        acknowledge_severe_max=operator.acknowledge_max(rule.severe_priority),
    )


def plain_policy(
    priority: Priority,
    operator: OperatorRules,
    *,
    delay: Duration = AT_ONCE,
    severe_delay: Duration = AT_ONCE,
    clear_for: Duration = AT_ONCE,
    latch: Latch = Latch.NEVER,
) -> Policy:
    """Return the policy of a condition that no value measures, such as a lost link."""
    return Policy(
        priority=priority,
        delay=delay,
        severe_delay=severe_delay,
        clear_for=clear_for,
        latch=latch,
        pause=operator.audio_pause,
        alarm_pause=operator.inactivation.alarm_pause,
        reminder=operator.inactivation.reminder,
        acknowledge_max=operator.acknowledge_max(priority),
        acknowledge_severe_max=operator.acknowledge_max(Priority.HIGH),
    )
