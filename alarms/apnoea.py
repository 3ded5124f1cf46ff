"""The breath clock: how long nobody has seen a breath, and whether anybody was looking.

Theory. A breath is seen in the CO2 waveform, or claimed by the device as a breath rate above 0; the
claim does not count while the waveform arrives and is flat, nor while the device itself says "no
breath". The clock starts at each breath and runs out after `after`, if for half of that time the
CO2 channel measured (a waveform with values, or a rate that is a number, 0 included). A channel
that states no number at all is not measuring: a loss of data, which other conditions tell.

*Ambiguous is apnoea.* While the device explains itself (auto-zero, purging, warming up, line off,
EtCO2 not available beside a rate of 0) the clock still runs; its end is put off to at most
`ambiguous_max` after the last breath, whatever the explanation. A flat waveform after the
explanation ended cuts it short. An EtCO2 that is lost when the waveform has already been still
for longer than any pause between breaths explains nothing: the flat line came first, and the device
only says what it saw. An auto-zero comes the other way round, out of the midst of breathing. Its
own flat line lasts about 15 s at most: zeros count once the waveform was still for 11 s, and a
limit with a delay of 10 s still waits for the next breath to come.

A printed rate of 0 without any source of airway CO2 in the session is a lost signal, not a patient.
"""

from typing import Final

import msgspec

from alarms.breaths import BreathDetector
from alarms.rules import ApnoeaRules
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import Duration, Instant, later, seconds

EXPLAINING: Final = frozenset(
    {
        NoticeKind.AUTO_ZERO,
        NoticeKind.PURGING,
        NoticeKind.WARMING_UP,
        NoticeKind.SAMPLE_LINE_OFF,
        NoticeKind.OCCLUSION,
    }
)
WAVE_FRESH: Final = seconds(3)
_WAVE_SPEAKS_FOR: Final = seconds(12)
_EXPLAINED_AFTER: Final = seconds(30)
_LOSS_EXPLAINS_MAX: Final = seconds(45)
_FLAT_SETTLES: Final = seconds(10)
_STILL_BEFORE: Final = seconds(7)
_BREATHLESS_BEFORE: Final = seconds(10)
_STILL_LONG: Final = seconds(11)
_BREATHLESS_LONG: Final = seconds(15)
_CHANNEL_SILENT: Final = seconds(10)
RATE_BELIEVED_MAX: Final = 60.0
DOUBT_MAX: Final = seconds(60)


