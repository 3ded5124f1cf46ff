"""The alarm line says what a person has done to the signals, where somebody has."""

import pytest

from monitor.model.alarm import AlarmChange, Change, Inactivation, Kind, Priority
from monitor.model.instant import instant_at
from monitor.runtime.replay import alarm_line


@pytest.mark.parametrize("inactivation", Inactivation)
def test_an_inactivation_is_named_and_none_is_not(inactivation: Inactivation) -> None:
    change = AlarmChange(
        at=instant_at(12),
        alarm="temp_high",
        change=Change.PAUSED,
        priority=Priority.LOW,
        kind=Kind.PHYSIOLOGICAL,
        inactivation=inactivation,
    )
    expected = None if inactivation is Inactivation.NONE else inactivation.value
    assert alarm_line(change).get("inactivation") == expected
