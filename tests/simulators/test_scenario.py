"""Courses: the shipped ones are sound, and a wrong file is refused with its key."""

import pytest

from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.model.session import Phase
from simulators.scenario import Scenario, load, names, read

HEAD = 'title = "T"\ndescription = "D"\nlength_s = 100\n'
SHIPPED = names()


def test_the_seven_courses_ship() -> None:
    assert set(SHIPPED) == {
        "quiet",
        "hypertensive-peak",
        "slow-apnoea",
        "cannula-off",
        "probe-off",
        "cuff-on-probe-arm",
        "cable-pulled",
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_course_is_a_whole_sitting(name: str) -> None:
    scenario = load(name)
    assert scenario.name == name
    assert scenario.title
    assert scenario.description.endswith(".")
    assert 75 * 60 <= scenario.length_s <= 120 * 60
    assert scenario.dose is not None
    assert scenario.dose.mg_per_kg == 0.5
    assert scenario.dose.over_s == 2400
    assert [entry.phase for entry in scenario.phases] == [
        Phase.BASELINE,
        Phase.INFUSING,
        Phase.OBSERVATION,
        Phase.READY,
    ]
    assert scenario.phase(299) is Phase.BASELINE
    assert scenario.phase(300) is Phase.INFUSING
    assert scenario.phase(2700) is Phase.OBSERVATION


@pytest.mark.parametrize("name", SHIPPED)
def test_a_live_demo_begins_within_a_minute_of_what_the_course_is_about(name: str) -> None:
    scenario = load(name)
    begins = [event.at_s for event in scenario.events]
    begins += [scenario.cuff.first_s + n * scenario.cuff.every_s for n in range(15)]
    assert any(-15 <= at_s - scenario.fast_forward_s <= 45 for at_s in begins)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_expectation_lies_after_its_cause(name: str) -> None:
    scenario = load(name)
    earliest = min([event.at_s for event in scenario.events], default=scenario.phases[1].at_s)
    for expected in scenario.expected:
        assert earliest <= expected.from_s < expected.to_s <= scenario.length_s


def test_the_infused_dose_is_the_whole_dose() -> None:
    scenario = load("hypertensive-peak")
    infused = sum(scenario.rate_mg_min(s) / 60 for s in range(int(scenario.length_s)))
    assert infused == pytest.approx(scenario.dose_mg)
    assert scenario.dose_mg == pytest.approx(41)


def test_a_pulled_cable_cuts_only_devices_that_carry_its_metric() -> None:
    scenario = load("cable-pulled")
    assert scenario.cut({Metric.SPO2, Metric.PLETH}, 1530)
    assert not scenario.cut({Metric.SPO2}, 1499)
    assert not scenario.cut({Metric.SPO2}, 1560)
    assert not scenario.cut({Metric.NIBP_SYS}, 1530)


def test_expectations_know_patterns() -> None:
    scenario = load("cable-pulled")
    assert scenario.expects("link_oximeter")
    assert scenario.expects("no_data_spo2")
    assert not scenario.expects("spo2_low")
    assert not load("quiet").expects("spo2_low")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("length_s =", "Invalid"),
        (HEAD + "weight = 3", "unknown field `weight`"),
        (HEAD + '[patient]\nsys = "high"', r"patient\.sys: Expected `float"),
        (HEAD + "[patient]\nsys = 400", r"patient\.sys: Expected `float` <= 220"),
        (HEAD + "[patient]\nsys = nan", r"patient\.sys"),
        (HEAD + '[[events]]\nkind = "stroke"\nat_s = 1\nuntil_s = 2', r"events\[0\]\.kind"),
        (HEAD + '[[events]]\nkind = "apnoea"\nat_s = 1', r"events\[0\]: .*`until_s`"),
        (HEAD + '[[events]]\nkind = "apnoea"\nat_s = 5\nuntil_s = 5', r"events\[0\]: ends at 5"),
        (HEAD + '[[events]]\nkind = "apnoea"\nat_s = 5\nuntil_s = 500', r"events\[0\] end: 500"),
        (HEAD + '[[events]]\nkind = "apnoea"\nat_s = -5\nuntil_s = 5', r"events\[0\]\.at_s"),
        (HEAD + "fast_forward_s = 101", r"fast_forward_s: 101.* at most length_s"),
        (HEAD + "length_s = 5", "overwrite"),
        (HEAD + "[cuff]\nevery_s = 20", r"cuff\.every_s: 20.* exceed inflated_s"),
        (HEAD + "[[expected]]\nany_of = []\nfrom_s = 1\nto_s = 2", r"expected\[0\]\.any_of"),
        (HEAD + '[[expected]]\nany_of = ["a"]\nfrom_s = 3\nto_s = 2', r"expected\[0\]: ends at 2"),
        (
            HEAD + '[[phases]]\nphase="baseline"\nat_s=9\n[[phases]]\nphase="infusing"\nat_s=3',
            "phases: at_s runs backwards",
        ),
        (HEAD + '[[phases]]\nphase = "asleep"\nat_s = 9', r"phases\[0\]\.phase"),
        ('title = "T"\ndescription = "D"\nlength_s = inf', "length_s"),
    ],
)
def test_a_wrong_course_is_refused_by_file_and_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"^ward/odd\.toml: .*{said}"):
        read(text, "ward/odd.toml")


def test_an_unknown_course_is_refused_with_the_names_of_the_known() -> None:
    with pytest.raises(ConfigError, match="'calm' is unknown; there are: cable-pulled"):
        load("calm")
    with pytest.raises(ConfigError, match="is unknown"):
        load("../scenario")


def test_the_least_course_is_a_patient_left_alone() -> None:
    scenario = read(HEAD, "least.toml")
    assert isinstance(scenario, Scenario)
    assert scenario.name == "least"
    assert scenario.dose_mg == 0
    assert scenario.rate_mg_min(50) == 0
    assert scenario.phase(50) is Phase.SETUP
