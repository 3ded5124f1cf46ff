"""Laws for drivers behind an adapter that gathers bytes and passes them on in bursts."""

from collections import Counter
from collections.abc import Sequence

import pytest

from drivers.contract import CanMeasure, DeviceProtocol, DeviceSide, Driver
from monitor.model.event import DeviceEvent, FrameRejected, Observation
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


class Heard:
    """How often each metric was told with a value, frames were refused, the host spoke."""

    def __init__(self) -> None:
        self.counts: Counter[Metric] = Counter()
        self.refused = 0
        self.sent = 0

    def take(self, told: Sequence[DeviceEvent]) -> None:
        values = [each for each in told if isinstance(each, Observation) and each.value is not None]
        self.counts += Counter(each.metric for each in values)
        self.refused += sum(isinstance(each, FrameRejected) for each in told)


def listen(driver: Driver, every_s: float, duration_s: float) -> Heard:
    """Let both sides talk behind an adapter."""
    protocol, device = open_plain(driver), driver.open_device()
    adapter, heard, now = Adapter(every_s), Heard(), OPENING
    device.say(said(driver, 3), now)
    if isinstance(protocol, CanMeasure):
        protocol.measure(now)
    while now <= instant_at(duration_s):
        step(protocol, device, adapter, now, heard)
        sides = (protocol.wake_at, device.wake_at, adapter.wake_at)
        due = [each for each in sides if each is not None]
        if not due:
            break
        now = max(Instant(now + MS), min(due))
    return heard


def step(
    protocol: DeviceProtocol, device: DeviceSide, adapter: Adapter, now: Instant, heard: Heard
) -> None:
    device.wake(now)
    data = adapter.pass_on(list(device.take_outgoing()), now)
    told = list(protocol.receive(data, now)) if data else []
    if protocol.wake_at is not None and protocol.wake_at <= now:
        told += protocol.wake(now)
    for piece in protocol.take_outgoing():
        device.receive(piece, now)
        heard.sent += 1
    heard.take(told)


@pytest.mark.parametrize("every_s", [0.55, 0.7])
@pytest.mark.parametrize("driver", STREAMS, ids=lambda each: each.name)
def test_a_lazy_adapter_costs_no_numbers(driver: Driver, every_s: float) -> None:
    """What is asked for comes less often, as each answer waits; a stream loses only its ends."""
    prompt, lazy = (listen(driver, each, duration_s=40) for each in (0, every_s))
    assert prompt.counts
    assert lazy.counts.keys() == prompt.counts.keys()
    is_asked = prompt.sent > 40
    for metric, count in prompt.counts.items():
        least = count // 2 if is_asked else count * 0.95 - 2
        assert lazy.counts[metric] >= least, f"{metric}: {lazy.counts[metric]} of {count}"
    assert lazy.refused <= prompt.refused + 2
