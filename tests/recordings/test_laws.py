"""What must hold for every recording, whatever it holds."""

import bz2
import gzip
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.model.errors import RecordingError
from monitor.model.event import WITH_VALUE, Observation, Validity
from monitor.model.instant import NS_PER_S, Instant
from monitor.model.metric import DESCRIPTORS, Metric, describe
from monitor.recordings.moment import is_episodic
from monitor.recordings.order import LEAP_NS
from tests.recordings.writing import Read, long_csv, read, wide_csv

NUMERICS = sorted(metric for metric in Metric if not DESCRIPTORS[metric].is_wave)
FEW = settings(max_examples=60)

# Steps of at least 0.3 s keep a wide column below the rate at which it must be a waveform.
steps = st.integers(min_value=300_000_000, max_value=LEAP_NS // 2)
metric_sets = st.lists(st.sampled_from(NUMERICS), min_size=1, max_size=5, unique=True)


def value_of(metric: Metric) -> st.SearchStrategy[float]:
    facts = describe(metric)
    return st.floats(facts.technical_low, facts.technical_high).map(lambda value: round(value, 3))


@st.composite
def wide_rows(draw: st.DrawFn) -> tuple[list[Metric], dict[Instant, dict[Metric, float]]]:
    metrics = draw(metric_sets)
    at = Instant(0)
    rows: dict[Instant, dict[Metric, float]] = {}
    for step in draw(st.lists(steps, min_size=1, max_size=12)):
        rows[at] = {metric: draw(value_of(metric)) for metric in metrics if draw(st.integers(0, 3))}
        at = Instant(at + step)
    # A file of blank cuff readings says nothing at all: that is refused, and another law's matter.
    assume(any(rows.values()) or not all(map(is_episodic, metrics)))
    return metrics, rows


@st.composite
def observation_streams(draw: st.DrawFn) -> list[Observation]:
    at = Instant(0)
    stream: list[Observation] = []
    for step in draw(st.lists(st.one_of(st.just(0), steps), min_size=1, max_size=25)):
        at = Instant(at + (step if stream else 0))
        metric = draw(st.sampled_from(NUMERICS))
        validity = draw(st.sampled_from(sorted(Validity)))
        value = draw(value_of(metric)) if validity in WITH_VALUE else None
        taken = draw(st.one_of(st.none(), st.integers(-5 * NS_PER_S, at))) if at else None
        stream.append(
            Observation(metric, value, validity, at, None if taken is None else Instant(taken))
        )
    return stream


@FEW
@given(wide_rows())
def test_a_wide_recording_says_what_was_written_at_the_time_it_was_written(
    written: tuple[list[Metric], dict[Instant, dict[Metric, float]]],
) -> None:
    metrics, rows = written
    heard = read(wide_csv(metrics, rows))
    assert [at for at, _ in heard.moments] == list(rows)
    for (_, events), values in zip(heard.moments, rows.values(), strict=True):
        expected = {
            metric: values.get(metric)
            for metric in metrics
            if metric in values or not is_episodic(metric)
        }
        assert {e.metric: e.value for e in events if isinstance(e, Observation)} == expected


@FEW
@given(observation_streams(), st.integers(min_value=0, max_value=10**15))
def test_a_long_recording_says_what_was_written_at_the_time_it_was_written(
    stream: list[Observation], zero_ns: int
) -> None:
    # Seconds as a float hold nine decimals only up to some days: whole microseconds do.
    zero_ns -= zero_ns % 1000
    heard = read(long_csv(stream, zero_ns))
    assert [(o.metric, o.value, o.validity) for o in heard.observations] == [
        (o.metric, o.value, o.validity) for o in stream
    ]
    for said, meant in zip(heard.observations, stream, strict=True):
        assert abs(said.at - meant.at) <= 200
        assert (said.taken is None) == (meant.taken is None)
        assert abs((said.taken or 0) - (meant.taken or 0)) <= 200


@FEW
@given(observation_streams())
def test_a_recording_written_channel_by_channel_is_heard_in_time_order(
    stream: list[Observation],
) -> None:
    by_channel = sorted(stream, key=lambda o: (str(o.metric), o.at))
    whole = read(long_csv(by_channel))
    assert sorted(map(repr, whole.observations)) == sorted(map(repr, stream))
    assert not whole.rejected


@FEW
@given(wide_rows(), st.data())
def test_a_row_that_goes_back_in_time_costs_itself_and_nothing_else(
    written: tuple[list[Metric], dict[Instant, dict[Metric, float]]], data: st.DataObject
) -> None:
    lines = wide_csv(*written).splitlines()
    times = list(written[1])
    place = data.draw(st.integers(1, len(times)))
    if times[place - 1] == 0:
        return
    back = data.draw(st.integers(0, times[place - 1] // 1_000_000 - 1)) / 1000
    intruder = f"{back}," + ",".join("50" for _ in written[0])
    torn = [*lines[: place + 1], intruder, *lines[place + 1 :]]
    plain, disturbed = read("\n".join(lines)), read("\n".join(torn))
    assert disturbed.observations == plain.observations
    assert len(disturbed.rejected) == 1
    assert f"line {place + 2}:" in disturbed.rejected[0]
    assert any("backwards" in note for note in disturbed.notes)


def _bytes_are_read_alike(content: bytes) -> Read:
    plain = read(content)
    for packed in (gzip.compress(content), bz2.compress(content)):
        again = read(packed, name="recording")
        assert again.moments == plain.moments
    return plain


@settings(max_examples=15)
@given(wide_rows())
def test_packing_and_line_ends_change_nothing(
    written: tuple[list[Metric], Mapping[Instant, Mapping[Metric, float]]],
) -> None:
    text = wide_csv(*written)
    plain = _bytes_are_read_alike(text.encode())
    for other in (text.replace("\n", "\r\n"), text.rstrip("\n"), "\ufeff" + text):
        assert read(other).moments == plain.moments
    assert read(text.encode("utf-16")).moments == plain.moments


LONG = (
    b"time_s,metric,value,state,taken_s\n0,spo2,97,valid,\n0,hr,80,valid,\n1,spo2,,valid,\n"
    b"1,nibp_sys,120,valid,0.5\n2,co2_wave,12,valid,\n2.05,co2_wave,13,valid,\n3,map,-2,valid,\n"
)
WIDE = (
    b"Time, spo2 (%), PULSE, etco2 [kPa], auto_zero, PLETH\n10:00:00,97,80,5.1,0,3\n"
    b'10:00:01,"96",--,5.0,1,4\n10:00:02,0,81,NaN,0,5\n23:59:59,1,1,1,1,1\n'
)
GOOD = (
    LONG,
    WIDE,
    b"Time;spo2;temp\r\n1/02/2000 9:00:00;97,5;36,6\r\n1/02/2000 9:00:00;98;\r\n2/02/2000;1;1",
)
edits = st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=6))


@settings(max_examples=300)
@given(st.sampled_from(GOOD), st.lists(edits, max_size=8))
def test_whatever_is_in_a_file_it_is_read_within_limits_or_refused_by_name(
    content: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    for where, removed, inserted in changes:
        place = int(where * len(content))
        content = content[:place] + inserted + content[place + removed :]
    try:
        heard = read(content)
    except RecordingError as error:
        assert "r.csv" in str(error)  # noqa: PT017  (a refusal is one of two right answers)
        return
    for observation in heard.observations:
        facts = describe(observation.metric)
        if observation.value is not None:
            assert facts.technical_low <= observation.value <= facts.technical_high
    for segment in heard.segments:
        assert segment.samples
        assert segment.rate_hz > 0


@settings(max_examples=100)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_are_no_more_than_a_named_error(content: bytes) -> None:
    with pytest.raises(RecordingError):
        read(content)


@FEW
@given(observation_streams())
def test_a_recording_read_twice_says_the_same_twice(stream: list[Observation]) -> None:
    first, second = read(long_csv(stream)), read(long_csv(stream))
    assert first.moments == second.moments
    assert first.notes == second.notes


TIMES = ("0", "1", "2.5", "soon", "2.4.2020", "", "1615766223000", "20210314235703", "Mar 14, 21")
CELLS = ("97", "", "-", "x", "<NA>", "ok", "255", "0", "120/80")
STATES = ("valid", "ok", "1", "0", "", "good", "doubtful", "invalid", "VALID")
HEADERS = ("time_s,spo2,nibp_sys", "timestamp,co2_wave,co2_na", "time_s,metric,value,state")
table_rows = st.tuples(*map(st.sampled_from, (TIMES, CELLS, CELLS, STATES)))


@settings(max_examples=300)
@given(st.sampled_from(HEADERS), st.lists(table_rows, max_size=8), st.sampled_from(["spo2", "spo"]))
def test_a_recording_of_which_no_value_was_read_says_why(
    header: str, rows: list[tuple[str, ...]], name: str
) -> None:
    is_long = header.endswith("state")
    lines = [(at, name, cell, state) if is_long else (at, cell, b) for at, cell, b, state in rows]
    try:
        heard = read("\n".join([header, *(",".join(line) for line in lines)]) + "\n")
    except RecordingError as error:
        assert "r.csv: " in str(error)  # noqa: PT017  (a refusal is one of two right answers)
        return
    if not heard.segments and all(each.value is None for each in heard.observations):
        assert heard.notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "timestamp,spo2\n25:61:00,97\n25:62:00,98\n",
            "'timestamp' as a clock, line 2: 25:61:00 is not",
        ),
        ("time_s,spo2\n5e9,97\n6e9,98\n", "'time_s'.*5e9.*write seconds, milliseconds since"),
        ("time_s,metric,value\n5e9,spo2,97\n", "no row has a readable time.*line 2.*5e9"),
        ("time_s,nibp_sys\n0,\n1,\n", "nothing was read from its rows: no cell holds a value"),
        ("time_s,spo2\n0\n1\n", "nothing was read.*too few columns"),
    ],
)
def test_a_file_of_which_nothing_was_read_is_an_error_that_says_why(text: str, said: str) -> None:
    with pytest.raises(RecordingError, match=said):
        read(text)
