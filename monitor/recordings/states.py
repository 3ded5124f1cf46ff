"""What a row of a long CSV says of its own value: the words of validity, ours and common ones."""

from typing import Final

from monitor.model.event import Validity
from monitor.recordings.flags import AVAILABLE_WORDS, NOT_AVAILABLE_WORDS
from monitor.recordings.notes import Notes

VALIDITY_OF: Final = {str(validity): validity for validity in Validity}
_BLANK: Final = "rows with a blank validity are taken as not available"
_UNKNOWN: Final = (
    "rows whose state is {!r} are taken as not available, a word we do not know; "
    "write valid where their values can be trusted"
)
_TRUSTED: Final = AVAILABLE_WORDS | {"1", "10", "true", "t", "yes", "y"}
_NOT: Final = NOT_AVAILABLE_WORDS | {"off", "unmonitored", "false", "f", "no", "n", "nan", "none"}


def read_state(text: str, line: int, notes: Notes) -> Validity:
    """Return how far a value can be trusted; a word that is not known is no trust, and counted."""
    word = text.strip().strip("'\"").lower()
    validity = VALIDITY_OF.get(word)
    if validity is not None:
        return validity
    if not word:
        notes.count(_BLANK, line)
        return Validity.NOT_AVAILABLE
    key = "".join(letter for letter in word if letter.isalnum())
    if key in _TRUSTED:
        return Validity.VALID
    if key and key not in _NOT:
        notes.count(_UNKNOWN.format(word[:40]), line)
    return Validity.NOT_AVAILABLE
