"""Laws for every driver whose bytes may be cut, lost and garbled on the way."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import Driver, finish
from monitor.model.event import FrameRejected, Observation
from monitor.model.instant import Instant, instant_at
from tests.conformance.gear import (
    FULL_STREAM_SIZE_MAX,
    STREAMS,
    feed,
    frames,
    hear,
    meaning,
    open_plain,
    said,
    size_of,
    without_rejects,
)

pytestmark = pytest.mark.parametrize("driver", STREAMS, ids=lambda each: each.name)
few = settings(max_examples=30, deadline=None, derandomize=True)
MEMORY_MAX = 64 * 1024


def sample(driver: Driver) -> bytes:
    """A stream with frames, a piece of rubbish, a cut frame and frames again."""
    first, second, third, fourth = frames(driver, 4)
    return first + b"\x00\x85\x3e\x01" + second[: len(second) // 2] + third + fourth


def test_where_the_stream_is_cut_does_not_matter(driver: Driver) -> None:
    stream = sample(driver) + b"".join(vector.data for vector in driver.vectors)
    whole = hear(driver, stream)
    assert meaning(whole)
    step = max(1, len(stream) // 150)
    for cut in range(0, len(stream), step):
        protocol = open_plain(driver)
        told = [
            *protocol.receive(stream[:cut], Instant(7)),
            *protocol.receive(stream[cut:], Instant(7)),
            *finish(protocol, Instant(7)),
        ]
        assert told == whole, f"cut at {cut}"


def test_byte_by_byte_is_heard_like_the_whole(driver: Driver) -> None:
    stream = sample(driver)
    protocol = open_plain(driver)
    told = [
        event
        for at in range(len(stream))
        for event in protocol.receive(stream[at : at + 1], Instant(7))
    ]
    assert [*told, *finish(protocol, Instant(7))] == hear(driver, stream)


@few
@given(seed=st.integers(0, 2**32))
def test_cuts_by_chance_do_not_matter(driver: Driver, seed: int) -> None:
    chance = Random(seed)
    stream = sample(driver) + chance.randbytes(50) + frames(driver, 6)[5]
    cuts = [0, *sorted(chance.randrange(len(stream)) for _ in range(12)), len(stream)]
    protocol = open_plain(driver)
    told = [
        event
        for start, stop in pairwise(cuts)
        for event in protocol.receive(stream[start:stop], Instant(7))
    ]
    assert [*told, *finish(protocol, Instant(7))] == hear(driver, stream)


@few
@given(noise=st.binary(max_size=600), seed=st.integers(0, 2**32))
def test_noise_never_raises(driver: Driver, noise: bytes, seed: int) -> None:
    chance = Random(seed)
    stream = bytearray(sample(driver))
    for _ in range(chance.randrange(20)):
        stream[chance.randrange(len(stream))] = chance.randrange(256)
    protocol = open_plain(driver)
    for number, piece in enumerate((noise, bytes(stream), noise[::-1])):
        now = instant_at(number)
        for event in [*protocol.receive(piece, now), *protocol.wake(now)]:
            assert event.at == now
    finish(protocol, instant_at(3))


def lures(driver: Driver) -> list[bytes]:
    """Beginnings of the driver's own frames: what a decoder believes in vain."""
    frame = frames(driver, 1)[0]
    own = [frame[:size] for size in (1, 2, 3, 4, 5, 6, 10, 15, 20, len(frame) - 1)]
    return [each for each in own if each and each != frame]


