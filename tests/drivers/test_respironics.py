"""Oddities of the Capnostat: a sum of seven bits, numbers without a missing code, a long start."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.respironics import DRIVER, RespironicsProtocol
from drivers.parts.respironics_packets import (
    NACK,
    SET,
    STOP,
    UNIT,
    WAVE,
    PacketSplitter,
    packet,
    two,
)
from drivers.parts.respironics_sensor import RespironicsDevice, wave
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at, seconds
from monitor.model.metric import Metric
from tests.drivers.hearing import (
    Wire,
    alarms,
    decoded,
    details,
    hear,
    notices,
    numerics,
    refusals,
    validities,
    values,
)
from tests.drivers.pages import hex_examples_of

few = settings(max_examples=60, deadline=None, derandomize=True)
GOOD = b"\1\0\0\0\0\0"
ETCO2_38 = b"\2" + two(380)
CO2 = (Metric.ETCO2, Metric.RESP_RATE, Metric.FICO2)
# Printed beside the examples: what the host sends.
COMMANDS = {
    "84 04 01 05 78 7A": SET,
    "84 04 04 02 5E 14": SET,
    "84 03 05 0A 6A": SET,
    "84 03 06 14 5F": SET,
    "84 03 07 00 72": SET,
    "84 06 0B 15 00 00 00 56": SET,
}


def stream(*parameters: bytes, sample: float = 37.5) -> bytes:
    """Packets in order, and one more, so that the last of them is believed."""
    each = [wave(place, sample, one) for place, one in enumerate((*parameters, b""))]
    return b"".join(each)


def started(unit: int = 0) -> RespironicsProtocol:
    """A protocol whose sensor said its unit and that all is well."""
    protocol = RespironicsProtocol()
    protocol.receive(packet(SET, bytes([UNIT, unit])) + stream(GOOD), OPENING)
    return protocol


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        lines = decoded("respironics", vector.data.hex(" "), tmp_path, capsys)
        told = [each for each in numerics(lines) if each[0] != "co2_wave"]
        assert told == [(metric.value, value) for metric, value in vector.expected]


def test_the_wave_of_each_worked_example_is_in_mmhg() -> None:
    waves = [
        event.samples
        for vector in DRIVER.vectors
        for event in hear(RespironicsProtocol(), vector.data)
        if isinstance(event, WaveformSegment)
    ]
    assert waves == [(37.5,), (37.2,), (36.9,), (0.5,), (2.0,), (0.0,), (None,)]


def test_the_last_worked_example_names_what_is_wrong() -> None:
    told = hear(RespironicsProtocol(), DRIVER.vectors[6].data)
    assert alarms(told) == [("no_breath", True)]
    assert details(told, NoticeKind.SAMPLE_LINE_OFF) == [
        "sampling line disconnected; check the sampling line"
    ]


@pytest.mark.shared
def test_every_example_of_the_page_is_read_or_sent() -> None:
    known = {vector.data for vector in DRIVER.vectors} | {bytes.fromhex(each) for each in COMMANDS}
    examples = hex_examples_of("respironics-co2")
    assert len(examples) == 13
    assert set(examples) <= known


def test_the_start_is_stop_settings_stream_and_its_bytes_are_those_printed() -> None:
    device = RespironicsDevice()
    device.say([observe(metric, 5, OPENING) for metric in CO2], OPENING)
    wire = Wire(RespironicsProtocol(), device)
    told = wire.run(20)
    stops = [each for each in wire.sent if each[1] == bytes.fromhex("C9 01 36")]
    assert [at for at, _ in stops][:3] == [OPENING, seconds(0.5), seconds(1)]
    rest = [piece for _, piece in wire.sent if piece != stops[0][1]]
    assert rest[0] == bytes.fromhex("CA 02 00 34")
    assert rest[1:-1] == [
        bytes.fromhex(each)
        for each in (
            "84 04 01 05 78 7A",
            "84 06 0B 15 00 00 00 56",
            "84 03 07 00 72",
            "84 04 04 02 5E 14",
            "84 03 05 0A 6A",
            "84 03 06 14 5F",
        )
    ]
    assert rest[-1] == bytes.fromhex("80 02 00 7E")
    assert details(told, NoticeKind.DEVICE_IDENTITY) == ["software Capnostat 5 03.30"]
    assert set(validities(told).values()) == {Validity.VALID}
    assert values(told) == dict.fromkeys(CO2, 5.0)


def test_warming_up_there_is_no_value_and_then_there_is() -> None:
    device = RespironicsDevice()
    device.say([observe(metric, 5, OPENING) for metric in CO2], OPENING)
    wire = Wire(RespironicsProtocol(), device)
    early = wire.run(7)
    assert (NoticeKind.WARMING_UP, True) in notices(early)
    assert set(values(early).values()) == {None}
    late = wire.run(12)
    assert (NoticeKind.WARMING_UP, False) in notices(late)
    assert set(values(late).values()) == {5.0}


@pytest.mark.hazard("H3")
def test_an_unplugged_sensor_has_forgotten_everything_and_is_started_again() -> None:
    device = RespironicsDevice()
    device.say([observe(metric, 5, OPENING) for metric in CO2], OPENING)
    wire = Wire(RespironicsProtocol(), device)
    wire.run(15)
    count = len(wire.sent)
    device.unplug(instant_at(15))
    told = wire.run(40)
    again = [piece for _, piece in wire.sent[count:]]
    assert again[0] == packet(STOP)
    assert again[-1] == packet(WAVE, b"\0")
    assert (NoticeKind.WARMING_UP, True) in notices(told)
    assert values(told) == dict.fromkeys(CO2, 5.0)


def test_a_sensor_that_wants_pressure_and_compensation_gets_them_again() -> None:
    protocol = RespironicsProtocol()
    wire = Wire(protocol, RespironicsDevice())
    wire.run(12)
    wanting = b"\1\0\x10\0\0\3"
    first = stream(wanting)
    protocol.receive(first, wire.now)
    sent = list(protocol.take_outgoing())
    assert sent == [
        bytes.fromhex("84 04 01 05 78 7A"),
        bytes.fromhex("84 06 0B 15 00 00 00 56"),
    ]
    protocol.receive(first, Instant(wire.now + seconds(0.1)))
    assert not protocol.take_outgoing(), "not with every status"


def test_a_refused_setting_is_told_and_the_start_goes_on() -> None:
    protocol = RespironicsProtocol()
    protocol.wake(OPENING)
    protocol.take_outgoing()
    protocol.receive(packet(STOP), OPENING)
    protocol.receive(packet(0xCA, b"V1"), OPENING)
    assert protocol.take_outgoing() == [bytes.fromhex("84 04 01 05 78 7A")]
    told = hear(protocol, packet(NACK, b"\5"))
    assert notices(told) == [(NoticeKind.CHECK_CALIBRATION, True)]
    assert protocol.take_outgoing() == [bytes.fromhex("84 06 0B 15 00 00 00 56")]
    hear(protocol, packet(NACK, b"\2"))
    assert not protocol.take_outgoing(), "a garbled command is repeated when it is due"
    protocol.wake(seconds_of(protocol))
    assert protocol.take_outgoing() == [bytes.fromhex("84 06 0B 15 00 00 00 56")]


def seconds_of(protocol: RespironicsProtocol) -> Instant:
    due = protocol.wake_at
    assert due is not None
    return due


def test_a_step_in_vain_leads_back_to_the_stop() -> None:
    protocol = RespironicsProtocol()
    protocol.wake(OPENING)
    protocol.receive(packet(STOP), OPENING)
    sent: list[bytes] = []
    for _ in range(4):
        sent += protocol.take_outgoing()
        protocol.wake(seconds_of(protocol))
    assert sent[0] == sent[1] == sent[2] == packet(0xCA, b"\0")
    assert protocol.take_outgoing() == [packet(STOP)]


def test_numbers_wait_for_the_first_status_and_old_ones_do_not_count() -> None:
    protocol = RespironicsProtocol()
    assert not values(protocol.receive(stream(ETCO2_38), OPENING))
    assert not values(protocol.receive(stream(GOOD), OPENING)), (
        "what was heard before is not of now"
    )
    assert values(protocol.receive(stream(ETCO2_38), OPENING)) == {Metric.ETCO2: 38.0}


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    ("status", "state"),
    [
        (b"\1\x40\0\0\0\0", "no_breath"),
        (b"\1\0\0\0\0\6", NoticeKind.WARMING_UP),
        (b"\1\0\4\0\0\0", NoticeKind.AUTO_ZERO),
        (b"\1\0\0\0\0\5", NoticeKind.AUTO_ZERO),
        (b"\1\0\0\0\0\2", NoticeKind.CO2_FAULT),
        (b"\1\0\0\0\0\4", NoticeKind.STANDBY),
        (b"\1\0\0\0\1\0", NoticeKind.SAMPLE_LINE_OFF),
        (b"\1\0\0\0\0\x0a", NoticeKind.SAMPLE_LINE_OFF),
        (b"\1\0\0\0\4\0", NoticeKind.OCCLUSION),
        (b"\1\0\0\0\x08\0", NoticeKind.DEVICE_FAULT),
    ],
)
def test_a_number_repeated_while_nothing_is_measured_does_not_count(
    status: bytes, state: NoticeKind | str
) -> None:
    told = list(started().receive(stream(status, ETCO2_38, b"\3" + two(14)), OPENING))
    assert values(told) == dict.fromkeys(CO2)
    begun = [*notices(told), *alarms(told)]
    assert (state, True) in begun


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"\1\1\0\0\0\0", NoticeKind.CO2_FAULT),
        (b"\1\2\0\0\0\x09", NoticeKind.CO2_FAULT),
        (b"\1\0\1\0\0\0", NoticeKind.WARMING_UP),
        (b"\1\0\2\0\0\1", NoticeKind.DEVICE_FAULT),
        (b"\1\0\x08\0\0\7", NoticeKind.CHECK_CALIBRATION),
        (b"\1\x08\0\0\0\x08", NoticeKind.CO2_FAULT),
    ],
)
def test_a_number_in_doubt_is_questionable_and_the_state_is_told_at_its_edges(
    status: bytes, kind: NoticeKind
) -> None:
    protocol = started()
    told = [
        event
        for each in (status, status, GOOD)
        for event in protocol.receive(stream(each, ETCO2_38), OPENING)
    ]
    states = [each for each in notices(told) if each[0] is not NoticeKind.MESSAGES_LOST]
    assert states == [(kind, True), (kind, False)]
    trust = [each.validity for each in told if isinstance(each, Observation)]
    assert trust == [Validity.QUESTIONABLE, Validity.QUESTIONABLE, Validity.VALID]


@pytest.mark.parametrize(
    ("unit", "raw", "expected", "trust"),
    [
        (0, 380, 38.0, Validity.VALID),
        (1, 50, 37.5, Validity.VALID),
        (2, 50, 38.0, Validity.VALID),
    ],
)
def test_co2_is_told_in_mmhg_whatever_the_sensor_says_its_unit_is(
    unit: int, raw: int, expected: float, trust: Validity
) -> None:
    told = started(unit).receive(stream(b"\2" + two(raw)), OPENING)
    assert (values(told), validities(told)) == (
        {Metric.ETCO2: expected},
        {Metric.ETCO2: trust},
    )


def test_a_stream_that_never_said_its_unit_is_questionable() -> None:
    told = hear(RespironicsProtocol(), stream(GOOD, ETCO2_38))
    assert validities(told) == {Metric.ETCO2: Validity.QUESTIONABLE}


@pytest.mark.hazard("H3")
def test_a_byte_slipped_in_is_never_another_number_though_the_sum_fits() -> None:
    whole = stream(GOOD, ETCO2_38)
    for at in range(len(whole)):
        for byte in range(256):
            told = started().receive(
                whole[:at] + bytes([byte]) + whole[at:] + wave(3, 1.0), OPENING
            )
            assert set(values(told).values()) <= {38.0}, f"{byte:02x} at {at}"


def test_a_byte_lost_costs_its_packet_and_at_most_the_one_before() -> None:
    whole = stream(GOOD, ETCO2_38, ETCO2_38, ETCO2_38)
    for at in range(len(whole)):
        told = started().receive(whole[:at] + whole[at + 1 :], OPENING)
        found = [each.value for each in told if isinstance(each, Observation)]
        assert found in ([38.0], [38.0] * 2, [38.0] * 3)


def test_a_capture_may_start_anywhere() -> None:
    first = stream(GOOD, b"\2" + two(370))
    for at in range(1, len(first)):
        told = started().receive(first[at:] + stream(GOOD, ETCO2_38), OPENING)
        assert values(told)[Metric.ETCO2] == 38.0


def test_lost_packets_are_a_hole_in_the_strip_and_are_told() -> None:
    protocol = RespironicsProtocol()
    sent = b"".join(wave(place, 40.0) for place in range(40) if not 5 <= place < 8)
    told = list(protocol.receive(sent, OPENING))
    assert details(told, NoticeKind.MESSAGES_LOST) == ["3 CO2 wave packets"]
    strips = [each for each in told if isinstance(each, WaveformSegment)]
    assert strips[0].samples[:9] == (40.0,) * 5 + (None,) * 3 + (40.0,)
    assert strips[0].rate_hz == 100


def test_the_unknown_is_told_once_and_faults_by_their_code() -> None:
    odd = stream(b"\1\x14\0\0\0\x20", b"\7\1\2\3", b"\x09\1", b"\7\1", b"\x09")
    told = [*started().receive(odd, OPENING), *started().receive(packet(NACK, b"\x15"), OPENING)]
    assert details(told, NoticeKind.UNKNOWN_FIELD) == [
        "status byte 1 bits 14",
        "message 20",
        "hardware status",
        "parameter 09",
    ]
    assert details(told, NoticeKind.DEVICE_FAULT) == ["sensor reports system fault 15"]


def test_a_parameter_of_another_length_is_refused() -> None:
    told = started().receive(stream(b"\2\1"), OPENING)
    assert not values(told)
    assert refusals(told) == ["length differs"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [(b"\x99\1\x66", 1), (b"\x84\4\1\5\x78\0", 2), (packet(SET, b"\7\3"), 5), (packet(SET), 4)],
)
def test_the_sensor_refuses_what_it_does_not_understand(sent: bytes, code: int) -> None:
    device = RespironicsDevice()
    device.say([], OPENING)
    device.receive(packet(STOP), OPENING)
    assert device.take_outgoing() == [packet(NACK, b"\0")], "it still boots"
    device.receive(sent, instant_at(2))
    assert device.take_outgoing() == [packet(NACK, bytes([code]))]


def test_half_a_command_times_out() -> None:
    device = RespironicsDevice()
    device.receive(b"\x84\4\1", instant_at(2))
    device.receive(packet(STOP), instant_at(4))
    assert device.take_outgoing()[0] == packet(NACK, b"\3")


def test_states_of_the_patient_reach_us_through_the_sensors_own_words() -> None:
    said: list[DeviceEvent] = [
        observe(Metric.ETCO2, None, OPENING),
        DeviceNotice(NoticeKind.OCCLUSION, OPENING),
        DeviceAlarm("no_breath", OPENING),
    ]
    told = hear(RespironicsProtocol(), DRIVER.encode(said))
    assert notices(told) == [(NoticeKind.OCCLUSION, True)]
    assert alarms(told) == [("no_breath", True)]


def test_settings_are_held_to_reason() -> None:
    for wrong in ({"ambient_mmhg": 101}, {"balance_gas": 3}, {"no_breath_s": "long"}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            RespironicsProtocol(wrong)


@few
@given(st.binary(max_size=400))
def test_hostile_bytes_hold_no_memory_and_come_out_once(noise: bytes) -> None:
    splitter = PacketSplitter(holds_stream=True)
    pieces = [*splitter.feed(noise), *splitter.finish()]
    assert b"".join(piece.data for piece in pieces) == noise
    assert len(pieces) <= 2 + len(noise) // 2
