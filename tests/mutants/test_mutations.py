"""The tool itself: it plants what it says, one defect at a time, and never the same twice."""

import ast
from pathlib import Path

import pytest

from tests.mutants.mutations import find, plant
from tests.mutants.page import key_of, read_reasons

ROOT = Path(__file__).parents[2]
FILES = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "alarms").glob("*.py"))
EXAMPLE = '''"""Words."""
LIMIT: int = 3
"""What the limit is about."""

def over(value: "not a word", rest: list) -> bool:
    """Docstring."""
    if value is None and not rest:
        return False
    rest[0] = -value
    return value < LIMIT
'''


@pytest.mark.parametrize("file", FILES)
def test_each_mutant_is_another_program_and_no_two_are_the_same(file: str) -> None:
    plain = ast.unparse(ast.parse((ROOT / file).read_text()))
    programs = set()
    mutants = find(ROOT / file, file)
    for each in mutants[::5]:
        tree = plant(ROOT / file, each)
        compile(tree, file, "exec")
        programs.add(ast.unparse(tree))
    assert plain not in programs
    assert len(programs) == len(mutants[::5])


def test_what_is_planted_is_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(EXAMPLE)
    assert [(each.function, each.line, each.what) for each in find(path, "example.py")] == [
        ("", 2, "3 becomes 4"),
        ("over", 7, "the condition is negated"),
        ("over", 7, "and becomes or"),
        ("over", 7, "is becomes is not"),
        ("over", 7, "not is left out"),
        ("over", 8, "nothing is returned"),
        ("over", 8, "False becomes True"),
        ("over", 9, "the statement is left out"),
        ("over", 9, "0 becomes 1"),
        ("over", 9, "the sign is left out"),
        ("over", 10, "nothing is returned"),
        ("over", 10, "< becomes <="),
    ]
    last = find(path, "example.py")[-1]
    assert "return value <= LIMIT" in ast.unparse(plant(path, last))


def test_each_reason_is_about_a_mutant_that_can_still_be_planted() -> None:
    known = {key_of(each) for file in FILES for each in find(ROOT / file, file)}
    assert [key for key in read_reasons() if key not in known] == []
