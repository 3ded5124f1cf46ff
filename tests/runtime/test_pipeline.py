"""The one call that every input takes: the same again, in order, and after a stop."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from drivers.registry import get
from monitor.config import read_limits
from monitor.model.alarm import Change, SignalPresence
from monitor.model.entry import Entry, EntryKind, Resumed, Side, decode, encode
from monitor.model.event import FrameRejected, Observation, observe
from monitor.model.instant import Instant, WallAnchor, in_seconds, instant_at, later, seconds
from monitor.model.link import LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.runtime.pipeline import Pipeline
from monitor.runtime.proof import derive_again
from monitor.runtime.sessions import replay_into
from monitor.store.record import Record, record_path
from tests.runtime.chairs import (
    LIMITS,
    OPENED,
    UTC_NS,
    Happening,
    Kept,
    change_link,
    happenings,
    make_pipeline,
    play,
    raise_links,
    said_by,
)


def _started() -> tuple[Pipeline, Kept]:
    log = Kept()
    pipeline = make_pipeline(log)
    raise_links(pipeline)
    return pipeline, log


def _low(pipeline: Pipeline, value: float, from_s: int, to_s: int) -> None:
    for second in range(from_s, to_s):
        pipeline.receive("nonin", said_by("nonin", value, None, None), instant_at(second))


@settings(max_examples=60)
@given(happenings)
def test_the_same_inputs_give_the_same_entries_byte_for_byte(story: list[Happening]) -> None:
    first, second = _started(), _started()
    play(first[0], story)
    play(second[0], story)
    assert first[1].entries == second[1].entries
    assert first[0].alarms.save() == second[0].alarms.save()


@settings(max_examples=60)
@given(happenings)
def test_an_input_comes_before_what_follows_from_it_and_instants_never_run_back(
    story: list[Happening],
) -> None:
    pipeline, log = _started()
    play(pipeline, story)
    newest_input = log.entries[0].at
    for entry in log.entries:
        if entry.side is Side.INPUT:
            assert entry.at >= newest_input
            newest_input = entry.at
        elif entry.kind is EntryKind.HEARD:
            assert entry.at == newest_input
        elif entry.kind is EntryKind.ALARM:  # what fell due before an input stands before it
            assert entry.at >= newest_input
        assert decode(entry) is not None


@settings(max_examples=60)
@given(happenings)
def test_every_bit_of_bytes_that_came_on_a_link_is_in_the_record(story: list[Happening]) -> None:
    pipeline, log = _started()
    play(pipeline, story)
    received = [entry.body for entry in log.entries if entry.kind is EntryKind.RECEIVED]
    assert received == [each.data for each in story if each.what == "bytes"]


def _recorded(folder: Path, story: list[Happening]) -> tuple[Pipeline, Record, Instant]:
    record = Record.create(record_path(folder, OPENED.session), OPENED.session)
    record.append(Entry(EntryKind.OPENED, Instant(0), "", encode(OPENED)))
    pipeline = make_pipeline(record)
    raise_links(pipeline)
    return pipeline, record, play(pipeline, story)


@settings(max_examples=25)
@given(happenings)
def test_what_was_recorded_follows_again_from_its_inputs(story: list[Happening]) -> None:
    with TemporaryDirectory() as folder:
        _, record, _ = _recorded(Path(folder), story)
        record.close()
        derived = derive_again(record.path, get, lambda text, where: LIMITS)  # noqa: ARG005
        assert derived.is_same, derived.difference


@pytest.mark.hazard("H18")
@settings(max_examples=40)
@given(happenings, happenings)
def test_a_restart_goes_on_as_if_there_had_been_no_stop(
    before: list[Happening], after: list[Happening]
) -> None:
    """Two chairs resume at the same instant; only one of them has forgotten everything."""
    with TemporaryDirectory() as folder:
        kept, record, end = _recorded(Path(folder), before)
        record.commit()
        log = Kept()
        restarted = make_pipeline(log)
        replay_into(restarted, record.path)
        assert restarted.alarms.alarms() == kept.alarms.alarms()
        assert restarted.sitting == kept.sitting
        now = later(end, seconds(5))
        resumed = Resumed(anchor=WallAnchor(now, UTC_NS + now), gap_s=5.0)
        seq = record.last_seq
        for pipeline in (kept, restarted):
            pipeline.resume(resumed)
            raise_links(pipeline, now)
            play(pipeline, after, now)
        record.close()
        told = [entry for _, entry in record.entries(after=seq)]
        assert [_without_state(each) for each in told] == [
            _without_state(each) for each in log.entries
        ]


def _without_state(entry: Entry) -> Entry:
    """Return an entry without the alarm core's own notes; what it concludes is what counts."""
    if entry.kind is EntryKind.CHECKPOINT:
        return Entry(entry.kind, Instant(0), "", b"")
    return entry


