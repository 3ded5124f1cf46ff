"""Each number of a limit set: accepted up to its bounds, refused beyond, read where it belongs."""

import re
from collections.abc import Callable
from typing import Final

import pytest

from alarms.limits import read_preset
from alarms.rules import InactivationRules, LimitSet
from monitor.model.alarm import Priority
from monitor.model.errors import ConfigError
from monitor.model.instant import Duration, in_seconds
from monitor.model.metric import Metric
from monitor.model.session import Phase
from tests.alarms.score import LIMITS, PATTERNS, PRESET_TEXT

Reading = Callable[[LimitSet], float | Duration]


def with_number(table: str, key: str, value: float, text: str = PRESET_TEXT) -> str:
    """Return a preset with one number of one table changed."""
    before, head, after = text.partition(f"[{table}]\n")
    assert head
    changed, count = re.subn(rf"(?m)^{key} = [0-9.]+$", f"{key} = {value:g}", after, count=1)
    assert count == 1
    return before + head + changed


# The numbers beside them are set so that only the bound under test can speak.
EARLIEST: Final = with_number("apnoea", "after_s", 10, with_number("data", "stale_after_s", 2))
BOUNDS: Final[dict[tuple[str, str], tuple[float, float, Reading]]] = {
    ("operator", "audio_pause_s"): (10, 180, lambda each: each.operator.audio_pause),
    ("operator", "acknowledge_high_s"): (10, 120, lambda each: each.operator.acknowledge_high),
    ("operator", "acknowledge_medium_s"): (10, 1800, lambda each: each.operator.acknowledge_medium),
    ("operator", "acknowledge_low_s"): (10, 3600, lambda each: each.operator.acknowledge_low),
    ("operator.inactivation", "alarm_pause_s"): (
        10,
        180,
        lambda each: each.operator.inactivation.alarm_pause,
    ),
    ("operator.inactivation", "reminder_s"): (
        30,
        600,
        lambda each: each.operator.inactivation.reminder,
    ),
    ("apnoea", "after_s"): (10, 60, lambda each: each.apnoea.after),
    ("apnoea", "ambiguous_s_max"): (10, 60, lambda each: each.apnoea.ambiguous_max),
    ("apnoea", "arm_breaths"): (1, 10, lambda each: each.apnoea.arm_breaths),
    ("apnoea", "clear_for_s"): (0, 30, lambda each: each.apnoea.clear_for),
    ("data", "stale_after_s"): (2, 30, lambda each: each.data.stale_after),
    ("data", "absent_after_s"): (5, 30, lambda each: each.data.absent_after),
    ("data", "periods"): (2, 5, lambda each: each.data.periods),
    ("data", "last_channel_after_s"): (0, 60, lambda each: each.data.last_channel_after),
    ("data", "link_delay_s"): (0, 15, lambda each: each.data.link_delay),
    ("data", "sensor_delay_s"): (0, 15, lambda each: each.data.sensor_delay),
    ("data", "rejected_per_minute"): (1, 600, lambda each: each.data.rejected_per_minute),
}


@pytest.mark.parametrize(("table", "key"), BOUNDS)
def test_a_number_is_accepted_up_to_its_bounds_and_refused_beyond(table: str, key: str) -> None:
    low, high, reading = BOUNDS[table, key]
    for value in (low, high):
        found = reading(read_preset(with_number(table, key, value, EARLIEST), "ours.toml"))
        assert (
            in_seconds(Duration(int(found))) if key.endswith(("_s", "_s_max")) else found
        ) == value
    for value in (low - 0.5, high + 0.5):
        if value < 0:
            continue
        with pytest.raises(ConfigError) as error:
            read_preset(with_number(table, key, value, EARLIEST), "ours.toml")
        said = f"ours.toml: [{table}] {key} = {value}: expected a number from {low:g} to {high:g}"
        assert str(error.value) == said


def test_an_impossible_step_is_bounded_from_a_tenth_to_a_thousand() -> None:
    for value in (0.1, 1000):
        text = PRESET_TEXT.replace("spo2 = 8,", f"spo2 = {value},")
        assert read_preset(text, "ours.toml").data.steps[Metric.SPO2] == value
    for value in (0.05, 1000.5):
        with pytest.raises(ConfigError, match=r"\[data.steps_per_s\] spo2 = .* from 0.1 to 1000"):
            read_preset(PRESET_TEXT.replace("spo2 = 8,", f"spo2 = {value},"), "ours.toml")
    assert LIMITS.data.steps == {Metric.SPO2: 8, Metric.PULSE_RATE: 30, Metric.HEART_RATE: 30}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (("apnoea", "after_s", 40), ("apnoea", "ambiguous_s_max", 40), ""),
        (
            ("apnoea", "after_s", 40),
            ("apnoea", "ambiguous_s_max", 39),
            "[apnoea] ambiguous_s_max = 39: expected at least after_s",
        ),
        (("data", "stale_after_s", 10), ("data", "absent_after_s", 10), ""),
        (
            ("data", "stale_after_s", 10),
            ("data", "absent_after_s", 9),
            "[data] absent_after_s = 9: expected at least stale_after_s",
        ),
    ],
)
def test_of_two_times_that_belong_together_the_later_may_equal_the_earlier(
    one: tuple[str, str, float], other: tuple[str, str, float], said: str
) -> None:
    text = with_number(*other, with_number(*one))
    heard = ""
    try:
        read_preset(text, "ours.toml")
    except ConfigError as error:
        heard = str(error)
    assert heard == (f"ours.toml: {said}" if said else "")


