"""The alarm system by examples: what a nurse relies on, sentence by sentence."""

import msgspec
import pytest

from alarms.limits import read_preset
from monitor.model.alarm import Change, Priority
from monitor.model.event import FrameRejected, Validity
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT, Score, seen


def test_a_quiet_patient_is_told_nothing() -> None:
    score = Score()
    for start in range(0, 600, 20):
        score.run(start, start + 10, spo2=97, pulse_rate=70, etco2=38, resp_rate=14)
        score.run(start + 10, start + 20, spo2=97, pulse_rate=71, etco2=37, resp_rate=14)
    assert score.lines() == []
    assert score.system.alarms() == ()


def test_low_for_the_delay_is_an_alarm_stamped_with_the_due_instant() -> None:
    score = Score()
    score.run(0, 30, spo2=97)
    score.run(30, 45, spo2=88)
    assert score.lines() == [(40, "spo2_low", "present", "medium")]
    assert score.told[0].limit == 90
    assert score.told[0].value == 88
    assert "below 90 % for 10 s" in score.told[0].reason


def test_already_bad_at_the_start_is_an_alarm() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    assert score.lines() == [(10, "spo2_low", "present", "medium")]


def test_a_dip_shorter_than_the_delay_is_none() -> None:
    score = Score()
    score.run(0, 30, spo2=92)
    score.run(30, 38, spo2=88)
    score.run(38, 60, spo2=92)
    assert score.lines() == []


@pytest.mark.hazard("H13")
def test_the_severe_band_does_not_wait_for_the_delay() -> None:
    score = Score()
    score.run(0, 30, spo2=97)
    score.run(30, 45, spo2=80)
    assert score.lines() == [(35, "spo2_low", "present", "high")]


def test_one_alarm_escalates_and_keeps_its_priority_until_it_ends() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.run(20, 40, spo2=83)
    score.run(40, 60, spo2=88)
    assert score.lines() == [
        (10, "spo2_low", "present", "medium"),
        (25, "spo2_low", "escalated", "high"),
    ]
    assert score.standing()["spo2_low"].priority is Priority.HIGH


def test_a_value_between_limit_and_hysteresis_ends_nothing() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.run(20, 60, spo2=90)
    assert score.changes("spo2_low") == [(10, "present")]
    score.run(60, 70, spo2=91)
    assert score.changes("spo2_low") == [(10, "present"), (65, "ended")]


def test_five_seconds_inside_are_needed_without_interruption() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.run(20, 24, spo2=95)
    score.run(24, 25, spo2=None)
    score.run(25, 29, spo2=95)
    assert "ended" not in dict(map(reversed, score.changes("spo2_low")))  # type: ignore[arg-type]  # pairs
    score.run(29, 40, spo2=95)
    assert score.changes("spo2_low")[-1] == (30, "ended")


@pytest.mark.hazard("H3")
def test_losing_the_signal_holds_the_alarm_and_only_fresh_data_end_it() -> None:
    score = Score()
    score.run(0, 15, spo2=88)
    score.run(15, 100, spo2=None)
    score.wait(3600)
    assert score.changes("spo2_low") == [(10, "present"), (15, "held")]
    assert score.standing()["spo2_low"].held_since == instant_at(15)
    score.run(3600, 3610, spo2=95)
    assert score.changes("spo2_low")[2:] == [(3600, "unheld"), (3605, "ended")]


def test_a_held_alarm_keeps_its_priority() -> None:
    score = Score()
    score.run(0, 15, spo2=80)
    score.wait(200)
    held = score.standing()["spo2_low"]
    assert held.priority is Priority.HIGH
    assert held.since == instant_at(0)


def test_silence_holds_too_once_the_value_is_old() -> None:
    score = Score()
    score.run(0, 15, spo2=88)
    score.wait(60)
    assert score.changes("spo2_low") == [(10, "present"), (24, "held")]


def test_a_named_person_may_reset_what_is_held_and_it_arms_again() -> None:
    score = Score()
    score.run(0, 15, spo2=88)
    score.run(15, 46, spo2=None)
    score.do(Deed.RESET, "spo2_low", 46, "dr-a")
    assert score.told[-1].change is Change.RESET
    assert score.told[-1].operator == "dr-a"
    score.run(47, 60, spo2=88)
    assert score.changes("spo2_low")[-1] == (57, "present")


@pytest.mark.hazard("H3")
def test_what_is_held_is_reset_only_after_its_loss_was_told() -> None:
    score = Score()
    score.run(0, 15, spo2=80)
    score.run(15, 45, spo2=None)
    action = OperatorAction(
        deed=Deed.RESET, at=instant_at(44.9), operator="nurse-1", alarm="spo2_low"
    )
    said = "cannot reset: unmeasured for 29 s only; it can be reset after 30 s"
    assert score.system.refusal(action) == said
    score.do(Deed.RESET, "spo2_low", 44.9)
    assert "spo2_low" in score.standing()
    score.run(45, 46, spo2=None)
    assert "no_data_spo2" in score.standing()
    assert score.system.refusal(msgspec.structs.replace(action, at=instant_at(45))) == ""
    score.do(Deed.RESET, "spo2_low", 45)
    assert "spo2_low" not in score.standing()


