"""The protocol pages, where they lie beside the checkout: their worked examples as printed."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[3] / "shared" / "protocols"


def examples_of(page: str) -> str:
    """Return the section of worked examples; skip where the pages are not here."""
    path = PAGES / f"{page}.md"
    if not path.exists():
        pytest.skip("the protocol pages do not lie beside this checkout")
    return path.read_text(encoding="utf-8").split("## Worked examples")[1].split("\n## ")[0]


def hex_examples_of(page: str) -> list[bytes]:
    """Return every run of hex bytes that a page prints as an example."""
    found = re.findall(r"`((?:[0-9A-F]{2} )+[0-9A-F]{2})`", examples_of(page))
    return [bytes.fromhex(each) for each in found]
