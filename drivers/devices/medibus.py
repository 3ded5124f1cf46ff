"""Draeger MEDIBUS (Capnosat, Evita, Primus, ..): measured data, alarms, texts, device identity.

::

    command: 1B | CODE | argument | C C | 0D      answer: 01 | CODE | data | C C | 0D

Both sides ask and answer. Either may start with ICC (51); a device calls every 3 s until it is
answered, and a device whose commands are not answered, also those inside an answer, ends the link.
Then we ask in turn: measured data (24) and alarms (27) each second, further alarms (2E) and texts
(2A) now and then, the date (28) each minute. Nothing heard for 3 s: ICC again. Curves are asked for
once (53), chosen (54) and switched on; their bytes, 80 and above, then stand anywhere between.

What is not valid is not sent: a metric that was there and is absent is told as not available. CO2
comes in up to three units at once; one of them counts, that of the device's text if it says one.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from drivers.clock import ClockOptions
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
)
from drivers.framing import Piece
from drivers.options import read_options
from drivers.parts.medibus_curves import CurveReader
from drivers.parts.medibus_data import MeasuredReader
from drivers.parts.medibus_device import MedibusDevice, encode
from drivers.parts.medibus_frames import (
    PAUSE,
    REAL_TIME,
    Code,
    Control,
    Frame,
    MedibusSplitter,
    RealTime,
    answer,
    command,
)
from drivers.parts.medibus_states import StateReader
from drivers.parts.medibus_vectors import VECTORS
from drivers.reading import UnknownFields
from monitor.model.event import (
    DeviceEvent,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import NIBP, Metric

_OUR_IDENTITY: Final = b"0161'Vigil'01.00:03.00"
_CALL_EVERY: Final = seconds(3)
_SILENCE: Final = seconds(3)
_ROUND_EVERY: Final = seconds(1)
_ANSWER_WITHIN: Final = seconds(3)
_LONG_ANSWER_WITHIN: Final = seconds(10)
_AFTER_START: Final = seconds(0.2)
_MISSES_MAX: Final = 3
_PAUSE_MAX: Final = seconds(3)
# Asked in each n-th round.
_TURNS: Final = (
    (Code.ALARMS_1, 1),  # first: what alarms say decides what the numbers are worth
    (Code.MEASURED_1, 1),
    (Code.ALARMS_2, 5),
    (Code.TEXT, 10),
    (Code.DATE, 60),
)
_LEFT_ALONE: Final = frozenset(Code) - {
    Code.MEASURED_1,
    Code.ALARMS_1,
    Code.ALARMS_2,
    Code.TEXT,
    Code.DATE,
    Code.IDENTITY,
    Code.REAL_TIME_SETTING,
    Code.REAL_TIME_CHOICE,
}
_ABOUT_CURVES: Final = frozenset({Code.REAL_TIME_SETTING, Code.REAL_TIME_CHOICE})
_WITHOUT_CO2: Final = frozenset({NoticeKind.WARMING_UP, NoticeKind.CO2_FAULT})


class MedibusOptions(ClockOptions, frozen=True, kw_only=True):
    """`ambient_mmhg` turns % into mmHg where the device does not state the ambient pressure.

    `curves`: ask for CO2 and pleth curves where the device has them.
    """

    ambient_mmhg: Annotated[float, Meta(ge=400, le=850)] = 760.0
    curves: bool = True


class MedibusProtocol:
    """Start, ask in turn, answer at once; begin again when the device falls silent."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, MedibusOptions)
        self._frames = MedibusSplitter()
        self._measured = MeasuredReader(chosen.ambient_mmhg)
        self._unknown = UnknownFields()
        self._states = StateReader(chosen, self._unknown)
        self._curves = CurveReader(chosen.ambient_mmhg)
        self._wants_curves = chosen.curves
        self._outgoing: list[bytes] = []
        self._is_on = False  # ICC was exchanged
        self._wake_at: Instant = OPENING
        self._paused_until: Instant | None = None
        self._asked: int | None = None
        self._asked_at: Instant = OPENING
        self._has_chosen = False  # whether command 54 waits for its answer
        self._misses = 0
        self._round = 0
        self._round_at: Instant = OPENING
        self._to_ask: list[int] = []
        self._heard_at: Instant = OPENING
        self._readers: dict[int, Callable[[Frame, Instant], Sequence[DeviceEvent]]] = {
            Code.MEASURED_1: self._read_measured,
            Code.ALARMS_1: self._states.read_alarms,
            Code.ALARMS_2: self._states.read_alarms,
            Code.TEXT: self._states.read_texts,
            Code.IDENTITY: self._states.read_identity,
            Code.DATE: self._states.read_date,
            Code.REAL_TIME_SETTING: self._read_offer,
            Code.REAL_TIME_CHOICE: self._read_chosen,
        }

    @property
    def wake_at(self) -> Instant | None:
        """When to call, to ask next, or to stop waiting for an answer."""
        return self._wake_at

    def take_outgoing(self) -> Sequence[bytes]:
        """Return answers to the device and our next command; nothing while it asked for a pause."""
        if self._paused_until is not None:
            return ()
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Call a device that is not there; ask one that is."""
        if now < self._wake_at:
            return ()
        if self._paused_until is not None and now < self._paused_until:
            self._wake_at = self._paused_until
            return ()
        self._paused_until = None
        if self._is_on and between(self._heard_at, now) >= _SILENCE:
            self._is_on = False
        if self._asked is not None and self._is_on:
            if self._waits_on(now):
                return ()
            self._miss()
        if not self._is_on:
            return self._call(now)
        self._ask(now)
        return ()

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; answer the device's commands and tell what its answers say."""
        events: list[DeviceEvent] = []
        if between(self._heard_at, now) > _SILENCE:
            events += self._give_up(now)
        if min(data, default=REAL_TIME) < REAL_TIME:  # real-time data keep no link alive
            self._heard_at = now
        for found in self._frames.feed(data):
            if isinstance(found, Piece):
                events.append(reject(found.flaw, found.data, now))
            elif isinstance(found, RealTime):
                events += self._read_curves(found.data, now)
            elif isinstance(found, Control):
                self._control(found.byte, now)
            elif found.is_command:
                self._obey(found, now)
            else:
                events += self._read(found, now)
        return self._marked(events)

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the samples that make no full segment."""
        return self._marked(self._curves.finish(now))

    def _marked(self, events: list[DeviceEvent]) -> list[DeviceEvent]:
        """Return `events` as demo data while the device's texts say so."""
        if self._states.mode is GenerationMode.REAL:
            return events
        return [
            each
            if isinstance(each, FrameRejected)
            else msgspec.structs.replace(each, mode=self._states.mode)
            for each in events
        ]

    def _give_up(self, now: Instant) -> list[DeviceEvent]:
        return [reject(flaw, frame, now) for frame, flaw in self._frames.give_up()]

    def _control(self, byte: int, now: Instant) -> None:
        """Pause when asked to, for three seconds at most."""
        if byte == PAUSE:
            self._paused_until = later(now, _PAUSE_MAX)
        elif self._paused_until is not None:
            self._paused_until = None
            self._wake_at = min(self._wake_at, now)

    def _read_curves(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        if not self._curves.are_chosen:
            return self._unknown.meet("real-time data of curves that nobody chose here", now)
        is_hidden = bool(self._states.present() & _WITHOUT_CO2)
        return self._curves.take(data, now, is_hidden=is_hidden)

    def _read_offer(self, told: Frame, now: Instant) -> list[DeviceEvent]:
        """Choose among the curves the device offers; name those that nobody knows."""
        unknown = self._curves.offer(told.data)
        if isinstance(unknown, str):
            return [reject(unknown, told.data, now)]
        if self._wants_curves and self._curves.choice():
            self._to_ask.insert(0, Code.REAL_TIME_CHOICE)
        return [each for code in unknown for each in self._unknown.meet(f"curve {code:02X}", now)]

    def _read_chosen(self, told: Frame, now: Instant) -> Sequence[DeviceEvent]:
        """Switch the streams on: the device has taken our choice."""
        del told, now
        if self._has_chosen:
            self._has_chosen = False
            self._curves.choose(self._curves.choice())
            self._outgoing.append(self._curves.enable())
        return ()

    def _call(self, now: Instant) -> list[DeviceEvent]:
        """Send ICC; everything agreed before is forgotten on both sides."""
        self._asked = None
        self._to_ask.clear()
        self._misses = 0
        self._wake_at = later(now, _CALL_EVERY)
        self._outgoing.append(command(Code.INIT))
        return self._give_up(now) if between(self._heard_at, now) >= _SILENCE else []

    def _waits_on(self, now: Instant) -> bool:
        """Tell whether the answer may still come; a long one takes its time."""
        within = _ROUND_EVERY if self._asked in _ABOUT_CURVES else _ANSWER_WITHIN
        within = _LONG_ANSWER_WITHIN if self._frames.is_in_answer else within
        due = later(self._asked_at, within)
        if now >= due:
            return False
        self._wake_at = min(due, later(now, _ROUND_EVERY))
        return True

    def _miss(self) -> None:
        """Repeat what was not answered, three times; then begin anew."""
        if self._asked in _ABOUT_CURVES:  # not every device has curves: that ends no link
            self._asked, self._wants_curves = None, False
            return
        self._misses += 1
        if self._asked is not None:
            self._to_ask.insert(0, self._asked)
        self._asked = None
        self._is_on = self._misses < _MISSES_MAX

    def _ask(self, now: Instant) -> None:
        if not self._to_ask:
            if now < self._round_at:
                self._wake_at = self._round_at
                return
            self._to_ask = [code for code, each in _TURNS if self._round % each == 0]
            if self._round == 0 and self._wants_curves:
                self._to_ask.append(Code.REAL_TIME_SETTING)
            self._round += 1
            self._round_at = later(now, _ROUND_EVERY)
        self._asked, self._asked_at = self._to_ask.pop(0), now
        self._has_chosen = self._asked == Code.REAL_TIME_CHOICE
        argument = self._curves.choice() if self._has_chosen else b""
        self._outgoing.append(command(self._asked, argument))
        is_sure = self._asked not in _ABOUT_CURVES
        self._wake_at = later(now, _ANSWER_WITHIN if is_sure else _ROUND_EVERY)

    def _start(self, now: Instant) -> None:
        """Note that both sides are there; ask who the device is, then the rest."""
        self._is_on = True
        self._misses = self._round = 0
        self._asked = None
        self._curves.forget()
        self._to_ask = [Code.IDENTITY]
        self._wake_at = later(now, _AFTER_START)

    def _obey(self, asked: Frame, now: Instant) -> None:
        """Answer a command of the device: with who we are, or with nothing, but always."""
        is_identity = asked.code == Code.IDENTITY
        self._outgoing.append(answer(asked.code, _OUR_IDENTITY if is_identity else b""))
        if asked.code == Code.INIT:
            self._start(now)
        elif asked.code == Code.STOP:
            self._is_on = False
            self._wake_at = later(now, _CALL_EVERY)
        elif asked.code == Code.REAL_TIME_CHOICE:  # another host's, on a line that is tapped
            self._curves.choose(asked.data)
        elif asked.code == Code.REAL_TIME_CHANGED and self._wants_curves:
            self._curves.forget()
            self._to_ask.append(Code.REAL_TIME_SETTING)
        elif asked.code == Code.TIME_CHANGED and Code.DATE not in self._to_ask:
            self._to_ask.append(Code.DATE)

    def _read(self, told: Frame, now: Instant) -> Sequence[DeviceEvent]:
        if told.code == Code.INIT:
            if not self._is_on:
                self._start(now)
            return ()
        if told.code == Code.NAK:
            if self._asked is not None:
                self._miss()
                self._wake_at = now
            return ()
        if told.code == self._asked:
            self._asked = None
            self._misses = 0
            self._wake_at = now
        reader = self._readers.get(told.code)
        if reader is not None:
            return reader(told, now)
        if told.code in _LEFT_ALONE:
            return ()
        return self._unknown.meet(f"answer {told.code:02X}", now)

    def _read_measured(self, told: Frame, now: Instant) -> list[DeviceEvent]:
        self._measured.unit_of_text = self._states.unit
        return self._measured.read(told.data, now, self._states.present())


DRIVER: Final = Driver(
    name="medibus",
    title="Draeger MEDIBUS (Capnosat, Evita, Primus family)",
    reference="Draeger RS 232 MEDIBUS Protocol Definition 4.03; MEDIBUS for Intensive Care Devices",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset(
        {
            Metric.ETCO2,
            Metric.FICO2,
            Metric.RESP_RATE,
            Metric.SPO2,
            Metric.PULSE_RATE,
            Metric.HEART_RATE,
            Metric.TEMP,
            *NIBP,
            Metric.CO2_WAVE,
            Metric.PLETH,
        }
    ),
    silence_limit=seconds(6),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=MedibusProtocol,
    encode=encode,
    open_device=MedibusDevice,
    round_trip={
        Metric.ETCO2: (1, 99, 1),
        Metric.FICO2: (1, 20, 1),
        Metric.RESP_RATE: (1, 120, 1),
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 250, 1),
        Metric.HEART_RATE: (1, 250, 1),
        Metric.TEMP: (20, 45, 0.5),
        Metric.NIBP_SYS: (150, 280, 1),
        Metric.NIBP_DIA: (30, 100, 1),
        Metric.NIBP_MEAN: (101, 149, 1),
    },
    vectors=VECTORS,
    serial=SerialLine(baud=9600, parity="E"),
    doubts=(
        "speed and parity are menu items on many devices: say them in the URL",
        "alarm codes of page 2, and 1A and 23 of page 1, are UNCERTAIN; they are told by phrase",
        "% becomes mmHg with 760 mmHg ambient where neither device nor option says more: UNCERTAIN",
        "curves have no checksum: a damaged sample that fits between its neighbours passes",
        "where commands stand in a record of curves is UNCERTAIN; they are taken anywhere",
    ),
)
