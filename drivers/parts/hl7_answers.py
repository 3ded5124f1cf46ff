"""Answers to HL7 messages: ours, as the sender's MSH-15 and MSH-16 ask; and theirs, read."""

from enum import StrEnum
from typing import Final

import msgspec

from drivers.parts.hl7_message import (
    ENCODING,
    Hl7Error,
    Segment,
    escaped,
    read_segments,
    written_time,
)
from drivers.parts.mllp import frame

_ALWAYS, _NEVER, _ON_ERROR, _ON_SUCCESS = "AL", "NE", "ER", "SU"
_ACCEPT_CODES: Final = {"AA": "CA", "AE": "CE", "AR": "CR"}
_CONTROL_SIZE_MAX: Final = 199


def _is_wanted(condition: str, code: str) -> bool:
    if condition == _ON_ERROR:
        return code != "AA"
    return condition == _ALWAYS or (condition == _ON_SUCCESS and code == "AA")


def answer_to(msh: Segment, code: str, words: str, own: tuple[str, str, float | None]) -> bytes:
    """Return the framed answer, b"" where none is wanted. `own`: our name, control id, UTC.

    A sender that states neither condition speaks the older mode and always waits for an answer.
    Without a wall time of ours, the answer carries the time of the message.
    """
    name, control, utc_s = own
    accept, application = msh.text(15), msh.text(16)
    if (accept or application) and not _is_wanted(application, code):
        if not _is_wanted(accept, code):
            return b""
        code = _ACCEPT_CODES[code]
    time = escaped(msh.text(7)) if utc_s is None else written_time(utc_s)
    theirs = f"{escaped(msh.text(3))}|{escaped(msh.text(4))}"
    trigger = escaped(msh.text(9, 2)) or "R01"
    theirs_id = escaped(msh.text(10))[:_CONTROL_SIZE_MAX]
    head = f"MSH|{ENCODING}|{name}||{theirs}|{time}||ACK^{trigger}^ACK|{control}|P|2.6"
    end = f"MSA|{code}|{theirs_id}" + (f"|{escaped(words)}" if words else "")
    return frame(f"{head}\r{end}\r")


class Verdict(StrEnum):
    """What a receiver made of a message. `FAULTY`: it will not take this one however often."""

    ACCEPTED = "accepted"
    FAULTY = "in error"
    REFUSED = "refused"


_VERDICTS: Final = {
    "AA": Verdict.ACCEPTED,
    "CA": Verdict.ACCEPTED,
    "AE": Verdict.FAULTY,
    "CE": Verdict.FAULTY,
    "AR": Verdict.REFUSED,
    "CR": Verdict.REFUSED,
}


class Answer(msgspec.Struct, frozen=True):
    """What came back: to which message (MSA-2), what (MSA-1), and in whose words (MSA-3, ERR-8)."""

    control: str
    verdict: Verdict
    words: str


def read_answer(data: bytes) -> Answer | None:
    """Return what a message answers; None where it is no answer that can be understood."""
    try:
        segments = read_segments(data)
    except Hl7Error:
        return None
    msa = next((each for each in segments if each.name == "MSA"), None)
    if msa is None or msa.text(1) not in _VERDICTS:
        return None
    told = [msa.text(3), *(each.text(8) for each in segments if each.name == "ERR")]
    words = "; ".join(word for word in told if word)[:120]
    return Answer(msa.text(2), _VERDICTS[msa.text(1)], f"{msa.text(1)} {words}".strip())
