"""Laws for drivers that take whole messages: no cut is possible, any content is."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.contract import Driver
from drivers.envelope import Message, pack
from monitor.model.event import FrameRejected, Observation
from monitor.model.instant import Instant, instant_at
from monitor.model.metric import describe
from tests.conformance.gear import MESSAGES, frames, meaning, open_plain, said, size_of

pytestmark = pytest.mark.parametrize("driver", MESSAGES, ids=lambda each: each.name)
few = settings(max_examples=60, deadline=None, derandomize=True)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["n", "u", "v", "t", "bn", "bt", "bu", "bv", "spO2", "pulse", "time", "temp"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
HOSTILE = [
    b"",
    b"[",
    b"[" * 60_000,
    b'{"a":' * 20_000,
    b"\xff\xfe\x00",
    b'"\xc3\x28"',
    b"1e999",
    b"-" + b"9" * 5000,
    b"[1e999]",
    b'[{"n":"spo2","u":"%","v":1e308}]',
    b'[{"n":"spo2","u":"%","v":NaN}]',
    b'{"spO2":NaN}',
    b'{"spO2":1e300,"pulse":"1e3"}',
    b'{"spO2":' + b"9" * 400 + b"}",
    b'{"spO2":true,"pulse":[72],"time":{}}',
    b'{"spO2":97,"time":1e308}',
    b"x" * 100_000,
    pack(Message("t", b"")),
    pack(Message("t" * 70_000, b"{}")),
    b"\x00MQ1\x00\xff\xff",
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_message_is_refused_or_means_nothing(driver: Driver, payload: bytes) -> None:
    protocol = open_plain(driver)
    told = protocol.receive(payload, Instant(7))
    assert not [each for each in meaning(told) if each[1] is not None]
    expected = frames(driver, 1)[0]
    assert set(meaning(protocol.receive(expected, Instant(8)))) == set(meaning(said(driver, 0)))


@few
@given(content=json_values)
def test_any_content_gives_only_values_that_can_be(driver: Driver, content: object) -> None:
    payload = msgspec.json.encode(content)
    for event in open_plain(driver).receive(payload, Instant(7)):
        assert event.at == 7
        if isinstance(event, Observation) and event.value is not None:
            facts = describe(event.metric)
            assert facts.technical_low <= event.value <= facts.technical_high
        if isinstance(event, FrameRejected):
            assert len(event.frame) <= 64


@few
@given(noise=st.binary(max_size=300))
def test_noise_never_raises(driver: Driver, noise: bytes) -> None:
    protocol = open_plain(driver)
    protocol.receive(noise, Instant(1))
    protocol.receive(pack(Message("a/b", noise, is_retained=True)), Instant(2))
    protocol.receive(noise + frames(driver, 1)[0], Instant(3))


def test_endless_strange_messages_never_grow_memory(driver: Driver) -> None:
    protocol = open_plain(driver)
    for number in range(3000):
        name = f"x{number}"
        protocol.receive(f'[{{"n":"{name}","v":1}}]'.encode(), instant_at(number))
        protocol.receive(f'{{"{name}":1}}'.encode(), instant_at(number))
    assert size_of(protocol) < 64 * 1024


@pytest.mark.hazard("H3")
def test_a_damaged_message_spoils_no_other(driver: Driver) -> None:
    first, second, third = frames(driver, 3)
    for place in range(len(second)):
        for byte in b'\x00"{}[],:\\-e9':
            protocol = open_plain(driver)
            damaged = second[:place] + bytes([byte]) + second[place + 1 :]
            protocol.receive(first, instant_at(1))
            protocol.receive(damaged, instant_at(2))
            told = protocol.receive(third, instant_at(3))
            assert set(meaning(told)) == set(meaning(said(driver, 2))), f"{byte:02x} at {place}"
