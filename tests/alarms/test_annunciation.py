"""What is heard and read: figures of the bursts, and laws of what sounds."""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.annunciation import Annunciation, Plan, sounds
from alarms.bursts import PATTERNS, REMINDER_LENGTH, Burst, burst_at
from monitor.model.alarm import (
    FAR_SIGNAL_OFF,
    RANK,
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    Kind,
    Priority,
)
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, in_seconds, instant_at, later, seconds
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


def test_bursts_sound_as_they_are_drawn() -> None:
    drawn = {
        Priority.HIGH: ([0, 250, 500, 1000, 1250, 1800, 2050, 2300, 2800, 3050], 150, 10, 1400),
        Priority.MEDIUM: ([0, 400, 800], 200, 25, 1000),
        Priority.LOW: ([0], 200, 30, 200),
    }
    for priority, (onsets, pulse, repeat_s, least) in drawn.items():
        pattern = PATTERNS[priority]
        assert [round(in_seconds(each) * 1000) for each in pattern.onsets] == onsets
        assert (pattern.pulse, pattern.repeat) == (seconds(pulse / 1000), seconds(repeat_s))
        assert pattern.least == seconds(least / 1000)
        assert burst_at(instant_at(5), priority).ends == instant_at(5 + (onsets[-1] + pulse) / 1000)
        assert burst_at(instant_at(5), priority).least_until() == instant_at(5 + least / 1000)
    assert seconds(0.1) <= REMINDER_LENGTH <= seconds(0.125), "short, and no burst of its own"


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
        absent = self.score.system.inactivated()
        self.memory, self.plan = self.memory.look(alarms, changes, instant_at(at), absent)
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
    quiet = snapshot("a", Priority.HIGH, inactivation=Inactivation.ACKNOWLEDGED)
    assert memory.look([quiet], [by_person], instant_at(0.1))[1].burst is None


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("priority", Priority)
def test_what_came_and_was_over_between_two_looks_is_heard_once(priority: Priority) -> None:
    came, went = told("x", Change.PRESENT, priority), told("x", Change.ENDED, priority)
    memory, plan = Annunciation().look([], [came, went], instant_at(5))
    assert plan.burst == Burst(
        instant_at(5), priority, later(instant_at(5), PATTERNS[priority].least)
    )
    assert plan.next_burst_at is None
    assert memory.look([], [], plan.burst.ends)[1].burst is None


@given(
    st.lists(st.sampled_from(Priority), max_size=3), st.lists(st.sampled_from(Priority), max_size=3)
)
def test_the_most_urgent_of_what_stands_and_of_what_is_over_is_heard(
    standing: list[Priority], over: list[Priority]
) -> None:
    alarms = [snapshot(f"s{number}", each) for number, each in enumerate(standing)]
    alarms.sort(key=lambda each: -RANK[each.priority])
    changes = [told(each.alarm, Change.PRESENT, each.priority) for each in alarms]
    for number, each in enumerate(over):
        changes += [told(f"o{number}", change, each) for change in (Change.PRESENT, Change.LATCHED)]
    _, plan = Annunciation().look(alarms, changes, instant_at(5))
    urgent = max((*standing, *over), key=RANK.__getitem__, default=None)
    assert (None if plan.burst is None else plan.burst.priority) == urgent


@pytest.mark.parametrize("change", Change)
def test_only_what_came_is_heard_when_it_is_over(change: Change) -> None:
    plan = Annunciation().look([], [told("x", change, Priority.LOW)], instant_at(5))[1]
    assert (plan.burst is not None) == (change is Change.PRESENT)


def test_what_is_over_waits_for_nobody_and_interrupts_nothing_as_urgent() -> None:
    memory = Annunciation().look([], [told("a", Change.PRESENT, Priority.MEDIUM)], instant_at(0))[0]
    over = [told("b", Change.PRESENT, Priority.MEDIUM)]
    running = memory.look([], over, instant_at(0.5))[1].burst
    assert running is not None
    assert running.at == 0
    assert memory.burst is not None
    standing = [snapshot("a", Priority.MEDIUM)]
    memory = Annunciation().look(standing, [], instant_at(0))[0]
    assert memory.burst is not None
    after = memory.look(standing, over, memory.burst.ends)[1].burst
    assert after is not None
    assert after.at == memory.burst.ends, "what sounded is over: it is heard by itself"


def test_what_a_person_resumed_is_heard_although_it_is_over() -> None:
    resumed = told("x", Change.RESUMED, Priority.LOW)
    changes = [
        msgspec.structs.replace(resumed, operator="nurse-1"),
        told("x", Change.PRESENT, Priority.LOW),
        told("x", Change.ENDED, Priority.LOW),
    ]
    assert Annunciation().look([], changes, instant_at(5))[1].burst is not None


def test_a_gap_in_the_record_is_heard_although_it_is_over() -> None:
    ear = Ear()
    ear.score.run(0, 5, spo2=97)
    ear.look(5)
    ear.score.restart(65)
    burst = ear.look(65).burst
    assert burst is not None
    assert burst.priority is Priority.MEDIUM


