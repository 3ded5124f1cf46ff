"""One alarm condition as a pure step: (policy, state, input, now) to a new state and its changes.

Theory. A condition is three coordinates. *Condition*: absent; candidate (its limit is crossed, the
delay runs); candidate unmeasured (the same, but data vanished); present; held (present, but data
vanished: nobody knows). *Signal*: off; on; latched (the cause is gone, a person has yet to see it).
*Operator*: none; audio paused until an instant; acknowledged, with an edge and an end. Eighteen of
the forty-five combinations can occur; `TABLE` says for each of them and each input what follows.
An input that is not listed for a cell leaves it alone.

Four ideas carry the rest.

*Unknown is not normal.* `UNKNOWN` turns present into held and never ends anything. Only fresh data
past the hysteresis, for long enough, or a named person's reset, ends a condition.

*A delay is a clock plus evidence.* A candidate matures when the delay has run since its first
crossing and at least half of the delay was measured as crossed. So one artefact before a drop-out
raises nothing, a low reading that is then lost is raised (and held) at its due instant, and
drop-outs between low readings do not start the clock again. A candidate without enough evidence is
forgotten after `FORGET_AFTER` without data, when "no data" says so instead.

*The severe band has its own clock* of at most five seconds. It makes an absent condition present at
its severe priority and escalates a present one; what a person paused or acknowledged before sounds
again. A priority that rose stays until the condition ends.

*Time is an input.* A clock that ran out acts at its due instant, however late we look.
"""

from enum import StrEnum
from itertools import product
from typing import Final

import msgspec

from alarms.clock import Evidence
from monitor.model.alarm import Change, Priority
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


class Operator(StrEnum):
    """What a person has done about the signal."""

    NONE = "none"
    PAUSED = "audio paused"
    ACKNOWLEDGED = "acknowledged"


class Input(StrEnum):
    """What can happen to a condition: judgements of data, a person's deeds, clocks that ran out."""

    VIOLATED = "violated"
    SEVERE = "severe"
    BETWEEN = "between"
    NORMAL = "normal"
    UNKNOWN = "unknown"
    ACKNOWLEDGE = "acknowledge"
    PAUSE_AUDIO = "pause audio"
    RESUME_AUDIO = "resume audio"
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


JUDGEMENTS: Final = (Input.VIOLATED, Input.SEVERE, Input.BETWEEN, Input.NORMAL, Input.UNKNOWN)
DEEDS: Final = (Input.ACKNOWLEDGE, Input.PAUSE_AUDIO, Input.RESUME_AUDIO, Input.RESET)


class Latch(StrEnum):
    """Which occurrences stay as latched signals once their cause is gone."""

    NEVER = "never"
    SEVERE = "severe"
    ALWAYS = "always"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the responsible organisation decided for one condition.

    `envelope` is how much worse, in the metric's unit, a value may become before an acknowledged
    signal returns; None means the value plays no part. Acknowledgements end after
    `acknowledge_max` (`acknowledge_severe_max` at the severe priority).
    """

    priority: Priority
    severe_priority: Priority = Priority.HIGH
    delay: Duration = Duration(0)
    severe_delay: Duration = Duration(0)
    clear_for: Duration = Duration(0)
    latch: Latch = Latch.NEVER
    is_low: bool = False
    envelope: float | None = None
    pause: Duration = seconds(120)
    acknowledge_max: Duration = seconds(600)
    acknowledge_severe_max: Duration = seconds(120)


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one condition stands.

    `began` is the first crossing, `raised` when it became present, `edge` where "worse than
    acknowledged" begins, `value` what was judged last.
    """

    condition: Condition = Condition.ABSENT
    signal: Signal = Signal.OFF
    operator: Operator = Operator.NONE
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
    value: float | None = None


Cell = tuple[Condition, Signal, Operator]


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


_C, _S, _O, _I = Condition, Signal, Operator, Input
_ANY: Final = None
_SAME: Final = None
_DATA: Final = (_I.VIOLATED, _I.SEVERE, _I.BETWEEN, _I.NORMAL)
_CROSSED: Final = (_I.VIOLATED, _I.SEVERE)
_INSIDE: Final = (_I.BETWEEN, _I.NORMAL)
_OVER: Final = (_I.DELAY_OVER, _I.SEVERE_DELAY_OVER)
_WAITING: Final = (_C.CANDIDATE, _C.UNMEASURED)
_STANDING: Final = (_C.PRESENT, _C.HELD)
_GIVEN: Final = (_S.ON, _S.LATCHED)
_UNACKED: Final = (_O.NONE, _O.PAUSED)
_QUIETED: Final = (_O.PAUSED, _O.ACKNOWLEDGED)

