"""One alarm condition as a pure step: (policy, state, input, now) to a new state and its changes.

Theory. A condition is three coordinates. *Condition*: absent; candidate (its limit is crossed, the
delay runs); candidate unmeasured (the same, but data vanished); present; held (present, but data
vanished: nobody knows). *Signal*: off; on; latched (the cause is gone, a person has yet to see it).
*Operator*: none; audio paused or acknowledged, which quiet one occurrence; audio off, alarm paused
or alarm off, which inactivate the condition itself, present or not. Forty-two of the ninety
combinations can occur; `TABLE` says for each of them and each input what follows. An input that is
not listed for a cell leaves it alone.

Five ideas carry the rest.

*Unknown is not normal.* `UNKNOWN` turns present into held and never ends anything. Only fresh data
past the hysteresis, for long enough, or a named person's reset, ends a condition.

*A delay is a clock plus evidence.* A candidate matures when the delay has run since its first
crossing and at least half of the delay was measured as crossed. So one artefact before a drop-out
raises nothing, a low reading that is then lost is raised (and held) at its due instant, and
drop-outs between low readings do not start the clock again. A reading better by less than the
hysteresis, come from well beyond the limit, stops the clock; it ends the candidate once it lasts as
long as it takes to end a condition. Where values hover about the limit it ends it at once. A
candidate without enough evidence is forgotten after `FORGET_AFTER` without data, when "no data"
says so instead.

*The severe band has its own clock* of at most five seconds. It makes an absent condition present at
its severe priority and escalates a present one; what a person did before ends, whatever it was, and
it signals. A priority that rose stays until the condition ends; latched and seen by nobody, it is
that of the next occurrence too.

*What is inactivated is still judged.* It becomes present, is held, ends and is told like any other;
only the signals are missing. A timed state ends at its instant, an indefinite one reminds at an
interval, all of them end by a person's deed, by a restart (only an acknowledgement is kept), and
where the organisation does not allow them in a new phase. No input of one condition is one of
another.

*Time is an input.* A clock that ran out acts at its due instant, however late we look.
"""

from enum import StrEnum
from itertools import product
from typing import Final

import msgspec

from alarms.clock import Evidence
from monitor.model.alarm import Change, Inactivation, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Duration, Instant, seconds

FORGET_AFTER: Final = seconds(30)


class Condition(StrEnum):
    """What has been decided about the cause."""

    ABSENT = "absent"
    CANDIDATE = "candidate"
    UNMEASURED = "candidate, unmeasured"
    PRESENT = "present"
    HELD = "held"


class Input(StrEnum):
    """What can happen to a condition: judgements of data, a person's deeds, clocks that ran out."""

    VIOLATED = "violated"
    SEVERE = "severe"
    BETWEEN = "between"
    NORMAL = "normal"
    UNKNOWN = "unknown"
    ACKNOWLEDGE = "acknowledge"
    PAUSE_AUDIO = "pause audio"
    TURN_AUDIO_OFF = "turn audio off"
    PAUSE_ALARM = "pause alarm"
    TURN_ALARM_OFF = "turn alarm off"
    RESUME = "resume"
    RESET = "reset"
    RESTART = "restart"
    DELAY_OVER = "delay over"
    SEVERE_DELAY_OVER = "severe delay over"
    FORGOTTEN = "forgotten"
    CLEARED = "cleared"
    CLEARED_LATCHING = "cleared, latching"
    WORSE = "worse than acknowledged"
    PAUSE_OVER = "pause over"
    ACKNOWLEDGEMENT_OVER = "acknowledgement over"
    REMINDER_DUE = "reminder due"
    NOT_ALLOWED = "no longer allowed"


