"""Questions over the chair screen. They stand at the bottom: header and alarm bar stay in sight."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from dashboards.views.keys import keys
from dashboards.views.line import plain
from dashboards.widgets.painted import Painted

NOTE_LENGTH_MAX: Final = 200
EVENTS: Final = (
    "nausea or vomiting",
    "dissociation, distressing",
    "anxiety or agitation",
    "headache or dizziness",
    "sleepy, hard to rouse",
    "talking or moving",
    "cannula or probe adjusted",
    "oxygen given",
    "airway opened, stimulated",
    "medication given",
    "infusion rate changed",
    "other",
)
NO_SOUND: Final = "no sound is given here: watch the screen"
_CSS: Final = """
    align: center bottom;
    background: $background 0%;
"""
_PANEL: Final = """
    width: 100%; max-width: 100; height: auto; max-height: 20;
    border: round #aeb9c4; background: #11161b; color: #d7dde3; padding: 0 1;
"""
_LIST: Final = "height: auto; max-height: 13; border: none; background: #11161b; padding: 0;"


class Question(ModalScreen[str]):
    """One question with a short list of answers; dismissed with the id of the answer, or ""."""

    DEFAULT_CSS = f"""
    Question {{ {_CSS} }}
    Question Vertical {{ {_PANEL} }}
    Question OptionList, Question OptionList:focus {{ {_LIST} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "back")]

    def __init__(self, title: str, text: str, answers: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Lay out text and answers."""
        with Vertical() as panel:
            panel.border_title = plain(self._heading).replace("[", r"\[")
            panel.border_subtitle = "enter chooses, esc goes back"
            yield Static(plain(self._text), markup=False)
            yield OptionList(
                *(Option(plain(words), id=name) for name, words in self._answers), markup=False
            )

    def on_option_list_option_selected(self, chosen: OptionList.OptionSelected) -> None:
        """Give the answer."""
        self.dismiss(chosen.option_id or "")

    def action_cancel(self) -> None:
        """Give no answer."""
        self.dismiss("")


class EventForm(ModalScreen[str]):
    """A pick-list and a free line; dismissed with "event" or "event: note", or ""."""

    DEFAULT_CSS = f"""
    EventForm {{ {_CSS} }}
    EventForm Vertical {{ {_PANEL} }}
    EventForm OptionList, EventForm OptionList:focus {{ {_LIST} }}
    EventForm Input, EventForm Input:focus {{ border: none; height: 1; background: #1a2129; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "back")]

    def __init__(self) -> None:
        super().__init__()
        self._event = ""

    def compose(self) -> ComposeResult:
        """Lay out list and line."""
        with Vertical() as panel:
            panel.border_title = "Mark an event"
            panel.border_subtitle = "enter chooses, then a note, enter marks; esc goes back"
            yield OptionList(*EVENTS, markup=False)
            note = Input(placeholder="note (stays on this machine)", max_length=NOTE_LENGTH_MAX)
            note.cursor_blink = False
            yield note

    def on_option_list_option_selected(self, chosen: OptionList.OptionSelected) -> None:
        """Take the event and go on to the note."""
        self._event = EVENTS[chosen.option_index]
        self.query_one(Input).focus()

    def on_input_submitted(self, note: Input.Submitted) -> None:
        """Give event and note; the highlighted event where none was chosen."""
        index = self.query_one(OptionList).highlighted or 0
        event = self._event or EVENTS[index]
        text = plain(note.value).strip()
        self.dismiss(f"{event}: {text}" if text else event)

    def action_cancel(self) -> None:
        """Mark nothing."""
        self.dismiss("")


class Help(ModalScreen[None]):
    """Every key, read off the table of actions."""

    DEFAULT_CSS = f"""
    Help {{ {_CSS} }}
    Help Vertical {{ {_PANEL} padding: 0; }}
    Help Painted {{ width: 100%; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "cancel", "back")
    ]

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        with Vertical() as panel:
            panel.border_title = f"Keys; {NO_SOUND}"
            panel.border_subtitle = "esc goes back"
            yield Painted(id="keys")

    def on_mount(self) -> None:
        """Draw the table once its width is known."""
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        """Draw it again in the new width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        """Fill the panel with the keys."""
        panel = self.query_one(Painted)
        lines = keys(panel.size.width)
        panel.styles.height = len(lines)
        panel.show(lines)

    def action_cancel(self) -> None:
        """Go back to the chair."""
        self.dismiss(None)
