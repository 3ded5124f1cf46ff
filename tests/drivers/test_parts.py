"""Sums, registry, options, times, units: each by its own words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import registry
from drivers.bedside import Beat, Tape
from drivers.checksums import complement_8, crc_16_x25, exclusive_or, sum_8
from drivers.contract import OptionError
from drivers.options import CommonOptions, read_options
from drivers.payload import in_unit
from drivers.reading import Flag, StatusWord, read
from drivers.times import days_since_1970, utc_s_of
from monitor.model.event import DeviceAlarm, DeviceNotice, NoticeKind, Validity, WaveformSegment
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric

few = settings(max_examples=150, deadline=None, derandomize=True)


def test_sums_agree_with_printed_frames() -> None:
    assert sum_8(bytes.fromhex("01 80 70 61")) == 0x52
    assert complement_8(bytes.fromhex("3E 05 02 01")) == 0xBA
    assert exclusive_or(bytes.fromhex("05 00 2A 25 80 00")) == 0x8A
    assert crc_16_x25(bytes.fromhex("3A 71")) == 0x269B
    assert crc_16_x25(bytes.fromhex("3A 91")) == 0xC195


def test_names_are_the_files_and_all_open() -> None:
    assert set(registry.names()) >= {"capnostream", "json", "nonin", "senml", "suntech"}
    assert [driver.name for driver in registry.all_drivers()] == list(registry.names())


def test_an_unknown_driver_is_named_with_its_neighbours() -> None:
    with pytest.raises(registry.UnknownDriverError, match="did you mean nonin"):
        registry.get("nonni")
    with pytest.raises(registry.UnknownDriverError, match="known: ansar, capnostream"):
        registry.get("zzzzzz")
    with pytest.raises(registry.UnknownDriverError):
        registry.get("../contract")


def test_a_driver_from_elsewhere_is_found_but_hides_none_of_ours() -> None:
    ours = registry.get("nonin")
    import msgspec  # noqa: PLC0415

    other = msgspec.structs.replace(ours, name="elsewhere")
    imposter = msgspec.structs.replace(ours, title="imposter")
    assert registry.get("elsewhere", [other]) is other
    assert registry.get("nonin", [imposter]) is ours


class Example(CommonOptions, frozen=True, kw_only=True):
    rate: int = 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rat": 4}, "unknown option 'rat'; did you mean 'rate'"),
        ({"rate": "fast"}, "option 'rate' = 'fast': Expected `int`, got `str`"),
        ({"other": 1}, "known options: rate"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words.replace("(", r"\(")):
        read_options(options, Example)


def test_right_options_are_taken() -> None:
    assert read_options({"rate": 7}, Example).rate == 7


@few
@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_iso_times_agree_with_the_calendar(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert utc_s_of(moment.isoformat(), 0) == moment.timestamp()
    assert utc_s_of(moment.strftime("%Y-%m-%d %H:%M:%S"), 3600) == moment.timestamp() - 3600


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_500, 1_700_000_000.5),
        ("1700000000", 1_700_000_000.0),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20.5+01:00", 1_700_000_000.5),
        ("2023-11-14T20:13:20-0200", 1_700_000_000.0),
        ("2023-11-14 22:13", 1_699_999_980.0),
        ("2023-02-29T00:00:00", None),
        ("2023-13-01T00:00:00", None),
        ("2023-11-14T25:00:00", None),
        ("yesterday", None),
        ("٢٠٢٣-11-14T22:13:20", None),
        (True, None),
        (None, None),
        (-5, None),
        (1e300, None),
        ([], None),
    ],
)
def test_times_as_strangers_write_them(written: object, expected: float | None) -> None:
    assert utc_s_of(written, 0) == expected


def test_a_leap_day_is_a_day() -> None:
    assert days_since_1970(2000, 2, 29) == 11016
    assert days_since_1970(1900, 2, 29) is None
    assert days_since_1970(1970, 1, 1) == 0


def test_units_become_the_metrics_own_or_nothing() -> None:
    assert in_unit(Metric.ETCO2, 5066, "Pa") == 38.0
    assert in_unit(Metric.ETCO2, 5.0, "kPa") == 37.5
    assert in_unit(Metric.NIBP_SYS, 157.32, "hPa") == 118.0
    assert in_unit(Metric.SPO2, 0.97, "/") == 97.0
    assert in_unit(Metric.RESP_RATE, 0.2, "Hz") == 12.0
    assert in_unit(Metric.ETCO2, 5, "%") is None
    assert in_unit(Metric.ETCO2, 5, "") is None


@pytest.mark.hazard("H11")
def test_a_number_outside_what_can_be_has_no_value_but_a_direction() -> None:
    now = Instant(3)
    assert read(Metric.SPO2, 101, now).validity is Validity.OVERFLOW
    assert read(Metric.PULSE_RATE, 0, now).validity is Validity.UNDERFLOW
    assert read(Metric.NIBP_SYS, 240, now).value == 240.0
    assert read(Metric.ETCO2, 0, now).value == 0.0


def test_a_status_word_tells_each_flag_at_its_edges_only() -> None:
    word = StatusWord((Flag(0x03, NoticeKind.SENSOR_OFF), Flag(0x04, "spo2_low", Metric.SPO2)))
    now = Instant(1)
    assert not word.read(0xF8, now)
    assert word.read(0x05, now, "why") == [
        DeviceNotice(NoticeKind.SENSOR_OFF, now, detail="why"),
        DeviceAlarm("spo2_low", now, metric=Metric.SPO2, detail="why"),
    ]
    assert not word.read(0x06, now)
    assert word.read(0x02, now) == [DeviceAlarm("spo2_low", now, False, Metric.SPO2)]
    assert word.read(0x00, now) == [DeviceNotice(NoticeKind.SENSOR_OFF, now, False)]


def test_a_beat_does_not_drift_and_does_not_catch_up() -> None:
    beat = Beat(15)
    beat.start(Instant(0))
    for count in range(15_000):
        due = beat.at
        assert due == count * 1_000_000_000 // 15
        assert due is not None
        assert beat.is_due(due)
    assert beat.is_due(instant_at(5000))
    assert not beat.is_due(instant_at(5000))


def test_a_tape_brings_samples_to_its_own_rate() -> None:
    tape = Tape(20)
    assert tape.take() is None
    tape.put(WaveformSegment(Metric.CO2_WAVE, Instant(0), 40, (0.0, 1.0, 2.0, 3.0)))
    assert [tape.take() for _ in range(3)] == [0.0, 2.0, 2.0]
