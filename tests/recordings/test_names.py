"""Which names mean which metric, and what a person may type."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.model.errors import ConfigError
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric
from monitor.recordings.names import meaning_of
from monitor.recordings.options import read_column_map, read_zero_is_missing


@pytest.mark.parametrize("metric", sorted(Metric))
def test_a_public_name_always_means_its_metric(metric: Metric) -> None:
    assert meaning_of(metric).metric is metric
    assert meaning_of(f" {metric.upper()} ").metric is metric


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("SpO2 (%)", Metric.SPO2),
        (" SpO2", Metric.SPO2),
        ("sat", Metric.SPO2),
        ("PULSE", Metric.PULSE_RATE),
        ("pr", Metric.PULSE_RATE),
        ("HR", Metric.HEART_RATE),
        ("HR bpm", Metric.HEART_RATE),
        ("Heart Rate [1/min]", Metric.HEART_RATE),
        ("RESP", Metric.RESP_RATE),
        ("RR (breaths/min)", Metric.RESP_RATE),
        ("etco2_mmhg", Metric.ETCO2),
        ("EtCO2 (mmHg)", Metric.ETCO2),
        ("FiCO2", Metric.FICO2),
        ("sbp", Metric.NIBP_SYS),
        ("NBPSys", Metric.NIBP_SYS),
        ("NBP Dias", Metric.NIBP_DIA),
        ("nibp_map", Metric.NIBP_MEAN),
        ("MAP", Metric.NIBP_MEAN),
        ("Temp (°C)", Metric.TEMP),
        ("Monitor/NIBP_SBP", Metric.NIBP_SYS),
        ("'spo2'", Metric.SPO2),
        ("oxygen_saturation", Metric.SPO2),
        ("Oxygen Saturation (%)", Metric.SPO2),
        ("o2sat", Metric.SPO2),
        ("rr_per_min", Metric.RESP_RATE),
        ("breaths_per_min", Metric.RESP_RATE),
        ("Breaths per minute", Metric.RESP_RATE),
        ("breaths/min", Metric.RESP_RATE),
        ("breath_rate", Metric.RESP_RATE),
        ("HR per min", Metric.HEART_RATE),
        ("petCO2", Metric.ETCO2),
        ("co2_raw", Metric.CO2_WAVE),
        ("co2_waveform", Metric.CO2_WAVE),
        ("CO2 raw (mmHg)", Metric.CO2_WAVE),
    ],
)
def test_common_names_are_known(name: str, metric: Metric) -> None:
    assert meaning_of(name).metric is metric


@pytest.mark.parametrize(
    "name",
    [
        "co2",
        "tcCO2",
        "CO2 (mmHg)",
        "abp_sys",
        "ABPMean",
        "ART",
        "II",
        "",
        "%",
        "breaths",
        "beats/min",
    ],
)
def test_names_that_could_mean_something_else_are_not_guessed(name: str) -> None:
    meaning = meaning_of(name)
    assert meaning.metric is None
    assert meaning.reason


def test_a_state_of_the_device_is_known_by_its_word() -> None:
    assert meaning_of("notice:auto_zero").notice is NoticeKind.AUTO_ZERO
    assert meaning_of("notice_cuff_inflating").notice is NoticeKind.CUFF_INFLATING
    assert meaning_of("sensor_off").notice is NoticeKind.SENSOR_OFF


def test_a_map_names_columns_and_metrics() -> None:
    assert read_column_map(["O2 sat=spo2", "a=b=ETCO2"]) == {
        "O2 sat": Metric.SPO2,
        "a=b": Metric.ETCO2,
    }


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["spo2"], "write COLUMN=METRIC"),
        (["=spo2"], "write COLUMN=METRIC"),
        (["sat=oxygen"], "'oxygen' is not a metric; say one of spo2, pulse_rate"),
        (["a=spo2", "a=etco2"], "mapped twice"),
        (["a=spo2", "b=spo2"], "already has a column"),
    ],
)
def test_a_wrong_map_is_refused_with_what_would_be_right(texts: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_column_map(texts)


def test_metrics_that_write_zero_are_named_one_by_one_or_by_commas() -> None:
    expected = frozenset({Metric.SPO2, Metric.PULSE_RATE})
    assert read_zero_is_missing(["spo2", "pulse_rate"]) == expected
    assert read_zero_is_missing(["spo2, pulse_rate"]) == expected
    with pytest.raises(ConfigError, match="--zero-is-missing: 'sat' is not a metric"):
        read_zero_is_missing(["sat"])


letters = st.text("abcdefghijklmnopqrstuvwxyz <>%3ADSO", min_size=1, max_size=12)


@given(letters, st.sampled_from(["/hr", "/h", " / hr", "/HR", " (/hr)", " [1/h]", " per hour"]))
def test_what_is_counted_in_an_hour_is_never_a_rate_of_beats(what: str, hourly: str) -> None:
    assume("33" not in what)  # letters and digits as of a model would be a device
    assume(what.strip().lower() not in NAMED_DEVICES)
    meaning = meaning_of(what + hourly)
    assert meaning.metric is None
    assert meaning.reason


NAMED_DEVICES = ("monitor", "device", "ecg")


@pytest.mark.parametrize("device", ["Solar8000", "Monitor", "MP50", "B650", "Dash 4000"])
def test_behind_a_device_the_same_letters_are_its_heart_rate(device: str) -> None:
    assert meaning_of(f"{device}/HR").metric is Metric.HEART_RATE
    assert meaning_of(f"{device}/A/hr").metric is None


@pytest.mark.parametrize(
    ("name", "metric"),
    [("RR/min", Metric.RESP_RATE), ("PR/bpm", Metric.PULSE_RATE), ("HR/min", Metric.HEART_RATE)],
)
def test_a_unit_may_stand_behind_a_slash(name: str, metric: Metric) -> None:
    assert meaning_of(name).metric is metric
