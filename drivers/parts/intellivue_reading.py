"""What an IntelliVue poll result says: values, waves, alarms, clock, mode, and what is missing."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from drivers.clock import DeviceClock
from drivers.parts.intellivue_alarms import PATIENT_LIST, TECHNICAL_LIST, AlarmReader
from drivers.parts.intellivue_messages import ALARMS, MDS, NUMERICS, WAVES, Poll
from drivers.parts.intellivue_values import (
    COMPOUND,
    LABEL,
    SINGLE,
    TAKEN_CLOCK,
    TAKEN_TICKS,
    NumericsReader,
    mode_of,
)
from drivers.parts.intellivue_waves import (
    BLOCK,
    BLOCKS,
    PERIOD,
    SAMPLE_FORM,
    SCALE,
    UNIT,
    WaveReader,
)
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
)
from monitor.model.instant import Instant

_STRANGE_MAX: Final = 64
_KNOWN_ATTRIBUTES: Final = frozenset(
    {
        *(SINGLE, COMPOUND, LABEL, TAKEN_CLOCK, TAKEN_TICKS, PATIENT_LIST, TECHNICAL_LIST),
        *(BLOCK, BLOCKS, SAMPLE_FORM, SCALE, PERIOD, UNIT),
        *(0x0927, 0x096A, 0x0916),  # label in words, range, summary of alarms: left alone
    }
)
_CLASSES: Final = frozenset({NUMERICS, WAVES, ALARMS})


class PollReader:
    """Reads the poll results of one monitor."""

    def __init__(self, opened_utc_s: float | None) -> None:
        self._clock = DeviceClock(opened_utc_s)
        self._numerics = NumericsReader()
        self._waves = WaveReader()
        self._alarms = AlarmReader()
        self._mode = GenerationMode.REAL
        self._sequences: dict[int, tuple[int, int]] = {}  # class to poll number and sequence
        self._strange: set[str] = set()
        self._attributes: set[int] = set()

    def begin_anew(self) -> None:
        """Forget the counts of an association that ended."""
        self._sequences.clear()

    def read(self, poll: Poll, now: Instant) -> Sequence[DeviceEvent]:
        """Return what a poll result, or one part of a linked one, says.

        Raises:
            BrokenMessageError: an alarm list contradicts itself.
        """
        events: list[DeviceEvent] = []
        states: list[int] = []
        if poll.object_class == NUMERICS:
            events, states = self._numerics.read(poll, now)
        elif poll.object_class == WAVES:
            events, states = self._waves.read(poll, now, self._numerics.co2_unit)
        elif poll.object_class == ALARMS:
            events, states = self._alarms.read(poll, now)
        mode = self._mode_of(poll.object_class, states)
        events = [*self._lost(poll, now), *events, *self._strangers(poll, now)]
        if poll.clock_s is not None and mode is GenerationMode.REAL:
            events += self._clock.hear(poll.clock_s, now)
        if mode is GenerationMode.REAL:
            return events
        return [
            each if isinstance(each, FrameRejected) else replace(each, mode=mode) for each in events
        ]

    def _mode_of(self, object_class: int, states: Sequence[int]) -> GenerationMode:
        """Return the mode of one message: numerics say it; waves and alarms only ever add to it."""
        if object_class == NUMERICS:
            self._mode = mode_of(states, self._mode)
            return self._mode
        mode = mode_of(states, self._mode)
        return self._mode if mode is GenerationMode.REAL else mode

    def remark(self, kind: NoticeKind, words: str, now: Instant) -> Sequence[DeviceEvent]:
        """Return a notice of something strange, once."""
        if words in self._strange or len(self._strange) >= _STRANGE_MAX:
            return ()
        self._strange.add(words)
        return [DeviceNotice(kind, now, detail=words)]

    def _strangers(self, poll: Poll, now: Instant) -> list[DeviceEvent]:
        """Return notices of attributes that nobody here reads."""
        events: list[DeviceEvent] = []
        if poll.object_class not in _CLASSES:
            words = f"a poll of class {poll.object_class:04X}, not read"
            is_ours = poll.object_class == MDS  # asked for where there are no alarm lists
            return [] if is_ours else [*self.remark(NoticeKind.UNKNOWN_FIELD, words, now)]
        for thing in poll.objects:
            unknown = thing.attributes.keys() - _KNOWN_ATTRIBUTES - self._attributes
            for name in sorted(unknown):
                if len(self._attributes) < _STRANGE_MAX:
                    self._attributes.add(name)
                    detail = f"attribute {name:04X} of class {poll.object_class:04X}"
                    events.append(DeviceNotice(NoticeKind.UNKNOWN_FIELD, now, detail=detail))
        return events

    def _lost(self, poll: Poll, now: Instant) -> Sequence[DeviceEvent]:
        """Return the notice that cycles of an extended poll did not come."""
        if poll.sequence is None:
            return ()
        known = self._sequences.get(poll.object_class)
        if known is not None or len(self._sequences) < _STRANGE_MAX:
            self._sequences[poll.object_class] = (poll.number, poll.sequence)
        if known is None or known[0] != poll.number:
            return ()
        missing = (poll.sequence - known[1] - 1) & 0xFFFF
        if missing in {0, 0xFFFF}:  # 0xFFFF: another part of the same cycle
            return ()
        detail = f"{missing} cycles of a poll of class {poll.object_class:04X}"
        return [DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail)]
