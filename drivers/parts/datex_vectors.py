"""Worked examples of the Datex interface: the vendor's requests, records put together by hand."""

from typing import Final

from drivers.contract import Vector
from monitor.model.metric import Metric

_VENDOR: Final = "vendor's worked example"
_OWN: Final = "put together by hand from the vendor's tables"

ASK_DISPLAYED: Final = bytes.fromhex(
    "7E 31 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 01 0A 00 0E 00 00 00 00 00 49 7E"
)
STOP_DISPLAYED: Final = bytes.fromhex(
    "7E 31 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 31 7E"
)
ASK_TREND: Final = bytes.fromhex(
    "7E 31 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 03 3C 00 0E 00 00 00 00 00 7D 5D 7E"
)
ASK_ECG_WAVE: Final = bytes.fromhex(
    "7E 48 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 FF 00 00 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 48 7E"
)
ASK_PLETH_AND_CO2: Final = bytes.fromhex(
    "7E 48 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 08 09 FF 00 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 58 7E"
)
ASK_ALARMS: Final = bytes.fromhex(
    "7E 34 00 00 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00 00 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 39 7E"
)
DISPLAYED: Final = bytes.fromhex(
    "7E 3E 01 07 0A 00 00 00 F1 53 65 00 00 00 00 00 00 00 00 01 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 F1 53 65 33 00 00 00 00 12 48 00 01 80 01"
    "80 01 80 0E 00 00 00 00 00 01 00 01 80 01 80 01 80 01 80 00 00 00 00 02 00 01 80 01"
    "80 01 80 01 80 00 00 00 00 10 00 01 80 01 80 01 80 01 80 00 00 00 00 03 00 01 80 01"
    "80 01 80 01 80 03 00 00 00 08 00 E0 2E 40 1F 54 24 48 00 03 00 00 00 0B 00 74 0E 00"
    "00 00 00 0C 00 01 80 00 00 00 00 0D 00 01 80 00 00 00 00 0E 00 01 80 03 00 00 00 00"
    "00 E4 25 48 00 FA 00 01 80 03 00 00 00 01 00 F4 01 05 00 0E 00 B0 1D 03 00 00 00 00"
    "00 72 06 2A 08 00 00 00 00 00 00 01 80 01 80 00 00 00 00 01 00 01 80 01 80 01 80 00"
    "00 00 00 00 00 01 80 01 80 01 80 01 80 01 80 01 80 01 80 01 80 00 00 00 00 00 00 01"
    "80 01 80 01 80 01 80 00 00 00 00 00 00 01 80 01 80 00 00 48 00 48 00 01 80 00 00 00"
    "00 00 00 01 80 00 00 00 00 0D 00 01 80 01 80 01 80 01 80 00 00 00 00 0E 00 01 80 01"
    "80 01 80 01 80 00 00 00 00 00 00 F6 7E"
)
CO2_BLOCK: Final = bytes.fromhex(
    "7E 60 00 08 0A 00 00 00 F1 53 65 00 00 00 00 01 00 00 00 09 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 19 00 01 00 00 00 00 00 00 00 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 64 00 2C 01 C2 01 E0 01 EA 01 EF 01 F2 01 F4 01 F4"
    "01 F4 01 2C 01 32 00 00 00 00 00 00 00 7F 7E"
)
PLETH_BLOCK: Final = bytes.fromhex(
    "7E 42 00 09 0A 00 00 00 F1 53 65 00 00 00 00 01 00 00 00 08 00 00 FF 00 00 00 00 00"
    "00 00 00 00 00 00 00 00 00 00 00 00 00 0A 00 00 00 00 00 00 00 32 00 64 00 4B 00 19"
    "00 E7 FF B5 FF 9C FF CE FF 01 80 8D 7E"
)

VECTORS: Final = (
    Vector(
        DISPLAYED,
        (
            (Metric.HEART_RATE, 72.0),
            (Metric.TEMP, 37.0),
            (Metric.SPO2, 97.0),
            (Metric.PULSE_RATE, 72.0),
            (Metric.PERFUSION_INDEX, 2.5),
            (Metric.ETCO2, 38.0),
            (Metric.FICO2, 0.4),
            (Metric.RESP_RATE, 14.0),
            (Metric.NIBP_SYS, 120.0),
            (Metric.NIBP_DIA, 80.0),
            (Metric.NIBP_MEAN, 93.0),
            (Metric.NIBP_PULSE, 72.0),
        ),
        _OWN,
    ),
    Vector(CO2_BLOCK, (), _OWN),
    Vector(PLETH_BLOCK, (), _OWN),
    Vector(ASK_DISPLAYED, (), _VENDOR),
    Vector(STOP_DISPLAYED, (), _VENDOR),
    Vector(ASK_TREND, (), _VENDOR),
    Vector(ASK_ECG_WAVE, (), _VENDOR),
    Vector(ASK_PLETH_AND_CO2, (), _OWN),
    Vector(ASK_ALARMS, (), _OWN),
)
