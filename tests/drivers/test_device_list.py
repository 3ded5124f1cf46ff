"""The list of devices says what the registry says: nothing missing, nothing more."""

import json
import re
from pathlib import Path

import pytest

from drivers.contract import TransportKind
from drivers.registry import all_drivers, get, names
from monitor.main.devices import list_devices

DOCS = Path(__file__).resolve().parents[2] / "docs" / "devices"
ROW = re.compile(r"^\| \[(\w+)\]\((\w+)\.md\) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def rows() -> dict[str, str]:
    """Return driver -> transports as listed."""
    found = ROW.findall((DOCS / "README.md").read_text(encoding="utf-8"))
    assert len({row[0] for row in found}) == len(found), "a driver is listed twice"
    return {row[0]: row[3] for row in found if row[0] == row[1]}


def test_every_driver_is_listed_and_no_other() -> None:
    assert set(rows()) == set(names())


@pytest.mark.parametrize("name", names())
def test_the_list_names_the_transports_that_the_driver_declares(name: str) -> None:
    listed = {word.strip().lower() for word in rows()[name].split(",")}
    assert listed == {kind.value for kind in get(name).transports}


def test_every_driver_has_a_page_of_its_own() -> None:
    pages = {path.stem for path in DOCS.glob("*.md")} - {"README"}
    assert pages == {driver.name for driver in all_drivers()}


@pytest.mark.parametrize("name", names())
def test_a_page_says_wiring_settings_evidence_and_doubts_as_the_driver_declares(name: str) -> None:
    driver = get(name)
    page = " ".join((DOCS / f"{name}.md").read_text(encoding="utf-8").split())
    for part in ("Wiring", "Settings", f"Evidence: {driver.evidence}", "doubt"):
        assert part.lower() in page.lower(), part
    if TransportKind.SERIAL in driver.transports:
        line = driver.serial
        assert str(line.baud) in page
        assert f"{line.bits}{line.parity}{line.stop:g}" in page


def test_devices_as_json_says_what_the_drivers_declare(capsys: pytest.CaptureFixture[str]) -> None:
    assert list_devices(as_json=True) == 0
    said = {line["driver"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert set(names()) <= set(said)
    for driver in all_drivers():
        line = said[driver.name]
        assert line["device"] == driver.title
        assert line["transports"] == sorted(driver.transports)
        assert line["metrics"] == sorted(driver.metrics)
        assert line["evidence"] == driver.evidence
        assert line["doubts"] == list(driver.doubts)
        assert (line["serial"] is not None) == (TransportKind.SERIAL in driver.transports)
