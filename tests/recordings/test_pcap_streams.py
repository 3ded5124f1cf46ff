"""TCP in packet files: the bytes as their receiver had them, or a gap that is told."""

from io import BytesIO
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as some

from monitor.recordings.notes import Notes
from monitor.recordings.pcap import Carried, Piece, read_pieces
from tests.recordings.packet_writing import (
    ACK,
    RST,
    SYN,
    Format,
    Taken,
    ipv4,
    taken,
    tcp,
    write,
)

DEVICE, HOST = "10.0.0.7", "10.0.0.1"
PORTS = (4001, 50_000)
STREAMS = Carried(datagrams=False, streams=True)


def say(sequence: int, data: bytes, flags: int = ACK, *, ports: tuple[int, int] = PORTS) -> bytes:
    return ipv4(DEVICE, HOST, 6, tcp(ports, sequence, data, flags))


def answer(ack: int, data: bytes = b"", flags: int = ACK, sequence: int = 0) -> bytes:
    return ipv4(HOST, DEVICE, 6, tcp((PORTS[1], PORTS[0]), sequence, data, flags, ack))


def read(packets: list[bytes], *, every_s: float = 0.01) -> tuple[list[Piece], tuple[str, ...]]:
    return read_file(taken(packets, every_s=every_s))


def read_file(packets: list[Taken]) -> tuple[list[Piece], tuple[str, ...]]:
    notes = Notes("packet")
    content = write(packets, Format.PCAP_LITTLE)
    return list(read_pieces(lambda: BytesIO(content), "a.pcap", STREAMS, notes)), notes.sentences


def joined(pieces: list[Piece]) -> dict[str, bytes]:
    whole: dict[str, bytes] = {}
    for each in pieces:
        whole[each.conversation] = whole.get(each.conversation, b"") + each.data
    return whole


def _segments(data: bytes, first: int, chance: Random) -> list[tuple[int, bytes]]:
    cuts = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(6))})
    return [(first + a, data[a:b]) for a, b in pairwise(cuts)]


