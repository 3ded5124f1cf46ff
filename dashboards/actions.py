"""The one table of what an operator can do; help, hints and bindings are read off it."""

from typing import Final

import msgspec


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do: the method `action_NAME` of the chair screen, its keys and its words.

    `keys` are names as Textual spells them, `shown` as a person reads them; `hint` is the short
    word in the last line of the screen, "" for an action that only the help shows.
    """

    name: str
    keys: str
    shown: str
    title: str
    hint: str = ""


ACTIONS: Final = (
    Action(name="acknowledge", keys="a", shown="a", hint="acknowledge",
           title="acknowledge the condition marked ▶: this one, for a time"),
    Action(name="pause_audio", keys="space", shown="space", hint="pause audio",
           title="pause the audio of the condition marked ▶; again: resume"),
    Action(name="inactivate", keys="o", shown="o",
           title="audio off, alarm paused, alarm off: as far as allowed"),
    Action(name="select_previous", keys="up,shift+tab", shown="↑ shift+tab",
           title="select the condition above"),
    Action(name="select_next", keys="down,tab", shown="↓ tab",
           title="select the condition below; past the last: the highest"),
    Action(name="reset", keys="r", shown="r",
           title="reset what is latched, or was selected and is held"),
    Action(name="mark_event", keys="e", shown="e", hint="event",
           title="mark an event; its note stays on this machine"),
    Action(name="measure_nibp", keys="n", shown="n", hint="BP now",
           title="measure blood pressure now, where the device can be asked"),
    Action(name="next_phase", keys="p", shown="p", hint="phase",
           title="go to another phase of the sitting, after a question"),
    Action(name="zoom_in", keys="plus,equals_sign", shown="+", title="timeline: show less, closer"),
    Action(name="zoom_out", keys="minus", shown="-", title="timeline: show more"),
    Action(name="scroll_back", keys="left", shown="←", title="timeline: go back in time"),
    Action(name="scroll_forward", keys="right", shown="→", title="timeline: go forward in time"),
    Action(name="whole", keys="0,home", shown="0 home", title="timeline: the whole sitting"),
    Action(name="previous_chair", keys="left_square_bracket", shown="[", title="the chair before"),
    Action(name="next_chair", keys="right_square_bracket", shown="]", title="the chair after"),
    Action(name="help", keys="question_mark", shown="?", hint="keys", title="show these keys"),
    Action(name="leave", keys="q,ctrl+q,ctrl+c", shown="q ctrl+c", hint="quit",
           title="leave this screen, after a question; serve goes on alarming"),
)  # fmt: skip


def hint(width: int) -> str:
    """Return the hints that fit in `width` cells, in the order of the table."""
    said = [f"{action.shown.split()[0]} {action.hint}" for action in ACTIONS if action.hint]
    must = said[-2:]
    while len("  ".join(said)) > width and len(said) > len(must):
        said.pop(-len(must) - 1)
    return "  ".join(said)
