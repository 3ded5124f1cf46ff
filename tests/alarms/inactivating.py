"""What tests of inactivation share: a limit set that allows much, deeds, what came of them."""

from typing import Final

from alarms.limits import read_preset
from monitor.model.alarm import Inactivation
from monitor.model.instant import instant_at
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import PRESET_TEXT, Score

OFF: Final = (Deed.TURN_AUDIO_OFF, Deed.PAUSE_ALARM, Deed.TURN_ALARM_OFF)
STATE_OF: Final = {
    Deed.PAUSE_AUDIO: Inactivation.AUDIO_PAUSED,
    Deed.TURN_AUDIO_OFF: Inactivation.AUDIO_OFF,
    Deed.PAUSE_ALARM: Inactivation.ALARM_PAUSED,
    Deed.TURN_ALARM_OFF: Inactivation.ALARM_OFF,
    Deed.ACKNOWLEDGE: Inactivation.ACKNOWLEDGED,
}
GENEROUS: Final = read_preset(
    PRESET_TEXT.replace('alarm_off_max = "low"', 'alarm_off_max = "medium"'), "generous.toml"
)


def enter(score: Score, phase: Phase, at: float) -> None:
    """Enter a phase at `at` seconds."""
    action = OperatorAction(
        deed=Deed.ENTER_PHASE, at=instant_at(at), operator="nurse-1", phase=phase
    )
    score.hear(action, at)


def refusal(score: Score, deed: Deed, alarm: str) -> str:
    """Return why a deed is refused now; "" if it is not."""
    at = instant_at(score.now)
    return score.system.refusal(OperatorAction(deed=deed, at=at, operator="nurse-1", alarm=alarm))


def inactivation(score: Score, alarm: str) -> Inactivation:
    """Return what is in force for a condition, present or not."""
    every = (*score.system.alarms(), *score.system.inactivated())
    found = [each.inactivation for each in every if each.alarm == alarm]
    return found[0] if found else Inactivation.NONE
