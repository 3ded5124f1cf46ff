"""What a real broker does to our links: MQTT 3.1.1 and 5, TLS, sessions, wills, refusals."""

import asyncio
import gc
import warnings
from pathlib import Path

import pytest

from drivers.devices.json import JsonProtocol
from drivers.devices.senml import SenMLProtocol
from drivers.envelope import Message, pack
from monitor.model.event import DeviceEvent, Observation, Validity
from monitor.model.instant import OPENING, instant_at
from monitor.runtime.transports.contract import LinkFailedError, Secrets
from monitor.runtime.transports.joining import Joining
from monitor.runtime.transports.mqtt import open_mqtt
from tests.drivers.hearing import refusals
from tests.runtime.brokers import BOTH, V5, broker, expiring, joined, messages, publishing, told
from tests.runtime.ears import Ears
from tests.services.servers import Mosquitto

pytestmark = pytest.mark.service


@BOTH
async def test_kept_messages_are_marked_and_live_ones_are_not(
    mosquitto: Mosquitto, joining: Joining
) -> None:
    async with publishing(mosquitto.port) as node:
        await node.publish("chair2/a", b"kept", qos=1, retain=True)
        ears = Ears()
        async with joined(mosquitto.port, ears, joining):
            await ears.until_heard(b"kept")
            await node.publish("chair2/a", b"live", qos=1, retain=True)
            await ears.until_heard(b"live")
    assert told(ears) == [("chair2/a", b"kept", True), ("chair2/a", b"live", False)]


@pytest.mark.parametrize("is_v5", [True, False])
async def test_what_was_kept_need_not_be_asked_for(mosquitto: Mosquitto, is_v5: bool) -> None:  # noqa: FBT001
    async with publishing(mosquitto.port) as node:
        await node.publish("chair2/a", b"kept", qos=1, retain=True)
        ears = Ears()
        async with joined(mosquitto.port, ears, Joining(is_v5=is_v5, wants_kept=False)):
            await node.publish("chair2/b", b"live", qos=1)
            await ears.until_heard(b"live")
    assert told(ears) == [("chair2/b", b"live", False)]


async def test_properties_of_others_change_nothing(mosquitto: Mosquitto) -> None:
    ears = Ears()
    async with publishing(mosquitto.port) as node, joined(mosquitto.port, ears, V5):
        await node.publish("chair2/a", b"one", qos=1, properties=expiring(60, unit="kPa", spo2="3"))
        await ears.until_heard(b"one")
    assert told(ears) == [("chair2/a", b"one", False)]


async def test_what_expired_at_the_broker_does_not_come(mosquitto: Mosquitto) -> None:
    """A kept message with a life of one second is not there two seconds later."""
    loop = asyncio.get_running_loop()
    async with publishing(mosquitto.port) as node:
        await node.publish("chair2/a", b"old", qos=1, retain=True, properties=expiring(1))
        await node.publish("chair2/b", b"kept", qos=1, retain=True)
        passed = loop.create_future()
        loop.call_later(2.2, passed.set_result, None)
        await passed
        ears = Ears()
        async with joined(mosquitto.port, ears, V5):
            await ears.until_heard(b"kept")
    assert told(ears) == [("chair2/b", b"kept", True)]


async def test_a_command_of_ours_does_not_wait_for_ever(mosquitto: Mosquitto) -> None:
    async with publishing(mosquitto.port) as node:
        await node.subscribe("node/command", qos=1)
        async with joined(mosquitto.port, Ears(), V5) as transport:
            transport.write(pack(Message("node/command", b"rebirth")))
            async with asyncio.timeout(10):
                heard = await anext(aiter(node.messages))
    assert heard.payload == b"rebirth"
    assert getattr(heard.properties, "MessageExpiryInterval", 999) <= 10


# -- sessions: what the broker holds while we are away ---------------------------------------------

SESSION = Joining(is_v5=True, client="vigil-chair2", session_s=60)


async def _after_an_outage(port: int, payload: bytes) -> list[Message]:
    """What comes when a message was published while we were away, and one after we came back."""
    async with joined(port, Ears(), SESSION):
        pass
    ears = Ears()
    async with publishing(port) as node:
        await node.publish("chair2/a", payload, qos=1)
        async with joined(port, ears, SESSION):
            await ears.until_heard(payload)
    return messages(ears)


async def test_what_waited_in_a_session_counts_as_kept(mosquitto: Mosquitto) -> None:
    heard = await _after_an_outage(mosquitto.port, b'{"spO2":97}')
    assert [each.is_retained for each in heard] == [True]
    events = JsonProtocol().receive(pack(heard[0]), OPENING)
    assert refusals(events) == ["spo2: kept by the broker, age unknown"]


