"""What a campaign found, as lines and as a page, with the reason of each survivor."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from tests.mutants.campaign import Verdict
from tests.mutants.mutations import Mutant

REASONS: Final = Path(__file__).parent / "survivors"
Key: TypeAlias = tuple[str, str, str, str]
_OPENING: Final = """# Planted defects

`make mutants` plants small defects in the alarm core, one at a time (a comparison moved by a step,
a number one higher, a condition negated, a statement or a row of a table left out), and runs the
tests of `tests/alarms` that reach the place. What no test notices survives and is listed here with
the reason why it may. [0022](decisions/0022-planting-defects.md) says why the tool is our own.

"""


def key_of(mutant: Mutant) -> Key:
    """Return what finds a mutant again when lines above it have moved."""
    return mutant.file, mutant.function, mutant.text, mutant.what


def read_reasons() -> dict[Key, str]:
    """Return why each known survivor may live, from a file of reasons for each source file."""
    reasons: dict[Key, str] = {}
    for path in sorted(REASONS.glob("*.toml")):
        file = f"alarms/{path.stem}.py"
        for each in tomllib.loads(path.read_text())["survivor"]:
            key = (file, each.get("function", ""), each["text"], each["what"])
            reasons[key] = each["why"]
    return reasons


def survivors(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the mutants that no test noticed."""
    return [each for each in verdicts if each.verdict == "survived"]


def survivor_lines(verdicts: Sequence[Verdict], reasons: dict[Key, str]) -> Iterator[str]:
    """Yield a line for each survivor."""
    for each in survivors(verdicts):
        asked = f"{each.tests} tests" if each.tests else "no test reaches it"
        yield f"{each.mutant.name}  [{asked}] {reasons.get(key_of(each.mutant), '')}".rstrip()


def score_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the score of each file and that of all."""
    for name, tried, noticed in _scores(verdicts):
        yield f"{name}: {noticed} of {tried} noticed, {100 * noticed / max(1, tried):.1f} %"


def _scores(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, int, int]]:
    for name in [*sorted({each.mutant.file for each in verdicts}), "all"]:
        those = [each for each in verdicts if name in {"all", each.mutant.file}]
        yield name, len(those), len(those) - len(survivors(those))


def write_page(
    path: Path, verdicts: Sequence[Verdict], reasons: dict[Key, str], planted: int
) -> None:
    """Write the page: the scores, then every survivor with its reason."""
    share = f"Tried: {len(verdicts)} of {planted}; noticed: by any run of several.\n\n"
    lines = [_OPENING + share + "| file | planted | noticed | % |", "|---|---|---|---|"]
    for name, tried, noticed in _scores(verdicts):
        lines.append(f"| {name} | {tried} | {noticed} | {100 * noticed / max(1, tried):.1f} |")
    lines += ["", "## Survivors"]
    last = ""
    for each in survivors(verdicts):
        mutant = each.mutant
        if mutant.file != last:
            lines += ["", f"### {mutant.file}", ""]
            last = mutant.file
        why = reasons.get(key_of(mutant), "**not explained**")
        lines.append(f"- line {mutant.line}, {mutant.what}: `{mutant.text}`: {why}")
    path.write_text("\n".join(lines) + "\n")
