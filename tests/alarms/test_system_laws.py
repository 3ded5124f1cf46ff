"""What holds for every history of a chair."""

from collections.abc import Sequence
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import AlarmChange, Change, Kind
from monitor.model.event import DeviceAlarm, DeviceNotice, NoticeKind, Observation, Validity
from monitor.model.instant import Instant, instant_at
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction
from tests.alarms.score import LIMITS, seen

NUMERICS: Final = (
    "spo2",
    "perfusion_index",
    "pulse_rate",
    "heart_rate",
    "etco2",
    "resp_rate",
    "nibp_sys",
    "nibp_dia",
)
VALUES: Final = {
    "spo2": (97.0, 97.0, 88.0, 80.0, 90.0, 0.0, None, 120.0),
    "perfusion_index": (2.0, 2.0, 0.1, None),
    "pulse_rate": (70.0, 70.0, 95.0, 45.0, 35.0, 150.0, 0.0, None),
    "heart_rate": (70.0, 70.0, 95.0, 45.0, 0.0, None),
    "etco2": (38.0, 38.0, 20.0, 70.0, 0.0, None),
    "resp_rate": (12.0, 12.0, 5.0, 0.0, 40.0, None),
    "nibp_sys": (120.0, 190.0, 70.0, None, 10.0),
    "nibp_dia": (80.0, 120.0, 40.0, None),
}
ALARMS: Final = ("spo2_low", "pulse_rate_low", "apnoea", "no_data_spo2", "nibp_sys_high")

Story = list[tuple[Happened, Instant]]


def story(seed: int, length: int = 120, *, deeds: bool = True) -> Story:
    """Return a history: values that stay for a while, losses, notices, links and people."""
    chance = Random(seed)
    told: Story = []
    second = 0.0
    current = {each: chance.choice(VALUES[each]) for each in NUMERICS}
    present = chance.sample(NUMERICS, chance.randint(1, len(NUMERICS)))
    for _ in range(length):
        second += chance.choice((1, 1, 1, 1, 2, 5, 12, 40))
        now = instant_at(second)
        if chance.random() < 0.25:
            changed = chance.choice(present)
            current[changed] = chance.choice(VALUES[changed])
        told.extend(
            (seen(metric, current[metric], second), now)
            for metric in present
            if chance.random() < 0.95
        )
        if chance.random() < 0.15:
            told.append((something_else(chance, now, deeds=deeds), now))
    return told


def something_else(chance: Random, now: Instant, *, deeds: bool) -> Happened:
    kind = chance.randrange(4 if deeds else 3)
    if kind == 0:
        return DeviceNotice(chance.choice(list(NoticeKind)), now, chance.random() < 0.6)
    if kind == 1:
        state = chance.choice(list(LinkState))
        metrics = (Metric.SPO2, Metric.PULSE_RATE) if chance.random() < 0.7 else ()
        return LinkChange(link="box", state=state, at=now, metrics=metrics)
    if kind == 2:
        return DeviceAlarm("no_breath", now, chance.random() < 0.5, detail="25 s")
    deed = chance.choice((Deed.ACKNOWLEDGE, Deed.PAUSE_AUDIO, Deed.RESUME, Deed.RESET))
    return OperatorAction(deed=deed, at=now, operator="nurse-1", alarm=chance.choice(ALARMS))


def play(told: Story, *, looks: Sequence[Instant] = ()) -> tuple[list[AlarmChange], bytes]:
    """Run a history through a fresh system, looking at other instants besides."""
    system = AlarmSystem(LIMITS)
    changes: list[AlarmChange] = []
    waiting = sorted(looks)
    for happened, now in told:
        while waiting and waiting[0] <= now:
            changes.extend(system.wake(waiting.pop(0)))
        changes.extend(system.accept(happened, now))
    end = Instant(told[-1][1] + instant_at(300))
    changes.extend(system.wake(end))
    return changes, system.save()


seeds = st.integers(0, 10**6)


@settings(max_examples=40)
@given(seeds)
def test_looking_more_often_changes_nothing(seed: int) -> None:
    told = story(seed)
    chance = Random(seed + 1)
    last = told[-1][1]
    looks = [Instant(chance.randrange(last)) for _ in range(200)]
    assert play(told)[0] == play(told, looks=looks)[0]


@settings(max_examples=40)
@given(seeds)
def test_what_is_told_is_told_in_order_and_never_late(seed: int) -> None:
    system = AlarmSystem(LIMITS)
    newest = 0
    for happened, now in story(seed):
        while system.wake_at is not None and system.wake_at < now:
            due = system.wake_at
            for each in system.wake(due):
                assert each.at == due
        for each in system.accept(happened, now):
            assert newest <= each.at <= now
            newest = each.at


