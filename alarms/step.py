"""Advance one condition: look up the table, keep the clocks, act on those that ran out."""

from typing import Final

import msgspec

from alarms.clock import Evidence, begin, interrupt, stop
from alarms.condition import (
    FORGET_AFTER,
    INACTIVATIONS,
    TABLE,
    Cell,
    Condition,
    Input,
    Latch,
    Policy,
    State,
    Step,
    Told,
)
from monitor.model.alarm import INDEFINITE, Change, Inactivation, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Duration, Instant, in_seconds, later

_set: Final = msgspec.structs.replace
_WAITING: Final = frozenset({Condition.CANDIDATE, Condition.UNMEASURED})
_STANDING: Final = frozenset({Condition.PRESENT, Condition.HELD})
_CROSSED: Final = frozenset({Input.VIOLATED, Input.SEVERE})
_BETTER: Final = frozenset({Input.VIOLATED, Input.BETWEEN})
_UNTIL: Final = {
    Inactivation.AUDIO_PAUSED: Input.PAUSE_OVER,
    Inactivation.ALARM_PAUSED: Input.PAUSE_OVER,
    Inactivation.AUDIO_OFF: Input.REMINDER_DUE,
    Inactivation.ALARM_OFF: Input.REMINDER_DUE,
    Inactivation.ACKNOWLEDGED: Input.ACKNOWLEDGEMENT_OVER,
}


def cell_of(state: State) -> Cell:
    """Return where `state` stands in the table."""
    return state.condition, state.signal, state.operator


def priority_of(policy: Policy, state: State) -> Priority:
    """Return the priority in force: it rises with the severe band and stays until the end."""
    return policy.severe_priority if state.is_severe else policy.priority


def wake_at(policy: Policy, state: State) -> Instant | None:
    """Return when the next clock of this condition runs out; None if none runs."""
    clock = _next_clock(policy, state)
    return None if clock is None else clock[0]


def step(
    policy: Policy,
    state: State,
    happened: Input,
    now: Instant,
    *,
    value: float | None = None,
    began: Instant | None = None,
) -> Step:
    """Advance a condition by one judgement of data.

    Clocks that ran out by `now` act first, at their due instants. `value` is what was judged, in
    the metric's unit; `began` when it began, if that was before now.
    """
    state, before = _matured(policy, state, now)
    state, told = _judged(policy, state, happened, now, value)
    if began is not None and state.evidence is not None:
        state = _set(state, evidence=Evidence(began, now))
    state, after = _matured(policy, state, now)
    return Step(state, before + told + after)


def hasten(policy: Policy, state: State, now: Instant) -> Step:
    """End the delay of a candidate now: something else than the clock says that it was enough."""
    state, told = _moved(state, Input.DELAY_OVER, now)
    after = mature(policy, state, now)
    return Step(after.state, told + after.told)


def act(policy: Policy, state: State, deed: Input, now: Instant, by: str) -> Step:
    """Advance a condition by a deed of the person `by`; what the table refuses changes nothing."""
    before = mature(policy, state, now)
    state = before.state
    moved, told = _moved(state, deed, now)
    if told and deed is Input.ACKNOWLEDGE:
        moved = _set(_acknowledged(policy, moved, now), by=by, acted=now)
    elif told and deed in INACTIVATIONS:
        until = later(now, length_of(policy, moved.operator))
        moved = _set(moved, until=until, edge=None, by=by, acted=now)
    return Step(moved, before.told + tuple(_set(each, after=moved) for each in told))


def disallow(policy: Policy, state: State, now: Instant) -> Step:
    """End what the organisation no longer allows; an acknowledgement or audio pause is left."""
    before = mature(policy, state, now)
    moved, told = _moved(before.state, Input.NOT_ALLOWED, now)
    return Step(moved, before.told + told)


def length_of(policy: Policy, inactivation: Inactivation) -> Duration:
    """Return how long a pause lasts, or how long it is from one reminder to the next."""
    if inactivation is Inactivation.AUDIO_PAUSED:
        return policy.pause
    return policy.reminder if inactivation in INDEFINITE else policy.alarm_pause


def ends_at(policy: Policy, state: State) -> Instant | None:
    """Return when what a person did ends, or is next to be reminded of; None if neither comes.

    An acknowledgement lasts no longer than its priority allows, also where a phase has raised it.
    """
    until, acted = state.until, state.acted
    if until is None or acted is None or state.operator is not Inactivation.ACKNOWLEDGED:
        return until
    return min(until, later(acted, _acknowledgement_max(policy, state)))


def reminded_at(policy: Policy, state: State) -> Instant | None:
    """Return when an indefinite inactivation was last to be reminded of; None if not yet."""
    if state.operator not in INDEFINITE or state.until is None or state.acted is None:
        return None
    last = later(state.until, Duration(-policy.reminder))
    return last if last > state.acted else None


def mature(policy: Policy, state: State, now: Instant) -> Step:
    """Let every clock that is due by `now` act, each at its own instant, earliest first."""
    return Step(*_matured(policy, state, now))


