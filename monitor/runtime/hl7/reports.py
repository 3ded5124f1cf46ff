"""From the alarm changes of one chair to what PCD-04 says of them; a fold without I/O.

An occurrence is named by its alarm and its beginning, so that start, updates and end belong
together at the receiver, also across a restart of ours: what stands then is said again.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from alarms.system import AlarmSystem
from drivers.parts.hl7_report import AlarmReport, AlarmState, Phase
from monitor.model.alarm import (
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    SignalPresence,
)
from monitor.model.instant import Instant

_ENDS: Final = frozenset({Change.ENDED, Change.RESET})


class AlarmReports:
    """What the receiver was told that stands; `title_of` names an alarm for people."""

    def __init__(self, title_of: Callable[[str], str]) -> None:
        self._title_of = title_of
        self._standing: dict[str, AlarmReport] = {}

    @property
    def standing(self) -> dict[str, Instant]:
        """Return what was told and has not ended: alarm -> beginning of its occurrence."""
        return {alarm: each.since for alarm, each in self._standing.items()}

    def relist(self, alarms: Sequence[AlarmSnapshot], now: Instant) -> list[AlarmReport]:
        """Return what stands now, each to be continued, and the end of what does not stand."""
        since = {each.alarm: each.since for each in alarms}
        ended = [
            self._ended(each, now)
            for alarm, each in self._standing.items()
            if since.get(alarm) != each.since
        ]
        self._standing = {each.alarm: _continued(each, now) for each in alarms}
        return [*ended, *self._standing.values()]

    def take(self, change: AlarmChange) -> list[AlarmReport]:
        """Return what to say of `change`; nothing of a condition that is not told as standing."""
        before = self._standing.get(change.alarm)
        if change.change is Change.PRESENT:
            # All may have been said again a moment before this change was announced.
            over = []
            if before is not None and before.since != change.at:
                over.append(self._ended(before, change.at))
            return [*over, self._stand(self._begun(change))]
        if before is None:
            return []
        if change.change in _ENDS:
            del self._standing[change.alarm]
            return [self._ended(self._moved(before, change), change.at)]
        return [self._stand(self._moved(before, change))]

    def _stand(self, report: AlarmReport) -> AlarmReport:
        self._standing[report.alarm] = report
        return report

    def _begun(self, change: AlarmChange) -> AlarmReport:
        return AlarmReport(
            alarm=change.alarm,
            title=self._title_of(change.alarm),
            phase=Phase.START,
            state=AlarmState.ACTIVE,
            inactivation=change.inactivation,
            priority=change.priority,
            kind=change.kind,
            since=change.at,
            at=change.at,
            metric=change.metric,
            value=change.value,
            limit=change.limit,
            is_low=_side(change),
            words=_words(change),
        )

    def _moved(self, before: AlarmReport, change: AlarmChange) -> AlarmReport:
        return msgspec.structs.replace(
            before,
            phase=Phase.ESCALATE if change.change is Change.ESCALATED else Phase.UPDATE,
            state=_state(change, before.state),
            inactivation=change.inactivation,
            priority=change.priority,
            at=change.at,
            value=before.value if change.value is None else change.value,
            limit=before.limit if change.limit is None else change.limit,
            words=_words(change),
        )

    @staticmethod
    def _ended(before: AlarmReport, now: Instant) -> AlarmReport:
        return msgspec.structs.replace(
            before,
            phase=Phase.END,
            state=AlarmState.INACTIVE,
            inactivation=Inactivation.NONE,
            at=now,
        )


def standing_alarms(system: AlarmSystem) -> list[AlarmSnapshot]:
    """Return what is present or latched, `since` when each became present and was told so.

    A picture's `since` is when the limit was first crossed, which no change says.
    """
    told = []
    for each in system.alarms():
        watch = system.inspect(each.alarm)
        raised = None if watch is None else watch.state.raised
        if each.signal is not SignalPresence.OFF and raised is not None:
            told.append(msgspec.structs.replace(each, since=raised))
    return told


def _state(change: AlarmChange, before: AlarmState) -> AlarmState:
    return AlarmState.LATCHED if change.change is Change.LATCHED else before


def _side(change: AlarmChange) -> bool | None:
    """Tell on which side the crossed limit lies; None where no limit was crossed."""
    if change.value is None or change.limit is None or change.value == change.limit:
        return None
    return change.value < change.limit


def _words(change: AlarmChange) -> str:
    explained = f"explained by {change.subsumed_by}" if change.subsumed_by else ""
    return "; ".join(each for each in (str(change.change), change.reason, explained) if each)


def _continued(each: AlarmSnapshot, now: Instant) -> AlarmReport:
    is_latched = each.signal is SignalPresence.LATCHED
    return AlarmReport(
        alarm=each.alarm,
        title=each.title,
        phase=Phase.CONTINUE,
        state=AlarmState.LATCHED if is_latched else AlarmState.ACTIVE,
        inactivation=each.inactivation,
        priority=each.priority,
        kind=each.kind,
        since=each.since,
        at=now,
        metric=each.metric,
        value=each.value,
        limit=each.limit,
        is_low=None if each.limit is None else each.limit_is_low,
        words="said again: we were started, or the receiver was away",
    )
