"""The IntelliVue conversation: association, polls, refusals, silence; both sides together."""

import pytest

from drivers.devices.intellivue import IntelliVueProtocol
from drivers.parts.intellivue_messages import (
    ABORT,
    RELEASE,
    association,
    create_result,
    extended_poll,
    single_poll,
)
from drivers.parts.intellivue_monitor import IntelliVueDevice
from drivers.parts.intellivue_wire import Framing, wrap
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
from monitor.model.instant import OPENING, Instant, instant_at
from monitor.model.metric import NIBP, Metric
from tests.drivers.intellivue_messages import (
    CREATED,
    REFUSE,
    SPO2,
    accept,
    alarms,
    details,
    found,
    hear,
    notices,
    numeric,
    poll,
    refused,
    thing,
)

REQUEST = association(0x0D, 0x8C000000)
SATURATION = poll(numeric(0x83D5, SPO2))


# --- the association -----------------------------------------------------------------------------


def asked(protocol: IntelliVueProtocol, *, until: float, start: float = 0.0) -> list[bytes]:
    """What the protocol sends by itself until then."""
    sent: list[bytes] = []
    now = instant_at(start)
    while now <= instant_at(until):
        protocol.wake(now)
        sent += protocol.take_outgoing()
        due = protocol.wake_at
        assert due is not None
        now = max(due, Instant(now + 1))
    return sent


def running(now: Instant = OPENING) -> IntelliVueProtocol:
    protocol = IntelliVueProtocol({"framing": "lan"})
    protocol.wake(now)
    hear(protocol, accept(), now)
    hear(protocol, CREATED, now)
    protocol.take_outgoing()
    return protocol


def test_until_something_is_heard_requests_go_out_in_both_framings() -> None:
    sent = asked(IntelliVueProtocol(), until=8)
    assert sent == [wrap(REQUEST, Framing.RS232), REQUEST] * 2
    assert set(asked(IntelliVueProtocol({"framing": "lan"}), until=8)) == {REQUEST}


def test_the_monitor_is_answered_each_time_it_presents_itself() -> None:
    protocol = IntelliVueProtocol({"framing": "lan"})
    protocol.wake(OPENING)
    assert protocol.take_outgoing() == [REQUEST]
    hear(protocol, accept(), OPENING)
    for second in (1, 3):
        hear(protocol, CREATED, instant_at(second))
        assert protocol.take_outgoing()[0] == create_result(7)


def test_polls_begin_and_are_renewed_before_they_end() -> None:
    protocol = running()
    sent: list[bytes] = []
    for second in range(70):
        sent += asked(protocol, start=second, until=second + 0.9)
        hear(protocol, SATURATION, instant_at(second + 0.95))
    extended = [each for each in sent if b"\xf1\x3b" in each]
    assert [each[each.index(b"\xf1\x3b") + 8 :][:2] for each in extended].count(b"\x00\x06") == 3
    assert [each[each.index(b"\xf1\x3b") + 8 :][:2] for each in extended].count(b"\x00\x09") == 3
    assert 68 <= sum(b"\x00\x36\x08\x01" in each for each in sent) <= 72
    assert sum(b"\xf2\x3a" in each for each in sent) == 1


def test_waves_that_were_not_granted_or_not_wanted_are_not_asked_for() -> None:
    for options, granted_options in (({"waves": False}, 0x8C000000), ({}, 0x80000000)):
        protocol = IntelliVueProtocol({"framing": "lan", **options})
        protocol.wake(OPENING)
        hear(protocol, accept(granted_options), OPENING)
        hear(protocol, CREATED, OPENING)
        sent = asked(protocol, until=5)
        assert not any(b"\xf2\x3a" in each or b"\x00\x09\x00\x00" in each for each in sent)


def test_without_a_stream_of_numerics_they_are_asked_for_each_second() -> None:
    protocol = IntelliVueProtocol({"framing": "lan", "waves": False})
    hear(protocol, accept(0), OPENING)
    hear(protocol, CREATED, OPENING)
    protocol.take_outgoing()
    sent = asked(protocol, until=5)
    assert 4 <= sum(b"\x0c\x16" in each and b"\x00\x06\x00\x00" in each for each in sent) <= 6


