"""Packet files: what was sent comes back, whatever the format, the link and the wear."""

import gzip
import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from monitor.model.errors import RecordingError
from monitor.model.instant import in_seconds
from monitor.recordings.notes import Notes
from monitor.recordings.packet_file import is_packet_file
from monitor.recordings.pcap import Carried, Piece, read_pieces
from tests.recordings.packet_writing import (
    NS,
    Format,
    Link,
    Taken,
    block,
    interface,
    ipv4,
    ipv4_fragments,
    ipv6,
    ipv6_fragments,
    network,
    section,
    taken,
    tcp,
    udp,
    write,
)

DEVICE, HOST = "10.0.0.9", "10.0.0.1"
DEVICE6, HOST6 = "fe80::9", "fe80::1"
EVERYTHING = Carried(datagrams=True, streams=True)
DATAGRAMS = Carried(datagrams=True, streams=False)
payloads = some.binary(min_size=1, max_size=80)


def read(content: bytes, carried: Carried = DATAGRAMS) -> tuple[list[Piece], tuple[str, ...]]:
    notes = Notes("packet")
    pieces = list(read_pieces(lambda: BytesIO(content), "a.pcap", carried, notes))
    return pieces, notes.sentences


def said(payload: bytes, *, sender: str = DEVICE, port: int = 24105) -> bytes:
    return ipv4(sender, HOST, 17, udp(port, 40_000, payload))


# -- laws ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", Format)
@given(
    payloads=some.lists(payloads, min_size=1, max_size=5),
    link=some.sampled_from(Link),
    is_v6=some.booleans(),
    extras=some.integers(0, 1),
)
@settings(max_examples=40)
def test_datagrams_come_back_whole_in_order_and_at_their_time(
    form: Format, payloads: list[bytes], link: Link, *, is_v6: bool, extras: int
) -> None:
    packets = [
        ipv6(DEVICE6, HOST6, 17, udp(24105, 9000, each), extended=bool(extras))
        if is_v6
        else ipv4(DEVICE, HOST, 17, udp(24105, 9000, each), options=extras)
        for each in payloads
    ]
    pieces, notes = read(write(taken(packets, link, every_s=0.5), form, link))
    assert [each.data for each in pieces] == payloads
    if form is Format.NG_SIMPLE:
        assert {each.at for each in pieces} == {0}
    else:
        assert [in_seconds(each.at) for each in pieces] == [n * 0.5 for n in range(len(payloads))]
        assert not notes
    assert all(each.is_from(DEVICE6 if is_v6 else DEVICE) for each in pieces)


@given(
    payload=some.binary(min_size=60, max_size=400),
    size=some.sampled_from([8, 16, 64]),
    chance=some.randoms(use_true_random=False),
    is_v6=some.booleans(),
)
@settings(max_examples=60)
def test_fragments_in_any_order_come_back_as_one_datagram(
    payload: bytes, size: int, chance: object, *, is_v6: bool
) -> None:
    carried = udp(24105, 9000, payload)
    parts = (
        ipv6_fragments(DEVICE6, HOST6, carried, size)
        if is_v6
        else ipv4_fragments(DEVICE, HOST, carried, size)
    )
    parts.append(parts[0])  # sent twice
    chance.shuffle(parts)  # type: ignore[attr-defined]
    pieces, _ = read(write(taken(parts, every_s=0.1), Format.PCAP_LITTLE))
    assert [each.data for each in pieces] == [payload]


@given(
    payload=some.binary(min_size=40, max_size=200),
    lost=some.integers(0, 20),
    chance=some.randoms(use_true_random=False),
)
@settings(max_examples=40)
def test_a_datagram_that_lacks_a_fragment_is_rejected_and_counted(
    payload: bytes, lost: int, chance: object
) -> None:
    parts = ipv4_fragments(DEVICE, HOST, udp(24105, 9000, payload), 8)
    del parts[lost % len(parts)]
    chance.shuffle(parts)  # type: ignore[attr-defined]
    pieces, notes = read(write(taken(parts), Format.PCAP_LITTLE))
    assert not pieces
    assert any("fragments without the rest" in note for note in notes)


