"""MEDIBUS bytes and what they mean: the vendor's worked examples, and some put together by hand."""

from typing import Final

from drivers.contract import Vector
from monitor.model.metric import Metric

_VENDOR: Final = "vendor's worked example, as repeated in public copies of the protocol definition"
_OWN: Final = "put together by hand from the vendor's code lists"
_CURVES: Final = (  # pressure, CO2 and pleth: offered, chosen by a host, taken, sent once
    b"\x01S00   16000  -10  10037006   16000  -20  10046002   16000    0  1003E825\r"
    b"\x1bT000106010201BA\r\x01T55\r"
    b"\xd7\x91\x81\x8d\x83\xb4\x87\xd0"
)

VECTORS: Final = (
    Vector(
        bytes.fromhex("01 24 45 42 20 39 38 20 45 31 20 37 30 20 37 41 0D"),
        ((Metric.SPO2, 98.0), (Metric.PULSE_RATE, 70.0)),
        _VENDOR,
    ),
    Vector(
        bytes.fromhex(
            "01 24 44 43 20 37 32 20 43 33 33 37 2E 30 39 36 31 31 38 20 38 43 20 37 36 20"
            "39 31 20 39 30 20 39 32 20 30 20 20 46 32 0D"
        ),
        (
            (Metric.HEART_RATE, 72.0),
            (Metric.TEMP, 37.0),
            (Metric.NIBP_SYS, 118.0),
            (Metric.NIBP_DIA, 76.0),
            (Metric.NIBP_MEAN, 90.0),
        ),
        _OWN,
    ),
    Vector(
        bytes.fromhex(
            "01 24 44 35 31 34 20 20 44 41 20 30 2E 33 44 42 20 35 2E 30 45 33 20 35 2E 31"
            "45 35 32 20 20 20 45 36 33 38 20 20 45 42 20 39 37 20 45 31 20 37 32 20 36 36 0D"
        ),
        (
            (Metric.ETCO2, 38.0),
            (Metric.FICO2, 2.0),
            (Metric.SPO2, 97.0),
            (Metric.PULSE_RATE, 72.0),
            (Metric.RESP_RATE, 14.0),
        ),
        _OWN,
    ),
    Vector(_CURVES, (), "the vendor's real-time example with a pleth added by hand"),
)
