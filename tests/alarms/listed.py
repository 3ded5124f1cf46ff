"""A limit set as text, to be read by people: each condition, and what is found about each alarm."""

from collections.abc import Iterable

from alarms.board import Watch
from alarms.ramps import Finding
from alarms.rules import LimitSet
from alarms.ruling import concerns, ruling
from monitor.model.instant import Duration, in_seconds


def conditions_text(limits: LimitSet, watches: Iterable[Watch]) -> str:
    """Return each condition: who it is, how it behaves, and what decides about it."""
    return "\n".join(_condition(limits, each) for each in watches)


def _condition(limits: LimitSet, watch: Watch) -> str:
    who, policy = watch.identity, watch.policy
    about = ", ".join(concerns(limits, who.alarm)) or "no metric"
    named = who.metric or "none"
    has_severe = policy.severe_delay or (watch.rule and watch.rule.severe)
    severe = f" (severe: {policy.severe_priority} after {_s(policy.severe_delay)})"
    envelope = "no envelope" if policy.envelope is None else f"envelope {policy.envelope:g}"
    return (
        f"{who.alarm}: {who.title}\n"
        f"  {who.kind}, {who.priority}, named with {named}; judged by {about}\n"
        f"  {policy.priority} after {_s(policy.delay)}{severe if has_severe else ''}, over "
        f"after {_s(policy.clear_for)}, latched {policy.latch}; acknowledged for "
        f"{_s(policy.acknowledge_max)} at most, severe {_s(policy.acknowledge_severe_max)}, "
        f"{envelope}\n"
        f"  when: {ruling(limits, who.alarm) or 'its limit is crossed'}\n"
    )


def findings_text(found: Iterable[Finding]) -> str:
    """Return each finding in one line: is it well, where is it decided, what was seen."""
    return "\n".join(_finding(each) for each in found) + "\n"


def _finding(each: Finding) -> str:
    well = "well " if each.is_well else "WRONG"
    place = each.place or "built in"
    facts = [
        each.phase and f"phase {each.phase}",
        each.band,
        each.metric,
        each.priority,
        None if each.delay_s is None else f"{each.delay_s:g} s promised",
        None if each.latency_s is None else f"{each.latency_s:g} s seen",
    ]
    return f"{well} {place} {each.alarm} ({', '.join(str(e) for e in facts if e)}): {each.text}"


def _s(duration: Duration) -> str:
    return f"{in_seconds(duration):g} s"
