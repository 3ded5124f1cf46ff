"""Records of a Datex monitor for tests: the worked example, changed word by word."""

from collections.abc import Sequence
from struct import pack_into

from drivers.devices.datex import DatexProtocol
from drivers.parts.datex_displayed import NIBP_AT
from drivers.parts.datex_record import (
    frame_of,
    record_of,
)
from drivers.parts.datex_vectors import (
    DISPLAYED,
)
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric

NOW = instant_at(100)
RECORD = DISPLAYED[1:-2]
DATA = 44  # of the class data in the record
CUFF_LABEL = NIBP_AT + 4
MEASURING, IS_OLD = 0x20, 0x100


def record(level: int = 10, time_s: int = 1_700_000_000, **words: int) -> bytes:
    """The worked example with words of the class data changed: w78=... is the word at 78."""
    changed = bytearray(RECORD)
    changed[3] = level
    changed[6:10] = time_s.to_bytes(4, "little")
    for place, number in words.items():
        pack_into("<h" if number < 0 else "<H", changed, DATA + int(place[1:]), number)
    return frame_of(bytes(changed))


def cuff(systolic: int, label: int = 0) -> dict[str, int]:
    return {f"w{CUFF_LABEL}": label, f"w{NIBP_AT + 6}": systolic * 100}


def auxiliary(taken_s: int, now_s: int) -> bytes:
    body = taken_s.to_bytes(4, "little").ljust(114, b"\x00")
    return frame_of(record_of(0, [(4, body)], number=9, level=10, time_s=now_s))


def hear(protocol: DatexProtocol, data: bytes, now: Instant = NOW) -> list[DeviceEvent]:
    return list(protocol.receive(data, now))


def found(events: Sequence[DeviceEvent], metric: Metric) -> Observation | None:
    told = [each for each in events if isinstance(each, Observation) and each.metric is metric]
    assert len(told) <= 1
    return told[0] if told else None


def value(events: Sequence[DeviceEvent], metric: Metric) -> tuple[float | None, Validity]:
    told = found(events, metric)
    assert told is not None
    return told.value, told.validity


def notices(events: Sequence[DeviceEvent]) -> dict[NoticeKind, bool]:
    return {each.notice: each.present for each in events if isinstance(each, DeviceNotice)}


def alarms(events: Sequence[DeviceEvent]) -> list[tuple[str, bool]]:
    return [(each.alarm, each.present) for each in events if isinstance(each, DeviceAlarm)]


def alarm_record(
    text: bytes = b"SpO2 LOW", colour: int = 2, pause: int = 0, sound: int = 1
) -> bytes:
    body = bytearray(510)
    pack_into("<h", body, 2, sound)
    pack_into("<h", body, 8, pause)
    body[10 : 10 + len(text)] = text
    pack_into("<h", body, 10 + 82, colour)
    return frame_of(record_of(4, [(1, bytes(body))], number=1, level=10, time_s=1_700_000_000))
