"""Single pictures and what is signalled of them: repeats, endings, reminders, floods."""

from collections.abc import Sequence
from typing import Final

import pytest

from alarms.annunciation import Annunciation, Line, Plan, Reminder, sounds
from alarms.bursts import PATTERNS, REMINDER_LENGTH, Burst, Pattern, burst_at
from monitor.model.alarm import (
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    Kind,
    Priority,
)
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, instant_at
from tests.alarms.records import every, is_frozen, is_named

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW
RAISING: Final = {Change.PRESENT, Change.ESCALATED, Change.RESUMED}
SILENCING: Final = {Change.ACKNOWLEDGED, Change.PAUSED, Change.RESET}


def alarm(name: str, priority: Priority = MEDIUM, **more: object) -> AlarmSnapshot:
    return AlarmSnapshot(
        alarm=name,
        title=name,
        priority=priority,
        kind=Kind.TECHNICAL,
        since=Instant(0),
        **more,  # type: ignore[arg-type]  # fields of the snapshot
    )


def told(name: str, change: Change = Change.PRESENT, operator: str = "") -> AlarmChange:
    return AlarmChange(
        at=Instant(0),
        alarm=name,
        change=change,
        priority=MEDIUM,
        kind=Kind.TECHNICAL,
        operator=operator,
    )


def begun(*alarms: AlarmSnapshot) -> Annunciation:
    """Return what is remembered of alarms that all became present at the opening."""
    return Annunciation().look(alarms, [told(each.alarm) for each in alarms], Instant(0))[0]


def test_where_nothing_is_present_nothing_is_signalled() -> None:
    assert Annunciation().look([], [], instant_at(5)) == (Annunciation(), Plan())


@pytest.mark.hazard("H6")
def test_what_was_present_before_anybody_listened_is_heard_at_once() -> None:
    _, plan = Annunciation().look([alarm("a", HIGH)], [], instant_at(5))
    assert plan.burst == burst_at(instant_at(5), HIGH)


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("change", Change)
def test_a_burst_begins_anew_for_what_begins_rises_or_resumes_and_for_nothing_else(
    change: Change,
) -> None:
    a, b, low = alarm("a"), alarm("b"), alarm("low", LOW)
    at = instant_at(4)
    _, plan = begun(a).look([a, b], [told("b", change)], at)
    assert plan.burst == burst_at(at if change in RAISING else Instant(0), MEDIUM)
    for silent in ([a, low], [a, alarm("low", MEDIUM, subsumed_by="a")]):
        _, plan = begun(a).look(silent, [told("low", change)], at)
        assert plan.burst == burst_at(Instant(0), MEDIUM), "what is not heard interrupts nothing"


def test_what_became_more_urgent_without_a_change_is_heard_at_once() -> None:
    low, high = alarm("low", LOW), alarm("high", HIGH)
    _, plan = begun(low).look([high, low], [], instant_at(4))
    assert plan.burst == burst_at(instant_at(4), HIGH)


@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("operator", ["", "nurse-1"])
def test_a_burst_is_cut_at_once_only_where_a_person_silenced_it(
    change: Change, operator: str
) -> None:
    memory = begun(alarm("a", HIGH))
    _, plan = memory.look([], [told("a", change, operator)], instant_at(0.5))
    if change in SILENCING and operator:
        assert plan.burst is None
    else:
        assert plan.burst is not None
        assert plan.burst.at == 0
        assert plan.burst.ends == Instant(PATTERNS[HIGH].least)


def test_a_burst_that_is_over_does_not_fade_and_its_last_instant_is_over() -> None:
    memory = begun(alarm("a", HIGH))
    least = Instant(PATTERNS[HIGH].least)
    for at, is_heard in ((Instant(least - 1), True), (least, False), (Instant(least + 1), False)):
        assert (memory.look([], [], at)[1].burst is not None) == is_heard
    length = Instant(PATTERNS[HIGH].length)
    assert memory.look([], [], length)[1].burst is None


