"""The real recordings beside the checkout: the facts of their READMEs come out."""

from itertools import pairwise
from pathlib import Path

import pytest

from monitor.model.errors import RecordingError
from monitor.model.metric import Metric
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import Read, read_path

pytestmark = pytest.mark.shared

ZERO_IS_MISSING = ReadOptions(zero_is_missing=frozenset({Metric.SPO2, Metric.PULSE_RATE}))


def sedation(shared: Path, name: str) -> Read:
    return read_path(shared / "data/sedation-spo2-tcco2" / f"{name}.csv", ZERO_IS_MISSING)


def lost(heard: Read, metric: Metric) -> int:
    return sum(value is None for _, value in heard.of(metric))


@pytest.mark.parametrize(
    ("name", "rows", "spo2_lost"),
    [("P009", 3074, 0), ("P066", 1207, 20), ("P055", 1777, 328), ("P085", 3019, 127)],
)
def test_sedation_rows_are_seconds_and_zeros_no_readings(
    shared: Path, name: str, rows: int, spo2_lost: int
) -> None:
    heard = sedation(shared, name)
    assert [at for at, _ in heard.of(Metric.SPO2)] == list(range(rows))
    assert lost(heard, Metric.SPO2) == spo2_lost
    assert not heard.rejected
    assert any("co2 is ignored" in note for note in heard.notes)


def test_sedation_p055_pulse_is_lost_736_times(shared: Path) -> None:
    assert lost(sedation(shared, "P055"), Metric.PULSE_RATE) == 736


def test_sedation_p057_is_never_below_98_when_it_is_read(shared: Path) -> None:
    heard = sedation(shared, "P057")
    values = [value for _, value in heard.of(Metric.SPO2) if value is not None]
    assert len(heard.of(Metric.SPO2)) == 5408
    assert min(values) >= 98
    blank = [at for at, value in heard.of(Metric.SPO2) if value is None]
    assert {float(at) for at in range(28, 606)} <= set(blank)


def test_sedation_p066_first_falls_below_90_at_744(shared: Path) -> None:
    low = [at for at, value in sedation(shared, "P066").of(Metric.SPO2) if value and value < 90]
    assert low[0] == 744
    assert len(low) == 263


def test_sedation_p126_keeps_its_unix_line_ends(shared: Path) -> None:
    heard = sedation(shared, "P126")
    assert len(heard.of(Metric.SPO2)) == 4863
    assert heard.description.span_s == 4862


@pytest.mark.parametrize(
    ("record", "metric", "count"),
    [("05", Metric.SPO2, 6), ("13", Metric.RESP_RATE, 146), ("22", Metric.SPO2, 0)],
)
def test_bidmc_nan_is_no_reading(shared: Path, record: str, metric: Metric, count: int) -> None:
    heard = read_path(shared / f"data/icu-bidmc-numerics/bidmc_{record}_Numerics.csv")
    assert [at for at, _ in heard.of(Metric.HEART_RATE)] == list(range(481))
    assert lost(heard, metric) == count


def test_bidmc_13_resp_zeros_are_zeros_of_the_monitor(shared: Path) -> None:
    heard = read_path(shared / "data/icu-bidmc-numerics/bidmc_13_Numerics.csv")
    zeros = {at for at, value in heard.of(Metric.RESP_RATE) if value == 0}
    assert {float(at) for at in range(63, 92)} <= zeros


def test_bidmc_13_signals_give_the_pleth_whole_and_no_rate(shared: Path) -> None:
    heard = read_path(shared / "data/icu-bidmc-numerics/bidmc_13_Signals.csv")
    assert sum(len(segment.samples) for segment in heard.segments) == 60_001
    assert {segment.metric for segment in heard.segments} == {Metric.PLETH}
    assert all(segment.rate_hz == pytest.approx(125, rel=0.01) for segment in heard.segments)
    assert not heard.observations


