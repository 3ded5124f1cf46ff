"""Simulated devices on real wires: a pty, a broker, or the two ends of one inside this process.

The device keeps the course's time (instants since the course began); the wire keeps the loop's.
"""

import asyncio
import fcntl
import os
import struct
import termios
import time
import tty
from collections.abc import Callable, Sequence
from typing import Final

import aiomqtt

from drivers.envelope import Message, pack, unpack
from monitor.model.instant import Duration, Instant, in_seconds, later, seconds
from monitor.runtime.cancellation import heed_cancellation
from monitor.runtime.transports.contract import LinkFailedError
from simulators.device import SimulatedDevice

READ_SIZE_MAX: Final = 4096
NO_GRAIN: Final = Duration(0)
GRAIN: Final = seconds(0.5)
"""Bytes on a wire inside the process come in pieces this far apart, as from a lazy adapter."""
FINE_GRAIN: Final = seconds(0.05)
"""For a device whose frames are told apart by pauses, which a lazier adapter would blur."""


class CourseClock:
    """Instants of a course that began `start` before the clock was made, on the running loop."""

    def __init__(self, start: Instant) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time() - in_seconds(start)

    def now(self) -> Instant:
        """Return the instant of the course."""
        return Instant(round((self._loop.time() - self._began_s) * 1e9))

    def loop_time(self, instant: Instant) -> float:
        """Return when the loop's clock will show `instant`."""
        return self._began_s + in_seconds(instant)

    async def until(self, instant: Instant) -> None:
        """Wait until the course has come to `instant`."""
        await asyncio.sleep(max(0.0, self.loop_time(instant) - self._loop.time()) + 1e-6)


