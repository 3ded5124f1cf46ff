"""Pictures of the screens, looked at by people and kept: fixed size, frozen clock, fixed words."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboards.rehearsal import apnoea, quiet
from monitor.model.snapshot import ChairSnapshot
from tests.dashboards.staging import Stage, messages

Compare = Callable[..., bool]


@pytest.mark.parametrize(
    ("chair", "size", "keys"),
    [
        (quiet, (110, 34), ()),
        (apnoea, (110, 34), ()),
        (apnoea, (80, 24), ()),
        (apnoea, (110, 34), ("question_mark",)),
    ],
    ids=["quiet", "apnoea", "apnoea-small", "help"],
)
def test_a_screen_looks_as_it_was_accepted(
    snap_compare: Compare,
    chair: Callable[[], ChairSnapshot],
    size: tuple[int, int],
    keys: tuple[str, ...],
) -> None:
    stage = Stage(*messages(chair()))

    async def settle(pilot: Any) -> None:
        await stage.hear(pilot)
        stage.now_s += 1
        await stage.press(pilot, *keys)

    assert snap_compare(stage.app, terminal_size=size, run_before=settle)
