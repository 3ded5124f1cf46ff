"""What holds for every history of one condition."""

from collections.abc import Sequence
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms import step as stepping
from alarms.condition import (
    DEEDS,
    INACTIVATIONS,
    JUDGEMENTS,
    TABLE,
    Condition,
    Input,
    Latch,
    Outcome,
    Policy,
    State,
    Step,
    Told,
)
from monitor.model.alarm import INDEFINITE, RANK, Change, Inactivation, Priority
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, instant_at, seconds
from tests.alarms.records import every, is_frozen, is_named

STANDING: Final = frozenset({Condition.PRESENT, Condition.HELD})
VALUES: Final = {Input.VIOLATED: 88.0, Input.SEVERE: 80.0, Input.NORMAL: 97.0, Input.BETWEEN: 90.0}

policies = st.builds(
    Policy,
    priority=st.sampled_from(Priority),
    severe_priority=st.just(Priority.HIGH),
    delay=st.sampled_from([0, 3, 10]).map(seconds),
    severe_delay=st.sampled_from([0, 2, 5]).map(seconds),
    clear_for=st.sampled_from([0, 5]).map(seconds),
    latch=st.sampled_from(Latch),
    is_low=st.just(True),
    envelope=st.sampled_from([None, 3.0]),
    pause=st.just(seconds(20)),
    alarm_pause=st.just(seconds(25)),
    reminder=st.just(seconds(18)),
    acknowledge_max=st.just(seconds(30)),
    acknowledge_severe_max=st.just(seconds(15)),
)
COUNTING: Final = Policy(
    priority=Priority.MEDIUM,
    clear_for=seconds(5),
    latch=Latch.SEVERE,
    is_low=True,
    well=89.0,
    severe_well=82.0,
)
happenings = st.tuples(
    st.sampled_from((*JUDGEMENTS, *DEEDS)), st.sampled_from((0.0, 0.5, 1.0, 4.0, 12.0))
)
histories = st.lists(happenings, max_size=25)


def take(policy: Policy, state: State, happened: Input, now: Instant) -> Step:
    if happened in DEEDS:
        return stepping.act(policy, state, happened, now, "nurse-1")
    return stepping.step(policy, state, happened, now, value=VALUES.get(happened))


def play(
    policy: Policy, history: Sequence[tuple[Input, float]], *, looks: int = 0
) -> tuple[State, list[Told]]:
    """Run a history; look `looks` times between any two things that happen."""
    state, told, second = State(), list[Told](), 0.0
    for happened, gap in history:
        for look in range(1, looks + 1):
            between = instant_at(second + gap * look / (looks + 1))
            taken = stepping.mature(policy, state, between)
            state = taken.state
            told.extend(taken.told)
        second += gap
        taken = take(policy, state, happened, instant_at(second))
        state = taken.state
        told.extend(taken.told)
    return state, told


