"""The table itself: listed, read, complete, and held to what no history may do."""

from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from alarms import step as stepping
from alarms.condition import (
    CELLS,
    DEEDS,
    INACTIVATIONS,
    JUDGEMENTS,
    TABLE,
    Cell,
    Condition,
    Input,
    Latch,
    Outcome,
    Policy,
    State,
)
from alarms.tables import listing, page
from monitor.model.alarm import INDEFINITE, Change, Inactivation, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, seconds

GOLDEN: Final = Path(__file__).parent / "golden" / "transitions.txt"
PAGE: Final = Path(__file__).parents[2] / "docs" / "generated" / "alarm-table.md"
STANDING: Final = frozenset({Condition.PRESENT, Condition.HELD})
WAITING: Final = frozenset({Condition.CANDIDATE, Condition.UNMEASURED})
ENDINGS: Final = frozenset({Input.CLEARED, Input.CLEARED_LATCHING})
ALL_PAIRS: Final = sorted(TABLE, key=str)
OF_CONDITION: Final = frozenset(
    {Inactivation.AUDIO_OFF, Inactivation.ALARM_PAUSED, Inactivation.ALARM_OFF}
)
TIMED: Final = frozenset({Inactivation.AUDIO_PAUSED, Inactivation.ALARM_PAUSED})


def test_every_pair_is_as_it_was_read() -> None:
    assert listing() == GOLDEN.read_text()


def test_the_page_for_people_is_fresh() -> None:
    assert page() == PAGE.read_text()


def test_every_pair_leads_to_a_cell_that_can_occur() -> None:
    assert len(TABLE) == len(CELLS) * len(Input)
    assert {outcome.cell for outcome in TABLE.values()} <= set(CELLS)


def is_audible(cell: Cell) -> bool:
    return cell[1] is not Signal.OFF and cell[2] is Inactivation.NONE


@pytest.mark.hazard("H6")
def test_a_signal_falls_silent_only_by_a_person_or_the_end_of_its_cause() -> None:
    for pair in ALL_PAIRS:
        cell, happened = pair
        if is_audible(cell) and not is_audible(TABLE[pair].cell):
            assert happened in {*DEEDS, *ENDINGS}


@pytest.mark.hazard("H6")
def test_only_a_deed_inactivates_and_it_does_what_it_is_named_after() -> None:
    for pair in ALL_PAIRS:
        before, after = pair[0][2], TABLE[pair].cell[2]
        if after not in {before, Inactivation.NONE}:
            assert after is {**INACTIVATIONS, Input.ACKNOWLEDGE: Inactivation.ACKNOWLEDGED}[pair[1]]


@pytest.mark.hazard("H3")
def test_unknown_ends_nothing() -> None:
    for cell in CELLS:
        outcome = TABLE[cell, Input.UNKNOWN]
        assert (outcome.cell[0] in STANDING) == (cell[0] in STANDING)
        assert outcome.cell[1:] == cell[1:]


def test_a_standing_condition_ends_only_when_cleared_or_reset_unmeasured() -> None:
    for pair in ALL_PAIRS:
        cell, happened = pair
        if cell[0] in STANDING and TABLE[pair].cell[0] not in STANDING:
            is_reset = happened is Input.RESET and cell[0] is Condition.HELD
            assert happened in ENDINGS or is_reset


@pytest.mark.hazard("H6")
def test_what_becomes_standing_is_told_and_audible_unless_the_condition_was_inactivated() -> None:
    for pair in ALL_PAIRS:
        cell, outcome = pair[0], TABLE[pair]
        if cell[0] not in STANDING and outcome.cell[0] in STANDING:
            assert outcome.changes[0] is Change.PRESENT
            is_known = cell[2] in OF_CONDITION and pair[1] is Input.DELAY_OVER
            assert is_audible(outcome.cell) != is_known


@pytest.mark.hazard("H6")
def test_the_severe_band_signals_whatever_was_done_before() -> None:
    for cell in CELLS:
        if cell[0] is not Condition.ABSENT:
            assert is_audible(TABLE[cell, Input.SEVERE_DELAY_OVER].cell)


def test_every_change_of_signal_or_operator_is_told() -> None:
    for pair in ALL_PAIRS:
        cell, outcome = pair[0], TABLE[pair]
        if outcome.cell[1:] != cell[1:]:
            assert outcome.changes


def test_a_person_can_end_every_state_early() -> None:
    for cell in CELLS:
        outcome = TABLE[cell, Input.RESUME]
        assert outcome.cell == (*cell[:2], Inactivation.NONE)
        assert bool(outcome.changes) == (cell[2] is not Inactivation.NONE)


def test_after_a_restart_only_an_acknowledgement_is_in_force() -> None:
    for cell in CELLS:
        kept = cell[2] if cell[2] is Inactivation.ACKNOWLEDGED else Inactivation.NONE
        assert TABLE[cell, Input.RESTART].cell[2] is kept


def test_nothing_but_a_present_signal_is_acknowledged_or_has_its_audio_paused() -> None:
    for cell in CELLS:
        if cell[1] is Signal.OFF:
            for deed in (Input.ACKNOWLEDGE, Input.PAUSE_AUDIO, Input.RESET):
                assert TABLE[cell, deed] == Outcome(cell)


