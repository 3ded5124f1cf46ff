"""Wear of a wire: what is off changes nothing, what is on does what it says, and a seed repeats."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.instant import Duration, Instant, instant_at, later, seconds
from simulators.faults import Wear, WornWire, draw_wear

PIECES = st.lists(st.binary(max_size=20), max_size=40)
SEEDS = st.integers(0, 2**32)
FOREVER = instant_at(1e6)


def through(wear: Wear, seed: int, pieces: Sequence[bytes]) -> list[bytes]:
    """Return what comes out of a wire that is given a piece each second and then left alone."""
    wire = WornWire(wear, seed)
    out: list[bytes] = []
    for s, piece in enumerate(pieces):
        wire.put([piece], instant_at(s))
        out += wire.take(instant_at(s))
    return [*out, *wire.take(FOREVER)]


@given(pieces=PIECES, seed=SEEDS, is_datagram=st.booleans())
def test_a_wire_without_wear_passes_all_unchanged_and_at_once(
    pieces: list[bytes], seed: int, *, is_datagram: bool
) -> None:
    wire = WornWire(Wear(is_datagram=is_datagram), seed)
    wire.put(pieces, instant_at(3))
    assert wire.take(instant_at(3)) == pieces
    assert wire.wake_at is None


@given(pieces=PIECES, seed=SEEDS, worn_by=SEEDS)
def test_the_same_seed_wears_the_same_way(pieces: list[bytes], seed: int, worn_by: int) -> None:
    wear = draw_wear(worn_by)
    assert wear == draw_wear(worn_by)
    assert through(wear, seed, pieces) == through(wear, seed, pieces)


@given(pieces=PIECES, seed=SEEDS)
def test_splitting_joining_and_delaying_a_stream_keep_every_byte_in_order(
    pieces: list[bytes], seed: int
) -> None:
    wear = Wear(split=0.5, join=0.5, delay_share=0.5, delay_max=seconds(10))
    sent = b"".join(pieces)
    came = b"".join(through(wear, seed, pieces))
    assert sent.startswith(came)  # the end may still wait for a next piece to join


@given(pieces=PIECES, seed=SEEDS)
def test_delayed_datagrams_all_come_once_in_whatever_order(pieces: list[bytes], seed: int) -> None:
    wear = Wear(delay_share=0.7, delay_max=seconds(5), is_datagram=True)
    assert sorted(through(wear, seed, pieces)) == sorted(pieces)


@given(seed=SEEDS, piece=st.binary(min_size=1, max_size=30))
def test_each_kind_of_wear_does_what_it_says(seed: int, piece: bytes) -> None:
    assert through(Wear(lose=1), seed, [piece]) == []
    assert through(Wear(repeat=1), seed, [piece]) == [piece, piece]
    [cut] = through(Wear(cut_off=1), seed, [piece])
    assert piece.startswith(cut)
    assert len(cut) < len(piece)
    [flipped] = through(Wear(flip=1), seed, [piece])
    turned = int.from_bytes(piece, "big") ^ int.from_bytes(flipped, "big")
    assert turned.bit_count() == 1
    parts = through(Wear(split=1), seed, [piece])
    assert b"".join(parts) == piece
    assert len(parts) == min(2, len(piece))
    assert through(Wear(join=1), seed, [piece]) == []


def test_every_bit_can_be_the_one_that_flips() -> None:
    flipped = {through(Wear(flip=1), seed, [b"\x00\x00"])[0] for seed in range(300)}
    assert flipped == {(1 << bit).to_bytes(2, "big") for bit in range(16)}


@given(seed=SEEDS, is_datagram=st.booleans(), count=st.integers(1, 30))
def test_no_piece_waits_longer_than_the_longest_delay(
    seed: int, count: int, *, is_datagram: bool
) -> None:
    wear = Wear(delay_share=0.5, delay_max=seconds(5), is_datagram=is_datagram)
    wire = WornWire(wear, seed)
    came: dict[bytes, Instant] = {}
    for s in range(count):
        while (due := wire.wake_at) is not None and due <= instant_at(s):
            came |= dict.fromkeys(wire.take(due), due)
        wire.put([bytes([s])], instant_at(s))
    while (due := wire.wake_at) is not None:
        came |= dict.fromkeys(wire.take(due), due)
    for s in range(count):
        assert came[bytes([s])] <= instant_at(s + 5)
    if is_datagram:
        assert list(came.values()) == sorted(came.values())


def test_joined_pieces_come_with_the_next_that_does_not_wait() -> None:
    for seed in range(20):
        out = through(Wear(join=0.5), seed, [b"a", b"b", b"c", b"d"])
        assert "abcd".startswith(b"".join(out).decode())
    assert any(b"ab" in through(Wear(join=0.5), seed, [b"a", b"b"]) for seed in range(20))


@given(delay_ms=st.integers(1, 5000), seed=SEEDS)
def test_a_delayed_piece_does_not_come_before_its_time_and_wakes_at_it(
    delay_ms: int, seed: int
) -> None:
    wire = WornWire(Wear(delay_share=1, delay_max=seconds(delay_ms / 1000)), seed)
    wire.put([b"late"], instant_at(1))
    due = wire.wake_at
    assert due is not None
    assert instant_at(1) <= due <= later(instant_at(1), seconds(delay_ms / 1000))
    assert wire.take(Instant(due - 1)) == []
    assert wire.take(due) == [b"late"]


def test_drawn_wear_has_many_kinds_off_and_some_extreme() -> None:
    drawn = [draw_wear(seed) for seed in range(300)]
    shares = [getattr(wear, kind) for wear in drawn for kind in ("lose", "flip", "split", "join")]
    off = sum(share == 0 for share in shares) / len(shares)
    extreme = sum(share > 0.05 for share in shares) / len(shares)
    assert 0.4 < off < 0.6
    assert 0.12 < extreme < 0.28


def test_counts_say_how_often_each_fault_was_done() -> None:
    wire = WornWire(Wear(lose=1), 1)
    wire.put([b"a", b"b"], instant_at(0))
    assert wire.counts["lose"] == 2
    assert wire.counts["flip"] == 0


@pytest.mark.parametrize("field", ["lose", "repeat", "flip", "cut_off", "split", "join"])
def test_a_share_that_is_no_chance_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}: 1.5"):
        Wear(**{field: 1.5})  # type: ignore[arg-type]  # the name is the parameter
    with pytest.raises(ValueError, match="delay_max"):
        Wear(delay_max=Duration(-1))
