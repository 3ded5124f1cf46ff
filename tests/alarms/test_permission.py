"""What the organisation lets a person do to signals: by state, priority, metric and phase."""

from typing import Final

import msgspec
import pytest

from alarms.limits import read_preset
from alarms.names import Identity, identify
from alarms.permission import allowed, forbidden
from alarms.rules import InactivationRules, LimitSet
from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Inactivation, Kind, Priority
from monitor.model.errors import ConfigError
from monitor.model.event import NoticeKind
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, Phase
from tests.alarms.inactivating import GENEROUS, OFF, enter, inactivation, refusal
from tests.alarms.score import LIMITS, PRESET_TEXT, Score

RUNNING: Final = (Phase.INFUSING, Phase.PAUSED, Phase.OBSERVATION)


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


@pytest.mark.hazard("H9")
@pytest.mark.parametrize("alarm", ["nibp_overdue", "nibp_implausible", "cuff_failed"])
def test_that_no_pressure_is_measured_is_kept_as_long_as_the_pressure(alarm: str) -> None:
    score = Score(GENEROUS)
    score.notice(NoticeKind.CUFF_FAILED, 0)
    assert refusal(score, Deed.TURN_ALARM_OFF, alarm) == ""
    enter(score, Phase.INFUSING, 1)
    for deed in OFF:
        assert "of it while infusing" in refusal(score, deed, alarm)


def test_what_has_no_metric_and_is_low_may_be_off_while_the_drug_acts() -> None:
    score = Score(GENEROUS)
    score.notice(NoticeKind.LOW_BATTERY, 0)
    enter(score, Phase.INFUSING, 1)
    assert refusal(score, Deed.TURN_ALARM_OFF, "low_battery") == ""


def test_where_no_pressure_is_kept_a_late_cuff_may_be_off() -> None:
    rules = msgspec.structs.replace(GENEROUS.operator.inactivation, kept_metrics=(Metric.SPO2,))
    late = identify("nibp_overdue")
    said = forbidden(Inactivation.ALARM_OFF, late, Priority.LOW, Phase.INFUSING, rules)
    assert said == ""


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
        "nibp_dia, nibp_mean, pressures not measured, what has no metric, above low"
    )
    assert audio_off == f"audio off: up to medium priority, reminder every 180 s{kept}"
    assert alarm_paused == f"alarm paused: up to medium priority, for 120 s{kept}"
    assert alarm_off == f"alarm off: up to low priority, reminder every 180 s{kept}"
    assert allowed(InactivationRules()) == (
        "audio off: never",
        "alarm paused: never",
        "alarm off: never",
    )


def test_what_is_kept_in_no_phase_is_said_without_phases() -> None:
    rules = InactivationRules(audio_off_max=Priority.LOW, alarm_paused_max=Priority.LOW)
    assert allowed(rules)[:2] == (
        "audio off: up to low priority, reminder every 180 s",
        "alarm paused: up to low priority, for 120 s",
    )


def test_what_is_allowed_is_refused_with_no_word() -> None:
    identity = Identity(alarm="x", title="X", kind=Kind.TECHNICAL, priority=Priority.LOW)
    rules = InactivationRules(alarm_off_max=Priority.LOW)
    for state in (Inactivation.ALARM_OFF, Inactivation.ACKNOWLEDGED, Inactivation.NONE):
        assert forbidden(state, identity, Priority.LOW, Phase.SETUP, rules) == ""


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
