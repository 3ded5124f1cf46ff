"""Made-up sedation sessions as a recorder writes them: 1 Hz, with every habit of a capnograph.

Each session is a row of scenes drawn by a seed. What is true is known: which runs of printed
numbers are episodes, which zeros are a device zeroing itself, when nothing was recorded at all.
"""

from collections.abc import Iterator
from math import pi, sin
from random import Random
from typing import Final, NamedTuple

from alarms.system import AlarmSystem
from monitor.model.alarm import AlarmChange, Change
from monitor.model.event import WaveformSegment
from monitor.model.instant import Instant, in_seconds, instant_at
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, seen

DELAY_S: Final = 10
DATA_DELAY_S: Final = 29
BREATHING_TOLD: Final = frozenset({"resp_rate_low", "apnoea"})
EPISODES: Final = ("desaturation", "slow", "fading", "apnoea", "retention")
_REST_S: Final = 120
SCENES: Final = (*EPISODES, "auto_zero", "drop_out", "gap")


class Row(NamedTuple):
    """One second as recorded; None is a blank cell."""

    spo2: float | None = 97
    pulse_rate: float | None = 70
    etco2: float | None = 38
    resp_rate: float | None = 14
    co2_wave: float | None = 0


class Truth(NamedTuple):
    """What a scene was: its kind, and its first and last second; `told` are the right alarms."""

    kind: str
    start: int
    end: int
    told: frozenset[str] = frozenset()


class Session:
    """One session: `rows` by second (None where nothing was recorded), and what is true of it."""

    def __init__(self, seed: int, scenes: tuple[str, ...], *, length: int = 1800) -> None:
        self._rng = Random(seed)
        self._phase = 0.0
        self._ripple = self._rng.choice((0.0, 0.0, 1.5, 3.0))
        self._rate = self._rng.choice((12, 14, 16, 20))
        self.rows: list[Row | None] = []
        self.truths: list[Truth] = []
        self._rest(_REST_S)
        while scenes and len(self.rows) < length - 200:
            getattr(self, f"_{self._rng.choice(scenes)}")()
            self._rest(_REST_S + self._rng.randrange(40))
        self._rest(length - len(self.rows))

    def _wave(self, rate: float, peak: float = 38) -> float:
        """Return the next sample of a capnogram; a rate of 0 is a flat line."""
        self._phase = (self._phase + rate / 60) % 1
        noise = self._rng.gauss(0, 0.25)
        ripple = self._ripple / 2 * sin(2 * pi * 1.17 * len(self.rows))
        exhales = rate > 0 and self._phase > 0.5
        return round((peak if exhales else 1.0) + ripple + noise, 1)

    def _add(self, count: int, rate: float, **cells: float | None) -> None:
        for _ in range(count):
            rng = self._rng
            plain = Row(
                spo2=97 + rng.randrange(2),
                pulse_rate=70 + rng.randrange(4),
                etco2=38 + rng.randrange(2),
                resp_rate=round(rate) + rng.randrange(2),
                co2_wave=self._wave(rate, cells.get("etco2") or 38),
            )
            self.rows.append(plain._replace(**cells))

    def _rest(self, count: int) -> None:
        self._add(count, self._rate)

    def _note(self, kind: str, start: int, *told: str) -> None:
        self.truths.append(Truth(kind, start, len(self.rows) - 1, frozenset(told)))

    def _desaturation(self) -> None:
        start = len(self.rows)
        self._add(self._rng.randrange(12, 60), self._rate, spo2=self._rng.randrange(78, 90))
        self._note("desaturation", start, "spo2_low")

    def _slow(self) -> None:
        start, rate = len(self.rows), self._rng.choice((4, 5, 6, 7))
        self._add(self._rng.randrange(15, 90), rate, resp_rate=rate)
        self._note("slow", start, *BREATHING_TOLD)

    def _fading(self) -> None:
        for rate in (12, 10, 8):
            self._add(8, rate, resp_rate=rate)
        start = len(self.rows)
        self._add(20, 6, resp_rate=6)
        self._be_silent()
        self._note("fading", start, *BREATHING_TOLD)

    def _apnoea(self) -> None:
        start = self._be_silent()
        self._note("apnoea", start, *BREATHING_TOLD)

    def _be_silent(self) -> int:
        """A flat line; the device notices later. Return when it first prints a 0."""
        lag, lasts = self._rng.randrange(8, 20), self._rng.randrange(12, 40)
        shown = self._rng.choice(({"etco2": None}, {"etco2": 0}, {}))
        self._add(lag, 0, resp_rate=self._rate)
        start = len(self.rows)
        self._add(lasts, 0, resp_rate=0, **shown)
        self._add(4, self._rate, resp_rate=0, **shown)
        return start

    def _retention(self) -> None:
        for etco2 in range(40, 51, 2):
            self._add(3, self._rate, etco2=etco2)
        start = len(self.rows)
        self._add(self._rng.randrange(15, 90), self._rate, etco2=self._rng.randrange(51, 62))
        self._note("retention", start, "etco2_high")

    def _auto_zero(self) -> None:
        """Not available, a wave that may be flat or gone; then zeros beside breaths."""
        rng, start = self._rng, len(self.rows)
        lost: dict[str, float | None] = {"etco2": None}
        if rng.random() < 0.2:
            self._add(rng.randrange(1, 3), 0, resp_rate=self._rate)
        wave = rng.choice((self._rate, 0, None))
        blind: dict[str, float | None] = {} if wave is not None else {"co2_wave": None}
        first = rng.choice(({"resp_rate": self._rate}, {"resp_rate": 0.0}, {"resp_rate": None}))
        self._add(rng.randrange(2, 12), wave or 0, **lost, **blind, **first)
        shown = rng.choice(({"etco2": None}, {"etco2": 0.0}, {}))
        self._add(rng.randrange(14, 24), self._rate, resp_rate=0, **shown)
        blank = len(self.rows) - start if shown.get("etco2", 0) is None else 0
        self._note("auto_zero", start, *(("no_data_etco2",) if blank >= DATA_DELAY_S else ()))

    def _drop_out(self) -> None:
        start = len(self.rows)
        self._add(self._rng.randrange(3, 25), self._rate, spo2=None, pulse_rate=None)
        self._note("drop_out", start)

    def _gap(self) -> None:
        start = len(self.rows)
        self.rows += [None] * self._rng.randrange(32, 70)
        self._note("gap", start, "no_data_spo2")


