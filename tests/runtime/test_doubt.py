"""A line that says nothing we can read: what is told of it, when, and how often."""

from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import NO_OPTIONS, Driver, TransportKind
from drivers.likeness import Piece, guess, line_fault, second, tried
from drivers.registry import all_drivers, get
from monitor.model.event import reject
from monitor.model.instant import OPENING, Duration, Instant, instant_at, later, seconds
from monitor.runtime.doubt import (
    DOUBT_AFTER,
    DOUBT_SIZE_MAX,
    KEPT_PIECES_MAX,
    KEPT_SIZE_MAX,
    Doubt,
    second_device,
    verdict,
)
from tests.conversation import conversation
from tests.runtime.lines import Kept, on_virtual_time, pass_time, send_paced

SERIAL = tuple(each for each in all_drivers() if TransportKind.SERIAL in each.transports)
each_serial = pytest.mark.parametrize("driver", SERIAL, ids=lambda driver: driver.name)
TALKING = tuple(each for each in SERIAL if each.name not in {"suntech", "dinamap"})
SPAN_S = 20
few = settings(max_examples=30, deadline=None, derandomize=True)


@cache
def said_by(name: str) -> tuple[Piece, ...]:
    """Return what the simulated device says to its own host, with the instants."""
    driver = get(name)
    said = conversation(driver, driver.open_protocol(NO_OPTIONS), SPAN_S)
    return tuple(Piece(now, piece) for now, piece in said)


def newest(name: str) -> tuple[Piece, ...]:
    """Return what a link would have kept of that."""
    doubt = Doubt(get("nonin"), "serial", OPENING)
    for at, data in said_by(name):
        doubt.heard(data, at)
    question = doubt.question(later(said_by(name)[-1].at, DOUBT_AFTER))
    doubt.refused(reject("", b"", OPENING))
    question = question or doubt.question(later(said_by(name)[-1].at, DOUBT_AFTER))
    assert question is not None
    return question.pieces


def another_than(driver: Driver) -> Driver:
    return next(each for each in SERIAL if each.name != driver.name)


# -- what bytes look like --------------------------------------------------------------------------


@each_serial
def test_the_newest_bytes_of_a_device_look_like_it_to_any_other_driver(driver: Driver) -> None:
    assert guess(another_than(driver), newest(driver.name), all_drivers()) == (driver.name,)


@each_serial
def test_noise_looks_like_no_device_and_is_no_second_one(driver: Driver) -> None:
    noise = [Piece(instant_at(n), Random(n).randbytes(64)) for n in range(100)]
    assert guess(driver, noise, all_drivers()) == ()
    assert second(driver, noise, all_drivers()) == ""


def test_only_what_may_come_the_same_way_is_offered() -> None:
    assert guess(get("senml"), newest("nonin"), all_drivers()) == ()


@pytest.mark.parametrize(
    "name", ["nonin", "contec", "capnostream", "datex", "medibus", "phasein", "respironics"]
)
def test_a_second_device_between_the_frames_of_the_first_is_found(name: str) -> None:
    first = "masimo" if name != "masimo" else "nellcor"
    # Some of these speak at the very instants at which the first one does.
    both = sorted([*said_by(first), *said_by(name)], key=lambda piece: piece.at)
    assert second(get(first), both, all_drivers()) == name
    assert second(get(first), said_by(first), all_drivers()) == ""


# -- traces of a wrong line ------------------------------------------------------------------------


def heard_at(data: bytes, factor: int) -> bytes:
    """Return what a receiver set `factor` times too fast makes of `data`, sent without pauses."""
    bits = [bit for byte in data for bit in (0, *(byte >> n & 1 for n in range(8)), 1)]
    seen = [bit for bit in bits for _ in range(factor)] + [1] * 20
    heard, at = bytearray(), 0
    while (start := next((n for n in range(at, len(seen) - 10) if not seen[n]), None)) is not None:
        heard.append(sum(seen[start + 1 + n] << n for n in range(8)))
        at = start + 9  # a stop bit that is 0 begins the next byte at once
    return bytes(heard)


@each_serial
@pytest.mark.parametrize("factor", [2, 4, 12])
def test_a_rate_set_too_high_is_told_by_its_stretched_bits(driver: Driver, factor: int) -> None:
    said = b"".join(piece.data for piece in said_by(driver.name))[:600]
    pieces = [Piece(OPENING, heard_at(said, factor))]
    assert "baud rate" in line_fault(driver, pieces)
    assert guess(driver, pieces, all_drivers()) == ()


@each_serial
def test_a_line_that_is_right_shows_no_traces_of_a_wrong_one(driver: Driver) -> None:
    for other in TALKING:
        assert line_fault(driver, said_by(other.name)[:200]) == ""


