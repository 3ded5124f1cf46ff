"""One simulated session as an onlooker sees it: what was heard, told, announced, shown and done.

The onlooker stands beside the station and holds everything against the laws of `simulators.laws` as
it happens. It changes nothing: the same session without it would go the same way. Times are seconds
of the loop, unless they are instants.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from monitor.attach.messages import Command
from monitor.model.alarm import AlarmChange, Change, Inactivation
from monitor.model.event import DeviceEvent, FrameRejected, Observation, Validity, WaveformSegment
from monitor.model.instant import Instant
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from monitor.model.snapshot import ChairSnapshot
from monitor.runtime.chair import Chair
from simulators.fate import Fate
from simulators.oracle import Oracle
from simulators.testimony import Testimony


class Breach(msgspec.Struct, frozen=True):
    """A law that did not hold: its name in words, how, and when on the loop's clock."""

    law: str
    how: str
    at_s: float


class Signal(msgspec.Struct):
    """One alarm as the changes told of it add up."""

    is_standing: bool = False
    is_latched: bool = False
    is_held: bool = False
    inactivation: Inactivation = Inactivation.NONE


class Told(msgspec.Struct, frozen=True):
    """A change on its way to being announced: the number of its entry, and when it was told."""

    change: AlarmChange
    seq: int
    at_s: float


def add_up(signals: dict[str, Signal], change: AlarmChange) -> None:
    """Let one change act on what is known of its alarm."""
    signal = signals.setdefault(change.alarm, Signal())
    match change.change:
        case Change.PRESENT:
            signal = signals[change.alarm] = Signal(is_standing=True)
        case Change.HELD:
            signal.is_held = True
        case Change.UNHELD:
            signal.is_held = False
        case Change.LATCHED:
            signal.is_standing = signal.is_held = False
            signal.is_latched = True
        case Change.ENDED | Change.RESET:
            signal = signals[change.alarm] = Signal()
        case Change.ACKNOWLEDGED | Change.PAUSED | Change.RESUMED | Change.ESCALATED:
            pass
    signal.inactivation = change.inactivation
    if signal == Signal():
        del signals[change.alarm]


class Scene:
    """Everything that was seen of one session, over all lives of its station."""

    def __init__(self, fate: Fate, testimony: Testimony, now_s: Callable[[], float]) -> None:
        self.fate = fate
        self.testimony = testimony
        self.oracle = Oracle()
        self.now_s = now_s
        self.believed: Final = {each.link for each in fate.links if each.is_believed}
        self.counts: Counter[str] = Counter()
        self.breaches: list[Breach] = []
        self.heard: list[tuple[str, DeviceEvent]] = []
        self.newest: dict[tuple[str, Metric], tuple[float, Observation]] = {}
        self.valued: dict[tuple[str, Metric], Observation] = {}
        self.valid_s: dict[Metric, tuple[float, float]] = {}
        self.breath_s = -1e9
        self.told: list[AlarmChange] = []
        self.signals: dict[str, Signal] = {}
        self.unannounced: deque[Told] = deque()
        self.safe_count = 0
        self.link_ends: list[AlarmChange] = []
        self.link_up_at: dict[str, Instant] = {}
        self.disk_failed_s: float | None = None
        self.acting: Command | None = None
        self.picture: ChairSnapshot | None = None
        self.before: ChairSnapshot | None = None
        self.chair: Chair | None = None
        self.restarts = -1
        self._armed: deque[tuple[float, int]] = deque()

    def hold(self, law: Callable[..., str], *facts: object) -> None:
        """Note a breach if `law` does not hold for `facts`."""
        how = law(self, *facts)
        if how:
            self.breaches.append(Breach(law.__name__.replace("_", " "), how, self.now_s()))

    # -- one life ----------------------------------------------------------------------------------

    def enter(self, chair: Chair) -> None:
        """Begin to watch a station that has just come up."""
        self.chair = chair
        self.restarts += 1
        self.picture = self.before = None
        self.newest.clear()
        self.valued.clear()
        self.unannounced.clear()
        self.link_ends.clear()
        self.link_up_at.clear()
        self.disk_failed_s = None

    def leave(self) -> None:
        """Look away: the station is gone, and what it still does on its way out is nobody's."""
        self.chair = None
        # What was not on disk is forgotten; a breath counts once it surely is.
        lately = [count for at_s, count in self._armed if at_s < self.now_s() - 65]
        is_armed = bool(lately) and lately[-1] >= self.oracle.breaths // 2 > 0
        self.oracle.begin_anew(is_armed=is_armed)

    def take_heard(self, link: str, event: DeviceEvent) -> None:
        """Note what the station heard, after it was recorded and before it is judged."""
        self.heard.append((link, event))
        self.counts["rejected" if isinstance(event, FrameRejected) else "heard"] += 1
        now_s = self.now_s()
        self.oracle.hear(link, event, now_s)
        if isinstance(event, Observation):
            self.newest[link, event.metric] = now_s, event
            if event.value is not None:
                self.valued[link, event.metric] = event
            if event.value is not None and event.validity is Validity.VALID:
                self.valid_s[event.metric] = now_s, event.value
        elif isinstance(event, WaveformSegment) and event.metric is Metric.CO2_WAVE:
            if any(sample is not None and sample > 8 for sample in event.samples):
                self.breath_s = now_s
            if not self._armed or now_s - self._armed[-1][0] > 5:
                self._armed.append((now_s, self.oracle.breaths))

    def take_edge(self, edge: LinkChange) -> None:
        """Note when a link came up, before the station makes anything of it."""
        if edge.state is LinkState.UP:
            self.link_up_at[edge.link] = edge.at

    def take_told(self, changes: Sequence[AlarmChange], last_seq: int) -> None:
        """Note changes that were recorded just now, the last of them as entry `last_seq`."""
        for number, change in enumerate(changes, last_seq + 1 - len(changes)):
            self.told.append(change)
            self.unannounced.append(Told(change, number, self.now_s()))
            self.counts[str(change.change)] += 1
            if change.alarm.startswith("link_") and change.change is Change.ENDED:
                self.link_ends.append(change)
            if change.change is Change.RESET:
                self.oracle.begin_anew()
            add_up(self.signals, change)

    def look(self) -> None:
        """Take a new picture."""
        assert self.chair is not None
        self.before, self.picture = self.picture, self.chair.picture()
        if self.before is None:
            return
        was = {each.link: each.since for each in self.before.links}
        for link in self.picture.links:
            if link.since != was[link.link]:
                self.oracle.change_link(link.link)

    def recount(self, heard_count: int, told: Sequence[AlarmChange]) -> None:
        """Go on from what the record kept."""
        del self.heard[heard_count:]
        self.told = list(told)
        self.signals = {}
        for change in told:
            add_up(self.signals, change)

    def is_at_work(self, deed: Deed, alarm: str) -> bool:
        """Return whether a person is doing this right now."""
        return self.acting is not None and (self.acting.deed, self.acting.alarm) == (deed, alarm)

    def tasks_count(self) -> int:
        """Return how many tasks of the loop are alive."""
        return len(asyncio.all_tasks())

    def now(self) -> Instant:
        """Return the session's instant."""
        assert self.chair is not None
        return self.chair.clock.now()
