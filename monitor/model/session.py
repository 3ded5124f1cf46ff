"""Words for the sitting: phases, and what an operator did."""

from enum import StrEnum

import msgspec

from monitor.model.instant import Instant


class Phase(StrEnum):
    """Where the sitting stands."""

    SETUP = "setup"
    BASELINE = "baseline"
    INFUSING = "infusing"
    PAUSED = "paused"
    OBSERVATION = "observation"
    READY = "ready"
    CLOSED = "closed"
    ABORTED = "aborted"


class Deed(StrEnum):
    """What an operator can do from a screen. `RESUME` ends any inactivation of a condition."""

    ACKNOWLEDGE = "acknowledge"
    PAUSE_AUDIO = "pause_audio"
    TURN_AUDIO_OFF = "turn_audio_off"
    PAUSE_ALARM = "pause_alarm"
    TURN_ALARM_OFF = "turn_alarm_off"
    RESUME = "resume"
    RESET = "reset"
    MARK_EVENT = "mark_event"
    ENTER_PHASE = "enter_phase"
    MEASURE_NIBP = "measure_nibp"


class OperatorAction(msgspec.Struct, frozen=True, tag="operator", omit_defaults=True, kw_only=True):
    """What a named person did. `alarm` names one condition; `note` stays on this machine."""

    deed: Deed
    at: Instant
    operator: str
    alarm: str = ""
    phase: Phase | None = None
    note: str = ""
