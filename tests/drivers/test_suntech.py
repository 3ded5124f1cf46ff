"""Oddities of the SunTech module: what is asked when, and what a failed determination says."""

from itertools import pairwise

import pytest

from drivers.contract import CanMeasure, OptionError
from drivers.devices.suntech import SunTechProtocol
from drivers.parts.suntech_module import ERRORS, SunTechDevice, packet
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    observe,
)
from monitor.model.instant import OPENING, Instant, in_seconds, instant_at, later, seconds
from monitor.model.metric import NIBP, Metric

START, PRESSURE, RESULT, ABORT = (
    bytes.fromhex(each) for each in ("3A20A6", "3A79050048", "3A7903004A", "3A7901004C")
)
GOOD = bytes.fromhex("3E 18 73 00 4A 00 1E 01 00 00 00 00 00 00 31 07 55 00 58 00 00 00 00 E9")


class Bench:
    """Both sides on virtual time; `loses` packets of the module's on the way."""

    def __init__(self, protocol: SunTechProtocol, loses: bytes = b"") -> None:
        self.protocol = protocol
        self.device: SunTechDevice | None = SunTechDevice()
        self.loses = loses
        self.now = OPENING
        self.sent: list[tuple[float, bytes]] = []
        self.told: list[tuple[float, DeviceEvent]] = []
        values = zip(NIBP, (115.0, 74.0, 88.0), strict=True)
        self.device.say([observe(metric, value, OPENING) for metric, value in values], OPENING)

    def run(self, until_s: float) -> None:
        while True:
            sides = (self.protocol.wake_at, self.device.wake_at if self.device else None)
            due = min(each for each in sides if each is not None)
            self.now = max(self.now, due)
            if self.now > instant_at(until_s):
                self.now = instant_at(until_s)
                return
            self.step()

    def step(self) -> None:
        at = in_seconds(self.now)
        if self.device:
            self.device.wake(self.now)
        self.protocol_hears()
        self.told += [(at, each) for each in self.protocol.wake(self.now)]
        for asked in self.protocol.take_outgoing():
            self.sent.append((at, asked))
            if self.device:
                self.device.receive(asked, self.now)
        self.protocol_hears()

    def protocol_hears(self) -> None:
        for answer in self.device.take_outgoing() if self.device else ():
            if answer != self.loses:
                told = self.protocol.receive(answer, self.now)
                self.told += [(in_seconds(self.now), each) for each in told]

    def values(self, metric: Metric) -> list[float | None]:
        told = (each for _, each in self.told)
        return [
            each.value for each in told if isinstance(each, Observation) and each.metric is metric
        ]

    def notices(self) -> list[tuple[NoticeKind, bool]]:
        told = (each for _, each in self.told)
        return [(each.notice, each.present) for each in told if isinstance(each, DeviceNotice)]

    def count(self, asked: bytes) -> int:
        return sum(each == asked for _, each in self.sent)


def test_a_determination_runs_from_request_to_result() -> None:
    bench = Bench(SunTechProtocol())
    bench.run(3)
    assert bench.count(START) == 0
    assert isinstance(bench.protocol, CanMeasure)
    bench.protocol.measure(bench.now)
    bench.run(70)
    assert bench.count(START) == 1
    assert bench.values(Metric.NIBP_SYS) == [115.0]
    assert bench.values(Metric.NIBP_MEAN) == [88.0]
    assert bench.notices() == [
        (NoticeKind.CUFF_INFLATING, True),
        (NoticeKind.CUFF_INFLATING, False),
    ]
    pressures = [each or 0.0 for each in bench.values(Metric.CUFF_PRESSURE)]
    assert max(pressures) >= 115 + 30
    top = pressures.index(max(pressures))
    assert pressures[: top + 1] == sorted(pressures[: top + 1])
    results = [each for _, each in bench.told if isinstance(each, Observation) and each.taken]
    assert 20 <= in_seconds(Instant(results[0].taken or 0)) - 3 <= 46


def test_the_wire_is_never_spoken_on_twice_within_a_second_without_an_answer() -> None:
    bench = Bench(SunTechProtocol())
    bench.device = None
    bench.protocol.measure(OPENING)
    bench.run(60)
    assert all(b - a >= 1 for (a, _), (b, _) in pairwise(bench.sent))


def test_pressure_is_asked_every_300_ms_while_measuring_and_every_2_s_else() -> None:
    bench = Bench(SunTechProtocol())
    bench.protocol.measure(OPENING)
    bench.run(15)
    measuring = [at for at, asked in bench.sent if asked == PRESSURE]
    assert {round(b - a, 3) for a, b in pairwise(measuring)} == {0.3}
    idle = Bench(SunTechProtocol())
    idle.run(15)
    assert {round(b - a, 3) for (a, _), (b, _) in pairwise(idle.sent)} == {2.0}


