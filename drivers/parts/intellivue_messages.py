"""IntelliVue messages: association, commands, and what a monitor's answers hold. Big-endian.

A message is read whole before anything in it is told: one count or length that contradicts another
refuses all of it.
"""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

import msgspec

from drivers.clock import seconds_since_1970
from drivers.times import days_since_1970

MDS, NUMERICS, WAVES, ENUMERATIONS, ALARMS, PATIENT = 0x21, 0x06, 0x09, 0x05, 0x36, 0x2A
ALL, VALUES, STATIC, ALARM_GROUP, PRODUCTION = 0x0000, 0x0803, 0x0811, 0x0801, 0x080C
SINGLE_POLL, EXTENDED_POLL, CREATE_EVENT = 0x0C16, 0xF13B, 0x0D06
WAVE_LIST: Final = 0xF23A
PERIOD_ID: Final = 0xF13E
INVOKE, RESULT, ERROR, LINKED = 1, 2, 3, 5
EVENT, CONFIRMED_EVENT, GET, SET, CONFIRMED_SET, ACTION = 0, 1, 3, 4, 5, 7
TICKS_PER_S: Final = 8000
NUMERICS_1_S, WAVES_GRANTED, ENUMS_GRANTED = 0x80000000, 0x08000000, 0x04000000
_OBJECTS_MAX: Final = 1000

_BEFORE: Final = bytes.fromhex(
    "0508 1301 0016 0102 8000 1402 0002 C1DC 3180 A080 8001 0100 00A2 80A0 0300"
    "0001 A480 3080 0201 0106 0452 0100 0130 8006 0251 0100 0000 0030 8002 0102 060C"
    "2A86 48CE 1402 0100 0000 0101 3080 060C 2A86 48CE 1402 0100 0000 0201 0000 0000"
    "0000 6180 3080 0201 01A0 8060 80A1 8006 0C2A 8648 CE14 0201 0000 0003 0100 00BE"
    "8028 8006 0C2A 8648 CE14 0201 0000 0001 0102 0102 8148"
)
_PROFILE: Final = Struct(">5I6H6I4HI2H")
_VERSION, _NOMENCLATURE, _COLD_START = 0x80000000, 0x40000000, 0x20000000
CLIENT, SERVER = 0x80000000, 0x00800000
_PERIOD_MIN, _SIZE_MAX = 2500, 1000
_POLL_OPTIONS: Final = 0x60000000
_EXTENDED_OPTIONS: Final = b"\xf0\x01\x00\x08"
_PROFILE_HEAD: Final = b"\x00\x01\x00\x28\x80\x00\x00\x00"

REQUEST_BYTE, ACCEPT_BYTE, REFUSE_BYTE, RELEASE_BYTE, RELEASED_BYTE, ABORT_BYTE, DATA_BYTE = (
    0x0D, 0x0E, 0x0C, 0x09, 0x0A, 0x19, 0xE1,
)  # fmt: skip
SESSIONS: Final = {
    REQUEST_BYTE: "association request",
    ACCEPT_BYTE: "accept",
    REFUSE_BYTE: "refuse",
    RELEASE_BYTE: "release request",
    RELEASED_BYTE: "release response",
    ABORT_BYTE: "abort",
}
RELEASE: Final = bytes.fromhex("0918C11661803080020101A08062808001000000000000000000")
RELEASED: Final = bytes.fromhex("0A18C11661803080020101A08063808001000000000000000000")
ABORT: Final = bytes.fromhex(
    "192E110103C129A080A0803080020101060251010000000061803080020101A0806480800101000000000000"
    "00000000"
)
REFUSAL: Final = bytes.fromhex("0C0A05081301001601028000")
"""A refusal of our own making, for the simulated monitor; what a real one holds is not known."""


class Object(NamedTuple):
    """One object of a poll result; `key` is context and handle, unique for one monitor."""

    key: tuple[int, int]
    attributes: dict[int, bytes]


class Poll(msgspec.Struct, frozen=True):
    """A poll result, or one part of one. `ticks` is the monitor's uptime in 1/8 ms.

    `clock_s`: seconds since 1970 by the monitor's own clock, in its own zone; None if not known.
    """

    invoke: int
    number: int
    sequence: int | None
    ticks: int
    clock_s: float | None
    object_class: int
    group: int
    objects: tuple[Object, ...]


class Session(msgspec.Struct, frozen=True):
    """A message of the association, known by its first byte."""

    byte: int
    body: bytes


class Created(msgspec.Struct, frozen=True):
    """The monitor presents itself, and waits to be answered with this invoke number."""

    invoke: int


class Refused(msgspec.Struct, frozen=True):
    """The monitor could not do what was asked with this invoke number."""

    invoke: int
    code: int


class Done(msgspec.Struct, frozen=True):
    """The monitor did what was asked with this invoke number."""

    invoke: int


