"""What observations mean for the conditions of the patient: judged, doubted, lost or told as gone.

The order is fixed: is it new, could it be measured, does the device's habit explain it, is the step
believable; then each limit of its metric is judged. What cannot be judged is unknown, never normal.
"""

from typing import Final

from alarms.board import Board, Watch
from alarms.bounds import Bounds
from alarms.channel import Channel
from alarms.condition import Condition, Input
from alarms.cuff import CuffReading
from alarms.doubt import Doubt
from alarms.names import ABSENCE_TOLD, APNOEA, NIBP_IMPLAUSIBLE, RESPIRATORY, no_data_alarm
from alarms.patterns import Patterns
from alarms.quick import Quick, quick_way
from alarms.rules import LimitSet
from alarms.senses import Senses
from alarms.suspicion import PARTNERS, Suspicions
from monitor.model.event import Observation, Validity, WaveformSegment
from monitor.model.instant import Duration, Instant, in_seconds, later, seconds
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.session import Phase

_OLD_AFTER: Final = seconds(30)
_ZERO_BELOW: Final = {Metric.RESP_RATE: 0.5, Metric.ETCO2: 8.0}
_CUFF: Final = frozenset(NIBP)


class Vitals:
    """Feeds the physiological conditions and "no data" of a board from observations and time."""

    def __init__(self, limits: LimitSet, board: Board, senses: Senses) -> None:
        self.senses = senses
        self._rules = limits
        self._board = board
        self.bounds = Bounds(limits, board, senses.baseline, senses.tallies)
        self._patterns = Patterns(limits.patterns, board, senses.channels, senses.histories)
        self.suspicions = Suspicions(limits.doubt, board, senses)
        self.quick: dict[Metric, Quick] = {}

    def hear(self, heard: Observation, now: Instant) -> str:
        """Take one numeric; return why it was refused, or nothing."""
        channel = self.senses.channels.get(heard.metric)
        if channel is None:
            return f"{heard.metric} is no numeric"
        if channel.refuses(heard, now):
            return f"{heard.metric} from the future or out of order"
        if channel.is_repeat(heard):
            return ""
        if heard.metric in _CUFF:
            return self._hear_cuff(channel, heard, now)
        return self._hear_numeric(channel, heard, now)

    def hear_wave(self, segment: WaveformSegment, now: Instant) -> str:
        """Take a piece of a waveform; only the capnogram decides anything."""
        if segment.metric is not Metric.CO2_WAVE:
            return ""
        sampled = self.senses.breaths.wave.sampled_at
        if segment.at > now or segment.rate_hz <= 0 or (sampled and segment.at < sampled):
            return "waveform from the future or out of order"
        if sampled == segment.at:
            return ""
        if self.senses.breaths.hear_wave(segment):
            self._breathed(now)
        else:
            self._breath_missing(now)
        self._board.expect(self._breath_due())
        return ""

    def _hear_numeric(self, channel: Channel, heard: Observation, now: Instant) -> str:
        self.quick.pop(heard.metric, None)
        period = channel.period
        channel.hear(heard.at)
        if channel.period != period:
            self._board.hint = now
        channel.heard_value = None if heard.value is None else float(heard.value)
        value, refused = self._believable(channel, heard, now)
        self._tell_breaths(heard.metric, value, now)
        if value is None:
            self.lose(heard.metric, now)
            return refused
        doubt = self._doubt(channel, heard, value, now)
        if doubt is Doubt.STEP:
            self.suspicions.note_jump(heard.metric, now)
        since = None if channel.is_lost or channel.is_stale else channel.valid_at
        self.revive(channel, value, now)
        self.suspicions.hear(heard.metric, now)
        if heard.metric in PARTNERS and self.suspicions.is_looking(heard.metric):
            self.quick.pop(PARTNERS[heard.metric], None)
        self.bounds.judge(heard.metric, value, doubt, now, since=since)
        self._patterns.hear(heard.metric, value, now)
        if doubt is Doubt.NONE and heard.metric is not Metric.RESP_RATE:
            self._hurry(channel)
        return ""

    def _hurry(self, channel: Channel) -> None:
        """Open the quick way for a metric with nothing going on."""
        metric = channel.metric
        if not channel.is_fast or self._patterns.concerns(metric):
            return
        if self.suspicions.is_looking(metric):
            return
        if metric is Metric.ETCO2 and not self.senses.breaths.has_co2:
            return
        if self.bounds.is_calm(metric):
            rules = [each.rule for each in self.bounds.of(metric) if each.rule is not None]
            step_max = self._rules.data.steps.get(metric)
            quick = quick_way(channel, rules, step_max)
            quick.partner, quick.partner_differs_max = self.suspicions.partner_of(metric)
            self.quick[metric] = quick

    def _believable(
        self, channel: Channel, heard: Observation, now: Instant
    ) -> tuple[float | None, str]:
        """Return the value if a patient could have it and the sensor is on; and a refusal."""
        value, metric = heard.value, heard.metric
        if value is None or channel.is_off_by:
            return None, ""
        if heard.taken is not None and now - heard.taken > _OLD_AFTER:
            return None, f"{metric} is old"
        facts = describe(metric)
        if not facts.technical_low <= value <= facts.technical_high:
            return None, "" if value == 0 else f"{metric} {value:g} cannot be measured"
        if value == 0 and not self._zero_is_meant(metric):
            return None, ""
        return float(value), ""

    def _zero_is_meant(self, metric: Metric) -> bool:
        """Say whether a printed 0 is about the patient (no breath, no beat) or the sensor."""
        if metric in {Metric.RESP_RATE, Metric.ETCO2}:
            return self.senses.breaths.has_co2
        if metric is Metric.HEART_RATE:
            heart = self.senses.channels[metric]
            return heart.value is not None and not self._has_pulse()
        return True

    def _has_pulse(self) -> bool:
        for metric in (Metric.PULSE_RATE, Metric.SPO2):
            channel = self.senses.channels[metric]
            if channel.valid_at is not None and not channel.is_lost and not channel.is_stale:
                return True
        return False

    def _doubt(self, channel: Channel, heard: Observation, value: float, now: Instant) -> Doubt:
        """Return what speaks against letting this value decide."""
        breaths = self.senses.breaths
        if value < _ZERO_BELOW.get(heard.metric, 0.0):
            if breaths.contradicts_zero(now):
                return Doubt.CONTRADICTED
            if breaths.doubts_zero(now):
                return Doubt.EXPLAINED
        if heard.validity is Validity.QUESTIONABLE:
            return Doubt.QUESTIONABLE
        if channel.is_impossible_step(value, now, self._rules.data):
            return Doubt.STEP
        return self.suspicions.doubt(heard.metric, now)

    def revive(self, channel: Channel, value: float, now: Instant) -> None:
        """Note the newest valid value of a channel: what was lost is there again."""
        was_absent = channel.is_absent
        if channel.valid_at is None or channel.is_lost or channel.is_stale or was_absent:
            self._board.expect(later(now, self._rules.data.stale_after))
        if value != channel.value or channel.is_lost:
            channel.changed_at = now
        channel.value, channel.valid_at = value, now
        channel.is_lost = channel.is_stale = channel.is_absent = False
        if was_absent:
            self._judge_absence(channel.metric, Input.NORMAL, now)
            self._judge_blindness(now)

    def lose(self, metric: Metric, now: Instant) -> None:
        """A metric is known to give nothing now: what is present is held."""
        channel = self.senses.channels[metric]
        self.quick.pop(metric, None)
        channel.is_lost = True
        self.bounds.lose(metric, now)
        self._patterns.lose(metric, now)
        self.suspicions.lose(metric, now)

    # -- breaths

    def _tell_breaths(self, metric: Metric, value: float | None, now: Instant) -> None:
        breaths, etco2 = self.senses.breaths, self.senses.channels[Metric.ETCO2]
        if metric is Metric.ETCO2:
            breaths.hear_etco2(value, etco2.valid_at, now)
        elif metric is not Metric.RESP_RATE:
            return
        elif breaths.hear_rate(value, etco2.heard_at, now, self._rules.apnoea):
            self._breathed(now)
        else:
            self._breath_missing(now)
        self._board.expect(self._breath_due())

    def _apnoea(self) -> Watch:
        watch = self._board.get(APNOEA)
        assert watch is not None
        return watch

    def _breathed(self, now: Instant) -> None:
        watch = self._apnoea()
        if not watch.is_idle:
            self._board.judge(watch, Input.NORMAL, now)

    def _breath_missing(self, now: Instant) -> None:
        """The channel measured no breath: what is held goes on, a lost channel holds it."""
        watch, breaths = self._apnoea(), self.senses.breaths
        if not watch.is_standing:
            return
        measuring = breaths.stretch is not None
        if measuring and watch.state.condition is Condition.HELD:
            self._board.judge(watch, Input.VIOLATED, now)
        elif not measuring:
            self._board.judge(watch, Input.UNKNOWN, now)

    def lose_breaths(self, now: Instant) -> None:
        """The CO2 channel stopped measuring."""
        self.senses.breaths.lose(now)
        self._breath_missing(now)

    # -- time

    def due(self) -> Instant | None:
        """Return when the earliest clock of what was heard runs out."""
        best = self._breath_due()
        for other in (self.senses.cuff.due(), self.suspicions.due()):
            best = other if best is None or (other is not None and other < best) else best
        for channel in self.senses.channels.values():
            if channel.valid_at is None or channel.metric in _CUFF:
                continue
            for due in self._channel_dues(channel):
                if due is not None and (best is None or due < best):
                    best = due
        return best

    def _channel_dues(self, channel: Channel) -> tuple[Instant | None, Instant | None]:
        told = channel.metric in ABSENCE_TOLD
        data = self._rules.data
        return channel.stale_due(data), channel.absent_due(data) if told else None

    def _breath_due(self) -> Instant | None:
        breaths = self.senses.breaths
        due = None if self._apnoea().is_standing else breaths.due(self._rules.apnoea)
        silent = breaths.silent_due()
        return silent if due is None or (silent is not None and silent < due) else due

    def mature(self, now: Instant) -> None:
        """Let the clocks of what was heard that are due at exactly `now` act."""
        breaths = self.senses.breaths
        if not self._apnoea().is_standing and _is_due(breaths.due(self._rules.apnoea), now):
            self._tell_apnoea(now)
        if _is_due(breaths.silent_due(), now):
            self.lose_breaths(now)
        if _is_due(self.senses.cuff.due(), now):
            self._judge_cuff(now)
        if _is_due(self.suspicions.due(), now):
            self.quick.clear()
            self.suspicions.mature(now)
        for channel in self.senses.channels.values():
            if channel.valid_at is not None and channel.metric not in _CUFF:
                self._age(channel, now)

    def _age(self, channel: Channel, now: Instant) -> None:
        stale, absent = self._channel_dues(channel)
        if _is_due(stale, now):
            self.quick.pop(channel.metric, None)
            channel.is_stale = True
            self.bounds.lose(channel.metric, now)
            self._patterns.lose(channel.metric, now)
            self.suspicions.lose(channel.metric, now)
        if _is_due(absent, now):
            self.quick.pop(channel.metric, None)
            channel.is_absent = True
            self._judge_absence(channel.metric, Input.VIOLATED, now)
            self._judge_blindness(now, channel.metric)

    def _tell_apnoea(self, now: Instant) -> None:
        watch, breaths = self._apnoea(), self.senses.breaths
        assert breaths.since is not None
        lasted = in_seconds(Duration(now - breaths.since))
        cause = f": {breaths.explained[0].value.replace('_', ' ')}?" if breaths.explained else ""
        told = "" if breaths.no_breath_from is None else "the device says so; "
        watch.note = f"{told}no breath seen for {round(lasted, 1):g} s{cause}"
        self._board.judge(watch, Input.VIOLATED, now, began=breaths.since)

    # -- no data

    def _judge_absence(self, metric: Metric, happened: Input, now: Instant) -> None:
        watch = self._board.get(no_data_alarm(metric))
        assert watch is not None
        channel = self.senses.channels[metric]
        if happened is Input.VIOLATED and channel.valid_at is not None:
            gone = in_seconds(Duration(now - channel.valid_at))
            watch.note = f"no valid value for {round(gone, 1):g} s"
        self._board.judge(watch, happened, now, began=channel.valid_at)

    def _judge_blindness(self, now: Instant, gone: Metric | None = None) -> None:
        """The last respiratory channel to go carries the clock to HIGH; any that lives stops it."""
        channels = [self.senses.channels[each] for each in RESPIRATORY]
        is_blind = all(each.is_absent or each.valid_at is None for each in channels)
        for channel in channels:
            watch = self._board.get(no_data_alarm(channel.metric))
            if watch is None or not watch.is_standing:
                continue
            if is_blind and channel.metric is gone:
                watch.note = "no respiratory channel is left"
                self._board.judge(watch, Input.SEVERE, now)
            elif not is_blind:
                self._board.judge(watch, Input.VIOLATED, now)

    # -- cuff

    def _hear_cuff(self, channel: Channel, heard: Observation, now: Instant) -> str:
        channel.hear(heard.at)
        channel.heard_value = None if heard.value is None else float(heard.value)
        cuff = self.senses.cuff
        if cuff.passes_over(heard):
            return ""
        if not cuff.belongs(heard):
            self._judge_cuff(now)
        cuff.add(heard, now)
        self._board.expect(cuff.due())
        if cuff.is_complete():
            self._judge_cuff(now)
        return ""

    def _judge_cuff(self, now: Instant) -> None:
        reading = self.senses.cuff.close()
        implausible = self._board.get(NIBP_IMPLAUSIBLE)
        if reading is None or implausible is None:
            return
        if reading.fault:
            implausible.note = f"measurement set aside: {reading.fault}"
            self._board.judge(implausible, Input.VIOLATED, now)
            return
        self._board.judge(implausible, Input.NORMAL, now)
        self._judge_reading(reading, now)

    def _judge_reading(self, reading: CuffReading, now: Instant) -> None:
        for metric, value in reading.values.items():
            channel = self.senses.channels[metric]
            channel.value, channel.valid_at, channel.taken = value, now, reading.taken
            channel.is_lost = False
        note = "unconfirmed" + (f", {reading.remark}" if reading.remark else "")
        self.bounds.judge_cuff(reading.values, note, now)
        self.bounds.take_baseline(reading.values, now)
        for metric, value in reading.values.items():
            self._patterns.hear(metric, value, now)

    def inflate(self, now: Instant, *, is_on: bool) -> None:
        """A cuff began to inflate, or is empty again: the oximeter is looked at closely."""
        self.quick.clear()
        self.suspicions.inflate(now, is_on=is_on)

    def enter(self, phase: Phase) -> None:
        """A phase begins: its limits are in force from the next value on."""
        self.quick.clear()
        self.bounds.enter(phase)

    def rewatch(self, now: Instant) -> None:
        """Begin again after a stop: every age counts from now, nothing is current."""
        self.quick.clear()
        for metric, channel in self.senses.channels.items():
            if channel.valid_at is not None and metric not in _CUFF:
                channel.valid_at = now
                channel.is_lost, channel.is_absent = True, False
        for history in self.senses.histories.values():
            history.forget()
        self.senses.breaths.rearm()
        self.senses.notices.leave_all()


def _is_due(due: Instant | None, now: Instant) -> bool:
    return due is not None and due <= now
