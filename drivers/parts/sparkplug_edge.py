"""An edge node as its messages leave it, and the node's own side.

Known of a node: whether it lives, what its births named, whether a message is missing since. The
node itself gives birth, sends data by alias, and dies.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.bedside import Beat, Said
from drivers.envelope import Message, pack, unpack
from drivers.parts.protobuf import ProtobufError
from drivers.parts.sparkplug_payload import (
    TYPE_BOOLEAN,
    TYPE_UINT64,
    SparkMetric,
    read_payload,
    signed,
    write_payload,
)
from drivers.parts.vital_names import CARRIED
from monitor.model.event import DeviceEvent, Observation
from monitor.model.instant import Instant, between, in_seconds, seconds
from monitor.model.metric import Metric, describe

NAMESPACE: Final = "spBv1.0"
REBIRTH: Final = "Node Control/Rebirth"
BDSEQ: Final = "bdSeq"
_KNOWN_MAX: Final = 1000
_OVERTAKING_MAX: Final = seconds(2)


class Known(msgspec.Struct, frozen=True):
    """What a birth said of one metric."""

    name: str
    datatype: int
    unit: str


class Edge:
    """One edge node as the births, data and deaths heard so far leave it."""

    def __init__(self) -> None:
        self.is_alive = False
        self.bd_seq: float | None = None
        self._dead_bd_seq: float | None = None
        self._died_at: Instant | None = None
        self.asked_at: Instant | None = None
        self._is_unbroken = False
        self._sequence: int | None = None
        self._by_alias: dict[int, Known] = {}
        self._by_name: dict[tuple[str, str], Known] = {}

    def bear(self, bd_seq: float | None, sequence: int | None) -> None:
        """Begin a new session: nothing of an older one holds."""
        self.is_alive, self._is_unbroken = True, True
        self.bd_seq, self._sequence = bd_seq, sequence
        self._by_alias.clear()
        self._by_name.clear()

    def die(self, bd_seq: float | None, now: Instant) -> None:
        """End the session."""
        self.is_alive, self._is_unbroken = False, False
        self._dead_bd_seq, self._died_at = bd_seq, now

    def has_overtaken(self, bd_seq: float | None, now: Instant) -> bool:
        """Tell whether a birth is of the session whose death was just heard.

        Later on the number says nothing: many nodes count from 0 again after each start.
        """
        if bd_seq is None or bd_seq != self._dead_bd_seq or self._died_at is None:
            return False
        return between(self._died_at, now) < _OVERTAKING_MAX

    def follow(self, sequence: int | None) -> int:
        """Take the next number; return how many messages are missing before it."""
        if sequence is None:
            return 0
        before, self._sequence = self._sequence, sequence & 0xFF
        if before is None or not self.is_alive:
            return 0
        lost = (self._sequence - before - 1) & 0xFF
        if lost in {0, 0xFF}:  # the next one, or the same once more
            return 0
        self._is_unbroken = False  # what is missing may have been a birth with other aliases
        return lost

    def learn(self, device: str, metrics: Sequence[SparkMetric]) -> None:
        """Take what a birth names."""
        for each in metrics:
            if not each.name or len(self._by_name) >= _KNOWN_MAX:
                continue
            known = Known(each.name, each.datatype, each.unit)
            self._by_name[device, each.name] = known
            if each.alias is not None:
                self._by_alias[each.alias] = known

    def named(self, device: str, metric: SparkMetric) -> SparkMetric | None:
        """Return `metric` with the name, type and unit of its birth; None if it has no name.

        An alias counts in an unbroken sequence since the birth only: else it may mean another.
        """
        if metric.name:
            known = self._by_name.get((device, metric.name))
        elif metric.alias is not None and self._is_unbroken:
            known = self._by_alias.get(metric.alias)
        else:
            known = None
        if known is None:
            return metric if metric.name else None
        value = metric.value
        if not metric.datatype and type(value) is float and value.is_integer():
            value = float(signed(int(value), known.datatype))
        return msgspec.structs.replace(
            metric, name=known.name, unit=metric.unit or known.unit, value=value
        )


def rebirth_request(node: str, utc_s: float | None) -> bytes:
    """Return the message that asks the node `group/name` for its births.

    What a bridge puts before the topics stands before the group: `bridge/group/name`.
    """
    *prefix, group, name = node.split("/")
    command = SparkMetric(name=REBIRTH, datatype=TYPE_BOOLEAN, value=True)
    time_ms = None if utc_s is None else max(0, round(utc_s * 1000))
    payload = write_payload([command], time_ms=time_ms)
    topic = "/".join((*prefix, NAMESPACE, group, "NCMD", name))
    return pack(Message(topic, payload))


_GROUP, _NODE, _DEVICE = "clinic", "edge1", "chair1"


def _topic(kind: str) -> str:
    place = f"{_NODE}/{_DEVICE}" if kind.startswith("D") else _NODE
    return f"{NAMESPACE}/{_GROUP}/{kind}/{place}"


def _sent(observation: Observation, *, alias: int | None, is_birth: bool) -> SparkMetric:
    metric = observation.metric
    return SparkMetric(
        name=str(metric) if is_birth else "",
        alias=alias,
        value=observation.value,
        unit=describe(metric).unit if is_birth else "",
    )


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return one data message that says the observations, each with name and unit."""
    now = max((each.at for each in events), default=Instant(0))
    metrics = [
        _sent(each, alias=None, is_birth=True)
        for each in events
        if isinstance(each, Observation) and each.metric in CARRIED
    ]
    payload = write_payload(metrics, int(in_seconds(now)) & 0xFF)
    return pack(Message(_topic("DDATA"), payload))


