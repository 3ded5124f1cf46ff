"""Why an alarm came, and why none did: asked of the inputs alone."""

from typing import Final

import pytest

from alarms.explain import (
    Explanation,
    Restart,
    Said,
    Sample,
    Silence,
    explain,
    explain_until,
    why_not,
)
from alarms.limits import read_preset
from alarms.ruling import concerns, ruling
from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import Change
from monitor.model.event import DeviceNotice, NoticeKind, OtherReading
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction
from tests.alarms.records import every, is_frozen, is_named
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT, seen

Story = list[tuple[Happened | Said | Restart, Instant]]


def values(start: int, end: int, value: float | None, metric: str = "spo2") -> Story:
    return [(seen(metric, value, at), instant_at(at)) for at in range(start, end)]


FALLING: Final = values(0, 30, 97) + values(30, 60, 88)


def silences(story: Story, at: float, metric: Metric = Metric.SPO2) -> dict[str, str]:
    return {each.alarm: each.text for each in why_not(LIMITS, story, metric, instant_at(at))}


def test_a_change_is_explained_by_its_samples_rule_and_clocks() -> None:
    (found,) = explain(LIMITS, FALLING, "spo2_low", instant_at(40))
    assert found.change.change is Change.PRESENT
    assert found.rule is not None
    assert found.rule.limit == 90
    assert "limit" in found.rule.provenance
    assert [each.judged for each in found.samples][-11:-9] == ["normal", "violated"]
    assert found.clocks == ("delay: 10 of 10 s, 10 s of it measured",)


def test_a_notice_is_explained_with_the_link_that_gave_it() -> None:
    at = [instant_at(second) for second in (0, 20, 40, 60)]
    off = DeviceNotice(NoticeKind.SENSOR_OFF, at[0])
    story: Story = [(Said(off, "box"), at[0])]
    for second, link, state in (
        (at[1], "other", LinkState.UP),
        (at[2], "box", LinkState.LOST),
        (at[3], "box", LinkState.UP),
    ):
        story.append((LinkChange(link=link, state=state, at=second), second))
    found = explain_until(LIMITS, story, "sensor_off", None)
    assert [(each.change.at, each.change.change) for each in found] == [
        (instant_at(5), Change.PRESENT),
        (at[2], Change.HELD),
        (at[3], Change.UNHELD),
        (at[3], Change.ENDED),
    ]
    lost: Story = [*story[:3], *values(50, 51, 97)]
    back: Story = [*story, *values(61, 72, 88)]
    assert "below" not in silences(lost, 50)["spo2_low"]
    assert silences(back, 71)["spo2_low"] == silences(values(61, 72, 88), 71)["spo2_low"]


def test_a_change_that_time_alone_made_is_explained_too() -> None:
    story = values(0, 20, 97)
    (found,) = explain(LIMITS, story, "no_data_spo2", instant_at(49))
    assert found.change.change is Change.PRESENT
    assert "30 s" in found.change.reason


def test_a_change_made_by_the_value_itself_is_explained_with_it() -> None:
    (found,) = explain(LIMITS, values(10, 12, 190, "nibp_sys"), "nibp_sys_high", instant_at(10.5))
    assert found.samples[-1].judged == "severe"
    story = values(0, 20, 88) + values(20, 22, None)
    (held,) = explain(LIMITS, story, "spo2_low", instant_at(20))
    assert held.change.change is Change.HELD
    assert held.samples[-1].judged == "unknown"


def test_a_restart_is_part_of_the_story() -> None:
    back: Story = [(Restart(seconds(1)), instant_at(61))]
    (found,) = explain(LIMITS, FALLING + back, "spo2_low", instant_at(61))
    assert found.change.change is Change.HELD
    texts = {
        each.alarm: each.text
        for each in why_not(LIMITS, FALLING + back, Metric.SPO2, instant_at(62))
    }
    assert texts["spo2_low"].startswith("it was signalled, held")


def test_two_changes_of_one_instant_are_both_explained() -> None:
    story = values(0, 20, 97) + values(20, 27, 88) + values(27, 60, None)
    found = explain(LIMITS, story, "spo2_low", instant_at(30))
    assert [each.change.change for each in found] == [Change.PRESENT, Change.HELD]


def test_nothing_told_is_nothing_explained() -> None:
    assert explain(LIMITS, FALLING, "spo2_low", instant_at(41)) == []
    assert explain(LIMITS, FALLING, "no such alarm", instant_at(40)) == []


def test_silence_inside_the_limit_names_value_and_limit() -> None:
    assert silences(FALLING, 20)["spo2_low"] == "97 %, 0 s ago, is not below 90"


def test_silence_during_the_delay_names_the_clock() -> None:
    text = silences(FALLING, 36)["spo2_low"]
    assert "not for long enough: delay: 6 of 10 s, 6 s of it measured" in text
    assert "next at 40 s" in text


