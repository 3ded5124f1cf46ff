"""How times are written in the world."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.errors import RecordingError
from monitor.model.metric import Metric
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import read

FORMATS = (
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S.%f",
    "%d/%m/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M:%S.%f",
    "%d.%m.%Y %H:%M:%S.%f",
    "%d-%b-%Y %H:%M:%S.%f",
    "%m/%d/%Y %I:%M:%S.%f %p",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%dT%H:%M:%S.%f+02:00",
)


def times_of(cells: list[str], header: str = "time") -> list[float]:
    text = f"{header},spo2\n" + "".join(f"{cell},97\n" for cell in cells)
    return [at for at, _, _ in read(text).heard]


@settings(max_examples=150)
@given(
    st.sampled_from(FORMATS),
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001  (a wall clock)
    st.lists(st.integers(300, 590_000), min_size=1, max_size=20),
)
def test_elapsed_time_is_the_same_in_every_way_of_writing_it(
    form: str, start: datetime, steps_ms: list[int]
) -> None:
    start = start.replace(microsecond=0)
    elapsed = [sum(steps_ms[:n]) for n in range(len(steps_ms) + 1)]
    cells = [(start + timedelta(milliseconds=ms)).strftime(form) for ms in elapsed]
    assert times_of(cells) == [ms / 1000 for ms in elapsed]


@given(st.integers(0, 86_399), st.lists(st.integers(1, 590), min_size=1, max_size=30))
def test_a_time_of_day_goes_on_after_midnight(start: int, steps: list[int]) -> None:
    elapsed = [sum(steps[:n]) for n in range(len(steps) + 1)]
    cells = [str(timedelta(seconds=(start + s) % 86_400)) for s in elapsed]
    assert times_of(cells) == elapsed


def test_day_and_month_are_told_apart_by_a_later_row() -> None:
    assert times_of(["11/12/2000 23:59:59", "11/13/2000 00:00:01"]) == [0, 2]
    assert times_of(["30/11/2000 23:59:59", "01/12/2000 00:00:01"]) == [0, 2]


def test_day_and_month_are_told_apart_by_the_smaller_step_where_both_could_be() -> None:
    assert times_of(["11/12/2000 23:59:59", "12/12/2000 00:00:01"]) == [0, 2]
    assert times_of(["03/04/2000 23:59:59", "03/05/2000 00:00:01"]) == [0, 2]
    heard = read("time,spo2\n03/04/2000 23:59:59,97\n03/05/2000 00:00:01,97\n")
    assert any("day/month is assumed" in note for note in heard.notes)
    assert any("written mdy" in note for note in heard.notes)


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("time_s", ["0", "0.5"], [0, 0.5]),
        ("Time [s]", ["-0", "1"], [0, 1]),
        ("Time / s", ["1329.008", "1329.0160000000001"], [0, 0.008]),
        ("t", ["1e2", "1.01e2"], [0, 1]),
        ("Seconds", [" 5", "6 "], [0, 1]),
        ("time_ms", ["1700000000000", "1700000000500"], [0, 0.5]),
        ("Time (min)", ["0", "1.5"], [0, 90]),
        ("elapsed", ["0:00:01", "0:00:02.25"], [0, 1.25]),
        ("timestamp", ["1700000000", "1700000002"], [0, 2]),
        ("relative_time", ["0", "1"], [0, 1]),
        ("time_offset_s", ["0", "1"], [0, 1]),
        ("time (hr)", ["0", "0.1"], [0, 360]),
        ("time", ["0 days 00:00:01", "0 days 00:00:02.5", "1 days 00:00:01"], [0, 1.5, 86400]),
        ("Time", ["11:59:59 PM", "0:00:01 AM", "0:05:12 am"], [0, 2, 313]),
        ("Time", ["11:59:59 AM", "0:00:01 PM", "12:00:02 PM"], [0, 2, 3]),
        ("timestamp", ["1615766223000", "1615766224500"], [0, 1.5]),
        ("time_s", ["1615766223000", "1615766224500"], [0, 1.5]),
        ("time", ["1615766223000000", "1615766224500000"], [0, 1.5]),
        ("t", ["1615766223000000000", "1615766224000000000"], [0, 1]),
        ("timestamp", ["20210314235903", "20210315000003"], [0, 60]),
        ("timestamp", ["20210314T235903.5Z", "20210315T000003.5Z"], [0, 60]),
        ("time", ["Mar 14 2021 10:00:01", "March 14 2021 10:00:03"], [0, 2]),
        ("time", ["14 Mar 2021 10:00:01", "14-March-2021 10:00:03"], [0, 2]),
        ("time", ["Sun Mar 14 10:00:01 2021", "Sun Mar 14 10:00:03 2021"], [0, 2]),
    ],
)
def test_a_time_column_is_known_by_its_header(
    header: str, cells: list[str], expected: list[float]
) -> None:
    assert times_of(cells, header) == expected


def test_a_date_column_beside_a_time_of_day_is_used() -> None:
    heard = read("Date,Time,spo2\n1/02/2000,23:59:59,97\n2/02/2000,0:00:01,96\n")
    assert [at for at, _, _ in heard.heard] == [0, 2]


def test_a_date_in_words_beside_a_time_of_day_is_used() -> None:
    heard = read(
        'DATE,TIME,spo2\n"Mar 14, 21",11:59:59 PM,97\n"Mar 15, 21",12:00:01 AM,96\n'
        '"Mar 15, 21",12:00:03 AM,95\n'
    )
    assert [at for at, _, _ in heard.heard] == [0, 2, 4]
    assert heard.notes == ()


def test_milliseconds_known_by_their_size_are_noted() -> None:
    (note,) = read("timestamp,spo2\n1615766223000,97\n1615766224000,96\n").notes
    assert note == "the times in 'timestamp' are read as milliseconds since 1970, by their size"


@pytest.mark.parametrize(
    "cell",
    [
        "25:00:00",
        "10:61:00",
        "13:00:00 PM",
        "nan",
        "inf",
        "1e400",
        "1_0",
        "next",
        "2000-13-01 0:00",
    ],
)
def test_a_time_that_is_none_is_rejected_with_its_row(cell: str) -> None:
    kind = ["10:00:00", "10:00:01"] if ":" in cell and "-" not in cell else ["0", "1"]
    if "-" in cell:
        kind = ["2000-01-01 0:00", "2000-01-01 0:01"]
    heard = read(f"time,spo2\n{kind[0]},97\n{cell},98\n{kind[1]},99\n")
    assert [value for _, _, value in heard.heard] == [97, 99]
    assert len(heard.rejected) == 1


def test_a_zone_that_comes_and_goes_is_not_guessed() -> None:
    heard = read("time,spo2\n2000-01-01T00:00:00Z,97\n2000-01-01T00:00:01,98\n")
    assert len(heard.observations) == 1
    assert "zone" in heard.rejected[0]


def test_offsets_from_utc_count() -> None:
    tz = timezone(timedelta(hours=2))
    cells = [
        datetime(2000, 1, 1, 12, 0, 0, tzinfo=tz).isoformat(),
        datetime(2000, 1, 1, 10, 0, 3, tzinfo=timezone.utc).isoformat(),  # noqa: UP017
    ]
    assert times_of(cells) == [0, 3]


def test_no_time_column_is_an_error_that_says_what_to_call_it() -> None:
    with pytest.raises(RecordingError, match="names no time column among 'spo2', 'hr'; call it"):
        read("spo2,hr\n97,80\n")


def test_a_time_column_without_times_is_an_error_that_shows_one() -> None:
    with pytest.raises(RecordingError, match=r"'time_s' holds no readable time.*'noon'"):
        read("time_s,spo2\nnoon,97\n")


def test_a_time_of_day_a_little_earlier_is_a_step_back_and_no_new_day() -> None:
    heard = read("time,spo2\n10:00:00,97\n10:00:05,98\n10:00:04,99\n10:00:06,96\n")
    assert [at for at, _, _ in heard.heard] == [0, 5, 6]
    assert len(heard.rejected) == 1


def test_a_count_of_rows_beside_the_time_is_no_news_and_a_second_time_is_said_to_be_one() -> None:
    for name in ("", "index", "Unnamed: 0"):
        heard = read(f"{name},time_s,spo2\n0,0,97\n1,5,96\n")
        assert [at for at, _, _ in heard.heard] == [0, 5]
        assert heard.notes == ()
    assert read("time_s,spo2,\n0,97,x\n").notes == ("column 3 is ignored: it has no name",)
    (note,) = read("datetime,time_s,spo2\n2021-03-14 10:00:00,0,97\n").notes
    assert note == "time_s is ignored: the time is read from 'datetime'"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["time_s,spo2", "Time,Parameter,Value", "t,co2", "time,co2na"])
def test_lines_before_the_header_are_skipped_and_counted(header: str, separator: str) -> None:
    names = {"co2": Metric.ETCO2} if "co2" in header.split(",") else {}
    rows = "0,1,40\n5,1,41\n" if "Value" not in header else "0,spo2,97\n5,spo2,96\n"
    body = f"{header}\n{rows if 'Value' in header else rows.replace(',40', '').replace(',41', '')}"
    options = ReadOptions(column_map=names)
    plain = read(body.replace(",", separator), options)
    preamble = "Device: of some kind\nSerial: X; time 10:00\n\nPatient,,,\n"
    heard = read(preamble + body.replace(",", separator), options)
    assert heard.moments == plain.moments
    assert heard.notes[0] == "3 lines were skipped before the header in line 5"
    assert heard.notes[1:] == plain.notes


def test_numbers_beyond_all_bounds_are_an_error_of_one_line() -> None:
    with pytest.raises(RecordingError, match=r"no row has a readable time.*1e999"):
        read("time,spo2\n1e999,97\n1e999,98\n")