class SparkplugNode:
    """An edge node with one device: births first, then data by alias once a second.

    It knows no wall time, so it sends none; a real one always does.
    """

    def __init__(self) -> None:
        self._said = Said()
        self._beat = Beat(1)
        self._aliases: dict[Metric, int] = {}
        self._bd_seq = 0
        self._sequence = 0
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next data are due."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; a metric never told before needs a new birth."""
        self._said.hear(events)
        carried = [each for each in self._said.observations if each in CARRIED]
        if self._beat.at is None:
            self._beat.start(now)
            self._give_birth()
        elif not set(carried) <= self._aliases.keys():
            self._give_birth()

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey a rebirth command; nothing else is understood."""
        del now
        message = unpack(data)
        if message.topic != f"{NAMESPACE}/{_GROUP}/NCMD/{_NODE}":
            return
        try:
            metrics = read_payload(message.payload).metrics
        except ProtobufError:
            return
        if any(each.name == REBIRTH and each.value is True for each in metrics):
            self._give_birth()

    def wake(self, now: Instant) -> None:
        """Send data."""
        while self._beat.is_due(now):
            metrics = [
                _sent(each, alias=self._aliases[metric], is_birth=False)
                for metric, each in self._said.observations.items()
                if metric in self._aliases
            ]
            self._send("DDATA", metrics)

    def die(self) -> None:
        """Fall off the network: the broker publishes the will. `say` brings the node back."""
        self._beat.stop()
        session = SparkMetric(name=BDSEQ, datatype=TYPE_UINT64, value=float(self._bd_seq))
        self._outgoing.append(pack(Message(_topic("NDEATH"), write_payload([session]))))
        self._bd_seq = (self._bd_seq + 1) & 0xFF

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the messages published, topics included."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _give_birth(self) -> None:
        self._sequence = 0
        control = SparkMetric(name=REBIRTH, datatype=TYPE_BOOLEAN, value=False)
        session = SparkMetric(name=BDSEQ, datatype=TYPE_UINT64, value=float(self._bd_seq))
        self._send("NBIRTH", [session, control])
        told = [each for metric, each in self._said.observations.items() if metric in CARRIED]
        self._aliases = {each.metric: place + 1 for place, each in enumerate(told)}
        metrics = [_sent(each, alias=self._aliases[each.metric], is_birth=True) for each in told]
        self._send("DBIRTH", metrics)

    def _send(self, kind: str, metrics: Sequence[SparkMetric]) -> None:
        payload = write_payload(metrics, self._sequence)
        self._sequence = (self._sequence + 1) & 0xFF
        self._outgoing.append(pack(Message(_topic(kind), payload)))
