"""Named courses of a sitting, read from TOML: who, how much, what happens when, what must be said.

All times are seconds from the opening of the session. A course is a fact sheet, not a program: what
the events do to the patient stands in `simulators.course`, what they do to a wire in
`simulators.device`.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.model.session import Phase

LENGTH_S_MAX: Final = 5 * 24 * 3600.0
EVENTS_MAX: Final = 1000

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Second: TypeAlias = Annotated[float, Meta(ge=0, le=LENGTH_S_MAX)]
Span: TypeAlias = Annotated[float, Meta(gt=0, le=LENGTH_S_MAX)]
Rate: TypeAlias = Annotated[float, Meta(ge=0, le=60)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file in which an unknown key is an error."""


class Event(_Strict, frozen=True, kw_only=True, tag_field="kind"):
    """Something that happens to patient or equipment from `at_s` until `until_s`."""

    at_s: Second
    until_s: Second

    def covers(self, s: float) -> bool:
        """Return whether it is going on at `s` seconds."""
        return self.at_s <= s < self.until_s


class Hypoventilation(Event, frozen=True, kw_only=True, tag="hypoventilation"):
    """Breathing slows to `rate_per_min` over `ramp_s` seconds, and stays so."""

    rate_per_min: Rate
    ramp_s: Span = 30.0


class Apnoea(Event, frozen=True, kw_only=True, tag="apnoea"):
    """No breath at all; afterwards `recovery_rate_per_min` for `recovery_s` seconds."""

    recovery_rate_per_min: Rate = 18.0
    recovery_s: Span = 60.0


class CannulaOff(Event, frozen=True, kw_only=True, tag="cannula_off"):
    """The patient breathes, but past the cannula: CO2 is flat and no breath is seen."""


class ProbeOff(Event, frozen=True, kw_only=True, tag="probe_off"):
    """The oximeter's probe is off the finger, and the oximeter knows."""


class CablePulled(Event, frozen=True, kw_only=True, tag="cable_pulled"):
    """The link of each device that carries `carries` is cut; the device itself goes on."""

    carries: Metric


AnyEvent: TypeAlias = Hypoventilation | Apnoea | CannulaOff | ProbeOff | CablePulled


class PatientFacts(_Strict, frozen=True, kw_only=True):
    """Traits that this course fixes. What is left out is drawn from the seed.

    Pressures in mmHg, rates per minute. A gain of 1 is the mean response to the drug
    (12.6 and 8.4 mmHg at the peak of 0.5 mg/kg over 40 min).
    """

    weight_kg: Annotated[float, Meta(ge=30, le=250)] = 70.0
    age: Annotated[int, Meta(ge=18, le=110)] = 42
    sys: Annotated[float, Meta(ge=70, le=220)] | None = None
    dia: Annotated[float, Meta(ge=40, le=130)] | None = None
    heart_rate: Annotated[float, Meta(ge=40, le=140)] | None = None
    resp_rate: Annotated[float, Meta(ge=8, le=28)] | None = None
    spo2: Annotated[float, Meta(ge=80, le=100)] | None = None
    gain_sys: Annotated[float, Meta(ge=-5, le=10)] | None = None
    gain_dia: Annotated[float, Meta(ge=-5, le=10)] | None = None


class Dose(_Strict, frozen=True, kw_only=True):
    """One infusion at a constant rate."""

    mg_per_kg: Annotated[float, Meta(ge=0, le=10)] = 0.5
    start_s: Second = 300.0
    over_s: Span = 2400.0


class Cuff(_Strict, frozen=True, kw_only=True):
    """When a cuff measures by itself: `inflated_s` seconds from `first_s`, then each `every_s`."""

    first_s: Second = 0.0
    every_s: Span = 300.0
    inflated_s: Annotated[float, Meta(ge=5, le=180)] = 30.0
    on_probe_arm: bool = False


class PhaseEntry(_Strict, frozen=True, kw_only=True):
    """The sitting enters `phase` at `at_s`."""

    phase: Phase
    at_s: Second


class Expected(_Strict, frozen=True, kw_only=True):
    """One of the alarms `any_of` must become present from `from_s` to `to_s`.

    Names may hold `*`: the name of a link is not the course's to know.
    """

    any_of: Annotated[tuple[str, ...], Meta(min_length=1)]
    from_s: Second
    to_s: Second


