"""What the linter proves of limits from a baseline, each on a set of its own."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms import prove_limits
from alarms.limits import read_preset
from alarms.prove_limits import prove_relative
from alarms.ramps import Finding
from alarms.rules import BaselineRules, LimitRule, RelativeRule
from monitor.model.alarm import Priority
from monitor.model.instant import seconds
from monitor.model.metric import Metric, describe
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT

MORE: Final = read_preset(PRESET_TEXT + PATTERNS, "more.toml")
ABOVE: Final = next(each for each in MORE.relatives if each.alarm == "nibp_sys_above_baseline")
BELOW: Final = next(each for each in MORE.relatives if each.alarm == "nibp_sys_far_down")
HIGH: Final = next(each for each in MORE.limits if each.alarm == "nibp_sys_high")
LOW: Final = next(each for each in MORE.limits if each.alarm == "nibp_sys_low")


def relative(rule: RelativeRule, *absolute: LimitRule, **limit: object) -> Finding:
    """Prove a limit from the baseline beside these absolute ones only."""
    own = msgspec.structs.replace(rule, limit=msgspec.structs.replace(rule.limit, **limit))
    limits = msgspec.structs.replace(LIMITS, limits=absolute, relatives=(own,), doubt=None)
    return prove_relative(limits, own)


def away(rule: RelativeRule, amount: float) -> RelativeRule:
    return msgspec.structs.replace(rule, amount=amount, percent=None)


@pytest.mark.parametrize("is_low", [True, False])
@given(amount=st.integers(5, 60))
def test_a_limit_from_the_baseline_is_proved_where_it_comes_before_the_absolute_one(
    *, is_low: bool, amount: int
) -> None:
    rule, absolute = (BELOW, LOW) if is_low else (ABOVE, HIGH)
    facts = describe(Metric.NIBP_SYS)
    far = facts.technical_high if is_low else facts.technical_low
    found = relative(away(rule, amount), absolute)
    assert found.is_well
    way = "below" if is_low else "above"
    assert found.band == f"{amount} {way} baseline"
    assert (found.latency_s, found.delay_s, found.priority) == (0, 0, Priority.MEDIUM)
    span, _, crossed = found.text.removeprefix("for a baseline from ").partition("; ")
    bad_at, _, told = crossed.partition(": ")
    ends = [float(each) for each in span.split(" to ")]
    bad, own = (float(each) for each in bad_at.split(" at a baseline of "))
    assert told == "medium at once"
    limit = own - amount if is_low else own + amount
    assert bad == pytest.approx((limit + absolute.limit) / 2, abs=0.05)
    assert min(ends) <= own <= max(ends)
    # As far as readings inside the absolute limits reach, less the amount, on a grid of 200.
    inside, grid = absolute.inside, abs(absolute.inside - far) / 200
    edge = absolute.limit + amount if is_low else absolute.limit - amount
    nearest = min(ends) if is_low else max(ends)
    furthest = max(ends) if is_low else min(ends)
    assert furthest == pytest.approx(far)
    reached = max(edge, inside) if is_low else min(edge, inside)
    assert abs(nearest - reached) <= grid + 0.051
    assert limit > absolute.limit if is_low else limit < absolute.limit


def test_a_limit_from_the_baseline_out_of_reach_is_found() -> None:
    assert relative(away(ABOVE, 300.0)) == Finding(
        alarm="nibp_sys_above_baseline",
        is_well=False,
        text="no baseline inside the limits puts it within reach",
        place="[relative.nibp_sys_above_baseline]",
        band="300 above baseline",
        metric=Metric.NIBP_SYS,
    )


def test_a_limit_that_never_comes_first_is_found_unless_it_is_told_with_a_higher_priority() -> None:
    never = away(ABOVE, 200.0)
    found = relative(never, LOW, HIGH)
    assert (found.is_well, found.band, found.latency_s) == (False, "200 above baseline", None)
    assert found.text == (
        "for every baseline from 95 to 155 nibp_sys_high comes first, at 160; expected less, or "
        "leave it out"
    )
    higher = relative(away(ABOVE, 140.0), LOW, HIGH, priority=Priority.HIGH)
    assert higher.is_well
    assert higher.text == (
        "for a baseline from 95 to 155; 282.5 at a baseline of 125: high at once"
    )
    assert "comes first" in relative(away(ABOVE, 140.0), LOW, HIGH).text


def test_an_absolute_limit_of_another_metric_or_direction_does_not_come_first() -> None:
    diastolic = next(each for each in MORE.limits if each.alarm == "nibp_dia_high")
    found = relative(away(ABOVE, 100.0), diastolic, LOW)
    assert found.text == (
        "for a baseline from 95 to 199.55; 273.65 at a baseline of 147.275: medium at once"
    )


def test_a_baseline_that_does_not_end_what_it_caused_is_found() -> None:
    found = relative(away(ABOVE, 20.0), LOW, HIGH, hysteresis=20.0)
    assert found.is_well
    found = relative(away(ABOVE, 20.0), LOW, HIGH, hysteresis=21.0)
    assert not found.is_well
    assert found.text == ("the baseline itself, 117.5, does not end it; expected less hysteresis")


@given(readings_min=st.integers(2, 6), within_s=st.floats(60, 1800))
def test_however_many_readings_make_a_baseline_it_is_made(
    readings_min: int, within_s: float
) -> None:
    rules = BaselineRules(readings_min=readings_min, within=seconds(within_s))
    limits = msgspec.structs.replace(MORE, baseline=rules)
    found = prove_relative(limits, ABOVE)
    assert found.is_well, found.text
    assert found == prove_relative(MORE, ABOVE)


def test_a_core_that_told_nothing_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_limits, "play", lambda *_: [])
    found = relative(away(ABOVE, 20.0), LOW, HIGH)
    assert found.text == "148.75 at a baseline of 117.5 raises nothing"
    assert not found.is_well
