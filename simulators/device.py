"""A device at the bedside: a driver's own device side, told on a schedule what the patient is like.

What is said to a device is the truth of the course through the measurement layer; what the device
makes of it on the wire is the driver's business, so a simulator cannot drift from its driver. The
whole state is said each time, with notices and device alarms that go on; their end is said once.

Nothing here keeps time: `step(now)` catches up, `wake_at` says when it must next be called.
"""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Final, Protocol, TypeAlias, runtime_checkable

from drivers.contract import DeviceSide, Driver
from monitor.model.event import (
    DeviceAlarm,
    DeviceEvent,
    DeviceNotice,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import (
    NS_PER_S,
    OPENING,
    Duration,
    Instant,
    in_seconds,
    later,
    seconds,
)
from monitor.model.metric import NIBP, Metric
from simulators.physiology import (
    CO2_RATE_HZ,
    NO_OCCLUSION,
    PLETH_RATE_HZ,
    Occlusion,
    Patient,
    Vitals,
)
from simulators.scenario import CablePulled

Source: TypeAlias = Callable[[Instant], Sequence[DeviceEvent]]

SAY_EVERY: Final = seconds(1)
_MODE: Final = GenerationMode.DEMO
_BREATH_METRICS: Final = frozenset({Metric.RESP_RATE, Metric.ETCO2})
_OXIMETER_METRICS: Final = frozenset({Metric.SPO2, Metric.PULSE_RATE, Metric.PLETH})
_CUFF_METRICS: Final = (*NIBP, Metric.NIBP_PULSE)
_WAVE_RATES: Final = {Metric.CO2_WAVE: CO2_RATE_HZ, Metric.PLETH: PLETH_RATE_HZ}
_NUMERICS: Final[dict[Metric, Callable[[Vitals], float | None]]] = {
    Metric.SPO2: lambda vitals: vitals.spo2,
    Metric.PULSE_RATE: lambda vitals: vitals.pulse,
    Metric.HEART_RATE: lambda vitals: vitals.hr,
    Metric.ETCO2: lambda vitals: vitals.etco2,
    Metric.FICO2: lambda vitals: vitals.fico2,
    Metric.RESP_RATE: lambda vitals: vitals.resp_rate,
    Metric.PERFUSION_INDEX: lambda vitals: vitals.perfusion,
    Metric.TEMP: lambda vitals: vitals.temp,
}


@runtime_checkable
class HasCuff(Protocol):
    """A device side that plays a cuff, and so can starve an oximeter on the same arm."""

    @property
    def is_cuff_inflated(self) -> bool:
        """Whether there is pressure in the cuff now."""


class Bedside:
    """One patient and what the devices around the bed do to each other.

    As long as no device plays a cuff, the cuff times of the course hold.
    """

    def __init__(self, patient: Patient) -> None:
        self.patient = patient
        self._occlusion: Occlusion | None = None
        # Every device of the bed is told once a second, all at the same instants.
        self._vitals = lru_cache(maxsize=2)(patient.vitals)

    def cuff(self, *, is_inflated: bool, now: Instant) -> None:
        """Take note that a device has its cuff inflated, or not, at `now`."""
        if not self.patient.scenario.cuff.on_probe_arm:
            return
        newest = self._occlusion or NO_OCCLUSION
        was_inflated = newest.end_s > in_seconds(now)
        if is_inflated and not was_inflated:
            self._occlusion = Occlusion(in_seconds(now))
        elif was_inflated and not is_inflated:
            self._occlusion = Occlusion(newest.start_s, in_seconds(now))
        elif self._occlusion is None:
            self._occlusion = NO_OCCLUSION

    def source(
        self,
        metrics: Collection[Metric],
        *,
        say_every: Duration = SAY_EVERY,
        measures_when_asked: bool = False,
    ) -> Source:
        """Return what a device that gives `metrics` is told each `say_every`.

        `measures_when_asked`: its pressures are those of this second, for the device to take up
        when a determination ends; otherwise the newest reading of the course, with its `taken`.
        """
        told = frozenset(metrics)

        def tell(now: Instant) -> Sequence[DeviceEvent]:
            before = Instant(now - say_every)
            return [
                *self._numerics(told, now),
                *self._pressures(told, now, measures_when_asked=measures_when_asked),
                *self._waves(told, before, now),
                *self._states(told, before, now),
            ]

        return tell

    def _numerics(self, told: frozenset[Metric], now: Instant) -> list[DeviceEvent]:
        vitals = self._vitals(now, self._occlusion)
        return [
            _observed(metric, value_of(vitals), now)
            for metric, value_of in _NUMERICS.items()
            if metric in told
        ]

    def _pressures(
        self, told: frozenset[Metric], now: Instant, *, measures_when_asked: bool
    ) -> list[DeviceEvent]:
        if not told.intersection(_CUFF_METRICS):
            return []
        if measures_when_asked:
            vitals = self._vitals(now, self._occlusion)
            found, taken = (vitals.sys, vitals.dia, vitals.mean, vitals.hr), None
        else:
            reading = self.patient.cuff_reading(now)
            if reading is None:
                return []
            found, taken = (reading.sys, reading.dia, reading.mean, reading.pulse), reading.taken
        return [
            _observed(metric, value, now, taken)
            for metric, value in zip(_CUFF_METRICS, found, strict=True)
            if metric in told
        ]

    def _waves(self, told: frozenset[Metric], before: Instant, now: Instant) -> list[DeviceEvent]:
        """Return the samples of the time after `before` up to and with `now`."""
        segments: list[DeviceEvent] = []
        for metric, rate_hz in _WAVE_RATES.items():
            rate = round(rate_hz)
            first, last = before * rate // NS_PER_S + 1, now * rate // NS_PER_S
            if metric not in told or last < first:
                continue
            count = last - first + 1
            samples = (
                self.patient.co2_samples(first, count)
                if metric is Metric.CO2_WAVE
                else self.patient.pleth_samples(first, count, occlusion=self._occlusion)
            )
            at = Instant(last * NS_PER_S // rate)
            segments.append(WaveformSegment(metric, at, rate_hz, tuple(samples), _MODE))
        return segments

    def _states(self, told: frozenset[Metric], before: Instant, now: Instant) -> list[DeviceEvent]:
        """Return what goes on, and the end of what went on at `before`."""
        states: list[DeviceEvent] = []
        if told & _OXIMETER_METRICS:
            present = self.patient.notices(now, self._occlusion)
            past = self.patient.notices(before, self._occlusion) if before >= OPENING else set()
            states += [
                DeviceNotice(kind, now, kind in present, mode=_MODE)
                for kind in NoticeKind
                if kind in present or kind in past
            ]
        if told & _BREATH_METRICS:
            since = self.patient.no_breath_s(now)
            if since is not None or self.patient.no_breath_s(before) is not None:
                detail = "" if since is None else f"{since} s"
                states.append(
                    DeviceAlarm(
                        "no_breath",
                        now,
                        since is not None,
                        Metric.RESP_RATE,
                        detail=detail,
                        mode=_MODE,
                    )
                )
        return states


def _observed(
    metric: Metric, value: float | None, now: Instant, taken: Instant | None = None
) -> Observation:
    validity = Validity.NOT_AVAILABLE if value is None else Validity.VALID
    number = None if value is None else float(value)
    return Observation(metric, number, validity, now, taken, _MODE)


def _never_cut(_: Instant) -> bool:
    return False


class SimulatedDevice:
    """A device side kept informed: `step` when time passes, `receive` when the host speaks.

    While `is_cut` says that its cable is pulled, the device lives on, unheard and hearing nothing.
    """

    def __init__(
        self,
        side: DeviceSide,
        source: Source,
        say_every: Duration = SAY_EVERY,
        *,
        starts_at: Instant = OPENING,
        is_cut: Callable[[Instant], bool] = _never_cut,
        bedside: Bedside | None = None,
    ) -> None:
        assert say_every > 0, "a device that is told something without end never does anything"
        self._side = side
        self._source = source
        self._say_every = say_every
        self._say_at = starts_at
        self._is_cut = is_cut
        self._bedside = bedside
        self._cuff = side if isinstance(side, HasCuff) else None

    @property
    def wake_at(self) -> Instant:
        """When `step` must next be called."""
        due = self._side.wake_at
        return self._say_at if due is None else min(self._say_at, due)

    def is_connected(self, now: Instant) -> bool:
        """Return whether its cable is plugged in."""
        return not self._is_cut(now)

    def step(self, now: Instant) -> Sequence[bytes]:
        """Do all that is due by `now`, each thing at its own instant; return what is to be sent."""
        sent: list[bytes] = []
        side = self._side
        while True:
            side_due = side.wake_at
            due = self._say_at if side_due is None else min(self._say_at, side_due)
            if due > now:
                break
            if due == self._say_at:
                side.say(self._source(due), due)
                self._say_at = later(due, self._say_every)
                side_due = side.wake_at
            if side_due is not None and side_due <= due:
                side.wake(due)
                moved = side.wake_at
                assert moved is None or moved > due, "a woken device must move its wake forward"
            sent += self._take(due)
        sent += self._take(now)
        return sent

    def receive(self, data: bytes, now: Instant) -> Sequence[bytes]:
        """Let the device hear `data` at `now`; return what it sends by then."""
        sent = list(self.step(now))
        if self.is_connected(now):
            self._side.receive(data, now)
            sent += self._take(now)
        return sent

    def _take(self, now: Instant) -> Sequence[bytes]:
        if self._bedside is not None and self._cuff is not None:
            self._bedside.cuff(is_inflated=self._cuff.is_cuff_inflated, now=now)
        sent = self._side.take_outgoing()
        return sent if self.is_connected(now) else ()


def simulate(
    driver: Driver,
    bedside: Bedside,
    *,
    metrics: Collection[Metric] | None = None,
    say_every: Duration = SAY_EVERY,
    starts_at: Instant = OPENING,
) -> SimulatedDevice:
    """Return the device of `driver` at `bedside`, on that patient's course.

    `metrics` narrows what it measures (a capnograph without its oximeter). A device with a cuff of
    its own runs its determinations itself, when its host asks; others repeat the course's.
    """
    given = driver.metrics if metrics is None else driver.metrics.intersection(metrics)
    scenario = bedside.patient.scenario
    side = driver.open_device()
    has_cuts = any(isinstance(event, CablePulled) for event in scenario.events)
    return SimulatedDevice(
        side,
        bedside.source(given, say_every=say_every, measures_when_asked=isinstance(side, HasCuff)),
        say_every,
        starts_at=starts_at,
        is_cut=(lambda now: scenario.cut(given, in_seconds(now))) if has_cuts else _never_cut,
        bedside=bedside,
    )
