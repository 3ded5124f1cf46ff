"""The memory behind the conditions of the patient: what was heard of each metric, and since when.

It holds data only. A checkpoint saves it whole, and a restarted session goes on from it.
"""

from typing import Final

import msgspec

from alarms.apnoea import BreathClock
from alarms.baseline import Baseline
from alarms.channel import Channel
from alarms.cuff import CuffReadings
from alarms.notices import Notices
from alarms.suspicion import CuffWatch, Jumps
from alarms.tally import Tally
from alarms.trend import History
from monitor.model.metric import Metric, describe

_NUMERICS: Final = tuple(each for each in Metric if not describe(each).is_wave)


class Senses(msgspec.Struct, kw_only=True):
    """Everything remembered about what was heard; saved and restored whole."""

    channels: dict[Metric, Channel]
    breaths: BreathClock
    cuff: CuffReadings
    baseline: Baseline = msgspec.field(default_factory=Baseline)
    tallies: dict[str, Tally] = {}
    histories: dict[Metric, History] = {}
    inflation: CuffWatch = msgspec.field(default_factory=CuffWatch)
    jumps: Jumps = msgspec.field(default_factory=Jumps)
    notices: Notices = msgspec.field(default_factory=Notices)


def new_senses() -> Senses:
    """Return the memory of a session in which nothing was heard yet."""
    channels = {each: Channel(metric=each) for each in _NUMERICS}
    return Senses(channels=channels, breaths=BreathClock(), cuff=CuffReadings())
