"""Every condition of the shipped preset, and what is found about each, as people read them."""

from pathlib import Path
from typing import Final

import msgspec
import pytest

from alarms.check import prove
from alarms.limits import read_preset
from alarms.names import identify, is_link, is_notice, is_sources_differ, is_taken, link_alarm
from alarms.rules import LimitSet
from alarms.ruling import ruling
from alarms.system import AlarmSystem
from alarms.watches import technical_watch
from monitor.model.alarm import Kind, Priority
from monitor.model.event import NoticeKind
from monitor.model.metric import Metric
from tests.alarms.listed import conditions_text, findings_text
from tests.alarms.score import PATTERNS, PRESET_TEXT

GOLDEN: Final = Path(__file__).parent / "golden"
ON_THE_WAY: Final = (
    link_alarm("box"),
    *(each.value for each in NoticeKind if is_notice(each.value)),
    "disk",
    "record",
    "audio",
    "clock",
    "watchdog",
    "influx",
    "mqtt",
    "hl7",
    "a part nobody has ranked",
)
"""What is put on the board when it first happens."""


def shipped() -> LimitSet:
    """Return the shipped preset with patterns, read anew."""
    return read_preset(PRESET_TEXT + PATTERNS, "more.toml")


def test_every_condition_is_as_it_was_read() -> None:
    limits = shipped()
    watches = [
        *AlarmSystem(limits).watches(),
        *(technical_watch(each, limits) for each in ON_THE_WAY),
    ]
    assert conditions_text(limits, watches) == (GOLDEN / "conditions.txt").read_text()


def test_every_finding_about_the_shipped_preset_is_as_it_was_read() -> None:
    assert findings_text(prove(shipped())) == (GOLDEN / "findings.txt").read_text()


def test_no_limit_may_take_the_name_of_a_condition_that_no_limit_makes() -> None:
    fixed = {each.identity.alarm for each in AlarmSystem(shipped()).watches()
             if each.identity.kind is Kind.TECHNICAL}  # fmt: skip
    for name in {*fixed, *ON_THE_WAY[:-1], "apnoea"}:
        assert is_taken(name), name
    for name in ("spo2_low", "nibp_sys_far_down", ON_THE_WAY[-1]):
        assert not is_taken(name), name
    assert is_link("link_box")
    assert not is_link("spo2_low")


@pytest.mark.parametrize("metric", Metric)
def test_a_name_that_only_looks_like_a_metrics_is_high(metric: Metric) -> None:
    known = identify(f"sources_differ_{metric}")
    assert known.metric is identify(f"no_data_{metric}").metric is metric
    assert identify(f"no_data_{metric}x").priority is Priority.HIGH
    assert identify(f"sources_differ_{metric}x").priority is Priority.HIGH
    assert is_sources_differ(known.alarm)


def test_a_preset_that_says_less_has_words_for_what_it_leaves_out() -> None:
    limits = msgspec.structs.replace(shipped(), cuff_due={}, doubt=None)
    assert ruling(limits, "nibp_overdue") == "no schedule"
    assert ruling(limits, "spo2_low") == ""
    assert ruling(limits, "frozen_co2") == "a part of Vigil says that it is not well"
    assert "sources_differ_spo2" not in [
        each.identity.alarm for each in AlarmSystem(limits).watches()
    ]
