"""A second, simpler judge of what was heard: which alarm conditions must by now be present.

It shares no code and no numbers with the alarm core; the limits of the preset stand here once more,
in its own words. It only ever demands what is beyond doubt: values that keep violating a limit, one
after the other, from one device, for longer than the delay and a margin. Whatever could excuse the
alarm core (a gap, a second source, a sensor that is off) makes this judge begin anew. So it is no
model of the core; it is the promise to the patient. Times are seconds of the loop.
"""

from typing import Final

import msgspec

from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant
from monitor.model.metric import NIBP, Metric

LATE_S: Final = 2.5
"""How much later than its delay a condition may be present: the value after an impossible step is
not judged as severe, and devices speak once a second."""

_GAP_S: Final = 3.0
_OTHER_SOURCE_S: Final = 60.0
_APNOEA_S: Final = 43.0
"""30 s without a breath, and up to 10 s more in which a device may still print its last rate."""

_EXPLAINED_S: Final = 75.0
_FLAT_BELOW: Final = 4.0
_BREATH_ABOVE: Final = 15.0
_ARMED_AFTER: Final = 8
_CUFF_LATE_S: Final = 1.5
_CUFF_EXCUSES_S: Final = 75.0
_CUFF_EXCUSED_FOR_S: Final = 30.0
"""After a cuff is empty: 15 s in which an oximeter may still feel it, and then the delay."""

_OXIMETER: Final = frozenset({Metric.SPO2, Metric.PULSE_RATE})
_SENSOR: Final = frozenset({NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT})
_EXPLAINING: Final = frozenset(
    {
        NoticeKind.AUTO_ZERO,
        NoticeKind.PURGING,
        NoticeKind.WARMING_UP,
        NoticeKind.OCCLUSION,
        NoticeKind.SAMPLE_LINE_OFF,
    }
)


class Threshold(msgspec.Struct, frozen=True):
    """Values beyond `bound` for `lasts_s` must make `alarm` present, as HIGH if `is_high`.

    `least` leaves out low values that devices also print for other reasons.
    """

    alarm: str
    metric: Metric
    is_low: bool
    bound: float
    lasts_s: float
    is_high: bool = False
    least: float = 0.0

    def is_crossed(self, value: float) -> bool:
        """Return whether `value` lies beyond the bound."""
        return self.least < value < self.bound if self.is_low else value > self.bound


_M: Final = Metric
_T: Final = Threshold
STREAMED: Final = (
    _T("spo2_low", _M.SPO2, True, 90, 10),
    _T("spo2_low", _M.SPO2, True, 85, 5, True),
    _T("pulse_rate_low", _M.PULSE_RATE, True, 50, 10),
    _T("pulse_rate_low", _M.PULSE_RATE, True, 40, 5, True),
    _T("pulse_rate_high", _M.PULSE_RATE, False, 120, 10),
    _T("pulse_rate_high", _M.PULSE_RATE, False, 140, 5, True),
    _T("heart_rate_low", _M.HEART_RATE, True, 50, 10),
    _T("heart_rate_high", _M.HEART_RATE, False, 120, 10),
    _T("resp_rate_low", _M.RESP_RATE, True, 8, 10),
    _T("resp_rate_high", _M.RESP_RATE, False, 30, 10),
    _T("etco2_low", _M.ETCO2, True, 25, 10, least=8.0),
    _T("etco2_high", _M.ETCO2, False, 50, 10),
    _T("etco2_high", _M.ETCO2, False, 60, 5, True),
)
CUFFED: Final = (
    _T("nibp_sys_high", _M.NIBP_SYS, False, 160, 0),
    _T("nibp_sys_high", _M.NIBP_SYS, False, 180, 0, True),
    _T("nibp_sys_low", _M.NIBP_SYS, True, 90, 0),
    _T("nibp_sys_low", _M.NIBP_SYS, True, 80, 0, True),
    _T("nibp_dia_high", _M.NIBP_DIA, False, 100, 0),
    _T("nibp_mean_low", _M.NIBP_MEAN, True, 60, 0),
    _T("nibp_mean_high", _M.NIBP_MEAN, False, 120, 0),
)


class Demand(msgspec.Struct, frozen=True):
    """What must be present now, and why."""

    alarm: str
    is_high: bool
    why: str


class _Stretch(msgspec.Struct):
    since_s: float
    last_s: float


class _Flatline(msgspec.Struct):
    """What was seen of one capnogram."""

    breaths: int = 0
    is_high: bool = False
    since_s: float | None = None
    last_s: float = 0.0


