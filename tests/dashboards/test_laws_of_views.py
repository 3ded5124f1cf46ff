"""What must hold for every picture at every size."""

from itertools import pairwise
from unicodedata import category

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.actions import hint
from dashboards.rehearsal import apnoea, quiet, trends, waves
from dashboards.views.alarm_bar import alarm_bar, is_acknowledged, page_start
from dashboards.views.flash import is_lit
from dashboards.views.foot import foot
from dashboards.views.glyphs import full_blocks, half_blocks
from dashboards.views.header import header
from dashboards.views.layout import lay_out
from dashboards.views.line import Line, plain, width_of
from dashboards.views.series import Series
from dashboards.views.sight import Sight, is_live, worst
from dashboards.views.strips import strips
from dashboards.views.tiles import has_extras, pressure_view, shares, tile_lines, tile_view, tiles
from dashboards.views.timeline import timeline
from dashboards.views.wave import Wave
from dashboards.views.window import Window
from dashboards.views.words import MARKS, MISSING, watermark
from dashboards.widgets.palette import STYLES
from monitor.model.alarm import FAR_SIGNAL_OFF, Priority
from monitor.model.event import GenerationMode
from monitor.model.metric import Metric
from tests.dashboards.staging import HOSTILE, seen, sights, text_of

LAW = settings(max_examples=50)
widths = st.integers(80, 200)
heights = st.integers(24, 60)


def _series() -> dict[Metric, Series]:
    return {metric: Series(bins) for metric, bins in trends(quiet()).bins.items()}


def _waves() -> dict[Metric, Wave]:
    found = {}
    for message in waves(apnoea()):
        found[message.metric] = Wave()
        found[message.metric].put(message.at, message.rate_hz, message.samples)
    return found


SERIES, WAVES = _series(), _waves()


def _parts(sight: Sight, width: int, height: int) -> dict[str, tuple[Line, ...]]:
    layout = lay_out(width, height, has_extras=has_extras(sight))
    return {
        "header": header(sight, width),
        "alarm_bar": alarm_bar(sight, width, layout),
        "tiles": tiles(sight, width, layout),
        "strips": strips(sight, WAVES, width, layout.strips),
        "timeline": timeline(sight, SERIES, 5, Window(), (width, layout.timeline)),
        "foot": foot(sight, width, layout.foot, hint(width - 2)),
    }


@settings(max_examples=40)
@given(sights("metrics", "alarms", "rest"), widths, heights)
def test_no_line_is_ever_wider_or_narrower_than_the_screen(
    sight: Sight, width: int, height: int
) -> None:
    layout = lay_out(width, height, has_extras=has_extras(sight))
    for name, lines in _parts(sight, width, height).items():
        assert len(lines) == getattr(layout, name), name
        assert [width_of(line) for line in lines] == [width] * len(lines), name


@settings(max_examples=20)
@given(sights("metrics", "alarms", "rest"), widths, heights)
def test_nothing_from_outside_can_act_on_the_terminal(
    sight: Sight, width: int, height: int
) -> None:
    for lines in _parts(sight, width, height).values():
        for letter in text_of(lines).replace("\n", ""):
            assert category(letter) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@settings(max_examples=20)
@given(sights("metrics", "alarms", "rest"), widths, heights)
def test_every_style_a_view_names_has_a_colour(sight: Sight, width: int, height: int) -> None:
    for lines in _parts(sight, width, height).values():
        assert {span.style for line in lines for span in line} <= STYLES.keys()


@LAW
@given(sights("metrics"))
def test_no_value_is_shown_without_its_age_and_its_limits(sight: Sight) -> None:
    assert sight.chair is not None
    views = [tile_view(metric, sight) for metric in sight.chair.metrics]
    for view in [*views, *filter(None, [pressure_view(sight)])]:
        if view.figure != MISSING:
            assert view.age
            assert view.limits
            drawn = text_of(tile_lines(view, 34, 6, is_big=False))
            assert view.age in drawn
            assert view.limits in drawn


