"""The linter of limit sets: what it proves, and that it can fail."""

import msgspec

from alarms.check import prove
from alarms.limits import read_preset
from alarms.rules import LimitSet
from monitor.model.instant import seconds
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT


def changed(alarm: str, **values: object) -> LimitSet:
    limits = tuple(
        msgspec.structs.replace(each, **values) if each.alarm == alarm else each
        for each in LIMITS.limits
    )
    return msgspec.structs.replace(LIMITS, limits=limits)


def test_every_rule_of_the_shipped_preset_fires_in_time_and_ends() -> None:
    found = prove(LIMITS)
    assert [each.text for each in found if not each.is_well] == []
    assert {each.alarm for each in LIMITS.limits} <= {each.alarm for each in found}
    assert all(each.latency_s is not None for each in found)


def test_each_alarm_discloses_its_latency() -> None:
    latency = {each.alarm: each.latency_s for each in prove(LIMITS) if "high after" in each.text}
    assert latency["spo2_low"] == 5
    assert latency["nibp_sys_high"] == 0
    assert {each.latency_s for each in prove(LIMITS) if each.alarm == "apnoea"} == {30}


def test_relative_limits_and_patterns_are_proved_too() -> None:
    limits = read_preset(PRESET_TEXT + PATTERNS, "more.toml")
    found = {each.alarm: each for each in prove(limits)}
    for alarm in ("nibp_sys_above_baseline", "nibp_sys_far_down", "hypoventilation"):
        assert found[alarm].is_well, found[alarm].text
    never = PATTERNS.replace('kind = "below", amount = 93', 'kind = "below", amount = 1')
    found = {each.alarm: each for each in prove(read_preset(PRESET_TEXT + never, "more.toml"))}
    assert not found["blind_and_low"].is_well


def test_limits_that_contradict_are_found() -> None:
    found = prove(changed("pulse_rate_low", limit=125.0, severe=None))
    assert any("at once" in each.text for each in found if not each.is_well)
    assert any("no value is inside" in each.text for each in found if not each.is_well)


def test_a_rule_that_never_ends_is_found() -> None:
    found = prove(changed("spo2_low", clear_for=seconds(3600)))
    assert any("never over" in each.text for each in found if not each.is_well)


def test_a_rule_that_never_fires_is_found() -> None:
    found = prove(changed("spo2_low", delay=seconds(3600), severe=None))
    assert any("raises nothing" in each.text for each in found if not each.is_well)