def test_the_shipped_preset_is_read_whole() -> None:
    assert (LIMITS.name, LIMITS.title) == (
        "iv-ketamine",
        "Adult, racemic ketamine 0.5 mg/kg IV over 40 min",
    )
    assert LIMITS.operator.inactivation == InactivationRules(
        audio_off_max=Priority.MEDIUM,
        alarm_paused_max=Priority.MEDIUM,
        alarm_off_max=Priority.LOW,
        alarm_pause=Duration(120 * 10**9),
        reminder=Duration(180 * 10**9),
        kept_metrics=(
            Metric.SPO2,
            Metric.ETCO2,
            Metric.FICO2,
            Metric.RESP_RATE,
            Metric.NIBP_SYS,
            Metric.NIBP_DIA,
            Metric.NIBP_MEAN,
        ),
        kept_phases=(Phase.INFUSING, Phase.PAUSED, Phase.OBSERVATION),
    )


@pytest.mark.hazard("H6")
def test_a_limit_set_that_says_nothing_of_inactivation_allows_none() -> None:
    start = PRESET_TEXT.index("[operator.inactivation]")
    text = PRESET_TEXT[:start] + PRESET_TEXT[PRESET_TEXT.index("[apnoea]") :]
    found = read_preset(text, "ours.toml").operator.inactivation
    assert (found.audio_off_max, found.alarm_paused_max, found.alarm_off_max) == (None, None, None)
    assert (in_seconds(found.alarm_pause), in_seconds(found.reminder)) == (120, 180)


@pytest.mark.hazard("H6")
@pytest.mark.parametrize("key", ["audio_off_max", "alarm_paused_max", "alarm_off_max"])
def test_each_ceiling_is_never_low_or_medium_and_no_limit_set_can_say_high(key: str) -> None:
    shipped = getattr(LIMITS.operator.inactivation, key).value
    for word, ceiling in (("never", None), ("low", Priority.LOW), ("medium", Priority.MEDIUM)):
        text = PRESET_TEXT.replace(f'{key} = "{shipped}"', f'{key} = "{word}"', 1)
        rules = read_preset(text, "ours.toml").operator.inactivation
        assert getattr(rules, key) is ceiling
    with pytest.raises(ConfigError, match=f"{key} = 'high': expected one of never, low, medium"):
        read_preset(PRESET_TEXT.replace(f'{key} = "{shipped}"', f'{key} = "high"', 1), "ours.toml")


@pytest.mark.parametrize("table", ["operator", "operator.inactivation", "apnoea", "data"])
def test_each_table_refuses_what_nobody_knows_and_what_comes_from_nowhere(table: str) -> None:
    unknown = PRESET_TEXT.replace(f"[{table}]\n", f"[{table}]\nwhatever_s = 5\n", 1)
    with pytest.raises(ConfigError, match=r"whatever_s = 5: unknown key; ") as error:
        read_preset(unknown, "ours.toml")
    assert str(error.value).startswith(f"ours.toml: [{table}] ")
    sources = f"[{table}.provenance]\n"
    start = PRESET_TEXT.index(sources) + len(sources)
    end = PRESET_TEXT.index("\n[", start)
    without = PRESET_TEXT[:start] + PRESET_TEXT[end:]
    with pytest.raises(ConfigError, match=r"no provenance; say where it comes from"):
        read_preset(without, "ours.toml")


def test_a_table_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^ours.toml: extras: unknown key; known: apnoea, "):
        read_preset(PRESET_TEXT + "\n[extras]\nlimit = 3\n", "ours.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[pattern.blind_and_low]", "[pattern.apnoea]"),
        ("[pattern.blind_and_low]", "[pattern.spo2_low]"),
        ("[pattern.blind_and_low]", "[pattern.nibp_sys_far_down]"),
        ("[relative.nibp_sys_far_down]", "[relative.link_box]"),
        ("[relative.nibp_sys_far_down]", "[relative.nibp_sys_low]"),
    ],
)
def test_a_name_that_is_taken_is_refused_with_its_table(old: str, new: str) -> None:
    assert old in PATTERNS
    with pytest.raises(ConfigError) as error:
        read_preset(PRESET_TEXT + PATTERNS.replace(old, new, 1), "ours.toml")
    said = f"ours.toml: {new}: the name of another condition; choose a new one"
    assert str(error.value) == said
