"""A demonstration that is killed leaves nothing behind that would take the next one's devices."""

import os
import select
import signal
import subprocess
from pathlib import Path

from tests.e2e.commands import COMMAND, REPOSITORY, environment

GONE_WITHIN_S = 20.0


def serving(folder: Path) -> int:
    """Return the process that serves the configuration in `folder`."""
    wanted = str(folder / "demo.toml").encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        if wanted in words and b"serve" in words:
            return int(process.name)
    raise AssertionError(f"nobody serves {folder}")


def test_who_serves_a_demonstration_ends_with_it(tmp_path: Path) -> None:
    course = ("--headless", "--scenario", "cable-pulled", "--speed", "10")
    arguments = ("demo", *course, "--record", str(tmp_path))
    demo = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, cwd=REPOSITORY, env=environment()
    )
    try:
        assert demo.stdout is not None
        assert demo.stdout.readline(), "no alarm of the pulled cable was told"
        served = os.pidfd_open(serving(tmp_path))
    finally:
        demo.kill()
        demo.wait()
    ended, _, _ = select.select([served], [], [], GONE_WITHIN_S)
    if not ended:
        signal.pidfd_send_signal(served, signal.SIGKILL)
    os.close(served)
    demo.stdout.close()
    assert ended
