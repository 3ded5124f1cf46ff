"""The Capnostat's status block, once a second: what is the case, and what the numbers are worth."""

from typing import Final

import msgspec

from drivers.parts.edges import Alarm, State, gather
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric

_N = NoticeKind
NO_BREATH: Final = Alarm("no_breath", Metric.RESP_RATE)
_Causes = tuple[tuple[int, str, State], ...]
# fmt: off
_BREATHING: Final[_Causes] = (
    (0x01, "CO2 is negative", _N.CO2_FAULT),
    (0x02, "check the airway adapter", _N.CO2_FAULT),
    (0x08, "CO2 out of range", _N.CO2_FAULT),
    (0x40, "no breath within the time-out", NO_BREATH),
)
_BREATHING_DOUBTFUL: Final = 0x14
_TEMPERATURE: Final[_Causes] = (
    (1, "temperature below its set point", _N.WARMING_UP),
    (2, "temperature above its set point", _N.DEVICE_FAULT),
    (3, "temperature unstable", _N.WARMING_UP),
)
_ZERO: Final[_Causes] = (
    (1, "zero running", _N.AUTO_ZERO),
    (2, "zero required", _N.CHECK_CALIBRATION),
    (3, "zero required after an error", _N.CHECK_CALIBRATION),
)
NOT_SET: Final = "barometer or gas compensation not set"
_PNEUMATICS: Final[_Causes] = (
    (0x01, "sampling line disconnected", _N.SAMPLE_LINE_OFF),
    (0x02, "pump life exceeded", _N.DEVICE_FAULT),
    (0x04, "occlusion or pressure fault", _N.OCCLUSION),
    (0x08, "pump off", _N.DEVICE_FAULT),
)
_MESSAGES: Final[_Causes] = (
    (1, "sensor over temperature", _N.DEVICE_FAULT),
    (2, "sensor faulty", _N.CO2_FAULT),
    (3, NOT_SET, _N.CHECK_CALIBRATION),
    (4, "sleep mode", _N.STANDBY),
    (5, "zero running", _N.AUTO_ZERO),
    (6, "warm-up", _N.WARMING_UP),
    (7, "zero required", _N.CHECK_CALIBRATION),
    (8, "CO2 out of range", _N.CO2_FAULT),
    (9, "check the airway adapter", _N.CO2_FAULT),
    (10, "check the sampling line", _N.SAMPLE_LINE_OFF),
)
# fmt: on
_WITHOUT_WAVE: Final = frozenset(
    {
        "zero running",
        "sensor faulty",
        "sleep mode",
        "warm-up",
        "sampling line disconnected",
        "check the sampling line",
        "occlusion or pressure fault",
        "pump off",
    }
)
_HARMLESS: Final = frozenset({"pump life exceeded", "no breath within the time-out"})
BLOCK_SIZE: Final = 5


class Status(msgspec.Struct, frozen=True):
    """What one block says. `has_values`: the numbers are of now, not repeated old ones.

    `is_settled`: nothing is the case that makes a number doubtful.
    """

    states: dict[State, str]
    has_values: bool
    has_wave: bool
    is_settled: bool
    asks_for_settings: bool
    unknown: tuple[str, ...]


def read_status(block: bytes) -> Status:
    """Return what the five bytes say."""
    breathing, state, _, pneumatics, message = block
    causes: dict[str, State | None] = {}
    causes |= {words: says for mask, words, says in _BREATHING if breathing & mask}
    causes |= {words: says for code, words, says in _TEMPERATURE if state & 3 == code}
    causes |= {words: says for code, words, says in _ZERO if state >> 2 & 3 == code}
    causes |= {words: says for mask, words, says in _PNEUMATICS if pneumatics & mask}
    causes |= {words: says for code, words, says in _MESSAGES if message == code}
    if state & 0x10:
        causes[NOT_SET] = _N.CHECK_CALIBRATION
    has_wave = not _WITHOUT_WAVE & causes.keys()
    unknown = []
    if breathing & _BREATHING_DOUBTFUL:
        unknown.append(f"status byte 1 bits {breathing & _BREATHING_DOUBTFUL:02X}")
    if message > _MESSAGES[-1][0]:
        unknown.append(f"message {message:02X}")
    return Status(
        states=gather(causes),
        has_values=has_wave and NO_BREATH not in causes.values(),
        has_wave=has_wave,
        is_settled=causes.keys() <= _HARMLESS,
        asks_for_settings=NOT_SET in causes,
        unknown=tuple(unknown),
    )


def status_block(states: dict[State, str]) -> bytes:
    """Return a block that says `states`: of each the first cause, and the message that fits."""
    causes = set()
    everything = (*_BREATHING, *_PNEUMATICS, *_TEMPERATURE, *_ZERO, *_MESSAGES)
    for state, detail in states.items():
        fitting = [words for _, words, says in everything if says == state]
        causes.add(next((words for words in fitting if words in detail), fitting[0]))
    block = bytearray(BLOCK_SIZE)
    block[0] = sum(mask for mask, words, _ in _BREATHING if words in causes)
    block[1] = next((code for code, words, _ in _TEMPERATURE if words in causes), 0)
    block[1] |= next((code for code, words, _ in _ZERO if words in causes), 0) << 2
    block[1] |= 0x10 if NOT_SET in causes else 0
    block[3] = sum(mask for mask, words, _ in _PNEUMATICS if words in causes)
    block[4] = next((code for code, words, _ in _MESSAGES if words in causes), 0)
    if NoticeKind.SAMPLE_LINE_OFF in states:
        block[4] = 10
    return bytes(block)
