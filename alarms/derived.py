"""The waveform's own rate and end-tidal CO2: judged where no device says them, else a witness.

One source at a time for each metric (decision 0010). Where a device has ever spoken of a metric,
available or not, its numbers stay the judged ones: what it does not say during an auto-zero stays
unsaid. The waveform's number then only contradicts (`agreement.py`), bounded and in its own name.
Where a waveform arrives and no device speaks of the metric at all, the waveform's numbers are
judged by the same limits, and each alarm says so. While nobody breathes they are not available,
and the apnoea clock speaks; they are missed only once the waveform itself is gone.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from alarms.channel import Channel
from alarms.doubt import Doubt
from alarms.vitals import Vitals
from monitor.model.event import OtherReading
from monitor.model.instant import Instant, seconds
from monitor.model.metric import Metric

WAVEFORM: Final = "the CO2 waveform"
NOTE: Final = f"from {WAVEFORM}"
_EVERY: Final = seconds(1)

Witness: TypeAlias = Callable[[OtherReading, Instant], None]


def derive(vitals: Vitals, witness: Witness, now: Instant) -> None:
    """Judge, or let testify, what the waveform says of breath rate and EtCO2; once a second."""
    breaths = vitals.senses.breaths
    if not breaths.wave.is_timed or breaths.wave.sampled_at is None:
        return
    if breaths.derived_at is not None and now - breaths.derived_at < _EVERY:
        return
    breaths.derived_at = now
    rhythm, sampled = breaths.wave.rhythm, breaths.wave.sampled_at
    for metric, value in (
        (Metric.RESP_RATE, rhythm.rate(sampled)),
        (Metric.ETCO2, rhythm.etco2_now(sampled)),
    ):
        channel = vitals.senses.channels[metric]
        if channel.heard_at is not None:
            _forget_note(vitals, metric)
            witness(OtherReading(metric, WAVEFORM, value, now), now)
        else:
            _judge(vitals, channel, value, now)


def _judge(vitals: Vitals, channel: Channel, value: float | None, now: Instant) -> None:
    """Judge a number of the waveform; without one the metric is lost, but still looked for."""
    metric = channel.metric
    if value is None or channel.is_off_by or vitals.senses.breaths.explained:
        if channel.valid_at is not None:
            vitals.lose(metric, now)
            channel.valid_at = now
        return
    since = None if channel.is_lost or channel.is_stale else channel.valid_at
    channel.spoke_twice = True
    vitals.revive(channel, value, now)
    for watch in vitals.bounds.of(metric):
        watch.note = NOTE
    vitals.bounds.judge(metric, value, Doubt.NONE, now, since=since)


def _forget_note(vitals: Vitals, metric: Metric) -> None:
    """A device speaks now: what is judged from here on is not the waveform's."""
    for watch in vitals.bounds.of(metric):
        if watch.note == NOTE:
            watch.note = ""
