"""The IntelliVue monitor's own side: associates one host, presents itself, answers its polls.

It speaks in the framing it was spoken to in. A second association is refused while one is alive; it
presents itself again and again until it is answered, and answers no poll before; what was not asked
for in the association is refused; after ten seconds without a word it breaks the association off.
"""

from collections.abc import Sequence
from struct import pack
from typing import Final

import msgspec

from drivers.bedside import Said
from drivers.parts.intellivue_answers import (
    CO2_RATE_HZ,
    PLETH_RATE_HZ,
    alarms,
    numerics,
    poll_result,
    wave,
    wave_objects,
)
from drivers.parts.intellivue_messages import (
    ABORT,
    ABORT_BYTE,
    ACCEPT_BYTE,
    ACTION,
    ALARMS,
    CONFIRMED_EVENT,
    CONFIRMED_SET,
    CREATE_EVENT,
    DATA_BYTE,
    ERROR,
    EXTENDED_POLL,
    INVOKE,
    MDS,
    NUMERICS,
    NUMERICS_1_S,
    REFUSAL,
    RELEASE_BYTE,
    RELEASED,
    REQUEST_BYTE,
    RESULT,
    SERVER,
    SINGLE_POLL,
    TICKS_PER_S,
    VALUES,
    WAVES,
    WAVES_GRANTED,
    BrokenMessageError,
    Cursor,
    Session,
    association,
    command,
    data_message,
    granted,
    open_message,
)
from drivers.parts.intellivue_wire import Framing, Wire, wrap
from monitor.model.event import DeviceEvent, WaveformSegment
from monitor.model.instant import Duration, Instant, later, seconds
from monitor.model.metric import Metric

_CREATE_AGAIN: Final = seconds(2)
_KEEP_ALIVE: Final = seconds(10)
_EVERY: Final = {NUMERICS: seconds(1), ALARMS: seconds(1), WAVES: seconds(0.256)}
_NEEDS: Final = {NUMERICS: NUMERICS_1_S, WAVES: WAVES_GRANTED}
_NO_CLASS, _ACCESS_DENIED, _NO_ACTION = 0, 2, 9


class _Running(msgspec.Struct):
    """An extended poll that is being answered."""

    invoke: int
    number: int
    group: int
    due: Instant
    until: Instant
    every: Duration
    sequence: int = 0


