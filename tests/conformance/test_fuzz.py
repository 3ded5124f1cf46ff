"""Each stream driver against streams that were damaged in every way a line damages them.

What is damaged is the device's own sending, so that what was said is known: nothing else may be
told, nothing may be held back for longer than it must, and the work must stay in proportion.
"""

import sys
from collections.abc import Iterator
from itertools import pairwise
from types import FrameType
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import Driver, finish
from monitor.model.event import Observation
from monitor.model.instant import instant_at
from monitor.model.metric import describe
from tests.conformance.gear import STREAMS, Meaning, frames, meaning, open_plain, said, size_of

MEMORY_MAX = 64 * 1024
NOISY = 5
TAIL = 3
WORK_A_BYTE_MAX = 100  # lines of code; 64 at most today, byte by byte

each_stream = pytest.mark.parametrize("driver", STREAMS, ids=lambda each: each.name)
many = settings(max_examples=100, deadline=None, derandomize=True)
sizes = st.sampled_from([1, 1, 2, 3, 5, 8, 21, 60])
damage = st.tuples(
    st.sampled_from(["flip", "flip", "delete", "insert", "duplicate", "overwrite", "splice"]),
    st.integers(0, 2**32),
    sizes,
    st.binary(min_size=60, max_size=60),
)


def spoken_in(driver: Driver, count: int) -> set[Meaning]:
    return {each for number in range(count) for each in meaning(said(driver, number))}


def strangers(driver: Driver, told: list[Meaning], count: int) -> list[Meaning]:
    """What was told with a value and never said; a driver that promises nothing may misread."""
    if not driver.detects_corruption:
        return []
    spoken = spoken_in(driver, count)
    return [each for each in told if each[1] is not None and each not in spoken]


def damaged(stream: bytes, other: bytes, harm: tuple[str, int, int, bytes]) -> bytes:
    """Return `stream` with one harm done to it; `other` is what another device sends."""
    kind, place, size, noise = harm
    at = place % len(stream)
    piece = stream[at : at + size]
    begins_at = place % max(1, len(other) - size)
    put = {
        "delete": b"",
        "insert": noise[:size] + piece,
        "flip": bytes([stream[at] ^ 1 << noise[0] % 8]) + piece[1:] if piece else b"",
        "duplicate": piece + piece,
        "overwrite": noise[: len(piece)],
        "splice": other[begins_at : begins_at + size] + piece,
    }[kind]
    return stream[:at] + put + stream[at + size :]


@each_stream
@many
@given(harms=st.lists(damage, min_size=1, max_size=4), start=st.integers(0, 40), data=st.data())
def test_a_damaged_stream_tells_nothing_that_was_not_said_and_is_read_again(
    driver: Driver, harms: list[tuple[str, int, int, bytes]], start: int, data: st.DataObject
) -> None:
    other = data.draw(st.sampled_from([each for each in STREAMS if each is not driver]))
    sent = frames(driver, NOISY + TAIL)
    stream = b"".join(sent[:NOISY])[start % len(sent[0]) :]
    for harm in harms:
        stream = damaged(stream, b"".join(frames(other, 2)), harm) or b"\x00"
    protocol = open_plain(driver)
    told = [*protocol.receive(stream, instant_at(1))]
    for number, frame in enumerate(sent[NOISY:], start=1):
        told += protocol.receive(frame, instant_at(1 + number / 20))
    assert size_of(protocol) < MEMORY_MAX
    told += finish(protocol, instant_at(1.5))
    assert not strangers(driver, meaning(told), len(sent))
    assert set(meaning(told)) >= set(meaning(said(driver, NOISY + TAIL - 1)))
    for event in told:
        if isinstance(event, Observation) and event.value is not None:
            facts = describe(event.metric)
            assert facts.technical_low <= event.value <= facts.technical_high


@each_stream
def test_a_capture_may_begin_in_the_middle_of_a_frame(driver: Driver) -> None:
    sent = frames(driver, 4)
    stream = b"".join(sent)
    for start in range(1, len(sent[0])):
        protocol = open_plain(driver)
        told = meaning(protocol.receive(stream[start:], instant_at(1)))
        told += meaning(finish(protocol, instant_at(1)))
        assert not strangers(driver, told, len(sent)), f"from byte {start} on"
        for number in range(1 + driver.frames_lost_after_cut_max, len(sent)):
            assert set(told) >= set(meaning(said(driver, number))), f"from byte {start} on"


@each_stream
def test_bytes_lost_at_any_place_make_no_other_reading(driver: Driver) -> None:
    sent = frames(driver, 4)
    stream = b"".join(sent)
    begin = len(sent[0])
    for size in (1, 2, 3, 4, 5, 8, 13, 25, 26, 50, 125):
        for at in range(begin, begin + len(sent[1]), max(1, size // 8)):
            protocol = open_plain(driver)
            torn = stream[:at] + stream[at + size :]
            told = meaning(protocol.receive(torn, instant_at(1)))
            assert not strangers(driver, told, len(sent)), f"{size} bytes lost at {at}"


@each_stream
@pytest.mark.parametrize("other", STREAMS, ids=lambda each: f"and-{each.name}")
def test_of_two_devices_on_one_line_only_ours_is_read(driver: Driver, other: Driver) -> None:
    """Their frames follow each other whole; where they collide no driver can help."""
    if other is driver:
        assert driver in STREAMS
        return
    ours, theirs = frames(driver, 5), frames(other, 5)
    protocol = open_plain(driver)
    told: list[Meaning] = []
    for pair in zip(theirs, ours, strict=True):
        for piece in pair:
            told += meaning(protocol.receive(piece, instant_at(1)))
    told += meaning(finish(protocol, instant_at(1)))
    assert not strangers(driver, told, len(ours))
    assert len(set(told) & set(meaning(said(driver, 4)))) == len(said(driver, 4))


class Work:
    """Counts the lines of driver code that run: effort without a clock."""

    def __init__(self) -> None:
        self.lines = 0

    def __enter__(self) -> Self:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        is_ours = "/drivers/" in frame.f_code.co_filename
        return self._line if is_ours else None

    def _line(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self.lines += event == "line"
        return self._line


def bait(driver: Driver) -> Iterator[bytes]:
    """Bytes that cost a driver most: noise, and beginnings that never end."""
    frame = frames(driver, 1)[0]
    yield b"\x00"
    yield b"\xff"
    yield from (frame[:size] for size in (1, 2, 4, 10, len(frame) - 1))
    yield frame[1:]
    yield frame[: len(frame) // 2] + frame[: len(frame) // 3]


@each_stream
@pytest.mark.parametrize("piece_size", [1, 100_000])
def test_work_grows_with_the_bytes_and_no_faster(driver: Driver, piece_size: int) -> None:
    for pattern in bait(driver):
        protocol = open_plain(driver)
        noise = (pattern * 6000)[:6000]
        done = []
        for begin, end in pairwise((0, 2000, 4000, 6000)):
            with Work() as work:
                for at in range(begin, end, piece_size):
                    protocol.receive(noise[at : min(end, at + piece_size)], instant_at(1))
            done.append(work.lines)
        assert max(done) < WORK_A_BYTE_MAX * 2000, f"{pattern[:10].hex()}: {done}"
        assert done[2] <= 1.5 * max(done[:2]) + 500, f"{pattern[:10].hex()}: {done}"