def test_nibp_of_32_hours_is_152_readings_in_both_forms(shared: Path) -> None:
    folder = shared / "data/icu-nibp-32h"
    table = read_path(folder / "derived_long.csv", ZERO_IS_MISSING)
    record = read_path(folder / "s00001-2896-10-10-00-31n.hea", ZERO_IS_MISSING)
    assert len(table.of(Metric.NIBP_SYS)) == 152
    systolic = dict(table.of(Metric.NIBP_SYS))
    assert (systolic[10_320], systolic[62_580]) == (167, 164)
    assert lost(table, Metric.SPO2) == 363
    assert table.description.span_s == 116_100
    assert sorted(map(repr, table.heard)) == sorted(map(repr, record.heard))


def test_nibp_of_32_hours_written_channel_by_channel_is_the_same(
    shared: Path, tmp_path: Path
) -> None:
    lines = (shared / "data/icu-nibp-32h/derived_long.csv").read_text().splitlines()
    by_channel = sorted(lines[1:], key=lambda line: line.split(",")[1])
    path = tmp_path / "channels.csv"
    path.write_text("\n".join([lines[0], *by_channel]) + "\n")
    in_time = read_path(shared / "data/icu-nibp-32h/derived_long.csv", ZERO_IS_MISSING)
    assert sorted(map(repr, read_path(path, ZERO_IS_MISSING).heard)) == sorted(
        map(repr, in_time.heard)
    )


def test_chart_mean_of_minus_two_is_rejected_four_times(shared: Path) -> None:
    heard = read_path(shared / "data/anaesthesia-bp-chart/derived_long.csv")
    rejected = [at for at, value in heard.of(Metric.NIBP_MEAN) if value is None]
    assert rejected == [3630, 3660, 3690, 3720]
    assert len(heard.rejected) == 4
    assert heard.of(Metric.NIBP_SYS)[0] == (0, 214.61)


def test_defibrillator_has_eleven_cuff_readings_in_93_rows(shared: Path) -> None:
    heard = read_path(shared / "data/defib-multiparameter/derived_long.csv")
    valid = [o for o in heard.observations if o.metric is Metric.NIBP_SYS and o.value is not None]
    assert len(valid) == 93
    first_row_s = 4.754
    taken = {round(o.taken / 1e9 + first_row_s, 6): o.value for o in valid if o.taken is not None}
    assert taken == {
        849: 95, 1460: 194, 2076: 58, 2245: 74, 3024: 185, 3124: 156,
        3327: 109, 3478: 92, 3699: 65, 3817: 73, 3954: 100,
    }  # fmt: skip
    assert not heard.rejected


def test_defibrillator_garbage_beside_other_states_is_never_read(shared: Path) -> None:
    heard = read_path(shared / "data/defib-multiparameter/derived_long.csv")
    assert lost(heard, Metric.SPO2) == 54
    values = [value for _, value in heard.of(Metric.SPO2) if value is not None]
    assert (min(values), len(values)) == (22, 142)


def test_capnogram_is_one_waveform_with_its_holes(shared: Path) -> None:
    heard = read_path(shared / "data/capnogram-waveform/Capnography.csv.bz2")
    assert sum(len(segment.samples) for segment in heard.segments) == 582_000
    assert {segment.rate_hz for segment in heard.segments} == {125.0}
    assert heard.description.span_s == pytest.approx(6000 - 1329.008)
    ends = [1329.008 + segment.at / 1e9 for segment in heard.segments]
    holes = [(a, b) for a, b in pairwise(ends) if b - a > 2]
    assert [round(a) for a, _ in holes] == [2100, 5673]


@pytest.mark.parametrize(
    "name", ["anaesthesia-bp-chart/usecase_3.json", "icu-bidmc-numerics/bidmc_05_Breaths.csv"]
)
def test_what_is_no_table_of_times_is_refused_by_name(shared: Path, name: str) -> None:
    with pytest.raises(RecordingError, match=Path(name).name):
        read_path(shared / "data" / name)
