"""`vigil explain`: why an alarm changed, and why none did, by judging the same inputs again."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import msgspec

from alarms.condition import State
from alarms.explain import (
    Explanation,
    Restart,
    Said,
    Sample,
    Silence,
    Story,
    explain_until,
    why_not,
)
from alarms.limits import read_preset
from alarms.rules import LimitRule, LimitSet
from alarms.system import AlarmSystem, Happened
from monitor.config import read_limits
from monitor.main.output import say, say_json
from monitor.main.replay import (
    REPLAY_PRESET,
    SQLITE,
    ReplayWishes,
    beginning_of,
    open_items,
)
from monitor.model.entry import EntryKind, Resumed, SelfCheck, decode
from monitor.model.errors import ConfigError
from monitor.model.event import DeviceEvent, DeviceNotice
from monitor.model.instant import Duration, Instant, in_seconds, instant_at, seconds
from monitor.model.link import LinkChange, LinkState
from monitor.model.metric import Metric, describe
from monitor.model.session import OperatorAction
from monitor.runtime.replay import alarm_line, tidy
from monitor.runtime.sources import Sources
from monitor.store.reading import read_entries, read_header

SAMPLES_SAID: Final = 15
_S_MAX: Final = 1e9
_ROUNDED: Final = 0.0005
_TOLD_TOO: Final = (EntryKind.LINK, EntryKind.OPERATOR, EntryKind.SELF_CHECK, EntryKind.RESUMED)


class ExplainWishes(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: changes of `alarm`, or the silence about `metric`; by `at_s`, if said."""

    source: ReplayWishes
    alarm: str = ""
    metric: str = ""
    at_s: float | None = None
    as_json: bool = False


def explain(wishes: ExplainWishes) -> int:
    """Say what is behind the changes of an alarm, or why a metric gave none.

    Raises:
        RecordingError: the file cannot be read.
        ConfigError: no such alarm or metric, or an instant that the file does not hold.
    """
    if wishes.metric:
        _explain_silence(_metric(wishes.metric), wishes)
    else:
        _explain_changes(wishes)
    return 0


def _explain_silence(metric: Metric, wishes: ExplainWishes) -> None:
    assert wishes.at_s is not None
    limits, told = _open(wishes.source)
    story = _Followed(told)
    silences = why_not(limits, story, metric, instant_at(wishes.at_s))
    story.must_hold(wishes)
    _say_silences(silences, wishes)


def _explain_changes(wishes: ExplainWishes) -> None:
    limits, told = _open(wishes.source)
    story = _Followed(told)
    # Instants are said rounded to a millisecond, and asked for as they were said.
    until = None if wishes.at_s is None else instant_at(wishes.at_s + _ROUNDED)
    found = explain_until(limits, story, wishes.alarm, until)
    story.must_hold(wishes)
    if not found:
        raise ConfigError(f'no change of "{wishes.alarm}" by then{_meant(wishes)}')
    if wishes.at_s is not None:
        newest = found[-1].change.at
        found = [each for each in found if each.change.at == newest]
    for each in found:
        if wishes.as_json:
            say_json(_fields(each))
        else:
            _say_change(each)


