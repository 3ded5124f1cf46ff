"""The Datex conversation and its frames; both sides together."""

from struct import pack_into

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import OptionError
from drivers.devices.datex import DatexProtocol
from drivers.parts.datex_displayed import SPO2_AT
from drivers.parts.datex_monitor import DatexDevice
from drivers.parts.datex_record import (
    ask_alarms,
    ask_values,
    ask_waves,
    frame_of,
    open_record,
    record_of,
)
from drivers.parts.datex_vectors import (
    ASK_ALARMS,
    ASK_DISPLAYED,
    ASK_ECG_WAVE,
    ASK_PLETH_AND_CO2,
    ASK_TREND,
    CO2_BLOCK,
    DISPLAYED,
    STOP_DISPLAYED,
)
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    observe,
)
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import NIBP, Metric
from tests.drivers.datex_records import (
    NOW,
    RECORD,
    alarms,
    hear,
    notices,
    record,
    value,
)

# --- requests ------------------------------------------------------------------------------------


def test_requests_are_those_of_the_vendor() -> None:
    assert ask_values(1, 10, 14) == ASK_DISPLAYED
    assert ask_values(3, 60, 14) == ASK_TREND
    assert ask_waves((1,)) == ASK_ECG_WAVE
    assert ask_waves((8, 9)) == ASK_PLETH_AND_CO2
    assert ask_alarms() == ASK_ALARMS
    stop = open_record(STOP_DISPLAYED[1:-1])
    assert not isinstance(stop, str)


def test_a_request_on_the_line_is_named_and_not_refused() -> None:
    protocol = DatexProtocol()
    told = [
        event
        for each in (ASK_DISPLAYED, STOP_DISPLAYED, ASK_TREND, ASK_ECG_WAVE, ASK_ALARMS)
        for event in hear(protocol, each)
    ]
    assert [each.detail for each in told if isinstance(each, DeviceNotice)] == [
        "request: displayed values, every 10 s, classes E",
        "request: displayed values, stop, classes 0",
        "request: 60-s trend, every 60 s, classes E",
        "request: waves 1, start",
        "request: alarms, 2",
    ]
    assert len(told) == 5
    assert not hear(protocol, ASK_DISPLAYED)
    levelled = bytearray(ASK_DISPLAYED)
    levelled[4], levelled[-2] = 8, ASK_DISPLAYED[-2] + 8
    assert not hear(protocol, bytes(levelled))  # some hosts name their level


def test_the_conversation_asks_for_values_first_and_then_for_what_goes_with_them() -> None:
    protocol = DatexProtocol({"interval_s": 1})
    sent: list[bytes] = []
    for tick in range(40):
        now = instant_at(tick / 4)
        protocol.wake(now)
        sent += protocol.take_outgoing()
        if tick >= 8 and tick % 4 == 0:
            hear(protocol, record(), now)
    assert sent == [
        ask_values(1, 1),
        ask_waves((8, 9)),
        ask_values(4, 10),
        ask_alarms(),
    ]


def test_an_old_interface_is_not_asked_for_alarms() -> None:
    protocol = DatexProtocol({"waves": False})
    protocol.wake(OPENING)
    protocol.take_outgoing()
    hear(protocol, record(level=5), instant_at(1))
    sent: list[bytes] = []
    for tick in range(20):
        protocol.wake(instant_at(1 + tick / 4))
        sent += protocol.take_outgoing()
    assert sent == [ask_values(4, 10)]


def test_silence_is_met_by_asking_again() -> None:
    protocol = DatexProtocol()
    hear(protocol, record(), NOW)
    for _ in range(3):
        due = protocol.wake_at
        assert due is not None
        protocol.wake(due)
    protocol.take_outgoing()
    assert protocol.wake_at == instant_at(115)
    protocol.wake(instant_at(115))
    assert protocol.take_outgoing() == [ask_values(1, 5)]


def test_a_monitor_that_fell_silent_after_the_second_request_is_not_asked_it_again() -> None:
    protocol = DatexProtocol({"waves": False})
    sent: list[bytes] = []
    for second in range(60):
        now = instant_at(second)
        if second in {1, 40}:
            hear(protocol, record(level=5), now)
        protocol.wake(now)
        sent += protocol.take_outgoing()
    assert sent.count(ask_values(4, 10)) == 1
    assert sent[-1] == ask_values(1, 5)


