"""The page in docs parses and is of the preset that ships; the curves can be drawn and read."""

import csv
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.burden.__main__ import PAGE
from tests.burden.curves import charts
from tests.burden.grid import Filter, Grid, Point, Study, digest, preset_point
from tests.burden.page import page, table
from tests.burden.results import Results, csv_of, json_lines, results_of
from tests.burden.rows import Row, dominates
from tests.burden.run import Part, Size, run, units
from tests.burden.statistics import Interval
from tests.burden.svg import Axis, Chart, Line, Spot, draw, ticks

SVG = "{http://www.w3.org/2000/svg}"
GRIDS = {
    Study.SATURATION: Grid((88,), (0, 15), (Filter.CORE, Filter.HOLD), (50,)),
    Study.BREATHS: Grid((9,), (0,)),
    Study.CO2: Grid((55,), (0,)),
    Study.PAUSES: Grid((20,), (0,)),
    Study.PRESSURE: Grid((150,), (10,)),
}
TINY = Size(GRIDS, drawn=3, length_s=900, scenario_s=400, cuffs=2)


def tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the tables of a page as rows of cells, without the rule below the head."""
    for block in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        lines = [line.strip().strip("|").split("|") for line in block.strip().splitlines()]
        yield [[cell.strip() for cell in line] for line in (lines[0], *lines[2:])]


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # written by our own code


def played(jobs: int) -> list[Part]:
    return run([each for each in units(TINY, 5) if each.recording is None], jobs)


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    """Return a very small run."""
    return played(2)


@pytest.fixture(scope="module")
def results(parts: list[Part]) -> Results:
    return results_of(parts, GRIDS, 5)


# -- the page in docs ------------------------------------------------------------------------------


def test_the_page_is_of_the_rules_that_ship() -> None:
    assert f"`{digest()}`" in PAGE.read_text(encoding="utf-8"), "run: make burden"


def test_the_tables_of_the_page_hold_the_shipped_rule_of_every_study_once() -> None:
    found = [each for each in tables(PAGE.read_text(encoding="utf-8")) if "found" in each[0]]
    assert len(found) == len(Study)
    for study, rows in zip(Study, found, strict=True):
        assert all(len(row) == len(rows[0]) for row in rows)
        bold = [[cell.strip("*") for cell in row] for row in rows if row[0].startswith("**")]
        shipped = preset_point(study)
        assert [row[:3] for row in bold] == [
            [f"{shipped.limit:g}", f"{shipped.wait:g}", str(shipped.filter)]
        ]


def test_the_points_beside_the_page_hold_each_point_once_and_add_up() -> None:
    with (PAGE.parent / "burden" / "points.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["study"], row["limit"], row["wait"], row["filter"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert sum(row["is_preset"] == "1" for row in rows) == len(Study)
    for row in rows:
        assert int(row["found"]) <= int(row["asked"])
        assert int(row["needless"]) <= int(row["alarms"])
        assert float(row["alarms_h_low"]) <= float(row["alarms_h"]) <= float(row["alarms_h_high"])


def test_every_picture_of_the_page_is_there_and_marks_the_preset() -> None:
    named = re.findall(r"!\[.*\]\((burden/[a-z-]+\.svg)\)", PAGE.read_text(encoding="utf-8"))
    assert len(named) == len(set(named))
    assert {"burden/saturation-delays.svg", "burden/saturation-lateness.svg"} <= set(named)
    for name in named:
        root = parsed((PAGE.parent / name).read_text(encoding="utf-8"))
        words = [each.text for each in root.iter(f"{SVG}text")]
        assert "shipped preset" in words


# -- a small run -----------------------------------------------------------------------------------


def test_two_processes_count_what_one_counts(parts: list[Part]) -> None:
    assert played(1) == parts


def test_a_page_of_any_run_names_its_seed_its_command_and_all_its_curves(results: Results) -> None:
    text = page(results, "a command")
    assert text == page(results, "a command")
    assert "Written by `a command` (seed 5)" in text
    for name, chart in charts(results.rows, results.real).items():
        assert f"(burden/{name}.svg)" in text
        assert parsed(draw(chart)).tag == f"{SVG}svg"
    assert "No recording was played" in text


def test_csv_and_json_say_the_same_of_every_point(results: Results) -> None:
    rows = list(csv.DictReader(csv_of(results).splitlines()))
    head, *lines = json_lines(results)
    assert digest() in head
    assert len(rows) == len(lines) == results.points
    for row, line in zip(rows, lines, strict=True):
        assert f'"found":{row["found"]},' in line
        assert float(row["alarms_h_low"]) <= float(row["alarms_h"]) <= float(row["alarms_h_high"])


# -- dominance -------------------------------------------------------------------------------------


def made(found: int = 8, needless: int = 4, late_s: float = 12.0, deep: int = 3) -> Row:
    some = Interval(needless / 10, 0, 1)
    return Row(
        study=Study.SATURATION,
        limit=90,
        wait=10,
        filter=Filter.CORE,
        is_preset=False,
        hours=10,
        asked=10,
        found=found,
        sensitivity=Interval(found / 10, 0, 1),
        deep_asked=3,
        deep_found=deep,
        deep=None,
        delay_median_s=late_s,
        delay_p95_s=late_s + 10,
        alarms=20,
        alarms_h=some,
        needless=needless,
        needless_h=some,
        brief_share=None,
    )


def test_to_dominate_is_to_be_no_worse_in_anything_and_better_in_something() -> None:
    shipped = made()
    assert not dominates(shipped, shipped)
    for better in (made(found=9), made(needless=3), made(late_s=11.0)):
        assert dominates(better, shipped)
        assert not dominates(shipped, better)
    for mixed in (made(found=9, needless=5), made(needless=0, late_s=13.0), made(found=9, deep=2)):
        assert not dominates(mixed, shipped)


def test_a_table_marks_the_shipped_row_alone() -> None:
    lines = table([made(), made(found=9)]).splitlines()
    assert len(lines) == 4
    assert not any("**" in line for line in lines)
    assert Point(Study.SATURATION, 90, 10) == made().point


def test_what_is_only_later_is_told_apart_from_what_dominates(results: Results) -> None:
    for study, rows in results.rows.items():
        shipped = next(each for each in rows if each.is_preset)
        for rival in results.later[study]:
            assert rival.row.needless < shipped.needless
            assert rival.row.found >= shipped.found
            assert not dominates(rival.row, shipped)
            assert rival.needless_h.estimate < 0
        assert all(dominates(rival.row, shipped) for rival in results.rivals[study])


# -- svg -------------------------------------------------------------------------------------------


@given(st.floats(0, 50), st.floats(0.5, 500), st.booleans())
def test_ticks_lie_on_the_axis_in_order_and_are_few(low: float, span: float, root: bool) -> None:  # noqa: FBT001
    axis = Axis("x", 0.0 if root else low, low + span, root)
    marks = ticks(axis)
    assert marks == sorted(set(marks))
    assert all(axis.low - 1e-6 <= each <= axis.high + 1e-6 for each in marks)
    assert 2 <= len(marks) <= 13


@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 100)), min_size=1, max_size=9),
    st.integers(1, 8),
)
def test_a_chart_is_xml_and_every_mark_lies_inside_it(
    places: list[tuple[float, float]], count: int
) -> None:
    spots = tuple(Spot(x, y, (0, x), (y, 100), label="<&>") for x, y in places)
    lines = tuple(Line(f"line <{number}>", spots) for number in range(count))
    chart = Chart("a & b", "<c>", "", Axis("x", 0, 20, root=True), Axis("y", 0, 100), lines)
    root = parsed(draw(chart))
    for mark in root.iter(f"{SVG}circle"):
        assert 70 <= float(mark.get("cx", "0")) <= 760
        assert 50 <= float(mark.get("cy", "0")) <= 420
    assert sum(each.text == "<&>" for each in root.iter(f"{SVG}text")) == count * len(spots)


def test_an_interval_that_leaves_the_chart_ends_at_its_edge() -> None:
    spot = Spot(1, 50, (-5, 99), (-200, 900))
    axes = Axis("x", 0, 2), Axis("y", 0, 100)
    said = draw(Chart("t", "b", "n", *axes, (Line("one", (spot,)),)))
    strokes = re.findall(r'points="([^"]+)" fill="none" stroke="#0072b2" stroke-width="1"', said)
    places = [float(each) for stroke in strokes for each in re.split("[ ,]", stroke)]
    assert len(places) == 8
    assert all(60 <= each <= 550 for each in places)


def test_no_two_lines_look_alike() -> None:
    spot = (Spot(1, 50),)
    chart = Chart(
        "t",
        "b",
        "n",
        Axis("x", 0, 2),
        Axis("y", 0, 100),
        tuple(Line(f"{number}", spot, has_intervals=False) for number in range(7)),
    )
    strokes = re.findall(r'stroke="(#\w+)" (stroke-width="1.8"[^/]*)/>', draw(chart))
    assert len(set(strokes)) == 7
