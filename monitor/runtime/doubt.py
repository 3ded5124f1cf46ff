"""Why a link that is open says nothing we can read: nothing comes, or it is not this device.

Pure but for what it is told: bytes, words and instants. It keeps the newest bytes of the line, and
only as long as there is doubt whether they are the device's.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from drivers.contract import Driver, TransportKind
from drivers.likeness import SIZE_MIN, Piece, guess, line_fault, second
from monitor.model.event import FrameRejected
from monitor.model.instant import Duration, Instant, between, in_seconds, later, seconds

KEPT_SIZE_MAX: Final = 8 * 1024
"""Newest bytes of a line that are kept for other drivers to be tried on."""

KEPT_PIECES_MAX: Final = 512

DOUBT_AFTER: Final = seconds(10)
DOUBT_SIZE_MAX: Final = 16 * 1024
"""Bytes come for so long, or so many, without one word of the device: it is not this device."""

QUIET_AFTER: Final = seconds(2)
"""Nothing at all came for so long: what went before is no longer the matter."""

UNREFUSED_SIZE_MAX: Final = 1024
"""So many bytes may be a conversation that has nothing to tell, while none of them is refused."""

SHARED_AFTER: Final = seconds(30)
SHARED_SHARE: Final = 0.2
"""A line of whose bytes more than this share was refused, over so long, may be that of two. It is
looked at again after twice as long each time."""

SERIAL_KINDS: Final = frozenset({"serial", "serial+rfc2217", "tcp"})
"""URL schemes that may end in a serial line whose settings can be wrong."""


class Question(msgspec.Struct, frozen=True):
    """What is to be found out about bytes, in a thread: it may take a tenth of a second."""

    driver: Driver
    scheme: str
    pieces: tuple[Piece, ...]
    seen: str = ""


class Doubt:
    """Counts what came on one line and what was understood: since the last word, and lately."""

    def __init__(self, driver: Driver, scheme: str, now: Instant) -> None:
        self._driver = driver
        self._scheme = scheme
        self._pieces: deque[Piece] = deque()
        self._kept_size = 0
        self._heard_at: Instant | None = None
        self._unread_from: Instant | None = None
        self._unread_size = 0
        self._has_refusal = False
        self.is_judged = False
        """Whether bytes came for so long without a word that it was asked what they are."""
        self._span_from = now
        self._span = SHARED_AFTER
        self._span_size = 0
        self._span_refused_size = 0
        self._has_word = False

    def heard(self, data: bytes, now: Instant) -> None:
        """Take bytes that came, before the driver reads them."""
        self._heard_at = now
        if self._unread_from is None:
            self._unread_from = now
        self._unread_size += len(data)
        self._span_size += len(data)
        kept = data[-KEPT_SIZE_MAX:]
        self._pieces.append(Piece(now, kept))
        self._kept_size += len(kept)
        while self._kept_size > KEPT_SIZE_MAX or len(self._pieces) > KEPT_PIECES_MAX:
            self._kept_size -= len(self._pieces.popleft().data)

    def refused(self, event: FrameRejected) -> None:
        """Take note of bytes that the driver refused."""
        self._span_refused_size += len(event.frame)
        self._has_refusal = True

    def understood(self) -> None:
        """Take note of a word of the device."""
        self._unread_from, self._unread_size = None, 0
        self._has_refusal = self.is_judged = False
        self._has_word = True

    @property
    def wake_at(self) -> Instant | None:
        """When bytes without a word will have come for long enough; None while none are waiting."""
        if self._unread_from is None or self.is_judged or not self._is_strange():
            return None
        return later(self._unread_from, DOUBT_AFTER)

    def words(self, now: Instant) -> str:
        """Return what can be said at once of a line that is silent."""
        if self._heard_at is None:
            return "nothing is received"
        if now >= later(self._heard_at, QUIET_AFTER):
            return "nothing more is received"
        return f"{self._unread_size} bytes came, none readable as {self._driver.name}"

    def question(self, now: Instant) -> Question | None:
        """Return what to find out about bytes that long held no word; once until the next word."""
        due = self.wake_at
        if due is None or (now < due and self._unread_size < DOUBT_SIZE_MAX):
            return None
        assert self._unread_from is not None
        self.is_judged = True
        lasted_s = in_seconds(between(self._unread_from, now))
        seen = f"{self._unread_size} bytes in {lasted_s:.0f} s without one good frame"
        return Question(self._driver, self._scheme, tuple(self._pieces), seen)

    def shared(self, now: Instant) -> Question | None:
        """Return what to find out about a line that is understood while much of it is refused."""
        if now < later(self._span_from, self._span):
            return None
        is_much = self._span_refused_size > SHARED_SHARE * self._span_size
        is_shared = is_much and self._has_word
        self._span_from, self._span_size, self._span_refused_size = now, 0, 0
        self._has_word = False
        if not is_shared:
            return None
        self._span = Duration(2 * self._span)
        return Question(self._driver, self._scheme, tuple(self._pieces))

    def _is_strange(self) -> bool:
        """Return whether the bytes since the last word are more than a quiet conversation."""
        if self._unread_size < SIZE_MIN:
            return False
        return self._has_refusal or self._unread_size >= UNREFUSED_SIZE_MAX


def verdict(question: Question, drivers: Callable[[], Sequence[Driver]]) -> str:
    """Return what is said of bytes nobody understood: what they look like, or a likely cause."""
    names = guess(question.driver, question.pieces, drivers())
    likely = ""
    if names:
        likely = f"; it looks like {' or '.join(names)}"
    elif question.scheme in SERIAL_KINDS and TransportKind.SERIAL in question.driver.transports:
        fault = line_fault(question.driver, question.pieces)
        likely = f"; {fault or 'baud rate or parity are wrong, or it is another device'}"
    # What helps comes first: a screen's line may be cut.
    return f"this does not look like {question.driver.name}{likely} ({question.seen})"


def second_device(question: Question, drivers: Callable[[], Sequence[Driver]]) -> str:
    """Return what is said of a line on which another device speaks too, or ""."""
    name = second(question.driver, question.pieces, drivers())
    return f"another device speaks on this line too: it looks like {name}" if name else ""
