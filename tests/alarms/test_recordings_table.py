"""The page about the real recordings is what the core makes of them today."""

import pytest

from tests.alarms.recordings_table import PAGE, RECORDINGS, SHARED, Row, page, study


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Return what became of every recording."""
    if not SHARED.is_dir():
        pytest.skip("recordings are not beside the checkout")
    return [study(each) for each in RECORDINGS]


@pytest.mark.shared
def test_the_page_is_what_the_core_makes_of_the_recordings(rows: list[Row]) -> None:
    assert PAGE.read_text() == page(rows), "run: make tables"


@pytest.mark.shared
def test_no_episode_and_no_fact_is_missed_and_nothing_is_false(rows: list[Row]) -> None:
    assert [each.missed for each in rows if each.missed] == []
    assert sum(each.episodes for each in rows) > 100
    assert all(each.found == each.episodes for each in rows)


def test_the_page_names_what_is_missed() -> None:
    row = Row("x.csv", 1.0, 1, 0, 2, 1, 3.0, 0, 0, 0, 0, ("spo2_low 10-30",))
    assert "| x.csv | 1.00 | 1 | 0 | 2 | 1 | 3.0 | 0 | 0 | 0 | 0 |" in page([row])
    assert "* x.csv: spo2_low 10-30" in page([row])
