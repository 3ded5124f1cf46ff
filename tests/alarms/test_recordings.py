"""Real recordings through the core, held against the facts that stand beside them."""

import bz2
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from monitor.model.event import WaveformSegment
from monitor.model.instant import in_seconds, instant_at
from monitor.model.metric import Metric
from tests.alarms.score import Score, seen

SHARED: Final = Path(__file__).parents[3] / "shared" / "data"
SEDATION: Final = {"spo2": Metric.SPO2, "pr": Metric.PULSE_RATE}
BIDMC: Final = {
    "HR": Metric.HEART_RATE,
    "PULSE": Metric.PULSE_RATE,
    "RESP": Metric.RESP_RATE,
    "SpO2": Metric.SPO2,
}
LONG: Final = {
    "hr": Metric.HEART_RATE,
    "pulse": Metric.PULSE_RATE,
    "rr": Metric.RESP_RATE,
    "spo2": Metric.SPO2,
    "etco2": Metric.ETCO2,
    "fico2": Metric.FICO2,
    "nibp_sys": Metric.NIBP_SYS,
    "nibp_dia": Metric.NIBP_DIA,
    "nibp_mean": Metric.NIBP_MEAN,
    "nibp_map": Metric.NIBP_MEAN,
    "sbp": Metric.NIBP_SYS,
    "dbp": Metric.NIBP_DIA,
    "map": Metric.NIBP_MEAN,
}
Row = tuple[float, Metric, float | None, float | None]

pytestmark = pytest.mark.shared


def find(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"recordings are not beside the checkout: {name}")
    return path


def number(text: str) -> float | None:
    return None if text.strip() in {"", "NaN"} else float(text)


def wide(name: str, columns: dict[str, Metric]) -> Iterable[Row]:
    with find(name).open() as lines:
        reader = csv.reader(lines)
        header = [each.strip() for each in next(reader)]
        for second, row in enumerate(reader):
            for column, metric in columns.items():
                yield second, metric, number(row[header.index(column)]), None


def long(name: str) -> list[Row]:
    rows: list[Row] = []
    with find(name).open() as lines:
        for row in csv.DictReader(lines):
            metric = LONG.get(row["metric"])
            if metric is None:
                continue
            value = number(row["value"]) if row.get("state", "valid") == "valid" else None
            value = None if value is not None and value < 0 else value
            taken = number(row.get("taken_s") or "")
            rows.append((float(row["time_s"]), metric, value, taken))
    return sorted(rows, key=lambda row: row[0])


def play(rows: Iterable[Row]) -> Score:
    score, first = Score(), None
    for at, metric, value, taken in rows:
        first = at if first is None else first
        since = None if taken is None else taken - first
        score.hear(seen(metric, value, at - first, taken=since), at - first)
    return score


def sedation(name: str) -> Score:
    return play(wide(f"sedation-spo2-tcco2/{name}.csv", SEDATION))


def bidmc(number: str) -> Score:
    return play(wide(f"icu-bidmc-numerics/bidmc_{number}_Numerics.csv", BIDMC))


def physiological(score: Score) -> list[tuple[float, str]]:
    return [
        (round(in_seconds(each.at), 1), each.alarm)
        for each in score.told
        if each.kind == "physiological" and each.change == "present"
    ]


def test_a_quiet_patient_of_fifty_minutes_is_told_nothing() -> None:
    assert sedation("P009").lines() == []


def test_a_probe_that_is_off_for_minutes_makes_no_desaturation() -> None:
    score = sedation("P057")
    assert physiological(score) == []
    assert score.changes("no_data_spo2")[0] == (38, "present")


def test_each_real_run_below_ninety_is_found_at_its_tenth_second() -> None:
    score = sedation("P066")
    raised = [at for at, change in score.changes("spo2_low") if change == "present"]
    assert raised[0] == 754
    assert len(raised) == 7
    assert score.changes("spo2_low")[-1] == (1188, "unheld")
    assert "spo2_low" in score.standing()


def test_eight_minutes_below_ninety_are_one_alarm() -> None:
    assert bidmc("32").lines() == [
        (10, "spo2_low", "present", "medium"),
        (18, "spo2_low", "escalated", "high"),
    ]


def test_two_seconds_below_ninety_are_none() -> None:
    assert bidmc("22").lines() == []


def test_a_worthless_impedance_rate_is_lost_signal_and_no_apnoea() -> None:
    score = bidmc("13")
    assert score.changes("apnoea") == []
    assert [at for at, each in score.changes("no_data_resp_rate") if each == "present"] == [
        86,
        152,
        204,
        337,
    ]


def test_minute_data_of_thirty_two_hours_are_not_always_stale() -> None:
    rows = long("icu-nibp-32h/derived_long.csv")
    score = play((at, metric, value, taken) for at, metric, value, taken in rows)
    high = [at for at, alarm in physiological(score) if alarm == "nibp_sys_high"]
    assert high == [10320, 62580]
    assert not [at for at, alarm in physiological(score) if alarm == "spo2_low"]
    assert len([1 for _, each in score.changes("no_data_spo2") if each == "present"]) == 8


@pytest.mark.hazard("H1")
def test_each_pause_of_a_real_capnogram_is_told_at_its_thirtieth_second() -> None:
    samples, first = [], None
    with bz2.open(find("capnogram-waveform/Capnography.csv.bz2"), "rt") as lines:
        next(lines)
        for number, line in enumerate(lines):
            if number % 5 == 0:
                stamp, _, value = line.partition(",")
                first = float(stamp) if first is None else first
                samples.append((float(stamp) - first, float(value)))
    score = Score()
    for start in range(0, len(samples), 5):
        piece = samples[start : start + 5]
        at = instant_at(piece[-1][0])
        segment = WaveformSegment(Metric.CO2_WAVE, at, 25.0, tuple(value for _, value in piece))
        score.hear(segment, piece[-1][0])
    raised = [at + (first or 0) for at, change in score.changes("apnoea") if change == "present"]
    assert raised == pytest.approx([1600.6, 2200.6, 3031.8, 3593.3, 3674.4, 3941.7], abs=1)


def test_eleven_cuff_readings_are_judged_once_each() -> None:
    score = play(long("defib-multiparameter/derived_long.csv"))
    told = [each for each in score.told if each.alarm in {"nibp_sys_low", "nibp_sys_high"}]
    raised = [each.value for each in told if each.change == "present"]
    assert raised == [194, 58, 185, 65]
    assert [each.value for each in told if each.change == "latched"] == [58, 185, 109, 100]


def test_a_mean_that_cannot_be_does_not_hide_the_systolic_beside_it() -> None:
    score = play(long("anaesthesia-bp-chart/derived_long.csv"))
    raised = [at for at, alarm in physiological(score) if alarm == "nibp_sys_high"]
    assert raised == [0, 390, 2730, 3660]
    lows = [at for at, alarm in physiological(score) if alarm == "nibp_sys_low"]
    assert lows[0] == 1680
