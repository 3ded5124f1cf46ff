"""Entries to InfluxDB line protocol: what leaves the record, and under which name it is found.

**Identity.** InfluxDB holds one point for each measurement, set of tags and time: a second one
overwrites the first. So the identity of a point is a function of its entry's number: times keep
their millisecond, and the digits below it carry `seq mod 1,000,000`; from the millionth entry on
the tag `block` carries `seq div 1,000,000`. Two entries therefore never share an identity, whatever
clocks do, and the same entry has the same one each time it is sent. Times are in nanoseconds.

**Privacy.** Only what is named here leaves: no note, no operator, no detail or reason in words (a
port's path may hold a serial number), no pseudonym.

**Types.** A field keeps its type for ever: `value`, `limit`, `gap_s` are floats, `seq`, `taken`,
`rejected` integers, `present`, `well` booleans, all others text.
"""

import math
import re
from typing import Final

import msgspec

from monitor.model.alarm import AlarmChange
from monitor.model.entry import Closed, Entry, EntryKind, Heard, Opened, Resumed, SelfCheck, decode
from monitor.model.event import (
    DeviceAlarm,
    DeviceNotice,
    FrameRejected,
    Observation,
    WaveformSegment,
)
from monitor.model.instant import NS_PER_S, Instant, WallAnchor
from monitor.model.link import LinkChange
from monitor.model.session import OperatorAction

SEQ_SPAN: Final = 1_000_000
"""Entries that the digits below a millisecond can tell apart."""

TEXT_SIZE_MAX: Final = 128
RATE_HZ_MAX: Final = 1_000.0
"""Samples closer than a millisecond would share a time."""

NOT_SENT: Final = (EntryKind.RECEIVED, EntryKind.WOKEN, EntryKind.CHECKPOINT, EntryKind.ANCHOR)
"""Kinds that stay in the record: raw bytes, and what only a restart or a reader needs."""

_TIME_END: Final = 2**63 - SEQ_SPAN
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_TAG_SPECIAL: Final = re.compile(r"([,= ])")
_REAL: Final = "real"
_HEARD: Final[msgspec.json.Decoder[Heard]] = msgspec.json.Decoder(Heard)


class UnfitError(ValueError):
    """An entry that cannot become points; says why. It stays in the record."""


class Channel(msgspec.Struct, frozen=True, order=True):
    """What points are counted by: the measurement, and the metric, alarm or kind in it."""

    measurement: str
    what: str

    def __str__(self) -> str:
        """Return it as people read it: "vital spo2", "link nonin/nonin"."""
        return f"{self.measurement} {self.what}".rstrip()


CHANNEL_TAG: Final = {
    "vital": "metric",
    "wave": "metric",
    "alarm": "alarm",
    "event": "kind",
    "link": "device",
}
"""The tag that holds `Channel.what` in each measurement."""


def count_points(entry: Entry) -> int:
    """Return how many points an entry becomes: one a numeric, one a sample that is there.

    Raises:
        UnfitError: it cannot become points.
    """
    body = _body_of(entry)
    if body is None:
        return 0
    if isinstance(body, WaveformSegment):
        _check_rate(body)
        return sum(sample is not None for sample in body.samples)
    return 1


