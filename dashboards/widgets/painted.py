"""The one widget of the chair screen: it shows lines, and repaints only those that changed."""

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dashboards.views.line import Line
from dashboards.widgets.palette import style


class Painted(Widget):
    """Lines of spans as they are. Text is never read as markup, whatever it holds."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        """Show `lines` from the top; only rows that differ are drawn again."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh()
            return
        width = self.size.width
        changed = [at for at, line in enumerate(lines) if line != before[at]]
        if changed:
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def render_line(self, y: int) -> Strip:
        """Return row `y`, in the width of the widget."""
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, style(""))
        segments = [Segment(span.text, style(span.style)) for span in self._lines[y]]
        return Strip(segments).adjust_cell_length(width, style(""))
