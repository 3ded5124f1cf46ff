"""States a device repeats for as long as they are the case, told at their edges only."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from monitor.model.event import DeviceAlarm, DeviceEvent, DeviceNotice, GenerationMode, NoticeKind
from monitor.model.instant import Instant
from monitor.model.metric import Metric


class Alarm(msgspec.Struct, frozen=True):
    """The device's own alarm, by our stable word, and what it is about."""

    name: str
    metric: Metric | None = None


State: TypeAlias = NoticeKind | Alarm


class Edges:
    """Remembers what was the case; several causes of one state make one state with all of them."""

    def __init__(self) -> None:
        self._present: dict[State, str] = {}

    def read(
        self,
        present: Mapping[State, str],
        now: Instant,
        mode: GenerationMode = GenerationMode.REAL,
    ) -> list[DeviceEvent]:
        """Return what began, ended or has other words now; `present` is all that is the case."""
        if present == self._present:
            return []
        ended = [state for state in self._present if state not in present]
        begun = [state for state in present if present[state] != self._present.get(state)]
        self._present = dict(present)
        return [
            *(_edge(state, "", now, mode, is_present=False) for state in ended),
            *(_edge(state, present[state], now, mode, is_present=True) for state in begun),
        ]


def _edge(
    state: State, detail: str, now: Instant, mode: GenerationMode, *, is_present: bool
) -> DeviceEvent:
    if isinstance(state, NoticeKind):
        return DeviceNotice(state, now, is_present, detail, mode)
    return DeviceAlarm(state.name, now, is_present, state.metric, detail=detail, mode=mode)


def gather(causes: Mapping[str, State | None]) -> dict[State, str]:
    """Return states with their causes joined to words; a cause without a state says nothing."""
    states: dict[State, str] = {}
    for cause, state in causes.items():
        if state is not None:
            states[state] = f"{states[state]}; {cause}" if state in states else cause
    return states
