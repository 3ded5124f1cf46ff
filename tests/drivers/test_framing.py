"""Splitters: the same pieces for every cut, bounded memory, no good frame held back."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.framing import (
    STRAY_SIZE_MAX,
    EscapedSplitter,
    LineSplitter,
    Piece,
    WindowSplitter,
    whole,
)

few = settings(max_examples=120, deadline=None, derandomize=True)


def size_at(buffer: bytearray, at: int) -> int | None:
    if buffer[at] != 0x3E:
        return 0
    return buffer[at + 1] if at + 1 < len(buffer) else None


def windows() -> WindowSplitter:
    return WindowSplitter(size_at, lambda frame: sum(frame) & 0xFF == 0, 40)


def sized() -> EscapedSplitter:
    return EscapedSplitter(
        0x85, {b"\x80\x05": 0x85, b"\x80\x00": 0x80}, 60, size_of=lambda plain: plain[0] + 2
    )


def closed() -> EscapedSplitter:
    escapes = {b"\x7d\xe0": 0xC0, b"\x7d\xe1": 0xC1, b"\x7d\x5d": 0x7D}
    return EscapedSplitter(0xC0, escapes, 60, end=0xC1)


def tilde() -> EscapedSplitter:
    return EscapedSplitter(0x7E, {b"\x7d\x5e": 0x7E, b"\x7d\x5d": 0x7D}, 60, end=0x7E)


def lines() -> LineSplitter:
    return LineSplitter(b"\r\n", 20)


KINDS: list[Callable[[], WindowSplitter | EscapedSplitter | LineSplitter]] = [
    windows,
    sized,
    closed,
    tilde,
    lines,
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
ALPHABET = bytes.fromhex("3e04057e7d5d5ec0c1e0e18085000a0d41ff")
rough = st.lists(st.sampled_from(list(ALPHABET)), max_size=200).map(bytes)


@each_kind
@few
@given(stream=rough, seed=st.integers(0, 2**32))
def test_where_the_stream_is_cut_does_not_matter(
    kind: Callable[[], LineSplitter], stream: bytes, seed: int
) -> None:
    at_once = kind().feed(stream)
    chance, splitter, at = Random(seed), kind(), 0
    pieces: list[Piece] = []
    while at < len(stream):
        size = chance.randrange(1, 9)
        pieces += splitter.feed(stream[at : at + size])
        at += size
    assert pieces == at_once
    one_by_one = kind()
    assert [
        piece for at in range(len(stream)) for piece in one_by_one.feed(stream[at : at + 1])
    ] == at_once


@each_kind
@few
@given(stream=rough)
def test_a_refused_piece_is_short_and_says_why(
    kind: Callable[[], LineSplitter], stream: bytes
) -> None:
    for piece in kind().feed(stream * 5):
        if piece.flaw:
            assert 0 <= len(piece.data) <= STRAY_SIZE_MAX
        else:
            assert piece.data


def framed(body: bytes) -> bytes:
    head = bytes([0x3E, len(body) + 3]) + body
    return head + bytes([-sum(head) & 0xFF])


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("byte", range(256))
def test_no_byte_before_a_good_frame_holds_it_back(byte: int) -> None:
    good = framed(b"\x80\x00")
    for place in range(len(good)):
        broken = good[:place] + bytes([byte]) + good[place + 1 :]
        splitter = windows()
        splitter.feed(broken)
        assert good in whole(splitter.feed(good)), f"at {place}"


def test_of_two_possible_frames_the_one_whole_first_wins() -> None:
    inner = framed(b"\x01")
    outer = b"\x3e\x10" + inner + b"\x00" * 10
    assert whole(windows().feed(outer)) == [inner], "what is left of the outer one is no frame"


def test_a_window_given_up_is_refused_and_forgotten() -> None:
    splitter = windows()
    frame = framed(b"\x80\x00")
    splitter.feed(frame[:3])
    assert splitter.give_up() == [Piece(frame[:3], "no whole frame")]
    assert not whole(splitter.feed(frame[3:]))
    assert whole(splitter.feed(frame)) == [frame]


def test_an_escaped_frame_is_told_the_moment_its_last_byte_comes() -> None:
    splitter = sized()
    wire = bytes.fromhex("85 05 00 80 05 25 80 00 08 2D")
    for byte in wire[:-1]:
        assert not splitter.feed(bytes([byte]))
    assert splitter.feed(wire[-1:]) == [Piece(bytes.fromhex("05 00 85 25 80 08 2D"))]


def test_a_start_inside_a_frame_begins_another() -> None:
    pieces = sized().feed(bytes.fromhex("85 05 00 2A 85 01 04 05"))
    assert pieces == [Piece(bytes.fromhex("05002A"), "frame cut short"), Piece(b"\x01\x04\x05")]


def test_an_unknown_escape_is_refused() -> None:
    pieces = sized().feed(bytes.fromhex("85 01 80 07 85 01 04 05"))
    assert pieces[0].flaw == "wrong escape"
    assert whole(pieces) == [b"\x01\x04\x05"]


def test_escapes_are_undone_once_and_not_twice() -> None:
    assert whole(closed().feed(bytes.fromhex("C0 7D 5D E0 C1"))) == [b"\x7d\xe0"]
    assert whole(tilde().feed(bytes.fromhex("7E 7D 5D 5E 7E"))) == [b"\x7d\x5e"]
    assert whole(closed().feed(bytes.fromhex("C0 3A 91 95 7D E1 C1"))) == [b"\x3a\x91\x95\xc1"]


def test_one_flag_may_end_a_frame_and_begin_the_next() -> None:
    assert whole(tilde().feed(b"\x7eab\x7ecd\x7e\x7eef\x7e")) == [b"ab", b"cd", b"ef"]


def test_a_frame_without_end_is_refused_at_its_limit() -> None:
    pieces = closed().feed(b"\xc0" + b"a" * 200 + b"\xc0ok\xc1")
    assert pieces[0] == Piece(b"a" * 60, "frame too long")
    assert whole(pieces) == [b"ok"]


def test_a_line_too_long_is_told_once_and_the_next_is_heard() -> None:
    pieces = lines().feed(b"x" * 100 + b"\r\nnext\r\n\r\nlast\r\n")
    assert pieces == [Piece(b"x" * 22, "line too long"), Piece(b"next"), Piece(b"last")]


def test_a_line_of_exactly_the_limit_is_a_line() -> None:
    assert whole(lines().feed(b"x" * 20 + b"\r\n")) == [b"x" * 20]
