"""One condition, small scripts: when its clocks begin, stand still, begin again and end."""

from collections.abc import Sequence
from typing import Final

import msgspec
import pytest

from alarms import step as stepping
from alarms.condition import Condition, Input, Latch, Policy, State, Told
from monitor.model.alarm import Change, Inactivation, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import in_seconds, instant_at, seconds

POLICY: Final = Policy(
    priority=Priority.MEDIUM,
    delay=seconds(10),
    severe_delay=seconds(5),
    clear_for=seconds(5),
    latch=Latch.SEVERE,
    is_low=True,
    envelope=3.0,
)
V, S, B, N, U = Input.VIOLATED, Input.SEVERE, Input.BETWEEN, Input.NORMAL, Input.UNKNOWN
VALUES: Final = {V: 88.0, S: 80.0, B: 90.0, N: 97.0, U: None}

Script = Sequence[tuple[float, Input]]
Telling = list[tuple[float, Change]]


def play(script: Script, until: float, policy: Policy = POLICY) -> tuple[State, Telling]:
    """Return where a condition stands at `until` seconds, and what was told when."""
    state, told = State(), list[Told]()
    for at, happened in script:
        if happened in VALUES:
            taken = stepping.step(policy, state, happened, instant_at(at), value=VALUES[happened])
        else:
            taken = stepping.act(policy, state, happened, instant_at(at), "nurse-1")
        state = taken.state
        told += taken.told
    last = stepping.mature(policy, state, instant_at(until))
    return last.state, [(in_seconds(each.at), each.change) for each in (*told, *last.told)]


@pytest.mark.hazard("H13")
def test_a_delay_counts_from_the_first_crossing_and_is_kept_as_its_beginning() -> None:
    state, told = play([(0, N), (5, V), (9, V), (14, V)], 20)
    assert told == [(15, Change.PRESENT)]
    assert (state.began, state.raised) == (instant_at(5), instant_at(15))
    _, told = play([(0, V), (4, N), (6, V), (15, V)], 20)
    assert told == [(16, Change.PRESENT)], "what was inside in between is forgotten"


def test_what_is_noticed_late_began_when_it_began() -> None:
    now = instant_at(100)
    state = stepping.step(POLICY, State(), V, now, began=instant_at(95)).state
    assert stepping.wake_at(POLICY, state) == instant_at(105)
    later = stepping.mature(POLICY, state, instant_at(105)).state
    assert later.began == instant_at(95)


@pytest.mark.hazard("H3")
def test_a_single_reading_before_a_loss_raises_nothing_and_is_forgotten_after_half_a_minute() -> (
    None
):
    state, told = play([(0, V), (1, U)], 30.999)
    assert (state.condition, told) == (Condition.UNMEASURED, [])
    assert play([(0, V), (1, U), (20, U)], 31) == (State(), [])
    state, told = play([(0, V), (1, U), (20, V), (21, U)], 40)
    assert (state.condition, told) == (Condition.UNMEASURED, [])
    assert play([(0, V), (1, U), (20, V), (21, U)], 51)[0] == State()


@pytest.mark.hazard("H3")
def test_the_severe_clock_stands_still_while_nothing_is_measured() -> None:
    script = [(0, V), (5, V), (11, S), (12, U)]
    state, told = play(script, 60)
    assert told == [(10, Change.PRESENT), (12, Change.HELD)]
    assert not state.is_severe
    _, told = play([*script, (20, S)], 60)
    assert told[2:] == [(20, Change.UNHELD), (21.5, Change.ESCALATED)]


def test_an_unmeasured_condition_keeps_the_value_that_was_judged_last() -> None:
    assert play([(0, V), (10, V), (12, U)], 20)[0].value == 88


def test_a_condition_ends_only_after_five_seconds_inside_without_a_break() -> None:
    raised = [(0, V), (10, V)]
    for broken in (B, V, U):
        _, told = play([*raised, (11, N), (14, N), (15, broken), (16, N), (20.9, N)], 21)
        assert Change.ENDED not in {change for _, change in told}
        _, told = play([*raised, (11, N), (15, broken), (16, N), (20.9, N), (21, N)], 21)
        assert told[-1] == (21, Change.ENDED)


