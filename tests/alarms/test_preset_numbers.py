"""Each number of a preset has bounds: both ends are accepted, whatever is beyond is refused."""

import re
from typing import Final

import msgspec
import pytest

from alarms import toml
from alarms.limits import read_preset
from alarms.reading import Provenance, read_limits
from alarms.rules import BaselineRules, LimitSet
from monitor.model.errors import ConfigError
from monitor.model.instant import seconds
from monitor.model.session import Phase
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT, Score

COUNTS: Final = """budget = 50
violations_max = 3
severe = 85
"""
"""What the shipped preset leaves out of a limit, before the severe band."""
TEXT: Final = (PRESET_TEXT + PATTERNS).replace("severe = 85\n", COUNTS, 1).replace(
    'provenance = { limit = "adult default of common monitors is 90;',
    'provenance = { budget = "test", violations_max = "test", limit = "90 is common;', 1,
)  # fmt: skip

PRESSURES: Final = "expected one of nibp_sys, nibp_dia, nibp_mean: a baseline is of pressures"
NO_VALUE: Final = "leave no value that is inside both by the hysteresis; expected low below high by"

BOUNDS: Final = (
    ("baseline", "readings_min", 2, 6),
    ("baseline", "within_s", 60, 1800),
    ("doubt", "frozen_after_s", 60, 1800),
    ("doubt", "rates_differ", 5, 60),
    ("doubt", "differ_for_s", 5, 20),
    ("doubt", "unit_for_s", 5, 30),
    ("doubt", "cuff_s_max", 0, 60),
    ("doubt", "cuff_after_s", 0, 20),
    ("doubt", "perfusion_min", 0, 2),
    ("doubt", "sources_differ_for_s", 10, 120),
    ("doubt", "steps_per_minute", 2, 60),
    ("cuff_due", "infusing_min", 1, 240),
    ("cuff_due", "grace_s", 0, 300),
    ("relative.nibp_sys_above_baseline", "percent", 5, 100),
    ("relative.nibp_sys_above_baseline", "delay_s", 0, 0),
    ("relative.nibp_sys_above_baseline", "clear_for_s", 0, 0),
    ("relative.nibp_sys_above_baseline", "hysteresis", 0, 30),
    ("relative.nibp_sys_above_baseline", "acknowledge_envelope", 0, 60),
    ("relative.nibp_sys_outlier", "amount", 5, 100),
    ("pattern.hypoventilation", "delay_s", 0, 20),
    ("pattern.hypoventilation", "clear_for_s", 0, 120),
    ("pattern.blind_and_low", "delay_s", 0, 5),
    ("limits.spo2.low", "delay_s", 0, 20),
    ("limits.spo2.low", "severe_delay_s", 0, 5),
    ("limits.spo2.low", "clear_for_s", 0, 60),
    ("limits.spo2.low", "acknowledge_envelope", 0, 100),
    ("limits.spo2.low", "budget", 1, 1000),
    ("limits.spo2.low", "violations_max", 2, 30),
    ("limits.nibp_sys.low", "delay_s", 0, 0),
    ("limits.nibp_dia.high", "delay_s", 0, 0),
    ("limits.temp.low", "delay_s", 0, 30),
    ("limits.temp.high", "acknowledge_envelope", 0, 50),
)


def read(section: str, key: str, value: float) -> LimitSet:
    """Return what is read with one number changed."""
    head = re.escape(f"\n[{section}]\n")
    before = rf"({head}(?:(?!\n\[).)*?\n|{head})"
    line = re.compile(rf"{before}{key} = [^\n]*\n", re.DOTALL)
    text, count = line.subn(rf"\g<1>{key} = {value}\n", TEXT, count=1)
    assert count == 1, (section, key)
    return read_preset(text, "ours.toml")


