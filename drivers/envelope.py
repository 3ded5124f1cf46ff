"""An MQTT message as bytes, so that one `receive(data, now)` serves every transport.

The inputs journal, captures and drivers see the same bytes: a mark, flags, the topic and the
payload. Bytes without the mark are a bare payload with no topic: what a person pipes into
`vigil decode`.
"""

from typing import Final

import msgspec

_MARK: Final = b"\x00MQ1"
_HEAD_SIZE: Final = len(_MARK) + 3
TOPIC_SIZE_MAX: Final = 65_535


class Message(msgspec.Struct, frozen=True):
    """One MQTT message. `is_retained`: the broker kept it, so its content may be old."""

    topic: str
    payload: bytes
    is_retained: bool = False


def pack(message: Message) -> bytes:
    """Return `message` as bytes."""
    topic = message.topic.encode()[:TOPIC_SIZE_MAX]
    head = _MARK + bytes([int(message.is_retained)]) + len(topic).to_bytes(2, "big")
    return head + topic + message.payload


def unpack(data: bytes) -> Message:
    """Return the message in `data`; anything without the mark is a bare payload."""
    if not data.startswith(_MARK) or len(data) < _HEAD_SIZE:
        return Message("", data)
    size = int.from_bytes(data[5:7], "big")
    topic = data[_HEAD_SIZE : _HEAD_SIZE + size].decode(errors="replace")
    return Message(topic, data[_HEAD_SIZE + size :], bool(data[4]))
