"""A table of every real recording: what was raised, missed and false. `make tables` writes it.

Episodes are counted by a plain rule of its own, which knows nothing of the alarm core: a run of
valid samples beyond the limit, without a gap longer than 5 s (twice the recording's own interval,
if that is longer), for at least the limit's delay. What the recordings' own pages say beside that
(silence of a probe, pauses of breathing, two rates that differ, doubtful stretches) stands below.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

from alarms.rules import LimitRule
from monitor.main.replay import ReplayWishes, open_items
from monitor.model.alarm import AlarmChange, Change, Kind
from monitor.model.event import DeviceEvent, Observation, WaveformSegment
from monitor.model.instant import Instant, in_seconds
from monitor.model.metric import Metric
from monitor.runtime.replay import Replay
from tests.alarms.plain_breaths import Sample, plain_breaths, plain_rates
from tests.alarms.score import LIMITS

REPOSITORY: Final = Path(__file__).parents[2]
SHARED: Final = REPOSITORY.parent / "shared" / "data"
PAGE: Final = REPOSITORY / "docs" / "recordings-table.md"
_ENDINGS: Final = frozenset({Change.ENDED, Change.LATCHED, Change.RESET})
_GAP_S: Final = 5.0
_SOON_S: Final = 10.0
_BEFORE_S: Final = 2.0


class Span(NamedTuple):
    """One of these alarms belongs between two seconds."""

    alarms: str
    start: float
    end: float


class Recording(NamedTuple):
    """A recording, how it is read, and what its page says beside the plain rule."""

    file: str
    zeros: tuple[str, ...] = ()
    facts: tuple[Span, ...] = ()
    doubtful: tuple[Span, ...] = ()


_OXIMETER: Final = ("spo2", "pulse_rate")
_PROBE: Final = "no_data_spo2"
_START_S: Final = 1329.008
RECORDINGS: Final = (
    Recording("sedation-spo2-tcco2/P009.csv", _OXIMETER),
    Recording("sedation-spo2-tcco2/P066.csv", _OXIMETER),
    Recording(
        "sedation-spo2-tcco2/P055.csv",
        _OXIMETER,
        (Span(_PROBE, 613, 666), Span(_PROBE, 1161, 1214), Span(_PROBE, 1405, 1474)),
        (Span("spo2_low pulse_rate_high pulse_rate_low", 0, 1777),),
    ),
    Recording("sedation-spo2-tcco2/P057.csv", _OXIMETER, (Span(_PROBE, 28, 605),)),
    Recording("sedation-spo2-tcco2/P085.csv", _OXIMETER),
    Recording(
        "sedation-spo2-tcco2/P126.csv",
        _OXIMETER,
        (Span(_PROBE, 307, 396), Span(_PROBE, 1051, 1112), Span(_PROBE, 1163, 1204)),
        (Span("pulse_rate_low", 420, 2450), Span("spo2_low", 16, 55)),
    ),
    Recording("icu-bidmc-numerics/bidmc_05_Numerics.csv"),
    Recording(
        "icu-bidmc-numerics/bidmc_13_Numerics.csv",
        ("resp_rate",),
        (Span("no_data_resp_rate", 245, 282), Span("no_data_resp_rate", 314, 371)),
    ),
    Recording("icu-bidmc-numerics/bidmc_22_Numerics.csv"),
    Recording("icu-bidmc-numerics/bidmc_32_Numerics.csv"),
    Recording(
        "icu-bidmc-numerics/bidmc_39_Numerics.csv",
        (),
        (Span("rates_differ", 0, 50),),
        (Span("pulse_rate_low", 0, 60),),
    ),
    Recording(
        "icu-nibp-32h/s00001-2896-10-10-00-31n.hea",
        ("spo2", "pulse_rate", "heart_rate", "resp_rate"),
    ),
    Recording("anaesthesia-bp-chart/derived_long.csv"),
    Recording(
        "defib-multiparameter/derived_long.csv",
        (),
        (),
        (Span("resp_rate_high", 1040, 1090), Span("resp_rate_high", 2660, 2710)),
    ),
    Recording(
        "capnogram-waveform/Capnography.csv.bz2",
        (),
        tuple(
            Span("apnoea", start - _START_S, start + lasts - _START_S)
            for start, lasts in (
                (1570, 51.8),
                (2170, 32.1),
                (3001, 56.2),
                (3563, 30.8),
                (3644, 41.2),
                (3912, 60.0),
            )
        ),
        (Span("resp_rate_low", 1545, 1575),),
    ),
)


class Run(NamedTuple):
    """Valid values beyond a limit, one after another; times in seconds."""

    rule: LimitRule
    start: float
    end: float

    @property
    def is_episode(self) -> bool:
        """Say whether it lasted for the delay of its limit."""
        return self.end - self.start >= in_seconds(self.rule.delay)


class Row(NamedTuple):
    """One line of the table."""

    file: str
    hours: float
    patient: int
    equipment: int
    episodes: int
    found: int
    late_s: float | None
    told: int
    facts: int
    doubtful: int
    false: int
    missed: tuple[str, ...]


def study(recording: Recording) -> Row:
    """Replay one recording and hold what was raised against the plain rule and the page."""
    told: list[AlarmChange] = []
    playing = Replay(LIMITS, told.append)
    heard: dict[Metric, list[tuple[float, float]]] = {}
    items, _, _ = open_items(_wishes(recording))
    readings: set[tuple[Metric, Instant]] = set()
    wave: list[Sample] = []
    now = Instant(0)
    for now, events in items:
        _note(events, heard, readings)
        wave.extend(_samples(events))
        playing.step(now, events)
    playing.finish(now)
    _note_wave(wave, heard)
    return _row(recording, in_seconds(now), told, _runs(heard))


def _wishes(recording: Recording) -> ReplayWishes:
    return ReplayWishes(
        file=str(SHARED / recording.file),
        limits="",
        speed="max",
        zero_is_missing=recording.zeros,
        columns=(),
        driver=None,
    )


def _note(
    events: Iterable[DeviceEvent],
    heard: dict[Metric, list[tuple[float, float]]],
    readings: set[tuple[Metric, Instant]],
) -> None:
    """Keep each new value: a cuff reading told again is not new."""
    for event in events:
        if not isinstance(event, Observation) or event.value is None:
            continue
        if event.taken is not None:
            if (event.metric, event.taken) in readings:
                continue
            readings.add((event.metric, event.taken))
        heard.setdefault(event.metric, []).append((in_seconds(event.at), event.value))


def _samples(events: Iterable[DeviceEvent]) -> Iterator[Sample]:
    for event in events:
        if isinstance(event, WaveformSegment) and event.metric is Metric.CO2_WAVE:
            first = in_seconds(event.at) - (len(event.samples) - 1) / event.rate_hz
            for number, sample in enumerate(event.samples):
                yield first + number / event.rate_hz, sample


def _note_wave(wave: Sequence[Sample], heard: dict[Metric, list[tuple[float, float]]]) -> None:
    """Keep what the plain rule reads in a waveform, where no device gives the number."""
    breaths = plain_breaths(wave)
    if Metric.RESP_RATE not in heard:
        heard[Metric.RESP_RATE] = plain_rates(breaths)
    if Metric.ETCO2 not in heard:
        heard[Metric.ETCO2] = [(each.end, each.peak) for each in breaths]


def _runs(heard: dict[Metric, list[tuple[float, float]]]) -> list[Run]:
    runs: list[Run] = []
    for rule in LIMITS.limits:
        series = heard.get(rule.metric, [])
        steps = sorted(after - before for (before, _), (after, _) in pairwise(series))
        gap_s = max(_GAP_S, 2 * steps[len(steps) // 2]) if steps else _GAP_S
        run: Run | None = None
        for at, value in series:
            is_beyond = value < rule.limit if rule.is_low else value > rule.limit
            if run is not None and is_beyond and at - run.end <= gap_s:
                run = run._replace(end=at)
                continue
            if run is not None:
                runs.append(run)
                run = None
            if is_beyond:
                run = Run(rule, at, at)
        if run is not None:
            runs.append(run)
    return runs


def _row(
    recording: Recording, span_s: float, told: Sequence[AlarmChange], runs: Sequence[Run]
) -> Row:
    raised = [each for each in told if each.change is Change.PRESENT]
    patient = [each for each in raised if each.kind is Kind.PHYSIOLOGICAL]
    episodes = [each for each in runs if each.is_episode]
    lates = [(run, _late_s(run, told)) for run in episodes]
    found = sorted(late for _, late in lates if late is not None)
    unasked = [each for each in patient if not _is_right(each, runs, recording.facts)]
    doubtful = [each for each in patient if _is_in(each, recording.doubtful)]
    facts = [each for each in recording.facts if _was_told(each, told)]
    return Row(
        file=recording.file,
        hours=span_s / 3600,
        patient=len(patient),
        equipment=len(raised) - len(patient),
        episodes=len(episodes),
        found=len(found),
        late_s=found[round(0.95 * (len(found) - 1))] if found else None,
        told=len(facts),
        facts=len(recording.facts),
        doubtful=len(doubtful),
        false=len([each for each in unasked if each not in doubtful]),
        missed=(
            *(f"{run.rule.alarm} {run.start:g}-{run.end:g}" for run, late in lates if late is None),
            *(
                f"{one.alarms} {one.start:.0f}-{one.end:.0f}"
                for one in recording.facts
                if one not in facts
            ),
            *(
                f"false {each.alarm} {in_seconds(each.at):g}"
                for each in unasked
                if each not in doubtful
            ),
        ),
    )


def _late_s(run: Run, told: Sequence[AlarmChange]) -> float | None:
    """Return how long after its delay a run was standing as an alarm; None if it never was."""
    due = run.start + in_seconds(run.rule.delay)
    for began, ended in _stood(run.rule.alarm, told):
        if began <= run.end + _SOON_S and ended >= due:
            return max(0.0, began - due)
    return None


def _stood(alarm: str, told: Sequence[AlarmChange]) -> list[tuple[float, float]]:
    """Return from when to when an alarm stood, held or not; without end where it did not end."""
    spans: list[tuple[float, float]] = []
    for change in told:
        at = in_seconds(change.at)
        if change.alarm == alarm and change.change is Change.PRESENT:
            spans.append((at, inf))
        elif change.alarm == alarm and change.change in _ENDINGS and spans[-1][1] == inf:
            spans[-1] = (spans[-1][0], at)
    return spans


def _was_told(fact: Span, told: Sequence[AlarmChange]) -> bool:
    return any(
        began <= fact.end + _BEFORE_S and ended >= fact.start
        for alarm in fact.alarms.split()
        for began, ended in _stood(alarm, told)
    )


def _is_right(change: AlarmChange, runs: Sequence[Run], facts: Sequence[Span]) -> bool:
    at = in_seconds(change.at)
    for run in runs:
        wait_s = in_seconds(run.rule.delay) + _BEFORE_S
        if run.rule.alarm == change.alarm and run.start <= at <= run.end + wait_s:
            return True
    return _is_in(change, facts)


def _is_in(change: AlarmChange, spans: Sequence[Span]) -> bool:
    at = in_seconds(change.at)
    return any(
        change.alarm in each.alarms.split() and each.start <= at <= each.end + _BEFORE_S
        for each in spans
    )


# -- the page ----------------------------------------------------------------------------------

_HEAD: Final = """# Real recordings through the alarm core

