"""The waveform's own rate and EtCO2: judged where no device says them, else only a witness."""

from itertools import pairwise
from math import sin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.derived import NOTE
from monitor.model.alarm import Change
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, Score, capnogram


def waving(score: Score, start: int, end: int, per_minute: float, peak: float = 38.0) -> None:
    """Hear a plain capnogram at 20 Hz."""
    score.wave(start, end, capnogram(20.0, per_minute, peak)[: (end - start) * 20], 20.0)


@settings(max_examples=20)
@given(st.integers(10, 26), st.integers(28, 48))
def test_plain_breathing_on_a_waveform_alone_is_silent(per_minute: int, peak: int) -> None:
    score = Score()
    waving(score, 0, 200, per_minute, peak)
    assert score.lines() == []


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(
    ("per_minute", "peak", "alarm"),
    [
        (5, 38, "resp_rate_low"),
        (36, 38, "resp_rate_high"),
        (14, 56, "etco2_high"),
        (14, 18, "etco2_low"),
    ],
)
def test_a_waveform_alone_is_judged_by_the_limits_and_says_where_it_is_from(
    per_minute: float, peak: float, alarm: str
) -> None:
    score = Score()
    waving(score, 0, 60, 14)
    waving(score, 60, 180, per_minute, peak)
    told = score.first(alarm, Change.PRESENT)
    assert told.reason.endswith("; from the CO2 waveform")
    assert told.at / 1e9 <= 60 + 60
    assert set(score.standing()) == {alarm}


@pytest.mark.hazard("H1")
def test_when_breathing_stops_the_apnoea_speaks_and_nothing_is_called_missing() -> None:
    score = Score()
    waving(score, 0, 60, 14)
    score.wave(60, 160, [0.0] * 2000, 20.0)
    assert [alarm for _, alarm, _, _ in score.lines()] == ["apnoea"]
    assert 85 <= score.lines()[0][0] <= 90


@pytest.mark.hazard("H3")
def test_a_waveform_that_stops_coming_is_missed_like_any_number() -> None:
    score = Score()
    waving(score, 0, 60, 14)
    score.wait(95)
    assert {alarm for _, alarm, _, _ in score.lines()} == {"no_data_resp_rate", "no_data_etco2"}
    assert min(at for at, *_ in score.lines()) <= 91


@pytest.mark.hazard("H3")
def test_a_slow_rate_is_held_when_the_waveform_is_lost_and_never_ended_by_that() -> None:
    score = Score()
    waving(score, 0, 120, 5)
    score.wait(200)
    assert [change for _, change in score.changes("resp_rate_low")] == ["present", "held"]


def test_numbers_a_device_does_not_say_are_not_said_by_the_waveform() -> None:
    score = Score()
    waving(score, 0, 60, 5)
    assert "resp_rate_low" in score.standing()
    other = Score()
    wave = iter(capnogram(20.0, 5))
    for second in range(60):
        other.see(second, resp_rate=None, etco2=None)
        other.wave(second, second + 1, wave, 20.0)
    assert "resp_rate_low" not in other.standing()
    for metric in (Metric.RESP_RATE, Metric.ETCO2):
        channel = other.system.channel_of(metric)
        assert channel is not None
        assert channel.value is None


def test_a_waveform_during_an_auto_zero_that_the_device_names_is_not_judged() -> None:
    score = Score()
    waving(score, 0, 60, 14)
    score.notice(NoticeKind.AUTO_ZERO, 60)
    waving(score, 60, 90, 14, 56)
    assert score.lines() == []


def test_once_a_device_speaks_the_waveform_only_testifies() -> None:
    score = Score()
    waving(score, 0, 120, 5)
    wave = iter(capnogram(20.0, 5))
    for second in range(120, 240):
        score.see(second, resp_rate=14, etco2=38)
        score.wave(second, second + 1, wave, 20.0)
    assert score.changes("resp_rate_low")[-1][1] == "ended"
    told = score.first("sources_differ_resp_rate", Change.PRESENT)
    assert "waveform" in told.reason
    score.run(240, 260, resp_rate=5, etco2=38)
    assert NOTE not in [each for each in score.told if each.alarm == "resp_rate_low"][-1].reason


@settings(max_examples=15)
@given(st.integers(9, 28), st.integers(-5, 5))
def test_a_device_that_agrees_is_never_contradicted(per_minute: int, off: int) -> None:
    score = Score()
    wave = iter(capnogram(20.0, per_minute))
    for second in range(150):
        score.see(second, resp_rate=per_minute + off * 0.8, etco2=38 + sin(second))
        score.wave(second, second + 1, wave, 20.0)
    assert "sources_differ_resp_rate" not in score.standing()
    assert "sources_differ_etco2" not in score.standing()


def test_the_waveform_says_its_numbers_once_a_second_however_it_is_cut() -> None:
    score = Score()
    samples, said = capnogram(20.0, 14), set()
    for number in range(4 * 60):
        at = 0.25 * (number + 1)
        piece = tuple(samples[5 * number : 5 * number + 5])
        score.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(at), 20.0, piece), at)
        channel = score.system.channel_of(Metric.RESP_RATE)
        assert channel is not None
        if channel.valid_at is not None:
            said.add(channel.valid_at)
    assert len(said) > 40
    assert {after - before for before, after in pairwise(sorted(said))} == {seconds(1)}


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("length_s", [1, 2, 4])
def test_a_budget_is_spent_as_fast_however_long_the_pieces_of_the_waveform_are(
    length_s: int,
) -> None:
    plain = next(each for each in LIMITS.limits if each.alarm == "resp_rate_low")
    rule = msgspec.structs.replace(plain, delay=seconds(300), budget=100.0)
    score, samples = Score(msgspec.structs.replace(LIMITS, limits=(rule,))), capnogram(20.0, 5)
    for end in range(length_s, 120, length_s):
        at = end - 0.05
        piece = tuple(samples[20 * (end - length_s) : 20 * end])
        score.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(at), 20.0, piece), at)
    ((told_at, _),) = score.changes("resp_rate_low")
    assert 64 < told_at <= 64 + length_s


@pytest.mark.hazard("H3")
def test_a_slow_rate_is_held_while_the_waveform_shows_no_rate_at_all() -> None:
    score = Score()
    waving(score, 0, 120, 5)
    assert [change for _, change in score.changes("resp_rate_low")] == ["present"]
    score.wave(120, 160, [0.0] * 800, 20.0)
    assert [change for _, change in score.changes("resp_rate_low")] == ["present", "held"]
