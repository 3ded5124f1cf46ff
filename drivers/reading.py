"""From a device's number to an observation, and from its status bits to edges."""

from collections.abc import Sequence

import msgspec

from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
)
from monitor.model.instant import Instant
from monitor.model.metric import Metric, describe


def read(
    metric: Metric,
    value: float | None,
    now: Instant,
    *,
    taken: Instant | None = None,
    validity: Validity = Validity.VALID,
) -> Observation:
    """Return what `value` says, in the metric's unit; outside what it can mean there is no value.

    None is not available. `validity` is that of a value which is there.
    """
    if value is None:
        return Observation(metric, None, Validity.NOT_AVAILABLE, now, taken)
    facts = describe(metric)
    if value > facts.technical_high:
        return Observation(metric, None, Validity.OVERFLOW, now, taken)
    if value < facts.technical_low:
        return Observation(metric, None, Validity.UNDERFLOW, now, taken)
    return Observation(metric, float(value), validity, now, taken)


class Flag(msgspec.Struct, frozen=True):
    """What is the case while any bit of `mask` is set: a notice, or the device's own alarm."""

    mask: int
    says: NoticeKind | str
    metric: Metric | None = None
    detail: str = ""

    def event(self, is_present: bool, now: Instant, more: str = "") -> DeviceEvent:  # noqa: FBT001
        """Return the edge."""
        detail = "; ".join(each for each in (self.detail, more) if each)
        if isinstance(self.says, NoticeKind):
            return DeviceNotice(self.says, now, is_present, detail)
        return DeviceAlarm(self.says, now, is_present, self.metric, detail=detail)


class StatusWord:
    """Remembers one status word of a device and tells each flag once when it comes and goes."""

    def __init__(self, flags: Sequence[Flag]) -> None:
        self._flags = tuple(flags)
        self._mask = 0
        for flag in flags:
            self._mask |= flag.mask
        self._word = 0

    def read(self, word: int, now: Instant, more: str = "") -> Sequence[DeviceEvent]:
        """Return the edges between the last word and this one; `more` is added to what begins."""
        word &= self._mask
        before = self._word
        if word == before:
            return ()
        self._word = word
        return [
            flag.event(bool(word & flag.mask), now, more if word & flag.mask else "")
            for flag in self._flags
            if bool(word & flag.mask) != bool(before & flag.mask)
        ]


class UnknownFields:
    """Remembers which fields nobody here knows, and tells each once; bounded."""

    def __init__(self, count_max: int = 64) -> None:
        self._count_max = count_max
        self._seen: set[str] = set()

    def meet(self, field: str, now: Instant) -> Sequence[DeviceEvent]:
        """Return the notice if `field` is met for the first time."""
        if field in self._seen or len(self._seen) >= self._count_max:
            return ()
        self._seen.add(field)
        return [DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=field[:64])]
