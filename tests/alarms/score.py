"""A score for alarm tests: what happens at which second, and what was told about it."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Final

from alarms.limits import read_preset
from alarms.rules import LimitSet
from alarms.system import AlarmSystem, Happened
from monitor.model.alarm import AlarmChange, AlarmSnapshot, Change
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction

PRESET_TEXT: Final = (files("alarms") / "presets" / "iv-ketamine.toml").read_text()
LIMITS: Final[LimitSet] = read_preset(PRESET_TEXT, "iv-ketamine.toml")

PATTERNS: Final = """
[pattern.hypoventilation]
title = "Breathing slows, CO2 rises"
priority = "medium"
delay_s = 10
clear_for_s = 5
latch = "never"
parts = [
  { metric = "resp_rate", kind = "falls", amount = 4, window_s = 120 },
  { metric = "etco2", kind = "rises", amount = 8, window_s = 120 },
]
[pattern.blind_and_low]
title = "Saturation low, no CO2"
priority = "high"
delay_s = 5
clear_for_s = 5
latch = "never"
parts = [ { metric = "spo2", kind = "below", amount = 93 }, { metric = "etco2", kind = "lost" } ]
[relative.nibp_sys_far_down]
metric = "nibp_sys"
direction = "low"
percent = 30
priority = "medium"
delay_s = 0
hysteresis = 5
clear_for_s = 0
latch = "never"
acknowledge_envelope = 5
provenance = { percent = "test" }
[phase.observation.limits.spo2.low]
limit = 92
priority = "low"
delay_s = 20
hysteresis = 1
clear_for_s = 5
latch = "never"
acknowledge_envelope = 2
provenance = { limit = "test" }
"""

Line = tuple[float, str, str, str]


def seen(metric: Metric | str, value: float | None, at: float, **more: object) -> Observation:
    """Return an observation at `at` seconds; None is not available."""
    validity = more.get("validity", Validity.NOT_AVAILABLE if value is None else Validity.VALID)
    taken = more.get("taken")
    assert isinstance(validity, Validity)
    assert taken is None or isinstance(taken, int | float)
    since = None if taken is None else instant_at(taken)
    return Observation(Metric(metric), value, validity, instant_at(at), since)


def capnogram(rate: float, per_minute: float, peak: float = 38.0) -> list[float]:
    """Return ten minutes of a plain capnogram: a plateau for 40 % of each breath."""
    period = 60 / per_minute
    return [
        peak if (number / rate) % period > 0.6 * period else 0.0
        for number in range(int(600 * rate))
    ]


class Score:
    """One alarm system played by seconds; remembers everything it told."""

    def __init__(self, limits: LimitSet = LIMITS) -> None:
        self.limits = limits
        self.system = AlarmSystem(limits)
        self.told: list[AlarmChange] = []
        self.now = 0.0

    def hear(self, happened: Happened, at: float, link: str = "box") -> Sequence[AlarmChange]:
        """Let something happen at `at` seconds; return what was told because of it."""
        self.now = at
        changes = self.system.accept(happened, instant_at(at), link)
        self.told.extend(changes)
        return changes

    def see(self, at: float, **values: float | None) -> None:
        """Observe several metrics at one second."""
        for metric, value in values.items():
            self.hear(seen(metric, value, at), at)

    def run(self, start: float, end: float, *, every: float = 1, **values: float | None) -> None:
        """Observe the same values each `every` seconds from `start` until before `end`."""
        count = round((end - start) / every)
        for number in range(count):
            self.see(start + number * every, **values)

    def wave(self, start: float, end: float, samples: Iterable[float | None], rate: float) -> None:
        """Hear a CO2 waveform from `start` to `end` in pieces of one second."""
        pieces = iter(samples)
        for second in range(round(start), round(end)):
            piece = tuple(next(pieces) for _ in range(round(rate)))
            at = second + 1 - 1 / rate
            self.hear(WaveformSegment(Metric.CO2_WAVE, instant_at(at), rate, piece), at)

    def notice(
        self, kind: NoticeKind, at: float, *, present: bool = True, name: str = "box"
    ) -> None:
        """Let a device say that a state began or ended."""
        self.hear(DeviceNotice(kind, instant_at(at), present), at, name)

    def device(self, alarm: str, at: float, *, present: bool = True, detail: str = "") -> None:
        """Let a device alarm by itself."""
        self.hear(DeviceAlarm(alarm, instant_at(at), present, detail=detail), at)

    def link(self, state: LinkState, at: float, *metrics: Metric, name: str = "box") -> None:
        """Let a link change."""
        self.hear(LinkChange(link=name, state=state, at=instant_at(at), metrics=metrics), at)

    def do(self, deed: Deed, alarm: str, at: float, operator: str = "nurse-1") -> None:
        """Let a person act."""
        action = OperatorAction(deed=deed, at=instant_at(at), operator=operator, alarm=alarm)
        self.hear(action, at)

    def wait(self, until: float) -> None:
        """Let time pass, waking when asked."""
        end = instant_at(until)
        while (wake_at := self.system.wake_at) is not None and wake_at <= end:
            self.told.extend(self.system.wake(Instant(wake_at)))
        self.told.extend(self.system.wake(end))
        self.now = until

    def restart(self, at: float) -> None:
        """Stop the process now; start it again at `at`."""
        saved = self.system.save()
        gap = instant_at(at - self.now)
        self.system = AlarmSystem.restore(self.limits, saved)
        self.told.extend(self.system.resume(instant_at(at), gap))  # type: ignore[arg-type]  # an instant counted from zero is a duration
        self.now = at

    def lines(self, alarm: str = "") -> list[Line]:
        """Return what was told, as (seconds, alarm, change, priority), of one alarm or of all."""
        return [
            (round(in_seconds(each.at), 3), each.alarm, each.change.value, each.priority.value)
            for each in self.told
            if alarm in {"", each.alarm}
        ]

    def changes(self, alarm: str) -> list[tuple[float, str]]:
        """Return what was told of one alarm, as (seconds, change)."""
        return [(at, change) for at, _, change, _ in self.lines(alarm)]

    def standing(self) -> dict[str, AlarmSnapshot]:
        """Return what is present or latched now, by name."""
        return {each.alarm: each for each in self.system.alarms()}

    def first(self, alarm: str, change: Change) -> AlarmChange:
        """Return the first change of that kind of that alarm."""
        return next(each for each in self.told if (each.alarm, each.change) == (alarm, change))