def test_endless_noise_never_grows_memory(driver: Driver) -> None:
    patterns = [bytes([byte]) for byte in range(256)] + lures(driver)
    for pattern in patterns:
        protocol = open_plain(driver)
        piece = pattern * (1 + 1000 // len(pattern))
        for number in range(4):
            protocol.receive(piece, instant_at(number))
        assert size_of(protocol) < MEMORY_MAX, pattern.hex()


@pytest.mark.parametrize("pattern", [b"\x00", b"\xff", b"lure"])
def test_long_noise_costs_no_more_a_byte_than_short(driver: Driver, pattern: bytes) -> None:
    piece = (lures(driver)[-1] if pattern == b"lure" else pattern) * 2000
    protocol = open_plain(driver)
    for number in range(5):
        told = protocol.receive(piece[:20_000], instant_at(number))
        assert len(told) < 20_000
    assert size_of(protocol) < MEMORY_MAX


def test_a_frame_cut_short_costs_no_more_than_promised(driver: Driver) -> None:
    sent = frames(driver, 5)
    spoken = [set(meaning(said(driver, number))) for number in range(5)]
    for size in range(1, len(sent[1])):
        told = feed(open_plain(driver), [sent[0], sent[1][:size], *sent[2:]])
        heard = [set(meaning(events)) for events in told]
        lost = [n for n in (2, 3, 4) if heard[n] != spoken[n]]
        assert len(lost) <= driver.frames_lost_after_cut_max, f"cut at {size}: {lost}"


@few
@given(noise=st.binary(min_size=1, max_size=300))
def test_it_recovers_after_noise(driver: Driver, noise: bytes) -> None:
    good = frames(driver, driver.frames_lost_after_cut_max + 2)
    told = feed(open_plain(driver), [noise, *good])
    expected = meaning(said(driver, len(good) - 1))
    assert set(meaning(told[-1])) >= set(expected)


def test_a_flipped_bit_is_never_another_reading(driver: Driver) -> None:
    if not driver.detects_corruption:
        assert driver.doubts, "a driver that promises nothing says so among its doubts"
        return
    sent = frames(driver, 3)
    spoken = [set(meaning(said(driver, number))) for number in range(3)]
    for place in range(len(sent[1])):
        for bit in range(8):
            damaged = bytearray(sent[1])
            damaged[place] ^= 1 << bit
            told = feed(open_plain(driver), [sent[0], bytes(damaged), sent[2]], ends=True)
            for number, events in enumerate(told):
                assert set(meaning(events)) <= spoken[number], f"byte {place} bit {bit}"


def interesting(stream: bytes) -> list[int]:
    """Return all bytes where the stream is short, else those that may mean something in it."""
    if len(stream) <= FULL_STREAM_SIZE_MAX:
        return list(range(256))
    return sorted({*stream, *(each ^ 0x80 for each in stream[:10]), 0, 1, 0x7F, 0x80, 0x81, 0xFF})


def places(stream: bytes) -> list[int]:
    """Return all places but the insides of long runs of one byte, which are like their ends."""
    return [at for at in range(len(stream)) if at < 5 or len({*stream[at - 5 : at + 5]}) > 1]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("way", ["replaced", "inserted"])
def test_a_reading_is_never_stamped_with_another_moment(driver: Driver, way: str) -> None:
    """Without a checksum a garbled digit may be another reading, but of its own moment only."""
    sent = frames(driver, 4)
    spoken = [set(meaning(said(driver, number))) for number in range(4)]
    damaged_size = 1 if way == "replaced" else 0
    for byte in interesting(sent[1]):
        for place in places(sent[1]):
            damaged = sent[1][:place] + bytes([byte]) + sent[1][place + damaged_size :]
            told = feed(open_plain(driver), [sent[0], damaged, sent[2], sent[3]])
            for number, events in enumerate(told):
                for event in events:
                    if isinstance(event, Observation):
                        fits = (event.metric, event.value) in spoken[number]
                        if not fits and number == 1 and not driver.detects_corruption:
                            fits = (event.metric, event.value) in meaning(hear(driver, damaged))
                        assert fits, f"{way} {byte:02x} at {place}: {event}"
                        assert event.at == instant_at(number)


@pytest.mark.hazard("H3")
def test_half_a_frame_is_not_completed_an_hour_later(driver: Driver) -> None:
    first, second, _ = frames(driver, 3)
    for size in range(1, len(second)):
        protocol = open_plain(driver)
        protocol.receive(first, instant_at(1))
        protocol.receive(second[:size], instant_at(2))
        while protocol.wake_at is not None and protocol.wake_at < instant_at(30):
            protocol.wake(protocol.wake_at)
        told = protocol.receive(second[size:], instant_at(3600))
        assert not meaning(told), f"cut at {size}"


def test_what_is_refused_is_told_with_its_bytes(driver: Driver) -> None:
    if not driver.detects_corruption:
        assert driver.doubts
        return
    frame = bytearray(frames(driver, 1)[0])
    frame[-1] ^= 0x01
    protocol = open_plain(driver)
    told = [
        *protocol.receive(bytes(frame), Instant(7)),
        *protocol.receive(b"\x00" * 200, Instant(7)),
    ]
    refused = [event for event in told if isinstance(event, FrameRejected)]
    assert refused
    assert all(event.reason and 0 < len(event.frame) <= 64 for event in refused)
    # Where one set of readings takes several frames, the whole ones before the last are heard.
    whole_before = open_plain(driver).receive(bytes(frame[:-1]), Instant(7))
    assert meaning(without_rejects(told)) == meaning(whole_before)
