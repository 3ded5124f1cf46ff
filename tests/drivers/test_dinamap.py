"""Oddities of the DINAMAP: what is asked when, what is new, what a cuff is inflated for."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import CanMeasure, OptionError
from drivers.devices.dinamap import DRIVER, DinamapProtocol
from drivers.parts.dinamap_monitor import DinamapDevice, check_of, frame_of
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    observe,
)
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.metric import NIBP, Metric
from tests.drivers.hearing import (
    Wire,
    decoded,
    details,
    hear,
    notices,
    numerics,
    refusals,
    validities,
    values,
)

NOW = Instant(7)
ASK, START, CANCEL = b" NA!2\r", b" NC0!E\r", b" ND!5\r"
few = settings(max_examples=60, deadline=None, derandomize=True)


def result(status: bytes, age: int, numbers: bytes = b"118076090") -> bytes:
    return frame_of(b" NA%s00%04d%s" % (status, age, numbers))


def told_systolic(told: list[DeviceEvent]) -> list[tuple[float | None, Validity]]:
    return [
        (each.value, each.validity)
        for each in told
        if isinstance(each, Observation) and each.metric is Metric.NIBP_SYS
    ]


@pytest.mark.parametrize(
    "printed", [" NA!2", " NC0!E", " ND!5", " RC!8", " OA!3", " RA!6", " NA1000012118076090&&"]
)
def test_sums_agree_with_printed_frames(printed: str) -> None:
    body, sum_of_page = printed[:-2].encode(), printed[-2:].encode()
    assert check_of(body) == sum_of_page
    assert frame_of(body) == printed.encode() + b"\r"


def test_a_sum_above_twelve_bits_is_taken_round() -> None:
    """50 times 95, and 1 for the blank: 4751 - 4095 = 656 = 10 * 64 + 16."""
    assert check_of(b" " + b"~" * 50) == b"*0"


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        told = numerics(decoded("dinamap", vector.data.hex(" "), tmp_path, capsys))
        assert told == [(metric.value, value) for metric, value in vector.expected]


@pytest.mark.hazard("H3")
def test_the_same_result_is_never_told_twice() -> None:
    told = hear(DinamapProtocol(), *(result(b"1", age) for age in range(12, 40)))
    assert told_systolic(told) == [(118.0, Validity.QUESTIONABLE)]


def test_what_stood_there_before_is_as_old_as_it_says() -> None:
    told = DinamapProtocol().receive(result(b"1", 12), instant_at(100))
    assert {each.taken for each in told if isinstance(each, Observation)} == {instant_at(88)}
    early = DinamapProtocol().receive(result(b"1", 5000), instant_at(100))
    assert {each.taken for each in early if isinstance(each, Observation)} == {Instant(0)}


def test_a_result_is_new_when_its_age_restarts_or_its_numbers_change() -> None:
    told = hear(
        DinamapProtocol(),
        result(b"0", 0, b"000000000"),
        result(b"1", 1),
        result(b"1", 2),
        result(b"1", 0),
        result(b"1", 9, b"121080093"),
    )
    assert told_systolic(told) == [(118.0, Validity.VALID)] * 2 + [(121.0, Validity.VALID)]
    taken = [each.taken for each in told if isinstance(each, Observation)]
    assert taken == [instant_at(1)] * 3 + [instant_at(3)] * 3 + [instant_at(4)] * 3


def test_a_cancelled_determination_brings_no_old_result_back() -> None:
    told = hear(DinamapProtocol(), result(b"1", 60), result(b"2", 61), result(b"1", 62))
    assert told_systolic(told) == [(118.0, Validity.QUESTIONABLE)]


def test_an_error_is_told_once_for_each_determination() -> None:
    zeros = b"000000000"
    told = hear(
        DinamapProtocol(),
        result(b"3", 0, zeros),
        result(b"3", 1, zeros),
        result(b"2", 2, zeros),
        result(b"3", 0, zeros),
        result(b"4", 0, zeros),
    )
    assert details(told, NoticeKind.CUFF_FAILED) == ["error 3", "error 3", "error 4"]
    assert told_systolic(told) == [(None, Validity.NOT_AVAILABLE)] * 3


@pytest.mark.parametrize("status", [b"0", b"2", b" "])
def test_without_a_result_nothing_is_told(status: bytes) -> None:
    assert not hear(DinamapProtocol(), result(status, 0, b"   " * 3))


@pytest.mark.parametrize("numbers", [b"118076130", b"076118090", b"100100100"])
def test_pressures_out_of_order_are_refused(numbers: bytes) -> None:
    told = hear(DinamapProtocol(), result(b"1", 0, numbers))
    assert refusals(told) == ["pressures out of order"]
    assert not values(told)


def test_a_missing_mean_is_missing_alone() -> None:
    told = hear(DinamapProtocol(), result(b"1", 0, b"118076000"))
    assert [values(told)[each] for each in NIBP] == [118.0, 76.0, None]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b" OA1097", {Metric.SPO2: 97.0}),
        (b" OA0097", {Metric.SPO2: None}),
        (b" OA1---", {Metric.SPO2: None}),
        (b" OA1000", {Metric.SPO2: None}),
        (b" RA20072", {Metric.PULSE_RATE: 72.0}),
        (b" RA2 72 ", {Metric.PULSE_RATE: 72.0}),
        (b" RA10072", {Metric.PULSE_RATE: None}),
        (b" RC1072", {Metric.HEART_RATE: 72.0}),
        (b" RC1   ", {Metric.HEART_RATE: None}),
    ],
)
def test_rates_count_where_their_status_says_so(
    body: bytes, expected: dict[Metric, float | None]
) -> None:
    assert values(hear(DinamapProtocol(), frame_of(body))) == expected


def test_an_unknown_answer_and_a_longer_one_are_told_once() -> None:
    odd = frame_of(b" ZZ123")
    long = frame_of(b" NA0000000000000000XY")
    told = hear(DinamapProtocol(), odd, odd, long, long)
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["answer ZZ", "NA with 21 characters"]
    assert hear(DinamapProtocol(), ASK, frame_of(b" NC0")) == []


def test_a_frame_that_lost_its_end_does_not_spoil_the_next_one() -> None:
    whole = frame_of(b" OA1097")
    for size in range(1, len(whole)):
        told = hear(DinamapProtocol(), whole[:size] + frame_of(b" OA1096"))
        heard = [each.value for each in told if isinstance(each, Observation)]
        assert heard == [96.0]


@few
@given(st.binary(max_size=400))
def test_hostile_bytes_give_no_values(noise: bytes) -> None:
    assert not values(DinamapProtocol().receive(noise, NOW))


def wire_of(**options: object) -> Wire:
    device = DinamapDevice()
    spoken = (*zip(NIBP, (118.0, 76.0, 90.0), strict=True), (Metric.SPO2, 97.0))
    device.say([observe(metric, value, NOW) for metric, value in spoken], NOW)
    return Wire(DinamapProtocol(options), device)


def test_questions_take_turns_and_no_cuff_is_inflated_by_itself() -> None:
    wire = wire_of()
    told = wire.run(60)
    sent = [piece for _, piece in wire.sent]
    assert sent[:5] == [ASK, b" OA!3\r", b" RA!6\r", b" RC!8\r", ASK]
    assert START not in sent
    assert values(told)[Metric.SPO2] == 97.0
    assert all(later - earlier >= 500_000_000 for (earlier, _), (later, _) in pairwise(wire.sent))


def test_a_determination_is_run_when_asked_and_its_result_is_new() -> None:
    wire = wire_of()
    assert isinstance(wire.protocol, CanMeasure)
    wire.run(3)
    for _ in range(3):  # an impatient finger changes nothing
        wire.protocol.measure(wire.now)
    told = wire.run(60)
    assert [piece for _, piece in wire.sent].count(START) == 1
    assert told_systolic(told) == [(118.0, Validity.VALID)]
    assert notices(told) == [(NoticeKind.CUFF_INFLATING, True), (NoticeKind.CUFF_INFLATING, False)]
    assert wire.device is not None
    assert not getattr(wire.device, "is_cuff_inflated", True)


@pytest.mark.hazard("H3")
def test_an_old_result_is_not_the_answer_to_a_start() -> None:
    wire = wire_of()
    assert isinstance(wire.protocol, CanMeasure)
    wire.protocol.measure(wire.now)
    wire.run(50)
    again = Wire(DinamapProtocol(), wire.device) if wire.device else wire
    again.now = wire.now
    assert isinstance(again.protocol, CanMeasure)
    again.protocol.measure(again.now)
    told = again.run(100)
    assert told_systolic(told) == [(118.0, Validity.QUESTIONABLE), (118.0, Validity.VALID)]


@pytest.mark.hazard("H3")
def test_the_first_result_met_does_not_end_a_determination() -> None:
    protocol = DinamapProtocol()
    protocol.wake(Instant(0))
    protocol.measure(NOW)
    told: list[DeviceEvent] = []
    sent: list[bytes] = list(protocol.take_outgoing())
    while START not in sent:  # the question what stood there before stays without an answer
        protocol.wake(protocol.wake_at or NOW)
        sent += protocol.take_outgoing()
    told += protocol.receive(result(b"1", 600), instant_at(700))
    assert told_systolic(told) == [(118.0, Validity.QUESTIONABLE)]
    assert (NoticeKind.CUFF_INFLATING, False) not in notices(told)
    told = list(protocol.receive(result(b"1", 0), instant_at(730)))
    assert notices(told) == [(NoticeKind.CUFF_INFLATING, False)]


def test_a_failed_determination_has_words_and_no_values() -> None:
    wire = wire_of()
    assert wire.device is not None
    assert isinstance(wire.protocol, CanMeasure)
    wire.device.say([DeviceNotice(NoticeKind.CUFF_FAILED, NOW)], NOW)
    wire.protocol.measure(wire.now)
    told = wire.run(60)
    assert details(told, NoticeKind.CUFF_FAILED) == ["error 3"]
    assert told_systolic(told) == [(None, Validity.NOT_AVAILABLE)]


def test_a_determination_without_end_is_cancelled_and_told() -> None:
    protocol = DinamapProtocol()
    protocol.receive(result(b"0", 0), NOW)
    protocol.measure(NOW)
    sent: list[tuple[float, bytes]] = []
    told: list[DeviceEvent] = []
    now = NOW
    while (due := protocol.wake_at) is not None and due < instant_at(130):
        now = due
        told += protocol.wake(now)
        sent += [(in_seconds(now), each) for each in protocol.take_outgoing()]
        told += protocol.receive(result(b"2", 0), now)
    assert [piece for _, piece in sent].count(START) == 1
    assert [piece for _, piece in sent].count(CANCEL) == 1
    assert details(told, NoticeKind.CUFF_FAILED) == ["no result in 120 s"]
    assert notices(told)[-2] == (NoticeKind.CUFF_INFLATING, False)


def test_what_is_not_fitted_is_left_in_peace() -> None:
    protocol = DinamapProtocol()
    sent: list[bytes] = []
    while (now := protocol.wake_at or NOW) < instant_at(60):
        protocol.wake(now)
        asked = list(protocol.take_outgoing())
        sent += asked
        if asked == [ASK]:
            protocol.receive(result(b"0", 0), now)
    assert sent.count(b" OA!3\r") == 4
    assert sent.count(ASK) > 80


def test_cycles_begin_after_a_full_one_and_never_under_two_minutes() -> None:
    wire = wire_of(cycle_min=5)
    wire.run(11 * 60)
    starts = [in_seconds(at) for at, piece in wire.sent if piece == START]
    assert len(starts) == 2
    assert starts[0] >= 300
    with pytest.raises(OptionError, match="cycle_min"):
        DinamapProtocol({"cycle_min": 1})


def test_a_sum_that_differs_is_met_with_silence_by_the_monitor() -> None:
    device = DinamapDevice()
    device.receive(b" NA!3\r", NOW)
    assert not list(device.take_outgoing())
    device.receive(b" NA!2\r", NOW)
    assert list(device.take_outgoing()) == [frame_of(b" NA0000000000000000")]


def test_the_end_of_a_file_needs_no_carriage_return() -> None:
    told = hear(DinamapProtocol(), b' OA1097"H')
    assert validities(told) == {Metric.SPO2: Validity.VALID}
