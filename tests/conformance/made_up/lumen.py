"""Lumen 9 pulse oximeter: SpO2 and pulse, one line of text a second.

::

    $O,097,072,00*68<CR><LF>

Saturation and pulse of three digits, dashes where there is no value; two hexadecimal digits of
status; after the star the exclusive or of what stands between `$` and `*`. One way, no commands.
"""

import re
from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said, Talking
from drivers.checksums import exclusive_or
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
    Vector,
)
from drivers.host import Listening
from drivers.parts.text_lines import TextLines
from drivers.reading import Flag, StatusWord, read
from monitor.model.event import DeviceEvent, NoticeKind, reject
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

_LINE: Final = re.compile(rb"\$(O,(\d{3}|---),(\d{3}|---),([0-9A-F]{2}))\*([0-9A-F]{2})")
_FLAGS: Final = (Flag(0x01, NoticeKind.SENSOR_OFF), Flag(0x02, NoticeKind.LOW_BATTERY))
_METRICS: Final = (Metric.SPO2, Metric.PULSE_RATE)


class LumenProtocol(Listening):
    """The oximeter only talks."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        super().__init__(options)
        self._lines = TextLines(size_max=40, pause_max=seconds(0.9))
        self._status = StatusWord(_FLAGS)

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell what the lines completed by them say."""
        events: list[DeviceEvent] = []
        for line, flaw in self._lines.feed(data, now):
            events += [reject(flaw, line, now)] if flaw else self._read(line, now)
        return events

    def _read(self, line: bytes, now: Instant) -> list[DeviceEvent]:
        strange, begin, text = line.rpartition(b"$")
        events: list[DeviceEvent] = [reject("no Lumen line", strange, now)] if strange else []
        found = _LINE.fullmatch(begin + text)
        if found is None:
            return [*events, reject("no Lumen line", line, now)]
        if exclusive_or(found[1]) != int(found[5], 16):
            return [*events, reject("checksum differs", line, now)]
        events += self._status.read(int(found[4], 16), now)
        for metric, digits in zip(_METRICS, (found[2], found[3]), strict=True):
            events.append(read(metric, None if digits == b"---" else float(digits), now))
        return events


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the line that says `events`."""
    said = Said()
    said.hear(events)
    values = [said.value(metric) for metric in _METRICS]
    numbers = ",".join("---" if value is None else f"{value:03.0f}" for value in values)
    status = sum(flag.mask for flag in _FLAGS if flag.says in said.notices)
    text = f"O,{numbers},{status:02X}".encode()
    return b"$%s*%02X\r\n" % (text, exclusive_or(text))


DRIVER: Final = Driver(
    name="lumen",
    title="Lumen 9 oximeter",
    reference="nobody: this device is made up",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset(_METRICS),
    silence_limit=seconds(3),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=LumenProtocol,
    encode=encode,
    open_device=lambda: Talking(1, encode),
    round_trip={Metric.SPO2: (1, 100, 1), Metric.PULSE_RATE: (10, 240, 1)},
    vectors=(
        Vector(
            b"$O,097,072,00*68\r\n",
            ((Metric.SPO2, 97.0), (Metric.PULSE_RATE, 72.0)),
            "the sum worked out on paper",
        ),
    ),
    serial=SerialLine(baud=4800),
)
