"""Audio off, alarm paused and alarm off, of one condition, present or not."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Inactivation
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import instant_at
from monitor.model.session import Deed
from tests.alarms.inactivating import GENEROUS, OFF, STATE_OF, inactivation, refusal
from tests.alarms.score import Score

# -- one condition ---------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", OFF)
def test_a_condition_that_is_not_present_can_be_inactivated_and_comes_up_without_signals(
    deed: Deed,
) -> None:
    score = Score(GENEROUS)
    score.run(0, 5, spo2=97)
    score.do(deed, "spo2_low", 5)
    (absent,) = score.system.inactivated()
    assert (absent.alarm, absent.signal, absent.since) == ("spo2_low", Signal.OFF, instant_at(5))
    assert absent.inactivated_by == "nurse-1"
    score.run(6, 20, spo2=88)
    assert score.changes("spo2_low") == [(5, "paused"), (16, "present")]
    present = score.standing()["spo2_low"]
    assert present.inactivation is STATE_OF[deed]
    assert score.first("spo2_low", Change.PRESENT).inactivation is STATE_OF[deed]
    assert score.system.inactivated() == ()


@pytest.mark.parametrize("deed", [Deed.PAUSE_AUDIO, Deed.ACKNOWLEDGE])
def test_an_audio_pause_and_an_acknowledgement_are_of_a_present_signal_only(deed: Deed) -> None:
    score = Score(GENEROUS)
    assert refusal(score, deed, "spo2_low") == "no such alarm present"
    score.run(0, 20, spo2=88)
    score.do(deed, "spo2_low", 20)
    score.run(20, 30, spo2=97)
    score.run(30, 45, spo2=88)
    assert score.changes("spo2_low")[-2:] == [(26, "ended"), (40, "present")]
    assert inactivation(score, "spo2_low") is Inactivation.NONE


@pytest.mark.parametrize("deed", OFF)
def test_what_was_done_to_a_condition_outlives_its_occurrences(deed: Deed) -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88)
    score.do(deed, "spo2_low", 20)
    score.run(20, 30, spo2=97)
    assert score.changes("spo2_low")[-1] == (26, "ended")
    (absent,) = score.system.inactivated()
    assert absent.inactivation is STATE_OF[deed]
    assert (absent.inactivated_by, absent.inactivated_at) == ("nurse-1", instant_at(20))
    score.run(30, 45, spo2=88)
    present = score.standing()["spo2_low"]
    assert present.inactivation is STATE_OF[deed]
    assert (present.inactivated_by, present.inactivated_at) == ("nurse-1", instant_at(20))


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("deed", OFF)
def test_the_severe_band_ends_whatever_was_done(deed: Deed) -> None:
    score = Score(GENEROUS)
    score.do(deed, "spo2_low", 0)
    score.run(1, 10, spo2=80)
    assert score.changes("spo2_low") == [(0, "paused"), (6, "present")]
    raised = score.first("spo2_low", Change.PRESENT)
    assert raised.inactivation is Inactivation.NONE
    assert raised.reason.endswith(f"ends {STATE_OF[deed].words} by nurse-1")
    assert score.standing()["spo2_low"].inactivation is Inactivation.NONE


@pytest.mark.hazard("H3")
def test_blindness_that_becomes_high_ends_what_was_done_and_says_so() -> None:
    score = Score(GENEROUS)
    score.run(0, 10, spo2=97)
    score.wait(50)
    score.do(Deed.TURN_AUDIO_OFF, "no_data_spo2", 50)
    score.wait(200)
    escalated = score.first("no_data_spo2", Change.ESCALATED)
    assert escalated.inactivation is Inactivation.NONE
    assert escalated.reason.endswith("; ends audio off by nurse-1")


def test_a_pause_of_the_alarm_ends_by_itself_and_says_so() -> None:
    score = Score(GENEROUS)
    score.do(Deed.PAUSE_ALARM, "temp_high", 5)
    assert score.told[-1].reason == "alarm paused for 120 s"
    score.wait(200)
    assert score.changes("temp_high") == [(5, "paused"), (125, "resumed")]
    assert score.told[-1].reason == "alarm paused for 120 s, now over"
    assert score.system.inactivated() == ()


def test_what_is_off_stays_off_reminds_and_says_nothing_else() -> None:
    score = Score(GENEROUS)
    score.do(Deed.TURN_ALARM_OFF, "temp_high", 5)
    assert score.told[-1].reason == "alarm off until somebody resumes it, reminder every 180 s"
    assert score.system.inactivated()[0].reminded_at is None
    assert score.system.wake_at is not None
    assert score.system.wake_at <= instant_at(185)
    score.wait(1000)
    (off,) = [each for each in score.system.inactivated() if each.alarm == "temp_high"]
    assert off.reminded_at == instant_at(5 + 5 * 180)
    assert off.inactivated_until is None
    assert score.changes("temp_high") == [(5, "paused")]
    score.do(Deed.RESUME, "temp_high", 1001)
    assert score.told[-1].reason == "resumed by a person; it was alarm off"


def test_a_state_takes_the_place_of_another_and_never_adds_to_it() -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 20)
    score.do(Deed.PAUSE_ALARM, "spo2_low", 21)
    watch = score.system.inspect("spo2_low")
    assert watch is not None
    assert watch.state.edge is None, "the edge was the acknowledgement's"
    score.run(21, 30, spo2=85.5)
    score.do(Deed.TURN_AUDIO_OFF, "spo2_low", 30)
    assert inactivation(score, "spo2_low") is Inactivation.AUDIO_OFF
    assert refusal(score, Deed.TURN_AUDIO_OFF, "spo2_low") == "audio off already"
    for deed in (Deed.ACKNOWLEDGE, Deed.PAUSE_AUDIO):
        assert refusal(score, deed, "spo2_low") == "audio off already: resume it first"
    score.wait(800)
    assert "resumed" not in {change for _, change in score.changes("spo2_low")}


def test_a_reset_ends_the_signal_and_leaves_the_condition_inactivated() -> None:
    score = Score(GENEROUS)
    score.run(0, 20, heart_rate=130)
    score.do(Deed.TURN_AUDIO_OFF, "heart_rate_high", 20)
    score.run(20, 52, heart_rate=None)
    score.do(Deed.RESET, "heart_rate_high", 52)
    assert score.changes("heart_rate_high")[-1] == (52, "reset")
    (absent,) = score.system.inactivated()
    assert absent.inactivation is Inactivation.AUDIO_OFF


@pytest.mark.hazard("H3")
def test_an_inactivated_condition_is_held_like_any_other() -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88)
    score.do(Deed.TURN_ALARM_OFF, "spo2_low", 20)
    score.run(20, 60, spo2=None)
    held = score.standing()["spo2_low"]
    assert held.held_since == instant_at(20)
    assert held.inactivation is Inactivation.ALARM_OFF
    score.do(Deed.RESUME, "spo2_low", 60)
    assert score.standing()["spo2_low"].held_since == instant_at(20)


@pytest.mark.hazard("H6")
@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(sorted(STATE_OF)), st.integers(0, 60)), max_size=6))
def test_nothing_done_to_one_condition_is_seen_in_another(
    script: list[tuple[Deed, int]],
) -> None:
    with_deeds, without = Score(GENEROUS), Score(GENEROUS)
    others = []
    for score in (with_deeds, without):
        for second in range(60):
            score.see(second, spo2=88 if second > 20 else 97, pulse_rate=130, etco2=60.5)
            if score is with_deeds:
                for deed, at in script:
                    if at == second:
                        score.do(deed, "pulse_rate_high", second)
        changes = [each for each in score.told if each.alarm != "pulse_rate_high"]
        alarms = [each for each in score.system.alarms() if each.alarm != "pulse_rate_high"]
        others.append((changes, sorted(alarms, key=lambda each: each.alarm)))
    assert others[0] == others[1]


# -- restart, new session --------------------------------------------------------------------------


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("deed", OFF)
def test_a_restart_ends_it_and_says_so(deed: Deed) -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88)
    score.do(deed, "spo2_low", 20)
    score.do(deed, "temp_high", 20)
    score.restart(30)
    assert score.system.inactivated() == ()
    assert score.standing()["spo2_low"].inactivation is Inactivation.NONE
    for alarm in ("spo2_low", "temp_high"):
        resumed = score.first(alarm, Change.RESUMED)
        assert resumed.at == instant_at(30)
        assert resumed.reason == f"{STATE_OF[deed].words} does not survive a restart"


@pytest.mark.hazard("H8")
def test_a_new_session_knows_nothing_of_what_was_done_in_another() -> None:
    score = Score(GENEROUS)
    score.do(Deed.TURN_ALARM_OFF, "temp_high", 0)
    assert Score(GENEROUS).system.inactivated() == ()
    assert score.system.inactivated() != ()


@pytest.mark.parametrize("deed", OFF)
def test_what_is_saved_is_restored_as_it_was(deed: Deed) -> None:
    score = Score(GENEROUS)
    score.do(deed, "temp_high", 3)
    score.wait(100)
    again = AlarmSystem.restore(GENEROUS, score.system.save())
    assert again.inactivated() == score.system.inactivated()
    assert again.save() == score.system.save()
    assert msgspec.json.decode(again.save()) is not None
