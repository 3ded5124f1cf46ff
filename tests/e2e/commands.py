"""Vigil as a stranger runs it: each command a process of its own, its words as it said them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

REPOSITORY: Final = Path(__file__).resolve().parents[2]
COMMAND: Final = (sys.executable, "-m", "monitor.cli")
COMMAND_S_MAX: Final = 90.0
_LINES: Final = msgspec.json.Decoder(dict[str, object])

Fields = dict[str, object]


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without colours and terminals, and `more`."""
    kept = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"}
    return kept | {"NO_COLOR": "1", "TERM": "xterm-256color"} | more


class Said(msgspec.Struct, frozen=True):
    """What one command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Fields]:
        """Return its JSON lines."""
        return [_LINES.decode(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> Fields:
        """Return its last JSON line."""
        return self.lines[-1]

    @property
    def changes(self) -> list[Fields]:
        """Return its alarm lines."""
        return [line for line in self.lines if "alarm" in line]

    def presented(self, alarm: str = "") -> list[Fields]:
        """Return the lines on which `alarm` (or any) became present."""
        return [
            line
            for line in self.changes
            if line["change"] == "present" and alarm in {"", line["alarm"]}
        ]


def vigil(*arguments: str | Path, stdin: bytes = b"", **more: str) -> Said:
    """Run one command to its end; a traceback is never an answer."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=COMMAND_S_MAX,
        cwd=REPOSITORY,
        env=environment(**more),
        check=False,
    )
    said = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in said.err, said.err
    return said