class Points:
    """Turns the entries of one session into lines; remembers only how its tags are written."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._drivers = {device.link: device.driver for device in opened.devices}
        self._heads: dict[tuple[int, str, str, str, str], str] = {}

    def lines(self, seq: int, entry: Entry, anchor: WallAnchor) -> list[str]:
        """Return one line for each point of the entry; `anchor` turns its instant into UTC.

        Raises:
            UnfitError: it cannot become points.
        """
        body = _body_of(entry)
        if body is None:
            return []
        if isinstance(body, Observation):
            return [self._vital(seq, entry, body, anchor)]
        if isinstance(body, WaveformSegment):
            return self._wave(seq, entry, body, anchor)
        head, fields = self._rare(seq, entry, body)
        return [f"{head} {fields}seq={seq}i {_time(seq, entry.at, anchor)}"]

    def channel(self, entry: Entry) -> Channel:
        """Return what the points of this entry are counted under.

        Raises:
            UnfitError: it cannot become points.
        """
        body = _body_of(entry)
        match body:
            case Observation():
                return Channel("vital", body.metric)
            case WaveformSegment():
                return Channel("wave", body.metric)
            case AlarmChange():
                return Channel("alarm", _clean(body.alarm))
            case LinkChange() | FrameRejected():
                return Channel("link", _clean(self._device(entry.link)))
            case _:
                return Channel("event", _event_of(body)[0])

    # -- measurements ----------------------------------------------------------------------------

    def _vital(self, seq: int, entry: Entry, seen: Observation, anchor: WallAnchor) -> str:
        head = self._head(seq, "vital", entry.link, seen.metric, self._mode(seen.mode))
        value = "" if seen.value is None else f"value={seen.value!r},"
        taken = "" if seen.taken is None else f"taken={anchor.utc_of(seen.taken)}i,"
        return (
            f'{head} {value}{taken}validity="{seen.validity}",seq={seq}i '
            f"{_time(seq, entry.at, anchor)}"
        )

    def _wave(
        self, seq: int, entry: Entry, segment: WaveformSegment, anchor: WallAnchor
    ) -> list[str]:
        _check_rate(segment)
        head = self._head(seq, "wave", entry.link, segment.metric, self._mode(segment.mode))
        period_ns = NS_PER_S / segment.rate_hz
        last = len(segment.samples) - 1
        return [
            f"{head} value={sample!r} "
            f"{_time(seq, Instant(segment.at - round((last - index) * period_ns)), anchor)}"
            for index, sample in enumerate(segment.samples)
            if sample is not None
        ]

    def _rare(self, seq: int, entry: Entry, body: object) -> tuple[str, str]:
        """Return measurement with tags, and the fields, of what comes seldom."""
        mode = self._mode(getattr(body, "mode", _REAL))
        match body:
            case AlarmChange():
                tags = f",alarm={_tag(body.alarm)}" if _clean(body.alarm) else ""
                head = self._head(seq, f"alarm{tags}", "", body.metric or "", mode)
                value = "" if body.value is None else f"value={body.value!r},"
                limit = "" if body.limit is None else f"limit={body.limit!r},"
                words = f'change="{body.change}",priority="{body.priority}",kind="{body.kind}",'
                return head, f'{words}{value}{limit}inactivation="{body.inactivation}",'
            case LinkChange():
                return self._head(seq, "link", entry.link, "", mode), f'state="{body.state}",'
            case FrameRejected():
                return self._head(seq, "link", entry.link, "", mode), "rejected=1i,"
            case _:
                kind, what, fields = _event_of(body)
                metric = getattr(body, "metric", None) or ""
                return self._head(seq, f"event,kind={kind}", entry.link, metric, mode), (
                    f'what="{_text(what)}",{fields}'
                )

    # -- tags ------------------------------------------------------------------------------------

    def _head(self, seq: int, measurement: str, link: str, metric: str, mode: str) -> str:
        key = (seq // SEQ_SPAN, measurement, link, metric, mode)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = self._made_head(*key)
        return head

    def _made_head(self, block: int, measurement: str, link: str, metric: str, mode: str) -> str:
        tags = {
            "block": str(block) if block else "",
            "chair": self._opened.chair,
            "device": self._device(link),
            "metric": metric,
            "mode": mode,
            "session": self._opened.session,
            "site": self._opened.site,
        }
        written = [f"{name}={_tag(text)}" for name, text in tags.items() if _clean(text)]
        return ",".join([measurement, *written])

    def _device(self, link: str) -> str:
        driver = self._drivers.get(link)
        return link if driver is None else f"{driver}/{link}"

    def _mode(self, mode: str) -> str:
        """Return where data come from: a session that is not real makes nothing real."""
        return mode if self._opened.mode == _REAL else self._opened.mode


def _event_of(body: object) -> tuple[str, str, str]:
    """Return kind, subject and fields of an event."""
    match body:
        case DeviceNotice():
            return "notice", body.notice, f"present={body.present},"
        case DeviceAlarm():
            return "device_alarm", body.alarm, f"present={body.present},"
        case OperatorAction():
            phase = "" if body.phase is None else f'phase="{body.phase}",'
            return "operator", body.deed, phase
        case SelfCheck():
            return "self_check", body.part, f"well={body.is_well},"
        case Resumed():
            return "session", "resumed", f"gap_s={float(body.gap_s)!r},"
        case Opened() | Closed():
            return "session", "opened" if isinstance(body, Opened) else "closed", ""
        case _:
            raise UnfitError(f"no measurement for {type(body).__name__}")


def _body_of(entry: Entry) -> object:
    """Return what the entry holds; None where that stays in the record."""
    try:
        if entry.kind is EntryKind.HEARD:  # nearly all of them
            return _HEARD.decode(entry.body)
        if entry.kind in NOT_SENT:
            return None
        return decode(entry)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnfitError(f"{entry.kind} cannot be read: {error}") from error


def _check_rate(segment: WaveformSegment) -> None:
    if not (math.isfinite(segment.rate_hz) and 0 < segment.rate_hz <= RATE_HZ_MAX):
        raise UnfitError(f"{segment.metric} at {segment.rate_hz} Hz: 1 to {RATE_HZ_MAX:g} fit")


def _time(seq: int, at: Instant, anchor: WallAnchor) -> int:
    """Return the identity in time: the millisecond of `at`, and the entry's number below it."""
    utc = anchor.utc_ns + at - anchor.at
    time = utc - utc % SEQ_SPAN + seq % SEQ_SPAN
    if not 0 <= time < _TIME_END:
        raise UnfitError(f"{utc} ns since 1970 is no time that InfluxDB can hold")
    return time


def _clean(text: str) -> str:
    """Return text without what line protocol cannot carry in a tag."""
    return _CONTROL.sub(" ", text).replace("\\", "/").strip()[:TEXT_SIZE_MAX].rstrip()


def _tag(text: str) -> str:
    return _TAG_SPECIAL.sub(r"\\\1", _clean(text))


def _text(text: str) -> str:
    return _clean(text).replace('"', "'")