def test_low_and_then_lost_is_not_forgotten() -> None:
    score = Score()
    score.run(0, 30, spo2=97)
    score.run(30, 37, spo2=88)
    score.run(37, 60, spo2=None)
    assert score.changes("spo2_low") == [(40, "present"), (40, "held")]


def test_one_artefact_before_a_drop_out_is_no_desaturation() -> None:
    score = Score()
    score.run(0, 30, spo2=98)
    score.run(30, 31, spo2=84)
    score.run(31, 90, spo2=None)
    score.run(90, 120, spo2=98)
    assert score.changes("spo2_low") == []


def test_low_readings_between_drop_outs_add_up() -> None:
    score = Score()
    score.run(0, 3, spo2=88)
    score.run(3, 6, spo2=None)
    score.run(6, 8, spo2=88)
    score.run(8, 12, spo2=None)
    assert score.changes("spo2_low") == [(10, "present"), (10, "held")]


def test_a_drop_out_does_not_start_the_delay_again() -> None:
    score = Score()
    score.run(0, 6, spo2=88)
    score.run(6, 9, spo2=None)
    score.run(9, 20, spo2=88)
    assert score.changes("spo2_low") == [(10, "present")]


@pytest.mark.hazard("H3")
def test_every_gap_of_thirty_seconds_is_told_in_time() -> None:
    score = Score()
    score.run(0, 10, spo2=97, etco2=38)
    score.run(10, 60, etco2=38)
    assert score.lines() == [(39, "no_data_spo2", "present", "medium")]


def test_the_last_respiratory_channel_to_go_becomes_high_after_another_minute() -> None:
    score = Score()
    score.run(0, 10, spo2=97, etco2=38, resp_rate=12)
    score.run(10, 20, spo2=97)
    score.wait(200)
    assert score.lines("no_data_spo2") == [
        (49, "no_data_spo2", "present", "medium"),
        (109, "no_data_spo2", "escalated", "high"),
    ]
    assert [each[3] for each in score.lines("no_data_etco2")] == ["medium"]


def test_any_respiratory_channel_that_lives_keeps_the_others_at_medium() -> None:
    score = Score()
    score.run(0, 10, spo2=97, etco2=38, resp_rate=12)
    score.run(10, 300, spo2=97)
    assert {each[3] for each in score.lines()} == {"medium"}


def test_a_respiratory_channel_that_comes_back_stops_the_clock_to_high() -> None:
    score = Score()
    score.run(0, 10, spo2=97, etco2=38)
    score.run(10, 20, spo2=97)
    score.wait(60)
    score.run(60, 130, etco2=38)
    assert {each[3] for each in score.lines()} == {"medium"}


def test_one_long_gap_does_not_make_a_source_slow() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.see(60, spo2=97)
    score.wait(95)
    assert score.changes("no_data_spo2")[-1] == (90, "present")


def test_a_metric_never_seen_is_not_missed() -> None:
    score = Score()
    score.run(0, 100, spo2=97, etco2=None)
    score.wait(105)
    assert score.lines() == []


def test_a_source_of_one_reading_a_minute_is_not_always_stale() -> None:
    score = Score()
    score.run(0, 3600, every=60, spo2=97, pulse_rate=70)
    assert score.lines() == []
    score.wait(4000)
    assert score.lines("no_data_spo2")[0][0] == 3540 + 180


def test_zeros_of_an_oximeter_are_a_loss_and_never_a_saturation() -> None:
    score = Score()
    score.run(0, 10, spo2=97, pulse_rate=70)
    score.run(10, 100, spo2=0, pulse_rate=0)
    assert {each[1] for each in score.lines()} == {"no_data_spo2", "no_data_pulse_rate"}


def test_a_heart_rate_of_zero_is_asystole_unless_a_pulse_is_measured() -> None:
    with_pulse, without = Score(), Score()
    with_pulse.run(0, 10, heart_rate=70, pulse_rate=70)
    with_pulse.run(10, 20, heart_rate=0, pulse_rate=70)
    without.run(0, 10, heart_rate=70)
    without.run(10, 20, heart_rate=0)
    assert with_pulse.changes("heart_rate_low") == []
    assert without.lines("heart_rate_low") == [(15, "heart_rate_low", "present", "high")]


@pytest.mark.hazard("H11")
def test_an_impossible_step_waits_for_one_sample_and_hides_nothing() -> None:
    score = Score()
    score.run(0, 10, spo2=98)
    score.run(10, 30, spo2=70)
    (told,) = score.told
    assert (told.alarm, told.priority) == ("spo2_low", Priority.HIGH)
    assert instant_at(15) <= told.at <= instant_at(16)


def test_one_high_sample_does_not_start_a_desaturation_anew() -> None:
    score = Score()
    score.run(0, 10, spo2=98)
    score.run(10, 16, spo2=86)
    score.run(16, 17, spo2=99)
    score.run(17, 30, spo2=86)
    assert score.changes("spo2_low") == [(20, "present")]


