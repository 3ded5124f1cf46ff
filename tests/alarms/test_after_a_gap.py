"""What a restart may not do to conditions: found by simulated sessions, reduced to their causes."""

from monitor.model.alarm import Change
from monitor.model.event import FrameRejected
from monitor.model.instant import instant_at
from tests.alarms.score import Score


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


def test_a_core_that_lives_through_a_gap_judges_the_next_value_like_a_restored_one() -> None:
    running, stopped = Score(), Score()
    for score in (running, stopped):
        score.run(0, 20, spo2=97.0)
    running.system.resume(instant_at(60), instant_at(41))  # type: ignore[arg-type]  # a duration
    stopped.restart(60)
    for score in (running, stopped):
        score.see(61, spo2=97.0)
    assert running.system.save() == stopped.system.save()
