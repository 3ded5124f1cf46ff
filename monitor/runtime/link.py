"""One conversation over one transport: bytes in, requests out, wake times kept, silence noticed.

Thin on purpose. Everything that decides is in the protocol and the pipeline; this moves bytes and
time. It is called straight from the event loop's reader, so the path from byte to decision has no
task and no mailbox in it.
"""

import asyncio
from typing import Final

from monitor.model.event import DeviceEvent
from monitor.model.instant import OPENING, Instant, later
from monitor.model.link import LinkChange, LinkState
from monitor.runtime.clock import SessionClock
from monitor.runtime.pipeline import Line, Pipeline, is_readable
from monitor.runtime.transports.contract import Transport

_TICK_S: Final = 1e-6
"""Timers fire up to their own resolution early; a wake that comes early would only be repeated."""


class Link:
    """The receiver of one transport; lives from its opening until `lost`."""

    def __init__(self, line: Line, pipeline: Pipeline, clock: SessionClock) -> None:
        self._line = line
        self._pipeline = pipeline
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._transport: Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = OPENING
        self._readable_at = clock.now()
        self._is_silent = False
        self.ended: asyncio.Future[str] = self._loop.create_future()

    def take(self, transport: Transport) -> None:
        """Own an open transport from here on; `close` gives it back."""
        self._transport = transport

    def begin(self) -> None:
        """Start the conversation: the protocol is opened anew and may speak first."""
        self._readable_at = self._clock.now()
        self._edge(LinkState.UP, "")
        self._flush()
        self._arm()

    def heard(self, data: bytes) -> None:
        """Take bytes from the transport."""
        if self._transport is None:
            return  # bytes that came between opening and `begin`: the device will say it again
        self._pipeline.receive(self._line.link, data, self._clock.now())
        self._flush()
        self._arm()

    def lost(self, reason: str) -> None:
        """Learn that the transport broke."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self.ended.set_result(reason)

    def close(self) -> None:
        """End the conversation for good."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def take_heard(self, event: DeviceEvent) -> None:
        """Note that the device said something; a word we can read ends its silence."""
        if not is_readable(event):
            return
        self._readable_at = self._clock.now()
        if self._is_silent:
            self._is_silent = False
            # After this call: the pipeline is in the middle of the input that broke the silence.
            self._loop.call_soon(self._edge_if_open, LinkState.UP, "it speaks again")

    def flush(self) -> None:
        """Send what the protocol wants to say, and keep its next wake time."""
        self._flush()
        self._arm()

    def _edge_if_open(self, state: LinkState, reason: str) -> None:
        if self._transport is not None and not self.ended.done():
            self._edge(state, reason)

    def _edge(self, state: LinkState, reason: str) -> None:
        self._pipeline.change_link(
            LinkChange(
                link=self._line.link,
                state=state,
                at=self._clock.now(),
                reason=reason,
                metrics=tuple(sorted(self._line.driver.metrics)),
            )
        )

    def _flush(self) -> None:
        protocol = self._pipeline.protocol(self._line.link)
        if protocol is None or self._transport is None:
            return
        for piece in protocol.take_outgoing():
            self._transport.write(piece)

    def _arm(self) -> None:
        """Keep one timer: an early one is left to run, looks, and arms itself again."""
        due = self._due()
        if due is None:
            return
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer_at = due
        delay_s = max(0.0, self._clock.until_s(due)) + _TICK_S
        self._timer = self._loop.call_later(delay_s, self._wake)

    def _due(self) -> Instant | None:
        protocol = self._pipeline.protocol(self._line.link)
        wake_at = protocol.wake_at if protocol is not None else None
        if self._is_silent:
            return wake_at
        silent_at = later(self._readable_at, self._line.driver.silence_limit)
        return silent_at if wake_at is None else min(wake_at, silent_at)

    def _wake(self) -> None:
        self._timer = None
        if self._transport is None or self.ended.done():
            return
        now = self._clock.now()
        protocol = self._pipeline.protocol(self._line.link)
        if protocol is not None and protocol.wake_at is not None and protocol.wake_at <= now:
            self._pipeline.wake_link(self._line.link, now)
        if not self._is_silent and now >= later(self._readable_at, self._line.driver.silence_limit):
            self._is_silent = True
            self._edge(LinkState.SILENT, "connected, but nothing readable comes")
        self._flush()
        self._arm()
