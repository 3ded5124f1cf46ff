"""What MEDIBUS codes mean: measured data, alarms, text messages, devices; code pages 1.

Codes that are known and of no use here (ventilation, gases, agents) are named so that only what
nobody knows is told as unknown.
"""

from typing import Final

from monitor.model.event import NoticeKind
from monitor.model.metric import Metric

ETCO2_CODES: Final = {"mmHg": 0xE6, "kPa": 0xE3, "%": 0xDB}
FICO2_CODES: Final = {"mmHg": 0xE5, "kPa": 0xFF, "%": 0xDA}
UNITS: Final = ("mmHg", "kPa", "%")  # in the order of preference where the device names none
RESP_RATE_BY_CO2: Final = 0xD5
RESP_RATE_OTHERS: Final = (0xD6, 0xD7, 0xB4, 0xD9)
PLAIN: Final = (
    (0xEB, Metric.SPO2),
    (0xE1, Metric.PULSE_RATE),
    (0xDC, Metric.HEART_RATE),
)
NIBP_CODES: Final = (
    (0x96, Metric.NIBP_SYS),
    (0x8C, Metric.NIBP_DIA),
    (0x91, Metric.NIBP_MEAN),
)
NIBP_AGE: Final = 0x92
TEMP_CODES: Final = (0xC3, 0xBE)
AMBIENT: Final = 0x6B
READ: Final = {
    *ETCO2_CODES.values(),
    *FICO2_CODES.values(),
    RESP_RATE_BY_CO2,
    *RESP_RATE_OTHERS,
    *(code for code, _ in (*PLAIN, *NIBP_CODES)),
    NIBP_AGE,
    *TEMP_CODES,
    AMBIENT,
}
_LEFT_ALONE: Final = bytes.fromhex(
    "05 06 07 08 09 0B 50 51 52 53 54 55 56 57 58 59 5A 5B 5C 5D 64 71 72 73 74 78 79 7A 7D"
    "81 82 88 89 8A 8B AC AD AE AF B0 B1 B2 B5 B7 B8 B9 BD C1 C4 C9 DF E9 EA ED EE EF F0"
    "F4 F5 F6 F7 F8 F9 FB FC"
)
KNOWN: Final = frozenset({*READ, *_LEFT_ALONE})

_N = NoticeKind
ALARMS_1: Final[dict[int, tuple[NoticeKind | str, Metric | None, str]]] = {
    0x00: ("no_breath", Metric.RESP_RATE, "apnoea, combined"),
    0x0D: ("no_breath", Metric.RESP_RATE, "no CO2 change for 30 s"),
    0x0E: ("no_breath", Metric.RESP_RATE, "no volume"),
    0x0F: ("no_breath", Metric.RESP_RATE, "no pressure"),
    0x98: ("no_breath", Metric.RESP_RATE, "apnoea"),
    0x90: ("resp_rate_high", Metric.RESP_RATE, ""),
    0x27: ("etco2_low", Metric.ETCO2, ""),
    0x28: ("etco2_high", Metric.ETCO2, ""),
    0x3C: ("fico2_high", Metric.FICO2, ""),
    0x56: ("no_breath_alarm_off", Metric.RESP_RATE, ""),
    0x57: ("co2_alarms_off", Metric.ETCO2, ""),
    0x3D: (_N.OCCLUSION, None, ""),
    0x3E: (_N.CHECK_CALIBRATION, None, ""),
    0x63: (_N.WARMING_UP, None, ""),
    0x64: (_N.CO2_FAULT, None, "clean the CO2 window"),
    0x6A: (_N.CO2_FAULT, None, "CO2 failure"),
    0xD9: (_N.CO2_FAULT, None, "CO2 sensor disconnected"),
    0x01: ("pulse_not_found", Metric.PULSE_RATE, ""),
    0x02: ("pulse_rate_low", Metric.PULSE_RATE, ""),
    0x1E: ("pulse_rate_high", Metric.PULSE_RATE, ""),
    0x07: ("spo2_low", Metric.SPO2, ""),
    0x22: ("spo2_high", Metric.SPO2, ""),
    0x5B: ("spo2_alarms_off", Metric.SPO2, ""),
    0x35: (_N.SENSOR_OFF, None, "sensor disconnected or faulty"),
    0x68: (_N.SENSOR_FAULT, None, "oximeter failure"),
    0x1A: ("nibp_sys_low", Metric.NIBP_SYS, ""),  # UNCERTAIN, one source
    0x23: ("nibp_sys_high", Metric.NIBP_SYS, ""),  # UNCERTAIN, one source
    0x4B: (_N.LOW_BATTERY, None, ""),
}
TEXT_UNITS: Final = {0x22: "mmHg", 0x23: "kPa", 0x24: "%"}
TEXT_STANDBY: Final = frozenset({0x1E, 0x54})
TEXT_LANGUAGE: Final = 0x2C
DEVICES: Final = {
    "8200": "Evita 2",
    "8230": "Evita 2 dura",
    "8240": "Evita 4",
    "8260": "EvitaXL",
    "8300": "Capnosat",
}
_MONTH_NAMES: Final = (
    "JAN,FEB,MAR MRZ,APR,MAI MAY,JUN,JUL,AUG,SEP,OKT OCT,NOV,DEZ DEC"  # German, some English
)
MONTHS: Final = {
    name: number
    for number, names in enumerate(_MONTH_NAMES.split(","), start=1)
    for name in names.split()
}