JUDGEMENTS: Final = (Input.VIOLATED, Input.SEVERE, Input.BETWEEN, Input.NORMAL, Input.UNKNOWN)
INACTIVATIONS: Final = {
    Input.PAUSE_AUDIO: Inactivation.AUDIO_PAUSED,
    Input.TURN_AUDIO_OFF: Inactivation.AUDIO_OFF,
    Input.PAUSE_ALARM: Inactivation.ALARM_PAUSED,
    Input.TURN_ALARM_OFF: Inactivation.ALARM_OFF,
}
DEEDS: Final = (Input.ACKNOWLEDGE, *INACTIVATIONS, Input.RESUME, Input.RESET)


class Latch(StrEnum):
    """Which occurrences stay as latched signals once their cause is gone."""

    NEVER = "never"
    SEVERE = "severe"
    ALWAYS = "always"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the responsible organisation decided for one condition.

    `well` and `severe_well` are the values beyond which it lies well beyond the limit and well in
    the severe band: from there a moment at the limit is a moment, nearer to it a hover.
    `envelope` is how much worse, in the metric's unit, a value may become before an acknowledged
    signal returns; None means the value plays no part. Acknowledgements end after
    `acknowledge_max` (`acknowledge_severe_max` at the severe priority). `reminder` is how often an
    indefinite inactivation is reminded of.
    """

    priority: Priority
    severe_priority: Priority = Priority.HIGH
    delay: Duration = Duration(0)
    severe_delay: Duration = Duration(0)
    clear_for: Duration = Duration(0)
    latch: Latch = Latch.NEVER
    is_low: bool = False
    well: float | None = None
    severe_well: float | None = None
    envelope: float | None = None
    pause: Duration = seconds(120)
    alarm_pause: Duration = seconds(120)
    reminder: Duration = seconds(180)
    acknowledge_max: Duration = seconds(600)
    acknowledge_severe_max: Duration = seconds(120)


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one condition stands.

    `began` is the first crossing, `raised` when it became present, `edge` where "worse than
    acknowledged" begins, `value` what was judged last. `by` did at `acted` what `operator` says;
    `until` is when that ends, or when the next reminder of it is due.
    """

    condition: Condition = Condition.ABSENT
    signal: Signal = Signal.OFF
    operator: Inactivation = Inactivation.NONE
    is_severe: bool = False
    evidence: Evidence | None = None
    severe_evidence: Evidence | None = None
    began: Instant | None = None
    raised: Instant | None = None
    held_since: Instant | None = None
    lost_at: Instant | None = None
    clearing_since: Instant | None = None
    until: Instant | None = None
    edge: float | None = None
    by: str = ""
    acted: Instant | None = None
    value: float | None = None


Cell = tuple[Condition, Signal, Inactivation]


class Outcome(msgspec.Struct, frozen=True):
    """What follows from one input in one cell: the next cell, and the changes to tell, in order."""

    cell: Cell
    changes: tuple[Change, ...] = ()


class Told(msgspec.Struct, frozen=True):
    """One change, the instant it was due, the input that made it, the states around it."""

    change: Change
    at: Instant
    cause: Input
    before: State
    after: State


class Step(msgspec.Struct, frozen=True):
    """The new state and what is to be told, in order."""

    state: State
    told: tuple[Told, ...] = ()


_C, _S, _O, _I = Condition, Signal, Inactivation, Input
_ANY: Final = None
_SAME: Final = None
_DATA: Final = (_I.VIOLATED, _I.SEVERE, _I.BETWEEN, _I.NORMAL)
_CROSSED: Final = (_I.VIOLATED, _I.SEVERE)
_WAITING: Final = (_C.CANDIDATE, _C.UNMEASURED)
_STANDING: Final = (_C.PRESENT, _C.HELD)
_GIVEN: Final = (_S.ON, _S.LATCHED)
_NONE: Final = (_O.NONE,)
_PAUSED: Final = (_O.AUDIO_PAUSED,)
_ACKED: Final = (_O.ACKNOWLEDGED,)
_OF_OCCURRENCE: Final = (_O.NONE, _O.AUDIO_PAUSED, _O.ACKNOWLEDGED)
_OF_CONDITION: Final = (_O.AUDIO_OFF, _O.ALARM_PAUSED, _O.ALARM_OFF)
_ENDED_BY_RESTART: Final = (*_PAUSED, *_OF_CONDITION)
_TIMED: Final = (_O.AUDIO_PAUSED, _O.ALARM_PAUSED)
_NOT: Final = {each: tuple(other for other in _O if other is not each) for each in _O}

