"""The Nellcor's own side: status codes, the printed page, the menu of the N-595."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said, Timed
from drivers.clock import SOME_OPENING_S, calendar_of
from drivers.reading import Flag
from monitor.model.event import DeviceEvent, NoticeKind
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import Metric

_NAMES: Final = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
MONTHS: Final = {name: number for number, name in enumerate(_NAMES, start=1)}
MENU_OPEN: Final = b"\x03\x03"
MENU_SHOW: Final = b"1\r\n"
MENU_LEAVE: Final = b"0\r\n"

_ORDER: Final = ["AO", "AS", "LB", "LM", "LP", "MO", "PH", "PL", "PS", "SD", "SH", "SL", "SO"]
CODES: Final = {code: 1 << place for place, code in enumerate(_ORDER)}
SPO2_OUT, PULSE_OUT = 1 << 13, 1 << 14  # our own bits: a star without a code that says which way
NO_SENSOR: Final = CODES["SD"] | CODES["SO"]
UNSURE: Final = CODES["MO"] | CODES["PS"] | CODES["LM"] | CODES["LP"]
FLAGS: Final = (
    Flag(CODES["AO"] | CODES["AS"], NoticeKind.AUDIO_PAUSED_AT_DEVICE),
    Flag(CODES["LB"], NoticeKind.LOW_BATTERY),
    Flag(NO_SENSOR, NoticeKind.SENSOR_OFF),
    Flag(CODES["MO"] | CODES["LM"], NoticeKind.ARTEFACT, detail="motion or interference"),
    Flag(CODES["PS"], NoticeKind.SEARCHING),
    Flag(CODES["LP"] | CODES["LM"], "pulse_not_found", Metric.PULSE_RATE),
    Flag(CODES["SH"], "spo2_high", Metric.SPO2),
    Flag(CODES["SL"], "spo2_low", Metric.SPO2),
    Flag(CODES["PH"], "pulse_rate_high", Metric.PULSE_RATE),
    Flag(CODES["PL"], "pulse_rate_low", Metric.PULSE_RATE),
    Flag(SPO2_OUT, "spo2_out_of_limits", Metric.SPO2),
    Flag(PULSE_OUT, "pulse_rate_out_of_limits", Metric.PULSE_RATE),
)
_SENT: Final = (
    (NoticeKind.ARTEFACT, "MO", 0),
    ("pulse_not_found", "LP", 0),
    (NoticeKind.SENSOR_OFF, "SD", 0),
    (NoticeKind.SEARCHING, "PS", 0),
    ("spo2_low", "SL", 1),
    ("spo2_high", "SH", 1),
    ("pulse_rate_low", "PL", 2),
    ("pulse_rate_high", "PH", 2),
    (NoticeKind.LOW_BATTERY, "LB", 3),
    (NoticeKind.AUDIO_PAUSED_AT_DEVICE, "AS", 4),
)
_PLACES: Final = 5
_HEADER_EVERY: Final = 22
_LINE_EVERY_S: Final = 2
_HEADER: Final = (
    b"N-560    VERSION 1.60.00    CRC:1A2B  SpO2 Limit: 88-100%    PR Limit: 50-120BPM\r\n"
    b"                             ADULT           10SAT-S \r\n"
    b"TIME                 %SpO2   BPM     PA     Status\r\n"
)
_MENU: Final = (
    b"\r\nNPB-595   Interactive Mode\r\n    1) Dump Instrument Info\r\n    2) Set Date and Time\r\n"
    b"    3) Dump Trend\r\n    4) Dump Error Log\r\n    0) Exit Interactive Mode\r\n\r\n"
    b"    Command?"
)
_INSTRUMENT: Final = b"\r\nN-595   VERSION 3.0.0.0   INFO   CRC:1A2B   SEC:00000001\r\n    Command?"
_TYPED_MAX: Final = 16


def _number(value: float | None, *, is_out: bool = False) -> str:
    digits = "---" if value is None else str(min(999, max(0, round(value))))
    return f"{digits:>3}{'*' if is_out else ' '}"


def line_of(said: Said, now: Instant) -> bytes:
    """Return the printed line that says what was said, 61 characters and its end."""
    year, month, day, hour, minute, second = calendar_of(SOME_OPENING_S + in_seconds(now))
    places = ["  "] * _PLACES
    for what, code, place in _SENT:
        if what in said.notices or what in said.alarms:
            places[place] = code
    spo2, rate = said.value(Metric.SPO2), said.value(Metric.PULSE_RATE)
    amplitude = None if spo2 is None else 48
    name = _NAMES[month - 1].capitalize()
    return (
        f"{day:02d}-{name}-{year % 100:02d} {hour:02d}:{minute:02d}:{second:02d}   "
        f"{_number(spo2, is_out=places[1] != '  ')}    "
        f"{_number(rate, is_out=places[2] != '  ')}    "
        f"{_number(amplitude)}   {' '.join(places)}   \r\n"
    ).encode("ascii")


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the line that says `events`."""
    said = Said()
    said.hear(events)
    return line_of(said, max((each.at for each in events), default=Instant(0)))


class NellcorDevice(Timed):
    """The oximeter: a header, a line every two seconds, and a menu that stops both."""

    def __init__(self) -> None:
        super().__init__(1)
        self._beat.start(Instant(0))
        self._count = 0
        self._is_in_menu = False
        self._typed = b""

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey the keyboard: Ctrl-C twice opens the menu, 0 leaves it."""
        del now
        self._typed = (self._typed + data)[-_TYPED_MAX:]
        if self._typed.endswith(MENU_OPEN):
            self._is_in_menu, self._typed = True, b""
            self._outgoing.append(_MENU)
        elif self._typed.endswith(MENU_SHOW) and self._is_in_menu:
            self._typed = b""
            self._outgoing.append(_INSTRUMENT)
        elif self._typed.endswith(MENU_LEAVE) and self._is_in_menu:
            self._is_in_menu, self._typed = False, b""
            self._outgoing.append(b"\r\n")

    def wake(self, now: Instant) -> None:
        """Print what is due."""
        while self._beat.is_due(now):
            number, odd = divmod(self._count, _LINE_EVERY_S)
            self._count += 1
            if odd or self._is_in_menu:
                continue
            if number % _HEADER_EVERY == 0:
                self._outgoing.append(_HEADER)
            self._outgoing.append(line_of(self._said, now))
