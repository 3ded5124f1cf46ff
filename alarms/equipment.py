"""What links, devices' own notices and alarms, refusals and self-checks mean for conditions."""

import re
from typing import Final

from alarms.apnoea import EXPLAINING
from alarms.board import Board, Watch
from alarms.condition import Input
from alarms.names import CO2_CHANNEL, MOMENTARY, REJECTED, is_notice, link_alarm
from alarms.refusals import Refusals
from alarms.rules import LimitSet
from alarms.subsumption import EXPLAINED_BY_NOTICE, Causes
from alarms.vitals import Vitals
from alarms.watches import technical_watch
from monitor.model.entry import SelfCheck
from monitor.model.event import DeviceAlarm, DeviceNotice, NoticeKind
from monitor.model.instant import Duration, Instant, in_seconds, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric

_NO_BREATH: Final = frozenset({"no_breath", "apnoea"})
_LASTED: Final = re.compile(r"(\d{1,4})\s*s\b")
_SENSOR_NOTICES: Final = frozenset({NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT})
GAP_TOLD_MIN: Final = seconds(2)


class Equipment:
    """Feeds the technical conditions of a board."""

    def __init__(
        self, limits: LimitSet, board: Board, vitals: Vitals, causes: Causes, refusals: Refusals
    ) -> None:
        self._limits = limits
        self._board = board
        self._vitals = vitals
        self._causes = causes
        self.refusals = refusals

    def _watch(self, alarm: str) -> Watch:
        known = self._board.get(alarm)
        return self._board.add(technical_watch(alarm, self._limits)) if known is None else known

    def hear_link(self, change: LinkChange, now: Instant) -> None:
        """A link changed: lost or silent is a condition, and its metrics are lost with it."""
        watch = self._watch(link_alarm(change.link))
        if change.state in {LinkState.LOST, LinkState.SILENT}:
            watch.note = f"{change.state.value}" + (f": {change.reason}" if change.reason else "")
            self._causes.lose(change.link, change.metrics)
            self._board.judge(watch, Input.VIOLATED, now)
            if change.state is LinkState.LOST:
                self._leave_notices(change.link, now)
            self._lose_all(change.metrics, now)
        elif change.state is LinkState.UP:
            self._board.judge(watch, Input.NORMAL, now)
            # Only after a loss: a device that was silent goes on with the same conversation.
            for notice in self._vitals.senses.notices.come_back(change.link):
                self._judge_notice(NoticeKind(notice), now, is_present=False)

    def _leave_notices(self, link: str, now: Instant) -> None:
        """What a lost link said of its device is not known any more."""
        for notice in self._vitals.senses.notices.leave(link):
            if is_notice(notice):
                self._board.judge(self._watch(notice), Input.UNKNOWN, now)

    def _lose_all(self, metrics: tuple[Metric, ...], now: Instant) -> None:
        for metric in metrics:
            if metric in self._vitals.senses.channels:
                self._vitals.lose(metric, now)
        if any(each in metrics for each in (*CO2_CHANNEL, Metric.CO2_WAVE)):
            self._vitals.senses.breaths.explained.clear()
            self._vitals.senses.breaths.no_breath_from = None
            self._vitals.lose_breaths(now)

    def hear_notice(self, heard: DeviceNotice, now: Instant, link: str) -> None:
        """A device said that a state of its own began or ended."""
        if is_notice(heard.notice) and heard.present:
            self._watch(heard.notice.value).note = heard.detail or "the device says so"
        if heard.notice in MOMENTARY and heard.present:
            self._judge_moment(heard.notice, now)
            return
        if heard.notice is NoticeKind.CUFF_INFLATING:
            self._vitals.inflate(now, is_on=heard.present)
        notices = self._vitals.senses.notices
        if heard.present or notices.says(heard.notice, link):
            is_present = notices.say(heard.notice, link, is_present=heard.present)
            self._judge_notice(heard.notice, now, is_present=is_present)

    def _judge_moment(self, notice: NoticeKind, now: Instant) -> None:
        """A state without an end is told at once, and stays latched until a person has seen it."""
        watch = self._watch(notice.value)
        self._board.judge(watch, Input.VIOLATED, now)
        self._board.judge(watch, Input.NORMAL, now)

    def _judge_notice(self, notice: NoticeKind, now: Instant, *, is_present: bool) -> None:
        if is_notice(notice):
            happened = Input.VIOLATED if is_present else Input.NORMAL
            self._board.judge(self._watch(notice.value), happened, now)
        if notice in EXPLAINING:
            self._vitals.senses.breaths.explain(notice, now, is_present=is_present)
        if notice not in _SENSOR_NOTICES:
            return
        for metric in EXPLAINED_BY_NOTICE[notice]:
            off_by = self._vitals.senses.channels[metric].is_off_by
            if is_present and notice not in off_by:
                off_by.append(notice)
                self._vitals.suspicions.give_up(now)
                self._vitals.lose(metric, now)
            elif not is_present and notice in off_by:
                off_by.remove(notice)

    def hear_device(self, heard: DeviceAlarm, now: Instant) -> None:
        """The device alarms by itself; only its "no breath" is evidence for a clock of ours."""
        if heard.alarm not in _NO_BREATH:
            return
        said = _LASTED.search(heard.detail)
        lasted = seconds(int(said[1])) if said else Duration(0)
        self._vitals.senses.breaths.hear_device(now, lasted, is_present=heard.present)

    def hear_check(self, check: SelfCheck, now: Instant) -> None:
        """A part of ourselves is well, or is not."""
        watch = self._watch(check.part)
        watch.note = check.reason or "not well"
        self._board.judge(watch, Input.NORMAL if check.is_well else Input.VIOLATED, now)

    def refuse(self, reason: str, now: Instant) -> None:
        """Input was refused; too much of it in a minute is a condition."""
        per_minute = self._limits.data.rejected_per_minute
        self.refusals.add(reason, now, per_minute + 1)
        if self.refusals.count(now) > per_minute:
            watch = self._watch(REJECTED)
            watch.note = f"more than {per_minute} in a minute, the last: {reason}"
            self._board.judge(watch, Input.VIOLATED, now)

    def note_gap(self, watch: Watch, gap: Duration, now: Instant) -> None:
        """Nobody watched for `gap`: told, and latched until a person has seen it.

        A gap of less than `GAP_TOLD_MIN` is written down and drawn, but calls nobody: no value
        grew stale in it.
        """
        if gap < GAP_TOLD_MIN:
            return
        value = in_seconds(gap)
        watch.note = f"not watched for {round(value, 1):g} s"
        self._board.judge(watch, Input.VIOLATED, now, value=value)
        self._board.judge(watch, Input.NORMAL, now, value=value)
