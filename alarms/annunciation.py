"""What is signalled now: who owns the lines, what a flood folds, what sounds, what is reminded of.

A pure fold over the alarms shown and the changes told. The shell plays `Plan.burst` from its
instant to its end and looks again at `next_burst_at`; a burst that is cut comes back with an
earlier end.

*Sounding* is every signal that is on and neither inactivated nor subsumed; a latched signal sounds
on only where it is high. The burst is that of the most urgent of them, so silencing a
high condition while a low one stands leaves the low pattern. A new or escalated condition is heard
at once; only repeats wait. A condition that ended, were it in the instant in which it began, is
still heard for the least part of its burst, unless a person silenced it.

*A flood* is five new conditions within a minute. Then what is explained by the same cause is one
line, and the rest that is not high is one more. What is high always has a line of its own.

*Alarm paused* and *alarm off* also take the line for four metres; nothing takes a line for one
metre. An indefinite inactivation is reminded of at its interval, whether its condition is present
or not: one short pulse from `Reminder.at`, for the conditions it names.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from alarms.bursts import PATTERNS, REMINDER_LENGTH, Burst, burst_at
from monitor.model.alarm import (
    FAR_SIGNAL_OFF,
    RANK,
    AlarmChange,
    AlarmSnapshot,
    Change,
    Inactivation,
    Priority,
)
from monitor.model.alarm import SignalPresence as Signal
from monitor.model.instant import Instant, later, seconds

FLOOD_COUNT: Final = 5
FLOOD_WINDOW: Final = seconds(60)
_RAISING: Final = frozenset({Change.PRESENT, Change.ESCALATED, Change.RESUMED})
_SILENCING: Final = frozenset({Change.ACKNOWLEDGED, Change.PAUSED, Change.RESET})


class Line(msgspec.Struct, frozen=True):
    """One line at one metre: an alarm, and those folded behind it."""

    alarm: AlarmSnapshot
    folded: tuple[str, ...] = ()


class Reminder(msgspec.Struct, frozen=True):
    """One reminder that something is inactivated without an end: from when, until when, of what."""

    at: Instant
    ends: Instant
    alarms: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is signalled. `far` owns the line for four metres; `lines` are read at one metre.

    `inactivated` names the conditions, present or absent, whose signals a person inactivated.
    """

    far: AlarmSnapshot | None = None
    lines: tuple[Line, ...] = ()
    sounding: tuple[str, ...] = ()
    burst: Burst | None = None
    next_burst_at: Instant | None = None
    is_flood: bool = False
    inactivated: tuple[str, ...] = ()
    reminder: Reminder | None = None


class Annunciation(msgspec.Struct, frozen=True, kw_only=True):
    """What must be remembered between two looks. `reminded` is the last due instant answered."""

    burst: Burst | None = None
    raised: tuple[Instant, ...] = ()
    reminded: Instant | None = None
    reminder: Reminder | None = None

    def look(
        self,
        alarms: Sequence[AlarmSnapshot],
        changes: Sequence[AlarmChange],
        now: Instant,
        absent: Sequence[AlarmSnapshot] = (),
    ) -> tuple["Annunciation", Plan]:
        """Return what to remember and what is signalled, after `changes` led to `alarms`.

        `alarms` come in reading order, as the alarm system gives them; `absent` are those that are
        inactivated and not present.
        """
        fresh = [each for each in changes if each.change is Change.PRESENT]
        raised = (*self.raised, *(now for _ in fresh))
        raised = tuple(each for each in raised if now - each < FLOOD_WINDOW)[-FLOOD_COUNT:]
        is_flood = len(raised) >= FLOOD_COUNT
        sounding = tuple(each for each in alarms if sounds(each))
        burst = self._burst(sounding, changes, now)
        burst = _more_urgent(burst, _brief(alarms, changes, now), now)
        every = (*alarms, *absent)
        reminded, reminder = self._remind(every, now)
        plan = Plan(
            far=next((each for each in alarms if has_far_signal(each)), None),
            lines=_folded(alarms) if is_flood else tuple(Line(each) for each in alarms),
            sounding=tuple(each.alarm for each in sounding),
            burst=burst,
            next_burst_at=_next_burst(burst, sounding),
            is_flood=is_flood,
            inactivated=tuple(each.alarm for each in every if is_inactivated(each)),
            reminder=reminder,
        )
        memory = Annunciation(burst=burst, raised=raised, reminded=reminded, reminder=reminder)
        return memory, plan

    def _remind(
        self, every: Sequence[AlarmSnapshot], now: Instant
    ) -> tuple[Instant | None, Reminder | None]:
        """Return the newest due instant, and the reminder that is given now.

        Reminders that came due since the last look are one, from now on.
        """
        due = {each.alarm: each.reminded_at for each in every if each.reminded_at is not None}
        newest = max(due.values(), default=None)
        if newest is not None and (self.reminded is None or newest > self.reminded):
            fresh = (a for a, at in due.items() if self.reminded is None or at > self.reminded)
            return newest, Reminder(now, later(now, REMINDER_LENGTH), tuple(sorted(fresh)))
        running = self.reminder if self.reminder and self.reminder.ends > now else None
        return self.reminded, running

    def _burst(
        self, sounding: Sequence[AlarmSnapshot], changes: Sequence[AlarmChange], now: Instant
    ) -> Burst | None:
        last = self.burst
        if not sounding:
            return _fading(last, changes, now)
        priority = sounding[0].priority
        if last is None or _is_new(sounding, changes, priority):
            return burst_at(now, priority)
        if RANK[priority] > RANK[last.priority]:
            return burst_at(now, priority)
        if RANK[priority] < RANK[last.priority]:
            faded = _fading(last, changes, now)
            return faded if faded is not None else burst_at(now, priority)
        due = later(last.at, PATTERNS[priority].repeat)
        return burst_at(now, priority) if now >= due else last


