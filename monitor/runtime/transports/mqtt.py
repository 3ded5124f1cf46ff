"""Messages of a broker, through aiomqtt 2.x: MQTT 3.1.1, or 5 where the URL says so."""

import asyncio
import contextlib
import ssl
import time
import traceback
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Final

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.reasoncodes import ReasonCode

from drivers.envelope import Message, pack, unpack
from drivers.parts.sparkplug_host import is_state, read_state, state_message, state_topic
from monitor.runtime.transports.contract import LinkFailedError, Receiver, Secrets
from monitor.runtime.transports.joining import Joining, read_joining
from monitor.runtime.transports.url import Address

PAYLOAD_SIZE_MAX: Final = 1024 * 1024
"""A larger message is nobody's vital sign; its first bytes are passed on to be refused by name."""

KEEPALIVE_S: Final = 10
PUBLISHING_MAX: Final = 16
PUBLISH_S_MAX: Final = 5.0
BACKLOG_S: Final = 5.0
"""What comes so soon after a session was taken up may have waited at the broker meanwhile."""

_UNSPECIFIED: Final = 128
"""What paho makes of every DISCONNECT of a broker, whatever reason it carried."""

_PLAIN: Final = Joining()


class MqttTransport:
    """Messages that match one topic filter."""

    def __init__(
        self,
        client: aiomqtt.Client,
        stack: AsyncExitStack,
        receiver: Receiver,
        joining: Joining = _PLAIN,
        born_ms: int = 0,
    ) -> None:
        self._client = client
        self._stack = stack
        self._receiver = receiver
        self._joining = joining
        self._born_ms = born_ms
        self._loop = asyncio.get_running_loop()
        self._backlog_until_s = self._loop.time() + (BACKLOG_S if joining.session_s else 0.0)
        self._closing: asyncio.Task[None] | None = None
        self._publishing: set[asyncio.Task[None]] = set()
        self._reading = self._loop.create_task(self._read(), name="mqtt-reader")
        self._reading.add_done_callback(_surface)

    def write(self, data: bytes) -> None:
        """Publish a packed message to its own topic, at most once; a few may be on their way."""
        message = unpack(data)
        if not message.topic or len(self._publishing) >= PUBLISHING_MAX:
            return
        self._start(self._publish(message))

    def close(self) -> None:
        """Leave the broker."""
        if self._closing is None:
            self._closing = self._loop.create_task(self._leave(), name="mqtt-leave")

    async def closed(self) -> None:
        """Wait until the broker was left."""
        self.close()
        assert self._closing is not None
        await self._closing

    def _start(self, publish: Coroutine[None, None, None]) -> None:
        publishing = self._loop.create_task(publish)
        self._publishing.add(publishing)
        publishing.add_done_callback(self._publishing.discard)

    async def _publish(self, message: Message) -> None:
        # What a broker that is gone did not take is asked again by the driver's own clock.
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.publish(
                message.topic,
                message.payload,
                properties=self._joining.publish_properties(),
                timeout=PUBLISH_S_MAX,
            )

    async def _tell_state(self, *, is_online: bool) -> None:
        """Tell edge nodes whether their host is there, with the time of its birth."""
        with contextlib.suppress(aiomqtt.MqttError):
            await _publish_state(
                self._client, self._joining.host, self._born_ms, is_online=is_online
            )

    async def _read(self) -> None:
        reason = "the broker ended the conversation"
        try:
            async for message in self._client.messages:
                self._take(message)
        except aiomqtt.MqttError as error:
            reason = _words(error)
        self._receiver.lost(reason)

    def _take(self, message: aiomqtt.Message) -> None:
        topic = str(message.topic)
        if self._joining.host and topic == state_topic(self._joining.host):
            self._guard_state(message)
            return
        if message.retain and not self._joining.wants_kept:
            return
        is_kept = message.retain or self._loop.time() < self._backlog_until_s
        payload = message.payload[: PAYLOAD_SIZE_MAX + 1]
        self._receiver.heard(pack(Message(topic, payload, is_kept)))

    def _guard_state(self, message: aiomqtt.Message) -> None:
        """A death of ours while we live (the will of a connection before this one): contradict."""
        said = read_state(message.payload)
        if said is not None and not said.online and not message.retain:
            self._start(self._tell_state(is_online=True))

    async def _leave(self) -> None:
        # Not in the reader: a task that is cancelled before its first step runs nothing at all.
        ending = {self._reading, *self._publishing}
        for task in ending:
            task.cancel()
        await asyncio.wait(ending)
        try:
            if self._joining.host:
                await self._tell_state(is_online=False)
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


