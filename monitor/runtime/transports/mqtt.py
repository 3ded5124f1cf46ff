"""Messages of a broker, through aiomqtt 2.x."""

import asyncio
import contextlib
import ssl
import traceback
from contextlib import AsyncExitStack
from typing import Final

import aiomqtt

from drivers.envelope import Message, pack, unpack
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Secrets

PAYLOAD_SIZE_MAX: Final = 1024 * 1024
"""A larger message is nobody's vital sign; its first bytes are passed on to be refused by name."""

KEEPALIVE_S: Final = 10
PUBLISHING_MAX: Final = 16
PUBLISH_S_MAX: Final = 5.0


class MqttTransport:
    """Messages that match one topic filter."""

    def __init__(self, client: aiomqtt.Client, stack: AsyncExitStack, receiver: Receiver) -> None:
        self._client = client
        self._stack = stack
        self._receiver = receiver
        self._closing: asyncio.Task[None] | None = None
        self._publishing: set[asyncio.Task[None]] = set()
        self._reading = asyncio.get_running_loop().create_task(self._read(), name="mqtt-reader")
        self._reading.add_done_callback(_surface)

    def write(self, data: bytes) -> None:
        """Publish a packed message to its own topic, at most once; a few may be on their way."""
        message = unpack(data)
        if not message.topic or len(self._publishing) >= PUBLISHING_MAX:
            return
        publishing = asyncio.get_running_loop().create_task(self._publish(message))
        self._publishing.add(publishing)
        publishing.add_done_callback(self._publishing.discard)

    def close(self) -> None:
        """Leave the broker."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._leave(), name="mqtt-leave")

    async def closed(self) -> None:
        """Wait until the broker was left."""
        self.close()
        assert self._closing is not None
        await self._closing

    async def _publish(self, message: Message) -> None:
        # What a broker that is gone did not take is asked again by the driver's own clock.
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.publish(message.topic, message.payload, timeout=PUBLISH_S_MAX)

    async def _read(self) -> None:
        reason = "the broker ended the conversation"
        try:
            async for message in self._client.messages:
                self._receiver.heard(_packed(message))
        except aiomqtt.MqttError as error:
            reason = str(error) or "the broker is gone"
        self._receiver.lost(reason)

    async def _leave(self) -> None:
        # Not in the reader: a task that is cancelled before its first step runs nothing at all.
        ending = {self._reading, *self._publishing}
        for task in ending:
            task.cancel()
        await asyncio.wait(ending)
        try:
            await self._stack.aclose()
        except aiomqtt.MqttError:
            return  # it is gone already; that was told by the reader


def _surface(reading: "asyncio.Task[None]") -> None:
    """Let a failure of the alarm path in the reader reach the loop, which ends the process."""
    if not reading.cancelled() and (error := reading.exception()) is not None:
        reading.get_loop().call_exception_handler({"message": "mqtt reader", "exception": error})


def _let_go(error: BaseException) -> None:
    """Drop the socket that paho leaves open in the frames of a failed TLS handshake."""
    seen: BaseException | None = error
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def _packed(message: aiomqtt.Message) -> bytes:
    payload = message.payload[: PAYLOAD_SIZE_MAX + 1]
    return pack(Message(str(message.topic), payload, message.retain))


async def open_mqtt(
    host: str, port: int, topic: str, receiver: Receiver, *, secrets: Secrets, is_tls: bool
) -> MqttTransport:
    """Join a broker and subscribe to `topic`.

    Raises:
        LinkFailedError: the broker is away, refuses us, or its certificate is not trusted.
    """
    context = ssl.create_default_context(cafile=secrets.ca_file) if is_tls else None
    client = aiomqtt.Client(
        host,
        port,
        username=secrets.username,
        password=secrets.password,
        tls_context=context,
        keepalive=KEEPALIVE_S,
    )
    stack = AsyncExitStack()
    try:
        await stack.enter_async_context(client)
        await client.subscribe(topic, qos=1)
    except (aiomqtt.MqttError, OSError) as error:
        await stack.aclose()
        _let_go(error)
        raise LinkFailedError(f"{host}:{port} {topic}: {error}") from None
    return MqttTransport(client, stack, receiver)
