"""Two hundred simulated sessions, each with troubles of its own: every law holds in every one."""

import pytest

from simulators.world import play, report

PER_TEST = 10


@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(20))
def test_every_law_holds_in_every_session(block: int) -> None:
    for seed in range(block * PER_TEST, (block + 1) * PER_TEST):
        played = play(seed)
        assert played.breach is None, report(played)
        assert played.counts["heard"] > 0
