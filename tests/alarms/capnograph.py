"""Sedation sessions through a made-up capnograph: breaths first, numbers from them, 1 Hz.

`sedation.py` writes rows as they look; here a patient breathes, and a capnograph with habits of its
own (averaging, lag, how it zeroes itself, what it prints meanwhile) makes rows of that. Habits are
drawn by session, so that a rule which fits one capnograph only is found out.
"""

from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from tests.alarms.sedation import Row

_LENGTH_S: Final = 1800
_REST_S: Final = 100
_PAUSE_S: Final = 20
_SHORT_PAUSE_S: Final = 15
KINDS: Final = (
    "desaturation",
    "slow",
    "apnoea",
    "fading",
    "retention",
    "shallow",
    "zeroing",
    "zeroing",
    "zeroing",
    "zeroing_while_slow",
    "zeroing_into_apnoea",
    "apnoea_into_zeroing",
    "zeroing_then_apnoea",
    "oximeter_off",
    "gap",
)
Cell = float | None


class Habits(NamedTuple):
    """How one capnograph, its recorder and its patient are."""

    average_s: int
    peak_s: int
    zero_after_s: float
    resumes_after: int
    no_breath_etco2: str
    lost_etco2: str
    lost_rate: str
    zeros_etco2: str
    lost_wave: str
    zeroing_s: tuple[int, int]
    zeros_s: tuple[int, int]
    flat_before_max: int
    zeros_before_max: int
    leaves_rows_out: bool
    rate: float
    share: float
    peak: float
    noise: float
    ripple: float
    decimals: int


def habits(rng: Random) -> Habits:
    """Draw how the capnograph of one session is."""
    return Habits(
        average_s=rng.choice((10, 15, 20, 30, 60)),
        peak_s=rng.choice((5, 10, 20)),
        zero_after_s=rng.choice((12, 15, 20, 20, 30)),
        resumes_after=rng.choice((1, 2, 2, 3)),
        no_breath_etco2=rng.choice(("zero", "none", "held")),
        lost_etco2=rng.choice(("none", "none", "none", "zero")),
        lost_rate=rng.choice(("held", "zero", "none")),
        zeros_etco2=rng.choice(("none", "zero", "held")),
        lost_wave=rng.choice(("breaths", "flat", "none")),
        zeroing_s=rng.choice(((2, 4), (3, 10), (6, 14))),
        zeros_s=rng.choice(((14, 24), (18, 22), (16, 30), (15, 40))),
        flat_before_max=rng.choice((0, 0, 1, 3)),
        zeros_before_max=rng.choice((0, 0, 0, 3)),
        leaves_rows_out=rng.random() < 0.2,
        rate=rng.choice((10, 12, 14, 15, 16, 18, 20, 24)),
        share=rng.choice((0.35, 0.45, 0.55)),
        peak=rng.choice((28, 32, 38, 45)),
        noise=rng.choice((0.0, 0.3, 0.8)),
        ripple=rng.choice((0.0, 0.0, 1.5, 3.0)),
        decimals=rng.choice((0, 0, 1)),
    )


class Second(NamedTuple):
    """What is true of one second: whether the patient breathes, and what the device does."""

    breathes: bool
    is_zeroing: bool
    is_slow: bool = False
    is_flagged: bool = False


class How(NamedTuple):
    """How one second is recorded: whether the device zeroes itself, and what its waveform shows."""

    is_zeroing: bool = False
    wave: str = "breaths"
    is_flagged: bool = False


_PLAIN: Final = How()
_ZEROING: Final = How(is_zeroing=True)


