"""What links say of their devices: over when nobody says so, unknown when the link is lost."""

from enum import StrEnum
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.names import MOMENTARY, is_notice
from monitor.model.event import NoticeKind
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import Score

LASTING: Final = [each for each in NoticeKind if is_notice(each.value) and each not in MOMENTARY]


class Says(StrEnum):
    """What one of two links can do."""

    ON = "on"
    OFF = "off"
    SILENT = "silent"
    LOST = "lost"
    UP = "up"


stories = st.lists(st.tuples(st.sampled_from(("one", "two")), st.sampled_from(Says)), max_size=20)


class Told:
    """Who says so, said from the rule alone: each link by itself, and what stands of them all."""

    def __init__(self) -> None:
        self.saying: set[str] = set()
        self.said_when_lost: set[str] = set()
        self.stands = self.is_held = False

    def take(self, link: str, said: Says) -> None:
        """Let one link do one thing."""
        was = link in self.saying
        if said is Says.ON:
            self.saying.add(link)
            self.stands, self.is_held = True, False
        elif said is Says.OFF and was:
            self.saying.remove(link)
            self.stands = bool(self.saying)
        elif said is Says.LOST and was:
            self.saying.remove(link)
            self.said_when_lost.add(link)
            self.is_held = not self.saying
        elif said is Says.UP and link in self.said_when_lost:
            self.said_when_lost.remove(link)
            self.stands = bool(self.saying)


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("kind", LASTING)
@given(story=stories)
def test_a_state_stands_while_any_link_says_so_and_ends_only_by_who_said_it(
    kind: NoticeKind, story: list[tuple[str, Says]]
) -> None:
    score, told = Score(), Told()
    for number, (link, said) in enumerate(story, start=1):
        at = number * 10.0
        if said in {Says.ON, Says.OFF}:
            score.notice(kind, at, present=said is Says.ON, name=link)
        else:
            score.link(LinkState(said.value), at, Metric.SPO2, Metric.ETCO2, name=link)
        score.wait(at + 9)
        told.take(link, said)
        alarm = score.standing().get(kind.value)
        assert (alarm is not None) == told.stands
        if alarm is not None:
            assert (alarm.held_since is not None) == told.is_held


@pytest.mark.hazard("H3")
def test_a_sensor_is_still_off_when_its_device_or_another_speaks_again() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.link(LinkState.SILENT, 26, Metric.SPO2)
    score.link(LinkState.UP, 30, Metric.SPO2)
    score.link(LinkState.UP, 31, Metric.SPO2, name="other")
    score.run(31, 60, spo2=98)
    assert {"sensor_off", "spo2_low"} <= set(score.standing())


def test_what_a_lost_device_said_can_be_reset_by_a_person() -> None:
    score = Score()
    score.notice(NoticeKind.DEVICE_FAULT, 0)
    score.link(LinkState.LOST, 20)
    score.wait(60)
    assert score.changes("device_fault")[-1] == (20, "held")
    score.do(Deed.RESET, "device_fault", 60)
    assert "device_fault" not in score.standing()


@pytest.mark.parametrize("kind", LASTING)
def test_after_a_restart_a_state_is_unknown_until_its_link_has_come_up(kind: NoticeKind) -> None:
    score = Score()
    score.notice(kind, 0)
    score.wait(10)
    score.restart(20)
    assert score.standing()[kind.value].held_since is not None
    score.link(LinkState.UP, 21, name="other")
    assert kind.value in score.standing()
    score.link(LinkState.UP, 22)
    assert kind.value not in score.standing()


def test_what_is_said_again_before_the_link_is_up_is_not_over() -> None:
    score = Score()
    score.notice(NoticeKind.OCCLUSION, 0)
    score.link(LinkState.LOST, 20, Metric.ETCO2)
    score.notice(NoticeKind.OCCLUSION, 30)
    score.link(LinkState.UP, 30, Metric.ETCO2)
    score.wait(40)
    assert "occlusion" in score.standing()
