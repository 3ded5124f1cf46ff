"""Philips IntelliVue Data Export: MP, MX, X2 and X3 monitors on MIB/RS-232 or on the network.

Host and monitor associate; the monitor presents itself and must be answered, else it sends nothing.
Then extended polls, renewed in time, bring numerics each second and waves each 256 ms; a single
poll of the alarm lists each second keeps the association alive. After ten seconds without a word,
a break, or a release the association begins anew; a refusal is met with a release first, because
an association of an earlier conversation may still live. No setting of the monitor is changed but
which waves it sends to us, and no measurement is started.

Which framing a link carries is found out: until something is heard, requests go out
in both by turns.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
)
from drivers.framing import Piece
from drivers.options import CommonOptions, read_options
from drivers.parts.intellivue_messages import (
    ABORT,
    ABORT_BYTE,
    ACCEPT_BYTE,
    ALARM_GROUP,
    ALARMS,
    ALL,
    ENUMS_GRANTED,
    ERRORS,
    MDS,
    NUMERICS,
    NUMERICS_1_S,
    PRODUCTION,
    REFUSE_BYTE,
    RELEASE,
    RELEASE_BYTE,
    RELEASED,
    RELEASED_BYTE,
    REQUEST_BYTE,
    SESSIONS,
    WAVES,
    WAVES_GRANTED,
    BrokenMessageError,
    Created,
    Done,
    FromHost,
    Indication,
    Message,
    Poll,
    Refused,
    Session,
    association,
    create_result,
    extended_poll,
    granted,
    open_message,
    set_wave_list,
    single_poll,
)
from drivers.parts.intellivue_monitor import IntelliVueDevice, encode
from drivers.parts.intellivue_reading import PollReader
from drivers.parts.intellivue_vectors import VECTORS
from drivers.parts.intellivue_waves import (
    CO2_CODE,
    PLETH_CODE,
)
from drivers.parts.intellivue_wire import Framing, Wire, wrap
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    reject,
)
from monitor.model.instant import OPENING, Duration, Instant, later, seconds
from monitor.model.metric import NIBP, Metric

_OPTIONS: Final = NUMERICS_1_S | WAVES_GRANTED | ENUMS_GRANTED
_ASK_EVERY: Final = seconds(2.5)
_AFTER_RELEASE: Final = seconds(1)
_CREATE_WITHIN: Final = seconds(10)
_SILENCE: Final = seconds(10)
_MESSAGES_APART: Final = seconds(0.1)
_POLL_FOR_S: Final = 60
_RENEW_AFTER: Final = seconds(30)
_EVERY_SECOND: Final = seconds(1)
_LABELS: Final = (0x20000 | PLETH_CODE, 0x20000 | CO2_CODE)
_LOOKS_WRONG_AFTER: Final = 2048  # bytes without a message


class IntelliVueOptions(CommonOptions, frozen=True, kw_only=True):
    """`framing` where finding out is not wanted; `waves`: ask for pleth and CO2."""

    framing: Framing = Framing.AUTO
    waves: bool = True


class _Phase(StrEnum):
    ASSOCIATING = "associating"
    ACCEPTED = "accepted"
    RUNNING = "running"


class _Step(StrEnum):
    """What can be due."""

    ASSOCIATE = "associate"
    WATCH = "watch"
    CHOOSE_WAVES = "choose waves"
    NUMERICS = "numerics"
    WAVES = "waves"
    ALARMS = "alarms"


class IntelliVueProtocol:
    """Associate, answer, poll, renew; begin again when the monitor falls silent."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, IntelliVueOptions)
        self._wire = Wire(chosen.framing)
        self._wants_waves = chosen.waves
        self._reader = PollReader(chosen.opened_utc_s)
        self._outgoing: list[bytes] = []
        self._phase = _Phase.ASSOCIATING
        self._due: dict[_Step, Instant] = {_Step.ASSOCIATE: OPENING}
        self._sent_at: Instant | None = None
        self._attempts = 0
        self._must_release = False  # an association we do not know of is alive
        self._is_refused = False
        self._asks_once = False  # the monitor knows no extended polls of numerics
        self._invoke = 0
        self._asked: dict[int, _Step] = {}  # the newest invoke numbers
        self._has_alarm_lists = True
        self._bytes_before_message: int | None = 0

    # -- our side of the conversation ----------------------------------------------------------

    @property
    def wake_at(self) -> Instant | None:
        """When something is next to be sent, or the monitor counts as silent."""
        due = min(self._due.values())
        return due if self._sent_at is None else max(due, later(self._sent_at, _MESSAGES_APART))

    def take_outgoing(self) -> Sequence[bytes]:
        """Return what is to be sent."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Do the one thing that is due longest."""
        due_at = self.wake_at
        if due_at is None or now < due_at:
            return ()
        step = min(self._due, key=self._due.__getitem__)
        self._sent_at = now
        if step is _Step.ASSOCIATE:
            self._associate(now)
        elif step is _Step.WATCH:
            if self._phase is _Phase.RUNNING:
                self._send(ABORT)
            self._begin_anew(now, _AFTER_RELEASE)
        else:
            self._poll(step, now)
        return [reject(flaw, data, now) for data, flaw in self._wire.give_up(now) if flaw]

    def _associate(self, now: Instant) -> None:
        self._wire.forget()
        framing = self._wire.framing
        if framing is Framing.AUTO:
            framing = Framing.LAN if self._attempts % 2 else Framing.RS232
        if self._must_release:
            self._must_release = False
            self._outgoing.append(wrap(RELEASE, framing))
            self._due = {_Step.ASSOCIATE: later(now, _AFTER_RELEASE)}
            return
        self._attempts += 1
        self._outgoing.append(wrap(association(REQUEST_BYTE, _OPTIONS), framing))
        self._due = {_Step.ASSOCIATE: later(now, _ASK_EVERY)}

    def _begin_anew(self, now: Instant, after: Duration) -> None:
        self._phase = _Phase.ASSOCIATING
        self._due = {_Step.ASSOCIATE: later(now, after)}
        self._reader.begin_anew()
        self._asked.clear()

    def _send(self, message: bytes) -> None:
        framing = self._wire.framing
        self._outgoing.append(wrap(message, Framing.RS232 if framing is Framing.AUTO else framing))

    def _poll(self, step: _Step, now: Instant) -> None:
        self._invoke = (self._invoke + 1) & 0xFFFF
        number = self._invoke
        self._asked[number] = step
        for old in list(self._asked)[:-16]:
            del self._asked[old]
        if step is _Step.CHOOSE_WAVES:
            del self._due[step]
            self._send(set_wave_list(number, _LABELS))
        elif step is _Step.ALARMS:
            self._due[step] = later(now, _EVERY_SECOND)
            about = (ALARMS, ALARM_GROUP) if self._has_alarm_lists else (MDS, PRODUCTION)
            self._send(single_poll(number, number, *about))
        elif step is _Step.NUMERICS and self._asks_once:
            self._due[step] = later(now, _EVERY_SECOND)
            self._send(single_poll(number, number, NUMERICS, ALL))
        else:
            self._due[step] = later(now, _RENEW_AFTER)
            object_class = NUMERICS if step is _Step.NUMERICS else WAVES
            self._send(extended_poll(number, number, object_class, ALL, _POLL_FOR_S))

    # -- what is heard -------------------------------------------------------------------------

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes, or one datagram; tell what the messages completed by them say."""
        events = self._read(self._wire.feed(data, now), now)
        if self._bytes_before_message is not None:
            self._bytes_before_message += len(data)
            if self._bytes_before_message > _LOOKS_WRONG_AFTER:
                self._bytes_before_message = None
                detail = f"{_LOOKS_WRONG_AFTER} bytes and no message: not an IntelliVue monitor?"
                events.append(DeviceNotice(NoticeKind.NOT_THIS_DEVICE, now, detail=detail))
        return events

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell a message that ended with the input and waited to see what follows."""
        return self._read(self._wire.finish(), now)

    def _read(self, pieces: Sequence[Piece], now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for data, flaw in pieces:
            message = flaw or open_message(data)
            if isinstance(message, str):
                events.append(reject(message, data, now))
                continue
            self._bytes_before_message = None
            self._wire.is_sure = True
            try:
                heard = self._take(message, now)
            except BrokenMessageError as broken:
                heard = [reject(str(broken), data, now)]
            events += heard
        return events

    def _take(self, message: Message, now: Instant) -> Sequence[DeviceEvent]:
        if isinstance(message, Poll | Refused | Done):
            self._stay(now)
        match message:
            case Poll():
                heard = self._reader.read(message, now)
            case Created():
                heard = self._on_created(message, now)
            case Session():
                heard = self._on_session(message, now)
            case Refused():
                heard = self._on_refused(message, now)
            case FromHost(words):
                heard = self._reader.remark(NoticeKind.HOST_MESSAGE, words, now)
            case Indication():
                if self._phase is _Phase.ASSOCIATING:
                    self._due = {_Step.ASSOCIATE: min(self._due[_Step.ASSOCIATE], now)}
                words = "a monitor announces itself"
                heard = self._reader.remark(NoticeKind.DEVICE_IDENTITY, words, now)
            case Done():
                heard = ()
        return heard

    def _stay(self, now: Instant) -> None:
        """Note that the monitor speaks."""
        if self._phase is _Phase.RUNNING:
            self._due[_Step.WATCH] = later(now, _SILENCE)
        elif self._phase is _Phase.ASSOCIATING:
            self._must_release = True  # it speaks to an association that we do not know of

    def _on_created(self, created: Created, now: Instant) -> Sequence[DeviceEvent]:
        self._send(create_result(created.invoke))
        if self._phase is _Phase.RUNNING:
            return ()
        self._phase = _Phase.RUNNING
        self._must_release = False
        self._due = {_Step.NUMERICS: now, _Step.ALARMS: now}
        if self._wants_waves:
            self._due |= {_Step.CHOOSE_WAVES: now, _Step.WAVES: now}
        self._stay(now)
        return ()

    def _on_session(self, session: Session, now: Instant) -> Sequence[DeviceEvent]:
        if session.byte == ACCEPT_BYTE:
            return self._on_accept(session, now)
        if session.byte == REFUSE_BYTE:
            was_refused, self._is_refused = self._is_refused, True
            self._must_release = True
            self._begin_anew(now, _AFTER_RELEASE)
            if was_refused:
                return ()
            detail = "association refused: another host is connected, or was"
            return [DeviceNotice(NoticeKind.REQUEST_REFUSED, now, detail=detail)]
        if session.byte in {ABORT_BYTE, RELEASE_BYTE}:
            if session.byte == RELEASE_BYTE and self._phase is not _Phase.ASSOCIATING:
                self._send(RELEASED)
            self._begin_anew(now, _AFTER_RELEASE)
        if session.byte == RELEASED_BYTE:
            return ()
        return self._reader.remark(NoticeKind.HOST_MESSAGE, SESSIONS[session.byte], now)

    def _on_accept(self, session: Session, now: Instant) -> Sequence[DeviceEvent]:
        options, _ = granted(session.body)
        if options is not None:
            self._wants_waves = self._wants_waves and bool(options & WAVES_GRANTED)
            self._asks_once = not options & NUMERICS_1_S
        if self._phase is _Phase.ASSOCIATING:
            self._phase = _Phase.ACCEPTED
            self._due = {_Step.WATCH: later(now, _CREATE_WITHIN)}
        was_refused, self._is_refused = self._is_refused, False
        if not was_refused:
            return ()
        return [DeviceNotice(NoticeKind.REQUEST_REFUSED, now, present=False)]

    def _on_refused(self, refused: Refused, now: Instant) -> Sequence[DeviceEvent]:
        """Go without what the monitor does not do."""
        step = self._asked.pop(refused.invoke, None)
        if step is _Step.WAVES:
            self._due.pop(step, None)
        elif step is _Step.NUMERICS:
            self._asks_once = True
            self._due[step] = later(now, _EVERY_SECOND)
        elif step is _Step.ALARMS:
            self._has_alarm_lists = False
        words = ERRORS.get(refused.code, f"error {refused.code}")
        what = f"poll of {step}" if step is not None else "a request"
        return self._reader.remark(NoticeKind.REQUEST_REFUSED, f"{what}: {words}", now)


DRIVER: Final = Driver(
    name="intellivue",
    title="Philips IntelliVue monitor (Data Export)",
    reference="IntelliVue Data Export Interface Programming Guide, as several open clients have it",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP, TransportKind.UDP}),
    metrics=frozenset(
        {
            *NIBP,
            Metric.NIBP_PULSE,
            Metric.SPO2,
            Metric.PULSE_RATE,
            Metric.PERFUSION_INDEX,
            Metric.ETCO2,
            Metric.FICO2,
            Metric.RESP_RATE,
            Metric.HEART_RATE,
            Metric.TEMP,
            Metric.PLETH,
            Metric.CO2_WAVE,
        }
    ),
    silence_limit=seconds(5),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=IntelliVueProtocol,
    encode=encode,
    open_device=IntelliVueDevice,
    round_trip={
        Metric.SPO2: (1, 100, 0.5),
        Metric.PULSE_RATE: (10, 250, 1),
        Metric.ETCO2: (0, 150, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
    },
    vectors=VECTORS,
    serial=SerialLine(baud=115200),
    device_ports=frozenset({24105, 24005}),
    doubts=(
        "what a refusal holds and how long to wait after it: UNCERTAIN; released, asked again",
        "the codes that choose pleth and CO2 (00024BB4, 000250AC) and attribute 0996 as the unit",
        "a CO2 wave without a unit is taken to be in that of the CO2 numerics: UNCERTAIN",
        "Vol% becomes mmHg at 760 mmHg ambient: UNCERTAIN, questionable",
        "on the network corruption is left to the datagram's own sum",
        "the time zone of the monitor's clock: UNCERTAIN; whole quarters of an hour are left out",
    ),
)
