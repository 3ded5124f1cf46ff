"""The world itself: a seed means one session, and what the command says about it is enough."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.event import Observation, Validity, WaveformSegment
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import Metric
from simulators import testimony as testimonies
from simulators import world
from simulators.fate import SECONDS_MAX, Blow, draw_fate
from simulators.oracle import Oracle
from simulators.played import Played
from simulators.scene import Breach

ROOT = Path(__file__).parents[2]


def digest_in_another_process(seed: int, hash_seed: str) -> str:
    code = f"from simulators.world import play; print(play({seed}, 150).digest)"
    said = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    return said.stdout.strip()


def test_a_seed_is_the_same_session_in_every_process() -> None:
    digests = {digest_in_another_process(5, hash_seed) for hash_seed in ("1", "2")}
    assert digests == {world.play(5, 150).digest}


@given(st.integers(0, 10**9))
def test_a_fate_is_drawn_whole_and_in_order(seed: int) -> None:
    fate = draw_fate(seed)
    assert fate == draw_fate(seed)
    assert fate.links
    assert 0 < fate.seconds <= SECONDS_MAX
    times = [deed.at_s for deed in fate.deeds]
    assert times == sorted(times)
    assert all(0 <= each <= fate.seconds for each in times)
    assert all(deed.link in {"", *(each.link for each in fate.links)} for deed in fate.deeds)


def test_every_kind_of_blow_is_struck_somewhere() -> None:
    struck = {deed.blow for seed in range(60) for deed in draw_fate(seed).deeds}
    assert struck == set(Blow)


def test_a_broken_law_is_reported_with_all_it_takes_to_repeat_it() -> None:
    breach = Breach("nothing heard was never said", "spo2 12", 7.25)
    told = world.report(Played(seed=31, seconds=99, counts={}, digest="", breach=breach))
    for part in ("seed 31", "7.25", "nothing heard was never said", "spo2 12", "commit "):
        assert part in told
    assert "python -m simulators.world --seed 31" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seeds", "2", "--first", "3", "--jobs", "1", "--seconds", "20"],
        ["--seeds", "3", "--jobs", "2", "--seconds", "10"],
        ["--seed", "3", "--seconds", "20"],
    ],
)
def test_the_command_says_what_befell(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.main(arguments) == 0
    assert "heard" in capsys.readouterr().out


def test_a_broken_law_makes_the_command_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Played(seed=4, seconds=9, counts={}, digest="", breach=Breach("a law", "broken", 1.0))
    monkeypatch.setattr(world, "play", lambda seed, duration_s: broken)  # noqa: ARG005
    assert world.main(["--seed", "4"]) == 1
    assert world.main(["--seeds", "1", "--jobs", "1"]) == 1
    assert "--seed 4" in capsys.readouterr().out


# -- the oracle ------------------------------------------------------------------------------------


def tell(oracle: Oracle, metric: Metric, value: float, second: int, link: str = "box") -> None:
    seen = Observation(metric, value, Validity.VALID, instant_at(second))
    oracle.hear(link, seen, float(second))


@pytest.mark.hazard("H13")
def test_the_oracle_demands_what_has_been_low_for_long_enough() -> None:
    oracle = Oracle()
    for second in range(14):
        tell(oracle, Metric.SPO2, 88.0, second)
        demanded = {each.alarm for each in oracle.demands(float(second))}
        assert demanded == ({"spo2_low"} if second >= 13 else set())


def test_the_oracle_demands_nothing_over_a_gap_or_from_two_devices() -> None:
    gap, two = Oracle(), Oracle()
    for second in (*range(9), *range(14, 23)):
        tell(gap, Metric.SPO2, 80.0, second)
        tell(two, Metric.SPO2, 80.0, second, "box" if second % 2 else "other")
    assert not [each for each in gap.demands(22.0) if not each.is_high]
    assert not two.demands(22.0)


@pytest.mark.hazard("H1")
def test_the_oracle_demands_apnoea_for_a_flat_line_after_breaths() -> None:
    oracle = Oracle()
    for second in range(140):
        breathes = second < 60 and second % 4 < 2
        sample = 38.0 if breathes else 0.3
        wave = WaveformSegment(Metric.CO2_WAVE, instant_at(second), 20.0, (sample,) * 20)
        oracle.hear("cap", wave, float(second))
        demanded = {each.alarm for each in oracle.demands(float(second))}
        assert demanded == ({"apnoea"} if second >= 58 + 43 else set())


# -- the testimony ---------------------------------------------------------------------------------


def test_what_was_told_long_ago_is_no_longer_testimony() -> None:
    fate = next(
        each for seed in range(50) for each in draw_fate(seed).links if each.link == "nonin"
    )
    testimony = testimonies.Testimony([fate])
    told = Observation(Metric.SPO2, 97.0, Validity.VALID, Instant(0))
    testimony.take("nonin", told, 0.0)
    delay_s = 2 * fate.to_host.delay_max / 1e9
    assert not testimony.doubt("nonin", told, 4.9 + delay_s)
    assert testimony.doubt("nonin", told, 5.1 + delay_s)
    other = Observation(Metric.SPO2, 96.0, Validity.VALID, Instant(0))
    assert "97" in testimony.doubt("nonin", other, 1.0)
