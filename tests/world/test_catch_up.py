"""A restart stands where the record stands, also where its last entries are bytes nobody judged."""

import pytest

from simulators.world import play


@pytest.mark.parametrize("seed", [2477, 2262])
def test_a_session_that_was_killed_derives_again_to_the_same_checkpoint(seed: int) -> None:
    assert play(seed).breach is None
