"""STATE of a Sparkplug 3.0 host application: what tells edge nodes that their host is there.

``spBv1.0/STATE/<host id>``: ``{"online":true,"timestamp":1700000000000}``, kept by the broker. The
death is the will of the connection and has the timestamp of the birth it ends.
"""

from typing import Final

import msgspec

from drivers.envelope import Message
from drivers.parts.sparkplug_edge import NAMESPACE

_STATE: Final = f"{NAMESPACE}/STATE/"


class HostState(msgspec.Struct, frozen=True, rename={"utc_ms": "timestamp"}):
    """Whether a host is online, and since when: milliseconds since 1970 UTC."""

    online: bool
    utc_ms: int


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(HostState)


def state_topic(host: str) -> str:
    """Return where the state of `host` is told."""
    return _STATE + host


def is_state(topic: str) -> bool:
    """Tell whether a topic is of some host's state, on this broker or behind a bridge."""
    return f"/{_STATE}" in f"/{topic}"


def state_message(host: str, utc_ms: int, *, is_online: bool) -> Message:
    """Return the birth or the death of a host that came at `utc_ms`."""
    payload = _ENCODER.encode(HostState(is_online, utc_ms))
    return Message(state_topic(host), payload, is_retained=True)


def read_state(payload: bytes) -> HostState | None:
    """Return what a payload says of a host; None where it says nothing that can be understood."""
    try:
        return _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
