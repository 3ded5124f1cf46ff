"""The gas analyser's own side: talks by itself 20 times a second, asleep until told to measure."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Beat, Said
from drivers.checksums import complement_8
from drivers.framing import WindowSplitter, whole
from drivers.parts.phasein_frames import (
    APNOEA,
    BREATHING,
    CONFIGURATION,
    DEMO,
    EXPIRED,
    FRAME_SIZE,
    ID_MAX,
    INACCURATE,
    INSPIRED,
    MARK,
    MEASURING,
    MISSING,
    MOMENTARY,
    NO_WORD,
    RATE_HZ,
    SENSOR_ERROR,
    SERVICE,
    SET_AGENT,
    SET_APNOEA_S,
    SET_MODE,
    SET_N2O,
    SET_O2,
    SLEEP,
    STATE,
    ZERO,
    frame,
)
from monitor.model.event import DeviceEvent, NoticeKind, WaveformSegment
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import Metric

PRESSURE: Final = 1000  # 0.1 kPa
_MMHG_PER_KPA: Final = 7.50062
MMHG_PER_PERCENT: Final = PRESSURE / 10 * _MMHG_PER_KPA / 100
_INACCURATE_FOR: Final = seconds(5)
_ZERO_FOR: Final = seconds(3)
_COMMAND_SIZE: Final = 5
_NAMES: Final = frozenset({SET_MODE, SET_APNOEA_S, SET_AGENT, SET_O2, SET_N2O, ZERO})
_IDENTITY: Final = bytes([0x02, 0x10, 0x03, 0x21, 0x80, 0x04])  # CO2 only, sidestream
_NONE: Final = b"\xff" * 6


def _slow(value: float | None, per_unit: float) -> int:
    return MISSING if value is None else max(0, min(MISSING - 1, round(value * per_unit)))


def _registers(said: Said, mode: int, apnoea_s: int) -> bytes:
    adapter = 0x02 if NoticeKind.SAMPLE_LINE_OFF in said.notices else 0
    adapter |= 0x01 if NoticeKind.OCCLUSION in said.notices else 0
    zero = 0x40 if NoticeKind.CHECK_CALIBRATION in said.notices else 0
    return bytes([mode, MISSING, 0, adapter, zero, apnoea_s])


def _gas(said: Said, metric: Metric) -> bytes:
    return bytes([_slow(said.value(metric), 10 / MMHG_PER_PERCENT)]) + b"\xff" * 5


def slow_bytes(name: int, said: Said, mode: int, apnoea_s: int) -> bytes:
    """Return the six slow bytes of the frame `name`."""
    if name == INSPIRED:
        return _gas(said, Metric.FICO2)
    if name in {EXPIRED, MOMENTARY}:
        return _gas(said, Metric.ETCO2) if name == EXPIRED else _NONE
    if name == BREATHING:
        rate = _slow(said.value(Metric.RESP_RATE), 1)
        return bytes([rate, 0, 0, 0]) + PRESSURE.to_bytes(2, "big")
    if name == STATE:
        return _registers(said, mode, apnoea_s)
    if name == CONFIGURATION:
        return _IDENTITY
    zeroing = 0x02 if NoticeKind.AUTO_ZERO in said.notices else 0
    return bytes([0, 1, zeroing, 0, 0, 0]) if name == SERVICE else b"\0" * 6


def _status(said: Said) -> int:
    status = APNOEA if "no_breath" in said.alarms or said.value(Metric.RESP_RATE) == 0 else 0
    return status | (SENSOR_ERROR if NoticeKind.CO2_FAULT in said.notices else 0)


def _word(sample: float | None) -> int:
    return NO_WORD if sample is None else max(0, min(NO_WORD - 1, _hundredths(sample)))


def _hundredths(mmhg: float) -> int:
    return round(mmhg / MMHG_PER_PERCENT * 100)


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the frames that say `events`: samples and numbers between two of the state."""
    said = Said()
    said.hear(events)
    samples = [
        sample
        for event in events
        if isinstance(event, WaveformSegment) and event.metric is Metric.CO2_WAVE
        for sample in event.samples
    ]
    names = [STATE, *([MOMENTARY] * len(samples)), INSPIRED, EXPIRED, BREATHING, STATE, MOMENTARY]
    words = [NO_WORD, *(_word(sample) for sample in samples), *([NO_WORD] * 5)]
    return b"".join(
        frame(name, _status(said), word, slow_bytes(name, said, MEASURING, 20))
        for name, word in zip(names, words, strict=True)
    )


class PhaseinDevice:
    """The analyser: frames from power on; gas only once it was told to measure."""

    def __init__(self, *, is_demo: bool = False) -> None:
        self._said = Said(co2_wave=RATE_HZ)
        self._commands = WindowSplitter(_size_at, _is_command, _COMMAND_SIZE)
        self._mode = DEMO if is_demo else SLEEP
        self._apnoea_s = 20
        self._beat = Beat(RATE_HZ)
        self._name = 0
        self._accurate_at = Instant(0)
        self._zero_until = Instant(0)
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next frame is due."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, the power comes on."""
        self._said.hear(events)
        if self._beat.at is None:
            self._beat.start(now)

    def receive(self, data: bytes, now: Instant) -> None:
        """Obey; nothing is answered but by the registers."""
        for command in whole(self._commands.feed(data)):
            name, value = command[2], command[3]
            if name == SET_MODE and value in {SLEEP, MEASURING} and self._mode != DEMO:
                if value == MEASURING and self._mode == SLEEP:
                    self._accurate_at = later(now, _INACCURATE_FOR)
                self._mode = value
            elif name == SET_APNOEA_S and 20 <= value <= 60:
                self._apnoea_s = value
            elif name == ZERO and value == MISSING:
                self._zero_until = later(now, _ZERO_FOR)

    def wake(self, now: Instant) -> None:
        """Send the frame that is due."""
        while self._beat.is_due(now):
            measures = self._mode in {MEASURING, DEMO}
            is_accurate = now >= self._accurate_at
            sample = self._said.tapes[Metric.CO2_WAVE].take()
            said = self._said if measures and is_accurate else Said()
            slow = slow_bytes(self._name, said, self._mode, self._apnoea_s)
            if self._name == SERVICE and now < self._zero_until:
                slow = bytes([0, 1, 2, 0, 0, 0])
            status = _status(said) | (0 if is_accurate else INACCURATE)
            word = _word(sample) if measures else NO_WORD
            self._outgoing.append(frame(self._name, status, word, slow))
            self._name = (self._name + 1) % (ID_MAX + 1)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent


def _size_at(buffer: bytearray, at: int) -> int | None:
    return _COMMAND_SIZE if buffer[at] == MARK[0] else 0


def _is_command(data: bytes) -> bool:
    is_marked = data.startswith(MARK) and len(data) == _COMMAND_SIZE < FRAME_SIZE
    return is_marked and complement_8(data[2:4]) == data[4] and data[2] in _NAMES
