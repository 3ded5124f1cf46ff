"""Respironics Capnostat 5 (mainstream) and LoFlo (sidestream): EtCO2, FiCO2, respiration, CO2 wave.

::

    CMD (>= 80) | NBF | DB1 .. DBn | CKS      every byte after CMD is < 80
    80 NBF SYNC CO2hi CO2lo [DPI DPB..] CKS   100 a second; at most one parameter DPI in each

    CO2 = (hi * 128 + lo - 1000) / 100, raw 0 = invalid; EtCO2 (02), FiCO2 (04) / 10, rate (03) / 1

The host stops the stream until that is answered (the sensor may still boot), sets pressure, gas
compensation and unit, and starts the stream. A sensor that lost its power has lost its settings:
nothing for 1.5 s means the whole start again.

The numbers have no code for "missing": the sensor repeats old ones, and only the status block (01,
once a second) says whether they are of now. No number is told before the first status.
"""

from collections.abc import Sequence
from typing import Final

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
    Vector,
)
from drivers.framing import Piece
from drivers.options import read_options
from drivers.parts.edges import Edges
from drivers.parts.respironics_packets import (
    BREATH,
    ETCO2,
    FICO2,
    HARDWARE,
    KPA,
    MMHG,
    NACK,
    PERCENT,
    RATE_HZ,
    RESP_RATE,
    REVISION,
    SET,
    STATUS,
    STOP,
    UNIT,
    WAVE,
    PacketSplitter,
)
from drivers.parts.respironics_sensor import RespironicsDevice, encode
from drivers.parts.respironics_start import SILENCE, RespironicsOptions, Start, settings_of
from drivers.parts.respironics_status import Status, read_status
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    Validity,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import Metric, describe

_PAUSE_MAX: Final = seconds(0.9)  # a lazy adapter brings the bytes in bursts
_SET_AGAIN_EVERY: Final = seconds(5)
_BATCH: Final = 25  # samples to a segment: four segments a second
_GAP_MAX: Final = 50  # lost samples that are shown as a hole; a longer gap breaks the strip
_MMHG_PER_KPA: Final = 7.50062
_SIZES: Final = {STATUS: 9, ETCO2: 6, RESP_RATE: 6, FICO2: 6, BREATH: 4}
_METRICS: Final = {
    ETCO2: Metric.ETCO2,
    RESP_RATE: Metric.RESP_RATE,
    FICO2: Metric.FICO2,
}
_LOW, _HIGH = describe(Metric.CO2_WAVE).technical_low, describe(Metric.CO2_WAVE).technical_high
_REFUSALS: Final = {1: "invalid command", 5: "bad data"}
_IN_BOOT: Final = 0
_FAULTS: Final = frozenset({*range(0x06, 0x0B), *range(0x14, 0x19)})
_KNOWN_ANSWERS: Final = frozenset({0x82, 0x90, 0xCB, 0xCC, 0xF8})


