"""The sums devices close their frames with; each is proven by a printed vector in its test."""

from typing import Final

_X25_POLYNOMIAL: Final = 0x8408


def sum_8(data: bytes) -> int:
    """Return the sum of all bytes, low 8 bits."""
    return sum(data) & 0xFF


def complement_8(data: bytes) -> int:
    """Return the byte that brings the sum of all bytes to a multiple of 256."""
    return -sum(data) & 0xFF


def exclusive_or(data: bytes) -> int:
    """Return the exclusive or of all bytes."""
    result = 0
    for byte in data:
        result ^= byte
    return result


def _x25_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_X25_POLYNOMIAL if byte & 1 else 0)
    return byte


_X25_TABLE: Final = tuple(_x25_row(byte) for byte in range(256))


def crc_16_x25(data: bytes) -> int:
    """Return CRC-16/X.25: reflected 0x8408, start 0xFFFF, result inverted, sent low byte first."""
    result = 0xFFFF
    for byte in data:
        result = (result >> 8) ^ _X25_TABLE[(result ^ byte) & 0xFF]
    return result ^ 0xFFFF
