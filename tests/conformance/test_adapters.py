"""Laws for drivers behind an adapter that gathers bytes and passes them on in bursts."""

from collections import Counter

import pytest

from drivers.contract import CanMeasure, DeviceProtocol, DeviceSide, Driver
from monitor.model.event import Observation
from monitor.model.instant import OPENING, Instant, instant_at, seconds
from monitor.model.metric import Metric
from tests.conformance.gear import STREAMS, open_plain, said

MS = 1_000_000


class Adapter:
    """Passes bytes on every so often; a burst may end inside a frame that is still being sent."""

    def __init__(self, every_s: float) -> None:
        self._every = seconds(every_s)
        self._held: list[bytes] = []
        self._flush_at = OPENING

    @property
    def wake_at(self) -> Instant | None:
        return self._flush_at if self._held else None

    def pass_on(self, pieces: list[bytes], now: Instant) -> bytes:
        self._held += pieces
        if now < self._flush_at:
            return b""
        self._flush_at = Instant(now + self._every)
        data = b"".join(self._held)
        is_cut = self._every and pieces and len(self._held) > len(pieces)
        keep = (len(pieces[-1]) + 1) // 2 if is_cut else 0
        self._held = [data[len(data) - keep :]] if keep else []
        return data[: len(data) - keep]


def counts(driver: Driver, every_s: float, duration_s: float) -> Counter[Metric]:
    """How often each metric was told with a value."""
    protocol, device = open_plain(driver), driver.open_device()
    adapter = Adapter(every_s)
    heard: Counter[Metric] = Counter()
    now = OPENING
    device.say(said(driver, 3), now)
    if isinstance(protocol, CanMeasure):
        protocol.measure(now)
    while now <= instant_at(duration_s):
        heard += step(protocol, device, adapter, now)
        sides = (protocol.wake_at, device.wake_at, adapter.wake_at)
        due = [each for each in sides if each is not None]
        if not due:
            break
        now = max(Instant(now + MS), min(due))
    return heard


def step(
    protocol: DeviceProtocol, device: DeviceSide, adapter: Adapter, now: Instant
) -> Counter[Metric]:
    device.wake(now)
    data = adapter.pass_on(list(device.take_outgoing()), now)
    told = list(protocol.receive(data, now)) if data else []
    if protocol.wake_at is not None and protocol.wake_at <= now:
        told += protocol.wake(now)
    for piece in protocol.take_outgoing():
        device.receive(piece, now)
    values = [each for each in told if isinstance(each, Observation) and each.value is not None]
    return Counter(each.metric for each in values)


@pytest.mark.parametrize("every_s", [0.5, 0.7])
@pytest.mark.parametrize("driver", STREAMS, ids=lambda each: each.name)
def test_a_lazy_adapter_costs_no_numbers(driver: Driver, every_s: float) -> None:
    """What is asked for comes less often, as each answer waits; a stream loses only its tail."""
    prompt, lazy = (counts(driver, each, duration_s=40) for each in (0, every_s))
    assert prompt
    assert lazy.keys() == prompt.keys()
    for metric, count in prompt.items():
        assert lazy[metric] >= count // 2, f"{metric}: {lazy[metric]} of {count}"
