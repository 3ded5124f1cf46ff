"""Setting a Nonin module up, and its formats without a checksum."""

import pytest

from drivers.contract import finish
from drivers.devices.nonin import open_nonin
from drivers.parts.nonin_module import NoninDevice, encode
from drivers.parts.nonin_packet import Format
from drivers.parts.nonin_setup import answer_size, command, format_commands
from monitor.model.event import NoticeKind, Observation, Validity, observe
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import Wire, details, refusals, values

NOW = Instant(7)
OPENED_S = 1_700_000_000.0


def wire(options: dict[str, object], device: NoninDevice) -> Wire:
    device.say([observe(Metric.SPO2, 95, OPENING), observe(Metric.PULSE_RATE, 180, OPENING)], NOW)
    return Wire(open_nonin(options), device)


def test_commands_are_those_of_the_page() -> None:
    assert format_commands(7, 0x21)[0].hex(" ") == "02 70 04 02 07 21 9e 03"
    assert format_commands(8, 0x21)[0].hex(" ") == "02 70 04 02 08 21 9f 03"
    assert format_commands(7, 0x21)[1].hex(" ") == "02 70 02 02 07 03"
    assert command(0x72).hex(" ") == "02 72 00 03"
    assert command(0x74, b"\x02\x02").hex(" ") == "02 74 02 02 02 03"


@pytest.mark.parametrize("before", [2, 7, 8, 1])
@pytest.mark.parametrize("wanted", [2, 7, 8, 1])
def test_a_module_is_brought_to_the_format_that_is_wanted(before: int, wanted: int) -> None:
    joined = wire({"format": wanted, "setup": True}, NoninDevice(Format(before)))
    told = joined.run(12)
    assert {each.value for each in told if isinstance(each, Observation)} == {95.0, 180.0}
    assert values(told[-40:]) == {Metric.SPO2: 95.0, Metric.PULSE_RATE: 180.0}
    assert joined.device is not None
    assert getattr(joined.device, "layout") == wanted  # noqa: B009
    asked = [sent for _, sent in joined.sent if sent[1] == 0x70]
    assert len(asked) == (before != wanted)
    assert not details(told, NoticeKind.REQUEST_REFUSED)


def test_a_module_without_ears_is_asked_three_times_and_that_is_said() -> None:
    joined = wire({"format": 7, "setup": True}, NoninDevice(has_ears=False))
    told = joined.run(60)
    assert [sent[1] for _, sent in joined.sent] == [0x70] * 3 + [0x72] * 3
    assert [len(sent) for _, sent in joined.sent[:3]] == [8, 6, 8]
    assert details(told, NoticeKind.REQUEST_REFUSED) == [
        "the module does not answer: format 7",
        "the module does not answer: its clock to be read",
    ]


def test_nothing_is_sent_unless_it_was_asked_for() -> None:
    joined = wire({}, NoninDevice())
    assert values(joined.run(5)) == {Metric.SPO2: 95.0, Metric.PULSE_RATE: 180.0}
    assert not joined.sent


def test_clock_and_radio_are_set_and_no_frame_is_lost_to_the_answers() -> None:
    chosen: dict[str, object] = {
        "setup": True,
        "set_clock": True,
        "radio_min": 10,
        "opened_utc_s": OPENED_S + 500,
    }
    joined = wire(chosen, NoninDevice())
    told = joined.run(5)
    assert [sent[1] for _, sent in joined.sent] == [0x72, 0x72, 0x75]
    assert joined.sent[0][1][:3].hex(" ") == "02 72 06"
    assert joined.sent[2][1].hex(" ") == "02 75 04 04 00 0a 87 03"
    assert not details(told, NoticeKind.CLOCK_DIFFERS), "it was set before it was read"
    assert not refusals(told)
    assert len([each for each in told if isinstance(each, Observation)]) == 2 * 14


