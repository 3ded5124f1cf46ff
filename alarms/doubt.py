"""What speaks against a value, and how far a doubtful value may decide."""

from enum import Enum, auto
from typing import Final

from alarms.board import Watch
from alarms.condition import Input
from alarms.rules import judge

CROSSED: Final = frozenset({Input.VIOLATED, Input.SEVERE})


class Doubt(Enum):
    """What speaks against a value.

    *Explained*: a zero the device explains. *Contradicted*: a zero beside a waveform that shows
    breaths. *Questionable*: so says the device. *Step*: an impossible step.
    """

    NONE = auto()
    EXPLAINED = auto()
    CONTRADICTED = auto()
    QUESTIONABLE = auto()
    STEP = auto()


def softened(watch: Watch, value: float, doubt: Doubt) -> Input:
    """Return the judgement of `value`, as far as doubt lets it decide.

    A printed zero that the device explains is unknown; one that the waveform contradicts is neither
    low nor normal. A questionable value is never normal, but a bad one counts: doubt hides nothing.
    After an impossible step one sample neither escalates at once nor clears; the next one decides.
    """
    assert watch.rule is not None
    verdict = judge(watch.rule, value)
    match doubt:
        case Doubt.NONE:
            return verdict
        case Doubt.EXPLAINED:
            return Input.UNKNOWN
        case Doubt.CONTRADICTED:
            return Input.BETWEEN
        case Doubt.QUESTIONABLE:
            return verdict if verdict in CROSSED else Input.UNKNOWN
        case Doubt.STEP:
            if verdict in CROSSED:
                return verdict if watch.policy.severe_delay else Input.VIOLATED
            return Input.BETWEEN if watch.is_standing else Input.UNKNOWN
