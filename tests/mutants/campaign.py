"""A campaign inside one pytest process: learn what each test runs, then fork for each mutant."""

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.mutants.mutations import Mutant
from tests.mutants.trial import (
    KILLED,
    SURVIVED,
    TIMED_OUT,
    Planted,
    Reach,
    run_until_red,
    try_here,
)

VERDICTS: Final = {SURVIVED: "survived", KILLED: "killed", TIMED_OUT: "hung"}
OWN: Final = frozenset({"alarms", "tests", "monitor", "drivers", "simulators", "dashboards"})


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one mutant; `tests` is how many tests were asked."""

    mutant: Mutant
    verdict: str
    tests: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to try: the files, the mutants, how many at once, and how long a test asked may take."""

    root: str
    files: list[str]
    mutants: list[Mutant]
    jobs: int = 2
    test_s_max: float = 1.0


class Campaign:
    """A pytest plugin that takes the place of the run of the tests."""

    def __init__(self, order: Order, told: Callable[[Verdict, int], None]) -> None:
        self._order = order
        self._root = Path(order.root)
        self._told = told
        self._running: dict[int, tuple[Mutant, int]] = {}
        self._items: dict[str, pytest.Item] = {}
        self._done = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn, then try each mutant; the verdicts go to whoever asked."""
        reach = Reach(self._root, self._order.files)
        for useless in reach.learn(session):
            sys.stderr.write(f"fails without any mutant, not asked: {useless}\n")
        self._items = {each.nodeid: each for each in session.items}
        for mutant in self._order.mutants:
            tests = [
                each
                for each in reach.tests_of(mutant)
                if reach.seconds[each] <= self._order.test_s_max
            ]
            if not tests:
                self._tell(mutant, SURVIVED, 0)
                continue
            if len(self._running) >= self._order.jobs:
                self._wait()
            self._start(
                mutant, tests, reach.patience_s(tests), at_import=reach.runs_at_import(mutant)
            )
        while self._running:
            self._wait()
        return True

    def _start(
        self, mutant: Mutant, tests: list[str], patience_s: float, *, at_import: bool
    ) -> None:
        pid = os.fork()
        if pid:
            self._running[pid] = (mutant, len(tests))
            return
        silence()
        try:
            if at_import:
                verdict = try_anew(mutant, self._root, tests, patience_s)
            else:
                items = [self._items[each] for each in tests]
                verdict = try_here(mutant, self._root, items, patience_s)
        except BaseException:  # noqa: BLE001  # whatever happens, this fork ends here
            traceback.print_exc()
            verdict = KILLED
        os._exit(verdict)

    def _wait(self) -> None:
        pid, status = os.wait()
        mutant, tests = self._running.pop(pid)
        self._tell(mutant, os.waitstatus_to_exitcode(status), tests)

    def _tell(self, mutant: Mutant, code: int, tests: int) -> None:
        self._done += 1
        verdict = VERDICTS.get(code, "killed")
        self._told(Verdict(mutant=mutant, verdict=verdict, tests=tests), self._done)


class OneMutant:
    """A pytest plugin for a process that loads everything with one mutant in it."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self.survived = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests until one notices."""
        self.survived = run_until_red(session.items, self._patience_s) == SURVIVED
        return True


def try_anew(mutant: Mutant, root: Path, tests: list[str], patience_s: float) -> int:
    """Load all of our own again in this fork, with the mutant in it; return what became of it.

    Whatever was imported from outside stays, so that it costs a collection and not a new process.
    """
    for name in list(sys.modules):
        if name.partition(".")[0] in OWN and not name.startswith("tests.mutants"):
            del sys.modules[name]
    sys.meta_path[:] = [each for each in sys.meta_path if "ewrit" not in type(each).__name__]
    sys.meta_path.insert(0, Planted(mutant, root))
    plugin = OneMutant(patience_s)
    run_pytest(tests, [plugin])
    return SURVIVED if plugin.survived else KILLED


def run_pytest(tests: Iterable[str], plugins: list[object]) -> int:
    """Collect the tests and hand over to the plugin that runs them."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    options = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--timeout=0", "--capture=no"]
    return int(pytest.main([*options, *tests], plugins=plugins))


def silence() -> None:
    """Let this process say nothing more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
