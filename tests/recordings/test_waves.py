"""Waveform samples in tables."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.event import WaveformSegment
from monitor.model.instant import NS_PER_S, Instant, instant_at
from monitor.model.metric import Metric
from monitor.recordings.waves import SEGMENT_NS_MAX, WaveGatherer
from tests.recordings.writing import read

RATES = (20.0, 25.0, 62.5, 75.0, 100.0, 125.0, 250.0)


def gathered(times: list[int]) -> list[tuple[int, float, tuple[float | None, ...]]]:
    gatherer = WaveGatherer(Metric.CO2_WAVE)
    segments = [s for n, at in enumerate(times) for s in gatherer.add(Instant(at), float(n))]
    segments += gatherer.flush()
    return [(s.at, s.rate_hz, s.samples) for s in segments]


@settings(max_examples=80)
@given(
    st.sampled_from(RATES),
    st.lists(st.tuples(st.integers(3, 400), st.integers(3, 50)), min_size=1, max_size=6),
)
def test_every_sample_is_told_once_in_order_at_its_own_time(
    rate: float, stretches: list[tuple[int, int]]
) -> None:
    times: list[int] = []
    at = 0.0
    for count, gap in stretches:
        for _ in range(count):
            times.append(round(at * NS_PER_S))
            at += 1 / rate
        at += gap / rate
    told: list[float | None] = []
    for end, rate_hz, samples in gathered(times):
        assert rate_hz == pytest.approx(rate, rel=0.002)
        assert len(samples) <= rate_hz + 1
        for back, value in enumerate(reversed(samples)):
            assert value is not None
            claimed = end - back * NS_PER_S / rate_hz
            assert abs(claimed - times[int(value)]) < 0.5 * NS_PER_S / rate
        told += samples
    assert told == [float(n) for n in range(len(times))]


def test_a_segment_spans_at_most_a_second() -> None:
    for end, rate_hz, samples in gathered([n * 8_000_000 for n in range(1000)]):
        assert (len(samples) - 1) / rate_hz * NS_PER_S < SEGMENT_NS_MAX
        assert end >= 0


def test_a_segment_is_told_with_its_last_sample_not_after_it() -> None:
    gatherer = WaveGatherer(Metric.CO2_WAVE)
    told = [
        (at, segment.at)
        for n in range(500)
        for at in [n * 8_000_000]
        for segment in gatherer.add(Instant(at), 1.0)
    ]
    assert len(told) >= 3
    assert all(at == end for at, end in told[1:])


def test_times_rounded_more_coarsely_than_the_rate_lose_no_sample() -> None:
    times = [round(n * 0.8) * 10_000_000 for n in range(2000)]
    assert any(a == b for a, b in pairwise(times))
    segments = gathered(times)
    assert sum(len(samples) for _, _, samples in segments) == 2000
    # A rounding of 10 ms leaves a doubt of one part in a hundred in a second.
    assert all(rate == pytest.approx(125, rel=0.01) for _, rate, _ in segments)


def test_a_change_of_rate_is_learned() -> None:
    times = [n * 8_000_000 for n in range(500)]
    times += [times[-1] + n * 40_000_000 for n in range(1, 200)]
    assert gathered(times)[-2][1] == 25.0


def test_samples_that_stand_alone_are_counted_not_shown() -> None:
    heard = read("time_s,spo2,co2_wave\n0,97,1\n50,97,2\n100,97,3\n")
    assert not heard.segments
    assert any(
        "co2_wave: 3 samples have no rate and make no waveform" in note for note in heard.notes
    )


def test_the_first_sample_of_one_a_second_is_no_news_and_a_lone_one_is_one() -> None:
    rows = "".join(f"{n},{n % 40}\n" for n in range(60))
    heard = read(f"time_s,co2_wave\n{rows}")
    assert sum(len(segment.samples) for segment in heard.segments) == 59
    assert heard.notes == ()
    (note,) = read("time_s,spo2,co2_wave\n0,97,1\n50,97,\n").notes
    assert note == "co2_wave: 1 sample has no rate and makes no waveform"


@settings(max_examples=200)
@given(st.lists(st.integers(0, 3_000_000_000), max_size=30), st.booleans())
def test_any_spacing_of_samples_is_survived(steps: list[int], fine: bool) -> None:  # noqa: FBT001
    at = 0
    times = [at := at + (step // 1_000_000 if fine else step) for step in steps]
    segments = gathered(times)
    assert sum(len(samples) for _, _, samples in segments) <= len(times)
    assert [end for end, _, _ in segments] == sorted(end for end, _, _ in segments)


@pytest.mark.parametrize(
    ("header", "metric"),
    [
        ('"CO2 mmHg, Waveform"', Metric.CO2_WAVE),
        ("co2_wave", Metric.CO2_WAVE),
        ("CO2 wave (mmHg)", Metric.CO2_WAVE),
        ("PLETH", Metric.PLETH),
    ],
)
def test_a_header_that_names_a_waveform_is_one(header: str, metric: Metric) -> None:
    rows = "".join(f"{n * 0.008:.3f},{n % 40}\n" for n in range(300))
    heard = read(f"Time / s,{header}\n{rows}")
    assert {segment.metric for segment in heard.segments} == {metric}
    assert {segment.rate_hz for segment in heard.segments} == {125.0}
    assert [value for s in heard.segments for value in s.samples] == [n % 40 for n in range(300)]


def test_a_numerics_name_over_fast_samples_is_not_believed() -> None:
    rows = "".join(f"{n * 0.008:.3f},{n % 40},97\n" for n in range(300))
    heard = read(f"Time [s],RESP,PLETH\n{rows}")
    assert not heard.observations
    assert any("RESP is ignored: 125 values a second are a waveform" in n for n in heard.notes)


def test_numerics_and_a_waveform_share_a_long_file() -> None:
    rows = [(n * 0.05, f"co2_wave,{n % 40}") for n in range(100)]
    rows += [(float(n), f"spo2,{90 + n}") for n in range(5)]
    text = "".join(f"{at:.2f},{what}\n" for at, what in sorted(rows))
    heard = read("time_s,metric,value\n" + text)
    assert heard.of(Metric.SPO2) == [(float(n), 90.0 + n) for n in range(5)]
    assert sum(len(s.samples) for s in heard.segments) == 100
    assert {s.rate_hz for s in heard.segments} == {20.0}


@pytest.mark.parametrize("step_s", [0.8, 1.0, 2.0])
def test_one_sample_a_second_is_told_at_once_and_each_at_its_own_time(step_s: float) -> None:
    gatherer = WaveGatherer(Metric.CO2_WAVE)
    told: list[WaveformSegment] = []
    for count in range(10):
        at = instant_at(count * step_s)
        segments = gatherer.add(at, float(count))
        assert all(segment.at == at for segment in segments), "nothing of the past, nothing late"
        told += segments
    assert [segment.samples for segment in told] == [(float(count),) for count in range(1, 10)]
    assert {segment.rate_hz for segment in told} == {round(1 / step_s, 6)}
    assert gatherer.lone == 0, "the first shows the rate to the second and is not missed"


def test_a_slow_waveform_goes_on_after_a_gap() -> None:
    gatherer = WaveGatherer(Metric.CO2_WAVE)
    times = [0, 1, 2, 30, 31]
    told = [segment.at for s in times for segment in gatherer.add(instant_at(s), 5.0)]
    assert told == [instant_at(s) for s in (1, 2, 30, 31)]
