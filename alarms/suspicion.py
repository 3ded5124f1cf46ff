"""Numbers that are there but wrong: frozen, halved, in the wrong unit, or taken under a cuff.

Each suspicion is a technical condition of its own, so that people see why numbers are doubted.
Frozen numbers never count as normal, but bad ones count. Two rates that disagree are told; neither
is believed less, since a pulse of half the heart rate may be a monitor that miscounts or a heart
whose every other beat moves no blood. A cuff on the probe's arm is known by its signs (the pulse is
lost or the perfusion gone while it inflates) and explains the saturation for a bounded time, shown;
without signs, or when the saturation was low before, it explains nothing. A pulse that is lost
because the device says that the sensor is off, or broken, is no sign.
"""

from typing import Final, Protocol

import msgspec

from alarms.board import Board, Watch
from alarms.channel import Channel
from alarms.condition import Condition, Input
from alarms.doubt import Doubt
from alarms.names import (
    CUFF_ON_PROBE_ARM,
    ETCO2_UNIT,
    FROZEN_CO2,
    FROZEN_OXIMETER,
    NUMBERS_JUMP,
    RATES_DIFFER,
    sources_differ_alarm,
)
from alarms.rules import DoubtRules
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import Metric

GROUPS: Final = {
    FROZEN_OXIMETER: (Metric.SPO2, Metric.PULSE_RATE),
    FROZEN_CO2: (Metric.ETCO2, Metric.RESP_RATE),
}
_GROUP_OF: Final = {metric: alarm for alarm, group in GROUPS.items() for metric in group}
PARTNERS: Final = {
    Metric.PULSE_RATE: Metric.HEART_RATE,
    Metric.HEART_RATE: Metric.PULSE_RATE,
}
_RATES: Final = frozenset(PARTNERS)
_ABOUT: Final = {
    Metric.SPO2: (FROZEN_OXIMETER,),
    Metric.PULSE_RATE: (FROZEN_OXIMETER, RATES_DIFFER),
    Metric.HEART_RATE: (RATES_DIFFER,),
    Metric.ETCO2: (FROZEN_CO2, ETCO2_UNIT),
    Metric.RESP_RATE: (FROZEN_CO2, ETCO2_UNIT),
}
"""What cannot be known while a metric gives nothing."""
UNDER_A_CUFF: Final = frozenset({Metric.SPO2, Metric.PULSE_RATE, Metric.PERFUSION_INDEX})
"""What a cuff on the arm of the probe disturbs."""
_KPA_LOW: Final = 2.5
_KPA_HIGH: Final = 9.0
_BREATHING_MIN: Final = 6.0
_HALF_TOLERANCE: Final = 0.1
_JUMPS_WITHIN: Final = seconds(60)


