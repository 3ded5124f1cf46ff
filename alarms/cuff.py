"""Cuff readings: each measurement is judged once, whole or not at all.

A measurement is what shares one `taken` (or, from devices that do not say, arrives together). It is
complete when every pressure has come that ever came before, at the latest after `SETTLES`: one that
is lost once must not let the next measurement be closed without it. If systolic, diastolic and mean
contradict each other, all are set aside and a technical condition says so; a pulse pressure that is
unusual is only remarked on. A true extreme is never set aside for being extreme.
"""

from typing import Final

import msgspec

from monitor.model.event import Observation
from monitor.model.instant import Instant, later, seconds
from monitor.model.metric import NIBP, Metric, describe

SETTLES: Final = seconds(0.5)
_NARROW: Final = ((200.0, 50.0), (150.0, 30.0), (100.0, 15.0), (0.0, 10.0))


class CuffReading(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement. `fault` says why it was set aside, `remark` why to look twice."""

    at: Instant
    taken: Instant | None
    values: dict[Metric, float]
    fault: str = ""
    remark: str = ""


class CuffReadings(msgspec.Struct, kw_only=True):
    """Collects the values of one measurement until it can be judged.

    `usual` lists what a measurement of this chair is known to be made of.
    """

    since: Instant | None = None
    taken: Instant | None = None
    values: dict[Metric, float] = {}
    heard: list[Metric] = []
    usual: list[Metric] = []
    newest_taken: Instant | None = None
    judged_at: Instant | None = None

    def due(self) -> Instant | None:
        """Return when the pending measurement is judged with what there is."""
        return None if self.since is None else later(self.since, SETTLES)

    def passes_over(self, heard: Observation) -> bool:
        """Say whether this is a measurement that was judged before, told again, or an older one.

        What is told of it too late to be judged is waited for the next time.
        """
        if heard.taken is None or self.newest_taken is None or heard.taken > self.newest_taken:
            return False
        self._expect(heard.metric)
        return True

    def _expect(self, metric: Metric) -> None:
        if metric not in self.usual:
            self.usual.append(metric)

    def belongs(self, heard: Observation) -> bool:
        """Say whether this value is part of the pending measurement."""
        if self.since is None:
            return True
        return heard.taken == self.taken and heard.metric not in self.heard

    def add(self, heard: Observation, now: Instant) -> None:
        """Take one value, or the word that it is not available, into the pending measurement."""
        if self.since is None:
            if heard.value is None:
                return
            self.since, self.taken = now, heard.taken
            self.values, self.heard = {}, []
        self.heard.append(heard.metric)
        if heard.value is not None:
            self.values[heard.metric] = float(heard.value)

    def is_complete(self) -> bool:
        """Say whether nothing more is expected."""
        known = set(self.heard)
        return known.issuperset(NIBP) or (bool(self.usual) and known.issuperset(self.usual))

    def close(self) -> CuffReading | None:
        """Return the pending measurement, judged for plausibility, and forget it."""
        if self.since is None:
            return None
        reading = CuffReading(
            at=self.since,
            taken=self.taken,
            values=self.values,
            fault=fault_of(self.values),
            remark=remark_on(self.values),
        )
        for metric in self.heard:
            self._expect(metric)
        self.newest_taken = self.taken if self.taken is not None else self.newest_taken
        self.since = self.taken = None
        self.values, self.heard = {}, []
        return reading


def fault_of(values: dict[Metric, float]) -> str:
    """Return why these pressures cannot belong to one patient at one moment; empty if they can."""
    for metric, value in values.items():
        facts = describe(metric)
        if not facts.technical_low <= value <= facts.technical_high:
            return f"{facts.title} {value:g} cannot be measured"
    systolic, diastolic, mean = (values.get(each) for each in NIBP)
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        return f"systolic {systolic:g} is not above diastolic {diastolic:g}"
    if mean is not None and systolic is not None and mean >= systolic:
        return f"mean {mean:g} is not below systolic {systolic:g}"
    if mean is not None and diastolic is not None and mean <= diastolic:
        return f"mean {mean:g} is not above diastolic {diastolic:g}"
    return ""


def remark_on(values: dict[Metric, float]) -> str:
    """Return what is unusual about the pulse pressure; published for arterial lines, so no more."""
    systolic, diastolic, _ = (values.get(each) for each in NIBP)
    if systolic is None or diastolic is None:
        return ""
    narrow = next(least for above, least in _NARROW if systolic > above or above == 0)
    pulse = systolic - diastolic
    return f"pulse pressure {pulse:g} is narrow" if pulse < narrow else ""
