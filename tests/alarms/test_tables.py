"""The page about the transition table is printed when the module is run, and only then."""

import runpy
import sys

import pytest

from alarms.tables import page


def test_the_page_is_printed_by_running_the_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "alarms.tables")
    runpy.run_module("alarms.tables", run_name="__main__")
    assert capsys.readouterr().out == page()
    runpy.run_module("alarms.tables", run_name="alarms.tables")
    assert capsys.readouterr().out == ""