@pytest.mark.hazard("H3")
@LAW
@given(sights("metrics"))
def test_a_value_that_is_stale_or_lost_is_never_shown_as_live(sight: Sight) -> None:
    assert sight.chair is not None
    for metric in sight.chair.metrics:
        view = tile_view(metric, sight)
        if metric.is_stale or sight.is_lost or metric.value is None:
            assert view.figure == MISSING
            assert "█" not in text_of(tile_lines(view, 34, 6, is_big=False))
            assert view.note or metric.value is None
            if metric.value is not None:
                assert view.was


@LAW
@given(sights("metrics"), st.integers(13, 60))
def test_held_is_always_said(sight: Sight, width: int) -> None:
    assert sight.chair is not None
    for metric in sight.chair.metrics:
        if metric.is_held:
            drawn = text_of(tile_lines(tile_view(metric, sight), width, 6, is_big=False))
            assert "held" in drawn


@LAW
@given(sights("metrics"), st.integers(80, 200), st.booleans())
def test_a_figure_is_drawn_whole_or_written_small(
    sight: Sight,
    width: int,
    is_big: bool,  # noqa: FBT001 - drawn by chance
) -> None:
    assert sight.chair is not None
    draw = full_blocks if is_big else half_blocks
    cuff = pressure_view(sight)
    views = [tile_view(metric, sight) for metric in sight.chair.metrics]
    pairs = [(view, shares(width)[0]) for view in views]
    pairs += [(cuff, shares(width)[-1])] if cuff else []
    for view, wide in pairs:
        if view.is_live:
            drawn = text_of(tile_lines(view, wide, 8, is_big=is_big))
            ways = [draw(view.figure), half_blocks(view.figure), (view.figure,)]
            assert any(all(row in drawn for row in way) for way in ways)


@pytest.mark.hazard("H21")
@LAW
@given(sights(), st.integers(30, 200))
def test_the_watermark_stands_in_every_size(sight: Sight, width: int) -> None:
    assert sight.chair is not None
    said = watermark(sight.chair)
    assert said or sight.chair.mode is GenerationMode.REAL
    assert said in text_of(header(sight, width))


@pytest.mark.hazard("H26")
@LAW
@given(sights(), widths)
def test_every_screen_says_that_this_is_no_medical_device(sight: Sight, width: int) -> None:
    assert "not a medical device" in text_of(header(sight, width))


@LAW
@given(sights("alarms"), widths, heights)
def test_a_high_condition_always_owns_the_band(sight: Sight, width: int, height: int) -> None:
    assert sight.chair is not None
    layout = lay_out(width, height)
    band = alarm_bar(sight, width, layout)[: layout.band]
    first = worst(sight.chair.alarms)
    if sight.is_lost or first is None:
        return
    signalled = [each for each in sight.chair.alarms if each.inactivation not in FAR_SIGNAL_OFF]
    if any(alarm.priority is Priority.HIGH for alarm in signalled):
        assert first.priority is Priority.HIGH
    styles = {span.style for line in band for span in line}
    assert styles <= {f"{first.priority}", f"{first.priority}-lit"}
    mark = MARKS[first.priority]
    assert mark in text_of(band) or half_blocks(mark)[0] in text_of(band)


