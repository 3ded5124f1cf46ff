"""The chair screen: it arranges what the views say, and turns keys into commands."""

from collections.abc import Callable
from typing import ClassVar, Final, Protocol

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from dashboards.actions import ACTIONS, hint
from dashboards.reception import ChairReception
from dashboards.screens.modals import EventForm, Help, Question
from dashboards.views.alarm_bar import alarm_bar, can_be_resumed
from dashboards.views.choices import choices, conditions_to_choose, deeds_to_choose
from dashboards.views.foot import foot
from dashboards.views.header import header
from dashboards.views.layout import Layout, lay_out
from dashboards.views.line import Line, plain
from dashboards.views.sight import Sight, target
from dashboards.views.strips import strips
from dashboards.views.tiles import has_extras, tiles
from dashboards.views.timeline import timeline
from dashboards.views.window import SCROLL_STEP, ZOOM_STEP, Window
from dashboards.views.words import phase_title
from dashboards.widgets.painted import Painted
from monitor.model.alarm import AlarmSnapshot, SignalPresence
from monitor.model.instant import in_seconds
from monitor.model.session import Deed, Phase

PARTS: Final = ("header", "alarm_bar", "tiles", "strips", "timeline", "foot")
LEAVE_NOTE: Final = (
    "vigil serve goes on alarming and recording without this screen. Nobody watches it here."
)


class Post(Protocol):
    """What the screen asks of the app around it."""

    def sight(self) -> Sight:
        """Return what is known now of the chair on screen."""

    def received(self) -> ChairReception:
        """Return what has come about the chair on screen."""

    def command(
        self, title: str, deed: Deed, *, alarm: str = "", phase: Phase | None = None, note: str = ""
    ) -> None:
        """Ask the server for a deed."""

    def refuse(self, text: str) -> None:
        """Say why nothing was asked."""

    def select(self, alarm: str) -> None:
        """Choose the condition that keys are about; "" for the highest."""

    def turn(self, step: int) -> None:
        """Show another chair."""

    def leave(self) -> None:
        """End this screen."""