class Capnograph:
    """Plays a patient and the device second by second into `rows` and `truth`."""

    def __init__(
        self, seed: int, kinds: tuple[str, ...] = KINDS, *, length: int = _LENGTH_S
    ) -> None:
        self._rng = rng = Random(seed)
        self.habits = habits(rng)
        self.rows: list[Row | None] = []
        self.truth: list[Second] = []
        self._phase = rng.random()
        self._stretch = 1.0
        apart = 60 / self.habits.rate
        self._breaths = [(-apart * number, float(self.habits.peak)) for number in range(20, 0, -1)]
        self._since_silence = 0
        self._peak = self.habits.peak
        self.kinds: list[str] = []
        self._breathe(120)
        while kinds and len(self.rows) < length - 250:
            kind = rng.choice(kinds)
            self.kinds.append(kind)
            getattr(self, f"_{kind}")()
            self._breathe(_REST_S + rng.randrange(60))
        self._breathe(max(0, length - len(self.rows)))

    # -- the patient

    @property
    def apnoeas(self) -> list[tuple[float, float]]:
        """Return the pauses between breaths longer than 20 s: from one breath's end to the next."""
        ends = [at for at, _ in self._breaths] + [float(len(self.rows))]
        return [(one, other) for one, other in pairwise(ends) if other - one > _PAUSE_S]

    def _step_patient(self, rate: float, peak: float) -> float:
        """Let one second of breathing pass; return the CO2 at its end."""
        now = len(self.rows)
        if rate <= 0:
            self._phase = 0.0
            return 0.0
        self._phase += rate / 60 * self._stretch
        while self._phase >= 1:
            self._phase -= 1
            at = now - self._phase * 60 / (rate * self._stretch)
            self._breaths.append((at, peak + self._rng.gauss(0, 1)))
            self._stretch = max(0.6, self._rng.gauss(1, 0.1))
        place = (self._phase - (1 - self.habits.share)) / self.habits.share
        return 0.0 if place < 0 else peak * min(1.0, 0.55 + place)

    def _co2(self, plain: float) -> float:
        own = self.habits
        shaken = plain + self._rng.gauss(0, own.noise) + self._rng.uniform(0, own.ripple)
        return round(max(0.0, shaken), own.decimals)

    # -- what the device prints

    def _numbers(self) -> tuple[Cell, Cell]:
        """Return breath rate and EtCO2 as measured, without any zeroing."""
        now, own = len(self.rows), self.habits
        last = self._breaths[-1][0] if self._breaths else -99.0
        if now - last > own.zero_after_s:
            self._since_silence = len(self._breaths)
            shown = {"zero": 0.0, "none": None, "held": round(self._peak)}
            return 0.0, shown[own.no_breath_etco2]
        counted = self._breaths[self._since_silence :]
        if len(counted) <= own.resumes_after:
            return 0.0, 0.0 if own.no_breath_etco2 == "zero" else round(self._peak)
        window = [each for each in counted if now - each[0] <= own.average_s]
        window = window if len(window) > 1 else counted[-2:]
        rate = 60 * (len(window) - 1) / (window[-1][0] - window[0][0])
        self._peak = max(peak for at, peak in counted[-8:] if now - at <= own.peak_s or at == last)
        return float(round(rate)), float(round(self._peak))

    def _add(self, rate: float, peak: float, how: How = _PLAIN, **cells: Cell) -> None:
        co2 = self._step_patient(rate, peak)
        printed, etco2 = self._numbers()
        rng = self._rng
        seen: Cell = {"breaths": self._co2(co2), "flat": self._co2(0.0), "none": None}[how.wave]
        row = Row(
            spo2=97 + rng.randrange(2),
            pulse_rate=70 + rng.randrange(4),
            etco2=etco2,
            resp_rate=printed,
            co2_wave=seen,
        )
        self.rows.append(row._replace(**cells))
        last = self._breaths[-1][0] if self._breaths else -99.0
        breathes = len(self.rows) - last < _SHORT_PAUSE_S
        self.truth.append(Second(breathes, how.is_zeroing, rate < 8, how.is_flagged))

    def _breathe(
        self, count: int, rate: float | None = None, peak: float | None = None, **cells: Cell
    ) -> None:
        own = self.habits
        for _ in range(count):
            self._add(own.rate if rate is None else rate, peak or own.peak, _PLAIN, **cells)

    # -- what happens

    def _desaturation(self) -> None:
        self._breathe(self._rng.randrange(11, 60), spo2=self._rng.randrange(78, 90))

    def _slow(self) -> None:
        self._breathe(self._rng.randrange(40, 120), self._rng.choice((3, 4, 5, 6, 6.5)))

    def _fading(self) -> None:
        own = self.habits
        for part in (0.8, 0.6, 0.45):
            self._breathe(15, own.rate * part, own.peak * (0.6 + part / 2))
        self._apnoea()

    def _shallow(self) -> None:
        self._breathe(60, None, 0.45 * self.habits.peak)

    def _apnoea(self) -> None:
        self._breathe(self._rng.randrange(20, 75), 0)

    def _retention(self) -> None:
        self._breathe(self._rng.randrange(30, 90), None, self._rng.randrange(52, 62))

    def _oximeter_off(self) -> None:
        self._breathe(self._rng.randrange(3, 25), spo2=None, pulse_rate=None)

    def _gap(self) -> None:
        for _ in range(self._rng.randrange(31, 70)):
            self._step_patient(self.habits.rate, self.habits.peak)
            self.rows.append(None)
            self.truth.append(Second(True, False))

    def _zeroing(
        self, rate: float | None = None, after: float | None = None, during: float | None = None
    ) -> None:
        """Zero the device while the patient breathes at `rate`, `during` it and `after`."""
        own, rng = self.habits, self._rng
        breathing = own.rate if rate is None else rate
        during = breathing if during is None else during
        after = during if after is None else after
        for _ in range(rng.randint(0, own.flat_before_max)):
            self._add(breathing, own.peak, How(is_zeroing=True, wave="flat"))
        for _ in range(rng.randint(0, own.zeros_before_max)):
            self._add(breathing, own.peak, _ZEROING, resp_rate=0.0)
        held = self.rows[-1].resp_rate if self.rows[-1] else 0.0
        shown: dict[str, Cell] = {"held": held, "zero": 0.0, "none": None}
        lost_etco2 = None if own.lost_etco2 == "none" else 0.0
        for _ in range(rng.randint(*own.zeroing_s)):
            self._add(
                during,
                own.peak,
                How(is_zeroing=True, wave=own.lost_wave, is_flagged=True),
                etco2=lost_etco2,
                resp_rate=shown[own.lost_rate],
            )
        self._zeros(after)

    def _zeros(self, rate: float) -> None:
        """Print zeros until enough breaths are counted, however long that takes."""
        own, rng = self.habits, self._rng
        etco2: dict[str, Cell] = {"held": round(own.peak), "zero": 0.0, "none": None}
        left = rng.randint(*own.zeros_s)
        needed = len(self._breaths) + own.resumes_after
        while left > 0 or (rate > 0 and len(self._breaths) < needed):
            self._add(
                rate,
                own.peak,
                _ZEROING,
                etco2=etco2[own.zeros_etco2],
                resp_rate=0.0,
            )
            left -= 1
        if rate > 0:
            self._since_silence = len(self._breaths) - own.resumes_after - 1

    def _zeroing_while_slow(self) -> None:
        self._breathe(self._rng.randrange(0, 40), 6)
        self._zeroing(6)
        self._breathe(self._rng.randrange(20, 60), 6)

    def _zeroing_into_apnoea(self) -> None:
        self._zeroing(None, 0, 0)
        self._breathe(self._rng.randrange(20, 60), 0)

    def _zeroing_then_apnoea(self) -> None:
        self._zeroing()
        self._breathe(self._rng.randrange(1, 15))
        self._apnoea()

    def _apnoea_into_zeroing(self) -> None:
        self._breathe(self._rng.randrange(8, 30), 0)
        self._zeroing(0)
        self._breathe(self._rng.randrange(5, 30), 0)
