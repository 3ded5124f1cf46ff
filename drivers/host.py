"""The host's side of the two plainest conversations: only to listen, and to ask again and again.

A protocol inherits from one of these and writes what is its own: its splitter and what a frame
means. What a device has beyond that (a handshake, several questions) is written out in its file.
"""

from collections.abc import Sequence

from drivers.contract import NO_OPTIONS, Options
from drivers.options import CommonOptions, read_options
from monitor.model.event import DeviceEvent
from monitor.model.instant import OPENING, Duration, Instant, later


class Listening:
    """A host that never speaks; it knows no options of its own."""

    wake_at: Instant | None = None

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        read_options(options, CommonOptions)

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Do nothing: nothing depends on time alone."""
        del now
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return nothing: the device has no ears."""
        return ()


class Asking:
    """A host that sends `question` every `every`, at first at once.

    A question that stayed without an answer is asked again at the next time; how long the device
    may be silent is the driver's `silence_limit`. `give_up` is called before each question, for the
    driver to refuse the half of an answer it still holds.
    """

    def __init__(self, question: bytes, every: Duration, options: Options = NO_OPTIONS) -> None:
        read_options(options, CommonOptions)
        self._question = question
        self._every = every
        self._outgoing: list[bytes] = []
        self.wake_at: Instant | None = OPENING

    def give_up(self, now: Instant) -> Sequence[DeviceEvent]:
        """Refuse what belongs to no answer any more."""
        del now
        return ()

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask, if it is time."""
        if self.wake_at is not None and now < self.wake_at:
            return ()
        self.wake_at = later(now, self._every)
        self._outgoing = [self._question]
        return self.give_up(now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the question that is due."""
        sent, self._outgoing = self._outgoing, []
        return sent
