"""What a replay lists at its end is what its lines left open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.arguments import make_parser
from monitor.model.alarm import AlarmChange, Change
from monitor.model.event import DeviceEvent, observe
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric
from monitor.runtime.replay import Replay, Summary
from tests.alarms.score import LIMITS

CLOSING = {Change.ENDED, Change.RESET}
stretches = st.lists(
    st.tuples(st.sampled_from([97, 88, 70, 55, None]), st.integers(1, 60)), min_size=1, max_size=8
)


def replayed(spells: list[tuple[float | None, int]]) -> tuple[Summary, list[AlarmChange]]:
    """Play SpO2 at 1 Hz: each value for that many seconds."""
    told: list[AlarmChange] = []
    moments: list[tuple[Instant, list[DeviceEvent]]] = []
    for value, lasts in spells:
        for _ in range(lasts):
            now = Instant(seconds(len(moments)))
            moments.append((now, [observe(Metric.SPO2, value, now)]))
    return Replay(LIMITS, told.append).play(moments), told


@settings(max_examples=60)
@given(stretches)
def test_what_is_listed_at_the_end_is_what_the_lines_left_open(
    spells: list[tuple[float | None, int]],
) -> None:
    summary, told = replayed(spells)
    last = {each.alarm: each.change for each in told}
    standing = {alarm: change for alarm, change in last.items() if change not in CLOSING}
    latched = {alarm for alarm, change in standing.items() if change is Change.LATCHED}
    assert set(summary.latched_at_end) == latched
    assert set(summary.present_at_end) == set(standing) - latched
    assert set(summary.held_at_end) <= set(summary.present_at_end)
    assert {alarm for alarm, change in last.items() if change is Change.HELD} == set(
        summary.held_at_end
    )


def test_a_cause_that_is_gone_is_not_present_at_the_end() -> None:
    summary, _ = replayed([(97, 30), (60, 40), (97, 60)])
    assert summary.present_at_end == ()
    assert summary.latched_at_end != ()


def test_the_help_of_replay_says_which_changes_close(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["replay", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "ended, latched and reset close it" in said
    assert "--missing VALUE" in said
