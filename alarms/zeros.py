"""What a printed breath rate of 0, or an EtCO2 that is gone, says: no breath, or nothing at all.

Theory. A capnograph that counts breaths prints 0 only when none was seen for ten seconds and more.
So a zero, or an EtCO2 that becomes 0 or not available, *out of the midst of breathing* is the
device zeroing itself; one that comes after a flat line is a count. Which of the two it was is
decided where the zeros begin, from what the waveform showed until then:

- *Explained* zeros are unknown: for 30 s, at most 45 s from the first. An auto-zero's own flat line
  lasts about 15 s: zeros count once the line was still for 11 s, and a limit with a delay of 10 s
  still waits for the next breath to come. Without a waveform, zeros that did not come after the
  loss of EtCO2 but with it, or before, are explained for 30 s from the first, and again from when
  EtCO2 is back, since that takes a breath; 45 s at most.
- *Contradicted* zeros (the waveform shows breaths as near as in plain breathing) are neither low
  nor normal; the first breath after a loss needs no second one to be believed.
- *Counted* zeros began long after the last breath: breaths that come now end the pause, but they
  do not make the zeros that were printed for it a fault of the device.
- Breaths that twice came as far apart as in slow breathing speak for the zeros, not against them.
- What the device could not measure, by its own word, is no part of a pause and of no stillness: 5 s
  must have been measured. Zeros printed all the while count once they lasted 16 s without a breath.

Whatever speaks against zeros does so for 60 s at most. A device that falls silent for 3 s and more
before it prints zeros has lost its EtCO2 as one that says so.
"""

from typing import Final

import msgspec

from alarms.breaths import BreathDetector
from monitor.model.instant import Duration, Instant, later, seconds

WAVE_FRESH: Final = seconds(3)
DOUBT_MAX: Final = seconds(60)
STILL_LONG: Final = seconds(11)
BREATHLESS_LONG: Final = seconds(15)
BREATHLESS: Final = seconds(10)
_STILL: Final = seconds(7)
_ZEROS_LONG: Final = seconds(16)
_STILL_SAID: Final = seconds(5)
_PLAIN_INTERVAL_MAX: Final = seconds(9.2)
_EXPLAINED_AFTER: Final = seconds(30)
_EXPLAINED_MAX: Final = seconds(45)
_CUT_OFF_MAX: Final = seconds(20)
_SILENT_MIN: Final = seconds(3)
_JUST_GONE: Final = seconds(5)


def is_fresh(wave: BreathDetector, at: Instant) -> bool:
    """Say whether the waveform arrives."""
    return wave.sampled_at is not None and at - wave.sampled_at <= WAVE_FRESH


def was_flat_before(wave: BreathDetector, at: Instant) -> bool:
    """Say whether the waveform arrived, and showed less than any pause between breaths does."""
    if wave.breath_at is None or not is_fresh(wave, at):
        return False
    seen = at if wave.sampled_at is None else min(at, wave.sampled_at)
    return wave.breathless_for(seen) >= BREATHLESS or wave.still_for(seen) >= _STILL


def _is_plain(wave: BreathDetector) -> bool:
    """Say whether the last two breaths came as near as in plain breathing."""
    last, before = wave.breath_at, wave.breath_before
    return last is not None and before is not None and last - before < _PLAIN_INTERVAL_MAX


def _was_breathing(wave: BreathDetector, at: Instant) -> bool:
    """Say whether the waveform showed plain breathing until just now, or until it was cut off."""
    sampled = wave.sampled_at
    if sampled is None or not _was_here(wave, at) or not _is_plain(wave):
        return False
    return not was_flat_before(wave, sampled)


def _was_here(wave: BreathDetector, at: Instant) -> bool:
    """Say whether the waveform arrives, or was cut off a short while ago."""
    return wave.sampled_at is not None and at - wave.sampled_at <= _CUT_OFF_MAX


