"""Trends and compounds: conditions of one or more metrics, judged when one is heard or lost.

All parts must hold. A part that is known not to hold makes the whole normal; otherwise a part that
is not known makes the whole unknown, and unknown ends nothing. A metric that was never heard is not
lost, but not known.
"""

from collections.abc import Mapping
from typing import Final

from alarms.board import Board, Watch
from alarms.channel import Channel
from alarms.condition import Input
from alarms.rules import Part, PartKind, PatternRule
from alarms.trend import History
from monitor.model.instant import Instant
from monitor.model.metric import Metric

_MOVES: Final = frozenset({PartKind.FALLS, PartKind.RISES})


class Patterns:
    """Judges the patterns of a limit set."""

    def __init__(
        self,
        rules: tuple[PatternRule, ...],
        board: Board,
        channels: Mapping[Metric, Channel],
        histories: dict[Metric, History],
    ) -> None:
        self._board = board
        self._channels = channels
        self._histories = histories
        self._rules: dict[Metric, list[PatternRule]] = {}
        for rule in rules:
            for metric in {each.metric for each in rule.parts}:
                self._rules.setdefault(metric, []).append(rule)
            for part in rule.parts:
                if part.kind in _MOVES:
                    self._remember(part)

    def _remember(self, part: Part) -> None:
        known = self._histories.get(part.metric)
        if known is None or known.window < part.window:
            self._histories[part.metric] = History(window=part.window)

    def concerns(self, metric: Metric) -> bool:
        """Say whether any pattern looks at `metric`."""
        return metric in self._rules

    def hear(self, metric: Metric, value: float, now: Instant) -> None:
        """A value that may be judged was heard."""
        if metric in self._histories:
            self._histories[metric].add(value, now)
        self.judge(metric, now)

    def lose(self, metric: Metric, now: Instant) -> None:
        """A metric is known to give nothing now."""
        if metric in self._histories:
            self._histories[metric].forget()
        self.judge(metric, now)

    def judge(self, metric: Metric, now: Instant) -> None:
        """Judge every pattern that looks at `metric`."""
        for rule in self._rules.get(metric, ()):
            watch = self._board.get(rule.alarm)
            assert watch is not None
            held = [self._holds(part, now) for part in rule.parts]
            self._tell(watch, rule, held, now)

    def _tell(self, watch: Watch, rule: PatternRule, held: list[bool | None], now: Instant) -> None:
        if False in held:
            happened = Input.NORMAL
        elif None in held:
            happened = Input.UNKNOWN
        else:
            happened = Input.VIOLATED
            watch.note = " and ".join(self._said(part) for part in rule.parts)
        self._board.judge(watch, happened, now)

    def _said(self, part: Part) -> str:
        value = self._channels[part.metric].value
        if part.kind is PartKind.LOST:
            return f"{part.metric} lost"
        return f"{part.metric} {part.kind} {part.amount:g} (now {value:g})"

    def _holds(self, part: Part, now: Instant) -> bool | None:
        channel = self._channels[part.metric]
        if channel.valid_at is None:
            return None
        is_gone = channel.is_lost or channel.is_stale
        if part.kind is PartKind.LOST:
            return is_gone
        if is_gone or channel.value is None:
            return None
        return _crosses(part, channel.value, self._histories.get(part.metric), now)


def _crosses(part: Part, value: float, history: History | None, now: Instant) -> bool:
    if part.kind is PartKind.BELOW:
        return value < part.amount
    if part.kind is PartKind.ABOVE:
        return value > part.amount
    assert history is not None
    moved = history.fall if part.kind is PartKind.FALLS else history.rise
    return moved(part.window, now) >= part.amount
