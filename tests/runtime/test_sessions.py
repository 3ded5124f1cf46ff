"""A stop nobody chose: the session goes on, or is closed, but never another patient's (H7, H8)."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.registry import get
from monitor.model.entry import Closed, DeviceLink, EntryKind, Opened, Resumed, decode
from monitor.model.instant import Instant, instant_at
from monitor.model.session import Deed, OperatorAction, Phase
from monitor.runtime.pipeline import Line
from monitor.runtime.sessions import Begun, SteadyLog, Wanted, begin_session, wall_name
from monitor.store.reading import list_sessions, read_entries
from monitor.store.record import Record, RecordFailedError
from tests.runtime.chairs import (
    LINES,
    OPENED,
    UTC_NS,
    only_record,
    raise_links,
    said_by,
    wanted,
)

NS = 1_000_000_000


class _Machine:
    """The two clocks of a machine that is switched off now and then."""

    def __init__(self) -> None:
        self.monotonic_ns = 77 * NS
        self.utc_ns = UTC_NS

    def begin(self, folder: Path, want: Wanted) -> Begun:
        return begin_session(want, folder, lambda: self.monotonic_ns, lambda: self.utc_ns)

    def run(self, s: float) -> None:
        self.monotonic_ns += round(s * NS)
        self.utc_ns += round(s * NS)

    def reboot(self, off_s: float) -> None:
        """Be off; the monotonic clock begins anew."""
        self.monotonic_ns = 3 * NS
        self.utc_ns += round(off_s * NS)


def _watch_low_saturation(begun: Begun, machine: _Machine) -> None:
    """Let twenty seconds of low saturation pass, and have them on disk."""
    raise_links(begun.pipeline, begun.clock.now())
    for _ in range(20):
        machine.run(1)
        begun.pipeline.receive("nonin", said_by("nonin", 88, None, None), begun.clock.now())
    begun.record.commit()


def _present(begun: Begun) -> set[str]:
    return {each.alarm for each in begun.pipeline.alarms.alarms()}


@pytest.fixture
def machine() -> _Machine:
    return _Machine()


def test_an_interrupted_session_goes_on_and_says_how_long_nobody_watched(
    tmp_path: Path, machine: _Machine
) -> None:
    first = machine.begin(tmp_path, wanted())
    _watch_low_saturation(first, machine)
    first.record.close()
    machine.reboot(off_s=95)
    again = machine.begin(tmp_path, wanted())
    assert again.opened == first.opened
    assert again.clock.now() == instant_at(20 + 95)
    resumed = [decode(each) for _, each in read_entries(again.record.path) if _is_resumed(each)]
    assert [each.gap_s for each in resumed if isinstance(each, Resumed)] == [95.0]
    assert "spo2_low" in _present(again)
    again.record.close()


def _is_resumed(entry: object) -> bool:
    return getattr(entry, "kind", None) is EntryKind.RESUMED


@pytest.mark.hazard("H17")
def test_a_wall_clock_set_back_while_off_makes_no_instant_twice(
    tmp_path: Path, machine: _Machine
) -> None:
    first = machine.begin(tmp_path, wanted())
    _watch_low_saturation(first, machine)
    first.record.close()
    machine.reboot(off_s=-7200)
    again = machine.begin(tmp_path, wanted())
    assert again.clock.now() > instant_at(20)
    again.record.close()


_OTHER_DEVICES = (DeviceLink(link="nonin", driver="nonin", url="serial:///dev/ttyS9"),)
_replaced = msgspec.structs.replace


@pytest.mark.hazard("H7")
@pytest.mark.parametrize(
    "opened",
    [
        _replaced(OPENED, pseudonym="K-0002"),
        _replaced(OPENED, protocol="another"),
        _replaced(OPENED, dose_mg=35.0),
        _replaced(OPENED, devices=_OTHER_DEVICES),
        _replaced(OPENED, site="elsewhere"),
        _replaced(OPENED, mode="demo"),
    ],
)
def test_another_patient_plan_or_device_begins_anew_with_nothing_of_the_last(
    tmp_path: Path, machine: _Machine, opened: Opened
) -> None:
    first = machine.begin(tmp_path, wanted())
    _watch_low_saturation(first, machine)
    first.record.close()
    machine.reboot(off_s=5)
    lines = [
        Line(link=each.link, driver=get(each.driver), options={}) for each in opened.devices
    ] or list(LINES)
    want = Wanted(opened=opened, lines=lines, limits=wanted().limits, resume_within_s=3600)
    new = machine.begin(tmp_path, want)
    assert new.opened.session != first.opened.session
    assert _present(new) == set()
    assert new.pipeline.sitting.phase is Phase.SETUP
    _check_closed(first.record.path, "others now")
    new.record.close()


@pytest.mark.hazard("H8")
def test_other_limits_begin_anew_so_that_none_is_judged_by_the_last_ones(
    tmp_path: Path, machine: _Machine
) -> None:
    widened = _replaced(OPENED, limits=OPENED.limits.replace("limit = 90", "limit = 80", 1))
    assert widened != OPENED
    first = machine.begin(tmp_path, wanted(widened))
    first.record.close()
    machine.reboot(off_s=5)
    new = machine.begin(tmp_path, wanted())
    assert new.opened.session != first.opened.session
    _check_closed(first.record.path, "limits")
    new.record.close()


@pytest.mark.hazard("H7")
def test_a_session_left_for_too_long_is_closed(tmp_path: Path, machine: _Machine) -> None:
    first = machine.begin(tmp_path, wanted())
    _watch_low_saturation(first, machine)
    first.record.close()
    machine.reboot(off_s=3601)
    new = machine.begin(tmp_path, wanted(resume_within_s=3600))
    assert new.opened.session != first.opened.session
    assert _present(new) == set()
    _check_closed(first.record.path, "left for longer than 60 min")
    assert "the one before was closed" in new.words
    new.record.close()


def _check_closed(path: Path, why: str) -> None:
    (closed,) = [decode(entry) for _, entry in read_entries(path) if entry.kind is EntryKind.CLOSED]
    assert isinstance(closed, Closed)
    assert why in closed.reason
    (line,) = [line for line in list_sessions(path.parent) if line.path == path]
    assert line.is_closed


@pytest.mark.hazard("H7")
def test_chairs_of_one_folder_never_take_each_others_session(
    tmp_path: Path, machine: _Machine
) -> None:
    one = machine.begin(tmp_path, wanted())
    two = machine.begin(tmp_path, wanted(_replaced(OPENED, chair="2")))
    assert one.opened.session != two.opened.session
    one.record.close()
    two.record.close()
    machine.reboot(off_s=5)
    again = machine.begin(tmp_path, wanted(_replaced(OPENED, chair="2")))
    assert again.opened.session == two.opened.session
    again.record.close()


def _damage(path: Path, first: int) -> bytes:
    damaged = bytearray(path.read_bytes())
    damaged[first : first + 2000] = bytes(2000)
    path.write_bytes(damaged)
    return bytes(damaged)


@pytest.mark.hazard("H18")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_damaged_record_is_named_and_kept_and_watching_begins_anew(
    tmp_path: Path, machine: _Machine, share: float
) -> None:
    first = machine.begin(tmp_path, wanted())
    _watch_low_saturation(first, machine)
    first.record.close()
    path = only_record(tmp_path)
    damaged = _damage(path, round(path.stat().st_size * share))
    machine.reboot(off_s=5)
    new = machine.begin(tmp_path, wanted())
    assert _present(new) == set()
    assert "damaged" in new.words
    kept = [each for each in tmp_path.glob(f"{path.name}*") if each.read_bytes() == damaged]
    assert len(kept) == 1
    new.record.close()


def test_the_phase_and_its_beginning_are_those_of_before(tmp_path: Path, machine: _Machine) -> None:
    first = machine.begin(tmp_path, wanted())
    for phase in (Phase.BASELINE, Phase.INFUSING):
        machine.run(60)
        act = OperatorAction(
            deed=Deed.ENTER_PHASE, at=first.clock.now(), operator="nurse", phase=phase
        )
        assert first.pipeline.operate(act) == ""
    first.record.commit()
    sitting = first.pipeline.sitting
    first.record.close()
    machine.reboot(off_s=60)
    again = machine.begin(tmp_path, wanted())
    assert again.pipeline.sitting == sitting
    assert again.pipeline.sitting.snapshot(again.clock.now()).infusion_minute == pytest.approx(1)
    again.record.close()


@given(st.integers(0, 4_000_000_000))
def test_a_wall_name_is_the_utc_second(utc_s: int) -> None:
    name = wall_name(utc_s * NS)
    assert len(name) == len("20261123T081500Z")
    assert name.endswith("Z")


def test_a_record_that_takes_no_more_stops_recording_and_not_monitoring(
    tmp_path: Path, machine: _Machine
) -> None:
    begun = machine.begin(tmp_path, wanted())

    def refuse(entry: object) -> int:
        raise RecordFailedError(f"no room for {entry}")

    vars(begun.record)["append"] = refuse
    raise_links(begun.pipeline)
    for second in range(1, 14):
        begun.pipeline.receive("nonin", said_by("nonin", 88, None, None), instant_at(second))
    assert "spo2_low" in _present(begun)
    log = begun.pipeline._log
    assert isinstance(log, SteadyLog)
    assert log.lost > 13
    del vars(begun.record)["append"]
    begun.record.close()


def test_a_record_that_was_made_is_found_by_its_chair(tmp_path: Path, machine: _Machine) -> None:
    begun = machine.begin(tmp_path, wanted())
    assert begun.record.path == tmp_path / f"1-{wall_name(UTC_NS)}.vigil"
    assert begun.clock.now() == Instant(0)
    begun.record.close()
    assert Record.open(begun.record.path).session == begun.opened.session
