"""Two devices, one metric: what the one that is not judged says against the one that is.

The other device's values decide nothing by themselves (decision 0010). Where they lie further from
the judged one than the preset allows, and for long enough, a technical condition names both; until
it is over the judged values never count as normal, while bad ones count. A device that fell silent
can no longer contradict: the condition is held, and the judged values are believed again.
"""

from typing import Final

import msgspec

from alarms.board import Board, Watch
from alarms.channel import Channel
from alarms.condition import Input
from alarms.names import sources_differ_alarm
from alarms.rules import DoubtRules
from monitor.model.event import OtherReading
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import Metric, describe

_SILENT_AFTER: Final = seconds(10)
_COUNTED: Final = frozenset({Metric.PULSE_RATE, Metric.HEART_RATE, Metric.RESP_RATE})
_HALF_TOLERANCE: Final = 0.2


class Others(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The newest reading of each device that is not judged, by metric and link."""

    readings: dict[Metric, dict[str, OtherReading]] = {}


class Agreement:
    """Judges whether devices agree; without tolerances in the preset it judges nothing."""

    def __init__(
        self,
        rules: DoubtRules | None,
        board: Board,
        channels: dict[Metric, Channel],
        others: Others,
    ) -> None:
        self._tolerances = {} if rules is None else rules.sources_differ
        self._board = board
        self._channels = channels
        self._others = others

    def hear(self, reading: OtherReading, now: Instant) -> None:
        """A device that is not judged for this metric said something of it."""
        metric = reading.metric
        if metric not in self._tolerances or reading.at > now:
            return
        before = self._others.readings.get(metric, {}).get(reading.link)
        if before is not None and reading.at < before.at:
            return
        value = None if reading.value is None else float(reading.value)
        kept = msgspec.structs.replace(reading, value=value)
        self._others.readings.setdefault(metric, {})[reading.link] = kept
        self._judge(metric, now)
        self._board.expect(later(reading.at, _SILENT_AFTER))

    def due(self) -> Instant | None:
        """Return when the next reading of another device is too old to contradict anything."""
        dues = [
            later(each.at, _SILENT_AFTER)
            for readings in self._others.readings.values()
            for each in readings.values()
        ]
        return min(dues, default=None)

    def mature(self, now: Instant) -> None:
        """Forget the readings that are too old at `now`."""
        for metric, readings in self._others.readings.items():
            old = [link for link, each in readings.items() if later(each.at, _SILENT_AFTER) <= now]
            for link in old:
                del readings[link]
            if old:
                self._judge(metric, now)

    def _watch(self, metric: Metric) -> Watch:
        watch = self._board.get(sources_differ_alarm(metric))
        assert watch is not None
        return watch

    def _judge(self, metric: Metric, now: Instant) -> None:
        channel, watch = self._channels[metric], self._watch(metric)
        told = [each for each in self._others.readings[metric].values() if _can_be_meant(each)]
        is_gone = channel.valid_at is None or channel.is_lost or channel.is_stale
        if is_gone or channel.value is None or not told:
            self._board.judge(watch, Input.UNKNOWN, now)
            return
        farthest = max(told, key=lambda each: (_apart(each, channel.value), each.link))
        if _apart(farthest, channel.value) <= self._tolerances[metric]:
            self._board.judge(watch, Input.NORMAL, now)
            return
        unit = describe(metric).unit
        said = f"judged {channel.value:g} {unit}, {farthest.link} says {farthest.value:g}"
        watch.note = said + _half_counted(metric, channel.value, farthest.value)
        self._board.judge(watch, Input.VIOLATED, now)


def _can_be_meant(reading: OtherReading) -> bool:
    facts = describe(reading.metric)
    value = reading.value
    return value is not None and facts.technical_low <= value <= facts.technical_high


def _half_counted(metric: Metric, one: float, other: float | None) -> str:
    """Return the question whether one of two rates counts every other beat or breath; or none."""
    if metric not in _COUNTED or other is None or min(one, other) <= 0:
        return ""
    ratio = max(one, other) / min(one, other)
    return ": half counted?" if abs(ratio - 2) <= _HALF_TOLERANCE else ""


def _apart(reading: OtherReading, judged: float | None) -> float:
    assert reading.value is not None
    assert judged is not None
    return abs(reading.value - judged)
