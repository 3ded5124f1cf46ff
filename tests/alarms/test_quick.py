"""The quick way takes an ordinary value and nothing else; doubt never makes a value milder."""

from collections.abc import Mapping
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.board import Watch
from alarms.channel import Channel
from alarms.condition import Condition, Input, State
from alarms.doubt import Doubt, softened
from alarms.names import Identity
from alarms.quick import Quick, quick_way
from alarms.rules import LimitRule, LimitSet, judge, limit_policy
from alarms.suspicion import PARTNERS
from monitor.model.alarm import Kind, Priority
from monitor.model.event import Observation, Validity
from monitor.model.instant import Duration, instant_at, seconds
from monitor.model.metric import Metric, describe
from tests.alarms.listening import listening
from tests.alarms.records import is_named
from tests.alarms.score import LIMITS, seen

CALM: Final = {
    Metric.SPO2: 97.0,
    Metric.PULSE_RATE: 70.0,
    Metric.HEART_RATE: 72.0,
    Metric.ETCO2: 38.0,
}
RULES: Final = {each.alarm: each for each in LIMITS.limits}

# -- the quick way


def fast(metric: Metric, value: float | None, at: float | None = 10) -> Channel:
    """Return a channel whose newest value was heard at `at` seconds."""
    heard = None if at is None else instant_at(at)
    return Channel(metric=metric, value=value, heard_at=heard, valid_at=heard, changed_at=heard)


def pulse(*, value: float | None = 70, at: float | None = 10, partner: float | None = 72) -> Quick:
    """Return the quick way of a pulse rate of 53 to 117 that moves by 30 at most."""
    return Quick(
        channel=fast(Metric.PULSE_RATE, value, at),
        low=53,
        high=117,
        step_max=30,
        partner=fast(Metric.HEART_RATE, partner),
        partner_differs_max=20,
    )


@pytest.mark.parametrize(
    ("value", "at"),
    [(70, 11), (53, 11), (91, 11), (70, 20), (70, 10.000000001), (52 + 1, 20), (92, 20)],
)
def test_an_ordinary_value_is_taken_and_noted(value: float, at: float) -> None:
    quick = pulse()
    assert quick.takes(seen(Metric.PULSE_RATE, value, at), instant_at(at))
    now = instant_at(at)
    changed = instant_at(10) if value == 70 else now
    assert quick.channel == Channel(
        metric=Metric.PULSE_RATE,
        value=value,
        heard_value=value,
        heard_at=now,
        valid_at=now,
        changed_at=changed,
    )


def test_the_bounds_of_what_is_ordinary_belong_to_it() -> None:
    for before, value in ((87, 117), (100, 117), (70, 53), (83, 53)):
        quick = pulse(value=before, partner=None)
        assert quick.takes(seen(Metric.PULSE_RATE, value, 11), instant_at(11))
    for partner in (50, 90):
        assert pulse(partner=partner).takes(seen(Metric.PULSE_RATE, 70, 11), instant_at(11))
    assert is_named(pulse())
    alone = msgspec.structs.replace(pulse(), partner=None)
    assert alone.takes(seen(Metric.PULSE_RATE, 70, 11), instant_at(11))


@pytest.mark.parametrize(
    ("way", "heard", "now"),
    [
        (pulse(), seen("pulse_rate", 52.9, 11), 11),
        (pulse(value=100), seen("pulse_rate", 117.1, 11), 11),
        (pulse(), seen("pulse_rate", None, 11), 11),
        (pulse(), seen("pulse_rate", 70, 11, validity=Validity.QUESTIONABLE), 11),
        (pulse(), seen("pulse_rate", 70, 11, taken=11), 11),
        (pulse(), seen("pulse_rate", 70, 11), 10.9),
        (pulse(), seen("pulse_rate", 70, 10), 11),
        (pulse(), seen("pulse_rate", 70, 9), 11),
        (pulse(), seen("pulse_rate", 70, 20.001), 21),
        (pulse(value=None), seen("pulse_rate", 70, 11), 11),
        (pulse(at=None), seen("pulse_rate", 70, 11), 11),
        (pulse(value=86, partner=100), seen("pulse_rate", 116.1, 11), 11),
        (pulse(value=84, partner=60), seen("pulse_rate", 53.9, 11), 11),
        (pulse(partner=90.1), seen("pulse_rate", 70, 11), 11),
        (pulse(partner=49.9), seen("pulse_rate", 70, 11), 11),
    ],
)
def test_whatever_is_out_of_the_ordinary_is_left_to_the_long_way_untouched(
    way: Quick, heard: Observation, now: float
) -> None:
    before = msgspec.structs.replace(way.channel)
    assert way.takes(heard, instant_at(now)) is False
    assert way.channel == before


def test_the_quick_way_of_a_metric_keeps_inside_every_limit_of_it() -> None:
    wide, narrow, high = (
        RULES["pulse_rate_low"],
        with_limit("pulse_rate_low", 60),
        "pulse_rate_high",
    )
    quick = quick_way(fast(Metric.PULSE_RATE, 70), [wide, narrow, RULES[high]], 30)
    assert (quick.low, quick.high, quick.step_max) == (63, 117, 30)
    quick = quick_way(fast(Metric.PULSE_RATE, 70), [wide, RULES[high], with_limit(high, 100)], 30)
    assert (quick.low, quick.high) == (53, 97)


