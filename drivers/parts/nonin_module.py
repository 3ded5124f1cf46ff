"""The Nonin module's own side: making frames of each format, sending them, obeying commands."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Beat, Said
from drivers.checksums import sum_8
from drivers.clock import SOME_OPENING_S, calendar_of, seconds_since_1970
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
    Format,
)
from drivers.parts.nonin_setup import (
    ANSWER,
    BODY_SIZE_MAX,
    CLOCK,
    END,
    FORMAT,
    RADIO,
    REFUSED,
    START,
    TAKEN,
    command,
    format_commands,
)
from drivers.parts.nonin_short import (
    SHORT_FINGER_OFF,
    SHORT_OUT_OF_TRACK,
    SHORT_SENSOR_GONE,
    SIZE_OF_EIGHT,
    SIZE_OF_ONE,
)
from monitor.model.event import DeviceEvent, NoticeKind, Observation, WaveformSegment
from monitor.model.instant import Instant, in_seconds, seconds
from monitor.model.metric import Metric

_HOLD: Final = seconds(10)
_SHORT: Final = {Format.EIGHT: SIZE_OF_EIGHT, Format.ONE: SIZE_OF_ONE}
_LAYOUTS: Final = frozenset(Format) - {Format.AUTO}
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


def as_seven(frames: Sequence[bytes]) -> list[bytes]:
    """Return frames of format 2 in format 7, whose pleth is twice as wide."""
    bodies = [bytes([frame[1], frame[2], 0, frame[3]]) for frame in frames]
    return [body + bytes([sum_8(body)]) for body in bodies]


def short_frame(said: Said, size: int) -> bytes:
    """Return the one frame of format 8 (`size` 4) or 1 (3) that says `said`."""
    is_off = NoticeKind.SENSOR_OFF in said.notices
    high, low = _pair(None if is_off else said.value(Metric.PULSE_RATE))
    spo2 = _spo2_byte(None if is_off else said.value(Metric.SPO2))
    first = MARK | high | (SHORT_SENSOR_GONE if is_off else 0)
    first |= SHORT_OUT_OF_TRACK if NoticeKind.SEARCHING in said.notices else 0
    last = SHORT_FINGER_OFF if is_off else 0
    last |= int(NoticeKind.LOW_BATTERY in said.notices)
    return bytes([first, low, spo2, last])[:size]


class NoninDevice:
    """The module: three packets a second, whatever is or is not in the sensor.

    It obeys commands as the Bluetooth models do; with `has_ears` off it is a wired one.
    """

    def __init__(self, layout: Format = Format.TWO, *, has_ears: bool = True) -> None:
        self._said = Said(pleth=RATE_HZ)
        self._beat = Beat(_BURST_RATE_HZ)
        self._bursts = 0
        self._frames: list[bytes] = []
        self._outgoing: list[bytes] = []
        self._in_track: dict[Metric, Observation] = {}
        self._has_ears = has_ears
        self._heard = bytearray()
        self._clock_s = float(SOME_OPENING_S)
        self.layout = layout

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
        """Obey the host, between two frames."""
        self._heard += data if self._has_ears else b""
        while (start := self._heard.find(START)) >= 0:
            del self._heard[:start]
            if len(self._heard) < 3 or len(self._heard) < self._heard[2] + 4:
                break
            size = self._heard[2] + 4
            asked = bytes(self._heard[:size])
            del self._heard[: size if asked[-1] == END else 1]
            if asked[-1] == END:
                self._outgoing.append(self._answer(asked, now))
        del self._heard[: -2 * BODY_SIZE_MAX]

    def _answer(self, asked: bytes, now: Instant) -> bytes:
        code, body = asked[1], asked[3:-1]
        if code == FORMAT and asked in format_commands(body[1], body[2] if len(body) > 2 else 0):
            if body[1] not in _LAYOUTS:
                return bytes([REFUSED])
            self.layout = Format(body[1])
            self._frames.clear()
            return bytes([TAKEN])
        if code == CLOCK and not body:
            year, *rest = calendar_of(self._clock_s + in_seconds(now))
            return command(CLOCK | ANSWER, bytes([year % 100, *rest]))
        if code == CLOCK and len(body) == 6:
            year, month, day, *time = body
            set_s = seconds_since_1970((2000 + year, month, day), time)
            if set_s is not None:
                self._clock_s = set_s - in_seconds(now)
                return bytes([TAKEN])
        if code == RADIO and sum_8(asked[1:-2]) == asked[-2]:
            return command(RADIO | ANSWER, body)
        return bytes([REFUSED])

    def wake(self, now: Instant) -> None:
        """Send the frames that are due."""
        while self._beat.is_due(now):
            self._bursts += 1
            if self.layout in _SHORT:
                if self._bursts % _BURST_RATE_HZ == 0:
                    self._outgoing.append(short_frame(self._said, _SHORT[self.layout]))
                continue
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
        frames = encode_packet(shown, [tape.take() for _ in range(FRAMES)])
        return as_seven(frames) if self.layout is Format.SEVEN else frames
