"""Links, sensors and parts of ourselves: what their loss means and explains."""

from typing import Final

import pytest

from alarms.names import is_notice
from alarms.rules import DataRules
from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Priority
from monitor.model.entry import SelfCheck
from monitor.model.event import DeviceNotice, FrameRejected, NoticeKind
from monitor.model.instant import instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric
from monitor.model.session import Deed
from tests.alarms.score import LIMITS, Score


def test_a_lost_link_holds_its_metrics_and_explains_their_silence() -> None:
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=70)
    score.link(LinkState.LOST, 20, Metric.SPO2, Metric.PULSE_RATE)
    score.wait(60)
    assert (20, "spo2_low", "held", "medium") in score.lines()
    assert (25, "link_box", "present", "medium") in score.lines()
    assert score.first("no_data_spo2", Change.PRESENT).subsumed_by == "link_box"
    assert score.standing()["no_data_pulse_rate"].subsumed_by == "link_box"


def test_a_link_that_is_back_at_once_is_only_noted() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.link(LinkState.LOST, 20, Metric.SPO2)
    score.link(LinkState.UP, 23)
    score.run(23, 60, spo2=97)
    assert score.lines() == []


def test_what_is_more_urgent_than_its_cause_is_not_subsumed() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.link(LinkState.LOST, 20, Metric.SPO2)
    score.wait(200)
    last = score.first("no_data_spo2", Change.ESCALATED)
    assert (last.priority, last.subsumed_by) == (Priority.HIGH, "")
    assert score.standing()["no_data_spo2"].subsumed_by == ""


def test_values_still_printed_after_sensor_off_count_for_nothing() -> None:
    score = Score()
    score.run(0, 20, spo2=88)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.run(20, 60, spo2=97)
    assert score.changes("spo2_low") == [(10, "present"), (20, "held")]
    assert score.changes("sensor_off") == [(25, "present")]
    assert score.first("no_data_spo2", Change.PRESENT).subsumed_by == "sensor_off"
    score.notice(NoticeKind.SENSOR_OFF, 60, present=False)
    score.run(60, 80, spo2=97)
    assert score.changes("spo2_low")[-1][1] == "ended"


def test_a_new_conversation_forgets_what_the_old_one_said_was_off() -> None:
    score = Score()
    score.run(0, 20, spo2=97)
    score.notice(NoticeKind.SENSOR_OFF, 20)
    score.link(LinkState.LOST, 30, Metric.SPO2)
    score.link(LinkState.UP, 40)
    score.run(41, 90, spo2=97)
    assert set(score.standing()) <= {"no_data_spo2"}


def test_an_ailing_part_is_told_and_its_recovery_too() -> None:
    score = Score()
    for at, is_well in ((5, False), (9, True)):
        score.hear(SelfCheck(part="disk", at=instant_at(at), is_well=is_well, reason="full"), at)
    assert score.lines() == [(5, "disk", "present", "medium"), (9, "disk", "ended", "medium")]


def test_a_part_nobody_has_ranked_is_high() -> None:
    score = Score()
    score.hear(SelfCheck(part="flux", at=instant_at(5), is_well=False), 5)
    assert score.lines() == [(5, "flux", "present", "high")]


def test_limits_for_a_tile_are_those_in_force() -> None:
    system = AlarmSystem(LIMITS)
    assert system.limits_of(Metric.SPO2) == (90, None)
    assert system.limits_of(Metric.PULSE_RATE) == (50, 120)
    assert system.limits_of(Metric.PERFUSION_INDEX) == (None, None)


def test_the_rules_for_data_are_those_of_the_preset() -> None:
    assert isinstance(LIMITS.data, DataRules)
    assert LIMITS.data.absent_after == seconds(30)


def test_a_failed_cuff_reading_is_told_at_once_and_stays_until_a_person_has_seen_it() -> None:
    score = Score()
    score.notice(NoticeKind.CUFF_FAILED, 10)
    score.wait(300)
    assert score.changes("cuff_failed") == [(10, "present"), (10, "latched")]
    assert "cuff_failed" in score.standing()
    score.do(Deed.RESET, "cuff_failed", 300)
    assert "cuff_failed" not in score.standing()


CO2: Final = (Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE)


