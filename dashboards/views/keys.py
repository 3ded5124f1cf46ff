"""The help: every key, read off the table of actions."""

from dashboards.actions import ACTIONS
from dashboards.views.line import Line, Span, fit

KEY_CELLS = 13


def keys(width: int) -> tuple[Line, ...]:
    """Return one line for each action, in the order of the table."""
    return tuple(
        fit(
            (Span(f" {action.shown:<{KEY_CELLS}}", "value"), Span(action.title)),
            width,
        )
        for action in ACTIONS
    )
