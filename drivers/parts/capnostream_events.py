"""Events that a person marks on the Capnostream: an index in the numerics, a name asked for once.

Thirty events have names that can be changed on the monitor; FF is the quick event, 0 is none.
"""

from collections.abc import Sequence
from typing import Final

from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind
from monitor.model.instant import Instant

EVENTS_AT: Final = (10, 11, 12)  # places in the numerics after its code, counted from 0
EVENT_COUNT: Final = 30
QUICK: Final = 0xFF
NAME, WIDE_NAME = 0x15, 0x16
NAME_SIZE: Final = {NAME: 12, WIDE_NAME: 23}  # number and 11 characters
_UNKNOWN: Final = ""


class EventNames:
    """The names of the events, as far as the monitor has told them; and which ones stand now."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._standing: frozenset[int] = frozenset()

    @property
    def are_known(self) -> bool:
        """Whether each event has its name."""
        return len(self._names) == EVENT_COUNT

    def take(self, code: int, body: bytes) -> bool:
        """Take a message that names one event; return False where it has not its form."""
        if len(body) != NAME_SIZE[code] or not 1 <= body[0] <= EVENT_COUNT:
            return False
        encoding = "ascii" if code == NAME else "utf-16-be"
        text = body[1:].decode(encoding, errors="replace")
        self._names[body[0]] = "".join(each for each in text if each.isprintable()).strip()
        return True

    def name_of(self, index: int) -> str:
        """Return what the event is called."""
        if index == QUICK:
            return "quick event"
        name = self._names.get(index, _UNKNOWN)
        return f"event {index}: {name}" if name else f"event {index}"

    def read(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Return the events that the numerics message marks and the one before did not."""
        standing = frozenset(body[at] for at in EVENTS_AT) - {0}
        new, self._standing = standing - self._standing, standing
        return [
            DeviceNotice(NoticeKind.HOST_MESSAGE, now, detail=f"marked: {self.name_of(index)}")
            for index in sorted(new)
        ]
