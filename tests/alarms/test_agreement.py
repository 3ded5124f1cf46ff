"""Two devices that disagree about one metric: told, doubted, and nothing hidden by it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms.limits import read_preset
from alarms.system import AlarmSystem
from monitor.model.alarm import Change, Priority
from monitor.model.event import OtherReading
from monitor.model.instant import instant_at
from monitor.model.metric import Metric
from tests.alarms.score import LIMITS, PRESET_TEXT, Score

DIFFER = "sources_differ_spo2"


def both(
    score: Score, start: int, end: int, judged: float | None, other: float | None, link: str = "b"
) -> None:
    """Let the judged device and another one speak of the saturation once a second."""
    for second in range(start, end):
        if judged is not None or second == start:
            score.see(second, spo2=judged)
        said = OtherReading(Metric.SPO2, link, other, instant_at(second))
        score.hear(said, second)


def test_two_devices_that_agree_are_not_spoken_of() -> None:
    score = Score()
    both(score, 0, 100, 97, 94)
    assert score.lines() == []


def test_two_devices_that_differ_for_long_enough_are_told_with_both_values() -> None:
    score = Score()
    both(score, 0, 20, 97, 96)
    both(score, 20, 60, 97, 84)
    assert score.lines() == [(50, DIFFER, "present", "medium")]
    assert score.told[0].reason == "judged 97 %, b says 84"
    both(score, 60, 70, 97, 96)
    assert score.changes(DIFFER)[-1] == (60, "ended")


@pytest.mark.hazard("H3")
def test_what_another_device_contradicts_ends_no_alarm() -> None:
    score = Score()
    both(score, 0, 60, 88, 80)
    assert score.changes(DIFFER) == [(30, "present")]
    both(score, 60, 120, 97, 80)
    assert "ended" not in [change for _, change in score.changes("spo2_low")]
    both(score, 120, 140, 97, 97)
    assert "ended" in [change for _, change in score.changes("spo2_low")]


@pytest.mark.hazard("H11")
def test_a_low_value_that_another_device_contradicts_still_alarms() -> None:
    score = Score()
    both(score, 0, 60, 97, 80)
    both(score, 60, 80, 80, 97)
    assert (65, "spo2_low", "present", "high") in score.lines()


def test_a_device_that_fell_silent_or_has_no_value_contradicts_nobody() -> None:
    silent = Score()
    both(silent, 0, 60, 88, 80)
    silent.run(60, 100, spo2=97)
    assert silent.changes(DIFFER) == [(30, "present"), (69, "held")]
    assert silent.changes("spo2_low")[-1][1] == "ended"
    off = Score()
    both(off, 0, 100, 97, None)
    assert off.lines() == []


def test_a_value_that_cannot_be_measured_contradicts_nobody() -> None:
    score = Score()
    both(score, 0, 100, 97, 127)
    assert score.lines() == []


def test_what_another_device_said_of_the_future_or_out_of_order_is_no_reading() -> None:
    score = Score()
    for second in range(60):
        score.see(second, spo2=97)
        score.hear(OtherReading(Metric.SPO2, "b", 96, instant_at(second)), second)
        score.hear(OtherReading(Metric.SPO2, "b", 84, instant_at(second - 0.5)), second)
        score.hear(OtherReading(Metric.SPO2, "b", 84, instant_at(second + 1)), second)
    assert score.lines() == []


def test_of_two_readings_of_one_instant_the_later_heard_counts() -> None:
    score = Score()
    score.see(0, spo2=97)
    for value in (96, 84):
        score.hear(OtherReading(Metric.SPO2, "b", value, instant_at(0)), 0)
    both(score, 1, 40, 97, 84)
    assert score.changes(DIFFER) == [(30, "present")]


@pytest.mark.parametrize(("other", "is_told"), [(84, True), (100, True), (85, False), (95, False)])
def test_the_tolerance_itself_is_agreement_and_the_highest_saturation_can_be_meant(
    other: int, *, is_told: bool
) -> None:
    score = Score()
    both(score, 0, 40, 90, other)
    assert bool(score.changes(DIFFER)) == is_told


def test_the_loss_of_the_judged_device_is_told_whatever_the_other_says() -> None:
    score = Score()
    both(score, 0, 60, 97, 84)
    both(score, 60, 120, None, 84)
    assert (89, "no_data_spo2", "present", "medium") in score.lines()
    assert score.changes(DIFFER) == [(30, "present"), (60, "held")]


@pytest.mark.parametrize(
    ("judged", "other", "asked"), [(38, 76, True), (76, 39, True), (70, 100, False), (0, 14, False)]
)
def test_a_rate_of_half_the_other_is_asked_about(judged: int, other: int, *, asked: bool) -> None:
    score = Score()
    for second in range(40):
        score.see(second, resp_rate=judged, etco2=38)
        score.hear(OtherReading(Metric.RESP_RATE, "b", other, instant_at(second)), second)
    reason = score.first("sources_differ_resp_rate", Change.PRESENT).reason
    said = f"judged {judged} /min, b says {other}"
    assert reason == said + (": half counted?" if asked else "")


def test_of_two_other_devices_the_farthest_is_named() -> None:
    score = Score()
    for second in range(40):
        score.see(second, spo2=97)
        for link, value in (("b", 96), ("c", 80)):
            score.hear(OtherReading(Metric.SPO2, link, value, instant_at(second)), second)
    assert score.first(DIFFER, Change.PRESENT).reason == "judged 97 %, c says 80"


def test_a_breath_rate_of_zero_beside_breaths_is_a_difference() -> None:
    score = Score()
    for second in range(40):
        score.see(second, etco2=38, resp_rate=14)
        score.hear(OtherReading(Metric.RESP_RATE, "b", 0, instant_at(second)), second)
    told = score.first("sources_differ_resp_rate", Change.PRESENT)
    assert told.priority is Priority.MEDIUM


def test_a_preset_without_tolerances_compares_nothing() -> None:
    kept = [each for each in PRESET_TEXT.splitlines() if not each.startswith("sources_differ")]
    score = Score(read_preset("\n".join(kept), "ours.toml"))
    both(score, 0, 100, 97, 84)
    assert score.lines() == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["judged", "b", "c"]),
            st.one_of(st.none(), st.integers(70, 100)),
            st.sampled_from([0.0, 0.5, 1.0, 12.0]),
        ),
        max_size=60,
    )
)
def test_other_devices_change_nothing_but_what_is_said_of_them_while_nothing_is_wrong(
    steps: list[tuple[str, int | None, float]],
) -> None:
    """Without an alarm about the patient, hearing others tells of their difference at most."""
    alone, beside, now = Score(), Score(), 0.0
    for link, value, wait in steps:
        now += wait
        if link == "judged":
            shown = None if value is None else max(value, 92)
            alone.see(now, spo2=shown)
            beside.see(now, spo2=shown)
        else:
            reading = OtherReading(Metric.SPO2, link, value, instant_at(now))
            beside.hear(reading, now)
            alone.wait(now)
        saved = beside.system.save()
        assert AlarmSystem.restore(LIMITS, saved).save() == saved
    assert [each for each in beside.lines() if each[1] != DIFFER] == alone.lines()