@pytest.mark.parametrize("deed", [Deed.ACKNOWLEDGE, Deed.PAUSE_AUDIO])
def test_a_restart_keeps_an_acknowledgement_and_forgets_an_audio_pause(deed: Deed) -> None:
    with TemporaryDirectory() as folder:
        kept, record, _ = _recorded(Path(folder), [])
        _low(kept, 88, 1, 13)
        action = OperatorAction(deed=deed, at=instant_at(13), operator="nurse", alarm="spo2_low")
        assert kept.operate(action) == ""
        record.commit()
        restarted = make_pipeline(Kept())
        replay_into(restarted, record.path)
        now = instant_at(20)
        restarted.resume(Resumed(anchor=WallAnchor(now, UTC_NS + now), gap_s=6.0))
        record.close()
    (alarm,) = [each for each in restarted.alarms.alarms() if each.alarm == "spo2_low"]
    assert alarm.acknowledged_by == ("nurse" if deed is Deed.ACKNOWLEDGE else "")
    assert alarm.audio_paused_until is None
    assert alarm.held_since is not None
    assert alarm.signal is SignalPresence.ON


# -- examples --------------------------------------------------------------------------------------


def test_bytes_on_a_link_that_is_not_up_are_kept_and_not_read() -> None:
    log = Kept()
    pipeline = make_pipeline(log)
    pipeline.receive("nonin", said_by("nonin", 97, None, None), instant_at(1))
    assert [entry.kind for entry in log.entries] == [EntryKind.RECEIVED]


def test_rubbish_is_counted_on_its_link_and_concludes_nothing_of_the_patient() -> None:
    pipeline, log = _started()
    pipeline.receive("nonin", b"\x00" * 200, instant_at(1))
    heard = [decode(entry) for entry in log.entries if entry.kind is EntryKind.HEARD]
    assert heard
    assert all(isinstance(each, FrameRejected) for each in heard)
    assert pipeline.alarms.alarms() == ()


def test_a_low_saturation_is_heard_judged_and_told_in_that_order() -> None:
    pipeline, log = _started()
    _low(pipeline, 88, 1, 13)
    changes = [decode(entry) for entry in log.entries if entry.kind is EntryKind.ALARM]
    assert [(each.alarm, each.change) for each in changes] == [("spo2_low", Change.PRESENT)]  # type: ignore[union-attr]
    place = next(i for i, entry in enumerate(log.entries) if entry.kind is EntryKind.ALARM)
    heard = [decode(entry) for entry in log.entries[:place] if entry.kind is EntryKind.HEARD]
    low = [each for each in heard if isinstance(each, Observation) and each.value == 88]
    assert in_seconds(Instant(low[-1].at - low[0].at)) >= 9


def test_a_lost_link_ends_no_alarm_and_a_conversation_begins_anew() -> None:
    pipeline, _ = _started()
    _low(pipeline, 88, 1, 13)
    before = pipeline.protocol("nonin")
    change_link(pipeline, "nonin", LinkState.LOST, instant_at(14))
    assert pipeline.protocol("nonin") is None
    pipeline.mature(instant_at(60))
    (low,) = [each for each in pipeline.alarms.alarms() if each.alarm == "spo2_low"]
    assert low.held_since is not None
    change_link(pipeline, "nonin", LinkState.UP, instant_at(61))
    assert pipeline.protocol("nonin") not in {None, before}


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (OperatorAction(deed=Deed.ACKNOWLEDGE, at=Instant(5), operator=""), "nobody"),
        (
            OperatorAction(deed=Deed.ENTER_PHASE, at=Instant(5), operator="n", phase=Phase.READY),
            "from setup one can go to",
        ),
        (OperatorAction(deed=Deed.MEASURE_NIBP, at=Instant(5), operator="n"), "no device"),
        (
            OperatorAction(deed=Deed.ACKNOWLEDGE, at=Instant(5), operator="n", alarm="spo2_low"),
            "no such alarm",
        ),
    ],
)
def test_what_is_refused_leaves_no_trace_in_the_record(action: OperatorAction, why: str) -> None:
    pipeline, log = _started()
    count = len(log.entries)
    assert why in pipeline.operate(action)
    assert len(log.entries) == count


def test_after_a_stop_the_first_device_that_speaks_is_the_source() -> None:
    pipeline, _ = _started()
    pipeline.receive("nonin", said_by("nonin", 97, None, None), instant_at(1))
    now = instant_at(3)
    pipeline.resume(Resumed(anchor=WallAnchor(now, UTC_NS + now), gap_s=1.0))
    assert pipeline._sources.source_of(Metric.SPO2) == ""
    raise_links(pipeline, now)
    lower = get("capnostream").encode([observe(Metric.SPO2, 91, now)])
    pipeline.receive("capnostream", lower, instant_at(4))
    assert pipeline._sources.source_of(Metric.SPO2) == "capnostream"


def test_a_gap_is_shown_as_long_as_it_was() -> None:
    pipeline, _ = _started()
    now = instant_at(100)
    pipeline.resume(Resumed(anchor=WallAnchor(now, UTC_NS + now), gap_s=40.0))
    assert pipeline.picture._gaps[-1] == (instant_at(60), now)
    assert in_seconds(now) == 100


def test_the_shipped_limits_are_those_the_tests_play_with() -> None:
    text, limits = read_limits("iv-ketamine", Path(), "test")
    assert (text, limits) == (OPENED.limits, LIMITS)
