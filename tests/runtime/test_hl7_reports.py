"""Alarm changes to PCD-04: what the receiver was told stands is what stands, after any story."""

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.parts.hl7_report import INACTIVATION_WORDS, AlarmReport, AlarmState, Phase
from monitor.model.alarm import AlarmChange, AlarmSnapshot, Change, Inactivation, Kind, Priority
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from monitor.runtime.hl7.reports import AlarmReports, standing_alarms
from monitor.runtime.hl7.waiting import Message, Waiting
from monitor.runtime.pipeline import Pipeline
from tests.runtime.chairs import Happening, Kept, happenings, make_pipeline, play, raise_links

laws = settings(max_examples=150, deadline=None, derandomize=True)


def facts(report: AlarmReport) -> tuple[object, ...]:
    return (
        report.alarm,
        report.since,
        report.state,
        report.inactivation,
        report.priority,
        report.kind,
        report.metric,
    )


def standing(pipeline: Pipeline) -> set[tuple[object, ...]]:
    """What a receiver that hears us for the first time would be told."""
    fresh = AlarmReports(str)
    return {facts(each) for each in fresh.relist(standing_alarms(pipeline.alarms), OPENING)}


class Receiver:
    """Believes what it is told, and checks that it makes sense."""

    def __init__(self) -> None:
        self.standing: dict[tuple[str, Instant], AlarmReport] = {}

    def hear(self, report: AlarmReport) -> None:
        key = (report.alarm, report.since)
        if report.phase is Phase.END:
            assert report.state is AlarmState.INACTIVE
            del self.standing[key]
            return
        assert report.state is not AlarmState.INACTIVE
        assert (report.phase is Phase.START) == (key not in self.standing)
        self.standing[key] = report


@laws
@given(happenings)
def test_what_was_told_to_stand_stands(story: list[Happening]) -> None:
    pipeline = make_pipeline(Kept())
    reports, receiver = AlarmReports(str), Receiver()

    def take(changes: object) -> None:
        assert isinstance(changes, list | tuple)
        for change in changes:
            for report in reports.take(change):
                receiver.hear(report)

    pipeline.on_changes = take
    raise_links(pipeline)
    play(pipeline, story)
    assert {facts(each) for each in receiver.standing.values()} == standing(pipeline)
    again = reports.relist(standing_alarms(pipeline.alarms), instant_at(9999))
    assert {each.phase for each in again} <= {Phase.CONTINUE}
    assert {facts(each) for each in again} == standing(pipeline)


def change(what: Change, at_s: float = 1, **fields: object) -> AlarmChange:
    told = {
        "at": instant_at(at_s),
        "alarm": "spo2_low",
        "change": what,
        "priority": Priority.MEDIUM,
        "kind": Kind.PHYSIOLOGICAL,
        "metric": Metric.SPO2,
    }
    return AlarmChange(**(told | fields))  # type: ignore[arg-type]


def present(of: AlarmChange) -> AlarmSnapshot:
    """The alarm of a change as a picture shows it."""
    return AlarmSnapshot(
        alarm=of.alarm, title=of.alarm, priority=of.priority, kind=of.kind, since=of.at
    )


def test_the_life_of_an_alarm_in_the_words_of_the_profile() -> None:
    reports = AlarmReports(lambda _: "SpO2 low")
    acknowledged, paused = Inactivation.ACKNOWLEDGED, Inactivation.AUDIO_PAUSED
    story = (
        (Change.PRESENT, Inactivation.NONE),
        (Change.ACKNOWLEDGED, acknowledged),
        (Change.HELD, acknowledged),
        (Change.UNHELD, acknowledged),
        (Change.RESUMED, Inactivation.NONE),
        (Change.ESCALATED, Inactivation.NONE),
        (Change.PAUSED, paused),
        (Change.LATCHED, paused),
        (Change.RESET, Inactivation.NONE),
    )
    told = [
        reports.take(change(what, number, value=80.0, limit=90.0, inactivation=after))
        for number, (what, after) in enumerate(story)
    ]
    words = [
        (each.phase.value, each.state.value, INACTIVATION_WORDS[each.inactivation])
        for (each,) in told
    ]
    assert words == [
        ("start", "active", "enabled"),
        ("update", "active", "alert-acknowledged"),
        ("update", "active", "alert-acknowledged"),
        ("update", "active", "alert-acknowledged"),
        ("update", "active", "enabled"),
        ("escalate", "active", "enabled"),
        ("update", "active", "audio-paused"),
        ("update", "latched", "audio-paused"),
        ("end", "inactive", "enabled"),
    ]
    assert {each.since for (each,) in told} == {instant_at(0)}
    assert {each.is_low for (each,) in told} == {True}
    assert reports.standing == {}