def test_silence_without_data_names_the_age_and_what_is_off() -> None:
    story = values(0, 20, 97)
    story.append((DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(20)), instant_at(20)))
    text = silences(story, 25)["spo2_low"]
    assert text == "nothing to judge: the last valid value is 6 s old (sensor_off)"
    assert silences([], 10)["spo2_low"] == "no valid value was ever heard"


def test_silence_of_a_metric_that_is_lost_says_when_that_is_told() -> None:
    text = silences(values(0, 20, 97), 33)["no_data_spo2"]
    assert text == "nothing to judge: the last valid value is 14 s old; told at 49 s if none comes"


def test_silence_by_a_person_names_the_person() -> None:
    action = OperatorAction(
        deed=Deed.ACKNOWLEDGE, at=instant_at(45), operator="nurse-1", alarm="spo2_low"
    )
    story = [*FALLING[:45], (action, instant_at(45)), *FALLING[46:]]
    text = silences(story, 50)["spo2_low"]
    assert text == "present, but acknowledged by nurse-1: acknowledged for another 595 s"


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (Deed.TURN_AUDIO_OFF, "audio off by nurse-1: audio off, reminder in 175 s"),
        (Deed.PAUSE_ALARM, "alarm paused by nurse-1: alarm paused for another 115 s"),
    ],
)
def test_silence_of_what_is_inactivated_names_the_state_and_its_time(deed: Deed, said: str) -> None:
    action = OperatorAction(deed=deed, at=instant_at(5), operator="nurse-1", alarm="spo2_low")
    story = [*values(0, 5, 97), (action, instant_at(5)), *values(5, 10, 97)]
    assert silences(story, 10)["spo2_low"] == f"absent, but {said}"


def test_silence_explained_by_a_cause_names_the_cause() -> None:
    lost = LinkChange(link="box", state=LinkState.LOST, at=instant_at(20), metrics=(Metric.SPO2,))
    story = [*values(0, 20, 97), (lost, instant_at(20))]
    assert silences(story, 60)["no_data_spo2"] == "present, explained by link_box"


def test_an_alarm_that_was_signalled_says_so() -> None:
    said = silences(FALLING, 50)["spo2_low"]
    assert said == "it was signalled, and is present since 40 s: last 88, ends from 91"


def test_seconds_are_said_to_a_tenth() -> None:
    story: Story = [(seen("spo2", 88, at + 0.123456), instant_at(at + 0.123456)) for at in range(6)]
    text = silences(story, 5.987654)["spo2_low"]
    assert "delay: 5.9 of 10 s, 5.9 s of it measured; next at 10.1 s" in text


def test_a_limit_without_a_baseline_says_that_it_is_not_in_force() -> None:
    text = silences(values(0, 5, 150, "nibp_sys"), 10, Metric.NIBP_SYS)["nibp_sys_above_baseline"]
    assert text.startswith("not in force, there is no baseline: more than 30 % above")
    assert "2 cuff readings within 600 s in phase baseline" in text


@pytest.mark.parametrize("low", [80, 89])
@pytest.mark.parametrize("first", ["spo2", "pulse_rate"])
def test_a_value_beyond_its_limit_that_does_not_decide_is_not_called_inside(
    first: str, low: float
) -> None:
    story: Story = []
    for at in range(45):
        if at == 30:
            story.append((DeviceNotice(NoticeKind.CUFF_INFLATING, instant_at(at)), instant_at(at)))
        both = [
            ("spo2", values(at, at + 1, 97 if at < 30 else low)),
            ("pulse_rate", values(at, at + 1, 70 if at < 30 else None, "pulse_rate")),
        ]
        for _, told in sorted(both, key=lambda each: each[0] != first):
            story += told
    text = silences(story, 44)["spo2_low"]
    assert "not decide: a cuff on the arm of the probe explains it" in text
    assert "not below" not in text


def test_conditions_that_look_at_a_metric_beside_others_are_among_its_silences() -> None:
    found = silences(FALLING, 20)
    assert {"spo2_low", "no_data_spo2", "frozen_oximeter", "sources_differ_spo2"} <= set(found)
    assert found["frozen_oximeter"] == (
        "absent; it is told when: neither SpO2 nor pulse changed for 300 s"
    )


def test_every_condition_of_a_limit_set_has_words_for_what_decides() -> None:
    limits = read_preset(PRESET_TEXT + PATTERNS, "more.toml")
    plain = {each.alarm for each in limits.limits}
    alarms = {each.identity.alarm for each in AlarmSystem(limits).watches()}
    for alarm in (*alarms, "link_box", "sensor_off", "disk", "no such condition"):
        assert bool(ruling(limits, alarm)) == (alarm not in plain), alarm
        assert "None" not in ruling(limits, alarm)
    assert concerns(limits, "hypoventilation") == (Metric.RESP_RATE, Metric.ETCO2)
    assert concerns(limits, "link_box") == ()


