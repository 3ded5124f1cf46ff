"""What befalls one simulated session, drawn whole from one seed before anything runs.

Which *kinds* of trouble there are is drawn too: most sessions know only some, some know one alone,
now and then all of them at once or one of them to the extreme. An even mix would never show the
rare ones by themselves.
"""

from enum import StrEnum
from random import Random
from typing import Final

import msgspec

from monitor.model.metric import NIBP, Metric
from monitor.model.session import Phase
from simulators.faults import UNWORN, Wear, draw_wear
from simulators.scenario import (
    AnyEvent,
    Apnoea,
    CannulaOff,
    Cuff,
    Dose,
    Hypoventilation,
    PatientFacts,
    PhaseEntry,
    ProbeOff,
    Scenario,
)

SECONDS_MIN: Final = 120.0
SECONDS_MAX: Final = 1500.0
DEEDS_MAX: Final = 400

_M: Final = Metric
_OXIMETER: Final = frozenset({_M.SPO2, _M.PULSE_RATE})
_CAPNOGRAPH: Final = frozenset({_M.ETCO2, _M.FICO2, _M.RESP_RATE})
_COST_PER_S: Final = {"nonin": 0.9, "capnostream": 1.1, "suntech": 0.2, "senml": 0.15}
_COST_OF_SESSION: Final = 200.0
"""A session costs about the same to play whatever its devices are: few devices, a long one."""


class Blow(StrEnum):
    """A kind of thing that is done to the session from outside at one instant."""

    PULL = "cable pulled"
    PLUG = "cable plugged in"
    FALL_DUMB = "device fell dumb"
    SPEAK = "device speaks again"
    KILL = "killed"
    KILL_WHILE_WRITING = "killed while writing"
    STOP = "stopped and started"
    STEP_WALL = "wall clock stepped"
    DISK_FAILS = "disk failed"
    DISK_WORKS = "disk works again"
    ACT = "operator acted"


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One blow: `at_s` on the loop's clock, on which link, by how many seconds."""

    at_s: float
    blow: Blow
    link: str = ""
    by_s: float = 0.0


