"""The widest limits a site accepts: a limit at the maximum is read, one beyond it is refused."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms import toml
from alarms.rules import LimitRule
from alarms.site_maximum import check_site_maximum
from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.model.session import Phase
from tests.alarms.score import LIMITS

RULES: Final = {each.alarm: each for each in LIMITS.limits}
LOW: Final = RULES["pulse_rate_low"]
HIGH: Final = RULES["pulse_rate_high"]


def refusal(
    maximum: str, *limits: LimitRule, phases: dict[Phase, tuple[LimitRule, ...]] | None = None
) -> str:
    """Return what is said against limits; "" where they are accepted."""
    table = toml.read(f"[site_maximum]\n{maximum}\n", "ours.toml").table("site_maximum")
    try:
        check_site_maximum(table, limits, phases or {})
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.hazard("H13")
@given(
    st.sampled_from([LOW, HIGH]),
    st.sampled_from(["limit", "severe"]),
    st.integers(20, 300),
    st.integers(20, 300),
)
def test_a_limit_is_refused_exactly_when_it_is_wider(
    rule: LimitRule, way: str, value: int, most: int
) -> None:
    side = "low" if rule.is_low else "high"
    key = side if way == "limit" else f"severe_{side}"
    own = msgspec.structs.replace(rule, **{way: float(value)})
    said = refusal(f"pulse_rate = {{ {key} = {most} }}", own)
    is_wider = value < most if rule.is_low else value > most
    assert bool(said) == is_wider
    if is_wider:
        kept = "at least" if rule.is_low else "at most"
        assert said == (
            f"ours.toml: [limits.pulse_rate.{side}] {way} = {value}: "
            f"wider than [site_maximum.pulse_rate] {key} = {most}; expected {kept} {most}"
        )


MISSING: Final = "missing, which is wider than [site_maximum"
KEYS: Final = "expected one of low, high, severe_low, severe_high"


@pytest.mark.parametrize(
    ("maximum", "said"),
    [
        ("pulse_rate = { mid = 3 }", f"[site_maximum.pulse_rate] mid = 3: {KEYS}"),
        ("pulse_rate = { low = 9 }", "low = 9: expected a number from 10 to 350"),
        ("pulse_rate = { low = 351 }", "low = 351: expected a number from 10 to 350"),
        (
            "temp = { low = 30 }",
            f"ours.toml: [limits.temp.low]: {MISSING}.temp] low = 30; add a limit",
        ),
        (
            "pulse_rate = { severe_low = 40 }",
            f"[limits.pulse_rate.low] severe: {MISSING}.pulse_rate] severe_low = 40; add one",
        ),
        ("pleth = { low = 30 }", "no such metric"),
    ],
)
def test_what_is_missing_is_the_widest_of_all(maximum: str, said: str) -> None:
    assert said in refusal(maximum, msgspec.structs.replace(LOW, severe=None), HIGH)


def test_a_limit_of_a_phase_is_held_to_it_as_well_and_a_limit_of_another_metric_is_not() -> None:
    wide = msgspec.structs.replace(LOW, limit=30.0)
    said = refusal("pulse_rate = { low = 40 }", LOW, phases={Phase.READY: (wide,)})
    assert said.startswith("ours.toml: [phase.ready.limits.pulse_rate.low] limit = 30: wider than")
    heart = msgspec.structs.replace(wide, metric=Metric.HEART_RATE)
    assert refusal("pulse_rate = { low = 40 }", LOW, phases={Phase.READY: (heart,)}) == ""
