"""The Masimo's own side: its status bits, its line, and how it holds numbers of a lost finger."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Said, Timed
from drivers.clock import SOME_OPENING_S, calendar_of
from drivers.reading import Flag
from monitor.model.event import DeviceEvent, NoticeKind
from monitor.model.instant import Instant, between, in_seconds, seconds
from monitor.model.metric import Metric

NO_SENSOR, SENSOR_FAULT, LOW_PERFUSION, SEARCHING, ARTEFACT, SENSOR_OFF = (
    0x001,
    0x082,
    0x004,
    0x008,
    0x450,
    0x020,
)
NO_VALUES: Final = NO_SENSOR | SENSOR_OFF | SENSOR_FAULT
_NORMAL: Final = 0x800  # Masimo SET is running
_RESERVED: Final = 0x300
KNOWN_EXC: Final = 0xFFF & ~_RESERVED
EXC_FLAGS: Final = (
    Flag(NO_SENSOR | SENSOR_OFF, NoticeKind.SENSOR_OFF),
    Flag(SENSOR_FAULT, NoticeKind.SENSOR_FAULT),
    Flag(LOW_PERFUSION, NoticeKind.LOW_PERFUSION),
    Flag(SEARCHING, NoticeKind.SEARCHING),
    Flag(ARTEFACT, NoticeKind.ARTEFACT),
)
SOUNDING, AUDIO_PAUSED = 0x10, 0x20
KNOWN_ALARMS: Final = 0x3F
ALARM_FLAGS: Final = (
    Flag(0x01, "spo2_high", Metric.SPO2),
    Flag(0x02, "spo2_low", Metric.SPO2),
    Flag(0x04, "pulse_rate_high", Metric.PULSE_RATE),
    Flag(0x08, "pulse_rate_low", Metric.PULSE_RATE),
    Flag(AUDIO_PAUSED, NoticeKind.AUDIO_PAUSED_AT_DEVICE),
)
_EXC_SENT: Final = {
    NoticeKind.SENSOR_OFF: SENSOR_OFF,
    NoticeKind.SENSOR_FAULT: 0x002,
    NoticeKind.LOW_PERFUSION: LOW_PERFUSION,
    NoticeKind.SEARCHING: SEARCHING,
    NoticeKind.ARTEFACT: 0x010,
}
_HELD: Final = seconds(3)
_RATE_HZ: Final = 1
_HELD_METRICS: Final = (Metric.SPO2, Metric.PULSE_RATE)


def _three(value: float | None) -> str:
    return "---" if value is None else f"{min(999, max(0, round(value))):03d}"


def line_of(said: Said, values: dict[Metric, float | None], now: Instant) -> bytes:
    """Return the line that says `values` and the states of `said`, with its line end."""
    year, month, day, hour, minute, second = calendar_of(SOME_OPENING_S + in_seconds(now))
    index = values.get(Metric.PERFUSION_INDEX)
    perfusion = "--.--" if index is None else f"{min(99.99, max(0.0, index)):05.2f}"
    exc = _NORMAL | sum(bit for notice, bit in _EXC_SENT.items() if notice in said.notices)
    alarm = sum(flag.mask for flag in ALARM_FLAGS if flag.says in {*said.alarms, *said.notices})
    alarm |= SOUNDING if said.alarms else 0
    return (
        f"{month:02d}/{day:02d}/{year % 100:02d} {hour:02d}:{minute:02d}:{second:02d} "
        f"SN=0000012345 SPO2={_three(values.get(Metric.SPO2))}% "
        f"BPM={_three(values.get(Metric.PULSE_RATE))} PI={perfusion}% "
        f"SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM={alarm:04X} EXC={exc:06X}\r\n"
    ).encode("ascii")


def _values(said: Said) -> dict[Metric, float | None]:
    return {
        metric: said.value(metric)
        for metric in (Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX)
    }


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the line that says `events`."""
    said = Said()
    said.hear(events)
    return line_of(said, _values(said), max((each.at for each in events), default=Instant(0)))


class MasimoDevice(Timed):
    """The oximeter: a line a second; without a finger its last numbers for three seconds more."""

    def __init__(self) -> None:
        super().__init__(_RATE_HZ)
        self._beat.start(Instant(0))
        self._shown: dict[Metric, float | None] = {}
        self._shown_at = Instant(0)

    def wake(self, now: Instant) -> None:
        """Send the line that is due."""
        while self._beat.is_due(now):
            self._outgoing.append(line_of(self._said, self._values(now), now))

    def _values(self, now: Instant) -> dict[Metric, float | None]:
        values = _values(self._said)
        if NoticeKind.SENSOR_OFF not in self._said.notices:
            self._shown, self._shown_at = values, now
        elif between(self._shown_at, now) <= _HELD:
            values |= {metric: self._shown.get(metric) for metric in _HELD_METRICS}
        return values
