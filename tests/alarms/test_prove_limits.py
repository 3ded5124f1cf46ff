"""What the linter proves of one limit: its bands, its budget, its count. Each on its own set."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms import prove_limits
from alarms.prove_limits import prove_rule
from alarms.ramps import SETTLED_S, Finding, first, inside_value, play_values, seconds_after
from alarms.rules import LimitRule, LimitSet
from monitor.model.alarm import AlarmChange, Change, Priority
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.metric import NIBP, Metric, describe
from tests.alarms.score import LIMITS

RULES: Final = {each.alarm: each for each in LIMITS.limits if each.metric not in NIBP}
SEVERE: Final = {name: each for name, each in RULES.items() if each.severe is not None}
PULSE: Final = RULES["pulse_rate_low"]
SPO2: Final = RULES["spo2_low"]
STEPS: Final = st.floats(0.1, 1000)


def only(rule: LimitRule, **values: object) -> tuple[LimitSet, LimitRule]:
    """Return a set with nothing but this limit, changed, and the limit."""
    own = msgspec.structs.replace(rule, **values)
    return msgspec.structs.replace(LIMITS, limits=(own,), relatives=(), doubt=None), own


def stepping(limits: LimitSet, metric: Metric, most: float) -> LimitSet:
    """Return the set with another greatest believable step a second."""
    return msgspec.structs.replace(
        limits, data=msgspec.structs.replace(limits.data, steps={metric: most})
    )


def proved(rule: LimitRule, **values: object) -> list[Finding]:
    return list(prove_rule(*only(rule, **values)))


def told(rule: LimitRule, values: list[float], **changed: object) -> AlarmChange | None:
    """Return what is told first where the metric has these values, one a second."""
    limits, own = only(rule, **changed)
    return first(play_values(limits, own.metric, values), own.alarm)


def beyond(rule: LimitRule, depth: float) -> float:
    return rule.limit - depth if rule.is_low else rule.limit + depth


@pytest.mark.hazard("H13")
@given(st.sampled_from(sorted(RULES)), st.integers(2, 6), st.integers(2, 5), st.floats(0.05, 0.95))
def test_a_count_that_alone_tells_short_dips_is_not_called_useless(
    alarm: str, count: int, lasts_s: int, share: float
) -> None:
    rule = RULES[alarm]
    inside = inside_value(LIMITS, rule.metric)
    assert inside is not None
    far = (
        describe(rule.metric).technical_low if rule.is_low else describe(rule.metric).technical_high
    )
    bad = beyond(rule, share * abs((rule.severe or far) - rule.limit))
    dip = [bad] * lasts_s + [inside] * (60 // count - lasts_s)
    course = [inside] * SETTLED_S + dip * count
    assert told(rule, course) is None
    assert told(rule, course, violations_max=count) is not None
    assert all(each.is_well for each in proved(rule, violations_max=count))


@given(st.sampled_from(sorted(RULES)), st.integers(2, 15), st.floats(0, 5), st.none() | STEPS)
def test_a_count_is_proved_whatever_step_is_believed(
    alarm: str, count: int, hysteresis: float, most: float | None
) -> None:
    limits, own = only(RULES[alarm], violations_max=count, hysteresis=hysteresis, budget=1000.0)
    if most is not None:
        most = max(most, 1.01 * (hysteresis + 1) / 2)
        limits = stepping(limits, own.metric, most)
    counted = list(prove_rule(limits, own))[-1]
    assert counted.is_well, counted.text
    assert counted.text == f"{count} violations within a minute: {own.priority} with the last"


@given(st.sampled_from(sorted(SEVERE)), st.integers(1, 12), st.integers(1, 9))
def test_a_budget_is_well_exactly_when_it_can_be_spent_before_the_delay(
    alarm: str, delay_s: int, second: int
) -> None:
    rule = SEVERE[alarm]
    assert rule.severe is not None
    span = abs(rule.severe - rule.limit)
    course = [rule.limit] * SETTLED_S + [rule.severe] * delay_s
    budget = span * second
    spent = told(rule, course, delay=seconds(delay_s), budget=budget)
    *_, found = proved(rule, delay=seconds(delay_s), budget=budget)
    assert found.is_well == (spent is not None) == (second <= delay_s)
    if spent is not None:
        seen_s = seconds_after(spent, SETTLED_S)
        assert (found.latency_s, found.delay_s, found.priority) == (seen_s, seen_s, rule.priority)
        assert found.band == f"budget of {budget:g}"
        assert found.text == f"{found.band} at {rule.severe:g}: medium after {seen_s:g} s"
    else:
        assert found.text == (
            f"budget = {budget:g}: never spent before the delay of {delay_s} s; expected less "
            f"than {span * delay_s:g}"
        )


@pytest.mark.parametrize(
    ("alarm", "most", "budget", "is_well"),
    [
        # 50 to 12 in steps of 10: 10, 20, 30, 38 and six times 38 beyond the limit in 10 s.
        ("pulse_rate_low", 10.0, 326.0, True),
        ("pulse_rate_low", 10.0, 327.0, False),
        ("pulse_rate_low", 38.0, 380.0, True),
        ("temp_high", 0.5, 10.0, True),
    ],
)
def test_a_budget_is_spent_by_steps_that_are_believed(
    alarm: str, most: float, budget: float, *, is_well: bool
) -> None:
    limits, own = only(RULES[alarm], budget=budget, severe=None)
    found = list(prove_rule(stepping(limits, own.metric, most), own))[-1]
    assert found.is_well == is_well, found.text


@given(st.sampled_from(sorted(SEVERE)), st.integers(0, 12), st.none() | st.just(10.0))
def test_a_severe_band_is_proved_as_severe_also_where_the_limit_itself_is_told_first(
    alarm: str, delay_s: int, budget: float | None
) -> None:
    _, severe, *_ = proved(SEVERE[alarm], delay=seconds(delay_s), budget=budget)
    assert severe.is_well
    assert (severe.priority, severe.delay_s, severe.latency_s) == (Priority.HIGH, 5, 5)
    assert severe.text.endswith(": high after 5 s")


@pytest.mark.parametrize(
    ("late_s", "text"),
    [
        (10.0, "spo2 87.5 %: medium after 10 s"),
        (11.0, "spo2 87.5 %: medium after 11 s"),
        (11.5, "spo2 87.5 % is told after 11.5 s, promised 10 s"),
    ],
)
def test_a_core_that_told_it_more_than_a_second_late_would_be_found(
    late_s: float, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, own = only(SPO2)
    raised = first(play_values(limits, own.metric, [97.0] * SETTLED_S + [87.5] * 40), own.alarm)
    assert raised is not None
    at = Instant(instant_at(SETTLED_S) + seconds(late_s))
    late = msgspec.structs.replace(raised, at=at)
    over = msgspec.structs.replace(raised, change=Change.ENDED)
    monkeypatch.setattr(prove_limits, "play_values", lambda *_: [late, over])
    plain = next(prove_rule(limits, own))
    assert (plain.text, plain.is_well) == (text, late_s <= 11)
    assert (plain.latency_s, plain.delay_s) == (late_s, 10)


def test_a_count_is_not_lost_behind_a_budget_that_the_same_dips_would_spend() -> None:
    limits, own = only(PULSE, violations_max=3, budget=3.0, hysteresis=0.0)
    counted = list(prove_rule(stepping(limits, own.metric, 0.5), own))[-1]
    assert counted == Finding(
        alarm="pulse_rate_low",
        is_well=True,
        text="3 violations within a minute: medium with the last",
        place="[limits.pulse_rate.low]",
        band="below 50/min",
        metric=Metric.PULSE_RATE,
        priority=Priority.MEDIUM,
    )


OVER: Final = "the delay is over before it counts; leave it out"
CUFF: Final = msgspec.structs.replace(LIMITS.limits[-1], metric=Metric.NIBP_SYS, is_low=False)


@pytest.mark.parametrize(
    ("rule", "values", "text"),
    [
        (SPO2, {"violations_max": 2, "delay": seconds(0)}, f"violations_max = 2: {OVER}"),
        # The way down and up takes four seconds in steps of a half.
        (PULSE, {"violations_max": 10, "delay": seconds(1), "hysteresis": 0.0},
         f"violations_max = 10: {OVER}"),
        (PULSE, {"violations_max": 15, "hysteresis": 0.0},
         "15 violations within a minute: medium with the last"),
        (PULSE, {"violations_max": 16, "hysteresis": 0.0},
         "violations_max = 16: 16 of them in a minute raise nothing"),
        (CUFF, {"violations_max": 2},
         "violations_max: a cuff reading is judged at once; leave it out"),
        (CUFF, {"budget": 2.0}, "budget: a cuff reading is judged at once; leave it out"),
        (SPO2, {"delay": seconds(3600), "severe": None},
         "spo2 45.5 % raises no medium alarm; a shorter delay or a limit within reach would"),
        (SPO2, {"clear_for": seconds(3600), "severe": None},
         "spo2 45.5 % is never over; expected a shorter clear_for_s"),
        (SPO2, {"hysteresis": 20.0, "severe": None},
         "no value is inside all limits of its metric; move low and high apart"),
    ],
)  # fmt: skip
def test_what_is_found_of_a_limit_is_said_in_words(
    rule: LimitRule, values: dict[str, object], text: str
) -> None:
    limits, own = only(rule, **values)
    last = list(prove_rule(stepping(limits, Metric.PULSE_RATE, 0.5), own))[-1]
    assert last.text == text
    assert last.is_well == text.endswith("with the last")
    assert (last.alarm, last.metric, last.phase) == (own.alarm, own.metric, "")


def test_an_alarm_that_another_condition_ends_is_not_over() -> None:
    two = msgspec.structs.replace(SPO2, alarm="other", limit=88.0, severe=None)
    limits, own = only(SPO2, clear_for=seconds(3600), severe=None)
    found = next(prove_rule(msgspec.structs.replace(limits, limits=(own, two)), own))
    assert found.text == "spo2 45.5 % is never over; expected a shorter clear_for_s"


@pytest.mark.hazard("H13")
@given(
    st.sampled_from([each for each in Metric if not describe(each).is_wave]),
    st.sampled_from(["low", "high"]),
    st.floats(0.01, 0.9),
    st.none() | st.floats(0.05, 0.95),
    st.tuples(st.floats(0, 1), st.floats(0, 30), st.floats(0, 5), st.floats(0, 60)),
)
def test_any_limit_by_itself_is_proved_wherever_it_lies(
    metric: Metric,
    direction: str,
    share: float,
    severe: float | None,
    rest: tuple[float, float, float, float],
) -> None:
    facts, is_low = describe(metric), direction == "low"
    near, far = facts.technical_high, facts.technical_low
    near, far = (near, far) if is_low else (far, near)
    limit = near + (0.05 + share) * (far - near)
    hysteresis, *times = rest
    delay, severe_delay, clear_for = (seconds(0 if metric in NIBP else each) for each in times)
    found = proved(
        SPO2,
        metric=metric,
        is_low=is_low,
        limit=limit,
        severe=None if severe is None else limit + severe * (far - limit),
        hysteresis=hysteresis * abs(limit - near),
        delay=delay,
        severe_delay=severe_delay,
        clear_for=clear_for,
    )
    assert [each.text for each in found if not each.is_well] == []
    assert len(found) == 1 + (severe is not None)
