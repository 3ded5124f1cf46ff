"""A real dashboard on a pseudo-terminal, and what it draws there."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.commands import COMMAND, REPOSITORY, environment

_CONTROL: Final = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?")
_PATIENCE_S: Final = 30.0


@contextmanager
def dashboard(
    socket: Path, *, is_controlling: bool = False
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a dashboard on a pty of 120 by 40; yields it and the pty's master, which stays open."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = subprocess.Popen(
        [*COMMAND, "dashboard", str(socket)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_terminal if is_controlling else None,  # noqa: PLW1509 - one thread here
        cwd=REPOSITORY,
        env=environment(),
    )
    os.close(slave)
    try:
        yield shown, master
    finally:
        shown.kill()
        shown.wait()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_until(master: int, word: bytes) -> float:
    """Read what is drawn until `word` is; return how long that took, in seconds."""
    began_s, drawn = time.monotonic(), b""
    while word not in _CONTROL.sub(b"", drawn):
        left_s = began_s + _PATIENCE_S - time.monotonic()
        ready, _, _ = select.select([master], [], [], max(0.0, left_s))
        assert ready, f"{word.decode()} was never drawn: {drawn[-2000:]!r}"
        drawn += os.read(master, 65_536)
    return time.monotonic() - began_s
