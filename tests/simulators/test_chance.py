"""Chance by counting: fair, repeatable, and the same in any order."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import Stream, normal, uniform, wander

SEEDS = st.integers(0, 2**63)


@given(seed=SEEDS, first=st.integers(-10_000, 10**9), size=st.integers(1, 50))
def test_a_draw_depends_on_its_own_index_alone(seed: int, first: int, size: int) -> None:
    index = np.arange(first, first + size)
    together = uniform(seed, Stream.HEART, index)
    backwards = [float(uniform(seed, Stream.HEART, np.array([i]))[0]) for i in index[::-1]]
    assert together.tolist() == backwards[::-1]
    assert ((together >= 0) & (together < 1)).all()


def test_uniform_draws_are_even_and_normal_draws_have_mean_0_and_deviation_1() -> None:
    index = np.arange(100_000)
    even = uniform(7, Stream.CUFF, index)
    counts = np.histogram(even, bins=10, range=(0, 1))[0]
    assert counts.min() > 9_700
    assert counts.max() < 10_300
    bell = normal(7, Stream.CUFF, index)
    assert abs(bell.mean()) < 0.02
    assert abs(bell.std() - 1) < 0.02


def test_streams_and_seeds_are_independent() -> None:
    index = np.arange(20_000)
    a = normal(1, Stream.HEART, index)
    for b in (normal(1, Stream.CUFF, index), normal(2, Stream.HEART, index), np.roll(a, 1)):
        assert abs(float(np.corrcoef(a, b)[0, 1])) < 0.03


@given(seed=SEEDS, every_s=st.integers(1, 600))
def test_a_wandering_value_never_jumps(seed: int, every_s: int) -> None:
    path = wander(seed, Stream.OXIMETER, np.arange(-100, 2000), every_s)
    steps = np.abs(np.diff(path))
    knots = np.abs(normal(seed, Stream.OXIMETER, np.arange(-200, 2100)))
    assert steps.max() <= 2 * knots.max() / every_s + 1e-9