def link(score: Score, state: LinkState, at: float, *metrics: Metric, reason: str = "") -> None:
    """Let a link change and say why."""
    change = LinkChange(link="box", state=state, at=instant_at(at), metrics=metrics, reason=reason)
    score.hear(change, at)


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (LinkState.LOST, "cable out", "lost: cable out"),
        (LinkState.LOST, "", "lost"),
        (LinkState.SILENT, "", "silent"),
    ],
)
def test_a_link_says_how_and_why_it_is_gone(state: LinkState, reason: str, said: str) -> None:
    score = Score()
    link(score, state, 0, Metric.SPO2, reason=reason)
    score.wait(10)
    assert score.lines() == [(5, "link_box", "present", "medium")]
    assert score.first("link_box", Change.PRESENT).reason == said


@pytest.mark.parametrize(
    ("detail", "said"), [("probe off finger", "probe off finger"), ("", "the device says so")]
)
def test_a_notice_says_what_the_device_says(detail: str, said: str) -> None:
    score = Score()
    score.hear(DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(0), detail=detail), 0)
    score.wait(10)
    assert score.first("sensor_off", Change.PRESENT).reason == said


@pytest.mark.parametrize(("reason", "said"), [("full", "full"), ("", "not well")])
def test_a_part_says_what_ails_it(reason: str, said: str) -> None:
    score = Score()
    score.hear(SelfCheck(part="disk", at=instant_at(5), is_well=False, reason=reason), 5)
    assert score.first("disk", Change.PRESENT).reason == said


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("metric", [*CO2, Metric.CO2_WAVE])
def test_a_lost_co2_link_stops_the_breath_clock(metric: Metric) -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14)
    link(score, LinkState.LOST, 30, metric)
    score.wait(100)
    assert score.changes("apnoea") == []


@pytest.mark.hazard("H2")
def test_a_lost_oximeter_link_leaves_the_breath_clock_alone() -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14, spo2=97)
    link(score, LinkState.LOST, 30, Metric.SPO2, Metric.PULSE_RATE)
    score.run(30, 70, etco2=0, resp_rate=0)
    assert score.changes("apnoea")[0][1] == "present"


OXIMETER_OR_CO2: Final = [
    ((Metric.SPO2, Metric.PULSE_RATE), False),
    *(((each,), True) for each in (*CO2, Metric.CO2_WAVE)),
]


@pytest.mark.hazard("H3")
@pytest.mark.parametrize(("metrics", "is_co2"), OXIMETER_OR_CO2)
def test_an_apnoea_is_held_from_the_loss_of_the_co2_link_on(
    metrics: tuple[Metric, ...], *, is_co2: bool
) -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14, spo2=97)
    score.run(30, 80, etco2=0, resp_rate=0)
    link(score, LinkState.LOST, 80, *metrics)
    score.wait(81)
    said = [each for _, each in score.changes("apnoea")]
    assert said == ["present", *["held"] * is_co2]
    assert score.standing()["apnoea"].held_since == (instant_at(80) if is_co2 else None)


@pytest.mark.hazard("H2")
@pytest.mark.parametrize(("metrics", "is_co2"), OXIMETER_OR_CO2)
def test_a_lost_co2_link_explains_no_missing_breath_and_a_lost_oximeter_takes_nothing_back(
    metrics: tuple[Metric, ...], *, is_co2: bool
) -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14, spo2=97)
    score.notice(NoticeKind.AUTO_ZERO, 30)
    link(score, LinkState.LOST, 31, *metrics)
    score.wait(200)
    assert score.changes("apnoea")[:1] == ([] if is_co2 else [(29 + 60, "present")])


@pytest.mark.hazard("H1")
@pytest.mark.parametrize(("metrics", "is_co2"), OXIMETER_OR_CO2)
def test_the_devices_own_no_breath_is_over_with_the_conversation_that_said_it(
    metrics: tuple[Metric, ...], *, is_co2: bool
) -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14, spo2=97)
    score.device("no_breath", 30)
    link(score, LinkState.LOST, 31, *metrics)
    link(score, LinkState.UP, 40, *metrics)
    score.run(40, 70, etco2=38, resp_rate=14, spo2=97)
    assert (score.changes("apnoea")[-1][1] == "latched") is is_co2


