"""Codes of observations and units as HL7 senders use them, matched by number and by name.

Where both are known and mean different things, the row is refused: copied test messages and
gateways with wrong tables are met in the field.
"""

import re
from typing import Final

from monitor.model.metric import Metric, describe

_M = Metric
# MDC code, name, metric, rank: of several rows for one metric the lowest rank is told.
_ROWS: Final = (
    (150456, "MDC_PULS_OXIM_SAT_O2", _M.SPO2, 0),
    (149530, "MDC_PULS_OXIM_PULS_RATE", _M.PULSE_RATE, 0),
    (147842, "MDC_ECG_HEART_RATE", _M.HEART_RATE, 0),
    (150021, "MDC_PRESS_BLD_NONINV_SYS", _M.NIBP_SYS, 0),
    (150022, "MDC_PRESS_BLD_NONINV_DIA", _M.NIBP_DIA, 0),
    (150023, "MDC_PRESS_BLD_NONINV_MEAN", _M.NIBP_MEAN, 0),
    (150301, "MDC_PRESS_CUFF_SYS", _M.NIBP_SYS, 1),
    (150302, "MDC_PRESS_CUFF_DIA", _M.NIBP_DIA, 1),
    (150303, "MDC_PRESS_CUFF_MEAN", _M.NIBP_MEAN, 1),
    (149546, "MDC_PULS_RATE_NON_INV", _M.NIBP_PULSE, 0),
    (151708, "MDC_CONC_AWAY_CO2_ET", _M.ETCO2, 0),
    (151728, "MDC_AWAY_CO2_ET", _M.ETCO2, 1),
    (151716, "MDC_CONC_AWAY_CO2_INSP", _M.FICO2, 0),
    (151594, "MDC_CO2_RESP_RATE", _M.RESP_RATE, 0),
    (151570, "MDC_AWAY_RESP_RATE", _M.RESP_RATE, 1),
    (151562, "MDC_RESP_RATE", _M.RESP_RATE, 2),
    (151578, "MDC_TTHOR_RESP_RATE", _M.RESP_RATE, 3),
    (150364, "MDC_TEMP_BODY", _M.TEMP, 0),
    (150344, "MDC_TEMP", _M.TEMP, 1),
    (150448, "MDC_PULS_OXIM_PERF_REL", _M.PERFUSION_INDEX, 0),
)
_LOINC: Final = {
    "59408-5": _M.SPO2,
    "2708-6": _M.SPO2,
    "8889-8": _M.PULSE_RATE,
    "8867-4": _M.HEART_RATE,
    "8480-6": _M.NIBP_SYS,
    "8462-4": _M.NIBP_DIA,
    "8478-0": _M.NIBP_MEAN,
    "19891-1": _M.ETCO2,
    "9279-1": _M.RESP_RATE,
    "8310-5": _M.TEMP,
}
# Philips monitors and gateways: partition and term of their own nomenclature, in hex, with a label
# of the monitor's as name. Most terms are MDC's; these are not.
_MDIL: Final = "MDIL"
_MDIL_CODE: Final = re.compile(r"([0-9A-Fa-f]{4})-([0-9A-Fa-f]{4})")
_MDIL_TERMS: Final = {
    0x4822: (_M.PULSE_RATE, 0),
    0x480A: (_M.PULSE_RATE, 1),  # the pulse that the monitor shows, of whichever source
    0x5000: (_M.RESP_RATE, 4),  # likewise the respiration
    0xF0E5: (_M.NIBP_PULSE, 0),
    0x50BA: (_M.FICO2, 1),
    **dict.fromkeys((0xF0C7, 0xF0C8, 0xF0C9, 0xF0CA), (_M.TEMP, 2)),  # T1 to T4
    **dict.fromkeys((0x4B60, 0x4B64, 0x4B6C, 0x4B78, 0xE004, 0xF0C4), (_M.TEMP, 0)),
    **dict.fromkeys((0xF108, 0xF10C), (_M.TEMP, 1)),  # mouth, axilla
}
_PHYSIOLOGICAL: Final = 2 * 65_536  # the partition of measurements
_BY_CODE: Final = {str(code): (metric, rank) for code, _, metric, rank in _ROWS}
_BY_NAME: Final = {name: (metric, rank) for _, name, metric, rank in _ROWS}
CODES: Final = {
    metric: f"{code}^{name}^MDC" for code, name, metric, rank in reversed(_ROWS) if rank == 0
}
METRICS: Final = frozenset(CODES)
# Read by nobody here: groups, waves, settings, what an alarm says of itself.
LEFT_ALONE: Final = frozenset({"MDC_PRESS_BLD_NONINV", "MDC_PULS_OXIM_PLETH"})
FAHRENHEIT: Final = "[degF]"
_UNITS: Final = (
    ("262656", "MDC_DIM_DIMLESS", "1"),
    ("262688", "MDC_DIM_PERCENT", "%"),
    ("264672", "MDC_DIM_PER_MIN", "/min"),
    ("264864", "MDC_DIM_BEAT_PER_MIN", "/min"),
    ("264928", "MDC_DIM_RESP_PER_MIN", "/min"),
    ("265987", "MDC_DIM_KILO_PASCAL", "kPa"),
    ("266016", "MDC_DIM_MMHG", "mmHg"),
    ("268192", "MDC_DIM_DEGC", "Cel"),
    ("266560", "MDC_DIM_FAHR", FAHRENHEIT),
)
_UNIT_BY_CODE: Final = {code: unit for code, _, unit in _UNITS}
_UNIT_BY_NAME: Final = {name: unit for _, name, unit in _UNITS}
# Words of UCUM, and of vendors' samples, beside those that every driver understands.
_UNIT_WORDS: Final = {
    **dict.fromkeys(("{breath}/min", "{breaths}/min", "{beats}/min", "bpm", "rpm"), "/min"),
    "mmhg": "mmHg",
    "kpa": "kPa",
    "\u2103": "Cel",  # one sign: degree Celsius
    "\u00b0c": "Cel",
}
_FIELDS: Final = {name: f"{code}^{name}^MDC" for code, name, _ in _UNITS}
_WRITTEN: Final = {
    "1": _FIELDS["MDC_DIM_DIMLESS"],
    "%": _FIELDS["MDC_DIM_PERCENT"],
    "/min": _FIELDS["MDC_DIM_BEAT_PER_MIN"],
    "mmHg": _FIELDS["MDC_DIM_MMHG"],
    "Cel": _FIELDS["MDC_DIM_DEGC"],
}
DISAGREE: Final = "code and name disagree"