def _words(error: BaseException) -> str:
    """Return why, in words: version 5 gives a reason, which hides behind the error it caused."""
    cause = error.__cause__ if isinstance(error.__cause__, aiomqtt.MqttCodeError) else error
    code = cause.rc if isinstance(cause, aiomqtt.MqttCodeError) else None
    if isinstance(code, ReasonCode) and code.value != _UNSPECIFIED:
        return f"{code} (reason code {code.value})"
    if code is not None and not isinstance(code, ReasonCode):
        return str(cause)
    return "the broker ended the connection" if cause is not error else str(error)


def _check_granted(codes: Sequence[object]) -> None:
    """Refuse a subscription that the broker refused: nothing would ever come.

    Raises:
        LinkFailedError: the broker's reason.
    """
    for code in codes:
        if isinstance(code, ReasonCode) and code.is_failure:
            raise LinkFailedError(f"subscription refused: {code} (reason code {code.value})")


async def _publish_state(
    client: aiomqtt.Client, host: str, born_ms: int, *, is_online: bool
) -> None:
    message = state_message(host, born_ms, is_online=is_online)
    await client.publish(message.topic, message.payload, qos=1, retain=True, timeout=PUBLISH_S_MAX)


def _client(
    place: tuple[str, int],
    secrets: Secrets,
    context: ssl.SSLContext | None,
    joining: Joining,
    born_ms: int,
) -> aiomqtt.Client:
    version = aiomqtt.ProtocolVersion.V5 if joining.is_v5 else aiomqtt.ProtocolVersion.V311
    will = None
    if joining.host:
        death = state_message(joining.host, born_ms, is_online=False)
        will = aiomqtt.Will(death.topic, death.payload, qos=1, retain=True)
    return aiomqtt.Client(
        *place,
        username=secrets.username,
        password=secrets.password,
        tls_context=context,
        keepalive=KEEPALIVE_S,
        identifier=joining.client or None,
        protocol=version,
        clean_start=not joining.session_s if joining.is_v5 else MQTT_CLEAN_START_FIRST_ONLY,
        properties=joining.connect_properties(),
        will=will,
    )


def _context(secrets: Secrets) -> ssl.SSLContext:
    """Return how a broker's certificate is checked and ours is shown.

    Raises:
        LinkFailedError: a file cannot be read as what it is to be.
    """
    try:
        context = ssl.create_default_context(cafile=secrets.ca_file)
        if secrets.cert_file is not None:
            context.load_cert_chain(secrets.cert_file, secrets.key_file)
    except OSError as error:
        files = (secrets.ca_file, secrets.cert_file, secrets.key_file)
        names = ", ".join(each for each in files if each)
        raise LinkFailedError(f"certificates {names}: {error}") from error
    return context


async def open_mqtt(
    host: str,
    port: int,
    topic: str,
    receiver: Receiver,
    *,
    secrets: Secrets,
    is_tls: bool,
    joining: Joining = _PLAIN,
) -> MqttTransport:
    """Join a broker and subscribe to `topic`.

    Raises:
        LinkFailedError: the broker is away, refuses us, or its certificate is not trusted.
    """
    born_ms = time.time_ns() // 1_000_000
    context = _context(secrets) if is_tls else None
    client = _client((host, port), secrets, context, joining, born_ms)
    stack = AsyncExitStack()
    try:
        await stack.enter_async_context(client)
        await _subscribe(client, topic, joining, born_ms)
    except (aiomqtt.MqttError, LinkFailedError, OSError) as error:
        with contextlib.suppress(aiomqtt.MqttError):
            await stack.aclose()
        said = _words(error)
        _let_go(error)
        raise LinkFailedError(f"{host}:{port} {topic}: {said}") from None
    return MqttTransport(client, stack, receiver, joining, born_ms)


async def _subscribe(client: aiomqtt.Client, topic: str, joining: Joining, born_ms: int) -> None:
    """Ask for what we came for; a host hears of its own state before it tells it."""
    options = joining.subscription()
    qos = 1 if options is None else 0  # version 5 has it among its options
    topics = [topic]
    if joining.host and not is_state(topic):
        topics.insert(0, state_topic(joining.host))
    for each in topics:
        _check_granted(await client.subscribe(each, qos=qos, options=options))
    if joining.host:
        await _publish_state(client, joining.host, born_ms, is_online=True)


async def open_broker(address: Address, receiver: Receiver, secrets: Secrets) -> MqttTransport:
    """Join the broker of a device URL.

    Raises:
        LinkFailedError: as `open_mqtt`.
        ConfigError: a setting of the URL.
    """
    return await open_mqtt(
        address.host,
        address.port,
        address.path.removeprefix("/"),
        receiver,
        secrets=secrets,
        is_tls=address.scheme == "mqtts",
        joining=read_joining(f"{address.scheme}://{address.host}", address.settings),
    )
