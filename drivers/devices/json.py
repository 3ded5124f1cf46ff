"""JSON over MQTT: whatever a gateway publishes, by a mapping of its fields in the configuration.

A mapping is a list of shapes. A shape names the topic it is for, the objects in the message that
hold readings (`each`), where their time is, and which field is which metric in which unit. A path
is keys joined by dots; `*` stands for each item of a list. Keys are compared without regard to
case. With no mapping given, plain flat objects are understood::

    {"spO2": 97, "pulse": 72, "time": "2023-11-14T22:13:20"}

docs/devices/json.md shows mappings for the conventions met in the field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from drivers.bedside import Said
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    OptionError,
    Options,
    TransportKind,
    Vector,
)
from drivers.envelope import Message, unpack
from drivers.options import CommonOptions, read_options
from drivers.parts.publishing import Listens, Publisher
from drivers.payload import PAYLOAD_SIZE_MAX, Intake, Reading, in_unit, known_units
from drivers.times import utc_s_of
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    reject,
)
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric, describe

Missing: TypeAlias = tuple[float | str, ...]

_OBJECTS_MAX: Final = 1000
_NUMBER_MAX: Final = 1e9
_NUMBER: Final = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
_MISSING: Final[Missing] = ("", "-", "--", "---", -1.0, -100.0, 65535.0)
_FLAT_NAMES: Final = {
    "spo2": Metric.SPO2,
    "pulse": Metric.PULSE_RATE,
    "pulse_rate": Metric.PULSE_RATE,
    "heart_rate": Metric.HEART_RATE,
    "hr": Metric.HEART_RATE,
    "etco2": Metric.ETCO2,
    "fico2": Metric.FICO2,
    "resp_rate": Metric.RESP_RATE,
    "rr": Metric.RESP_RATE,
    "nibp_sys": Metric.NIBP_SYS,
    "nibp_dia": Metric.NIBP_DIA,
    "nibp_mean": Metric.NIBP_MEAN,
    "nibp_pulse": Metric.NIBP_PULSE,
    "temp": Metric.TEMP,
}


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of an object. `unit` as SenML writes it; empty: the metric's own.

    `scale` multiplies the number first (0.1 for tenths). `missing`: what else stands
    for "no value", beside null and the usual markers.
    """

    path: str
    metric: Metric
    unit: str = ""
    scale: float = 1.0
    missing: Missing = ()


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of message. `when`: fields that must have these texts for an object to count."""

    fields: tuple[Field, ...]
    topic: str = "#"
    each: str = ""
    when: dict[str, str] = msgspec.field(default_factory=dict)
    time: tuple[str, ...] = ("time", "timestamp")


_FLAT: Final = Shape(fields=tuple(Field(name, metric) for name, metric in _FLAT_NAMES.items()))


class JsonOptions(CommonOptions, frozen=True, kw_only=True):
    """`shapes`: the mapping. `utc_offset_min`: the zone of times that name none (else UTC)."""

    shapes: tuple[Shape, ...] = (_FLAT,)
    utc_offset_min: int = 0


def find(value: object, path: str) -> Iterator[object]:
    """Yield what lies at `path` in a decoded message; nothing where it is not there."""
    if not path:
        yield value
        return
    key, _, rest = path.partition(".")
    if key == "*":
        if isinstance(value, list):
            for item in value:
                yield from find(item, rest)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name.lower() == key.lower():
                yield from find(item, rest)
                return


def topic_fits(topic: str, pattern: str) -> bool:
    """Tell whether an MQTT topic fits a filter; a message without a topic fits them all."""
    if not topic or pattern == "#":
        return True
    levels, wanted = topic.split("/"), pattern.split("/")
    if wanted[-1] == "#":
        wanted.pop()
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(
        want in {"+", level} for level, want in zip(levels, wanted, strict=True)
    )


def number_of(field: Field, value: object) -> float | str | None:
    """Return a field's number in the metric's unit, None where it is missing, or a complaint."""
    missing = (*_MISSING, *field.missing)
    if value is None or (isinstance(value, str) and value.strip() in missing):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is no number"
    if not -_NUMBER_MAX < value < _NUMBER_MAX:
        return "is too large"
    if value in missing:
        return None
    if field.scale != 1.0:
        value = round(value * field.scale, 6)
    result = in_unit(field.metric, float(value), field.unit or describe(field.metric).unit)
    assert result is not None, "units are checked when the protocol is opened"
    return result


class JsonProtocol(Listens):
    """Messages come; nothing is asked."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, JsonOptions)
        for shape in chosen.shapes:
            for field in shape.fields:
                _check(field)
        self._shapes = chosen.shapes
        self._offset_s = 60 * chosen.utc_offset_min
        self._intake = Intake(chosen.opened_utc_s)
        self._has_told_strange = False

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take one message; tell its readings in order of their time."""
        message = unpack(data)
        payload = message.payload
        if len(payload) > PAYLOAD_SIZE_MAX:
            return [reject("message too long", payload, now)]
        try:
            content = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return [reject(f"no JSON: {error}", payload, now)]
        events: list[DeviceEvent] = []
        readings: list[tuple[float | None, Reading]] = []
        for shape in self._shapes:
            if topic_fits(message.topic, shape.topic):
                readings += self._read(shape, content, message, (events, now))
        times = [utc_s for utc_s, _ in readings if utc_s is not None]
        if times and not message.is_retained:
            self._intake.learn(max(times), now)
        for utc_s, reading in sorted(readings, key=lambda each: each[0] or 0.0):
            if utc_s is None:
                events += self._intake.admit(None, reading, now)
            else:
                events += self._intake.admit_at(utc_s, reading, now)
        return events or self._strange(now)

    def _read(
        self,
        shape: Shape,
        content: object,
        message: Message,
        told: tuple[list[DeviceEvent], Instant],
    ) -> list[tuple[float | None, Reading]]:
        events, now = told
        readings = []
        for count, item in enumerate(find(content, shape.each)):
            if count >= _OBJECTS_MAX:
                events.append(reject("too many objects", message.payload, now))
                break
            if not all(_is_text(item, path, text) for path, text in shape.when.items()):
                continue
            fields = [(field, value) for field in shape.fields for value in find(item, field.path)]
            if not fields:
                continue
            raw = msgspec.json.encode(item)
            utc_s = self._time(item, shape.time)
            if isinstance(utc_s, str):
                events.append(reject(utc_s, raw, now))
                continue
            for field, value in fields:
                number = number_of(field, value)
                if isinstance(number, str):
                    events.append(reject(f"{field.metric}: {number}", raw, now))
                else:
                    reading = Reading(field.metric, number, raw, message.is_retained)
                    readings.append((utc_s, reading))
        return readings

    def _time(self, item: object, paths: Sequence[str]) -> float | str | None:
        """Return the seconds since 1970, None where no time is told, or a complaint."""
        for path in paths:
            for value in find(item, path):
                utc_s = utc_s_of(value, self._offset_s)
                return "time is not understood" if utc_s is None else utc_s
        return None

    def _strange(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell once that a message held nothing that the mapping knows."""
        if self._has_told_strange:
            return ()
        self._has_told_strange = True
        detail = "a message without any mapped field"
        return [DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=detail)]


