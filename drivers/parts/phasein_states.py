"""What the analyser says about itself, gathered from every frame and from the slow registers."""

from typing import Final

import msgspec

from drivers.parts.edges import Alarm, State, gather
from drivers.parts.phasein_frames import (
    APNOEA,
    CHECK_LINE,
    DEMO,
    INACCURATE,
    MEASURING,
    O2_CALIBRATE,
    O2_LOW,
    O2_REPLACE,
    SELF_TEST,
    SENSOR_ERROR,
    SLEEP,
)
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric

_N = NoticeKind
NO_BREATH: Final = Alarm("no_breath", Metric.RESP_RATE)
STATUS_MASK: Final = 0xFE  # all but "breath detected", which changes with every breath
_Causes = tuple[tuple[int, str, State], ...]
# fmt: off
_STATUS: Final[_Causes] = (
    (APNOEA, "apnoea", NO_BREATH),
    (O2_LOW, "oxygen sensor low", _N.DEVICE_FAULT),
    (O2_REPLACE, "replace the oxygen sensor", _N.DEVICE_FAULT),
    (INACCURATE, "unspecified accuracy", _N.CHECK_CALIBRATION),
    (SENSOR_ERROR, "sensor error", _N.CO2_FAULT),
    (O2_CALIBRATE, "oxygen calibration needed", _N.CHECK_CALIBRATION),
)
_MODES: Final[_Causes] = (
    (SELF_TEST, "self-test", _N.WARMING_UP),
    (SLEEP, "sleep mode", _N.STANDBY),
)
_ERRORS: Final[_Causes] = (
    (0x01, "software error", _N.DEVICE_FAULT),
    (0x02, "hardware error", _N.DEVICE_FAULT),
    (0x04, "motor error", _N.DEVICE_FAULT),
    (0x08, "not calibrated", _N.CHECK_CALIBRATION),
    (0x10, "oxygen error", _N.DEVICE_FAULT),
)
_ADAPTER: Final[_Causes] = (
    (0x01, "replace the adapter or sampling line", _N.OCCLUSION),
    (0x02, "no adapter or sampling line fitted", _N.SAMPLE_LINE_OFF),
    (0x04, "oxygen port clogged", _N.DEVICE_FAULT),
)
_DOUBTFUL: Final[_Causes] = (
    (0x01, "CO2 out of range", _N.CO2_FAULT),
    (0x20, "ambient pressure out of range", _N.CHECK_CALIBRATION),
    (0x40, "zero needed", _N.CHECK_CALIBRATION),
)
_SERVICE: Final[_Causes] = (
    (0x02, "zero running", _N.AUTO_ZERO),
    (0x04, "span error", _N.CHECK_CALIBRATION),
    (0x08, "span calibration running", _N.AUTO_ZERO),
)
# fmt: on
_CHECK_ADAPTER: Final = "check the adapter"
_CHECK_SAMPLING_LINE: Final = "check the sampling line"
_HIDE_WAVE: Final = frozenset(
    {
        "self-test",
        "sleep mode",
        "sensor error",
        "zero running",
        "span calibration running",
        "no adapter or sampling line fitted",
        _CHECK_SAMPLING_LINE,
    }
)
_HIDE_VALUES: Final = _HIDE_WAVE | {"apnoea", "replace the adapter or sampling line"}
_HARMLESS: Final = frozenset(
    {
        "apnoea",
        "oxygen sensor low",
        "replace the oxygen sensor",
        "oxygen calibration needed",
        "oxygen error",
        "oxygen port clogged",
    }
)


class Registers(msgspec.Struct, frozen=True):
    """All the analyser last said of itself. `mode` None: not said yet, so nothing is known."""

    status: int = 0
    mode: int | None = None
    errors: int = 0
    adapter: int = 0
    doubtful: int = 0
    service: int = 0
    is_sidestream: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What the registers mean for numbers and samples."""

    states: dict[State, str]
    has_values: bool
    has_wave: bool
    is_settled: bool
    is_pressure_good: bool


def judge(registers: Registers) -> Verdict:
    """Return what `registers` mean."""
    causes: dict[str, State] = {}
    for word, table in (
        (registers.status, _STATUS),
        (registers.errors, _ERRORS),
        (registers.adapter, _ADAPTER),
        (registers.doubtful, _DOUBTFUL),
        (registers.service, _SERVICE),
    ):
        causes |= {words: says for mask, words, says in table if word & mask}
    causes |= {words: says for mode, words, says in _MODES if registers.mode == mode}
    if registers.status & CHECK_LINE:
        if registers.is_sidestream:
            causes[_CHECK_SAMPLING_LINE] = _N.SAMPLE_LINE_OFF
        else:
            causes[_CHECK_ADAPTER] = _N.CO2_FAULT
    measures = registers.mode in {MEASURING, DEMO, None}
    return Verdict(
        states=gather(causes),
        has_values=measures and not _HIDE_VALUES & causes.keys(),
        has_wave=measures and not _HIDE_WAVE & causes.keys(),
        is_settled=causes.keys() <= _HARMLESS,
        is_pressure_good=not registers.doubtful & 0x20,
    )
