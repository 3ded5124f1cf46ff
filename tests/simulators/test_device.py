"""Simulated devices: told the truth on time, however often looked at, and cut when the cable is."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import NO_OPTIONS, CanMeasure, Driver
from drivers.devices.nonin import DRIVER as NONIN
from drivers.devices.suntech import DRIVER as SUNTECH
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Duration, Instant, in_seconds, instant_at, later, seconds
from monitor.model.metric import NIBP, Metric
from simulators.device import Bedside, SimulatedDevice, simulate
from simulators.physiology import Patient

PatientOf = Callable[[str, int], Patient]
EVERYTHING = frozenset(Metric)


class Clerk:
    """A device side that writes down what it is told, on a beat of its own, and answers bytes."""

    def __init__(self, beat: Duration | None = None) -> None:
        self.told: list[tuple[Instant, Sequence[DeviceEvent]]] = []
        self.heard: list[bytes] = []
        self._beat = beat
        self._wake_at = None if beat is None else Instant(0)
        self._outgoing: list[bytes] = []
        self.is_cuff_inflated = False

    @property
    def wake_at(self) -> Instant | None:
        return self._wake_at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        self.told.append((now, events))
        self._outgoing.append(b"said %d;" % now)

    def receive(self, data: bytes, now: Instant) -> None:
        self.heard.append(data)
        self._outgoing.append(b"heard %b %d;" % (data, now))

    def wake(self, now: Instant) -> None:
        assert self._beat is not None
        self._outgoing.append(b"woke %d;" % now)
        self._wake_at = later(now, self._beat)

    def take_outgoing(self) -> Sequence[bytes]:
        sent, self._outgoing = self._outgoing, []
        return sent


def nothing(_: Instant) -> Sequence[DeviceEvent]:
    return ()


@settings(max_examples=60, deadline=None)
@given(
    beat_ms=st.integers(1, 3000),
    say_ms=st.integers(1, 3000),
    looks=st.lists(st.integers(0, 10_000), max_size=30),
)
def test_looking_more_often_or_late_changes_no_byte(
    beat_ms: int, say_ms: int, looks: list[int]
) -> None:
    def played(at_ms: Sequence[int]) -> bytes:
        side = Clerk(seconds(beat_ms / 1000))
        device = SimulatedDevice(side, nothing, seconds(say_ms / 1000))
        return b"".join(b"".join(device.step(instant_at(ms / 1000))) for ms in at_ms)

    assert played([*sorted(looks), 10_000]) == played([10_000])


@given(now_ms=st.integers(0, 20_000))
def test_after_a_step_the_next_wake_lies_ahead(now_ms: int) -> None:
    device = SimulatedDevice(Clerk(seconds(0.7)), nothing)
    now = instant_at(now_ms / 1000)
    device.step(now)
    assert device.wake_at > now


def test_a_device_is_told_each_second_at_that_second() -> None:
    side = Clerk()
    device = SimulatedDevice(side, nothing, starts_at=instant_at(5))
    assert device.step(instant_at(4.9)) == []
    device.step(instant_at(8))
    assert [at for at, _ in side.told] == [instant_at(s) for s in (5, 6, 7, 8)]


def test_a_device_answers_the_host_when_it_hears() -> None:
    device = SimulatedDevice(Clerk(), nothing)
    device.step(instant_at(0))
    assert list(device.receive(b"go", instant_at(0.5))) == [b"heard go 500000000;"]


def test_a_device_that_never_moves_its_wake_is_our_own_defect() -> None:
    with pytest.raises(AssertionError, match="move its wake forward"):
        SimulatedDevice(Clerk(Duration(0)), nothing).step(instant_at(0))


def test_a_cut_device_neither_hears_nor_is_heard_and_then_goes_on() -> None:
    side = Clerk()
    device = SimulatedDevice(side, nothing, is_cut=lambda now: 2 <= in_seconds(now) < 4)
    sent = [device.step(instant_at(s)) for s in range(6)]
    assert [bool(each) for each in sent] == [True, True, False, False, True, True]
    assert device.is_connected(instant_at(4))
    assert not device.is_connected(instant_at(3))
    assert len(side.told) == 6


def test_what_the_host_says_into_a_pulled_cable_is_never_heard() -> None:
    side = Clerk()
    device = SimulatedDevice(side, nothing, is_cut=lambda now: in_seconds(now) < 2)
    assert list(device.receive(b"go", instant_at(1))) == []
    assert b"heard" not in b"".join(device.step(instant_at(5)))
    assert side.heard == []


@settings(max_examples=20, deadline=None)
@given(say_ms=st.sampled_from([40, 50, 333, 1000, 1700]), first_s=st.integers(0, 4000))
def test_waveforms_are_told_without_gap_or_repeat(
    say_ms: int, first_s: int, patient: PatientOf
) -> None:
    subject = patient("quiet", 1)
    say_every = seconds(say_ms / 1000)
    tell = Bedside(subject).source({Metric.CO2_WAVE, Metric.PLETH}, say_every=say_every)
    told: dict[Metric, list[float | None]] = {Metric.CO2_WAVE: [], Metric.PLETH: []}
    begin = instant_at(first_s)
    for count in range(1, 11):
        now = Instant(begin + count * say_every)
        for event in tell(now):
            if isinstance(event, WaveformSegment):
                assert now - seconds(1 / event.rate_hz) <= event.at <= now
                told[event.metric] += event.samples
    lasted = 10 * say_every / 1e9
    assert told[Metric.CO2_WAVE] == subject.co2_samples(20 * first_s + 1, int(20 * lasted))
    assert told[Metric.PLETH] == subject.pleth_samples(75 * first_s + 1, int(75 * lasted))


@settings(max_examples=30, deadline=None)
@given(metrics=st.sets(st.sampled_from(list(Metric))), s=st.integers(0, 4400))
def test_a_device_is_told_of_its_own_metrics_only_and_marked_as_demo(
    metrics: set[Metric], s: int, patient: PatientOf
) -> None:
    now = instant_at(s)
    for event in Bedside(patient("slow-apnoea", 1)).source(metrics)(now):
        assert not isinstance(event, FrameRejected)
        assert event.mode is GenerationMode.DEMO
        if isinstance(event, Observation | WaveformSegment):
            assert event.metric in metrics
            assert event.at <= now


def told(source: Callable[[Instant], Sequence[DeviceEvent]], s: float) -> Sequence[DeviceEvent]:
    return source(instant_at(s))


def test_dashes_are_told_as_not_available(patient: PatientOf) -> None:
    source = Bedside(patient("probe-off", 1)).source({Metric.SPO2, Metric.PULSE_RATE})
    observed = [each for each in told(source, 1550) if isinstance(each, Observation)]
    assert [each.validity for each in observed] == [Validity.NOT_AVAILABLE] * 2
    assert [each.value for each in observed] == [None] * 2


def test_a_state_is_told_while_it_lasts_and_its_end_once(patient: PatientOf) -> None:
    source = Bedside(patient("probe-off", 1)).source({Metric.SPO2})
    told_at = {
        s: [(n.notice, n.present) for n in told(source, s) if isinstance(n, DeviceNotice)]
        for s in range(1495, 1635)
    }
    assert told_at[1499] == []
    assert all(told_at[s] == [(NoticeKind.SENSOR_OFF, True)] for s in range(1500, 1620))
    assert set(told_at[1620]) == {(NoticeKind.SENSOR_OFF, False), (NoticeKind.SEARCHING, True)}
    assert told_at[1626] == [(NoticeKind.SEARCHING, False)]
    assert told_at[1627] == []


def test_a_capnograph_says_no_breath_while_it_lasts_and_its_end_once(patient: PatientOf) -> None:
    source = Bedside(patient("slow-apnoea", 1)).source({Metric.ETCO2, Metric.RESP_RATE})
    alarms = [
        (s, each.present, each.detail)
        for s in range(1500, 1700)
        for each in told(source, s)
        if isinstance(each, DeviceAlarm)
    ]
    present = [s for s, is_present, _ in alarms if is_present]
    assert present == list(range(present[0], present[-1] + 1))
    assert alarms[0][2] in {"20 s", "21 s"}
    assert [each for each in alarms if not each[1]] == [(present[-1] + 1, False, "")]


def test_a_cuff_that_is_asked_is_told_this_second_and_one_that_cycles_its_last_reading(
    patient: PatientOf,
) -> None:
    bedside = Bedside(patient("quiet", 1))
    asked = bedside.source(NIBP, measures_when_asked=True)
    cycled = bedside.source(NIBP)
    assert told(cycled, 29) == []
    now = [each for each in told(asked, 700) if isinstance(each, Observation)]
    last = [each for each in told(cycled, 700) if isinstance(each, Observation)]
    assert [each.metric for each in now] == [each.metric for each in last] == list(NIBP)
    assert {each.taken for each in now} == {None}
    assert {each.taken for each in last} == {instant_at(630)}
    reading = bedside.patient.cuff_reading(instant_at(700))
    assert reading is not None
    assert [each.value for each in last] == [reading.sys, reading.dia, reading.mean]


def test_a_device_with_a_cuff_starves_the_oximeter_on_its_arm_and_no_other(
    patient: PatientOf,
) -> None:
    for course, is_starved in (("cuff-on-probe-arm", True), ("quiet", False)):
        bedside = Bedside(patient(course, 1))
        side = Clerk()
        cuff = SimulatedDevice(side, nothing, starts_at=instant_at(1000), bedside=bedside)
        source = bedside.source({Metric.SPO2})

        def spo2(s: float, source: Callable[[Instant], Sequence[DeviceEvent]] = source) -> object:
            return next(each.value for each in told(source, s) if isinstance(each, Observation))

        cuff.step(instant_at(1000))
        assert spo2(1220) is not None  # the course's own cuff times hold no longer
        side.is_cuff_inflated = True
        cuff.step(instant_at(1240))
        assert (spo2(1260) is None) is is_starved
        side.is_cuff_inflated = False
        cuff.step(instant_at(1270))
        assert spo2(1285) is not None


def converse(driver: Driver, device: SimulatedDevice, until_s: float) -> list[DeviceEvent]:
    """Let host and device talk on virtual time; return what the host heard."""
    host = driver.open_protocol(NO_OPTIONS)
    if isinstance(host, CanMeasure):
        host.measure(device.wake_at)
    heard: list[DeviceEvent] = []
    now = device.wake_at
    while now <= instant_at(until_s):
        sent = list(device.step(now))
        if host.wake_at is not None and host.wake_at <= now:
            heard += host.wake(now)
        for _ in range(3):
            for piece in host.take_outgoing():
                sent += device.receive(piece, now)
            heard += [event for piece in sent for event in host.receive(piece, now)]
            sent = []
        due = [at for at in (device.wake_at, host.wake_at) if at is not None]
        now = max(Instant(now + 1), min(due))
    return heard


def test_a_host_hears_what_the_patient_is_like(patient: PatientOf) -> None:
    subject = patient("probe-off", 2)
    device = simulate(NONIN, Bedside(subject), starts_at=instant_at(1480))
    heard = converse(NONIN, device, 1650)
    assert not [each for each in heard if isinstance(each, FrameRejected)]
    for each in heard:
        if isinstance(each, Observation) and each.metric is Metric.SPO2:
            around = {subject.vitals(Instant(each.at - seconds(lag))).spo2 for lag in (0, 1, 2)}
            assert each.value in around
    edges = [(n.notice, n.present) for n in heard if isinstance(n, DeviceNotice)]
    assert (NoticeKind.SENSOR_OFF, True) in edges
    assert (NoticeKind.SENSOR_OFF, False) in edges


def test_a_cuff_module_that_is_asked_reads_the_pressure_of_its_own_last_second(
    patient: PatientOf,
) -> None:
    subject = patient("hypertensive-peak", 2)
    device = simulate(SUNTECH, Bedside(subject), starts_at=instant_at(2000))
    heard = converse(SUNTECH, device, 2060)
    done = {each.taken for each in heard if isinstance(each, Observation) and each.taken}
    assert len(done) == 1
    taken = done.pop()
    around = [subject.vitals(Instant(taken - seconds(lag))) for lag in (0, 1)]
    read = {each.metric: each.value for each in heard if isinstance(each, Observation)}
    triple = tuple(read[metric] for metric in NIBP)
    assert triple in [(each.sys, each.dia, each.mean) for each in around]


def test_a_pulled_cable_is_silence_for_exactly_as_long(patient: PatientOf) -> None:
    device = simulate(NONIN, Bedside(patient("cable-pulled", 2)), starts_at=instant_at(1480))
    heard = converse(NONIN, device, 1600)
    at_s = [in_seconds(each.at) for each in heard]
    assert not [s for s in at_s if 1500.5 < s < 1560]
    assert [s for s in at_s if 1490 < s < 1500]
    assert [s for s in at_s if 1560 <= s < 1562]
