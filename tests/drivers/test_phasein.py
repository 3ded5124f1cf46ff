"""Oddities of the gas analyser: Vol%, demo mode, registers, a mark that may occur inside."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.phasein import DRIVER, PhaseinProtocol
from drivers.parts.phasein_analyser import PhaseinDevice
from drivers.parts.phasein_frames import MARK, FrameSplitter, command, frame
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
    observe,
)
from monitor.model.instant import OPENING, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import (
    Wire,
    alarms,
    decoded,
    details,
    hear,
    notices,
    numerics,
    validities,
    values,
)
from tests.drivers.pages import hex_examples_of

few = settings(max_examples=60, deadline=None, derandomize=True)
GAS = (Metric.ETCO2, Metric.RESP_RATE, Metric.FICO2)
MEASURING = "AA 55 00 02 FE"
APNOEA_20 = "AA 55 01 14 EB"
ZERO = "AA 55 06 FF FB"


Slow = dict[int, bytes]


def cycle(status: int = 0, changed: Slow | None = None, *, co2: int = 480) -> bytes:
    """One cycle of ten frames as all is well, with the slow bytes of some IDs changed."""
    slow = [
        b"\x00\xff\xff\xff\xff\xff",
        b"\x32\xff\xff\xff\xff\xff",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x0e\x03\x00\x00\x03\xf5",
        b"\x02\xff\x00\x00\x00\x14",
        b"\x02\x10\x03\x21\x80\x04",
        b"\x00\x01\x00\x00\x00\x00",
        *([b"\0" * 6] * 3),
    ]
    for name, each in (changed or {}).items():
        slow[name] = each
    return b"".join(frame(name, status, co2, each) for name, each in enumerate(slow))


def settled(**options: object) -> PhaseinProtocol:
    """A protocol that has heard a whole cycle in which all was well."""
    protocol = PhaseinProtocol(options)
    protocol.receive(cycle(), OPENING)
    return protocol


def then(data: bytes) -> list[DeviceEvent]:
    """What `data` tells after a cycle in which all was well, and its mode once more."""
    state = frame(4, 0, 480, b"\x02\xff\x00\x00\x00\x14")
    return list(settled().receive(data + state + MARK, OPENING))


def test_worked_examples_come_out_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for vector in DRIVER.vectors:
        lines = decoded("phasein", vector.data.hex(" "), tmp_path, capsys)
        told = [each for each in numerics(lines) if each[0] != "co2_wave"]
        assert told == [(metric.value, value) for metric, value in vector.expected]


@pytest.mark.parametrize(
    ("number", "wave"), [(0, 38.0), (1, 36.47), (2, 0.0)], ids=["end-tidal", "rate", "apnoea"]
)
def test_the_momentary_co2_of_each_worked_example_is_in_mmhg(number: int, wave: float) -> None:
    told = hear(PhaseinProtocol(), DRIVER.vectors[number].data)
    assert [each.samples for each in told if isinstance(each, WaveformSegment)] == [(wave,)]


def test_the_worked_apnoea_is_told_by_its_bit() -> None:
    assert alarms(hear(PhaseinProtocol(), DRIVER.vectors[2].data)) == [("no_breath", True)]


@pytest.mark.shared
def test_every_example_of_the_page_is_read_or_sent() -> None:
    known = {vector.data for vector in DRIVER.vectors}
    known |= {command(0, 2), command(1, 20), command(6, 0xFF)}
    examples = hex_examples_of("phasein")
    assert len(examples) == 6
    assert set(examples) <= known


def test_commands_are_those_printed() -> None:
    printed = [bytes.fromhex(each) for each in (MEASURING, APNOEA_20, ZERO)]
    assert [command(0, 2), command(1, 20), command(6, 255)] == printed


def test_five_percent_is_told_with_the_pressure_the_analyser_states() -> None:
    told = then(cycle())
    assert values(told) == {Metric.ETCO2: 37.99, Metric.RESP_RATE: 14.0, Metric.FICO2: 0.0}
    assert set(validities(told).values()) == {Validity.VALID}


@pytest.mark.parametrize("stated", [b"\x0e\3\0\0\0\0", b"\x0e\3\0\0\xff\xff"])
def test_without_a_pressure_another_is_assumed_and_said(stated: bytes) -> None:
    told = hear(PhaseinProtocol({"ambient_mmhg": 700}), cycle(0, {3: stated}) * 2, every_s=0.1)
    assert values(told)[Metric.ETCO2] == 35.0
    assert validities(told)[Metric.ETCO2] is Validity.QUESTIONABLE
    assert "700 mmHg, which is assumed" in details(told, NoticeKind.UNIT_CONVERTED)[-1]


def test_a_pressure_out_of_range_makes_numbers_questionable() -> None:
    protocol = settled()
    bad = cycle(changed={4: b"\x02\xff\x00\x00\x20\x14"})
    told = [*protocol.receive(bad, OPENING), *protocol.receive(bad, OPENING)]
    assert values(told)[Metric.ETCO2] == 38.0
    assert validities(told)[Metric.ETCO2] is Validity.QUESTIONABLE


def test_nothing_is_told_before_the_analyser_said_its_mode() -> None:
    protocol = PhaseinProtocol()
    before = cycle(2)[: 4 * 21] + MARK
    assert not protocol.receive(before, OPENING)


@pytest.mark.hazard("H21")
def test_demo_mode_marks_everything_and_is_never_switched_off() -> None:
    device = PhaseinDevice(is_demo=True)
    device.say([*(observe(each, 6, OPENING) for each in GAS)], OPENING)
    wire = Wire(PhaseinProtocol({"apnoea_s": 30}), device)
    told = [each for each in wire.run(5) if not isinstance(each, FrameRejected)]
    assert {type(each) for each in told} == {Observation, WaveformSegment, DeviceNotice}
    assert {each.mode for each in told} == {GenerationMode.DEMO}


@pytest.mark.hazard("H21")
def test_demo_that_ends_takes_its_samples_with_it() -> None:
    protocol = PhaseinProtocol()
    demo = cycle(co2=9999, changed={4: b"\x03\xff\x00\x00\x00\x14"})
    told = [*protocol.receive(demo + demo, OPENING), *protocol.receive(cycle() * 2, OPENING)]
    for each in told:
        if isinstance(each, WaveformSegment):
            is_demo = each.mode is GenerationMode.DEMO
            assert all((sample or 0) > 100 for sample in each.samples) == is_demo


def test_the_analyser_sleeps_until_told_to_measure_and_is_asked_until_it_does() -> None:
    device = PhaseinDevice()
    device.say([*(observe(each, 6, OPENING) for each in GAS)], OPENING)
    wire = Wire(PhaseinProtocol({"apnoea_s": 30, "n2o_percent": 50}), device)
    told = wire.run(20)
    sent = [piece for _, piece in wire.sent]
    assert sent[0] == bytes.fromhex(MEASURING)
    assert sent[-2:] == [command(1, 30), command(5, 50)]
    assert values(told) == dict.fromkeys(GAS, 6.0)
    words = details(told, NoticeKind.DEVICE_IDENTITY)
    assert words == ["ISA, sidestream, hardware 10, software 03.21"]
    assert (NoticeKind.CHECK_CALIBRATION, True) in notices(told)
    assert notices(told)[-1] == (NoticeKind.CHECK_CALIBRATION, False)


def test_a_silent_analyser_is_asked_again_and_nothing_of_before_counts() -> None:
    protocol = settled()
    due = protocol.wake_at
    assert due == instant_at(0.9)
    protocol.wake(due)
    assert protocol.take_outgoing() == [bytes.fromhex(MEASURING)]
    frames = cycle()[: 4 * 21] + MARK
    assert not values(protocol.receive(frames, instant_at(9)))


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    ("status", "changed", "state"),
    [
        (0x02, {}, "no_breath"),
        (0x40, {}, NoticeKind.CO2_FAULT),
        (0x10, {}, NoticeKind.SAMPLE_LINE_OFF),
        (0, {4: b"\x00\xff\0\0\0\x14"}, NoticeKind.WARMING_UP),
        (0, {4: b"\x01\xff\0\0\0\x14"}, NoticeKind.STANDBY),
        (0, {4: b"\x02\xff\0\2\0\x14"}, NoticeKind.SAMPLE_LINE_OFF),
        (0, {4: b"\x02\xff\0\1\0\x14"}, NoticeKind.OCCLUSION),
        (0, {6: b"\0\1\2\0\0\0"}, NoticeKind.AUTO_ZERO),
    ],
)
def test_numbers_kept_while_nothing_is_measured_do_not_count(
    status: int, changed: Slow, state: NoticeKind | str
) -> None:
    protocol = settled()
    first = protocol.receive(cycle(status, changed) + MARK, OPENING)
    told = protocol.receive((cycle(status, changed) + MARK)[2:], OPENING)
    assert values(told) == dict.fromkeys(GAS)
    assert (state, True) in [*notices(first), *alarms(first)]
    assert not [*notices(told), *alarms(told)], "told at its edges"


@pytest.mark.parametrize(
    ("status", "changed", "kind"),
    [
        (0x20, {}, NoticeKind.CHECK_CALIBRATION),
        (0, {4: b"\x02\xff\2\0\0\x14"}, NoticeKind.DEVICE_FAULT),
        (0, {4: b"\x02\xff\x08\0\0\x14"}, NoticeKind.CHECK_CALIBRATION),
        (0, {4: b"\x02\xff\0\0\1\x14"}, NoticeKind.CO2_FAULT),
        (0, {4: b"\x02\xff\0\0\x40\x14"}, NoticeKind.CHECK_CALIBRATION),
        (0, {6: b"\0\1\4\0\0\0"}, NoticeKind.CHECK_CALIBRATION),
    ],
)
def test_numbers_in_doubt_are_questionable(status: int, changed: Slow, kind: NoticeKind) -> None:
    protocol = settled()
    first = protocol.receive(cycle(status, changed) + MARK, OPENING)
    told = protocol.receive((cycle(status, changed) + MARK)[2:], OPENING)
    assert values(told)[Metric.ETCO2] == 37.99
    assert set(validities(told).values()) == {Validity.QUESTIONABLE}
    assert (kind, True) in notices(first)


@pytest.mark.parametrize("status", [0x04, 0x08, 0x80])
def test_the_oxygen_sensor_spoils_no_co2(status: int) -> None:
    told = then(cycle(status))
    assert set(validities(told).values()) == {Validity.VALID}
    assert notices(told)[0][1]


def test_a_mainstream_analyser_wants_its_adapter_looked_at() -> None:
    told = then(
        cycle(0x10, changed={5: b"\x02\x10\x03\x21\x00\x04"})
        + cycle(0x10, changed={5: b"\2\x10\3\x21\0\4"})
    )
    assert details(told, NoticeKind.CO2_FAULT)[0] == "check the adapter"
    assert details(told, NoticeKind.DEVICE_IDENTITY)[0].startswith("IRMA, mainstream")


def test_255_is_missing_and_no_apnoea() -> None:
    told = then(cycle(changed={1: b"\xff" * 6, 3: b"\xff\3\0\0\3\xf5"}))
    assert values(told)[Metric.ETCO2] is None
    assert values(told)[Metric.RESP_RATE] is None
    assert not alarms(told)


def test_a_sample_that_is_missing_is_a_hole_in_the_strip() -> None:
    told = settled().receive(cycle(co2=0xFFFF) + MARK, OPENING)
    strips = [each for each in told if isinstance(each, WaveformSegment)]
    assert strips[-1].samples == (36.47,) * 5 + (None,) * 5
    assert strips[-1].rate_hz == 20


def test_the_mark_may_occur_inside_a_frame() -> None:
    inside = frame(1, 0, 0xAA55, b"\x32\xaa\x55\xaa\x55\xaa")
    told = then(inside + inside)
    assert values(told) == {Metric.ETCO2: 37.99}


@pytest.mark.hazard("H3")
def test_a_byte_slipped_in_is_never_another_number_though_the_sum_fits() -> None:
    good = frame(1, 0, 480, b"\x32\xff\xff\xff\xff\xff")
    for at in range(len(good)):
        for byte in range(256):
            told = then(good[:at] + bytes([byte]) + good[at:])
            found = [each.value for each in told if isinstance(each, Observation)]
            assert set(found) <= {37.99}, f"{byte:02x} at {at}"


def test_a_capture_may_start_anywhere() -> None:
    for at in range(1, 10 * 21):
        told = hear(PhaseinProtocol(), cycle()[at:] + cycle() + cycle())
        assert values(told)[Metric.ETCO2] == 37.99


@pytest.mark.hazard("H3")
def test_a_number_that_no_mode_confirmed_in_its_own_cycle_is_old() -> None:
    protocol = settled()
    protocol.receive(cycle()[: 4 * 21] + cycle()[5 * 21 :], OPENING)
    without_expired = cycle()[:21] + cycle()[2 * 21 :]
    told = protocol.receive(without_expired + MARK, OPENING)
    assert Metric.ETCO2 not in values(told)
    assert values(told)[Metric.RESP_RATE] == 14.0


def test_an_unknown_mode_is_told_and_gives_no_numbers() -> None:
    told = then(cycle(changed={4: b"\x07\xff\0\0\0\x14"}) * 2)
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["mode 7"]
    assert set(values(told).values()) == {None}


def test_states_of_the_patient_reach_us_through_the_analysers_own_words() -> None:
    said: list[DeviceEvent] = [
        observe(Metric.ETCO2, None, OPENING),
        DeviceNotice(NoticeKind.SAMPLE_LINE_OFF, OPENING),
        DeviceAlarm("no_breath", OPENING),
    ]
    told = hear(PhaseinProtocol(), DRIVER.encode(said))
    assert (NoticeKind.SAMPLE_LINE_OFF, True) in notices(told)
    assert alarms(told) == [("no_breath", True)]
    assert values(told)[Metric.ETCO2] is None


def test_a_zero_is_seen_while_it_runs() -> None:
    device = PhaseinDevice()
    device.say([], OPENING)
    wire = Wire(PhaseinProtocol(), device)
    wire.run(8)
    device.receive(bytes.fromhex(ZERO), wire.now)
    told = wire.run(14)
    assert notices(told) == [(NoticeKind.AUTO_ZERO, True), (NoticeKind.AUTO_ZERO, False)]


def test_settings_are_held_to_reason() -> None:
    for wrong in ({"apnoea_s": 10}, {"o2_percent": 101}, {"ambient_mmhg": 101}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            PhaseinProtocol(wrong)


@few
@given(st.binary(max_size=300), st.integers(0, 300))
def test_hostile_bytes_hold_no_memory_and_come_out_once(noise: bytes, cut: int) -> None:
    splitter = FrameSplitter()
    stream = noise[:cut] + MARK + noise[cut:]
    pieces = [*splitter.feed(stream), *splitter.finish()]
    assert b"".join(piece.data for piece in pieces) == stream
    assert len(pieces) <= 2 + len(stream) // 21
