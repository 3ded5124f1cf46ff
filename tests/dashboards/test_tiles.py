"""A tile is as wide and as high as it was told to be, whatever it has to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.views.line import width_of
from dashboards.views.tiles import TileView, tile_lines
from dashboards.views.words import lasting_s
from monitor.model.alarm import Priority


@given(
    st.integers(13, 60),
    st.integers(0, 200_000),
    st.sampled_from(["Pulse /min", "SpO2 %", "NIBP mmHg", "EtCO2 mmHg"]),
    st.sampled_from([None, *Priority]),
)
def test_a_tile_keeps_its_size(
    width: int, age_s: int, title: str, priority: Priority | None
) -> None:
    age = lasting_s(age_s) if age_s < 120 else f"{lasting_s(age_s)} ago"
    view = TileView(
        title=title, figure="72", is_live=True, limits="50-120", age=age, priority=priority
    )
    lines = tile_lines(view, width, 6, is_big=False)
    assert [width_of(line) for line in lines] == [width] * 6


@pytest.mark.parametrize("age", ["3 min ago", "61 min ago"])
def test_a_narrow_tile_says_minutes_beside_its_mark(age: str) -> None:
    view = TileView(
        title="Pulse /min", figure="10", is_live=True, limits="", age=age, priority=Priority.HIGH
    )
    foot = "".join(span.text for span in tile_lines(view, 13, 6, is_big=False)[-1])
    assert age.removesuffix(" ago") in foot
    assert "!!!" in foot