def metric_of(code: str, name: str, system: str) -> tuple[Metric, int] | str:
    """Return metric and rank of an identifier, "" where nobody here knows it, or a flaw."""
    if system in {"LN", "LOINC"}:
        return (_LOINC[code], 0) if code in _LOINC else ""
    if system == _MDIL:
        plain = _mdc_of(code)
        term = int(plain) - _PHYSIOLOGICAL if plain.isdigit() else 0
        return _MDIL_TERMS.get(term, _BY_CODE.get(plain)) or ""
    by_code, by_name = _BY_CODE.get(code), _BY_NAME.get(name or code)
    if by_name and not by_code:
        code = "" if code in {name, "0"} or not name else _with_partition(code)
        by_code = _BY_CODE.get(code)
    if by_code and by_name:
        return by_code if by_code[0] is by_name[0] else DISAGREE
    if by_code:
        return DISAGREE if name.startswith("MDC_") else by_code
    if by_name:
        return DISAGREE if code else by_name
    return ""


def _with_partition(term: str) -> str:
    """Return the code of a term that was sent without its partition; any other as it is."""
    is_term = term.isascii() and term.isdigit() and len(term) <= 5
    return str(int(term) + _PHYSIOLOGICAL) if is_term else term


def _mdc_of(code: str) -> str:
    """Return the MDC code in a Philips one, `0002-4bb8`; any other as it is."""
    found = _MDIL_CODE.fullmatch(code)
    return str(int(found[1], 16) * 65_536 + int(found[2], 16)) if found else code


def unit_of(code: str, name: str) -> str:
    """Return a unit by MDC code or name, else the code as it is (UCUM); "" where they differ."""
    code = _mdc_of(code)
    by_code, by_name = _UNIT_BY_CODE.get(code), _UNIT_BY_NAME.get(name or code)
    if by_code and by_name and by_code != by_name:
        return ""
    return by_code or by_name or _UNIT_WORDS.get(code.lower(), code)


def unit_field(metric: Metric) -> str:
    """Return how the unit of `metric` is written in OBX-6."""
    if metric is Metric.RESP_RATE:
        return _FIELDS["MDC_DIM_RESP_PER_MIN"]
    return _WRITTEN[describe(metric).unit]
