"""Joining a real broker in tests, and a node that publishes there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from drivers.envelope import Message, unpack
from monitor.runtime.transports.contract import Secrets
from monitor.runtime.transports.joining import Joining
from monitor.runtime.transports.mqtt import MqttTransport, open_mqtt
from tests.runtime.ears import Ears
from tests.services.servers import Mosquitto, start_mosquitto

V5 = Joining(is_v5=True)
BOTH = pytest.mark.parametrize("joining", [Joining(), V5], ids=["3.1.1", "5"])


@contextmanager
def broker(folder: Path, *more: str, password: str = "", tls: bool = False) -> Iterator[Mosquitto]:
    """A broker with settings of its own."""
    started = start_mosquitto(folder, password=password, tls=tls, more=more)
    try:
        yield started
    finally:
        started.server.stop()


@asynccontextmanager
async def joined(
    port: int, ears: Ears, joining: Joining, topic: str = "chair2/#", secrets: Secrets | None = None
) -> AsyncIterator[MqttTransport]:
    transport = await open_mqtt(
        "127.0.0.1", port, topic, ears, secrets=secrets or Secrets(), is_tls=False, joining=joining
    )
    try:
        yield transport
    finally:
        await transport.closed()


def publishing(port: int, *, is_v5: bool = True, identifier: str | None = None) -> aiomqtt.Client:
    version = aiomqtt.ProtocolVersion.V5 if is_v5 else aiomqtt.ProtocolVersion.V311
    return aiomqtt.Client("127.0.0.1", port, protocol=version, identifier=identifier)


def expiring(after_s: int, **user: str) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = after_s
    properties.UserProperty = list(user.items())
    return properties


def messages(ears: Ears) -> list[Message]:
    return [unpack(each) for each in ears.pieces]


def told(ears: Ears) -> list[tuple[str, bytes, bool]]:
    return [(each.topic, each.payload, each.is_retained) for each in messages(ears)]
