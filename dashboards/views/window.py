"""The stretch of the sitting that the timeline shows: the whole, or a part to zoom and scroll."""

from typing import Final

import msgspec

ZOOM_STEP: Final = 2.0
SCROLL_STEP: Final = 0.25
SPAN_S_MIN: Final = 60.0
WHOLE_S_MIN: Final = 900.0


class Window(msgspec.Struct, frozen=True):
    """What a person chose. `span_s` None is the whole sitting; `end_s` None follows the present."""

    span_s: float | None = None
    end_s: float | None = None

    def stretch(self, now_s: float) -> tuple[float, float]:
        """Return start and end in seconds since the opening, at `now_s`."""
        span = whole_s(now_s) if self.span_s is None else self.span_s
        if self.span_s is None:
            return 0.0, span
        end = max(now_s, span) if self.end_s is None else self.end_s
        return end - span, end

    def zoomed(self, factor: float, now_s: float) -> "Window":
        """Return a window of `factor` times the span, at its end while it follows the present."""
        start, end = self.stretch(now_s)
        span = max(SPAN_S_MIN, (end - start) * factor)
        if span >= whole_s(now_s):
            return Window()
        if self.end_s is None:
            return Window(span, None)
        middle = (start + end) / 2
        return Window(span, middle + span / 2).clamped(now_s)

    def scrolled(self, share: float, now_s: float) -> "Window":
        """Return a window moved by `share` of its span; at the present it follows again."""
        if self.span_s is None:
            return self
        _, end = self.stretch(now_s)
        return Window(self.span_s, end + share * self.span_s).clamped(now_s)

    def clamped(self, now_s: float) -> "Window":
        """Return a window that ends between its span and the present."""
        if self.span_s is None or self.end_s is None:
            return self
        latest = max(now_s, self.span_s)
        end = max(self.end_s, self.span_s)
        return Window(self.span_s, None if end >= latest else end)


def whole_s(now_s: float) -> float:
    """Return the span that shows the whole sitting at `now_s`."""
    return max(now_s, WHOLE_S_MIN)
