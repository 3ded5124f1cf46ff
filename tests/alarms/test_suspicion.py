"""Numbers that are there but wrong: told, doubted, and never used to hide anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.alarm import Change
from monitor.model.event import NoticeKind
from tests.alarms.score import Score


@pytest.mark.hazard("H3")
def test_an_oximeter_whose_numbers_never_change_is_told() -> None:
    score = Score()
    score.run(0, 10, spo2=97, pulse_rate=71)
    score.run(10, 400, spo2=97, pulse_rate=70)
    assert score.lines() == [(310, "frozen_oximeter", "present", "medium")]
    score.run(400, 405, spo2=97, pulse_rate=72)
    assert score.changes("frozen_oximeter")[-1] == (400, "ended")


def test_numbers_that_are_gone_are_not_frozen() -> None:
    score = Score()
    score.run(0, 20, spo2=97, pulse_rate=70)
    score.run(20, 400, spo2=None, pulse_rate=None)
    assert score.changes("frozen_oximeter") == []


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("value", [70, None])
def test_what_was_wrong_with_data_is_held_while_there_are_none(value: float | None) -> None:
    score = Score()
    score.run(0, 310, spo2=97, pulse_rate=70, etco2=5, resp_rate=14)
    score.run(310, 320, pulse_rate=value, heart_rate=72)
    score.wait(400)
    for alarm in ("frozen_oximeter", "frozen_co2", "etco2_unit"):
        assert score.changes(alarm)[-1][1] == "held"
    score.run(400, 410, spo2=96, pulse_rate=72, etco2=38, resp_rate=14)
    for alarm in ("frozen_oximeter", "frozen_co2", "etco2_unit"):
        assert score.changes(alarm)[-1][1] == "ended"


def test_one_number_that_moves_is_life() -> None:
    score = Score()
    for start in range(0, 900, 100):
        score.run(start, start + 100, spo2=98, pulse_rate=70 + start // 100)
    assert score.lines() == []


@pytest.mark.hazard("H3")
def test_frozen_numbers_are_not_normal_and_end_nothing() -> None:
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=70)
    score.run(20, 330, spo2=90, pulse_rate=70)
    assert score.changes("frozen_oximeter") == [(320, "present")]
    assert score.changes("spo2_low")[-1] == (320, "held")


def test_frozen_bad_numbers_still_count() -> None:
    score = Score()
    score.run(0, 400, spo2=92, pulse_rate=70)
    score.run(400, 420, spo2=88, pulse_rate=70)
    assert score.changes("spo2_low") == [(410, "present")]


def test_two_rates_that_differ_are_told_and_both_still_count() -> None:
    score = Score()
    score.run(0, 30, pulse_rate=38, heart_rate=76)
    assert score.changes("rates_differ") == [(10, "present")]
    assert "half counted" in score.first("rates_differ", Change.PRESENT).reason
    assert score.lines("pulse_rate_low") == [(5, "pulse_rate_low", "present", "high")]
    score.run(30, 40, pulse_rate=75, heart_rate=76)
    assert score.changes("rates_differ")[-1][1] == "ended"


def test_two_ordinary_rates_that_differ_are_told_too() -> None:
    score = Score()
    score.run(0, 30, pulse_rate=70, heart_rate=72)
    score.run(30, 60, pulse_rate=70, heart_rate=95)
    assert score.lines() == [(40, "rates_differ", "present", "low")]


@pytest.mark.parametrize("agreed_at", [35, 45])
@pytest.mark.parametrize("slow_first", [True, False])
def test_rates_that_agree_again_differ_no_more_whichever_of_them_came_round(
    agreed_at: int, *, slow_first: bool
) -> None:
    slow, fast = ("pulse_rate", "heart_rate") if slow_first else ("heart_rate", "pulse_rate")
    score = Score()
    score.run(0, 30, **{slow: 70, fast: 72})
    score.run(30, agreed_at, **{slow: 70, fast: 95})
    score.run(agreed_at, 80, **{slow: 90, fast: 95})
    assert "rates_differ" not in score.standing()
    assert bool(score.told) == (agreed_at == 45)


def test_an_end_tidal_value_as_small_as_kilopascals_is_told() -> None:
    score = Score()
    score.run(0, 60, etco2=5, resp_rate=14)
    assert score.changes("etco2_unit") == [(30, "present")]
    score.run(60, 70, etco2=38, resp_rate=14)
    assert score.changes("etco2_unit")[-1] == (60, "ended")


def test_numbers_that_jump_to_and_fro_are_told_and_single_artefacts_are_not() -> None:
    score = Score()
    for second in range(0, 120, 20):
        score.run(second, second + 19, spo2=98, pulse_rate=70)
        score.run(second + 19, second + 20, spo2=92, pulse_rate=140)
    assert score.changes("numbers_jump") == []
    for second in range(120, 140, 2):
        score.see(second, spo2=98, pulse_rate=70)
        score.see(second + 1, spo2=98, pulse_rate=140)
    assert score.lines("numbers_jump")[0][1:] == ("numbers_jump", "present", "low")
    assert "pulse_rate stepped 10 times" in score.first("numbers_jump", Change.PRESENT).reason
    score.run(140, 220, spo2=98, pulse_rate=70)
    assert score.changes("numbers_jump")[-1] == (200, "ended")


@given(st.lists(st.tuples(st.sampled_from([70, 72, 140]), st.integers(1, 9)), max_size=80))
def test_numbers_that_jump_are_told_exactly_when_ten_steps_lie_within_a_minute(
    beats: list[tuple[int, int]],
) -> None:
    score, now, steps, before = Score(), 0, list[int](), None
    for beat, wait in beats:
        now += wait
        score.see(now, pulse_rate=beat)
        if before is not None and abs(beat - before) > 30 * wait:
            steps.append(now)
        before = beat
        recent = [each for each in steps if now - each < 60]
        is_told = "numbers_jump" in score.standing()
        assert is_told >= (len(recent) >= 10)
        assert is_told <= bool(recent)


def cuffed(*, signs: bool, low: float = 86) -> Score:
    """Return a score in which a cuff inflates from 60 to 90 s while the saturation reads low."""
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 90, spo2=low, pulse_rate=None if signs else 70)
    score.notice(NoticeKind.CUFF_INFLATING, 90, present=False)
    return score


def test_a_cuff_on_the_probe_arm_is_told_and_explains_the_saturation() -> None:
    score = cuffed(signs=True)
    score.run(90, 150, spo2=97, pulse_rate=70)
    assert score.changes("spo2_low") == []
    assert score.changes("cuff_on_probe_arm") == [(60, "present"), (105, "ended")]


@pytest.mark.hazard("H13")
def test_without_signs_a_cuff_explains_nothing() -> None:
    score = cuffed(signs=False)
    assert score.changes("spo2_low") == [(70, "present")]


@pytest.mark.hazard("H13")
@pytest.mark.parametrize("low", [86, 70])
def test_a_cuff_explains_for_a_minute_at_most(low: float) -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 180, spo2=low, pulse_rate=None)
    assert score.changes("spo2_low")[0][0] <= 60 + 60 + 10


@pytest.mark.hazard("H13")
def test_a_cuff_that_empties_late_does_not_stretch_the_minute() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 118, spo2=86, pulse_rate=None)
    score.notice(NoticeKind.CUFF_INFLATING, 118, present=False)
    score.run(118, 160, spo2=86, pulse_rate=None)
    assert score.changes("spo2_low")[0][0] <= 60 + 60 + 10


@pytest.mark.parametrize("kind", [NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT])
@pytest.mark.parametrize("is_cuff_first", [True, False])
def test_a_pulse_lost_with_the_sensor_is_no_sign_of_a_cuff(
    kind: NoticeKind, *, is_cuff_first: bool
) -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    for each in (
        (NoticeKind.CUFF_INFLATING, kind) if is_cuff_first else (kind, NoticeKind.CUFF_INFLATING)
    ):
        score.notice(each, 60)
    score.run(60, 120, spo2=None, pulse_rate=None)
    assert score.changes("cuff_on_probe_arm") == []
    assert score.changes(kind.value)[0][1] == "present"


@pytest.mark.hazard("H13")
def test_a_sensor_said_to_be_off_withdraws_the_signs_of_a_cuff() -> None:
    score = cuffed(signs=True)
    score.notice(NoticeKind.SENSOR_OFF, 92)
    assert score.changes("cuff_on_probe_arm") == [(60, "present"), (92, "ended")]
    score.notice(NoticeKind.SENSOR_OFF, 93, present=False)
    score.run(93, 110, spo2=80, pulse_rate=70)
    assert score.changes("spo2_low")[0] == (98, "present")


def test_a_saturation_low_before_the_cuff_is_not_explained_by_it() -> None:
    score = Score()
    score.run(0, 60, spo2=88, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 90, spo2=80, pulse_rate=None)
    assert score.lines("spo2_low")[-1] == (65, "spo2_low", "escalated", "high")


def test_a_cuff_that_inflates_again_at_once_does_not_stretch_the_minute() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    for second in range(60, 200):
        if second % 20 == 0:
            score.notice(NoticeKind.CUFF_INFLATING, second)
        score.see(second, spo2=80, pulse_rate=None)
    assert score.changes("spo2_low")[0][0] <= 60 + 60 + 10


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=12), st.integers(60, 300))
def test_no_play_with_cuffs_hides_a_low_saturation_for_two_minutes(
    notices: list[tuple[int, bool]], start: int
) -> None:
    score = Score()
    due = sorted(notices)
    for second in range(start + 125):
        while due and due[0][0] <= second:
            score.notice(NoticeKind.CUFF_INFLATING, second, present=due.pop(0)[1])
        score.see(second, spo2=97 if second < start else 80, pulse_rate=70 + second % 3)
    assert "spo2_low" in score.standing()