@given(policies, histories)
def test_looking_more_often_changes_nothing(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    assert play(policy, history) == play(policy, history, looks=3)


@given(policies, histories)
def test_time_never_runs_backwards_in_what_is_told(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    _, told = play(policy, history)
    instants = [each.at for each in told]
    assert instants == sorted(instants)


@given(policies, histories)
def test_no_path_leads_from_standing_to_absent_without_normal_data_or_a_person(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    harmless = [each for each in history if each[0] not in {Input.NORMAL, Input.RESET}]
    state, told = play(policy, harmless)
    if any(each.change is Change.PRESENT for each in told):
        assert state.condition in STANDING
        assert not {each.change for each in told} & {Change.ENDED, Change.LATCHED, Change.RESET}


@given(policies, histories)
def test_a_priority_never_falls_while_the_condition_stands(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, second, highest = State(), 0.0, 0
    for happened, gap in history:
        second += gap
        before = state
        state = take(policy, state, happened, instant_at(second)).state
        if state.condition not in STANDING or before.raised != state.raised:
            highest = 0
        if state.condition in STANDING:
            rank = RANK[stepping.priority_of(policy, state)]
            assert rank >= highest
            highest = rank


@pytest.mark.hazard("H6")
@given(policies, histories)
def test_what_was_high_and_seen_by_nobody_stays_high_until_it_is_acknowledged_or_reset(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, second, is_unseen = State(), 0.0, False
    for happened, gap in history:
        second += gap
        taken = take(policy, state, happened, instant_at(second))
        state = taken.state
        for each in taken.told:
            is_high = stepping.priority_of(policy, each.after) is Priority.HIGH
            if each.change is Change.LATCHED and policy.latch is Latch.SEVERE:
                is_unseen = each.after.operator is not Inactivation.ACKNOWLEDGED and is_high
            elif each.change in {Change.ACKNOWLEDGED, Change.RESET}:
                is_unseen = False
        if is_unseen:
            assert stepping.priority_of(policy, state) is Priority.HIGH
            assert state.signal is not Signal.OFF


@pytest.mark.hazard("H13")
@given(
    beyond=st.integers(1, 9),
    better=st.integers(1, 4),
    delay=st.integers(2, 12),
    is_severe=st.booleans(),
)
def test_a_better_value_for_a_moment_costs_its_own_time_and_no_more(
    beyond: int, better: int, delay: int, *, is_severe: bool
) -> None:
    policy = msgspec.structs.replace(
        COUNTING, delay=seconds(99 if is_severe else delay), severe_delay=seconds(delay)
    )
    worse, milder = (Input.SEVERE, Input.VIOLATED) if is_severe else (Input.VIOLATED, Input.BETWEEN)
    state, counted = State(), 0
    for second in range(200):
        is_worse = second % (beyond + better) < beyond
        taken = take(policy, state, worse if is_worse else milder, instant_at(second))
        state = taken.state
        if counted < delay:
            assert not taken.told
        elif is_worse or taken.told:
            assert [each.change for each in taken.told] == [Change.PRESENT]
            assert (stepping.priority_of(policy, state) is Priority.HIGH) == is_severe
            return
        counted += is_worse
    raise AssertionError("never told")


@given(st.lists(st.sampled_from((88.9, 89.0, 89.5, 90.0, 90.5, 92.0)), max_size=60))
def test_a_value_that_hovers_about_the_limit_is_told_only_after_a_whole_delay_beyond_it(
    values: list[float],
) -> None:
    policy = msgspec.structs.replace(COUNTING, delay=seconds(4), well=88.9)
    state, since = State(), None
    for second, value in enumerate(values):
        happened = Input.VIOLATED if value < 90 else Input.BETWEEN if value < 91 else Input.NORMAL
        taken = stepping.step(policy, state, happened, instant_at(second), value=value)
        state = taken.state
        is_due = since is not None and second - since >= 4
        since = (second if since is None else since) if value < 90 else None
        assert bool(taken.told) == is_due
        if is_due:
            return
        assert (state.condition is Condition.ABSENT) == (since is None)


@given(st.sampled_from((Input.BETWEEN, Input.VIOLATED)), st.integers(5, 60))
def test_a_better_value_for_as_long_as_an_end_takes_ends_the_clock(
    milder: Input, lasts: int
) -> None:
    policy = msgspec.structs.replace(COUNTING, delay=seconds(99), severe_delay=seconds(9))
    worse = Input.SEVERE if milder is Input.VIOLATED else Input.VIOLATED
    state = take(policy, State(), worse, instant_at(0)).state
    state = take(policy, state, milder, instant_at(3)).state
    for is_looked_at in (True, False):
        after = take(policy, state, milder, instant_at(3 + lasts)).state
        again = after if is_looked_at else state
        at = instant_at(3 + lasts)
        begun = take(policy, again, worse, at).state
        clock = begun.severe_evidence if worse is Input.SEVERE else begun.evidence
        assert clock is not None
        assert clock.since == at


@given(policies, histories)
def test_what_was_told_tells_where_the_condition_stands(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, told = play(policy, history)
    stands = is_held = latched = False
    for each in told:
        match each.change:
            case Change.PRESENT:
                stands, is_held, latched = True, False, False
            case Change.HELD:
                is_held = True
            case Change.UNHELD:
                is_held = False
            case Change.LATCHED:
                stands, latched = False, True
            case Change.ENDED | Change.RESET:
                stands = is_held = latched = False
            case _:
                pass
    assert stands == (state.condition in STANDING)
    assert is_held == (state.condition is Condition.HELD)
    assert latched == (state.signal is Signal.LATCHED)


@pytest.mark.hazard("H13")
@given(policies, st.floats(0.2, 4.0))
def test_low_for_the_delay_is_told_at_the_delay(policy: Policy, period: float) -> None:
    history = [(Input.VIOLATED, period)] * (int(30 / period) + 2)
    _, told = play(policy, history)
    began = instant_at(period)
    assert told[0].change is Change.PRESENT
    assert told[0].at == began + policy.delay


@pytest.mark.hazard("H11")
@given(policies, st.floats(0.2, 4.0))
def test_severe_is_told_at_the_severe_delay_and_never_later_than_five_seconds(
    policy: Policy, period: float
) -> None:
    history = [(Input.SEVERE, period)] * (int(30 / period) + 2)
    _, told = play(policy, history)
    severe = next(
        each for each in told if stepping.priority_of(policy, each.after) is Priority.HIGH
    )
    assert severe.at - instant_at(period) <= policy.severe_delay <= seconds(5)


@given(policies, histories, st.sampled_from(DEEDS))
def test_a_refused_deed_changes_nothing_and_a_possible_one_is_told(
    policy: Policy, history: list[tuple[Input, float]], deed: Input
) -> None:
    state, _ = play(policy, history)
    now = instant_at(sum(gap for _, gap in history))
    state = stepping.mature(policy, state, now).state
    taken = stepping.act(policy, state, deed, now, "nurse-1")
    if stepping.refusal(state, deed):
        assert taken.state == state
        assert taken.told == ()
    else:
        assert taken.told


@given(policies, histories, st.floats(0.001, 400))
def test_a_restart_keeps_an_acknowledgement_and_nothing_else_that_was_done(
    policy: Policy, history: list[tuple[Input, float]], gap_s: float
) -> None:
    state, _ = play(policy, history)
    stopped = instant_at(sum(gap for _, gap in history))
    now = instant_at(sum(gap for _, gap in history) + gap_s)
    taken = stepping.restart(policy, state, stopped, now)
    assert taken.state.operator in {Inactivation.NONE, Inactivation.ACKNOWLEDGED}
    assert (state.signal is Signal.OFF) or taken.state.signal is not Signal.OFF
    assert all(each.at == now for each in taken.told)
    if state.condition in STANDING:
        assert taken.state.condition is Condition.HELD


def signals(state: State) -> bool:
    return state.signal is not Signal.OFF and state.operator is Inactivation.NONE


@pytest.mark.hazard("H6")
@given(policies, histories)
def test_what_was_told_tells_what_is_inactivated_and_why_it_is_silent(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, second, known = State(), 0.0, Inactivation.NONE
    for happened, gap in history:
        second += gap
        before = state
        taken = take(policy, state, happened, instant_at(second))
        state = taken.state
        for each in taken.told:
            known = each.after.operator
        assert state.operator is known
        is_over = {each.change for each in taken.told} & {Change.ENDED, Change.LATCHED}
        if signals(before) and not signals(state):
            assert happened in DEEDS or is_over


@given(policies, histories)
def test_name_time_and_edge_are_kept_exactly_as_long_as_what_they_belong_to(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, _ = play(policy, history)
    is_done = state.operator is not Inactivation.NONE
    assert (state.by, state.acted is not None) == ("nurse-1" if is_done else "", is_done)
    is_acked = state.operator is Inactivation.ACKNOWLEDGED
    assert state.until is None or is_done
    assert state.until is not None or not is_done or is_acked
    assert state.edge is None or is_acked


@pytest.mark.hazard("H6")
@given(policies, histories)
def test_an_inactivated_condition_is_judged_like_any_other(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    about_signals = {Change.ACKNOWLEDGED, Change.PAUSED, Change.RESUMED}
    courses = []
    for deed in (None, Input.TURN_AUDIO_OFF, Input.PAUSE_ALARM, Input.TURN_ALARM_OFF):
        data = [each for each in history if each[0] in JUDGEMENTS]
        script = [(deed, 0.0), *data] if deed is not None else data
        _, told = play(policy, script)
        courses.append([(e.change, e.at) for e in told if e.change not in about_signals])
    assert all(course == courses[0] for course in courses)


@given(policies, st.sampled_from(sorted(INDEFINITE)), histories, st.floats(0, 300))
def test_what_is_off_is_off_until_somebody_or_the_severe_band_ends_it_and_reminds(
    policy: Policy, off: Inactivation, history: list[tuple[Input, float]], wait_s: float
) -> None:
    deed = next(each for each, state in INACTIVATIONS.items() if state is off)
    kept = [each for each in history if each[0] in JUDGEMENTS and each[0] is not Input.SEVERE]
    state, told = play(policy, [(deed, 1.0), *kept])
    now = instant_at(1 + sum(gap for _, gap in kept) + wait_s)
    state = stepping.mature(policy, state, now).state
    assert state.operator is off
    assert state.acted == instant_at(1)
    assert Change.RESUMED not in {each.change for each in told}
    last = stepping.reminded_at(policy, state)
    assert (last is None) == (now - instant_at(1) < policy.reminder)
    assert now - (last or instant_at(1)) < policy.reminder
    assert ((last or instant_at(1)) - instant_at(1)) % policy.reminder == 0
    due = stepping.wake_at(policy, state)
    assert due is not None
    assert due <= (last or instant_at(1)) + policy.reminder


@given(policies, histories)
def test_only_what_is_off_is_reminded_of(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, _ = play(policy, history)
    now = instant_at(sum(gap for _, gap in history) + 19)
    for each in (state, stepping.mature(policy, state, now).state):
        reminded = stepping.reminded_at(policy, each)
        assert reminded is None or each.operator in INDEFINITE


def test_states_and_what_is_told_of_them_are_never_changed_and_written_short() -> None:
    policy = Policy(priority=Priority.LOW)
    step = stepping.step(policy, State(), Input.VIOLATED, Instant(5))
    assert step.told
    records = [policy, *every(step), TABLE[stepping.cell_of(State()), Input.NORMAL]]
    assert {type(each) for each in records} >= {Policy, Step, Told, State, Outcome}
    assert [each for each in records if not is_frozen(each)] == []
    assert is_named(policy)
    assert is_named(step.state)
    assert msgspec.json.encode(State()) == b"{}"


@settings(max_examples=40)
@given(policies, histories)
def test_a_state_survives_being_written_down(
    policy: Policy, history: list[tuple[Input, float]]
) -> None:
    state, _ = play(policy, history)
    assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
