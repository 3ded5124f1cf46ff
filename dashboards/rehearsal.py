"""Pictures to draw without a server: what the tests, the bench and the README's picture look at.

Everything is fixed: the same words give the same picture. `RecordedFeed` plays messages as a link
would, keeps what was sent, and answers as it is told; it decides nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from math import pi, sin
from typing import Final

import msgspec

from dashboards.feed import ChairFeed
from monitor.attach.messages import (
    PROTOCOL_VERSION,
    Answer,
    Command,
    Hello,
    SnapshotMessage,
    ToClient,
    TrendMessage,
    WaveMessage,
)
from monitor.model.alarm import AlarmSnapshot, Kind, Priority
from monitor.model.event import GenerationMode, Validity
from monitor.model.instant import Instant, instant_at
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Phase
from monitor.model.snapshot import (
    ChairSnapshot,
    LinkSnapshot,
    LoggedEvent,
    MetricSnapshot,
    SittingSnapshot,
    StoreSnapshot,
    Trend,
    TrendBin,
)

NOW_S: Final = 1880
BASELINE_S: Final = 20
INFUSING_S: Final = 500
APNOEA_S: Final = NOW_S - 34
BIN_S: Final = 5
_OPENED_UTC_NS: Final = 1_780_000_000_000_000_000
_NOW: Final = instant_at(NOW_S)


def _metric(metric: Metric, value: float | None, age_s: float, **facts: object) -> MetricSnapshot:
    """Return one numeric of the rehearsal, heard `age_s` seconds ago."""
    whole = {
        "metric": metric,
        "value": value,
        "validity": Validity.VALID if value is not None else Validity.NOT_AVAILABLE,
        "at": instant_at(NOW_S - age_s),
        "source": "capnostream",
    } | facts
    return msgspec.convert(whole, MetricSnapshot, strict=False)


def _pressure(sys: float, dia: float, mean: float) -> tuple[MetricSnapshot, ...]:
    """Return a cuff reading of three minutes ago."""
    taken = instant_at(NOW_S - 190)
    facts = {"taken": taken, "source": "suntech", "trend": Trend.RISING}
    return (
        _metric(Metric.NIBP_SYS, sys, 2, low=90, high=160, baseline=131, **facts),
        _metric(Metric.NIBP_DIA, dia, 2, low=50, high=100, baseline=82, **facts),
        _metric(Metric.NIBP_MEAN, mean, 2, low=60, high=120, baseline=98, **facts),
    )


def quiet() -> ChairSnapshot:
    """Return a chair in minute 23 of its infusion, with nothing amiss."""
    return ChairSnapshot(
        view=4711,
        chair="2",
        session="k-0417-1",
        now=_NOW,
        opened_utc_ns=_OPENED_UTC_NS,
        mode=GenerationMode.DEMO,
        watermark="SIMULATED",
        pseudonym="K-0417",
        preset="iv-ketamine",
        sitting=_sitting(),
        metrics=(
            _metric(Metric.SPO2, 97, 1, low=90, trend=Trend.STEADY, baseline=98),
            _metric(Metric.PULSE_RATE, 84, 1, low=50, high=120, trend=Trend.RISING, baseline=72),
            _metric(Metric.ETCO2, 38, 2, high=50, trend=Trend.STEADY, baseline=37),
            _metric(Metric.RESP_RATE, 14, 2, low=8, high=30, trend=Trend.STEADY, baseline=14),
            *_pressure(148, 91, 111),
        ),
        alarms=(),
        links=_links(),
        store=StoreSnapshot(entries=48_213, influx="away", waiting=214),
        events=_events(),
        gaps=((instant_at(820), instant_at(880)),),
    )


def _sitting() -> SittingSnapshot:
    """Return minute 23 of 40."""
    phases = (
        (Phase.SETUP, Instant(0)),
        (Phase.BASELINE, instant_at(BASELINE_S)),
        (Phase.INFUSING, instant_at(INFUSING_S)),
    )
    return SittingSnapshot(
        phase=Phase.INFUSING,
        phase_since=phases[-1][1],
        infusion_minute=(NOW_S - INFUSING_S) / 60,
        infusion_min=40,
        dose_given_mg=20.1,
        dose_mg=35,
        protocol="ketamine IV 0.5 mg/kg over 40 min",
        phases=phases,
        due=(("BP", instant_at(NOW_S + 410)), ("MOAA/S", _NOW)),
        next_phases=(Phase.OBSERVATION, Phase.PAUSED, Phase.ABORTED),
    )


def _links() -> tuple[LinkSnapshot, ...]:
    """Return two links that are well, one of them with refused frames behind it."""
    return (
        LinkSnapshot(link="capnostream", driver="capnostream", state=LinkState.UP,
                     since=Instant(0), heard_at=_NOW),
        LinkSnapshot(link="suntech", driver="suntech", state=LinkState.UP,
                     since=Instant(0), heard_at=_NOW, rejected=3),
    )  # fmt: skip


def _events() -> tuple[LoggedEvent, ...]:
    """Return the newest events, oldest first."""
    return (
        LoggedEvent(at=instant_at(BASELINE_S), what="phase", text="baseline, by nurse-1"),
        LoggedEvent(at=instant_at(INFUSING_S), what="phase", text="infusing, by nurse-1"),
        LoggedEvent(at=instant_at(880), what="gap", text="not watched for 60 s"),
        LoggedEvent(at=instant_at(1310), what="alarm", priority=Priority.MEDIUM,
                    text="SpO2 low ended after 14 s"),
        LoggedEvent(at=instant_at(1490), what="event", text="oxygen given: 2 L/min [red]nasal[/]"),
    )  # fmt: skip


def apnoea() -> ChairSnapshot:
    """Return the same chair 34 s into an apnoea: two conditions, two values that are held."""
    chair = quiet()
    spo2 = _metric(
        Metric.SPO2, 88, 1, low=90, trend=Trend.FALLING, baseline=98, priority=Priority.MEDIUM
    )
    held = {"is_held": True, "note": "no breath"}
    co2 = _metric(Metric.ETCO2, None, 34, high=50, **held)
    breaths = _metric(Metric.RESP_RATE, None, 34, low=8, high=30, priority=Priority.HIGH, **held)
    pulse = chair.metrics[1]
    raised = LoggedEvent(
        at=instant_at(APNOEA_S), what="alarm", priority=Priority.HIGH, text="Apnoea present"
    )
    return msgspec.structs.replace(
        chair,
        view=4712,
        metrics=(spo2, pulse, co2, breaths, *_pressure(158, 96, 117)),
        alarms=(
            AlarmSnapshot(
                alarm="apnoea",
                title="Apnoea",
                priority=Priority.HIGH,
                kind=Kind.PHYSIOLOGICAL,
                since=instant_at(APNOEA_S),
                metric=Metric.RESP_RATE,
                held_since=instant_at(APNOEA_S),
            ),
            AlarmSnapshot(
                alarm="spo2_low",
                title="SpO2 low",
                priority=Priority.MEDIUM,
                kind=Kind.PHYSIOLOGICAL,
                since=instant_at(NOW_S - 12),
                metric=Metric.SPO2,
                value=88,
                limit=90,
                limit_is_low=True,
            ),
        ),
        events=(*chair.events, raised),
    )


def trends(chair: ChairSnapshot, bin_s: int = BIN_S) -> TrendMessage:
    """Return the timeline up to the picture; breathing stops where the picture says apnoea."""
    end_s = int(chair.now // 1_000_000_000)
    is_apnoea = any(alarm.alarm == "apnoea" for alarm in chair.alarms)
    courses: dict[Metric, Callable[[float], float]] = {
        Metric.SPO2: lambda s: 97.4 + sin(s / 61) - (9 if is_apnoea and s > APNOEA_S else 0)
        * min(1, (s - APNOEA_S) / 30) - (6 if 1296 < s < 1322 else 0),
        Metric.PULSE_RATE: lambda s: 72 + 14 * max(0, s - INFUSING_S) / 1400 + 3 * sin(s / 37),
        Metric.ETCO2: lambda s: 37 + 2 * sin(s / 90),
        Metric.RESP_RATE: lambda s: 14 + 2 * sin(s / 47),
    }  # fmt: skip
    breathes = {Metric.ETCO2, Metric.RESP_RATE}
    bins: dict[Metric, tuple[TrendBin, ...]] = {
        metric: tuple(
            TrendBin(s, round(course(s) - 0.7, 1), round(course(s) + 0.7, 1))
            for s in range(0, end_s, bin_s)
            if not _is_gap(chair, s) and not (is_apnoea and metric in breathes and s > APNOEA_S)
        )
        for metric, course in courses.items()
    }
    for metric, base in ((Metric.NIBP_SYS, 128.0), (Metric.NIBP_DIA, 80.0)):
        bins[metric] = tuple(
            TrendBin(s // bin_s * bin_s, value, value)
            for s in range(120, end_s, 300)
            for value in (base + 24 * max(0, s - INFUSING_S) / 1400,)
            if not _is_gap(chair, s)
        )
    return TrendMessage(chair.chair, bin_s, bins, is_whole=True)


def _is_gap(chair: ChairSnapshot, s: float) -> bool:
    """Return whether nothing was watched at `s`."""
    return any(start <= instant_at(s) < end for start, end in chair.gaps)


def waves(chair: ChairSnapshot) -> tuple[WaveMessage, ...]:
    """Return the last 30 s of both waveforms; CO2 is flat where the picture says apnoea."""
    is_apnoea = any(alarm.alarm == "apnoea" for alarm in chair.alarms)
    end_s = chair.now / 1_000_000_000

    def co2(s: float) -> float:
        """Return CO2 in mmHg at `s`."""
        at = s % 4.2
        return 0.5 if is_apnoea or at > 2.2 else min(38.0, at * 90) if at < 1.9 else 12.0

    def pleth(s: float) -> float:
        """Return the pulse wave at `s`, without a unit."""
        at = s * 84 / 60 % 1
        return 1000 * (sin(pi * min(1, at * 2.6)) + 0.35 * sin(pi * max(0, min(1, at * 2 - 0.7))))

    def segment(metric: Metric, rate: int, course: Callable[[float], float]) -> WaveMessage:
        """Return 30 s of a waveform."""
        count = 30 * rate
        samples = tuple(course(end_s - (count - 1 - at) / rate) for at in range(count))
        return WaveMessage(chair.chair, metric, chair.now, rate, samples)

    return segment(Metric.CO2_WAVE, 20, co2), segment(Metric.PLETH, 75, pleth)


def messages(chair: ChairSnapshot) -> tuple[ToClient, ...]:
    """Return what a server says first about one chair."""
    hello = Hello(PROTOCOL_VERSION, "rehearsal", "north-clinic", (chair.chair,))
    return (hello, trends(chair), SnapshotMessage(chair), *waves(chair))


class RecordedFeed:
    """A link that plays messages: those at hand, then whatever `put` adds, until `end`."""

    def __init__(
        self, said: Sequence[ToClient], answer: Callable[[Command], Answer | None]
    ) -> None:
        self.sent: list[Command] = []
        self._answer = answer
        self._coming: asyncio.Queue[ToClient | None] = asyncio.Queue()
        self.put(*said)

    def put(self, *said: ToClient) -> None:
        """Let the server say something."""
        for message in said:
            self._coming.put_nowait(message)

    async def taken(self) -> None:
        """Return once everything that was said has been taken."""
        await self._coming.join()

    def end(self) -> None:
        """Let the link end."""
        self._coming.put_nowait(None)

    async def messages(self) -> AsyncIterator[ToClient]:
        """Yield what the server says, until the link ends."""
        while (message := await self._coming.get()) is not None:
            yield message
            self._coming.task_done()
        self._coming.task_done()

    async def send(self, command: Command) -> None:
        """Keep what was asked, and answer."""
        self.sent.append(command)
        answer = self._answer(command)
        if answer is not None:
            self.put(answer)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[ChairFeed]:
        """Attach to this link."""
        yield self


def accept(command: Command) -> Answer:
    """Answer yes to everything."""
    return Answer(command.number, is_accepted=True)