def with_limit(alarm: str, limit: float) -> LimitRule:
    return msgspec.structs.replace(RULES[alarm], limit=limit)


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("metric", [each for each in Metric if not describe(each).is_wave])
def test_without_limits_what_can_be_measured_is_ordinary_but_what_may_be_a_printed_zero(
    metric: Metric,
) -> None:
    facts = describe(metric)
    quick = quick_way(fast(metric, 70), [], None)
    zero_is_ordinary = metric in {Metric.FICO2, Metric.PERFUSION_INDEX}
    assert quick.low == (facts.technical_low if zero_is_ordinary else max(9.5, facts.technical_low))
    assert quick.high == quick.step_max == facts.technical_high


@pytest.mark.parametrize("limits", [LIMITS, msgspec.structs.replace(LIMITS, doubt=None)])
@pytest.mark.parametrize("metric", CALM)
def test_a_metric_with_nothing_going_on_has_a_quick_way_from_its_fourth_value_on(
    metric: Metric, limits: LimitSet
) -> None:
    vitals = listening(limits)
    for second in range(5):
        assert (metric in vitals.quick) == (second >= 4)
        vitals.hear(seen(metric, CALM[metric], second), instant_at(second))


@pytest.mark.parametrize(("metric", "partner"), list(PARTNERS.items()))
def test_both_rates_take_the_long_way_once_one_of_them_differs_and_nothing_else_does(
    metric: Metric, partner: Metric
) -> None:
    vitals = listening(LIMITS)
    for second in range(6):
        for each in (Metric.SPO2, partner, metric):
            off = 20 if second == 5 and each is metric else 0
            vitals.hear(seen(each, CALM[each] + off, second), instant_at(second))
    assert set(vitals.quick) == {Metric.SPO2}


# -- doubt

STATES: Final[Mapping[str, State]] = {
    "absent": State(),
    "candidate": State(condition=Condition.CANDIDATE),
    "present": State(condition=Condition.PRESENT),
    "held": State(condition=Condition.HELD),
}
VALUES: Final = (91.0, 90.0, 88.0, 80.0)


def watch(state: State, severe_delay: Duration) -> Watch:
    rule = msgspec.structs.replace(RULES["spo2_low"], severe_delay=severe_delay)
    identity = Identity(
        alarm=rule.alarm,
        title="SpO2 low",
        kind=Kind.PHYSIOLOGICAL,
        priority=Priority.MEDIUM,
        metric=rule.metric,
    )
    policy = limit_policy(rule, LIMITS.operator)
    return Watch(identity=identity, policy=policy, rule=rule, state=state)


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    ("doubt", "expected"),
    [
        (Doubt.NONE, (Input.NORMAL, Input.BETWEEN, Input.VIOLATED, Input.SEVERE)),
        (Doubt.EXPLAINED, (Input.UNKNOWN,) * 4),
        (Doubt.CONTRADICTED, (Input.BETWEEN,) * 4),
        (Doubt.QUESTIONABLE, (Input.UNKNOWN, Input.UNKNOWN, Input.VIOLATED, Input.SEVERE)),
    ],
)
def test_doubt_lets_a_value_decide_as_far_as_it_is_said(
    doubt: Doubt, expected: tuple[Input, ...]
) -> None:
    for state in STATES.values():
        for delay in (seconds(0), seconds(5)):
            found = tuple(softened(watch(state, delay), each, doubt) for each in VALUES)
            assert found == expected


@pytest.mark.parametrize(
    ("state", "mild"),
    [
        ("absent", Input.UNKNOWN),
        ("candidate", Input.UNKNOWN),
        ("present", Input.BETWEEN),
        ("held", Input.BETWEEN),
    ],
)
def test_one_sample_after_an_impossible_step_neither_clears_nor_escalates_at_once(
    state: str, mild: Input
) -> None:
    for delay, severe in ((seconds(0), Input.VIOLATED), (seconds(5), Input.SEVERE)):
        asked = watch(STATES[state], delay)
        found = tuple(softened(asked, each, Doubt.STEP) for each in VALUES)
        assert found == (mild, mild, Input.VIOLATED, severe)


@pytest.mark.hazard("H3")
@given(
    st.sampled_from([each for each in Doubt if each is not Doubt.NONE]),
    st.sampled_from(sorted(STATES)),
    st.sampled_from(sorted(RULES)),
    st.data(),
)
def test_a_doubtful_value_is_never_normal_and_never_worse_than_it_is(
    doubt: Doubt, state: str, alarm: str, data: st.DataObject
) -> None:
    rule = RULES[alarm]
    facts = describe(rule.metric)
    value = data.draw(st.floats(facts.technical_low, facts.technical_high))
    asked = msgspec.structs.replace(
        watch(STATES[state], rule.severe_delay),
        rule=rule,
        policy=limit_policy(rule, LIMITS.operator),
    )
    found, plain = softened(asked, value, doubt), judge(rule, value)
    assert found is not Input.NORMAL
    assert found is not Input.SEVERE or plain is Input.SEVERE
    assert found is not Input.VIOLATED or plain in {Input.VIOLATED, Input.SEVERE}
