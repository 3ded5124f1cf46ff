"""The line of older Nonin handhelds and tabletops (8500, 9840, 9847, Avant): text, once a second.

::

    [HH:MM:SS ]SPO2=097 HR=072[ F][*]      F: fast-responding numbers; a star: somebody marked this

Dashes are a value that is not there. No checksum: a line is believed whole and in form.
"""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from drivers.contract import CanFinish, DeviceProtocol
from drivers.parts.text_lines import TextLines
from drivers.reading import read
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind, Validity, reject
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

_PART: Final = re.compile(rb"[\r\n]|[^\r\n]+")
_LINE_SIZE_MAX: Final = 80
_PAUSE_MAX: Final = seconds(0.9)
_LINE: Final = re.compile(
    rb"\s*(?:\d\d:\d\d:\d\d\s+)?SPO2=(\d{3}|---)\s+HR=(\d{3}|---)(?:\s*F)?\s*(\*?)\s*"
)


class Framed(DeviceProtocol, CanFinish, Protocol):
    """A protocol of the frames of other modules."""

    @property
    def has_frames(self) -> bool:
        """Whether a frame was ever found."""


class TextOrFrames:
    """Listens for lines of text as long as there were no frames; one line read, text it stays."""

    def __init__(self, frames: Framed) -> None:
        self._frames = frames
        self._lines = TextLines(_LINE_SIZE_MAX, _PAUSE_MAX)
        self._is_text = False
        self._is_marked = False

    @property
    def wake_at(self) -> Instant | None:
        """When a module that is set up is asked; None for one that prints text."""
        return None if self._is_text else self._frames.wake_at

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the lines or packets completed by them say."""
        if self._frames.has_frames:
            return self._frames.receive(data, now)
        events: list[DeviceEvent] = []
        for part in (data,) if self._is_text else _PART.findall(data):
            events += self._hear(part, now)
            if not self._is_text:  # the end of a first line is no byte of theirs
                events += self._frames.receive(part, now)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Set the module up, where an option asks for it."""
        return self._frames.wake(now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command to a module that has ears."""
        return self._frames.take_outgoing()

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell what the end of the input left open, its values marked questionable."""
        events: list[DeviceEvent] = []
        if not self._frames.has_frames:
            for line, flaw in self._lines.finish():
                events += self._read(line, flaw, now, Validity.QUESTIONABLE)
        return events if self._is_text else self._frames.finish(now)

    def _hear(self, data: bytes, now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        if self._frames.has_frames:
            return events
        for line, flaw in self._lines.feed(data, now):
            events += self._read(line, flaw, now, Validity.VALID)
        return events

    def _read(self, line: bytes, flaw: str, now: Instant, trust: Validity) -> list[DeviceEvent]:
        found = None if flaw else _LINE.fullmatch(line)
        if found is None:  # before the first line it is for the frames to say so
            return [reject(flaw or "no Nonin line", line, now)] if self._is_text else []
        self._is_text = True
        events: list[DeviceEvent] = []
        if found[3] and not self._is_marked:
            events.append(DeviceNotice(NoticeKind.HOST_MESSAGE, now, detail="marked: event"))
        self._is_marked = bool(found[3])
        for metric, text in ((Metric.SPO2, found[1]), (Metric.PULSE_RATE, found[2])):
            value = float(text) if text.isdigit() else None
            events.append(read(metric, value, now, validity=trust))
        return events
