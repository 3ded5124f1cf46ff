"""What is known of six real recordings comes out of `vigil replay`, and nothing that is not there.

The facts are those of the recordings' own pages, which were counted with plain rules.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.model.alarm import RANK, Priority
from tests.e2e.commands import Said

pytestmark = pytest.mark.shared
Replay = Callable[..., Said]

NO_ZERO = ("--zero-is-missing", "spo2", "--zero-is-missing", "pulse_rate")


@pytest.fixture
def replay(shared: Path, capfd: pytest.CaptureFixture[str]) -> Replay:
    """Return what replays a recording of the shared folder."""

    def run(file: str, *options: str) -> Said:
        code = main(["replay", str(shared / "data" / file), *options])
        said = capfd.readouterr()
        assert code == 0, said.err
        return Said(code, said.out, said.err)

    return run


def _at(lines: Iterable[dict[str, object]]) -> list[float]:
    return [float(str(line["t_s"])) for line in lines]


def _standing(said: Said, alarm: str) -> list[tuple[float, float]]:
    """Return from when to when a condition stood; to the end where it did not end."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for line in said.changes:
        if line["alarm"] != alarm:
            continue
        at = float(str(line["t_s"]))
        if line["change"] == "present":
            since = at
        elif line["change"] in {"ended", "latched"} and since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, float("inf")))
    return spans


def _values(lines: Iterable[dict[str, object]]) -> set[float]:
    return {float(str(line["value"])) for line in lines}


# -- sedation --------------------------------------------------------------------------------------


def test_a_quiet_patient_is_quiet(replay: Replay) -> None:
    said = replay("sedation-spo2-tcco2/P009.csv", *NO_ZERO)
    assert said.changes == []
    assert said.summary["observations"] == {"spo2": 3074, "pulse_rate": 3074}


def test_a_probe_that_is_off_is_no_desaturation(replay: Replay) -> None:
    said = replay("sedation-spo2-tcco2/P057.csv", *NO_ZERO)
    assert said.presented("spo2_low") == []
    assert said.presented("no_data_spo2")


def test_stamps_of_whole_minutes_make_no_alarm_of_a_good_patient(replay: Replay) -> None:
    said = replay("sedation-spo2-tcco2/P085.csv", *NO_ZERO)
    assert {line["kind"] for line in said.changes} <= {"technical"}
    assert said.summary["span_s"] == 3018.0


def _runs_below(file: Path, limit: int) -> list[tuple[int, int]]:
    """Return first and last second of each run of read values below `limit`."""
    rows = file.read_text(encoding="utf-8").splitlines()[1:]
    runs: list[tuple[int, int]] = []
    for second, row in enumerate(rows):
        value = int(row.split(",")[2].strip() or 0)
        if not 0 < value < limit:
            continue
        if runs and runs[-1][1] == second - 1:
            runs[-1] = (runs[-1][0], second)
        else:
            runs.append((second, second))
    return runs


def test_each_real_desaturation_is_said_in_time_and_none_is_made_up(
    replay: Replay, shared: Path
) -> None:
    said = replay("sedation-spo2-tcco2/P066.csv", *NO_ZERO)
    runs = _runs_below(shared / "data/sedation-spo2-tcco2/P066.csv", 90)
    long_runs = [(first, last) for first, last in runs if last - first + 1 >= 10]
    assert (len(long_runs), runs[0][0]) == (11, 744)
    spans = _standing(said, "spo2_low")
    for first, last in long_runs:
        if last - first >= 10:  # the delay of the limit set
            assert any(since <= first + 10 and until > last for since, until in spans), (
                first,
                last,
            )
    for since, _ in spans:
        assert any(first + 10 <= since <= last + 1 for first, last in long_runs), since
    assert spans[-1][1] == float("inf")


def test_a_probe_that_settles_is_said_and_a_slow_pulse_is_found(replay: Replay) -> None:
    said = replay("sedation-spo2-tcco2/P126.csv", *NO_ZERO)
    (spo2,) = _standing(said, "spo2_low")
    assert 16 <= spo2[0] <= 36
    assert 51 <= spo2[1] <= 75
    slow = _standing(said, "pulse_rate_low")
    assert 420 <= slow[0][0] <= 440
    assert sum(min(until, 2450) - since for since, until in slow) > 1_200


# -- intensive care --------------------------------------------------------------------------------


def test_a_low_value_of_two_seconds_is_no_alarm(replay: Replay) -> None:
    said = replay("icu-bidmc-numerics/bidmc_22_Numerics.csv")
    assert said.changes == []


def test_a_patient_who_stays_low_is_one_long_alarm(replay: Replay) -> None:
    said = replay("icu-bidmc-numerics/bidmc_32_Numerics.csv")
    (begun,) = said.presented()
    assert (begun["alarm"], begun["limit"]) == ("spo2_low", 90.0)
    assert begun["t_s"] == 10.0
    assert [line["change"] for line in said.changes] in (["present"], ["present", "escalated"])
    assert said.summary["present_at_end"] == ["spo2_low"]


def test_a_breath_count_that_is_lost_is_technical_and_no_apnoea(replay: Replay) -> None:
    said = replay("icu-bidmc-numerics/bidmc_13_Numerics.csv")
    assert said.presented("apnoea") == []
    technical = [line for line in said.presented() if line["kind"] == "technical"]
    assert {line["metric"] for line in technical} == {"resp_rate"}
    physiological = {line["metric"] for line in said.presented() if line not in technical}
    assert physiological <= {"resp_rate"}


