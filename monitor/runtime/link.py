"""One conversation over one transport: bytes in, requests out, wake times kept, silence noticed.

Thin on purpose. Everything that decides is in the protocol and the pipeline; this moves bytes and
time. It is called straight from the event loop's reader, so the path from byte to decision has no
task and no mailbox in it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from drivers.contract import Driver
from drivers.likeness import is_word
from drivers.registry import all_drivers
from monitor.model.event import DeviceEvent, FrameRejected
from monitor.model.instant import OPENING, Instant, later
from monitor.model.link import LinkChange, LinkState
from monitor.runtime.clock import SessionClock
from monitor.runtime.doubt import Doubt, Question, second_device, verdict
from monitor.runtime.pipeline import Line, Pipeline
from monitor.runtime.transports.contract import Transport

_TICK_S: Final = 1e-6
"""Timers fire up to their own resolution early; a wake that comes early would only be repeated."""


class Link:
    """The receiver of one transport; lives from its opening until `lost`.

    `scheme` is that of its URL. `drivers`: whom bytes may belong to that ours does not read;
    `tell_aside` hears that a second device seems to speak on the line.
    """

    def __init__(
        self,
        line: Line,
        pipeline: Pipeline,
        clock: SessionClock,
        *,
        scheme: str = "serial",
        drivers: Callable[[], Sequence[Driver]] = all_drivers,
        tell_aside: Callable[[str], None] = lambda words: None,  # noqa: ARG005
    ) -> None:
        self._line = line
        self._pipeline = pipeline
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._transport: Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = OPENING
        self._readable_at = clock.now()
        self._is_silent = False
        self._doubt = Doubt(line.driver, scheme, clock.now())
        self._drivers = drivers
        self._tell_aside = tell_aside
        self._asking: set[asyncio.Task[None]] = set()
        self.ended: asyncio.Future[str] = self._loop.create_future()

    def take(self, transport: Transport) -> None:
        """Own an open transport from here on; `close` gives it back."""
        self._transport = transport

    def begin(self) -> None:
        """Start the conversation: the protocol is opened anew and may speak first."""
        self._readable_at = self._clock.now()
        self._edge(LinkState.UP, "; ".join(getattr(self._transport, "notes", ())))
        self._flush()
        self._arm()

    def heard(self, data: bytes) -> None:
        """Take bytes from the transport."""
        if self._transport is None:
            return  # bytes that came between opening and `begin`: the device will say it again
        now = self._clock.now()
        self._doubt.heard(data, now)
        self._pipeline.receive(self._line.link, data, now)
        self._flush()
        self._look(now)
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
        for asking in self._asking:
            asking.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def take_heard(self, event: DeviceEvent) -> None:
        """Note that the device said something; a word we can read ends its silence."""
        if isinstance(event, FrameRejected):
            self._doubt.refused(event)
        if not is_word(event):
            return
        self._doubt.understood()
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
        silent_at = later(self._readable_at, self._line.driver.silence_limit)
        dues = (
            protocol.wake_at if protocol is not None else None,
            None if self._is_silent else silent_at,
            self._doubt.wake_at,
        )
        return min((due for due in dues if due is not None), default=None)

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
            self._edge(LinkState.SILENT, self._doubt.words(now))
        self._flush()
        self._look(now)
        self._arm()

    # -- doubt whether this is the device --------------------------------------------------------

    def _look(self, now: Instant) -> None:
        """Ask what bytes are that our driver does not read; the answer may take a moment."""
        if (question := self._doubt.question(now)) is not None:
            self._ask(self._answer(question))
        if (question := self._doubt.shared(now)) is not None:
            self._ask(self._answer_aside(question))

    def _ask(self, answering: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(answering, name="likeness")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _answer(self, question: Question) -> None:
        words = await self._loop.run_in_executor(None, verdict, question, self._drivers)
        if self._doubt.is_judged and self._transport is not None and not self.ended.done():
            self._is_silent = True
            self._edge(LinkState.SILENT, words)

    async def _answer_aside(self, question: Question) -> None:
        words = await self._loop.run_in_executor(None, second_device, question, self._drivers)
        if words:
            self._tell_aside(words)
