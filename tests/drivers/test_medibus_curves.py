"""MEDIBUS curves: offered, chosen, scaled; what is not whole is a hole; devices that have none."""

import pytest

from drivers.contract import finish
from drivers.devices.medibus import MedibusProtocol
from drivers.parts.medibus_curves import Curve, choice, curves_of, item, record, wanted
from drivers.parts.medibus_device import MedibusDevice
from drivers.parts.medibus_frames import Code, answer, command
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    WaveformSegment,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import Metric
from tests.drivers.hearing import Wire, details, refusals, values

NOW = instant_at(1)
PRESSURE = b"00   16000  -10  100370"
CO2 = b"06   16000  -20  100460"
CO2_KPA = b"07   20000   -2   20200"
CO2_PERCENT = b"08   20000   -2   20200"
PLETH = b"02   10000    0  1003E8"
FLAT = 205  # 1.96 mmHg, as in the vendor's example


def opened(offer: bytes, chosen: bytes, **options: object) -> MedibusProtocol:
    """A protocol that has overheard another host choose."""
    protocol = MedibusProtocol(options)
    told = protocol.receive(
        answer(Code.REAL_TIME_SETTING, offer) + command(Code.REAL_TIME_CHOICE, chosen), NOW
    )
    assert not told
    return protocol


def samples(
    protocol: MedibusProtocol, data: bytes, metric: Metric = Metric.CO2_WAVE
) -> list[float | None]:
    told: list[DeviceEvent] = [*protocol.receive(data, NOW), *finish(protocol, NOW)]
    waves = [each for each in told if isinstance(each, WaveformSegment) and each.metric is metric]
    return [sample for each in waves for sample in each.samples]


def records(*raws: int) -> bytes:
    return b"".join(record([raw]) for raw in raws)


# --- what the bytes mean -------------------------------------------------------------------------


def test_the_vendors_example_is_pressure_and_co2() -> None:
    curves = curves_of(PRESSURE + CO2)
    assert not isinstance(curves, str)
    pressure, co2 = curves
    assert pressure.value(81) == pytest.approx(0.125)
    assert co2.value(205) == pytest.approx(1.96, abs=0.005)
    assert co2.value(0x460) == 100
    assert co2.value(0x461) is None
    protocol = opened(PRESSURE + CO2, b"00010601")
    assert samples(protocol, bytes.fromhex("D3 91 81 8D 83")) == [1.96]
    assert record([81, 205]) == bytes.fromhex("D3 91 81 8D 83")


@pytest.mark.parametrize(
    ("offer", "chosen", "raw", "expected", "rate_hz"),
    [
        (CO2, b"0601", 560, 40.0, 62.5),
        (CO2, b"0602", 560, 40.0, 31.25),
        (CO2_KPA, b"0701", 169, pytest.approx(39.5, abs=0.1), 50.0),
        (CO2_PERCENT, b"0801", 169, pytest.approx(40.0, abs=0.1), 50.0),
    ],
)
def test_co2_is_told_in_mmhg_at_the_chosen_rate(
    offer: bytes, chosen: bytes, raw: int, expected: float, rate_hz: float
) -> None:
    told = opened(offer, chosen).receive(records(*[raw] * 60), NOW)
    wave = next(each for each in told if isinstance(each, WaveformSegment))
    assert wave.samples[0] == expected
    assert wave.rate_hz == rate_hz


def test_ambient_pressure_scales_percent() -> None:
    at_height = opened(CO2_PERCENT, b"0801", ambient_mmhg=600.0)
    assert samples(at_height, records(171))[0] == pytest.approx(32.09, abs=0.01)


def test_only_what_is_of_use_is_chosen_and_a_fast_curve_is_thinned() -> None:
    curves = curves_of(PRESSURE + CO2_KPA + CO2 + PLETH)
    assert not isinstance(curves, str)
    assert choice(wanted(curves)) == b"06010202"
    assert b"".join(item(each) for each in curves) == PRESSURE + CO2_KPA + CO2 + PLETH
    assert not wanted([Curve(0x00, 16_000, -10, 100, 0x370)])


@pytest.mark.parametrize(
    "offer",
    [CO2[:-1], CO2.replace(b"16000", b"    0"), CO2.replace(b"460", b"000"),
     CO2.replace(b"16000", b"16x00"), CO2.replace(b"  100", b"  -30"), b"x" * 23],
)  # fmt: skip
def test_an_offer_without_its_form_is_refused(offer: bytes) -> None:
    assert refusals(MedibusProtocol().receive(answer(Code.REAL_TIME_SETTING, offer), NOW))


