"""The state written down and taken up again: nothing acknowledged forgotten, nothing invented."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.equipment import GAP_TOLD_MIN
from alarms.system import AlarmSystem
from monitor.model.alarm import RANK, Change
from monitor.model.event import NoticeKind
from monitor.model.instant import Duration, instant_at, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import LIMITS, Score


def test_acknowledgements_and_conditions_survive_a_restart_and_pauses_do_not() -> None:
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=130)
    score.do(Deed.ACKNOWLEDGE, "spo2_low", 19)
    score.do(Deed.PAUSE_AUDIO, "pulse_rate_high", 19)
    score.restart(30)
    standing = score.standing()
    assert standing["spo2_low"].acknowledged_by == "nurse-1"
    assert standing["spo2_low"].held_since == instant_at(30)
    assert standing["pulse_rate_high"].audio_paused_until is None
    assert standing["recording_gap"].value == 11
    assert (30, "resumed") in score.changes("pulse_rate_high")


def test_the_gap_is_told_and_waits_for_a_person() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.restart(100)
    assert score.changes("recording_gap") == [(100, "present"), (100, "latched")]
    assert "81 s" in score.first("recording_gap", Change.PRESENT).reason
    score.do(Deed.RESET, "recording_gap", 101)
    assert score.standing() == {}


def test_ages_count_from_the_restart() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.restart(100)
    score.wait(300)
    assert score.changes("no_data_spo2")[0] == (130, "present")


def test_blindness_from_before_the_stop_still_becomes_high() -> None:
    score = Score()
    score.run(0, 10, spo2=97)
    score.wait(50)
    score.restart(60)
    score.wait(300)
    assert score.changes("no_data_spo2") == [
        (39, "present"),
        (60, "held"),
        (90, "unheld"),
        (150, "escalated"),
    ]


def test_a_candidate_that_was_not_watched_is_not_matured_by_the_gap() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.run(20, 23, spo2=88)
    score.restart(100)
    score.run(101, 130, spo2=97)
    assert score.changes("spo2_low") == []


def test_an_apnoea_that_began_unwatched_is_told_from_the_restart_on() -> None:
    score = Score()
    score.run(0, 20, etco2=38, resp_rate=12)
    score.restart(100)
    score.run(101, 140, etco2=0, resp_rate=0)
    assert score.changes("apnoea") == [(131, "present")]


def test_a_condition_the_limits_no_longer_know_stays_as_high() -> None:
    score = Score()
    score.run(0, 40, temp=40)
    kept = tuple(each for each in LIMITS.limits if each.metric is not Metric.TEMP)
    fewer = msgspec.structs.replace(LIMITS, limits=kept)
    (alarm,) = AlarmSystem.restore(fewer, score.system.save()).alarms()
    assert (alarm.alarm, alarm.priority) == ("temp_high", "high")


def test_what_was_not_saved_by_this_version_is_refused() -> None:
    saved = AlarmSystem(LIMITS).save().replace(b'"version":2', b'"version":99')
    with pytest.raises(ValueError, match=r"^saved by version 99, this is 2$"):
        AlarmSystem.restore(LIMITS, saved)
    with pytest.raises(ValueError, match="Expected `int`"):
        AlarmSystem.restore(LIMITS, b'{"now": "soon"}')


moves = st.tuples(
    st.sampled_from(["low", "severe", "fine", "lost", "none", "ack", "pause", "off", "on", "link"]),
    st.integers(1, 15),
)


def play(score: Score, start: int, script: list[tuple[str, int]]) -> int:
    values = {"low": 88.0, "severe": 80.0, "fine": 97.0, "none": None}
    for move, lasts in script:
        if move in values:
            score.run(start, start + lasts, spo2=values[move], etco2=38, resp_rate=12)
        elif move == "ack":
            score.do(Deed.ACKNOWLEDGE, "spo2_low", start)
        elif move == "pause":
            score.do(Deed.PAUSE_AUDIO, "spo2_low", start)
        elif move in {"off", "on"}:
            score.notice(NoticeKind.SENSOR_OFF, start, present=move == "off")
        elif move == "link":
            score.link(LinkState.LOST, start, Metric.SPO2)
        start += lasts
    return start


@settings(max_examples=40)
@given(st.lists(moves, max_size=12), st.lists(moves, max_size=12))
def test_written_down_and_read_back_it_goes_on_as_if_nothing_had_been(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    one, two = Score(), Score()
    for score in (one, two):
        middle = play(score, 0, before)
    two.system = AlarmSystem.restore(LIMITS, one.system.save())
    assert two.system.save() == one.system.save()
    for score in (one, two):
        end = play(score, middle, after)
        score.wait(end + 100)
    assert one.told == two.told
    assert one.system.save() == two.system.save()


@settings(max_examples=25)
@given(st.lists(moves, max_size=14))
def test_a_restart_never_ends_an_alarm(script: list[tuple[str, int]]) -> None:
    score = Score()
    end = play(score, 0, script)
    score.wait(end)
    before = score.standing()
    score.restart(end + 45)
    after = score.standing()
    assert all(RANK[after[alarm].priority] >= RANK[before[alarm].priority] for alarm in before)


def test_a_candidate_of_before_the_stop_is_forgotten_like_any_other() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.run(20, 23, spo2=88)
    score.restart(100)
    score.run(200, 215, spo2=88)
    assert score.changes("spo2_low") == [(210, "present")]


def test_a_gap_is_measured_in_seconds() -> None:
    system = AlarmSystem(LIMITS)
    told = system.resume(instant_at(50), seconds(12.5))
    assert told[0].value == 12.5


@given(gap_ns=st.integers(0, 10_000_000_000))
def test_a_gap_calls_somebody_only_if_it_was_long_enough_for_a_value_to_matter(gap_ns: int) -> None:
    told = AlarmSystem(LIMITS).resume(instant_at(50), Duration(gap_ns))
    assert bool(told) == (gap_ns >= GAP_TOLD_MIN)


def test_a_delay_that_runs_when_it_is_written_down_runs_out_when_it_is_read_back() -> None:
    score = Score()
    score.run(0, 6, spo2=88)
    score.system = AlarmSystem.restore(LIMITS, score.system.save())
    assert score.system.wake_at is not None
    assert score.system.wake_at > instant_at(5)
    score.run(6, 8, spo2=88)
    score.wait(10)
    assert score.changes("spo2_low") == [(10, "present")]


@settings(max_examples=40)
@given(script=st.lists(moves, max_size=12), gap_s=st.integers(0, 900), is_read_back=st.booleans())
def test_all_that_a_stop_changes_is_told_at_its_end(
    script: list[tuple[str, int]], gap_s: int, *, is_read_back: bool
) -> None:
    score = Score()
    end = play(score, 0, script) + gap_s
    if is_read_back:
        score.system = AlarmSystem.restore(LIMITS, score.system.save())
    told = score.system.resume(instant_at(end), seconds(gap_s))
    assert {each.at for each in told} <= {instant_at(end)}
    assert score.system.wake_at is None or score.system.wake_at > instant_at(end)


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("is_read_back", [True, False])
def test_what_was_missing_before_the_stop_is_missed_again_after_it(*, is_read_back: bool) -> None:
    score = Score()
    score.run(0, 10, pulse_rate=70)
    score.wait(60)
    if is_read_back:
        score.system = AlarmSystem.restore(LIMITS, score.system.save())
    score.told.extend(score.system.resume(instant_at(100), seconds(40)))
    score.wait(300)
    said = score.changes("no_data_pulse_rate")
    assert said == [(39, "present"), (100, "held"), (130, "unheld")]


def test_a_cuff_whose_end_nobody_saw_explains_nothing_after_the_stop() -> None:
    score = Score()
    score.run(0, 60, spo2=97, pulse_rate=70)
    score.notice(NoticeKind.CUFF_INFLATING, 60)
    score.run(60, 80, spo2=86, pulse_rate=None)
    score.restart(200)
    said = score.changes("cuff_on_probe_arm")
    assert said == [(60, "present"), (200, "held"), (200, "unheld"), (200, "ended")]
    score.run(200, 215, spo2=86)
    assert "spo2_low" in score.standing()