# Where (conditions, signals, operators), on which inputs, to what, telling what. A later row wins.
# fmt: off
# ruff: noqa: E501  (a table)
_ROWS: Final = (
    # what data say
    ((_C.ABSENT,), _ANY, _ANY, _CROSSED, (_C.CANDIDATE, _SAME, _SAME), ()),
    (_WAITING, _ANY, _ANY, _CROSSED, (_C.CANDIDATE, _SAME, _SAME), ()),
    (_WAITING, _ANY, _ANY, (_I.BETWEEN,), (_C.CANDIDATE, _SAME, _SAME), ()),
    (_WAITING, _ANY, _ANY, (_I.NORMAL,), (_C.ABSENT, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, _ANY, (_I.UNKNOWN,), (_C.UNMEASURED, _SAME, _SAME), ()),
    ((_C.UNMEASURED,), _ANY, _ANY, (_I.FORGOTTEN,), (_C.ABSENT, _SAME, _SAME), ()),
    ((_C.PRESENT,), _ANY, _ANY, (_I.UNKNOWN,), (_C.HELD, _SAME, _SAME), (Change.HELD,)),
    ((_C.HELD,), _ANY, _ANY, _DATA, (_C.PRESENT, _SAME, _SAME), (Change.UNHELD,)),
    # delays that are over: a new occurrence signals, unless the condition itself is inactivated; the severe band always does
    ((_C.CANDIDATE,), _ANY, _OF_OCCURRENCE, (_I.DELAY_OVER,), (_C.PRESENT, _S.ON, _O.NONE), (Change.PRESENT,)),
    ((_C.CANDIDATE,), _ANY, _OF_CONDITION, (_I.DELAY_OVER,), (_C.PRESENT, _S.ON, _SAME), (Change.PRESENT,)),
    ((_C.UNMEASURED,), _ANY, _OF_OCCURRENCE, (_I.DELAY_OVER,), (_C.HELD, _S.ON, _O.NONE), (Change.PRESENT, Change.HELD)),
    ((_C.UNMEASURED,), _ANY, _OF_CONDITION, (_I.DELAY_OVER,), (_C.HELD, _S.ON, _SAME), (Change.PRESENT, Change.HELD)),
    ((_C.CANDIDATE,), _ANY, _ANY, (_I.SEVERE_DELAY_OVER,), (_C.PRESENT, _S.ON, _O.NONE), (Change.PRESENT,)),
    ((_C.UNMEASURED,), _ANY, _ANY, (_I.SEVERE_DELAY_OVER,), (_C.HELD, _S.ON, _O.NONE), (Change.PRESENT, Change.HELD)),
    (_STANDING, _ANY, _ANY, (_I.SEVERE_DELAY_OVER,), (_SAME, _SAME, _O.NONE), (Change.ESCALATED,)),
    # the end of the cause
    ((_C.PRESENT,), _ANY, _OF_OCCURRENCE, (_I.CLEARED,), (_C.ABSENT, _S.OFF, _O.NONE), (Change.ENDED,)),
    ((_C.PRESENT,), _ANY, _OF_CONDITION, (_I.CLEARED,), (_C.ABSENT, _S.OFF, _SAME), (Change.ENDED,)),
    ((_C.PRESENT,), _ANY, _ANY, (_I.CLEARED_LATCHING,), (_C.ABSENT, _S.LATCHED, _SAME), (Change.LATCHED,)),
    # what a person does: to an occurrence, where there is one; to the condition, in any case
    (_ANY, _GIVEN, _OF_OCCURRENCE, (_I.ACKNOWLEDGE,), (_SAME, _SAME, _O.ACKNOWLEDGED), (Change.ACKNOWLEDGED,)),
    (_ANY, _GIVEN, (*_NONE, *_PAUSED), (_I.PAUSE_AUDIO,), (_SAME, _SAME, _O.AUDIO_PAUSED), (Change.PAUSED,)),
    (_ANY, _ANY, _NOT[_O.AUDIO_OFF], (_I.TURN_AUDIO_OFF,), (_SAME, _SAME, _O.AUDIO_OFF), (Change.PAUSED,)),
    (_ANY, _ANY, _ANY, (_I.PAUSE_ALARM,), (_SAME, _SAME, _O.ALARM_PAUSED), (Change.PAUSED,)),
    (_ANY, _ANY, _NOT[_O.ALARM_OFF], (_I.TURN_ALARM_OFF,), (_SAME, _SAME, _O.ALARM_OFF), (Change.PAUSED,)),
    (_ANY, _ANY, _NOT[_O.NONE], (_I.RESUME,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.ABSENT, *_WAITING), (_S.LATCHED,), _OF_OCCURRENCE, (_I.RESET,), (_SAME, _S.OFF, _O.NONE), (Change.RESET,)),
    ((_C.ABSENT, *_WAITING), (_S.LATCHED,), _OF_CONDITION, (_I.RESET,), (_SAME, _S.OFF, _SAME), (Change.RESET,)),
    ((_C.HELD,), _ANY, _OF_OCCURRENCE, (_I.RESET,), (_C.ABSENT, _S.OFF, _O.NONE), (Change.RESET,)),
    ((_C.HELD,), _ANY, _OF_CONDITION, (_I.RESET,), (_C.ABSENT, _S.OFF, _SAME), (Change.RESET,)),
    # what ends it without a person
    (_ANY, _ANY, _TIMED, (_I.PAUSE_OVER,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    (_STANDING, _ANY, _ACKED, (_I.ACKNOWLEDGEMENT_OVER,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.PRESENT,), _ANY, _ACKED, (_I.WORSE,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    (_ANY, _ANY, _OF_CONDITION, (_I.NOT_ALLOWED,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    # a restart: nobody watched, and of all that was done only an acknowledgement is kept
    ((_C.ABSENT, _C.UNMEASURED, _C.HELD), _ANY, _ENDED_BY_RESTART, (_I.RESTART,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.CANDIDATE,), _ANY, (*_NONE, *_ACKED), (_I.RESTART,), (_C.UNMEASURED, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, _ENDED_BY_RESTART, (_I.RESTART,), (_C.UNMEASURED, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.PRESENT,), _ANY, (*_NONE, *_ACKED), (_I.RESTART,), (_C.HELD, _SAME, _SAME), (Change.HELD,)),
    ((_C.PRESENT,), _ANY, _ENDED_BY_RESTART, (_I.RESTART,), (_C.HELD, _SAME, _O.NONE), (Change.HELD, Change.RESUMED)),
)
# fmt: on


def _can_occur(cell: Cell) -> bool:
    condition, signal, operator = cell
    if condition in _STANDING:
        return signal is Signal.ON
    if signal is Signal.ON:
        return False
    return signal is Signal.LATCHED or operator in (*_NONE, *_OF_CONDITION)


CELLS: Final = tuple(
    cell
    for cell in product(Condition, (Signal.OFF, Signal.ON, Signal.LATCHED), Inactivation)
    if _can_occur(cell)
)


def _expanded() -> dict[tuple[Cell, Input], Outcome]:
    table = {(cell, each): Outcome(cell) for cell in CELLS for each in Input}
    for conditions, signals, operators, inputs, target, changes in _ROWS:
        for cell, each in product(CELLS, inputs):
            wanted = zip(cell, (conditions, signals, operators), strict=True)
            if all(allowed is None or coordinate in allowed for coordinate, allowed in wanted):
                condition, signal, operator = target
                goal = (condition or cell[0], signal or cell[1], operator or cell[2])
                table[cell, each] = Outcome(goal, changes)
    return table


TABLE: Final = _expanded()
