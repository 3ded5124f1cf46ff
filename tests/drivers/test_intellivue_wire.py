"""IntelliVue on the wire: frames, datagrams, finding out which, bytes lost and cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.checksums import crc_16_x25
from drivers.contract import OptionError
from drivers.devices.intellivue import IntelliVueProtocol
from drivers.parts.intellivue_messages import (
    RELEASE,
    association,
    create_result,
    extended_poll,
    granted,
    set_wave_list,
    single_poll,
)
from drivers.parts.intellivue_vectors import (
    ASK_NUMERICS,
    CREATE_RESULT,
    NUMERICS_RESULT,
    RELEASE_REQUEST,
)
from drivers.parts.intellivue_wire import Framing, Wire, unwrap, wrap
from monitor.model.event import (
    DeviceEvent,
    FrameRejected,
    NoticeKind,
    Observation,
)
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.conformance.gear import size_of
from tests.drivers.intellivue_messages import (
    CREATED,
    ETCO2,
    NOW,
    SPO2,
    accept,
    details,
    found,
    hear,
    notices,
    numeric,
    poll,
    value,
)

REQUEST = association(0x0D, 0x8C000000)
SATURATION = poll(numeric(0x83D5, SPO2))


# --- the wire ------------------------------------------------------------------------------------


def test_the_frame_check_is_that_of_the_printed_vectors() -> None:
    assert crc_16_x25(b"\x3a\x71") == 0x269B
    assert crc_16_x25(b"\x3a\x91") == 0xC195


def test_commands_are_those_of_the_tables() -> None:
    assert wrap(single_poll(1, 1, 6, 0x803), Framing.RS232) == ASK_NUMERICS
    assert wrap(create_result(1), Framing.RS232) == CREATE_RESULT
    assert wrap(RELEASE, Framing.RS232) == RELEASE_REQUEST
    assert len(REQUEST) == 238
    assert granted(REQUEST) == (0x8C000000, 2500)
    assert extended_poll(1, 2, 6, 0, 60)[-4:] == (60 * 8000).to_bytes(4, "big")
    assert len(set_wave_list(1, (1, 2))) == len(set_wave_list(1, (1,))) + 4


def test_a_hosts_messages_are_named_once_and_not_refused() -> None:
    protocol = IntelliVueProtocol()
    told: list[DeviceEvent] = []
    for data in (ASK_NUMERICS, CREATE_RESULT, RELEASE_REQUEST, ASK_NUMERICS):
        told += protocol.receive(data, NOW)
    assert details(told) == [
        "single poll of class 0006, group 0803",
        "create result",
        "release request",
    ]
    assert len(told) == 3


@pytest.mark.parametrize("framed", [True, False])
def test_what_a_link_carries_is_found_out(framed: bool) -> None:  # noqa: FBT001
    protocol = IntelliVueProtocol()
    assert value(hear(protocol, SATURATION, framed=framed), Metric.SPO2) == 97.0
    protocol.wake(NOW)
    sent = protocol.take_outgoing()
    assert sent == [wrap(RELEASE, Framing.RS232) if framed else RELEASE]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_datagrams_in_one_file_are_told_apart_however_it_is_cut(size: int) -> None:
    stream = accept() + CREATED + SATURATION + poll(numeric(0x8421, ETCO2)) + SATURATION
    protocol = IntelliVueProtocol()
    told: list[DeviceEvent] = []
    for at in range(0, len(stream), size):
        told += protocol.receive(stream[at : at + size], NOW)
    told += protocol.finish(NOW)
    assert [each.value for each in told if isinstance(each, Observation)] == [97.0, 38.0, 97.0]
    assert not [each for each in told if isinstance(each, FrameRejected)]


def test_where_a_capture_of_frames_begins_does_not_matter() -> None:
    first = NUMERICS_RESULT
    second = wrap(poll(numeric(0x83D5, "4BB8 0000 0220 FF000384")), Framing.RS232)
    for start in range(1, len(first)):
        protocol = IntelliVueProtocol()
        told = [*protocol.receive((first + second)[start:], NOW), *protocol.finish(NOW)]
        assert [each.value for each in told if isinstance(each, Observation)] == [90.0], start


def test_bytes_lost_at_any_place_cost_only_their_own_frame() -> None:
    second = wrap(poll(numeric(0x83D5, "4BB8 0000 0220 FF000384")), Framing.RS232)
    for place in range(1, len(NUMERICS_RESULT) - 1):
        stream = NUMERICS_RESULT[:place] + NUMERICS_RESULT[place + 1 :] + second
        told = hear(IntelliVueProtocol(), stream)
        assert [each.value for each in told if isinstance(each, Observation)] == [90.0], place


def test_a_frame_broken_off_or_begun_anew_costs_nothing_more() -> None:
    frame = wrap(SATURATION, Framing.RS232)
    for cut in (b"\x7d\xc1", b""):
        told = hear(IntelliVueProtocol(), frame[:20] + cut + frame)
        assert [type(each) for each in told[:1]] == [FrameRejected]
        assert value(told, Metric.SPO2) == 97.0


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\x11\x01\x00", "frame too short"),
        (b"\x11\x01\x00\x00\x00\x00", "checksum differs"),
        (b"\x3a\x71\x9b\x26\x9b\x26", "checksum differs"),
    ],
)
def test_a_spoilt_frame_says_why(frame: bytes, reason: str) -> None:
    assert unwrap(frame) == reason


def test_another_protocol_or_length_in_a_good_frame_is_refused() -> None:
    for body, reason in (
        (b"\x12\x01\x00\x02ab", "not a data export frame"),
        (b"\x11\x01\x00\x03ab", "length differs"),
    ):
        frame = body + crc_16_x25(body).to_bytes(2, "little")
        assert unwrap(frame) == reason


def test_half_a_datagram_is_not_completed_by_the_next() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, SATURATION)
    told = [*hear(protocol, SATURATION[:30]), *hear(protocol, SATURATION)]
    assert [type(each) for each in told] == [FrameRejected, Observation]
    hear(protocol, SATURATION[:30], instant_at(101))
    told = hear(protocol, SATURATION[30:], instant_at(103))
    assert {type(each) for each in told} <= {FrameRejected}


def test_frames_after_a_datagram_are_held_to_their_check() -> None:
    frame = wrap(SATURATION, Framing.RS232)
    for spoilt in (frame, frame[:-3] + bytes([frame[-3] ^ 1]) + frame[-2:]):
        protocol = IntelliVueProtocol()
        hear(protocol, SATURATION)
        told = hear(protocol, spoilt)
        assert (found(told, Metric.SPO2) is not None) == (spoilt == frame)


def test_rubbish_between_datagrams_is_refused_and_costs_none() -> None:
    protocol = IntelliVueProtocol()
    hear(protocol, SATURATION)
    for rubbish in (b"hello", b"\xe1\x00", b"\xe1" * 100, b"\xc0" * 9):
        told = hear(protocol, rubbish + SATURATION)
        assert value(told, Metric.SPO2) == 97.0
        assert isinstance(told[0], FrameRejected)


@pytest.mark.parametrize("size", [1, 5, 64, 10_000])
@pytest.mark.parametrize("lost", [1, 3, 40])
def test_bytes_lost_in_a_file_of_datagrams_cost_only_their_own(size: int, lost: int) -> None:
    """A length that swallows the beginning of the next message betrays itself by it."""
    second = poll(numeric(0x83D5, "4BB8 0000 0220 FF000384"))
    for place in range(1, len(SATURATION) + 1 - lost):
        stream = SATURATION + SATURATION[:place] + SATURATION[place + lost :] + second
        protocol = IntelliVueProtocol()
        told: list[DeviceEvent] = []
        for at in range(0, len(stream), size):
            told += protocol.receive(stream[at : at + size], NOW)
        told += protocol.finish(NOW)
        values = [each.value for each in told if isinstance(each, Observation)]
        assert values == [97.0, 90.0], place
        is_told = any(isinstance(each, FrameRejected) for each in told)
        assert is_told or place < 8, place  # without its head it may look like another message


def test_a_message_that_waits_for_what_follows_is_not_lost() -> None:
    """225 ends in the byte that every message begins with."""
    pulse = poll(numeric(0x83DC, "4822 0000 0AA0 000000E1"))
    for rest in ([], [SATURATION], [SATURATION[:9], SATURATION[9:]]):
        protocol = IntelliVueProtocol({"framing": "lan"})
        told = [*hear(protocol, pulse[:20]), *hear(protocol, pulse[20:])]
        for piece in rest:
            told += hear(protocol, piece)
        told += protocol.finish(NOW)
        assert value(told, Metric.PULSE_RATE) == 225.0
        assert (found(told, Metric.SPO2) is not None) == bool(rest)
        assert not [each for each in told if isinstance(each, FrameRejected)]


@settings(max_examples=80)
@given(noise=st.binary(max_size=400), cut=st.integers(1, 64))
def test_noise_in_datagrams_never_raises_and_is_bounded(noise: bytes, cut: int) -> None:
    wire = Wire(Framing.LAN)
    for at in range(0, len(noise), cut):
        for piece in wire.feed(noise[at : at + cut], NOW):
            assert len(piece.data) <= 2048


@settings(max_examples=150)
@given(place=st.integers(8, len(SATURATION) - 1), byte=st.integers(0, 255))
def test_a_datagram_with_a_wrong_count_or_length_is_refused_whole(place: int, byte: int) -> None:
    """The network's own sum catches corruption; structure must hold all the same."""
    damaged = SATURATION[:place] + bytes([byte]) + SATURATION[place + 1 :]
    told = hear(IntelliVueProtocol(), damaged)
    if any(isinstance(each, FrameRejected) for each in told):
        assert not [each for each in told if isinstance(each, Observation)]


def test_endless_rubbish_in_datagrams_never_grows_memory() -> None:
    lures = [SATURATION[:size] for size in (1, 2, 6, 8, 30, len(SATURATION) - 1)]
    for pattern in [bytes([byte]) for byte in range(256)] + lures:
        protocol = IntelliVueProtocol({"framing": "lan"})
        for number in range(6):
            protocol.receive(pattern * (1 + 700 // len(pattern)), instant_at(number / 2))
        assert size_of(protocol) < 64 * 1024, pattern.hex()


def test_the_wrong_device_is_said_to_be_wrong_once() -> None:
    protocol = IntelliVueProtocol()
    kinds = [notices(hear(protocol, b"\x55" * 300)) for _ in range(20)]
    assert [each for each in kinds if each] == [{NoticeKind.NOT_THIS_DEVICE: True}]


@pytest.mark.parametrize("options", [{"framing": "usb"}, {"waves": 1}])
def test_an_option_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        IntelliVueProtocol(options)
