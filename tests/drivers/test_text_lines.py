"""Lines of text and a device's clock: the parts that several drivers stand on."""

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import DeviceClock, calendar_of, seconds_since_1970
from drivers.framing import Piece
from drivers.parts.text_lines import TextLines
from drivers.reading import UnknownFields
from monitor.model.event import DeviceNotice
from monitor.model.instant import Instant, instant_at, seconds

NOW = Instant(7)
OPENED_S = 1_700_000_000.0
few = settings(max_examples=80, deadline=None, derandomize=True)


def lines() -> TextLines:
    return TextLines(20, seconds(0.9))


@few
@given(seed=st.integers(0, 2**32))
def test_where_the_stream_is_cut_does_not_matter(seed: int) -> None:
    chance = Random(seed)
    parts = [b"short\r\n", b"\n\r\n", b"x" * 30, b"\x00\xff", b"y" * 20, b"\r", b"z" * 21 + b"\r"]
    stream = b"".join(chance.choice(parts) for _ in range(20))
    cuts = sorted({0, len(stream), *(chance.randrange(len(stream)) for _ in range(15))})
    by_cuts, at_once = lines(), lines()
    pieces = [each for a, b in pairwise(cuts) for each in by_cuts.feed(stream[a:b], NOW)]
    assert [*pieces, *by_cuts.finish()] == [*at_once.feed(stream, NOW), *at_once.finish()]


@few
@given(noise=st.binary(max_size=200))
def test_no_byte_is_lost_in_silence_and_a_line_after_a_line_end_is_always_read(
    noise: bytes,
) -> None:
    pieces = lines().feed(noise + b"\r\ngood\r\n", NOW)
    assert pieces[-1] == Piece(b"good")
    told = b"".join(piece.data for piece in pieces[:-1])
    assert set(told) >= set(noise) - set(b"\r\n") or any(
        piece.flaw == "line too long" for piece in pieces
    )


def test_a_line_too_long_is_told_once_by_its_beginning_and_left_out_to_its_end() -> None:
    for end in (b"\r", b"\n", b"\r\n"):
        assert lines().feed(b"a" * 500 + end + b"good" + end, NOW) == [
            Piece(b"a" * 21, "line too long"),
            Piece(b"good"),
        ]
    assert lines().feed(b"a" * 20 + b"\r", NOW) == [Piece(b"a" * 20)]


def test_a_pause_inside_a_line_refuses_it_and_one_between_lines_does_not() -> None:
    paused = lines()
    assert paused.feed(b"good\rhal", instant_at(1)) == [Piece(b"good")]
    assert paused.feed(b"f\r", instant_at(2)) == [Piece(b"hal", "line cut short"), Piece(b"f")]
    assert paused.feed(b"good\r", instant_at(9)) == [Piece(b"good")]


def test_a_byte_no_line_can_hold_ends_it_and_what_follows_is_read() -> None:
    assert lines().feed(b"bad\x80good\r\n", NOW) == [Piece(b"bad\x80", "no text"), Piece(b"good")]


@few
@given(
    year=st.integers(1970, 2099),
    month=st.integers(1, 12),
    day=st.integers(1, 28),
    second=st.integers(0, 86_399),
)
def test_a_calendar_and_its_seconds_agree(year: int, month: int, day: int, second: int) -> None:
    clock = (second // 3600, second // 60 % 60, second % 60)
    local_s = seconds_since_1970((year, month, day), clock)
    assert local_s is not None
    assert calendar_of(local_s) == (year, month, day, *clock)


def test_dates_that_do_not_exist_are_none() -> None:
    assert seconds_since_1970((2023, 2, 29), (0, 0, 0)) is None
    assert seconds_since_1970((2023, 1, 1), (24, 0, 0)) is None
    assert calendar_of(1_700_000_000) == (2023, 11, 14, 22, 13, 20)


def test_a_clock_is_told_at_its_edges_and_whole_quarters_are_a_zone() -> None:
    clock = DeviceClock(OPENED_S)
    told = [
        list(clock.hear(OPENED_S + ahead, Instant(0)))
        for ahead in (59, 3600, -5 * 3600 - 900, 3661, 7261, 55, 3600)
    ]
    assert [bool(each) for each in told] == [False, False, False, True, False, False, True]
    begun, ended = told[3][0], told[6][0]
    assert isinstance(begun, DeviceNotice)
    assert isinstance(ended, DeviceNotice)
    assert (begun.present, begun.detail) == (True, "the device's clock is 61 s ahead of ours")
    assert not ended.present


def test_a_zone_that_was_named_is_the_only_one() -> None:
    clock = DeviceClock(OPENED_S, 120)
    assert not clock.hear(OPENED_S + 7200, Instant(0))
    assert clock.hear(OPENED_S + 3600, Instant(0))


def test_a_clock_that_was_never_set_or_cannot_be_compared_says_nothing() -> None:
    assert not DeviceClock(None).hear(OPENED_S, Instant(0))
    assert not DeviceClock(5.0).hear(OPENED_S, Instant(0))
    assert not DeviceClock(OPENED_S).hear(86_400.0, Instant(0))
    assert not DeviceClock(OPENED_S).hear(None, Instant(0))


def test_a_field_nobody_knows_is_told_once_and_not_without_end() -> None:
    unknown = UnknownFields(count_max=3)
    told = [each for n in range(10) for each in unknown.meet(f"field {n // 2}", NOW)]
    assert [getattr(each, "detail", "") for each in told] == ["field 0", "field 1", "field 2"]
