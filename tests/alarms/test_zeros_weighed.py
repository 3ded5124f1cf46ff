"""Zeros by themselves: each bound of what explains, counts and contradicts them, to the moment."""

import msgspec
import pytest

from alarms.breaths import BreathDetector
from alarms.unmeasured import Unmeasured
from alarms.zeros import Zeros, was_cut_off_flat, was_flat_before
from monitor.model.instant import Instant, instant_at, seconds

NOW_S = 1000.0
JUST = 0.001


def ago(seconds: float) -> Instant:
    """Return the instant so many seconds before now."""
    return instant_at(NOW_S - seconds)


NOW = ago(0)


def wave(
    breath: float | None = None,
    before: float | None = None,
    *,
    sampled: float = 0.0,
    still: float | None = None,
    flagged: float = 0.0,
) -> BreathDetector:
    """Return a waveform by how many seconds ago it showed its last breaths, moved and arrived.

    For `flagged` seconds since the last breath the device said that it could not measure.
    """
    return BreathDetector(
        breath_at=None if breath is None else ago(breath),
        breath_before=None if before is None else ago(before),
        sampled_at=ago(sampled),
        still_from=None if still is None else ago(still),
        unmeasured=Unmeasured(before=seconds(flagged)),
    )


PLAIN = wave(4, 8)
NO_WAVE = BreathDetector()


@pytest.mark.parametrize(
    ("shown", "is_flat"),
    [
        (wave(10), True),
        (wave(10 - JUST), False),
        (wave(5, still=7), True),
        (wave(5, still=7 - JUST), False),
        (wave(11, sampled=2), False),
        (wave(12, sampled=2), True),
        (wave(20, sampled=3 + JUST), False),
        (wave(), False),
    ],
)
def test_a_line_is_flat_after_ten_seconds_without_breath_or_seven_without_movement(
    shown: BreathDetector, *, is_flat: bool
) -> None:
    assert was_flat_before(shown, NOW) is is_flat


def test_a_line_is_judged_by_what_it_showed_until_then() -> None:
    assert not was_flat_before(wave(10), ago(1))
    assert was_flat_before(wave(11), ago(1))


@pytest.mark.parametrize(
    ("shown", "is_flat"),
    [
        (wave(40, sampled=20), True),
        (wave(40, sampled=20 + JUST), False),
        (wave(40, sampled=3), False),
        (wave(22, sampled=20), False),
        (NO_WAVE, False),
    ],
)
def test_a_line_that_was_cut_off_speaks_for_twenty_seconds(
    shown: BreathDetector, *, is_flat: bool
) -> None:
    assert was_cut_off_flat(shown, NOW) is is_flat


def lost_then_zero() -> Zeros:
    """Return zeros that began a second after EtCO2 was lost out of the midst of breathing."""
    zeros = Zeros()
    zeros.hear_etco2(None, ago(1), PLAIN, NOW)
    zeros.hear_zero(PLAIN, NOW, ago(-1))
    return zeros


def test_an_explanation_lasts_half_a_minute_and_forty_five_seconds_at_most() -> None:
    zeros = lost_then_zero()
    assert zeros.explained_until(PLAIN) == ago(-31)
    zeros.hear_etco2(None, ago(1), PLAIN, ago(-20))
    assert zeros.explained_until(PLAIN) == ago(-45)
    assert zeros.are_explained(PLAIN, ago(-45 + JUST))
    assert not zeros.are_explained(PLAIN, ago(-45))


@pytest.mark.parametrize(
    ("shown", "is_ended"),
    [
        (wave(5, still=11), True),
        (wave(5, still=11 - JUST), False),
        (wave(15, still=1), True),
        (wave(15 - JUST, still=1), False),
    ],
)
def test_a_line_long_flat_ends_an_explanation_where_the_loss_began(
    shown: BreathDetector, *, is_ended: bool
) -> None:
    zeros = lost_then_zero()
    zeros.hear_etco2(None, ago(1), PLAIN, ago(-20))
    assert zeros.explained_until(shown) == (NOW if is_ended else ago(-45))


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("flagged", "still", "is_ended"),
    [(8, 5, True), (8, 5 - JUST, False), (5, 6, True), (5, 6 - JUST, False)],
)
def test_after_a_flag_five_seconds_measured_still_and_eleven_with_it_end_an_explanation(
    flagged: float, still: float, *, is_ended: bool
) -> None:
    zeros = lost_then_zero()
    zeros.hear_etco2(None, ago(1), PLAIN, ago(-20))
    shown = wave(14, still=still, flagged=flagged)
    assert zeros.explained_until(shown) == (NOW if is_ended else ago(-45))


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("shown", "are_explained"),
    [
        (PLAIN, True),
        (wave(24, 28, sampled=20), True),
        (wave(24, 28, sampled=20 + JUST), False),
        (wave(4, 14), False),
        (wave(4), False),
        (NO_WAVE, False),
    ],
)
def test_zeros_that_follow_no_loss_are_explained_only_out_of_plain_breathing(
    shown: BreathDetector, *, are_explained: bool
) -> None:
    zeros = Zeros()
    zeros.hear_zero(shown, None, NOW)
    assert zeros.are_explained(shown, NOW) is are_explained


