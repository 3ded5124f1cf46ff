"""Everything that is written to disk, with one stable encoding and its decoder.

*Inputs* are causes: bytes from a device, an operator's action, a link that fell, time that a
protocol asked for. *Conclusions* are what followed: what we heard in the bytes, alarm changes,
checkpoints. The same inputs through the same code give the same conclusions, byte for byte;
`vigil verify` proves it. Both lie in one ordered log, so that one hash chain covers both.
"""

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from monitor.model.alarm import AlarmChange
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    Observation,
    WaveformSegment,
)
from monitor.model.instant import Instant, WallAnchor
from monitor.model.link import LinkChange
from monitor.model.session import OperatorAction


class Side(StrEnum):
    """Whether an entry is a cause or a consequence."""

    INPUT = "input"
    CONCLUSION = "conclusion"


class EntryKind(StrEnum):
    """What an entry holds; decides how its body is decoded."""

    # inputs
    OPENED = "opened"
    RESUMED = "resumed"
    CLOSED = "closed"
    ANCHOR = "anchor"
    RECEIVED = "received"
    WOKEN = "woken"
    LINK = "link"
    OPERATOR = "operator"
    SELF_CHECK = "self_check"
    # conclusions
    HEARD = "heard"
    ALARM = "alarm"
    CHECKPOINT = "checkpoint"


INPUT_KINDS: Final = frozenset(EntryKind) - {
    EntryKind.HEARD,
    EntryKind.ALARM,
    EntryKind.CHECKPOINT,
}


class Entry(msgspec.Struct, frozen=True):
    """One line of the record: when, what, from which link, and the encoded body."""

    kind: EntryKind
    at: Instant
    link: str
    body: bytes

    @property
    def side(self) -> Side:
        """Return whether this is a cause or a consequence."""
        return Side.INPUT if self.kind in INPUT_KINDS else Side.CONCLUSION


class Opened(msgspec.Struct, frozen=True, tag="opened", kw_only=True):
    """A session began: where, on what devices, under which limits, with which software.

    `limits` is the preset's TOML text, `devices` the links with their drivers and options, whole:
    a record can be judged again with nothing else at hand.
    """

    session: str
    chair: str
    software: str
    limits: str
    devices: tuple["DeviceLink", ...]
    anchor: WallAnchor
    site: str = ""
    pseudonym: str = ""
    mode: str = "real"
    protocol: str = ""
    dose_mg: float | None = None
    infusion_min: float | None = None
    priority_of_source: dict[str, tuple[str, ...]] = {}


class DeviceLink(msgspec.Struct, frozen=True, kw_only=True):
    """One configured device: the link's name, its driver and where it is reached."""

    link: str
    driver: str
    url: str
    options: dict[str, object] = {}


class Resumed(msgspec.Struct, frozen=True, tag="resumed", kw_only=True):
    """The process came back after a stop it did not choose. `gap_s` seconds were not watched."""

    anchor: WallAnchor
    gap_s: float
    software: str = ""


class SelfCheck(msgspec.Struct, frozen=True, tag="self_check", kw_only=True):
    """Something about ourselves: `part` (disk, influx, clock, ...) is well, or is not, and why."""

    part: str
    at: Instant
    is_well: bool
    reason: str = ""


class Closed(msgspec.Struct, frozen=True, tag="closed", kw_only=True):
    """The session ended by a person's will."""

    at: Instant
    reason: str = ""


Heard: TypeAlias = Observation | WaveformSegment | DeviceNotice | DeviceAlarm | FrameRejected
Body: TypeAlias = (
    Heard | AlarmChange | OperatorAction | LinkChange | Opened | Resumed | SelfCheck | Closed
)

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Body]] = msgspec.json.Decoder(Body)
_ANCHOR_DECODER: Final = msgspec.json.Decoder(WallAnchor)


def encode(body: Body | WallAnchor) -> bytes:
    """Return the stable JSON encoding of a body."""
    return _ENCODER.encode(body)


def decode(entry: Entry) -> Body | WallAnchor | bytes:
    """Return what `entry` holds: a struct, or bytes as they came (received, woken, checkpoint).

    Raises:
        msgspec.DecodeError: the body is not what its kind says; the record was damaged or altered.
    """
    if entry.kind in {EntryKind.RECEIVED, EntryKind.WOKEN, EntryKind.CHECKPOINT}:
        return entry.body
    if entry.kind is EntryKind.ANCHOR:
        return _ANCHOR_DECODER.decode(entry.body)
    return _DECODER.decode(entry.body)
