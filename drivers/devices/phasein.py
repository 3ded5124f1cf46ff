"""PHASEIN / Masimo IRMA (mainstream) and ISA (sidestream): EtCO2, FiCO2, respiration, CO2 wave.

::

    AA 55 | ID | STS | CO2 N2O AA1 AA2 O2 (16 bit, 0.01 %) | six slow bytes | CHK     20 a second

The slow bytes are, by ID: 0 inspired, 1 expired gas (CO2 in 0.1 %), 3 rate and ambient pressure
(0.1 kPa), 4 mode, errors, adapter, 5 configuration, 6 service; 255 is missing. CO2 comes in Vol%
and is told in mmHg with the pressure the analyser states.

In demo mode no number is of a patient, and everything told says so. The mode is in ID 4 alone, so
numbers and samples count once they lie between two of them that name the same mode.

The analyser sleeps until it is told to measure.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    TransportKind,
    Vector,
)
from drivers.framing import Piece
from drivers.options import CommonOptions, read_options
from drivers.parts.edges import Edges, State
from drivers.parts.phasein_analyser import MMHG_PER_PERCENT, PhaseinDevice, encode
from drivers.parts.phasein_frames import (
    BREATHING,
    CONFIGURATION,
    DEMO,
    EXPIRED,
    ID_MAX,
    INSPIRED,
    MEASURING,
    MISSING,
    NO_WORD,
    RATE_HZ,
    SERVICE,
    SET_APNOEA_S,
    SET_MODE,
    SET_N2O,
    SET_O2,
    STATE,
    FrameSplitter,
    command,
)
from drivers.parts.phasein_states import STATUS_MASK, Registers, judge
from drivers.reading import UnknownFields, read
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    FrameRejected,
    GenerationMode,
    NoticeKind,
    Observation,
    Validity,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, between, later, seconds
from monitor.model.metric import Metric

_SILENCE: Final = seconds(0.9)  # a lazy adapter brings the bytes in bursts
_ASK_EVERY: Final = seconds(1)
_BATCH: Final = 10  # samples to a segment: those of one cycle
_MMHG_PER_KPA: Final = 7.50062
_PRESSURES: Final = range(400, 1201)  # 0.1 kPa that can be around a patient
_MODE_MAX: Final = DEMO


class PhaseinOptions(CommonOptions, frozen=True, kw_only=True):
    """`ambient_mmhg` serves only while the analyser states no pressure.

    `apnoea_s`: after how long without a breath the analyser says so. `o2_percent`, `n2o_percent`:
    compensation, left as it is where not given.
    """

    ambient_mmhg: Annotated[float, Meta(ge=400, le=850)] = 760.0
    apnoea_s: Annotated[int, Meta(ge=20, le=60)] = 20
    o2_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    n2o_percent: Annotated[int, Meta(ge=0, le=100)] | None = None


class PhaseinProtocol:
    """Let it measure, listen; what was asked is asked again until the registers show it."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        self._chosen = read_options(options, PhaseinOptions)
        self._frames = FrameSplitter()
        self._edges = Edges()
        self._unknown = UnknownFields()
        self._identity = b""
        self._heard_at: Instant | None = None
        self._ask_at: Instant = OPENING
        self._wanted: list[bytes] = []
        self._outgoing: list[bytes] = []
        self._forget()

    def _forget(self) -> None:
        """Know nothing of the analyser: it was silent, and may be another one."""
        self._registers = Registers()
        self._verdict = judge(self._registers)
        self._pressure_kpa: float | None = None
        self._is_pressure_told = False
        self._untold: dict[int, int] = {}
        self._wave: list[int] = []
        self._name = ID_MAX
        self._n2o_sent = False
        self._wanted = [command(SET_MODE, MEASURING)]

    @property
    def wake_at(self) -> Instant | None:
        """When the analyser is asked again, or counts as silent."""
        if self._heard_at is None:
            return self._ask_at
        silent_at = later(self._heard_at, _SILENCE)
        return min(silent_at, self._ask_at) if self._wanted else silent_at

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Ask for what is still wanted; forget an analyser that has fallen silent."""
        events: list[DeviceEvent] = []
        if self._heard_at is not None and now >= later(self._heard_at, _SILENCE):
            self._heard_at = None
            self._forget()
            events = self._told(self._frames.give_up(), now)
            self._ask_at = min(self._ask_at, now)
        if self._wanted and now >= self._ask_at:
            self._ask_at = later(now, _ASK_EVERY)
            self._outgoing = self._wanted[:1]
            self._n2o_sent = self._n2o_sent or self._wanted[0][2] == SET_N2O
        return events

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell samples, numbers, states."""
        events: list[DeviceEvent] = []
        if self._heard_at is not None and between(self._heard_at, now) > _SILENCE:
            self._forget()
            events += self._told(self._frames.give_up(), now)
        self._heard_at = now
        return [*events, *self._told(self._frames.feed(data), now)]

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the last frame and all that waited for mode or pressure, as questionable."""
        events = self._told(self._frames.finish(), now)
        events += self._edges.read(self._states(), now, self._mode())
        events += self._segment(now)
        for name, byte in sorted(self._untold.items()):
            events.append(self._number(name, byte, now))
        self._untold.clear()
        return events

    def _told(self, pieces: Sequence[Piece], now: Instant) -> list[DeviceEvent]:
        events: list[DeviceEvent] = []
        for piece, flaw in pieces:
            if flaw:
                events.append(reject(flaw, piece, now))
            else:
                events += self._read(piece, now)
        return events

    def _mode(self) -> GenerationMode:
        return GenerationMode.DEMO if self._registers.mode == DEMO else GenerationMode.REAL

    def _read(self, frame: bytes, now: Instant) -> list[DeviceEvent]:
        name, status = frame[2], frame[3] & STATUS_MASK
        if name <= self._name:  # a new cycle: what was not confirmed in the last one is old
            self._untold.clear()
        self._name = name
        if status != self._registers.status:
            self._learn(msgspec.structs.replace(self._registers, status=status))
        self._wave.append(frame[4] << 8 | frame[5])
        del self._wave[:-_BATCH]
        mode_before = self._registers.mode
        events = self._read_slow(name, frame[14:20], now)
        if self._registers.mode is None:
            return events
        events += self._edges.read(self._states(), now, self._mode())
        if name == STATE:
            if self._registers.mode == mode_before:
                events += self._segment(now) if self._is_pressure_told else []
                events += [
                    self._number(name, byte, now)
                    for name, byte in self._untold.items()
                    if name == BREATHING or self._is_pressure_told
                ]
            self._wave.clear()
            self._untold.clear()
        return _marked(events, self._mode())

    def _learn(self, registers: Registers) -> None:
        self._registers = registers
        self._verdict = judge(registers)

    def _states(self) -> dict[State, str]:
        stated = "the pressure the analyser states"
        if self._pressure_kpa is None or not self._verdict.is_pressure_good:
            stated = f"{self._chosen.ambient_mmhg:g} mmHg, which is assumed"
        detail = f"CO2 comes in Vol% and is told in mmHg at {stated}"
        return {**self._verdict.states, NoticeKind.UNIT_CONVERTED: detail}

    def _read_slow(self, name: int, slow: bytes, now: Instant) -> list[DeviceEvent]:
        if name in {INSPIRED, EXPIRED}:
            self._untold[name] = slow[0]
        elif name == BREATHING:
            self._untold[name] = slow[0]
            pressure = slow[4] << 8 | slow[5]
            self._is_pressure_told = True
            self._pressure_kpa = pressure / 10 if pressure in _PRESSURES else None
        elif name == STATE:
            return self._read_state(slow, now)
        elif name == CONFIGURATION:
            return self._read_identity(slow, now)
        elif name == SERVICE and slow[2] != self._registers.service:
            self._learn(msgspec.structs.replace(self._registers, service=slow[2]))
        return []

    def _read_state(self, slow: bytes, now: Instant) -> list[DeviceEvent]:
        mode, oxygen, errors, adapter, doubtful, apnoea_s = slow
        told = msgspec.structs.replace(
            self._registers, mode=mode, errors=errors, adapter=adapter, doubtful=doubtful
        )
        if told != self._registers:
            self._learn(told)
        self._wanted = self._missing(mode, oxygen, apnoea_s)
        if mode > _MODE_MAX:
            return list(self._unknown.meet(f"mode {mode}", now))
        return []

    def _missing(self, mode: int, oxygen: int, apnoea_s: int) -> list[bytes]:
        """Return the commands for what the registers do not show yet."""
        chosen = self._chosen
        if mode not in {MEASURING, DEMO}:
            return [command(SET_MODE, MEASURING)]
        wanted = []
        if apnoea_s != chosen.apnoea_s:
            wanted.append(command(SET_APNOEA_S, chosen.apnoea_s))
        if chosen.o2_percent is not None and oxygen != chosen.o2_percent:
            wanted.append(command(SET_O2, chosen.o2_percent))
        if chosen.n2o_percent is not None and not self._n2o_sent:
            wanted.append(command(SET_N2O, chosen.n2o_percent))
        return wanted

    def _read_identity(self, slow: bytes, now: Instant) -> list[DeviceEvent]:
        is_sidestream = bool(slow[4] & 0x80)
        if is_sidestream != self._registers.is_sidestream:
            self._learn(msgspec.structs.replace(self._registers, is_sidestream=is_sidestream))
        if slow == self._identity:
            return []
        self._identity = slow
        kind = "ISA, sidestream" if is_sidestream else "IRMA, mainstream"
        detail = f"{kind}, hardware {slow[1]:02X}, software {slow[2]:02X}.{slow[3]:02X}"
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=detail)]

    def _mmhg_per_percent(self) -> float:
        if self._pressure_kpa is None or not self._verdict.is_pressure_good:
            return self._chosen.ambient_mmhg / 100
        return self._pressure_kpa * _MMHG_PER_KPA / 100

    def _number(self, name: int, byte: int, now: Instant) -> Observation:
        """Return rate or gas of one slow byte; old ones, repeated in apnoea, are none."""
        is_sure = self._verdict.is_settled and self._registers.mode is not None
        value: float | None = None
        if byte != MISSING and self._verdict.has_values:
            value = float(byte)
        metric = Metric.RESP_RATE
        if name != BREATHING:
            metric = Metric.ETCO2 if name == EXPIRED else Metric.FICO2
            is_sure = is_sure and self._pressure_kpa is not None
            value = None if value is None else round(value / 10 * self._mmhg_per_percent(), 2)
        trust = Validity.VALID if is_sure else Validity.QUESTIONABLE
        return read(metric, value, now, validity=trust)

    def _segment(self, now: Instant) -> list[DeviceEvent]:
        if not self._wave:
            return []
        scale = self._mmhg_per_percent() / 100 if self._verdict.has_wave else None
        samples = tuple(
            None if scale is None or word == NO_WORD else round(word * scale, 2)
            for word in self._wave
        )
        self._wave.clear()
        return [WaveformSegment(Metric.CO2_WAVE, now, RATE_HZ, samples, self._mode())]


def _marked(events: list[DeviceEvent], mode: GenerationMode) -> list[DeviceEvent]:
    """Return `events` as of `mode`; refused bytes are of none."""
    if mode is GenerationMode.REAL:
        return events
    return [
        each if isinstance(each, FrameRejected) else msgspec.structs.replace(each, mode=mode)
        for each in events
    ]


_PAGE: Final = "frame layout of a public protocol text, put together by hand"
_STEP: Final = round(4 * MMHG_PER_PERCENT / 10)

DRIVER: Final = Driver(
    name="phasein",
    title="PHASEIN / Masimo IRMA and ISA gas analyser",
    reference="Anesthetic Gas Sensor Communication Protocol (a PHASEIN-compatible sensor)",
    evidence=Evidence.OPEN_IMPLEMENTATION,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset({Metric.ETCO2, Metric.FICO2, Metric.RESP_RATE, Metric.CO2_WAVE}),
    silence_limit=seconds(3),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=PhaseinProtocol,
    encode=encode,
    open_device=PhaseinDevice,
    round_trip={
        Metric.ETCO2: (0, 20 * _STEP, _STEP),
        Metric.FICO2: (0, 20 * _STEP, _STEP),
        Metric.RESP_RATE: (1, 150, 1),
    },
    vectors=(
        Vector(
            bytes.fromhex("AA 55 01 00 01 F4 00 00 00 00 00 00 08 2A 32 00 00 00 10 FF 97"),
            ((Metric.ETCO2, 38.0),),
            _PAGE,
        ),
        Vector(
            bytes.fromhex("AA 55 03 01 01 E0 00 00 00 00 00 00 08 2A 0E 03 00 00 03 F5 E0"),
            ((Metric.RESP_RATE, 14.0),),
            _PAGE,
        ),
        Vector(
            bytes.fromhex("AA 55 02 02 00 00 FF FF FF FF FF FF FF FF 00 FF FF FF FF FF 09"),
            (),
            _PAGE,
        ),
        Vector(
            bytes.fromhex("AA 55 00 00 00 00 FF FF FF FF FF FF FF FF 04 FF FF FF FF FF 09"),
            ((Metric.FICO2, 3.04),),
            _PAGE,
        ),
    ),
    doubts=(
        "no capture was found; the sensor of the description is said to be PHASEIN-compatible",
        "data-valid register: 1 = invalid follows one source: UNCERTAIN",
        "no water vapour correction: the numbers are those of dry gas",
        "how long the accuracy stays unspecified, and how long a zero takes: UNCERTAIN",
    ),
)