Written by `make tables` from the recordings beside the checkout, with the shipped limit set.

*Episodes* are counted by a plain rule that knows nothing of the core: valid samples beyond a limit,
no gap longer than 5 s (or twice the recording's interval), for at least the limit's delay. *Found*:
the alarm stood within 10 s of the episode's end at the latest; *late* is the 95th percentile beyond
the delay. *Page*: other facts that the recording's own page gives (a silent probe, pauses of
breathing, rates that differ), and how many were *told*. *Doubtful*: alarms about the patient where
the page itself calls the numbers a likely artefact. *False*: alarms about the patient with nothing
beyond a limit and no such fact.

| recording | h | patient | equipment | episodes | found | late s | page | told | doubtful | false |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def page(rows: Sequence[Row]) -> str:
    """Return the page as Markdown."""
    lines = [_line(each) for each in rows]
    missed = [f"* {each.file}: {one}" for each in rows for one in each.missed]
    after = "\nMissed or false, each by name and second:\n\n" + "\n".join(missed) if missed else ""
    return _HEAD + "\n".join(lines) + "\n" + after + ("\n" if after else "")


def _line(row: Row) -> str:
    late = "-" if row.late_s is None else f"{row.late_s:.1f}"
    cells = (
        row.file,
        f"{row.hours:.2f}",
        row.patient,
        row.equipment,
        row.episodes,
        row.found,
        late,
        row.facts,
        row.told,
        row.doubtful,
        row.false,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    """Write the page."""
    if not SHARED.is_dir():
        sys.stderr.write(f"no recordings beside the checkout: {SHARED.name}\n")
        return 2
    PAGE.write_text(page([study(each) for each in RECORDINGS]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