class CuffWatch(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The inflation that is on: until when it may explain anything, and whether it shows signs.

    `is_spent`: it has explained something, and the saturation was not seen normal since. Until it
    is, no other inflation explains anything: one after another must not hide a patient for long.
    """

    until: Instant | None = None
    has_signs: bool = False
    is_spent: bool = False


class Jumps(msgspec.Struct, kw_only=True, omit_defaults=True):
    """When each metric stepped as no patient can, within the last minute."""

    at: dict[Metric, list[Instant]] = {}


class Traces(Protocol):
    """What of everything remembered suspicions look at."""

    channels: dict[Metric, Channel]
    inflation: CuffWatch
    jumps: Jumps


class Suspicions:
    """Judges the suspicions of a limit set; without rules it suspects nothing."""

    def __init__(self, rules: DoubtRules | None, board: Board, traces: Traces) -> None:
        self._rules = rules
        self._board = board
        self._channels = traces.channels
        self._cuff = traces.inflation
        self._jumps = traces.jumps

    def _watch(self, alarm: str) -> Watch:
        watch = self._board.get(alarm)
        assert watch is not None
        return watch

    def _fresh(self, metric: Metric) -> float | None:
        channel = self._channels[metric]
        is_gone = channel.valid_at is None or channel.is_lost or channel.is_stale
        return None if is_gone else channel.value

    def is_looking(self, metric: Metric) -> bool:
        """Say whether every value of `metric` matters now."""
        if self._rules is None:
            return False
        if metric in _RATES and not self._watch(RATES_DIFFER).is_idle:
            return True
        return metric in UNDER_A_CUFF and self._cuff.until is not None

    def partner_of(self, metric: Metric) -> tuple[Channel | None, float]:
        """Return the metric that should read the same, and how far it may be away."""
        other = PARTNERS.get(metric)
        if other is None or self._rules is None:
            return None, 0.0
        return self._channels[other], self._rules.rates_differ

    # -- what is heard

    def hear(self, metric: Metric, now: Instant) -> None:
        """A value of `metric` that may be judged was heard and noted in its channel."""
        if self._rules is None:
            return
        alarm = _GROUP_OF.get(metric)
        if alarm is not None:
            self._thaw(alarm, now)
            self._board.expect(self._frozen_due(alarm, self._rules))
        if metric in _RATES:
            self._compare_rates(self._rules, now)
        if metric in {Metric.ETCO2, Metric.RESP_RATE}:
            self._check_unit(now)
        if metric in UNDER_A_CUFF:
            self._look_for_signs(self._rules, now)
        if metric is Metric.SPO2 and self._cuff.is_spent and not self._cuff_explains(now):
            self._cuff.is_spent = not self._is_normal_saturation()

    def _is_normal_saturation(self) -> bool:
        value, low = self._fresh(Metric.SPO2), self._board.get("spo2_low")
        rule = None if low is None else low.rule
        return value is not None and (rule is None or value >= rule.inside)

    def lose(self, metric: Metric, now: Instant) -> None:
        """A metric is known to give nothing now."""
        if self._rules is None:
            return
        for alarm in _ABOUT.get(metric, ()):
            self._board.judge(self._watch(alarm), Input.UNKNOWN, now)
        if metric in UNDER_A_CUFF:
            self._look_for_signs(self._rules, now)

    def doubt(self, metric: Metric, now: Instant) -> Doubt:
        """Return what a suspicion says against values of `metric` now."""
        if metric in UNDER_A_CUFF and self._cuff.has_signs and self._cuff_explains(now):
            return Doubt.EXPLAINED
        alarm = _GROUP_OF.get(metric)
        if self._rules is not None and alarm is not None and self._watch(alarm).is_standing:
            return Doubt.QUESTIONABLE
        other = self._board.get(sources_differ_alarm(metric))
        is_contradicted = other is not None and other.state.condition is Condition.PRESENT
        return Doubt.QUESTIONABLE if is_contradicted else Doubt.NONE

    # -- numbers that jump

    def note_jump(self, metric: Metric, now: Instant) -> None:
        """A value of `metric` stepped as no patient can; many such steps are a condition."""
        if self._rules is None or self._rules.steps_per_minute is None:
            return
        most = self._rules.steps_per_minute
        jumps = self._jumps.at.setdefault(metric, [])
        jumps.append(now)
        del jumps[:-most]
        self._board.expect(later(jumps[0], _JUMPS_WITHIN))
        if len(jumps) == most:  # older ones are forgotten by now
            watch = self._watch(NUMBERS_JUMP)
            watch.note = f"{metric} stepped {most} times in a minute as no patient does"
            self._board.judge(watch, Input.VIOLATED, now)

    def _jumps_due(self) -> Instant | None:
        firsts = [each[0] for each in self._jumps.at.values() if each]
        return later(min(firsts), _JUMPS_WITHIN) if firsts else None

    def _forget_jumps(self, now: Instant) -> None:
        for metric, jumps in tuple(self._jumps.at.items()):
            jumps[:] = [each for each in jumps if later(each, _JUMPS_WITHIN) > now]
            if not jumps:
                del self._jumps.at[metric]
        if not self._jumps.at and not self._watch(NUMBERS_JUMP).is_idle:
            self._board.judge(self._watch(NUMBERS_JUMP), Input.NORMAL, now)

    # -- two rates

    def _compare_rates(self, rules: DoubtRules, now: Instant) -> None:
        pulse, heart = self._fresh(Metric.PULSE_RATE), self._fresh(Metric.HEART_RATE)
        watch = self._watch(RATES_DIFFER)
        if pulse is None or heart is None:
            return
        if abs(pulse - heart) <= rules.rates_differ:
            self._board.judge(watch, Input.NORMAL, now)
            return
        is_half = abs(pulse - heart / 2) <= _HALF_TOLERANCE * heart
        watch.note = f"pulse {pulse:g}, heart rate {heart:g}" + (
            ": half counted?" if is_half else ""
        )
        self._board.judge(watch, Input.VIOLATED, now)

    # -- a unit

    def _check_unit(self, now: Instant) -> None:
        etco2, rate = self._fresh(Metric.ETCO2), self._fresh(Metric.RESP_RATE)
        if etco2 is None or rate is None:
            return
        watch = self._watch(ETCO2_UNIT)
        slipped = _KPA_LOW <= etco2 <= _KPA_HIGH and rate >= _BREATHING_MIN
        watch.note = f"EtCO2 {etco2:g} beside {rate:g} breaths: kPa, or a leak?"
        self._board.judge(watch, Input.VIOLATED if slipped else Input.NORMAL, now)

    # -- a cuff

    def inflate(self, now: Instant, *, is_on: bool) -> None:
        """A cuff began to inflate, or is empty again; `due` says when it explains nothing more."""
        cuff, rules = self._cuff, self._rules
        if rules is None:
            return
        if not is_on:
            if cuff.until is not None:
                cuff.until = min(cuff.until, later(now, rules.cuff_after))
            return
        saturation = self._board.get("spo2_low")
        if saturation is None or not saturation.is_idle:
            return
        if cuff.until is not None or cuff.is_spent or self._channels[Metric.PULSE_RATE].is_off_by:
            return
        cuff.until, cuff.has_signs = later(now, rules.cuff_max), False

    def give_up(self, now: Instant) -> None:
        """The device has another reason for the lost pulse: this cuff explains nothing more."""
        if self._cuff.until is not None:
            self._cuff.until = now

    def _cuff_explains(self, now: Instant) -> bool:
        return self._cuff.until is not None and now < self._cuff.until

    def _look_for_signs(self, rules: DoubtRules, now: Instant) -> None:
        cuff = self._cuff
        if cuff.has_signs or not self._cuff_explains(now):
            return
        perfusion = self._fresh(Metric.PERFUSION_INDEX)
        pulse = self._channels[Metric.PULSE_RATE]
        has_lost_pulse = pulse.valid_at is not None and (pulse.is_lost or pulse.is_stale)
        if has_lost_pulse or (perfusion is not None and perfusion < rules.perfusion_min):
            cuff.has_signs = cuff.is_spent = True
            watch = self._watch(CUFF_ON_PROBE_ARM)
            watch.note = "the pulse is gone while the cuff is inflated"
            self._board.judge(watch, Input.VIOLATED, now)

    # -- frozen, and time

    def due(self) -> Instant | None:
        """Return when the earliest of these clocks runs out."""
        if self._rules is None:
            return None
        dues = [self._frozen_due(alarm, self._rules) for alarm in GROUPS]
        known = [each for each in (*dues, self._cuff.until, self._jumps_due()) if each is not None]
        return min(known, default=None)

    def _frozen_due(self, alarm: str, rules: DoubtRules) -> Instant | None:
        if self._watch(alarm).is_standing:
            return None
        channels = [self._channels[each] for each in GROUPS[alarm]]
        changed = [each.changed_at for each in channels if each.changed_at is not None]
        if len(changed) < len(channels) or not all(each.is_fast for each in channels):
            return None
        if any(each.is_lost or each.is_stale for each in channels):
            return None
        return later(max(changed), rules.frozen_after)

    def mature(self, now: Instant) -> None:
        """Let the clocks that are due at exactly `now` act."""
        if self._rules is None:
            return
        self._forget_jumps(now)
        for alarm in GROUPS:
            due = self._frozen_due(alarm, self._rules)
            if due is not None and due <= now:
                watch = self._watch(alarm)
                watch.note = "not one number has changed"
                self._board.judge(watch, Input.VIOLATED, now)
        if self._cuff.until is not None and self._cuff.until <= now:
            self._cuff.until = None
            self._board.judge(self._watch(CUFF_ON_PROBE_ARM), Input.NORMAL, now)

    def _thaw(self, alarm: str, now: Instant) -> None:
        has_changed = any(self._channels[each].changed_at == now for each in GROUPS[alarm])
        if has_changed and not self._watch(alarm).is_idle:
            self._board.judge(self._watch(alarm), Input.NORMAL, now)
