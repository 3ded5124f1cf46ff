"""`vigil explain` on a recording and on the record of a session, as a stranger runs it."""

from pathlib import Path

import msgspec
import pytest

from monitor.model.entry import Entry, EntryKind, Resumed, encode
from monitor.model.event import DeviceNotice, NoticeKind
from monitor.model.instant import Instant, WallAnchor
from monitor.model.link import LinkChange, LinkState
from tests.alarms.score import PRESET_TEXT
from tests.e2e.commands import vigil
from tests.store.sessions import LINK, OPENED, OPENED_UTC_NS, heard, make_record, opening


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording in which the saturation falls at 60 s and the pulse at 110 s."""
    path = tmp_path_factory.mktemp("explain") / "night.csv"
    rows = [
        f"{second},{97 if second < 60 else 88},{70 if second < 110 else ''}"
        for second in range(120)
    ]
    path.write_text("time_s,spo2,pulse_rate\n" + "\n".join(rows) + "\n")
    return path


def test_a_change_is_explained_with_its_samples_rule_and_clocks(night: Path) -> None:
    said = vigil("explain", night, "spo2_low", "--json")
    assert said.code == 0
    (told,) = said.lines
    assert (told["t_s"], told["change"], told["value"]) == (70.0, "present", 88.0)
    assert told["rule"]["limit"] == 90  # type: ignore[index]  # read from JSON
    assert told["clocks"] == ["delay: 10 of 10 s, 10 s of it measured"]
    assert told["samples"][-1] == {  # type: ignore[index]  # read from JSON
        "t_s": 69.0,
        "metric": "spo2",
        "value": 88.0,
        "validity": "valid",
        "judged": "violated",
    }
    assert told["delay_s"] == 10


def test_what_replay_tells_is_what_explain_explains(night: Path) -> None:
    told = {(each["t_s"], each["change"]) for each in vigil("replay", night).changes}
    for alarm in {str(each["alarm"]) for each in vigil("replay", night).changes}:
        found = {
            (each["t_s"], each["change"]) for each in vigil("explain", night, alarm, "--json").lines
        }
        assert found
        assert found <= told


def test_a_change_is_explained_in_words(night: Path) -> None:
    said = vigil("explain", night, "spo2_low", "--at", "100")
    assert said.out.startswith("70 s  spo2_low present, medium: ")
    assert "rule     below 90 %, severe below 85" in said.out
    assert "clock    delay: 10 of 10 s" in said.out
    assert "sample   69 s  88  valid, violated" in said.out


def test_silence_is_explained(night: Path) -> None:
    said = vigil("explain", night, "--why-not", "spo2", "65", "--json")
    texts = {each["alarm"]: str(each["why_not"]) for each in said.lines}
    assert "not for long enough: delay: 5 of 10 s" in texts["spo2_low"]
    plain = vigil("explain", night, "--why-not", "spo2", "30").out
    assert "spo2_low: 97 %, 0 s ago, is not below 90" in plain


def test_a_session_is_explained_by_its_own_record(tmp_path: Path) -> None:
    wishes = ("--headless", "--speed", "max", "--scenario", "probe-off", "--for", "1700")
    demo = vigil("demo", *wishes, "--record", tmp_path)
    (record,) = tmp_path.glob("*.vigil")
    for alarm in ("no_data_spo2", "sensor_off"):
        found = vigil("explain", record, alarm, "--json").lines
        heard = [each for each in demo.changes if each["alarm"] == alarm]
        assert [(each["t_s"], each["change"]) for each in found] == [
            (each["t_s"], each["change"]) for each in heard
        ]
    why = vigil("explain", record, "--why-not", "spo2", "1510").out
    assert "spo2_low: nothing to judge" in why
    assert "(sensor_off)" in why


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("spo2_lo",), 'no change of "spo2_lo" by then; did you mean "spo2_low"?'),
        (("spo2_low", "--at", "50"), 'no change of "spo2_low" by then; the first is at 70 s'),
        (("spo2_low", "--at", "900"), "the file ends at 119 s"),
        (("spo2_low", "--at", "soon"), '"soon": expected seconds'),
        (("--why-not", "spo2", "nan"), '"nan": expected seconds'),
        (("--why-not", "sp02", "10"), 'no metric "sp02"'),
        (("--why-not", "pleth", "10"), 'no metric "pleth"'),
        ((), "one of the arguments"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_reason(
    night: Path, arguments: tuple[str, ...], says: str
) -> None:
    said = vigil("explain", night, *arguments)
    assert said.code == 2
    assert says in said.err
    assert said.out == ""


def test_of_two_devices_the_one_that_was_judged_is_explained(tmp_path: Path) -> None:
    second = 1_000_000_000
    entries = [opening(msgspec.structs.replace(OPENED, limits=PRESET_TEXT))]
    for at in range(60):
        entries.append(heard(at * second, 88.0 if at >= 30 else 97.0))
        other = msgspec.structs.replace(heard(at * second, 80.0), link="co2")
        entries.append(other)
    back = Resumed(anchor=WallAnchor(Instant(70 * second), OPENED_UTC_NS), gap_s=9.0)
    entries.append(Entry(EntryKind.RESUMED, Instant(70 * second), "", encode(back)))
    record = make_record(tmp_path, entries)
    (first, *_) = vigil("explain", record, "spo2_low", "--json").lines
    assert (first["t_s"], first["value"], first["priority"]) == (40.0, 88.0, "medium")
    (gap, *_) = vigil("explain", record, "recording_gap", "--json").lines
    assert (gap["t_s"], gap["change"]) == (70.0, "present")


def test_a_notice_in_a_record_belongs_to_the_link_that_gave_it(tmp_path: Path) -> None:
    second = 1_000_000_000
    off = DeviceNotice(NoticeKind.SENSOR_OFF, Instant(0))
    entries = [
        opening(msgspec.structs.replace(OPENED, limits=PRESET_TEXT)),
        Entry(EntryKind.HEARD, Instant(0), LINK, encode(off)),
    ]
    for at, link, state in ((20, "co2", "up"), (40, LINK, "lost"), (60, LINK, "up")):
        edge = LinkChange(link=link, state=LinkState(state), at=Instant(at * second))
        entries.append(Entry(EntryKind.LINK, edge.at, link, encode(edge)))
    record = make_record(tmp_path, entries)
    found = vigil("explain", record, "sensor_off", "--json").lines
    assert [(each["t_s"], each["change"]) for each in found] == [
        (5.0, "present"),
        (40.0, "held"),
        (60.0, "unheld"),
        (60.0, "ended"),
    ]
