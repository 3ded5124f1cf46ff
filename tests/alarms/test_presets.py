"""Presets: read whole or refused whole, in words that say what would be right."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.condition import Input
from alarms.limits import read_preset
from alarms.rules import LimitRule, judge
from monitor.model.alarm import Priority
from monitor.model.errors import ConfigError
from monitor.model.instant import seconds
from monitor.model.metric import Metric, describe
from tests.alarms.records import every, is_frozen, is_named
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT

RULES: Final = {each.alarm: each for each in LIMITS.limits}


def refused(old: str, new: str, count: int = 1) -> str:
    assert old in PRESET_TEXT
    with pytest.raises(ConfigError) as error:
        read_preset(PRESET_TEXT.replace(old, new, count), "ours.toml")
    text = str(error.value)
    assert text.startswith("ours.toml: ")
    return text


def test_the_shipped_preset_holds_the_suggested_limits() -> None:
    assert RULES["spo2_low"].limit == 90
    assert RULES["spo2_low"].severe == 85
    assert RULES["resp_rate_low"].limit == 8
    assert RULES["nibp_sys_high"].severe == 180
    assert RULES["nibp_mean_low"].priority is Priority.HIGH
    assert LIMITS.apnoea.after == seconds(30)
    assert "EXAMPLE" in LIMITS.status


@pytest.mark.hazard("H13")
def test_no_severe_band_waits_longer_than_five_seconds_and_no_medium_longer_than_twenty() -> None:
    for rule in LIMITS.limits:
        assert rule.severe_delay <= seconds(5)
        assert rule.delay <= seconds(20) or rule.priority is Priority.LOW
        if rule.priority is Priority.HIGH:
            assert rule.delay <= seconds(5)


def test_every_number_says_where_it_comes_from() -> None:
    for rule in LIMITS.limits:
        assert {"limit", "delay_s", "hysteresis", "clear_for_s"} <= set(rule.provenance)
    assert "no provenance" in refused('provenance = { limit = "', 'provenance = { limits = "')


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("limit = 90\n", "limit = 0\n", "expected a number from 1 to 100"),
        ("limit = 90\n", "limit = 1\n", "out of reach"),
        ("limit = 90\n", "limit = 84\n", "[limits.spo2.low] severe = 85"),
        ("limit = 90\n", "limit = nan\n", "expected a number"),
        ("limit = 90\n", "limit = true\n", "expected a number"),
        ("limit = 90\n", 'limit = "90"\n', "expected a number"),
        ("severe = 85\n", "severe = 95\n", "beyond the limit 90"),
        ("severe_delay_s = 5\n", "severe_delay_s = 6\n", "from 0 to 5"),
        ('severe_priority = "high"', 'severe_priority = "low"', "above medium"),
        ('priority = "medium"', 'priority = "urgent"', "expected one of high, medium, low"),
        ("delay_s = 10\n", "delay_s = 25\n", "from 0 to 20"),
        ("delay_s = 10\n", "delay = 10\n", "missing"),
        ("hysteresis = 1\n", "hysteresis = 60\n", "no measurable value would end"),
        ("limit = 50\n", "limit = 130\n", "wider than|leave no value|severe"),
        ("[limits.spo2.low]", "[limits.sp02.low]", "no such metric"),
        ("[limits.spo2.low]", "[limits.spo2.lower]", "expected a table low or high|unknown key"),
        ("audio_pause_s = 120", "audio_pause_s = 600", "from 10 to 180"),
        ("acknowledge_high_s = 120", "acknowledge_high_s = 300", "from 10 to 120"),
        ("ambiguous_s_max = 60", "ambiguous_s_max = 90", "from 10 to 60"),
        ("ambiguous_s_max = 60", "ambiguous_s_max = 20", "at least after_s"),
        ("absent_after_s = 30", "absent_after_s = 5", "at least stale_after_s"),
        ("arm_breaths = 3", "arm_breaths = 3\narm_breath = 4", "did you mean 'arm_breaths'"),
        ('name = "iv-ketamine"', "name = ", "not TOML"),
        ('name = "iv-ketamine"', 'name = ""', "not empty"),
        (
            "spo2 = { low = 85 }\n",
            "spo2 = { low = 91 }\n",
            "wider than [site_maximum.spo2] low = 91",
        ),
        ("spo2 = { low = 85 }\n", "spo2 = { low = 91 }\n", "[limits.spo2.low] limit = 90"),
        ("spo2 = { low = 85 }\n", "spo2 = { low = -5 }\n", "expected a number from 1 to 100"),
        (
            "spo2 = { low = 85 }\n",
            "spo2 = { lower = 85 }\n",
            "expected one of low, high, severe_low",
        ),
        (
            "spo2 = { low = 85 }\n",
            "spo2 = { high = 99 }\n",
            "[limits.spo2.high]: missing, which is wider",
        ),
        ("spo2 = { low = 85 }\n", "spo2 = { severe_low = 86 }\n", "severe = 85: wider than"),
        ("etco2 = { low", "etco2 = { severe_low = 10, low", "[limits.etco2.low] severe: missing"),
        ("limit = 25\n", "limit = 47\n", "low limit 47 and high limit 50 leave no value"),
        ("limit = 25\n", "limit = 47\n", "expected low below high by more than 4"),
        ("etco2 = 10", "nibp_sys = 10", "two cuffs never measure at once"),
        ("infusing_min = 10", "infusing_min = 0", "[cuff_due] infusing_min = 0"),
        ("[site_maximum]", "[site_maxima]", "missing"),
        ("[site_maximum]", "[site_maximum]\nspo3 = { low = 3 }", "no such metric"),
    ],
)
def test_a_wrong_preset_is_refused_in_words(old: str, new: str, said: str) -> None:
    text = refused(old, new)
    assert any(each in text for each in said.split("|")), text


def test_a_limit_left_out_is_wider_than_the_site_allows() -> None:
    start = PRESET_TEXT.index("[limits.spo2.low]")
    end = PRESET_TEXT.index("[limits.pulse_rate.low]")
    said = refused(PRESET_TEXT[start:end], "")
    assert "[limits.spo2.low]: missing, which is wider than [site_maximum.spo2] low = 85" in said


def test_a_limit_set_is_never_changed_and_none_of_its_numbers_is_told_by_its_place() -> None:
    found = every(read_preset(PRESET_TEXT + PATTERNS, "ours.toml"))
    assert len({type(each) for each in found}) == 11
    assert [each for each in found if not is_frozen(each)] == []
    assert [each for each in found if not is_named(each)] == []


def test_no_error_prints_a_whole_table() -> None:
    assert "{" not in refused("limit = 25\n", "limit = 47\n")


def outcome(text: str) -> tuple[str, int]:
    """Return what reading a preset says, and how many limits came of it."""
    try:
        return "", len(read_preset(text, "ours.toml").limits)
    except ConfigError as error:
        return str(error), 0


@settings(max_examples=150)
@given(st.integers(0, len(PRESET_TEXT.splitlines()) - 1))
def test_a_preset_with_a_line_missing_is_refused_or_whole(number: int) -> None:
    lines = PRESET_TEXT.splitlines()
    del lines[number]
    said, count = outcome("\n".join(lines))
    assert said.startswith("ours.toml: ") != (count > 0)


@settings(max_examples=80)
@given(st.text(max_size=60), st.integers(0, len(PRESET_TEXT)))
def test_rubbish_in_a_preset_is_a_config_error_and_nothing_else(rubbish: str, place: int) -> None:
    text = PRESET_TEXT[:place] + rubbish + PRESET_TEXT[place:]
    said, count = outcome(text)
    assert said.startswith("ours.toml: ") != (count > 0)


@given(st.sampled_from(sorted(RULES)), st.data())
def test_worse_values_are_never_judged_milder(alarm: str, data: st.DataObject) -> None:
    rule = RULES[alarm]
    facts = describe(rule.metric)
    span = st.floats(facts.technical_low, facts.technical_high)
    one, two = sorted((data.draw(span), data.draw(span)), reverse=rule.is_low)
    order = [Input.NORMAL, Input.BETWEEN, Input.VIOLATED, Input.SEVERE]
    assert order.index(judge(rule, one)) <= order.index(judge(rule, two))


def test_limits_are_judged_as_they_are_said() -> None:
    rule: LimitRule = RULES["spo2_low"]
    assert [judge(rule, value) for value in (91, 90, 89.9, 85, 84.9)] == [
        Input.NORMAL,
        Input.BETWEEN,
        Input.VIOLATED,
        Input.VIOLATED,
        Input.SEVERE,
    ]
    high = RULES["pulse_rate_high"]
    assert [judge(high, value) for value in (117, 120, 120.1, 140, 141)] == [
        Input.NORMAL,
        Input.BETWEEN,
        Input.VIOLATED,
        Input.VIOLATED,
        Input.SEVERE,
    ]
    assert Metric.SPO2 is rule.metric