def test_a_curve_nobody_knows_is_told_by_its_code() -> None:
    told = MedibusProtocol().receive(answer(Code.REAL_TIME_SETTING, b"2A" + CO2[2:]), NOW)
    assert details(told, NoticeKind.UNKNOWN_FIELD) == ["curve 2A"]


# --- what is not whole ---------------------------------------------------------------------------


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(
    "bad",
    [
        "D1 8D",  # half a value
        "D1",  # none
        "D1 8D 83 8D 83",  # a value nobody announced
        "D1 8D 83 8D",  # half of one
        "D1 CF C0 8D 83",  # the device calls it corrupt
        "D1 8D E3",  # no such byte
        "D1 C1 8D 83",  # a command without its argument
        "D1 BF BF",  # above MAXBIN
    ],
)
def test_a_record_that_is_not_whole_is_a_hole(bad: str) -> None:
    stream = records(FLAT) + bytes.fromhex(bad) + records(FLAT)
    assert samples(opened(CO2, b"0601"), stream) == [1.96, None, 1.96]


def test_signs_of_breathing_and_further_streams_spoil_nothing() -> None:
    breath = bytes.fromhex("D1 C6 C0 8D 83")
    more = bytes.fromhex("D1 C4 C1 8D 83 80 80")
    assert samples(opened(CO2, b"0601"), breath + more + records(FLAT)) == [1.96] * 3


@pytest.mark.hazard("H3")
def test_a_sample_far_from_both_its_neighbours_is_lost_and_an_upstroke_is_not() -> None:
    spike = [*[FLAT] * 30, 600, *[FLAT] * 40]
    heard = samples(opened(CO2, b"0601"), records(*spike))
    assert heard == [*[1.96] * 30, None, *[1.96] * 40]
    upstroke = samples(opened(CO2, b"0601"), records(FLAT, FLAT, 400, 560, 560))
    assert None not in upstroke


def test_where_the_bytes_are_cut_does_not_matter() -> None:
    stream = records(*range(200, 300)) + bytes.fromhex("D1 8D") + records(*range(300, 350))
    whole = samples(opened(CO2, b"0601"), stream)
    for cut in range(0, len(stream), 7):
        protocol = opened(CO2, b"0601")
        told = [*protocol.receive(stream[:cut], NOW), *protocol.receive(stream[cut:], NOW)]
        told += finish(protocol, NOW)
        waves = [each for each in told if isinstance(each, WaveformSegment)]
        assert [sample for each in waves for sample in each.samples] == whole


def test_samples_from_before_a_pause_are_not_joined_to_those_after_it() -> None:
    protocol = opened(CO2, b"0601")
    protocol.receive(records(*[FLAT] * 10) + b"\xd1\x8d", instant_at(1))
    told = protocol.receive(b"\x83" + records(*[560] * 60), instant_at(3))
    waves = [each for each in told if isinstance(each, WaveformSegment)]
    assert {sample for each in waves for sample in each.samples} == {40.0}


@pytest.mark.hazard("H1")
def test_no_curve_is_told_while_the_co2_sensor_shows_no_patient() -> None:
    protocol = opened(CO2 + PLETH, b"06010201")
    protocol.receive(answer(Code.ALARMS_1, b"B63WARM UP     "), NOW)
    stream = b"".join(record([560, 500]) for _ in range(80))
    told = protocol.receive(stream, NOW)
    waves = [each for each in told if isinstance(each, WaveformSegment)]
    assert {each for wave in waves if wave.metric is Metric.CO2_WAVE for each in wave.samples} == {
        None
    }
    assert {each for wave in waves if wave.metric is Metric.PLETH for each in wave.samples} == {
        50.0
    }


def test_curves_that_nobody_chose_are_told_once_and_not_guessed() -> None:
    protocol = MedibusProtocol()
    told = [*protocol.receive(answer(Code.REAL_TIME_SETTING, CO2) + records(1, 2), NOW)]
    told += protocol.receive(records(3), NOW)
    assert not [each for each in told if isinstance(each, WaveformSegment)]
    assert details(told, NoticeKind.UNKNOWN_FIELD) == [
        "real-time data of curves that nobody chose here"
    ]


# --- the conversation ----------------------------------------------------------------------------


