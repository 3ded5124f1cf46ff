"""H4, the process that alarms dies, or hangs, and nobody notices: every dashboard says so."""

import signal
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.site import site
from tests.e2e.terminal import dashboard, read_until

pytestmark = [pytest.mark.service, pytest.mark.hazard("H4")]

SEEN_WITHIN_S: Final = 5.0
"""Losing the serving process is seen on every dashboard within this time."""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_a_dashboard_says_within_seconds_that_nobody_watches(
    place: Path, how: signal.Signals
) -> None:
    async with site("quiet", place, speed=1) as here:
        serving = await here.serve()
        here.begin()
        with dashboard(here.socket) as (_, master):
            read_until(master, b"SpO2")
            serving.process.send_signal(how)
            try:
                assert read_until(master, b"no picture for") < SEEN_WITHIN_S
            finally:
                if how is signal.SIGSTOP:
                    serving.process.send_signal(signal.SIGCONT)
        assert await serving.end() == (-9 if how is signal.SIGKILL else 0)