@given(
    data=some.binary(min_size=1, max_size=300),
    first=some.sampled_from([0, 1, 77, 2**32 - 5, 2**31 - 3, 2**32 - 200]),
    seed=some.integers(0, 10_000),
    opens=some.booleans(),
)
@settings(max_examples=150)
def test_bytes_sent_early_twice_and_overlapping_come_once_in_order(
    data: bytes, first: int, seed: int, *, opens: bool
) -> None:
    chance = Random(seed)
    segments = _segments(data, first, chance)
    head, *others = segments
    repeats = _segments(data, first, chance)
    wire = [*others, *chance.sample(repeats, len(repeats) // 2)]
    chance.shuffle(wire)
    start = [say(first - 1, b"", SYN | ACK)] if opens else []
    pieces, notes = read([*start, *(say(*each) for each in (head, *wire))])
    assert joined(pieces) == {pieces[0].conversation: data}
    assert not notes


@given(
    size=some.integers(3, 40), lost=some.integers(1, 38), seed=some.integers(0, 100),
    is_acknowledged=some.booleans(),
)  # fmt: skip
@settings(max_examples=100)
def test_bytes_on_either_side_of_a_gap_are_never_joined(
    size: int, lost: int, seed: int, *, is_acknowledged: bool
) -> None:
    data = bytes(Random(seed).randrange(256) for _ in range(size * 10))
    lost = min(lost, size - 2)
    packets = [say(n * 10, data[n * 10 : n * 10 + 10]) for n in range(size) if n != lost]
    if is_acknowledged:
        packets.insert(lost + 1, answer(lost * 10 + 20))
    pieces, notes = read(packets)
    assert list(joined(pieces).values()) == [data[: lost * 10], data[lost * 10 + 10 :]]
    assert len(notes) == 1
    assert "missing" in notes[0]


def test_an_acknowledged_gap_is_given_up_at_once_and_not_at_the_end() -> None:
    pieces, _ = read([say(0, b"a"), say(5, b"f"), answer(6), say(6, b"g")], every_s=1)
    assert [(each.at, each.data) for each in pieces] == [
        (0, b"a"),
        (2_000_000_000, b"f"),
        (3_000_000_000, b"g"),
    ]


def test_a_gap_nobody_fills_is_given_up_after_a_while() -> None:
    pieces, notes = read([say(0, b"a"), say(5, b"f"), say(6, b"g"), say(7, b"h")], every_s=6)
    assert [each.data for each in pieces] == [b"a", b"fg", b"h"]
    assert len(joined(pieces)) == 2
    assert notes


def test_a_segment_that_was_sent_again_in_time_leaves_no_gap() -> None:
    pieces, notes = read([say(0, b"a"), say(2, b"c"), answer(1), say(1, b"b")])
    assert joined(pieces) == {"tcp 1": b"abc"}
    assert not notes


def test_endless_early_bytes_are_bounded() -> None:
    packets = [say(0, b"a"), *(say(10 + 2 * n, b"x") for n in range(3000))]
    pieces, notes = read(packets, every_s=0.0001)
    assert sum(len(each.data) for each in pieces) == 3001
    assert len(joined(pieces)) == 3001
    assert notes[0].startswith("3000 x")


def test_large_early_bytes_are_bounded() -> None:
    packets = [say(0, b"a"), *(say(10 + 1500 * n, b"x" * 1400) for n in range(100))]
    pieces, _ = read(packets, every_s=0.0001)
    first_late = next(each for each in pieces if each.data != b"a")
    assert first_late.at < 99 * 100_000, "not all of them waited for the end"


def test_a_port_used_again_is_a_new_conversation() -> None:
    packets = [
        say(100, b"", SYN | ACK), say(101, b"old"), say(100, b"", SYN | ACK), say(104, b"er"),
        say(900, b"", SYN | ACK), say(901, b"new"),
    ]  # fmt: skip
    pieces, _ = read(packets)
    assert list(joined(pieces).values()) == [b"older", b"new"]


def test_a_connection_whose_beginning_is_missing_is_not_taken_for_a_repeat() -> None:
    pieces, notes = read([say(2**30, b"old"), say(5, b"new"), say(8, b"er")])
    assert list(joined(pieces).values()) == [b"old", b"newer"]
    assert notes


def test_a_keep_alive_says_nothing() -> None:
    pieces, notes = read([say(0, b"abc"), say(2, b"\0"), say(2, b""), say(3, b"d")])
    assert joined(pieces) == {"tcp 1": b"abcd"}
    assert not notes


def test_a_reset_tells_what_waited() -> None:
    pieces, notes = read([say(0, b"a"), say(3, b"d"), say(4, b"", RST)])
    assert [each.data for each in pieces] == [b"a", b"d"]
    assert notes


def test_the_side_that_was_connected_to_is_named_with_its_port() -> None:
    packets = [
        answer(0, flags=SYN, sequence=9),
        say(100, b"", SYN | ACK),
        answer(101, b"q", sequence=10),
        say(101, b"a"),
    ]
    pieces, _ = read(packets)
    assert [(each.sender, each.data) for each in pieces] == [(HOST, b"q"), (f"{DEVICE}:4001", b"a")]
    assert len(joined(pieces)) == 2


def test_many_connections_at_once_forget_the_oldest_and_mix_none() -> None:
    packets = [say(0, bytes([n % 256]), ports=(n + 1, 60_000)) for n in range(1000)]
    pieces, _ = read(packets)
    assert len(joined(pieces)) == 1000


def test_the_oldest_of_many_connections_is_given_up_with_what_waited() -> None:
    others = [say(0, b"x", ports=(n, 60_000)) for n in range(5001, 5201)]
    pieces, notes = read([say(0, b"a"), say(5, b"f"), *others], every_s=0.001)
    (waited,) = [each for each in pieces if each.data == b"f"]
    assert waited.at < 150_000_000, "it did not wait for the end of the file"
    assert len(pieces) == 202
    assert notes