@pytest.mark.parametrize(("offset_min", "expected"), [(0, (22, 13)), (90, (23, 43))])
def test_the_clock_is_set_to_ours_in_its_zone(offset_min: int, expected: tuple[int, int]) -> None:
    chosen: dict[str, object] = {"setup": True, "set_clock": True, "utc_offset_min": offset_min}
    joined = wire({**chosen, "opened_utc_s": OPENED_S}, NoninDevice())
    joined.run(5)
    set_to = tuple(joined.sent[0][1][3:-1])
    assert set_to[:3] == (23, 11, 14)
    assert set_to[3:5] == expected


def test_a_clock_that_differs_is_told() -> None:
    told = wire({"setup": True, "opened_utc_s": OPENED_S + 500}, NoninDevice()).run(3)
    assert details(told, NoticeKind.CLOCK_DIFFERS) == [
        "the device's clock is 400 s ahead of ours"  # 500 s behind, or a zone and 400 s ahead
    ]


def test_a_refusal_is_told_by_its_words_and_costs_no_packet() -> None:
    protocol = open_nonin({"setup": True})
    packet = encode([observe(Metric.SPO2, 95, NOW), observe(Metric.PULSE_RATE, 180, NOW)])[:125]
    protocol.receive(packet, instant_at(1))
    assert protocol.wake_at == instant_at(2)
    told = [*protocol.receive(packet, instant_at(1.9)), *protocol.wake(instant_at(2))]
    assert protocol.take_outgoing() == [command(0x72)]
    told += protocol.receive(packet[:50], instant_at(2))
    told += protocol.receive(b"\x15" + packet[50:] + packet[:5], instant_at(2.1))
    assert details(told, NoticeKind.REQUEST_REFUSED) == ["the module refuses its clock to be read"]
    assert len([each for each in told if isinstance(each, Observation)]) == 6
    assert protocol.wake_at is None


def test_a_module_that_was_away_is_set_up_again() -> None:
    device = NoninDevice()
    joined = wire({"format": 7, "setup": True}, device)
    joined.run(5)
    device.layout = Format.TWO  # it lost its power, and forgot
    joined.device = None
    joined.run(9)
    joined.device = device
    assert values(joined.run(20)[-20:])[Metric.SPO2] == 95.0
    assert [sent[1] for _, sent in joined.sent].count(0x70) == 2


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("06", 1),
        ("15", 1),
        ("02", None),
        ("02 F2 06 17", None),
        ("02 F2 06 17 0B 0E 16 0D 14 03", 10),
        ("02 F2 06 17 0B 0E 16 0D 14 04", 0),
        ("02 F2 60", 0),
        ("02 81", 0),
        ("01 80", 0),
        ("80", 0),
    ],
)
def test_what_stands_between_two_frames_is_an_answer_or_not(data: str, size: int | None) -> None:
    assert answer_size(bytes.fromhex(data), 0) == size


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(("size", "layout"), [(4, 8), (3, 1)])
def test_a_byte_slipped_into_a_bare_frame_makes_no_reading(size: int, layout: int) -> None:
    first, second = (bytes.fromhex(each)[:size] for each in ("80486100", "81345F00"))
    for place in range(1, size + 1):
        for byte in range(0x80):
            protocol = open_nonin({"format": layout})
            data = first[:place] + bytes([byte]) + first[place:]
            told = [*protocol.receive(data, NOW), *protocol.receive(second, instant_at(1))]
            told += finish(protocol, instant_at(1))
            heard = [(each.value, each.validity) for each in told if isinstance(each, Observation)]
            assert heard == [(95.0, Validity.QUESTIONABLE), (180.0, Validity.QUESTIONABLE)]


def test_half_a_bare_frame_is_not_completed_later() -> None:
    protocol = open_nonin({"format": 8})
    protocol.receive(b"\x80\x48", instant_at(1))
    assert not values([*protocol.receive(b"\x61\x00", instant_at(2))])
    assert protocol.wake_at is None
