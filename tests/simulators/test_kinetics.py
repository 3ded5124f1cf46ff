"""The solver against the reference curve: 35 mg in 40 min, 70 kg."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.kinetics import Kinetics

REFERENCE = {
    5: (155, 50),
    10: (182, 97),
    20: (210, 162),
    30: (227, 199),
    40: (240, 221),
    45: (91, 181),
    50: (71, 141),
    60: (55, 90),
    80: (46, 54),
    120: (36, 38),
    240: (17, 19),
}


def curve(weight_kg: float, dose_mg: float, over_min: float) -> dict[int, tuple[float, float]]:
    """Return (plasma, effect) at each whole minute of four hours."""
    kinetics = Kinetics(weight_kg)
    reached = {}
    for s in range(240 * 60):
        kinetics.advance(dose_mg / over_min if s < over_min * 60 else 0.0)
        if (s + 1) % 60 == 0:
            reached[(s + 1) // 60] = (kinetics.plasma_ng_ml, kinetics.effect_ng_ml)
    return reached


def test_the_solver_follows_the_reference_curve_within_2_percent_or_half_a_unit() -> None:
    reached = curve(70, 35, 40)
    for minute, (plasma, effect) in REFERENCE.items():
        assert reached[minute][0] == pytest.approx(plasma, rel=0.02, abs=0.5)
        assert reached[minute][1] == pytest.approx(effect, rel=0.02, abs=0.55)


def test_a_dose_run_in_at_ten_times_the_rate_peaks_where_the_reference_says() -> None:
    kinetics = Kinetics(70)
    for _ in range(4 * 60):
        kinetics.advance(35 / 4)
    assert kinetics.plasma_ng_ml == pytest.approx(1479, rel=0.02)


def test_96_hours_at_0_6_mg_per_kg_and_hour_settle_at_362_ng_ml() -> None:
    kinetics = Kinetics(70, step_s=60)
    for _ in range(24 * 60):
        kinetics.advance(0.6 * 70 / 60)
    assert kinetics.plasma_ng_ml == pytest.approx(362, rel=0.02)


@settings(max_examples=25, deadline=None)
@given(step_s=st.sampled_from([1.0, 2.0, 5.0, 20.0, 60.0]), rate=st.floats(0, 50))
def test_the_size_of_a_step_does_not_matter(step_s: float, rate: float) -> None:
    fine, coarse = Kinetics(70, 1.0), Kinetics(70, step_s)
    for _ in range(300):
        fine.advance(rate)
    for _ in range(int(300 / step_s)):
        coarse.advance(rate)
    assert coarse.plasma_ng_ml == pytest.approx(fine.plasma_ng_ml, rel=1e-6, abs=1e-9)
    assert coarse.effect_ng_ml == pytest.approx(fine.effect_ng_ml, rel=1e-6, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(weight_kg=st.floats(30, 250), factor=st.floats(0.1, 10))
def test_concentration_goes_with_dose_per_kilogram(weight_kg: float, factor: float) -> None:
    one, more = Kinetics(weight_kg), Kinetics(weight_kg * factor)
    for _ in range(120):
        one.advance(weight_kg * 0.01)
        more.advance(weight_kg * factor * 0.01)
    assert more.plasma_ng_ml == pytest.approx(one.plasma_ng_ml, rel=1e-9)
