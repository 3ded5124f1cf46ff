"""Sparkplug B 3.0 over MQTT: vital signs of an edge node and its devices.

::

    spBv1.0/<group>/<NBIRTH|NDEATH|NDATA|DBIRTH|DDEATH|DDATA>/<edge node>[/<device>]
    payload: Protocol Buffers; time 1 (ms), metrics 2, seq 3 (0 to 255, one for all of a node)

A birth names every metric; data may then name them by alias. An alias is believed in an unbroken
sequence since the birth only, because a birth that was lost may have given it to another metric: a
gap asks the node for its births. A death makes everything of that node or device not available at
once; a birth that its own death has overtaken (same bdSeq) is refused.

Percent and rates need no unit. A pressure or a temperature without one is refused: 5 could be kPa.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    OptionError,
    Options,
    TransportKind,
)
from drivers.envelope import Message, unpack
from drivers.options import CommonOptions, read_options
from drivers.parts.protobuf import ProtobufError
from drivers.parts.sparkplug_edge import (
    BDSEQ,
    NAMESPACE,
    Edge,
    SparkplugNode,
    encode,
    rebirth_request,
)
from drivers.parts.sparkplug_host import is_state
from drivers.parts.sparkplug_payload import QUALITY_GOOD, Payload, SparkMetric, read_payload
from drivers.parts.sparkplug_vectors import VECTORS
from drivers.parts.vital_names import CARRIED, metric_named, names_with
from drivers.payload import PAYLOAD_SIZE_MAX, Intake, Reading, in_unit, known_units, unit_flaw
from drivers.reading import UnknownFields
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, in_seconds, later, seconds
from monitor.model.metric import Metric, describe

_ASK_EVERY: Final = seconds(10)
_CLAIM_LASTS: Final = seconds(60)
_EDGES_MAX: Final = 16
_BIRTHS: Final = frozenset({"NBIRTH", "DBIRTH"})
_DEATHS: Final = frozenset({"NDEATH", "DDEATH"})
_DATA: Final = frozenset({"NDATA", "DDATA"})
_COMMANDS: Final = frozenset({"NCMD", "DCMD"})
_OWN_NAMES: Final = (BDSEQ, "Node Control/", "Device Control/", "Node Info/", "Properties/")
_UNITS_NEEDED: Final = frozenset({"mmHg", "Cel"})
_NodeName = Annotated[str, Meta(pattern=r"^([^/+#]+/)+[^/+#]+$")]


class SparkplugOptions(CommonOptions, frozen=True, kw_only=True):
    """`names`: what these nodes call things, beside the names known anyway.

    `units`: the unit of a metric whose birth states none. `nodes`: `group/node`, asked for their
    births when the link opens; others are asked when they are first heard. Where a bridge puts a
    prefix before the topics, it stands before the group as well.
    """

    names: dict[str, Metric] = msgspec.field(default_factory=dict)
    units: dict[Metric, str] = msgspec.field(default_factory=dict)
    nodes: Annotated[list[_NodeName], Meta(max_length=_EDGES_MAX)] = msgspec.field(
        default_factory=list
    )


class _Place(msgspec.Struct, frozen=True):
    """Where a message comes from; the source of bare bytes is ""."""

    kind: str
    node: str
    device: str

    @property
    def source(self) -> str:
        return f"{self.node}/{self.device}" if self.node else ""


def _place(topic: str) -> _Place | None:
    """Return where a topic lies; a bridge between brokers may have put a prefix before it."""
    prefix, found, rest = f"/{topic}".rpartition(f"/{NAMESPACE}/")
    parts = rest.split("/")
    if not found or len(parts) not in {3, 4}:
        return None
    group, kind, node = parts[:3]
    has_device = len(parts) == 4
    if kind not in _BIRTHS | _DEATHS | _DATA | _COMMANDS or (kind[0] == "D") != has_device:
        return None
    whole = f"{prefix}/{group}/{node}".removeprefix("/")
    return _Place(kind, whole, parts[3] if has_device else "")


class SparkplugProtocol:
    """Listens to nodes, and asks those for their births whose aliases it cannot know."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, SparkplugOptions)
        for metric, unit in chosen.units.items():
            if unit not in known_units(metric):
                raise OptionError(f"option 'units.{metric}': {unit_flaw(metric, unit)}")
        self._units = chosen.units
        self._opened_utc_s = chosen.opened_utc_s
        self._intake = Intake(chosen.opened_utc_s)
        self._names = names_with(chosen.names)
        self._edges: dict[str, Edge] = {node: Edge() for node in chosen.nodes}
        self._unborn = dict.fromkeys(chosen.nodes, OPENING)  # when to ask next
        self._claims: dict[Metric, tuple[str, Instant]] = {}
        self._gone: dict[str, None] = {}
        self._unknown = UnknownFields()
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When a node that was named in the options is asked for its births."""
        return min(self._unborn.values(), default=None)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the commands to publish, topics included."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask the nodes that have not given birth."""
        for node in [node for node, due in self._unborn.items() if now >= due]:
            self._unborn[node] = later(now, _ASK_EVERY)
            self._ask(node, self._edges[node], now)
        return ()

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take one message."""
        message = unpack(data)
        if len(message.payload) > PAYLOAD_SIZE_MAX:
            return [reject("message too long", message.payload, now)]
        place = _place(message.topic) if message.topic else _Place("NDATA", "", "")
        if place is None:
            if is_state(message.topic):
                return ()
            return [reject("no Sparkplug topic", message.payload, now)]
        if place.kind in _COMMANDS:
            return ()
        try:
            payload = read_payload(message.payload)
        except ProtobufError as error:
            return [reject(f"no Sparkplug payload: {error}", message.payload, now)]
        return self._read(place, payload, message, now)

    def _read(
        self, place: _Place, payload: Payload, message: Message, now: Instant
    ) -> list[DeviceEvent]:
        edge = self._edge(place.node)
        if edge is None:
            return [reject("more edge nodes than are followed", message.payload, now)]
        if message.is_retained and place.kind not in _DATA:
            return [reject("a birth or death kept by the broker is old", message.payload, now)]
        if place.kind == "NDEATH":
            return self._die(place, edge, _bd_seq(payload), now)
        events: list[DeviceEvent] = []
        if place.kind == "NBIRTH":
            bd_seq = _bd_seq(payload)
            if edge.has_overtaken(bd_seq, now):
                self._ask(place.node, edge, now)
                return [reject("its own death has overtaken this birth", message.payload, now)]
            edge.bear(bd_seq, payload.sequence)
            self._unborn.pop(place.node, None)
        else:
            events += self._follow(place, edge, payload.sequence, now)
        if place.kind == "DDEATH":
            return [*events, *self._bury(place.source, "device", now)]
        if place.kind in _BIRTHS:
            edge.learn(place.device, payload.metrics)
            events += self._rise(place.source, now)
        return [*events, *self._tell(place, edge, payload, message, now)]

    def _edge(self, node: str) -> Edge | None:
        edge = self._edges.get(node)
        if edge is None and len(self._edges) < _EDGES_MAX:
            edge = self._edges[node] = Edge()
        return edge

    def _follow(
        self, place: _Place, edge: Edge, sequence: int | None, now: Instant
    ) -> Sequence[DeviceEvent]:
        lost = edge.follow(sequence)
        if place.node and (lost or not edge.is_alive):
            self._ask(place.node, edge, now)
        if not lost:
            return ()
        return [DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=f"{lost} messages of a node")]

    def _ask(self, node: str, edge: Edge, now: Instant) -> None:
        """Ask for the births, not more often than a node can give them; bytes without one: no."""
        if not node:
            return
        if edge.asked_at is not None and between(edge.asked_at, now) < _ASK_EVERY:
            return
        edge.asked_at = now
        opened = self._opened_utc_s
        self._outgoing.append(
            rebirth_request(node, None if opened is None else opened + in_seconds(now))
        )

    def _die(
        self, place: _Place, edge: Edge, bd_seq: float | None, now: Instant
    ) -> list[DeviceEvent]:
        if edge.is_alive and bd_seq != edge.bd_seq:
            return []  # the will of an older session
        edge.die(bd_seq, now)
        return self._bury(place.source, "edge node", now)

    def _bury(self, source: str, words: str, now: Instant) -> list[DeviceEvent]:
        """Tell that everything of a node, or of one device, is not available any more."""
        ended = [
            metric
            for metric, (by, _) in self._claims.items()
            if by == source or (source.endswith("/") and by.startswith(source))
        ]
        events: list[DeviceEvent] = []
        if source not in self._gone and len(self._gone) < _EDGES_MAX:
            self._gone[source] = None
            events.append(DeviceNotice(NoticeKind.DEVICE_GONE, now, detail=words))
        for metric in ended:
            del self._claims[metric]
            events.append(Observation(metric, None, Validity.NOT_AVAILABLE, now))
        return events

    def _rise(self, source: str, now: Instant) -> Sequence[DeviceEvent]:
        if source not in self._gone:
            return ()
        del self._gone[source]
        if self._gone:
            return ()
        return [DeviceNotice(NoticeKind.DEVICE_GONE, now, present=False)]

    def _tell(
        self, place: _Place, edge: Edge, payload: Payload, message: Message, now: Instant
    ) -> list[DeviceEvent]:
        fresh = [each for each in payload.metrics if not each.is_historical]
        times = [t for each in fresh if (t := each.time_ms or payload.time_ms) is not None]
        if times and not message.is_retained:
            self._intake.learn(max(times) / 1000, now)
        events: list[DeviceEvent] = []
        nameless = 0
        for each in payload.metrics:
            named = edge.named(place.device, each)
            if named is None:
                nameless += 1
            elif not named.name.startswith(_OWN_NAMES):
                events += self._admit(place, named, payload, message, now)
        if nameless:
            self._ask(place.node, edge, now)
            events.append(reject(f"{nameless} aliases without a birth", message.payload, now))
        if not edge.is_alive:
            return [_doubted(each) for each in events]
        return events

    def _admit(
        self, place: _Place, each: SparkMetric, payload: Payload, message: Message, now: Instant
    ) -> Sequence[DeviceEvent]:
        metric = metric_named(each.name, self._names)
        if metric is None:
            return self._unknown.meet(f"name ending in {each.name.rsplit('/')[-1][:32]!r}", now)
        if not self._claim(metric, place.source, now):
            return [reject(f"{metric}: another device gives it too", message.payload, now)]
        value, flaw = self._value(metric, each)
        if flaw:
            return [reject(f"{metric}: {flaw}", message.payload, now)]
        is_old = message.is_retained or each.is_historical
        reading = Reading(metric, value, message.payload, is_old)
        time_ms = each.time_ms or payload.time_ms
        if time_ms is None:
            return self._intake.admit(None, reading, now)
        return self._intake.admit_at(time_ms / 1000, reading, now)

    def _claim(self, metric: Metric, source: str, now: Instant) -> bool:
        """Tell whether `source` may give `metric`: two devices at once could be two patients."""
        by, heard_at = self._claims.get(metric, (source, now))
        if by != source and between(heard_at, now) < _CLAIM_LASTS:
            return False
        self._claims[metric] = (source, now)
        return True

    def _value(self, metric: Metric, each: SparkMetric) -> tuple[float | None, str]:
        """Return the value in the metric's unit, None where there is none, or a flaw."""
        if each.is_null or each.quality != QUALITY_GOOD:
            return None, ""
        if type(each.value) is not float or not isfinite(each.value):
            return None, "value is no number"
        own = describe(metric).unit
        unit = each.unit or self._units.get(metric) or ("" if own in _UNITS_NEEDED else own)
        value = in_unit(metric, each.value, unit)
        if value is None:
            return None, unit_flaw(metric, unit)
        return value, ""


def _bd_seq(payload: Payload) -> float | None:
    found = (each.value for each in payload.metrics if each.name == BDSEQ)
    value = next(found, None)
    return value if type(value) is float else None


def _doubted(event: DeviceEvent) -> DeviceEvent:
    if isinstance(event, Observation) and event.validity is Validity.VALID:
        return msgspec.structs.replace(event, validity=Validity.QUESTIONABLE)
    return event


DRIVER: Final = Driver(
    name="sparkplug",
    title="Any Sparkplug B edge node",
    reference="Sparkplug specification 3.0; sparkplug_b.proto",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.MQTT}),
    metrics=CARRIED,
    silence_limit=seconds(15),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=SparkplugProtocol,
    encode=encode,
    open_device=SparkplugNode,
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 350, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.ETCO2: (0, 150, 1),
        Metric.NIBP_SYS: (20, 300, 1),
        Metric.TEMP: (15, 50, 0.5),
    },
    vectors=VECTORS,
    doubts=(
        "no checksum: the broker's connection has one",
        "a node that reports by exception is shown as stale when nothing changes",
        "the simulated node knows no wall time and sends none",
        "a host application tells its STATE only where the URL names it (`host=`)",
    ),
)
