"""A cuff reading that does not come is told, by the schedule of the phase."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.limits import read_preset
from monitor.model.alarm import Priority
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import NIBP
from monitor.model.session import Deed as _Deed
from monitor.model.session import OperatorAction, Phase
from tests.alarms.score import LIMITS, PRESET_TEXT, Score, seen

LATE: Final = 660
"""Ten minutes while infusing, and the minute of grace, in seconds."""


def enter(score: Score, phase: Phase, at: float) -> None:
    action = OperatorAction(
        deed=_Deed.ENTER_PHASE, at=instant_at(at), operator="nurse-1", phase=phase
    )
    score.hear(action, at)


def cuff(score: Score, at: float, *pressures: float | None) -> None:
    for metric, value in zip(NIBP, pressures, strict=True):
        score.hear(seen(metric, value, at), at)


@pytest.mark.hazard("H9")
def test_a_skipped_cycle_of_the_cuff_is_told_a_minute_after_it_was_due() -> None:
    score = Score()
    cuff(score, 0, 120, 80, 93)
    enter(score, Phase.INFUSING, 100)
    cuff(score, 400, 125, 82, 96)
    score.wait(3000)
    assert score.lines() == [(400 + LATE, "nibp_overdue", "present", "low")]
    assert score.told[0].reason == "no cuff reading for 11 min"
    cuff(score, 3000, 125, 82, 96)
    assert score.changes("nibp_overdue")[-1] == (3000, "ended")


@pytest.mark.hazard("H9")
@pytest.mark.parametrize("pressures", [(None, None, None), (120, 130, 125)])
def test_a_reading_without_values_or_set_aside_does_not_count_as_one(
    pressures: tuple[float | None, ...],
) -> None:
    score = Score()
    cuff(score, 0, 120, 80, 93)
    enter(score, Phase.INFUSING, 100)
    cuff(score, 600, *pressures)
    score.wait(900)
    assert score.changes("nibp_overdue") == [(100 + LATE, "present")]


def test_the_clock_begins_with_the_phase_and_each_phase_has_its_own() -> None:
    score = Score()
    cuff(score, 0, 120, 80, 93)
    score.wait(5000)
    assert score.lines() == []
    enter(score, Phase.OBSERVATION, 5000)
    score.wait(5959)
    assert score.lines() == []
    score.wait(5960)
    assert score.changes("nibp_overdue") == [(5960, "present")]
    enter(score, Phase.READY, 6000)
    assert score.changes("nibp_overdue")[-1] == (6000, "ended")


def test_a_cuff_heard_without_a_value_at_the_very_instant_ends_nothing() -> None:
    score = Score()
    cuff(score, 0, 120, 80, 93)
    enter(score, Phase.INFUSING, 100)
    cuff(score, 100 + LATE, None, None, None)
    assert score.changes("nibp_overdue") == [(100 + LATE, "present")]


def test_before_any_phase_was_entered_the_schedule_counts_from_the_opening() -> None:
    score = Score(msgspec.structs.replace(LIMITS, cuff_due={Phase.SETUP: seconds(600)}))
    cuff(score, 10, None, None, None)
    score.wait(700)
    (told,) = score.told
    assert told.at == instant_at(600)


def test_a_chair_whose_cuff_was_never_heard_of_is_not_waited_for() -> None:
    score = Score()
    enter(score, Phase.INFUSING, 0)
    score.run(0, 2000, every=10, spo2=97)
    assert "nibp_overdue" not in score.standing()


def test_a_cuff_that_only_ever_says_that_it_has_nothing_is_overdue_too() -> None:
    score = Score()
    enter(score, Phase.INFUSING, 0)
    cuff(score, 10, None, None, None)
    score.wait(LATE)
    assert score.changes("nibp_overdue") == [(LATE, "present")]
    assert score.standing()["nibp_overdue"].priority is Priority.LOW


def test_a_restart_stops_no_clock_of_the_cuff() -> None:
    score = Score()
    cuff(score, 0, 120, 80, 93)
    enter(score, Phase.INFUSING, 100)
    score.restart(500)
    score.wait(1000)
    assert (100 + LATE, "present") in score.changes("nibp_overdue")


@settings(max_examples=40)
@given(st.lists(st.integers(1, 1500), max_size=10), st.integers(1, 3000))
def test_no_gap_longer_than_the_schedule_is_passed_over(gaps: list[int], after: int) -> None:
    score, at = Score(), 0
    cuff(score, 0, 120, 80, 93)
    enter(score, Phase.INFUSING, 0)
    readings = [0]
    for gap in gaps:
        at += gap
        score.wait(at)
        cuff(score, at, 120, 80, 93)
        readings.append(at)
    score.wait(at + after)
    due = [one + LATE for one, two in zip(readings, [*readings[1:], at + after + 1], strict=True)
           if two - one > LATE]  # fmt: skip
    told = [when for when, change in score.changes("nibp_overdue") if change == "present"]
    assert told == due


def test_a_cuffs_schedule_is_written_in_minutes_and_its_grace_in_seconds() -> None:
    assert read_preset(PRESET_TEXT, "ours.toml").cuff_due[Phase.INFUSING] == seconds(LATE)