class Oracle:
    """Listens to what is heard; `demands` says what must be present by now."""

    def __init__(self) -> None:
        self._stretches: dict[Threshold, _Stretch] = {}
        self._speakers: dict[Metric, dict[str, float]] = {}
        self._off: set[str] = set()
        self._explained_s = -1e9
        self._is_inflated = False
        self._inflated_s = -1e9
        self._flat = _Flatline()
        self._cuff: dict[Metric, float] = {}
        self._cuff_taken: tuple[Instant | None, float] | None = None
        self._judged_taken: Instant | None = None
        self._due: list[tuple[float, Demand]] = []

    # -- listening ---------------------------------------------------------------------------------

    def hear(self, link: str, event: DeviceEvent, now_s: float) -> None:
        """Take what was heard on `link`."""
        match event:
            case Observation():
                if event.metric in NIBP:
                    self._hear_cuff(event, now_s)
                else:
                    self._hear_value(link, event, now_s)
            case WaveformSegment():
                if event.metric is Metric.CO2_WAVE:
                    self._hear_wave(event, now_s)
            case DeviceNotice():
                self._hear_notice(link, event, now_s)
            case _:
                pass  # what is refused says nothing; a device's own alarm demands nothing of ours

    def begin_anew(self, *, is_armed: bool = True) -> None:
        """Demand nothing from before: the station was away, or a person reset something.

        `is_armed`: the breaths seen before still count.
        """
        breaths = self._flat.breaths if is_armed else 0
        self._flat = _Flatline(breaths=breaths)
        self._stretches.clear()
        self._due.clear()
        self._cuff_taken = None

    def change_link(self, link: str) -> None:
        """A conversation ended or began anew: what the old one said of the device is over."""
        self._off.discard(link)
        self.begin_anew()

    @property
    def breaths(self) -> int:
        """How many breaths were seen in the capnogram."""
        return self._flat.breaths

    def _hear_value(self, link: str, event: Observation, now_s: float) -> None:
        speakers = self._speakers.setdefault(event.metric, {})
        speakers[link] = now_s
        is_alone = all(
            now_s - at_s > _OTHER_SOURCE_S for each, at_s in speakers.items() if each != link
        )
        value = event.value if event.validity is Validity.VALID else None
        is_usable = is_alone and not self._off and event.taken is None
        for threshold in STREAMED:
            if threshold.metric is not event.metric:
                continue
            if value is None or not is_usable or not threshold.is_crossed(value):
                self._stretches.pop(threshold, None)
                continue
            stretch = self._stretches.get(threshold)
            if stretch is None or now_s - stretch.last_s > _GAP_S:
                self._stretches[threshold] = _Stretch(now_s, now_s)
            else:
                stretch.last_s = now_s

    def _hear_notice(self, link: str, event: DeviceNotice, now_s: float) -> None:
        if event.notice in _EXPLAINING:
            self._explained_s = now_s
        if event.notice is NoticeKind.CUFF_INFLATING:
            self._is_inflated, self._inflated_s = event.present, now_s
        if event.notice not in _SENSOR:
            return
        if event.present:
            self._off.add(link)
        else:
            self._off.discard(link)

    def _hear_cuff(self, event: Observation, now_s: float) -> None:
        """Gather the three pressures of one determination, told at one moment."""
        key = (event.taken, now_s)
        if self._cuff_taken != key:
            self._cuff_taken, self._cuff = key, {}
        if event.value is None or event.validity is not Validity.VALID:
            return
        self._cuff[event.metric] = event.value
        if len(self._cuff) < len(NIBP):
            return
        sys, dia, mean = (self._cuff[each] for each in NIBP)
        newest = self._judged_taken
        is_new = event.taken is not None and (newest is None or event.taken > newest)
        if not dia < mean < sys or not is_new:
            return
        self._judged_taken = event.taken
        self._due += [
            (now_s + _CUFF_LATE_S, Demand(each.alarm, each.is_high, f"read {self._cuff}"))
            for each in CUFFED
            if each.is_crossed(self._cuff[each.metric])
        ]

    def _hear_wave(self, event: WaveformSegment, now_s: float) -> None:
        flat = self._flat
        if now_s - flat.last_s > _GAP_S:
            flat.since_s = None
        flat.last_s = now_s
        for sample in event.samples:
            if sample is None or sample >= _FLAT_BELOW:
                flat.since_s = None
            elif flat.since_s is None:
                flat.since_s = now_s
            if sample is not None and (sample > _BREATH_ABOVE) != flat.is_high:
                flat.is_high = not flat.is_high
                flat.breaths += flat.is_high

    def _lasts_s(self, threshold: Threshold, now_s: float) -> float:
        """Return how long it may last; a cuff, perhaps on the probe's arm, excuses for a while."""
        is_excused = self._is_inflated or now_s - self._inflated_s < _CUFF_EXCUSED_FOR_S
        excuse_s = _CUFF_EXCUSES_S if is_excused and threshold.metric in _OXIMETER else 0.0
        return threshold.lasts_s + LATE_S + excuse_s

    # -- demanding ---------------------------------------------------------------------------------

    def demands(self, now_s: float) -> list[Demand]:
        """Return what must be present at `now_s`."""
        found = [
            Demand(each.alarm, each.is_high, f"beyond {each.bound:g} since {stretch.since_s:.3f} s")
            for each, stretch in self._stretches.items()
            if now_s - stretch.last_s <= _GAP_S
            and stretch.last_s - stretch.since_s >= self._lasts_s(each, now_s)
        ]
        found += [demand for due_s, demand in self._due if due_s <= now_s]
        self._due = [each for each in self._due if each[0] > now_s]
        since_s = self._flat.since_s
        limit_s = _APNOEA_S if now_s - self._explained_s > _EXPLAINED_S else _EXPLAINED_S
        is_flat = since_s is not None and self._flat.last_s - since_s >= limit_s
        if is_flat and now_s - self._flat.last_s <= _GAP_S and self._flat.breaths >= _ARMED_AFTER:
            found.append(Demand("apnoea", True, f"no breath since {since_s:.3f} s"))
        return found
