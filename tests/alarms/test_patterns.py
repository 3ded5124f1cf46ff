"""Trends and compounds: at which value a part holds, what is said, what a restart keeps."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.limits import read_preset
from alarms.system import AlarmSystem
from monitor.model.alarm import Change
from monitor.model.metric import NIBP
from tests.alarms.score import PATTERNS, PRESET_TEXT, Score

START: Final = 60


def compound(parts: str) -> Score:
    """Return a score with one pattern of these parts, told after ten seconds."""
    head = PATTERNS[: PATTERNS.index("parts = [")]
    return Score(read_preset(f"{PRESET_TEXT}{head}parts = [ {parts} ]\n", "ours.toml"))


@given(st.integers(90, 96), st.integers(60, 66))
def test_below_and_above_hold_beyond_their_amount_and_not_at_it(spo2: int, pulse: int) -> None:
    score = compound(
        '{ metric = "spo2", kind = "below", amount = 93 }, '
        '{ metric = "pulse_rate", kind = "above", amount = 63 }'
    )
    score.run(0, 12, spo2=spo2, pulse_rate=pulse)
    is_told = spo2 < 93 and pulse > 63
    assert ("hypoventilation" in score.standing()) == is_told
    if is_told:
        said = score.first("hypoventilation", Change.PRESENT).reason
        assert said == (f"spo2 below 93 (now {spo2}) and pulse_rate above 63 (now {pulse})")


@given(st.integers(0, 8), st.integers(0, 12))
def test_falls_and_rises_hold_from_their_amount_on(fall: int, rise: int) -> None:
    score = Score(read_preset(PRESET_TEXT + PATTERNS, "ours.toml"))
    score.run(0, START, resp_rate=20, etco2=35)
    score.run(START, START + 12, resp_rate=20 - fall, etco2=35 + rise)
    is_told = fall >= 4 and rise >= 8
    assert ("hypoventilation" in score.standing()) == is_told
    if is_told:
        said = score.first("hypoventilation", Change.PRESENT).reason
        assert said == (f"resp_rate falls 4 (now {20 - fall}) and etco2 rises 8 (now {35 + rise})")


@pytest.mark.parametrize("metric", ["etco2", "pulse_rate"])
def test_what_was_never_there_is_not_lost(metric: str) -> None:
    score = compound(
        '{ metric = "spo2", kind = "below", amount = 93 }, '
        f'{{ metric = "{metric}", kind = "lost" }}'
    )
    score.run(0, 30, spo2=91)
    assert score.changes("hypoventilation") == []
    score.run(30, 32, spo2=91, **{metric: 50})
    score.run(32, 80, spo2=91)
    assert score.changes("hypoventilation") == [(51, "present")]
    said = score.first("hypoventilation", Change.PRESENT).reason
    assert said == f"spo2 below 93 (now 91) and {metric} lost"


def test_a_trend_goes_on_in_a_system_that_was_stored() -> None:
    score = Score(read_preset(PRESET_TEXT + PATTERNS, "ours.toml"))
    score.run(0, START, resp_rate=20, etco2=35)
    score.system = AlarmSystem.restore(score.limits, score.system.save())
    score.run(START, START + 12, resp_rate=12, etco2=45)
    assert score.changes("hypoventilation") == [(START + 10, "present")]


@pytest.mark.parametrize(("eight_s", "two_s"), [(30, 120), (120, 30)])
def test_two_trends_of_one_metric_keep_what_the_longer_one_needs(eight_s: int, two_s: int) -> None:
    score = compound(
        f'{{ metric = "etco2", kind = "rises", amount = 8, window_s = {eight_s} }}, '
        f'{{ metric = "etco2", kind = "rises", amount = 2, window_s = {two_s} }}'
    )
    for second in range(100):
        score.see(second, etco2=30 + second / 10, resp_rate=14)
    assert ("hypoventilation" in score.standing()) == (eight_s == 120)


@pytest.mark.hazard("H3")
def test_a_trend_is_held_when_its_numbers_grow_old_and_none_goes_on_across_the_gap() -> None:
    limits = read_preset(PRESET_TEXT + PATTERNS, "ours.toml")
    score = Score(limits)
    score.run(0, START, resp_rate=14, etco2=38)
    score.run(START, START + 20, resp_rate=9, etco2=47)
    score.wait(200)
    assert score.changes("hypoventilation") == [(START + 10, "present"), (START + 29, "held")]
    score = Score(limits)
    score.run(0, START, resp_rate=14, etco2=38)
    score.wait(START + 15)
    score.run(START + 15, START + 40, resp_rate=9, etco2=47)
    assert score.changes("hypoventilation") == []


def test_a_trend_of_pressures_is_judged_with_each_reading() -> None:
    score = compound('{ metric = "nibp_sys", kind = "rises", amount = 40, window_s = 600 }')
    for at, pressures in ((10, (110, 70, 83)), (300, (155, 90, 110))):
        for metric, value in zip(NIBP, pressures, strict=True):
            score.see(at, **{metric: value})
    score.wait(400)
    assert score.changes("hypoventilation") == [(310, "present")]
