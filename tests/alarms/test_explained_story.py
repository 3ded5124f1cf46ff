"""One session, asked at many moments: answers about alarms and silences, as people read them."""

from pathlib import Path
from typing import Final

import pytest

from alarms.explain import SAMPLES_MAX, Explanation, Restart, explain, explain_until, why_not
from alarms.limits import read_preset
from alarms.system import Happened
from monitor.model.event import DeviceNotice, NoticeKind, OtherReading
from monitor.model.instant import Instant, in_seconds, instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import NIBP, Metric
from monitor.model.session import Deed, OperatorAction, Phase
from tests.alarms.score import PATTERNS, PRESET_TEXT, seen

GOLDEN: Final = Path(__file__).parent / "golden" / "explained.txt"
LIMITS: Final = read_preset(PRESET_TEXT + PATTERNS, "more.toml")
WELL: Final = {"spo2": 97.0, "pulse_rate": 70.0, "heart_rate": 72.0, "etco2": 38.0, "resp_rate": 14}
ASKED: Final = (
    (5, Metric.NIBP_SYS),
    (36, Metric.SPO2),
    (50, Metric.SPO2),
    (62, Metric.SPO2),
    (83, Metric.SPO2),
    (100, Metric.SPO2),
    (112, Metric.SPO2),
    (120, Metric.SPO2),
    (131, Metric.SPO2),
    (150, Metric.SPO2),
    (178, Metric.SPO2),
    (150, Metric.PULSE_RATE),
    (215, Metric.NIBP_SYS),
    (232, Metric.RESP_RATE),
    (259, Metric.ETCO2),
    (292, Metric.SPO2),
    (320, Metric.TEMP),
)
EXPLAINED: Final = (
    "spo2_low",
    "cuff_on_probe_arm",
    "sensor_off",
    "nibp_sys_above_baseline",
    "hypoventilation",
    "link_box",
    "no_data_spo2",
    "sources_differ_spo2",
    "pulse_rate_low",
)


def values(second: int) -> dict[str, float | None]:
    """Return what the devices say at a second of the story."""
    changes: dict[tuple[int, int], dict[str, float | None]] = {
        (30, 60): {**WELL, "spo2": 88},
        (80, 82): {**WELL, "spo2": 88},
        (82, 95): {**WELL, "spo2": 80},
        (95, 110): {},
        (140, 170): {**WELL, "spo2": 86, "pulse_rate": None},
        (220, 260): {**WELL, "resp_rate": 9, "etco2": 49},
        (260, 300): {},
        (300, 330): {"temp": 36.6},
    }
    return next((now for (start, end), now in changes.items() if start <= second < end), {**WELL})


def happening(second: int) -> list[Happened | Restart]:
    """Return what else happens at a second of the story."""
    at = instant_at(second)
    others: dict[int, list[Happened | Restart]] = {
        0: [OperatorAction(deed=Deed.ENTER_PHASE, at=at, operator="n", phase=Phase.BASELINE)],
        45: [OperatorAction(deed=Deed.ACKNOWLEDGE, at=at, operator="nurse-1", alarm="spo2_low")],
        95: [DeviceNotice(NoticeKind.SENSOR_OFF, at)],
        110: [DeviceNotice(NoticeKind.SENSOR_OFF, at, present=False)],
        125: [OperatorAction(deed=Deed.RESET, at=at, operator="nurse-1", alarm="spo2_low")],
        130: [Restart(seconds(1))],
        140: [DeviceNotice(NoticeKind.CUFF_INFLATING, at)],
        170: [DeviceNotice(NoticeKind.CUFF_INFLATING, at, present=False)],
        260: [LinkChange(link="box", state=LinkState.LOST, at=at, metrics=(Metric.SPO2,))],
    }
    if second in {10, 70, 210}:
        pressures = (150.0, 90.0, 110.0) if second == 210 else (110.0, 70.0, 83.0)
        return [seen(metric, each, second) for metric, each in zip(NIBP, pressures, strict=True)]
    if 172 <= second < 210:
        other = None if second == 180 else 90.0
        return [OtherReading(Metric.SPO2, "second", other, at)]
    return others.get(second, [])


STORY: Final[list[tuple[Happened | Restart, Instant]]] = [
    (happened, instant_at(second))
    for second in range(330)
    for happened in (
        *happening(second),
        *(seen(metric, value, second) for metric, value in values(second).items()),
    )
]


def silences_text() -> str:
    """Return every silence asked for, where its words are not those of the last answer."""
    lines, last = [], dict[str, str]()
    for second, metric in ASKED:
        lines.append(f"at {second} s, about {metric}")
        for each in why_not(LIMITS, STORY, metric, instant_at(second)):
            facts = f"{each.title}, {each.priority}, {each.state.condition}"
            if last.get(each.alarm) != each.text:
                lines.append(f"  {each.alarm} ({facts}): {each.text}")
            last[each.alarm] = each.text
    return "\n".join(lines) + "\n"


def explained_text() -> str:
    """Return every change of the alarms asked for."""
    lines = []
    for alarm in EXPLAINED:
        found = explain_until(LIMITS, STORY, alarm, None)
        lines.append(f"{alarm}: {found[0].title if found else 'never'}")
        lines += [f"  {_explained(each)}" for each in found]
    return "\n".join(lines) + "\n"


def _explained(each: Explanation) -> str:
    samples = "; ".join(
        f"{in_seconds(one.at):g} s {one.metric} {one.value} {one.validity} {one.judged}"
        + (f" by {one.link}" if one.link else "")
        for one in each.samples[-2:]
    )
    rule = "" if each.rule is None else f" limit {each.rule.limit:g}"
    clocks = " | ".join(each.clocks) or "no clock"
    return (
        f"{in_seconds(each.change.at):g} s {each.change.change} {each.change.priority}{rule}: "
        f"{each.before.condition} to {each.after.condition}; {clocks}; "
        f"{len(each.samples)} samples, last {samples or 'none'}; {each.ruling or 'its limit'}"
    )


def test_every_answer_about_one_session_is_as_it_was_read() -> None:
    assert silences_text() + explained_text() == GOLDEN.read_text()


@pytest.mark.parametrize("alarm", EXPLAINED)
def test_what_is_told_at_one_instant_is_part_of_what_is_told_until_then(alarm: str) -> None:
    every = explain_until(LIMITS, STORY, alarm, None)
    for each in every:
        at = each.change.at
        assert each in explain(LIMITS, STORY, alarm, at)
        assert explain_until(LIMITS, STORY, alarm, at) == [e for e in every if e.change.at <= at]
        assert len(each.samples) <= SAMPLES_MAX == 60
        assert all(one.at <= at for one in each.samples)
