"""Two devices of one chair speak of one metric: one is judged, the other may contradict it."""

from typing import Final

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alarms.agreement import Others
from monitor.model.alarm import AlarmChange
from monitor.model.entry import Entry, EntryKind, decode
from monitor.model.event import (
    DeviceNotice,
    NoticeKind,
    Observation,
    OtherReading,
    Validity,
    observe,
)
from monitor.model.instant import instant_at
from monitor.model.metric import NIBP, Metric
from monitor.runtime.pipeline import Pipeline
from monitor.runtime.sources import Sources
from tests.runtime.chairs import LINKS, Kept, make_pipeline

JUDGED, OTHER = LINKS
SPO2: Final = Metric.SPO2


def speak(pipeline: Pipeline, link: str, value: float | None, at_s: float) -> None:
    now = instant_at(at_s)
    pipeline.judge(link, [observe(SPO2, value, now)], now)


def told(entries: list[Entry]) -> list[tuple[str, str]]:
    changes = [decode(each) for each in entries if each.kind is EntryKind.ALARM]
    return [(c.alarm, c.change.value) for c in changes if isinstance(c, AlarmChange)]


def test_a_chair_tells_that_its_two_oximeters_differ_and_judges_one() -> None:
    log = Kept()
    pipeline = make_pipeline(log)
    for second in range(60):
        speak(pipeline, JUDGED, 97, second)
        speak(pipeline, OTHER, 84, second + 0.5)
    assert told(log.entries) == [("sources_differ_spo2", "present")]
    (alarm,) = pipeline.alarms.alarms()
    assert alarm.title == "SpO2: two devices differ"


@given(st.lists(st.tuples(st.sampled_from(LINKS), st.sampled_from([97, 84, None])), max_size=80))
def test_a_record_told_again_comes_to_the_same_state(
    steps: list[tuple[str, int | None]],
) -> None:
    log = Kept()
    pipeline = make_pipeline(log)
    for second, (link, value) in enumerate(steps):
        speak(pipeline, link, value, second)
    again = make_pipeline(Kept())
    for entry in log.entries:
        again.recall(entry, decode(entry))
    assert again.alarms.save() == pipeline.alarms.save()


def test_the_judged_source_and_a_cuff_never_stand_beside() -> None:
    sources = Sources(LINKS, {})
    mine = observe(SPO2, 97, instant_at(1))
    assert list(sources.choose(JUDGED, mine, instant_at(1)))
    assert sources.aside(JUDGED, mine) is None
    other = observe(SPO2, 84, instant_at(2))
    assert not list(sources.choose(OTHER, other, instant_at(2)))
    assert sources.aside(OTHER, other) == OtherReading(SPO2, OTHER, 84, instant_at(2))
    for metric in NIBP:
        sources.choose(JUDGED, observe(metric, 120, instant_at(3)), instant_at(3))
        assert sources.aside(OTHER, observe(metric, 90, instant_at(4))) is None


def test_a_device_whose_probe_is_off_or_that_doubts_itself_contradicts_nobody() -> None:
    sources = Sources(LINKS, {})
    sources.choose(JUDGED, observe(SPO2, 97, instant_at(1)), instant_at(1))
    odd = Observation(SPO2, 84, Validity.QUESTIONABLE, instant_at(2))
    assert sources.aside(OTHER, odd) == OtherReading(SPO2, OTHER, None, instant_at(2))
    off = DeviceNotice(NoticeKind.SENSOR_OFF, instant_at(3))
    sources.choose(OTHER, off, instant_at(3))
    said = observe(SPO2, 84, instant_at(4))
    assert sources.aside(OTHER, said) == OtherReading(SPO2, OTHER, None, instant_at(4))
    sources.choose(OTHER, msgspec.structs.replace(off, present=False), instant_at(5))
    assert sources.aside(OTHER, said) == OtherReading(SPO2, OTHER, 84, instant_at(4))


def test_what_other_devices_said_is_a_bounded_memory() -> None:
    pipeline = make_pipeline(Kept())
    for second in range(300):
        speak(pipeline, JUDGED, 97, second)
        speak(pipeline, OTHER, 96, second + 0.5)
    kept = msgspec.json.decode(pipeline.alarms.save())["others"]
    assert msgspec.convert(kept, Others).readings[SPO2].keys() == {OTHER}
