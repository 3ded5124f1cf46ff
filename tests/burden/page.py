"""The page about the study: question, method, result and limits in plain words, with tables."""

from collections.abc import Sequence
from typing import Final

from tests.alarms.score import LIMITS
from tests.burden.curves import charts
from tests.burden.grid import Filter, Study, digest, preset_point
from tests.burden.results import Results
from tests.burden.rows import Rival, Row
from tests.burden.statistics import Interval
from tests.burden.words import CURVES, LIMITS_OF_STUDY, METHOD, READING

_COLUMNS: Final = (
    "limit",
    "wait",
    "filter",
    "found",
    "share (95 %)",
    "graver found",
    "delay median, p95 s",
    "alarms/h (95 %)",
    "needless/h (95 %)",
    "under 17 s",
)
_TITLES: Final = {
    Study.SATURATION: "Low saturation (limit in %, wait: delay in s, budget in %·s)",
    Study.BREATHS: "Slow breathing (limit in /min, wait: delay in s)",
    Study.CO2: "High end-tidal CO2 (limit in mmHg, wait: delay in s)",
    Study.PAUSES: "Pauses of breathing (limit: s since the last breath)",
    Study.PRESSURE: "High systolic pressure (limit in mmHg, wait: cuff interval in min)",
}
_RIVALS_SHOWN: Final = 5
_LATER_SHOWN: Final = 3
_REAL: Final = (
    "Alarms an hour of each recording with the shipped rules; nobody marked what is true in them, "
    "so nothing here is called found or needless (see [recordings-table.md](recordings-table.md))."
)


def page(results: Results, command: str) -> str:
    """Return the page as Markdown; `command` is what was run."""
    written = (
        f"Written by `{command}` (seed {results.seed}). Preset **{LIMITS.name}**, "
        f"digest of the studied rules `{digest()}`."
    )
    shown = (
        "The shipped rule is in bold. Every point of the grid is in "
        f"[points.csv](burden/points.csv).\n\n{_tables(results)}"
    )
    parts = [
        "# How often alarms call, and what they find",
        written,
        METHOD,
        _played(results),
        f"## What came out\n\n{_summary(results)}",
        f"## Curves\n\n{READING}\n\n{_pictures(results)}",
        f"## Tables\n\n{shown}",
        f"## Real recordings\n\n{_real(results)}",
        LIMITS_OF_STUDY,
    ]
    return "\n\n".join(each.rstrip() for each in parts) + "\n"


def _played(results: Results) -> str:
    counted = ", ".join(f"{row.asked} {_NAMES[study]}" for study, row in results.shipped.items())
    hours = results.shipped[Study.SATURATION].hours
    cuffs = results.shipped[Study.PRESSURE].hours
    return (
        f"Played: {hours:.1f} h of simulated patients, {cuffs:.0f} h of cuff readings, "
        f"{results.real_hours:.1f} h of real recordings, at {results.points} points of the grid. "
        f"Episodes that should be told: {counted}."
    )


_NAMES: Final = {
    Study.SATURATION: "falls of saturation",
    Study.BREATHS: "of slow breathing",
    Study.CO2: "of high CO2",
    Study.PAUSES: "pauses",
    Study.PRESSURE: "of high pressure",
}


# -- summary ---------------------------------------------------------------------------------------


def _summary(results: Results) -> str:
    lines = [_shipped_line(study, results) for study in Study]
    lines += [_delay_line(results), _limit_line(results), _filter_line(results)]
    return "\n".join(f"* {each}" for each in lines if each)


def _shipped_line(study: Study, results: Results) -> str:
    row = results.shipped[study]
    verdict = _verdict(results.rivals[study]) + _later(results.later[study])
    return (
        f"**{_shipped_name(row)}** finds {row.found} of {row.asked}, {percent(row.sensitivity)}, "
        f"after {delays(row)} s (median, 95th percentile), and calls needlessly "
        f"{per_hour(row.needless_h)} times an hour. {verdict}"
    )


def _shipped_name(row: Row) -> str:
    match row.study:
        case Study.SATURATION:
            return f"SpO2 below {row.limit:g} % for {row.wait:g} s"
        case Study.BREATHS:
            return f"Breath rate below {row.limit:g} for {row.wait:g} s"
        case Study.CO2:
            return f"EtCO2 above {row.limit:g} mmHg for {row.wait:g} s"
        case Study.PAUSES:
            return f"Apnoea after {row.limit:g} s"
        case Study.PRESSURE:
            return f"Systolic above {row.limit:g} mmHg, a cuff every {row.wait:g} min"


def _verdict(rivals: Sequence[Rival]) -> str:
    if not rivals:
        return "No other point of the grid is as good in everything and better in something."
    certain = [each for each in rivals if each.is_certain]
    shown = "; ".join(_rival(each) for each in (certain or rivals)[:_RIVALS_SHOWN])
    if certain:
        return f"**It is dominated** beyond chance ({len(certain)} of the grid): {shown}."
    return (
        "No worse in anything and better in something, though not beyond chance in what it finds "
        f"or calls needlessly ({len(rivals)} of the grid): {shown}."
    )