@pytest.mark.hazard("H22")
@LAW
@given(sights("alarms"), widths, heights)
def test_every_condition_carries_its_shape_and_can_be_reached(
    sight: Sight, width: int, height: int
) -> None:
    assert sight.chair is not None
    layout = lay_out(width, height)
    alarms = sight.chair.alarms
    for at, alarm in enumerate(alarms):
        chosen = msgspec.structs.replace(sight, selected=alarm.alarm)
        lines = alarm_bar(chosen, width, layout)[layout.band :]
        line = text_of([lines[at - page_start(chosen, layout.conditions)]])
        assert line.startswith(f"▶ {MARKS[alarm.priority]:>3} {plain(alarm.title)}"[: width // 2])
        assert f"{at + 1} of {len(alarms)}" in line
    unchosen = msgspec.structs.replace(sight, selected="")
    starts = {
        page_start(msgspec.structs.replace(unchosen, clock_s=float(s)), layout.conditions)
        for s in range(4 * 8)
    }
    reached = {at for start in starts for at in range(start, start + layout.conditions)}
    assert set(range(len(alarms))) <= reached


@LAW
@given(sights("alarms"), widths)
def test_an_inactivated_condition_keeps_its_line_and_says_so(sight: Sight, width: int) -> None:
    assert sight.chair is not None
    for alarm in sight.chair.alarms:
        chosen = msgspec.structs.replace(
            sight, selected=alarm.alarm, chair=_alone(sight, alarm.alarm)
        )
        drawn = text_of(alarm_bar(chosen, 400, lay_out(400, 24)))
        assert ("acknowledged" in drawn) == is_acknowledged(alarm, sight.now)
        if alarm.held_since is not None and HOSTILE not in alarm.title:
            assert "unmeasured" in drawn
        assert width


def _alone(sight: Sight, name: str) -> object:
    assert sight.chair is not None
    kept = tuple(alarm for alarm in sight.chair.alarms if alarm.alarm == name)
    return msgspec.structs.replace(sight.chair, alarms=kept)


@pytest.mark.hazard("H4")
@LAW
@given(sights(), widths, heights)
def test_a_lost_picture_is_said_across_the_band(sight: Sight, width: int, height: int) -> None:
    layout = lay_out(width, height)
    band = alarm_bar(sight, width, layout)[: layout.band]
    big = half_blocks("MONITORING LOST")[1]
    is_said = "MONITORING LOST" in text_of(band) or big in text_of(band)
    assert is_said == sight.is_lost
    if sight.is_lost:
        assert "no picture for" in text_of(band)
        assert all(span.style.startswith("lost") for line in band for span in line)


@LAW
@given(sights("metrics"))
def test_a_live_value_is_young(sight: Sight) -> None:
    assert sight.chair is not None
    for metric in sight.chair.metrics:
        if is_live(metric, sight):
            assert metric.at is not None
            assert not sight.is_lost


@pytest.mark.parametrize(
    ("priority", "hz"), [(Priority.HIGH, (1.4, 2.8)), (Priority.MEDIUM, (0.4, 0.8))]
)
@pytest.mark.parametrize("frames_hz", [8, 60])
def test_the_flash_keeps_to_the_standard_at_the_rate_it_is_drawn(
    priority: Priority, hz: tuple[float, float], frames_hz: int
) -> None:
    lit = [is_lit(priority, 1000 + at / frames_hz) for at in range(60 * frames_hz)]
    flashes = sum(not before and now for before, now in pairwise(lit))
    assert hz[0] <= flashes / 60 <= hz[1]
    assert 0.2 <= sum(lit) / len(lit) <= 0.6


def test_a_low_condition_does_not_flash() -> None:
    assert all(is_lit(Priority.LOW, s / 8) for s in range(80))


@given(st.integers(1, 300), st.integers(1, 100), st.booleans())
def test_a_layout_never_promises_more_rows_than_there_are(
    width: int,
    height: int,
    has_extras: bool,  # noqa: FBT001 - drawn by chance
) -> None:
    layout = lay_out(width, height, has_extras=has_extras)
    fixed = layout.header + layout.alarm_bar + layout.tiles
    assert fixed + layout.strips + layout.timeline + layout.foot == max(height, fixed)
    assert layout.conditions >= 2
    assert min(layout.strips, layout.timeline, layout.foot) >= 0


def test_the_sight_of_a_quiet_chair_has_every_value_live() -> None:
    sight = seen(quiet())
    assert all(is_live(metric, sight) for metric in quiet().metrics)
