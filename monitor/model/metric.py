"""What can be measured, keyed by IEEE 11073-10101 identifiers; one fixed unit for each metric.

Codes come from the nomenclature tables that several open implementations agree on
(docs/devices/README.md). They are to be checked against the RTMMS before any conformity is claimed.
"""

from enum import StrEnum
from typing import Final

import msgspec

from monitor.model.instant import Duration, seconds


class Metric(StrEnum):
    """A numeric or a waveform that a device can give. The value is its public name."""

    SPO2 = "spo2"
    PULSE_RATE = "pulse_rate"
    HEART_RATE = "heart_rate"
    ETCO2 = "etco2"
    FICO2 = "fico2"
    RESP_RATE = "resp_rate"
    NIBP_SYS = "nibp_sys"
    NIBP_DIA = "nibp_dia"
    NIBP_MEAN = "nibp_mean"
    NIBP_PULSE = "nibp_pulse"
    PERFUSION_INDEX = "perfusion_index"
    TEMP = "temp"
    CUFF_PRESSURE = "cuff_pressure"
    PLETH = "pleth"
    CO2_WAVE = "co2_wave"


class MetricDescriptor(msgspec.Struct, frozen=True):
    """The fixed facts of a metric.

    `technical_low` and `technical_high` bound what a device can mean at all, in `unit`: a value
    outside is garbage, never an extreme patient (hazard H11 wants that range wide). `stale_after`
    is the longest age at which a value is still shown as current; an episodic metric (a cuff) has
    none, its schedule says when it is overdue.
    """

    metric: Metric
    title: str
    unit: str
    ucum: str
    mdc: str
    mdc_code: int
    technical_low: float
    technical_high: float
    decimals: int = 0
    stale_after: Duration | None = None
    is_wave: bool = False


_M = Metric
_S: Final = seconds
# fmt: off
# metric, title, unit, UCUM, MDC name, MDC code, technical range, decimals, stale after
_NUMERICS: Final = (
    (_M.SPO2, "SpO2", "%", "%", "MDC_PULS_OXIM_SAT_O2", 150456, 1, 100, 0, _S(10)),
    (_M.PULSE_RATE, "Pulse", "/min", "/min", "MDC_PULS_OXIM_PULS_RATE", 149530, 10, 350, 0, _S(10)),
    (_M.HEART_RATE, "HR", "/min", "/min", "MDC_ECG_HEART_RATE", 147842, 0, 350, 0, _S(10)),
    (_M.ETCO2, "EtCO2", "mmHg", "mm[Hg]", "MDC_CONC_AWAY_CO2_ET", 151708, 0, 150, 0, _S(10)),
    (_M.FICO2, "FiCO2", "mmHg", "mm[Hg]", "MDC_CONC_AWAY_CO2_INSP", 151716, 0, 150, 0, _S(10)),
    (_M.RESP_RATE, "Resp", "/min", "/min", "MDC_CO2_RESP_RATE", 151594, 0, 150, 0, _S(10)),
    (_M.NIBP_SYS, "NIBP sys", "mmHg", "mm[Hg]", "MDC_PRESS_BLD_NONINV_SYS", 150021, 20, 300, 0, None),
    (_M.NIBP_DIA, "NIBP dia", "mmHg", "mm[Hg]", "MDC_PRESS_BLD_NONINV_DIA", 150022, 10, 250, 0, None),
    (_M.NIBP_MEAN, "NIBP mean", "mmHg", "mm[Hg]", "MDC_PRESS_BLD_NONINV_MEAN", 150023, 15, 280, 0, None),
    (_M.NIBP_PULSE, "NIBP pulse", "/min", "/min", "MDC_PULS_RATE_NON_INV", 149546, 10, 350, 0, None),
    (_M.PERFUSION_INDEX, "Perfusion", "%", "%", "MDC_PULS_OXIM_PERF_REL", 150448, 0, 100, 1, _S(10)),
    (_M.TEMP, "Temp", "Cel", "Cel", "MDC_TEMP_BODY", 150364, 15, 50, 1, _S(60)),
    (_M.CUFF_PRESSURE, "Cuff", "mmHg", "mm[Hg]", "MDC_PRESS_CUFF", 150300, 0, 350, 0, _S(3)),
)
_WAVES: Final = (
    (_M.PLETH, "Pleth", "1", "1", "MDC_PULS_OXIM_PLETH", 150452, 0, 65535, 0, _S(3)),
    (_M.CO2_WAVE, "CO2", "mmHg", "mm[Hg]", "MDC_AWAY_CO2", 151724, -10, 150, 0, _S(3)),
)
# fmt: on
DESCRIPTORS: Final = {row[0]: MetricDescriptor(*row) for row in _NUMERICS} | {
    row[0]: MetricDescriptor(*row, is_wave=True) for row in _WAVES
}
NIBP: Final = (Metric.NIBP_SYS, Metric.NIBP_DIA, Metric.NIBP_MEAN)


def describe(metric: Metric) -> MetricDescriptor:
    """Return the fixed facts of `metric`."""
    return DESCRIPTORS[metric]
