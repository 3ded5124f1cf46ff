"""Sends numerics and alarms to a receiver of HL7, beside the alarm path and never in its way.

Alarm changes wait in a bounded queue, in order; numerics are written when their turn comes, so what
is sent is the newest and nothing old piles up. One message is under way at a time. One that nobody
answers goes out again, with the same control id, on a new connection, after a growing while.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from drivers.parts.hl7_answers import Answer, Verdict
from drivers.parts.hl7_report import AlarmReport, Bed, alarm, identity_of, observations
from drivers.parts.hl7_writing import Sender
from monitor.model.alarm import AlarmChange, AlarmSnapshot
from monitor.model.instant import Instant
from monitor.model.snapshot import MetricSnapshot
from monitor.runtime.hl7.peer import Peer, Target, connect
from monitor.runtime.hl7.reports import AlarmReports
from monitor.runtime.hl7.waiting import TRIES_MAX, Message, Waiting
from monitor.runtime.hl7.wellness import Report, Wellness
from monitor.runtime.keeper import retry_delay_s
from monitor.runtime.transports.contract import LinkFailedError

ANSWER_S_MIN: Final = 10.0
"""How long the first answer is waited for; each further try waits twice as long, up to a minute."""

ANSWER_S_MAX: Final = 60.0
REFUSALS_MAX: Final = 3
"""A receiver that refuses (AR) may be busy: so often is a message offered to it."""


class Source(Protocol):
    """A chair, as far as the sender looks at it."""

    def bed(self) -> Bed:
        """Return whose data they are."""

    def now(self) -> Instant:
        """Return this instant of its session."""

    def metrics(self) -> Sequence[MetricSnapshot]:
        """Return its newest numerics."""

    def alarms(self) -> Sequence[AlarmSnapshot]:
        """Return what is present or latched."""

    def title_of(self, alarm: str) -> str:
        """Return what people call an alarm."""


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, and as whom. `every_s`: numerics of a chair go out at most so often."""

    sender: Sender
    every_s: float = 10.0
    sends_observations: bool = True
    sends_alarms: bool = True
    answer_s: float = ANSWER_S_MIN


def patience_s(first_s: float, tries: int) -> float:
    """Return how long to wait for the answer to a message that was sent `tries` times before."""
    return min(max(first_s, ANSWER_S_MAX), first_s * 2.0 ** min(tries, 10))