def test_a_questionable_value_never_ends_an_alarm_but_may_raise_one() -> None:
    score = Score()
    score.run(0, 15, spo2=88)
    for second in range(15, 40):
        score.hear(seen("spo2", 97, second, validity=Validity.QUESTIONABLE), second)
    assert "ended" not in [change for _, change in score.changes("spo2_low")]
    doubtful = Score()
    for second in range(20):
        doubtful.hear(seen("spo2", 80, second, validity=Validity.QUESTIONABLE), second)
    assert doubtful.lines("spo2_low") == [(5, "spo2_low", "present", "high")]


def test_a_value_the_device_took_long_ago_is_not_fresh() -> None:
    score = Score()
    score.run(0, 15, spo2=88)
    for second in range(60, 70):
        score.hear(seen("spo2", 97, second, taken=5), second)
    assert score.changes("spo2_low") == [(10, "present"), (24, "held")]


def test_out_of_order_future_and_repeated_samples_change_nothing() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    before = score.system.save()
    score.hear(seen("spo2", 97, 19), 19)
    assert score.system.save() == before
    score.system.accept(seen("spo2", 50, 10), instant_at(19))
    score.system.accept(seen("spo2", 50, 500), instant_at(19))
    assert score.system.rejected == 2
    score.run(20, 40, spo2=97)
    assert score.lines() == []


def test_garbage_is_refused_counted_and_told_when_there_is_much_of_it() -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    score.run(5, 25, spo2=-21846)
    assert score.system.rejected == 20
    assert score.lines("spo2_low") == []
    assert score.lines("input_rejected") == [(15, "input_rejected", "present", "low")]
    score.run(25, 100, spo2=97)
    assert score.changes("input_rejected")[-1] == (84, "ended")


def test_refused_frames_are_told_when_there_are_many() -> None:
    score = Score()
    for second in range(11):
        score.hear(FrameRejected("checksum differs", b"\x00", instant_at(second)), second)
    assert score.changes("input_rejected") == [(10, "present")]
    assert "checksum differs" in score.told[0].reason


def test_a_refusal_without_a_reason_is_called_one() -> None:
    score = Score()
    for second in range(11):
        score.hear(FrameRejected("", b"", instant_at(second)), second)
    assert score.told[0].reason == "more than 10 in a minute, the last: refused"


def test_a_phase_that_is_not_named_changes_nothing_and_needs_no_permission() -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    before, limits = score.system.save(), score.system.limits_of(Metric.SPO2)
    action = OperatorAction(deed=Deed.ENTER_PHASE, at=instant_at(4), operator="nurse-1")
    assert score.system.refusal(action) == ""
    assert score.hear(action, 4) == ()
    assert score.system.save() == before
    assert score.system.limits_of(Metric.SPO2) == limits


def test_what_is_missing_says_for_how_long_and_that_nothing_is_left() -> None:
    score = Score()
    score.run(0, 10, etco2=38)
    score.wait(200)
    assert [(each.change, each.priority, each.reason) for each in score.told] == [
        (Change.PRESENT, Priority.MEDIUM, "no valid value for 30 s"),
        (Change.ESCALATED, Priority.HIGH, "no respiratory channel is left"),
    ]
    other = Score()
    other.run(0, 10, pulse_rate=70)
    other.wait(50)
    other.run(50, 60, pulse_rate=70)
    watch = other.system.inspect("no_data_pulse_rate")
    assert watch is not None
    assert watch.note == "no valid value for 30 s"


def test_a_long_absence_is_said_in_whole_figures() -> None:
    score = Score()
    for second in (0, 1500, 3000):
        score.see(second, pulse_rate=70)
    score.wait(7600)
    assert score.told[-1].reason == "no valid value for 4500 s"


def test_a_metric_that_comes_again_after_it_went_stale_is_current_again() -> None:
    data = msgspec.structs.replace(LIMITS.data, stale_after=seconds(5))
    score = Score(msgspec.structs.replace(LIMITS, data=data))
    channel = score.system.channel_of(Metric.SPO2)
    assert channel is not None
    for number in range(10):
        score.wait(7 * number - 0.5)
        assert channel.is_stale is (number > 0)
        score.see(7 * number, spo2=97)
        assert not channel.is_stale


def test_a_pattern_of_something_lost_begins_when_it_is_stale() -> None:
    score = Score(read_preset(PRESET_TEXT + PATTERNS, "x"))
    score.run(0, 20, spo2=97, etco2=38)
    score.run(20, 40, spo2=92)
    assert score.lines("blind_and_low")[0] == (34, "blind_and_low", "present", "high")


def test_the_limits_of_a_phase_are_in_force_from_the_next_ordinary_value_on() -> None:
    score = Score(read_preset(PRESET_TEXT + PATTERNS, "x"))
    score.run(0, 20, spo2=91.5)
    score.hear(
        OperatorAction(
            deed=Deed.ENTER_PHASE, at=instant_at(20), operator="n", phase=Phase.OBSERVATION
        ),
        20,
    )
    score.run(20, 50, spo2=91.5)
    assert score.lines("spo2_low") == [(40, "spo2_low", "present", "low")]
