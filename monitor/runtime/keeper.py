"""Keeps a link alive: a pure back-off policy, a thin loop, reports only at edges."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from drivers.contract import Driver
from drivers.registry import all_drivers
from monitor.model.link import LinkChange, LinkState
from monitor.runtime.cancellation import heed_cancellation
from monitor.runtime.clock import SessionClock
from monitor.runtime.link import Link
from monitor.runtime.pipeline import Line, Pipeline
from monitor.runtime.transports.contract import LinkFailedError
from monitor.runtime.transports.opener import Opener

RETRY_DELAY_S_MIN: Final = 0.5
RETRY_DELAY_S_MAX: Final = 30.0


def retry_delay_s(attempts: int, chance: float) -> float:
    """Return how long to wait after `attempts` failures in a row, in seconds.

    Doubles from 0.5 s to 30 s; `chance` in [0, 1) takes off up to a quarter, so that the links of a
    whole site do not knock at one door at once.
    """
    whole: float = min(RETRY_DELAY_S_MAX, RETRY_DELAY_S_MIN * 2 ** min(attempts, 10))
    return whole * (1 - chance / 4)


class Keeper:
    """Opens one link, again and again, for as long as its chair is watched.

    `drivers` and `tell_aside` are those of a `Link`.
    """

    def __init__(
        self,
        line: Line,
        url: str,
        *,
        pipeline: Pipeline,
        clock: SessionClock,
        opener: Opener,
        chance: Callable[[], float],
        drivers: Callable[[], Sequence[Driver]] = all_drivers,
        tell_aside: Callable[[str], None] = lambda words: None,  # noqa: ARG005
    ) -> None:
        self._line = line
        self._url = url
        self._pipeline = pipeline
        self._clock = clock
        self._opener = opener
        self._chance = chance
        self._drivers = drivers
        self._tell_aside = tell_aside
        self._was_told = False
        self.link: Link | None = None

    async def keep(self) -> None:
        """Run until cancelled."""
        attempts = 0
        while True:
            began_s = asyncio.get_running_loop().time()
            reason = await self._converse()
            if asyncio.get_running_loop().time() - began_s > RETRY_DELAY_S_MAX:
                attempts = 0
            self._tell_lost(reason)
            await asyncio.sleep(retry_delay_s(attempts, self._chance()))
            attempts += 1

    async def _converse(self) -> str:
        link = Link(
            self._line,
            self._pipeline,
            self._clock,
            scheme=self._url.partition(":")[0],
            drivers=self._drivers,
            tell_aside=self._tell_aside,
        )
        try:
            transport = await self._opener(self._url, self._line.driver.serial, link)
        except LinkFailedError as error:
            heed_cancellation()
            return str(error)
        self.link = link
        self._was_told = False
        try:
            link.take(transport)
            heed_cancellation()
            link.begin()
            return await link.ended
        finally:
            self.link = None
            link.close()

    def _tell_lost(self, reason: str) -> None:
        if self._was_told:
            return
        self._was_told = True
        self._pipeline.change_link(
            LinkChange(
                link=self._line.link,
                state=LinkState.LOST,
                at=self._clock.now(),
                reason=reason,
                metrics=tuple(sorted(self._line.driver.metrics)),
            )
        )
