"""What `vigil check` prints: findings, the way of each alarm, where something is wrong."""

from pathlib import Path
from typing import Final

import msgspec
import pytest

from alarms.ramps import Finding
from dashboards.app import FRAMES_HZ
from drivers.registry import get
from monitor.config import Chair, config_of
from monitor.main.check import SCREEN_S, averaging_of, check, latency_of
from monitor.model.alarm import Priority
from monitor.model.metric import Metric
from tests.alarms.score import PRESET_TEXT

CLINIC: Final = """
[site]
name = "s"
data_dir = "/nowhere"
[[chair]]
name = "1"
limits = "ours.toml"
devices = [
  { driver = "nonin", url = "serial:///dev/ttyUSB0" },
  { driver = "capnostream", url = "serial:///dev/ttyUSB1" },
]
"""


@pytest.fixture
def chair(tmp_path: Path) -> Chair:
    """Return a chair whose oximeter says how long it averages, and whose capnograph does not."""
    (tmp_path / "ours.toml").write_text(PRESET_TEXT)
    (read,) = config_of(CLINIC, "clinic.toml", tmp_path).chairs
    return with_averaging(read, {"nonin": {Metric.SPO2: 6.0, Metric.PULSE_RATE: 8.0}})


def with_averaging(chair: Chair, said: dict[str, dict[Metric, float]]) -> Chair:
    devices = tuple(
        msgspec.structs.replace(
            each,
            driver=msgspec.structs.replace(each.driver, averaging_s=said.get(each.driver.name, {})),
        )
        for each in chair.devices
    )
    return msgspec.structs.replace(chair, devices=devices)


def low(metric: Metric | None = Metric.SPO2, **more: float) -> Finding:
    return Finding(
        alarm="spo2_low",
        is_well=True,
        text="spo2 87.5 %: medium after 10 s",
        band="below 90 %",
        metric=metric,
        priority=Priority.MEDIUM,
        delay_s=10.0,
        latency_s=more.get("latency_s", 10.0),
    )


def test_a_metric_is_unknown_where_one_of_its_devices_says_nothing(chair: Chair) -> None:
    """The capnograph of this chair gives a saturation too, and does not say how it averages."""
    assert Metric.SPO2 in get("capnostream").metrics
    assert averaging_of([chair]) == {}
    both = {"nonin": {Metric.SPO2: 6.0}, "capnostream": {Metric.SPO2: 8.0}}
    assert averaging_of([with_averaging(chair, both)]) == {Metric.SPO2: 8.0}
    assert averaging_of([]) == {}


def test_the_whole_way_is_the_sum_of_its_parts() -> None:
    known = latency_of(low(latency_s=10.5), {Metric.SPO2: 6.0})
    assert (known.device_s, known.sample_s, known.delay_s, known.evidence_s) == (
        6.0,
        1.0,
        10.0,
        0.5,
    )
    parts = (known.device_s or 0.0, known.sample_s, known.delay_s, known.evidence_s)
    assert known.total_s == sum(parts) + known.pipeline_s + known.annunciation_s
    unknown = latency_of(low(), {})
    assert unknown.device_s is None
    assert unknown.total_s == 10 + unknown.sample_s + unknown.pipeline_s + unknown.annunciation_s
    technical = latency_of(low(metric=None), {Metric.SPO2: 6.0})
    assert technical.device_s == 0


def test_a_cuff_reading_waits_for_no_next_sample() -> None:
    assert latency_of(low(Metric.NIBP_SYS), {}).sample_s == 0


def test_the_time_said_for_the_screen_covers_a_frame() -> None:
    assert 1 / FRAMES_HZ <= SCREEN_S


def test_a_limit_set_that_holds_is_said_with_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(PRESET_TEXT)
    assert check(str(path), as_json=False) == 0
    said = capsys.readouterr()
    assert said.err == ""
    rows = [line for line in said.out.splitlines() if line.startswith("spo2_low  ")]
    (row,) = [line for line in rows if "85" in line]
    assert " ".join(row.split()) == "spo2_low below 85 % unknown 1 5 0 0.1 0.25 6.35 + device"


def test_everything_is_said_to_machines_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ours.toml").write_text(PRESET_TEXT)
    path = tmp_path / "clinic.toml"
    path.write_text(CLINIC)
    assert check(str(path), as_json=True) == 0
    lines = [msgspec.json.decode(each) for each in capsys.readouterr().out.splitlines()]
    findings = [each for each in lines if "is_well" in each]
    ways = [each for each in lines if "latency" in each]
    assert len(findings) + len(ways) == len(lines)
    assert {each["chair"] for each in ways} == {"1"}
    timed = [each for each in findings if each["latency_s"] is not None]
    assert len(ways) == len(timed) > 40


def test_what_is_wrong_names_file_table_and_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(PRESET_TEXT.replace("percent = 30\n", "percent = 80\n"))
    assert check(str(path), as_json=False) == 2
    said = capsys.readouterr()
    where = f"{path}: [relative.nibp_sys_above_baseline] nibp_sys_above_baseline: "
    assert said.err.startswith(where + "for every baseline from 95 to 155")
    assert "wrong  nibp_sys_above_baseline" in said.out