@pytest.mark.parametrize("name", ["masimo", "nellcor", "dinamap"])
@pytest.mark.parametrize("parity", ["E", "O"])
def test_a_parity_that_is_read_as_data_is_named(name: str, parity: str) -> None:
    def with_parity(byte: int) -> int:
        return byte | ((byte.bit_count() + (parity == "O")) % 2) << 7

    driver = get(name)
    pieces = [Piece(at, bytes(map(with_parity, data))) for at, data in said_by(name)]
    if not tried(driver, said_by(name)).good:
        pytest.fail("the device says nothing by itself")
    assert tried(driver, pieces).values == 0
    assert line_fault(driver, pieces) == f"it reads with bits=7&parity={parity}"


# -- when to ask -----------------------------------------------------------------------------------


happenings = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 1.0, 4.0, 11.0]),
        st.sampled_from([0, 1, 23, 24, 100, 1024, 9000, 20_000]),
        st.sampled_from(["", "", "refused", "word"]),
    ),
    max_size=60,
)


@few
@given(story=happenings)
def test_what_bytes_are_is_asked_once_after_long_enough_without_a_word(
    story: list[tuple[float, int, str]],
) -> None:
    doubt = Doubt(get("nonin"), "serial", OPENING)
    now, since, unread, asked, refused = OPENING, OPENING, 0, False, False
    for after_s, size, what in story:
        now = later(now, seconds(after_s))
        if size:
            since = since if unread else now
            unread += size
            doubt.heard(bytes(size), now)
        if what == "refused":
            doubt.refused(reject("no frame", b"", now))
            refused = True
        elif what == "word":
            doubt.understood()
            unread, asked, refused = 0, False, False
        is_strange = unread >= 24 and (refused or unread >= 1024)
        is_long = now >= later(since, DOUBT_AFTER) or unread >= DOUBT_SIZE_MAX
        question = doubt.question(now)
        assert (question is not None) == (is_strange and is_long and not asked)
        asked = asked or question is not None
        if question is not None:
            assert sum(len(piece.data) for piece in question.pieces) <= KEPT_SIZE_MAX
            assert len(question.pieces) <= KEPT_PIECES_MAX
            assert question.seen.startswith(f"{unread} bytes in ")


def test_a_quiet_conversation_after_an_old_refusal_is_in_no_doubt() -> None:
    doubt = Doubt(get("nonin"), "serial", OPENING)
    doubt.heard(bytes(30), OPENING)
    doubt.refused(reject("no frame", bytes(30), OPENING))
    doubt.understood()
    doubt.heard(bytes(100), OPENING)
    assert doubt.question(later(OPENING, Duration(2 * DOUBT_AFTER))) is None
    doubt.refused(reject("no frame", bytes(30), OPENING))
    assert doubt.question(later(OPENING, Duration(2 * DOUBT_AFTER))) is not None


@few
@given(sizes=st.lists(st.integers(1, 20_000), max_size=1200))
def test_no_more_is_kept_of_a_line_than_is_needed(sizes: list[int]) -> None:
    doubt = Doubt(get("nonin"), "serial", OPENING)
    for size in [*sizes, 1024]:
        doubt.heard(bytes(size), OPENING)
    question = doubt.question(later(OPENING, DOUBT_AFTER))
    assert question is not None
    assert sum(len(piece.data) for piece in question.pieces) <= KEPT_SIZE_MAX
    assert 0 < len(question.pieces) <= KEPT_PIECES_MAX


def test_a_line_of_two_is_asked_about_ever_more_rarely() -> None:
    doubt = Doubt(get("nonin"), "serial", OPENING)
    asked_at_s = []
    for second_ in range(3600):
        now = instant_at(second_)
        doubt.heard(bytes(10), now)
        doubt.refused(reject("no frame", bytes(5), now))
        doubt.understood()
        if doubt.shared(now) is not None:
            asked_at_s.append(second_)
    assert asked_at_s == [30, 90, 210, 450, 930, 1890]


def test_a_few_refusals_make_no_second_device() -> None:
    doubt = Doubt(get("nonin"), "serial", OPENING)
    for second_ in range(600):
        now = instant_at(second_)
        doubt.heard(bytes(10), now)
        doubt.refused(reject("no frame", bytes(2), now))
        doubt.understood()
        assert doubt.shared(now) is None


# -- on a link -------------------------------------------------------------------------------------


def shifted(pieces: tuple[Piece, ...], by_s: float = 0.0) -> list[tuple[float, bytes]]:
    return [(by_s + piece.at / 1e9, piece.data) for piece in pieces]