class FromHost(msgspec.Struct, frozen=True):
    """A message that a host sends; `words` say what it wants."""

    words: str


class Indication(msgspec.Struct, frozen=True):
    """A monitor announces itself on the network."""


Message: TypeAlias = Poll | Session | Created | Refused | Done | FromHost | Indication
ERRORS: Final = {
    0: "no such object class",
    1: "no such object",
    2: "access denied",
    9: "no such action",
    10: "processing failure",
    15: "invalid argument",
}


class BrokenMessageError(ValueError):
    """A count, length or size in a message contradicts another."""


class Cursor:
    """Reads big-endian numbers and stretches from a message, and never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = len(data)
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            BrokenMessageError: there are not so many.
        """
        at = self._at
        end = self._at = at + size
        if end > self._size:
            raise BrokenMessageError("message shorter than it says")
        return self._data[at:end]

    def number(self, size: int = 2) -> int:
        """Return the next unsigned number, of two bytes or as many as asked.

        Raises:
            BrokenMessageError: there are not so many bytes.
        """
        at = self._at
        end = self._at = at + size
        if end > self._size:
            raise BrokenMessageError("message shorter than it says")
        return int.from_bytes(self._data[at:end], "big")

    def listed(self) -> tuple[int, "Cursor"]:
        """Return a list's count and its content, told apart from what follows by its length."""
        count, size = self.number(), self.number()
        if count > _OBJECTS_MAX:
            raise BrokenMessageError("count cannot be")
        return count, Cursor(self.take(size))

    def end(self) -> None:
        """Insist that all was read."""
        if self._at != self._size:
            raise BrokenMessageError("list longer than its count")


def attributes_in(cursor: Cursor) -> dict[int, bytes]:
    """Return the attribute list that begins here, by attribute number.

    Raises:
        BrokenMessageError: counts and lengths contradict each other.
    """
    count, content = cursor.listed()
    found: dict[int, bytes] = {}
    for _ in range(count):
        name = content.number()
        found[name] = content.take(content.number())
    content.end()
    return found


def open_message(message: bytes) -> Message | str:
    """Return what a message holds, or why it is not to be believed."""
    try:
        if message[0] in SESSIONS:
            return Session(message[0], message[2:])
        if message[0] == 0:
            return Indication()
        if message[0] != DATA_BYTE:
            return "not a message of this protocol"
        return _open_data(Cursor(message[4:]))
    except BrokenMessageError as broken:
        return str(broken)


def _open_data(cursor: Cursor) -> Message | str:
    kind = cursor.number()
    body = Cursor(cursor.take(cursor.number()))
    if kind == LINKED:
        body.take(2)  # which part this is; each part is complete in itself
    invoke = body.number()
    if kind == ERROR:
        return Refused(invoke, body.number())
    command = body.number()
    content = Cursor(body.take(body.number()))
    if kind == INVOKE:
        return _open_invoke(invoke, command, content)
    if kind not in {RESULT, LINKED}:
        return "operation not known"
    if command == ACTION:
        return _open_poll(invoke, content)
    if command == CONFIRMED_EVENT:
        return FromHost("create result")
    return Done(invoke)


def _open_invoke(invoke: int, command: int, content: Cursor) -> Message | str:
    content.take(6)
    if command in {EVENT, CONFIRMED_EVENT}:
        content.take(4)  # time
        what = content.number()
        return Created(invoke) if what == CREATE_EVENT else FromHost(f"event {what:04X}")
    if command != ACTION:
        names = {GET: "get", SET: "set", CONFIRMED_SET: "confirmed set"}
        return FromHost(names.get(command, f"command {command}"))
    content.take(4)  # scope
    kind = content.number()
    asked = Cursor(content.take(content.number()))
    asked.take(4)  # poll number, partition
    name = {SINGLE_POLL: "single poll", EXTENDED_POLL: "extended poll"}.get(kind, f"{kind:04X}")
    return FromHost(f"{name} of class {asked.number():04X}, group {asked.number():04X}")


def _open_poll(invoke: int, content: Cursor) -> Poll | Done:
    content.take(6)
    kind = content.number()
    body = Cursor(content.take(content.number()))
    if kind not in {SINGLE_POLL, EXTENDED_POLL}:
        return Done(invoke)
    number = body.number()
    sequence = body.number() if kind == EXTENDED_POLL else None
    ticks = body.number(4)
    clock_s = clock_s_of(body.take(8))
    body.take(2)
    object_class, group = body.number(), body.number()
    objects: list[Object] = []
    count, contexts = body.listed()
    for _ in range(count):
        context = contexts.number()
        inside, content = contexts.listed()
        for _ in range(inside):
            handle = content.number()
            objects.append(Object((context, handle), attributes_in(content)))
        content.end()
    contexts.end()
    return Poll(invoke, number, sequence, ticks, clock_s, object_class, group, tuple(objects))


