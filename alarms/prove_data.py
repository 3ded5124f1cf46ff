"""The conditions that no limit makes: apnoea, data that fail or are wrong, a late cuff."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from alarms.names import (
    ABSENCE_TOLD,
    APNOEA,
    CUFF_ON_PROBE_ARM,
    ETCO2_UNIT,
    FROZEN_CO2,
    FROZEN_OXIMETER,
    NIBP_IMPLAUSIBLE,
    NIBP_OVERDUE,
    NUMBERS_JUMP,
    RATES_DIFFER,
    REJECTED,
    link_alarm,
    no_data_alarm,
    sources_differ_alarm,
)
from alarms.ramps import SETTLED_S, Finding, enter, first, play, seconds_after, usual
from alarms.rules import DoubtRules, LimitSet
from alarms.suspicion import GROUPS
from alarms.system import Happened
from monitor.model.alarm import Kind
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    NoticeKind,
    OtherReading,
    WaveformSegment,
    observe,
)
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import NIBP, Metric, describe
from monitor.model.session import Phase

_LINK: Final = "device"
_WAVE_HZ: Final = 20
_BREATH_S: Final = 5
_OXIMETER: Final = (Metric.SPO2, Metric.PULSE_RATE)
_BREATHS: Final = (Metric.ETCO2, Metric.RESP_RATE)
# The heart is so fast that half its rate differs by more than any limit set may tolerate.
_WELL: Final[dict[Metric, float]] = {
    Metric.PULSE_RATE: 70.0,
    Metric.HEART_RATE: 140.0,
    Metric.ETCO2: 38.0,
    Metric.RESP_RATE: 12.0,
}


class _Trial(NamedTuple):
    """One condition and what should bring it about.

    `happens` says what happens in a second; the cause begins at `from_s`, and the alarm must come
    within `due_s` of it.
    """

    alarm: str
    place: str
    what: str
    due_s: float
    from_s: float
    happens: Callable[[int], Iterable[Happened]]


def prove_data(limits: LimitSet) -> Iterator[Finding]:
    """Yield one finding for each way in which data, or their absence, must be told."""
    for trial in _trials(limits):
        yield _tried(limits, trial)


def _trials(limits: LimitSet) -> Iterator[_Trial]:
    yield from _apnoeas(limits)
    yield from _absences(limits)
    yield from _equipment(limits)
    if limits.doubt is not None:
        yield from _suspicions(limits, limits.doubt)
    yield from _late_cuffs(limits)


def _tried(limits: LimitSet, trial: _Trial) -> Finding:
    told = play(limits, round(trial.from_s + trial.due_s) + 4, trial.happens)
    raised = first(told, trial.alarm)
    found = Finding(
        alarm=trial.alarm, is_well=False, text=f"{trial.what} raises nothing", place=trial.place
    )
    if raised is None:
        return found
    latency_s = seconds_after(raised, trial.from_s)
    text = f"{trial.what}: {raised.priority} after {latency_s:g} s"
    is_well = 0 <= latency_s <= trial.due_s + 1
    if not is_well:
        text += f", promised {trial.due_s:g} s"
    return msgspec.structs.replace(
        found,
        is_well=is_well,
        text=text,
        metric=raised.metric if raised.kind is Kind.PHYSIOLOGICAL else None,
        priority=raised.priority,
        delay_s=trial.due_s,
        latency_s=latency_s,
    )


def _seen(second: int, values: Mapping[Metric, float | None]) -> Iterator[Happened]:
    for metric, value in values.items():
        yield observe(metric, value, instant_at(second))


def _usual(limits: LimitSet, metrics: Iterable[Metric]) -> dict[Metric, float | None]:
    return {each: usual(limits, each) for each in metrics}


def _well(metrics: Iterable[Metric]) -> dict[Metric, float | None]:
    return {each: _WELL[each] for each in metrics}


# -- breaths


def _apnoeas(limits: LimitSet) -> Iterator[_Trial]:
    after_s = in_seconds(limits.apnoea.after)
    armed_s = _BREATH_S * limits.apnoea.arm_breaths
    drawn_s = max(SETTLED_S, armed_s)
    ways: tuple[tuple[str, float, float, Callable[[int], Iterable[Happened]]], ...] = (
        ("no breath, by the printed rate", after_s, SETTLED_S - 1, _breaths_printed),
        ("no breath, by the CO2 waveform", after_s, drawn_s - 3, _breaths_drawn(drawn_s)),
        ('the device itself says "no breath"', 0.0, SETTLED_S, _breaths_denied),
    )
    for what, due_s, from_s, happens in ways:
        yield _Trial(
            alarm=APNOEA,
            place="[apnoea]",
            what=what,
            due_s=due_s,
            from_s=from_s,
            happens=happens,
        )


def _breaths_printed(second: int) -> Iterator[Happened]:
    yield from _seen(
        second, _well(_BREATHS) if second < SETTLED_S else dict.fromkeys(_BREATHS, 0.0)
    )


def _breaths_drawn(end: int) -> Callable[[int], Iterable[Happened]]:
    # A breath is two seconds of CO2 in five; the last begins to rise at end - 3.
    def happens(second: int) -> Iterator[Happened]:
        is_high = second < end and second % _BREATH_S >= _BREATH_S - 2
        samples = (_WELL[Metric.ETCO2] * is_high,) * _WAVE_HZ
        yield WaveformSegment(Metric.CO2_WAVE, instant_at(second), float(_WAVE_HZ), samples)

    return happens


def _breaths_denied(second: int) -> Iterator[Happened]:
    if second < SETTLED_S:
        yield from _breaths_printed(second)
        return
    if second == SETTLED_S:
        yield DeviceAlarm("no_breath", instant_at(second))
    yield from _seen(second, dict.fromkeys(_BREATHS))


# -- data that do not come


def _absences(limits: LimitSet) -> Iterator[_Trial]:
    for metric in ABSENCE_TOLD:
        yield _Trial(
            alarm=no_data_alarm(metric),
            place="[data]",
            what="silence",
            due_s=in_seconds(limits.data.absent_after),
            from_s=SETTLED_S - 1,
            happens=_until(SETTLED_S, {metric: usual(limits, metric)}),
        )


def _until(end: int, values: dict[Metric, float]) -> Callable[[int], Iterable[Happened]]:
    return lambda second: _seen(second, dict(values)) if second < end else ()


def _late_cuffs(limits: LimitSet) -> Iterator[_Trial]:
    for phase, after in limits.cuff_due.items():
        yield _Trial(
            alarm=NIBP_OVERDUE,
            place="[cuff_due]",
            what=f"no cuff reading in phase {phase}",
            due_s=in_seconds(after),
            from_s=SETTLED_S,
            happens=_read_once(limits, phase),
        )


def _read_once(limits: LimitSet, phase: Phase) -> Callable[[int], Iterable[Happened]]:
    def happens(second: int) -> Iterator[Happened]:
        if second == SETTLED_S:
            yield enter(phase, second)
            yield from _seen(second, _usual(limits, NIBP))

    return happens


# -- equipment


def _equipment(limits: LimitSet) -> Iterator[_Trial]:
    at = instant_at(SETTLED_S)
    lost = LinkChange(link=_LINK, state=LinkState.LOST, at=at, metrics=_OXIMETER)
    off = DeviceNotice(NoticeKind.SENSOR_OFF, at)
    per_minute = limits.data.rejected_per_minute
    refused = tuple(FrameRejected("", b"", at) for _ in range(per_minute + 1))
    low, mean, high = sorted(usual(limits, each) for each in NIBP)
    cuff = {Metric.NIBP_SYS: low, Metric.NIBP_MEAN: mean, Metric.NIBP_DIA: high}
    bad_cuff = tuple(_seen(SETTLED_S, cuff))
    for alarm, place, what, due_s, happened in (
        (link_alarm(_LINK), "[data]", "a lost link", in_seconds(limits.data.link_delay), (lost,)),
        ("sensor_off", "[data]", "a sensor off", in_seconds(limits.data.sensor_delay), (off,)),
        (REJECTED, "[data]", f"{per_minute + 1} refusals in a minute", 0.0, refused),
        (NIBP_IMPLAUSIBLE, "", "systolic below diastolic", 0.0, bad_cuff),
    ):
        yield _Trial(
            alarm=alarm,
            place=place,
            what=what,
            due_s=due_s,
            from_s=SETTLED_S,
            happens=_once(happened),
        )


def _once(happened: tuple[Happened, ...]) -> Callable[[int], Iterable[Happened]]:
    return lambda second: happened if second == SETTLED_S else ()


# -- numbers that are there but wrong


def _suspicions(limits: LimitSet, rules: DoubtRules) -> Iterator[_Trial]:
    def trial(
        alarm: str, what: str, due_s: float, happens: Callable[[int], Iterable[Happened]]
    ) -> _Trial:
        return _Trial(
            alarm=alarm, place="[doubt]", what=what, due_s=due_s, from_s=SETTLED_S, happens=happens
        )

    frozen_s = in_seconds(rules.frozen_after)
    for alarm in (FROZEN_OXIMETER, FROZEN_CO2):
        yield trial(alarm, "numbers that never change", frozen_s, _freezing(limits, alarm))
    differ_s, unit_s = in_seconds(rules.differ_for), in_seconds(rules.unit_for)
    yield trial(RATES_DIFFER, "a pulse of half the heart rate", differ_s, _halved)
    yield trial(ETCO2_UNIT, "an EtCO2 of 5 beside breaths", unit_s, _slipped)
    if rules.cuff_max and any(each.alarm == "spo2_low" for each in limits.limits):
        yield trial(CUFF_ON_PROBE_ARM, "a pulse lost under the cuff", 0.0, _cuffed(limits))
    if rules.steps_per_minute is not None:
        count = rules.steps_per_minute
        # Counted from the first step: one a second.
        yield trial(NUMBERS_JUMP, f"{count} impossible steps", count - 1.0, _jumping(limits))
    for metric in rules.sources_differ:
        differ_s = in_seconds(rules.sources_differ_for)
        happens = _contradicted(limits, metric, rules.sources_differ[metric])
        yield trial(sources_differ_alarm(metric), "another device differs", differ_s, happens)


def _freezing(limits: LimitSet, alarm: str) -> Callable[[int], Iterable[Happened]]:
    def happens(second: int) -> Iterator[Happened]:
        moved = float(second < SETTLED_S)
        yield from _seen(second, {each: usual(limits, each) + moved for each in GROUPS[alarm]})

    return happens


def _halved(second: int) -> Iterator[Happened]:
    pulse = _WELL[Metric.HEART_RATE if second < SETTLED_S else Metric.PULSE_RATE]
    yield from _seen(second, {**_well([Metric.HEART_RATE]), Metric.PULSE_RATE: pulse})


def _slipped(second: int) -> Iterator[Happened]:
    slipped = {} if second < SETTLED_S else {Metric.ETCO2: 5.0}
    yield from _seen(second, {**_well(_BREATHS), **slipped})


def _cuffed(limits: LimitSet) -> Callable[[int], Iterable[Happened]]:
    def happens(second: int) -> Iterator[Happened]:
        if second == SETTLED_S:
            yield DeviceNotice(NoticeKind.CUFF_INFLATING, instant_at(second))
        lost = {} if second < SETTLED_S else {Metric.PULSE_RATE: None}
        yield from _seen(second, {**_usual(limits, _OXIMETER), **lost})

    return happens


def _jumping(limits: LimitSet) -> Callable[[int], Iterable[Happened]]:
    """Let the metric jump whose greatest step is least of what it has room for."""
    steps = limits.data.steps or {Metric.SPO2: 8.0}
    metric = min(
        steps, key=lambda each: steps[each] / abs(_far(limits, each) - usual(limits, each))
    )
    here, away = usual(limits, metric), _away(limits, metric, steps[metric])

    def happens(second: int) -> Iterator[Happened]:
        is_away = second >= SETTLED_S and second % 2 == SETTLED_S % 2
        yield from _seen(second, {metric: away if is_away else here})

    return happens


def _contradicted(
    limits: LimitSet, metric: Metric, tolerance: float
) -> Callable[[int], Iterable[Happened]]:
    judged, other = usual(limits, metric), _away(limits, metric, tolerance)

    def happens(second: int) -> Iterator[Happened]:
        yield from _seen(second, {metric: judged})
        if second >= SETTLED_S:
            yield OtherReading(metric, _LINK, other, Instant(instant_at(second)))

    return happens


def _away(limits: LimitSet, metric: Metric, least: float) -> float:
    """Return a value twice `least` from the usual one, or as far away as can be measured."""
    here, far = usual(limits, metric), _far(limits, metric)
    return here + math.copysign(min(2 * least, abs(far - here)), far - here)


def _far(limits: LimitSet, metric: Metric) -> float:
    """Return the end of the range that is further from the usual value."""
    here, facts = usual(limits, metric), describe(metric)
    return max(facts.technical_high, facts.technical_low, key=lambda each: abs(each - here))
