"""Drains the spool into InfluxDB: in order, with back-off, for ever, without ever losing a point.

Reading, encoding and sending block, so they run in one worker thread; the loop only waits. When
to try again is a pure function. What is said about it is an edge: once when uploading fails, once
when it works again, once for each new reason for which points are refused for good.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import msgspec

from monitor.model.entry import SelfCheck
from monitor.model.errors import MonitorError
from monitor.model.instant import Instant
from monitor.store.influx import Answer, Verdict
from monitor.store.isolate import isolate
from monitor.store.spool import STRETCH_POINTS_MAX, Parked, Spool, Stretch

PART: Final = "influx"
PART_PARKED: Final = "influx_points"
LOOK_EVERY_S: Final = 0.5
"""How often an empty spool is looked at again."""

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
RETRY_MISCONFIGURED_S: Final = 60.0
"""A wrong token does not heal by itself, but a person may put it right at the server."""

TRIES_BEFORE_REPORT: Final = 3
"""A single refused request is no news; three in a row (about two seconds) are."""

REASONS_REPORTED_MAX: Final = 20


class Writes(Protocol):
    """What the uploader needs of a server."""

    def write(self, body: bytes) -> Answer:
        """Send lines; return what came of it."""


class Outcome(msgspec.Struct, frozen=True):
    """What one step did. `is_idle`: nothing was waiting. `parked`: what was refused for good."""

    answer: Answer
    is_idle: bool = False
    parked: tuple[Parked, ...] = ()


def retry_delay_s(answer: Answer, tries: int, chance: float) -> float:
    """Return how long to wait before try `tries` + 1; `chance` in [0, 1) spreads many clients.

    Doubles from half a second to half a minute; the server's own wish counts where it is longer.
    """
    if answer.verdict is Verdict.MISCONFIGURED:
        delay = RETRY_MISCONFIGURED_S
    else:
        delay = min(RETRY_S_MAX, RETRY_S_MIN * 2.0 ** min(tries - 1, 16))
    return max(delay * (0.5 + chance / 2), answer.retry_after_s or 0.0)


class Drain:
    """One step at a time, blocking: take a stretch, send it, move the cursor."""

    def __init__(self, spool: Spool, influx: Writes) -> None:
        self.waiting = 0
        self._spool = spool
        self._influx = influx
        self._points_max = STRETCH_POINTS_MAX

    def step(self) -> Outcome:
        """Send the next stretch and return what came of it."""
        try:
            stretch = self._spool.take(self._points_max)
            if stretch is None:
                self.waiting = 0
                return Outcome(Answer(Verdict.ACCEPTED), is_idle=True)
            outcome = self._send(stretch)
            if outcome.answer.verdict is Verdict.ACCEPTED:
                self._spool.accept(stretch, outcome.parked)
                self._points_max = min(
                    STRETCH_POINTS_MAX, self._points_max + 1 + self._points_max // 8
                )
                outcome = msgspec.structs.replace(outcome, parked=(*stretch.unfit, *outcome.parked))
            self.waiting = self._spool.waiting()
        except MonitorError as error:
            return Outcome(Answer(Verdict.LATER, f"the record: {error}"))
        return outcome

    def _send(self, stretch: Stretch) -> Outcome:
        if not stretch.lines:
            return Outcome(Answer(Verdict.ACCEPTED))
        answer = self._influx.write("\n".join(stretch.lines).encode())
        if answer.verdict is Verdict.TOO_LARGE:
            return self._send_less(stretch, answer)
        if answer.verdict is not Verdict.LINES_REFUSED:
            return Outcome(answer)
        return self._send_apart(stretch, answer)

    def _send_less(self, stretch: Stretch, answer: Answer) -> Outcome:
        """Halve what is sent at once; one entry that is too large alone is sent in parts."""
        if len(set(stretch.numbers)) > 1:
            self._points_max = max(1, len(stretch.lines) // 2)
            return Outcome(Answer(Verdict.TOO_LARGE, answer.reason))
        return self._send_apart(stretch, answer)

    def _send_apart(self, stretch: Stretch, answer: Answer) -> Outcome:
        """Send all that the server takes; park the rest."""
        isolated = isolate(self._influx.write, stretch.lines, answer)
        if isolated.interrupted is not None:
            return Outcome(isolated.interrupted)
        return Outcome(Answer(Verdict.ACCEPTED), parked=_parked(stretch, isolated.refused))

    def close(self) -> None:
        """Let go of the record."""
        self._spool.close()


def _parked(stretch: Stretch, refused: tuple[tuple[int, str], ...]) -> tuple[Parked, ...]:
    """Return the refused lines, counted by entry."""
    parked: dict[int, Parked] = {}
    for index, reason in refused:
        seq = stretch.numbers[index]
        before = parked.get(seq)
        parked[seq] = Parked(seq, 1 if before is None else before.points + 1, reason)
    return tuple(parked.values())


class Uploader:
    """The task that keeps InfluxDB in step with one record."""

    def __init__(
        self,
        drain: Drain,
        *,
        chance: random.Random,
        now: Callable[[], Instant],
        report: Callable[[SelfCheck], None],
    ) -> None:
        self._drain = drain
        self._chance = chance
        self._now = now
        self._report = report
        self._tries = 0
        self._is_reported = False
        self._reasons: set[str] = set()
        self.reason = ""

    @property
    def waiting(self) -> int:
        """Return how many entries InfluxDB had yet to accept when we last looked."""
        return self._drain.waiting

    @property
    def state(self) -> str:
        """Return a word for the screen: `ok`, `sending` (a backlog), or `waiting` (in trouble)."""
        if self._tries:
            return "waiting"
        return "sending" if self._drain.waiting > STRETCH_POINTS_MAX else "ok"

    async def run(self) -> None:
        """Upload until cancelled; the step in progress is waited for, at most one request long."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="influx") as thread:
            try:
                while True:
                    delay_s = self._take(await _finished(thread, self._drain.step))
                    await asyncio.sleep(delay_s)
            finally:
                self._drain.close()

    def _take(self, outcome: Outcome) -> float:
        """Report the edges of an outcome; return the seconds until the next step."""
        self._tell_parked(outcome.parked)
        answer = outcome.answer
        if answer.verdict is Verdict.ACCEPTED:
            if self._is_reported:
                self._tell(PART, is_well=True)
            self._tries, self._is_reported, self.reason = 0, False, ""
            return LOOK_EVERY_S if outcome.is_idle else 0.0
        if answer.verdict is Verdict.TOO_LARGE:
            return 0.0
        self._tries += 1
        self.reason = answer.reason
        is_loud = answer.verdict is Verdict.MISCONFIGURED or self._tries >= TRIES_BEFORE_REPORT
        if is_loud and not self._is_reported:
            self._is_reported = True
            self._tell(PART, is_well=False, reason=answer.reason)
        return retry_delay_s(answer, self._tries, self._chance.random())

    def _tell_parked(self, parked: tuple[Parked, ...]) -> None:
        for each in parked:
            if each.reason in self._reasons or len(self._reasons) >= REASONS_REPORTED_MAX:
                continue
            self._reasons.add(each.reason)
            reason = f"refused for good, from entry {each.seq} on: {each.reason}"
            self._tell(PART_PARKED, is_well=False, reason=reason)

    def _tell(self, part: str, *, is_well: bool, reason: str = "") -> None:
        self._report(SelfCheck(part=part, at=self._now(), is_well=is_well, reason=reason))


async def _finished(thread: ThreadPoolExecutor, step: Callable[[], Outcome]) -> Outcome:
    """Run a step in the thread; when cancelled, let it end first: it holds the record."""
    work = asyncio.get_running_loop().run_in_executor(thread, step)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
