"""Every change says in words which rule, delay, clock or person decided."""

import pytest

from alarms.condition import Input, Policy, State, Told
from alarms.wording import reason
from monitor.model.alarm import Change, Inactivation, Priority
from monitor.model.instant import Instant, instant_at
from monitor.model.link import LinkState
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed
from tests.alarms.inactivating import GENEROUS
from tests.alarms.score import Score

Lines = list[tuple[float, str, str]]


def said(score: Score, alarm: str) -> Lines:
    """Return when what was told of an alarm, and why."""
    whys = [each.reason for each in score.told if each.alarm == alarm]
    return [(*line, why) for line, why in zip(score.changes(alarm), whys, strict=True)]


def test_a_desaturation_is_told_in_words_from_its_limit_to_its_reset() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(21, 30, spo2=84.9)
    score.run(30, 32, spo2=None)
    score.run(32, 40, spo2=97)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 40)
    score.do(Deed.RESET, "spo2_low", 41)
    assert said(score, "spo2_low") == [
        (10, "present", "below 90 % for 10 s"),
        (20, "acknowledged", "for 600 s unless below 85 %"),
        (21, "resumed", "worse than acknowledged: 88 then, 84.9 % now"),
        (26, "escalated", "below 85 % for 5 s"),
        (30, "held", "no fresh data; it stays until they say otherwise"),
        (32, "unheld", "fresh data are back"),
        (37, "latched", "the cause is gone; a person has yet to see it"),
        (40, "acknowledged", "its cause is gone; it stays on show until it is reset"),
        (41, "reset", "reset by a person"),
    ]


def test_a_fast_pulse_is_told_in_words_from_its_limit_to_its_end() -> None:
    score = Score()
    score.run(0, 20, pulse_rate=130)
    score.do(Deed.ACKNOWLEDGE, "pulse_rate_high", 20)
    score.run(21, 24, pulse_rate=131)
    score.see(24, pulse_rate=140.5)
    score.do(Deed.PAUSE_AUDIO, "pulse_rate_high", 25)
    score.run(25, 32, pulse_rate=150)
    score.run(32, 40, pulse_rate=100)
    assert said(score, "pulse_rate_high") == [
        (10, "present", "above 120/min for 10 s"),
        (20, "acknowledged", "for 600 s unless above 140/min"),
        (24, "resumed", "worse than acknowledged: 130 then, 140.5/min now"),
        (25, "paused", "audio paused for 120 s"),
        (29, "escalated", "above 140/min for 5 s; ends audio paused by nurse-1"),
        (38, "ended", "at or below 117/min for 5 s"),
    ]


def test_what_is_judged_at_once_names_no_delay() -> None:
    score = Score()
    for at, pressures in ((5, (170, 100, 123)), (50, (150, 90, 110))):
        score.see(at, **dict(zip(map(str, NIBP), pressures, strict=True)))
    assert said(score, "nibp_sys_high") == [
        (5, "present", "above 160 mmHg; unconfirmed"),
        (50, "ended", "at or below 155 mmHg"),
    ]


def test_each_end_of_what_a_person_did_says_which_end_it_was() -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(20, 700, spo2=88)
    score.do(Deed.PAUSE_AUDIO, "spo2_low", 700)
    score.run(700, 900, spo2=88)
    score.do(Deed.TURN_AUDIO_OFF, "spo2_low", 900)
    score.do(Deed.RESUME, "spo2_low", 901)
    score.run(901, 910, spo2=91)
    assert said(score, "spo2_low")[1:] == [
        (20, "acknowledged", "for 600 s unless below 85 %"),
        (620, "resumed", "the acknowledgement has run out"),
        (700, "paused", "audio paused for 120 s"),
        (820, "resumed", "audio paused for 120 s, now over"),
        (900, "paused", "audio off until somebody resumes it, reminder every 180 s"),
        (901, "resumed", "resumed by a person; it was audio off"),
        (906, "ended", "at or above 91 % for 5 s"),
    ]


def test_what_no_value_measures_is_told_by_its_note() -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    score.link(LinkState.LOST, 5, Metric.SPO2)
    score.wait(12)
    score.do(Deed.ACKNOWLEDGE, "link_box", 12)
    score.link(LinkState.UP, 20)
    assert said(score, "link_box") == [
        (10, "present", "lost"),
        (12, "acknowledged", "for 600 s"),
        (20, "ended", "the cause is gone"),
    ]


def test_a_change_carries_the_value_and_the_limit_that_decided() -> None:
    score = Score()
    score.run(0, 12, spo2=88)
    score.run(12, 20, spo2=80)
    score.run(20, 30, spo2=97)
    assert [(each.change, each.value, each.limit) for each in score.told] == [
        (Change.PRESENT, 88, 90),
        (Change.ESCALATED, 80, 85),
        (Change.LATCHED, 97, 85),
    ]
    medium = Score()
    medium.run(0, 12, spo2=88)
    medium.run(12, 20, spo2=97)
    assert (medium.told[-1].change, medium.told[-1].value) == (Change.ENDED, 97)


def test_an_acknowledged_low_one_is_quiet_for_longest() -> None:
    score = Score()
    score.run(0, 120, temp=39.5)
    score.do(Deed.ACKNOWLEDGE, "temp_high", 120)
    assert score.standing()["temp_high"].priority is Priority.LOW
    assert said(score, "temp_high")[-1] == (120, "acknowledged", "for 1800 s unless above 40 Cel")


@pytest.mark.parametrize("value", [None, 80.0])
def test_an_acknowledgement_without_an_edge_is_only_worse(value: float | None) -> None:
    before = State(operator=Inactivation.ACKNOWLEDGED, value=value, by="nurse-1")
    told = Told(Change.RESUMED, instant_at(5), Input.WORSE, before, State())
    policy = Policy(priority=Priority.MEDIUM)
    assert reason(told, policy, None, "") == "worse than acknowledged"


@pytest.mark.parametrize("change", Change)
def test_whatever_changes_is_told_in_words(change: Change) -> None:
    state = State(operator=Inactivation.AUDIO_PAUSED, until=Instant(5))
    told = Told(change, Instant(0), Input.RESUME, state, state)
    assert reason(told, Policy(priority=Priority.LOW), None, "why")
