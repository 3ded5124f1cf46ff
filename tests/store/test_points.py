"""Entries to line protocol: each point has an identity of its own, and nothing private leaves."""

import re
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.alarm import AlarmChange, Change, Kind, Priority
from monitor.model.entry import Entry, EntryKind, Resumed, SelfCheck, encode
from monitor.model.event import DeviceNotice, GenerationMode, NoticeKind, Observation, Validity
from monitor.model.instant import Instant, WallAnchor
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.store.points import CHANNEL_TAG, SEQ_SPAN, Channel, Points, UnfitError, count_points
from tests.store.sessions import (
    LINK,
    OPENED,
    OPENED_UTC_NS,
    anchors,
    entries,
    heard,
    opening,
    wave,
)

ANCHOR: Final = OPENED.anchor
# A line as the reference describes it: measurement, tags, fields, time.
_LINE: Final = re.compile(
    r"(?P<measurement>[a-z]+)"
    r"(?P<tags>(?:,[a-z]+=(?:[^\\,= \n]|\\[,= ])+)*)"
    r" (?P<fields>[a-z_]+=(?:\"[^\"\\\n]*\"|[^\", \n]+)(?:,[a-z_]+=(?:\"[^\"\\\n]*\"|[^\", \n]+))*)"
    r" (?P<time>[0-9]+)"
)
_FIELD: Final = re.compile(r"([a-z_]+)=(\"[^\"]*\"|[^\",]+)")
TYPES: Final = {
    "value": "float",
    "limit": "float",
    "inactivation": "text",
    "gap_s": "float",
    "seq": "integer",
    "taken": "integer",
    "rejected": "integer",
    "present": "boolean",
    "well": "boolean",
    "validity": "text",
    "change": "text",
    "priority": "text",
    "kind": "text",
    "state": "text",
    "what": "text",
    "phase": "text",
}


def line_of(entry: Entry, seq: int = 5) -> str:
    """Return the only line of an entry."""
    (line,) = Points(OPENED).lines(seq, entry, ANCHOR)
    return line


def lines_of(points: Points, seq: int, entry: Entry, anchor: WallAnchor) -> list[str]:
    """Return the lines of an entry; none where it cannot become points."""
    try:
        return points.lines(seq, entry, anchor)
    except UnfitError:
        return []


def parsed(line: str) -> re.Match[str]:
    """Return the parts of a line that is well formed."""
    match = _LINE.fullmatch(line)
    assert match is not None, line
    return match


def type_of(text: str) -> str:
    """Return the type that InfluxDB reads from a field's text."""
    if text.startswith('"'):
        return "text"
    if text in {"True", "False"}:
        return "boolean"
    if text.endswith("i"):
        int(text[:-1])
        return "integer"
    float(text)
    return "float"


# --- laws ----------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(entries(), anchors), min_size=1, max_size=8),
    st.sampled_from([1, 5, SEQ_SPAN - 3, SEQ_SPAN, 7 * SEQ_SPAN - 2]),
    st.booleans(),
)
def test_no_two_entries_ever_share_an_identity(
    drawn: list[tuple[Entry, WallAnchor]],
    first: int,
    at_once: bool,  # noqa: FBT001  # drawn
) -> None:
    points = Points(OPENED)
    seen: set[tuple[str, str]] = set()
    for seq, (entry, anchor) in enumerate(drawn, first):
        moment = msgspec.structs.replace(entry, at=Instant(0)) if at_once else entry
        for line in lines_of(points, seq, moment, ANCHOR if at_once else anchor):
            head, _, rest = line.partition(" ")
            identity = (parsed(line)["measurement"] + parsed(line)["tags"], parsed(line)["time"])
            assert identity not in seen, (head, rest)
            seen.add(identity)


@given(st.integers(1, 10**9), st.integers(0, 3), st.integers(0, 10**15))
def test_the_same_millisecond_millions_of_entries_apart_is_another_point(
    seq: int, millions: int, at: int
) -> None:
    points, entry = Points(OPENED), heard(at)
    one, two = (
        parsed(points.lines(each, entry, ANCHOR)[0]) for each in (seq, seq + millions * SEQ_SPAN)
    )
    is_same = (one["tags"], one["time"]) == (two["tags"], two["time"])
    assert is_same == (millions == 0)


