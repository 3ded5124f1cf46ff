"""What the simulator tests share: patients that are made once, and instants by the second."""

from collections.abc import Callable
from functools import lru_cache

import pytest

from simulators.physiology import Patient
from simulators.scenario import load


@lru_cache(maxsize=32)
def _patient(name: str, seed: int) -> Patient:
    return Patient(load(name), seed)


@pytest.fixture(scope="session")
def patient() -> Callable[[str, int], Patient]:
    """Return a maker of patients: course and seed to patient, each made once."""
    return _patient
