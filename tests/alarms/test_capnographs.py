"""Many made-up capnographs, each with other habits: what is found, how late, what is left alone."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.main.replay import ReplayWishes, open_items
from monitor.model.alarm import AlarmChange
from monitor.runtime.replay import Replay
from tests.alarms.capnograph import KINDS, Capnograph
from tests.alarms.capnograph_tally import EPISODES, Tally, play
from tests.alarms.score import LIMITS

FOUND_MIN = 0.99
LATE_MAX_S = 10
APNOEA_LATE_MAX_S = 45


def tally(kinds: tuple[str, ...], seeds: range, *, flags: bool = False) -> Tally:
    """Return what became of the sessions of these seeds; `flags`: the device says "no CO2"."""
    sum_of_all = Tally()
    for seed in seeds:
        session = Capnograph(seed, kinds)
        sum_of_all.take(seed, session, play(session, flags=flags))
    return sum_of_all


@pytest.mark.hazard("H1")
@pytest.mark.hazard("H2")
@pytest.mark.parametrize("flags", [False, True])
def test_whatever_the_capnograph_does_episodes_are_found_and_zeroing_is_left_alone(
    *, flags: bool
) -> None:
    found = tally(KINDS, range(30), flags=flags)
    episodes = sum(found.asked[each] for each in EPISODES)
    missed = [each for each in found.missed if each.what in EPISODES]
    assert episodes > 100
    assert len(missed) <= (1 - FOUND_MIN) * episodes, missed
    late = sorted(each for name in EPISODES for each in found.late[name])
    assert late[int(0.95 * len(late))] <= LATE_MAX_S
    assert found.asked["zeroing"] > 100
    assert len(found.false) <= found.asked["zeroing"] / 100, found.false
    assert [each for each in found.missed if each.what in {"gap", "apnoea"}] == []


@pytest.mark.parametrize("flags", [False, True])
def test_a_capnograph_that_only_zeroes_itself_alarms_nobody(*, flags: bool) -> None:
    found = tally(("zeroing",), range(100, 112), flags=flags)
    assert found.asked["zeroing"] > 60
    assert found.false == []


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("flags", [False, True])
def test_an_apnoea_is_told_whatever_the_device_prints(*, flags: bool) -> None:
    kinds = ("apnoea", "apnoea_into_zeroing", "zeroing_into_apnoea")
    found = tally(kinds, range(200, 210), flags=flags)
    assert found.missed == []
    assert max(found.late["apnoea"]) <= APNOEA_LATE_MAX_S


def test_a_session_of_rest_is_silent() -> None:
    for seed in range(300, 306):
        assert play(Capnograph(seed, ())) == []


HEADERS = {
    "own names": ("time_s", "spo2", "pulse_rate", "etco2", "resp_rate", "co2_wave"),
    "a recorder's": ("Time [s]", "SpO2 (%)", "PR", "EtCO2 (mmHg)", "RR", "CO2"),
}


def replayed(file: Path, columns: Sequence[str] = ()) -> list[AlarmChange]:
    """Return what `vigil replay` tells about a file."""
    told: list[AlarmChange] = []
    playing = Replay(LIMITS, told.append)
    wishes = ReplayWishes(
        file=str(file),
        limits="",
        speed="max",
        zero_is_missing=(),
        columns=tuple(columns),
        driver=None,
    )
    items, _, _ = open_items(wishes)
    now = None
    for now, events in items:
        playing.step(now, events)
    assert now is not None
    playing.finish(now)
    return told


def told_by(changes: list[AlarmChange]) -> set[tuple[int, str, str]]:
    """Return what was told at which instant, in no order within it."""
    return {(each.at, each.alarm, each.change.value) for each in changes}


@pytest.mark.parametrize(("header", "blank"), [("own names", ""), ("a recorder's", "NaN")])
def test_a_wide_csv_tells_what_the_session_tells(tmp_path: Path, header: str, blank: str) -> None:
    session = next(one for one in map(Capnograph, range(7, 40)) if not one.habits.leaves_rows_out)
    file = tmp_path / "session.csv"
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(HEADERS[header])
        for second, row in enumerate(session.rows):
            if row is not None:
                writer.writerow([second, *(blank if cell is None else cell for cell in row)])
    columns = [] if header == "own names" else ["CO2=co2_wave"]
    assert told_by(replayed(file, columns)) == told_by(play(session))


def test_a_long_csv_with_rows_left_out_tells_what_the_session_tells(tmp_path: Path) -> None:
    session = next(one for one in map(Capnograph, range(7, 40)) if one.habits.leaves_rows_out)
    file = tmp_path / "session.csv"
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("time_s", "metric", "value"))
        for second, row in enumerate(session.rows):
            cells = {} if row is None else row._asdict()
            writer.writerows([second, name, one] for name, one in cells.items() if one is not None)
    assert told_by(replayed(file)) == told_by(play(session))
