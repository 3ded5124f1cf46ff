"""Run the tests of one planted defect in a process that already has everything loaded.

A function is code that can be exchanged: a mutant inside a function needs no import, only a fork,
so that it costs what its tests cost. What runs at import (constants, tables, classes) is planted in
a fork that loads everything of ours again.
"""

import ast
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Final

import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.mutations import Mutant, plant

SURVIVED: Final = 0
KILLED: Final = 1
TIMED_OUT: Final = 3
_MEMORY_MAX: Final = 4 << 30
_PATIENCE: Final = 3.0
_PATIENCE_S_MIN: Final = 3.0


class Reach:
    """Which functions of the files under trial each test runs, and how much CPU time it takes."""

    def __init__(self, root: Path, files: Sequence[str]) -> None:
        self._names = {str(root / each): each for each in files}
        self.seconds: dict[str, float] = {}
        self.runs: dict[tuple[str, str], set[str]] = {}
        self._seen: set[CodeType] = set()

    def learn(self, session: pytest.Session) -> list[str]:
        """Run every test once, watching; return those that fail by themselves and are not asked."""
        useless: list[str] = []
        for item in session.items:
            self._seen = set()
            began = time.process_time()
            sys.setprofile(self._watch)
            try:
                passed = passes(item)
            finally:
                sys.setprofile(None)
            if not passed:
                useless.append(item.nodeid)
                continue
            self.seconds[item.nodeid] = time.process_time() - began
            for code in self._seen:
                place = (self._names[code.co_filename], outermost(code.co_qualname))
                self.runs.setdefault(place, set()).add(item.nodeid)
        return useless

    def _watch(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in self._names:
            self._seen.add(frame.f_code)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that can notice the mutant, the quickest first."""
        reached = self.runs.get((mutant.file, mutant.function), set())
        if not reached:
            reached = set().union(*(t for (file, _), t in self.runs.items() if file == mutant.file))
        reached = reached or set(self.seconds)
        return sorted(reached, key=lambda each: self.seconds[each])

    def runs_at_import(self, mutant: Mutant) -> bool:
        """Say whether what is changed runs at import only, itself or called from there."""
        return (mutant.file, mutant.function) not in self.runs

    def patience_s(self, tests: Sequence[str]) -> float:
        """Return how long any of the tests may take before the mutant counts as hung."""
        return _PATIENCE_S_MIN + _PATIENCE * max(self.seconds[each] for each in tests)


def outermost(qualname: str) -> str:
    """Return the function a nested piece of code belongs to, with its class."""
    return qualname.partition(".<locals>")[0]


def passes(item: pytest.Item) -> bool:
    """Run one test with its fixtures, all of them torn down again; say whether it passed."""
    reports = runtestprotocol(item, log=False, nextitem=None)
    return not any(report.failed for report in reports)


def try_here(mutant: Mutant, root: Path, tests: Sequence[pytest.Item], patience_s: float) -> int:
    """Plant the mutant in this process, which is a fork and ends; return what became of it."""
    exchange(mutant, root)
    return run_until_red(tests, patience_s)


def run_until_red(tests: Sequence[pytest.Item], patience_s: float) -> int:
    """Run the tests, each within its time, until one notices; return what became of the mutant."""
    for each in tests:
        limit(patience_s)
        if not passes(each):
            return KILLED
    return SURVIVED


def limit(patience_s: float) -> None:
    """Give this process a bounded CPU time, which no busy machine uses up, and a bounded memory."""
    signal.signal(signal.SIGPROF, lambda *_: os._exit(TIMED_OUT))
    signal.setitimer(signal.ITIMER_PROF, patience_s)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))


def exchange(mutant: Mutant, root: Path) -> None:
    """Give the function of the mutant its changed code."""
    path = root / mutant.file
    module = import_module(module_of(mutant.file))
    code = compile(plant(path, mutant), str(path), "exec")
    for each in _codes(code):
        if each.co_qualname == mutant.function:
            function_of(module, mutant.function).__code__ = each
            return
    raise LookupError(mutant.name)


def function_of(module: ModuleType, name: str) -> FunctionType:
    """Return the plain function behind a dotted name: a property's, a cached one's."""
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    for inner in ("__func__", "fget", "__wrapped__"):
        found = getattr(found, inner, None) or found
    if not isinstance(found, FunctionType):
        raise TypeError(f"{module.__name__}.{name} is no function")
    return found


def module_of(file: str) -> str:
    """Return the dotted name of a source file."""
    return file.removesuffix(".py").replace("/", ".")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


class _Loader(SourceFileLoader):
    tree: ast.Module

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the changed tree."""
        return compile(self.tree, self.get_filename(fullname), "exec")


class Planted:
    """Finds one module with a defect in it; every other as usual. Put first on `sys.meta_path`."""

    def __init__(self, mutant: Mutant, root: Path) -> None:
        self._name = module_of(mutant.file)
        self._loader = _Loader(self._name, str(root / mutant.file))
        self._loader.tree = plant(root / mutant.file, mutant)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return where to load the module from, if it is the one."""
        if name != self._name:
            return None
        return spec_from_file_location(name, self._loader.path, loader=self._loader)
