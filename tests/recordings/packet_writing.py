"""Writes packet files of every kind the reader knows; kept apart from the reader on purpose."""

import struct
from collections.abc import Iterable, Sequence
from enum import Enum
from ipaddress import ip_address

import msgspec

NS = 1_000_000_000


class Link(Enum):
    """Link layers, by their registered numbers."""

    ETHERNET = 1
    VLAN = -1  # Ethernet with a tag
    TWO_TAGS = -2
    NULL = 0
    LOOP = 108
    RAW = 101
    SLL = 113
    SLL2 = 276


class Format(Enum):
    """File formats and how their clocks count: byte order, kind, ticks."""

    PCAP_LITTLE = ("<", "pcap", 10**6)
    PCAP_BIG = (">", "pcap", 10**6)
    PCAP_LITTLE_NS = ("<", "pcap", NS)
    PCAP_BIG_NS = (">", "pcap", NS)
    NG_LITTLE = ("<", "ng", 10**6)
    NG_BIG = (">", "ng", 10**6)
    NG_NS = ("<", "ng", NS)
    NG_BINARY = (">", "ng", 2**20)
    NG_OLD = ("<", "ng-old", 10**6)
    NG_SIMPLE = (">", "ng-simple", 10**6)


class Taken(msgspec.Struct, frozen=True):
    """A packet as captured: when, its bytes, how many of them the program kept."""

    at_ns: int
    data: bytes
    kept: int | None = None


def network(packet: bytes, link: Link) -> bytes:
    """Return an IP packet in its link layer."""
    is_v4 = packet[0] >> 4 == 4
    kind = struct.pack(">H", 0x0800 if is_v4 else 0x86DD)
    family = 2 if is_v4 else 30
    heads = {
        Link.ETHERNET: b"\x02" * 6 + b"\x04" * 6 + kind,
        Link.VLAN: b"\x02" * 6 + b"\x04" * 6 + b"\x81\x00\x00\x07" + kind,
        Link.TWO_TAGS: b"\x02" * 6 + b"\x04" * 6 + b"\x88\xa8\x00\x07\x81\x00\x00\x08" + kind,
        Link.NULL: struct.pack("<I", family),
        Link.LOOP: struct.pack(">I", family),
        Link.RAW: b"",
        Link.SLL: struct.pack(">HHH8s", 0, 1, 6, b"\x02" * 6) + kind,
        Link.SLL2: kind + struct.pack(">HIHBB8s", 0, 3, 1, 0, 6, b"\x02" * 6),
    }
    assert len(heads[Link.SLL]) == 16
    assert len(heads[Link.SLL2]) == 20
    padding = b"\0" * max(0, 46 - len(packet)) if link is Link.ETHERNET else b""
    return heads[link] + packet + padding


def ipv4(sender: str, receiver: str, protocol: int, carried: bytes, **place: int) -> bytes:
    """Return an IPv4 packet; `place` may say number, start, more (follow) and options (words)."""
    options = b"\x01" * (4 * place.get("options", 0))
    flags = (place.get("more", 0) << 13) | place.get("start", 0) // 8
    head = struct.pack(
        ">BBHHHBBH",
        0x45 + len(options) // 4, 0, 20 + len(options) + len(carried),
        place.get("number", 0), flags, 64, protocol, 0,
    )  # fmt: skip
    return head + ip_address(sender).packed + ip_address(receiver).packed + options + carried


def ipv6(sender: str, receiver: str, protocol: int, carried: bytes, *, extended: bool) -> bytes:
    """Return an IPv6 packet, with a destination header before what it carries where `extended`."""
    if extended:
        carried, protocol = bytes([protocol, 0, 1, 4, 0, 0, 0, 0]) + carried, 60
    head = struct.pack(">IHBB", 6 << 28, len(carried), protocol, 64)
    return head + ip_address(sender).packed + ip_address(receiver).packed + carried


def ipv6_fragments(sender: str, receiver: str, carried: bytes, size: int) -> list[bytes]:
    """Return a UDP datagram in IPv6 packets of `size` carried bytes (a multiple of 8)."""
    packets = []
    for start in range(0, len(carried), size):
        more = start + size < len(carried)
        head = struct.pack(">BBHI", 17, 0, start | more, 99)
        part = head + carried[start : start + size]
        packets.append(
            struct.pack(">IHBB", 6 << 28, len(part), 44, 64)
            + ip_address(sender).packed + ip_address(receiver).packed + part
        )  # fmt: skip
    return packets