class Scenario(_Strict, frozen=True, kw_only=True):
    """One course. `name` is that of its file.

    A live demo plays the first `fast_forward_s` seconds at once, as history, so that what the
    course is about happens within a minute of a person looking. `allowed` names alarms that may
    come and need not; any other alarm than an expected or allowed one is false.
    """

    title: str
    description: str
    length_s: Span
    fast_forward_s: Second = 0.0
    patient: PatientFacts = PatientFacts()
    dose: Dose | None = None
    cuff: Cuff = Cuff()
    phases: tuple[PhaseEntry, ...] = ()
    events: Annotated[tuple[AnyEvent, ...], Meta(max_length=EVENTS_MAX)] = ()
    expected: tuple[Expected, ...] = ()
    allowed: tuple[str, ...] = ()
    name: str = ""

    @property
    def dose_mg(self) -> float:
        """Return the whole dose in mg; 0 without one."""
        return 0.0 if self.dose is None else self.dose.mg_per_kg * self.patient.weight_kg

    def rate_mg_min(self, s: float) -> float:
        """Return how fast the drug runs in during the second that begins at `s`."""
        if self.dose is None or not self.dose.start_s <= s < self.dose.start_s + self.dose.over_s:
            return 0.0
        return self.dose_mg / self.dose.over_s * 60.0

    def phase(self, s: float) -> Phase:
        """Return the phase at `s` seconds."""
        entered = [entry.phase for entry in self.phases if entry.at_s <= s]
        return entered[-1] if entered else Phase.SETUP

    def cut(self, metrics: Iterable[Metric], s: float) -> bool:
        """Return whether the cable of a device that gives `metrics` is pulled at `s`."""
        return any(
            isinstance(event, CablePulled) and event.carries in set(metrics) and event.covers(s)
            for event in self.events
        )

    def expects(self, alarm: str) -> bool:
        """Return whether `alarm` may become present in this course at all."""
        patterns = [*self.allowed, *(name for each in self.expected for name in each.any_of)]
        return any(fnmatchcase(alarm, pattern) for pattern in patterns)


def names() -> tuple[str, ...]:
    """Return the names of the courses that ship with Vigil, sorted."""
    folder = files("simulators") / "scenarios"
    found = (each.name for each in folder.iterdir())
    return tuple(sorted(name[:-5] for name in found if name.endswith(".toml")))


def load(name: str) -> Scenario:
    """Return the shipped course `name`.

    Raises:
        ConfigError: there is none of that name, or its file is wrong.
    """
    if name not in names():
        raise ConfigError(f"scenario {name!r} is unknown; there are: {', '.join(names())}")
    path = files("simulators") / "scenarios" / f"{name}.toml"
    return read(path.read_text(encoding="utf-8"), f"{name}.toml")


def read(text: str, where: str) -> Scenario:
    """Return the course written in `text`; `where` names its file in errors.

    Raises:
        ConfigError: names file, key and what would be right.
    """
    try:
        scenario = msgspec.toml.decode(text, type=Scenario)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ConfigError(f"{where}: {_plain(str(error))}") from error
    named = msgspec.structs.replace(scenario, name=where.rpartition("/")[2].removesuffix(".toml"))
    _check_order(named, where)
    return named


def _plain(message: str) -> str:
    """Return a decoder's sentence with the key in front: `events[0].at_s: Expected ...`."""
    split = re.fullmatch(r"(.*) - at `\$\.?(.*)`", message, flags=re.DOTALL)
    return f"{split[2]}: {split[1]}" if split else message


def _check_order(scenario: Scenario, where: str) -> None:
    """Refuse times that run backwards or past the end."""
    spans = [(f"events[{i}]", each.at_s, each.until_s) for i, each in enumerate(scenario.events)]
    spans += [
        (f"expected[{i}]", each.from_s, each.to_s) for i, each in enumerate(scenario.expected)
    ]
    for key, start, end in spans:
        if end <= start:
            raise ConfigError(f"{where}: {key}: ends at {end} s; must end after {start} s")
    latest = [
        *((f"{key} end", end) for key, _, end in spans),
        *((f"phases[{i}].at_s", each.at_s) for i, each in enumerate(scenario.phases)),
        ("fast_forward_s", scenario.fast_forward_s),
    ]
    for key, s in latest:
        if s > scenario.length_s:
            raise ConfigError(
                f"{where}: {key}: {s} s is past the end; must be at most length_s"
                f" = {scenario.length_s}"
            )
    entries = [each.at_s for each in scenario.phases]
    if entries != sorted(entries):
        raise ConfigError(f"{where}: phases: at_s runs backwards; list them in order of time")
    if scenario.cuff.every_s <= scenario.cuff.inflated_s:
        raise ConfigError(
            f"{where}: cuff.every_s: {scenario.cuff.every_s} leaves the cuff no rest;"
            f" must exceed inflated_s = {scenario.cuff.inflated_s}"
        )
