"""Links, sensors and parts of ourselves: what their loss means and explains."""

from alarms.rules import DataRules
from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Priority
from monitor.model.entry import SelfCheck
from monitor.model.event import NoticeKind
from monitor.model.instant import instant_at, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import LIMITS, Score


def test_a_lost_link_holds_its_metrics_and_explains_their_silence() -> None:
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=70)
    score.link(LinkState.LOST, 20, Metric.SPO2, Metric.PULSE_RATE)
    score.wait(60)
    assert (20, "spo2_low", "held", "medium") in score.lines()
    assert (25, "link_box", "present", "medium") in score.lines()
    assert score.first("no_data_spo2", Change.PRESENT).subsumed_by == "link_box"
    assert score.standing()["no_data_pulse_rate"].subsumed_by == "link_box"


def test_a_link_that_is_back_at_once_is_only_noted() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.link(LinkState.LOST, 20, Metric.SPO2)
    score.link(LinkState.UP, 23)
    score.run(23, 60, spo2=97)
    assert score.lines() == []


def test_what_is_more_urgent_than_its_cause_is_not_subsumed() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.link(LinkState.LOST, 20, Metric.SPO2)
    score.wait(200)
    last = score.first("no_data_spo2", Change.ESCALATED)
    assert (last.priority, last.subsumed_by) == (Priority.HIGH, "")
    assert score.standing()["no_data_spo2"].subsumed_by == ""


def test_values_still_printed_after_sensor_off_count_for_nothing() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.run(20, 60, spo2=97)
    assert score.changes("spo2_low") == [(10, "present"), (20, "held")]
    assert score.changes("sensor_off") == [(25, "present")]
    assert score.first("no_data_spo2", Change.PRESENT).subsumed_by == "sensor_off"
    score.notice(NoticeKind.SENSOR_OFF, 60, present=False)
    score.run(60, 80, spo2=97)
    assert score.changes("spo2_low")[-1][1] == "ended"


def test_a_new_conversation_forgets_what_the_old_one_said_was_off() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.link(LinkState.LOST, 30, Metric.SPO2)
    score.link(LinkState.UP, 40)
    score.run(41, 90, spo2=97)
    assert set(score.standing()) <= {"no_data_spo2"}


def test_an_ailing_part_is_told_and_its_recovery_too() -> None:
    score = Score()
    for at, is_well in ((5, False), (9, True)):
        score.hear(SelfCheck(part="disk", at=instant_at(at), is_well=is_well, reason="full"), at)
    assert score.lines() == [(5, "disk", "present", "medium"), (9, "disk", "ended", "medium")]


def test_a_part_nobody_has_ranked_is_high() -> None:
    score = Score()
    score.hear(SelfCheck(part="flux", at=instant_at(5), is_well=False), 5)
    assert score.lines() == [(5, "flux", "present", "high")]


def test_limits_for_a_tile_are_those_in_force() -> None:
    system = AlarmSystem(LIMITS)
    assert system.limits_of(Metric.SPO2) == (90, None)
    assert system.limits_of(Metric.PULSE_RATE) == (50, 120)
    assert system.limits_of(Metric.PERFUSION_INDEX) == (None, None)


def test_the_rules_for_data_are_those_of_the_preset() -> None:
    assert isinstance(LIMITS.data, DataRules)
    assert LIMITS.data.absent_after == seconds(30)


def test_a_failed_cuff_reading_is_told_at_once_and_stays_until_a_person_has_seen_it() -> None:
    score = Score()
    score.notice(NoticeKind.CUFF_FAILED, 10)
    score.wait(300)
    assert score.changes("cuff_failed") == [(10, "present"), (10, "latched")]
    assert "cuff_failed" in score.standing()
    score.do(Deed.RESET, "cuff_failed", 300)
    assert "cuff_failed" not in score.standing()
