"""Drivers of other packages: found by entry point, named when they are of no use."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import registry
from drivers.registry import UnknownDriverError
from monitor.installed import BrokenDriverError, every_driver, get_driver
from tests.e2e.commands import vigil

MODULE = """
import msgspec
from drivers.devices.masimo import DRIVER as MASIMO
DRIVER = msgspec.structs.replace(MASIMO, name="beacon", title="Beacon 3 oximeter")
NAMELESS = msgspec.structs.replace(MASIMO, name="other")
TAKEN = msgspec.structs.replace(MASIMO, name="nonin", title="not ours")
NOTHING = 3
"""


def install(folder: Path, *points: str) -> None:
    """Put a package with these entry points into `folder`, as an installer would."""
    (folder / "beacon_driver.py").write_text(MODULE, encoding="utf-8")
    (folder / "beacon_broken.py").write_text("import no_such_module\n", encoding="utf-8")
    about = folder / "beacon_driver-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: beacon-driver\nVersion: 1.0\n")
    lines = "\n".join(points)
    (about / "entry_points.txt").write_text(f"[vigil.drivers]\n{lines}\n", encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("beacon_driver", "beacon_broken"):
        sys.modules.pop(name, None)


def test_a_driver_of_another_package_is_found_by_its_name(place: Path) -> None:
    install(place, "beacon = beacon_driver:DRIVER")
    assert get_driver("beacon").title == "Beacon 3 oximeter"
    drivers, complaints = every_driver()
    assert complaints == ()
    assert {each.name for each in drivers} == {*registry.names(), "beacon"}
    assert [each.name for each in drivers] == sorted(each.name for each in drivers)


def test_the_commands_know_it_too(place: Path) -> None:
    install(place, "beacon = beacon_driver:DRIVER")
    path = os.pathsep.join([str(place), *filter(None, [os.environ.get("PYTHONPATH")])])
    listed = vigil("devices", "--json", PYTHONPATH=path)
    assert "beacon" in {line["driver"] for line in listed.lines}
    assert vigil("simulate", "beacon", "pty:", "--for", "0.1", PYTHONPATH=path).code == 0


def test_our_own_driver_comes_before_one_of_the_same_name(place: Path) -> None:
    install(place, "nonin = beacon_driver:TAKEN")
    assert get_driver("nonin").title != "not ours"
    drivers, complaints = every_driver()
    assert [each.name for each in drivers] == list(registry.names())
    assert "there is a driver 'nonin' already" in complaints[0]


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("beacon = beacon_broken:DRIVER", "cannot be loaded: ModuleNotFoundError"),
        ("beacon = beacon_driver:ABSENT", "cannot be loaded: AttributeError"),
        ("beacon = beacon_driver:NOTHING", "is no drivers.contract.Driver"),
        ("beacon = beacon_driver:NAMELESS", "declares the name 'other'"),
    ],
)
def test_an_offer_that_is_of_no_use_is_named_and_breaks_nothing_else(
    place: Path, point: str, reason: str
) -> None:
    install(place, point)
    with pytest.raises(BrokenDriverError, match="of beacon-driver") as refused:
        get_driver("beacon")
    assert reason in str(refused.value)
    drivers, complaints = every_driver()
    assert [each.name for each in drivers] == list(registry.names())
    assert len(complaints) == 1
    assert get_driver("masimo").name == "masimo"


def test_a_name_nobody_offers_gets_those_of_other_packages_as_well(place: Path) -> None:
    install(place, "beacon = beacon_driver:DRIVER")
    with pytest.raises(UnknownDriverError, match="did you mean beacon"):
        get_driver("beacom")
