"""Adding a device is adding one file: done here with two made-up ones, as CONTRIBUTING says.

One only talks, one only answers. In a copy of the checkout each is a file, and by an entry point
each is an installed package; both ways every command knows it and every law holds it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.e2e.commands import COMMAND, Fields, environment

ROOT: Final = Path(__file__).resolve().parents[2]
MADE_UP: Final = Path(__file__).parent / "made_up"
FILE_LINES_MAX: Final = 120
PACKAGES: Final = ("monitor", "drivers", "alarms", "dashboards", "simulators", "tests", "docs")
DEVICES: Final = {
    "lumen": ("Lumen 9 oximeter", b"24 4F 2C 30 39 37 2C 30 37 32 2C 30 30 2A 36 38 0D 0A", "spo2"),
    "kelvin": ("Kelvin T2 thermometer", b"A5 81 00 0E 74 58", "temp"),
}
PAGE: Final = """# {title}

Wiring: three wires. Settings: 4800 or 9600 8N1. Evidence: vendor table. Doubts: that it exists.
"""


class Checkout(msgspec.Struct, frozen=True):
    """A place to run commands in, and with which environment."""

    folder: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run Python with `arguments` there."""
        return subprocess.run(
            [sys.executable, *arguments],
            input=stdin,
            capture_output=True,
            timeout=110,
            cwd=self.folder,
            env=dict(self.variables),
            check=False,
        )

    def vigil(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one command that does what it should; return what it said."""
        done = self.run(*COMMAND[1:], *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    @contextmanager
    def simulated(self, name: str) -> Iterator[str]:
        """Play the device; yield where."""
        with subprocess.Popen(
            [*COMMAND, "simulate", name, "pty:", "--scenario", "quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=dict(self.variables),
        ) as playing:
            try:
                assert playing.stdout is not None
                yield str(msgspec.json.decode(playing.stdout.readline(), type=Fields)["url"])
            finally:
                playing.terminate()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of this checkout with the two files added, and what belongs to them."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    listed = folder / "docs" / "devices" / "README.md"
    head, mark, rest = listed.read_text(encoding="utf-8").partition("| [nonin]")
    for name, (title, _, metric) in DEVICES.items():
        shutil.copy(MADE_UP / f"{name}.py", folder / "drivers" / "devices")
        page = listed.with_name(f"{name}.md")
        page.write_text(PAGE.format(title=title), encoding="utf-8")
        head += f"| [{name}]({name}.md) | {title} | serial, TCP | {metric} |\n"
    listed.write_text(head + mark + rest, encoding="utf-8")
    return Checkout(folder, environment(PYTHONPATH=str(folder)))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return this checkout beside an installed package that offers the two."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / "made_up_devices-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-devices\nVersion: 1.0\n")
    points = [f"{name} = made_up_{name}:DRIVER" for name in DEVICES]
    (about / "entry_points.txt").write_text("[vigil.drivers]\n" + "\n".join(points))
    for name in DEVICES:
        shutil.copy(MADE_UP / f"{name}.py", folder / f"made_up_{name}.py")
    path = os.pathsep.join([str(folder), str(ROOT)])
    return Checkout(ROOT, environment(PYTHONPATH=path))


@pytest.fixture(params=["file", "package"])
def place(request: pytest.FixtureRequest) -> Checkout:
    found: Checkout = request.getfixturevalue("checkout" if request.param == "file" else "package")
    return found


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_fits_in_one_short_file(name: str) -> None:
    lines = (MADE_UP / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < FILE_LINES_MAX


def test_the_laws_hold_it(place: Checkout) -> None:
    chosen = ["-k", " or ".join(DEVICES), "--ignore", "tests/conformance/test_made_up.py"]
    done = place.run(
        "-m", "pytest", "tests/conformance", "-q", "-p", "no:cacheprovider", *chosen
    )  # fmt: skip
    said = done.stdout.decode()
    assert done.returncode == 0, said[-3000:]
    assert int(said.rsplit(" passed", 1)[0].split()[-1]) >= 40 * len(DEVICES), said[-300:]


def test_the_list_of_devices_knows_its_row_and_page(checkout: Checkout) -> None:
    done = checkout.run(
        "-m", "pytest", "tests/drivers/test_device_list.py", "-q", "-p", "no:cacheprovider"
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]


def test_every_command_knows_it(place: Checkout) -> None:
    told = place.vigil("devices", "--json").splitlines()
    listed = {str(line["driver"]): line for line in map(msgspec.json.decode, told)}
    for name, (title, vector, metric) in DEVICES.items():
        assert listed[name]["device"] == title
        assert listed[name]["transports"] == ["serial", "tcp"]
        decoded = place.vigil("decode", name, "-", "--hex", stdin=vector)
        assert f'"metric":"{metric}"'.encode() in decoded


@pytest.mark.parametrize("name", DEVICES)
def test_it_is_simulated_heard_captured_and_read_again(
    place: Checkout, name: str, tmp_path: Path
) -> None:
    capture = str(tmp_path / "made.capture")
    with place.simulated(name) as url:
        live = place.vigil("listen", name, url, "--for", "3", "--capture", capture)
    metric = f'"metric":"{DEVICES[name][2]}"'.encode()
    assert live.count(metric) >= 2
    assert place.vigil("decode", name, capture).count(metric) == live.count(metric)
    assert b'"summary":true' in place.vigil("replay", capture)