@pytest.mark.parametrize(("section", "key", "low", "high"), BOUNDS)
def test_a_number_may_be_what_lies_within_its_bounds_and_nothing_else(
    section: str, key: str, low: float, high: float
) -> None:
    read(section, key, low)
    read(section, key, high)
    for beyond in (low - 0.01, high + 0.01):
        with pytest.raises(ConfigError) as error:
            read(section, key, beyond)
        said = f"[{section}] {key} = {beyond!r}: expected a number from {low} to {high}"
        assert said in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("amount = 4, window_s = 120", "amount = 0.09, window_s = 120", "from 0.1 to 150"),
        ("amount = 4, window_s = 120", "amount = 151, window_s = 120", "from 0.1 to 150"),
        ("amount = 4, window_s = 120", "amount = 4, window_s = 4", "from 5 to 600"),
        ('"below", amount = 93', '"below", amount = 101', "from 1 to 100"),
        ('"below", amount = 93', '"below", amount = 0', "from 1 to 100"),
        ("etco2 = 10", "etco2 = 0.09", "from 0.1 to 100"),
        ("etco2 = 10", "etco2 = 101", "from 0.1 to 100"),
        (
            "etco2 = 10",
            "co2 = 10",
            "co2 = 10: no such metric; known: spo2, pulse_rate, heart_rate, etco2,",
        ),
        ("etco2 = 10", "pleth = 10", "no such metric"),
        ("[limits.spo2.low]\nlimit = 90\n", "[limits.spo2.low]\nlimit = 1\n", "out of reach"),
        ("severe = 85\n", "severe = 1\n", "out of reach: no spo2 beyond it can be measured"),
        ("severe = 85\n", "severe = 90\n", "expected a value beyond the limit 90"),
        ("severe = 140\n", "severe = 120\n", "expected a value beyond the limit 120"),
        ("severe = 140\n", "severe = 350\n", "out of reach: no pulse_rate beyond it"),
        ("limit = 38.5\n", "limit = 50\n", "out of reach: no temp beyond it can be measured"),
        ('severe_priority = "high"', 'severe_priority = "medium"', "expected one above medium"),
        ("hysteresis = 1\n", "hysteresis = 10.01\n", "no measurable value would end"),
        ("hysteresis = 1\n", "hysteresis = 99.5\n", "from 0 to 99"),
        ("hysteresis = 0.3\n", "hysteresis = 36\n", "from 0 to 35"),
        ('latch = "severe"', 'latch = "sever"', "expected one of never, severe, always"),
        ("[limits.spo2.low]\n", "[limits.spo2.sideways]\n", "unknown key"),
    ],
)
def test_what_is_out_of_reach_is_refused_in_words(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as error:
        read_preset(TEXT.replace(old, new, 1), "ours.toml")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("limit = 90\n", "limit = 1\n",
         "[limits.spo2.low] limit = 1: out of reach: no spo2 beyond it can be measured"),
        ("severe = 85\n", "severe = 1\n",
         "[limits.spo2.low] severe = 1: out of reach: no spo2 beyond it can be measured"),
        ("severe = 85\n", "severe = 90\n",
         "[limits.spo2.low] severe = 90: expected a value beyond the limit 90"),
        ('severe_priority = "high"', 'severe_priority = "medium"',
         "[limits.spo2.low] severe_priority = 'medium': expected one above medium"),
        ("hysteresis = 1\n", "hysteresis = 11\n",
         "[limits.spo2.low] hysteresis = 11: no measurable value would end this condition"),
        ("limit = 25\n", "limit = 46\n",
         f"[limits.etco2] low: low limit 46 and high limit 50 {NO_VALUE} more than 4"),
        ("[limits.fico2.high]\n", "[limits.perfusion_index]\n[limits.fico2.high]\n",
         "[limits] perfusion_index: expected a table low or high, or both"),
        ("etco2 = 10", "nibp_sys = 10",
         "[doubt.sources_differ] nibp_sys = 10: two cuffs never measure at once; leave it out"),
        ('unit_for_s = "proposal: 30 s"\n', "",
         "[doubt] unit_for_s = 30: no provenance; say where it comes from: provenance.unit_for_s"),
        ("percent = 30\n", "percent = 30\namount = 40\n",
         "[relative.nibp_sys_above_baseline] percent = 30: expected either percent or amount"),
        ('metric = "nibp_sys"\ndirection = "low"', 'metric = "spo2"\ndirection = "low"',
         f"[relative.nibp_sys_far_down] metric = 'spo2': {PRESSURES}"),
        ('metric = "resp_rate", kind', 'metric = "pleth", kind',
         "[pattern.hypoventilation.parts[0]] metric = 'pleth': expected a numeric"),
        ('"resp_rate", kind = "falls", amount = 4', '"spo2", kind = "falls", amount = 99.5',
         "[pattern.hypoventilation.parts[0]] amount = 99.5: expected a number from 0.1 to 99"),
        ("amount = 93 }", "amount = 93, others = 3 }",
         "[pattern.blind_and_low.parts[0]] others = 3: unknown key; known: amount, kind, metric"),
        ("[phase.observation.limits.spo2.low]", "[phase.after.limits.spo2.low]",
         f"[phase] after: no such phase; known: {', '.join(Phase)}"),
        ("[phase.observation.limits", "[phase.observation.others]\n[phase.observation.limits",
         "[phase.observation] others: unknown key; known: limits"),
    ],
)  # fmt: skip
def test_a_refusal_names_file_table_key_and_value_and_says_what_would_be_right(
    old: str, new: str, said: str
) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as error:
        read_preset(TEXT.replace(old, new, 1), "ours.toml")
    assert str(error.value) == f"ours.toml: {said}"


