"""Many made-up capnographs, each with other habits: what is found, how late, what is left alone."""

import pytest

from tests.alarms.capnograph import KINDS, Capnograph
from tests.alarms.capnograph_tally import EPISODES, Tally, play

FOUND_MIN = 0.99
LATE_MAX_S = 10
APNOEA_LATE_MAX_S = 45


def tally(kinds: tuple[str, ...], seeds: range) -> Tally:
    """Return what became of the sessions of these seeds."""
    sum_of_all = Tally()
    for seed in seeds:
        session = Capnograph(seed, kinds)
        sum_of_all.take(seed, session, play(session))
    return sum_of_all


@pytest.mark.hazard("H1")
@pytest.mark.hazard("H2")
def test_whatever_the_capnograph_does_episodes_are_found_and_zeroing_is_left_alone() -> None:
    found = tally(KINDS, range(30))
    episodes = sum(found.asked[each] for each in EPISODES)
    missed = [each for each in found.missed if each.what in EPISODES]
    assert episodes > 100
    assert len(missed) <= (1 - FOUND_MIN) * episodes, missed
    late = sorted(each for name in EPISODES for each in found.late[name])
    assert late[int(0.95 * len(late))] <= LATE_MAX_S
    assert found.asked["zeroing"] > 100
    assert len(found.false) <= found.asked["zeroing"] / 100, found.false
    assert [each for each in found.missed if each.what in {"gap", "apnoea"}] == []


def test_a_capnograph_that_only_zeroes_itself_alarms_nobody() -> None:
    found = tally(("zeroing",), range(100, 112))
    assert found.asked["zeroing"] > 60
    assert found.false == []


@pytest.mark.hazard("H1")
def test_an_apnoea_is_told_whatever_the_device_prints() -> None:
    found = tally(("apnoea", "apnoea_into_zeroing", "zeroing_into_apnoea"), range(200, 210))
    assert found.missed == []
    assert max(found.late["apnoea"]) <= APNOEA_LATE_MAX_S


def test_a_session_of_rest_is_silent() -> None:
    for seed in range(300, 306):
        assert play(Capnograph(seed, ())) == []
