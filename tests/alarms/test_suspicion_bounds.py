"""Where exactly a suspicion begins and ends: at which value, after how many seconds, with what."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alarms.limits import read_preset
from monitor.model.alarm import Change
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, PRESET_TEXT, Score


@pytest.mark.hazard("H9")
@given(
    st.sampled_from([0.0, 2.4, 2.5, 5.0, 9.0, 9.1, 20.0]),
    st.sampled_from([0.0, 5.0, 5.9, 6.0, 14.0]),
)
def test_a_unit_slipped_is_a_value_from_2_5_to_9_beside_six_breaths(
    co2: float, rate: float
) -> None:
    score = Score()
    score.run(0, 32, etco2=co2, resp_rate=rate)
    is_slipped = 2.5 <= co2 <= 9 and rate >= 6
    assert ("etco2_unit" in score.standing()) == is_slipped
    if is_slipped:
        said = score.first("etco2_unit", Change.PRESENT).reason
        assert said == f"EtCO2 {co2:g} beside {rate:g} breaths: kPa, or a leak?"


@given(st.integers(20, 140), st.integers(20, 140))
@example(85, 70)
@example(48, 80)
@example(32, 80)
@example(49, 80)
def test_two_rates_differ_by_more_than_fifteen_and_half_is_half_within_a_tenth(
    pulse: int, heart: int
) -> None:
    score = Score()
    score.run(0, 12, pulse_rate=pulse, heart_rate=heart)
    is_told = "rates_differ" in score.standing()
    assert is_told == (abs(pulse - heart) > 15)
    if is_told:
        said = score.first("rates_differ", Change.PRESENT).reason
        is_half = abs(10 * pulse - 5 * heart) <= heart
        guess = ": half counted?" if is_half else ""
        assert said == f"pulse {pulse}, heart rate {heart}{guess}"


@pytest.mark.parametrize("silent", ["pulse_rate", "heart_rate"])
def test_rates_are_compared_only_while_both_are_there(silent: str) -> None:
    score = Score()
    score.see(0, pulse_rate=70, heart_rate=72)
    other = "heart_rate" if silent == "pulse_rate" else "pulse_rate"
    score.see(1, **{silent: None, other: 100})
    score.run(2, 40, **{other: 100})
    assert score.changes("rates_differ") == []


@pytest.mark.parametrize("silent", ["etco2", "resp_rate"])
def test_a_unit_is_judged_only_while_breaths_and_value_are_there(silent: str) -> None:
    score = Score()
    score.see(0, etco2=38 if silent == "resp_rate" else 5, resp_rate=14)
    other, value = ("resp_rate", 14) if silent == "etco2" else ("etco2", 5)
    score.see(1, **{silent: None, other: value})
    score.run(2, 60, **{other: value})
    assert score.changes("etco2_unit") == []


@pytest.mark.parametrize(("first", "second"), [("spo2", "pulse_rate"), ("etco2", "resp_rate")])
def test_frozen_counts_from_the_last_change_of_either(first: str, second: str) -> None:
    alarm = "frozen_oximeter" if first == "spo2" else "frozen_co2"
    normal = {"spo2": 97.0, "pulse_rate": 70.0, "etco2": 38.0, "resp_rate": 14.0}
    for moves in (first, second):
        still = second if moves == first else first
        score = Score()
        score.run(0, 50, **{still: normal[still], moves: normal[moves] - 1})
        score.run(50, 400, **{still: normal[still], moves: normal[moves]})
        assert score.lines() == [(350, alarm, "present", "medium")]
        assert score.first(alarm, Change.PRESENT).reason == "not one number has changed"
        score.run(400, 402, **{still: normal[still] + 1, moves: normal[moves]})
        assert score.changes(alarm)[-1] == (400, "ended")


@pytest.mark.parametrize("metric", ["spo2", "pulse_rate"])
def test_half_an_oximeter_is_not_frozen(metric: str) -> None:
    score = Score()
    score.run(0, 700, **{metric: 90 if metric == "spo2" else 70})
    assert score.changes("frozen_oximeter") == []


def test_a_source_that_speaks_seldom_is_not_frozen() -> None:
    score = Score()
    score.run(0, 1200, every=60, spo2=97, pulse_rate=70)
    assert score.changes("frozen_oximeter") == []


def test_a_number_that_stopped_coming_is_not_frozen_and_neither_is_the_other() -> None:
    score = Score()
    score.run(0, 290, spo2=97, pulse_rate=70)
    score.run(290, 400, spo2=97)
    assert score.changes("frozen_oximeter") == []


# -- a cuff


def inflated(perfusion: float | None = None, *, low: float = 86, until: int = 200) -> Score:
    """Return a score in which a cuff inflates at 60 s and the saturation reads low from then on."""
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70, perfusion_index=4)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, until, spo2=low, pulse_rate=70, perfusion_index=perfusion)
    return score


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(
    ("perfusion", "is_sign"), [(0.0, True), (0.29, True), (0.3, False), (2.0, False), (None, False)]
)
def test_perfusion_below_its_limit_is_a_sign_of_a_cuff(
    perfusion: float | None, *, is_sign: bool
) -> None:
    score = inflated(perfusion)
    assert ("cuff_on_probe_arm" in {each.alarm for each in score.told}) == is_sign
    assert score.changes("spo2_low")[0][0] == (130 if is_sign else 70)
    if is_sign:
        said = score.first("cuff_on_probe_arm", Change.PRESENT).reason
        assert said == "the pulse is gone while the cuff is inflated"


@pytest.mark.hazard("H13")
def test_perfusion_that_goes_while_the_cuff_is_already_filling_is_a_sign_too() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70, perfusion_index=4)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 65, spo2=97, pulse_rate=70, perfusion_index=4)
    score.run(65, 70, spo2=97, pulse_rate=70, perfusion_index=0.1)
    assert score.changes("cuff_on_probe_arm") == [(65, "present")]


@pytest.mark.hazard("H13")
def test_a_cuff_that_is_empty_explains_for_as_long_as_an_oximeter_averages() -> None:
    score = inflated(0.1, until=75)
    score.notice(NoticeKind.CUFF_INFLATING, 75, present=False)
    score.run(75, 120, spo2=86, pulse_rate=70, perfusion_index=0.1)
    assert score.changes("cuff_on_probe_arm") == [(60, "present"), (90, "ended")]
    # Half of the delay is measured: the second before the sign was seen, and four since.
    assert score.changes("spo2_low")[0] == (94, "present")


@pytest.mark.hazard("H13")
def test_signs_that_come_after_the_cuffs_minute_are_signs_of_nothing() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70, perfusion_index=4)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 120, spo2=97, pulse_rate=70, perfusion_index=4)
    score.run(120, 150, spo2=86, pulse_rate=None, perfusion_index=0.1)
    assert score.changes("cuff_on_probe_arm") == []
    assert score.changes("spo2_low")[0] == (130, "present")


@pytest.mark.hazard("H13")
def test_after_a_cuff_explained_something_the_next_does_so_once_the_saturation_was_normal() -> None:
    for value, is_explained in ((97.0, True), (91.0, True), (90.0, False)):
        score = inflated(0.1, low=86, until=75)
        score.notice(NoticeKind.CUFF_INFLATING, 75, present=False)
        score.run(75, 95, spo2=value, pulse_rate=70, perfusion_index=4)
        score.notice(NoticeKind.CUFF_INFLATING, 95)
        score.run(95, 115, spo2=86, pulse_rate=70, perfusion_index=0.1)
        again = [at for at, change in score.changes("cuff_on_probe_arm") if change == "present"]
        assert again == ([60, 95] if is_explained else [60])
        assert ("spo2_low" in score.standing()) == (not is_explained)


@pytest.mark.hazard("H13")
@pytest.mark.parametrize(("seen_at", "is_explained"), [(None, False), (80, False), (95, True)])
@pytest.mark.parametrize("pulse", [70, None])
def test_a_saturation_not_seen_normal_since_the_last_cuff_is_not_explained_by_the_next(
    pulse: float | None, seen_at: int | None, *, is_explained: bool
) -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.see(60, spo2=None, pulse_rate=None)
    score.notice(NoticeKind.CUFF_INFLATING, 75, present=False)  # explains until 90
    score.run(76, 79, pulse_rate=pulse)
    if seen_at is not None:
        score.see(seen_at, spo2=97)
    score.run(96, 100, pulse_rate=pulse)
    score.notice(NoticeKind.CUFF_INFLATING, 100)
    score.run(100, 130, spo2=86, pulse_rate=None)
    assert ("spo2_low" in score.standing()) == (not is_explained)


@pytest.mark.parametrize("until_s", [3, 8])
def test_a_cuffs_explanation_ends_in_time_though_nothing_is_heard(until_s: int) -> None:
    limits = read_preset(PRESET_TEXT.replace("cuff_s_max = 60", f"cuff_s_max = {until_s}"), "ours")
    score = Score(limits)
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.see(60, spo2=97, pulse_rate=None)
    score.wait(100)
    assert score.changes("cuff_on_probe_arm") == [(60, "present"), (60 + until_s, "ended")]


def test_an_empty_cuffs_explanation_ends_in_time_though_nothing_is_heard() -> None:
    limits = read_preset(PRESET_TEXT.replace("cuff_after_s = 15", "cuff_after_s = 2"), "ours")
    score = Score(limits)
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.see(60, spo2=97, pulse_rate=None)
    score.notice(NoticeKind.CUFF_INFLATING, 61, present=False)
    score.wait(100)
    assert score.changes("cuff_on_probe_arm") == [(60, "present"), (63, "ended")]


def test_what_one_cuff_showed_is_forgotten_before_the_next() -> None:
    score = inflated(0.1, low=97, until=75)
    score.notice(NoticeKind.CUFF_INFLATING, 75, present=False)
    score.run(75, 100, spo2=97, pulse_rate=70, perfusion_index=4)
    score.notice(NoticeKind.CUFF_INFLATING, 100)
    score.run(100, 120, spo2=86, pulse_rate=70, perfusion_index=4)
    assert score.changes("spo2_low") == [(110, "present")]


def test_an_empty_cuff_that_was_never_full_changes_nothing() -> None:
    score = Score()
    score.notice(NoticeKind.CUFF_INFLATING, 0, present=False)
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 80, spo2=86, pulse_rate=None)
    assert score.changes("cuff_on_probe_arm") == [(60, "present")]


def test_a_cuff_is_known_by_its_signs_before_the_saturation_was_ever_heard() -> None:
    score = Score()
    score.run(0, 5, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 5)
    score.run(6, 20, pulse_rate=None)
    assert score.changes("cuff_on_probe_arm") == [(6, "present")]


def test_a_pulse_that_was_never_there_is_not_lost_to_a_cuff() -> None:
    score = Score()
    score.run(0, 60, spo2=97)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 80, spo2=86, pulse_rate=None)
    assert score.changes("cuff_on_probe_arm") == []
    assert score.changes("spo2_low") == [(70, "present")]


def test_a_pulse_that_grows_old_under_a_cuff_is_lost_to_it() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 90, spo2=95)
    assert [each for _, each in score.changes("cuff_on_probe_arm")] == ["present"]


@pytest.mark.parametrize("metric", [Metric.HEART_RATE, Metric.RESP_RATE])
def test_a_cuff_explains_nothing_but_what_the_oximeter_says(metric: Metric) -> None:
    score = inflated(0.1, low=97, until=62)
    bad = 30.0 if metric is Metric.HEART_RATE else 4.0
    score.run(62, 80, **{metric: bad, "spo2": 97, "pulse_rate": 70, "perfusion_index": 0.1})
    assert score.changes(f"{metric}_low")[0][1] == "present"


# -- numbers that jump


def test_numbers_that_jump_are_over_a_minute_after_the_last_jump_that_counts() -> None:
    score = Score()
    for second in range(10):
        score.see(second, heart_rate=70 if second % 2 else 140)
    assert score.changes("numbers_jump") == []
    score.see(10, heart_rate=140)
    score.see(10.5, heart_rate=140)
    said = score.changes("numbers_jump")
    assert said == [(10, "present")]
    reason = score.first("numbers_jump", Change.PRESENT).reason
    assert reason == "heart_rate stepped 10 times in a minute as no patient does"
    score.run(11, 100, heart_rate=140)
    assert score.changes("numbers_jump") == [(10, "present"), (70, "ended")]


def test_jumps_of_two_metrics_are_not_added_up() -> None:
    score = Score()
    for second in range(8):
        rate = 70 if second % 2 else 140
        score.see(second, heart_rate=rate, pulse_rate=rate)
    assert score.changes("numbers_jump") == []


# -- without rules


def test_a_preset_without_that_table_suspects_nothing() -> None:
    score = Score(msgspec.structs.replace(LIMITS, doubt=None))
    score.run(0, 60, spo2=97, pulse_rate=70, heart_rate=100, etco2=5, resp_rate=14)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    for second in range(60, 400):
        pulse = None if second < 80 else 70
        score.see(second, spo2=97, pulse_rate=pulse, heart_rate=100 + 60 * (second % 2))
    suspicions = {"frozen_oximeter", "frozen_co2", "rates_differ", "etco2_unit",
                  "cuff_on_probe_arm", "numbers_jump"}  # fmt: skip
    assert suspicions.isdisjoint(each.alarm for each in score.told)
