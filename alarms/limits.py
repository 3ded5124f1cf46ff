"""Limit sets from TOML: read, validated, never wider than the site allows.

A preset is refused whole when one number in it is missing, out of order, out of reach, contradicts
another, lacks its provenance, or is wider than `[site_maximum]` allows. There is no half a preset.
"""

from enum import StrEnum
from typing import Final

from alarms import toml
from alarms.condition import Latch
from alarms.names import is_taken
from alarms.reading import Provenance, read_limits, read_metric
from alarms.rules import (
    ApnoeaRules,
    DataRules,
    InactivationRules,
    LimitSet,
    OperatorRules,
)
from alarms.site_maximum import check_site_maximum
from alarms.special import (
    read_baseline,
    read_cuff_due,
    read_doubt,
    read_patterns,
    read_phases,
    read_relatives,
)
from monitor.model.alarm import Priority
from monitor.model.errors import ConfigError
from monitor.model.metric import Metric
from monitor.model.session import Phase

__all__ = ["LimitSet", "read_preset"]

_AUDIO_PAUSE_S_MAX: Final = 180.0
_ALARM_PAUSE_S_MAX: Final = 180.0
_REMINDER_S_MAX: Final = 600.0
_ACKNOWLEDGE_HIGH_S_MAX: Final = 120.0


def read_preset(text: str, where: str) -> LimitSet:
    """Return the limit set written in `text`; `where` names the file in errors.

    Raises:
        ConfigError: names file, table, key, value and what would be right.
    """
    top = toml.read(text, where)
    name, title, status = top.text("name"), top.text("title"), top.text("status")
    provenance = Provenance(top)
    operator = _operator(top.table("operator"), provenance)
    apnoea = _apnoea(top.table("apnoea"), provenance)
    data = _data(top.table("data"), provenance)
    limits = read_limits(top.table("limits"), provenance)
    baseline = read_baseline(top, provenance)
    doubt = read_doubt(top, provenance)
    cuff_due = read_cuff_due(top, provenance)
    relatives = read_relatives(top, provenance)
    patterns = read_patterns(top, provenance)
    phases = read_phases(top, provenance, limits)
    check_site_maximum(top.table("site_maximum"), limits, phases)
    _check_names(
        where,
        {
            "limits": [each.alarm for each in limits],
            "relative": [each.alarm for each in relatives],
            "pattern": [each.alarm for each in patterns],
        },
    )
    top.finish()
    return LimitSet(
        name=name,
        title=title,
        status=status,
        limits=limits,
        apnoea=apnoea,
        data=data,
        operator=operator,
        baseline=baseline,
        doubt=doubt,
        relatives=relatives,
        patterns=patterns,
        phases=phases,
        cuff_due=cuff_due,
    )


def _check_names(where: str, alarms: dict[str, list[str]]) -> None:
    """Refuse two conditions of one name; `alarms` lists the names in each table."""
    taken = list[str]()
    for table, names in alarms.items():
        for alarm in names:
            if alarm in taken or is_taken(alarm):
                raise ConfigError(
                    f"{where}: [{table}.{alarm}]: the name of another condition; choose a new one"
                )
            taken.append(alarm)


class _Ceiling(StrEnum):
    """Up to which priority something is allowed. An alarm of high priority is never off."""

    NEVER = "never"
    LOW = "low"
    MEDIUM = "medium"


def _operator(table: toml.Table, provenance: Provenance) -> OperatorRules:
    rules = OperatorRules(
        audio_pause=table.seconds("audio_pause_s", 10, _AUDIO_PAUSE_S_MAX),
        acknowledge_high=table.seconds("acknowledge_high_s", 10, _ACKNOWLEDGE_HIGH_S_MAX),
        acknowledge_medium=table.seconds("acknowledge_medium_s", 10, 1800),
        acknowledge_low=table.seconds("acknowledge_low_s", 10, 3600),
        inactivation=_inactivation(table, provenance),
    )
    provenance.of(table)
    return rules


def _inactivation(operator: toml.Table, provenance: Provenance) -> InactivationRules:
    """Return what may be inactivated; nothing where the limit set does not say."""
    if "inactivation" not in operator:
        return InactivationRules()
    table = operator.table("inactivation")
    rules = InactivationRules(
        audio_off_max=_ceiling(table, "audio_off_max"),
        alarm_paused_max=_ceiling(table, "alarm_paused_max"),
        alarm_off_max=_ceiling(table, "alarm_off_max"),
        alarm_pause=table.seconds("alarm_pause_s", 10, _ALARM_PAUSE_S_MAX),
        reminder=table.seconds("reminder_s", 30, _REMINDER_S_MAX),
        kept_metrics=table.choices("kept_metrics", Metric),
        kept_phases=table.choices("kept_phases", Phase),
    )
    provenance.of(table)
    return rules


def _ceiling(table: toml.Table, key: str) -> Priority | None:
    ceiling = table.choice(key, _Ceiling)
    return None if ceiling is _Ceiling.NEVER else Priority(ceiling.value)


def _apnoea(table: toml.Table, provenance: Provenance) -> ApnoeaRules:
    after = table.seconds("after_s", 10, 60)
    rules = ApnoeaRules(
        after=after,
        ambiguous_max=table.seconds("ambiguous_s_max", 10, 60),
        arm_breaths=int(table.number("arm_breaths", 1, 10)),
        clear_for=table.seconds("clear_for_s", 0, 30),
        latch=table.choice("latch", Latch),
    )
    if rules.ambiguous_max < after:
        raise table.wrong("ambiguous_s_max", "expected at least after_s")
    provenance.of(table)
    return rules


def _data(table: toml.Table, provenance: Provenance) -> DataRules:
    steps = table.table("steps_per_s")
    rules = DataRules(
        stale_after=table.seconds("stale_after_s", 2, 30),
        absent_after=table.seconds("absent_after_s", 5, 30),
        periods=table.number("periods", 2, 5),
        last_channel_after=table.seconds("last_channel_after_s", 0, 60),
        latch=table.choice("latch", Latch),
        link_delay=table.seconds("link_delay_s", 0, 15),
        sensor_delay=table.seconds("sensor_delay_s", 0, 15),
        rejected_per_minute=int(table.number("rejected_per_minute", 1, 600)),
        steps={read_metric(steps, key): steps.number(key, 0.1, 1000) for key in steps.names()},
    )
    if rules.absent_after < rules.stale_after:
        raise table.wrong("absent_after_s", "expected at least stale_after_s")
    provenance.of(table)
    return rules
