"""Budgets, counts, baselines, phases, trends and compounds."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.limits import read_preset
from alarms.rules import LimitSet
from alarms.system import AlarmSystem
from alarms.tally import Tally
from alarms.trend import History
from monitor.model.errors import ConfigError
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT, Score, seen

SPO2: Final = next(each for each in LIMITS.limits if each.alarm == "spo2_low")


def with_more(text: str = PATTERNS) -> LimitSet:
    return read_preset(PRESET_TEXT + text, "more.toml")


def with_budget(**values: object) -> LimitSet:
    rule = msgspec.structs.replace(SPO2, severe=None, delay=seconds(20), **values)
    return msgspec.structs.replace(LIMITS, limits=(rule,))


def enter(score: Score, phase: Phase, at: float) -> None:
    action = OperatorAction(
        deed=Deed.ENTER_PHASE, at=instant_at(at), operator="nurse-1", phase=phase
    )
    score.hear(action, at)


def cuff(score: Score, at: float, *pressures: float) -> None:
    for metric, value in zip(NIBP, pressures, strict=True):
        score.hear(seen(metric, value, at), at)


def test_the_published_budget_is_spent_with_the_eleventh_sample() -> None:
    score = Score(with_budget(budget=50.0))
    values = [88] * 2 + [86] * 3 + [84] * 6
    for second, value in enumerate(values):
        score.see(second, spo2=value)
        assert bool(score.told) == (second == 10)
    assert score.lines() == [(10, "spo2_low", "present", "medium")]


def test_a_budget_is_paid_back_inside_the_limit() -> None:
    tally = Tally()
    rule = msgspec.structs.replace(SPO2, budget=50.0)
    for second, value in enumerate([84] * 5 + [94] * 10):
        tally.add(rule, value, instant_at(second), instant_at(second - 1))
    assert tally.points == 0


@given(st.lists(st.floats(60, 100), max_size=60))
def test_a_budget_is_never_negative_and_never_over_inside(values: list[float]) -> None:
    tally, rule = Tally(), msgspec.structs.replace(SPO2, budget=20.0, violations_max=3)
    for second, value in enumerate(values):
        is_over = tally.add(rule, value, instant_at(second), instant_at(second - 1))
        assert tally.points >= 0
        assert not (is_over and value >= rule.limit)
        assert len(tally.begun) <= 3


def test_a_budget_is_paid_back_on_ordinary_values_too() -> None:
    score = Score(with_budget(budget=50.0))
    for start in (0, 15, 30):
        score.run(start, start + 5, spo2=84)
        score.run(start + 5, start + 15, spo2=95)
    assert score.lines() == []


def test_an_impossible_step_spends_no_budget_at_once() -> None:
    score = Score(with_budget(budget=20.0))
    score.run(0, 10, spo2=98)
    score.run(10, 11, spo2=60)
    score.run(11, 20, spo2=98)
    assert score.lines() == []


def test_three_violations_within_a_minute_are_enough() -> None:
    score = Score(with_budget(violations_max=3))
    for start in (0, 20, 40):
        score.run(start, start + 4, spo2=88)
        score.run(start + 4, start + 20, spo2=95)
    assert score.changes("spo2_low")[0] == (40, "present")
    rare = Score(with_budget(violations_max=3))
    for start in (0, 35, 70, 105):
        rare.run(start, start + 4, spo2=88)
        rare.run(start + 4, start + 35, spo2=95)
    assert rare.lines() == []


def test_a_baseline_of_two_readings_puts_the_relative_limits_in_force() -> None:
    score = Score()
    enter(score, Phase.BASELINE, 0)
    cuff(score, 10, 100, 60, 74)
    assert score.system.limits_of(Metric.NIBP_SYS) == (90, 160)
    cuff(score, 310, 110, 64, 80)
    enter(score, Phase.INFUSING, 400)
    assert score.system.limits_of(Metric.NIBP_SYS)[1] == pytest.approx(105 * 1.3)
    cuff(score, 900, 140, 80, 100)
    assert [line[1] for line in score.lines()] == ["nibp_sys_above_baseline"]


@pytest.mark.parametrize("apart", [700, 5000])
def test_two_readings_too_far_apart_are_no_baseline(apart: float) -> None:
    score = Score()
    enter(score, Phase.BASELINE, 0)
    cuff(score, 10, 100, 60, 74)
    cuff(score, 10 + apart, 110, 64, 80)
    assert score.system.limits_of(Metric.NIBP_SYS) == (90, 160)


def test_readings_outside_the_baseline_phase_make_none_and_move_none() -> None:
    score = Score()
    enter(score, Phase.INFUSING, 0)
    for at in (10, 200, 400):
        cuff(score, at, 100, 60, 74)
    assert score.system.limits_of(Metric.NIBP_SYS) == (90, 160)


def test_a_baseline_that_puts_a_relative_limit_out_of_reach_leaves_the_one_before_in_force() -> (
    None
):
    score = Score()
    enter(score, Phase.BASELINE, 0)
    for at in (10, 210):
        cuff(score, at, 100, 60, 74)
    for at in (1000, 1200):
        cuff(score, at, 250, 100, 150)
    rule = score.system.inspect("nibp_sys_above_baseline")
    assert rule is not None
    assert rule.rule is not None
    assert rule.rule.limit == pytest.approx(130)


def test_a_limit_without_budget_and_count_gathers_nothing() -> None:
    score = Score()
    score.run(0, 30, spo2=80)
    assert msgspec.json.decode(score.system.save())["senses"]["tallies"] == {}


def test_a_metric_is_quick_again_only_when_its_budget_is_paid_back() -> None:
    score = Score(with_budget(budget=50.0))
    quick = score.system._vitals.quick
    score.run(0, 10, spo2=95)
    assert Metric.SPO2 in quick
    score.run(10, 14, spo2=88)
    score.run(14, 15, spo2=92)
    assert Metric.SPO2 not in quick, "6 points are left"
    score.run(15, 20, spo2=95)
    assert Metric.SPO2 in quick


def test_a_relative_low_limit_lies_below_the_baseline() -> None:
    score = Score(with_more())
    enter(score, Phase.BASELINE, 0)
    cuff(score, 10, 150, 80, 103)
    cuff(score, 210, 150, 80, 103)
    cuff(score, 400, 104, 60, 75)
    assert score.changes("nibp_sys_far_down") == [(400, "present")]


def test_a_phase_puts_its_own_limits_in_force_and_the_next_takes_them_back() -> None:
    score = Score(with_more())
    score.run(0, 30, spo2=91)
    assert score.lines() == []
    enter(score, Phase.OBSERVATION, 30)
    assert score.system.limits_of(Metric.SPO2) == (92, None)
    score.run(30, 60, spo2=91)
    assert score.lines() == [(50, "spo2_low", "present", "low")]
    enter(score, Phase.READY, 60)
    score.run(60, 70, spo2=91)
    assert score.changes("spo2_low")[-1] == (65, "ended")


def test_a_delay_that_a_phase_makes_longer_is_waited_for() -> None:
    score = Score(with_more())
    score.run(0, 5, spo2=89)
    enter(score, Phase.OBSERVATION, 5)
    score.run(5, 30, spo2=89)
    assert score.lines() == [(20, "spo2_low", "present", "low")]


def test_a_delay_that_a_phase_makes_shorter_is_over_at_once_and_not_before() -> None:
    score = Score(with_more())
    enter(score, Phase.OBSERVATION, 0)
    score.run(0, 13, spo2=88)
    enter(score, Phase.READY, 13)
    assert score.lines() == [(13, "spo2_low", "present", "medium")]


def test_phase_and_baseline_survive_a_restart() -> None:
    score = Score(with_more())
    enter(score, Phase.BASELINE, 0)
    cuff(score, 10, 100, 60, 74)
    cuff(score, 210, 110, 64, 80)
    enter(score, Phase.OBSERVATION, 300)
    before = [score.system.limits_of(each) for each in Metric]
    score.restart(400)
    assert [score.system.limits_of(each) for each in Metric] == before
    assert AlarmSystem.restore(score.limits, score.system.save()).save() == score.system.save()


def test_falling_breaths_with_rising_co2_are_a_pattern() -> None:
    score = Score(with_more())
    score.run(0, 60, resp_rate=14, etco2=38)
    score.run(60, 100, resp_rate=9, etco2=42)
    assert score.lines() == []
    score.run(100, 140, resp_rate=9, etco2=47)
    assert score.changes("hypoventilation") == [(110, "present")]
    assert "resp_rate falls 4" in score.told[0].reason


def test_what_came_before_a_loss_says_nothing_about_a_trend() -> None:
    score = Score(with_more())
    score.run(0, 60, resp_rate=14, etco2=38)
    score.run(60, 65, resp_rate=None, etco2=None)
    score.run(65, 90, resp_rate=9, etco2=47)
    assert score.changes("hypoventilation") == []


def test_one_part_that_does_not_hold_ends_a_pattern_whatever_the_other() -> None:
    score = Score(with_more())
    score.run(0, 60, resp_rate=14, etco2=38)
    score.run(60, 80, resp_rate=9, etco2=47)
    assert score.changes("hypoventilation") == [(70, "present")]
    score.run(80, 90, resp_rate=14, etco2=None)
    assert score.changes("hypoventilation")[-1][1] == "ended"


def test_a_low_saturation_without_co2_is_a_pattern_and_loss_of_both_holds_it() -> None:
    score = Score(with_more())
    score.run(0, 20, spo2=92, etco2=38)
    score.run(20, 30, spo2=92, etco2=None)
    assert score.lines("blind_and_low") == [(25, "blind_and_low", "present", "high")]
    score.run(30, 40, spo2=None, etco2=None)
    assert score.changes("blind_and_low")[-1] == (30, "held")
    score.run(40, 50, spo2=97, etco2=38)
    assert score.changes("blind_and_low")[-2:] == [(40, "unheld"), (45, "ended")]


def test_a_history_forgets_what_left_its_window_and_looks_into_part_of_it() -> None:
    history = History(window=seconds(60))
    for second in range(1000):
        history.add(100.0 if second < 970 else 50.0, instant_at(second))
    assert len(history.values) == 61
    assert history.fall(seconds(60), instant_at(999)) == 50
    assert history.fall(seconds(10), instant_at(999)) == 0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=80))
def test_a_history_knows_the_fall_within_its_window_and_no_more(values: list[float]) -> None:
    history = History(window=seconds(30))
    for second, value in enumerate(values):
        history.add(value, instant_at(second))
    now = instant_at(len(values) - 1)
    recent = values[-31:]
    assert history.fall(seconds(30), now) == max(recent) - recent[-1]
    assert history.rise(seconds(30), now) == recent[-1] - min(recent)
    assert len(history.values) <= 31


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("percent = 30", "percent = 30\namount = 40", "either percent or amount"),
        ("percent = 30", "percent = 3", "from 5 to 100"),
        ('metric = "nibp_sys"', 'metric = "spo2"', "a baseline is of pressures"),
        ('direction = "low"', 'direction = "down"', "one of low, high"),
        ('kind = "falls"', 'kind = "sinks"', "one of below, above, falls, rises, lost"),
        ("window_s = 120", "window_s = 7200", "from 5 to 600"),
        ('metric = "resp_rate"', 'metric = "pleth"', "expected a numeric"),
        ('title = "Breathing', 'tittle = "Breathing', "missing"),
        ("parts = [ {", "parts = []\nrest = [ {", "an array of 1 to 4 tables"),
        ("[pattern.blind_and_low]", "[pattern.apnoea]", "the name of another condition"),
        ("[pattern.blind_and_low]", "[pattern.spo2_low]", "the name of another condition"),
        ("[phase.observation.", "[phase.afterwards.", "no such phase"),
        ("[phase.observation.limits.spo2.low]", "[phase.ready.limits.etco2.low]", "leave no value"),
        ("limit = 92\n", "limit = 80\n", "[phase.observation.limits.spo2.low] limit = 80: wider"),
        ('provenance = { percent = "test" }', "", "no provenance"),
    ],
)
def test_a_wrong_special_limit_is_refused_in_words(old: str, new: str, said: str) -> None:
    assert old in PATTERNS
    with pytest.raises(ConfigError) as error:
        with_more(PATTERNS.replace(old, new, 1))
    assert any(each in str(error.value) for each in said.split("|"))


def test_a_phase_looks_anew_at_what_was_ordinary_before_it() -> None:
    score = Score(with_more(PATTERNS[PATTERNS.index("[phase.") :]))
    score.run(0, 20, spo2=91.5)
    enter(score, Phase.OBSERVATION, 20)
    score.run(20, 50, spo2=91.5)
    assert score.changes("spo2_low") == [(40, "present")]


SPO2_LOW_92: Final = "spo2.low]\nlimit = 92"


def test_a_limit_of_a_phase_that_no_other_phase_has_is_refused_with_its_name() -> None:
    with pytest.raises(ConfigError) as error:
        with_more(PATTERNS.replace(SPO2_LOW_92, "spo2.high]\nlimit = 99"))
    said = "more.toml: [phase] observation: spo2_high has no limit outside this phase; add one"
    assert str(error.value) == said


@pytest.mark.parametrize(("low", "leaves_one"), [(113.9, True), (114, False)])
def test_a_phase_leaves_a_value_inside_both_limits_of_a_metric(
    low: float, *, leaves_one: bool
) -> None:
    text = PATTERNS.replace(SPO2_LOW_92, f"pulse_rate.low]\nlimit = {low}")
    text = text.replace("hysteresis = 1\n", "hysteresis = 3\n")
    if leaves_one:
        with_more(text)
        return
    with pytest.raises(ConfigError) as error:
        with_more(text)
    assert str(error.value) == (
        "more.toml: [phase] observation: limits.pulse_rate: low limit 114 and high limit 120 leave "
        "no value that is inside both by the hysteresis; expected low below high by more than 6"
    )


def test_special_limits_go_through_a_restart_unchanged() -> None:
    limits = with_more()
    assert [each.alarm for each in limits.patterns] == ["hypoventilation", "blind_and_low"]
    assert msgspec.json.decode(msgspec.json.encode(limits), type=LimitSet) == limits