@given(
    content=some.sampled_from(Format).map(
        lambda form: write(
            taken([said(b"one"), *ipv4_fragments(DEVICE, HOST, b"x" * 40, 16)]), form
        )
    ),
    wear=some.lists(
        some.tuples(some.integers(0, 2**16), some.integers(0, 255)), min_size=1, max_size=6
    ),
    cut=some.integers(0, 600),
)
@settings(max_examples=200)
def test_worn_files_raise_nothing_but_a_named_error(
    content: bytes, wear: list[tuple[int, int]], cut: int
) -> None:
    worn = bytearray(content)
    for at, value in wear:
        worn[at % len(worn)] = value
    try:
        pieces, _ = read(bytes(worn[: len(worn) - cut]), EVERYTHING)
    except RecordingError:
        return
    assert sum(len(each.data) for each in pieces) <= len(worn)
    assert [each.at for each in pieces] == sorted(each.at for each in pieces)


@given(
    form=some.sampled_from(Format),
    link=some.sampled_from(Link),
    packets=some.lists(some.binary(max_size=120), max_size=6),
    head=some.sampled_from(
        [b"", b"\x45", b"\x60", b"\x45\0\0\x40\0\0\0\0\x40\x06", b"\x46\0\0\x30"]
    ),
)
@settings(max_examples=200)
def test_packets_of_rubbish_raise_nothing(
    form: Format, link: Link, packets: list[bytes], head: bytes
) -> None:
    rubbish = [
        Taken((9 + n) * NS, network(b"\x45", link)[:-1] + head + each)
        for n, each in enumerate(packets)
    ]
    pieces, _ = read(write(rubbish, form, link), EVERYTHING)
    assert sum(len(each.data) for each in pieces) <= sum(map(len, packets))


@given(form=some.sampled_from(Format), cut=some.integers(1, 2000))
@settings(max_examples=60)
def test_a_file_cut_off_anywhere_gives_what_came_before(form: Format, cut: int) -> None:
    content = write(taken([said(b"%d" % n) for n in range(9)]), form)
    try:
        pieces, notes = read(content[: max(12, len(content) - cut)])
    except RecordingError:
        return
    assert [each.data for each in pieces] == [b"%d" % n for n in range(len(pieces))]
    assert len(pieces) == 9 or notes or cut >= 9, "what is missing is told"


# -- examples --------------------------------------------------------------------------------------


def test_a_file_is_known_by_its_first_bytes() -> None:
    assert all(is_packet_file(write([], form)[:12]) for form in Format)
    assert not is_packet_file(b"\x01\x81\x64\x00\x46" * 3)
    assert not is_packet_file(b"\x0a\x0d\x0d\x0a" + b"\0" * 8)
    assert not is_packet_file(b"")


def test_a_packet_cut_short_by_its_snap_length_is_rejected_and_counted() -> None:
    packets = taken([said(b"whole"), said(b"x" * 100), said(b"whole too")])
    packets[1] = Taken(packets[1].at_ns, packets[1].data, kept=80)
    pieces, notes = read(write(packets, Format.NG_LITTLE))
    assert [each.data for each in pieces] == [b"whole", b"whole too"]
    assert notes == (
        "1 x rejected: cut short by the capturing program (its snap length) (packet 2)",
    )


def test_padding_that_was_cut_costs_nothing() -> None:
    (packet,) = taken([said(b"x")])
    kept = 14 + 20 + 8 + 1
    pieces, notes = read(write([Taken(packet.at_ns, packet.data, kept)], Format.PCAP_BIG))
    assert [each.data for each in pieces] == [b"x"]
    assert not notes


def test_a_datagram_ends_where_its_own_length_says() -> None:
    longer = ipv4(DEVICE, HOST, 17, udp(24105, 9000, b"said") + b"rest")
    lying = bytearray(said(b"said"))
    lying[20 + 5] = 200
    pieces, notes = read(write(taken([longer, bytes(lying)]), Format.PCAP_LITTLE))
    assert [each.data for each in pieces] == [b"said"]
    assert "packet 2" in notes[0]


def test_only_datagrams_from_the_devices_ports_are_read_where_those_are_known() -> None:
    packets = [
        said(b"data", port=24105),
        said(b"here I am", port=24005),
        ipv4(HOST, DEVICE, 17, udp(40_000, 24105, b"question")),
    ]
    known = Carried(datagrams=True, streams=False, ports=frozenset({24105, 24005}))
    pieces, _ = read(write(taken(packets), Format.PCAP_LITTLE), known)
    assert [(each.sender, each.data) for each in pieces] == [
        (DEVICE, b"data"),
        (DEVICE, b"here I am"),
    ]
    assert len({each.conversation for each in pieces}) == 1


