"""Long CSV: validity, device time, order, and names."""

import pytest

from monitor.model.errors import RecordingError
from monitor.model.event import Validity
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import read

HEADER = "time_s,metric,value\n"


@pytest.mark.parametrize("state", ["invalid", "unmonitored", "---", "off", "", "Not Available"])
def test_beside_any_state_but_valid_the_number_is_a_leftover(state: str) -> None:
    heard = read(f"time_s,metric,value,state\n0,spo2,97,valid\n1,spo2,-21846,{state}\n")
    assert heard.of(Metric.SPO2) == [(0, 97), (1, None)]
    assert not heard.rejected


def test_words_of_validity_are_kept() -> None:
    heard = read(
        "time_s,metric,value,validity\n0,spo2,97,Questionable\n1,spo2,96,measuring\n"
        "2,spo2,,overflow\n3,spo2,,valid\n"
    )
    assert [(o.value, o.validity) for o in heard.observations] == [
        (97, Validity.QUESTIONABLE),
        (None, Validity.MEASURING),
        (None, Validity.OVERFLOW),
        (None, Validity.NOT_AVAILABLE),
    ]


def test_the_time_a_cuff_measured_is_on_the_recordings_own_zero() -> None:
    heard = read(
        "time_s,metric,value,taken_s\n4.754,spo2,97,\n850.5,nibp_sys,95,849.0\n"
        "880.5,nibp_sys,95,849.0\n881,nibp_sys,96,1.0\n"
    )
    assert [o.taken for o in heard.observations] == [
        None,
        instant_at(844.246),
        instant_at(844.246),
        instant_at(-3.754),
    ]


def test_a_device_time_that_is_no_number_is_rejected_and_the_value_stays() -> None:
    heard = read("time_s,metric,value,taken_s\n0,nibp_sys,95,soon\n1,nibp_sys,95,\n")
    assert heard.of(Metric.NIBP_SYS) == [(0, 95), (1, 95)]
    assert len(heard.rejected) == 1


def test_a_metric_without_a_row_says_nothing() -> None:
    heard = read(HEADER + "0,spo2,97\n0,hr,80\n1,hr,81\n2,spo2,96\n")
    assert [(at, metric) for at, metric, _ in heard.heard] == [
        (0, Metric.SPO2),
        (0, Metric.HEART_RATE),
        (1, Metric.HEART_RATE),
        (2, Metric.SPO2),
    ]