class _Followed:
    """A story being told; remembers how far it went."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._last = Instant(0)

    def __iter__(self) -> Iterator[tuple[Happened | Said | Restart, Instant]]:
        for happened, now in self._story:
            self._last = now
            yield happened, now

    def must_hold(self, wishes: ExplainWishes) -> None:
        """Refuse an instant behind the end: nobody knows what would have been.

        Raises:
            ConfigError: the file ends before.
        """
        last_s = in_seconds(self._last)
        if wishes.at_s is not None and wishes.at_s > last_s + 1:
            raise ConfigError(f"{wishes.at_s:g} s: the file ends at {last_s:g} s")


def read_seconds(said: str | None) -> float | None:
    """Return the seconds a person wrote; None for none.

    Raises:
        ConfigError: it is no number, or nothing can have happened then.
    """
    if said is None:
        return None
    try:
        at_s = float(said)
    except ValueError:
        at_s = -1
    if not 0 <= at_s < _S_MAX:
        raise ConfigError(f'"{said}": expected seconds from the beginning of the file')
    return at_s


def _metric(name: str) -> Metric:
    known = [each.value for each in Metric if not describe(each).is_wave]
    if name not in known:
        raise ConfigError(f'--why-not: no metric "{name}"; there are {", ".join(known)}')
    return Metric(name)


def _meant(wishes: ExplainWishes) -> str:
    """Return what may have been meant: a later change, another name, or where all are listed."""
    limits, told = _open(wishes.source)
    later = [] if wishes.at_s is None else explain_until(limits, told, wishes.alarm, None)
    known = [each.identity.alarm for each in AlarmSystem(limits).watches()]
    near = get_close_matches(wishes.alarm, known, 1)
    hint = ""
    if later:
        hint = f"; the first is at {_said_s(later[0].change.at):g} s"
    elif near and wishes.alarm not in known:
        hint = f'; did you mean "{near[0]}"?'
    return f"{hint}; `vigil replay {wishes.source.file}` lists what changed, and when"


# -- what happened, from a file ----------------------------------------------------------------


def _open(source: ReplayWishes) -> tuple[LimitSet, Story]:
    """Return the limits to judge by, and what happened."""
    path = Path(source.file)
    is_session = source.driver is None and beginning_of(path).startswith(SQLITE)
    if is_session:
        opened = read_header(path)
        limits = read_preset(opened.limits, f"limits of session {opened.session}")
        links = [each.link for each in opened.devices]
        sources = Sources(links, opened.priority_of_source)
        story: Story = _session(path, sources)
        if source.limits:
            _, limits = read_limits(source.limits, Path(), "--limits")
        return limits, story
    _, limits = read_limits(source.limits or REPLAY_PRESET, Path(), "--limits")
    items, _, _ = open_items(source)
    return limits, ((event, now) for now, events in items for event in events)


def _session(path: Path, sources: Sources) -> Iterator[tuple[Happened | Said | Restart, Instant]]:
    """Yield what the alarm core of a recorded session was told, in its order."""
    for _, entry in read_entries(path, kinds=(EntryKind.HEARD, *_TOLD_TOO)):
        body = decode(entry)
        if isinstance(body, Resumed):
            sources.clear()
            yield Restart(seconds(body.gap_s)), entry.at
        elif isinstance(body, DeviceEvent):
            for chosen in sources.choose(entry.link, body, entry.at):
                if isinstance(chosen, DeviceNotice):
                    yield Said(chosen, entry.link), entry.at
                else:
                    yield chosen, entry.at
            aside = sources.aside(entry.link, body)
            if aside is not None:
                yield aside, entry.at
        elif isinstance(body, LinkChange | OperatorAction | SelfCheck):
            if isinstance(body, LinkChange) and body.state is LinkState.UP:
                sources.forget(body.link)
            yield body, entry.at


# -- said --------------------------------------------------------------------------------------


def _say_silences(silences: list[Silence], wishes: ExplainWishes) -> None:
    if not silences:
        raise ConfigError(f"--why-not: no limit is about {wishes.metric}")
    for each in silences:
        if wishes.as_json:
            fields = {"t_s": wishes.at_s, "alarm": each.alarm, "title": each.title}
            state = _state(each.state)
            say_json(fields | {"priority": each.priority, "why_not": each.text, "state": state})
        else:
            say(f"{each.alarm}: {each.text}")


def _fields(found: Explanation) -> dict[str, object]:
    rule, policy = found.rule, found.policy
    return {
        **alarm_line(found.change),
        "title": found.title,
        "ruling": found.ruling,
        "rule": None if rule is None else _rule(rule),
        "delay_s": in_seconds(policy.delay),
        "severe_delay_s": in_seconds(policy.severe_delay),
        "clear_for_s": in_seconds(policy.clear_for),
        "latch": policy.latch,
        "before": _state(found.before),
        "after": _state(found.after),
        "clocks": found.clocks,
        "samples": [_sample(each) for each in found.samples],
    }


def _rule(rule: LimitRule) -> dict[str, object]:
    return {
        "metric": rule.metric,
        "direction": "low" if rule.is_low else "high",
        "limit": rule.limit,
        "inside": rule.inside,
        "severe": rule.severe,
        "budget": rule.budget,
        "violations_max": rule.violations_max,
        "provenance": rule.provenance,
    }


def _state(state: State) -> dict[str, object]:
    return {
        "condition": state.condition,
        "signal": state.signal,
        "operator": state.operator,
        "by": state.by,
        "is_severe": state.is_severe,
        "began_s": _said_s(state.began),
        "raised_s": _said_s(state.raised),
        "held_since_s": _said_s(state.held_since),
        "until_s": _said_s(state.until),
    }


def _said_s(at: Instant | None) -> float | None:
    return None if at is None else tidy(in_seconds(at))


def _sample(sample: Sample) -> dict[str, object]:
    fields: dict[str, object] = {
        "t_s": _said_s(sample.at),
        "metric": sample.metric,
        "value": tidy(sample.value),
        "validity": sample.validity,
        "judged": sample.judged,
    }
    return fields | {"link": sample.link} if sample.link else fields


def _say_change(found: Explanation) -> None:
    change, rule, policy = found.change, found.rule, found.policy
    at_s = _said_s(change.at)
    say(f"{at_s:g} s  {change.alarm} {change.change}, {change.priority}: {change.reason}")
    if rule is not None:
        side = "below" if rule.is_low else "above"
        severe = "" if rule.severe is None else f", severe {side} {rule.severe:g}"
        unit = describe(rule.metric).unit
        say(f"  rule     {side} {rule.limit:g} {unit}{severe}, inside again from {rule.inside:g}")
    if found.ruling:
        say(f"  rule     {found.ruling}")
    if rule is not None:
        say(f"  delays   {_delays(policy.delay, policy.severe_delay, policy.clear_for)}")
    for name, why in () if rule is None else rule.provenance.items():
        say(f"  because  {name}: {why}")
    say(f"  state    {found.before.condition}, then {found.after.condition}")
    for clock in found.clocks:
        say(f"  clock    {clock}")
    several = len({each.metric for each in found.samples}) > 1
    for sample in found.samples[-SAMPLES_SAID:]:
        value = "-" if sample.value is None else f"{sample.value:g}"
        name = f"{sample.metric} " if several else ""
        name += f"of {sample.link} " if sample.link else ""
        judged = "" if sample.judged == "-" else f", {sample.judged}"
        say(f"  sample   {_said_s(sample.at):g} s  {name}{value}  {sample.validity}{judged}")


def _delays(delay: Duration, severe: Duration, clear: Duration) -> str:
    return (
        f"{in_seconds(delay):g} s, severe {in_seconds(severe):g} s; "
        f"ends after {in_seconds(clear):g} s inside"
    )
