"""The linter of limit sets: what it proves, and that it can fail."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.check import prove
from alarms.limits import read_preset
from alarms.prove_limits import prove_rule
from alarms.ramps import Finding
from alarms.rules import LimitSet
from monitor.model.instant import seconds
from monitor.model.session import Phase
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
    found = prove(LIMITS)
    severe = {each.alarm: each.latency_s for each in found if "high after" in each.text}
    assert severe["spo2_low"] == 5
    assert severe["nibp_sys_high"] == 0
    apnoea = {each.text: each.latency_s for each in found if each.alarm == "apnoea"}
    printed, drawn, said = (each or 0.0 for each in apnoea.values())
    assert (printed, said) == (30, 0)
    assert 30 <= drawn < 31, "a breath is seen a moment after it began"
    bands = [(each.band, each.delay_s) for each in found if each.alarm == "spo2_low"]
    assert bands == [("below 90 %", 10), ("below 85 %", 5)]


def test_what_is_wrong_with_data_is_proved_too() -> None:
    alarms = {each.alarm for each in prove(LIMITS)}
    assert {"no_data_spo2", "link_device", "sensor_off", "input_rejected", "nibp_implausible"} <= (
        alarms
    )
    assert {"frozen_oximeter", "frozen_co2", "rates_differ", "etco2_unit", "cuff_on_probe_arm",
            "numbers_jump", "sources_differ_spo2", "nibp_overdue"} <= alarms  # fmt: skip


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
    assert any("raises no medium alarm" in each.text for each in found if not each.is_well)


def wrong(limits: LimitSet) -> dict[str, Finding]:
    return {each.place: each for each in prove(limits) if not each.is_well}


def read(old: str = "", new: str = "", more: str = "") -> LimitSet:
    assert old in PRESET_TEXT + more
    return read_preset((PRESET_TEXT + more).replace(old, new, 1), "ours.toml")


def test_the_limits_of_a_phase_are_proved_and_named_by_it() -> None:
    limits = read(more=PATTERNS)
    (found,) = [each for each in prove(limits) if each.phase]
    assert (found.alarm, found.is_well, found.phase) == ("spo2_low", True, "observation")
    own = msgspec.structs.replace(limits.phases[Phase.OBSERVATION][0], clear_for=seconds(3600))
    limits = msgspec.structs.replace(limits, phases={Phase.OBSERVATION: (own,)})
    assert "never over" in wrong(limits)["[phase.observation.limits.spo2.low]"].text


def test_a_limit_of_a_phase_that_contradicts_another_is_found() -> None:
    high = next(each for each in LIMITS.limits if each.alarm == "resp_rate_high")
    own = msgspec.structs.replace(high, limit=9.0, hysteresis=0.0)
    found = wrong(msgspec.structs.replace(LIMITS, phases={Phase.READY: (own,)}))
    assert "expected at least 2 between" in found["[phase.ready.limits.resp_rate.low]"].text


@pytest.mark.parametrize(
    ("alarm", "values", "said"),
    [
        ("pulse_rate_low", {"limit": 116.0, "severe": 40.0, "hysteresis": 0.0}, "4 below the high"),
        ("spo2_low", {"severe": 89.5}, "no reading lies between it and 90"),
        ("spo2_low", {"delay": seconds(2)}, "severe_delay_s = 5: longer than delay_s"),
        ("spo2_low", {"budget": 900.0}, "budget = 900: never spent before the delay of 10 s"),
        ("nibp_sys_low", {"budget": 50.0}, "a cuff reading is judged at once"),
        ("nibp_sys_low", {"violations_max": 3}, "a cuff reading is judged at once"),
        ("temp_low", {"violations_max": 2, "delay": seconds(0)}, "the delay is over before"),
    ],
)
def test_what_can_never_matter_or_stands_too_near_is_found(
    alarm: str, values: dict[str, float], said: str
) -> None:
    found = [each for each in prove(changed(alarm, **values)) if not each.is_well]
    assert any(said in each.text for each in found), [each.text for each in found]
    assert all(each.place.startswith("[limits.") for each in found)


def test_a_budget_and_a_count_that_matter_are_proved() -> None:
    limits = changed("spo2_low", budget=20.0, violations_max=3)
    texts = [each.text for each in prove(limits) if each.alarm == "spo2_low"]
    assert [each for each in prove(limits) if not each.is_well] == []
    assert "budget of 20 at 85: medium after 3 s" in texts
    assert "3 violations within a minute: medium with the last" in texts


def test_a_relative_limit_that_never_comes_before_the_absolute_one_is_found() -> None:
    found = wrong(read("percent = 30\n", "percent = 80\n"))["[relative.nibp_sys_above_baseline]"]
    assert "for every baseline from 95 to 155 nibp_sys_high comes first, at 160" in found.text
    assert not wrong(read("amount = 40\n", "amount = 60\n"))


def test_a_relative_limit_that_the_baseline_itself_does_not_end_is_found() -> None:
    limits = read("amount = 25\n", "amount = 5\n")
    (last,) = [each for each in limits.relatives if each.alarm == "nibp_dia_outlier"]
    wide = msgspec.structs.replace(last, limit=msgspec.structs.replace(last.limit, hysteresis=30))
    found = wrong(msgspec.structs.replace(limits, relatives=(wide,)))
    assert "does not end it" in found["[relative.nibp_dia_outlier]"].text


def test_a_pattern_that_holds_while_all_is_well_is_found() -> None:
    always = PATTERNS.replace('kind = "below", amount = 93', 'kind = "below", amount = 99').replace(
        'kind = "lost"', 'kind = "above", amount = 10'
    )
    found = wrong(read(more=always))["[pattern.blind_and_low]"]
    assert "while every value is inside" in found.text


def test_parts_that_cannot_hold_at_once_are_found() -> None:
    never = PATTERNS.replace(
        '{ metric = "etco2", kind = "lost" }', '{ metric = "spo2", kind = "above", amount = 95 }'
    )
    assert "can they hold at once" in wrong(read(more=never))["[pattern.blind_and_low]"].text


def test_the_examples_of_the_page_about_limit_sets_are_read_and_hold() -> None:
    page = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    limits = read_preset(PRESET_TEXT + example, "docs/limits.md")
    assert len(limits.patterns) == 3
    assert [(each.place, each.text) for each in prove(limits) if not each.is_well] == []
    assert "[site_maximum]\n    spo2 = { low = 85, severe_low = 80 }" in page
    read("spo2 = { low = 85 }", "spo2 = { low = 85, severe_low = 80 }", more=example)


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["spo2_low", "pulse_rate_high", "resp_rate_low", "etco2_high", "temp_low"]),
    st.integers(0, 30),
    st.floats(0.1, 3),
)
def test_whatever_holds_is_told_within_its_own_delay(
    alarm: str, delay_s: int, hysteresis: float
) -> None:
    rule = next(each for each in LIMITS.limits if each.alarm == alarm)
    own = msgspec.structs.replace(rule, delay=seconds(delay_s), hysteresis=hysteresis)
    limits = msgspec.structs.replace(LIMITS, limits=(own,), relatives=())
    for found in prove_rule(limits, own):
        assert found.is_well, found.text
        assert found.latency_s is not None
        assert found.delay_s is not None
        assert found.latency_s <= found.delay_s + 1