def test_waves_that_stop_are_asked_for_again() -> None:
    protocol = DatexProtocol()
    sent = []
    for second in range(40):
        now = instant_at(second)
        hear(protocol, record() + (CO2_BLOCK if 5 <= second < 20 else b""), now)
        for tick in range(4):
            protocol.wake(Instant(now + tick * 250_000_000))
            sent += [
                (second, each) for each in protocol.take_outgoing() if each == ask_waves((8, 9))
            ]
    assert [second for second, _ in sent] == [0, 24]


@pytest.mark.parametrize("options", [{"interval_s": 0}, {"interval_s": 6}, {"waves": "yes"}])
def test_an_option_that_cannot_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        DatexProtocol(options)


# --- frames --------------------------------------------------------------------------------------


def test_two_frames_may_share_a_flag_or_have_two_between_them() -> None:
    for stream in (DISPLAYED + CO2_BLOCK, DISPLAYED + CO2_BLOCK[1:], DISPLAYED + b"~" + CO2_BLOCK):
        told = hear(DatexProtocol(), stream)
        assert not [each for each in told if isinstance(each, FrameRejected)]
        assert [each.metric for each in told if isinstance(each, WaveformSegment)] == ["co2_wave"]


def test_a_shared_flag_lasts_until_the_next_interval() -> None:
    protocol = DatexProtocol()
    hear(protocol, DISPLAYED, instant_at(1))
    assert value(hear(protocol, record()[1:], instant_at(11)), Metric.SPO2)[0] == 97.0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda frame: frame[:-2] + bytes([frame[-2] ^ 1]) + frame[-1:], "checksum differs"),
        (lambda frame: frame[:60] + frame[61:], "length differs"),
        (lambda frame: frame[:1] + b"\x3d" + frame[2:-2] + b"\xf5~", "longer than it says"),
        (lambda frame: frame[:1] + b"\x3f" + frame[2:-2] + b"\xf7~", "length differs"),
        (lambda frame: frame[:1] + b"\x00\x70" + frame[3:], "longer than it says"),
        (lambda frame: frame[:100] + b"\x7d\x7d" + frame[102:], "wrong escape"),
    ],
)
def test_a_spoilt_frame_is_refused_with_the_reason(spoil: object, reason: str) -> None:
    told = hear(DatexProtocol(), spoil(DISPLAYED) + DISPLAYED)  # type: ignore[operator]
    assert isinstance(told[0], FrameRejected)
    assert told[0].reason == reason
    assert value(told, Metric.SPO2)[0] == 97.0


def test_a_subrecord_that_points_outside_is_refused_whole() -> None:
    for offset in (-1, 279, 5000):
        changed = bytearray(RECORD)
        pack_into("<h", changed, 16, offset)
        told = hear(DatexProtocol(), frame_of(bytes(changed)))
        assert [each.reason for each in told if isinstance(each, FrameRejected)] == [
            "subrecord outside the record"
        ]
        assert len(told) == 1
    shorter = bytearray(RECORD)
    pack_into("<h", shorter, 16, 40)
    told = hear(DatexProtocol(), frame_of(bytes(shorter)))
    assert [each.reason for each in told if isinstance(each, FrameRejected)] == [
        "displayed values too short"
    ]


def test_an_empty_subrecord_costs_nothing_beside_it() -> None:
    body = RECORD[40:]
    for listed in ([(1, body), (7, b"")], [(7, b""), (1, body)], [(1, b""), (7, body)]):
        beside = record_of(0, listed, number=3, level=10, time_s=1_700_000_000)
        told = hear(DatexProtocol(), frame_of(beside))
        is_told = any(isinstance(each, Observation) for each in told)
        assert is_told == ((1, body) in listed)
        assert is_told != any(isinstance(each, FrameRejected) for each in told)


def test_a_list_that_goes_on_with_zeros_is_no_second_subrecord() -> None:
    changed = bytearray(RECORD)
    changed[19:40] = bytes(21)
    told = hear(DatexProtocol(), frame_of(bytes(changed)))
    assert value(told, Metric.SPO2)[0] == 97.0
    assert NoticeKind.UNKNOWN_FIELD not in notices(told)


def test_a_record_with_nothing_in_it_is_no_error() -> None:
    empty = frame_of(record_of(0, [], number=3, level=10, time_s=1_700_000_000))
    told = hear(DatexProtocol(), empty + DISPLAYED)
    assert not [each for each in told if isinstance(each, FrameRejected)]
    assert value(told, Metric.SPO2)[0] == 97.0


