"""Style as a test: sizes, words, and what must never be in the code."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("monitor", "drivers", "alarms", "dashboards", "simulators")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
PURE = ("monitor.model", "monitor.session", "drivers", "alarms")
FORBIDDEN_IN_PURE = {
    "asyncio", "socket", "threading", "logging", "sqlite3", "serial", "aiomqtt", "influxdb_client",
    "websockets", "textual", "random", "pathlib",
}  # fmt: skip

# The words that the alarm standard's authors gave up, and those that say nothing.
BANNED_PARTS = {
    "silence_alarm", "silenced", "mute", "muted", "unmute", "snooze", "debounce", "timestamp",
    "manager", "handler", "helper", "utils", "tmp", "info",
}  # fmt: skip
ALLOWED = {
    # names of other people's interfaces
    "set_exception_handler", "add_signal_handler", "default_exception_handler",
}  # fmt: skip


def _ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=_ids(SOURCES + TESTS))
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=_ids(SOURCES))
def test_a_function_fits_a_screen(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in _functions(_tree(path))
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=_ids(SOURCES))
def test_a_module_says_what_it_is(path: Path) -> None:
    if path == ROOT / "monitor" / "__init__.py":
        assert not path.read_text(encoding="utf-8"), "importing monitor.model runs it"
        return
    assert ast.get_docstring(_tree(path))


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _parts(identifier: str) -> set[str]:
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", identifier).lower()
    return set(words.strip("_").split("_"))


@pytest.mark.parametrize("path", SOURCES, ids=_ids(SOURCES))
def test_identifiers_use_the_words_of_the_field(path: Path) -> None:
    wrong = {
        name
        for name in _identifiers(_tree(path))
        if name not in ALLOWED and (_parts(name) & BANNED_PARTS or name.startswith("process_"))
    }
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=_ids(SOURCES))
def test_nothing_is_caught_that_was_not_named(path: Path) -> None:
    """One broad `except` a task, at its top, that raises again."""
    broad = []
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        names = (
            {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)}
            if node.type
            else {"bare"}
        )
        raises = any(isinstance(each, ast.Raise) for each in ast.walk(node))
        if names & {"bare", "Exception", "BaseException"} and not raises:
            broad.append(node.lineno)
    assert not broad


@pytest.mark.parametrize("path", TESTS, ids=_ids(TESTS))
def test_tests_do_not_wait_for_time_to_pass(path: Path) -> None:
    sleeps = [
        node.lineno
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "sleep"
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]
    allowed = "virtual" in path.name  # there an hour's sleep is what is under test
    assert allowed or not sleeps


def test_wall_time_and_standard_output_stay_at_the_edges() -> None:
    wrong = []
    for path in SOURCES:
        place = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        if "print(" in text:
            wrong.append(f"{place}: print")
        if re.search(r"datetime\.now|time\.time\(", text):
            wrong.append(f"{place}: wall clock")
    assert not wrong


def test_cores_drag_in_no_clock_chance_loop_wire_or_screen() -> None:
    """What the import graph cannot see: what a third party brings along."""
    code = (
        "import sys, msgspec, re, enum, struct, difflib, tomllib, importlib.resources, pkgutil\n"
        "import numpy\n"
        "before = set(sys.modules)\n"
        "import importlib\n"
        f"for name in {PURE!r}:\n"
        "    package = importlib.import_module(name)\n"
        "    for each in pkgutil.walk_packages(package.__path__, name + '.'):\n"
        "        importlib.import_module(each.name)\n"
        f"print(sorted((set(sys.modules) - before) & set({sorted(FORBIDDEN_IN_PURE)!r})))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert said.stdout.strip() == "[]"


def test_every_driver_has_its_page() -> None:
    drivers = {path.stem for path in (ROOT / "drivers" / "devices").glob("*.py")} - {"__init__"}
    pages = {path.stem for path in (ROOT / "docs" / "devices").glob("*.md")} - {"README"}
    assert drivers == pages


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").iterdir()), ids=lambda path: path.name
)
def test_a_lock_holds_versions_and_hashes_and_no_address(path: Path) -> None:
    assert "://" not in path.read_text(encoding="utf-8")


def _hazards_named_by_tests() -> set[str]:
    pattern = re.compile(r'mark\.hazard\("(H\d+)"')
    return {match for path in TESTS for match in pattern.findall(path.read_text(encoding="utf-8"))}


def test_the_hazards_of_this_version_are_each_named_by_a_test() -> None:
    here = {f"H{number}" for number in (*range(1, 15), 17, 18, 19, 21, 22, 24, 25, 26)}
    assert here - _hazards_named_by_tests() == set()
