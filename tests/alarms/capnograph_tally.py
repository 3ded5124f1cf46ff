"""What the alarm core makes of made-up capnographs, held against plain rules of its own.

An episode is a run of printed numbers beyond a limit for more than 10 s; zeros printed while the
device zeroes itself and the patient breathes are none. Nothing here knows the alarm core's ideas.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import inf
from typing import Final, NamedTuple

from alarms.system import AlarmSystem
from monitor.model.alarm import AlarmChange, Change
from monitor.model.event import DeviceNotice, NoticeKind, WaveformSegment
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.metric import Metric
from tests.alarms.capnograph import Capnograph
from tests.alarms.score import LIMITS, seen

EPISODES: Final = {
    "spo2_low": ("spo2_low",),
    "resp_rate_low": ("resp_rate_low", "apnoea"),
    "etco2_high": ("etco2_high",),
}
_COLUMNS: Final = ("spo2", "pulse_rate", "resp_rate", "etco2")
_ZEROS_BELOW: Final = {"resp_rate": 0.5, "etco2": 8.0}
_EPISODE_S: Final = 11
_SEVERE_S: Final = 5
_GAP_S: Final = 30
_APNOEA_S: Final = 35
_ENDINGS: Final = frozenset({Change.ENDED, Change.LATCHED, Change.RESET})

Run = tuple[int, int]


class Missed(NamedTuple):
    """What was not told: which session, what, and from which second to which."""

    seed: int
    what: str
    start: float
    end: float


def play(session: Capnograph, *, flags: bool = False) -> list[AlarmChange]:
    """Return everything told about a session, in order; `flags`: as of a device that flags."""
    system = AlarmSystem(LIMITS)
    told: list[AlarmChange] = []
    is_flagged = False
    for second, row in enumerate(session.rows):
        now = instant_at(second)
        told += _let_pass(system, now)
        if flags and session.truth[second].is_flagged != is_flagged:
            is_flagged = not is_flagged
            notice = DeviceNotice(NoticeKind.CO2_UNMEASURED, now, is_flagged)
            told += system.accept(notice, now)
        if row is None:
            continue
        for metric in _COLUMNS:
            value = getattr(row, metric)
            if value is not None or not session.habits.leaves_rows_out:
                told += system.accept(seen(metric, value, second), now)
        if row.co2_wave is not None:
            piece = WaveformSegment(Metric.CO2_WAVE, now, 1.0, (row.co2_wave,))
            told += system.accept(piece, now)
    return told


def _let_pass(system: AlarmSystem, now: Instant) -> Iterator[AlarmChange]:
    while (wake_at := system.wake_at) is not None and wake_at <= now:
        yield from system.wake(wake_at)


def _runs(flags: Iterable[bool], at_least: int) -> list[Run]:
    """Return the first and last index of each run of true flags that is long enough."""
    runs: list[Run] = []
    start: int | None = None
    for number, flag in enumerate((*flags, False)):
        if flag and start is None:
            start = number
        elif not flag and start is not None:
            if number - start >= at_least:
                runs.append((start, number - 1))
            start = None
    return runs


def _beyond(session: Capnograph, alarm: str) -> list[Run]:
    """Return where the printed number was beyond a limit for 5 s, zeros of a zeroing aside."""
    rule = next(each for each in LIMITS.limits if each.alarm == alarm)
    flags = []
    for row, truth in zip(session.rows, session.truth, strict=True):
        value = None if row is None else getattr(row, rule.metric)
        is_own = truth.is_zeroing and truth.breathes
        if value is None or (is_own and value < _ZEROS_BELOW.get(rule.metric, 0.0)):
            flags.append(False)
        else:
            flags.append(value < rule.limit if rule.is_low else value > rule.limit)
    return _runs(flags, _SEVERE_S)


def _stood(told: list[AlarmChange], alarms: tuple[str, ...]) -> list[tuple[float, float]]:
    """Return from when to when any of these alarms stood."""
    spans: list[tuple[float, float]] = []
    open_since: dict[str, float] = {}
    for change in told:
        if change.alarm in alarms and change.change is Change.PRESENT:
            open_since[change.alarm] = in_seconds(change.at)
        elif change.alarm in open_since and change.change in _ENDINGS:
            spans.append((open_since.pop(change.alarm), in_seconds(change.at)))
    return spans + [(since, inf) for since in open_since.values()]


class Tally:
    """The sum over many sessions."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.late: dict[str, list[float]] = {}
        self.missed: list[Missed] = []
        self.false: list[tuple[int, str, float]] = []

    def take(self, seed: int, session: Capnograph, told: list[AlarmChange]) -> None:
        """Hold what was told of one session against what is true of it."""
        for alarm, names in EPISODES.items():
            for start, end in _beyond(session, alarm):
                if end - start >= _EPISODE_S - 1:
                    found = [each for each in _stood(told, names) if each[1] >= start]
                    self._note(Missed(seed, alarm, start, end), found, start + 10)
        for start, end in _runs((each is None for each in session.rows), _GAP_S):
            found = [each for each in _stood(told, ("no_data_spo2",)) if each[0] >= start]
            self._note(Missed(seed, "gap", start, end), found, start + _GAP_S)
        for last, following in session.apnoeas:
            if following - last >= _APNOEA_S:
                found = [each for each in _stood(told, ("apnoea",)) if each[1] >= last]
                self._note(Missed(seed, "apnoea", last, following), found, last)
        self.asked["zeroing"] += sum("zeroing" in kind for kind in session.kinds)
        self._count_false(seed, session, told)

    def _note(self, what: Missed, found: list[tuple[float, float]], due: float) -> None:
        self.asked[what.what] += 1
        first = min((each[0] for each in found if each[0] <= what.end + 2), default=None)
        if first is None:
            self.missed.append(what)
        else:
            self.late.setdefault(what.what, []).append(max(0.0, first - due))

    def _count_false(self, seed: int, session: Capnograph, told: list[AlarmChange]) -> None:
        slow = [not each.breathes or each.is_slow for each in session.truth]
        for change in told:
            if change.change is not Change.PRESENT:
                continue
            at = in_seconds(change.at)
            is_slow = any(slow[max(0, int(at) - 12) : int(at) + 1])
            if not _is_right(session, change.alarm, at, is_slow=is_slow):
                self.false.append((seed, change.alarm, at))


def _is_right(session: Capnograph, alarm: str, at: float, *, is_slow: bool) -> bool:
    """Say whether an alarm has its reason in what was printed, or in what the patient did."""
    if alarm.startswith("no_data_"):
        metric = alarm.removeprefix("no_data_")
        recent = session.rows[max(0, int(at) - 28) : int(at)]
        return all(row is None or getattr(row, metric) is None for row in recent)
    if alarm == "apnoea":
        return is_slow
    if alarm in {"resp_rate_low", "etco2_low"} and is_slow:
        return True
    return any(start + 4 <= at <= end + 2 for start, end in _beyond(session, alarm))
