"""A small reader and writer of Protocol Buffers: fields by number, and nothing about any schema.

Wire types 0 (varint), 1 (8 bytes), 2 (length and bytes), 5 (4 bytes); groups are refused.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
_VARINT_SIZE_MAX: Final = 10


class ProtobufError(ValueError):
    """The bytes are no message."""


class Field(NamedTuple):
    """One field: its number, and an integer or bytes by its wire type."""

    number: int
    wire: int
    value: int | bytes

    def whole(self) -> int:
        """Return a varint; raises ProtobufError if it is none."""
        if not isinstance(self.value, int):
            raise ProtobufError(f"field {self.number} is no integer")
        return self.value

    def content(self) -> bytes:
        """Return bytes; raises ProtobufError if it has none."""
        if self.wire != BYTES or isinstance(self.value, int):
            raise ProtobufError(f"field {self.number} has no bytes")
        return self.value

    def text(self) -> str:
        """Return text; raises ProtobufError if it is no UTF-8."""
        try:
            return self.content().decode()
        except UnicodeDecodeError as error:
            raise ProtobufError(f"field {self.number} is no text") from error

    def real(self) -> float:
        """Return a float or a double; raises ProtobufError if it is none."""
        if isinstance(self.value, int) or self.wire == BYTES:
            raise ProtobufError(f"field {self.number} is no float")
        (value,) = struct.unpack("<d" if self.wire == EIGHT else "<f", self.value)
        assert isinstance(value, float), "a float is asked for"
        return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_VARINT_SIZE_MAX):
        if at + place >= len(data):
            raise ProtobufError("it ends in the middle of a number")
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
    raise ProtobufError("a number is too long")


def fields(data: bytes) -> Iterator[Field]:
    """Give the fields of a message in order.

    Raises:
        ProtobufError: the bytes are no message; fields before the flaw were given.
    """
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ProtobufError("field 0")
        if wire == VARINT:
            value, at = _varint(data, at)
            yield Field(number, wire, value)
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in {EIGHT, FOUR}:
            size = 8 if wire == EIGHT else 4
        else:
            raise ProtobufError(f"wire type {wire}")
        if size > len(data) - at:
            raise ProtobufError("it ends in the middle of a field")
        yield Field(number, wire, data[at : at + size])
        at += size


def varint(value: int) -> bytes:
    """Return a number as varint."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def field(number: int, value: int | float | str | bytes) -> bytes:  # noqa: PYI041
    """Return a field: whole numbers as varint, floats as double, text and bytes with their size."""
    if isinstance(value, float):
        return varint(number << 3 | EIGHT) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | BYTES) + varint(len(content)) + content
