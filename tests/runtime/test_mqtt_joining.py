"""How a broker is joined: what a URL says of it, and the STATE of a Sparkplug host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
import msgspec
import pytest

from drivers.contract import SerialLine
from drivers.devices.sparkplug import SparkplugProtocol
from drivers.envelope import pack
from drivers.parts.sparkplug_host import read_state, state_message, state_topic
from monitor.model.errors import ConfigError
from monitor.model.instant import OPENING
from monitor.runtime.transports.joining import Joining, read_joining
from monitor.runtime.transports.mqtt import MqttTransport
from monitor.runtime.transports.opener import make_opener
from monitor.runtime.transports.url import parse
from tests.drivers.hearing import values
from tests.runtime.brokers import joined, publishing
from tests.runtime.ears import Ears
from tests.services.servers import Mosquitto

pytestmark = pytest.mark.service

# -- a Sparkplug host ------------------------------------------------------------------------------

HOST = Joining(is_v5=True, host="vigil-1")


class Watcher:
    """An edge node that watches its host's state."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._messages = client.messages

    async def next(self) -> tuple[bool, int, bool]:
        async with asyncio.timeout(20):
            message = await anext(aiter(self._messages))
        state = read_state(message.payload)
        assert state is not None
        assert msgspec.json.decode(message.payload).keys() == {"online", "timestamp"}
        return state.online, state.utc_ms, message.retain


@asynccontextmanager
async def watching(port: int) -> AsyncIterator[Watcher]:
    async with publishing(port) as client:
        await client.subscribe(state_topic("vigil-1"), qos=1)
        yield Watcher(client)


@pytest.mark.parametrize("joining", [HOST, Joining(host="vigil-1")], ids=["5", "3.1.1"])
async def test_a_host_tells_its_birth_and_its_death_with_the_same_time(
    mosquitto: Mosquitto, joining: Joining
) -> None:
    async with watching(mosquitto.port) as watcher:
        async with joined(mosquitto.port, Ears(), joining, "spBv1.0/clinic/#"):
            online, born_ms, _ = await watcher.next()
            assert online
        assert await watcher.next() == (False, born_ms, False)
    async with watching(mosquitto.port) as late:
        assert await late.next() == (False, born_ms, True)  # kept by the broker


async def test_a_host_that_vanishes_is_declared_dead_by_the_broker(mosquitto: Mosquitto) -> None:
    async with watching(mosquitto.port) as watcher:
        ears = Ears()
        async with joined(mosquitto.port, ears, HOST, "spBv1.0/#") as transport:
            _, born_ms, _ = await watcher.next()
            wire = transport._client._client.socket()
            wire.shutdown(2)  # type: ignore[union-attr]
            await ears.until_lost()
            assert await watcher.next() == (False, born_ms, False)


async def test_a_living_host_contradicts_a_late_death(mosquitto: Mosquitto) -> None:
    ears = Ears()
    async with (
        watching(mosquitto.port) as watcher,
        publishing(mosquitto.port) as other,
        joined(mosquitto.port, ears, HOST, "spBv1.0/#"),
    ):
        _, born_ms, _ = await watcher.next()
        death = state_message("vigil-1", born_ms - 5000, is_online=False)
        await other.publish(death.topic, death.payload, qos=1, retain=True)
        assert (await watcher.next())[0] is False
        assert (await watcher.next())[:2] == (True, born_ms)
    assert ears.pieces == []  # our own state is nobody's vital sign


async def test_the_state_of_another_host_says_nothing_of_a_patient() -> None:
    message = state_message("other", 5, is_online=False)
    assert SparkplugProtocol().receive(pack(message), OPENING) == ()


# -- URLs ------------------------------------------------------------------------------------------


async def test_a_url_says_how_a_broker_is_joined(mosquitto: Mosquitto) -> None:
    ears = Ears()
    url = (
        f"mqtt://127.0.0.1:{mosquitto.port}/chair2/#?version=5&client=vigil-2&session_s=60&kept=no"
    )
    transport = await make_opener()(url, SerialLine(), ears)
    assert isinstance(transport, MqttTransport)
    assert transport._client.identifier == "vigil-2"
    async with publishing(mosquitto.port) as node:
        await node.publish("chair2/a", b"hello", qos=1)
        await ears.until_heard(b"hello")
    await transport.closed()


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ("version=4", "version=5"),
        ("client=a%20b", "client=vigil-chair2"),
        ("client=", "client=vigil-chair2"),
        ("session_s=60", "version=5 and client"),
        ("version=5&session_s=60", "version=5 and client"),
        ("version=5&client=a&session_s=-1", "session_s=600"),
        ("version=5&client=a&session_s=90000", "session_s=600"),
        ("kept=maybe", "kept=no"),
        ("host=a/b", "host=vigil-north"),
        ("qos=2", "known: version, client, session_s, kept, host"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_a_remedy(settings: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(f"mqtt://broker/chair2/#?{settings}")
    assert remedy in str(refused.value)
    assert "mqtt://broker" in str(refused.value)


def test_without_settings_it_is_version_3_1_1_and_nothing_is_kept_for_us() -> None:
    assert read_joining("mqtt://b/#", {}) == Joining()
    assert not Joining().is_v5
    assert parse("mqtt://b/chair/#?version=5").path == "/chair/#"
    assert values([]) == {}
