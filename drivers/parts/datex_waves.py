"""Waves and alarms of a DRI record: pleth and CO2 samples; the alarm lines the monitor shows.

A wave subrecord: samples s16, status u16 (0 gap before, 2 pacer, 3 lead off), label u16, samples.
An alarm subrecord: five lines of 98 bytes after 10 bytes of sound settings. The lines are in the
monitor's language, so they are told by place and colour and never classified by their words.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from drivers.parts.datex_displayed import word
from drivers.reading import Flag, StatusWord
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    WaveformSegment,
    reject,
)
from monitor.model.instant import Instant
from monitor.model.metric import Metric

PLETH_KIND, CO2_KIND = 8, 9
RATES_HZ: Final = {PLETH_KIND: 100, CO2_KIND: 25}
WAVE_HEAD_SIZE: Final = 6
GAP, LEAD_OFF = 0x01, 0x08
CONTROL_MAX: Final = -32000  # a sample at or below it is a code and no sample
PLETH_ZERO: Final = 32_768  # the pleth swings around zero; our metric knows no sign
_HEAD: Final = Struct("<hHH")

ALARM_HEAD_SIZE: Final = 10
LINE_SIZE: Final = 98
LINES: Final = 5
TEXT_SIZE: Final = 80
ALARM_SIZE: Final = ALARM_HEAD_SIZE + LINES * LINE_SIZE + 10
SOUND_AT, PAUSE_AT = 2, 8
COLOUR_AT: Final = TEXT_SIZE + 2
PRIORITIES: Final = {1: "low", 2: "medium", 3: "high"}
_PAUSES: Final = (
    "",
    "apnoea",
    "asystole",
    "apnoea and asystole",
    "all alarms",
    "2 min",
    "5 min",
    "20 s",
)
_AUDIO: Final = (Flag(1, NoticeKind.AUDIO_PAUSED_AT_DEVICE),)


class WaveReader:
    """Reads pleth and CO2 blocks of one monitor; other waves are left alone."""

    def __init__(self) -> None:
        self._begun: set[int] = set()

    def read(self, kind: int, body: bytes, now: Instant, co2_scale: float) -> Sequence[DeviceEvent]:
        """Return the segment in a subrecord; `co2_scale` is mmHg for each 0.01 Vol%."""
        if len(body) < WAVE_HEAD_SIZE:
            return [reject("wave shorter than its head", body, now)]
        count, status, _ = _HEAD.unpack_from(body)
        if count < 0 or WAVE_HEAD_SIZE + 2 * count > len(body):
            return [reject("wave shorter than it says", body, now)]
        if not count:
            return ()
        raw = Struct(f"<{count}h").unpack_from(body, WAVE_HEAD_SIZE)
        is_off = bool(status & LEAD_OFF)
        if kind == PLETH_KIND:
            metric = Metric.PLETH
            samples = [_unless(is_off, each, float(each + PLETH_ZERO)) for each in raw]
        else:
            metric = Metric.CO2_WAVE
            samples = [_unless(is_off, each, round(each * co2_scale, 2)) for each in raw]
        segment = WaveformSegment(metric, now, RATES_HZ[kind], tuple(samples))
        has_gap = bool(status & GAP) and kind in self._begun
        self._begun.add(kind)
        if not has_gap:
            return [segment]
        detail = f"gap before this block of {metric}"
        return [DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail), segment]


def _unless(is_off: bool, raw: int, sample: float) -> float | None:  # noqa: FBT001
    return None if is_off or raw <= CONTROL_MAX else sample


class AlarmReader:
    """Follows the alarm lines of one monitor; tells each at its edges."""

    def __init__(self) -> None:
        self._audio = StatusWord(_AUDIO)
        self._lines: dict[int, tuple[str, str]] = {}  # place to (priority, text)

    def read(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Return the edges between the last alarm record and this one."""
        if len(body) < ALARM_SIZE - 10:  # the last five words are reserved
            return [reject("alarm record too short", body, now)]
        sound, pause = word(body, SOUND_AT), word(body, PAUSE_AT)
        words = _PAUSES[pause] if 0 <= pause < len(_PAUSES) else f"code {pause}"
        more = "sound off" if not sound else f"paused: {words}"
        events = list(self._audio.read(int(not sound or pause != 0), now, more))
        for place in range(LINES):
            at = ALARM_HEAD_SIZE + place * LINE_SIZE
            events += self._read_line(place + 1, body[at : at + LINE_SIZE], now)
        return events

    def _read_line(self, place: int, line: bytes, now: Instant) -> Sequence[DeviceEvent]:
        colour = word(line, COLOUR_AT)
        text = _text(line[:TEXT_SIZE])
        shown = (PRIORITIES.get(colour, "low"), text) if colour and text else None
        was = self._lines.get(place)
        if shown == was:
            return ()
        name = f"monitor_alarm_{place}"
        events: list[DeviceEvent] = []
        if was is not None:
            del self._lines[place]
            events.append(DeviceAlarm(name, now, present=False, priority=was[0], detail=was[1]))
        if shown is not None:
            self._lines[place] = shown
            events.append(DeviceAlarm(name, now, priority=shown[0], detail=shown[1]))
        return events


def _text(raw: bytes) -> str:
    text = raw.split(b"\x00")[0].decode("latin-1")
    return "".join(each for each in text if each.isprintable()).strip()