@pytest.mark.parametrize(
    ("shown", "are_counted"),
    [
        (wave(10), True),
        (wave(10 - JUST), False),
        (wave(30, sampled=3), True),
        (wave(30, sampled=3 + JUST), False),
    ],
)
def test_zeros_without_a_loss_are_a_count_after_ten_seconds_without_breath(
    shown: BreathDetector, *, are_counted: bool
) -> None:
    zeros = Zeros()
    zeros.hear_zero(shown, None, NOW)
    assert zeros.are_counted is are_counted


@pytest.mark.parametrize(
    ("lost", "shown", "are_counted"),
    [
        (5, wave(15), True),
        (5, wave(15 - JUST), False),
        (5, wave(12), False),
        (5 + JUST, wave(12), True),
    ],
)
def test_zeros_with_a_loss_out_of_a_flat_line_are_a_count_after_fifteen(
    lost: float, shown: BreathDetector, *, are_counted: bool
) -> None:
    zeros = Zeros()
    zeros.hear_etco2(None, None, wave(20, sampled=lost), ago(lost))
    zeros.hear_zero(shown, None, NOW)
    assert zeros.are_counted is are_counted


def test_zeros_with_a_loss_out_of_breathing_are_no_count_whatever_came_before_them() -> None:
    zeros = Zeros()
    zeros.hear_zero(wave(100, sampled=80), None, ago(80))
    zeros.are_counted = True
    zeros.hear_rate(ago(60))
    zeros.hear_etco2(None, None, wave(4, 8, sampled=1), ago(1))
    zeros.hear_zero(wave(20), None, NOW)
    assert zeros.are_counted is False


@pytest.mark.parametrize(("breath", "are_late"), [(10, True), (10 - JUST, False)])
def test_zeros_are_late_by_the_clock_though_not_all_of_the_pause_was_measured(
    breath: float, *, are_late: bool
) -> None:
    zeros = Zeros()
    zeros.hear_zero(wave(breath, flagged=4), None, NOW)
    assert (zeros.are_late, zeros.are_counted) == (are_late, False)


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("then", "are_counted"),
    [
        (wave(27, flagged=12), True),
        (wave(27, flagged=12 + JUST), False),
        (wave(27, sampled=3, flagged=5), True),
        (wave(27, sampled=3 + JUST, flagged=5), False),
    ],
)
def test_late_zeros_that_go_on_become_a_count_when_fifteen_seconds_were_measured_breathless(
    then: BreathDetector, *, are_counted: bool
) -> None:
    zeros = Zeros()
    zeros.hear_zero(wave(27, sampled=16, flagged=5), None, ago(16))
    assert (zeros.are_late, zeros.are_counted) == (True, False)
    zeros.hear_zero(then, None, NOW)
    assert zeros.are_counted is are_counted


@pytest.mark.parametrize(("rose", "are_counted"), [(16 + JUST, True), (16, False), (15, False)])
def test_a_breath_that_came_with_the_first_of_late_zeros_ends_their_pause(
    rose: float, *, are_counted: bool
) -> None:
    zeros = Zeros(since=ago(16), are_late=True)
    zeros.hear_zero(wave(rose), None, NOW)
    assert zeros.are_counted is are_counted


def test_zeros_beside_a_line_that_never_showed_a_breath_are_neither_late_nor_a_count() -> None:
    zeros = Zeros()
    zeros.hear_zero(wave(still=20), None, NOW)
    assert (zeros.are_late, zeros.are_counted) == (False, False)
    assert msgspec.json.decode(msgspec.json.encode(zeros), type=Zeros) == zeros


