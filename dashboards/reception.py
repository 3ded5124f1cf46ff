"""What has come from the server, folded: pictures, trends and waves of every chair, and their age.

Pure: `now_s` is this machine's monotonic clock, as an argument. A picture is fresh only if its
session has moved on: a server that repeats one picture is as good as silent (hazard H3).
"""

from typing import Final

from dashboards.views.series import Series
from dashboards.views.sight import LOST_AFTER_S, OtherChair, worst
from dashboards.views.wave import Wave
from monitor.attach.messages import (
    PROTOCOL_VERSION,
    Hello,
    SnapshotMessage,
    TrendMessage,
    WaveMessage,
)
from monitor.model.alarm import RANK
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import Metric, describe
from monitor.model.snapshot import ChairSnapshot

CHAIRS_MAX: Final = 64
OTHERS_SHOWN_MAX: Final = 3
READ_S_MIN: Final = 0.5
"""A condition that has just come cannot be what the operator's finger was about."""


class ChairReception:
    """What has come about one chair."""

    def __init__(self, now_s: float) -> None:
        self.chair: ChairSnapshot | None = None
        self.fresh_s = now_s
        self.series: dict[Metric, Series] = {}
        self.bin_s = 1
        self.revision = 0
        self.waves: dict[Metric, Wave] = {}
        self.seen_s: dict[str, float] = {}
        self.is_link_new = False

    def take_picture(self, chair: ChairSnapshot, now_s: float) -> None:
        """Take a picture; one older than what is shown changes nothing, unless the link is new."""
        known = self.chair
        is_older = known is not None and known.session == chair.session and chair.now < known.now
        if is_older and not self.is_link_new:
            return
        self.is_link_new = False
        if known is not None and known.session != chair.session:
            self.series, self.waves, self.seen_s = {}, {}, {}
            self.revision += 1
        if known is None or (known.session, known.now) != (chair.session, chair.now):
            self.fresh_s = now_s
        self.chair = chair
        names = [alarm.alarm for alarm in chair.alarms]
        self.seen_s = {name: self.seen_s.get(name, now_s) for name in names}

    def take_trend(self, message: TrendMessage) -> None:
        """Take bins of the timeline: all of them, or the newest."""
        if message.bin_s < 1:
            return
        if message.is_whole or message.bin_s != self.bin_s:
            self.series = {}
        self.bin_s = message.bin_s
        self.revision += 1
        for metric, bins in message.bins.items():
            self.series.setdefault(metric, Series()).put(bins)

    def take_wave(self, message: WaveMessage) -> None:
        """Take samples of a waveform."""
        if describe(message.metric).is_wave:
            wave = self.waves.setdefault(message.metric, Wave())
            wave.put(message.at, message.rate_hz, message.samples)

    def was_seen(self, alarm: str, now_s: float) -> bool:
        """Return whether a condition has been on this screen long enough to be read.

        One that is not present did not appear: it was chosen from what the server offers.
        """
        if alarm not in self.seen_s and self.chair is not None:
            offered = {each.alarm for each in self.chair.offers}
            return alarm in offered | {each.alarm for each in self.chair.inactivated}
        return now_s - self.seen_s.get(alarm, now_s) >= READ_S_MIN

    def age_s(self, now_s: float) -> float:
        """Return the age of the newest fresh picture, or of the wait for the first."""
        return max(0.0, now_s - self.fresh_s)

    def now(self, now_s: float) -> Instant:
        """Return the session's instant at `now_s`: ages go on while no picture comes."""
        if self.chair is None:
            return Instant(0)
        return later(self.chair.now, seconds(self.age_s(now_s)))


class Reception:
    """What has come about every chair of the site."""

    def __init__(self, opened_s: float) -> None:
        self._opened_s = opened_s
        self.names: tuple[str, ...] = ()
        self.chairs: dict[str, ChairReception] = {}
        self.refusal = ""

    def chair(self, name: str) -> ChairReception:
        """Return what is known of a chair; one that nobody mentioned has waited since the start."""
        return self.chairs.get(name) or ChairReception(self._opened_s)

    def take(
        self, message: Hello | SnapshotMessage | TrendMessage | WaveMessage, now_s: float
    ) -> None:
        """Take one message. A chair beyond `CHAIRS_MAX` is not kept."""
        match message:
            case Hello():
                self._greet(message)
            case SnapshotMessage(chair):
                self._known(chair.chair).take_picture(chair, now_s)
            case TrendMessage():
                self._known(message.chair).take_trend(message)
            case WaveMessage():
                self._known(message.chair).take_wave(message)

    def others(self, shown: str, now_s: float) -> tuple[OtherChair, ...]:
        """Return the other chairs where somebody is wanted, worst first."""
        found = []
        for name in self.names:
            if name == shown:
                continue
            known = self.chair(name)
            if known.age_s(now_s) >= LOST_AFTER_S:
                found.append((4, OtherChair(name, is_lost=True)))
            elif known.chair is not None and (alarm := worst(known.chair.alarms)) is not None:
                found.append((RANK[alarm.priority], OtherChair(name, alarm.priority, alarm.title)))
        found.sort(key=lambda pair: -pair[0])
        return tuple(other for _, other in found[:OTHERS_SHOWN_MAX])

    def _greet(self, hello: Hello) -> None:
        """Take the server's first message."""
        self.names = hello.chairs[:CHAIRS_MAX]
        for known in self.chairs.values():
            known.is_link_new = True
        self.refusal = (
            ""
            if hello.version == PROTOCOL_VERSION
            else f"serve speaks version {hello.version}, this screen {PROTOCOL_VERSION}"
        )

    def _known(self, name: str) -> ChairReception:
        """Return where to keep what came about a chair."""
        if name not in self.chairs:
            if len(self.chairs) >= CHAIRS_MAX:
                return ChairReception(self._opened_s)
            self.chairs[name] = ChairReception(self._opened_s)
            if name not in self.names:
                self.names = (*self.names, name)
        return self.chairs[name]
