"""The small recordings that ship with the tests, each with what must come out of it."""

from pathlib import Path
from typing import Final

from monitor.model.event import DeviceNotice
from monitor.model.metric import Metric
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import read_path

SAMPLES: Final = Path(__file__).parent / "samples"
ZERO_IS_MISSING: Final = ReadOptions(zero_is_missing=frozenset({Metric.SPO2, Metric.PULSE_RATE}))


def test_a_loggers_rows_are_seconds_across_midnight() -> None:
    heard = read_path(SAMPLES / "logger.csv", ZERO_IS_MISSING)
    assert [at for at, _ in heard.of(Metric.SPO2)] == list(range(150))
    assert [at for at, value in heard.of(Metric.SPO2) if value is None] == list(range(40, 46))
    assert [round(n.at / 1e9) for n in heard.events if isinstance(n, DeviceNotice)] == [50, 55]
    assert not heard.rejected
    assert Metric.ETCO2 not in {metric for _, metric, _ in heard.heard}


def test_a_monitors_cuff_reading_keeps_the_time_it_was_taken() -> None:
    heard = read_path(SAMPLES / "monitor_long.csv")
    cuff = [o for o in heard.observations if o.metric is Metric.NIBP_SYS]
    assert len(cuff) == 10
    assert [round((o.taken or 0) / 1e9, 3) for o in cuff] == [5.5] * 5 + [28.0] * 5
    assert [at for at, value in heard.of(Metric.SPO2) if value is None] == [14]
    assert [at for at, value in heard.of(Metric.ETCO2) if value is None] == [18]


def test_the_same_monitor_channel_by_channel_says_the_same() -> None:
    plain = read_path(SAMPLES / "monitor_long.csv")
    channels = read_path(SAMPLES / "monitor_channels.csv.bz2")
    assert sorted(map(repr, channels.observations)) == sorted(map(repr, plain.observations))
    assert [at for at, _ in channels.moments] == [at for at, _ in plain.moments]


def test_a_capnogram_keeps_its_rate_and_its_hole() -> None:
    heard = read_path(SAMPLES / "capnogram.csv.gz")
    assert sum(len(segment.samples) for segment in heard.segments) == 850
    assert {segment.rate_hz for segment in heard.segments} == {50.0}
    spans = [
        (segment.at / 1e9 - (len(segment.samples) - 1) / 50, segment.at / 1e9)
        for segment in heard.segments
    ]
    assert not [span for span in spans if span[0] < 11.9 and span[1] > 9.1]
