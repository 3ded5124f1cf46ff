"""A short place for a site: the path of a Unix socket may have a hundred bytes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """Return an empty folder whose name is short; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vigil-") as folder:
        yield Path(folder)
