"""Masimo Rad-8, Radical-7: SpO2, pulse, perfusion index; one ASCII line a second ("ASCII 1").

::

    MM/DD/YY HH:MM:SS SN=0000012345 SPO2=097% BPM=072 PI=01.20% ... ALARM=0000 EXC=000800

One way, no commands, no checksum. Fields are known by their keys: which there are and in what
order depends on model and firmware. Dashes are a value that is not there. EXC says what a number
is worth: with the sensor off, the last numbers may be printed for some seconds more. A line is
believed when date, SPO2 and BPM have exactly their printed width: a lost or doubled character
changes it.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

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
from drivers.parts.masimo_oximeter import (
    ALARM_FLAGS,
    ARTEFACT,
    AUDIO_PAUSED,
    EXC_FLAGS,
    KNOWN_ALARMS,
    KNOWN_EXC,
    NO_SENSOR,
    NO_VALUES,
    SEARCHING,
    SENSOR_OFF,
    SOUNDING,
    MasimoDevice,
    encode,
)
from drivers.parts.text_lines import TextLines
from drivers.reading import StatusWord, UnknownFields, read
from monitor.model.event import DeviceEvent, Observation, Validity, reject
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

_LINE_SIZE_MAX: Final = 600
_PAUSE_MAX: Final = seconds(0.9)
_BEGIN: Final = re.compile(rb"\d\d/\d\d/\d\d \d\d:\d\d:\d\d(?= )")
_FIELD: Final = re.compile(r"([A-Z][A-Z0-9]{0,11})=(\S{0,24})")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "SPO2": re.compile(r"(\d{3}|-{2,3})%"),
    "BPM": re.compile(r"(\d{3}|-{2,3})%?"),
    "PI": re.compile(r"(\d\d\.\d\d|--\.--)%?"),
    "ALARM": re.compile(r"([0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6})"),
    "EXC": re.compile(r"([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6,7})"),
}
_NARROW: Final = {"ALARM": 2, "EXC": 3}
"""Digits on a Radical-5, which has no serial number in its lines: both so narrow, or none."""
_NEEDED: Final = ("SPO2", "BPM")
_METRICS: Final = (
    ("SPO2", Metric.SPO2),
    ("BPM", Metric.PULSE_RATE),
    ("PI", Metric.PERFUSION_INDEX),
)
# Read by nobody here: serial number (private), further gases, indices and a field without a name.
_LEFT_ALONE: Final = frozenset(
    {"SN", "SPCO", "SPMET", "SPHB", "SPOC", "RESVD", "DESAT", "PIDELTA", "PVI", "EXC1"}
)
_EXC_WORDS: Final = (
    (0x001, "no sensor"),
    (0x002, "defective sensor"),
    (0x010, "interference"),
    (0x020, "sensor off the patient"),
    (0x040, "too much ambient light"),
    (0x080, "unrecognised sensor"),
    (0x400, "low signal IQ"),
)


class MasimoProtocol:
    """The oximeter only talks."""

    wake_at: Instant | None = None

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, ClockOptions)
        self._lines = TextLines(_LINE_SIZE_MAX, _PAUSE_MAX)
        self._clock = DeviceClock(chosen.opened_utc_s, chosen.utc_offset_min)
        self._exc = StatusWord(EXC_FLAGS)
        self._alarms = StatusWord(ALARM_FLAGS)
        self._unknown = UnknownFields()
        self._size = 0  # of the last line that stood alone

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the lines completed by them say."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.feed(data, now):
            events += [reject(flaw, line, now)] if flaw else self._read(line, now)
        return events

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Nothing depends on time alone."""
        del now
        return ()

    def take_outgoing(self) -> Sequence[bytes]:
        """Return nothing: this output has no ears."""
        return ()

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the line that the end of the input left open, its values marked questionable."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.finish():
            events += (
                [reject(flaw, line, now)] if flaw else self._read(line, now, Validity.QUESTIONABLE)
            )
        return events

    def _read(
        self, line: bytes, now: Instant, trust: Validity = Validity.VALID
    ) -> list[DeviceEvent]:
        """Tell one line. Where several begin in it, one is whole that is as long as the last."""
        begins = [found.start() for found in _BEGIN.finditer(line)]
        if not begins:
            return [reject("no Masimo line", line, now)]
        events: list[DeviceEvent] = []
        if line[: begins[0]].strip():
            events.append(reject("line cut short", line[: begins[0]], now))
        for begin, end in pairwise(begins):
            part = line[begin:end]
            if len(part) == self._size:
                events += self._read_one(part, now, trust)
            else:
                events.append(reject("line cut short", part, now))
        if begins == [0]:
            self._size = len(line)
        return events + self._read_one(line[begins[-1] :], now, trust)

    def _read_one(self, line: bytes, now: Instant, trust: Validity) -> list[DeviceEvent]:
        fields = _fields(line[18:].decode("ascii"))
        local_s = _clock_of(line[:17].decode("ascii"))
        flaw = "no such date" if local_s is None else _flaw(fields)
        if flaw:
            return [reject(flaw, line, now)]
        if "EXC" not in fields and trust is Validity.VALID:
            trust = Validity.QUESTIONABLE
        return [
            *self._clock.hear(local_s, now),
            *self._states(fields, now),
            *_values(fields, now, trust),
        ]

    def _states(self, fields: Mapping[str, str], now: Instant) -> list[DeviceEvent]:
        exc = _bits(fields, "EXC")
        alarm = _bits(fields, "ALARM")
        unknown = [key for key in fields if key not in _LEFT_ALONE and key not in _FORMS]
        unknown += [
            f"{key}={fields[key]}" for key in ("PI",) if key in fields and not _fits(key, fields)
        ]
        if alarm & ~KNOWN_ALARMS:
            unknown.append(f"ALARM bits {alarm & ~KNOWN_ALARMS:06X}")
        if exc & ~KNOWN_EXC:
            unknown.append(f"EXC bits {exc & ~KNOWN_EXC:06X}")
        if exc & (NO_SENSOR | SENSOR_OFF):  # then both "low" alarms mean no more than that
            alarm &= AUDIO_PAUSED
        words = ", ".join(name for bit, name in _EXC_WORDS if exc & bit)
        sounds = "sounding" if alarm & SOUNDING else ""
        events: list[DeviceEvent] = []
        if "EXC" in fields:
            events += self._exc.read(exc, now, words)
        if "ALARM" in fields:
            events += self._alarms.read(alarm, now, sounds)
        for field in unknown:
            events += self._unknown.meet(field, now)
        return events