@pytest.mark.hazard("H2")
def test_what_explained_missing_breaths_is_forgotten_with_the_conversation() -> None:
    score = Score()
    score.run(0, 30, etco2=38, resp_rate=14)
    score.notice(NoticeKind.AUTO_ZERO, 30)
    link(score, LinkState.LOST, 31, *CO2)
    link(score, LinkState.UP, 32, *CO2)
    score.run(32, 60, etco2=38, resp_rate=14)
    score.run(60, 100, etco2=0, resp_rate=0)
    plain = Score()
    plain.run(0, 60, etco2=38, resp_rate=14)
    plain.run(60, 100, etco2=0, resp_rate=0)
    assert score.changes("apnoea") == plain.changes("apnoea") != []


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_is_a_condition_exactly_where_it_has_a_name(kind: NoticeKind) -> None:
    score = Score()
    score.notice(kind, 0)
    score.wait(10)
    assert set(score.standing()) == ({kind.value} if is_notice(kind.value) else set())
    assert (score.system.inspect(kind.value) is not None) is is_notice(kind.value)
    score.notice(kind, 10, present=False)
    latched = {kind.value} if kind is NoticeKind.CUFF_FAILED else set()
    assert set(score.standing()) == latched


@pytest.mark.parametrize("kind", [NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT])
def test_a_sensor_is_off_until_every_reason_is_over(kind: NoticeKind) -> None:
    other = ({NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT} - {kind}).pop()
    score = Score()
    score.run(0, 20, spo2=88, pulse_rate=70)
    for each in (kind, kind, other):
        score.notice(each, 20)
    score.notice(kind, 21, present=False)
    score.notice(kind, 21, present=False)
    score.run(21, 40, spo2=97, pulse_rate=70)
    assert score.changes("spo2_low") == [(10, "present"), (20, "held")]
    score.notice(other, 40, present=False)
    score.run(40, 60, spo2=97, pulse_rate=70)
    assert score.changes("spo2_low")[-1] == (45, "ended")


@pytest.mark.hazard("H1")
@pytest.mark.parametrize("kind", [NoticeKind.SENSOR_OFF, NoticeKind.SENSOR_FAULT])
def test_a_sensor_said_to_be_on_that_was_never_said_to_be_off_is_on(kind: NoticeKind) -> None:
    score = Score()
    score.notice(kind, 0, present=False)
    score.run(1, 20, spo2=88)
    assert score.changes("spo2_low") == [(11, "present")]


@pytest.mark.hazard("H2")
@pytest.mark.parametrize(
    ("alarm", "detail", "lasted"),
    [
        ("no_breath", "NO BREATH 25 s", 25),
        ("no_breath", "25s", 25),
        ("apnoea", "for 25 sec", 0),
        ("apnoea", "for 25 s", 25),
        ("apnoea", "", 0),
        ("no_breath", "1234 s", 60),
        ("tachycardia", "25 s", None),
    ],
)
def test_the_devices_own_alarm_says_how_long_nobody_breathed(
    alarm: str, detail: str, lasted: float | None
) -> None:
    score = Score()
    score.wait(60)
    score.device(alarm, 60, detail=detail)
    if lasted is None:
        assert score.told == []
    else:
        said = score.first("apnoea", Change.PRESENT)
        assert said.reason == f"the device says so; no breath seen for {lasted} s"
        assert score.standing()["apnoea"].since == instant_at(60 - lasted)


def test_the_last_refusal_is_named() -> None:
    score = Score()
    for number in range(10):
        score.hear(FrameRejected(f"wrong {number}", b"", instant_at(number)), number)
    assert score.told == []
    score.hear(FrameRejected("checksum differs", b"", instant_at(10)), 10)
    reason = score.first("input_rejected", Change.PRESENT).reason
    assert reason == "more than 10 in a minute, the last: checksum differs"


@pytest.mark.parametrize(("gap_s", "said"), [(1.9, ""), (2, "2"), (75.25, "75.2"), (4000, "4000")])
def test_a_gap_of_two_seconds_is_told_and_latched(gap_s: float, said: str) -> None:
    score = Score()
    score.see(0, spo2=97)
    score.restart(gap_s)
    if not said:
        assert "recording_gap" not in score.standing()
        return
    assert [each for _, each in score.changes("recording_gap")] == ["present", "latched"]
    change = score.first("recording_gap", Change.PRESENT)
    assert (change.reason, change.value) == (f"not watched for {said} s", gap_s)
