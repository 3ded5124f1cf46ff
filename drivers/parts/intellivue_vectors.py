"""Worked examples of IntelliVue messages on RS-232, put together by hand from public tables."""

from typing import Final

from drivers.contract import Vector
from monitor.model.metric import Metric

_OWN: Final = "put together by hand from the tables of public clients"

ASK_NUMERICS: Final = bytes.fromhex(
    "C0 11 01 00 24 E1 00 00 02 00 01 00 1C 00 01 00 07 00 16 00 21 00 00 00 00 00 00 00"
    "00 0C 16 00 08 00 01 00 01 00 06 08 03 9D 3B C1"
)
CREATE_RESULT: Final = bytes.fromhex(
    "C0 11 01 00 1C E1 00 00 02 00 02 00 14 00 01 00 01 00 0E 00 21 00 00 00 00 00 00 00"
    "00 0D 06 00 00 C3 09 C1"
)
RELEASE_REQUEST: Final = bytes.fromhex(
    "C0 11 01 00 1A 09 18 7D E1 16 61 80 30 80 02 01 01 A0 80 62 80 80 01 00 00 00 00 00"
    "00 00 00 00 41 08 C1"
)
NUMERICS_RESULT: Final = bytes.fromhex(
    "C0 11 01 00 BE E1 00 00 02 00 02 00 B6 00 01 00 07 00 B0 00 21 00 00 00 00 0C 16 00"
    "A6 00 01 00 12 34 50 FF FF FF FF FF FF FF FF 00 01 00 06 08 03 00 01 00 8E 00 00 00"
    "05 00 88 83 D5 00 01 00 0E 09 50 00 0A 4B B8 00 00 02 20 FF 00 03 CA 83 DC 00 01 00"
    "0E 09 50 00 0A 48 22 00 00 0A A0 00 00 00 48 84 21 00 01 00 0E 09 50 00 0A 50 B0 00"
    "00 0F 20 00 00 00 26 84 22 00 01 00 0E 09 50 00 0A 50 12 00 00 0A E0 00 00 00 0E 82"
    "6A 00 02 00 32 09 4B 00 22 00 03 00 1E 4A 05 00 00 0F 20 00 00 00 76 4A 06 00 00 0F"
    "20 00 00 00 4C 4A 07 00 00 0F 20 00 00 00 5A 09 90 00 08 20 24 03 15 10 42 30 00 4D"
    "2A C1"
)
NO_SATURATION: Final = bytes.fromhex(
    "C0 11 01 00 4A E1 00 00 02 00 02 00 42 00 01 00 07 00 3C 00 21 00 00 00 00 0C 16 00"
    "32 00 01 12 34 50 00 20 24 03 15 10 43 00 00 00 01 00 06 08 03 00 01 00 1A 00 00 00"
    "01 00 14 83 D5 00 01 00 0E 09 50 00 0A 4B B8 80 00 02 20 00 7F FF FF A0 70 C1"
)
OTHER_NUMERICS: Final = bytes.fromhex(
    "C0 11 01 00 A6 E1 00 00 02 00 02 00 9E 00 01 00 07 00 98 00 21 00 00 00 00 0C 16 00"
    "8E 00 01 12 34 50 00 20 24 03 15 10 43 00 00 00 01 00 06 08 03 00 01 00 76 00 00 00"
    "05 00 70 80 01 00 01 00 0E 09 50 00 0A 41 82 00 00 0A A0 00 00 00 48 83 DE 00 01 00"
    "0E 09 50 00 0A 4B B0 00 00 02 00 FF 00 00 19 84 23 00 01 00 0E 09 50 00 0A 50 BA 00"
    "00 0F 03 FF 00 00 02 85 00 00 01 00 0E 09 50 00 0A 4B 48 00 00 17 A0 FF 00 01 6E 82"
    "6B 00 02 00 1A 09 50 00 0A F0 E5 00 00 0A A0 00 00 00 4A 09 90 00 08 20 24 03 15 10"
    "42 30 00 88 6C C1"
)
SATURATION_LOW: Final = bytes.fromhex(
    "C0 11 01 00 74 E1 00 00 02 00 02 00 6C 00 01 00 07 00 66 00 21 00 00 00 00 0C 16 00"
    "5C 00 01 12 34 50 00 20 24 03 15 10 43 00 00 00 01 00 36 08 01 00 01 00 44 00 00 00"
    "01 00 3E 00 01 00 01 00 38 09 02 00 34 00 01 00 30 4B B8 00 3E 02 00 00 08 00 06 00"
    "00 83 D5 02 04 00 1E 00 01 00 00 00 00 00 00 40 00 00 12 00 53 00 70 00 4F 00 32 00"
    "20 00 4C 00 4F 00 57 00 00 C4 25 C1"
)
WAVES_RESULT: Final = bytes.fromhex(
    "C0 11 01 00 94 E1 00 00 02 00 02 00 8C 00 01 00 07 00 86 00 21 00 00 00 00 0C 16 00"
    "7C 00 01 12 34 50 00 20 24 03 15 10 43 00 00 00 01 00 09 08 03 00 01 00 64 00 00 00"
    "02 00 5E 90 01 00 02 00 22 09 6E 00 16 4B B4 00 00 00 10 00 64 00 C8 01 2C 01 90 01"
    "2C 00 C8 00 64 00 32 09 8D 00 04 00 00 00 40 90 02 00 04 00 30 09 6E 00 0E 50 AC 00"
    "00 00 08 00 00 01 90 0F A0 0E D8 09 6F 00 0C 00 00 00 00 00 00 00 64 00 00 27 10 09"
    "8D 00 04 00 00 00 80 09 96 00 02 0F 20 12 A3 C1"
)

VECTORS: Final = (
    Vector(
        NUMERICS_RESULT,
        (
            (Metric.SPO2, 97.0),
            (Metric.PULSE_RATE, 72.0),
            (Metric.ETCO2, 38.0),
            (Metric.RESP_RATE, 14.0),
            (Metric.NIBP_SYS, 118.0),
            (Metric.NIBP_DIA, 76.0),
            (Metric.NIBP_MEAN, 90.0),
        ),
        _OWN,
    ),
    Vector(NO_SATURATION, ((Metric.SPO2, None),), _OWN),
    Vector(
        OTHER_NUMERICS,
        (
            (Metric.HEART_RATE, 72.0),
            (Metric.PERFUSION_INDEX, 2.5),
            (Metric.FICO2, 1.5),
            (Metric.TEMP, 36.6),
            (Metric.NIBP_PULSE, 74.0),
        ),
        _OWN,
    ),
    Vector(SATURATION_LOW, (), _OWN),
    Vector(WAVES_RESULT, (), _OWN),
    Vector(ASK_NUMERICS, (), _OWN),
    Vector(CREATE_RESULT, (), _OWN),
    Vector(RELEASE_REQUEST, (), _OWN),
)