# Where (conditions, signals, operators), on which inputs, to what, telling what. A later row wins.
# fmt: off
# ruff: noqa: E501  (a table)
_ROWS: Final = (
    ((_C.ABSENT,), _ANY, _ANY, _CROSSED, (_C.CANDIDATE, _SAME, _SAME), ()),
    (_WAITING, _ANY, _ANY, _CROSSED, (_C.CANDIDATE, _SAME, _SAME), ()),
    (_WAITING, _ANY, _ANY, _INSIDE, (_C.ABSENT, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, _ANY, (_I.UNKNOWN,), (_C.UNMEASURED, _SAME, _SAME), ()),
    ((_C.UNMEASURED,), _ANY, _ANY, (_I.FORGOTTEN,), (_C.ABSENT, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, _ANY, _OVER, (_C.PRESENT, _S.ON, _O.NONE), (Change.PRESENT,)),
    ((_C.UNMEASURED,), _ANY, _ANY, _OVER, (_C.HELD, _S.ON, _O.NONE), (Change.PRESENT, Change.HELD)),
    (_STANDING, _ANY, _ANY, (_I.SEVERE_DELAY_OVER,), (_SAME, _SAME, _O.NONE), (Change.ESCALATED,)),
    ((_C.PRESENT,), _ANY, _ANY, (_I.UNKNOWN,), (_C.HELD, _SAME, _SAME), (Change.HELD,)),
    ((_C.HELD,), _ANY, _ANY, _DATA, (_C.PRESENT, _SAME, _SAME), (Change.UNHELD,)),
    ((_C.PRESENT,), _ANY, _ANY, (_I.CLEARED,), (_C.ABSENT, _S.OFF, _O.NONE), (Change.ENDED,)),
    ((_C.PRESENT,), _ANY, _ANY, (_I.CLEARED_LATCHING,), (_C.ABSENT, _S.LATCHED, _SAME), (Change.LATCHED,)),
    (_ANY, _GIVEN, _ANY, (_I.ACKNOWLEDGE,), (_SAME, _SAME, _O.ACKNOWLEDGED), (Change.ACKNOWLEDGED,)),
    (_ANY, _GIVEN, _UNACKED, (_I.PAUSE_AUDIO,), (_SAME, _SAME, _O.PAUSED), (Change.PAUSED,)),
    (_ANY, _GIVEN, _QUIETED, (_I.RESUME_AUDIO,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    (_ANY, _GIVEN, (_O.PAUSED,), (_I.PAUSE_OVER,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    (_STANDING, _ANY, (_O.ACKNOWLEDGED,), (_I.ACKNOWLEDGEMENT_OVER,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.PRESENT,), _ANY, (_O.ACKNOWLEDGED,), (_I.WORSE,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.ABSENT, *_WAITING), (_S.LATCHED,), _ANY, (_I.RESET,), (_SAME, _S.OFF, _O.NONE), (Change.RESET,)),
    ((_C.HELD,), _ANY, _ANY, (_I.RESET,), (_C.ABSENT, _S.OFF, _O.NONE), (Change.RESET,)),
    ((_C.CANDIDATE,), _ANY, _UNACKED[:1], (_I.RESTART,), (_C.UNMEASURED, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, (_O.ACKNOWLEDGED,), (_I.RESTART,), (_C.UNMEASURED, _SAME, _SAME), ()),
    ((_C.CANDIDATE,), _ANY, (_O.PAUSED,), (_I.RESTART,), (_C.UNMEASURED, _SAME, _O.NONE), (Change.RESUMED,)),
    ((_C.PRESENT,), _ANY, (_O.NONE, _O.ACKNOWLEDGED), (_I.RESTART,), (_C.HELD, _SAME, _SAME), (Change.HELD,)),
    ((_C.PRESENT,), _ANY, (_O.PAUSED,), (_I.RESTART,), (_C.HELD, _SAME, _O.NONE), (Change.HELD, Change.RESUMED)),
    ((_C.ABSENT, _C.UNMEASURED, _C.HELD), _ANY, (_O.PAUSED,), (_I.RESTART,), (_SAME, _SAME, _O.NONE), (Change.RESUMED,)),
)
# fmt: on


def _can_occur(cell: Cell) -> bool:
    condition, signal, operator = cell
    if condition in _STANDING:
        return signal is Signal.ON
    return signal is Signal.LATCHED or (signal is Signal.OFF and operator is Operator.NONE)


CELLS: Final = tuple(
    cell
    for cell in product(Condition, (Signal.OFF, Signal.ON, Signal.LATCHED), Operator)
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
