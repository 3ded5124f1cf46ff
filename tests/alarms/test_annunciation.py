"""What is heard and read: figures of the bursts, and laws of what sounds."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.annunciation import Annunciation, Plan, sounds
from alarms.bursts import PATTERNS
from monitor.model.alarm import RANK, AlarmChange, AlarmSnapshot, Change, Kind, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, in_seconds, instant_at, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import Score

HIGH: Final = PATTERNS[Priority.HIGH]
MEDIUM: Final = PATTERNS[Priority.MEDIUM]
LOW: Final = PATTERNS[Priority.LOW]


def test_bursts_keep_to_the_published_figures() -> None:
    assert [len(each.onsets) for each in (HIGH, MEDIUM, LOW)] == [10, 3, 1]
    assert seconds(0.075) <= HIGH.pulse <= seconds(0.2)
    assert all(seconds(0.125) <= each.pulse <= seconds(0.25) for each in (MEDIUM, LOW))
    assert seconds(2.5) <= HIGH.repeat - HIGH.length <= seconds(15)
    assert seconds(2.5) <= MEDIUM.repeat - MEDIUM.length <= seconds(30)
    assert LOW.repeat - LOW.length > seconds(15)
    spacing = in_seconds(HIGH.onsets[1]) - in_seconds(HIGH.pulse)
    assert 0.05 <= spacing <= 0.125
    assert HIGH.least >= HIGH.length * 0.4
    assert MEDIUM.least == MEDIUM.length


class Ear:
    """Plays a score and listens."""

    def __init__(self) -> None:
        self.score = Score()
        self.memory = Annunciation()
        self.plan = Plan()
        self.heard = 0

    def look(self, at: float) -> Plan:
        changes = self.score.told[self.heard :]
        self.heard = len(self.score.told)
        alarms = self.score.system.alarms()
        self.memory, self.plan = self.memory.look(alarms, changes, instant_at(at))
        return self.plan


def snapshot(alarm: str, priority: Priority, **more: object) -> AlarmSnapshot:
    return AlarmSnapshot(
        alarm=alarm,
        title=alarm,
        priority=priority,
        kind=Kind.TECHNICAL,
        since=Instant(0),
        **more,  # type: ignore[arg-type]  # fields of the snapshot
    )


def told(alarm: str, change: Change, priority: Priority, operator: str = "") -> AlarmChange:
    return AlarmChange(
        at=Instant(0),
        alarm=alarm,
        change=change,
        priority=priority,
        kind=Kind.TECHNICAL,
        operator=operator,
    )


def test_a_new_condition_is_heard_at_once_and_repeated() -> None:
    ear = Ear()
    ear.score.run(0, 11, spo2=88)
    plan = ear.look(10)
    assert plan.burst is not None
    assert (plan.burst.at, plan.burst.priority) == (instant_at(10), Priority.MEDIUM)
    assert plan.next_burst_at == instant_at(35)
    assert ear.look(20).burst == plan.burst
    again = ear.look(35).burst
    assert again is not None
    assert again.at == instant_at(35)


def test_an_escalation_is_heard_at_once() -> None:
    ear = Ear()
    ear.score.run(0, 11, spo2=88)
    ear.look(10)
    ear.score.run(11, 17, spo2=80)
    burst = ear.look(16).burst
    assert burst is not None
    assert (burst.at, burst.priority) == (instant_at(16), Priority.HIGH)


@pytest.mark.hazard("H6")
def test_silencing_the_high_one_leaves_the_pattern_of_the_other() -> None:
    ear = Ear()
    ear.score.run(0, 20, spo2=80, pulse_rate=130)
    assert ear.look(19).far is not None
    ear.score.do(Deed.PAUSE_AUDIO, "spo2_low", 20)
    plan = ear.look(20)
    assert plan.sounding == ("pulse_rate_high",)
    assert plan.burst is not None
    assert plan.burst.priority is Priority.MEDIUM
    assert plan.far is not None
    assert plan.far.alarm == "spo2_low"


def test_a_condition_that_ends_is_heard_for_the_least_part_of_its_burst() -> None:
    alarm = snapshot("a", Priority.HIGH)
    memory, plan = Annunciation().look(
        [alarm], [told("a", Change.PRESENT, Priority.HIGH)], instant_at(0)
    )
    ended = told("a", Change.ENDED, Priority.HIGH)
    _, plan = memory.look([], [ended], instant_at(0.1))
    assert plan.burst is not None
    assert plan.burst.ends == instant_at(0) + HIGH.least
    by_person = told("a", Change.ACKNOWLEDGED, Priority.HIGH, operator="nurse-1")
    quiet = snapshot("a", Priority.HIGH, acknowledged_by="nurse-1")
    assert memory.look([quiet], [by_person], instant_at(0.1))[1].burst is None


def test_latched_signals_sound_on_only_where_they_are_high() -> None:
    assert sounds(snapshot("a", Priority.HIGH, signal=Signal.LATCHED))
    assert not sounds(snapshot("a", Priority.MEDIUM, signal=Signal.LATCHED))


def test_a_held_alarm_sounds_on() -> None:
    ear = Ear()
    ear.score.run(0, 12, spo2=80)
    ear.score.run(12, 20, spo2=None)
    assert ear.look(20).sounding == ("spo2_low",)


def test_five_new_conditions_in_a_minute_are_folded_behind_their_cause() -> None:
    ear = Ear()
    metrics = (Metric.SPO2, Metric.PULSE_RATE, Metric.HEART_RATE, Metric.ETCO2)
    ear.score.run(0, 10, spo2=97, pulse_rate=70, heart_rate=70, etco2=38)
    ear.score.link(LinkState.LOST, 10, *metrics)
    ear.score.wait(16)
    assert not ear.look(16).is_flood
    ear.score.wait(40)
    plan = ear.look(40)
    assert plan.is_flood
    (line,) = plan.lines
    assert line.alarm.alarm == "link_box"
    assert len(line.folded) == 4
    assert plan.sounding == ("link_box",)


names = st.sampled_from("abcdefgh")
snapshots = st.builds(
    snapshot,
    names,
    st.sampled_from(Priority),
    signal=st.sampled_from([Signal.ON, Signal.LATCHED]),
    subsumed_by=st.sampled_from(["", "", "a", "b"]),
    acknowledged_by=st.sampled_from(["", "", "nurse-1"]),
    audio_paused_until=st.sampled_from([None, None, instant_at(99)]),
)
pictures = st.lists(snapshots, max_size=8, unique_by=lambda each: each.alarm).map(
    lambda each: sorted(each, key=lambda alarm: -RANK[alarm.priority])
)


@settings(max_examples=150)
@given(st.lists(st.tuples(pictures, st.booleans(), st.floats(0.1, 40)), max_size=12))
def test_laws_of_what_is_signalled(
    history: list[tuple[list[AlarmSnapshot], bool, float]],
) -> None:
    memory, second = Annunciation(), 0.0
    for alarms, is_new, gap in history:
        second += gap
        now = instant_at(second)
        changes = [told(each.alarm, Change.PRESENT, each.priority) for each in alarms if is_new]
        memory, plan = memory.look(alarms, changes, now)
        high = {each.alarm for each in alarms if each.priority is Priority.HIGH}
        assert high <= {line.alarm.alarm for line in plan.lines}
        read = {line.alarm.alarm for line in plan.lines} | {
            each for line in plan.lines for each in line.folded
        }
        assert read == {each.alarm for each in alarms}
        audible = [each for each in alarms if sounds(each)]
        assert bool(audible) <= (plan.burst is not None)
        if audible and plan.burst is not None:
            assert RANK[plan.burst.priority] >= RANK[audible[0].priority]
            assert plan.next_burst_at is not None
            assert plan.next_burst_at > now
        if plan.far is not None:
            assert RANK[plan.far.priority] == max(RANK[each.priority] for each in alarms)
        if is_new and audible:
            assert plan.burst is not None
            assert plan.burst.at == now