def play(session: Session) -> list[AlarmChange]:
    """Return everything told about a session, in order."""
    system = AlarmSystem(LIMITS)
    told: list[AlarmChange] = []
    for second, row in enumerate(session.rows):
        now = instant_at(second)
        told += _let_pass(system, now)
        if row is None:
            continue
        cells = row._asdict()
        wave = cells.pop("co2_wave")
        for metric, value in cells.items():
            told += system.accept(seen(metric, value, second), now)
        if wave is not None:
            told += system.accept(WaveformSegment(Metric.CO2_WAVE, now, 1.0, (wave,)), now)
    return told


def _let_pass(system: AlarmSystem, now: Instant) -> Iterator[AlarmChange]:
    while (wake_at := system.wake_at) is not None and wake_at <= now:
        yield from system.wake(wake_at)


class Tally:
    """What became of the truths of many sessions."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}
        self.asked: dict[str, int] = {}
        self.late: list[float] = []
        self.missed: list[Truth] = []
        self.false: list[str] = []

    def take(self, session: Session, told: list[AlarmChange]) -> None:
        """Hold what was told against what is true."""
        began = [
            (in_seconds(each.at), each.alarm) for each in told if each.change is Change.PRESENT
        ]
        for truth in session.truths:
            self.asked[truth.kind] = self.asked.get(truth.kind, 0) + 1
            if truth.told:
                self._look_for(truth, began)
        for at, alarm in began:
            if not any(_explains(each, at, alarm) for each in session.truths):
                self.false.append(f"{alarm} at {at:g}")

    def _look_for(self, truth: Truth, began: list[tuple[float, str]]) -> None:
        inside = [at for at, alarm in began if alarm in truth.told and _covers(truth, at)]
        if not inside:
            self.missed.append(truth)
            return
        self.found[truth.kind] = self.found.get(truth.kind, 0) + 1
        delay = DELAY_S if truth.kind in EPISODES else DATA_DELAY_S
        self.late.append(inside[0] - truth.start - delay)


def _covers(truth: Truth, at: float) -> bool:
    return truth.start - 30 <= at <= truth.end + 2


_MAY_SAY: Final = {
    "apnoea": BREATHING_TOLD | {"etco2_low", "no_data_etco2", "no_data_resp_rate"},
    "fading": BREATHING_TOLD | {"etco2_low", "no_data_etco2", "no_data_resp_rate"},
    "gap": frozenset({"no_data_pulse_rate", "no_data_etco2", "no_data_resp_rate"}),
}


def _explains(truth: Truth, at: float, alarm: str) -> bool:
    """Say whether an alarm is right, or a plain consequence of what is true."""
    right = truth.told | _MAY_SAY.get(truth.kind, frozenset())
    return alarm in right and truth.start - 30 <= at <= truth.end + 30
