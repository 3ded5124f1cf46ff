"""What travels between `vigil serve` and a screen: pictures and waves down, commands up.

Every message is one WebSocket text frame of JSON, tagged by `type`. The server sends `Hello`, then
`TrendMessage` with the whole timeline so far, then snapshots, waves and the newest bins as they
come. A client that is slow skips pictures, never alarms: each picture is whole.
"""

from typing import Final, TypeAlias

import msgspec

from monitor.model.instant import Instant
from monitor.model.metric import Metric
from monitor.model.session import Deed, Phase
from monitor.model.snapshot import ChairSnapshot, TrendBin

PROTOCOL_VERSION: Final = 2
MESSAGE_SIZE_MAX: Final = 4 * 1024 * 1024


class Hello(msgspec.Struct, frozen=True, tag="hello", tag_field="type"):
    """First message of the server."""

    version: int
    software: str
    site: str
    chairs: tuple[str, ...]


class SnapshotMessage(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """The newest picture of one chair."""

    chair: ChairSnapshot


class WaveMessage(msgspec.Struct, frozen=True, tag="wave", tag_field="type"):
    """New samples of one waveform, in the metric's unit; `at` is the instant of the last."""

    chair: str
    metric: Metric
    at: Instant
    rate_hz: float
    samples: tuple[float | None, ...]


class TrendMessage(msgspec.Struct, frozen=True, tag="trend", tag_field="type"):
    """Bins of the session timeline. `is_whole`: replaces what the client had; else updates it."""

    chair: str
    bin_s: int
    bins: dict[Metric, tuple[TrendBin, ...]]
    is_whole: bool = False


class Answer(msgspec.Struct, frozen=True, tag="answer", tag_field="type"):
    """The server's answer to the command of that number."""

    number: int
    is_accepted: bool
    reason: str = ""


class Command(msgspec.Struct, frozen=True, tag="command", tag_field="type", kw_only=True):
    """What an operator asks for, based on the picture `view`.

    Refused when that picture is too old for the deed (the alarm has changed since), when the alarm
    is not there, or when `operator` is empty.
    """

    number: int
    chair: str
    view: int
    deed: Deed
    operator: str
    alarm: str = ""
    phase: Phase | None = None
    note: str = ""


ToClient: TypeAlias = Hello | SnapshotMessage | WaveMessage | TrendMessage | Answer
ToServer: TypeAlias = Command

_ENCODER: Final = msgspec.json.Encoder()
_TO_CLIENT: Final[msgspec.json.Decoder[ToClient]] = msgspec.json.Decoder(ToClient)
_TO_SERVER: Final = msgspec.json.Decoder(ToServer)


def encode(message: ToClient | ToServer) -> str:
    """Return the frame that carries `message`."""
    return _ENCODER.encode(message).decode()


def decode_to_client(frame: str | bytes) -> ToClient:
    """Return what the server said.

    Raises:
        msgspec.DecodeError: not a message of this version.
    """
    return _TO_CLIENT.decode(frame)


def decode_to_server(frame: str | bytes) -> ToServer:
    """Return what a client asked.

    Raises:
        msgspec.DecodeError: not a message of this version.
    """
    return _TO_SERVER.decode(frame)