@lru_cache(maxsize=64)  # a cuff's time comes again with every cycle
def clock_s_of(digits: bytes) -> float | None:
    """Return a time of eight BCD bytes as seconds since 1970 in its own zone; None where none is.

    Bytes: century, year, month, day, hour, minute, second, fraction of a second.
    """
    if len(digits) != 8 or any(byte >> 4 > 9 or byte & 15 > 9 for byte in digits[:7]):
        return None
    century, year, month, day, *time = ((byte >> 4) * 10 + (byte & 15) for byte in digits[:7])
    return seconds_since_1970((century * 100 + year, month, day), time)


def clock_digits(clock_s: int) -> bytes:
    """Return seconds since 1970 as the eight BCD bytes of a time."""
    days, second = divmod(clock_s, 86_400)
    year = 1970
    while (size := 366 if days_since_1970(year, 2, 29) is not None else 365) <= days:
        days -= size
        year += 1
    first = days_since_1970(year, 1, 1) or 0
    month = max(
        each for each in range(1, 13) if (days_since_1970(year, each, 1) or 0) - first <= days
    )
    day = days - ((days_since_1970(year, month, 1) or 0) - first) + 1
    parts = (year // 100, year % 100, month, day, second // 3600, second // 60 % 60, second % 60, 0)
    return bytes(each // 10 << 4 | each % 10 for each in parts)


# -- what a host sends ---------------------------------------------------------------------------


def association(byte: int, options: int, system: int = CLIENT, period: int = _PERIOD_MIN) -> bytes:
    """Return an association request, or the simulated monitor's accept in the same layout."""
    profile = _PROFILE.pack(
        *(_VERSION, _NOMENCLATURE, 0, system, _COLD_START),
        *(0, 0, 1, 0x2C, 1, 0x28),
        *(0x80000000, period, period, _SIZE_MAX, 0xFFFFFFFF, _POLL_OPTIONS),
        *(1, 0x0C, 0xF001, 8, options, 0, 0),
    )
    body = _BEFORE + profile + bytes(16)
    return bytes([byte, len(body)]) + body


def granted(body: bytes) -> tuple[int | None, int | None]:
    """Return the extended options and the least poll period (1/8 ms) in an association message."""
    at = body.find(_EXTENDED_OPTIONS)
    options = int.from_bytes(body[at + 4 : at + 8], "big") if 0 <= at <= len(body) - 8 else None
    at = body.find(_PROFILE_HEAD)
    period = int.from_bytes(body[at + 8 : at + 12], "big") if 0 <= at <= len(body) - 12 else None
    return options, period


def data_message(operation: int, content: bytes, *, linked: bytes = b"") -> bytes:
    """Return a data message; `linked` is the state and count that go before a linked part."""
    size = len(linked) + len(content)
    return b"\xe1\x00\x00\x02" + Struct(">HH").pack(operation, size) + linked + content


def command(kind: int, invoke: int, body: bytes) -> bytes:
    """Return a command to the monitor as a whole, or the answer to one; without its operation."""
    content = Struct(">HHH").pack(MDS, 0, 0) + body
    return Struct(">HHH").pack(invoke, kind, len(content)) + content


def single_poll(invoke: int, number: int, object_class: int, group: int) -> bytes:
    """Return a question that is answered once."""
    body = Struct(">IHHHHHH").pack(0, SINGLE_POLL, 8, number, 1, object_class, group)
    return data_message(INVOKE, command(ACTION, invoke, body))


def extended_poll(invoke: int, number: int, object_class: int, group: int, period_s: int) -> bytes:
    """Return a question that is answered again and again for `period_s` seconds."""
    head = Struct(">IHHHHHH").pack(0, EXTENDED_POLL, 0x14, number, 1, object_class, group)
    period = Struct(">HHHHI").pack(1, 8, PERIOD_ID, 4, period_s * TICKS_PER_S)
    return data_message(INVOKE, command(ACTION, invoke, head + period))


def set_wave_list(invoke: int, labels: Sequence[int]) -> bytes:
    """Return the command that chooses which waves are sent."""
    value = Struct(f">HH{len(labels)}I").pack(len(labels), 4 * len(labels), *labels)
    change = Struct(">HHH").pack(0, WAVE_LIST, len(value)) + value
    body = Struct(">IHH").pack(0, 1, len(change)) + change
    return data_message(INVOKE, command(CONFIRMED_SET, invoke, body))


def create_result(invoke: int) -> bytes:
    """Return the answer without which a monitor sends no data."""
    body = Struct(">IHH").pack(0, CREATE_EVENT, 0)
    return data_message(RESULT, command(CONFIRMED_EVENT, invoke, body))
