"""The conditions a limit set asks for, each with its policy; and those that appear on the way."""

from typing import Final

from alarms.board import Board, Watch
from alarms.condition import Latch, Policy
from alarms.names import (
    ABSENCE_TOLD,
    APNOEA,
    CUFF_ON_PROBE_ARM,
    ETCO2_UNIT,
    FROZEN_CO2,
    FROZEN_OXIMETER,
    MOMENTARY,
    NIBP_IMPLAUSIBLE,
    NIBP_OVERDUE,
    NUMBERS_JUMP,
    RATES_DIFFER,
    RECORDING_GAP,
    REJECTED,
    Identity,
    identify,
    is_link,
    is_notice,
    is_sources_differ,
    no_data_alarm,
    sources_differ_alarm,
)
from alarms.rules import (
    AT_ONCE,
    LimitRule,
    LimitSet,
    PatternRule,
    RelativeRule,
    limit_policy,
    plain_policy,
)
from monitor.model.alarm import Kind
from monitor.model.metric import describe

SUSPICIONS: Final = (
    FROZEN_OXIMETER,
    FROZEN_CO2,
    RATES_DIFFER,
    ETCO2_UNIT,
    CUFF_ON_PROBE_ARM,
    NUMBERS_JUMP,
)


def watch_all(limits: LimitSet, board: Board) -> None:
    """Put every condition of the limit set on the board, and those that need none."""
    for rule in limits.limits:
        board.add(_limit_watch(rule, limits))
    for relative in limits.relatives:
        board.add(_relative_watch(relative, limits))
    for pattern in limits.patterns:
        board.add(_pattern_watch(pattern, limits))
    board.add(_apnoea_watch(limits))
    for metric in ABSENCE_TOLD:
        board.add(technical_watch(no_data_alarm(metric), limits))
    for metric in () if limits.doubt is None else limits.doubt.sources_differ:
        board.add(technical_watch(sources_differ_alarm(metric), limits))
    for alarm in (NIBP_IMPLAUSIBLE, NIBP_OVERDUE, RECORDING_GAP, REJECTED, *SUSPICIONS):
        board.add(technical_watch(alarm, limits))


def _limit_watch(rule: LimitRule, limits: LimitSet) -> Watch:
    facts = describe(rule.metric)
    identity = Identity(
        alarm=rule.alarm,
        title=f"{facts.title} {'low' if rule.is_low else 'high'}",
        kind=Kind.PHYSIOLOGICAL,
        priority=rule.priority,
        metric=rule.metric,
    )
    return Watch(identity=identity, policy=limit_policy(rule, limits.operator), rule=rule)


def _relative_watch(relative: RelativeRule, limits: LimitSet) -> Watch:
    """Return the condition of a limit that has no value before there is a baseline."""
    rule = relative.limit
    away = f"{relative.amount:g}" if relative.amount is not None else f"{relative.percent:g} %"
    side = "below" if rule.is_low else "above"
    identity = Identity(
        alarm=rule.alarm,
        title=f"{describe(rule.metric).title} {away} {side} baseline",
        kind=Kind.PHYSIOLOGICAL,
        priority=rule.priority,
        metric=rule.metric,
    )
    return Watch(identity=identity, policy=limit_policy(rule, limits.operator))


def _pattern_watch(rule: PatternRule, limits: LimitSet) -> Watch:
    identity = Identity(
        alarm=rule.alarm,
        title=rule.title,
        kind=Kind.PHYSIOLOGICAL,
        priority=rule.priority,
        metric=rule.parts[0].metric,
    )
    policy = plain_policy(
        rule.priority,
        limits.operator,
        delay=rule.delay,
        clear_for=rule.clear_for,
        latch=rule.latch,
    )
    return Watch(identity=identity, policy=policy)


def _apnoea_watch(limits: LimitSet) -> Watch:
    identity, rules = identify(APNOEA), limits.apnoea
    policy = plain_policy(
        identity.priority, limits.operator, clear_for=rules.clear_for, latch=rules.latch
    )
    return Watch(identity=identity, policy=policy)


def technical_watch(alarm: str, limits: LimitSet) -> Watch:
    """Return the watch of a condition that no limit makes; an unknown name is HIGH."""
    identity = identify(alarm)
    return Watch(identity=identity, policy=_technical_policy(identity, limits))


def _technical_policy(identity: Identity, limits: LimitSet) -> Policy:
    alarm, data = identity.alarm, limits.data
    if is_sources_differ(alarm):
        delay = AT_ONCE if limits.doubt is None else limits.doubt.sources_differ_for
        return plain_policy(identity.priority, limits.operator, delay=delay)
    if identity.metric is not None:
        return plain_policy(
            identity.priority,
            limits.operator,
            severe_delay=data.last_channel_after,
            latch=data.latch,
        )
    if is_link(alarm):
        return plain_policy(identity.priority, limits.operator, delay=data.link_delay)
    if is_notice(alarm) and alarm not in MOMENTARY:
        return plain_policy(identity.priority, limits.operator, delay=data.sensor_delay)
    if alarm in SUSPICIONS and limits.doubt is not None:
        waits = {RATES_DIFFER: limits.doubt.differ_for, ETCO2_UNIT: limits.doubt.unit_for}
        delay = waits.get(alarm, AT_ONCE)
        return plain_policy(identity.priority, limits.operator, delay=delay)
    latch = Latch.ALWAYS if alarm == RECORDING_GAP or alarm in MOMENTARY else Latch.NEVER
    return plain_policy(identity.priority, limits.operator, latch=latch)