@given(entries(), st.integers(1, 10**9), anchors)
def test_sending_again_changes_nothing(entry: Entry, seq: int, anchor: WallAnchor) -> None:
    once = lines_of(Points(OPENED), seq, entry, anchor)
    points = Points(OPENED)
    lines_of(points, seq + 1, heard(1), ANCHOR)  # whatever was sent before
    assert lines_of(points, seq, entry, anchor) == once


@settings(max_examples=300)
@given(entries(), st.integers(1, 10**9))
def test_every_line_is_well_formed_and_no_field_changes_its_type(entry: Entry, seq: int) -> None:
    for line in lines_of(Points(OPENED), seq, entry, ANCHOR):
        match = parsed(line)
        assert match["measurement"] in CHANNEL_TAG
        for name, text in _FIELD.findall(match["fields"]):
            assert type_of(text) == TYPES[name], line


@settings(max_examples=200)
@given(entries())
def test_counting_points_is_counting_lines(entry: Entry) -> None:
    try:
        count = count_points(entry)
    except UnfitError:
        count = 0
    assert count == len(lines_of(Points(OPENED), 1, entry, ANCHOR))


@given(st.integers(0, 10**16), st.integers(1, 10**9))
def test_a_point_lies_within_the_millisecond_it_was_heard_in(at: int, seq: int) -> None:
    time = int(parsed(line_of(heard(at), seq))["time"])
    assert time // SEQ_SPAN == (OPENED_UTC_NS + at) // SEQ_SPAN
    assert time % SEQ_SPAN == seq % SEQ_SPAN


@pytest.mark.hazard("H20")
@given(entries(), st.uuids())
def test_nothing_a_person_typed_and_no_serial_leaves(entry: Entry, mark: object) -> None:
    secret = f"SECRET-{mark}"
    opened = msgspec.structs.replace(
        OPENED, pseudonym=secret, limits=secret, software=secret, protocol=secret
    )
    body = msgspec.json.decode(entry.body) if entry.body.startswith(b"{") else None
    if isinstance(body, dict):
        private = {"note", "operator", "reason", "detail", "software"}
        body |= dict.fromkeys(private & set(body), secret)
        entry = msgspec.structs.replace(entry, body=msgspec.json.encode(body))
    assert not any(secret in line for line in lines_of(Points(opened), 1, entry, ANCHOR))


# --- examples ------------------------------------------------------------------------------------


def test_a_reading_becomes_one_vital() -> None:
    assert line_of(heard(1_000_000_000)) == (
        "vital,chair=2,device=nonin/nonin,metric=spo2,mode=real,"
        "session=north-2-20261123,site=north\\,\\ clinic "
        'value=97.0,validity="valid",seq=5i 1790000001123000005'
    )


def test_a_value_that_is_not_there_is_told_without_a_number() -> None:
    assert "spo2,mode=real,session=" in line_of(heard(0, None))
    assert ' validity="not_available",seq=5i ' in line_of(heard(0, None))


def test_the_moment_of_a_cuff_reading_travels_in_utc() -> None:
    seen = Observation(Metric.NIBP_SYS, 120.0, Validity.VALID, Instant(9), taken=Instant(4))
    line = line_of(Entry(EntryKind.HEARD, Instant(9), "", encode(seen)))
    assert f"taken={OPENED_UTC_NS + 4}i" in line


def test_a_wave_becomes_a_point_for_each_sample_that_is_there() -> None:
    end = 2_000_000_000
    lines = Points(OPENED).lines(7, wave(end, [1.0, None, 3.0], rate_hz=20), ANCHOR)
    times = [int(parsed(line)["time"]) // SEQ_SPAN for line in lines]
    end_ms = (OPENED_UTC_NS + end) // SEQ_SPAN
    assert times == [end_ms - 100, end_ms]
    assert [parsed(line)["fields"] for line in lines] == ["value=1.0", "value=3.0"]


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, 1000.5, 1e308])
def test_a_wave_of_an_impossible_rate_is_named_not_sent(rate_hz: float) -> None:
    with pytest.raises(UnfitError, match="Hz"):
        Points(OPENED).lines(1, wave(0, [1.0, 2.0], rate_hz), ANCHOR)
    with pytest.raises(UnfitError, match="Hz"):
        count_points(wave(0, [1.0], rate_hz))


