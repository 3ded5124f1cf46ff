"""SenML over MQTT (RFC 8428, JSON and CBOR): measurements of any node that speaks it.

``[{"bn":"urn:dev:mac:..:","bt":1700000000,"n":"spo2","u":"%","v":97},{"n":"rr","u":"1/min","v":14}]``

A record's name says what it is, after the last `:`, `/` or `.` (``nibp/sys`` counts as one). Its
unit is never guessed: a pressure without one could be mmHg or kPa. Base fields hold for all that
follow; a time below 2**28 is relative to now, any other is seconds since 1970.
"""

import re
from collections.abc import Sequence
from math import isfinite
from typing import Final

import msgspec

from drivers.bedside import Said
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.envelope import Message, unpack
from drivers.options import CommonOptions, read_options
from drivers.parts.cbor import CborError
from drivers.parts.publishing import Listens, Publisher
from drivers.parts.senml_cbor import Record, is_cbor, read_records
from drivers.parts.vital_names import CARRIED, metric_named, names_with
from drivers.payload import PAYLOAD_SIZE_MAX, Intake, Reading, in_unit, unit_flaw
from drivers.reading import UnknownFields
from monitor.model.event import (
    DeviceEvent,
    Observation,
    reject,
)
from monitor.model.instant import Instant, between, in_seconds, later, seconds
from monitor.model.metric import Metric, describe

_VERSION_MAX: Final = 10
_RELATIVE_BELOW: Final = 2**28
_RECORDS_MAX: Final = 1000
_NAME_SIZE_MAX: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
_BASE_STRINGS: Final = ("bn", "bu")
_BASE_NUMBERS: Final = ("bt", "bv", "bver")
_OTHER_VALUES: Final = ("vs", "vb", "vd")
_KNOWN: Final = frozenset(
    {*_BASE_STRINGS, *_BASE_NUMBERS, *_OTHER_VALUES, "bs", "n", "u", "v", "s", "t", "ut"}
)


class SenMLOptions(CommonOptions, frozen=True, kw_only=True):
    """`names`: what this node calls things, beside the names known anyway."""

    names: dict[str, Metric] = msgspec.field(default_factory=dict)


class _Base(msgspec.Struct):
    """What the records so far have set for those that follow."""

    bn: str = ""
    bu: str = ""
    bt: float = 0.0
    bv: float = 0.0
    bver: float = _VERSION_MAX

    def take(self, record: Record) -> str:
        """Set what `record` sets; return what is wrong with it, if anything."""
        for key in _BASE_STRINGS:
            if key in record and not isinstance(record[key], str):
                return f"{key} is no text"
        for key in _BASE_NUMBERS:
            if key in record and not _is_number(record[key]):
                return f"{key} is no number"
        for key in (*_BASE_STRINGS, *_BASE_NUMBERS):
            if key in record:
                setattr(self, key, record[key])
        return "newer version of SenML" if self.bver > _VERSION_MAX else ""


class _Resolved(msgspec.Struct, frozen=True):
    """A record that stands alone."""

    name: str
    unit: str
    value: float
    time: float
    raw: bytes


def _is_number(value: object) -> bool:
    return isinstance(value, float) and isfinite(value)


def _resolve(record: Record, base: _Base) -> _Resolved | str:
    """Return what a record says with the base fields, or why it is refused."""
    strange = sorted(key for key in record if key not in _KNOWN and key.endswith("_"))
    if strange:
        return f"field {strange[0]!r} must be understood and is not"
    value, time = record.get("v"), record.get("t", 0.0)
    name, unit = record.get("n", ""), record.get("u", base.bu)
    if not _is_number(value) or not _is_number(time):
        return "value or time is no number"
    if not isinstance(name, str) or not isinstance(unit, str):
        return "name or unit is no text"
    name = base.bn + name
    if len(name) > _NAME_SIZE_MAX or not _NAME.fullmatch(name):
        return "name is none"
    assert isinstance(value, float), "a number is a float here"
    assert isinstance(time, float), "a number is a float here"
    raw = msgspec.json.encode(record)
    return _Resolved(name, unit, base.bv + value, base.bt + time, raw)


