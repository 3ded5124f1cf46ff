"""Datex waves, alarm lines, running numbers and clock."""

from collections.abc import Sequence

from drivers.devices.datex import DatexProtocol
from drivers.parts.datex_monitor import wave_block
from drivers.parts.datex_record import (
    frame_of,
    record_of,
)
from drivers.parts.datex_vectors import (
    CO2_BLOCK,
    PLETH_BLOCK,
)
from drivers.parts.datex_waves import CO2_KIND
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    WaveformSegment,
)
from monitor.model.instant import OPENING
from monitor.model.metric import Metric
from tests.drivers.datex_records import (
    RECORD,
    alarm_record,
    alarms,
    hear,
    notices,
    record,
)

# --- waves, alarms, clock ------------------------------------------------------------------------


def test_a_wave_block_is_told_in_mmhg_with_its_rate() -> None:
    told = [each for each in hear(DatexProtocol(), CO2_BLOCK) if isinstance(each, WaveformSegment)]
    assert [(each.metric, each.rate_hz, len(each.samples)) for each in told] == [
        (Metric.CO2_WAVE, 25, 25)
    ]
    assert 7.6 in told[0].samples
    assert max(each for each in told[0].samples if each is not None) == 38.0


def test_control_codes_and_a_lead_that_is_off_are_no_samples() -> None:
    told = [
        each for each in hear(DatexProtocol(), PLETH_BLOCK) if isinstance(each, WaveformSegment)
    ]
    assert told[0].samples[:3] == (32768, 32818, 32868)
    assert told[0].samples[-1] is None
    off = bytearray(PLETH_BLOCK[1:-2])
    off[42] = 8
    told = [
        each
        for each in hear(DatexProtocol(), frame_of(bytes(off)))
        if isinstance(each, WaveformSegment)
    ]
    assert set(told[0].samples) == {None}


def test_a_gap_in_a_wave_is_told_unless_it_is_its_beginning() -> None:
    protocol = DatexProtocol()
    assert NoticeKind.MESSAGES_LOST not in notices(hear(protocol, CO2_BLOCK))
    assert notices(hear(protocol, CO2_BLOCK))[NoticeKind.MESSAGES_LOST]


def test_a_wave_that_promises_more_than_it_has_is_refused() -> None:
    for count in (26, 32767, -1):
        block = wave_block(CO2_KIND, [1.0] * 25)
        body = count.to_bytes(2, "little", signed=True) + block[2:]
        told = hear(DatexProtocol(), frame_of(record_of(1, [(9, body)], number=1, level=10)))
        assert isinstance(told[-1], FrameRejected)
        assert not [each for each in told if isinstance(each, WaveformSegment)]


def test_running_numbers_may_count_all_records_or_each_kind() -> None:
    values, waves = bytearray(RECORD), bytearray(CO2_BLOCK[1:-2])
    waves[42] = 0

    def lost(numbers: Sequence[tuple[bytearray, int]]) -> int:
        protocol, count = DatexProtocol(), 0
        for kind, number in numbers:
            kind[2] = number & 0xFF
            told = hear(protocol, frame_of(bytes(kind)))
            count += NoticeKind.MESSAGES_LOST in notices(told)
        return count

    assert not lost([((values, waves)[n % 2], n) for n in range(300)])
    assert not lost([((values, waves)[n % 2], n // 2) for n in range(300)])
    assert lost([((values, waves)[n % 2], n + 3 * (n > 150)) for n in range(300)]) == 1


def test_alarm_lines_are_told_by_place_and_colour_at_their_edges() -> None:
    protocol = DatexProtocol()
    told = [each for each in hear(protocol, alarm_record()) if isinstance(each, DeviceAlarm)]
    assert [(each.alarm, each.priority, each.detail, each.present) for each in told] == [
        ("monitor_alarm_1", "medium", "SpO2 LOW", True)
    ]
    assert not hear(protocol, alarm_record())
    assert alarms(hear(protocol, alarm_record(b"APN\xd6E", 3))) == [
        ("monitor_alarm_1", False),
        ("monitor_alarm_1", True),
    ]
    assert alarms(hear(protocol, alarm_record(colour=0))) == [("monitor_alarm_1", False)]


def test_audio_paused_on_the_monitor_is_told() -> None:
    protocol = DatexProtocol()
    assert notices(hear(protocol, alarm_record(pause=5)))[NoticeKind.AUDIO_PAUSED_AT_DEVICE]
    assert notices(hear(protocol, alarm_record())) == {NoticeKind.AUDIO_PAUSED_AT_DEVICE: False}
    told = hear(protocol, alarm_record(sound=0))
    assert notices(told) == {NoticeKind.AUDIO_PAUSED_AT_DEVICE: True}


def test_a_clock_that_differs_is_told_at_its_edges_whatever_the_zone() -> None:
    protocol = DatexProtocol({"opened_utc_s": 1_700_000_000.0})
    assert NoticeKind.CLOCK_DIFFERS not in notices(
        hear(protocol, record(time_s=1_700_000_000 + 7200 + 30), OPENING)
    )
    told = hear(protocol, record(time_s=1_700_000_000 + 7200 + 77), OPENING)
    assert notices(told)[NoticeKind.CLOCK_DIFFERS]
    details = [each.detail for each in told if isinstance(each, DeviceNotice)]
    assert "the device's clock is 77 s ahead of ours" in details
    assert not notices(hear(protocol, record(time_s=1_700_000_070), OPENING))
    assert notices(hear(protocol, record(), OPENING)) == {NoticeKind.CLOCK_DIFFERS: False}
