"""The Nonin module's own side: making a packet, and sending three a second."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Beat, Said
from drivers.checksums import sum_8
from drivers.parts.nonin_packet import (
    FIRMWARE_AT,
    FRAMES,
    GREEN,
    MARK,
    NO_RATE,
    NO_SPO2,
    OUT_OF_TRACK,
    RATE_AT,
    RATE_HZ,
    RATE_SHOWN_AT,
    RED,
    SENSOR_ALARM,
    SPO2_AT,
    SPO2_SHOWN_AT,
    STATUS_2_AT,
    SYNC,
)
from monitor.model.event import DeviceEvent, NoticeKind, Observation, WaveformSegment
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

_HOLD: Final = seconds(10)
_BURST_RATE_HZ: Final = 15
_BURST_FRAMES: Final = 5  # sent together; the real module sends each alone, 13 ms apart


def _pair(rate: float | None) -> tuple[int, int]:
    count = NO_RATE if rate is None else min(round(rate), NO_RATE)
    return count >> 7, count & 0x7F


def _spo2_byte(spo2: float | None) -> int:
    return NO_SPO2 if spo2 is None else min(round(spo2), NO_SPO2)


def encode_packet(said: Said, pleth: Sequence[float | None]) -> list[bytes]:
    """Return the 25 frames of a packet in format 2.

    With SENSOR_OFF said and a value said with it, the display pair still carries the value: that
    is how the module holds it.
    """
    spo2, rate = said.value(Metric.SPO2), said.value(Metric.PULSE_RATE)
    is_off = NoticeKind.SENSOR_OFF in said.notices
    values = [0] * FRAMES
    values[RATE_AT : RATE_AT + 2] = _pair(None if is_off else rate)
    values[SPO2_AT] = _spo2_byte(None if is_off else spo2)
    values[FIRMWARE_AT] = 0x30
    values[STATUS_2_AT] = int(NoticeKind.LOW_BATTERY in said.notices)
    for place in (SPO2_SHOWN_AT, 9, 10, 15, 16):
        values[place] = _spo2_byte(spo2)
    for place in (13, RATE_SHOWN_AT, 21):
        values[place : place + 2] = _pair(rate)
    always = MARK
    always |= SENSOR_ALARM if is_off else 0
    always |= OUT_OF_TRACK if NoticeKind.SEARCHING in said.notices else 0
    beat = RED if NoticeKind.LOW_PERFUSION in said.notices else GREEN
    frames = []
    for place in range(FRAMES):
        status = always | (SYNC if place == 0 else 0) | (beat if 4 <= place < 16 else 0)
        sample = pleth[place] if place < len(pleth) else None
        body = bytes([1, status, 0 if sample is None else round(sample) & 0xFF, values[place]])
        frames.append(body + bytes([sum_8(body)]))
    return frames


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return a packet in format 2 that says `events`, and the frame that begins the next one.

    That frame proves the packet. Pleth samples are 0 to 255.
    """
    said = Said()
    said.hear(events)
    waves = [each for each in events if isinstance(each, WaveformSegment)]
    samples = [sample for wave in waves if wave.metric is Metric.PLETH for sample in wave.samples]
    frames = encode_packet(said, samples or [128.0] * FRAMES)
    return b"".join([*frames, frames[0]])


class NoninDevice:
    """The module: three packets a second, whatever is or is not in the sensor."""

    def __init__(self) -> None:
        self._said = Said(pleth=RATE_HZ)
        self._beat = Beat(_BURST_RATE_HZ)
        self._frames: list[bytes] = []
        self._outgoing: list[bytes] = []
        self._in_track: dict[Metric, Observation] = {}

    @property
    def wake_at(self) -> Instant | None:
        """When the next frames are due; nothing is sent before the patient is known."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, begin to send."""
        self._said.hear(events)
        if self._beat.at is None:
            self._beat.start(now)

    def receive(self, data: bytes, now: Instant) -> None:
        """Ignore the host: the wired modules have no ears."""

    def wake(self, now: Instant) -> None:
        """Send the frames that are due."""
        while self._beat.is_due(now):
            if not self._frames:
                self._frames = self._next_packet(now)
            self._outgoing.append(b"".join(self._frames[:_BURST_FRAMES]))
            del self._frames[:_BURST_FRAMES]

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _next_packet(self, now: Instant) -> list[bytes]:
        for metric in (Metric.SPO2, Metric.PULSE_RATE):
            told = self._said.observations.get(metric)
            if told and told.value is not None:
                self._in_track[metric] = told
        shown = Said()
        shown.hear(self._said.events())
        if NoticeKind.SENSOR_OFF in shown.notices:  # the display pair holds on for ten seconds
            shown.hear([each for each in self._in_track.values() if now - each.at < _HOLD])
        tape = self._said.tapes[Metric.PLETH]
        return encode_packet(shown, [tape.take() for _ in range(FRAMES)])