@settings(max_examples=40)
@given(seeds)
def test_waking_moves_the_next_wake_forward(seed: int) -> None:
    system = AlarmSystem(LIMITS)
    for happened, now in story(seed, 60):
        system.accept(happened, now)
        assert system.wake_at is None or system.wake_at > now


@settings(max_examples=30)
@given(seeds)
def test_the_quick_way_and_the_long_way_say_the_same(seed: int) -> None:
    told = story(seed)
    quick, slow = AlarmSystem(LIMITS), AlarmSystem(LIMITS)
    for happened, now in told:
        slow._vitals.quick.clear()
        assert quick.accept(happened, now) == slow.accept(happened, now)
    assert quick.save() == slow.save()


@settings(max_examples=30)
@given(seeds)
def test_a_repeated_observation_changes_nothing(seed: int) -> None:
    system = AlarmSystem(LIMITS)
    for happened, now in story(seed, 60):
        system.accept(happened, now)
        if isinstance(happened, Observation):
            before = system.save()
            assert system.accept(happened, now) == ()
            assert system.save() == before


@settings(max_examples=30)
@given(seeds)
def test_the_same_history_is_told_in_the_same_bytes(seed: int) -> None:
    told = story(seed)
    assert play(told) == play(told)


@pytest.mark.hazard("H3")
@settings(max_examples=40)
@given(seeds)
def test_no_physiological_alarm_ends_while_its_metric_gives_nothing(seed: int) -> None:
    system = AlarmSystem(LIMITS)
    heard: dict[Metric, bool] = {}
    for happened, now in story(seed, deeds=False):
        if isinstance(happened, Observation):
            heard[happened.metric] = happened.value is not None
        for each in system.accept(happened, now):
            if each.kind is Kind.PHYSIOLOGICAL and each.change in {Change.ENDED, Change.LATCHED}:
                assert each.metric is not None
                assert heard[each.metric]


@settings(max_examples=30)
@given(seeds)
def test_what_stands_was_told_and_what_ended_no_longer_stands(seed: int) -> None:
    told = story(seed)
    system = AlarmSystem(LIMITS)
    shown: set[str] = set()
    for happened, now in told:
        for each in system.accept(happened, now):
            if each.change is Change.PRESENT:
                shown.add(each.alarm)
            elif each.change in {Change.ENDED, Change.RESET}:
                shown.discard(each.alarm)
        assert {each.alarm for each in system.alarms()} == shown


@settings(max_examples=25)
@given(seeds)
def test_pausing_one_alarm_leaves_every_other_alone(seed: int) -> None:
    told = story(seed, deeds=False)
    paused, plain = AlarmSystem(LIMITS), AlarmSystem(LIMITS)
    chosen = Random(seed).choice(ALARMS)
    for happened, now in told:
        action = OperatorAction(deed=Deed.PAUSE_AUDIO, at=now, operator="n", alarm=chosen)
        one, two = list(paused.accept(happened, now)), list(plain.accept(happened, now))
        one.extend(paused.accept(action, now))
        assert [e for e in one if e.alarm != chosen] == [e for e in two if e.alarm != chosen]
    others = [each for each in paused.alarms() if each.alarm != chosen]
    assert others == [each for each in plain.alarms() if each.alarm != chosen]


@pytest.mark.hazard("H25")
def test_a_long_session_overflows_nothing_and_keeps_no_more_than_a_short_one() -> None:
    system = AlarmSystem(LIMITS)
    sizes = []
    for day in (0, 1, 40, 400):
        start = day * 86_400
        for second in range(start, start + 300):
            system.accept(seen("spo2", 97, second), instant_at(second))
            system.accept(seen("nibp_sys", 120, second), instant_at(second))
        sizes.append(len(system.save()))
    assert max(sizes) < sizes[0] + 1500


@pytest.mark.hazard("H17")
def test_only_the_instant_counts_whatever_the_wall_clock_did() -> None:
    system = AlarmSystem(LIMITS)
    system.accept(seen("spo2", 88, 100), instant_at(100))
    assert system.accept(seen("spo2", 88, 50), instant_at(50)) == ()
    assert system.rejected == 1
    told = system.wake(instant_at(110))
    assert [each.change for each in told] == [Change.PRESENT, Change.HELD]


@settings(max_examples=60)
@given(
    st.sampled_from(list(Metric)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([Validity.VALID, Validity.QUESTIONABLE]),
    st.integers(-(10**12), 10**12),
)
def test_no_number_breaks_the_system(
    metric: Metric, value: float, validity: Validity, offset: int
) -> None:
    system = AlarmSystem(LIMITS)
    system.accept(seen("spo2", 97, 10), instant_at(10))
    now = instant_at(2000)
    odd = Observation(metric, value, validity, Instant(now + offset), Instant(now - offset))
    system.accept(odd, now)
    system.wake(instant_at(4000))
    assert AlarmSystem.restore(LIMITS, system.save()).save() == system.save()