class Driven:
    """A device stepped by the loop whenever it is due; what it says goes to `send`."""

    def __init__(
        self, device: SimulatedDevice, clock: CourseClock, grain: Duration = NO_GRAIN
    ) -> None:
        self._device = device
        self._clock = clock
        self._grain = grain
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.send: Callable[[Sequence[bytes]], None] = lambda pieces: None  # noqa: ARG005
        self.on_step: Callable[[Instant], None] = lambda now: None  # noqa: ARG005

    def step(self) -> None:
        """Let the device do what is due."""
        now = self._clock.now()
        self._pass_on(self._device.step(now), now)

    def receive(self, data: bytes) -> None:
        """Let the device hear `data`."""
        now = self._clock.now()
        self._pass_on(self._device.receive(data, now), now)

    def stop(self) -> None:
        """Step no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _pass_on(self, pieces: Sequence[bytes], now: Instant) -> None:
        if pieces:
            self.send(pieces)
        self.on_step(now)
        self.stop()
        due_s = self._clock.loop_time(max(self._device.wake_at, later(now, self._grain)))
        self._timer = self._loop.call_at(due_s + 1e-6, self.step)


class WiredDevice:
    """A device at the far end of a wire inside this process; a pulled cable cuts the wire.

    `is_line`: bytes run together as on a serial line; else each piece is a message.
    """

    def __init__(
        self,
        device: SimulatedDevice,
        clock: CourseClock,
        *,
        is_line: bool = True,
        grain: Duration = GRAIN,
    ) -> None:
        self._device = device
        self._clock = clock
        self._is_line = is_line
        self._driven = Driven(device, clock, grain)
        self._driven.send = self._send
        self._driven.on_step = self._look_at_cable
        self._to_host: Callable[[bytes], None] | None = None
        self._cut: Callable[[str], None] | None = None
        self._driven.step()

    def connected(self, send: Callable[[bytes], None], cut: Callable[[str], None]) -> None:
        """Learn how to reach the host.

        Raises:
            LinkFailedError: the cable is pulled.
        """
        if not self._device.is_connected(self._clock.now()):
            raise LinkFailedError("unplugged")
        self._to_host, self._cut = send, cut

    def receive(self, data: bytes) -> None:
        """Take what the host sent."""
        self._driven.receive(data)

    def left(self) -> None:
        """Learn that the host closed its end."""
        self._to_host = self._cut = None

    def stop(self) -> None:
        """End the device."""
        self._driven.stop()

    def _send(self, pieces: Sequence[bytes]) -> None:
        if self._to_host is not None and self._is_line:
            self._to_host(b"".join(pieces))
            return
        for piece in pieces:
            if self._to_host is not None:
                self._to_host(piece)

    def _look_at_cable(self, now: Instant) -> None:
        if self._cut is not None and not self._device.is_connected(now):
            cut, self._cut, self._to_host = self._cut, None, None
            cut("unplugged")


class Pty:
    """A serial line with a place for a device at its far end; bytes that nobody reads are gone.

    `unread_s_max`: what nobody read for so long is thrown away, so that a host that comes later
    hears the present; without it the system's buffer fills once and keeps its beginning.
    """

    def __init__(self, *, unread_s_max: float | None = None) -> None:
        self._master, self._slave = os.openpty()
        self._unread_s_max = unread_s_max
        self._unread_count = 0
        self._read_at_s = time.monotonic()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        # Our own handle on the near side stays open: without it the master would only say EIO.
        self._loop = asyncio.get_running_loop()
        self._driven: Driven | None = None

    @property
    def url(self) -> str:
        """Where a host finds this line."""
        return f"serial://{self.path}"

    def play(self, device: SimulatedDevice, clock: CourseClock) -> None:
        """Let `device` speak and listen here from now on."""
        self._driven = Driven(device, clock)
        self._driven.send = self._send
        self._loop.add_reader(self._master, self._read, self._driven)
        self._driven.step()

    def close(self) -> None:
        """Unplug it for good."""
        if self._driven is not None:
            self._driven.stop()
            self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _read(self, driven: Driven) -> None:
        driven.receive(os.read(self._master, READ_SIZE_MAX))

    def _forget_unread(self) -> None:
        (count,) = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))
        now_s = time.monotonic()  # of the wall: it is a host's patience, not the course's
        if count == 0 or count < self._unread_count:
            self._read_at_s = now_s
        elif self._unread_s_max is not None and now_s - self._read_at_s > self._unread_s_max:
            termios.tcflush(self._slave, termios.TCIFLUSH)
            count = 1  # still nobody there, as far as is known
        self._unread_count = count

    def _send(self, pieces: Sequence[bytes]) -> None:
        self._forget_unread()
        for piece in pieces:
            try:
                os.write(self._master, piece)
            except BlockingIOError:
                return  # the line's buffer is full because nobody listens


async def publish_device(
    device: SimulatedDevice, clock: CourseClock, host: str, port: int, topic: str
) -> None:
    """Let a device publish below `topic`, and hear what is published there, until cancelled.

    A device whose own topics begin so already (a namespace) is not put below it twice.

    Raises:
        aiomqtt.MqttError: the broker is gone.
    """
    async with aiomqtt.Client(host, port) as client:
        await client.subscribe(f"{topic}/#")
        hearing = asyncio.ensure_future(_hear(device, clock, client, topic))
        try:
            while True:
                await _publish(client, device.step(clock.now()), topic)
                await clock.until(device.wake_at)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def _publish(client: aiomqtt.Client, pieces: Sequence[bytes], topic: str) -> None:
    for piece in pieces:
        message = unpack(piece)
        is_below = message.topic.startswith(f"{topic}/")
        name = message.topic if is_below else f"{topic}/{message.topic}"
        await client.publish(name, message.payload, retain=message.is_retained)
        heed_cancellation()


async def _hear(
    device: SimulatedDevice, clock: CourseClock, client: aiomqtt.Client, topic: str
) -> None:
    """Let the device hear commands, under the names it knows itself by; it also hears its own."""
    async for message in client.messages:
        whole = str(message.topic)
        below = whole.removeprefix(f"{topic}/")
        for name in dict.fromkeys((whole, below)):
            heard = pack(Message(name, message.payload, message.retain))
            await _publish(client, device.receive(heard, clock.now()), topic)