def ipv4_fragments(
    sender: str, receiver: str, carried: bytes, size: int, number: int = 7
) -> list[bytes]:
    """Return a UDP datagram in IPv4 packets of `size` carried bytes (a multiple of 8)."""
    return [
        ipv4(
            sender, receiver, 17, carried[start : start + size],
            number=number, start=start, more=int(start + size < len(carried)),
        )
        for start in range(0, len(carried), size)
    ]  # fmt: skip


def udp(sender_port: int, receiver_port: int, payload: bytes) -> bytes:
    """Return a UDP datagram without a checksum."""
    return struct.pack(">HHHH", sender_port, receiver_port, 8 + len(payload), 0) + payload


SYN, RST, ACK = 2, 4, 16


def tcp(
    ports: tuple[int, int], sequence: int, payload: bytes, flags: int = ACK, ack: int = 0
) -> bytes:
    """Return a TCP segment with one option word."""
    head = struct.pack(
        ">HHIIBBHHH", *ports, sequence % 2**32, ack % 2**32, 6 << 4, flags, 8192, 0, 0
    )
    return head + b"\x01\x01\x01\x00" + payload


def write(packets: Iterable[Taken], form: Format, link: Link = Link.ETHERNET) -> bytes:
    """Return the packet file that holds `packets`."""
    order, kind, ticks = form.value
    link_type = max(link.value, 1) if link.value < 0 else link.value
    if kind == "pcap":
        return _pcap(packets, order, ticks, link_type)
    return _pcapng(packets, order, kind, ticks, link_type)


def _pcap(packets: Iterable[Taken], order: str, ticks: int, link_type: int) -> bytes:
    magic = 0xA1B2C3D4 if ticks == 10**6 else 0xA1B23C4D
    out = bytearray(struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, link_type))
    for each in packets:
        kept = each.data[: each.kept]
        fraction = each.at_ns % NS * ticks // NS
        out += struct.pack(f"{order}IIII", each.at_ns // NS, fraction, len(kept), len(each.data))
        out += kept
    return bytes(out)


def block(order: str, kind: int, body: bytes) -> bytes:
    """Return a pcapng block."""
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str) -> bytes:
    """Return a pcapng section header."""
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link_type: int, ticks: int, *, offset_s: int = 0) -> bytes:
    """Return a pcapng interface description."""
    resolution = {10**6: 6, NS: 9, 2**20: 0x80 | 20}[ticks]
    options = struct.pack(f"{order}HHBxxx", 9, 1, resolution)
    options += struct.pack(f"{order}HHq", 14, 8, offset_s)
    options += struct.pack(f"{order}HH", 0, 0)
    return block(order, 1, struct.pack(f"{order}HHI", link_type, 0, 0) + options)


def _pcapng(packets: Iterable[Taken], order: str, kind: str, ticks: int, link_type: int) -> bytes:
    out = bytearray(section(order))
    out += interface(order, link_type, ticks, offset_s=5)
    for each in packets:
        kept = each.data[: each.kept]
        high, low = divmod((each.at_ns - 5 * NS) * ticks // NS, 2**32)
        sizes = (len(kept), len(each.data))
        out += block(order, 5, b"\0" * 12)  # a kind that says nothing about packets
        if kind == "ng-simple":
            out += block(order, 3, struct.pack(f"{order}I", len(each.data)) + kept)
        elif kind == "ng-old":
            out += block(order, 2, struct.pack(f"{order}HHIIII", 0, 0, high, low, *sizes) + kept)
        else:
            out += block(order, 6, struct.pack(f"{order}IIIII", 0, high, low, *sizes) + kept)
    return bytes(out)


def taken(
    packets: Sequence[bytes], link: Link = Link.ETHERNET, *, every_s: float = 1.0
) -> list[Taken]:
    """Return IP packets as captured from a certain moment on, `every_s` apart."""
    began = 1_700_000_000 * NS
    return [
        Taken(began + round(number * every_s * NS), network(each, link))
        for number, each in enumerate(packets)
    ]
