"""The sitting's phases, minutes and planned dose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.instant import Instant, instant_at
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.session.sitting import NEXT, Plan, Sitting

PLAN = Plan("ketamine IV", 35.0, 40.0)


def _enter(phase: Phase, at: Instant) -> OperatorAction:
    return OperatorAction(deed=Deed.ENTER_PHASE, at=at, operator="nurse", phase=phase)


def _walk(*steps: tuple[Phase, float]) -> Sitting:
    sitting = Sitting(PLAN)
    for phase, minute in steps:
        action = _enter(phase, instant_at(minute * 60))
        assert not sitting.refusal(action)
        sitting = sitting.accept(action, action.at)
    return sitting


_STEPS = st.lists(st.tuples(st.sampled_from(list(Phase)), st.integers(1, 3600)), max_size=30)


@given(_STEPS)
def test_only_the_table_moves_the_sitting_and_the_dose_never_shrinks_nor_exceeds_the_plan(
    steps: list[tuple[Phase, int]],
) -> None:
    sitting, now, dose = Sitting(PLAN), 0, 0.0
    for phase, wait_s in steps:
        now += wait_s
        before = sitting.phase
        sitting = sitting.accept(_enter(phase, instant_at(now)), instant_at(now))
        assert sitting.phase is (phase if phase in NEXT[before] else before)
        given_mg = sitting.snapshot(instant_at(now)).dose_given_mg or 0.0
        assert dose <= given_mg <= 35.0
        dose = given_mg


def test_a_pause_stops_minute_and_dose() -> None:
    steps = ((Phase.BASELINE, 0.0), (Phase.INFUSING, 5.0), (Phase.PAUSED, 15.0))
    paused = _walk(*steps).snapshot(instant_at(25 * 60))
    assert paused.infusion_minute == pytest.approx(10)
    assert paused.dose_given_mg == pytest.approx(8.75)
    again = _walk(*steps, (Phase.INFUSING, 25.0)).snapshot(instant_at(35 * 60))
    assert again.infusion_minute == pytest.approx(20)


def test_a_refused_phase_names_the_ways_that_are_open() -> None:
    refused = Sitting(PLAN).refusal(_enter(Phase.INFUSING, instant_at(1)))
    assert "baseline" in refused


def test_every_phase_has_a_row_in_the_table() -> None:
    assert set(NEXT) == set(Phase)
