"""Which curves the study draws, and from which rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tests.burden.grid import Filter, Study, preset_point
from tests.burden.rows import Row
from tests.burden.statistics import Interval
from tests.burden.svg import Axis, Chart, Line, Spot

_NEEDLESS: Final = "needless alarms per patient-hour"
_FOUND: Final = "episodes found, %"
_BESIDE: Final = "beside each point: the limit, %"
_UNITS: Final = {
    Study.SATURATION: "%",
    Study.BREATHS: "/min",
    Study.CO2: "mmHg",
    Study.PAUSES: "s",
    Study.PRESSURE: "mmHg",
}
_NAMES: Final = {
    Study.SATURATION: "Low saturation",
    Study.BREATHS: "Slow breathing",
    Study.CO2: "High end-tidal CO2",
    Study.PAUSES: "Pauses of breathing",
    Study.PRESSURE: "High systolic pressure",
}
_OTHERS: Final = (
    ("breaths", Study.BREATHS, "delay"),
    ("co2", Study.CO2, "delay"),
    ("pauses", Study.PAUSES, ""),
    ("pressure", Study.PRESSURE, "cuff interval"),
)


def charts(rows: dict[Study, list[Row]], real: Sequence[Row]) -> dict[str, Chart]:
    """Return every chart by the name of its file; `real` are the rows of the recordings.

    A study in which no episode was asked for has none.
    """
    found: dict[str, Chart] = {}
    saturation = rows[Study.SATURATION]
    if _core(saturation):
        found["saturation-delays"] = _by_wait(saturation, "delay")
        found["saturation-filters"] = _by_filter(saturation)
        found["saturation-lateness"] = _lateness(saturation)
    for name, study, what in _OTHERS:
        if _core(rows[study]):
            found[name] = _by_wait(rows[study], what)
    if real:
        found["recordings"] = _recordings(real)
    return found


def _range(interval: Interval | None, times: float = 1.0) -> tuple[float, float] | None:
    return None if interval is None else (interval.low * times, interval.high * times)


def _spot(row: Row, labelled: bool) -> Spot:  # noqa: FBT001  # as a line asks for it
    assert row.sensitivity is not None
    return Spot(
        x=row.needless_h.estimate,
        y=100 * row.sensitivity.estimate,
        x_range=_range(row.needless_h),
        y_range=_range(row.sensitivity, 100),
        label=f"{row.limit:g}" if labelled else "",
        is_preset=row.is_preset,
    )


def _tradeoff(title: str, beside: str, note: str, lines: Iterable[Line]) -> Chart:
    kept = tuple(each for each in lines if each.spots)
    most = max(spot.x for line in kept for spot in line.spots)
    least = min(spot.y for line in kept for spot in line.spots)
    floor = max(0.0, 10 * (least // 10) - 10)
    x = Axis(_NEEDLESS, 0.0, max(1.0, 1.1 * most), root=True)
    return Chart(title, beside, note, x, Axis(_FOUND, floor, 100.0), kept)


def _core(rows: Iterable[Row]) -> list[Row]:
    return [each for each in rows if each.filter is Filter.CORE and each.sensitivity is not None]


def _lines_by_wait(rows: Sequence[Row], spot: Callable[[Row, bool], Spot]) -> tuple[Line, ...]:
    """Return a line for each wait, the spots of it by `spot`; the shipped one has intervals."""
    study = rows[0].study
    unit = "min" if study is Study.PRESSURE else "s"
    shipped = preset_point(study).wait
    return tuple(
        Line(
            f"{wait:g} {unit}",
            tuple(spot(row, wait == shipped) for row in rows if row.wait == wait),
            has_intervals=wait == shipped,
        )
        for wait in sorted({row.wait for row in rows})
    )


def _by_wait(rows: Sequence[Row], what: str) -> Chart:
    """One line for each wait, along it the limits."""
    core, study = _core(rows), rows[0].study
    lines = _lines_by_wait(core, _spot)
    beside = f"beside each point: the limit, {_UNITS[study]}"
    if study is Study.PAUSES:
        beside = "beside each point: after how many seconds without a breath"
        limits = [row.limit for row in core]
        lines = (lines[0]._replace(name=f"{min(limits):g} to {max(limits):g} s"),)
    return _tradeoff(f"{_NAMES[study]}: found and needless", beside, what or "alarm after", lines)


def _by_filter(rows: Sequence[Row]) -> Chart:
    """One line for each filter at the shipped delay, along it the limits; budgets by their size."""
    shipped = preset_point(Study.SATURATION)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.filter is Filter.BUDGET:
            groups.setdefault(f"budget {row.wait:g} %·s", []).append(row)
        elif row.wait == shipped.wait:
            groups.setdefault(f"{row.filter.value}, {row.wait:g} s", []).append(row)
    lines = [
        Line(
            name,
            tuple(_spot(each, number == 0) for each in group),
            has_intervals=number == 0,
        )
        for number, (name, group) in enumerate(groups.items())
    ]
    return _tradeoff("Low saturation: what stands before the decision", _BESIDE, "filter", lines)


def _late_spot(row: Row, labelled: bool) -> Spot:  # noqa: FBT001  # as a line asks for it
    median = row.delay_median_s or 0.0
    return _spot(row, labelled)._replace(x=median, x_range=(median, row.delay_p95_s or 0.0))


def _lateness(rows: Sequence[Row]) -> Chart:
    core = [each for each in _core(rows) if each.delay_median_s is not None]
    lines = _lines_by_wait(core, _late_spot)
    most = max(each.delay_p95_s or 0.0 for each in core)
    least = min(spot.y for line in lines for spot in line.spots)
    return Chart(
        "Low saturation: found and how late",
        _BESIDE,
        "delay",
        Axis("detection delay, s: median, with a line to the 95th percentile", 0.0, most),
        Axis(_FOUND, max(0.0, 10 * (least // 10) - 10), 100.0),
        lines,
    )


def _rate_spot(row: Row, labelled: bool) -> Spot:  # noqa: ARG001, FBT001  # the axis says the limit
    return Spot(row.limit, row.alarms_h.estimate, is_preset=row.is_preset)


def _recordings(real: Sequence[Row]) -> Chart:
    """Show rates without intervals: so few recordings have intervals wider than the chart."""
    core = [each for each in real if each.study is Study.SATURATION and each.filter is Filter.CORE]
    limits = [row.limit for row in core]
    most = max(row.alarms_h.estimate for row in core)
    lines = _lines_by_wait(core, _rate_spot)
    return Chart(
        "Low saturation in the real recordings",
        "all recordings with a saturation together",
        "delay",
        Axis("limit, %", min(limits), max(limits)),
        Axis("alarms per patient-hour", 0.0, 1.15 * most),
        tuple(each._replace(has_intervals=False) for each in lines),
    )