def test_a_cuff_is_not_inflated_because_a_link_opened() -> None:
    for options in ({}, {"cycle_min": 5}):
        bench = Bench(SunTechProtocol(options))
        bench.run(299)
        assert bench.count(START) == 0


def test_a_cycle_measures_after_each_full_interval() -> None:
    bench = Bench(SunTechProtocol({"cycle_min": 5}))
    bench.run(3500)
    starts = [at for at, asked in bench.sent if asked == START]
    assert len(starts) == 11
    assert all(299 < b - a < 304 for a, b in pairwise(starts))
    assert bench.values(Metric.NIBP_SYS) == [115.0] * 11


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_failed_determination_has_words_and_no_values(code: int) -> None:
    body = bytearray(21)
    body[18] = code
    told = list(SunTechProtocol().receive(packet(bytes(body)), instant_at(9)))
    failed = [each for each in told if isinstance(each, DeviceNotice)]
    assert failed == [
        DeviceNotice(NoticeKind.CUFF_FAILED, instant_at(9), detail=f"error {code}: {ERRORS[code]}")
    ]
    assert [each.value for each in told if isinstance(each, Observation)] == [None] * 3


def test_a_module_that_says_nothing_fails_the_determination_in_three_tries() -> None:
    bench = Bench(SunTechProtocol())
    bench.device = None
    bench.protocol.measure(OPENING)
    bench.run(10)
    assert bench.count(START) == 3
    assert bench.notices() == [(NoticeKind.CUFF_FAILED, True)]
    assert bench.count(PRESSURE) >= 3


def test_a_lost_done_is_found_out_by_the_empty_cuff() -> None:
    bench = Bench(SunTechProtocol(), loses=packet(b"K"))
    bench.protocol.measure(OPENING)
    bench.run(100)
    assert bench.values(Metric.NIBP_SYS) == [115.0]


def test_a_determination_without_end_is_aborted_and_told() -> None:
    protocol = SunTechProtocol({"patient": "neonatal"})
    protocol.measure(OPENING)
    now = OPENING
    sent: list[tuple[float, bytes]] = []
    told: list[DeviceEvent] = []
    while now < instant_at(120):
        now = protocol.wake_at or now
        told += protocol.wake(now)
        for asked in protocol.take_outgoing():
            sent.append((in_seconds(now), asked))
            answer = packet(b"O") if asked[1] == 0x28 else packet(b"\x64\x00")
            told += protocol.receive(
                packet(b"A") if asked == ABORT else answer, later(now, seconds(0.01))
            )
    assert [asked for _, asked in sent].count(ABORT) == 1
    assert 90 <= next(at for at, asked in sent if asked == ABORT) < 92
    failed = [each.detail for each in told if isinstance(each, DeviceNotice) and each.detail]
    assert failed == ["no result in 90 s"]


def test_done_may_come_while_a_pressure_is_still_owed() -> None:
    protocol = SunTechProtocol()
    protocol.measure(OPENING)
    protocol.wake(OPENING)
    protocol.receive(packet(b"O"), instant_at(0.1))
    protocol.wake(instant_at(0.4))
    assert protocol.take_outgoing()[-1] == PRESSURE
    protocol.receive(packet(b"K"), instant_at(0.5))
    protocol.wake(instant_at(0.55))
    assert not protocol.take_outgoing(), "an answer is still owed"
    protocol.receive(packet(b"\x10\x00"), instant_at(0.6))
    protocol.wake(instant_at(0.6))
    assert protocol.take_outgoing() == [RESULT]
    told = protocol.receive(GOOD, instant_at(0.7))
    taken = {each.taken for each in told if isinstance(each, Observation)}
    assert taken == {instant_at(0.5)}


def test_the_same_result_again_is_the_same_determination() -> None:
    protocol = SunTechProtocol()
    first = protocol.receive(GOOD, instant_at(1))
    again = protocol.receive(GOOD, instant_at(9))
    for told in (first, again):
        assert {each.taken for each in told if isinstance(each, Observation)} == {instant_at(1)}


@pytest.mark.parametrize("place", range(24))
def test_a_byte_too_many_that_fits_the_sum_makes_no_other_reading(place: int) -> None:
    damaged = GOOD[:place] + GOOD[-1:] + GOOD[place:]
    protocol = SunTechProtocol()
    told = [*protocol.receive(damaged, instant_at(1)), *protocol.wake(instant_at(3))]
    heard = {(each.metric, each.value) for each in told if isinstance(each, Observation)}
    right = {(Metric.NIBP_SYS, 115.0), (Metric.NIBP_DIA, 74.0), (Metric.NIBP_MEAN, 88.0)}
    assert {each for each in heard if each[0] in NIBP} in (set(), right)
    assert heard or any(isinstance(each, FrameRejected) for each in told)


def test_options_are_checked() -> None:
    for options in ({"cycle_min": 1}, {"patient": "horse"}, {"cycle": 5}):
        with pytest.raises(OptionError):
            SunTechProtocol(options)
