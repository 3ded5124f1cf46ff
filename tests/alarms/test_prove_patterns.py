"""What the linter proves of patterns: whatever a patient can bring about is proved."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.limits import read_preset
from alarms.prove_patterns import prove_pattern
from alarms.ramps import SETTLED_S, Finding, first, play, span_inside
from alarms.rules import LimitSet, Part, PartKind, PatternRule
from monitor.model.alarm import Priority
from monitor.model.event import observe
from monitor.model.instant import instant_at, seconds
from monitor.model.metric import Metric, describe
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT

PLAIN: Final = read_preset(PRESET_TEXT + PATTERNS, "more.toml").patterns[0]
METRICS: Final = (
    Metric.SPO2,
    Metric.PULSE_RATE,
    Metric.ETCO2,
    Metric.RESP_RATE,
    Metric.TEMP,
    Metric.NIBP_SYS,
)
WINDOW_S: Final = 60


def pattern(*parts: Part, delay_s: float = 10) -> tuple[LimitSet, PatternRule]:
    own = msgspec.structs.replace(PLAIN, parts=parts, delay=seconds(delay_s))
    return msgspec.structs.replace(LIMITS, patterns=(own,), relatives=(), doubt=None), own


def part(metric: Metric, kind: str, amount: float = 0.0, window_s: float = WINDOW_S) -> Part:
    return Part(metric=metric, kind=PartKind(kind), amount=amount, window=seconds(window_s))


def proved(*parts: Part, delay_s: float = 10) -> Finding:
    return prove_pattern(*pattern(*parts, delay_s=delay_s))


@st.composite
def moves(draw: st.DrawFn, metric: Metric) -> tuple[float, float]:
    """Draw a value inside all limits and one a patient may move to."""
    low, high = span_inside(LIMITS, metric)
    facts = describe(metric)
    start = draw(st.floats(low, high))
    # The least that can be measured may stand for nothing measured.
    return start, draw(st.floats(facts.technical_low + 1, facts.technical_high))


@given(st.data())
def test_a_pattern_that_a_course_brings_about_is_proved(data: st.DataObject) -> None:
    course, parts = dict[Metric, tuple[float, float]](), list[Part]()
    for metric in data.draw(
        st.lists(st.sampled_from(METRICS), min_size=1, max_size=2, unique=True)
    ):
        start, end = course[metric] = data.draw(moves(metric))
        share = data.draw(st.floats(0.1, 1))
        moved, way = ("falls", "below") if end < start else ("rises", "above")
        parts.append(part(metric, moved, max(0.1, share * abs(end - start))))
        if data.draw(st.booleans()):
            parts.append(part(metric, way, end + data.draw(st.floats(0.1, 1)) * (start - end)))
    limits, own = pattern(*data.draw(st.permutations(parts)))
    seen = play(limits, SETTLED_S + 12, lambda second: [
        observe(metric, values[second >= SETTLED_S], instant_at(second))
        for metric, values in course.items()
    ])  # fmt: skip
    told = first(seen, own.alarm)
    assert (told is not None) == all(abs(start - end) >= 0.1 for start, end in course.values())
    found = prove_pattern(limits, own)
    assert found.is_well or told is None, found.text


def test_what_is_found_of_a_pattern_says_where_and_when() -> None:
    assert proved(
        part(Metric.SPO2, "falls", 4.0), part(Metric.ETCO2, "lost"), delay_s=7
    ) == Finding(
        alarm="hypoventilation",
        is_well=True,
        text="all parts together: medium after 7 s",
        place="[pattern.hypoventilation]",
        metric=Metric.SPO2,
        priority=Priority.MEDIUM,
        delay_s=7,
        latency_s=7,
    )


@pytest.mark.parametrize(
    "parts",
    [
        (part(Metric.SPO2, "below", 85), part(Metric.SPO2, "falls", 8)),
        (part(Metric.SPO2, "falls", 8), part(Metric.SPO2, "below", 85)),
        (part(Metric.ETCO2, "above", 60), part(Metric.ETCO2, "rises", 5)),
        (part(Metric.ETCO2, "above", 20), part(Metric.ETCO2, "below", 27)),
        (part(Metric.RESP_RATE, "falls", 28),),
        (part(Metric.RESP_RATE, "rises", 120),),
        (part(Metric.PULSE_RATE, "falls", 20, window_s=5),),
        (part(Metric.PULSE_RATE, "rises", 60, window_s=5),),
        (part(Metric.SPO2, "below", 1.5),),
        (part(Metric.SPO2, "lost"), part(Metric.PULSE_RATE, "lost")),
    ],
)
def test_parts_that_can_hold_at_once_are_proved(parts: tuple[Part, ...]) -> None:
    found = proved(*parts)
    assert (found.text, found.is_well) == ("all parts together: medium after 10 s", True)


@pytest.mark.parametrize(
    "parts",
    [
        (part(Metric.SPO2, "below", 1),),
        (part(Metric.SPO2, "above", 100),),
        (part(Metric.SPO2, "below", 80), part(Metric.SPO2, "above", 80)),
        (part(Metric.SPO2, "below", 80), part(Metric.SPO2, "lost")),
        (part(Metric.SPO2, "rises", 10),),
        (part(Metric.RESP_RATE, "falls", 30),),
        # Twice within ten seconds is more than there is room for.
        (part(Metric.PULSE_RATE, "falls", 60, window_s=5),),
    ],
)
def test_parts_that_can_never_hold_are_found(parts: tuple[Part, ...]) -> None:
    found = proved(*parts)
    assert found.text == "its parts together raise nothing; can they hold at once?"
    assert not found.is_well


def test_a_pattern_of_what_is_usual_is_found() -> None:
    found = proved(part(Metric.SPO2, "above", 94))
    assert found.text == "its parts hold while every value is inside its limits"
    assert (found.is_well, found.priority, found.latency_s) == (False, None, None)


def test_a_pattern_without_a_delay_is_proved_at_once() -> None:
    found = proved(part(Metric.SPO2, "falls", 4.0), delay_s=0)
    assert (found.text, found.is_well) == ("all parts together: medium after 0 s", True)
    later = proved(part(Metric.SPO2, "falls", 4.0), delay_s=2.5)
    assert (later.text, later.delay_s) == ("all parts together: medium after 2.5 s", 2.5)
