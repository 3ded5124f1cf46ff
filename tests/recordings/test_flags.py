"""Columns that say what can be measured, and what the device says: by name, by word, by map."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model.errors import ConfigError
from monitor.model.event import DeviceAlarm, DeviceNotice, NoticeKind
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from monitor.recordings.flags import Gate, Sense
from monitor.recordings.names import meaning_of
from monitor.recordings.options import read_column_map
from monitor.recordings.recording import ReadOptions
from tests.recordings.writing import Read, read

CO2, SPO2 = Metric.ETCO2, Metric.SPO2
POSITIVE = ("co2_available", "co2Available", "CO2 available", "co2_avail", "etco2_valid", "capnoOK")
NEGATIVE = ("co2NA", "co2_na", "CO2 N/A", "CO2 NOT AVAILABLE", "co2_not_available", "co2_invalid")
YES_NO = (
    ("1", "0"),
    ("1.0", "0.0"),
    ("true", "false"),
    ("True", "False"),
    ("yes", "no"),
    ("Y", "N"),
    ("on", "off"),
)
WORDS = (
    ("available", "not available"),
    ("Available", "NOT_AVAILABLE"),
    ("ok", "NA"),
    ("valid", "invalid"),
    ("good", "bad"),
    ("CO2 available", "CO2 NOT AVAILABLE"),
)
FORMS = st.sampled_from(("wide", "long"))


def replayed(name: str, flags: list[bool], words: tuple[str, str], form: str) -> Read:
    """Read a session in which the cells of `name` are `words`: for True, for False."""
    cells = [words[0] if flag else words[1] for flag in flags]
    if form == "long":
        rows = [f"{n},{name},{cell}\n{n},etco2,38" for n, cell in enumerate(cells)]
        return read("time_s,metric,value\n" + "\n".join(rows) + "\n")
    return read(
        f"time_s,etco2,{name},resp_rate\n"
        + "".join(f"{n},38,{cell},14\n" for n, cell in enumerate(cells))
    )


@settings(max_examples=80)
@given(
    st.sampled_from(POSITIVE),
    st.sampled_from(NEGATIVE),
    st.lists(st.booleans(), min_size=1, max_size=8),
    st.sampled_from(YES_NO),
    FORMS,
)
def test_a_gate_and_its_inverse_replay_alike(
    positive: str, negative: str, flags: list[bool], words: tuple[str, str], form: str
) -> None:
    one = replayed(positive, flags, words, form)
    other = replayed(negative, [not flag for flag in flags], words, form)
    assert one.heard == other.heard
    assert (38 in [value for _, value in one.of(CO2)]) is any(flags)
    assert sum(value is None for _, value in one.of(CO2)) == flags.count(False) * (
        2 if form == "long" else 1
    )
    assert one.rejected == other.rejected == []


@settings(max_examples=80)
@given(
    st.sampled_from(POSITIVE + NEGATIVE + ("co2_status", "capno_state", "co2_flag")),
    st.lists(st.booleans(), min_size=1, max_size=8),
    st.sampled_from(WORDS),
    FORMS,
)
def test_a_word_that_names_the_state_means_it_whatever_the_column_is_called(
    name: str, flags: list[bool], words: tuple[str, str], form: str
) -> None:
    plain = replayed("co2_available", flags, ("1", "0"), form)
    named = replayed(name, flags, words, form)
    assert named.moments == plain.moments or "etco2" in name
    assert named.heard == plain.heard


@given(
    st.sampled_from(("co2_available", "CO2 N/A", "etco2_valid")),
    st.lists(st.sampled_from(("available", "not available", "")), min_size=1, max_size=8),
    FORMS,
)
def test_a_flag_about_co2_is_a_notice_at_its_edges_and_one_about_its_number_is_none(
    name: str, cells: list[str], form: str
) -> None:
    rows = [f"{n},{name},{cell}\n{n},resp_rate,12" for n, cell in enumerate(cells)]
    wide = [f"{n},12,{cell}" for n, cell in enumerate(cells)]
    heard = (
        read("time_s,metric,value\n" + "\n".join(rows) + "\n")
        if form == "long"
        else read(f"time_s,resp_rate,{name}\n" + "\n".join(wide) + "\n")
    )
    expected, is_shut = [], False
    for second, cell in enumerate(cells):
        if cell and (cell != "available") != is_shut:
            is_shut = not is_shut
            expected.append(DeviceNotice(NoticeKind.CO2_UNMEASURED, instant_at(second), is_shut))
    told = [event for event in heard.events if isinstance(event, DeviceNotice)]
    assert told == ([] if "etco2" in name else expected)


@pytest.mark.parametrize("cell", ["", "  ", "NaN", "null", "<NA>", "-"])
@pytest.mark.parametrize("name", ["co2_available", "co2_na", "co2_status"])
def test_a_blank_flag_says_nothing(name: str, cell: str) -> None:
    heard = read(f"time_s,etco2,{name}\n0,38,{cell}\n")
    assert heard.of(CO2) == [(0, 38)]
    assert heard.notes == ()


@pytest.mark.parametrize("name", ["co2_status", "capno_flag", "co2_available", "co2_na"])
def test_what_is_not_understood_is_told_once_with_the_remedy_and_refused_never(name: str) -> None:
    heard = read(f"time_s,etco2,{name}\n" + "".join(f"{n},38,{n % 2 + 3}\n" for n in range(300)))
    assert {value for _, value in heard.of(CO2)} == {38}
    assert heard.rejected == []
    (note,) = heard.notes
    assert f"'{name}': 300 cells held no word of a flag ('3', '4')" in note
    assert f"--map '{name}=co2_not_available'" in note


def test_a_number_in_a_status_is_not_guessed_until_a_person_says_what_it_means() -> None:
    text = "time_s,etco2,co2_status\n0,38,0\n1,38,1\n"
    assert [value for _, value in read(text).of(CO2)] == [38, 38]
    for word, expected in (("co2_available", [None, 38]), ("co2_not_available", [38, None])):
        options = ReadOptions(column_map=read_column_map([f"co2_status={word}"]))
        assert [value for _, value in read(text, options).of(CO2)] == expected


def test_a_map_names_a_flag_of_any_metric() -> None:
    assert read_column_map(["a=co2_available", "b=spo2_not_available", "c=etco2_valid"]) == {
        "a": Gate(CO2),
        "b": Gate(SPO2, Sense.NOT_AVAILABLE),
        "c": Gate(CO2),
    }
    options = ReadOptions(column_map=read_column_map(["probe=spo2_not_available"]))
    assert read("time_s,spo2,probe\n0,97,1\n", options).of(SPO2) == [(0, None)]
    long = read("time_s,metric,value\n0,probe,1\n0,spo2,97\n", options)
    assert long.of(SPO2) == [(0, None), (0, None)]
    with pytest.raises(ConfigError, match=r"'co2_status' is not a metric.*or, for a flag"):
        read_column_map(["a=co2_status"])


@pytest.mark.parametrize("name", ["system status", "sysna", "diana", "hr_status_text", "co2", "ok"])
def test_a_name_that_only_looks_like_a_flag_is_none(name: str) -> None:
    assert meaning_of(name).gates is None


@pytest.mark.parametrize("name", ["noBreath", "no_breath", "No Breath Alarm"])
def test_the_devices_own_no_breath_is_heard_at_its_edges(name: str) -> None:
    for text in (
        f"time_s,resp_rate,{name}\n0,12,0\n1,12,1\n2,0,1\n3,0,\n4,12,0\n5,12,perhaps\n",
        f"time_s,metric,value\n0,resp_rate,12\n1,{name},1\n2,{name},1\n4,{name},0\n5,{name},x\n",
    ):
        heard = read(text)
        alarms = [event for event in heard.events if isinstance(event, DeviceAlarm)]
        said = [(each.at // 1_000_000_000, each.alarm, each.present) for each in alarms]
        assert said == [(1, "no_breath", True), (4, "no_breath", False)]
        assert heard.rejected == []
        assert len(heard.notes) == 1
