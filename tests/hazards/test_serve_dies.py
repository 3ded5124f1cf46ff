"""H4, the process that alarms dies, or hangs, and nobody notices: every dashboard says so."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.commands import COMMAND, REPOSITORY, environment
from tests.e2e.site import site

pytestmark = [pytest.mark.service, pytest.mark.hazard("H4")]

SEEN_WITHIN_S: Final = 5.0
"""Losing the serving process is seen on every dashboard within this time."""
_PATIENCE_S: Final = 30.0
_CONTROL: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?")


@contextmanager
def dashboard(socket: Path) -> Iterator[int]:
    """Run a real dashboard on a pty of 120 by 40; yields the pty's master."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = subprocess.Popen(
        [*COMMAND, "dashboard", str(socket)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd=REPOSITORY,
        env=environment(),
    )
    os.close(slave)
    try:
        yield master
    finally:
        shown.kill()
        shown.wait()
        os.close(master)


def read_until(master: int, word: bytes) -> float:
    """Read what is drawn until `word` is; return how long that took, in seconds."""
    began_s, drawn = time.monotonic(), b""
    while word not in _CONTROL.sub(b"", drawn):
        left_s = began_s + _PATIENCE_S - time.monotonic()
        ready, _, _ = select.select([master], [], [], max(0.0, left_s))
        assert ready, f"{word.decode()} was never drawn: {drawn[-2000:]!r}"
        drawn += os.read(master, 65_536)
    return time.monotonic() - began_s


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_a_dashboard_says_within_seconds_that_nobody_watches(
    place: Path, how: signal.Signals
) -> None:
    async with site("quiet", place, speed=1) as here:
        serving = await here.serve()
        here.begin()
        with dashboard(here.socket) as master:
            read_until(master, b"SpO2")
            serving.process.send_signal(how)
            try:
                assert read_until(master, b"no picture for") < SEEN_WITHIN_S
            finally:
                if how is signal.SIGSTOP:
                    serving.process.send_signal(signal.SIGCONT)
        assert await serving.end() == (-9 if how is signal.SIGKILL else 0)