def test_a_sender_is_named_with_its_port_where_others_find_it_there() -> None:
    packets = [said(b"a", port=4001), ipv4(HOST, DEVICE, 17, udp(40_000, 4001, b"b"))]
    pieces, _ = read(write(taken(packets), Format.PCAP_LITTLE))
    assert [each.sender for each in pieces] == [f"{DEVICE}:4001", HOST]
    assert [each.is_from(DEVICE) for each in pieces] == [True, False]
    assert [each.is_from(f"{DEVICE}:4001") for each in pieces] == [True, False]
    assert not any(each.is_from(f"{DEVICE}:4002") for each in pieces)


def test_time_that_goes_back_is_read_as_standing_still_and_noted() -> None:
    packets = taken([said(b"1"), said(b"2"), said(b"3")])
    packets[1] = Taken(packets[1].at_ns - 3600 * NS, packets[1].data)
    pieces, notes = read(write(packets, Format.PCAP_LITTLE))
    assert [in_seconds(each.at) for each in pieces] == [0, 0, 2]
    assert "packet 2" in notes[0]


def test_instants_count_from_the_first_packet_of_the_file_whoever_sent_it() -> None:
    packets = [b"\x45" + b"\0" * 19, said(b"1")]
    pieces, _ = read(write(taken(packets, every_s=2.5), Format.NG_NS))
    assert [in_seconds(each.at) for each in pieces] == [2.5]


def test_a_second_section_may_turn_the_byte_order_and_describes_its_own_interfaces() -> None:
    first = write(taken([said(b"1")]), Format.NG_LITTLE)
    second = write(taken([said(b"2")], Link.SLL), Format.NG_BIG, Link.SLL)
    pieces, notes = read(first + second)
    assert [each.data for each in pieces] == [b"1", b"2"]
    assert not notes


def test_each_interface_has_its_own_link_and_clock() -> None:
    body = network(said(b"raw"), Link.RAW)
    content = section("<") + interface("<", 1, 10**6) + interface("<", 101, NS)
    content += block("<", 6, struct.pack("<IIIII", 1, 0, 5, len(body), len(body)) + body)
    pieces, _ = read(content)
    assert [each.data for each in pieces] == [b"raw"]


@pytest.mark.parametrize(
    ("content", "names_it"),
    [
        (b"", "neither pcap nor pcapng"),
        (b"not one", "neither pcap nor pcapng"),
        (struct.pack("<IHHiIII", 0xA1B2C3D4, 9, 1, 0, 0, 0, 1), "version 9.1"),
    ],
)
def test_what_is_no_packet_file_is_said(content: bytes, names_it: str) -> None:
    if not content:
        pieces, notes = read(content)
        assert not pieces
        assert notes
        return
    with pytest.raises(RecordingError, match=names_it):
        read(content)


@pytest.mark.parametrize(
    ("content", "names_it"),
    [
        (block("<", 6, b"\0" * 20), "interface 0"),
        (struct.pack("<II", 6, 7), "length cannot be"),
        (block("<", 1, b"\0" * 8)[:-1] + b"\x01", "lengths differ"),
        (block("<", 1, b"\0" * 4), "too short"),
        (struct.pack("<II", 6, 0x7FFFFFF0), "is none"),
        (struct.pack("<II", 77, 0x7FFFFFF0), "ends within"),
    ],
)
def test_a_damaged_block_ends_the_file_with_a_note(content: bytes, names_it: str) -> None:
    good = write(taken([said(b"1")]), Format.NG_LITTLE)
    pieces, notes = read(
        good + content if b"interface" not in names_it.encode() else section("<") + content
    )
    assert [each.data for each in pieces] in ([b"1"], [])
    assert any(names_it in note for note in notes), notes


def test_a_record_of_impossible_size_ends_the_file_with_a_note() -> None:
    good = write(taken([said(b"1")]), Format.PCAP_LITTLE)
    pieces, notes = read(good + struct.pack("<IIII", 1, 0, 10**9, 10**9))
    assert [each.data for each in pieces] == [b"1"]
    assert "byte" in notes[0]


