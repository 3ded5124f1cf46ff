"""What a person does to a signal: one alarm, one occurrence, never wider than asked."""

from typing import Final

import pytest

from alarms.limits import read_preset
from monitor.model.alarm import Change
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.event import Observation, Validity
from monitor.model.instant import in_seconds, instant_at
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import PRESET_TEXT, Score


def low(until: float = 20) -> Score:
    score = Score()
    score.run(0, until, spo2=88)
    return score


def test_an_acknowledged_signal_returns_when_the_value_leaves_its_envelope() -> None:
    score = low()
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(21, 30, spo2=86)
    assert score.changes("spo2_low")[-1] == (20, "acknowledged")
    score.run(30, 31, spo2=84.9)
    assert score.told[-1].change is Change.RESUMED
    assert "worse than acknowledged: 88 then, 84.9 % now" in score.told[-1].reason


def test_the_edge_of_the_envelope_is_still_inside() -> None:
    score = low()
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(21, 60, spo2=85)
    assert score.changes("spo2_low")[-1] == (20, "acknowledged")


def test_an_acknowledged_signal_returns_when_the_condition_does() -> None:
    score = low()
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(21, 40, spo2=95)
    score.run(40, 60, spo2=88)
    assert score.changes("spo2_low")[-2:] == [(26, "ended"), (50, "present")]
    assert score.standing()["spo2_low"].acknowledged_until is None


def test_an_acknowledgement_ends_when_the_priority_rises() -> None:
    score = low()
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(21, 30, spo2=84.5)
    assert [change for _, change in score.changes("spo2_low")][-2:] == ["resumed", "escalated"]
    assert score.standing()["spo2_low"].acknowledged_until is None


def test_an_acknowledgement_runs_out_sooner_for_high() -> None:
    medium, high = low(), Score()
    high.run(0, 20, spo2=80)
    medium.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    high.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    medium.run(21, 700, spo2=88)
    high.run(21, 700, spo2=80)
    assert medium.changes("spo2_low")[-1] == (620, "resumed")
    assert high.changes("spo2_low")[-1] == (140, "resumed")


URGENT_WHILE_INFUSING: Final = """
[phase.infusing.limits.spo2.low]
limit = 90
priority = "high"
delay_s = 5
hysteresis = 1
clear_for_s = 5
latch = "never"
acknowledge_envelope = 2
provenance = { limit = "test" }
"""


def test_an_acknowledgement_runs_out_sooner_where_a_phase_makes_it_high() -> None:
    limits = read_preset(PRESET_TEXT + URGENT_WHILE_INFUSING, "urgent.toml")
    for entered, ends in ((60, 140), (300, 300)):
        score = Score(limits)
        score.run(0, 20, spo2=88)
        score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
        assert score.standing()["spo2_low"].acknowledged_until == instant_at(620)
        score.run(21, entered, spo2=88)
        enter = OperatorAction(
            deed=Deed.ENTER_PHASE,
            at=instant_at(entered),
            operator="nurse-1",
            phase=Phase.INFUSING,
        )
        score.hear(enter, entered)
        score.run(entered, 400, spo2=88)
        assert score.changes("spo2_low")[-1] == (ends, "resumed")


@pytest.mark.hazard("H6")
def test_pausing_one_alarm_leaves_the_other_alone() -> None:
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=130)
    score.do(Deed.PAUSE_AUDIO, "spo2_low", 20)
    standing = score.standing()
    assert standing["spo2_low"].audio_paused_until == instant_at(140)
    assert standing["pulse_rate_high"].audio_paused_until is None
    score.run(21, 40, spo2=88, pulse_rate=130, etco2=70)
    assert score.standing()["etco2_high"].audio_paused_until is None


def test_a_pause_runs_out_and_says_so() -> None:
    score = low()
    score.do(Deed.PAUSE_AUDIO, "spo2_low", 20)
    score.run(21, 200, spo2=88)
    assert score.changes("spo2_low")[-2:] == [(20, "paused"), (140, "resumed")]


@pytest.mark.hazard("H6")
def test_escalation_cancels_a_pause() -> None:
    score = low()
    score.do(Deed.PAUSE_AUDIO, "spo2_low", 20)
    score.run(21, 40, spo2=80)
    assert score.changes("spo2_low")[-1] == (26, "escalated")
    assert score.standing()["spo2_low"].audio_paused_until is None


def test_what_cannot_be_done_is_refused_in_words_and_changes_nothing() -> None:
    score = low()
    before = score.system.save()

    def refused(deed: Deed, alarm: str, operator: str = "nurse-1") -> str:
        action = OperatorAction(deed=deed, at=instant_at(19), operator=operator, alarm=alarm)
        reason = score.system.refusal(action)
        assert score.system.accept(action, instant_at(19)) == ()
        return reason

    assert refused(Deed.ACKNOWLEDGE, "etco2_low") == "no such alarm present"
    assert refused(Deed.ACKNOWLEDGE, "no such thing") == "no such alarm present"
    assert refused(Deed.RESET, "spo2_low") == "cannot reset: the cause is still present"
    assert refused(Deed.RESUME, "spo2_low") == "its signals are not inactivated"
    assert refused(Deed.ACKNOWLEDGE, "spo2_low", " ") == "an operator must be named"
    assert score.system.save() == before