def sounds(alarm: AlarmSnapshot) -> bool:
    """Say whether an alarm's audible signal is given."""
    if alarm.subsumed_by or is_inactivated(alarm):
        return False
    if alarm.signal is Signal.LATCHED:
        return alarm.priority is Priority.HIGH
    return alarm.signal is Signal.ON


def is_inactivated(alarm: AlarmSnapshot) -> bool:
    """Say whether a person has inactivated a signal of this condition, in whatever way."""
    return alarm.inactivation is not Inactivation.NONE


def has_far_signal(alarm: AlarmSnapshot) -> bool:
    """Say whether a condition may own the line for four metres."""
    return alarm.inactivation not in FAR_SIGNAL_OFF


def _is_new(
    sounding: Sequence[AlarmSnapshot], changes: Sequence[AlarmChange], priority: Priority
) -> bool:
    """Say whether a sounding alarm of the audible priority has just begun, risen or resumed."""
    audible = {each.alarm for each in sounding if each.priority is priority}
    return any(each.change in _RAISING and each.alarm in audible for each in changes)


def _more_urgent(burst: Burst | None, brief: Burst | None, now: Instant) -> Burst | None:
    """Return the burst to give: that of what stands, unless what is over was more urgent."""
    if brief is None or burst is None:
        return burst if brief is None else brief
    is_heard = burst.ends > now and RANK[burst.priority] >= RANK[brief.priority]
    return burst if is_heard else brief


def _brief(
    alarms: Sequence[AlarmSnapshot], changes: Sequence[AlarmChange], now: Instant
) -> Burst | None:
    """Return the least part of a burst for what came and was over within one look."""
    heard = {each.alarm for each in alarms if each.signal is Signal.ON}
    heard |= {each.alarm for each in changes if each.change in _SILENCING and each.operator}
    missed = [
        each.priority
        for each in changes
        if each.change is Change.PRESENT
        and each.alarm not in heard
        and each.inactivation is Inactivation.NONE
        and not each.subsumed_by
    ]
    if not missed:
        return None
    whole = burst_at(now, max(missed, key=RANK.__getitem__))
    return Burst(now, whole.priority, whole.least_until())


def _fading(last: Burst | None, changes: Sequence[AlarmChange], now: Instant) -> Burst | None:
    """Return the running burst as it ends: at once for a person, else after its least part."""
    if last is None or last.ends <= now:
        return None
    by_person = any(each.change in _SILENCING and each.operator for each in changes)
    ends = now if by_person else max(now, min(last.ends, last.least_until()))
    return Burst(last.at, last.priority, ends) if ends > now else None


def _next_burst(burst: Burst | None, sounding: Sequence[AlarmSnapshot]) -> Instant | None:
    if burst is None or not sounding:
        return None
    if burst.priority is not sounding[0].priority:
        return burst.ends
    return later(burst.at, PATTERNS[burst.priority].repeat)


def _folded(alarms: Sequence[AlarmSnapshot]) -> tuple[Line, ...]:
    """Fold what is explained behind its cause, and the rest that is not high behind the first."""
    plain = {each.alarm for each in alarms if not each.subsumed_by}
    behind: dict[str, list[str]] = {}
    own: list[AlarmSnapshot] = []
    first: AlarmSnapshot | None = None
    for alarm in alarms:
        if alarm.priority is Priority.HIGH:
            own.append(alarm)
        elif alarm.subsumed_by in plain:
            behind.setdefault(alarm.subsumed_by, []).append(alarm.alarm)
        elif first is None:
            first = alarm
            own.append(alarm)
        else:
            behind.setdefault(first.alarm, []).append(alarm.alarm)
    return tuple(Line(each, tuple(_all_behind(each.alarm, behind))) for each in own)


def _all_behind(alarm: str, behind: dict[str, list[str]]) -> list[str]:
    """Return everything folded behind an alarm, also what is folded behind that."""
    found: list[str] = []
    for each in behind.get(alarm, ()):
        found.append(each)
        found.extend(_all_behind(each, behind))
    return found
