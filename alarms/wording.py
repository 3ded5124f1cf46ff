"""Why a change happened, in a sentence a nurse can read: the rule, its delay, the clock."""

from typing import Final

from alarms.condition import Input, Policy, State, Told
from alarms.rules import LimitRule
from alarms.step import length_of
from monitor.model.alarm import INDEFINITE, Change, Inactivation
from monitor.model.instant import Duration, in_seconds
from monitor.model.metric import describe

_PLAIN: Final = {
    Change.HELD: "no fresh data; it stays until they say otherwise",
    Change.UNHELD: "fresh data are back",
    Change.LATCHED: "the cause is gone; a person has yet to see it",
    Change.RESET: "reset by a person",
}


def reason(told: Told, policy: Policy, rule: LimitRule | None, note: str) -> str:
    """Return why `told` happened. `note` is what the one who judged had to say."""
    match told.change:
        case Change.PRESENT | Change.ESCALATED:
            return _raised(told, policy, rule, note)
        case Change.ENDED:
            return _ended(policy, rule)
        case Change.ACKNOWLEDGED:
            return _acknowledged(told, rule)
        case Change.RESUMED:
            return _resumed(told, policy, rule)
        case Change.PAUSED:
            return _inactivated(told, policy)
        case Change.HELD | Change.UNHELD | Change.LATCHED | Change.RESET:
            return _PLAIN[told.change]


def _s(duration: Duration) -> str:
    return f"{in_seconds(duration):g} s"


def _with_unit(value: float, rule: LimitRule) -> str:
    unit = describe(rule.metric).unit
    return f"{value:g} {unit}" if not unit.startswith("/") else f"{value:g}{unit}"


def _raised(told: Told, policy: Policy, rule: LimitRule | None, note: str) -> str:
    if rule is None:
        return note + _ending(told)
    is_severe = told.cause is Input.SEVERE_DELAY_OVER
    side = "below" if rule.is_low else "above"
    delay = policy.severe_delay if is_severe else policy.delay
    limit = _with_unit(rule.limit_crossed(is_severe=is_severe), rule)
    held = f" for {_s(delay)}" if delay else ""
    return f"{side} {limit}{held}" + (f"; {note}" if note else "") + _ending(told)


def _ending(told: Told) -> str:
    """Return what the severe band put an end to, or why a priority is that of the severe band."""
    was = told.before.operator
    if told.cause is not Input.SEVERE_DELAY_OVER:
        return "; as urgent as the one before, not yet seen" if told.after.is_severe else ""
    if was is Inactivation.NONE:
        return ""
    return f"; ends {was.words} by {told.before.by}"


def _inactivated(told: Told, policy: Policy) -> str:
    """Return what a person did, and for how long."""
    state = told.after.operator
    lasts = _s(length_of(policy, state))
    if state in INDEFINITE:
        return f"{state.words} until somebody resumes it, reminder every {lasts}"
    return f"{state.words} for {lasts}"


def _ended(policy: Policy, rule: LimitRule | None) -> str:
    if rule is None:
        return "the cause is gone"
    side = "at or above" if rule.is_low else "at or below"
    lasted = f" for {_s(policy.clear_for)}" if policy.clear_for else ""
    return f"{side} {_with_unit(rule.inside, rule)}{lasted}"


def _acknowledged(told: Told, rule: LimitRule | None) -> str:
    state = told.after
    if state.until is None:
        return "its cause is gone; it stays on show until it is reset"
    until = f"for {_s(Duration(state.until - told.at))}"
    if rule is None or state.edge is None:
        return until
    side = "below" if rule.is_low else "above"
    return f"{until} unless {side} {_with_unit(state.edge, rule)}"


def _resumed(told: Told, policy: Policy, rule: LimitRule | None) -> str:
    if told.cause is Input.WORSE:
        return _worse(told.before, policy, rule)
    was = told.before.operator
    if told.cause is Input.PAUSE_OVER:
        return f"{was.words} for {_s(length_of(policy, was))}, now over"
    if told.cause is Input.ACKNOWLEDGEMENT_OVER:
        return "the acknowledgement has run out"
    if told.cause is Input.RESTART:
        return f"{was.words} does not survive a restart"
    if told.cause is Input.NOT_ALLOWED:
        return f"{was.words} is not allowed in this phase"
    return f"resumed by a person; it was {was.words}"


def _worse(before: State, policy: Policy, rule: LimitRule | None) -> str:
    if rule is None or before.edge is None or before.value is None or policy.envelope is None:
        return "worse than acknowledged"
    then = before.edge + policy.envelope if policy.is_low else before.edge - policy.envelope
    return f"worse than acknowledged: {then:g} then, {_with_unit(before.value, rule)} now"