@pytest.mark.parametrize("wrong", ["nonin", "datex", "medibus", "hl7"])
@pytest.mark.parametrize("right", ["masimo", "capnostream", "intellivue"])
def test_the_wrong_driver_is_told_within_ten_seconds_with_the_right_one(
    wrong: str, right: str
) -> None:
    async def tell() -> None:
        kept = Kept(get(wrong), "tcp")
        await send_paced(await kept.plug(), shifted(said_by(right)))
        judged = [edge for edge in kept.edges if "does not look like" in edge.reason]
        assert len(judged) == 1, "once, however long it goes on"
        assert judged[0].state == "silent"
        assert judged[0].at_s < 12.0
        words = f"this does not look like {wrong}; it looks like {right} ("
        assert judged[0].reason.startswith(words)
        assert len(kept.edges) <= 3
        await kept.end()

    on_virtual_time(tell)


def test_an_empty_line_is_told_from_one_with_foreign_bytes() -> None:
    async def tell() -> None:
        kept = Kept(get("nonin"))
        wire = await kept.plug()
        await pass_time(100)
        assert [each.reason for each in kept.edges] == ["", "nothing is received"]
        for at, data in said_by("nonin")[:100]:
            await pass_time(100 + at / 1e9)
            wire.receiver.heard(data)
        await pass_time(200)
        assert [each.state for each in kept.edges] == ["up", "silent", "up", "silent"]
        assert kept.edges[-1].reason == "nothing more is received"
        await kept.end()

    on_virtual_time(tell)


def test_noise_is_told_to_be_a_wrong_setting_or_another_device() -> None:
    async def tell() -> None:
        kept = Kept(get("nonin"))
        noise = [(n / 10, Random(n).randbytes(20)) for n in range(1, 200)]
        await send_paced(await kept.plug(), noise)
        assert [each.state for each in kept.edges] == ["up", "silent", "silent"]
        assert "bytes came, none readable as nonin" in kept.edges[1].reason
        assert "baud rate or parity are wrong, or it is another device" in kept.edges[2].reason
        await kept.end()

    on_virtual_time(tell)


def test_a_device_that_is_right_after_all_ends_the_doubt() -> None:
    async def tell() -> None:
        kept = Kept(get("nonin"))
        wire = await kept.plug()
        await send_paced(wire, [(n / 10, Random(n).randbytes(20)) for n in range(1, 150)])
        await send_paced(wire, shifted(said_by("nonin"), 20.0))
        assert kept.edges[-1][1:] == ("up", "it speaks again")
        assert 20 < kept.edges[-1].at_s < 22
        assert kept.asides == []
        await kept.end()

    on_virtual_time(tell)


def test_foreign_bytes_are_judged_in_time_though_no_more_of_them_come() -> None:
    async def tell() -> None:
        kept = Kept(get("nonin"))
        wire = await kept.plug()
        wire.receiver.heard(Random(1).randbytes(500))
        await pass_time(60)
        assert [round(each.at_s) for each in kept.edges] == [0, 3, 10]
        assert "does not look like" in kept.edges[-1].reason
        await kept.end()

    on_virtual_time(tell)


def test_an_answer_that_comes_after_the_device_spoke_is_kept_to_ourselves() -> None:
    async def tell() -> None:
        kept = Kept(get("masimo"))
        wire = await kept.plug()
        wire.receiver.heard(Random(1).randbytes(DOUBT_SIZE_MAX))
        wire.receiver.heard(b"\r\n" + b"".join(piece.data for piece in said_by("masimo")[:3]))
        await pass_time(2)
        assert [each.state for each in kept.edges] == ["up"]
        await kept.end()

    on_virtual_time(tell)


def test_two_devices_on_one_line_are_told_aside() -> None:
    async def tell() -> None:
        kept = Kept(get("masimo"))
        both = sorted([*said_by("masimo"), *said_by("contec")], key=lambda piece: piece.at)
        twice = [*shifted(tuple(both)), *shifted(tuple(both), SPAN_S)]
        await send_paced(await kept.plug(), twice)
        assert kept.asides == ["another device speaks on this line too: it looks like contec"]
        assert [each.state for each in kept.edges] == ["up"]
        await kept.end()

    on_virtual_time(tell)


@each_serial
def test_the_right_driver_is_never_doubted(driver: Driver) -> None:
    async def tell() -> None:
        kept = Kept(driver)
        await send_paced(await kept.plug(), shifted(said_by(driver.name)))
        assert not [edge for edge in kept.edges if edge.reason]
        assert kept.asides == []
        await kept.end()

    on_virtual_time(tell)


def test_where_no_line_settings_are_none_are_blamed() -> None:
    doubt = Doubt(get("ge_dash"), "udp", OPENING)
    doubt.heard(bytes(2000), OPENING)
    question = doubt.question(Instant(DOUBT_AFTER))
    assert question is not None
    words = "this does not look like ge_dash (2000 bytes in 10 s without one good frame)"
    assert verdict(question, all_drivers) == words
    assert second_device(question, all_drivers) == ""