def _matured(policy: Policy, state: State, now: Instant) -> tuple[State, tuple[Told, ...]]:
    told: tuple[Told, ...] = ()
    while (clock := _next_clock(policy, state)) is not None and clock[0] <= now:
        at, happened = clock
        state, more = _moved(state, happened, at)
        told += more
        if happened is Input.REMINDER_DUE:
            state = _set(state, until=later(at, policy.reminder))
    return state, told


def restart(policy: Policy, state: State, stopped: Instant, now: Instant) -> Step:
    """Take up a condition after a stop from `stopped` to `now`, a time nobody watched.

    Of what a person did only an acknowledgement stays; what was present is held; the unwatched time
    is no evidence.
    Nothing is stamped with an instant at which nobody could be told.
    """
    state = _set(
        state,
        evidence=interrupt(state.evidence, stopped),
        severe_evidence=interrupt(state.severe_evidence, stopped),
        clearing_since=None,
    )
    moved, told = _moved(state, Input.RESTART, now)
    if moved.condition is Condition.UNMEASURED:
        moved = _set(moved, lost_at=now)
    matured = mature(policy, moved, now)
    return Step(matured.state, told + tuple(_set(each, at=now) for each in matured.told))


def refusal(state: State, deed: Input) -> str:
    """Return why `deed` is not possible now, in words for people; empty if it is."""
    if TABLE[cell_of(state), deed].changes:
        return ""
    words = state.operator.words
    if deed is Input.RESUME:
        return "its signals are not inactivated"
    if deed in {Input.TURN_AUDIO_OFF, Input.TURN_ALARM_OFF}:
        return f"{words} already"
    if state.signal is Signal.OFF:
        return "no such alarm present"
    return _refused_signal(state, deed)


def held_too_briefly(state: State, deed: Input, now: Instant) -> str:
    """Return why what is held may not be reset yet: first its loss is told; empty if it may."""
    if deed is not Input.RESET or state.condition is not Condition.HELD or state.held_since is None:
        return ""
    held = Duration(now - state.held_since)
    if held >= FORGET_AFTER:
        return ""
    told_after = f"it can be reset after {in_seconds(FORGET_AFTER):g} s"
    return f"cannot reset: unmeasured for {int(in_seconds(held))} s only; {told_after}"


def _refused_signal(state: State, deed: Input) -> str:
    if deed is Input.RESET:
        return "cannot reset: the cause is still present"
    if state.operator is Inactivation.ACKNOWLEDGED:
        return "already acknowledged, its audio is off"
    return f"{state.operator.words} already: resume it first"


def _next_clock(policy: Policy, state: State) -> tuple[Instant, Input] | None:
    """Return the earliest running clock and what it means; the severe one first among equals.

    The first line is for speed: most conditions have no clock at most samples.
    """
    if state.evidence is None and state.severe_evidence is None and state.until is None:
        return None
    due: list[tuple[Instant, Input]] = []
    condition = state.condition
    if state.severe_evidence is not None:
        _note(due, state.severe_evidence.due(policy.severe_delay), Input.SEVERE_DELAY_OVER)
    if condition in _WAITING and state.evidence is not None:
        _note(due, state.evidence.due(policy.delay), Input.DELAY_OVER)
    if condition is Condition.UNMEASURED and state.lost_at is not None:
        _note(due, later(state.lost_at, FORGET_AFTER), Input.FORGOTTEN)
    if state.until is not None:
        _note(due, ends_at(policy, state), _UNTIL[state.operator])
    return min(due, key=lambda each: each[0], default=None)


def _note(due: list[tuple[Instant, Input]], at: Instant | None, what: Input) -> None:
    if at is not None:
        due.append((at, what))


def _judged(
    policy: Policy, state: State, happened: Input, now: Instant, value: float | None
) -> tuple[State, tuple[Told, ...]]:
    state = _with_evidence(policy, state, happened, now)
    if happened is not Input.UNKNOWN and value is not None and value != state.value:
        state = _set(state, value=value)
    if happened is Input.BETWEEN and state.condition in _WAITING and state.evidence is None:
        happened = Input.NORMAL
    state, told = _moved(state, happened, now)
    if happened in _CROSSED and _is_worse(policy, state, value):
        state, more = _moved(state, Input.WORSE, now)
        told += more
    if state.condition is Condition.PRESENT and happened is Input.NORMAL:
        state, more = _clearing(policy, state, now)
        return state, told + more
    return (_set(state, clearing_since=None) if state.clearing_since is not None else state), told


def _with_evidence(policy: Policy, state: State, happened: Input, now: Instant) -> State:
    """Keep both delay clocks: what crosses feeds, unknown interrupts, what is past inside ends."""
    if happened is Input.UNKNOWN:
        return _unmeasured(state, now)
    is_standing, value = state.condition in _STANDING, state.value
    evidence: Evidence | None = None
    severe: Evidence | None = None
    if happened in _CROSSED and not is_standing:
        evidence = begin(state.evidence, now, policy.clear_for)
    elif happened is Input.BETWEEN and state.evidence is not None:
        patience = _patience(policy, state.evidence, policy.well, value)
        evidence = stop(state.evidence, now, patience)
    if happened is Input.SEVERE and not (state.is_severe and is_standing):
        severe = begin(state.severe_evidence, now, policy.clear_for)
    elif happened in _BETTER and state.severe_evidence is not None:
        patience = _patience(policy, state.severe_evidence, policy.severe_well, value)
        severe = stop(state.severe_evidence, now, patience)
    if evidence is state.evidence and severe is state.severe_evidence and state.lost_at is None:
        return state
    return _set(state, evidence=evidence, severe_evidence=severe, lost_at=None)


