"""Every shipped course, headless on virtual time: what must be said is said, and nothing else."""

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from drivers.registry import get
from monitor.model.metric import NIBP, Metric
from simulators.bed import POSTS, posts_of
from simulators.scenario import Scenario, load, names
from tests.e2e.commands import Said, vigil

AFTERWARDS_S = 300.0
"""After the last thing expected, a course is followed on for so long: false alarms come late."""


def _followed_s(scenario: Scenario) -> float:
    """Return how far a course is played; one that expects nothing is played whole."""
    if not scenario.expected:
        return scenario.length_s
    return min(scenario.length_s, max(each.to_s for each in scenario.expected) + AFTERWARDS_S)


def _play(name: str) -> Said:
    until = f"{_followed_s(load(name)):.0f}"
    return vigil("demo", "--headless", "--speed", "max", "--scenario", name, "--for", until)


_played = cache(_play)


@pytest.mark.parametrize("name", names())
def test_a_course_brings_the_alarms_it_must_and_no_other(name: str) -> None:
    scenario, said = load(name), _played(name)
    assert said.code == 0, said.err
    begun = [(str(line["alarm"]), float(str(line["t_s"]))) for line in said.presented()]
    for each in scenario.expected:
        assert any(
            fnmatchcase(alarm, pattern) and each.from_s <= at_s <= each.to_s
            for alarm, at_s in begun
            for pattern in each.any_of
        ), f"none of {each.any_of} within {each.from_s:g}-{each.to_s:g} s: {begun}"
    assert [each for each in begun if not scenario.expects(each[0])] == []


def test_the_same_course_twice_is_the_same_to_the_last_byte() -> None:
    name = "slow-apnoea"
    again = _play(name)
    assert again.out == _played(name).out
    assert len(str(again.summary["digest"])) == 64


@pytest.mark.hazard("H21")
def test_a_demonstration_says_that_it_is_one_wherever_it_speaks(tmp_path: Path) -> None:
    arguments = ("--headless", "--speed", "max", "--scenario", "quiet", "--for", "60")
    said = vigil("demo", *arguments, "--chairs", "2", "--record", tmp_path)
    assert said.code == 0, said.err
    assert said.err.startswith("SIMULATED. Vigil is not a medical device.")
    assert said.summary["mode"] == "demo"
    listed = vigil("sessions", tmp_path, "--json")
    assert {line["mode"] for line in listed.lines} == {"demo"}
    assert {line["chair"] for line in listed.lines} == {"1", "2"}


def test_the_record_of_a_course_holds_and_follows_again(tmp_path: Path) -> None:
    arguments = ("--headless", "--speed", "max", "--scenario", "hypertensive-peak", "--for", "960")
    said = vigil("demo", *arguments, "--record", tmp_path)
    assert said.presented("nibp_sys_high"), said.out
    (line,) = vigil("sessions", tmp_path, "--json").lines
    proof = vigil("verify", str(line["file"]))
    assert proof.code == 0, proof.out
    assert "conclusions follow again" in proof.out


def test_another_seed_is_another_patient() -> None:
    arguments = ("demo", "--headless", "--speed", "max", "--scenario", "cannula-off", "--for")
    digests = [vigil(*arguments, "1560", "--seed", seed).summary["digest"] for seed in ("1", "2")]
    assert digests[0] != digests[1]


def test_six_chairs_have_six_sets_of_devices_and_all_notice_the_apnoea(tmp_path: Path) -> None:
    arguments = ("--headless", "--speed", "max", "--scenario", "slow-apnoea", "--for", "1640")
    said = vigil("demo", *arguments, "--chairs", "6", "--record", tmp_path)
    assert said.code == 0, said.err
    scenario = load("slow-apnoea")
    for chair in map(str, range(1, 7)):
        begun = {str(line["alarm"]) for line in said.presented() if line["chair"] == chair}
        assert {"apnoea", "spo2_low"} <= begun, chair
        strange = [alarm for alarm in begun if not scenario.expects(alarm)]
        assert strange == [], chair
    drivers = {chair: {post.driver for post in posts_of(chair)} for chair in range(1, 7)}
    assert len(set.union(*drivers.values())) >= 12
    assert len({frozenset(each) for each in drivers.values()}) == 6


def test_every_set_of_devices_covers_saturation_breathing_and_cuff() -> None:
    for chair in range(1, 7):
        covered = {
            metric for post in posts_of(chair) for metric in post.metrics & get(post.driver).metrics
        }
        assert {Metric.SPO2, Metric.PULSE_RATE, Metric.RESP_RATE, Metric.ETCO2, *NIBP} <= covered
    assert posts_of(7) == posts_of(1) == POSTS


@pytest.mark.parametrize(
    ("wish", "names_it"),
    [
        (("--scenario", "slow-apnea"), "slow-apnoea"),
        (("--headless", "--speed", "fast"), '--speed: "fast"'),
        (("--speed", "max"), "add --headless"),
        (("--chairs", "99"), "--chairs: 99"),
    ],
)
def test_a_wish_that_cannot_be_is_named(wish: tuple[str, ...], names_it: str) -> None:
    said = vigil("demo", *wish)
    assert (said.code, said.out) == (2, "")
    assert names_it in said.err
