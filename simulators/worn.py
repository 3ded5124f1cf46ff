"""A device at the far end of a worn wire inside this process, on virtual time.

Wear acts on each piece as the device sends it; only then do the bytes of a line run together, as
they do on a serial line that is read now and then.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from monitor.model.instant import Duration, Instant, later
from monitor.runtime.transports.contract import LinkFailedError
from simulators.device import SimulatedDevice
from simulators.faults import WornWire
from simulators.wiring import CourseClock

_TICK_S: Final = 1e-6


class WornDevice:
    """A simulated device, its cable and the wear of both directions.

    A pulled cable cuts the wire and loses what is on it; a dumb device keeps the wire and says
    nothing. The device itself lives on in both cases.

    `lay` makes the wires of one connection, to the host and to the device; each connection has its
    own, so that nothing is left over from the one before. `faults` counts what those that are gone
    suffered.
    """

    def __init__(
        self,
        device: SimulatedDevice,
        clock: CourseClock,
        lay: Callable[[int], tuple[WornWire, WornWire]],
        *,
        grain: Duration,
        is_line: bool,
    ) -> None:
        self._device = device
        self._clock = clock
        self._lay = lay
        self._laid = 0
        self._to_host, self._to_device = lay(0)
        self.faults: Counter[str] = Counter()
        self._grain = grain
        self._is_line = is_line
        self._is_plugged = True
        self._is_dumb = False
        self._send: Callable[[bytes], None] | None = None
        self._cut: Callable[[str], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._pump()

    # -- the far end of a transport ----------------------------------------------------------------

    def connected(self, send: Callable[[bytes], None], cut: Callable[[str], None]) -> None:
        """Learn how to reach the host.

        Raises:
            LinkFailedError: the cable is pulled.
        """
        if not self._is_plugged:
            raise LinkFailedError("unplugged")
        self._send, self._cut = send, cut

    def receive(self, data: bytes) -> None:
        """Take what the host sent, into the wire."""
        self._to_device.put([data], self._clock.now())
        self._pump()

    def left(self) -> None:
        """Learn that the host closed its end; what is on the wire is gone."""
        self._send = self._cut = None
        self.faults += Counter(self._to_host.counts) + Counter(self._to_device.counts)
        self._laid += 1
        self._to_host, self._to_device = self._lay(self._laid)

    # -- what befalls it ---------------------------------------------------------------------------

    def pull(self) -> None:
        """Pull the cable."""
        self._is_plugged = False
        cut = self._cut
        self.left()
        if cut is not None:
            cut("unplugged")

    def plug(self) -> None:
        """Plug the cable in again."""
        self._is_plugged = True

    def fall_dumb(self) -> None:
        """Say nothing any more."""
        self._is_dumb = True

    def speak(self) -> None:
        """Speak again."""
        self._is_dumb = False

    def stop(self) -> None:
        """End the device."""
        if self._timer is not None:
            self._timer.cancel()

    # -- inside ------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Do what is due, in both directions, and keep a timer for what comes next."""
        now = self._clock.now()
        for data in self._to_device.take(now):
            self._put(self._device.receive(data, now), now)
        self._put(self._device.step(now), now)
        self._deliver(self._to_host.take(now))
        self.stop()
        due_s = self._clock.loop_time(self._due(now)) + _TICK_S
        self._timer = self._loop.call_at(due_s, self._pump)

    def _put(self, pieces: Sequence[bytes], now: Instant) -> None:
        if self._send is not None and not self._is_dumb:
            self._to_host.put(pieces, now)

    def _deliver(self, pieces: Sequence[bytes]) -> None:
        if self._is_line and pieces:
            pieces = [b"".join(pieces)]
        for piece in pieces:
            if self._send is not None:
                self._send(piece)

    def _due(self, now: Instant) -> Instant:
        soonest = later(now, self._grain)
        dues = [self._device.wake_at, self._to_host.wake_at, self._to_device.wake_at]
        return max(soonest, min(each for each in dues if each is not None))