def _patience(
    policy: Policy, evidence: Evidence, edge: float | None, value: float | None
) -> Duration:
    """Return how long a reading better by less than the hysteresis may last before it ends a clock.

    A moment at the limit, come from a value well beyond it, only stops the clock; where a value
    hovers about the limit such a reading ends it at once. `value` is the one judged before.
    """
    is_moment = evidence.aside is not None or _is_beyond(policy, edge, value)
    return policy.clear_for if is_moment else Duration(0)


def _is_beyond(policy: Policy, edge: float | None, value: float | None) -> bool:
    if edge is None or value is None:
        return False
    return value < edge if policy.is_low else value > edge


def _unmeasured(state: State, now: Instant) -> State:
    """Interrupt both delay clocks."""
    if state.evidence is None and state.severe_evidence is None:
        return state
    return _set(
        state,
        evidence=interrupt(state.evidence, now),
        severe_evidence=interrupt(state.severe_evidence, now),
        lost_at=now if state.condition is Condition.CANDIDATE else state.lost_at,
    )


def _clearing(policy: Policy, state: State, now: Instant) -> tuple[State, tuple[Told, ...]]:
    since = now if state.clearing_since is None else state.clearing_since
    if now - since < policy.clear_for:
        return _set(state, clearing_since=since), ()
    latches = policy.latch is Latch.ALWAYS or (policy.latch is Latch.SEVERE and state.is_severe)
    return _moved(state, Input.CLEARED_LATCHING if latches else Input.CLEARED, now)


def _moved(state: State, happened: Input, at: Instant) -> tuple[State, tuple[Told, ...]]:
    """Look the table up and set the clocks that belong to the cell that was entered."""
    outcome = TABLE[cell_of(state), happened]
    if outcome.cell == cell_of(state) and not outcome.changes:
        return state, ()
    condition, signal, operator = outcome.cell
    moved = _set(state, condition=condition, signal=signal, operator=operator)
    moved = _settled(state, moved, happened, at)
    return moved, tuple(Told(change, at, happened, state, moved) for change in outcome.changes)


def _settled(before: State, moved: State, happened: Input, at: Instant) -> State:
    """Drop the clocks that ended with the cell that was left; start those of the one entered."""
    if moved.condition is Condition.ABSENT and moved.signal is Signal.OFF:
        return State() if moved.operator is Inactivation.NONE else _only_inactivated(moved)
    if Change.PRESENT in TABLE[cell_of(before), happened].changes:
        began = at if before.evidence is None else before.evidence.since
        unseen = before.is_severe and before.operator is not Inactivation.ACKNOWLEDGED
        moved = _set(moved, raised=at, began=began, is_severe=unseen, evidence=None)
    if happened is Input.SEVERE_DELAY_OVER:
        moved = _set(moved, is_severe=True, severe_evidence=None)
    if moved.condition not in _WAITING:
        moved = _set(moved, evidence=None, lost_at=None)
    if moved.condition is Condition.ABSENT:
        moved = _set(moved, severe_evidence=None, clearing_since=None)
    held_since = moved.held_since if before.condition is Condition.HELD else at
    moved = _set(moved, held_since=held_since if moved.condition is Condition.HELD else None)
    if moved.operator is Inactivation.NONE:
        return _set(moved, until=None, edge=None, by="", acted=None)
    if moved.operator is Inactivation.ACKNOWLEDGED and moved.condition is Condition.ABSENT:
        return _set(moved, until=None)
    return moved


def _only_inactivated(state: State) -> State:
    """Return what is left of a condition that is absent but inactivated."""
    return State(operator=state.operator, until=state.until, by=state.by, acted=state.acted)


def _acknowledged(policy: Policy, state: State, now: Instant) -> State:
    """Give an acknowledgement its end and its edge; that of a cause which is gone has neither."""
    if state.condition not in _STANDING:
        return _set(state, until=None, edge=None)
    edge = None
    if policy.envelope is not None and state.value is not None:
        edge = state.value - policy.envelope if policy.is_low else state.value + policy.envelope
    return _set(state, until=later(now, _acknowledgement_max(policy, state)), edge=edge)


def _acknowledgement_max(policy: Policy, state: State) -> Duration:
    return policy.acknowledge_severe_max if state.is_severe else policy.acknowledge_max


def _is_worse(policy: Policy, state: State, value: float | None) -> bool:
    """Say whether `value` lies beyond the edge of the acknowledgement."""
    is_acknowledged = state.operator is Inactivation.ACKNOWLEDGED
    return is_acknowledged and _is_beyond(policy, state.edge, value)
