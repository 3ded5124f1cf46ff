"""What the devices of a simulated session were told, so that what is heard can be held against it.

Nothing here knows a driver. What a device was told is the patient's own truth, before any encoder;
a value that is heard must be one that was told to that device, within the rounding of a display,
and lately. Times are seconds of the loop, which no clock of the station can bend.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from monitor.model.event import DeviceEvent, Observation, WaveformSegment
from monitor.model.instant import NS_PER_S, Instant, in_seconds
from monitor.model.metric import NIBP, Metric
from simulators.device import Source
from simulators.fate import LinkFate

ROUNDING: Final = 0.51
"""Half a unit of a display, in the metric's unit."""

_REACH_S: Final = 5.0
_CUFF_REACH_S: Final = 130.0
_WAVE_STEP: Final = 0.5
_JUDGED_WAVES: Final = frozenset({Metric.CO2_WAVE})
# The cuff's own pressure is the device's business; nobody tells it.
_UNTOLD: Final = frozenset({Metric.CUFF_PRESSURE})


class Testimony:
    """The newest of what each device was told, kept for as long as it may still be heard.

    That is how long a wire may delay it, and as long as a device shows a value before the next:
    5 s, or 130 s for a determination of a cuff.
    """

    def __init__(self, fates: Sequence[LinkFate]) -> None:
        self._delay_s = {each.link: 2 * in_seconds(each.to_host.delay_max) for each in fates}
        self._told: dict[tuple[str, Metric], deque[tuple[float, float]]] = {}
        self._waves: dict[tuple[str, Metric], dict[int, float]] = {}

    def listen(self, link: str, source: Source) -> Source:
        """Return `source`, with an ear on what it tells the device of `link`."""

        def tell(now: Instant) -> Sequence[DeviceEvent]:
            events = source(now)
            for event in events:
                self.take(link, event, in_seconds(now))
            return events

        return tell

    def take(self, link: str, event: DeviceEvent, now_s: float) -> None:
        """Note what the device of `link` was told at `now_s`."""
        if isinstance(event, Observation) and event.value is not None:
            kept = self._told.setdefault((link, event.metric), deque())
            kept.append((now_s, event.value))
            while kept[0][0] < now_s - self._reach_s(link, event.metric):
                kept.popleft()
        elif isinstance(event, WaveformSegment) and event.metric in _JUDGED_WAVES:
            steps = self._waves.setdefault((link, event.metric), {})
            for sample in event.samples:
                if sample is not None:
                    steps[round(sample / _WAVE_STEP)] = now_s

    def doubt(self, link: str, event: DeviceEvent, now_s: float) -> str:
        """Return why what was heard on `link` at `now_s` was never said; "" if it was."""
        if isinstance(event, Observation):
            return self._doubt_value(link, event, now_s)
        if isinstance(event, WaveformSegment) and event.metric in _JUDGED_WAVES:
            return self._doubt_wave(link, event, now_s)
        return ""

    def _doubt_value(self, link: str, event: Observation, now_s: float) -> str:
        value = event.value
        if value is None or event.metric in _UNTOLD:
            return ""
        since_s = now_s - self._reach_s(link, event.metric)
        kept = self._told.get((link, event.metric), ())
        if any(at_s >= since_s and abs(told - value) <= ROUNDING for at_s, told in kept):
            return ""
        lately = sorted({told for at_s, told in kept if at_s >= since_s})
        return f"{link} {event.metric} {value:g}; it was told {_listed(lately)}"

    def _doubt_wave(self, link: str, event: WaveformSegment, now_s: float) -> str:
        since_s = now_s - self._reach_s(link, event.metric)
        steps: Mapping[int, float] = self._waves.get((link, event.metric), {})
        for sample in event.samples:
            if sample is None:
                continue
            near = round(sample / _WAVE_STEP)
            newest_s = max(steps.get(each, -1.0) for each in (near - 1, near, near + 1))
            if newest_s < since_s:
                return f"{link} {event.metric} sample {sample:g}"
        return ""

    def _reach_s(self, link: str, metric: Metric) -> float:
        return (_CUFF_REACH_S if metric in NIBP else _REACH_S) + self._delay_s[link]


def _listed(values: Sequence[float]) -> str:
    if not values:
        return "nothing"
    return ", ".join(f"{each:g}" for each in values[:8]) + (" ..." if len(values) > 8 else "")


def seconds_of(instant: int) -> float:
    """Return an instant in seconds, for words."""
    return instant / NS_PER_S
