"""The list of devices says what the registry says: nothing missing, nothing more."""

import re
from pathlib import Path

import pytest

from drivers.registry import all_drivers, get, names

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