def test_a_refusal_is_told_once_and_met_with_a_release() -> None:
    protocol = IntelliVueProtocol({"framing": "lan"})
    protocol.wake(OPENING)
    protocol.take_outgoing()
    assert notices(hear(protocol, REFUSE, OPENING)) == {NoticeKind.REQUEST_REFUSED: True}
    assert asked(protocol, start=0, until=2.5) == [RELEASE, REQUEST]
    assert not hear(protocol, REFUSE, instant_at(3))
    asked(protocol, start=3, until=6)
    assert notices(hear(protocol, accept(), instant_at(6))) == {NoticeKind.REQUEST_REFUSED: False}


def test_silence_breaks_the_association_off_and_begins_a_new_one() -> None:
    protocol = running()
    sent = asked(protocol, until=12)
    assert sent[-2:] == [ABORT, REQUEST]


@pytest.mark.parametrize("end", [ABORT, RELEASE])
def test_a_monitor_that_leaves_is_associated_anew(end: bytes) -> None:
    protocol = running()
    asked(protocol, until=2)
    hear(protocol, end, instant_at(2))
    assert REQUEST in asked(protocol, start=2, until=4)


def test_a_monitor_that_never_presents_itself_is_asked_again() -> None:
    protocol = IntelliVueProtocol({"framing": "lan"})
    hear(protocol, accept(), OPENING)
    assert asked(protocol, until=11.5) == [REQUEST]


def test_an_announcement_is_answered_at_once() -> None:
    protocol = IntelliVueProtocol({"framing": "lan"})
    asked(protocol, until=1)
    announced = bytes.fromhex("00000100 0001 0004 00000D17")
    hear(protocol, announced, instant_at(1))
    assert asked(protocol, start=1, until=1.5) == [REQUEST]


def test_what_the_monitor_does_not_do_is_done_without() -> None:
    protocol = running()
    sent = asked(protocol, until=0.5)
    told: list[DeviceEvent] = []
    for each in sent:
        told += hear(protocol, refused(int.from_bytes(each[8:10], "big"), 2), instant_at(0.6))
    assert set(details(told)) == {
        f"poll of {step}: access denied" for step in ("numerics", "alarms", "waves", "choose waves")
    }
    again = b"".join(asked(protocol, start=0.6, until=5))
    assert b"\xf1\x3b" not in again  # single polls of numerics, and a word to stay associated
    assert again.count(b"\x00\x06\x00\x00") >= 3
    assert again.count(b"\x00\x21\x08\x0c") >= 3


def test_lost_cycles_of_a_poll_are_told_and_linked_parts_are_none() -> None:
    protocol = IntelliVueProtocol()
    part = numeric(0x83D5, SPO2)
    hear(protocol, poll(part, sequence=1, linked="0101"))
    assert not notices(hear(protocol, poll(sequence=1)))
    assert not notices(hear(protocol, poll(part, sequence=2)))
    assert details(hear(protocol, poll(part, sequence=5))) == ["2 cycles of a poll of class 0006"]


# --- both sides together -------------------------------------------------------------------------


def converse(
    protocol: IntelliVueProtocol, device: IntelliVueDevice, said: list[DeviceEvent], ticks: int
) -> list[DeviceEvent]:
    told: list[DeviceEvent] = []
    for tick in range(ticks):
        now = instant_at(tick / 16)
        if tick % 16 == 0:
            device.say(said, now)
        if device.wake_at is not None and device.wake_at <= now:
            device.wake(now)
        for piece in device.take_outgoing():
            told += protocol.receive(piece, now)
        protocol.wake(now)
        for piece in protocol.take_outgoing():
            device.receive(piece, now)
    return told