class Hl7Sender:
    """One receiver for all chairs of a site.

    `prefix` begins every control id, so that no two runs of ours share one. Made inside a loop.
    """

    def __init__(
        self,
        target: Target,
        wishes: Wishes,
        sources: Mapping[str, Source],
        *,
        prefix: str,
        chance: Callable[[], float],
        report: Report,
    ) -> None:
        self._target = target
        self._wishes = wishes
        self._sources = sources
        self._prefix = prefix
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._waiting = Waiting()
        self._reports = {name: AlarmReports(each.title_of) for name, each in sources.items()}
        self._due_s = dict.fromkeys(sources, 0.0)
        self._has_news = asyncio.Event()
        self._numerics_had_turn = False
        self._failures = 0
        self._tried_s = 0.0
        self._relisted_at_loss = 0
        self.state = Wellness(report)

    @property
    def waiting(self) -> int:
        """How many alarm messages are not accepted yet."""
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many alarm messages were given up unsent or unanswered."""
        return self._waiting.dropped

    def take(self, chair: str, changes: Sequence[AlarmChange]) -> None:
        """Take alarm changes of a chair; returns at once."""
        reports = self._reports.get(chair)
        if reports is None or not self._wishes.sends_alarms:
            return
        for change in changes:
            self._put(chair, reports.take(change))
        # Not here: we are in the path of an alarm, and what is told becomes one itself.
        self._loop.call_soon(self.state.lose, self._waiting.dropped)

    async def run(self) -> None:
        """Send until cancelled."""
        self._relist()
        while True:
            reason = await self._converse()
            self._failures += 1
            self.state.fail(reason, self._failures, self._loop.time() - self._tried_s)
            await asyncio.sleep(retry_delay_s(self._failures - 1, self._chance()))

    # -- what is sent ----------------------------------------------------------------------------

    def _relist(self) -> None:
        """Say what stands once more, and what does not stand any more."""
        self._relisted_at_loss = self._waiting.dropped
        if self._wishes.sends_alarms:
            for chair, source in self._sources.items():
                self._put(chair, self._reports[chair].relist(source.alarms(), source.now()))

    def _put(self, chair: str, reports: Sequence[AlarmReport]) -> None:
        source = self._sources[chair]
        bed = source.bed()
        for each in reports:
            control = self._control()
            text = alarm(self._wishes.sender, bed, each, source.now(), control)
            about = identity_of(bed, each.alarm, each.since)
            self._waiting.put(Message(control, text, about))
        self._has_news.set()

    def _control(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"

    def _next(self) -> Message | None:
        """Return whose turn it is: an alarm; one that failed before takes turns with numerics."""
        head = self._waiting.head
        if head is not None and (not head.tries or self._numerics_had_turn):
            self._numerics_had_turn = False
            return head
        numerics = self._observations()
        self._numerics_had_turn = numerics is not None
        return numerics or head

    def _observations(self) -> Message | None:
        """Return the newest numerics of the chair that has waited longest, if its time has come."""
        now_s = self._loop.time()
        due = [name for name, due_s in self._due_s.items() if due_s <= now_s]
        if not self._wishes.sends_observations or not due:
            return None
        chair = min(due, key=self._due_s.__getitem__)
        self._due_s[chair] = now_s + self._wishes.every_s
        source, control = self._sources[chair], self._control()
        text = observations(
            self._wishes.sender, source.bed(), source.metrics(), source.now(), control
        )
        return Message(control, text, "") if text else None

    # -- the conversation ------------------------------------------------------------------------

    async def _converse(self) -> str:
        """Talk until the connection is lost; return why."""
        self._try()
        try:
            peer = await connect(self._target)
        except LinkFailedError as error:
            return str(error)
        try:
            while not peer.lost.done():
                message = self._next()
                if message is None:
                    await self._until_news(peer)
                else:
                    await self._send(peer, message)
        except LinkFailedError as error:
            return f"{self._target.place}: {error}"
        finally:
            peer.close()
        return f"{self._target.place}: {peer.lost.result()}"

    def _try(self) -> None:
        """Remember when what has not succeeded since was begun."""
        if not self._failures:
            self._tried_s = self._loop.time()

    async def _until_news(self, peer: Peer) -> None:
        self._has_news.clear()
        due_s = min(self._due_s.values(), default=0.0) - self._loop.time()
        timeout = max(0.0, due_s) if self._wishes.sends_observations else None
        news: asyncio.Future[bool] = asyncio.ensure_future(self._has_news.wait())
        try:
            waited: set[asyncio.Future[bool] | asyncio.Future[str]] = {news, peer.lost}
            await asyncio.wait(waited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()

    async def _send(self, peer: Peer, message: Message) -> None:
        self._try()
        wait_s = patience_s(self._wishes.answer_s, message.tries)
        try:
            answer = await peer.exchange(message.control, message.text, wait_s)
        except LinkFailedError:
            message.tries += 1
            if message.tries >= TRIES_MAX:
                self._waiting.defer(message)
            raise
        await self._settle(message, answer)

    async def _settle(self, message: Message, answer: Answer) -> None:
        if answer.verdict is Verdict.ACCEPTED:
            self._waiting.remove(message)
            self._failures = 0
            self.state.accept(self._waiting.dropped)
            if not len(self._waiting) and self._waiting.dropped > self._relisted_at_loss:
                self._relist()
            return
        message.tries += 1
        is_final = answer.verdict is Verdict.FAULTY or message.tries >= REFUSALS_MAX
        if is_final or not message.about:
            self._waiting.remove(message)
            self.state.refuse(answer.words)
            return
        await asyncio.sleep(retry_delay_s(message.tries, self._chance()))