def test_an_alarm_that_comes_again_before_it_was_reset_is_another_occurrence() -> None:
    reports = AlarmReports(str)
    reports.take(change(Change.PRESENT, 1))
    reports.take(change(Change.LATCHED, 2))
    told = reports.take(change(Change.PRESENT, 3))
    assert [(each.phase, each.since) for each in told] == [
        (Phase.END, instant_at(1)),
        (Phase.START, instant_at(3)),
    ]


def test_an_alarm_said_again_before_its_own_change_came_is_one_occurrence() -> None:
    reports = AlarmReports(str)
    now = change(Change.PRESENT, 3)
    reports.relist([present(now)], instant_at(3))
    assert [each.phase for each in reports.take(now)] == [Phase.START]
    assert reports.standing == {"spo2_low": instant_at(3)}


def test_what_was_never_told_to_stand_is_not_updated_or_ended() -> None:
    reports = AlarmReports(str)
    for what in set(Change) - {Change.PRESENT}:
        assert reports.take(change(what)) == []


def test_what_ended_unheard_is_ended_when_all_is_said_again() -> None:
    reports = AlarmReports(str)
    reports.take(change(Change.PRESENT, 1))
    (ended,) = reports.relist((), instant_at(5))
    assert (ended.phase, ended.alarm) == (Phase.END, "spo2_low")
    assert reports.relist((), instant_at(6)) == []


def test_a_reason_and_a_cause_are_told_in_words_and_no_person() -> None:
    reports = AlarmReports(str)
    fields: dict[str, object] = {
        "reason": "below 90 %",
        "subsumed_by": "sensor_off",
        "operator": "Dr Who",
    }
    (told,) = reports.take(change(Change.PRESENT, 1, **fields))
    assert told.words == "present; below 90 %; explained by sensor_off"
    assert told.inactivation is Inactivation.NONE


# -- the queue -------------------------------------------------------------------------------------

texts = st.lists(st.sampled_from("abcdef"), max_size=60)


@laws
@given(texts, st.integers(1, 12))
def test_a_full_queue_keeps_order_and_counts_what_it_gave_up(abouts: list[str], most: int) -> None:
    waiting = Waiting(most)
    for number, about in enumerate(abouts):
        waiting.put(Message(str(number), "", about))
        assert len(waiting) <= most
    kept = []
    while (head := waiting.head) is not None:
        kept.append(int(head.control))
        waiting.remove(head)
    assert kept == sorted(kept)
    assert len(kept) + waiting.dropped == len(abouts)


@laws
@given(texts)
def test_the_newest_of_each_alarm_is_not_given_up_while_there_is_room(abouts: list[str]) -> None:
    waiting = Waiting(6)
    newest = {}
    for number, about in enumerate(abouts):
        waiting.put(Message(str(number), "", about))
        newest[about] = str(number)
    kept = set()
    while (head := waiting.head) is not None:
        kept.add(head.control)
        waiting.remove(head)
    assert set(newest.values()) <= kept


def test_a_message_that_nobody_answers_lets_others_pass_and_is_not_lost() -> None:
    waiting = Waiting()
    first, second = Message("1", "", "a", tries=5), Message("2", "", "b")
    waiting.put(first)
    waiting.put(second)
    waiting.defer(first)
    assert waiting.head is second
    waiting.remove(second)
    assert waiting.head is not None
    assert (waiting.head.control, waiting.head.tries, waiting.dropped) == ("1", 0, 0)


def test_a_message_that_nobody_answers_is_given_up_for_a_newer_one_about_the_same() -> None:
    waiting = Waiting()
    first = Message("1", "", "a")
    waiting.put(first)
    waiting.put(Message("2", "", "a"))
    waiting.defer(first)
    assert waiting.head is not None
    assert (waiting.head.control, len(waiting), waiting.dropped) == ("2", 1, 1)