class RespironicsProtocol:
    """Stop, set, start, listen; begin again when the sensor falls silent."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, RespironicsOptions)
        self._ambient_mmhg = chosen.ambient_mmhg
        self._settings = settings_of(chosen)
        self._start = Start(self._settings)
        self._packets = PacketSplitter(holds_stream=True)
        self._edges = Edges()
        self._unknown = UnknownFields()
        self._identity = ""
        self._heard_at: Instant = OPENING
        self._set_again_at: Instant = OPENING
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the sensor: it was silent, and may have lost its power."""
        self._scale: float | None = None  # mmHg to one of its units; None until it said which
        self._status: Status | None = None
        self._untold: dict[Metric, float] = {}
        self._sync: int | None = None
        self._wave: list[int | None] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the sensor is asked again, or counts as silent."""
        return self._start.due

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command."""
        sent, self._start.outgoing = self._start.outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask again, or begin again with a sensor that has fallen silent."""
        if now < self._start.due:
            return ()
        if not self._start.is_running:
            self._start.ask(now)
            return ()
        self._forget()
        self._start.begin_again(now)
        return self._told(self._packets.give_up(), now)

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell samples, numbers, states."""
        events: list[DeviceEvent] = []
        pause = between(self._heard_at, now)
        if pause > _PAUSE_MAX:
            events += self._told(self._packets.give_up(), now)
            if pause > SILENCE:
                self._forget()
        self._heard_at = now
        events += self._told(self._packets.feed(data), now)
        return events

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the last packet, the samples of no full batch, and numbers without a status."""
        events = self._told(self._packets.finish(), now)
        events += self._segment(now)
        for metric, value in self._untold.items():
            events.append(read(metric, value, now, validity=Validity.QUESTIONABLE))
        self._untold.clear()
        return events

    def _told(self, pieces: Sequence[Piece], now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for piece, flaw in pieces:
            if flaw:
                events.append(reject(flaw, piece, now))
            elif piece[0] == WAVE:
                events += self._read_wave(piece, now)
            else:
                events += self._read_answer(piece[0], piece[2:-1], now)
        return events

    def _read_wave(self, piece: bytes, now: Instant) -> list[DeviceEvent]:
        size = len(piece) - 3
        if size == 1:  # the echo of the command that starts the stream
            return []
        if size < 3 or (size > 3 and size != _SIZES.get(piece[5], size)):
            return [reject("length differs", piece, now)]
        self._start.run(now)
        events = list(self._read_parameter(piece[5], piece[6:-1], now)) if size > 3 else []
        return [*events, *self._sample(piece[2], piece[3] << 7 | piece[4], now)]

    def _sample(self, sync: int, raw: int, now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        lost = 0 if self._sync is None else (sync - self._sync - 1) & 0x7F
        self._sync = sync
        if lost:
            detail = f"{lost} CO2 wave packets"
            events.append(DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail))
            if lost > _GAP_MAX:
                self._wave.clear()
            else:
                self._wave += [None] * lost
        is_hidden = self._status is not None and not self._status.has_wave
        self._wave.append(None if is_hidden or not raw else raw)
        if len(self._wave) >= _BATCH:
            events += self._segment(now)
        return events

    def _segment(self, now: Instant) -> list[DeviceEvent]:
        if not self._wave:
            return []
        scale = 1.0 if self._scale is None else self._scale
        values = [None if raw is None else (raw - 1000) / 100 * scale for raw in self._wave]
        self._wave.clear()
        samples = tuple(
            round(each, 2) if each is not None and _LOW <= each <= _HIGH else None
            for each in values
        )
        return [WaveformSegment(Metric.CO2_WAVE, now, RATE_HZ, samples)]

    def _read_parameter(self, index: int, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        metric = _METRICS.get(index)
        if metric is not None:
            return self._read_number(metric, body[0] << 7 | body[1], now)
        if index == STATUS:
            return self._read_status(body, now)
        if index == BREATH:
            return ()
        name = "hardware status" if index == HARDWARE else f"parameter {index:02X}"
        return self._unknown.meet(name, now)

    def _read_number(self, metric: Metric, raw: int, now: Instant) -> Sequence[DeviceEvent]:
        value = float(raw)
        if metric is not Metric.RESP_RATE:
            scale = 1.0 if self._scale is None else self._scale
            value = round(raw / 10 * scale, 2)
        if self._status is None:
            self._untold[metric] = value
            return ()
        if not self._status.has_values:
            return ()
        is_sure = self._status.is_settled and self._scale is not None
        trust = Validity.VALID if is_sure else Validity.QUESTIONABLE
        return [read(metric, value, now, validity=trust)]

    def _read_status(self, body: bytes, now: Instant) -> list[DeviceEvent]:
        self._status = read_status(body)
        self._untold.clear()
        events = self._edges.read(self._status.states, now)
        for field in self._status.unknown:
            events += self._unknown.meet(field, now)
        if not self._status.has_values:
            events += [read(metric, None, now) for metric in _METRICS.values()]
        if self._status.asks_for_settings and self._start.is_running and now >= self._set_again_at:
            self._set_again_at = later(now, _SET_AGAIN_EVERY)
            self._start.outgoing += self._settings[:2]
        return events

    def _read_answer(self, command: int, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        if command == NACK:
            return self._read_refusal(body[0] if body else _IN_BOOT, now)
        setting = body[0] if command == SET and body else None
        events: list[DeviceEvent] = []
        if setting == UNIT and len(body) == 2:
            events += self._read_unit(body[1], now)
        elif command == REVISION:
            events += self._read_identity(body, now)
        elif command not in {SET, STOP} and command not in _KNOWN_ANSWERS:
            events += self._unknown.meet(f"answer {command:02X}", now)
        if self._start.is_asked(command, setting):
            self._start.go_on(now)
        return events

    def _read_unit(self, unit: int, now: Instant) -> Sequence[DeviceEvent]:
        scales = {MMHG: 1.0, KPA: _MMHG_PER_KPA, PERCENT: self._ambient_mmhg / 100}
        self._scale = scales.get(unit)
        if unit == MMHG:
            return ()
        names = {KPA: "kPa", PERCENT: f"Vol% at {self._ambient_mmhg} mmHg ambient"}
        detail = f"CO2 comes in {names.get(unit, 'an unknown unit')} and is told in mmHg"
        return [DeviceNotice(NoticeKind.UNIT_CONVERTED, now, detail=detail)]

    def _read_identity(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        text = "".join(chr(byte) for byte in body if 0x20 <= byte < 0x7F).strip()[:64]
        if not text or text == self._identity:
            return ()
        self._identity = text
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=f"software {text}")]

    def _read_refusal(self, code: int, now: Instant) -> Sequence[DeviceEvent]:
        if code in _FAULTS:
            detail = f"sensor reports system fault {code:02X}"
            return [DeviceNotice(NoticeKind.DEVICE_FAULT, now, detail=detail)]
        if code not in _REFUSALS or not self._start.step_is_optional():
            return ()  # in boot, garbled or late: the step is repeated when it is due
        self._start.go_on(now)
        detail = f"sensor refuses a setting: {_REFUSALS[code]}"
        return [DeviceNotice(NoticeKind.CHECK_CALIBRATION, now, detail=detail)]


_PAGE: Final = "message table of open hosts and an open sensor emulator, put together by hand"

DRIVER: Final = Driver(
    name="respironics",
    title="Respironics Capnostat 5 / LoFlo capnography module",
    reference="Capnostat / LoFlo OEM protocol as open hosts speak it",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({*_METRICS.values(), Metric.CO2_WAVE}),
    silence_limit=seconds(3),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=RespironicsProtocol,
    encode=encode,
    open_device=RespironicsDevice,
    round_trip={
        Metric.ETCO2: (0, 150, 0.5),
        Metric.RESP_RATE: (1, 150, 1),
        Metric.FICO2: (0, 150, 0.5),
    },
    vectors=(
        Vector(bytes.fromhex("80 04 10 25 0E 39"), (), _PAGE),
        Vector(bytes.fromhex("80 07 11 24 70 02 02 7C 54"), ((Metric.ETCO2, 38.0),), _PAGE),
        Vector(bytes.fromhex("80 07 12 24 52 03 00 0E 60"), ((Metric.RESP_RATE, 14.0),), _PAGE),
        Vector(bytes.fromhex("80 07 13 08 1A 04 00 03 3D"), ((Metric.FICO2, 0.3),), _PAGE),
        Vector(bytes.fromhex("80 05 14 09 30 05 29"), (), _PAGE),
        Vector(bytes.fromhex("80 0A 15 07 68 01 00 00 00 00 00 71"), (), _PAGE),
        Vector(
            bytes.fromhex("80 0A 16 07 68 01 40 00 00 01 0A 25"),
            ((Metric.ETCO2, None), (Metric.RESP_RATE, None), (Metric.FICO2, None)),
            _PAGE,
        ),
    ),
    serial=SerialLine(baud=19200),
    doubts=(
        "the maker's own description was not readable; no capture was found",
        "status byte 1, bits 2 and 4, are told as unknown: UNCERTAIN",
        "ambient pressure is 760 mmHg unless `ambient_mmhg` says otherwise: UNCERTAIN",
        "a stream that never said its unit is taken as mmHg, and its numbers are questionable",
        "how long the warm-up lasts and how long a zero takes is not known",
    ),
)