class SenMLProtocol(Listens):
    """Messages come; nothing is asked."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, SenMLOptions)
        self._intake = Intake(chosen.opened_utc_s)
        self._names = names_with(chosen.names)
        self._decoder = msgspec.json.Decoder(list[Record])
        self._unknown = UnknownFields()

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take one message; tell its readings in order of their time."""
        message = unpack(data)
        payload = message.payload
        if len(payload) > PAYLOAD_SIZE_MAX:
            return [reject("message too long", payload, now)]
        try:
            is_binary = is_cbor(payload)
            records = read_records(payload) if is_binary else self._decoder.decode(payload)
        except (CborError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return [reject(f"no SenML: {error}", payload, now)]
        if len(records) > _RECORDS_MAX:
            return [reject("too many records", payload, now)]
        events: list[DeviceEvent] = []
        resolved = self._resolve_all(records, events, now)
        times = [each.time for each in resolved if each.time >= _RELATIVE_BELOW]
        if times and not message.is_retained:
            self._intake.learn(max(times), now)
        for each in sorted(resolved, key=lambda each: each.time):
            events += self._admit(each, message, now)
        return events

    def _resolve_all(
        self, records: Sequence[Record], events: list[DeviceEvent], now: Instant
    ) -> list[_Resolved]:
        base = _Base()
        resolved = []
        for record in records:
            flaw = base.take(record)
            if flaw:  # what follows would be read with the wrong base
                events.append(reject(flaw, msgspec.json.encode(record), now))
                break
            if "v" not in record and not any(key in record for key in _OTHER_VALUES):
                continue
            result = _resolve(record, base)
            if isinstance(result, _Resolved):
                resolved.append(result)
            else:
                events.append(reject(result, msgspec.json.encode(record), now))
        return resolved

    def _admit(self, each: _Resolved, message: Message, now: Instant) -> Sequence[DeviceEvent]:
        metric = metric_named(each.name, self._names)
        if metric is None:
            ending = re.split(r"[:/.]", each.name)[-1][:32]  # the rest may identify a node
            return self._unknown.meet(f"name ending in {ending!r}", now)
        value = in_unit(metric, each.value, each.unit)
        if value is None:
            return [reject(f"{metric}: {unit_flaw(metric, each.unit)}", each.raw, now)]
        reading = Reading(metric, value, each.raw, message.is_retained)
        if each.time >= _RELATIVE_BELOW:
            return self._intake.admit_at(each.time, reading, now)
        if each.time > 0 or each.time <= -_RELATIVE_BELOW:
            return [reject(f"{metric}: time {each.time:g} is none", each.raw, now)]
        is_past = each.time < 0 and not message.is_retained
        taken = later(now, seconds(each.time)) if is_past else None
        return self._intake.admit(taken, reading, now)


_SENT_UNITS: Final = {"%": "%", "/min": "1/min", "mmHg": "Pa", "Cel": "Cel"}


def _record(observation: Observation, now: Instant) -> Record:
    unit = _SENT_UNITS[describe(observation.metric).unit]
    value = observation.value or 0.0
    record: Record = {
        "n": str(observation.metric),
        "u": unit,
        "v": round(value * 133.322, 2) if unit == "Pa" else value,
    }
    if observation.taken is not None and observation.taken < now:
        record["t"] = in_seconds(between(now, observation.taken))
    return record


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return one pack that says the observations; what is not available is left out."""
    now = max((each.at for each in events), default=Instant(0))
    records = [
        _record(each, now)
        for each in events
        if isinstance(each, Observation) and each.value is not None and each.metric in CARRIED
    ]
    return msgspec.json.encode(records) if records else b""


def _pack(said: Said, now: Instant) -> bytes:
    """Return the pack a node publishes now, older readings with their age."""
    return encode([_current(each, now) for each in said.observations.values()])


def _current(observation: Observation, now: Instant) -> Observation:
    """Return an observation as it is told now: an episodic one says when it was taken."""
    taken = observation.taken
    if taken is None and describe(observation.metric).stale_after is None:
        taken = observation.at
    return msgspec.structs.replace(observation, at=now, taken=taken)


DRIVER: Final = Driver(
    name="senml",
    title="Any node that publishes SenML (JSON, CBOR)",
    reference="RFC 8428; IANA SenML units",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.MQTT}),
    metrics=CARRIED,
    silence_limit=seconds(15),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=SenMLProtocol,
    encode=encode,
    open_device=lambda: Publisher(_pack),
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 350, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.ETCO2: (0, 150, 1),
        Metric.NIBP_SYS: (20, 300, 1),
        Metric.TEMP: (15, 50, 0.5),
    },
    vectors=(
        Vector(
            b'[{"bn":"urn:dev:mac:0011223344556677:","bt":1700000000,"n":"spo2","u":"%","v":97},'
            b'{"n":"pulse","u":"beat/min","v":72},{"n":"rr","u":"1/min","v":14},'
            b'{"n":"etco2","u":"Pa","v":5066.0},{"n":"nibp/sys","u":"Pa","v":15732.0,"t":-50}]',
            (
                (Metric.NIBP_SYS, 118.0),
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
                (Metric.RESP_RATE, 14.0),
                (Metric.ETCO2, 38.0),
            ),
            "RFC 8428 with the IANA unit registry, put together by hand",
        ),
        Vector(
            b'[{"n":"hr","u":"Hz","v":1.2},{"n":"fico2","u":"kPa","v":0.4},'
            b'{"n":"nibp/dia","u":"hPa","v":98.66},{"n":"nibp/mean","u":"mmHg","v":88},'
            b'{"n":"nibp/pulse","u":"beat/min","v":85},{"n":"pi","u":"/100","v":3.5},'
            b'{"n":"temp","u":"Cel","v":36.6},{"n":"cuff_pressure","u":"Pa","v":17065.2}]',
            (
                (Metric.HEART_RATE, 72.0),
                (Metric.FICO2, 3.0),
                (Metric.NIBP_DIA, 74.0),
                (Metric.NIBP_MEAN, 88.0),
                (Metric.NIBP_PULSE, 85.0),
                (Metric.PERFUSION_INDEX, 3.5),
                (Metric.TEMP, 36.6),
                (Metric.CUFF_PRESSURE, 128.0),
            ),
            "the registry's units applied by hand",
        ),
        Vector(
            bytes.fromhex(
                "83 A5 21 63 6E 31 3A 22 1A 65 53 F1 00 00 64 73 70 6F 32 01 61 25 02 18 61"
                "A3 00 62 72 72 01 65 31 2F 6D 69 6E 02 0E"
                "A3 00 65 65 74 63 6F 32 01 62 50 61 02 C4 82 21 1A 00 07 BA E8"
            ),
            ((Metric.SPO2, 97.0), (Metric.RESP_RATE, 14.0), (Metric.ETCO2, 38.0)),
            "RFC 8428, section 6, put together by hand",
        ),
    ),
    doubts=(
        "mmHg is not a registered unit; nodes send it and it is taken",
        "of CBOR, big numbers and strings of open length are refused",
        "without the wall time of the opening, the newest payload time heard counts as now",
    ),
)
