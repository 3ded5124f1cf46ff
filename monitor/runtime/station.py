"""All chairs of one process: what `vigil serve` runs and what screens attach to."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from monitor.attach.messages import (
    PROTOCOL_VERSION,
    Answer,
    Command,
    Hello,
    SnapshotMessage,
    ToClient,
    TrendMessage,
    WaveMessage,
)
from monitor.attach.server import AttachServer
from monitor.model.alarm import AlarmChange
from monitor.runtime.chair import Chair
from monitor.runtime.trend import BIN_S

PICTURE_EVERY_S: Final = 0.25
VIRTUAL_PICTURE_EVERY_S: Final = 10.0
"""On virtual time nobody looks: pictures only keep what waits for a screen bounded."""


class Station:
    """Runs chairs side by side; one failing chair stops them all, loudly."""

    def __init__(
        self,
        chairs: Sequence[Chair],
        *,
        site: str,
        software: str,
        picture_every_s: float = PICTURE_EVERY_S,
    ) -> None:
        self._chairs = {chair.name: chair for chair in chairs}
        self._site = site
        self._software = software
        self._picture_every_s = picture_every_s
        self._has_news = asyncio.Event()
        self.on_changes: Callable[[str, Sequence[AlarmChange]], None] = _nobody
        self.server = AttachServer(self)
        for chair in chairs:
            chair.announce = self._announcer(chair.name)

    @property
    def chairs(self) -> tuple[Chair, ...]:
        """The chairs of this station."""
        return tuple(self._chairs.values())

    async def run(self) -> None:
        """Watch every chair until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for chair in self._chairs.values():
                tasks.create_task(chair.run())
            tasks.create_task(self._show())

    # -- what screens ask --------------------------------------------------------------------------

    def hello(self) -> Hello:
        """Return the first message for a new screen."""
        return Hello(PROTOCOL_VERSION, self._software, self._site, tuple(self._chairs))

    def trends(self) -> list[TrendMessage]:
        """Return the whole timelines."""
        return [
            TrendMessage(name, BIN_S, chair.pipeline.picture.timeline.whole(), is_whole=True)
            for name, chair in self._chairs.items()
        ]

    def pictures(self) -> list[ToClient]:
        """Return the newest picture of each chair."""
        return [SnapshotMessage(chair.picture()) for chair in self._chairs.values()]

    async def command(self, command: Command) -> Answer:
        """Do what an operator asks, or say why not; what is accepted is on disk by then."""
        chair = self._chairs.get(command.chair)
        if chair is None:
            return Answer(command.number, False, f'there is no chair "{command.chair}"')
        refusal = chair.command(command)
        if not refusal:
            await chair.settle()
        self._has_news.set()
        return Answer(command.number, not refusal, refusal)

    # -- inside ------------------------------------------------------------------------------------

    def _announcer(self, name: str) -> Callable[[Sequence[AlarmChange]], None]:
        def announce(changes: Sequence[AlarmChange]) -> None:
            self._has_news.set()
            self.on_changes(name, changes)

        return announce

    async def _show(self) -> None:
        while True:
            await self._news_or_time()
            for name, chair in self._chairs.items():
                self._show_chair(name, chair)

    async def _news_or_time(self) -> None:
        try:
            async with asyncio.timeout(self._picture_every_s):
                await self._has_news.wait()
        except TimeoutError:
            return
        finally:
            self._has_news.clear()

    def _show_chair(self, name: str, chair: Chair) -> None:
        waves = chair.take_waves()
        bins = chair.pipeline.picture.timeline.take_fresh()
        if not self.server.screens:
            return
        self.server.publish_newest(name, SnapshotMessage(chair.picture()))
        if bins:
            self.server.publish(TrendMessage(name, BIN_S, bins))
        for wave in waves:
            self.server.publish(WaveMessage(name, wave.metric, wave.at, wave.rate_hz, wave.samples))


def _nobody(chair: str, changes: Sequence[AlarmChange]) -> None:
    del chair, changes
