"""Alarm messages on their way: in order, bounded, and never silently gone."""

from collections import deque
from typing import Final

import msgspec

WAITING_MAX: Final = 500
"""Alarm messages that may wait: a chair in trouble makes some dozens in an hour."""

TRIES_MAX: Final = 5
"""So often is one message sent before others get their turn."""


class Message(msgspec.Struct):
    """One message. `about` names what it is of: a later one about the same says more.

    `tries` counts how often it was sent without being accepted.
    """

    control: str
    text: str
    about: str
    tries: int = 0


class Waiting:
    """A queue with a limit. What a newer message has overtaken is dropped first."""

    def __init__(self, count_max: int = WAITING_MAX) -> None:
        self._messages: deque[Message] = deque()
        self._count_max = count_max
        self.dropped = 0
        """How many messages were given up in all."""

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._messages)

    @property
    def head(self) -> Message | None:
        """Return the message whose turn it is."""
        return self._messages[0] if self._messages else None

    def put(self, message: Message) -> None:
        """Take a message as the last."""
        self._messages.append(message)
        if len(self._messages) > self._count_max:
            self._drop()

    def remove(self, message: Message) -> None:
        """Forget a message that was accepted, or refused for good; one dropped before is gone."""
        if message in self._messages:
            self._messages.remove(message)

    def defer(self, message: Message) -> None:
        """Let others go before one that nobody answers; give it up if a newer one says more."""
        if message not in self._messages:
            return
        self._messages.remove(message)
        if any(each.about == message.about for each in self._messages):
            self.dropped += 1
            return
        message.tries = 0
        self._messages.append(message)

    def _drop(self) -> None:
        """Give up the oldest that a newer one about the same has overtaken, else the oldest."""
        newest = {each.about: each.control for each in self._messages}
        overtaken = (each for each in self._messages if newest[each.about] != each.control)
        self._messages.remove(next(overtaken, self._messages[0]))
        self.dropped += 1