def test_bytes_that_need_escapes_survive_them() -> None:
    protocol = DatexProtocol()
    for systolic in (0x7D7E, 0x7E7D, 0x7E7E, 0x7D7D):  # 322 mmHg: more than a cuff can mean
        told = hear(protocol, record(w78=systolic, w118=3))
        assert value(told, Metric.NIBP_SYS) == (None, Validity.OVERFLOW)
        assert value(told, Metric.SPO2)[0] == 97.0


def test_the_wrong_device_is_said_to_be_wrong_once() -> None:
    protocol = DatexProtocol()
    kinds = [notices(hear(protocol, b"\x55" * 300)) for _ in range(20)]
    assert [each for each in kinds if each] == [{NoticeKind.NOT_THIS_DEVICE: True}]


# --- the monitor's own side ----------------------------------------------------------------------


def test_the_monitor_is_silent_until_asked_and_stops_when_told() -> None:
    device = DatexDevice()
    device.say([observe(Metric.SPO2, 97, OPENING)], OPENING)
    assert not device.take_outgoing()
    device.receive(ask_values(1, 5), OPENING)
    device.wake(OPENING)
    due = [device.wake_at]
    device.receive(ask_values(1, 0), OPENING)
    due.append(device.wake_at)
    device.receive(ask_values(1, -1), OPENING)
    device.wake(OPENING)
    due.append(device.wake_at)
    assert due == [instant_at(5), None, None]
    assert len(device.take_outgoing()) == 2


def test_the_two_sides_agree_on_states_waves_alarms_and_times() -> None:
    device, protocol = DatexDevice(), DatexProtocol()
    reading = [
        Observation(each, 120.0 - 20 * n, Validity.VALID, OPENING, OPENING)
        for n, each in enumerate(NIBP)
    ]
    told: list[DeviceEvent] = []
    for tick in range(400):
        now = instant_at(tick / 10)
        if tick % 10 == 0:
            device.say(
                [
                    *reading,
                    observe(Metric.ETCO2, 38, now),
                    WaveformSegment(Metric.CO2_WAVE, now, 25, (19.0,) * 25),
                    WaveformSegment(Metric.PLETH, now, 100, (40_000,) * 100),
                    DeviceNotice(NoticeKind.OCCLUSION, now),
                    DeviceAlarm("etco2_low", now, priority="high"),
                ],
                now,
            )
        device.wake(now)
        for piece in device.take_outgoing():
            told += protocol.receive(piece, now)
        protocol.wake(now)
        for piece in protocol.take_outgoing():
            device.receive(piece, now)
    assert not [each for each in told if isinstance(each, FrameRejected)]
    assert notices(told)[NoticeKind.OCCLUSION]
    assert alarms(told) == [("monitor_alarm_1", True)]
    assert {each.metric for each in told if isinstance(each, WaveformSegment)} == {
        Metric.CO2_WAVE,
        Metric.PLETH,
    }
    assert [each.taken for each in told if isinstance(each, Observation) and each.metric in NIBP][
        :1
    ] != [None]


@settings(max_examples=60)
@given(data=st.binary(min_size=1, max_size=600), kind=st.sampled_from([0, 1, 4, 5, 8, 77]))
def test_any_subrecord_is_read_or_refused(data: bytes, kind: int) -> None:
    for subtype in (1, 2, 4, 8, 9, 200):
        frame = frame_of(record_of(kind, [(subtype, data)], number=1, level=10))
        for event in hear(DatexProtocol(), frame):
            assert event.at == NOW


def test_where_a_capture_begins_does_not_matter() -> None:
    stream = record() + CO2_BLOCK + record(**{f"w{SPO2_AT + 6}": 9000})
    for start in range(len(record()) + len(CO2_BLOCK)):
        told = hear(DatexProtocol(), stream[start:])
        values = [
            each.value
            for each in told
            if isinstance(each, Observation) and each.metric is Metric.SPO2
        ]
        assert values == ([97.0, 90.0] if start == 0 else [90.0])


def test_bytes_lost_at_any_place_cost_only_their_own_record() -> None:
    stream = record() + CO2_BLOCK + record(**{f"w{SPO2_AT + 6}": 9000})
    for place in range(1, len(record()) - 1):
        told = hear(DatexProtocol(), stream[:place] + stream[place + 3 :])
        values = [
            each.value
            for each in told
            if isinstance(each, Observation) and each.metric is Metric.SPO2
        ]
        assert values == [90.0], place
