"""Many simulated sessions, each from one seed, each held against the laws.

A broken law is printed with its seed, its virtual time, the commit and the command that repeats it:
that line is the bug report.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from simulators.played import Played, play

__all__ = ["Played", "main", "play"]

SEEDS: Final = 200
JOBS: Final = 2
_PER_CHUNK: Final = 4
_WIDTH: Final = 28


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what the arguments say; 1 if a law was broken, else 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="play this one alone and say all about it")
    parser.add_argument("--seconds", type=float, help="how long each is; drawn where left out")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes (default %(default)s)")
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        return _play_one(chosen.seed, chosen.seconds)
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    began_s = time.perf_counter()
    played = list(_with_progress(_play_all(seeds, chosen.seconds, chosen.jobs), len(seeds)))
    _say_table(played, time.perf_counter() - began_s)
    broken = [each for each in played if each.breach is not None]
    for each in broken:
        sys.stdout.write(report(each))
    return 1 if broken else 0


def report(played: Played) -> str:
    """Return the bug report of a session in which a law was broken; "" if none was."""
    breach = played.breach
    if breach is None:
        return ""
    return (
        f"seed {played.seed}, at {breach.at_s:.6f} s of {played.seconds:.0f} s: {breach.law}\n"
        f"  {breach.how}\n"
        f"  commit {_commit()}; to repeat: python -m simulators.world --seed {played.seed}\n"
    )


def _play_one(seed: int, duration_s: float | None) -> int:
    played = play(seed, duration_s)
    for what, count in played.counts.items():
        sys.stdout.write(f"{what:{_WIDTH}}{count:>9}\n")
    sys.stdout.write(f"{'seconds':{_WIDTH}}{played.seconds:>9.0f}\ndigest {played.digest}\n")
    sys.stdout.write(report(played) or f"seed {seed}: every law held\n")
    return 1 if played.breach is not None else 0


def _play_all(seeds: Sequence[int], duration_s: float | None, jobs: int) -> Iterator[Played]:
    lengths = [duration_s] * len(seeds)
    if jobs <= 1:
        yield from map(play, seeds, lengths)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(play, seeds, lengths, chunksize=_PER_CHUNK)


def _with_progress(played: Iterable[Played], total: int) -> Iterator[Played]:
    broken = 0
    for count, each in enumerate(played, 1):
        broken += each.breach is not None
        if sys.stderr.isatty() or count % 50 == 0 or count == total:
            sys.stderr.write(f"\r{count} of {total} sessions, {broken} broken")
            sys.stderr.flush()
        yield each
    sys.stderr.write("\n")


def _say_table(played: Sequence[Played], took_s: float) -> None:
    counts: Counter[str] = Counter()
    known: Counter[str] = Counter()
    for each in played:
        counts.update(each.counts)
        known.update(what for what, count in each.counts.items() if count)
    sys.stdout.write(f"{'what':{_WIDTH}}{'times':>9}{'sessions':>10}\n")
    for what, count in sorted(counts.items()):
        sys.stdout.write(f"{what:{_WIDTH}}{count:>9}{known[what]:>10}\n")
    hours = sum(each.seconds for each in played) / 3600
    broken = sum(each.breach is not None for each in played)
    sys.stdout.write(
        f"{len(played)} sessions, {hours:.1f} h of them, in {took_s:.0f} s; {broken} broke a law\n"
    )


def _commit() -> str:
    """Return the commit of the checkout this runs from; "unknown" where there is none."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        said = subprocess.run(  # noqa: S603  # fixed words
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
