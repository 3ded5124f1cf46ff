"""A recording through the real alarm core, on virtual time.

The recording's events take the same call as a device's: sources, alarm core, picture. Nothing is
interpolated or carried forward; time moves only with the recording, and what falls due between two
rows is matured at its due instant.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

import msgspec

from alarms.limits import LimitSet
from alarms.system import AlarmSystem
from monitor.model.alarm import AlarmChange, Change, Inactivation, SignalPresence
from monitor.model.entry import encode
from monitor.model.event import DeviceEvent, FrameRejected, Observation, WaveformSegment
from monitor.model.instant import OPENING, Instant, in_seconds
from monitor.model.metric import Metric, describe


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay comes to. Times in seconds since the first row; rates per hour.

    `present_at_end` are the conditions that still hold, `held_at_end` those of them whose data are
    gone; `latched_at_end` those that are over, whose signal waits for a person.
    """

    span_s: float
    observations: dict[str, int]
    missing: dict[str, int]
    rejected: int
    wave_samples: dict[str, int]
    alarms: dict[str, int]
    present_at_end: tuple[str, ...]
    held_at_end: tuple[str, ...]
    latched_at_end: tuple[str, ...]
    alarms_per_h: float
    digest: str


class Replay:
    """Judges the events of one recording; every alarm change goes to `tell` as it is concluded."""

    def __init__(self, limits: LimitSet, tell: Callable[[AlarmChange], None]) -> None:
        self._alarms = AlarmSystem(limits)
        self._tell = tell
        self._digest = sha256()
        self._now = OPENING
        self._valid: dict[str, int] = {}
        self._missing: dict[str, int] = {}
        self._samples: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        self._rejected = 0

    @property
    def alarms(self) -> AlarmSystem:
        """The alarm core as the recording left it."""
        return self._alarms

    def play(self, items: Iterable[tuple[Instant, Sequence[DeviceEvent]]]) -> Summary:
        """Play a recording to its end and return what it came to."""
        for now, events in items:
            self.step(now, events)
        return self.finish(self._now)

    def step(self, now: Instant, events: Sequence[DeviceEvent]) -> None:
        """Take what happened at `now`."""
        self._now = now
        due = self._alarms.wake_at
        if due is not None and due <= now:
            self._take(self._alarms.wake(now))
        accept = self._alarms.accept
        for event in events:
            self._count(event)
            changes = accept(event, now)
            if changes:
                self._take(changes)

    def finish(self, now: Instant) -> Summary:
        """Mature what fell due by `now` and return what the recording came to.

        The end of a file ends no alarm: what is present or latched stays so and is listed.
        """
        self._take(self._alarms.wake(now))
        standing = self._alarms.alarms()
        latched = SignalPresence.LATCHED
        hours = max(in_seconds(now), 1e-9) / 3600
        return Summary(
            span_s=round(in_seconds(now), 3),
            observations=self._valid,
            missing=self._missing,
            rejected=self._rejected,
            wave_samples=self._samples,
            alarms=self._begun,
            present_at_end=tuple(each.alarm for each in standing if each.signal is not latched),
            held_at_end=tuple(each.alarm for each in standing if each.held_since is not None),
            latched_at_end=tuple(each.alarm for each in standing if each.signal is latched),
            alarms_per_h=round(sum(self._begun.values()) / hours, 2),
            digest=self._digest.hexdigest(),
        )

    def _count(self, event: DeviceEvent) -> None:
        if isinstance(event, Observation):
            counts = self._missing if event.value is None else self._valid
            counts[event.metric] = counts.get(event.metric, 0) + 1
        elif isinstance(event, FrameRejected):
            self._rejected += 1
        elif isinstance(event, WaveformSegment):
            known = self._samples.get(event.metric, 0)
            self._samples[event.metric] = known + len(event.samples)

    def _take(self, changes: Sequence[AlarmChange]) -> None:
        for change in changes:
            self._digest.update(encode(change))
            if change.change is Change.PRESENT:
                self._begun[change.alarm] = self._begun.get(change.alarm, 0) + 1
            self._tell(change)


def alarm_line(change: AlarmChange) -> dict[str, object]:
    """Return the alarm line of `change`: its form is relied on from outside."""
    line: dict[str, object] = {
        "t_s": round(in_seconds(change.at), 3),
        "alarm": change.alarm,
        "metric": change.metric,
        "kind": change.kind,
        "priority": change.priority,
        "change": change.change,
        "value": tidy(change.value),
        "limit": tidy(change.limit),
    }
    for key in ("reason", "operator", "subsumed_by"):
        said = getattr(change, key)
        if said:
            line[key] = said
    if change.inactivation is not Inactivation.NONE:
        line["inactivation"] = change.inactivation
    return line


def observation_line(event: DeviceEvent, *, device: str, waves: bool) -> dict[str, object] | None:
    """Return the observation line of `event`; None for a waveform that was not asked for."""
    line: dict[str, object] = {"t_s": round(in_seconds(event.at), 6)}
    if isinstance(event, Observation):
        line |= _numeric_fields(event)
    elif isinstance(event, WaveformSegment):
        if not waves:
            return None
        line |= {
            "metric": event.metric,
            "rate_hz": event.rate_hz,
            "samples": [tidy(each) for each in event.samples],
        }
    elif isinstance(event, FrameRejected):
        return line | {"rejected": event.reason, "bytes": event.frame.hex(" ")}
    else:
        fields = msgspec.to_builtins(event)
        line |= {key: value for key, value in fields.items() if key not in {"type", "at", "mode"}}
    if event.mode != "real":
        line["mode"] = event.mode
    line["device"] = device
    return line


def _numeric_fields(event: Observation) -> dict[str, object]:
    facts = describe(Metric(event.metric))
    fields: dict[str, object] = {
        "metric": event.metric,
        "value": tidy(event.value),
        "unit": facts.unit,
        "validity": event.validity,
        "code": facts.mdc,
    }
    if event.taken is not None:
        fields["taken_s"] = round(in_seconds(event.taken), 6)
    return fields


def tidy(value: float | None) -> float | None:
    """Return `value` without the tail of binary fractions; whole numbers stay floats in JSON."""
    return None if value is None else round(value, 3)
