"""Prove a limit set by synthetic ramps: each rule fires in time, ends, and contradicts no other.

The ramps run through the same system as a patient's data. What is timed is the delay this software
adds; a device's own averaging comes before it and is not known here.
"""

from collections.abc import Iterator

import msgspec

from alarms.contradictions import contradictions
from alarms.prove_data import prove_data
from alarms.prove_limits import prove_relative, prove_rule
from alarms.prove_patterns import prove_pattern
from alarms.ramps import Finding
from alarms.rules import LimitSet
from monitor.model.session import Phase


def prove(limits: LimitSet) -> list[Finding]:
    """Return one finding for each alarm of the set, and one for each contradiction."""
    found = [finding for rule in limits.limits for finding in prove_rule(limits, rule)]
    for phase in limits.phases:
        found.extend(_prove_phase(limits, phase))
    found.extend(prove_relative(limits, rule) for rule in limits.relatives)
    found.extend(prove_pattern(limits, rule) for rule in limits.patterns)
    found.extend(prove_data(limits))
    found.extend(contradictions(limits))
    return found


def _prove_phase(limits: LimitSet, phase: Phase) -> Iterator[Finding]:
    """Prove the limits that stand in for others in `phase`, and what they contradict."""
    rules = tuple(limits.in_phase(each, phase) for each in limits.limits)
    in_force = msgspec.structs.replace(limits, limits=rules, phases={})
    for rule in limits.phases[phase]:
        yield from prove_rule(in_force, rule, phase)
    plain = {(each.alarm, each.text) for each in contradictions(limits)}
    for wrong in contradictions(in_force, phase):
        if (wrong.alarm, wrong.text) not in plain:
            yield wrong
