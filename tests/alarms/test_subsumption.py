"""What may explain what: a cause never speaks for the patient, and only for what it gave."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.names import Identity, identify, no_data_alarm, sources_differ_alarm
from alarms.subsumption import Causes
from monitor.model.alarm import Kind, Priority
from monitor.model.event import NoticeKind
from monitor.model.link import LinkState
from monitor.model.metric import Metric, describe
from tests.alarms.score import Score

NUMERICS: Final = tuple(each for each in Metric if not describe(each).is_wave)
OF_OXIMETER: Final = {"sensor_off", "sensor_fault"}
OF_CO2: Final = {"sample_line_off", "occlusion", "co2_fault"}
metrics = st.lists(st.sampled_from(NUMERICS), max_size=4, unique=True).map(tuple)


@given(st.lists(st.tuples(st.sampled_from(["box", "cuff"]), metrics), max_size=6))
def test_a_lost_link_explains_what_it_last_said_to_give_and_nothing_else(
    losses: list[tuple[str, tuple[Metric, ...]]],
) -> None:
    causes, given_by = Causes(), dict[str, tuple[Metric, ...]]()
    for link, gave in losses:
        causes.lose(link, gave)
        given_by[link] = gave or given_by.get(link, ())
    for metric in NUMERICS:
        found = causes.of(identify(no_data_alarm(metric)))
        links = {each for each in found if each.startswith("link_")}
        assert links == {f"link_{link}" for link, gave in given_by.items() if metric in gave}
        assert found[: len(links)] == [each for each in found if each in links], "links first"


@pytest.mark.parametrize("metric", NUMERICS)
def test_a_notice_explains_the_absence_of_what_its_sensor_measures(metric: Metric) -> None:
    found = set(Causes().of(identify(no_data_alarm(metric))))
    if metric in {Metric.SPO2, Metric.PULSE_RATE}:
        assert found == OF_OXIMETER
    elif metric in {Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE}:
        assert found == OF_CO2
    else:
        assert found == set()
    assert found <= {each.value for each in NoticeKind}


def test_a_cause_that_is_over_hides_no_other_that_stands() -> None:
    score = Score()
    score.run(0, 5, spo2=97)
    score.link(LinkState.LOST, 5, Metric.SPO2)
    score.link(LinkState.UP, 20)
    score.run(21, 30, spo2=97)
    score.notice(NoticeKind.SENSOR_OFF, 30)
    score.wait(100)
    assert score.standing()["no_data_spo2"].subsumed_by == "sensor_off"


@pytest.mark.hazard("H3")
@pytest.mark.parametrize("metric", NUMERICS)
def test_nothing_about_the_patient_and_no_doubt_about_a_value_is_ever_explained(
    metric: Metric,
) -> None:
    causes = Causes()
    causes.lose("box", NUMERICS)
    patient = Identity(
        alarm=no_data_alarm(metric),
        title="",
        kind=Kind.PHYSIOLOGICAL,
        priority=Priority.LOW,
        metric=metric,
    )
    assert causes.of(patient) == []
    assert causes.of(identify(sources_differ_alarm(metric))) == []
    assert causes.of(identify("recording_gap")) == []
