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
    JUDGEMENTS,
    TABLE,
    Cell,
    Condition,
    Input,
    Latch,
    Operator,
    Outcome,
    Policy,
    State,
)
from alarms.tables import listing, page
from monitor.model.alarm import Change, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, instant_at, seconds

GOLDEN: Final = Path(__file__).parent / "golden" / "transitions.txt"
PAGE: Final = Path(__file__).parents[2] / "docs" / "generated" / "alarm-table.md"
STANDING: Final = frozenset({Condition.PRESENT, Condition.HELD})
ENDINGS: Final = frozenset({Input.CLEARED, Input.CLEARED_LATCHING})
ALL_PAIRS: Final = sorted(TABLE, key=str)
OFTEN: Final = (*DEEDS, Input.PAUSE_AUDIO, Input.PAUSE_AUDIO, Input.PAUSE_AUDIO)


def test_every_pair_is_as_it_was_read() -> None:
    assert listing() == GOLDEN.read_text()


def test_the_page_for_people_is_fresh() -> None:
    assert page() == PAGE.read_text()


def test_every_pair_leads_to_a_cell_that_can_occur() -> None:
    assert len(TABLE) == len(CELLS) * len(Input)
    assert {outcome.cell for outcome in TABLE.values()} <= set(CELLS)


def is_audible(cell: Cell) -> bool:
    return cell[1] is not Signal.OFF and cell[2] is Operator.NONE


@pytest.mark.hazard("H6")
def test_a_signal_falls_silent_only_by_a_person_or_the_end_of_its_cause() -> None:
    for pair in ALL_PAIRS:
        cell, happened = pair
        if is_audible(cell) and not is_audible(TABLE[pair].cell):
            assert happened in {*DEEDS, *ENDINGS}


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


def test_what_becomes_standing_is_told_and_audible() -> None:
    for pair in ALL_PAIRS:
        cell, outcome = pair[0], TABLE[pair]
        if cell[0] not in STANDING and outcome.cell[0] in STANDING:
            assert outcome.changes[0] is Change.PRESENT
            assert is_audible(outcome.cell)


def test_every_change_of_signal_or_operator_is_told() -> None:
    for pair in ALL_PAIRS:
        cell, outcome = pair[0], TABLE[pair]
        if outcome.cell[1:] != cell[1:]:
            assert outcome.changes


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
    acknowledge_max=seconds(4),
    acknowledge_severe_max=seconds(4),
)
ALWAYS: Final = Policy(
    priority=Priority.MEDIUM,
    delay=seconds(3),
    severe_delay=seconds(2),
    latch=Latch.ALWAYS,
    is_low=True,
    envelope=1.0,
    pause=seconds(2),
    acknowledge_max=seconds(6),
)
PATIENT: Final = msgspec.structs.replace(
    ALWAYS, delay=seconds(10), severe_delay=seconds(5), pause=seconds(90)
)
VALUES: Final = {Input.VIOLATED: 88.0, Input.SEVERE: 80.0, Input.NORMAL: 97.0, Input.BETWEEN: 90.0}


def walk(policy: Policy, chance: Random, steps: int) -> None:
    """Take a condition through one history of judgements, deeds, waits and restarts."""
    state, second = State(), 0.0
    for _ in range(steps):
        second += chance.choice((0.5, 1, 2, 5, 31))
        now = instant_at(second)
        match chance.randrange(4):
            case 0 | 1:
                each = chance.choice(JUDGEMENTS)
                state = stepping.step(policy, state, each, now, value=VALUES.get(each)).state
            case 2:
                state = stepping.act(policy, state, chance.choice(OFTEN), now, "nurse-1").state
            case _:
                stopped = Instant(now - 1)
                state = stepping.restart(policy, state, stopped, now).state


def test_every_pair_that_does_something_is_reached_by_a_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Seen()
    monkeypatch.setattr(stepping, "TABLE", seen)
    for policy in (LATCHING, ALWAYS, PATIENT):
        for seed in range(2000):
            walk(policy, Random(seed), 30)
    does_something = {
        (cell, each) for (cell, each), outcome in TABLE.items() if outcome != Outcome(cell)
    }
    assert does_something <= seen.looked_up, does_something - seen.looked_up
