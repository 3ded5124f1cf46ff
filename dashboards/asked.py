"""What operators asked of the server and what became of it; nothing asked is ever left unanswered.

Pure: `now_s` is this machine's monotonic clock, as an argument.
"""

from typing import Final

import msgspec

from monitor.attach.messages import Answer

ANSWER_S_MAX: Final = 3.0
WAITING_MAX: Final = 32
SHOWN_S: Final = 8.0


class Status(msgspec.Struct, frozen=True):
    """One sentence for the status line, and the name of its style."""

    text: str = ""
    style: str = "note"


class Asked:
    """The commands under way, and the newest thing to be said about them."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[str, float]] = {}
        self._last = Status()
        self._said_s = 0.0
        self._number = 0

    def ask(self, title: str, now_s: float) -> int | None:
        """Return the number for a new command; None if too many wait already."""
        if len(self._waiting) >= WAITING_MAX:
            self.say(f"{title}: not sent, {WAITING_MAX} commands wait for an answer", now_s)
            return None
        self._number += 1
        self._waiting[self._number] = (title, now_s)
        self._tell(Status(f"{title}: sent, no answer yet"), now_s)
        return self._number

    def answer(self, answer: Answer, now_s: float) -> None:
        """Take the server's answer; one to a question nobody asked is shown as such."""
        title, _ = self._waiting.pop(answer.number, (f"command {answer.number}", 0.0))
        reason = f": {answer.reason}" if answer.reason else ""
        if answer.is_accepted:
            self._tell(Status(f"{title}: accepted{reason}", "accepted"), now_s)
        else:
            self._tell(Status(f"{title}: REFUSED{reason}", "refused"), now_s)

    def say(self, text: str, now_s: float) -> None:
        """Show a refusal of our own: nothing was sent."""
        self._tell(Status(text, "refused"), now_s)

    def tell(self, text: str, now_s: float) -> None:
        """Show something that needs no attention."""
        self._tell(Status(text), now_s)

    def lose(self, now_s: float) -> None:
        """Say what can no longer be answered because the link is gone."""
        if self._waiting:
            titles = ", ".join(title for title, _ in self._waiting.values())
            self._waiting.clear()
            self.say(f"{titles}: link lost before the answer, not known to be done", now_s)

    def status(self, now_s: float) -> Status:
        """Return what to show now. A command without an answer is said until it has one."""
        late = [title for title, at in self._waiting.values() if now_s - at >= ANSWER_S_MAX]
        if late:
            return Status(f"{late[0]}: no answer, not known to be done", "refused")
        return self._last if now_s - self._said_s < SHOWN_S or self._waiting else Status()

    def _tell(self, status: Status, now_s: float) -> None:
        """Replace the newest sentence."""
        self._last, self._said_s = status, now_s
