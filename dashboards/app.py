"""The dashboard: it listens to the server, draws eight times a second at most, and never decides.

A lost link is shown within three seconds by this machine's own clock and attached anew by itself;
what a person asked for and nobody answered is said to be unknown, never taken for done.
"""

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar, Final

import msgspec
from textual.app import App
from textual.binding import BindingType

from dashboards.asked import Asked
from dashboards.feed import ChairFeed, Connect
from dashboards.picture import at_home
from dashboards.reception import ChairReception, Reception
from dashboards.screens.chair import ChairScreen
from dashboards.views.line import plain
from dashboards.views.sight import Sight
from monitor.attach.messages import Answer, Command, Hello, ToClient
from monitor.model.errors import MonitorError
from monitor.model.session import Deed, Phase

FRAMES_HZ: Final = 8
RETRY_S: Final = 1.0
FEED_ERRORS: Final = (OSError, MonitorError, EOFError, msgspec.MsgspecError)


class VigilApp(App[None], inherit_bindings=False):
    """One terminal that shows one chair at a time."""

    TITLE = "Vigil"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        connect: Connect,
        *,
        chair: str | None,
        operator: str,
        clock: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__()
        self._connect = connect
        self._operator = operator
        self._clock = clock
        self._retry_s = retry_s
        self._chair = chair or ""
        self._feed: ChairFeed | None = None
        self._link_reason = "connecting"
        self._selected = ""
        self._asked = Asked()
        self._reception = Reception(clock())
        self._chair_screen = ChairScreen(self)

    def on_mount(self) -> None:
        """Show the chair, and begin to listen."""
        self.push_screen(self._chair_screen)
        self.run_worker(self._listen(), name="feed", exclusive=True)
        self.set_interval(1 / FRAMES_HZ, self.paint)

    def paint(self) -> None:
        """Draw what is known now."""
        self._chair_screen.paint()

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Return the screen as SVG that fetches nothing from any network."""
        return at_home(super().export_screenshot(title=title, simplify=simplify))

    # Listening.

    async def _listen(self) -> None:
        """Attach, take what comes, and attach anew for as long as this screen lives."""
        while True:
            try:
                async with self._connect() as feed:
                    self._feed = feed
                    async for message in feed.messages():
                        self._take(message)
                self._link_reason = "serve closed the link"
            except FEED_ERRORS as error:
                self._link_reason = str(error) or type(error).__name__
            self._feed = None
            self._asked.lose(self._clock())
            await asyncio.sleep(self._retry_s)

    def _take(self, message: ToClient) -> None:
        """Take one message of the server."""
        now_s = self._clock()
        if isinstance(message, Answer):
            self._asked.answer(message, now_s)
            return
        self._reception.take(message, now_s)
        if isinstance(message, Hello):
            self._greet(message, now_s)
        shown = self.received().chair
        if shown is None or all(alarm.alarm != self._selected for alarm in shown.alarms):
            self._selected = ""

    def _greet(self, hello: Hello, now_s: float) -> None:
        """Choose a chair where none was named; say it where the one named is not here."""
        self._link_reason = self._reception.refusal
        if not self._chair and hello.chairs:
            self._chair = hello.chairs[0]
        elif self._chair not in hello.chairs:
            here = ", ".join(hello.chairs) or "none"
            self._link_reason = f"no chair {self._chair} here; chairs: {here}"
        if self._link_reason:
            self._asked.say(self._link_reason, now_s)

    # What the chair screen asks for.

    def received(self) -> ChairReception:
        """Return what has come about the chair on screen."""
        return self._reception.chair(self._chair)

    def sight(self) -> Sight:
        """Return what is known now of the chair on screen."""
        now_s = self._clock()
        known = self.received()
        status = self._asked.status(now_s)
        return Sight(
            name=self._chair or "–",
            chair=known.chair,
            now=known.now(now_s),
            picture_age_s=known.age_s(now_s),
            clock_s=now_s,
            link_reason=self._link_reason,
            selected=self._selected,
            status=status.text,
            status_style=status.style,
            others=self._reception.others(self._chair, now_s),
        )

    def command(
        self, title: str, deed: Deed, *, alarm: str = "", phase: Phase | None = None, note: str = ""
    ) -> None:
        """Ask the server for a deed, based on the picture on screen; refuse on a lost one."""
        now_s = self._clock()
        sight = self.sight()
        if self._feed is None or sight.chair is None:
            self.refuse(f"{title}: not sent, no link to vigil serve")
        elif sight.is_lost:
            self.refuse(f"{title}: not sent, the picture is {sight.picture_age_s:.0f} s old")
        elif alarm and not self.received().was_seen(alarm, now_s):
            self.refuse(f"{title}: not sent, it has only just appeared: look, then press again")
        elif (number := self._asked.ask(title, now_s)) is not None:
            command = Command(
                number=number,
                chair=self._chair,
                view=sight.chair.view,
                deed=deed,
                operator=self._operator,
                alarm=alarm,
                phase=phase,
                note=plain(note),
            )
            self.run_worker(self._send(self._feed, command), group="commands")
        self.paint()

    async def _send(self, feed: ChairFeed, command: Command) -> None:
        """Send a command; a failure is an answer."""
        try:
            await feed.send(command)
        except FEED_ERRORS as error:
            failed = Answer(command.number, is_accepted=False, reason=f"not sent: {error}")
            self._asked.answer(failed, self._clock())

    def refuse(self, text: str) -> None:
        """Say why nothing was asked."""
        self._asked.say(text, self._clock())
        self.paint()

    def select(self, alarm: str) -> None:
        """Choose the condition that keys are about; "" for the highest."""
        self._selected = alarm

    def turn(self, step: int) -> None:
        """Show another chair of the site."""
        names = self._reception.names
        if len(names) < 2:
            self.refuse("there is no other chair")
            return
        at = names.index(self._chair) if self._chair in names else 0
        self._chair = names[(at + step) % len(names)]
        self._selected = ""

    def leave(self) -> None:
        """End this screen; the server goes on."""
        self.exit()
