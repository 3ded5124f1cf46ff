"""Wide CSV: blanks, garbage, repeats, leaps and coarse clocks."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.errors import ConfigError, RecordingError
from monitor.model.event import DeviceNotice, NoticeKind, Observation, Validity
from monitor.model.metric import Metric, describe
from monitor.recordings.options import read_column_map, read_missing
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import not_available, read

NUMERICS = sorted(metric for metric in Metric if not describe(metric).is_wave)
MISSING = (".", "?", "***", "-.-", "<NA>", "OFF", "NaT", "NaN.0", "-nan", "n.a.", "unavailable")
ZERO_SPO2 = ReadOptions(zero_is_missing=frozenset({Metric.SPO2}))


@pytest.mark.parametrize(
    "cell", ["", "  ", "NaN", "nan", "-", "--", "---", "NULL", "N/A", '""', *MISSING]
)
def test_a_cell_without_a_number_is_not_available(cell: str) -> None:
    heard = read(f"time_s,spo2\n0,97\n1,{cell}\n2,98\n")
    assert heard.heard == [(0, Metric.SPO2, 97), (1, Metric.SPO2, None), (2, Metric.SPO2, 98)]
    assert heard.observations[1] == not_available(Metric.SPO2, 1)
    assert not heard.rejected


@pytest.mark.parametrize(
    "cell",
    ["garbage", "inf", "-inf", "1e999", "9_7", "97%", "0x61", "٩٧", "-21846", "10920", "101"],
)
def test_garbage_is_rejected_by_line_and_known_to_be_lost(cell: str) -> None:
    heard = read(f"time_s,spo2\n0,97\n1,{cell}\n2,98\n")
    assert [value for _, value in heard.of(Metric.SPO2)] == [97, None, 98]
    assert len(heard.rejected) == 1
    assert heard.rejected[0].startswith("line 3: spo2")
    assert any("rejected (line 3)" in note for note in heard.notes)


def test_a_negative_mean_pressure_is_rejected_and_told_as_lost() -> None:
    heard = read("time_s,sbp,map,dbp\n0,120,90,70\n30,155,-2,85\n")
    assert heard.of(Metric.NIBP_MEAN) == [(0, 90), (30, None)]
    assert "nibp_mean -2 lies outside" in heard.rejected[0]


def test_a_zero_that_can_be_measured_is_no_reading_only_where_a_person_says_so() -> None:
    text = "time_s,spo2,etco2\n0,97,0\n"
    assert read(text).of(Metric.ETCO2) == [(0, 0)]
    said = ReadOptions(zero_is_missing=frozenset({Metric.ETCO2}))
    assert read(text, said).of(Metric.ETCO2) == [(0, None)]


@pytest.mark.parametrize("metric", [each for each in Metric if not describe(each).is_wave], ids=str)
def test_a_zero_that_cannot_be_measured_is_no_reading_counted_and_no_rejection(
    metric: Metric,
) -> None:
    heard = read(f"time_s,{metric}\n0,0\n1,0.0\n")
    can_be = describe(metric).technical_low <= 0
    assert heard.of(metric) == [(0, 0 if can_be else None), (1, 0 if can_be else None)]
    assert heard.rejected == []
    note = f"2 x {metric}: 0 cannot be measured and was read as no reading (lines 2, 3)"
    assert (note in heard.notes) is not can_be


def test_a_zero_said_to_be_none_is_not_even_counted() -> None:
    heard = read("time_s,spo2\n0,0\n", ZERO_SPO2)
    assert heard.of(Metric.SPO2) == [(0, None)]
    assert not any("cannot be measured" in note for note in heard.notes)


def test_a_blank_between_two_cuff_readings_is_no_loss_but_a_zero_said_to_be_none_is() -> None:
    options = ReadOptions(zero_is_missing=frozenset({Metric.NIBP_SYS}))
    heard = read("time_s,spo2,nibp_sys\n0,97,120\n1,97,\n2,97,NaN\n3,97,0\n", options)
    assert heard.of(Metric.NIBP_SYS) == [(0, 120), (2, None), (3, None)]


def test_time_counts_from_the_first_row_even_where_it_has_no_value() -> None:
    heard = read("time_s,nibp_sys\n1329.008,\n1330.008,120\n")
    assert heard.heard == [(1.0, Metric.NIBP_SYS, 120)]
    assert [at for at, _ in heard.moments] == [0, 1_000_000_000]


def test_a_row_that_goes_back_is_rejected_and_later_rows_stay() -> None:
    heard = read("time_s,spo2\n0,91\n1,92\n2,93\n1.5,94\n3,95\n")
    assert heard.of(Metric.SPO2) == [(0, 91), (1, 92), (2, 93), (3, 95)]
    assert heard.rejected == ["line 5: time goes back by 0.5 s"]


def test_only_the_first_lines_of_many_rejections_are_named() -> None:
    rows = "".join(f"{n},x\n" for n in range(300))
    notes = read(f"time_s,spo2\n{rows}").notes
    assert any("300 x" in note and "(lines 2, 3, 4, 5, 6, ...)" in note for note in notes)


def test_one_row_that_leaps_ahead_does_not_cost_the_rest() -> None:
    heard = read("time_s,spo2\n0,91\n1,92\n99999999,93\n2,94\n3,95\n")
    assert heard.of(Metric.SPO2) == [(0, 91), (1, 92), (2, 94), (3, 95)]
    assert any("leaps ahead" in note for note in heard.notes)


def test_a_first_row_far_ahead_of_all_others_is_not_the_zero() -> None:
    heard = read("time_s,spo2\n99999999,90\n0,91\n1,92\n")
    assert heard.of(Metric.SPO2) == [(0, 91), (1, 92)]


def test_a_gap_of_hours_is_kept_as_a_gap() -> None:
    heard = read("time_s,spo2\n0,91\n1,92\n40000,93\n40001,94\n")
    assert heard.of(Metric.SPO2) == [(0, 91), (1, 92), (40000, 93), (40001, 94)]
    assert not heard.rejected


def test_rows_with_one_time_share_it() -> None:
    heard = read("time_s,spo2,hr\n0,97,\n0,,80\n1,96,81\n")
    assert heard.moments[0][0] == 0
    assert len(heard.moments) == 2
    assert (0, Metric.HEART_RATE, 80) in heard.heard
    assert any("more than one row" in note for note in heard.notes)


def test_rows_without_a_readable_time_or_enough_cells_are_rejected() -> None:
    heard = read("time_s,spo2,hr\nsoon,97,80\n0,97,80\n1,96\n2,95,80,7\n3,94,80,\n\n4,93,79\n")
    assert [at for at, _ in heard.of(Metric.SPO2)] == [0, 3, 4]
    assert [reason.split(":")[0] for reason in heard.rejected] == ["line 2", "line 4", "line 5"]


def test_a_stray_quote_costs_its_own_row_only() -> None:
    heard = read('time_s,spo2\n0,97\n1,"96\n2,"95"\n3,94\n')
    assert heard.of(Metric.SPO2) == [(0, 97), (2, 95), (3, 94)]
    assert any("quotes do not close" in note for note in heard.notes)


def coarse_csv(first: int, stamps: int, last: int) -> str:
    counts = [first, *[60] * stamps, last]
    rows = [
        f"1/01/2000 9:{38 + minute}:00,{90 + n % 8}\n"
        for minute, count in enumerate(counts)
        for n in range(count)
    ]
    return "Time   ,spo2\n" + "".join(rows)


def test_where_a_minute_has_sixty_rows_the_row_is_the_second() -> None:
    heard = read(coarse_csv(first=54, stamps=5, last=25))
    assert [at for at, _ in heard.of(Metric.SPO2)] == list(range(54 + 300 + 25))
    assert any("one every 1 s" in note for note in heard.notes)
    assert not heard.rejected


def test_a_minute_with_fewer_rows_starts_at_its_stamp_and_is_noted() -> None:
    rows = coarse_csv(first=60, stamps=9, last=60).splitlines()
    del rows[310:315]
    heard = read("\n".join(rows))
    at_s = [at for at, _ in heard.of(Metric.SPO2)]
    assert at_s[300] == 300
    assert at_s[-1] == 659
    assert any("stamps with other than 60 rows" in note for note in heard.notes)


def test_rows_that_complete_one_another_at_a_stamp_are_not_spread() -> None:
    rows = "".join(f"10:00:{s:02},97,\n10:00:{s:02},,80\n" for s in range(30))
    heard = read(f"time,spo2,hr\n{rows}")
    assert [at // 1_000_000_000 for at, _ in heard.moments] == list(range(30))


def test_seconds_as_numbers_are_never_spread() -> None:
    rows = "".join(f"{n // 4},{90 + n % 4}\n" for n in range(80))
    assert len(read(f"time_s,spo2\n{rows}").moments) == 20


def test_a_column_about_the_device_speaks_at_its_edges() -> None:
    heard = read("time_s,resp_rate,auto_zero\n0,12,0\n1,12,1\n2,0,1\n3,0,\n4,12,0\n5,12,maybe\n")
    notices = [event for event in heard.events if isinstance(event, DeviceNotice)]
    assert [(n.at // 1_000_000_000, n.notice, n.present) for n in notices] == [
        (1, NoticeKind.AUTO_ZERO, True),
        (4, NoticeKind.AUTO_ZERO, False),
    ]
    assert heard.rejected == []
    assert any("1 cell held no word of a flag" in note for note in heard.notes)


def test_a_metric_that_is_said_to_be_unavailable_has_no_value() -> None:
    rows = "0,38,1,14\n1,38,0,0\n2,0,0.0,0\n3,38,,0\n4,37,1,14\n5,37,perhaps,14\n"
    heard = read(f"time_s,etco2,co2_available,resp_rate\n{rows}")
    values = [value for _, metric, value in heard.heard if metric is Metric.ETCO2]
    assert values == [38, None, None, 38, 37, 37]
    rates = [value for _, metric, value in heard.heard if metric is Metric.RESP_RATE]
    assert rates == [14, 0, 0, 0, 14, 14]
    assert heard.rejected == []
    assert any("1 cell held no word of a flag" in note for note in heard.notes)


def test_a_metric_known_only_by_its_availability_is_told_as_lost() -> None:
    heard = read("time_s,etco2_valid,resp_rate\n0,1,14\n1,0,0\n")
    assert [each for each in heard.heard if each[1] is Metric.ETCO2] == [(1, Metric.ETCO2, None)]


def test_transcutaneous_co2_is_never_taken_for_end_tidal() -> None:
    text = "time_s,co2,tcco2,spo2\n0,44,45,97\n"
    heard = read(text)
    assert heard.heard == [(0, Metric.SPO2, 97)]
    assert any("--map 'co2=etco2'" in note for note in heard.notes)
    mapped = read(text, ReadOptions(column_map={"co2": Metric.ETCO2}))
    assert (0, Metric.ETCO2, 44) in mapped.heard


def test_plain_co2_beside_end_tidal_co2_is_the_waveform() -> None:
    heard = read("time_s,CO2,etco2,spo2\n0,3,38,97\n1,36,38,97\n2,2,38,97\n")
    assert {each.metric for each in heard.segments} == {Metric.CO2_WAVE}
    assert any("CO2 is read as the CO2 waveform" in note for note in heard.notes)
    mapped = read(
        "time_s,co2,etco2,spo2\n0,44,38,97\n", ReadOptions(column_map={"co2": Metric.TEMP})
    )
    assert (0, Metric.TEMP, 44) in mapped.heard
    assert not mapped.segments


def test_invasive_pressures_are_not_cuff_readings() -> None:
    heard = read("time_s,abp_sys,ABPMean,art_mbp,spo2\n0,120,90,90,97\n")
    assert heard.heard == [(0, Metric.SPO2, 97)]
    assert sum("invasive" in note for note in heard.notes) == 3


def test_two_columns_for_one_metric_are_refused_by_name() -> None:
    with pytest.raises(RecordingError, match=r"'PULSE' and 'pr' both mean pulse_rate"):
        read("time_s,PULSE,pr\n0,80,81\n")
    with pytest.raises(RecordingError, match="'spo2' and 'spo2' both mean spo2; give them diff"):
        read("time_s,spo2,spo2\n0,97,98\n")
    with pytest.raises(RecordingError, match="both mean auto_zero; leave one of them out"):
        read("time_s,spo2,auto_zero,notice:auto_zero\n0,97,1,1\n")


@pytest.mark.parametrize("row", ["0,14,15", "0,rr,14\n0,resp,15"])
def test_each_map_that_the_error_of_two_names_offers_reads_the_file(row: str) -> None:
    text = f"time_s,{'metric,value' if 'rr' in row else 'rr,resp'}\n{row}\n"
    with pytest.raises(RecordingError, match="'rr' and 'resp' both mean resp_rate") as refused:
        read(text)
    offered = re.findall(r"--map '([^']+)'", str(refused.value))
    assert offered == ["rr=resp_rate", "resp=resp_rate"]
    for typed, value in zip(offered, (14, 15), strict=True):
        heard = read(text, ReadOptions(column_map=read_column_map([typed])))
        assert heard.of(Metric.RESP_RATE) == [(0, value)]


def test_a_mapped_column_wins_over_one_we_know() -> None:
    options = ReadOptions(column_map={"PR": Metric.PULSE_RATE})
    heard = read("time_s,PULSE,pr\n0,80,81\n", options)
    assert heard.heard == [(0, Metric.PULSE_RATE, 81)]


def test_a_mapped_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RecordingError, match="only 'time_s', 'spo2'"):
        read("time_s,spo2\n0,97\n", ReadOptions(column_map={"sat": Metric.SPO2}))


def test_no_known_column_is_an_error_that_lists_the_headers() -> None:
    with pytest.raises(RecordingError, match="'foo', 'bar'; say --map COLUMN=METRIC"):
        read("time_s,foo,bar\n0,1,2\n")


def test_kilopascal_and_fahrenheit_are_converted_and_said_so() -> None:
    heard = read("time_s,EtCO2 (kPa),Temp [F],SpO2 (%)\n0,5.0,98.6,97\n")
    values = {metric: value for _, metric, value in heard.heard}
    assert values[Metric.ETCO2] == pytest.approx(37.5, abs=0.01)
    assert values[Metric.TEMP] == pytest.approx(37.0)
    assert any("converted from kpa to mmHg" in note for note in heard.notes)


def test_a_unit_we_cannot_convert_is_not_guessed() -> None:
    heard = read("time_s,EtCO2 (%),spo2\n0,5.0,97\n")
    assert heard.heard == [(0, Metric.SPO2, 97)]
    assert any("unit '%'" in note for note in heard.notes)


def test_semicolons_and_decimal_commas_are_read() -> None:
    heard = read("time_s;temp\n0,5;36,6\n1,5;36,7\n")
    assert heard.heard == [(0, Metric.TEMP, 36.6), (1, Metric.TEMP, 36.7)]


def test_every_value_read_is_valid_and_real() -> None:
    (observation,) = read("time_s,spo2\n0,97\n").observations
    assert observation == Observation(Metric.SPO2, 97.0, Validity.VALID, observation.at)


def test_a_clock_that_stands_still_does_not_fill_the_memory() -> None:
    heard = read("time_s,spo2\n" + "0,97\n" * 12_000)
    assert len(heard.events) == 10_000
    assert any("2000 x rows beyond 10000 at one time" in note for note in heard.notes)


def test_after_a_true_gap_it_is_the_row_that_steps_back_that_is_rejected() -> None:
    heard = read("time_s,spo2\n0,91\n1,92\n40000,93\n39999,94\n40001,95\n")
    assert heard.of(Metric.SPO2) == [(0, 91), (1, 92), (40000, 93), (40001, 95)]


def test_a_coarse_stamp_that_comes_early_cuts_the_rows_before_it_short() -> None:
    rows = coarse_csv(first=60, stamps=8, last=60).splitlines()
    rows += [f"1/01/2000 9:47:30,{90 + n % 8}" for n in range(60)]
    heard = read("\n".join(rows) + "\n")
    assert len(heard.of(Metric.SPO2)) == 660
    assert heard.of(Metric.SPO2)[600][0] == 570
    assert not heard.rejected


NUMBERS = [-1, -99, -999, -9999, 127, 255, 511, 999, 9999, 32767, -32768, 65535, 8388607]


@given(st.sampled_from(NUMERICS), st.sampled_from(NUMBERS))
def test_a_number_that_stands_for_none_is_no_reading_only_where_it_cannot_be_one(
    metric: Metric, number: int
) -> None:
    heard = read(f"time_s,{metric}\n0,{number}\n1,{number}.0\n")
    facts = describe(metric)
    can_be = facts.technical_low <= number <= facts.technical_high
    assert heard.of(metric) == [(0, number if can_be else None), (1, number if can_be else None)]
    assert heard.rejected == []
    note = f"2 x {metric}: {number} stands for no reading and was read as none (lines 2, 3)"
    assert (note in heard.notes) is not can_be


@given(
    st.sampled_from(NUMERICS),
    st.one_of(st.floats(-1000, 1000).map(lambda number: f"{number:.2f}"), st.just("LEAD off")),
    st.sampled_from(("wide", "long")),
)
def test_what_a_person_says_is_missing_is_no_reading_in_any_column(
    metric: Metric, cell: str, form: str
) -> None:
    said = ReadOptions(missing=read_missing([f" {cell.lower()} "]))
    text = f"time_s,{metric}\n0,{cell}\n" if form == "wide" else LONG.format(metric, cell)
    heard = read(text, said)
    assert heard.of(metric) == [(0, None)]
    assert heard.rejected == []


LONG = "time_s,metric,value\n0,{},{}\n"


def test_a_missing_number_is_known_in_each_way_of_writing_it() -> None:
    said = ReadOptions(missing=read_missing(["127", "x"]))
    heard = read("time_s,pulse_rate,co2_wave\n0,127,127\n1,127.0,x\n2,X,X\n3,126,38\n", said)
    assert heard.of(Metric.PULSE_RATE) == [(0, None), (1, None), (2, None), (3, 126)]
    assert heard.rejected == []
    with pytest.raises(ConfigError, match="--missing: say a number or a word"):
        read_missing([" "])
