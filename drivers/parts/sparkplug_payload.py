"""The Sparkplug B payload: which field is what, read into records and written back."""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.parts.protobuf import Field, ProtobufError, field, fields

TIME, METRIC, SEQUENCE = 1, 2, 3
NAME, ALIAS, METRIC_TIME, DATATYPE, IS_HISTORICAL, IS_NULL, PROPERTIES = 1, 2, 3, 4, 5, 7, 9
INT, LONG, FLOAT, DOUBLE, BOOLEAN, STRING = 10, 11, 12, 13, 14, 15
KEYS, VALUES = 1, 2
PROPERTY_INT, PROPERTY_LONG, PROPERTY_STRING = 3, 4, 8
TYPE_DOUBLE, TYPE_BOOLEAN, TYPE_STRING, TYPE_UINT64 = 10, 11, 12, 8
METRICS_MAX: Final = 1000
_SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
QUALITY_GOOD: Final = 192


class SparkMetric(msgspec.Struct, frozen=True):
    """One metric as sent. `value` None: null, or of a kind that is no plain value."""

    name: str = ""
    alias: int | None = None
    time_ms: int | None = None
    datatype: int = 0
    is_historical: bool = False
    is_null: bool = False
    value: float | bool | str | None = None
    unit: str = ""
    quality: int = QUALITY_GOOD


class Payload(msgspec.Struct, frozen=True):
    """One payload as sent."""

    time_ms: int | None = None
    sequence: int | None = None
    metrics: tuple[SparkMetric, ...] = ()


def read_payload(data: bytes) -> Payload:
    """Return what `data` says.

    Raises:
        ProtobufError: it is no payload.
    """
    time_ms: int | None = None
    sequence: int | None = None
    metrics: list[SparkMetric] = []
    for each in fields(data):
        if each.number == TIME:
            time_ms = each.whole()
        elif each.number == SEQUENCE:
            sequence = each.whole()
        elif each.number == METRIC:
            metrics.append(_read_metric(each.content()))
            if len(metrics) > METRICS_MAX:
                raise ProtobufError("too many metrics")
    return Payload(time_ms, sequence, tuple(metrics))


def _read_metric(data: bytes) -> SparkMetric:
    found = {each.number: each for each in fields(data)}
    unit, quality = _read_properties(found[PROPERTIES].content()) if PROPERTIES in found else _PLAIN
    datatype = found[DATATYPE].whole() if DATATYPE in found else 0
    return SparkMetric(
        name=found[NAME].text() if NAME in found else "",
        alias=found[ALIAS].whole() if ALIAS in found else None,
        time_ms=found[METRIC_TIME].whole() if METRIC_TIME in found else None,
        datatype=datatype,
        is_historical=IS_HISTORICAL in found and found[IS_HISTORICAL].whole() != 0,
        is_null=IS_NULL in found and found[IS_NULL].whole() != 0,
        value=_value(found, datatype),
        unit=unit,
        quality=quality,
    )


def _value(found: dict[int, Field], datatype: int) -> float | bool | str | None:
    for number in (FLOAT, DOUBLE):
        if number in found:
            return found[number].real()
    for number in (INT, LONG):
        if number in found:
            return float(signed(found[number].whole(), datatype))
    if BOOLEAN in found:
        return found[BOOLEAN].whole() != 0
    return found[STRING].text() if STRING in found else None


def signed(value: int, datatype: int) -> int:
    """Return an integer as its type means it: Int8 to Int64 travel as two's complement."""
    bits = _SIGNED_BITS.get(datatype)
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


_PLAIN: Final = ("", QUALITY_GOOD)


def _read_properties(data: bytes) -> tuple[str, int]:
    """Return unit and quality, where the property set has them."""
    keys: list[str] = []
    values: list[dict[int, Field]] = []
    for each in fields(data):
        if each.number == KEYS:
            keys.append(each.text())
        elif each.number == VALUES:
            values.append({one.number: one for one in fields(each.content())})
    unit, quality = _PLAIN
    for key, value in zip(keys, values, strict=False):
        if key.lower() in {"engunit", "unit"} and PROPERTY_STRING in value:
            unit = value[PROPERTY_STRING].text()
        elif key.lower() == "quality":
            number = next((each for each in (PROPERTY_INT, PROPERTY_LONG) if each in value), None)
            quality = QUALITY_GOOD if number is None else value[number].whole()
    return unit, quality


def write_metric(metric: SparkMetric) -> bytes:
    """Return a metric; its value as double, boolean or null."""
    parts = [field(NAME, metric.name)] if metric.name else []
    if metric.alias is not None:
        parts.append(field(ALIAS, metric.alias))
    parts.append(field(DATATYPE, metric.datatype or TYPE_DOUBLE))
    if metric.unit:
        unit = field(1, TYPE_STRING) + field(PROPERTY_STRING, metric.unit)
        parts.append(field(PROPERTIES, field(KEYS, "engUnit") + field(VALUES, unit)))
    if isinstance(metric.value, bool):
        parts.append(field(BOOLEAN, int(metric.value)))
    elif isinstance(metric.value, int | float):
        is_long = metric.datatype == TYPE_UINT64
        value = field(LONG, int(metric.value)) if is_long else field(DOUBLE, float(metric.value))
        parts.append(value)
    else:
        parts.append(field(IS_NULL, 1))
    return b"".join(parts)


def write_payload(
    metrics: Sequence[SparkMetric], sequence: int | None = None, time_ms: int | None = None
) -> bytes:
    """Return a payload."""
    parts = [] if time_ms is None else [field(TIME, time_ms)]
    parts += [field(METRIC, write_metric(each)) for each in metrics]
    if sequence is not None:
        parts.append(field(SEQUENCE, sequence))
    return b"".join(parts)