def _check(field: Field) -> None:
    units = known_units(field.metric)
    if field.unit and field.unit not in units:
        offer = ", ".join(units) or "none"
        raise OptionError(f"{field.metric}: unit {field.unit!r} is not known; known: {offer}")
    if not units:
        raise OptionError(f"{field.metric} is a waveform: JSON messages carry numbers only")


def _is_text(item: object, path: str, text: str) -> bool:
    return any(str(value).lower() == text.lower() for value in find(item, path))


# The device's side -------------------------------------------------------------------------------

_SENT_NAMES: Final[Mapping[Metric, str]] = {
    Metric.SPO2: "spO2",
    Metric.PULSE_RATE: "pulse",
} | {
    metric: name
    for name, metric in _FLAT_NAMES.items()
    if name == metric.value and metric not in {Metric.SPO2, Metric.PULSE_RATE}
}


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return one flat object that says the observations; what is not available is null."""
    said = {
        _SENT_NAMES[each.metric]: each.value
        for each in events
        if isinstance(each, Observation) and each.metric in _SENT_NAMES
    }
    return msgspec.json.encode(said) if said else b""


def _object(said: Said, now: Instant) -> bytes:
    """Return the flat object a gateway publishes; a cuff reading once, as it tells no times."""
    del now
    payload = encode(list(said.observations.values()))
    for metric in list(said.observations):
        if describe(metric).stale_after is None:
            del said.observations[metric]
    return payload


DRIVER: Final = Driver(
    name="json",
    title="Any gateway that publishes JSON, by a mapping",
    reference="conventions seen in working gateways; docs/devices/json.md",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.MQTT}),
    metrics=frozenset(_FLAT_NAMES.values()),
    silence_limit=seconds(15),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=JsonProtocol,
    encode=encode,
    open_device=lambda: Publisher(_object),
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 350, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.ETCO2: (0, 150, 0.5),
        Metric.NIBP_SYS: (20, 300, 1),
        Metric.TEMP: (15, 50, 0.5),
    },
    vectors=(
        Vector(
            b'{"time":"2023-11-14T22:13:20","spO2":97,"pulse":72}',
            ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)),
            "an open oximeter-to-cloud bridge's format",
        ),
        Vector(
            b'{"device_id":"1","timestamp":1700000000,"heart_rate":75,"spo2":null,"etco2":38,'
            b'"fico2":0,"resp_rate":"14","nibp_sys":118,"nibp_dia":76,"nibp_mean":90,'
            b'"nibp_pulse":72,"temp":36.6}',
            (
                (Metric.SPO2, None),
                (Metric.HEART_RATE, 75.0),
                (Metric.ETCO2, 38.0),
                (Metric.FICO2, 0.0),
                (Metric.RESP_RATE, 14.0),
                (Metric.NIBP_SYS, 118.0),
                (Metric.NIBP_DIA, 76.0),
                (Metric.NIBP_MEAN, 90.0),
                (Metric.NIBP_PULSE, 72.0),
                (Metric.TEMP, 36.6),
            ),
            "a teaching project's flat object, with further fields written by hand",
        ),
    ),
    doubts=(
        "a mapping is the site's word: nothing in a message proves its units",
        "a time without a zone is read as UTC unless `utc_offset_min` is given",
    ),
)
