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


class Inactivation(StrEnum):
    """What a person has done to the signals of one condition (IEC 60601-1-8).

    *Audio paused* and *audio off* stop the sound; *alarm paused* and *alarm off* also the signal
    for four metres; *acknowledged* is about one occurrence. The paused states end by themselves,
    the off states do not and remind. None of them takes the line for one metre away.
    """

    NONE = "none"
    AUDIO_PAUSED = "audio_paused"
    AUDIO_OFF = "audio_off"
    ALARM_PAUSED = "alarm_paused"
    ALARM_OFF = "alarm_off"
    ACKNOWLEDGED = "acknowledged"

    @property
    def words(self) -> str:
        """Return it as a person reads it."""
        return self.value.replace("_", " ")


INDEFINITE: Final = frozenset({Inactivation.AUDIO_OFF, Inactivation.ALARM_OFF})
FAR_SIGNAL_OFF: Final = frozenset({Inactivation.ALARM_PAUSED, Inactivation.ALARM_OFF})


class AlarmChange(
    msgspec.Struct, frozen=True, tag="alarm_change", omit_defaults=True, kw_only=True
):
    """One change of one alarm condition, with what led to it.

    `at` is when the change was due, not when we looked. `value` and `limit` are in the metric's
    unit. `reason` says in words which rule, delay and clock decided. `operator` is who acted.
    `subsumed_by` names the present condition that explains this one, whose signal is not given.
    `inactivation` is what is in force after the change.
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
    inactivation: Inactivation = Inactivation.NONE


class SignalPresence(StrEnum):
    """Whether an alarm signal is given."""

    OFF = "off"
    ON = "on"
    LATCHED = "latched"


class AlarmSnapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One condition that is present or latched, or inactivated though absent, as a screen shows it.

    `held_since` is set while the condition is held, unmeasured. `value` is the newest value the
    rule has judged. `inactivation` is what `inactivated_by` did at `inactivated_at`; it ends at
    `inactivated_until`, None for one without an end of its own. `reminded_at` is when an indefinite
    one was last to be reminded of. An absent condition has its signal off; its `since` is when it
    was inactivated.
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
    inactivation: Inactivation = Inactivation.NONE
    inactivated_by: str = ""
    inactivated_at: Instant | None = None
    inactivated_until: Instant | None = None
    reminded_at: Instant | None = None
    subsumed_by: str = ""

    @property
    def acknowledged_by(self) -> str:
        """Return who acknowledged it; "" where nobody did."""
        return self.inactivated_by if self.inactivation is Inactivation.ACKNOWLEDGED else ""

    @property
    def acknowledged_until(self) -> Instant | None:
        """Return when an acknowledgement runs out; None where there is none, or no end."""
        return self.inactivated_until if self.inactivation is Inactivation.ACKNOWLEDGED else None

    @property
    def audio_paused_until(self) -> Instant | None:
        """Return when an audio pause runs out; None where there is none."""
        return self.inactivated_until if self.inactivation is Inactivation.AUDIO_PAUSED else None