def test_a_loss_told_with_the_first_zero_is_weighed_with_it_and_a_later_one_is_not() -> None:
    for later_s, are_counted in ((0, False), (1, True)):
        zeros = Zeros()
        zeros.hear_zero(wave(12), None, NOW)
        assert zeros.are_counted
        zeros.hear_etco2(None, None, wave(12), ago(-later_s))
        assert zeros.are_counted is are_counted


@pytest.mark.parametrize(
    ("heard", "shown", "is_lost"),
    [
        (3, wave(4, 8), True),
        (3 - JUST, wave(4, 8), False),
        (20, wave(4, 8), True),
        (20 + JUST, wave(4, 8), False),
        (6, wave(), False),
        (6, wave(20, 24, sampled=9 + JUST), False),
    ],
)
def test_numbers_that_fell_silent_before_the_zeros_were_lost_then(
    heard: float, shown: BreathDetector, *, is_lost: bool
) -> None:
    lost_at = ago(heard) if is_lost else None
    by_rate, by_etco2, by_zero = Zeros(rate_at=ago(heard)), Zeros(), Zeros()
    by_rate.hear_zero(shown, None, NOW)
    assert by_rate.gone_at == lost_at
    by_etco2.hear_zero(shown, ago(heard), NOW)
    assert by_etco2.gone_at == lost_at
    if is_lost:
        by_zero.hear_etco2(0, ago(heard), shown, NOW)
        assert by_zero.gone_at == lost_at


def test_an_etco2_that_is_said_to_be_missing_is_lost_when_that_is_said() -> None:
    zeros = Zeros()
    zeros.hear_etco2(None, ago(6), PLAIN, NOW)
    assert zeros.gone_at == NOW


def spoken_against(zeros: Zeros, shown: BreathDetector) -> bool:
    """Say whether the waveform speaks against the zeros now."""
    return zeros.are_contradicted(shown, NOW)


def test_plain_breaths_speak_against_zeros_for_nine_seconds() -> None:
    assert spoken_against(Zeros(), wave(9.2 - JUST, 14)) is True
    assert spoken_against(Zeros(), wave(9.2, 14)) is False
    assert spoken_against(Zeros(), wave(4, 4 + 9.2 - JUST)) is True
    assert spoken_against(Zeros(), wave(4, 4 + 9.2)) is False
    assert spoken_against(Zeros(), wave()) is False


def test_only_breaths_since_the_first_zero_speak_against_it() -> None:
    assert spoken_against(Zeros(since=ago(4)), wave(4, 8)) is True
    assert spoken_against(Zeros(since=ago(4 - JUST)), wave(4, 8)) is False


@pytest.mark.parametrize(
    ("since", "before", "speaks"),
    [(None, 30, True), (5, None, True), (5, 30, True), (30, 30, False), (30, 29, False)],
)
def test_the_first_breath_after_a_loss_needs_no_second_one(
    since: float | None, before: float | None, *, speaks: bool
) -> None:
    zeros = Zeros(since=None if since is None else ago(since), gone_last=ago(40))
    assert spoken_against(zeros, wave(4, before)) is speaks
    assert spoken_against(Zeros(since=zeros.since), wave(4, before)) is False


def test_a_loss_speaks_for_the_first_breath_for_forty_five_seconds() -> None:
    for lost, speaks in ((45 - JUST, True), (45, False)):
        zeros = Zeros(since=ago(5), gone_last=ago(lost))
        assert spoken_against(zeros, wave(4)) is speaks


@pytest.mark.parametrize(("explained_for", "speaks"), [(JUST, True), (0, False)])
def test_the_first_breath_within_what_the_device_explained_speaks_alone(
    explained_for: float, *, speaks: bool
) -> None:
    zeros = Zeros(since=ago(6), explained_end=ago(-explained_for))
    assert zeros.are_contradicted(wave(4), NOW) is speaks


@pytest.mark.parametrize(("are_counted", "speaks"), [(False, True), (True, False)])
def test_against_zeros_that_are_a_count_nothing_speaks(*, are_counted: bool, speaks: bool) -> None:
    zeros = Zeros(since=ago(10), are_counted=are_counted)
    assert zeros.are_contradicted(PLAIN, NOW) is speaks