class ChairScreen(Screen[None]):
    """One chair, live. Keys come from the table of actions; everything drawn comes from views."""

    DEFAULT_CSS = """
    ChairScreen { layout: vertical; overflow: hidden hidden; background: #0b0e11; }
    ChairScreen Painted { width: 100%; height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, action.name, action.title, show=False) for action in ACTIONS
    ]

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post
        self._parts = {part: Painted(id=part) for part in PARTS}
        self._window = Window()
        self._shares: Layout | None = None
        self._drawn_timeline: tuple[object, tuple[Line, ...]] = (None, ())
        self._drawn_strips: tuple[object, tuple[Line, ...]] = (None, ())

    def compose(self) -> ComposeResult:
        """Lay the parts out, from the top."""
        yield from self._parts.values()

    def on_mount(self) -> None:
        """Draw the first picture."""
        self.paint()

    def on_resize(self) -> None:
        """Draw everything in the new size."""
        self.paint()

    def paint(self) -> None:
        """Draw what is known now; parts that did not change are left alone."""
        if not self.is_mounted or not self.size:
            return
        sight = self._post.sight()
        width, height = self.size
        layout = self._arrange(lay_out(width, height, has_extras=has_extras(sight)))
        drawn = {
            "header": header(sight, width),
            "alarm_bar": alarm_bar(sight, width, layout),
            "tiles": tiles(sight, width, layout),
            "strips": self._draw_strips(sight, width, layout),
            "timeline": self._draw_timeline(sight, width, layout),
            "foot": foot(sight, width, layout.foot, hint(width - 2)),
        }
        for part, lines in drawn.items():
            self._parts[part].show(lines)

    def _arrange(self, layout: Layout) -> Layout:
        """Give the parts their rows, where they changed."""
        if layout != self._shares:
            self._shares = layout
            for part, painted in self._parts.items():
                rows: int = getattr(layout, part)
                painted.display = rows > 0
                painted.styles.height = rows
        return layout

    def _draw_strips(self, sight: Sight, width: int, layout: Layout) -> tuple[Line, ...]:
        """Return the strips; drawn again only when a sample came or a second passed."""
        waves = self._post.received().waves
        news = tuple((metric, wave.revision) for metric, wave in waves.items())
        second = int(in_seconds(sight.now))
        key = (sight.name, news, second, sight.is_lost, width, layout.strips)
        if key != self._drawn_strips[0]:
            self._drawn_strips = (key, strips(sight, waves, width, layout.strips))
        return self._drawn_strips[1]

    def _draw_timeline(self, sight: Sight, width: int, layout: Layout) -> tuple[Line, ...]:
        """Return the timeline; drawn again at most once a second, or when something is chosen."""
        received = self._post.received()
        chair = sight.chair
        second = int(in_seconds(chair.now)) if chair else -1
        events = chair.events if chair else ()
        size = (width, layout.timeline)
        key = (sight.name, chair.session if chair else "", second, events, self._window, size)
        if key != self._drawn_timeline[0]:
            lines = timeline(sight, received.series, received.bin_s, self._window, size)
            self._drawn_timeline = (key, lines)
        return self._drawn_timeline[1]

    # Deeds. Each names the picture it was based on; the server has the last word.

    def action_acknowledge(self) -> None:
        """Acknowledge the condition that is marked."""
        self._about("acknowledge", Deed.ACKNOWLEDGE)

    def action_pause_audio(self) -> None:
        """Pause the audio of the marked condition; one that is paused or off signals again."""
        alarm = target(self._post.sight())
        if alarm is not None and can_be_resumed(alarm, self._post.sight().now):
            self._about("resume", Deed.RESUME)
        else:
            self._about("pause audio of", Deed.PAUSE_AUDIO)

    def action_inactivate(self) -> None:
        """Ask which condition, then what to do to its signals, of what the server offers."""
        conditions = conditions_to_choose(self._post.sight())
        if not conditions:
            self._post.refuse("inactivate: the limit set allows nothing in this phase")
            return
        text = "Every other condition signals as before. The line of this one stays."
        self.app.push_screen(Question("Signals of which condition?", text, conditions), self._ask)

    def _ask(self, alarm: str | None) -> None:
        """Ask what to do to the signals of the condition that was chosen."""
        found = [offer for offer in choices(self._post.sight()) if offer.alarm == alarm]
        if not found:
            return
        offer = found[0]

        def act(answer: str | None) -> None:
            """Send what was chosen."""
            if answer:
                deed = Deed(answer)
                title = "resume" if deed is Deed.RESUME else deed.value.replace("_", " ")
                self._post.command(f"{title}: {offer.title}", deed, alarm=offer.alarm)

        text = "What is off reminds at intervals. A severe value signals in any case."
        self.app.push_screen(Question(offer.title, text, deeds_to_choose(offer)), act)

    def action_reset(self) -> None:
        """Reset the condition that was selected; where none is, the first that is latched."""
        sight = self._post.sight()
        alarms = sight.chair.alarms if sight.chair else ()
        latched = [alarm for alarm in alarms if alarm.signal is SignalPresence.LATCHED]
        selected = [alarm for alarm in alarms if alarm.alarm == sight.selected]
        if not selected and not latched:
            self._post.refuse("reset: no signal is latched; ↓ selects what is held")
            return
        self._about("reset", Deed.RESET, (selected or latched)[0])

    def _about(self, title: str, deed: Deed, alarm: AlarmSnapshot | None = None) -> None:
        """Ask for a deed about one condition, if there is one and it has been there to be read."""
        aim = alarm or target(self._post.sight())
        if aim is None:
            self._post.refuse(f"{title}: no alarm condition present")
            return
        self._post.command(f"{title} {aim.title}", deed, alarm=aim.alarm)

    def action_select_next(self) -> None:
        """Select the next condition; past the last, none is selected."""
        self._select(1)

    def action_select_previous(self) -> None:
        """Select the condition before; above the first, none is selected."""
        self._select(-1)

    def _select(self, step: int) -> None:
        """Move the mark; without a selection it starts from the condition that is marked now."""
        sight = self._post.sight()
        names = [alarm.alarm for alarm in sight.chair.alarms] if sight.chair else []
        aim = target(sight)
        if aim is None:
            return
        at = names.index(aim.alarm) + step
        self._post.select(names[at] if 0 <= at < len(names) else "")
        self.paint()

    def action_measure_nibp(self) -> None:
        """Ask the cuff for a reading now."""
        self._post.command("measure BP", Deed.MEASURE_NIBP)

    def action_mark_event(self) -> None:
        """Open the list of events."""

        def mark(note: str | None) -> None:
            """Send what was chosen."""
            if note:
                self._post.command(f"mark {note}", Deed.MARK_EVENT, note=note)

        self.app.push_screen(EventForm(), mark)

    def action_next_phase(self) -> None:
        """Ask which phase comes next, of those the server offers."""
        chair = self._post.sight().chair
        phases = chair.sitting.next_phases if chair else ()
        if not phases:
            self._post.refuse("phase: serve offers no next phase here")
            return
        answers = [(phase.value, f"go to {phase_title(phase)}") for phase in phases]

        def go(answer: str | None) -> None:
            """Send what was chosen."""
            if answer:
                phase = Phase(answer)
                self._post.command(f"go to {phase_title(phase)}", Deed.ENTER_PHASE, phase=phase)

        now = phase_title(chair.sitting.phase) if chair else ""
        text = f"The sitting is in {now}. Limits change with the phase."
        self.app.push_screen(Question("Next phase", text, answers), go)

    def action_zoom_in(self) -> None:
        """Show less of the sitting, closer."""
        self._look(lambda window, now_s: window.zoomed(1 / ZOOM_STEP, now_s))

    def action_zoom_out(self) -> None:
        """Show more of the sitting."""
        self._look(lambda window, now_s: window.zoomed(ZOOM_STEP, now_s))

    def action_scroll_back(self) -> None:
        """Go back in time."""
        self._look(lambda window, now_s: window.scrolled(-SCROLL_STEP, now_s))

    def action_scroll_forward(self) -> None:
        """Go forward in time."""
        self._look(lambda window, now_s: window.scrolled(SCROLL_STEP, now_s))

    def action_whole(self) -> None:
        """Show the whole sitting."""
        self._look(lambda _window, _now_s: Window())

    def _look(self, change: Callable[[Window, float], Window]) -> None:
        """Change the stretch of the timeline."""
        chair = self._post.sight().chair
        if chair is not None:
            self._window = change(self._window, in_seconds(chair.now))
            self.paint()

    def action_previous_chair(self) -> None:
        """Show the chair before."""
        self._turn(-1)

    def action_next_chair(self) -> None:
        """Show the chair after."""
        self._turn(1)

    def _turn(self, step: int) -> None:
        """Show another chair, its timeline whole."""
        self._window = Window()
        self._post.turn(step)
        self.paint()

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help())

    def action_leave(self) -> None:
        """Ask before this screen is left."""

        def leave(answer: str | None) -> None:
            """Leave if that was the answer."""
            if answer == "leave":
                self._post.leave()

        name = plain(self._post.sight().name)
        answers = [("leave", "leave this screen"), ("stay", "stay")]
        self.app.push_screen(Question(f"Leave chair {name}?", LEAVE_NOTE, answers), leave)
