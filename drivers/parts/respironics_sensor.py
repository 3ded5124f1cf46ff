"""The Capnostat's own side: boots, warms up, takes settings, streams; forgets all without power."""

from collections.abc import Sequence
from typing import Final

from drivers.bedside import Beat, Said
from drivers.parts.edges import State
from drivers.parts.respironics_packets import (
    COMPENSATION,
    ETCO2,
    FICO2,
    NACK,
    PRESSURE,
    RATE_HZ,
    RESET,
    RESP_RATE,
    REVISION,
    SET,
    STATUS,
    STOP,
    UNIT,
    WAVE,
    PacketSplitter,
    packet,
    two,
)
from drivers.parts.respironics_status import NO_BREATH, NOT_SET, status_block
from monitor.model.event import DeviceEvent, NoticeKind, WaveformSegment
from monitor.model.instant import Instant, between, in_seconds, later, seconds
from monitor.model.metric import Metric

_BOOT: Final = seconds(1.2)
_WARM_UP: Final = seconds(8)
_COMMAND_PAUSE_MAX: Final = seconds(0.5)
_IN_BOOT, _INVALID, _CHECKSUM, _TIME_OUT, _COUNT, _BAD_DATA = range(6)
_NAME: Final = b"Capnostat 5 03.30"
_SHARED: Final = (
    NoticeKind.SAMPLE_LINE_OFF,
    NoticeKind.OCCLUSION,
    NoticeKind.AUTO_ZERO,
    NoticeKind.WARMING_UP,
    NoticeKind.CO2_FAULT,
    NoticeKind.CHECK_CALIBRATION,
)
# parameter, metric, units to the whole
PARAMETERS: Final = (
    (ETCO2, Metric.ETCO2, 10),
    (RESP_RATE, Metric.RESP_RATE, 1),
    (FICO2, Metric.FICO2, 10),
)


def wave(counter: int, sample: float | None, parameter: bytes = b"") -> bytes:
    """Return a stream packet; without a sample it is marked invalid."""
    raw = 0 if sample is None else 1000 + round(sample * 100)
    return packet(WAVE, bytes([counter & 0x7F]) + two(raw) + parameter)


def _states(said: Said) -> dict[State, str]:
    states: dict[State, str] = {
        kind: said.notices[kind].detail for kind in _SHARED if kind in said.notices
    }
    is_still = said.value(Metric.RESP_RATE) == 0 or any(
        metric in said.observations and said.value(metric) is None for _, metric, _ in PARAMETERS
    )
    if is_still or NO_BREATH.name in said.alarms:
        states[NO_BREATH] = ""
    return states


def status(said: Said, more: dict[State, str]) -> bytes:
    """Return the status parameter that says what was said, and `more`."""
    return bytes([STATUS]) + status_block(_states(said) | more)


def numbers(said: Said) -> list[bytes]:
    """Return the parameters that have a value."""
    told = []
    for parameter, metric, per_whole in PARAMETERS:
        value = said.value(metric)
        if value is not None:
            told.append(bytes([parameter]) + two(round(value * per_whole)))
    return told


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the packets that say `events` in mmHg: samples, status, numbers, and one more."""
    said = Said()
    said.hear(events)
    now = max((each.at for each in events), default=Instant(0))
    samples = [
        sample
        for event in events
        if isinstance(event, WaveformSegment) and event.metric is Metric.CO2_WAVE
        for sample in event.samples
    ]
    parameters = [b""] * len(samples) + [status(said, {}), *numbers(said), b""]
    samples += [None] * (len(parameters) - len(samples))
    first = round(in_seconds(now) * RATE_HZ)
    sent = zip(samples, parameters, strict=True)
    return b"".join(wave(first + place, *each) for place, each in enumerate(sent))


class RespironicsDevice:
    """The sensor: answers commands, and streams 100 packets a second when told to."""

    def __init__(self) -> None:
        self._said = Said(co2_wave=RATE_HZ)
        self._packets = PacketSplitter(holds_stream=False)
        self._settings: dict[int, bytes] = {}
        self._powered: Instant | None = None
        self._heard_at = Instant(0)
        self._beat = Beat(RATE_HZ)
        self._counter = 0
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next packet is due; None while it does not stream."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like; the first time, the power comes on."""
        self._powered = now if self._powered is None else self._powered
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Answer each command."""
        if between(self._heard_at, now) > _COMMAND_PAUSE_MAX and self._packets.give_up():
            self._outgoing.append(packet(NACK, bytes([_TIME_OUT])))
        self._heard_at = now
        for command, flaw in self._packets.feed(data):
            if flaw:
                self._outgoing.append(packet(NACK, bytes([_CHECKSUM])))
            else:
                self._answer(command[0], command[2:-1], now)

    def wake(self, now: Instant) -> None:
        """Stream what is due."""
        while self._beat.is_due(now):
            sample = self._said.tapes[Metric.CO2_WAVE].take()
            self._outgoing.append(wave(self._counter, sample, self._parameter(now)))
            self._counter += 1

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def unplug(self, now: Instant) -> None:
        """Lose power and get it back: settings and stream are gone."""
        self._settings.clear()
        self._beat.stop()
        self._powered = now

    def _parameter(self, now: Instant) -> bytes:
        """Return what this packet carries beside its sample: each parameter once a second."""
        place = self._counter % RATE_HZ
        if place == 0:
            more: dict[State, str] = {}
            if self._powered is not None and now < later(self._powered, _WARM_UP):
                more[NoticeKind.WARMING_UP] = "warm-up"
            if not {PRESSURE, COMPENSATION} <= self._settings.keys():
                more[NoticeKind.CHECK_CALIBRATION] = NOT_SET
            return status(self._said, more)
        told = numbers(self._said)
        return told[place // 10 - 1] if place % 10 == 0 and place // 10 <= len(told) else b""

    def _answer(self, command: int, body: bytes, now: Instant) -> None:
        self._powered = now if self._powered is None else self._powered
        code = self._flaw(command, body, now)
        if code is not None:
            answer = packet(NACK, bytes([code]))
        elif command == WAVE:
            self._beat.start(now)
            return
        elif command == RESET:
            self.unplug(now)
            return
        elif command == REVISION:
            answer = packet(REVISION, _NAME)
        elif command == SET:
            self._settings |= {body[0]: body[1:]} if len(body) > 1 else {}
            answer = packet(SET, body[:1] + self._settings.get(body[0], b"\0"))
        else:
            self._beat.stop()
            answer = packet(command)
        self._outgoing.append(answer)

    def _flaw(self, command: int, body: bytes, now: Instant) -> int | None:
        if self._powered is not None and between(self._powered, now) < _BOOT:
            return _IN_BOOT
        if command not in {WAVE, SET, STOP, REVISION, RESET}:
            return _INVALID
        if len(body) != 1 if command in {WAVE, REVISION} else command == SET and not body:
            return _COUNT
        if command == SET and body[:1] == bytes([UNIT]) and body[1:] > b"\x02":
            return _BAD_DATA
        return None
