"""What the device's side of a conversation remembers of what it was told about its patient."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    WaveformSegment,
)
from monitor.model.instant import Instant
from monitor.model.metric import Metric

SAMPLES_MAX: Final = 1024


class Tape:
    """Samples of one waveform waiting to be sent at the device's own rate; oldest are lost first.

    Between two samples told, the nearest is sent: a device's rate need not be that of the source.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._samples: deque[float | None] = deque(maxlen=SAMPLES_MAX)
        self._last: float | None = None

    def put(self, segment: WaveformSegment) -> None:
        """Add a segment, brought to the device's rate."""
        count = round(len(segment.samples) * self._rate_hz / segment.rate_hz)
        step = len(segment.samples) / count if count else 0.0
        self._samples.extend(segment.samples[int(at * step)] for at in range(count))

    def rewind(self) -> None:
        """Drop what nobody took: a device that begins to send begins with the present."""
        self._samples.clear()

    def take(self) -> float | None:
        """Return the next sample; the last one again when there is none."""
        if self._samples:
            self._last = self._samples.popleft()
        return self._last


State = TypeVar("State", DeviceNotice, DeviceAlarm)
Name = TypeVar("Name", bound=str)


def _keep(states: dict[Name, State], name: Name, event: State) -> None:
    """Remember a state that began, forget one that ended."""
    if event.present:
        states[name] = event
    else:
        states.pop(name, None)


class Said:
    """The newest of everything the device was told: values, states, waveforms."""

    def __init__(self, **rates_hz: float) -> None:
        self.observations: dict[Metric, Observation] = {}
        self.notices: dict[NoticeKind, DeviceNotice] = {}
        self.alarms: dict[str, DeviceAlarm] = {}
        self.tapes = {Metric(name): Tape(rate) for name, rate in rates_hz.items()}

    def hear(self, events: Sequence[DeviceEvent]) -> None:
        """Take what the patient is like now."""
        for event in events:
            if isinstance(event, Observation):
                self.observations[event.metric] = event
            elif isinstance(event, DeviceNotice):
                _keep(self.notices, event.notice, event)
            elif isinstance(event, DeviceAlarm):
                _keep(self.alarms, event.alarm, event)
            elif isinstance(event, WaveformSegment) and event.metric in self.tapes:
                self.tapes[event.metric].put(event)

    def value(self, metric: Metric) -> float | None:
        """Return the last value told, None where there is none."""
        told = self.observations.get(metric)
        return told.value if told else None

    def events(self) -> list[DeviceEvent]:
        """Return all that is the case now."""
        return [*self.observations.values(), *self.notices.values(), *self.alarms.values()]


class Beat:
    """A device's own schedule: the instants `start + n / rate`, without drift."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._start = Instant(0)
        self._count = 0
        self.at: Instant | None = None
        """When it is next due; None while stopped."""

    def start(self, now: Instant) -> None:
        """Begin: due now, and then at the rate."""
        self._start, self._count = now, 0
        self.at = now

    def stop(self) -> None:
        """Be due no more."""
        self.at = None

    def is_due(self, now: Instant) -> bool:
        """Tell whether it is due, and if so move to the next; a long sleep is not made up for."""
        at = self.at
        if at is None or now < at:
            return False
        self._count += 1
        if now - at > 1_000_000_000:
            self._start, self._count = now, 1
        self.at = Instant(self._start + self._count * 1_000_000_000 // self._rate_hz)
        return True


class Timed:
    """What every device that speaks at a rate has: what it was told, a beat, what it sends.

    It is silent until its beat is started. `rates_hz` are those of the waves it keeps.
    """

    def __init__(self, rate_hz: int, **rates_hz: float) -> None:
        self._said = Said(**rates_hz)
        self._beat = Beat(rate_hz)
        self._outgoing: list[bytes] = []

    @property
    def wake_at(self) -> Instant | None:
        """When it next speaks; None while stopped."""
        return self._beat.at

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now."""
        del now
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Hear nothing: it has no ears."""

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent


class Talking(Timed):
    """A whole device that only talks: what it was told, by `encode`, at its rate."""

    def __init__(self, rate_hz: int, encode: Callable[[Sequence[DeviceEvent]], bytes]) -> None:
        super().__init__(rate_hz)
        self._encode = encode
        self._beat.start(Instant(0))

    def wake(self, now: Instant) -> None:
        """Say what is due."""
        while self._beat.is_due(now):
            self._outgoing.append(self._encode(self._said.events()))


class Answering:
    """A whole device that only answers `question`, with what it was told, by `encode`.

    What it hears is compared byte by byte: a question may come in pieces, and behind rubbish.
    """

    wake_at: Instant | None = None

    def __init__(self, question: bytes, encode: Callable[[Sequence[DeviceEvent]], bytes]) -> None:
        self._said = Said()
        self._question = question
        self._encode = encode
        self._heard = b""
        self._outgoing: list[bytes] = []

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now."""
        del now
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Take what the host sent; a whole question is answered at once."""
        del now
        self._heard += data
        while self._question in self._heard:
            self._heard = self._heard.partition(self._question)[2]
            self._outgoing.append(self._encode(self._said.events()))
        self._heard = self._heard[-len(self._question) :]

    def wake(self, now: Instant) -> None:
        """Do nothing: it never speaks unasked."""

    def take_outgoing(self) -> Sequence[bytes]:
        """Return its answers."""
        sent, self._outgoing = self._outgoing, []
        return sent