def test_what_a_person_silenced_at_once_is_not_heard() -> None:
    changes = [told("x", Change.PRESENT, Priority.MEDIUM), told("x", Change.RESET, Priority.MEDIUM)]
    changes[1] = msgspec.structs.replace(changes[1], operator="nurse-1")
    assert Annunciation().look([], changes, instant_at(5))[1].burst is None


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


@pytest.mark.hazard("H6")
@pytest.mark.parametrize(
    ("inactivation", "is_far"),
    [
        (Inactivation.AUDIO_PAUSED, True),
        (Inactivation.AUDIO_OFF, True),
        (Inactivation.ACKNOWLEDGED, True),
        (Inactivation.ALARM_PAUSED, False),
        (Inactivation.ALARM_OFF, False),
    ],
)
def test_each_state_takes_the_sound_two_take_the_far_line_none_takes_the_near_one(
    inactivation: Inactivation, *, is_far: bool
) -> None:
    alarm = snapshot("a", Priority.MEDIUM, inactivation=inactivation)
    _, plan = Annunciation().look([alarm], [], instant_at(1))
    assert plan.sounding == ()
    assert plan.burst is None
    assert plan.inactivated == ("a",)
    assert [line.alarm.alarm for line in plan.lines] == ["a"]
    assert (plan.far is not None) == is_far


@pytest.mark.hazard("H6")
def test_the_far_line_goes_to_the_next_that_has_it() -> None:
    ear = Ear()
    ear.score.run(0, 20, heart_rate=125, temp=39.5, pulse_rate=122)
    ear.score.run(20, 40, heart_rate=125, temp=39.5)
    ear.score.do(Deed.PAUSE_ALARM, "heart_rate_high", 40)
    ear.score.do(Deed.PAUSE_ALARM, "pulse_rate_high", 40)
    plan = ear.look(40)
    assert plan.far is not None
    assert plan.far.alarm == "temp_high"
    assert {"heart_rate_high", "pulse_rate_high"} <= {line.alarm.alarm for line in plan.lines}
    assert ear.score.system.alarms()[0].alarm == "temp_high"


def test_what_is_off_is_reminded_of_at_its_interval_by_one_short_pulse() -> None:
    ear = Ear()
    ear.score.do(Deed.TURN_ALARM_OFF, "temp_high", 5)
    assert ear.look(5).reminder is None
    ear.score.wait(184.9)
    assert ear.look(184.9).reminder is None
    ear.score.wait(185)
    reminder = ear.look(185).reminder
    assert reminder is not None
    assert (reminder.at, reminder.alarms) == (instant_at(185), ("temp_high",))
    assert reminder.ends - reminder.at == REMINDER_LENGTH
    assert ear.look(185.1).reminder == reminder, "looking again does not begin it again"
    assert ear.look(186).reminder is None
    assert ear.plan.burst is None
    ear.score.wait(365)
    again = ear.look(365).reminder
    assert again is not None
    assert again.at == instant_at(365)


def test_reminders_that_were_missed_are_one_and_name_what_is_still_off() -> None:
    ear = Ear()
    ear.score.do(Deed.TURN_ALARM_OFF, "temp_high", 5)
    ear.score.do(Deed.TURN_AUDIO_OFF, "temp_low", 6)
    ear.look(6)
    ear.score.wait(700)
    reminder = ear.look(700).reminder
    assert reminder is not None
    assert (reminder.at, reminder.alarms) == (instant_at(700), ("temp_high", "temp_low"))
    ear.score.do(Deed.RESUME, "temp_high", 701)
    ear.score.wait(728)
    later_one = ear.look(728).reminder
    assert later_one is not None
    assert later_one.alarms == ("temp_low",)


@given(st.lists(st.floats(0.5, 400), min_size=1, max_size=12))
def test_every_reminder_is_given_once_however_often_somebody_looks(gaps: list[float]) -> None:
    ear, second = Ear(), 0.0
    ear.score.do(Deed.TURN_ALARM_OFF, "temp_high", 0)
    given_at: set[Instant] = set()
    windows = 0
    for gap in gaps:
        before = int(second // 180)
        second += gap
        ear.score.wait(second)
        windows += int(second // 180) > before
        for look in (ear.look(second), ear.look(second + 0.01)):
            if look.reminder is not None:
                given_at.add(look.reminder.at)
    assert len(given_at) == windows


names = st.sampled_from("abcdefgh")
snapshots = st.builds(
    snapshot,
    names,
    st.sampled_from(Priority),
    signal=st.sampled_from([Signal.ON, Signal.LATCHED]),
    subsumed_by=st.sampled_from(["", "", "a", "b"]),
    inactivation=st.sampled_from([*[Inactivation.NONE] * 5, *Inactivation]),
    reminded_at=st.sampled_from([None, None, *map(instant_at, (5, 60, 110))]),
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
        with_far = [each for each in alarms if each.inactivation not in FAR_SIGNAL_OFF]
        assert (plan.far is None) == (not with_far)
        if plan.far is not None:
            assert plan.far in with_far
            assert RANK[plan.far.priority] == max(RANK[each.priority] for each in with_far)
        assert set(plan.inactivated) == {
            each.alarm for each in alarms if each.inactivation is not Inactivation.NONE
        }
        if is_new and audible:
            assert plan.burst is not None
            assert plan.burst.at == now
