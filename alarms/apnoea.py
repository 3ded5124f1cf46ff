"""The breath clock: how long nobody has seen a breath, and whether anybody was looking.

Theory. A breath is seen in the CO2 waveform, or claimed by the device as a breath rate above 0; the
claim does not count while the waveform arrives and speaks for itself, nor while the device itself
says "no breath". The clock starts at each breath and runs out after `after`, if for half of that
time the CO2 channel measured (a waveform with values, or a rate that is a number, 0 included). A
channel that states no number at all is not measuring: a loss of data, which other conditions tell.

*Ambiguous is apnoea.* While the device explains itself (auto-zero, purging, warming up, line off,
EtCO2 gone out of the midst of breathing) the clock still runs; its end is put off to at most
`ambiguous_max` after the last breath, whatever the explanation. A flat waveform after the
explanation ended cuts it short. What zeros and a lost EtCO2 are worth is said in `zeros.py`.

*Not measured is not still.* While the device says only that CO2 cannot be measured, its recorder
writes a flat line of its own. Such time stops the clock, and the stillness of the waveform, by its
own length, to the same `ambiguous_max` at most; a breath seen meanwhile is one. A blank EtCO2 says
no such thing: many devices blank it in an apnoea. Nor does a flag beside a printed rate of 0, which
is a count; only the waveform's stillness waits for it.

A printed rate of 0 without any source of airway CO2 in the session is a lost signal, not a patient.
"""

from typing import Final

import msgspec

from alarms.breaths import BreathDetector
from alarms.rules import ApnoeaRules
from alarms.unmeasured import Unmeasured
from alarms.zeros import BREATHLESS, Zeros, is_fresh, was_cut_off_flat
from monitor.model.event import NoticeKind, WaveformSegment
from monitor.model.instant import Duration, Instant, later, seconds

EXPLAINING: Final = frozenset(
    {
        NoticeKind.AUTO_ZERO,
        NoticeKind.PURGING,
        NoticeKind.WARMING_UP,
        NoticeKind.SAMPLE_LINE_OFF,
        NoticeKind.OCCLUSION,
        NoticeKind.CO2_UNMEASURED,
    }
)
_FLAT_SETTLES: Final = seconds(10)
_STILL_SHORT: Final = seconds(4)
_CHANNEL_SILENT: Final = seconds(10)
RATE_BELIEVED_MAX: Final = 60.0
_BEATS_FROM: Final = 28
_BEATS_TO: Final = 32
_BEATING_MAX: Final = seconds(30)


