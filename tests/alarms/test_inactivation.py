"""Audio off, alarm paused, alarm off: of one condition, present or not, as far as it is allowed."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.limits import read_preset
from alarms.permission import allowed
from alarms.rules import InactivationRules, LimitSet
from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Inactivation
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.errors import ConfigError
from monitor.model.instant import instant_at
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import LIMITS, PRESET_TEXT, Score

OFF: Final = (Deed.TURN_AUDIO_OFF, Deed.PAUSE_ALARM, Deed.TURN_ALARM_OFF)
STATE_OF: Final = {
    Deed.PAUSE_AUDIO: Inactivation.AUDIO_PAUSED,
    Deed.TURN_AUDIO_OFF: Inactivation.AUDIO_OFF,
    Deed.PAUSE_ALARM: Inactivation.ALARM_PAUSED,
    Deed.TURN_ALARM_OFF: Inactivation.ALARM_OFF,
    Deed.ACKNOWLEDGE: Inactivation.ACKNOWLEDGED,
}
RUNNING: Final = (Phase.INFUSING, Phase.PAUSED, Phase.OBSERVATION)
GENEROUS: Final = read_preset(
    PRESET_TEXT.replace('alarm_off_max = "low"', 'alarm_off_max = "medium"'), "generous.toml"
)


def enter(score: Score, phase: Phase, at: float) -> None:
    action = OperatorAction(
        deed=Deed.ENTER_PHASE, at=instant_at(at), operator="nurse-1", phase=phase
    )
    score.hear(action, at)


def refusal(score: Score, deed: Deed, alarm: str) -> str:
    at = instant_at(score.now)
    return score.system.refusal(OperatorAction(deed=deed, at=at, operator="nurse-1", alarm=alarm))


def inactivation(score: Score, alarm: str) -> Inactivation:
    every = (*score.system.alarms(), *score.system.inactivated())
    found = [each.inactivation for each in every if each.alarm == alarm]
    return found[0] if found else Inactivation.NONE


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
    score.run(20, 22, heart_rate=None)
    score.do(Deed.RESET, "heart_rate_high", 22)
    assert score.changes("heart_rate_high")[-1] == (22, "reset")
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


# -- what is allowed -------------------------------------------------------------------------------


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("phase", RUNNING)
@pytest.mark.parametrize("deed", OFF)
def test_while_the_drug_acts_breathing_and_pressure_are_never_inactivated(
    deed: Deed, phase: Phase
) -> None:
    score = Score(GENEROUS)
    enter(score, phase, 0)
    kept = {"spo2", "etco2", "fico2", "resp_rate", "nibp_sys", "nibp_dia", "nibp_mean"}
    for rule in GENEROUS.limits:
        why = refusal(score, deed, rule.alarm)
        assert bool(why) == (rule.metric in kept or rule.priority == "high"), rule.alarm
        assert "the limit set allows" in why or not why
    for alarm in ("apnoea", "no_data_spo2", "frozen_co2", "nibp_implausible", "recording_gap"):
        assert refusal(score, deed, alarm), alarm
    assert not refusal(score, Deed.TURN_AUDIO_OFF, "temp_high")


def test_a_refusal_says_in_words_who_decided() -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    assert refusal(score, Deed.TURN_ALARM_OFF, "spo2_low") == (
        "the limit set allows alarm off up to low priority, not medium"
    )
    enter(score, Phase.INFUSING, 6)
    assert refusal(score, Deed.TURN_AUDIO_OFF, "spo2_low") == (
        "the limit set allows no audio off of it while infusing"
    )
    none = read_preset(
        PRESET_TEXT.replace('audio_off_max = "medium"', 'audio_off_max = "never"'), "x"
    )
    said = refusal(Score(none), Deed.TURN_AUDIO_OFF, "temp_low")
    assert said == "the limit set allows no audio off"


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("deed", OFF)
def test_a_high_or_unknown_alarm_is_never_off(deed: Deed) -> None:
    score = Score(GENEROUS)
    score.device("something nobody ranked", 0)
    for alarm in ("apnoea", "nibp_mean_low", *score.standing()):
        assert "not high" in refusal(score, deed, alarm)
    score.run(0, 20, pulse_rate=150)
    assert score.standing()["pulse_rate_high"].priority == "high"
    assert "not high" in refusal(score, deed, "pulse_rate_high")


@pytest.mark.hazard("H8")
def test_a_phase_ends_what_it_does_not_allow_and_nothing_else() -> None:
    score = Score(GENEROUS)
    score.run(0, 20, spo2=88, pulse_rate=130)
    score.do(Deed.TURN_AUDIO_OFF, "spo2_low", 20)
    score.do(Deed.PAUSE_ALARM, "etco2_high", 20)
    score.do(Deed.TURN_ALARM_OFF, "temp_high", 20)
    score.do(Deed.ACKNOWLEDGE, "pulse_rate_high", 20)
    enter(score, Phase.INFUSING, 21)
    assert [(each.alarm, each.change) for each in score.told[-2:]] == [
        ("etco2_high", Change.RESUMED),
        ("spo2_low", Change.RESUMED),
    ]
    assert score.told[-1].reason == "audio off is not allowed in this phase"
    assert inactivation(score, "temp_high") is Inactivation.ALARM_OFF
    assert inactivation(score, "pulse_rate_high") is Inactivation.ACKNOWLEDGED


@pytest.mark.hazard("H6")
def test_a_cause_that_is_off_can_not_hide_a_loss_while_the_drug_acts() -> None:
    score = Score(GENEROUS)
    score.run(0, 10, spo2=97)
    score.link(LinkState.LOST, 10, Metric.SPO2)
    score.wait(16)
    score.do(Deed.TURN_AUDIO_OFF, "link_box", 16)
    assert inactivation(score, "link_box") is Inactivation.AUDIO_OFF
    enter(score, Phase.INFUSING, 17)
    assert inactivation(score, "link_box") is Inactivation.NONE
    assert refusal(score, Deed.TURN_AUDIO_OFF, "link_box")


def test_offers_are_what_would_not_be_refused_by_the_limit_set() -> None:
    for limits in (LIMITS, GENEROUS):
        for phase in Phase:
            score = Score(limits)
            enter(score, phase, 0)
            offered = {(each.alarm, deed) for each in score.system.offers() for deed in each.deeds}
            for rule in limits.limits:
                for deed in OFF:
                    is_refused = bool(refusal(score, deed, rule.alarm))
                    assert is_refused != ((rule.alarm, deed) in offered)


def test_offers_follow_the_phase_and_the_priority_of_one_system() -> None:
    score = Score(GENEROUS)

    def offered() -> set[str]:
        return {each.alarm for each in score.system.offers()}

    assert {"spo2_low", "pulse_rate_high"} <= offered()
    enter(score, Phase.INFUSING, 1)
    assert offered() & {"spo2_low", "pulse_rate_high"} == {"pulse_rate_high"}
    score.run(2, 20, pulse_rate=150)
    assert "pulse_rate_high" not in offered()
    enter(score, Phase.READY, 20)
    assert offered() & {"spo2_low", "pulse_rate_high"} == {"spo2_low"}


def test_what_a_limit_set_allows_is_said_in_words() -> None:
    audio_off, alarm_paused, alarm_off = allowed(LIMITS.operator.inactivation)
    kept = (
        "; while infusing, paused, observation not of spo2, etco2, fico2, resp_rate, nibp_sys, "
        "nibp_dia, nibp_mean, what has no metric, above low"
    )
    assert audio_off == f"audio off: up to medium priority, reminder every 180 s{kept}"
    assert alarm_paused == f"alarm paused: up to medium priority, for 120 s{kept}"
    assert alarm_off == f"alarm off: up to low priority, reminder every 180 s{kept}"
    assert allowed(InactivationRules()) == (
        "audio off: never",
        "alarm paused: never",
        "alarm off: never",
    )


def without_table(text: str) -> str:
    start = text.index("[operator.inactivation]")
    return text[:start] + text[text.index("[apnoea]") :]


def test_a_limit_set_that_says_nothing_allows_nothing() -> None:
    bare: LimitSet = read_preset(without_table(PRESET_TEXT), "bare.toml")
    assert AlarmSystem(bare).offers() == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('audio_off_max = "medium"', 'audio_off_max = "high"', "never, low, medium"),
        ('alarm_off_max = "low"', 'alarm_of_max = "low"', "missing"),
        ("alarm_pause_s = 120", "alarm_pause_s = 600", "from 10 to 180"),
        ("reminder_s = 180", "reminder_s = 0", "from 30 to 600"),
        ('kept_metrics = ["spo2",', 'kept_metrics = ["sp02",', "an array of words out of spo2"),
        ('kept_metrics = ["spo2",', 'kept_metrics = ["spo2", "spo2",', "each word once"),
        ('kept_phases = ["infusing",', "kept_phases = [1,", "an array of words out of setup"),
        ('reminder_s = "proposal', 'reminders = "proposal', "no provenance"),
    ],
)
def test_a_wrong_rule_is_refused_in_words(old: str, new: str, said: str) -> None:
    assert old in PRESET_TEXT
    with pytest.raises(ConfigError) as error:
        read_preset(PRESET_TEXT.replace(old, new, 1), "ours.toml")
    assert "[operator.inactivation" in str(error.value)
    assert said in str(error.value)


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