def test_an_entry_that_cannot_be_read_is_named_not_sent() -> None:
    for body in (b"", b"{}", b"\xff", b'{"type":"observation","metric":"spo2"}'):
        with pytest.raises(UnfitError, match="heard cannot be read"):
            Points(OPENED).lines(1, Entry(EntryKind.HEARD, Instant(0), "", body), ANCHOR)


@pytest.mark.parametrize("utc_ns", [-1, 2**63 - 10, 2**80])
def test_a_time_that_influxdb_cannot_hold_is_named_not_sent(utc_ns: int) -> None:
    with pytest.raises(UnfitError, match="no time"):
        Points(OPENED).lines(1, heard(0), WallAnchor(Instant(0), utc_ns))


@pytest.mark.hazard("H21")
def test_what_is_not_real_says_so_in_a_tag() -> None:
    demo = Observation(Metric.SPO2, 97.0, Validity.VALID, Instant(0), mode=GenerationMode.DEMO)
    assert ",mode=demo," in line_of(Entry(EntryKind.HEARD, Instant(0), LINK, encode(demo)))
    replayed = Points(msgspec.structs.replace(OPENED, mode="demo"))
    assert all(
        ",mode=demo," in line
        for entry in (heard(0), wave(0, [1.0]), opening())
        for line in replayed.lines(1, entry, ANCHOR)
    )


def test_an_alarm_change_tells_what_changed_and_at_which_limit() -> None:
    change = AlarmChange(
        at=Instant(0),
        alarm="spo2_low",
        change=Change.PRESENT,
        priority=Priority.MEDIUM,
        kind=Kind.PHYSIOLOGICAL,
        metric=Metric.SPO2,
        value=84.0,
        limit=90.0,
        reason="below 90 for 10 s",
    )
    line = line_of(Entry(EntryKind.ALARM, Instant(0), "", encode(change)))
    assert line.startswith("alarm,alarm=spo2_low,chair=2,metric=spo2,mode=real,session=")
    assert (
        ' change="present",priority="medium",kind="physiological",value=84.0,limit=90.0,'
        'inactivation="none",seq=5i ' in line
    )


def test_deeds_notices_links_and_the_session_itself_are_events() -> None:
    deed = OperatorAction(deed=Deed.ENTER_PHASE, at=Instant(0), operator="N", phase=Phase.INFUSING)
    notice = DeviceNotice(NoticeKind.SENSOR_OFF, Instant(0))
    check = SelfCheck(part="disk", at=Instant(0), is_well=False, reason="/dev/sda1 SN4711")
    back = Resumed(anchor=ANCHOR, gap_s=4.0)
    change = LinkChange(link=LINK, state=LinkState.LOST, at=Instant(0), reason="usb-SN4711")
    expected = (
        (EntryKind.OPERATOR, encode(deed), "kind=operator", ' what="enter_phase",phase="infusing"'),
        (EntryKind.HEARD, encode(notice), "kind=notice", ' what="sensor_off",present=True'),
        (EntryKind.SELF_CHECK, encode(check), "kind=self_check", ' what="disk",well=False'),
        (EntryKind.RESUMED, encode(back), "kind=session", ' what="resumed",gap_s=4.0'),
        (EntryKind.LINK, encode(change), "device=nonin/nonin", ' state="lost"'),
    )
    for kind, body, tag, fields in expected:
        line = line_of(Entry(kind, Instant(0), LINK, body))
        assert f",{tag}," in line
        assert fields in line
        assert "SN4711" not in line


def test_raw_bytes_wakes_checkpoints_and_anchors_stay_in_the_record() -> None:
    for kind in (EntryKind.RECEIVED, EntryKind.WOKEN, EntryKind.CHECKPOINT, EntryKind.ANCHOR):
        entry = Entry(kind, Instant(0), LINK, b"\x00\xff")
        assert Points(OPENED).lines(1, entry, ANCHOR) == []
        assert count_points(entry) == 0


def test_a_channel_is_said_in_words() -> None:
    assert str(Channel("vital", Metric.SPO2)) == "vital spo2"
    assert str(Channel("link", "")) == "link"
