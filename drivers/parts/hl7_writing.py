"""PCD-01 and PCD-04 messages as they are written: a monitor's, which simulators send, and our own.

Pure text. A message is its segments, each ended by CR; `mllp.frame` puts it on the wire.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from drivers.parts.hl7_codes import CODES, unit_field
from drivers.parts.hl7_message import ENCODING, escaped, written_time
from monitor.model.event import GenerationMode
from monitor.model.metric import Metric

PROFILES: Final = {
    "R01": "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
    "R40": "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO",
}
DEVICE_ROW: Final = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X"
OBSERVED: Final = "182777000^monitoring of patient^SCT"
ALARMED: Final = "196616^MDC_EVT_ALARM^MDC"
LOW_EVENT: Final = "196670^MDC_EVT_LO^MDC"
HIGH_EVENT: Final = "196648^MDC_EVT_HI^MDC"
LOCAL_SYSTEM: Final = "99VIGIL"
"""Names our own words in a code field: HL7 leaves systems that begin with 99 to each site."""

FLAGS_OF_MODE: Final = {
    GenerationMode.REAL: "",
    GenerationMode.TEST: "TEST",
    GenerationMode.DEMO: "DEMO",
}
_DECIMALS_MAX: Final = 4


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends to whom: MSH-3 to MSH-6, and which answers are asked for (MSH-15 and MSH-16).

    Each name may have components (`NAME^ID^TYPE`) and is written as it is.
    """

    application: str
    facility: str = ""
    receiving_application: str = ""
    receiving_facility: str = ""
    asks_commit: bool = False


def head(sender: Sender, trigger: str, control: str, utc_s: float, mode: GenerationMode) -> str:
    """Return MSH for event `trigger`; what is not of a patient has the processing id T."""
    use = "P" if mode is GenerationMode.REAL else "T"
    asked = "AL|NE" if sender.asks_commit else "NE|AL"
    ours = f"{sender.application}|{sender.facility}"
    theirs = f"{sender.receiving_application}|{sender.receiving_facility}"
    kind = f"ORU^{trigger}^ORU_{trigger}"
    return (
        f"MSH|{ENCODING}|{ours}|{theirs}|{written_time(utc_s)}||{kind}|{control}"
        f"|{use}|2.6|||{asked}||UNICODE UTF-8|||{PROFILES[trigger]}"
    )


def order(identity: str, application: str, what: str, utc_s: float) -> str:
    """Return OBR: the order `identity` of the sender, about `what`, begun at `utc_s`."""
    name = application.split("^", maxsplit=1)[0]
    placed = f"{escaped(identity)}^{name}"
    return f"OBR|1|{placed}|{placed}|{what}|||{written_time(utc_s)}"


def note(text: str) -> str:
    """Return NTE: words about the segment before it."""
    return f"NTE|1|L|{escaped(text)}"


def number_text(value: float) -> str:
    """Return a value as HL7 writes numbers: no exponent, and no digits that mean nothing."""
    text = f"{value:.{_DECIMALS_MAX}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def range_text(low: float | None, high: float | None) -> str:
    """Return limits as OBX-7 has them: `90-100`, `>90`, `<120`, or nothing."""
    if low is not None and high is not None:
        return f"{number_text(low)}-{number_text(high)}"
    if low is not None:
        return f">{number_text(low)}"
    return "" if high is None else f"<{number_text(high)}"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One OBX of a number. `value` None: there is none. `utc_s`: when it was taken."""

    number: int
    tree: str
    metric: Metric
    value: float | None
    flags: str = ""
    limits: str = ""
    utc_s: float | None = None

    def text(self) -> str:
        """Return the segment."""
        value = "" if self.value is None else number_text(self.value)
        result = "X" if self.value is None else "R"
        time = "" if self.utc_s is None else written_time(self.utc_s)
        return (
            f"OBX|{self.number}|NM|{CODES[self.metric]}|{self.tree}|{value}"
            f"|{unit_field(self.metric)}|{self.limits}|{self.flags}|||{result}|||{time}"
        ).rstrip("|")


def text_row(number: int, code: str, tree: str, value: str, flags: str = "") -> str:
    """Return one OBX of a word."""
    return f"OBX|{number}|ST|{code}|{tree}|{escaped(value)}|||{flags}|||R"


def message(lines: Sequence[str]) -> str:
    """Return segments as a message."""
    return "".join(f"{line}\r" for line in lines)
