"""Why an alarm came, and why none did: asked of the inputs alone."""

from typing import Final

import pytest

from alarms.explain import Restart, explain, why_not
from alarms.system import Happened
from monitor.model.alarm import Change
from monitor.model.event import DeviceNotice, NoticeKind
from monitor.model.instant import Instant, instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction
from tests.alarms.score import LIMITS, seen

Story = list[tuple[Happened | Restart, Instant]]


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
    assert silences(FALLING, 50)["spo2_low"] == "it was signalled"
