"""What the responsible organisation lets a person at the chair do to signals.

An audio pause and an acknowledgement are always possible: both are short. What takes a signal away
for good, or the signal for four metres with it, needs a rule in the limit set. No limit set can
allow it for a condition of high priority, and a name nobody ranked is high.
"""

from typing import Final

from alarms.condition import INACTIVATIONS, Input
from alarms.names import NIBP_IMPLAUSIBLE, NIBP_OVERDUE, Identity
from alarms.rules import InactivationRules
from monitor.model.alarm import INDEFINITE, RANK, Inactivation, Priority
from monitor.model.event import NoticeKind
from monitor.model.instant import in_seconds
from monitor.model.metric import NIBP
from monitor.model.session import Deed, Phase

DEEDS: Final = {
    Deed.ACKNOWLEDGE: Input.ACKNOWLEDGE,
    Deed.PAUSE_AUDIO: Input.PAUSE_AUDIO,
    Deed.TURN_AUDIO_OFF: Input.TURN_AUDIO_OFF,
    Deed.PAUSE_ALARM: Input.PAUSE_ALARM,
    Deed.TURN_ALARM_OFF: Input.TURN_ALARM_OFF,
    Deed.RESUME: Input.RESUME,
    Deed.RESET: Input.RESET,
}
GOVERNED: Final = (Deed.TURN_AUDIO_OFF, Deed.PAUSE_ALARM, Deed.TURN_ALARM_OFF)
# Where the pressure may not be inactivated, that it is not measured may not be either.
_NO_PRESSURE: Final = frozenset({NIBP_OVERDUE, NIBP_IMPLAUSIBLE, NoticeKind.CUFF_FAILED.value})
_GOVERNED: Final = {INACTIVATIONS[DEEDS[each]] for each in GOVERNED}


def forbidden(
    inactivation: Inactivation,
    identity: Identity,
    priority: Priority,
    phase: Phase,
    rules: InactivationRules,
) -> str:
    """Return why the organisation does not allow it for a condition; empty if it does.

    `priority` is the one in force, `phase` where the sitting stands.
    """
    if inactivation not in _GOVERNED:
        return ""
    highest = _highest(inactivation, rules)
    if highest is None:
        return f"the limit set allows no {inactivation.words}"
    if RANK[priority] > RANK[highest]:
        return f"the limit set allows {inactivation.words} up to {highest} priority, not {priority}"
    if phase in rules.kept_phases and _is_kept(identity, priority, rules):
        return f"the limit set allows no {inactivation.words} of it while {phase}"
    return ""


def allowed(rules: InactivationRules) -> tuple[str, ...]:
    """Return in words what the organisation allows, one sentence for each of the three states."""
    return tuple(_allowance(INACTIVATIONS[DEEDS[each]], rules) for each in GOVERNED)


def _allowance(inactivation: Inactivation, rules: InactivationRules) -> str:
    highest = _highest(inactivation, rules)
    if highest is None:
        return f"{inactivation.words}: never"
    lasts = f"for {in_seconds(rules.alarm_pause):g} s"
    if inactivation in INDEFINITE:
        lasts = f"reminder every {in_seconds(rules.reminder):g} s"
    text = f"{inactivation.words}: up to {highest} priority, {lasts}"
    if not rules.kept_phases:
        return text
    missing = (
        ("pressures not measured",) if any(each in rules.kept_metrics for each in NIBP) else ()
    )
    kept = ", ".join((*rules.kept_metrics, *missing, "what has no metric, above low"))
    return f"{text}; while {', '.join(rules.kept_phases)} not of {kept}"


def _highest(inactivation: Inactivation, rules: InactivationRules) -> Priority | None:
    """Return the highest priority at which a state may be set; None if it may not be."""
    if inactivation is Inactivation.ALARM_PAUSED:
        return rules.alarm_paused_max
    if inactivation is Inactivation.AUDIO_OFF:
        return rules.audio_off_max
    return rules.alarm_off_max


def _is_kept(identity: Identity, priority: Priority, rules: InactivationRules) -> bool:
    if identity.metric is not None:
        return identity.metric in rules.kept_metrics
    if identity.alarm in _NO_PRESSURE and any(each in rules.kept_metrics for each in NIBP):
        return True
    return priority is not Priority.LOW