@pytest.mark.parametrize("kept", ["severe", "severe_priority", "severe_delay_s"])
def test_a_severe_band_is_whole_or_is_refused(kept: str) -> None:
    head, band = TEXT.split("severe = 85\n", 1)
    words = {"severe": "85", "severe_priority": '"high"', "severe_delay_s": "5"}
    band = band.replace('severe_priority = "high"\nsevere_delay_s = 5\n', "", 1)
    with pytest.raises(ConfigError, match=r"\[limits.spo2.low\] severe(_priority)?: missing"):
        read_preset(f"{head}{kept} = {words[kept]}\n{band}", "ours.toml")


def test_a_limit_may_end_where_measuring_ends_and_no_further() -> None:
    (high,) = [each for each in read("limits.fico2.high", "hysteresis", 8).limits
               if each.alarm == "fico2_high"]  # fmt: skip
    assert high.inside == 0
    with pytest.raises(ConfigError, match="no measurable value would end this condition"):
        read("limits.fico2.high", "hysteresis", 8.1)


def test_no_limit_at_all_is_refused() -> None:
    table = toml.read("[limits]\n", "ours.toml").table("limits")
    provenance = Provenance(toml.read("[provenance]\n", "ours.toml"))
    with pytest.raises(ConfigError) as error:
        read_limits(table, provenance)
    assert str(error.value) == "ours.toml: [limits]: no limit at all; expected at least one"


def test_a_preset_that_says_nothing_of_a_baseline_takes_two_readings_within_ten_minutes() -> None:
    start = TEXT.index("\n[baseline]\n")
    limits = read_preset(TEXT[:start] + TEXT[TEXT.index("\n[relative.") :], "ours.toml")
    assert limits.baseline == BaselineRules(readings_min=2, within=seconds(600))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amount = 4, window_s = 120", "amount = 0.1, window_s = 5"),
        ("amount = 4, window_s = 120", "amount = 150, window_s = 600"),
        ('"below", amount = 93', '"below", amount = 1'),
        ('"below", amount = 93', '"above", amount = 100'),
        ("etco2 = 10", "etco2 = 0.1"),
        ("etco2 = 10", "etco2 = 100"),
        ("hysteresis = 1\n", "hysteresis = 10\n"),
        ("severe = 85\n", "severe = 89.9\n"),
        ("severe = 85\n", "severe = 1.1\n"),
    ],
)
def test_what_is_just_within_reach_is_accepted(old: str, new: str) -> None:
    assert old in TEXT
    read_preset(TEXT.replace(old, new, 1), "ours.toml")


@pytest.mark.parametrize("section", ["baseline", "doubt", "cuff_due"])
def test_a_table_refuses_a_key_that_it_does_not_know(section: str) -> None:
    text = TEXT.replace(f"\n[{section}]\n", f"\n[{section}]\nmore = 1\n", 1)
    with pytest.raises(ConfigError, match=rf"\[{section}\] more = 1: unknown key"):
        read_preset(text, "ours.toml")


def test_a_preset_may_leave_out_what_is_beyond_plain_limits() -> None:
    start, end = PRESET_TEXT.index("\n[doubt]\n"), PRESET_TEXT.index("\n[site_maximum]\n")
    limits = read_preset(PRESET_TEXT[:start] + PRESET_TEXT[end:], "ours.toml")
    assert limits.doubt is None
    assert (limits.relatives, limits.patterns) == ((), ())
    assert (limits.phases, limits.cuff_due) == ({}, {})


def test_a_preset_may_doubt_without_a_second_device_and_without_jumps() -> None:
    text = PRESET_TEXT
    for key in ("sources_differ", "sources_differ_for_s", "steps_per_minute"):
        text = re.sub(rf"\n{key} = [^\n]*", "", text)
    doubt = read_preset(text, "ours.toml").doubt
    assert doubt is not None
    assert doubt.sources_differ == {}
    assert doubt.steps_per_minute is None
    score = Score(msgspec.structs.replace(LIMITS, doubt=doubt))
    for second in range(40):
        score.see(second, spo2=97, heart_rate=70 + 70 * (second % 2))
    assert score.lines("numbers_jump") == []


def test_the_words_of_a_preset_are_read_into_their_places() -> None:
    limits = read_preset(TEXT, "ours.toml")
    (spo2,) = [each for each in limits.limits if each.alarm == "spo2_low"]
    assert (spo2.budget, spo2.violations_max, spo2.severe, spo2.limit) == (50, 3, 85, 90)
    assert spo2.provenance["budget"] == "test"
    assert spo2.provenance["delay_s"].startswith("proposal: medium 10 s")
    relatives = {each.alarm: (each.percent, each.amount, each.is_low) for each in limits.relatives}
    assert relatives == {
        "nibp_sys_above_baseline": (30, None, False),
        "nibp_sys_outlier": (None, 40, False),
        "nibp_dia_outlier": (None, 25, False),
        "nibp_sys_far_down": (30, None, True),
    }