@pytest.mark.parametrize("framing", ["auto", "lan", "rs232"])
@pytest.mark.hazard("H21")
def test_the_two_sides_agree_and_demo_data_stay_marked(framing: str) -> None:
    demo = GenerationMode.DEMO
    said: list[DeviceEvent] = [
        *(
            Observation(each, 120.0 - 20 * n, Validity.VALID, OPENING, OPENING, demo)
            for n, each in enumerate(NIBP)
        ),
        *(
            Observation(metric, number, Validity.VALID, OPENING, None, demo)
            for metric, number in (
                (Metric.SPO2, 96.0),
                (Metric.ETCO2, 38.0),
                (Metric.RESP_RATE, 14.0),
                (Metric.HEART_RATE, 71.0),
            )
        ),
        WaveformSegment(Metric.CO2_WAVE, OPENING, 62.5, (19.0,) * 62, demo),
        WaveformSegment(Metric.PLETH, OPENING, 125, (40_000.0,) * 125, demo),
        DeviceNotice(NoticeKind.OCCLUSION, OPENING, mode=demo),
        DeviceAlarm("no_breath", OPENING, mode=demo, priority="high"),
    ]
    device = IntelliVueDevice()
    told = converse(IntelliVueProtocol({"framing": framing}), device, said, 16 * 40)
    assert not [each for each in told if isinstance(each, FrameRejected)]
    assert {each.metric for each in told if isinstance(each, Observation)} >= {*NIBP, Metric.SPO2}
    waves = [each for each in told if isinstance(each, WaveformSegment)]
    assert {each.samples[0] for each in waves if each.metric is Metric.CO2_WAVE} == {19.0}
    assert {(each.metric, each.rate_hz) for each in waves} == {
        (Metric.CO2_WAVE, 62.5),
        (Metric.PLETH, 125),
    }
    assert notices(told)[NoticeKind.OCCLUSION]
    assert ("no_breath", True, "high") in alarms(told)
    assert {each.mode for each in told if not isinstance(each, FrameRejected)} == {demo}
    assert NoticeKind.MESSAGES_LOST not in notices(told)
    assert sum(isinstance(each, Observation) and each.metric is NIBP[0] for each in told) == 1


def test_a_second_host_is_refused_until_the_first_is_released_or_falls_silent() -> None:
    device = IntelliVueDevice()
    device.receive(REQUEST, OPENING)
    assert device.take_outgoing()[0][0] == 0x0E
    device.receive(REQUEST, OPENING)
    assert [each[0] for each in device.take_outgoing()] == [0x0C]
    device.receive(single_poll(1, 1, 6, 0), OPENING)
    assert not device.take_outgoing(), "no poll is answered before the monitor was"
    device.wake(instant_at(2))
    assert [each[0] for each in device.take_outgoing()] == [0xE1], "it presents itself again"
    device.receive(RELEASE, instant_at(3))
    assert [each[0] for each in device.take_outgoing()] == [0x0A]
    assert device.wake_at is None
    device.receive(REQUEST, instant_at(4))
    device.take_outgoing()
    device.wake(instant_at(15))
    assert device.take_outgoing() == [ABORT]


def test_the_monitor_refuses_what_was_not_asked_for_at_the_start() -> None:
    device = IntelliVueDevice()
    device.receive(association(0x0D, 0x80000000), OPENING)
    device.receive(create_result(1), OPENING)
    device.take_outgoing()
    device.receive(extended_poll(5, 5, 9, 0, 60), OPENING)
    assert device.take_outgoing() == [refused(5, 2)]


def test_an_old_association_of_ours_is_released_before_a_new_one_is_asked_for() -> None:
    device, protocol = IntelliVueDevice(), IntelliVueProtocol({"framing": "lan"})
    device.receive(REQUEST, OPENING)  # of a conversation that is over
    device.take_outgoing()
    told = converse(
        protocol, device, [Observation(Metric.SPO2, 97.0, Validity.VALID, OPENING)], 160
    )
    assert found([each for each in told if isinstance(each, Observation)][:1], Metric.SPO2)


def test_a_poll_of_no_class_we_read_is_remarked_on_once_and_tells_nothing_else() -> None:
    protocol = IntelliVueProtocol()
    patient = poll(thing(1, (0x0984, "00")), about=0x2A)
    assert details(hear(protocol, patient)) == ["a poll of class 002A, not read"]
    assert not hear(protocol, patient)
    assert not hear(protocol, poll(thing(1, (0x0984, "00")), about=0x21))  # what keeps us alive