@pytest.mark.hazard("H3")
async def test_a_backlog_is_placed_by_its_own_times(mosquitto: Mosquitto) -> None:
    """Offline gateways send old readings after an outage: they are old, and clear nothing newer."""
    (heard,) = await _after_an_outage(
        mosquitto.port, b'[{"bn":"n:","bt":1700000000,"n":"spo2","u":"%","v":99}]'
    )
    protocol = SenMLProtocol({"opened_utc_s": 1_700_000_000.0})
    (event,) = protocol.receive(pack(heard), instant_at(120))
    assert isinstance(event, Observation)
    assert (event.value, event.validity, event.taken) == (99.0, Validity.QUESTIONABLE, OPENING)
    newer = SenMLProtocol({"opened_utc_s": 1_700_000_000.0})
    newer.receive(b'[{"bt":1700000100,"n":"spo2","u":"%","v":80}]', instant_at(100))
    assert refusals(newer.receive(pack(heard), instant_at(120))) == ["spo2: older than the newest"]


async def test_without_a_session_nothing_waits_for_us(mosquitto: Mosquitto) -> None:
    for joining in (Joining(client="vigil"), Joining(is_v5=True, client="vigil")):
        async with joined(mosquitto.port, Ears(), joining):
            pass
        ears = Ears()
        async with publishing(mosquitto.port) as node:
            await node.publish("chair2/a", b"missed", qos=1)
            async with joined(mosquitto.port, ears, joining):
                await node.publish("chair2/a", b"live", qos=1)
                await ears.until_heard(b"live")
        assert told(ears) == [("chair2/a", b"live", False)]


@BOTH
async def test_a_message_sent_twice_is_one_reading(mosquitto: Mosquitto, joining: Joining) -> None:
    """QoS 1 repeats: a gateway that got no answer says the same again."""
    ears, payload = Ears(), b'{"time":1700000000,"spO2":97}'
    async with publishing(mosquitto.port) as node, joined(mosquitto.port, ears, joining):
        for _ in range(3):
            await node.publish("chair2/a", payload, qos=1)
        await node.publish("chair2/a", b"end", qos=1)
        await ears.until_heard(b"end")
    protocol = JsonProtocol({"opened_utc_s": 1_700_000_000.0})
    events: list[DeviceEvent] = []
    for piece in ears.pieces[:-1]:
        events += protocol.receive(piece, instant_at(1))
    assert len(ears.pieces) == 4
    assert [each.value for each in events if isinstance(each, Observation)] == [97.0]


# -- refusals in words -----------------------------------------------------------------------------


async def _refusal(mosquitto: Mosquitto, secrets: Secrets, joining: Joining) -> str:
    is_tls = mosquitto.ca_file is not None
    host = "localhost" if is_tls else "127.0.0.1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # paho's own, of a failed handshake
        try:
            transport = await open_mqtt(
                host,
                mosquitto.port,
                "chair2/#",
                Ears(),
                secrets=secrets,
                is_tls=is_tls,
                joining=joining,
            )
        except LinkFailedError as error:
            said = str(error)
        else:
            await transport.closed()
            said = ""
        gc.collect()
    return said


@BOTH
async def test_a_wrong_password_is_said_in_words(tmp_path: Path, joining: Joining) -> None:
    with broker(tmp_path, password="open sesame") as guarded:  # noqa: S106 - of one test
        said = await _refusal(guarded, Secrets("vigil", "guess"), joining)
        assert "authori" in said.lower()
        assert "reason code" in said
        assert not await _refusal(guarded, Secrets("vigil", "open sesame"), joining)


@BOTH
async def test_a_subscription_that_is_not_granted_is_no_silent_link(joining: Joining) -> None:
    """A mosquitto grants every subscription and then delivers nothing; other brokers say no."""
    connected, refused = (
        (b"\x20\x02\0\0", b"\x80") if not joining.is_v5 else (b"\x20\x03\0\0\0", b"\0\x87")
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(connected)
        asked = await reader.read(1000)
        writer.write(bytes([0x90, 2 + len(refused)]) + asked[2:4] + refused)
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkFailedError, match=r"subscription refused: .*reason code 1[23]"):
            await open_mqtt(
                "127.0.0.1", port, "a", Ears(), secrets=Secrets(), is_tls=False, joining=joining
            )


async def test_a_broker_that_ends_the_conversation_is_told_from_a_broken_line(
    mosquitto: Mosquitto,
) -> None:
    ears = Ears()
    one = Joining(is_v5=True, client="one")
    async with joined(mosquitto.port, ears, one), publishing(mosquitto.port, identifier="one"):
        said = await ears.until_lost()
    assert said == "the broker ended the connection"


# -- TLS -------------------------------------------------------------------------------------------


@BOTH
async def test_a_broker_may_ask_for_our_certificate(tmp_path: Path, joining: Joining) -> None:
    more = (f"cafile {tmp_path}/ca.crt", "require_certificate true")
    with broker(tmp_path, *more, tls=True) as guarded:
        ca_file = str(tmp_path / "ca.crt")
        ours = (str(tmp_path / "tls.crt"), str(tmp_path / "tls.key"))
        assert not await _refusal(guarded, Secrets(None, None, ca_file, *ours), joining)
        assert await _refusal(guarded, Secrets(None, None, ca_file), joining)
        missing = Secrets(None, None, ca_file, str(tmp_path / "none.crt"), ours[1])
        assert "none.crt" in await _refusal(guarded, missing, joining)
