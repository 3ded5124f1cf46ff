"""OBX rows of PCD-01 to observations: what counts as a number, and of which moment."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from drivers.parts.hl7_codes import (
    DISAGREE,
    FAHRENHEIT,
    LEFT_ALONE,
    metric_of,
    unit_of,
)
from drivers.parts.hl7_message import Segment, Time
from drivers.payload import in_unit, unit_flaw
from monitor.model.event import GenerationMode
from monitor.model.metric import Metric, describe

_NUMBER: Final = re.compile(r"[+-]?\d{1,7}(\.\d{0,6})?", re.ASCII)
_MISSING: Final = frozenset({"", "-", "--", "---", "----", '""', "NaN", "-100", "-100.0"})
_NO_VALUE_FLAGS: Final = frozenset({"INV", "OFF", "NAV", "CAL", "OUT"})
_DOUBT_FLAGS: Final = frozenset({"QUES"})
_PLAIN_FLAGS: Final = frozenset({"", "N", "TEST", "DEMO"})
_NO_RESULT: Final = "X"
_NEVER_ZERO_WITH_A_FLAG: Final = frozenset(
    {
        Metric.SPO2,
        Metric.RESP_RATE,
        Metric.HEART_RATE,
        Metric.PULSE_RATE,
        Metric.NIBP_SYS,
        Metric.NIBP_DIA,
        Metric.NIBP_MEAN,
        Metric.NIBP_PULSE,
    }
)
_VALUE_KINDS: Final = frozenset({"", "NM", "ST"})
_UNITS_NEEDED: Final = frozenset({"mmHg", "Cel"})


class Row(msgspec.Struct, frozen=True):
    """One row that is of a metric. `flaw`: why it is refused, else ""."""

    metric: Metric
    rank: int
    value: float | None
    time: Time | None
    is_doubtful: bool
    mode: GenerationMode
    flaw: str = ""


class Unknown(msgspec.Struct, frozen=True):
    """A row of something nobody here knows, by its name; `flaw` where it contradicts itself."""

    name: str
    flaw: str = ""


def read_row(obx: Segment, time: Time | None, ambient_mmhg: float) -> Row | Unknown | None:
    """Return what a row says; None where it says nothing about a patient.

    `time` is that of the rows' common start, for rows without one of their own.
    """
    code, name, system = (obx.text(3, part) for part in (1, 2, 3))
    found = metric_of(code, name, system)
    if found == "":
        found = metric_of(*(obx.text(3, part) for part in (4, 5, 6)))
    kind, text, status = obx.text(2), obx.text(5), obx.text(11)
    if isinstance(found, str):
        is_structure = not kind and not text
        if found == "" and (is_structure or name in LEFT_ALONE or kind == "NA"):
            return None
        return Unknown(name or code, DISAGREE if found else "")
    metric, rank = found
    flags = set(obx.words(8))
    mode = GenerationMode.DEMO if "DEMO" in flags else GenerationMode.REAL
    mode = GenerationMode.TEST if "TEST" in flags else mode
    is_doubtful = bool(flags & _DOUBT_FLAGS)
    row = Row(metric, rank, None, obx.time(14) or time, is_doubtful, mode)
    if text in _MISSING or status == _NO_RESULT or flags & _NO_VALUE_FLAGS:
        return row
    if kind not in _VALUE_KINDS or not _NUMBER.fullmatch(text):
        return msgspec.structs.replace(row, flaw="value is no number")
    value = float(text)
    if not value and metric in _NEVER_ZERO_WITH_A_FLAG and flags - _PLAIN_FLAGS:
        return row
    return _converted(row, value, obx, ambient_mmhg)


def _converted(row: Row, value: float, obx: Segment, ambient_mmhg: float) -> Row:
    own = describe(row.metric).unit
    unit = unit_of(obx.text(6, 1), obx.text(6, 2))
    if not obx.raw(6) and own not in _UNITS_NEEDED:
        unit = own
    if unit == FAHRENHEIT and own == "Cel":
        return msgspec.structs.replace(row, value=round((value - 32) / 1.8, 2))
    if unit == "%" and own == "mmHg" and row.metric in {Metric.ETCO2, Metric.FICO2}:
        mmhg = round(value * ambient_mmhg / 100, 2)
        return msgspec.structs.replace(row, value=mmhg, is_doubtful=True)
    if unit == "1" and row.metric is Metric.PERFUSION_INDEX:
        unit = "%"
    converted = in_unit(row.metric, value, unit)
    if converted is None:
        return msgspec.structs.replace(row, flaw=unit_flaw(row.metric, unit))
    return msgspec.structs.replace(row, value=converted)


def _order(row: Row) -> tuple[bool, bool, int]:
    return bool(row.flaw), row.value is None, row.rank


def moments_of(rows: Mapping[float, Sequence[Row]]) -> tuple[list[Row], list[Row]]:
    """Return what the orders of a message tell, by their times, and rows told by none of them.

    Orders of other times are other moments of one record: each is told, of the source that is the
    best one over all of them.
    """
    over_all, _ = best_rows([row for each in rows.values() for row in each])
    ranks = {row.metric: row.rank for row in over_all}
    told: list[Row] = []
    twice: list[Row] = []
    for time in sorted(rows):
        best, others = best_rows([row for row in rows[time] if row.rank == ranks[row.metric]])
        told += best
        twice += others
    return told, twice


def best_rows(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the best row for each metric, and those that could as well have been it."""
    best: dict[Metric, Row] = {}
    twice: list[Row] = []
    for row in rows:
        held = best.get(row.metric)
        if held is None or _order(row) < _order(held):
            best[row.metric] = row
        elif _order(row) == _order(held) and row.value != held.value:
            twice.append(row)
    return list(best.values()), twice