def _later(later: Sequence[Rival]) -> str:
    """Say which points would find no less and call less needlessly, were it not for time."""
    if not later:
        return ""
    shown = "; ".join(_rival(each) for each in later[:_LATER_SHOWN])
    return (
        f" Were lateness no matter, {len(later)} of the grid would find no less and call less "
        f"needlessly: {shown}."
    )


def _rival(rival: Rival) -> str:
    row = rival.row
    more, found = rival.needless_h, f"{row.found} found"
    return (
        f"limit {row.limit:g}, wait {row.wait:g}, {row.filter}: {found}, {delays(row)} s, "
        f"needless {more.estimate:+.2f}/h ({more.low:+.2f} to {more.high:+.2f})"
    )


def _delay_line(results: Results) -> str:
    limit = preset_point(Study.SATURATION).limit
    without, with_delay = (results.find(Study.SATURATION, limit, each) for each in (0.0, 15.0))
    if without is None or with_delay is None or not without.alarms:
        return ""
    return (
        f"A delay of 15 s takes away {_less(without.alarms, with_delay.alarms)} of all alarms "
        f"below {limit:g} % here ({_less(without.needless, with_delay.needless)} of the needless "
        "ones); a recovery room reported 60 % (Rheineck-Leyssius), an intensive care unit 50 to "
        "67 % for 14 to 19 s (Goerges)."
    )


def _limit_line(results: Results) -> str:
    wait = preset_point(Study.SATURATION).wait
    high, low = (results.find(Study.SATURATION, each, wait) for each in (90.0, 88.0))
    if high is None or low is None or not high.alarms:
        return ""
    return (
        f"88 % in place of 90 % takes away {_less(high.alarms, low.alarms)} of all alarms here "
        f"and leaves {high.found - low.found} more of {high.asked} episodes untold; a step-down "
        "unit reported 63 % fewer alarms, and nothing about what was missed."
    )


def _less(before: int, after: int) -> str:
    return f"{100 * (before - after) / before:.0f} %" if before else "none"


def _filter_line(results: Results) -> str:
    shipped = preset_point(Study.SATURATION)
    rows = [
        row
        for row in results.rows[Study.SATURATION]
        if row.limit == shipped.limit and row.wait == shipped.wait and row.filter != Filter.BUDGET
    ]
    said = "; ".join(
        f"{row.filter}: {row.found} found, {delays(row)} s, {row.needless_h.estimate:.2f} "
        "needless an hour"
        for row in rows
    )
    return f"Filters at {shipped.limit:g} % and {shipped.wait:g} s: {said}.{_plain_clock(results)}"


def _plain_clock(results: Results) -> str:
    if results.plain_clock is None:
        return ""
    more = results.plain_clock.needless_h
    return (
        " A delay that runs on through blanks, without the core's evidence, means "
        f"{more.estimate:+.2f} needless alarms an hour ({more.low:+.2f} to {more.high:+.2f})."
    )


# -- tables and pictures ---------------------------------------------------------------------------


def _pictures(results: Results) -> str:
    made = charts(results.rows, results.real)
    return "\n\n".join(
        f"![{made[name].title}](burden/{name}.svg)\n\n{CURVES[name]}" for name in made
    )


def _tables(results: Results) -> str:
    return "\n\n".join(
        f"### {_TITLES[study]}\n\n{table(_shown(results.rows[study]))}" for study in Study
    )


def _shown(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of a page: all limits at the shipped wait, all waits at the shipped limit."""
    shipped = preset_point(rows[0].study)
    return [
        row
        for row in rows
        if row.limit == shipped.limit or (row.wait == shipped.wait and row.filter == Filter.CORE)
    ]


def table(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, the shipped one in bold."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    for row in rows:
        cells = _cells(row)
        if row.is_preset:
            cells = tuple(f"**{each}**" for each in cells)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.limit:g}",
        f"{row.wait:g}",
        row.filter.value,
        f"{row.found} of {row.asked}",
        percent(row.sensitivity),
        f"{row.deep_found} of {row.deep_asked}",
        delays(row),
        per_hour(row.alarms_h),
        per_hour(row.needless_h),
        "-" if row.brief_share is None else f"{100 * row.brief_share:.0f} %",
    )


def percent(share: Interval | None) -> str:
    """Return a share with its interval, in percent."""
    if share is None:
        return "-"
    return f"{100 * share.estimate:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"


def per_hour(rate: Interval) -> str:
    """Return a rate with its interval."""
    return f"{rate.estimate:.2f} ({rate.low:.2f} to {rate.high:.2f})"


def delays(row: Row) -> str:
    """Return the median and the 95th percentile of the delays, in s."""
    if row.delay_median_s is None or row.delay_p95_s is None:
        return "-"
    return f"{row.delay_median_s:.0f}, {row.delay_p95_s:.0f}"


def _real(results: Results) -> str:
    if not results.real_files:
        why = f": {results.why_no_real}" if results.why_no_real else ""
        return f"No recording was played{why}."
    head = "| recording | h | " + " | ".join(each.value for each in Study) + " |"
    lines = [_REAL, "", head, "|---|---|" + "---|" * len(Study)]
    for file, hours, rates in results.real_files:
        cells = ["-" if each is None else f"{each:.2f}" for each in rates]
        lines.append(f"| {file} | {hours:.2f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