def test_a_pulse_counted_by_halves_is_said(replay: Replay) -> None:
    said = replay("icu-bidmc-numerics/bidmc_39_Numerics.csv")
    assert _at(said.presented("pulse_rate_low")) == [10.0]
    ((_, until),) = _standing(said, "pulse_rate_low")
    assert 55 <= until <= 70
    assert said.presented("heart_rate_low") == []


def test_a_dip_of_four_seconds_in_the_breath_count_is_no_alarm(replay: Replay) -> None:
    assert replay("icu-bidmc-numerics/bidmc_05_Numerics.csv").presented() == []


def test_both_high_pressures_of_32_hours_are_found_and_no_sensor_off_alarms_as_low(
    replay: Replay,
) -> None:
    said = replay("icu-nibp-32h/derived_long.csv", "--zero-is-missing", "spo2")
    high = [(line["t_s"], line["value"]) for line in said.presented("nibp_sys_high")]
    assert high == [(10_320.0, 167.0), (62_580.0, 164.0)]
    assert said.presented("spo2_low") == []
    assert said.presented("nibp_sys_low") == []
    assert said.presented("no_data_spo2")
    observed = said.summary["observations"]
    assert isinstance(observed, dict)
    assert observed["nibp_sys"] == 152


# -- resuscitation ---------------------------------------------------------------------------------

DEFIB = "defib-multiparameter/derived_long.csv"
CUFF = {95.0, 194.0, 58.0, 74.0, 185.0, 156.0, 109.0, 92.0, 65.0, 73.0, 100.0}


def _cuff_readings(file: Path) -> dict[float, float]:
    """Return systolic by the second it was taken, of the rows that count."""
    rows = (row.split(",") for row in file.read_text(encoding="utf-8").splitlines()[1:])
    return {
        float(taken): float(value)
        for _, metric, value, state, _, taken in rows
        if metric == "nibp_sys" and state == "valid"
    }


def test_eleven_cuff_readings_are_judged_once_each_though_93_rows_repeat_them(
    replay: Replay, shared: Path
) -> None:
    readings = _cuff_readings(shared / "data" / DEFIB)
    assert set(readings.values()) == CUFF
    said = replay(DEFIB)
    about = [line for line in said.changes if str(line["alarm"]).startswith("nibp_sys")]
    told = [line for line in about if line["change"] in {"present", "escalated"}]
    assert len(told) <= len(readings) == 11
    # No reading is told twice, at no time but when its first report came.
    assert len({(line["alarm"], line["value"]) for line in told}) == len(told)
    for line in about:
        behind = [taken for taken, value in readings.items() if value == line["value"]]
        # The cuff's clock and that of the reports are some five seconds apart.
        assert -6 <= float(str(line["t_s"])) - behind[0] < 60, line


def test_pressures_above_180_are_two_and_those_below_90_stand_through_four_readings(
    replay: Replay, shared: Path
) -> None:
    said = replay(DEFIB)
    assert [line["value"] for line in said.presented("nibp_sys_high")] == [194.0, 185.0]
    low = _standing(said, "nibp_sys_low")
    readings = _cuff_readings(shared / "data" / DEFIB)
    below = {taken: value for taken, value in readings.items() if value < 90}
    assert sorted(below.values()) == [58.0, 65.0, 73.0, 74.0]
    for taken in below:
        assert any(since < taken + 60 and taken < until for since, until in low), taken
    assert len(low) <= 4


def test_a_state_word_beats_the_number_beside_it(replay: Replay) -> None:
    said = replay(DEFIB)
    values = _values(line for line in said.changes if line["value"] is not None)
    assert all(0 <= value <= 300 for value in values)
    lowest = min(_values(said.presented("spo2_low")))
    assert lowest >= 22


# -- an anaesthetic and a capnogram ----------------------------------------------------------------


def test_what_is_bad_in_the_first_row_is_an_alarm_at_once(replay: Replay) -> None:
    said = replay("anaesthesia-bp-chart/derived_long.csv")
    first = said.presented("nibp_sys_high")[0]
    assert (first["t_s"], first["value"]) == (0.0, 214.61)
    assert RANK[Priority(str(first["priority"]))] == RANK[Priority.HIGH]


def test_a_mean_pressure_that_cannot_be_is_refused(replay: Replay) -> None:
    said = replay("anaesthesia-bp-chart/derived_long.csv")
    observed = said.summary["observations"]
    assert isinstance(observed, dict)
    assert observed["nibp_mean"] == 296
    assert all(value > 0 for value in _values(said.presented("nibp_mean_low")))


@pytest.mark.hazard("H1")
def test_each_pause_of_thirty_seconds_in_a_capnogram_is_an_apnoea_within_35(
    replay: Replay,
) -> None:
    said = replay("capnogram-waveform/Capnography.csv.bz2")
    began = 1329.008  # the recording's own clock at its first row
    told = [at + began for at in _at(said.presented("apnoea"))]
    pauses = [1570.0, 2170.0, 3001.0, 3563.0, 3644.0, 3912.0]
    assert len(told) == len(pauses)
    for pause, at in zip(pauses, told, strict=True):
        assert 29 <= at - pause <= 35
    assert said.summary["present_at_end"] == ["apnoea"]
    assert json.dumps(said.summary["wave_samples"]) == '{"co2_wave": 582000}'