ACKED: Final = frozenset({Inactivation.ACKNOWLEDGED})
ALL_CONDITIONS: Final = frozenset(Condition)
ALL_OPERATORS: Final = frozenset(Inactivation)
CLOCKS: Final = {
    Input.DELAY_OVER: (WAITING, ALL_OPERATORS),
    Input.SEVERE_DELAY_OVER: (WAITING | STANDING, ALL_OPERATORS),
    Input.FORGOTTEN: ({Condition.UNMEASURED}, ALL_OPERATORS),
    Input.CLEARED: ({Condition.PRESENT}, ALL_OPERATORS),
    Input.CLEARED_LATCHING: ({Condition.PRESENT}, ALL_OPERATORS),
    Input.WORSE: ({Condition.PRESENT, Condition.CANDIDATE}, ACKED),
    Input.ACKNOWLEDGEMENT_OVER: (STANDING, ACKED),
    Input.PAUSE_OVER: (ALL_CONDITIONS, TIMED),
    Input.REMINDER_DUE: (ALL_CONDITIONS, INDEFINITE),
}


def can_come_about(cell: Cell, happened: Input) -> bool:
    """Say whether this input can come about in that cell; said without the table."""
    conditions, operators = CLOCKS.get(happened, (ALL_CONDITIONS, ALL_OPERATORS))
    return cell[0] in conditions and cell[2] in operators


class Seen(dict[tuple[Cell, Input], Outcome]):
    """The table, remembering which of its pairs were looked up."""

    def __init__(self) -> None:
        super().__init__(TABLE)
        self.looked_up: set[tuple[Cell, Input]] = set()

    def __getitem__(self, pair: tuple[Cell, Input]) -> Outcome:
        self.looked_up.add(pair)
        return super().__getitem__(pair)


LATCHING: Final = Policy(
    priority=Priority.MEDIUM,
    delay=seconds(3),
    severe_delay=seconds(2),
    latch=Latch.SEVERE,
    is_low=True,
    envelope=1.0,
    pause=seconds(2),
    alarm_pause=seconds(4),
    reminder=seconds(7),
    acknowledge_max=seconds(4),
    acknowledge_severe_max=seconds(4),
)
ALWAYS: Final = msgspec.structs.replace(LATCHING, latch=Latch.ALWAYS, acknowledge_max=seconds(6))
PATIENT: Final = msgspec.structs.replace(
    ALWAYS,
    delay=seconds(10),
    severe_delay=seconds(5),
    clear_for=seconds(5),
    well=89.0,
    severe_well=82.0,
    pause=seconds(90),
    alarm_pause=seconds(90),
    reminder=seconds(40),
)
VALUES: Final = {Input.VIOLATED: 88.0, Input.SEVERE: 80.0, Input.NORMAL: 97.0, Input.BETWEEN: 90.0}


def happen(policy: Policy, state: State, happened: Input, now: Instant) -> State:
    """Let one thing happen, by the function that lets it; nothing is set by hand."""
    if happened in JUDGEMENTS:
        value = VALUES.get(happened)
        return stepping.step(policy, state, happened, now, value=value).state
    before = stepping.mature(policy, state, now).state
    expected = TABLE[stepping.cell_of(before), happened]
    match happened:
        case Input.RESTART:
            return stepping.restart(policy, state, Instant(now - 1), now).state
        case Input.NOT_ALLOWED:
            taken = stepping.disallow(policy, before, now)
        case _:
            taken = stepping.act(policy, before, happened, now, "nurse-1")
    assert stepping.cell_of(taken.state) == expected.cell
    assert tuple(each.change for each in taken.told) == expected.changes
    return taken.state


FROM_OUTSIDE: Final = (*JUDGEMENTS, *JUDGEMENTS, *DEEDS, Input.RESTART, Input.NOT_ALLOWED)


def explore(policy: Policy, chance: Random, count: int) -> None:
    """Go on `count` times from something that was reached before, to reach something new."""
    reached: dict[Cell, tuple[State, Instant]] = {CELLS[0]: (State(), Instant(0))}
    for _ in range(count):
        state, at = reached[chance.choice(tuple(reached))]
        for _ in range(chance.choice((1, 2, 4))):
            at = Instant(at + seconds(chance.choice((0.5, 1, 2, 5, 8, 31))))
            state = happen(policy, state, chance.choice(FROM_OUTSIDE), at)
            reached[stepping.cell_of(state)] = (state, at)


def test_every_pair_is_reached_through_the_functions_or_cannot_come_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Seen()
    monkeypatch.setattr(stepping, "TABLE", seen)
    for policy in (LATCHING, ALWAYS, PATIENT):
        explore(policy, Random(1), 20_000)
    possible = {pair for pair in TABLE if can_come_about(*pair)}
    assert possible <= seen.looked_up, possible - seen.looked_up
    assert seen.looked_up <= possible, seen.looked_up - possible


def test_a_pair_that_cannot_come_about_does_nothing() -> None:
    idle = {pair for pair in TABLE if not can_come_about(*pair)}
    assert all(TABLE[pair] == Outcome(pair[0]) for pair in idle)