class LinkFate(msgspec.Struct, frozen=True, kw_only=True):
    """One device and its wire. `is_believed`: its frames cannot be damaged without being caught.

    `grain_s` is how far apart the bytes of a line are handed on, as by a lazy adapter.
    """

    link: str
    metrics: frozenset[Metric]
    options: dict[str, object] = {}
    to_host: Wear = UNWORN
    to_device: Wear = UNWORN
    grain_s: float = 0.2
    is_line: bool = True
    is_believed: bool = True


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is decided before a session is played.

    `drift_ppm` is how much faster the wall clock runs than the monotonic one; `uploads` says
    whether somebody takes the spool.
    """

    seed: int
    seconds: float
    scenario: Scenario
    links: tuple[LinkFate, ...]
    deeds: tuple[Deed, ...]
    drift_ppm: float = 0.0
    uploads: bool = False


def draw_fate(seed: int, seconds: float | None = None) -> Fate:
    """Return what befalls session `seed`; its length is drawn too where `seconds` is None."""
    chance = Random(f"fate {seed}")  # noqa: S311  # repeatable, not secret
    links = _links(chance, seed)
    drawn_s = _seconds(chance, links)
    seconds = drawn_s if seconds is None else seconds
    return Fate(
        seed=seed,
        seconds=seconds,
        scenario=_scenario(chance, seconds),
        links=links,
        deeds=_deeds(chance, seconds, [each.link for each in links]),
        drift_ppm=chance.choice((0.0, 0.0, 20.0, -20.0, 500.0)),
        uploads=chance.random() < 0.3,
    )


# -- devices and wires -----------------------------------------------------------------------------


def _links(chance: Random, seed: int) -> tuple[LinkFate, ...]:
    published: set[Metric] = set()
    links: list[LinkFate] = []
    for driver, metrics, waves, shares in (
        ("nonin", _OXIMETER, {_M.PLETH}, (0.35, 0.85)),
        ("capnostream", _CAPNOGRAPH, {_M.CO2_WAVE}, (0.4, 0.8)),
        ("suntech", frozenset({*NIBP, _M.CUFF_PRESSURE}), set(), (0.5, 0.75)),
    ):
        draw = chance.random()
        if draw < shares[0]:
            links.append(_line(driver, metrics | waves, chance, seed))
        if shares[0] - 0.07 < draw < shares[1]:
            published |= metrics - {_M.CUFF_PRESSURE}
    if not links or chance.random() < 0.5:
        published |= {_M.HEART_RATE, _M.TEMP}
    if published:
        links.append(_node(frozenset(published), chance, seed))
    return tuple(links)


def _line(driver: str, metrics: frozenset[Metric], chance: Random, seed: int) -> LinkFate:
    """A device on a serial line, which loses, garbles and delays bytes, but says none twice."""
    is_worn = chance.random() < 0.6
    to_host, to_device = (
        msgspec.structs.replace(draw_wear(seed * 8 + len(driver) + offset), repeat=0.0)
        for offset in (0, 100)
    )
    options: dict[str, object] = {"cycle_min": 2} if driver == "suntech" else {}
    return LinkFate(
        link=driver,
        metrics=metrics,
        options=options,
        to_host=to_host if is_worn else UNWORN,
        to_device=to_device if is_worn else UNWORN,
        grain_s=chance.choice((0.1, 0.25, 0.25, 0.5, 1.0)),
    )


def _node(metrics: frozenset[Metric], chance: Random, seed: int) -> LinkFate:
    """A node on a broker: whole messages, lost, repeated and late; seldom garbled by the node."""
    wear, is_garbled = UNWORN, chance.random() < 0.15
    if chance.random() < 0.6:
        wear = draw_wear(seed * 8, is_datagram=True)
        if not is_garbled:
            wear = msgspec.structs.replace(wear, flip=0.0, cut_off=0.0)
    return LinkFate(
        link="senml",
        metrics=metrics,
        to_host=wear,
        is_line=False,
        is_believed=not (wear.flip or wear.cut_off),
    )


def _seconds(chance: Random, links: tuple[LinkFate, ...]) -> float:
    cost = sum(_COST_PER_S[each.link] for each in links)
    drawn = _COST_OF_SESSION / (0.2 + cost) * chance.uniform(0.5, 1.6)
    return float(round(min(SECONDS_MAX, max(SECONDS_MIN, drawn))))


# -- the patient -----------------------------------------------------------------------------------


def _scenario(chance: Random, seconds: float) -> Scenario:
    infusing_s = seconds * chance.uniform(0.05, 0.2)
    return Scenario(
        title="drawn",
        description="a course drawn from a seed",
        length_s=seconds + 1,
        patient=_facts(chance),
        dose=Dose(mg_per_kg=chance.choice((0.5, 0.5, 2.0)), start_s=infusing_s, over_s=2400.0),
        cuff=Cuff(every_s=120.0, on_probe_arm=chance.random() < 0.3),
        phases=(
            PhaseEntry(phase=Phase.BASELINE, at_s=1.0),
            PhaseEntry(phase=Phase.INFUSING, at_s=infusing_s),
            PhaseEntry(phase=Phase.OBSERVATION, at_s=seconds * 0.8),
        ),
        events=tuple(_events(chance, seconds)),
    )


def _facts(chance: Random) -> PatientFacts:
    """A patient drawn from the population, or one who is ill in one respect from the start."""
    ill = chance.random() < 0.5
    what = chance.choice(("sys", "spo2", "heart_rate", "resp_rate")) if ill else ""
    return PatientFacts(
        sys=chance.uniform(75, 215) if what == "sys" else None,
        dia=None if what != "sys" else chance.uniform(45, 70),
        heart_rate=chance.choice((43.0, 47.0, 118.0, 135.0)) if what == "heart_rate" else None,
        spo2=chance.uniform(80, 92) if what == "spo2" else None,
        resp_rate=chance.choice((8.0, 26.0)) if what == "resp_rate" else None,
        gain_sys=chance.choice((None, 4.0)),
    )


def _events(chance: Random, seconds: float) -> list[AnyEvent]:
    events: list[AnyEvent] = []
    if chance.random() < 0.6:
        at_s = seconds * chance.uniform(0.25, 0.6)
        until_s = min(seconds, at_s + chance.uniform(25, 110))
        events.append(Apnoea(at_s=at_s, until_s=until_s, recovery_s=30))
    if chance.random() < 0.3:
        at_s = seconds * chance.uniform(0.1, 0.5)
        rate = chance.uniform(3, 7)
        events.append(
            Hypoventilation(at_s=at_s, until_s=min(seconds, at_s + 60), rate_per_min=rate)
        )
    for kind in (CannulaOff, ProbeOff):
        if chance.random() < 0.3:
            at_s = seconds * chance.uniform(0.1, 0.9)
            events.append(kind(at_s=at_s, until_s=min(seconds, at_s + chance.uniform(3, 90))))
    return events


# -- blows -----------------------------------------------------------------------------------------


def _deeds(chance: Random, seconds: float, links: list[str]) -> tuple[Deed, ...]:
    deeds = [
        *_spans(chance, seconds, links, (Blow.PULL, Blow.PLUG)),
        *_spans(chance, seconds, links, (Blow.FALL_DUMB, Blow.SPEAK)),
        *_spans(chance, seconds, [""], (Blow.DISK_FAILS, Blow.DISK_WORKS)),
        *_ends(chance, seconds),
        *_steps(chance, seconds),
        *_acts(chance, seconds),
    ]
    return tuple(sorted(deeds, key=lambda deed: deed.at_s)[:DEEDS_MAX])


def _when(chance: Random, seconds: float) -> float:
    return round(chance.uniform(0.5, seconds - 1), chance.choice((0, 3, 6)))


def _spans(
    chance: Random, seconds: float, links: list[str], edges: tuple[Blow, Blow]
) -> list[Deed]:
    """Draw stretches that begin with one blow and end with another."""
    deeds: list[Deed] = []
    if chance.random() < 0.6:
        return deeds
    for _ in range(chance.choice((1, 1, 2, 6))):
        link, at_s = chance.choice(links), _when(chance, seconds)
        lasts_s = chance.choice((0.3, 3.0, 12.0, 40.0, 90.0)) * chance.uniform(0.5, 1.5)
        deeds.append(Deed(at_s=at_s, blow=edges[0], link=link))
        deeds.append(Deed(at_s=min(seconds, at_s + lasts_s), blow=edges[1], link=link))
    return deeds


def _ends(chance: Random, seconds: float) -> list[Deed]:
    """Draw deaths of the process; `by_s` is how long it stays away."""
    count = chance.choice((0, 0, 1, 1, 2, 4))
    blows = (Blow.KILL, Blow.KILL, Blow.KILL_WHILE_WRITING, Blow.STOP)
    return [
        Deed(
            at_s=_when(chance, seconds),
            blow=chance.choice(blows),
            by_s=chance.choice((0.0, 0.4, 2.0, 15.0, 100.0)),
        )
        for _ in range(count)
    ]


def _steps(chance: Random, seconds: float) -> list[Deed]:
    if chance.random() < 0.7:
        return []
    by_s = (-3600.0, -5.0, -0.5, 0.5, 5.0, 3600.0)
    return [
        Deed(at_s=_when(chance, seconds), blow=Blow.STEP_WALL, by_s=chance.choice(by_s))
        for _ in range(chance.choice((1, 2)))
    ]


def _acts(chance: Random, seconds: float) -> list[Deed]:
    every_s = chance.choice((1e9, 60.0, 20.0, 5.0))
    count = min(DEEDS_MAX // 2, int(seconds / every_s))
    return [Deed(at_s=_when(chance, seconds), blow=Blow.ACT) for _ in range(count)]
