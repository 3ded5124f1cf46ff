"""H25, a counter that overflows after days: forty virtual days, past 24.9 and 49.7, as day one."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.system import AlarmSystem
from monitor.model.instant import NS_PER_S, Instant, in_seconds, instant_at
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import LIMITS, Score

pytestmark = pytest.mark.hazard("H25")

DAY_S: Final = 86_400
WRAPS_S: Final = (2**31 / 1000, 2**32 / 1000, 2**31 / 100, 2**53 / 1e9, 2**31)
"""Where counters of milliseconds, of hundredths, of float nanoseconds and of seconds run over."""


def episode(score: Score, start: float) -> list[tuple[float, str, str, str]]:
    """Play two minutes with an alarm, an acknowledgement, a loss and an apnoea."""
    before = len(score.told)
    for second in range(30):
        score.see(start + second, spo2=97, pulse_rate=70, etco2=38, resp_rate=14)
    for second in range(30, 60):
        score.see(start + second, spo2=88, pulse_rate=70, etco2=0, resp_rate=0)
        if second == 45:
            score.do(Deed.ACKNOWLEDGE, "spo2_low", start + second)
    for second in range(60, 120):
        score.see(start + second, pulse_rate=70, etco2=38, resp_rate=14)
    score.do(Deed.RESET, "spo2_low", start + 120)
    score.do(Deed.RESET, "apnoea", start + 120)
    for second in range(121, 150):
        score.see(start + second, spo2=97, pulse_rate=70, etco2=38, resp_rate=14)
    score.do(Deed.RESET, "no_data_spo2", start + 150)
    return [
        (round(in_seconds(each.at) - start, 3), each.alarm, each.change.value, each.reason)
        for each in score.told[before:]
    ]


def fresh(start: float) -> list[tuple[float, str, str, str]]:
    return episode(Score(), start)


def settle(score: Score, start: float) -> None:
    """Play a minute and a half of a patient who is well, and reset what still stands."""
    for second in range(90):
        score.see(
            start + second, spo2=97, pulse_rate=70 + second % 2, etco2=38 + second % 2, resp_rate=14
        )
    for alarm in tuple(score.standing()):
        score.do(Deed.RESET, alarm, start + 90)


def test_forty_days_of_watching_change_nothing() -> None:
    """A sample every ten minutes, and now and then an episode, all of it in one session."""
    score = Score()
    settle(score, 0)
    first = episode(score, 91)
    assert {"spo2_low", "apnoea", "no_data_spo2"} <= {each[1] for each in first}
    size = len(score.system.save())
    for day in range(1, 60):
        start = day * DAY_S
        for at in range(start - DAY_S // 2, start - 400, 600):
            score.see(
                at, spo2=97, pulse_rate=70 + at // 600 % 2, etco2=38 + at // 600 % 2, resp_rate=14
            )
        if day % 5 == 0 or day in {24, 25, 49, 50}:
            settle(score, start)
            assert episode(score, start + 91) == first
    assert len(score.system.save()) < size + 1500


@settings(max_examples=25)
@given(st.sampled_from(WRAPS_S), st.integers(-150, 30))
def test_a_session_that_crosses_a_place_where_counters_wrap_is_as_any_other(
    wrap_s: float, offset: int
) -> None:
    start = round(wrap_s) + offset
    assert fresh(start) == fresh(0)


@given(st.sampled_from(WRAPS_S), st.integers(0, 999_999_999))
def test_an_instant_is_exact_to_the_nanosecond_after_years(wrap_s: float, more: int) -> None:
    instant = Instant(round(wrap_s) * NS_PER_S + more)
    system = AlarmSystem(LIMITS)
    system.wake(instant)
    assert AlarmSystem.restore(LIMITS, system.save()).save() == system.save()
    assert msgspec.json.decode(system.save())["now"] == instant


def test_a_cuff_is_waited_for_after_forty_days_as_on_the_first() -> None:
    for start in (0, 40 * DAY_S):
        score = Score()
        action = OperatorAction(
            deed=Deed.ENTER_PHASE, at=instant_at(start), operator="n", phase=Phase.INFUSING
        )
        score.hear(action, start)
        score.see(start, nibp_sys=120, nibp_dia=80, nibp_mean=93)
        score.wait(start + 700)
        assert [line[0] - start for line in score.lines()] == [660]
