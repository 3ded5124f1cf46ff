"""What has come from the server, and what became of what was asked."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.asked import ANSWER_S_MAX, SHOWN_S, WAITING_MAX, Asked
from dashboards.reception import CHAIRS_MAX, Reception
from dashboards.rehearsal import apnoea, quiet, trends, waves
from dashboards.views.sight import LOST_AFTER_S
from monitor.attach.messages import PROTOCOL_VERSION, Answer, Hello, SnapshotMessage, TrendMessage
from monitor.model.instant import instant_at, later, seconds
from monitor.model.metric import Metric
from monitor.model.snapshot import TrendBin
from tests.dashboards.staging import moved

HELLO = Hello(PROTOCOL_VERSION, "vigil", "clinic", ("2", "3"))


@pytest.mark.hazard("H3")
def test_a_server_that_repeats_one_picture_is_as_good_as_silent() -> None:
    reception = Reception(0.0)
    for now_s in range(10):
        reception.take(SnapshotMessage(quiet()), float(now_s))
    assert reception.chair("2").age_s(9.0) == 9.0
    reception.take(SnapshotMessage(moved(quiet(), 1)), 9.5)
    assert reception.chair("2").age_s(9.5) == 0.0


@pytest.mark.hazard("H19")
def test_an_older_picture_changes_nothing() -> None:
    reception = Reception(0.0)
    newer = moved(quiet(), 5)
    reception.take(SnapshotMessage(newer), 1.0)
    reception.take(SnapshotMessage(quiet()), 2.0)
    assert reception.chair("2").chair == newer
    assert reception.chair("2").age_s(2.0) == 1.0


def test_a_new_link_may_begin_earlier() -> None:
    reception = Reception(0.0)
    reception.take(SnapshotMessage(moved(quiet(), 5)), 1.0)
    reception.take(HELLO, 2.0)
    reception.take(SnapshotMessage(quiet()), 2.0)
    assert reception.chair("2").chair == quiet()


@pytest.mark.hazard("H7")
def test_nothing_of_the_last_session_is_left_in_the_next() -> None:
    reception = Reception(0.0)
    reception.take(SnapshotMessage(apnoea()), 0.0)
    reception.take(trends(apnoea()), 0.0)
    for wave in waves(apnoea()):
        reception.take(wave, 0.0)
    following = msgspec.structs.replace(quiet(), session="k-0418-1", now=instant_at(1))
    reception.take(SnapshotMessage(following), 1.0)
    known = reception.chair("2")
    assert (known.series, known.waves, known.seen_s) == ({}, {}, {})
    assert known.chair == following


def test_time_goes_on_between_pictures() -> None:
    reception = Reception(0.0)
    reception.take(SnapshotMessage(quiet()), 10.0)
    assert reception.chair("2").now(12.5) == later(quiet().now, seconds(2.5))


def test_a_chair_nobody_spoke_of_has_been_silent_since_the_start() -> None:
    reception = Reception(5.0)
    assert reception.chair("9").chair is None
    assert reception.chair("9").age_s(12.0) == 7.0


@given(st.lists(st.text(max_size=5), max_size=200))
def test_chairs_are_bounded_whatever_a_server_says(names: list[str]) -> None:
    reception = Reception(0.0)
    for name in names:
        reception.take(SnapshotMessage(msgspec.structs.replace(quiet(), chair=name)), 0.0)
    assert len(reception.chairs) <= CHAIRS_MAX
    assert len(reception.names) <= CHAIRS_MAX


def test_a_whole_timeline_replaces_and_a_part_adds() -> None:
    reception = Reception(0.0)
    one, two = (TrendMessage("2", 5, {Metric.SPO2: (TrendBin(s, 97, 98),)}) for s in (0, 5))
    reception.take(one, 0.0)
    reception.take(two, 0.0)
    assert list(reception.chair("2").series[Metric.SPO2].starts) == [0, 5]
    reception.take(msgspec.structs.replace(two, is_whole=True), 0.0)
    assert list(reception.chair("2").series[Metric.SPO2].starts) == [5]
    reception.take(msgspec.structs.replace(two, bin_s=0), 0.0)
    assert reception.chair("2").bin_s == 5, "bins without a width are no timeline"


def test_bins_of_another_width_begin_a_new_timeline() -> None:
    reception = Reception(0.0)
    reception.take(TrendMessage("2", 5, {Metric.SPO2: (TrendBin(0, 97, 98),)}), 0.0)
    reception.take(TrendMessage("2", 10, {Metric.SPO2: (TrendBin(10, 97, 98),)}), 0.0)
    assert list(reception.chair("2").series[Metric.SPO2].starts) == [10]


def test_a_numeric_sent_as_a_wave_is_not_taken() -> None:
    reception = Reception(0.0)
    reception.take(msgspec.structs.replace(waves(quiet())[0], metric=Metric.SPO2), 0.0)
    assert reception.chair("2").waves == {}


def test_other_chairs_are_told_lost_ones_first_and_quiet_ones_not() -> None:
    reception = Reception(0.0)
    reception.take(Hello(PROTOCOL_VERSION, "v", "c", ("1", "2", "3", "4")), 0.0)
    for name, chair in (("2", quiet()), ("3", apnoea()), ("4", quiet())):
        reception.take(SnapshotMessage(msgspec.structs.replace(chair, chair=name)), 10.0)
    others = reception.others("2", 10.0)
    assert [(each.name, each.is_lost, each.title) for each in others] == [
        ("1", True, ""),
        ("3", False, "Apnoea"),
    ]


def test_a_condition_counts_as_read_after_it_has_been_there_a_while() -> None:
    reception = Reception(0.0)
    reception.take(SnapshotMessage(apnoea()), 10.0)
    known = reception.chair("2")
    assert not known.was_seen("apnoea", 10.4)
    assert known.was_seen("apnoea", 10.5)
    assert not known.was_seen("gone", 99.0)
    reception.take(SnapshotMessage(moved(apnoea(), 1)), 11.0)
    assert known.was_seen("apnoea", 11.0), "it was there before"


def test_another_version_is_refused_in_words() -> None:
    reception = Reception(0.0)
    reception.take(Hello(99, "vigil", "clinic", ("2",)), 0.0)
    assert "version 99" in reception.refusal


@given(st.lists(st.sampled_from(("ask", "accept", "refuse", "lose", "wait")), max_size=40))
def test_nothing_that_was_asked_is_ever_taken_for_done(events: list[str]) -> None:
    asked = Asked()
    now_s, waiting = 0.0, []
    for event in events:
        now_s += 0.1
        if event == "ask":
            number = asked.ask(f"deed {now_s:.1f}", now_s)
            waiting += [number] if number else []
        elif event in {"accept", "refuse"} and waiting:
            asked.answer(Answer(waiting.pop(0), event == "accept", "r"), now_s)
            word = "accepted" if event == "accept" else "REFUSED"
            if not waiting:
                assert word in asked.status(now_s).text
        elif event == "lose":
            if waiting:
                asked.lose(now_s)
                assert "not known to be done" in asked.status(now_s).text
            waiting = []
        elif event == "wait":
            now_s += ANSWER_S_MAX
            if waiting:
                assert "no answer, not known to be done" in asked.status(now_s).text
    assert len(waiting) <= WAITING_MAX


def test_an_answer_is_shown_for_a_while_and_then_goes() -> None:
    asked = Asked()
    number = asked.ask("acknowledge Apnoea", 0.0)
    assert number == 1
    assert asked.status(0.0).text == "acknowledge Apnoea: sent, no answer yet"
    asked.answer(Answer(1, is_accepted=False, reason="the alarm has changed since"), 1.0)
    assert asked.status(1.0).text == "acknowledge Apnoea: REFUSED: the alarm has changed since"
    assert asked.status(1.0).style == "refused"
    assert asked.status(1.0 + SHOWN_S).text == ""


def test_a_crowd_of_unanswered_commands_is_bounded() -> None:
    asked = Asked()
    numbers = [asked.ask("reset", 0.0) for _ in range(WAITING_MAX + 1)]
    assert numbers[-1] is None
    assert "not sent" in asked.status(0.0).text or "no answer" in asked.status(0.0).text


def test_a_picture_is_lost_after_three_seconds() -> None:
    assert LOST_AFTER_S == 3.0