def test_names_we_do_not_know_are_counted_and_keep_their_time() -> None:
    heard = read(HEADER + "0,abp_sys,0\n0,abp_sys,0\n5,spo2,97\n9,mystery,1\n")
    assert heard.heard == [(5, Metric.SPO2, 97)]
    assert [at // 1_000_000_000 for at, _ in heard.moments] == [0, 5, 9]
    assert any("2 rows of 'abp_sys' are ignored" in note for note in heard.notes)
    assert any("1 rows of 'mystery'" in note for note in heard.notes)


def test_no_known_name_is_an_error_that_lists_the_names() -> None:
    with pytest.raises(RecordingError, match="no known metric among 'foo'; say --map NAME=METRIC"):
        read(HEADER + "0,foo,1\n")


def test_a_name_can_be_mapped() -> None:
    options = ReadOptions(column_map={"foo": Metric.SPO2})
    assert read(HEADER + "0,foo,97\n", options).heard == [(0, Metric.SPO2, 97)]


def test_two_names_for_one_metric_are_refused() -> None:
    with pytest.raises(RecordingError, match="'pr' and 'pulse' both mean pulse_rate"):
        read(HEADER + "0,pr,80\n0,pulse,81\n")


def test_channels_one_after_another_are_merged_and_that_is_noted() -> None:
    heard = read(HEADER + "0,spo2,97\n2,spo2,96\n0,hr,80\n1,hr,81\n")
    assert [at for at, _, _ in heard.heard] == [0, 0, 1, 2]
    assert any("put in order" in note for note in heard.notes)
    assert "put in time order" in heard.description.time


def test_a_metric_that_goes_back_within_itself_loses_that_row() -> None:
    heard = read(HEADER + "0,spo2,97\n10,spo2,96\n5,spo2,50\n11,spo2,95\n0,hr,80\n")
    assert heard.of(Metric.SPO2) == [(0, 97), (10, 96), (11, 95)]
    assert heard.of(Metric.HEART_RATE) == [(0, 80)]
    assert heard.rejected == ["line 4: time goes back by 5 s"]


def test_more_rows_than_can_be_put_in_order_are_refused_with_a_remedy() -> None:
    options = ReadOptions(sorted_rows_max=3)
    in_order = HEADER + "0,spo2,97\n1,spo2,97\n2,spo2,97\n3,spo2,97\n"
    assert len(read(in_order, options).observations) == 4
    with pytest.raises(RecordingError, match="sort it by its time column first"):
        read(in_order + "0,hr,80\n", options)


def test_columns_that_are_not_used_are_noted() -> None:
    heard = read("time_s,metric,value,device_alarm\n0,spo2,97,1\n")
    assert "column 'device_alarm' is ignored" in heard.notes


def test_a_clock_may_stand_in_a_long_file_too() -> None:
    heard = read("time,metric,value\n2026-01-01T10:00:00Z,spo2,97\n2026-01-01T10:00:05Z,hr,80\n")
    assert [at for at, _, _ in heard.heard] == [0, 5]


def test_a_metric_that_is_shut_has_no_value_until_it_is_open() -> None:
    heard = read(
        HEADER + "0,etco2,38\n1,co2_available,0\n1,etco2,38\n2,etco2,38\n"
        "3,co2_available,1\n3,etco2,37\n4,co2_available,x\n"
    )
    assert [each[::2] for each in heard.heard] == [
        (0, 38),
        (1, None),
        (1, None),
        (2, None),
        (3, 37),
    ]
    assert heard.rejected == []
    assert any("'co2_available': 1 cell held no word of a flag ('x')" in n for n in heard.notes)


def test_states_of_the_device_may_stand_among_the_metrics() -> None:
    heard = read(HEADER + "0,resp_rate,12\n1,notice:auto_zero,1\n2,notice:auto_zero,0\n")
    assert len(heard.events) == 3


def test_a_rejection_in_a_file_put_in_order_names_the_line_of_the_file() -> None:
    heard = read(HEADER + "0,spo2,97\n1,spo2,96\n0,hr,fast\n1,hr,81\n")
    assert heard.rejected == ["line 4: heart_rate 'fast' is not a number"]


@pytest.mark.parametrize("state", ["ok", "OK", "good", "Valid", "1", "1.0", "true", "available"])
def test_common_words_of_trust_are_valid(state: str) -> None:
    heard = read(f"time_s,metric,value,state\n0,spo2,97,{state}\n")
    assert heard.of(Metric.SPO2) == [(0, 97)]
    assert heard.notes == ()


def test_a_state_we_do_not_know_is_no_trust_and_counted_by_its_word() -> None:
    rows = "0,spo2,97,valid\n1,spo2,97,dodgy\n2,spo2,97,Dodgy\n3,spo2,97,0\n"
    heard = read(f"time_s,metric,value,state\n{rows}")
    assert [value for _, value in heard.of(Metric.SPO2)] == [97, None, None, None]
    assert heard.notes[0].startswith("2 x rows whose state is 'dodgy' are taken as not available")
    assert heard.notes[0].endswith("(lines 3, 4)")
    assert heard.notes[1].startswith("1 x rows whose state is '0'")
    assert not heard.rejected


@pytest.mark.parametrize("header", ["metric", "Parameter", "signal", "variable", "channel"])
def test_the_column_of_names_is_known_by_its_header(header: str) -> None:
    assert read(f"Time,{header},Value\n0,SpO2,97\n").of(Metric.SPO2) == [(0, 97)]
