"""Whole made-up sedation sessions at 1 Hz: what is found, how late, and what is left in peace."""

from collections.abc import Iterable

import pytest

from tests.alarms.sedation import EPISODES, SCENES, Session, Tally, play

SEEDS = range(24)
FOUND_MIN = 0.99
LATE_MAX_S = 10


def tally(scenes: tuple[str, ...], seeds: Iterable[int] = SEEDS) -> Tally:
    """Return what became of sessions made of these scenes."""
    sum_of_all = Tally()
    for seed in seeds:
        session = Session(seed, scenes)
        sum_of_all.take(session, play(session))
    return sum_of_all


@pytest.mark.hazard("H1")
def test_episodes_are_found_in_time_among_everything_else_that_happens() -> None:
    sum_of_all = tally(SCENES)
    episodes = sum(sum_of_all.asked[each] for each in EPISODES)
    missed = [each for each in sum_of_all.missed if each.kind in EPISODES]
    assert len(missed) <= (1 - FOUND_MIN) * episodes, missed
    late = sorted(sum_of_all.late)
    assert late[int(0.95 * len(late))] <= LATE_MAX_S
    assert sum_of_all.false == []


@pytest.mark.hazard("H3")
def test_every_gap_is_told_in_time() -> None:
    sum_of_all = tally(("gap",), range(6))
    assert sum_of_all.missed == []
    assert max(sum_of_all.late) <= LATE_MAX_S


@pytest.mark.hazard("H2")
def test_no_auto_zero_and_no_drop_out_of_the_oximeter_alarms() -> None:
    sum_of_all = tally(("auto_zero", "drop_out"))
    assert sum_of_all.asked["auto_zero"] > 50
    assert sum_of_all.false == []


def test_a_session_in_which_nothing_happens_is_silent() -> None:
    for seed in range(6):
        assert play(Session(seed, ())) == []


@pytest.mark.hazard("H2")
@pytest.mark.parametrize("seed", range(4))
def test_zeros_after_a_flat_wave_are_believed_from_the_first_one(seed: int) -> None:
    session = Session(seed, ("apnoea",))
    sum_of_all = Tally()
    sum_of_all.take(session, play(session))
    assert sum_of_all.missed == []
    assert max(sum_of_all.late) <= 1
