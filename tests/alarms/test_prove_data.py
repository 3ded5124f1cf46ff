"""What the linter proves of data that fail: whatever may be read in [apnoea], [data], [doubt]."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms import prove_data as data_proofs
from alarms.names import (
    CUFF_ON_PROBE_ARM,
    NIBP_OVERDUE,
    NUMBERS_JUMP,
    RATES_DIFFER,
    REJECTED,
    link_alarm,
)
from alarms.prove_data import prove_data
from alarms.ramps import SETTLED_S, Finding, play, usual
from alarms.rules import LimitSet
from alarms.system import Happened
from monitor.model.alarm import Priority
from monitor.model.event import FrameRejected
from monitor.model.instant import Duration, Instant, instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.session import Phase
from tests.alarms.score import LIMITS

assert LIMITS.doubt is not None
DOUBT: Final = LIMITS.doubt
NONE: Final = msgspec.structs.replace(LIMITS, limits=(), relatives=(), doubt=None, cuff_due={})
JUMPING: Final = (Metric.SPO2, Metric.PULSE_RATE, Metric.HEART_RATE)
DOUBLED: Final = tuple(each for each in Metric if each not in NIBP and not describe(each).is_wave)


def lasting(least_s: float, most_s: float) -> st.SearchStrategy[Duration]:
    return st.floats(least_s, most_s).map(seconds)


def shares(metrics: tuple[Metric, ...], least: int = 0) -> st.SearchStrategy[dict[Metric, float]]:
    """Draw for some metrics a number less than half of what can be measured."""
    own = [
        st.tuples(st.just(each), st.floats(0.001 * span(each), 0.499 * span(each)))
        for each in metrics
    ]
    return st.lists(st.one_of(own), min_size=least, max_size=2).map(dict)


def span(metric: Metric) -> float:
    facts = describe(metric)
    return facts.technical_high - facts.technical_low


def wrong(limits: LimitSet) -> list[str]:
    return [f"{each.alarm}: {each.text}" for each in prove_data(limits) if not each.is_well]


def found(limits: LimitSet, alarm: str) -> Finding:
    return next(each for each in prove_data(limits) if each.alarm == alarm)


@pytest.mark.hazard("H13")
@given(lasting(10, 60), st.integers(1, 10), lasting(0, 30))
def test_an_apnoea_is_proved_whatever_may_be_read(
    after: Duration, arm_breaths: int, clear_for: Duration
) -> None:
    rules = msgspec.structs.replace(
        LIMITS.apnoea, after=after, ambiguous_max=seconds(60), arm_breaths=arm_breaths,
        clear_for=clear_for,
    )  # fmt: skip
    assert wrong(msgspec.structs.replace(NONE, apnoea=rules)) == []


@given(
    st.fixed_dictionaries(
        {
            "stale_after": lasting(2, 5),
            "absent_after": lasting(5, 30),
            "periods": st.floats(2, 5),
            "last_channel_after": lasting(0, 60),
            "link_delay": lasting(0, 15),
            "sensor_delay": lasting(0, 15),
            "rejected_per_minute": st.integers(1, 600),
        }
    )
)
def test_silence_and_equipment_are_proved_whatever_may_be_read(
    values: Mapping[str, object],
) -> None:
    data = msgspec.structs.replace(LIMITS.data, **values)
    assert wrong(msgspec.structs.replace(NONE, data=data)) == []


@given(
    st.fixed_dictionaries(
        {
            "frozen_after": lasting(60, 400),
            "rates_differ": st.floats(5, 60),
            "differ_for": lasting(5, 20),
            "unit_for": lasting(5, 30),
            "cuff_max": lasting(0, 60),
            "cuff_after": lasting(0, 20),
            "perfusion_min": st.floats(0, 2),
            "sources_differ": shares(DOUBLED),
            "sources_differ_for": lasting(10, 120),
            "steps_per_minute": st.none() | st.integers(2, 60),
        }
    ),
    shares(JUMPING, 1),
)
@settings(max_examples=20)
def test_doubts_are_proved_whatever_may_be_read(
    values: Mapping[str, object], steps: dict[Metric, float]
) -> None:
    doubt = msgspec.structs.replace(DOUBT, **values)
    data = msgspec.structs.replace(LIMITS.data, steps=steps)
    spo2_low = LIMITS.limits[:1]
    limits = msgspec.structs.replace(NONE, doubt=doubt, data=data, limits=spo2_low)
    assert wrong(limits) == []


@given(st.dictionaries(st.sampled_from(Phase), lasting(60, 14_700), max_size=2))
def test_a_late_cuff_is_proved_whatever_may_be_read(due: dict[Phase, Duration]) -> None:
    assert wrong(msgspec.structs.replace(NONE, cuff_due=due)) == []


@pytest.mark.parametrize(
    ("late_s", "is_well"), [(-0.5, False), (0.0, True), (5.0, True), (6.0, True), (6.5, False)]
)
def test_a_core_that_told_too_soon_or_too_late_would_be_found(
    late_s: float, monkeypatch: pytest.MonkeyPatch, *, is_well: bool
) -> None:
    link = link_alarm("device")
    told = found(NONE, link)
    assert (told.text, told.is_well) == ("a lost link: medium after 5 s", True)
    real = play(NONE, SETTLED_S + 10, _lost)
    late = msgspec.structs.replace(
        next(each for each in real if each.alarm == link),
        at=Instant(instant_at(SETTLED_S) + seconds(late_s)),
    )
    monkeypatch.setattr(data_proofs, "play", lambda *_: [late])
    plain = found(NONE, link)
    said = "" if is_well else ", promised 5 s"
    assert plain == Finding(
        alarm=link,
        is_well=is_well,
        text=f"a lost link: medium after {late_s:g} s{said}",
        place="[data]",
        priority=Priority.MEDIUM,
        delay_s=5,
        latency_s=late_s,
    )


def _lost(second: int) -> Iterator[Happened]:
    if second == SETTLED_S:
        at = instant_at(second)
        yield LinkChange(link="device", state=LinkState.LOST, at=at, metrics=())


def test_what_is_never_told_is_found() -> None:
    doubt = msgspec.structs.replace(DOUBT, rates_differ=300.0)
    assert found(msgspec.structs.replace(NONE, doubt=doubt), RATES_DIFFER) == Finding(
        alarm=RATES_DIFFER,
        is_well=False,
        text="a pulse of half the heart rate raises nothing",
        place="[doubt]",
    )


def test_a_cuff_on_the_arm_of_the_probe_is_proved_where_it_explains_a_saturation() -> None:
    limits = msgspec.structs.replace(NONE, doubt=DOUBT)
    assert CUFF_ON_PROBE_ARM not in {each.alarm for each in prove_data(limits)}
    spo2 = msgspec.structs.replace(limits, limits=LIMITS.limits[:1])
    assert found(spo2, CUFF_ON_PROBE_ARM).is_well
    never = msgspec.structs.replace(spo2, doubt=msgspec.structs.replace(DOUBT, cuff_max=seconds(0)))
    assert CUFF_ON_PROBE_ARM not in {each.alarm for each in prove_data(never)}


def test_as_many_refusals_are_played_as_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    played = list[Happened]()

    def plays(
        _: LimitSet, last_s: int, happens: Callable[[int], Iterable[Happened]]
    ) -> list[object]:
        played.extend(each for second in range(last_s) for each in happens(second))
        return []

    monkeypatch.setattr(data_proofs, "play", plays)
    data = msgspec.structs.replace(LIMITS.data, rejected_per_minute=7)
    refused = found(msgspec.structs.replace(NONE, data=data), REJECTED)
    assert refused.text == "8 refusals in a minute raises nothing"
    assert sum(isinstance(each, FrameRejected) for each in played) == 8


@pytest.mark.parametrize("count", [2, 7, 60])
def test_impossible_steps_are_those_of_the_metric_that_has_room_for_them(count: int) -> None:
    data = msgspec.structs.replace(LIMITS.data, steps={Metric.TEMP: 18.0, Metric.SPO2: 90.0})
    limits = msgspec.structs.replace(
        NONE,
        limits=LIMITS.limits[:1],
        data=data,
        doubt=msgspec.structs.replace(DOUBT, steps_per_minute=count),
    )
    jumps = found(limits, NUMBERS_JUMP)
    assert (jumps.is_well, jumps.latency_s, jumps.delay_s) == (True, count - 1, count - 1)


def test_cuffs_are_proved_also_where_the_limits_allow_a_diastolic_above_the_systolic() -> None:
    high = next(each for each in LIMITS.limits if each.alarm == "nibp_dia_high")
    low = msgspec.structs.replace(high, alarm="nibp_dia_low", is_low=True, limit=60.0, severe=None)
    systolic = [each for each in LIMITS.limits if each.metric is Metric.NIBP_SYS]
    due = {Phase.INFUSING: seconds(600)}
    limits = msgspec.structs.replace(NONE, limits=(low, *systolic), cuff_due=due)
    assert usual(limits, Metric.NIBP_DIA) > usual(limits, Metric.NIBP_SYS)
    assert wrong(limits) == []
    assert found(limits, NIBP_OVERDUE).latency_s == 600
