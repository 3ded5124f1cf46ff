"""Alarm words (after IEC 60601-1-8): what screens, record and senders may know of a condition."""

from enum import StrEnum
from typing import Final

import msgspec

from monitor.model.instant import Instant
from monitor.model.metric import Metric


class Priority(StrEnum):
    """Urgency of response."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


RANK: Final = {Priority.LOW: 1, Priority.MEDIUM: 2, Priority.HIGH: 3}


class Kind(StrEnum):
    """About the patient, or about equipment and data."""

    PHYSIOLOGICAL = "physiological"
    TECHNICAL = "technical"


class Change(StrEnum):
    """What happened to an alarm condition or its signal. These words are relied on from outside."""

    PRESENT = "present"
    ESCALATED = "escalated"
    HELD = "held"
    UNHELD = "unheld"
    LATCHED = "latched"
    ACKNOWLEDGED = "acknowledged"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    RESET = "reset"


class AlarmChange(
    msgspec.Struct, frozen=True, tag="alarm_change", omit_defaults=True, kw_only=True
):
    """One change of one alarm condition, with what led to it.

    `at` is when the change was due, not when we looked. `value` and `limit` are in the metric's
    unit. `reason` says in words which rule, delay and clock decided. `operator` is who acted.
    `subsumed_by` names the present condition that explains this one, whose signal is not given.
    """

    at: Instant
    alarm: str
    change: Change
    priority: Priority
    kind: Kind
    metric: Metric | None = None
    value: float | None = None
    limit: float | None = None
    reason: str = ""
    operator: str = ""
    subsumed_by: str = ""


class SignalPresence(StrEnum):
    """Whether an alarm signal is given."""

    OFF = "off"
    ON = "on"
    LATCHED = "latched"


class AlarmSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One condition that is present or latched, as a screen may show it.

    `held_since` is set while the condition is held, unmeasured. `acknowledged_until` is the instant
    at which the acknowledgement runs out. `value` is the newest value the rule has judged.
    """

    alarm: str
    title: str
    priority: Priority
    kind: Kind
    since: Instant
    signal: SignalPresence = SignalPresence.ON
    metric: Metric | None = None
    value: float | None = None
    limit: float | None = None
    limit_is_low: bool = False
    held_since: Instant | None = None
    acknowledged_until: Instant | None = None
    acknowledged_by: str = ""
    audio_paused_until: Instant | None = None
    subsumed_by: str = ""