def was_cut_off_flat(wave: BreathDetector, at: Instant) -> bool:
    """Say whether the waveform was cut off a short while ago, out of no breathing at all."""
    sampled = wave.sampled_at
    if sampled is None or is_fresh(wave, at) or not _was_here(wave, at):
        return False
    return was_flat_before(wave, sampled)


class Zeros(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The zeros that a device prints, what was lost before them, and what speaks against them.

    `since`: a rate of 0 is printed. `are_late`: long after the last breath, by the clock;
    `are_counted`: by what was measured. `has_etco2`: the newest EtCO2 was above 0. `gone_at`:
    EtCO2 is 0 or not available since, `gone_last` the last time it was. `is_flat_first`: the
    waveform showed no breath for a while before that. `explained_end` is when the newest
    explanation stops counting, `explained_least` the earliest a flat waveform may end it.
    """

    since: Instant | None = None
    are_late: bool = False
    are_counted: bool = False
    has_etco2: bool = False
    gone_at: Instant | None = None
    gone_last: Instant | None = None
    is_flat_first: bool = False
    rate_at: Instant | None = None
    explained_end: Instant | None = None
    explained_least: Instant = Instant(0)
    doubted_from: Instant | None = None

    def hear_zero(self, wave: BreathDetector, etco2_at: Instant | None, now: Instant) -> None:
        """The device prints a rate of 0; the last EtCO2 of any validity came at `etco2_at`."""
        before, self.rate_at = self.rate_at, now
        if self.since is not None:
            self._weigh_again(wave, now)
            return
        self.since = now
        self._weigh_silence(wave, before, now)
        self._weigh_silence(wave, etco2_at, now)
        self._weigh(wave, now)
        if self._is_just_gone(now) or _was_breathing(wave, now):
            self._explain(wave, now, now)

    def hear_rate(self, now: Instant) -> None:
        """The device prints a rate above 0."""
        self.since, self.rate_at = None, now

    def hear_etco2(
        self, etco2: float | None, before: Instant | None, wave: BreathDetector, now: Instant
    ) -> None:
        """Take an EtCO2, None if not available; the last valid one came at `before`."""
        if etco2 == 0:
            self._weigh_silence(wave, before, now)
        self.has_etco2 = bool(etco2)
        if etco2:
            was_unclear = self._may_be_a_count(wave, now)
            self.gone_at = None
            if was_unclear:
                self._explain(wave, now, now)
            return
        if etco2 is None or self.gone_at is not None or _was_breathing(wave, now):
            self._lose(wave, now, now)
            self._explain(wave, now, self.gone_at or now)
        if self.since == now:
            self._weigh(wave, now)

    def _weigh_silence(self, wave: BreathDetector, heard: Instant | None, now: Instant) -> None:
        """Where the numbers fell silent before the zeros, their loss began then."""
        if heard is None or not _SILENT_MIN <= now - heard <= _CUT_OFF_MAX:
            return
        if wave.breath_at is not None and is_fresh(wave, heard):
            self._lose(wave, heard, now)

    def _lose(self, wave: BreathDetector, at: Instant, now: Instant) -> None:
        if self.gone_at is None:
            self.gone_at = at
            self.is_flat_first = was_flat_before(wave, at)
        self.gone_last = now

    def _is_just_gone(self, now: Instant) -> bool:
        return self.gone_last is not None and now - self.gone_last <= _JUST_GONE

    def _weigh(self, wave: BreathDetector, now: Instant) -> None:
        """Say whether these zeros are a count, whatever comes after them."""
        is_loss = self._is_just_gone(now)
        self.are_late = self.are_counted = False
        if (is_loss and not self.is_flat_first) or not is_fresh(wave, now):
            return
        enough = BREATHLESS_LONG if is_loss else BREATHLESS
        self.are_late = wave.is_behind(enough)
        self.are_counted = wave.is_breathless(enough)

    def _weigh_again(self, wave: BreathDetector, now: Instant) -> None:
        """Late zeros that go on are a count once the line was flat for long enough.

        Where they began, what the device could not measure was taken off; the rest may follow.
        """
        breath = wave.breath_at
        if self.are_late and self.since is not None and breath is not None and breath < self.since:
            self.are_counted |= is_fresh(wave, now) and wave.is_breathless(BREATHLESS_LONG)

    def _explain(self, wave: BreathDetector, now: Instant, since: Instant) -> None:
        if self.is_flat_first and self._is_just_gone(now):
            return
        first = since if self.since is None else min(since, self.since)
        longest = _EXPLAINED_AFTER if self._may_be_a_count(wave, now) else _EXPLAINED_MAX
        self.explained_end = min(later(now, _EXPLAINED_AFTER), later(first, longest))
        self.explained_least = since

    def _may_be_a_count(self, wave: BreathDetector, now: Instant) -> bool:
        """Say whether both numbers went at once, with no waveform to tell which of the two it is.

        A device that zeroes itself loses EtCO2 first; one that counts no breath changes both.
        """
        if self.since is None or self.gone_at is None or _was_here(wave, now):
            return False
        return self.gone_at >= self.since

    def explain(self, now: Instant, least: Instant) -> None:
        """A state that the device named has ended; a flat line counts again from `least` on."""
        self.explained_end, self.explained_least = later(now, _EXPLAINED_AFTER), least

    def explained_until(self, wave: BreathDetector) -> Instant:
        """Return when the newest explanation stops counting; a line long flat ends it early."""
        if self.explained_end is None:
            return Instant(0)
        is_long = wave.is_still(self._long(wave)) or wave.is_breathless(BREATHLESS_LONG)
        if is_long or self._last_without_a_breath(wave):
            return self.explained_least
        return self.explained_end

    def _long(self, wave: BreathDetector) -> Duration:
        """Return the stillness that ends an explanation: what was not measured is its first part.

        Some of it must have been measured: the zeroing's own flat line is no evidence.
        """
        return Duration(max(_STILL_SAID, STILL_LONG - wave.unmeasured.before))

    def _last_without_a_breath(self, wave: BreathDetector) -> bool:
        """Say whether zeros were printed for so long over a line without a breath.

        Only where the device says meanwhile that it cannot measure is this later than stillness.
        """
        if self.since is None or wave.sampled_at is None or wave.breath_at is None:
            return False
        return wave.sampled_at - max(self.since, wave.breath_at) >= _ZEROS_LONG

    def are_contradicted(self, wave: BreathDetector, now: Instant) -> bool:
        """Say whether the waveform has shown a breath since the device began to print zeros."""
        breath, before = wave.breath_at, wave.breath_before
        if breath is None or now - breath >= _PLAIN_INTERVAL_MAX or self._must_count(wave):
            return False
        if self.since is not None and breath < self.since:
            return False
        is_first = self.since is None or before is None or before < self.since
        if not (is_first and self._follows_loss(now)) and not _is_plain(wave):
            return False
        return self.may_doubt(now)

    def _must_count(self, wave: BreathDetector) -> bool:
        """Say whether nothing may speak against these zeros."""
        is_counted = self.are_counted and self.since is not None
        return is_counted or wave.rhythm.is_slow(_PLAIN_INTERVAL_MAX)

    def are_explained(self, wave: BreathDetector, now: Instant) -> bool:
        """Say whether the device explains the zeros printed now."""
        if now >= self.explained_until(wave) or wave.rhythm.is_slow(_PLAIN_INTERVAL_MAX):
            return False
        return self.may_doubt(now)

    def _follows_loss(self, now: Instant) -> bool:
        if self.gone_last is not None and now - self.gone_last < _EXPLAINED_MAX:
            return True
        return self.explained_end is not None and now < self.explained_end

    def may_doubt(self, now: Instant) -> bool:
        """Say whether zeros may still be doubted: for `DOUBT_MAX` from the first one."""
        if self.doubted_from is None:
            self.doubted_from = now if self.since is None else self.since
        return now - self.doubted_from < DOUBT_MAX