class IntelliVueDevice:
    """The monitor."""

    def __init__(self) -> None:
        self._said = Said(pleth=PLETH_RATE_HZ, co2_wave=CO2_RATE_HZ)
        self._wire = Wire(Framing.AUTO)
        self._outgoing: list[bytes] = []
        self._options: int | None = None  # granted; None while not associated
        self._create_due: Instant | None = None
        self._is_answered = False
        self._silent_at: Instant | None = None
        self._polls: dict[int, _Running] = {}

    @property
    def wake_at(self) -> Instant | None:
        """When something is next due; None while nobody is associated."""
        due = [self._create_due, self._silent_at, *(each.due for each in self._polls.values())]
        return min((each for each in due if each is not None), default=None)

    def say(self, events: Sequence[DeviceEvent], now: Instant) -> None:
        """Take what the patient is like now."""
        del now
        self._said.hear(events)

    def receive(self, data: bytes, now: Instant) -> None:
        """Answer what the host sent."""
        for message, flaw in self._wire.feed(data, now):
            if flaw:
                continue
            if message[0] == DATA_BYTE:
                self._on_data(message, now)
            else:
                self._on_session(open_message(message), now)

    def wake(self, now: Instant) -> None:
        """Do what is due; a long sleep is not made up for."""
        if self._silent_at is not None and now >= self._silent_at:
            self._send(ABORT)
            self._part()
            return
        if self._create_due is not None and now >= self._create_due:
            self._present(now)
        for object_class, poll in list(self._polls.items()):
            if now >= poll.due:
                self._answer_again(object_class, poll, now)

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def _send(self, message: bytes) -> None:
        self._outgoing.append(wrap(message, self._wire.framing))

    def _part(self) -> None:
        self._options = self._create_due = self._silent_at = None
        self._is_answered = False
        self._polls.clear()

    def _on_session(self, message: object, now: Instant) -> None:
        if not isinstance(message, Session):
            return
        if message.byte == REQUEST_BYTE and self._options is not None:
            self._send(REFUSAL)
        elif message.byte == REQUEST_BYTE:
            self._options = granted(message.body)[0] or 0
            self._send(association(ACCEPT_BYTE, self._options, SERVER))
            self._silent_at = later(now, _KEEP_ALIVE)
            self._present(now)
        elif message.byte in {RELEASE_BYTE, ABORT_BYTE}:
            if message.byte == RELEASE_BYTE:
                self._send(RELEASED)
            self._part()

    def _present(self, now: Instant) -> None:
        body = pack(">IHHHH", 0, CREATE_EVENT, 4, 0, 0)
        self._send(data_message(INVOKE, command(CONFIRMED_EVENT, 1, body)))
        self._create_due = later(now, _CREATE_AGAIN)

    def _on_data(self, message: bytes, now: Instant) -> None:
        if self._options is None:
            return
        self._silent_at = later(now, _KEEP_ALIVE)
        try:
            cursor = Cursor(message[4:])
            operation = cursor.number()
            body = Cursor(cursor.take(cursor.number()))
            invoke, kind = body.number(), body.number()
            content = Cursor(body.take(body.number()))
            content.take(6)
            if operation == RESULT and kind == CONFIRMED_EVENT:
                self._is_answered, self._create_due = True, None
            elif operation == INVOKE and self._is_answered and kind == CONFIRMED_SET:
                self._send(data_message(RESULT, command(CONFIRMED_SET, invoke, b"")))
            elif operation == INVOKE and self._is_answered and kind == ACTION:
                content.take(4)
                self._on_poll(invoke, content, now)
        except BrokenMessageError:
            return

    def _on_poll(self, invoke: int, content: Cursor, now: Instant) -> None:
        kind = content.number()
        asked = Cursor(content.take(content.number()))
        number, _, object_class, group = (asked.number() for _ in range(4))
        needed = _NEEDS.get(object_class, 0)
        if needed & ~(self._options or 0):
            self._refuse(invoke, _ACCESS_DENIED)
        elif kind == SINGLE_POLL and object_class in {NUMERICS, WAVES, ALARMS, MDS}:
            poll = _Running(invoke, number, group, now, now, seconds(1))
            self._answer(object_class, poll, now, sequence=None)
        elif kind == EXTENDED_POLL and object_class in _EVERY:
            asked.take(8)
            until = later(now, seconds(asked.number(4) / TICKS_PER_S))
            every = _EVERY[object_class]
            due = later(now, every) if object_class == WAVES else now
            self._polls[object_class] = _Running(invoke, number, group, due, until, every)
        else:
            known = kind in {SINGLE_POLL, EXTENDED_POLL}
            self._refuse(invoke, _NO_CLASS if known else _NO_ACTION)

    def _refuse(self, invoke: int, code: int) -> None:
        self._send(data_message(ERROR, pack(">HHH", invoke, code, 0)))

    def _answer_again(self, object_class: int, poll: _Running, now: Instant) -> None:
        if now >= poll.until:
            del self._polls[object_class]
            return
        poll.sequence += 1
        self._answer(object_class, poll, now, sequence=poll.sequence)
        following = later(poll.due, poll.every)
        poll.due = following if following > now else later(now, poll.every)

    def _answer(
        self, object_class: int, poll: _Running, now: Instant, *, sequence: int | None
    ) -> None:
        is_first = (sequence or 1) == 1
        objects: list[bytes] = []
        if object_class == NUMERICS:
            objects = numerics(self._said, with_labels=is_first)
        elif object_class == WAVES:
            objects = wave_objects(self._said, with_form=is_first)
        elif object_class == ALARMS:
            objects = alarms(self._said)
        for message in poll_result(
            objects,
            invoke=poll.invoke,
            number=poll.number,
            about=(object_class, poll.group),
            now=now,
            sequence=sequence,
        ):
            self._send(message)


def encode(events: Sequence[DeviceEvent]) -> bytes:
    """Return the RS-232 frames that say `events`: waves, then numerics, then alarms and states."""
    said = Said()
    said.hear(events)
    now = max((each.at for each in events), default=Instant(0))
    waves = [
        wave(each.metric, each.samples, with_form=True)
        for each in events
        if isinstance(each, WaveformSegment) and each.metric in {Metric.PLETH, Metric.CO2_WAVE}
    ]
    answers = [
        (WAVES, waves),
        (NUMERICS, numerics(said)),
        (ALARMS, alarms(said) if said.notices or said.alarms else []),
    ]
    sent = b""
    for object_class, objects in answers:
        if objects:
            about = (object_class, VALUES)
            for message in poll_result(objects, invoke=1, number=1, about=about, now=now):
                sent += wrap(message, Framing.RS232)
    return sent