def test_a_severe_occurrence_latches_until_a_person_has_seen_it() -> None:
    score = Score()
    score.run(0, 20, spo2=80)
    score.run(20, 40, spo2=97)
    assert score.changes("spo2_low")[-1][1] == "latched"
    assert score.standing()["spo2_low"].signal is Signal.LATCHED
    score.do(Deed.RESET, "spo2_low", 40)
    assert score.standing() == {}


def test_alarms_are_read_most_urgent_first_then_newest() -> None:
    score = Score()
    score.run(0, 40, spo2=88)
    score.run(40, 60, spo2=88, pulse_rate=130)
    score.run(60, 80, spo2=88, pulse_rate=130, etco2=70)
    assert [each.alarm for each in score.system.alarms()] == [
        "etco2_high",
        "pulse_rate_high",
        "spo2_low",
    ]


def test_of_equal_urgency_the_newest_is_read_first_whatever_its_name() -> None:
    score = Score()
    score.run(0, 20, pulse_rate=130)
    score.run(20, 40, pulse_rate=130, spo2=88)
    assert [each.alarm for each in score.system.alarms()] == ["spo2_low", "pulse_rate_high"]


def test_what_is_absent_and_off_is_listed_by_name() -> None:
    score = Score()
    for alarm in ("temp_low", "temp_high"):
        score.do(Deed.TURN_ALARM_OFF, alarm, 1)
    assert [each.alarm for each in score.system.inactivated()] == ["temp_high", "temp_low"]


def test_what_is_present_is_read_before_what_is_only_latched() -> None:
    score = Score()
    score.run(0, 20, pulse_rate=150)
    score.run(20, 40, pulse_rate=150, spo2=80)
    score.run(40, 50, pulse_rate=150, spo2=97)
    assert score.standing()["spo2_low"].signal is Signal.LATCHED
    assert [each.alarm for each in score.system.alarms()] == ["pulse_rate_high", "spo2_low"]


@pytest.mark.hazard("H9")
@pytest.mark.parametrize("is_doubted", [False, True])
def test_an_acknowledgement_measures_from_what_was_believed(*, is_doubted: bool) -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    validity = Validity.QUESTIONABLE if is_doubted else Validity.VALID
    score.hear(Observation(Metric.SPO2, 95, validity, instant_at(20)), 20)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20.5)
    watch = score.system.inspect("spo2_low")
    assert watch is not None
    assert watch.state.edge == (85 if is_doubted else 92)


@pytest.mark.hazard("H9")
def test_a_doubted_value_that_counts_is_one_to_measure_from() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.hear(Observation(Metric.SPO2, 86, Validity.QUESTIONABLE, instant_at(20)), 20)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20.5)
    watch = score.system.inspect("spo2_low")
    assert watch is not None
    assert watch.state.edge == 83


@pytest.mark.hazard("H6")
def test_what_is_over_and_was_seen_leaves_the_far_line_to_what_is_present() -> None:
    score = Score()
    score.run(0, 20, spo2=80, pulse_rate=70)
    score.run(20, 40, spo2=97, pulse_rate=130)
    assert [each.alarm for each in score.system.alarms()] == ["spo2_low", "pulse_rate_high"]
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 40)
    assert [each.alarm for each in score.system.alarms()] == ["pulse_rate_high", "spo2_low"]


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("is_acknowledged", [False, True])
def test_what_was_high_and_unseen_makes_the_next_occurrence_high(*, is_acknowledged: bool) -> None:
    score = Score()
    score.run(0, 10, spo2=80)
    score.run(10, 20, spo2=97)
    if is_acknowledged:
        score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.run(20, 40, spo2=88)
    present = score.told[-1]
    assert (present.change, present.limit) == (Change.PRESENT, 90)
    assert present.priority == ("medium" if is_acknowledged else "high")
    unseen = "; as urgent as the one before, not yet seen"
    assert present.reason == "below 90 % for 10 s" + ("" if is_acknowledged else unseen)
    score.run(40, 50, spo2=97)
    assert score.changes("spo2_low")[-1][1] == ("ended" if is_acknowledged else "latched")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([86.0] * 9 + [90.0], [(16, "medium", 90)]),
        ([82.0] * 4 + [90.0], [(11, "high", 85)]),  # the first one is an impossible step
        ([89.0] * 9 + [90.0], []),
        ([86.0] * 9 + [91.0], []),
        ([86.0] * 5 + [90.0] * 5, []),
    ],
)
def test_a_moment_at_the_limit_stops_the_delay_and_a_hover_begins_it_anew(
    values: list[float], expected: list[tuple[float, str, float]]
) -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    for second in range(60):
        score.see(5 + second, spo2=values[second % len(values)])
    told = [each for each in score.told if each.change is Change.PRESENT]
    assert [(in_seconds(each.at), each.priority, each.limit) for each in told] == expected


@pytest.mark.parametrize(("value", "at"), [(58.0, [16.0]), (51.0, []), (52.0, [])])
def test_a_moment_at_a_high_limit_stops_the_delay_too(value: float, at: list[float]) -> None:
    score = Score()
    score.run(0, 5, etco2=48, resp_rate=14)
    for second in range(40):
        score.see(5 + second, etco2=value if second % 10 < 9 else 50, resp_rate=14)
    assert [each for each, change in score.changes("etco2_high") if change == "present"] == at
