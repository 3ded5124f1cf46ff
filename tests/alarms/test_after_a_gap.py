"""What a restart may not do to conditions: found by simulated sessions, reduced to their causes."""

import pytest

from alarms.limits import read_preset
from monitor.model.alarm import Change
from monitor.model.event import FrameRejected
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.alarms.score import PATTERNS, PRESET_TEXT, Score


def test_refusals_do_not_count_as_over_because_nobody_watched() -> None:
    score = Score()
    for number in range(20):
        at = 1 + number / 10
        score.hear(FrameRejected("checksum differs", b"", instant_at(at)), at)
    score.wait(5)
    score.restart(100)
    assert Change.ENDED not in {each.change for each in score.told}
    assert score.standing()["input_rejected"].held_since is not None
    score.wait(161)
    assert "input_rejected" not in score.standing()


@pytest.mark.parametrize("gap_s", [3, 41])
def test_a_core_that_lives_through_a_gap_judges_the_next_value_like_a_restored_one(
    gap_s: int,
) -> None:
    running, stopped = Score(), Score()
    for score in (running, stopped):
        score.run(0, 20, spo2=97.0)
    end = 19 + gap_s
    running.system.resume(instant_at(end), instant_at(gap_s))  # type: ignore[arg-type]  # a duration
    stopped.restart(end)
    for score in (running, stopped):
        score.see(end + 1, spo2=97.0)
    assert running.system.save() == stopped.system.save()


def test_nothing_is_current_after_a_stop_until_it_is_heard_again() -> None:
    score = Score()
    score.run(0, 20, spo2=97.0)
    score.restart(22)
    channel = score.system.channel_of(Metric.SPO2)
    assert channel is not None
    assert channel.is_lost
    score.see(23, spo2=97.0)
    assert not channel.is_lost


def test_no_trend_is_seen_across_a_stop() -> None:
    score = Score(read_preset(PRESET_TEXT + PATTERNS, "x"))
    score.run(0, 40, resp_rate=16, etco2=38)
    score.restart(60)
    score.run(61, 90, resp_rate=11, etco2=48)
    assert score.changes("hypoventilation") == []
