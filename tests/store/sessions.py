"""Sessions to store in tests: strategies for entries, and small records on disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from monitor.model.alarm import AlarmChange, Change, Kind, Priority
from monitor.model.entry import (
    Body,
    Closed,
    DeviceLink,
    Entry,
    EntryKind,
    Opened,
    Resumed,
    SelfCheck,
    encode,
)
from monitor.model.event import (
    WITH_VALUE,
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
)
from monitor.model.instant import Instant, WallAnchor
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.store.layout import record_path
from monitor.store.record import Record

OPENED_UTC_NS: Final = 1_790_000_000_123_456_789
SESSION: Final = "north-2-20261123"
LINK: Final = "nonin"
HOUR_NS: Final = 3_600_000_000_000

OPENED: Final = Opened(
    session=SESSION,
    chair="2",
    software="test",
    limits="",
    devices=(
        DeviceLink(link=LINK, driver="nonin", url="serial:///dev/serial/by-id/usb-SN4711"),
        DeviceLink(link="co2", driver="capnostream", url="tcp://10.0.0.7:4001"),
    ),
    anchor=WallAnchor(Instant(0), OPENED_UTC_NS),
    site="north, clinic",
    pseudonym="K-0417",
)


def opening(opened: Opened = OPENED) -> Entry:
    """Return the first entry of a session."""
    return Entry(EntryKind.OPENED, Instant(0), "", encode(opened))


def heard(at_ns: int, value: float | None = 97.0, metric: Metric = Metric.SPO2) -> Entry:
    """Return one observation as an entry."""
    validity = Validity.NOT_AVAILABLE if value is None else Validity.VALID
    body = Observation(metric, value, validity, Instant(at_ns))
    return Entry(EntryKind.HEARD, Instant(at_ns), LINK, encode(body))


def wave(at_ns: int, samples: Iterable[float | None], rate_hz: float = 75.0) -> Entry:
    """Return one waveform segment as an entry."""
    body = WaveformSegment(Metric.PLETH, Instant(at_ns), rate_hz, tuple(samples))
    return Entry(EntryKind.HEARD, Instant(at_ns), LINK, encode(body))


def make_record(data_dir: Path, entries: Iterable[Entry], session: str = SESSION) -> Path:
    """Write a closed record of these entries and return its path."""
    path = record_path(data_dir, session)
    record = Record.create(path, session)
    for entry in entries:
        record.append(entry)
    record.close()
    return path


# --- strategies ----------------------------------------------------------------------------------

instants = st.integers(0, 96 * HOUR_NS).map(Instant)
links = st.sampled_from(["", LINK, "co2", "a=b, c", "x\\", "\n", "é"])
modes = st.sampled_from(GenerationMode)
metrics = st.sampled_from(Metric)
words = st.text(max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Draw an observation that the model allows."""
    validity = draw(st.sampled_from(Validity))
    value = draw(numbers) if validity in WITH_VALUE else None
    taken = draw(st.none() | instants)
    return Observation(draw(metrics), value, validity, draw(instants), taken, draw(modes))


waves = st.builds(
    WaveformSegment,
    metrics,
    instants,
    st.sampled_from([20.0, 75.0, 62.5, 999.7, 1000.0]),
    st.lists(st.none() | numbers, max_size=12).map(tuple),
    modes,
)
heard_bodies: st.SearchStrategy[Body] = st.one_of(
    observations(),
    waves,
    st.builds(DeviceNotice, st.sampled_from(NoticeKind), instants, st.booleans(), words, modes),
    st.builds(DeviceAlarm, words, instants, st.booleans(), st.none() | metrics, words, words),
    st.builds(FrameRejected, words, st.binary(max_size=8), instants),
)
alarm_changes = st.builds(
    AlarmChange,
    at=instants,
    alarm=words,
    change=st.sampled_from(Change),
    priority=st.sampled_from(Priority),
    kind=st.sampled_from(Kind),
    metric=st.none() | metrics,
    value=st.none() | numbers,
    limit=st.none() | numbers,
    reason=words,
    operator=words,
)
actions = st.builds(
    OperatorAction,
    deed=st.sampled_from(Deed),
    at=instants,
    operator=words,
    alarm=words,
    phase=st.none() | st.sampled_from(Phase),
    note=words,
)
link_changes = st.builds(
    LinkChange, link=links, state=st.sampled_from(LinkState), at=instants, reason=words
)
anchors = st.builds(
    WallAnchor, instants, st.integers(OPENED_UTC_NS - HOUR_NS, OPENED_UTC_NS + HOUR_NS)
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Draw any entry that may follow an opening."""
    kind = draw(st.sampled_from([kind for kind in EntryKind if kind is not EntryKind.OPENED]))
    return Entry(kind, draw(instants), draw(links), draw(_bodies_of(kind)))


def _bodies_of(kind: EntryKind) -> st.SearchStrategy[bytes]:
    bodies: dict[EntryKind, st.SearchStrategy[Body] | st.SearchStrategy[WallAnchor]] = {
        EntryKind.HEARD: heard_bodies,
        EntryKind.ALARM: alarm_changes,
        EntryKind.OPERATOR: actions,
        EntryKind.LINK: link_changes,
        EntryKind.ANCHOR: anchors,
        EntryKind.RESUMED: st.builds(Resumed, anchor=anchors, gap_s=numbers),
        EntryKind.SELF_CHECK: st.builds(SelfCheck, part=words, at=instants, is_well=st.booleans()),
        EntryKind.CLOSED: st.builds(Closed, at=instants, reason=words),
    }
    if kind not in bodies:
        return st.binary(max_size=20)
    return bodies[kind].map(encode)