def test_a_damaged_packing_gives_what_came_before_it() -> None:
    packed = gzip.compress(
        write(taken([said(bytes([n]) * 60) for n in range(200)]), Format.PCAP_LITTLE)
    )
    notes = Notes("packet")
    cut = packed[: len(packed) // 2]
    pieces = list(
        read_pieces(lambda: gzip.GzipFile(fileobj=BytesIO(cut)), "a.pcap.gz", DATAGRAMS, notes)
    )
    assert 0 < len(pieces) < 200
    assert "a.pcap.gz" in notes.sentences[0]


def test_other_links_and_traffic_are_counted_or_passed_over() -> None:
    wifi = write(taken([said(b"1")]), Format.PCAP_LITTLE)
    wifi = wifi[:20] + struct.pack("<I", 105) + wifi[24:]
    pieces, notes = read(wifi)
    assert not pieces
    assert "link type 105" in notes[0]
    arp = b"\xff" * 12 + b"\x08\x06" + b"\0" * 46
    ping = network(ipv4(DEVICE, HOST, 1, b"\x08\0" + b"\0" * 30), Link.ETHERNET)
    stream = network(ipv4(DEVICE, HOST, 6, tcp((4001, 5), 1, b"bytes")), Link.ETHERNET)
    others = [Taken(0, each) for each in (arp, ping, stream)]
    assert read(write(others, Format.PCAP_LITTLE)) == ([], ())


def test_fragments_that_overlap_are_believed_by_nobody() -> None:
    parts = ipv4_fragments(DEVICE, HOST, udp(24105, 9000, b"a" * 40), 16)
    forged = ipv4(DEVICE, HOST, 17, b"b" * 24, number=7, start=8, more=1)
    pieces, notes = read(write(taken([parts[0], forged, *parts[1:]]), Format.PCAP_LITTLE))
    assert not pieces
    assert any("overlap" in note for note in notes)


def test_endless_beginnings_of_datagrams_are_bounded() -> None:
    parts = [ipv4(DEVICE, HOST, 17, b"x" * 64, number=n, more=1) for n in range(500)]
    pieces, notes = read(write(taken(parts, every_s=0.001), Format.PCAP_LITTLE))
    assert not pieces
    assert notes[0].startswith("500 x rejected")


def test_of_many_unfinished_datagrams_the_oldest_is_given_up() -> None:
    begun = [
        ipv4_fragments(DEVICE, HOST, udp(24105, 9000, b"%03d" % n * 10), 16, number=n)
        for n in range(100)
    ]
    late = [each for parts in (*begun[:10], *begun[90:]) for each in parts[1:]]
    packets = [*(parts[0] for parts in begun), *late]
    pieces, _ = read(write(taken(packets, every_s=0.001), Format.PCAP_LITTLE))
    assert [each.data for each in pieces] == [b"%03d" % n * 10 for n in range(90, 100)]


def test_fragments_that_reach_beyond_the_last_make_no_datagram() -> None:
    carried = udp(24105, 9000, b"x" * 32)
    head, _, last = ipv4_fragments(DEVICE, HOST, carried, 16)
    beyond = ipv4(DEVICE, HOST, 17, b"y" * 16, number=7, start=80, more=1)
    for parts in ((last, beyond, head), (beyond, last, head), (last, head, beyond)):
        pieces, notes = read(write(taken(parts, every_s=0.1), Format.PCAP_LITTLE))
        assert not pieces
        assert "rejected" in notes[0]


def test_a_number_used_again_half_a_minute_later_begins_a_new_datagram() -> None:
    old = ipv4_fragments(DEVICE, HOST, udp(24105, 9000, b"old" * 10), 16)
    new = ipv4_fragments(DEVICE, HOST, udp(24105, 9000, b"new" * 10), 16)
    pieces, notes = read(write(taken([old[0], *new], every_s=40 / 3), Format.PCAP_LITTLE))
    assert all(each.data == b"new" * 10 for each in pieces)
    far = taken([old[0]]) + [
        Taken(each.at_ns + 31 * NS, each.data) for each in taken(new, every_s=0.1)
    ]
    pieces, notes = read(write(far, Format.PCAP_LITTLE))
    assert [each.data for each in pieces] == [b"new" * 10]
    assert notes
