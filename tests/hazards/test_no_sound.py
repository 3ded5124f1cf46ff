"""H5, an alarm that is not heard: no sound exists, so this is said, and the eye gets everything."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.rehearsal import apnoea
from dashboards.views.alarm_bar import alarm_bar
from dashboards.views.layout import lay_out
from dashboards.views.words import MARKS
from monitor.model.alarm import Inactivation, Priority
from tests.dashboards.staging import Stage, seen, text_of
from tests.e2e.commands import vigil

pytestmark = pytest.mark.hazard("H5")


def test_serve_says_that_it_gives_no_sound_before_anything_else(tmp_path: Path) -> None:
    place = tmp_path / "clinic.toml"
    place.write_text(
        f'[site]\nname = "s"\ndata_dir = "{tmp_path}"\nsimulated = false\n'
        '[[chair]]\nname = "1"\n'
        'devices = [{ driver = "nonin", url = "serial:///dev/null" }]\n'
    )
    said = vigil("serve", place, "--speed", "2")
    assert "Vigil gives no sound: its alarms are seen on a screen and not heard." in said.err


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_help_says_that_no_sound_is_given(size: tuple[int, int]) -> None:
    stage = Stage()
    async with stage.play(size) as pilot:
        await stage.press(pilot, "question_mark")
        assert "no sound is given here: watch the screen" in stage.text


@given(st.sampled_from(Priority), st.sampled_from(Inactivation), st.integers(40, 200))
def test_what_can_be_heard_plays_no_part_in_what_is_seen(
    priority: Priority, inactivation: Inactivation, width: int
) -> None:
    """Word and shape stand on the line for one metre whatever was done to the sound."""
    first, *_ = apnoea().alarms
    alarm = msgspec.structs.replace(first, priority=priority, inactivation=inactivation)
    chair = msgspec.structs.replace(apnoea(), alarms=(alarm,))
    layout = lay_out(width, 24)
    lines = alarm_bar(seen(chair), width, layout)
    line = text_of(lines[layout.band :])
    assert MARKS[priority] in line
    assert alarm.title in line