def test_a_condition_of_several_metrics_is_explained_by_the_samples_of_all() -> None:
    story: Story = []
    for at in range(20):
        story += values(at, at + 1, 38, "pulse_rate") + values(at, at + 1, 76, "heart_rate")
    (found,) = explain(LIMITS, story, "rates_differ", instant_at(10))
    assert {each.metric for each in found.samples} == {Metric.PULSE_RATE, Metric.HEART_RATE}
    assert found.ruling == "pulse and heart rate more than 15 /min apart for 10 s"


def test_what_another_device_said_is_among_the_samples() -> None:
    story: Story = []
    for at in range(40):
        story += values(at, at + 1, 97)
        story.append((OtherReading(Metric.SPO2, "b", 80, instant_at(at)), instant_at(at)))
    (found,) = explain(LIMITS, story, "sources_differ_spo2", instant_at(30))
    assert found.samples[-1].link == "b"
    assert found.samples[-1].value == 80
    assert found.ruling == "another device reads more than 5 % away for 30 s"


def test_a_zero_that_is_explained_says_that_it_does_not_decide_and_why() -> None:
    story: Story = []
    for at in range(20):
        story += values(at, at + 1, 38, "etco2") + values(at, at + 1, 14, "resp_rate")
    story.append((DeviceNotice(NoticeKind.AUTO_ZERO, instant_at(20)), instant_at(20)))
    story += values(20, 22, 0, "etco2")
    assert silences(story, 21, Metric.ETCO2)["etco2_low"] == (
        "0 mmHg, 0 s ago, is below 25 and does not decide: an auto-zero, a waveform that shows "
        "breaths, or an impossible step; the next may"
    )


def test_a_cuff_explains_what_the_oximeter_says_and_no_zero_of_the_capnograph() -> None:
    story: Story = []
    for at in range(40):
        now = instant_at(at)
        if at == 30:
            story += [(DeviceNotice(NoticeKind.CUFF_INFLATING, now), now)]
            story += [(DeviceNotice(NoticeKind.AUTO_ZERO, now), now)]
        for metric, before, since in (("pulse_rate", 70, None), ("spo2", 97, 86), ("etco2", 38, 0)):
            story += values(at, at + 1, before if at < 30 else since, metric)
    assert "does not decide: a cuff" in silences(story, 39)["spo2_low"]
    said = silences(story, 39, Metric.ETCO2)["etco2_low"]
    assert "does not decide: an auto-zero" in said
    assert "cuff" not in said


def test_a_crossing_whose_data_vanished_is_not_called_doubted() -> None:
    story = values(0, 20, 97) + values(20, 24, 88) + values(24, 30, None)
    assert silences(story, 28)["spo2_low"] == (
        "the limit is crossed, not for long enough: delay: 8 of 10 s, 4 s of it measured; "
        "next at 54 s"
    )


def test_a_delay_that_a_value_at_the_limit_stopped_says_so() -> None:
    story = values(0, 20, 97) + values(20, 24, 88) + values(24, 30, 90)
    assert silences(story, 27)["spo2_low"] == (
        "the limit is crossed, not for long enough: delay: 4 of 10 s, 4 s of it measured; "
        "stopped 3 s ago by a better value"
    )


def test_a_crossing_of_two_metrics_is_not_asked_whether_one_of_them_is_lost() -> None:
    story: Story = []
    for at in range(20):
        story += values(at, at + 1, 70, "pulse_rate") + values(at, at + 1, 95, "heart_rate")
    assert silences(story, 5, Metric.HEART_RATE)["rates_differ"] == (
        "the limit is crossed, not for long enough: delay: 5 of 10 s, 5 s of it measured; "
        "next at 10 s"
    )


def test_an_answer_is_never_changed_and_nothing_in_it_is_told_by_its_place() -> None:
    found = explain(LIMITS, FALLING, "spo2_low", instant_at(40))
    silent = why_not(LIMITS, FALLING, Metric.SPO2, instant_at(20))
    records = [Restart(seconds(1)), *(part for each in [*found, *silent] for part in every(each))]
    assert {type(each) for each in records} >= {Restart, Explanation, Sample, Silence}
    assert [each for each in records if not is_frozen(each)] == []
    assert [each for each in [*found, *silent] if not is_named(each)] == []


def test_silence_with_two_sensors_notices_names_both() -> None:
    story = values(0, 20, 97)
    for kind in (NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT):
        story.append((DeviceNotice(kind, instant_at(20)), instant_at(20)))
    assert silences(story, 22)["spo2_low"].endswith("3 s old (sensor_off, sensor_fault)")
