"""How often alarms call and what they find, over a grid of limits, delays and filters.

`make burden` plays everything in a few minutes and writes docs/burden.md with its curves;
`python -m tests.burden --quick` is a small grid over few sessions.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from tests.burden.curves import charts
from tests.burden.page import page
from tests.burden.recordings import why_absent
from tests.burden.results import Results, csv_of, json_lines, results_of
from tests.burden.run import FULL, SHORT, run, units
from tests.burden.svg import draw

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "burden.md"
SEED: Final = 1
JOBS: Final = 2


def main() -> int:
    """Play, count, and write what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.burden", description=(__doc__ or "").split("\n\n", 1)[0]
    )
    parser.add_argument("--quick", action="store_true", help="a small grid over few sessions")
    parser.add_argument("--json", action="store_true", help="a JSON line per point of the grid")
    parser.add_argument("-o", "--output", type=Path, metavar="PAGE", help="write page and curves")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="of all chance (default %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes (default %(default)s)")
    chosen = parser.parse_args()
    size, began_s = SHORT if chosen.quick else FULL, time.perf_counter()
    if why_absent():
        sys.stderr.write(f"without real recordings: {why_absent()}\n")
    parts = run(units(size, chosen.seed), chosen.jobs)
    results = results_of(parts, size.grids, chosen.seed)
    sys.stderr.write(f"played in {time.perf_counter() - began_s:.0f} s\n")
    if chosen.json:
        sys.stdout.writelines(line + "\n" for line in json_lines(results))
    if chosen.output is not None:
        write(results, chosen.output, _command(quick=chosen.quick))
    elif not chosen.json:
        sys.stdout.write(page(results, _command(quick=chosen.quick)))
    return 0


def _command(*, quick: bool) -> str:
    return "python -m tests.burden --quick" if quick else "make burden"


def write(results: Results, output: Path, command: str) -> None:
    """Write the page, and beside it its curves and every point."""
    folder = output.parent / "burden"
    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in charts(results.rows, results.real).items():
        (folder / f"{name}.svg").write_text(draw(chart), encoding="utf-8")
    (folder / "points.csv").write_text(csv_of(results), encoding="utf-8")
    output.write_text(page(results, command), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
