"""The figures of this machine, in one run: `make bench`, or `python -m tests.bench --json`."""

import argparse
import os
import sys
from typing import Final

from tests.bench.figures import Figure, Measure, say_json, say_progress, say_table
from tests.bench.in_process import measure_alarms, measure_drivers, measure_path, measure_replay
from tests.bench.wires import measure_commands, measure_dashboard, measure_pty, measure_upload

MEASURES: Final[dict[str, Measure]] = {
    "path": measure_path,
    "alarms": measure_alarms,
    "replay": measure_replay,
    "pty": measure_pty,
    "drivers": measure_drivers,
    "upload": measure_upload,
    "dashboard": measure_dashboard,
    "commands": measure_commands,
}


def main() -> int:
    """Measure what was asked for, or all; the machine should have nothing else to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--json", action="store_true", help="a JSON line per figure")
    chosen = parser.parse_args()
    unknown = set(chosen.measures) - set(MEASURES)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: none of {', '.join(MEASURES)}")
    say_progress(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before this run")
    figures: list[Figure] = []
    for name in chosen.measures or MEASURES:
        say_progress(f"measuring {name}")
        figures += MEASURES[name]()
    (say_json if chosen.json else say_table)(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