def test_the_lower_pattern_begins_when_the_higher_one_has_faded() -> None:
    high, low = alarm("high", HIGH), alarm("low", LOW)
    least = Instant(PATTERNS[HIGH].least)
    memory, plan = begun(high, low).look([low], [told("high", Change.ENDED)], instant_at(0.5))
    assert plan.burst is not None
    assert (plan.burst.priority, plan.burst.ends) == (HIGH, least)
    assert plan.next_burst_at == least
    _, plan = memory.look([low], [], least)
    assert plan.burst == burst_at(least, LOW)
    assert plan.next_burst_at == least + PATTERNS[LOW].repeat


def test_a_plan_is_never_changed_and_nothing_in_it_is_told_by_its_place() -> None:
    memory, plan = Annunciation().look([off("a", 5)], [], instant_at(6))
    sounding = flood([alarm("b", HIGH)], 1)
    found = [*every(memory), *every(plan), *every(sounding), *PATTERNS.values()]
    assert {type(each) for each in found} >= {Annunciation, Plan, Line, Reminder, Burst, Pattern}
    assert [each for each in found if not is_frozen(each)] == []
    many = [each for each in found if not isinstance(each, Line | Reminder | Burst)]
    assert [each for each in many if not is_named(each)] == []


def off(name: str, reminded_s: float) -> AlarmSnapshot:
    at = instant_at(reminded_s)
    return alarm(name, inactivation=Inactivation.ALARM_OFF, reminded_at=at)


def test_a_reminder_names_only_what_became_due_since_the_last_and_ends_at_its_end() -> None:
    memory, _ = Annunciation().look([off("a", 180)], [], instant_at(180))
    memory, plan = memory.look([off("a", 180), off("b", 186)], [], instant_at(186))
    assert plan.reminder is not None
    assert plan.reminder.alarms == ("b",)
    ends = Instant(instant_at(186) + REMINDER_LENGTH)
    assert plan.reminder.ends == ends
    last = memory.look([off("a", 180), off("b", 186)], [], Instant(ends - 1))[1]
    assert last.reminder == plan.reminder
    assert memory.look([off("a", 180), off("b", 186)], [], ends)[1].reminder is None


def test_what_does_not_sound_is_said_in_so_many_words() -> None:
    assert sounds(alarm("a")) is True
    assert sounds(alarm("a", subsumed_by="b")) is False
    assert sounds(alarm("a", inactivation=Inactivation.ACKNOWLEDGED)) is False
    assert sounds(alarm("a", HIGH, signal=Signal.LATCHED)) is True
    assert sounds(alarm("a", LOW, signal=Signal.LATCHED)) is False


def flood(alarms: Sequence[AlarmSnapshot], last_s: float, count: int = 5) -> Plan:
    """Return the plan after `count` new conditions, the last of them at `last_s` seconds."""
    memory, plan = Annunciation(), Plan()
    for number in range(count):
        at = instant_at(0 if number < count - 1 else last_s)
        memory, plan = memory.look(alarms, [told(f"new {number}")], at)
    return plan


def test_five_new_conditions_are_a_flood_if_less_than_a_minute_lies_between() -> None:
    assert flood([], 59.999).is_flood
    assert not flood([], 60).is_flood
    assert not flood([], 1, count=4).is_flood


def test_a_flood_folds_what_is_explained_behind_its_cause_and_the_rest_behind_the_first() -> None:
    alarms = [
        alarm("high", HIGH),
        alarm("high and explained", HIGH, subsumed_by="cause"),
        alarm("first"),
        alarm("cause"),
        alarm("effect", subsumed_by="cause"),
        alarm("effect of an effect", subsumed_by="effect"),
        alarm("explained by the high one", LOW, subsumed_by="high"),
        alarm("rest", LOW),
    ]
    folded = ("cause", "effect", "effect of an effect", "rest")
    assert flood(alarms, 1).lines == (
        Line(alarms[0], ("explained by the high one",)),
        Line(alarms[1]),
        Line(alarms[2], folded),
    )
    assert flood(alarms, 60).lines == tuple(Line(each) for each in alarms)
