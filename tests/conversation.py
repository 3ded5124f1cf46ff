"""What a simulated device says to its own host, without a wire between them."""

from collections.abc import Iterator

from drivers.contract import DeviceProtocol, Driver
from monitor.model.instant import Instant, instant_at
from simulators.device import Bedside, simulate
from simulators.physiology import Patient
from simulators.scenario import load

STEPS_HZ = 20


def conversation(
    driver: Driver, protocol: DeviceProtocol, span_s: int
) -> Iterator[tuple[Instant, bytes]]:
    """Yield each piece a quiet patient's device sends in `span_s` seconds, with its instant."""
    device = simulate(driver, Bedside(Patient(load("quiet"), 1)))
    for step in range(span_s * STEPS_HZ):
        now = instant_at(step / STEPS_HZ)
        pieces = list(device.step(now))
        if protocol.wake_at is not None and protocol.wake_at <= now:
            protocol.wake(now)
        for asked in protocol.take_outgoing():
            pieces += device.receive(asked, now)
        for piece in pieces:
            protocol.receive(piece, now)
            yield now, piece