class BreathClock(msgspec.Struct, kw_only=True):
    """When the last breath was seen and how long the channel has measured none since.

    `since` is the last breath, `stretch` the start of the running measured stretch, `measured` what
    was measured before it. `explained` lists the notices that stand; `explained_end` is when the
    last explanation stops counting, `explained_least` the earliest a flat waveform may end it.
    `is_flat_first`: the waveform showed no breath for a while before EtCO2 was lost.
    `flat_since`: the waveform shows nothing; `zero_from`: the device prints a rate of 0.
    """

    wave: BreathDetector = msgspec.field(default_factory=BreathDetector)
    has_co2: bool = False
    breaths: int = 0
    since: Instant | None = None
    stretch: Instant | None = None
    measured: Duration = Duration(0)
    heard_at: Instant | None = None
    etco2_is_lost: bool = False
    etco2_lost_at: Instant | None = None
    is_flat_first: bool = False
    explained: list[NoticeKind] = []
    explained_end: Instant | None = None
    explained_least: Instant = Instant(0)
    flat_since: Instant | None = None
    doubted_from: Instant | None = None
    zero_from: Instant | None = None
    no_breath_from: Instant | None = None

    def is_armed(self, rules: ApnoeaRules) -> bool:
        """Say whether enough breaths were seen for their absence to mean something."""
        return self.since is not None and self.breaths >= rules.arm_breaths

    def hear_wave(self, segment: WaveformSegment) -> bool:
        """Take a piece of the capnogram; say whether a breath was seen in it."""
        sampled = self.wave.sampled_at
        seen = self.wave.feed(segment)
        if self.wave.sampled_at != sampled:
            self._measure(segment.at)
        if not self.wave.is_flat():
            self.flat_since = None
        elif self.flat_since is None:
            self.flat_since = segment.at
        if seen and self.wave.breath_at is not None:
            self.has_co2 = True
            self.breathe(self.wave.breath_at, seen)
        return seen > 0

    def hear_rate(self, rate: float | None, now: Instant, rules: ApnoeaRules) -> bool:
        """Take a breath rate, None if not available; say whether it counts as a breath."""
        if rate is None:
            if not self._wave_is_fresh(now) and self.etco2_is_lost:
                self.lose(now)
            return False
        self._measure(now)
        if rate <= 0:
            self.zero_from = now if self.zero_from is None else self.zero_from
            return False
        self.zero_from = None
        if self.no_breath_from is not None:
            return False
        self.doubted_from = None
        if not self.has_co2 or (self._wave_is_fresh(now) and self._denies(rate)):
            return False
        self.breathe(now, rules.arm_breaths if self.since is None else 1)
        return True

    def hear_etco2(self, etco2: float | None, now: Instant) -> None:
        """Take an EtCO2, None if not available: whether airway CO2 is measured at all."""
        if etco2 is None:
            if not self.etco2_is_lost:
                self.etco2_lost_at = now
                self.is_flat_first = self._was_flat_before(now)
            if self.has_co2 and not self.is_flat_first:
                self._explain_loss(now)
            self.etco2_is_lost = True
            return
        self.etco2_is_lost = False
        self.has_co2 = self.has_co2 or etco2 > 0

    def _was_flat_before(self, now: Instant) -> bool:
        """Say whether the waveform arrives and shows less than any pause between breaths does."""
        if self.wave.breath_at is None or not self._wave_is_fresh(now):
            return False
        return self.wave.is_still(_STILL_BEFORE) or self.wave.is_breathless(_BREATHLESS_BEFORE)

    def _explain_loss(self, now: Instant) -> None:
        """EtCO2 not available explains missing breaths for a while, however long it lasts."""
        since = now if self.etco2_lost_at is None else self.etco2_lost_at
        self.explained_end = min(later(now, _EXPLAINED_AFTER), later(since, _LOSS_EXPLAINS_MAX))
        self.explained_least = since

    def breathe(self, at: Instant, count: int = 1) -> None:
        """A breath was seen at `at`: the clock starts again."""
        self.breaths += count
        self.since = at
        self.stretch = at
        self.measured = Duration(0)

    def rearm(self) -> None:
        """Forget the last breath; the clock starts again with the next thing the channel says."""
        self.since = self.stretch = None
        self.measured = Duration(0)

    def _measure(self, now: Instant) -> None:
        self.heard_at = now
        if self.since is None and self.breaths:
            self.since = now
        if self.stretch is None:
            self.stretch = now

    def lose(self, now: Instant) -> None:
        """The channel stopped measuring."""
        if self.stretch is not None and not self.explained:
            self.measured = Duration(self.measured + max(0, now - self.stretch))
            self.stretch = None

    def explain(self, notice: NoticeKind, now: Instant, *, is_present: bool) -> None:
        """The device said that a state began, or ended, which explains missing breaths."""
        if is_present:
            if notice not in self.explained:
                self.explained.append(notice)
            self._measure(now)
        elif notice in self.explained:
            self.explained.remove(notice)
            self.explained_end = later(now, _EXPLAINED_AFTER)
            self.explained_least = later(now, _FLAT_SETTLES)

    def hear_device(self, now: Instant, lasted: Duration, *, is_present: bool) -> None:
        """The device's own alarm says "no breath", for `lasted` so far; or ends it."""
        self.no_breath_from = now if is_present else None
        if is_present:
            self._measure(now)
            known = self.since if self.since is not None else now
            self.since = Instant(max(0, min(known, now - lasted)))
            self.has_co2 = True

    def silent_due(self) -> Instant | None:
        """Return when the channel counts as no longer measuring unless it speaks before."""
        if self.stretch is None or self.heard_at is None or self.explained:
            return None
        return later(self.heard_at, _CHANNEL_SILENT)

    def due(self, rules: ApnoeaRules) -> Instant | None:
        """Return when the missing breaths are an apnoea unless one is seen before."""
        if self.since is None:
            return None
        if self.no_breath_from is not None:
            breath = self.wave.breath_at
            seen_until = Instant(0) if breath is None else later(breath, _FLAT_SETTLES)
            return max(self.no_breath_from, seen_until)
        if not self.is_armed(rules):
            return None
        missing = max(0, rules.after // 2 - self.measured)
        if self.stretch is None:
            if missing:
                return None
            plain = later(self.since, rules.after)
        else:
            plain = Instant(max(self.since + rules.after, self.stretch + missing))
        latest = later(self.since, rules.ambiguous_max)
        return max(plain, min(latest, self._explained_until(latest)))

    def _explained_until(self, latest: Instant) -> Instant:
        """Return when the newest explanation stops counting; `latest` while its notice stands."""
        end = self.explained_end
        if self.explained:
            return latest
        if end is None:
            return Instant(0)
        if not self.wave.is_still(_STILL_LONG) and not self.wave.is_breathless(_BREATHLESS_LONG):
            return end
        return self.explained_least

    def doubts_zero(self, now: Instant) -> bool:
        """Say whether the device explains a rate or an EtCO2 of 0 printed now.

        Bounded: after `DOUBT_MAX` of it the printed zero is believed whatever speaks against it.
        """
        if not self.explained and now >= self._explained_until(now):
            return False
        return self._may_doubt(now)

    def contradicts_zero(self, now: Instant) -> bool:
        """Say whether the waveform has shown a breath since the device began to print zeros."""
        breath = self.wave.breath_at
        if breath is None or now - breath >= _WAVE_SPEAKS_FOR:
            return False
        if self.zero_from is not None and breath < self.zero_from:
            return False
        return self._may_doubt(now)

    def _may_doubt(self, now: Instant) -> bool:
        if self.doubted_from is None:
            self.doubted_from = now if self.zero_from is None else self.zero_from
        return now - self.doubted_from < DOUBT_MAX

    def _wave_is_fresh(self, now: Instant) -> bool:
        sampled = self.wave.sampled_at
        return sampled is not None and now - sampled <= WAVE_FRESH

    def _denies(self, rate: float) -> bool:
        """Say whether the waveform contradicts a printed rate: flat, or faster than any chest."""
        return self.flat_since is not None or rate > RATE_BELIEVED_MAX