def test_an_acknowledged_latched_signal_waits_for_its_reset_without_an_end() -> None:
    script = [(0, S), (4, S), (6, Input.ACKNOWLEDGE), (7, N), (12, N)]
    state, _ = play(script, 12)
    assert (state.signal, state.operator) == (Signal.LATCHED, Inactivation.ACKNOWLEDGED)
    assert (state.until, stepping.wake_at(POLICY, state)) == (None, None)
    assert play(script, 5000)[0] == state


def test_a_latched_signal_whose_audio_is_off_is_still_reminded_of() -> None:
    script = [(0, S), (4, S), (6, Input.TURN_AUDIO_OFF), (7, N), (12, N)]
    state, _ = play(script, 12)
    assert (state.signal, state.operator) == (Signal.LATCHED, Inactivation.AUDIO_OFF)
    assert stepping.wake_at(POLICY, state) == instant_at(6 + 180)


@pytest.mark.parametrize("is_low", [True, False])
def test_the_edge_of_an_acknowledgement_is_inside_and_beyond_it_the_signal_returns(
    *, is_low: bool
) -> None:
    policy = msgspec.structs.replace(POLICY, is_low=is_low)
    state = play([(0, V), (10, V), (11, Input.ACKNOWLEDGE)], 11, policy)[0]
    sign = -1 if is_low else 1
    for worse, returns in ((2.9, False), (3.0, False), (3.1, True)):
        value = 88 + sign * worse
        taken = stepping.step(policy, state, V, instant_at(12), value=value)
        assert [each.change for each in taken.told] == ([Change.RESUMED] if returns else [])


def test_without_an_envelope_no_value_is_worse_than_acknowledged() -> None:
    policy = msgspec.structs.replace(POLICY, envelope=None)
    state = play([(0, V), (10, V), (11, Input.ACKNOWLEDGE)], 11, policy)[0]
    assert stepping.step(policy, state, V, instant_at(12), value=1.0).told == ()
    unmeasured = stepping.step(POLICY, state, V, instant_at(12))
    assert unmeasured.told == ()


def test_what_is_acknowledged_already_is_refused_in_words() -> None:
    state = play([(0, V), (10, V), (11, Input.ACKNOWLEDGE)], 11)[0]
    said = "already acknowledged, its audio is off"
    assert stepping.refusal(state, Input.PAUSE_AUDIO) == said
    off = play([(0, V), (10, V), (11, Input.TURN_AUDIO_OFF)], 11)[0]
    assert stepping.refusal(off, Input.PAUSE_AUDIO) == "audio off already: resume it first"
    assert stepping.refusal(off, Input.TURN_ALARM_OFF) == ""


def test_a_policy_that_says_no_more_than_its_priority_waits_for_nothing() -> None:
    plain = Policy(priority=Priority.LOW)
    state, told = play([(0, S)], 0, plain)
    assert (told, state.is_severe) == ([(0, Change.PRESENT)], True)
    _, told = play([(0, V), (5, N)], 5, plain)
    assert told == [(0, Change.PRESENT), (5, Change.ENDED)]
    assert stepping.length_of(plain, Inactivation.AUDIO_PAUSED) == seconds(120)
    assert stepping.length_of(plain, Inactivation.ALARM_PAUSED) == seconds(120)
    assert stepping.length_of(plain, Inactivation.ALARM_OFF) == seconds(180)
    for happened, ends in ((V, 600), (S, 120)):
        state, _ = play([(0, happened), (0, Input.ACKNOWLEDGE)], 0, plain)
        assert state.until == instant_at(ends)
    high = msgspec.structs.replace(plain, envelope=3.0)
    assert play([(0, V), (0, Input.ACKNOWLEDGE)], 0, high)[0].edge == 91
