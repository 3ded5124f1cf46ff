"""A small reader of CBOR (RFC 8949): what sensor messages are made of, and nothing more.

Read are integers, byte and text strings of stated length, arrays and maps of stated or open length,
true, false, null, floats of 16, 32 and 64 bits, decimal fractions (tag 4), and the tag that only
says "this is CBOR". Anything else, a key met twice, and bytes left over are refused.
"""

import struct
from typing import Final, TypeAlias

Item: TypeAlias = "int | float | str | bytes | bool | list[Item] | dict[Item, Item] | None"

SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
_DEPTH_MAX: Final = 8
_EXPONENT_MAX: Final = 30
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_OPEN: Final = 31
_BREAK: Final = 0xFF
_SIZES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_WORDS: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None, 23: None}
_DECIMAL_FRACTION: Final = 4


class CborError(ValueError):
    """The bytes are no CBOR that is read here."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise CborError("it ends in the middle of an item")
        self.at += size
        return taken

    def item(self, depth: int) -> Item:
        if depth > _DEPTH_MAX:
            raise CborError("nested too deeply")
        first = self.take(1)[0]
        major, extra = first >> 5, first & 0x1F
        if major == _SIMPLE:
            return self._simple(extra)
        if extra == _OPEN and major in {_ARRAY, _MAP}:
            return self._many(major, None, depth)
        count = self._count(extra)
        if major in {_UNSIGNED, _NEGATIVE}:
            return count if major == _UNSIGNED else -1 - count
        if major in {_ARRAY, _MAP}:
            return self._many(major, count, depth)
        if major == _TAG:
            return self._tagged(count, depth)
        content = self.take(count)
        return content if major == _BYTES else _text(content)

    def _count(self, extra: int) -> int:
        if extra < 24:
            return extra
        if extra not in _SIZES:
            raise CborError(f"length of kind {extra}")
        return int.from_bytes(self.take(_SIZES[extra]), "big")

    def _simple(self, extra: int) -> Item:
        if extra in _FLOATS:
            (value,) = struct.unpack(_FLOATS[extra], self.take(_SIZES[extra]))
            assert isinstance(value, float), "a float is asked for"
            return value
        if extra not in _WORDS:
            raise CborError(f"simple value {extra}")
        return _WORDS[extra]

    def _is_more(self, count: int | None, done: int) -> bool:
        if count is not None:
            return done < count
        if self.data[self.at : self.at + 1] != bytes([_BREAK]):
            return True
        self.at += 1
        return False

    def _many(self, major: int, count: int | None, depth: int) -> Item:
        """Read an array or a map; each element takes a byte at least, so the input bounds it."""
        elements: list[Item] = []
        pairs: dict[Item, Item] = {}
        done = 0
        while self._is_more(count, done):
            done += 1
            key = self.item(depth + 1)
            if major == _ARRAY:
                elements.append(key)
                continue
            if not isinstance(key, int | str) or key in pairs:
                raise CborError("a key is none, or met twice")
            pairs[key] = self.item(depth + 1)
        return elements if major == _ARRAY else pairs

    def _tagged(self, tag: int, depth: int) -> Item:
        content = self.item(depth + 1)
        if tag != _DECIMAL_FRACTION:
            raise CborError(f"tag {tag}")
        if not isinstance(content, list) or len(content) != 2:
            raise CborError("a decimal fraction is none")
        exponent, mantissa = content
        if type(exponent) is not int or type(mantissa) is not int or abs(exponent) > _EXPONENT_MAX:
            raise CborError("a decimal fraction is none")
        return float(mantissa) * 10.0**exponent if exponent > 0 else mantissa / 10**-exponent


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CborError("text is no UTF-8") from error


def read_cbor(data: bytes) -> Item:
    """Return the one item that `data` is.

    Raises:
        CborError: it is not one whole item of the kinds read here.
    """
    reader = _Reader(data.removeprefix(SELF_DESCRIBED))
    item = reader.item(0)
    if reader.at != len(reader.data):
        raise CborError("bytes are left over")
    return item