def device() -> MedibusDevice:
    made = MedibusDevice()
    made.say([observe(Metric.ETCO2, 38, OPENING), observe(Metric.SPO2, 97, OPENING)], OPENING)
    return made


def feed(wire: Wire, until_s: float) -> list[DeviceEvent]:
    """Run while the patient's CO2 stands at 30 and the pleth at 100."""
    told: list[DeviceEvent] = []
    while wire.now < instant_at(until_s):
        if wire.device is not None:
            waves = ((Metric.CO2_WAVE, 30.0), (Metric.PLETH, 100.0))
            wire.device.say(
                [WaveformSegment(metric, wire.now, 50, (value,) * 10) for metric, value in waves],
                wire.now,
            )
        told += wire.run(wire.now / 1e9 + 0.2)
    return told


def test_curves_are_asked_for_chosen_switched_on_and_played() -> None:
    wire = Wire(MedibusProtocol(), device())
    told = feed(wire, 10)
    sent = [piece for _, piece in wire.sent]
    assert sent.count(command(0x53)) == 1
    assert sent.count(command(0x54, b"06010201")) == 1
    assert sent.count(bytes.fromhex("D0 C1 C3 C0 C0")) == 1
    waves = [each for each in told if isinstance(each, WaveformSegment)]
    heard = {
        metric: [sample for each in waves if each.metric is metric for sample in each.samples]
        for metric in (Metric.CO2_WAVE, Metric.PLETH)
    }
    assert len(heard[Metric.CO2_WAVE]) > 8 * 50
    assert heard[Metric.CO2_WAVE][-1] == pytest.approx(30, abs=0.06)
    assert heard[Metric.PLETH][-1] == 100.0
    assert values(told)[Metric.ETCO2] == 38.0
    assert not refusals(told)


def test_a_new_start_forgets_the_curves_and_chooses_them_again() -> None:
    wire = Wire(MedibusProtocol(), device())
    feed(wire, 5)
    absent, wire.device = wire.device, None
    feed(wire, 12)
    wire.device = absent
    told = feed(wire, 20)
    assert [sent for _, sent in wire.sent].count(command(0x53)) == 2
    assert [each for each in told if isinstance(each, WaveformSegment)]


def test_a_device_that_changed_its_curves_is_asked_anew() -> None:
    wire = Wire(MedibusProtocol(), device())
    feed(wire, 5)
    wire.protocol.receive(command(0x56), wire.now)
    feed(wire, 8)
    sent = [piece for _, piece in wire.sent]
    assert answer(0x56) in sent
    assert sent.count(command(0x53)) == 2


def test_what_was_chosen_does_not_outlive_a_new_start() -> None:
    protocol = opened(CO2, b"0601")
    protocol.receive(command(Code.INIT), NOW)
    assert not samples(protocol, records(FLAT, FLAT))


class Silent(MedibusDevice):
    """A device that answers nothing about curves, or refuses it."""

    def __init__(self, reply: bytes) -> None:
        super().__init__()
        self._reply = reply

    def receive(self, data: bytes, now: Instant) -> None:
        if data[:2] == b"\x1b\x53":
            self._outgoing += [self._reply] if self._reply else []
        else:
            super().receive(data, now)


@pytest.mark.parametrize("reply", [b"", answer(Code.NAK), answer(0x53)])
def test_a_device_without_curves_is_asked_once_and_its_numbers_go_on(reply: bytes) -> None:
    silent = Silent(reply)
    silent.say([observe(Metric.ETCO2, 38, OPENING)], OPENING)
    wire = Wire(MedibusProtocol(), silent)
    told = wire.run(30)
    sent = [piece for _, piece in wire.sent]
    assert sent.count(command(0x53)) == 1
    assert sent.count(command(Code.INIT)) <= 2
    assert sent.count(command(Code.MEASURED_1)) > 25
    assert values(told)[Metric.ETCO2] == 38.0
    assert not [each for each in told if isinstance(each, DeviceNotice) and "curve" in each.detail]
    wire.device = None
    wire.run(40)
    wire.device = silent
    wire.run(60)
    again = [piece for _, piece in wire.sent].count(command(0x53))
    assert again == (2 if reply == answer(0x53) else 1), "what it refuses is not asked twice"


def test_curves_are_not_asked_for_where_that_is_not_wanted() -> None:
    wire = Wire(MedibusProtocol({"curves": False}), device())
    wire.run(20)
    assert command(0x53) not in [piece for _, piece in wire.sent]
