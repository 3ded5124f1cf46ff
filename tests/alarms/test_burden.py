"""How often people are called for nothing, and that nothing they need is lost for it."""

from random import Random

import pytest

from alarms.system import AlarmSystem
from monitor.model.instant import instant_at
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import LIMITS, Score, seen

HOURS = 2


def noisy(seed: int) -> Score:
    """Return hours of a healthy patient on a poor signal: wander, artefacts, short drop-outs."""
    chance, score = Random(seed), Score()
    centre = {"spo2": 96.5, "pulse_rate": 74.0, "etco2": 38.0, "resp_rate": 14.0}
    spread = {"spo2": 0.8, "pulse_rate": 5.0, "etco2": 2.5, "resp_rate": 2.0}
    wander = dict.fromkeys(centre, 0.0)
    missing = 0
    for second in range(HOURS * 3600):
        missing = chance.randint(2, 12) if chance.random() < 1 / 300 else max(0, missing - 1)
        for metric, value in centre.items():
            wander[metric] = 0.95 * wander[metric] + chance.gauss(0, 0.3) * spread[metric]
            shown: float | None = min(100.0, round(value + wander[metric]))
            if metric in {"spo2", "pulse_rate"} and missing:
                shown = None
            elif chance.random() < 1 / 400:
                shown = chance.choice((0.0, round(value * 0.6), round(value * 1.4)))
            score.see(second, **{metric: shown})
    return score


@pytest.mark.hazard("H12")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_poor_signal_of_a_healthy_patient_calls_less_than_once_an_hour(seed: int) -> None:
    raised = [line for line in noisy(seed).lines() if line[2] == "present"]
    assert len(raised) <= HOURS


@pytest.mark.hazard("H14")
def test_a_pressure_that_early_warning_scores_call_normal_is_high() -> None:
    score = Score()
    for metric, value in zip(NIBP, (190, 115, 140), strict=True):
        score.hear(seen(metric, value, 10), 10)
    told = {line[1]: line[3] for line in score.lines()}
    assert told["nibp_sys_high"] == "high"
    assert told["nibp_dia_high"] == "high"


@pytest.mark.hazard("H8")
def test_a_new_session_begins_with_the_limits_of_the_preset_and_no_pause() -> None:
    old = Score()
    enter = OperatorAction(
        deed=Deed.ENTER_PHASE, at=instant_at(0), operator="nurse-1", phase=Phase.BASELINE
    )
    old.hear(enter, 0)
    for at in (10, 200):
        for metric, value in zip(NIBP, (100, 60, 75), strict=True):
            old.hear(seen(metric, value, at), at)
    assert old.system.limits_of(Metric.NIBP_SYS) != (90, 160)
    new = AlarmSystem(LIMITS)
    assert new.limits_of(Metric.NIBP_SYS) == (90, 160)
    assert new.alarms() == ()
