"""Chairs to play with in tests: two devices, no wires, and strategies for what happens to them."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from hypothesis import strategies as st

from alarms.limits import read_preset
from drivers.contract import NO_OPTIONS
from drivers.registry import get
from monitor.model.entry import DeviceLink, Entry, Opened, SelfCheck
from monitor.model.event import observe
from monitor.model.instant import OPENING, Instant, WallAnchor, later, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.runtime.chair import build_pipeline
from monitor.runtime.pipeline import Line, Log, Pipeline
from monitor.runtime.sessions import Wanted

PRESET: Final = (files("alarms") / "presets" / "iv-ketamine.toml").read_text(encoding="utf-8")
LIMITS: Final = read_preset(PRESET, "iv-ketamine")
UTC_NS: Final = 1_790_000_000_000_000_000
LINKS: Final = ("nonin", "capnostream")
LINES: Final = tuple(Line(link=name, driver=get(name), options=NO_OPTIONS) for name in LINKS)
OPENED: Final = Opened(
    session="s-1",
    chair="1",
    software="test",
    limits=PRESET,
    devices=tuple(
        DeviceLink(link=name, driver=name, url=f"memory://{name}", options={}) for name in LINKS
    ),
    anchor=WallAnchor(OPENING, UTC_NS),
)


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> int:
        self.entries.append(entry)
        return len(self.entries)


def make_pipeline(log: Log, opened: Opened = OPENED) -> Pipeline:
    """Return a pipeline of both lines that writes to `log`."""
    return build_pipeline(opened, LINES, LIMITS, log)


def wanted(opened: Opened = OPENED, *, resume_within_s: float = 3600) -> Wanted:
    """Return what a configuration of these lines asks for."""
    return Wanted(opened=opened, lines=LINES, limits=LIMITS, resume_within_s=resume_within_s)


# -- what can happen -------------------------------------------------------------------------------


class Happening(NamedTuple):
    """Something that happens `after_s` seconds later than the last thing."""

    after_s: float
    what: str
    link: str
    data: bytes
    deed: Deed
    alarm: str


def said_by(link: str, spo2: float | None, etco2: float | None, rate: float | None) -> bytes:
    """Return the bytes with which the device on `link` says these numbers."""
    at = OPENING
    said = {
        "nonin": [observe(Metric.SPO2, spo2, at), observe(Metric.PULSE_RATE, 70, at)],
        "capnostream": [observe(Metric.ETCO2, etco2, at), observe(Metric.RESP_RATE, rate, at)],
    }
    return get(link).encode(said[link])


_links: Final = st.sampled_from(LINKS)
_spo2: Final = st.sampled_from([98.0, 92.0, 88.0, 80.0, None])
_good: Final = st.builds(
    said_by, _links, _spo2, st.sampled_from([38.0, 60.0, 12.0, None]), st.sampled_from([14.0, 4.0])
)
_bytes: Final = st.one_of(_good, _good, _good, st.binary(max_size=40))
_deeds: Final = st.sampled_from([*Deed])
_alarms: Final = st.sampled_from(["spo2_low", "etco2_high", "link_nonin", "no_data_spo2", ""])

happenings: Final = st.lists(
    st.builds(
        Happening,
        st.sampled_from([0.0, 0.3, 1.0, 1.0, 4.0, 11.0, 31.0]),
        st.sampled_from(["bytes"] * 8 + ["up", "up", "lost", "wake", "operate", "check", "anchor"]),
        _links,
        _bytes,
        _deeds,
        _alarms,
    ),
    min_size=1,
    max_size=40,
)


def play(pipeline: Pipeline, story: Sequence[Happening], start: Instant = OPENING) -> Instant:
    """Let everything of `story` happen; return the instant of the last."""
    now = start
    for each in story:
        now = later(now, seconds(each.after_s))
        _ACTS[each.what](pipeline, each, now)
    return now


def raise_links(pipeline: Pipeline, now: Instant = OPENING) -> None:
    """Let both links come up."""
    for link in LINKS:
        change_link(pipeline, link, LinkState.UP, now)


def change_link(pipeline: Pipeline, link: str, state: LinkState, now: Instant) -> None:
    """Let a link change its state."""
    metrics = tuple(sorted(get(link).metrics))
    pipeline.change_link(LinkChange(link=link, state=state, at=now, metrics=metrics))


def _operate(pipeline: Pipeline, each: Happening, now: Instant) -> None:
    phase = Phase.BASELINE if each.deed is Deed.ENTER_PHASE else None
    action = OperatorAction(deed=each.deed, at=now, operator="nurse", alarm=each.alarm, phase=phase)
    pipeline.operate(action)


def _check(pipeline: Pipeline, each: Happening, now: Instant) -> None:
    pipeline.check_self(SelfCheck(part="disk", at=now, is_well=bool(len(each.data) % 2)))


_ACTS: Final[dict[str, Callable[[Pipeline, Happening, Instant], None]]] = {
    "bytes": lambda pipeline, each, now: pipeline.receive(each.link, each.data, now),
    "wake": lambda pipeline, each, now: pipeline.wake_link(each.link, now),
    "up": lambda pipeline, each, now: change_link(pipeline, each.link, LinkState.UP, now),
    "lost": lambda pipeline, each, now: change_link(pipeline, each.link, LinkState.LOST, now),
    "operate": _operate,
    "check": _check,
    "anchor": lambda pipeline, _, now: pipeline.anchor(WallAnchor(now, UTC_NS + now + 7)),
}


def only_record(folder: Path) -> Path:
    """Return the one record in `folder`."""
    (path,) = folder.glob("*.vigil")
    return path