def _clock_of(text: str) -> float | None:
    """Return `MM/DD/YY HH:MM:SS` as local seconds since 1970; a year of two digits is 20YY."""
    month, day, year, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 17, 3))
    return seconds_since_1970((2000 + year, month, day), (hour, minute, second))


def _fields(text: str) -> dict[str, str]:
    """Return the fields by key; a key met twice has the value of neither."""
    fields: dict[str, str] = {}
    for token in text.split():
        found = _FIELD.fullmatch(token)
        if found is not None:  # a lone token after DESAT has been seen; it says nothing
            fields[found[1]] = "" if found[1] in fields else found[2]
    return fields


def _fits(key: str, fields: Mapping[str, str]) -> bool:
    return _FORMS[key].fullmatch(fields[key]) is not None


def _flaw(fields: Mapping[str, str]) -> str:
    for key in _NEEDED:
        if key not in fields:
            return f"line without {key}"
    for key in (*_NEEDED, "ALARM", "EXC"):
        if key in fields and not _fits(key, fields):
            return f"{key} has a wrong form"
    narrow = [key for key, size in _NARROW.items() if len(fields.get(key, "")) == size]
    if narrow and (len(narrow) < len(_NARROW) or "SN" in fields):
        return f"{narrow[0]} has a wrong form"
    return ""


def _bits(fields: Mapping[str, str], key: str) -> int:
    return int(fields[key], 16) if key in fields else 0


def _values(fields: Mapping[str, str], now: Instant, trust: Validity) -> list[Observation]:
    exc = _bits(fields, "EXC")
    if exc & (SEARCHING | ARTEFACT):
        trust = Validity.QUESTIONABLE
    told = []
    for key, metric in _METRICS:
        found = _FORMS[key].fullmatch(fields.get(key, ""))
        if found is None:
            continue
        is_missing = "-" in found[1] or exc & NO_VALUES
        told.append(read(metric, None if is_missing else float(found[1]), now, validity=trust))
    return told


_LOGGER: Final = "capture, as quoted in the comments of an open logger"
_MANUAL: Final = "vendor's manual, Radical-7 blue"
_OWN: Final = "put together by hand from the manual's fields"
_NONE: Final = ((Metric.SPO2, None), (Metric.PULSE_RATE, None))

DRIVER: Final = Driver(
    name="masimo",
    title="Masimo Rad-8 / Radical-7 oximeter",
    reference="Masimo Rad-8 operator's manual, serial output ASCII 1",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset(metric for _, metric in _METRICS),
    silence_limit=seconds(3),
    detects_corruption=False,
    frames_lost_after_cut_max=0,
    open_protocol=MasimoProtocol,
    encode=encode,
    open_device=MasimoDevice,
    round_trip={
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 240, 1),
        Metric.PERFUSION_INDEX: (0.25, 20, 0.25),
    },
    vectors=(
        Vector(
            b"03/17/16 19:19:36 SN=---------- SPO2=098% BPM=123 PI=00.55 SPCO=--% SPMET=--.-% "
            b"SPHB=--.- SPOC=-- RESVD=--- DESAT=-- PIDELTA=+-- PVI=--- ALARM=000000 EXC=0000C00 "
            b"EXC1=00000000\r\n",
            (
                (Metric.SPO2, 98.0),
                (Metric.PULSE_RATE, 123.0),
                (Metric.PERFUSION_INDEX, 0.55),
            ),
            _LOGGER,
        ),
        Vector(
            b"03/19/16 13:37:12 SN=0000093112 SPO2=---% BPM=---% DESAT=-- PIDELTA=+-- "
            b"ALARM=0000 EXC=000001\r\n",
            _NONE,
            _LOGGER,
        ),
        Vector(
            b"05/15/07 08:12:21 SN=0000070986 SPO2=---% BPM=--- PI=--.--% SPCO=--.-% "
            b"SPMET=--.-% DESAT=-- PIDELTA=+-- PVI=--- ALARM=0000 EXC=000000\r\n",
            (*_NONE, (Metric.PERFUSION_INDEX, None)),
            _MANUAL,
        ),
        Vector(
            b"11/14/23 22:13:20 SN=0000012345 SPO2=085% BPM=128 PI=01.20% SPCO=--.-% "
            b"SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0012 EXC=000800\r\n",
            (
                (Metric.SPO2, 85.0),
                (Metric.PULSE_RATE, 128.0),
                (Metric.PERFUSION_INDEX, 1.2),
            ),
            _OWN,
        ),
    ),
    doubts=(
        "there is no checksum: a digit garbled into another digit is another reading",
        "the ALARM bits were found by experiment on a Rad-8: UNCERTAIN on other models",
        "EXC1 is not public and is left alone; EXC bits above 12 are told as unknown",
    ),
)
