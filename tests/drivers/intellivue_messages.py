"""Messages of an IntelliVue monitor for tests, put together from the tables without our encoder."""

from collections.abc import Sequence

from drivers.devices.intellivue import IntelliVueProtocol
from drivers.parts.intellivue_wire import Framing, wrap
from monitor.model.event import DeviceAlarm, DeviceEvent, DeviceNotice, NoticeKind, Observation
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric

NOW = instant_at(100)
CLOCK = "2024031510430000"
SPO2 = "4BB8 0000 0220 FF0003CA"
ETCO2 = "50B0 0000 0F20 00000026"
CREATED = bytes.fromhex(
    "E100 0002 0001 0018 0007 0001 0012 0021 0000 0000 00000000 0D06 0004 00000000"
)
ACCEPT_HEAD = bytes.fromhex("0508 1301")
REFUSE = bytes.fromhex("0C02 0508")


def word(number: int) -> bytes:
    return number.to_bytes(2, "big")


def thing(handle: int, *attributes: tuple[int, str]) -> bytes:
    """An object with its attributes, values as hex text."""
    content = b"".join(
        word(name) + word(len(bytes.fromhex(value))) + bytes.fromhex(value)
        for name, value in attributes
    )
    return word(handle) + word(len(attributes)) + word(len(content)) + content


def numeric(handle: int, value: str, *more: tuple[int, str]) -> bytes:
    return thing(handle, (0x0950, value), *more)


def pressures(systolic: int, *more: tuple[int, str], state: int = 0) -> bytes:
    """The cuff's object; the other two are 80 and 93."""
    values = "".join(
        f"{code:04X}{state:04X}0F20{number:08X}"
        for code, number in ((0x4A05, systolic), (0x4A06, 80), (0x4A07, 93))
    )
    return thing(0x826A, (0x094B, f"0003001E{values}"), *more)


def poll(
    *things: bytes,
    about: int = 0x06,
    clock: str = CLOCK,
    ticks: int = 0x12345000,
    sequence: int | None = None,
    linked: str = "",
) -> bytes:
    """A poll result as a bare message; with a sequence number an extended one."""
    objects = b"".join(things)
    context = word(0) + word(len(things)) + word(len(objects)) + objects
    body = b"\x00\x01" + (b"" if sequence is None else word(sequence))
    body += ticks.to_bytes(4, "big") + bytes.fromhex(clock) + b"\x00\x01"
    body += word(about) + b"\x08\x03" + word(1) + word(len(context)) + context
    kind = b"\x0c\x16" if sequence is None else b"\xf1\x3b"
    action = bytes.fromhex("002100000000") + kind + word(len(body)) + body
    inner = bytes.fromhex(linked) + bytes.fromhex("00010007") + word(len(action)) + action
    operation = 5 if linked else 2
    return bytes.fromhex("E1000002") + word(operation) + word(len(inner)) + inner


def entry(source: int, code: int, kind: int, state: int = 0, text: str = "") -> bytes:
    words = text.encode("utf-16-be") + b"\x00\x00"
    more = bytes.fromhex("0001 00000000 0000 4000") + word(len(words)) + words
    head = b"".join(map(word, (source, code, kind, state, 0x36, 0, 0x83D5, 0x0204, len(more))))
    return head + more


def alarm_lists(patient: Sequence[bytes] = (), technical: Sequence[bytes] = ()) -> bytes:
    """A poll of the alarm monitor with both lists."""
    lists = []
    for name, entries in ((0x0902, patient), (0x0904, technical)):
        content = b"".join(entries)
        lists.append((name, (word(len(entries)) + word(len(content)) + content).hex()))
    return poll(thing(1, *lists), about=0x36)


def accept(options: int = 0x8C000000) -> bytes:
    body = ACCEPT_HEAD + bytes.fromhex("00010028 80000000 000009C4")
    body += bytes.fromhex("F0010008") + options.to_bytes(4, "big") + b"\x00\x00\x00\x00"
    return bytes([0x0E, len(body)]) + body


def refused(invoke: int, code: int) -> bytes:
    return bytes.fromhex("E1000002 0003 0006") + word(invoke) + word(code) + word(0)


def hear(
    protocol: IntelliVueProtocol, message: bytes, now: Instant = NOW, *, framed: bool = False
) -> list[DeviceEvent]:
    data = wrap(message, Framing.RS232) if framed else message
    return list(protocol.receive(data, now))


def found(events: Sequence[DeviceEvent], metric: Metric) -> Observation | None:
    told = [each for each in events if isinstance(each, Observation) and each.metric is metric]
    assert len(told) <= 1
    return told[0] if told else None


def value(events: Sequence[DeviceEvent], metric: Metric) -> float | None:
    told = found(events, metric)
    assert told is not None
    return told.value


def notices(events: Sequence[DeviceEvent]) -> dict[NoticeKind, bool]:
    return {each.notice: each.present for each in events if isinstance(each, DeviceNotice)}


def details(events: Sequence[DeviceEvent]) -> list[str]:
    return [each.detail for each in events if isinstance(each, DeviceNotice)]


def alarms(events: Sequence[DeviceEvent]) -> list[tuple[str, bool, str]]:
    return [
        (each.alarm, each.present, each.priority)
        for each in events
        if isinstance(each, DeviceAlarm)
    ]
