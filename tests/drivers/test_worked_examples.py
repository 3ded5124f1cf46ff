"""Every worked example of the protocol pages, through `vigil decode --hex`, against what it says.

The bytes and values are our own copies, so that they are always tried; where the pages lie beside
the checkout, each copy must stand there as printed.
"""

from pathlib import Path

import msgspec
import pytest

from drivers.contract import finish
from drivers.registry import get, names
from monitor.cli import main
from monitor.model.event import FrameRejected
from monitor.model.instant import OPENING
from tests.drivers.pages import PAGES, hex_examples_of
from tests.drivers.worked import EXAMPLES, TEXTS

Fields = dict[str, object]


def _wrapped(driver: str, lines: tuple[str, ...]) -> bytes:
    """Return printed lines as the device sends them."""
    if driver in {"senml", "json"}:
        return "".join(lines).encode()
    if driver == "hl7":
        return b"\x0b" + "".join(line + "\r" for line in lines).encode() + b"\x1c\r"
    return "".join(line + "\r\n" for line in lines).encode()


CASES = [
    *((driver, bytes.fromhex(text.replace("|", " ")), said) for _, driver, text, said in EXAMPLES),
    *((driver, _wrapped(driver, lines), said) for _, driver, lines, said in TEXTS),
]


def words(out: str) -> list[str]:
    """Return what `vigil decode` printed, as short words."""
    told: list[str] = []
    for text in out.splitlines():
        line = msgspec.json.decode(text, type=Fields)
        metric, value = line.get("metric"), line.get("value")
        if isinstance(samples := line.get("samples"), list):
            told += [f"{metric}={sample:g}" for sample in samples if sample is not None]
        elif "value" in line:
            told.append(f"{metric}={value:g}" if isinstance(value, float) else f"{metric}=None")
        else:
            said = " ".join(str(line.get(key, "")) for key in ("notice", "alarm", "detail"))
            told += said.split()
    return told


def plain(text: str) -> str:
    """Return text without what a page's layout adds."""
    return "".join(text.replace("`", "").replace("|", "").split())


@pytest.mark.parametrize(
    ("driver", "data", "said"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)]
)
def test_a_worked_example_decodes_to_the_values_written_beside_it(
    driver: str, data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "example.hex"
    file.write_text(data.hex(" "), encoding="ascii")
    code = main(["decode", driver, str(file), "--hex", "--waves"])
    told = words(capsys.readouterr().out)
    assert set(said.split()) <= set(told)
    assert code == 0


@pytest.mark.shared
@pytest.mark.parametrize("page", sorted({each[0] for each in (*EXAMPLES, *TEXTS)}))
def test_our_copies_stand_on_the_page_as_printed(page: str) -> None:
    path = PAGES / f"{page}.md"
    if not path.exists():
        pytest.skip("the protocol pages do not lie beside this checkout")
    printed = plain(path.read_text(encoding="utf-8"))
    for named, _, text, _ in EXAMPLES:
        for piece in text.split("|") if named == page else ():
            assert plain(piece) in printed, piece
    for named, _, lines, _ in TEXTS:
        for line in lines if named == page else ():
            assert plain(line) in printed, line


DRIVERS_OF = {
    "ansar-b": "ansar",
    "datex-s5": "datex",
    "ge-dash": "ge_dash",
    "hl7-pcd": "hl7",
    "mqtt": "sparkplug",
    "respironics-co2": "respironics",
}


@pytest.mark.shared
def test_whatever_a_page_prints_is_told_or_refused_and_never_more() -> None:
    if not PAGES.exists():
        pytest.skip("the protocol pages do not lie beside this checkout")
    tried = 0
    for page in sorted(PAGES.glob("*.md")):
        driver = DRIVERS_OF.get(page.stem, page.stem)
        if driver not in names():
            continue
        for data in hex_examples_of(page.stem):
            protocol = get(driver).open_protocol({})
            events = [*protocol.receive(data, OPENING), *finish(protocol, OPENING)]
            refused = sum(len(each.frame) for each in events if isinstance(each, FrameRejected))
            assert refused <= len(data), (page.stem, data.hex(" "))
            tried += 1
    assert tried > 60


def test_every_driver_has_a_worked_example_or_a_reason() -> None:
    tried = {each[1] for each in (*EXAMPLES, *TEXTS)}
    assert set(names()) - tried == {"ansar", "ge_dash"}, "their pages print parts of frames only"
