"""Nellcor N-560, N-595 and kin: SpO2 and pulse from the printout meant for a printer.

::

    0         1         2         3         4         5
    0123456789012345678901234567890123456789012345678901234567
    14-Nov-23 22:13:22    84*     72      12    MO SL       AS     every 2 s; no checksum

Numbers are right-aligned in three columns; a star marks one outside its limits; status codes of two
letters follow. A header (model, version, limits) comes every 22 lines. The columns stand in for
the missing checksum: a lost character moves them. Those of the N-560 are known; another layout is
believed when two lines in a row agree on where the numbers end or begin.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from drivers.clock import ClockOptions, DeviceClock, seconds_since_1970
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.options import read_options
from drivers.parts.nellcor_oximeter import (
    CODES,
    FLAGS,
    MENU_LEAVE,
    MENU_OPEN,
    MENU_SHOW,
    MONTHS,
    NO_SENSOR,
    PULSE_OUT,
    SPO2_OUT,
    UNSURE,
    NellcorDevice,
    encode,
)
from drivers.parts.text_lines import TextLines
from drivers.reading import StatusWord, UnknownFields, read
from monitor.model.event import DeviceEvent, DeviceNotice, NoticeKind, Validity, reject
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import Metric

_LINE_SIZE_MAX: Final = 160
_PAUSE_MAX: Final = seconds(0.9)
_MENU_STEP: Final = seconds(1)
_BEGIN: Final = re.compile(rb"\d\d-[A-Za-z]{3}-\d\d \d\d:\d\d:\d\d(?= )")
_STAMP_SIZE: Final = 18
_TOKEN: Final = re.compile(r"\S+")
_NUMBER: Final = re.compile(r"(\d{1,3}|-{2,3})(\*?)")
_Layout: TypeAlias = tuple[str, tuple[int, ...]]
_KNOWN: Final[_Layout] = ("end", (24, 32, 40))  # where the numbers of an N-560 end
_DATA_SIZE: Final = 61  # of its line
_HEADER: Final = re.compile(
    r"\s*(\S{1,16})\s+VERSION\s+([\d.]{1,16})\s+CRC:\s*\S+\s+"
    r"SpO2 Limit:\s*(\d+)-\s*(\d+)\S*\s+PR Limit:\s*(\d+)-\s*(\d+)\S*.*",
    re.IGNORECASE,
)
_SETTING: Final = re.compile(
    r"\s*(ADULT|NEO\w*)\s+(\d+)SAT-?S(?:\s+SPO2 RESP MODE:\s*(\w+))?.*", re.IGNORECASE
)
_INSTRUMENT: Final = re.compile(r"\s*(\S{1,16})\s+VERSION\s+([\d.]{1,16})\s+INFO\s+CRC:.*")
_TITLES: Final = re.compile(r"\s*TIME\s+%SpO2\s+BPM\s+PA\s+Status\s*", re.IGNORECASE)
_MENU: Final = re.compile(r".*Interactive Mode.*|\s*\d\) [A-Z].*|\s*Command\?\s*\d?\s*")


class _Waiting(NamedTuple):
    """A line whose numbers stand where none stood before."""

    layouts: set[_Layout]
    line: bytes
    at: Instant


class NellcorOptions(ClockOptions, frozen=True, kw_only=True):
    """`identify`: ask an N-595 for its version once, by its menu; the printout pauses for that."""

    identify: bool = False


class NellcorProtocol:
    """Listens to the printout. Only to identify, or to leave a menu left open, it speaks."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, NellcorOptions)
        self._lines = TextLines(_LINE_SIZE_MAX, _PAUSE_MAX)
        self._clock = DeviceClock(chosen.opened_utc_s, chosen.utc_offset_min)
        self._status = StatusWord(FLAGS)
        self._unknown = UnknownFields()
        self._identity: dict[str, str] = {}
        self._layouts = {_KNOWN}
        self._other: _Waiting | None = None  # the first line of another layout
        self._size = _DATA_SIZE
        self._to_send = [MENU_OPEN, MENU_SHOW, MENU_LEAVE] if chosen.identify else []
        self._outgoing: list[bytes] = []
        self._wake_at: Instant | None = None

    @property
    def wake_at(self) -> Instant | None:
        """When the next step in the device's menu is due; None outside of it."""
        return self._wake_at

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the lines completed by them say."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.feed(data, now):
            if flaw and not _MENU.fullmatch(line.decode("ascii", errors="replace")):
                events.append(reject(flaw, line, now))
            else:
                events += self._read(line, now)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Take the next step in the menu."""
        if self._wake_at is not None and now >= self._wake_at:
            self._outgoing = [self._to_send.pop(0)]
            self._wake_at = later(now, _MENU_STEP) if self._to_send else None
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is typed into the menu."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell a line left open, or the only one of an unknown layout, marked questionable."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.finish():
            events += (
                [reject(flaw, line, now)] if flaw else self._read(line, now, Validity.QUESTIONABLE)
            )
        if self._layouts != {_KNOWN} or self._other is None:
            return [*events, *self._give_up()]
        line, self._layouts, self._other = self._other.line, self._other.layouts, None
        return [*events, *self._read_data(line, now, Validity.QUESTIONABLE)]

    def _read(
        self, line: bytes, now: Instant, trust: Validity = Validity.VALID
    ) -> list[DeviceEvent]:
        """Tell one line. Where several begin in it, one is whole that is as long as others are."""
        begins = [found.start() for found in _BEGIN.finditer(line)]
        if not begins:
            return self._read_other(line, now)
        events: list[DeviceEvent] = []
        if line[: begins[0]].strip():
            events.append(reject("line cut short", line[: begins[0]], now))
        for begin, end in pairwise(begins):
            part = line[begin:end]
            if len(part) == self._size:
                events += self._read_data(part, now, trust)
            else:
                events.append(reject("line cut short", part, now))
        if begins == [0]:
            self._size = len(line)
        return events + self._read_data(line[begins[-1] :], now, trust)

    def _read_data(self, line: bytes, now: Instant, trust: Validity) -> list[DeviceEvent]:
        text = line.decode("ascii")
        tokens = list(_TOKEN.finditer(text, _STAMP_SIZE))
        numbers = [_NUMBER.fullmatch(token[0]) for token in tokens[:3]]
        if len(numbers) < 3 or None in numbers:
            return [reject("no three numbers", line, now)]
        local_s = _clock_of(text)
        if local_s is None:
            return [reject("no such date", line, now)]
        found = [each for each in numbers if each is not None]
        events = self._learn(_layouts_of(tokens, found), line, now)
        if self._other is not None:
            return events
        codes = {token[0] for token in tokens[3:]}
        events += self._clock.hear(local_s, now)
        for code in sorted(codes - CODES.keys()):
            events += self._unknown.meet(f"status {code}", now)
        word = sum(CODES[code] for code in codes & CODES.keys())
        word |= SPO2_OUT if found[0][2] and not codes & {"SL", "SH"} else 0
        word |= PULSE_OUT if found[1][2] and not codes & {"PL", "PH"} else 0
        events += self._status.read(word, now)
        trust = Validity.QUESTIONABLE if word & UNSURE else trust
        for number, metric in zip(found, (Metric.SPO2, Metric.PULSE_RATE), strict=False):
            is_missing = number[1].strip("-0") == "" or word & NO_SENSOR
            value = None if is_missing else float(number[1])
            events.append(read(metric, value, now, validity=trust))
        if not self._wake_at and self._to_send:
            self._wake_at = now
        return events

    def _learn(self, layouts: set[_Layout], line: bytes, now: Instant) -> list[DeviceEvent]:
        """Let a line wait whose numbers stand elsewhere; one that agrees with it frees both."""
        other = self._other
        if layouts & self._layouts or other is None or not layouts & other.layouts:
            events = self._give_up()
            self._other = None if layouts & self._layouts else _Waiting(layouts, line, now)
            return events
        self._layouts = {_KNOWN, *(layouts & other.layouts)}
        self._other = None
        return self._read_data(other.line, other.at, Validity.VALID)

    def _give_up(self) -> list[DeviceEvent]:
        other, self._other = self._other, None
        return [] if other is None else [reject("columns differ", other.line, other.at)]

    def _read_other(self, line: bytes, now: Instant) -> list[DeviceEvent]:
        text = line.decode("ascii")
        if header := _HEADER.fullmatch(text):
            name, version, *limits = header.groups()
            words = "{} version {}, limits SpO2 {}-{} %, pulse {}-{} /min"
            return self._identify("header", words.format(name, version, *limits), now)
        if setting := _SETTING.fullmatch(text):
            patient, sat_seconds, mode = setting.groups()
            words = f"{patient.lower()}, SatSeconds {sat_seconds}"
            words += f", SpO2 response {mode.lower()}" if mode else ""
            return self._identify("setting", words, now)
        if instrument := _INSTRUMENT.fullmatch(text):
            return self._identify("instrument", f"{instrument[1]} version {instrument[2]}", now)
        if _MENU.fullmatch(text):
            if "Mode" in text and not self._to_send:  # the printout waits for it to be left
                self._to_send = [MENU_LEAVE]
                self._wake_at = later(now, _MENU_STEP)
            return []
        if _TITLES.fullmatch(text) or not text.strip():
            return []
        return [reject("no Nellcor line", line, now)]

    def _identify(self, kind: str, words: str, now: Instant) -> list[DeviceEvent]:
        if self._identity.get(kind) == words:
            return []
        self._identity[kind] = words
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=words)]


def _layouts_of(tokens: Sequence[re.Match[str]], numbers: Sequence[re.Match[str]]) -> set[_Layout]:
    """Return where the three numbers end, for a right-aligned table, and where they begin."""
    begins = tuple(token.start() for token in tokens[:3])
    ends = tuple(begin + len(number[1]) for begin, number in zip(begins, numbers, strict=True))
    return {("end", ends), ("begin", begins)}


def _clock_of(text: str) -> float | None:
    """Return `DD-Mon-YY HH:MM:SS` as local seconds since 1970; a year of two digits is 20YY."""
    month = MONTHS.get(text[3:6].upper())
    if month is None:
        return None
    clock = (int(text[10:12]), int(text[13:15]), int(text[16:18]))
    return seconds_since_1970((2000 + int(text[7:9]), month, int(text[:2])), clock)


_OWN: Final = "put together by hand from the columns of an open N-560 logger"
_NONE: Final = ((Metric.SPO2, None), (Metric.PULSE_RATE, None))

DRIVER: Final = Driver(
    name="nellcor",
    title="Nellcor N-560 / N-595 oximeter",
    reference="Nellcor N-560 and N-595 operator's manuals, ASCII real-time printout",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({Metric.SPO2, Metric.PULSE_RATE}),
    silence_limit=seconds(5),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=NellcorProtocol,
    encode=encode,
    open_device=NellcorDevice,
    round_trip={Metric.SPO2: (1, 100, 1), Metric.PULSE_RATE: (20, 250, 1)},
    vectors=(
        Vector(
            b"14-Nov-23 22:13:20    97      72      48                     \r\n",
            ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)),
            _OWN,
        ),
        Vector(
            b"14-Nov-23 22:13:22    84*     72      12    MO SL       AS   \r\n",
            ((Metric.SPO2, 84.0), (Metric.PULSE_RATE, 72.0)),
            _OWN,
        ),
        Vector(
            b"14-Nov-23 22:13:24   ---     ---     ---    SD          AS   \r\n",
            _NONE,
            _OWN,
        ),
    ),
    doubts=(
        "there is no checksum: a digit garbled into another digit is another reading",
        "columns of N-595, N-600x and PM1000N are UNCERTAIN: learnt from two lines that agree",
        "speed is a menu item: 9600 (N-595) or 19200 (N-560); say ?baud=19200 in the URL",
        "the pulse amplitude has no unit and is not told",
    ),
)