class BreathClock(msgspec.Struct, kw_only=True):
    """When the last breath was seen and how long the channel has measured none since.

    `since` is the last breath, `stretch` the start of the running measured stretch, `measured` what
    was measured before it. `explained` lists the notices that stand.
    `no_breath_from`: the device itself says so. `derived_at`: when numbers were last taken from
    the waveform. `excused`: for how long CO2 could not be measured since the last breath, as the
    device said, while it printed no rate of 0.
    """

    wave: BreathDetector = msgspec.field(default_factory=BreathDetector)
    has_co2: bool = False
    breaths: int = 0
    since: Instant | None = None
    stretch: Instant | None = None
    measured: Duration = Duration(0)
    heard_at: Instant | None = None
    etco2_is_lost: bool = False
    explained: list[NoticeKind] = []
    zeros: Zeros = msgspec.field(default_factory=Zeros)
    no_breath_from: Instant | None = None
    derived_at: Instant | None = None
    excused: Unmeasured = msgspec.field(default_factory=Unmeasured)

    def is_armed(self, rules: ApnoeaRules) -> bool:
        """Say whether enough breaths were seen for their absence to mean something."""
        return self.since is not None and self.breaths >= rules.arm_breaths

    def hear_wave(self, segment: WaveformSegment) -> bool:
        """Take a piece of the capnogram; say whether a breath was seen in it."""
        sampled = self.wave.sampled_at
        seen = self.wave.feed(segment)
        if self.wave.sampled_at != sampled:
            self._measure(segment.at)
        if seen and self.wave.breath_at is not None:
            self.has_co2 = True
            self.breathe(self.wave.breath_at, seen)
        return seen > 0

    def hear_rate(
        self, rate: float | None, etco2_at: Instant | None, now: Instant, rules: ApnoeaRules
    ) -> bool:
        """Take a breath rate, None if not available; say whether it counts as a breath.

        The last EtCO2 of any validity came at `etco2_at`.
        """
        self._excuse(now, is_counting=rate == 0)
        if rate is None:
            if not is_fresh(self.wave, now) and self.etco2_is_lost:
                self.lose(now)
            return False
        self._measure(now)
        if rate <= 0:
            self.zeros.hear_zero(self.wave, etco2_at, now)
            return False
        self.zeros.hear_rate(now)
        if self.no_breath_from is not None:
            return False
        self.zeros.doubted_from = None
        if not self.has_co2 or self._is_denied(rate, now):
            return False
        self.breathe(now, rules.arm_breaths if self.since is None else 1)
        return True

    def _is_denied(self, rate: float, now: Instant) -> bool:
        """Say whether what the waveform shows, or last showed, is a better clock than the rate."""
        if is_fresh(self.wave, now):
            return self._denies(rate)
        return not self.zeros.has_etco2 and was_cut_off_flat(self.wave, now)

    def _denies(self, rate: float) -> bool:
        """Say whether the waveform speaks for itself, or contradicts a printed rate.

        The rate of a device goes on for as long as it averages. A waveform that shows breaths is
        the better clock; one that moves without a breath to be seen leaves it to the device. One of
        a sample a second may miss every breath of 30 a minute, each time at the same place; for
        that a device is believed for half a minute.
        """
        if rate > RATE_BELIEVED_MAX:
            return True
        beats = not self.wave.is_timed and _BEATS_FROM <= rate <= _BEATS_TO
        if beats and not self.wave.is_still(_BEATING_MAX):
            return False
        if self.wave.is_still(_STILL_SHORT):
            return True
        return self.wave.breath_at is not None and not self.wave.is_breathless(BREATHLESS)

    def hear_etco2(self, etco2: float | None, before: Instant | None, now: Instant) -> None:
        """Take an EtCO2, None if not available; the last valid one came at `before`."""
        self.etco2_is_lost = etco2 is None
        self.has_co2 = self.has_co2 or bool(etco2)
        if self.has_co2:
            self.zeros.hear_etco2(etco2, before, self.wave, now)

    def breathe(self, at: Instant, count: int) -> None:
        """The last of `count` breaths was seen at `at`: the clock starts again."""
        self.breaths += count
        self.since = at
        self.stretch = at
        self.measured = Duration(0)
        self.excused.restart(at)

    def rearm(self) -> None:
        """Forget the last breath; the clock starts again with the next thing the channel says."""
        self.since = self.stretch = None
        self.measured = Duration(0)
        self.excused = Unmeasured()

    def _measure(self, now: Instant) -> None:
        self.heard_at = now
        if self.since is None and self.breaths:
            self.since = now
        if self.stretch is None:
            self.stretch = now

    def lose(self, now: Instant) -> None:
        """The channel stopped measuring."""
        self._look(now)
        if self.stretch is not None and not self._names_a_state():
            until = now if self.heard_at is None else min(now, self.heard_at)
            self.measured = Duration(self.measured + max(0, until - self.stretch))
            self.stretch = None

    def explain(self, notice: NoticeKind, now: Instant, *, is_present: bool) -> None:
        """The device said that a state began, or ended, which explains missing breaths."""
        if is_present:
            if notice not in self.explained:
                self.explained.append(notice)
            if notice is not NoticeKind.CO2_UNMEASURED:
                self._measure(now)
        elif notice in self.explained:
            self.explained.remove(notice)
            if notice is not NoticeKind.CO2_UNMEASURED:
                self.zeros.explain(now, later(now, _FLAT_SETTLES))
        self._look(now)

    def _names_a_state(self) -> bool:
        """Say whether the device names a state of its own, not only that CO2 is not measured."""
        return any(each is not NoticeKind.CO2_UNMEASURED for each in self.explained)

    def _look(self, now: Instant) -> None:
        """Let flat samples count, or not, by what the device says of itself."""
        if self.explained:
            self.wave.look_away(now)
        else:
            self.wave.look_again(now)
        self._excuse(now, is_counting=self.zeros.since is not None)

    def _excuse(self, now: Instant, *, is_counting: bool) -> None:
        """Stop the clock while CO2 is not measured, unless the device counts no breath anyway."""
        if is_counting or NoticeKind.CO2_UNMEASURED not in self.explained:
            self.excused.end(now)
        else:
            self.excused.begin(now)

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
        if self.stretch is None or self.heard_at is None or self._names_a_state():
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
        if self._names_a_state() or self.excused.running_from is not None:
            return max(plain, latest)
        resumed = later(self.since, Duration(rules.after + self.excused.before))
        explained = max(resumed, self.zeros.explained_until(self.wave))
        return max(plain, min(latest, explained))

    def doubts_zero(self, now: Instant) -> bool:
        """Say whether the device explains a rate or an EtCO2 of 0 printed now.

        Bounded: after `DOUBT_MAX` of it the printed zero is believed whatever speaks against it.
        """
        if self._names_a_state():
            return self.zeros.may_doubt(now)
        return self.zeros.are_explained(self.wave, now)

    def contradicts_zero(self, now: Instant) -> bool:
        """Say whether the waveform has shown a breath since the device began to print zeros."""
        return self.zeros.are_contradicted(self.wave, now)
