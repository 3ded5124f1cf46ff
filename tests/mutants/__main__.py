"""Plant small defects in the alarm core, one at a time, and see which the tests notice.

`make mutants`, or `python -m tests.mutants alarms/step.py --json verdicts.jsonl`.
"""

import argparse
import os
import random
import sys
from pathlib import Path
from typing import Final

import msgspec

from tests.mutants.campaign import Campaign, Order, Verdict, run_pytest
from tests.mutants.mutations import find
from tests.mutants.page import (
    read_reasons,
    score_lines,
    survivor_lines,
    survivors,
    write_page,
)

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ("tests/alarms",)
# Whole sessions and recordings: they take long and notice little that the laws do not.
SLOW: Final = ("test_recordings*.py", "test_sedation_sessions.py", "test_burden.py")


def main() -> int:
    """Run a campaign; say the survivors and the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="alarms/*.py unless said")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--test-s-max", type=float, default=2.5, metavar="S",
                        help="ask only tests that take so long at most")  # fmt: skip
    parser.add_argument("--tests", nargs="+", metavar="PATH", default=TESTS,
                        help=f"ask only these tests; {TESTS[0]} unless said")  # fmt: skip
    parser.add_argument(
        "--again", type=Path, metavar="F", help="only the survivors told in F, by slow tests too"
    )
    parser.add_argument("--json", type=Path, metavar="F", help="write every verdict as a line")
    parser.add_argument("--merge", type=Path, nargs="*", metavar="F", default=[],
                        help="run nothing: take these verdicts, the later counting")  # fmt: skip
    parser.add_argument("--page", type=Path, metavar="F", help="write the page, with the reasons")
    chosen = parser.parse_args()
    files = chosen.files or sorted(
        str(each.relative_to(ROOT)) for each in (ROOT / "alarms").glob("*.py")
    )
    mutants = [mutant for each in files for mutant in find(ROOT / each, each)]
    if chosen.again:
        before = read(chosen.again)
        left = {each.mutant.name for each in before if each.verdict == "survived"}
        mutants = [each for each in mutants if each.name in left]
    if chosen.sample:
        chance = random.Random(chosen.seed)
        mutants = sorted(chance.sample(mutants, min(chosen.sample, len(mutants))),
                         key=lambda each: (each.file, each.step))  # fmt: skip
    if chosen.merge:
        latest = {each.mutant.name: each for path in chosen.merge for each in read(path)}
        verdicts = [latest[each.name] for each in mutants if each.name in latest]
    else:
        order = Order(
            root=str(ROOT),
            files=files,
            mutants=mutants,
            jobs=chosen.jobs,
            test_s_max=chosen.test_s_max,
        )
        slow = [] if chosen.again else [f"--ignore-glob=*/{each}" for each in SLOW]
        verdicts = try_all(order, [*chosen.tests, *slow], chosen.json)
    reasons = read_reasons()
    if chosen.page:
        write_page(chosen.page, verdicts, reasons, len(mutants))
    for line in [*survivor_lines(verdicts, reasons), *score_lines(verdicts)]:
        sys.stdout.write(line + "\n")
    return 0


def read(path: Path) -> list[Verdict]:
    """Return the verdicts of an earlier campaign."""
    lines = path.read_text().splitlines()
    return [msgspec.json.decode(line, type=Verdict) for line in lines]


def try_all(order: Order, tests: list[str], path: Path | None) -> list[Verdict]:
    """Try every mutant; show how far it is, and write each verdict as a line where asked."""
    verdicts: list[Verdict] = []
    with (path or Path(os.devnull)).open("w") as lines:

        def told(verdict: Verdict, done: int) -> None:
            verdicts.append(verdict)
            lines.write(msgspec.json.encode(verdict).decode() + "\n")
            lines.flush()
            alive = len(survivors(verdicts))
            sys.stderr.write(f"\r{done} of {len(order.mutants)}, {alive} survived ")
            sys.stderr.flush()

        run_pytest(tests, [Campaign(order, told)])
    sys.stderr.write("\n")
    return verdicts


if __name__ == "__main__":
    sys.exit(main())
