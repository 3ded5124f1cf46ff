"""Capnostream 20, 20p, 35: EtCO2, FiCO2, respiration, CO2 wave, SpO2, pulse, its own alarms.

::

    85 | LEN | CODE | DATA.. | CHK      LEN counts CODE and DATA; CHK: exclusive or of LEN..DATA
    in LEN, CODE, DATA, CHK:  85 is sent as 80 05, 80 as 80 00

Host: 01 enable (until the identity, 04, answers), 15 event names, 36 the stored trend where that is
asked for, 04 start, 06 link active every 5 s. Monitor: 00 wave every 50 ms, 01 numerics every
second. Nothing readable for 0.9 s: begin again.

CO2 comes in the unit chosen on the monitor: whole mmHg, or tenths of kPa or Vol%. The unit is told
by the numerics alone, so no wave is told before the first of them. An apnoea is the monitor's
"no breath" bit; a missing number alone is not.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, Final

from msgspec import Meta

from drivers.checksums import exclusive_or
from drivers.contract import (
    NO_OPTIONS,
    Driver,
    Evidence,
    Options,
    SerialLine,
    TransportKind,
    Vector,
)
from drivers.framing import EscapedSplitter
from drivers.options import CommonOptions, read_options
from drivers.parts.capnostream_events import NAME, WIDE_NAME, EventNames
from drivers.parts.capnostream_monitor import (
    ESCAPES,
    FRAME_SIZE_MAX,
    START,
    CapnostreamDevice,
    command,
    encode,
    size_of,
)
from drivers.parts.capnostream_numerics import NUMERICS_SIZE, NumericsReader
from drivers.parts.capnostream_trend import TrendReader
from drivers.reading import Flag, StatusWord, UnknownFields
from monitor.model.event import (
    DeviceEvent,
    DeviceNotice,
    NoticeKind,
    WaveformSegment,
    reject,
)
from monitor.model.instant import OPENING, Instant, later, seconds
from monitor.model.metric import Metric

_ENABLE, _START_STREAM, _LINK_ACTIVE = command(0x01), command(0x04), command(0x06)
_ASK_NAMES, _START_TREND, _STOP_TREND = command(0x15), command(0x36), command(0x37)
_ANSWER_WITHIN: Final = seconds(1)
_TREND_MAX: Final = seconds(60)  # nothing is live while it lasts
_ENABLE_EVERY: Final = seconds(1.5)
_SILENCE: Final = seconds(0.9)
_LINK_ACTIVE_EVERY: Final = seconds(5)

_WAVE, _NUMERICS, _IDENTITY, _TREND = 0x00, 0x01, 0x04, 0x37
# Read by nobody here: patient identity (private) and numbers that nobody asked for.
_LEFT_ALONE: Final = frozenset({0x02, 0x0C, 0x03, 0x39, 0x3A})
_WAVE_SIZE: Final = 5
_WAVE_RATE_HZ: Final = 20
_BATCH: Final = 5  # samples to a segment: four segments a second
_GAP_MAX: Final = 20  # lost samples that are shown as a hole; a longer gap breaks the strip

_FAST_FLAGS: Final = (
    Flag(0x02, NoticeKind.WARMING_UP),
    Flag(0x04, NoticeKind.OCCLUSION),
    Flag(0x10, NoticeKind.AUTO_ZERO),
    Flag(0x20, NoticeKind.PURGING),
    Flag(0x40, NoticeKind.SAMPLE_LINE_OFF),
    Flag(0x80, NoticeKind.CO2_FAULT),
)
_NO_CO2: Final = 0xFF ^ 0x08  # any fast status but "end of breath": the sample shows no patient
_OXIMETERS: Final = {"B2": "Nellcor", "B3": "Masimo", "B5": "Masimo"}


class CapnostreamOptions(CommonOptions, frozen=True, kw_only=True):
    """`ambient_mmhg` turns Vol% into mmHg; `link_active`: newer firmware wants to hear it.

    `event_names`: ask once what the events are called that a person can mark on the monitor.
    `trend`: before each start, fetch what the monitor stored while it was not heard.
    """

    ambient_mmhg: Annotated[float, Meta(ge=400, le=850)] = 760.0
    link_active: bool = True
    event_names: bool = True
    trend: bool = False


class _Phase(StrEnum):
    ENABLING = "enabling"
    NAMING = "naming"
    TREND = "trend"
    TREND_DONE = "trend done"
    STARTING = "starting"
    RUNNING = "running"


_BEFORE_START: Final = frozenset({_Phase.NAMING, _Phase.TREND, _Phase.TREND_DONE})


class CapnostreamProtocol:
    """Enable, start, listen; begin again when the monitor falls silent."""

    def __init__(self, options: Options = NO_OPTIONS) -> None:
        chosen = read_options(options, CapnostreamOptions)
        self._frames = EscapedSplitter(START, ESCAPES, FRAME_SIZE_MAX, size_of=size_of)
        self._names = EventNames()
        self._numerics = NumericsReader(chosen.ambient_mmhg, self._names)
        self._trend = TrendReader(chosen.opened_utc_s, chosen.ambient_mmhg, self._names)
        self._sends_link_active = chosen.link_active
        self._wants_names = chosen.event_names
        self._wants_trend = chosen.trend
        self._trend_until: Instant = OPENING
        self._outgoing: list[bytes] = []
        self._phase = _Phase.ENABLING
        self._due: Instant = OPENING  # of the next enable
        self._link_active_at: Instant = OPENING
        self._counter: int | None = None
        self._wave: list[tuple[int, int] | None] = []  # (whole, fraction), not yet told
        self._fast = StatusWord(_FAST_FLAGS)
        self._identity = ""
        self._unknown = UnknownFields()
        self._readers: dict[int, Callable[[bytes, Instant], Sequence[DeviceEvent]]] = {
            _IDENTITY: self._read_identity,
            _TREND: self._read_trend,
            NAME: partial(self._read_name, NAME),
            WIDE_NAME: partial(self._read_name, WIDE_NAME),
        }

    @property
    def wake_at(self) -> Instant | None:
        """When the monitor counts as silent, is asked again, or is told that we are here."""
        if self._phase is _Phase.RUNNING and self._sends_link_active:
            return min(self._due, self._link_active_at)
        return self._due

    def take_outgoing(self) -> Sequence[bytes]:
        """Return the next command."""
        sent, self._outgoing = self._outgoing, []
        return sent

    def wake(self, now: Instant) -> Sequence[DeviceEvent]:
        """Enable a monitor that has not answered or has fallen silent; keep one that talks."""
        if now >= self._due and self._phase in _BEFORE_START:
            return self._go_on(now)
        if now >= self._due:
            self._phase = _Phase.ENABLING
            self._due = later(now, _ENABLE_EVERY)
            self._outgoing = [_ENABLE]
            self._counter = None
            self._wave.clear()
            return [reject(flaw, frame, now) for frame, flaw in self._frames.give_up()]
        if self._phase is _Phase.RUNNING and now >= self._link_active_at:
            self._link_active_at = later(now, _LINK_ACTIVE_EVERY)
            if self._sends_link_active:
                self._outgoing = [_LINK_ACTIVE]
        return ()

    def receive(self, data: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Take bytes; tell waves, numerics, states and alarms."""
        events: list[DeviceEvent] = []
        for frame, flaw in self._frames.feed(data):
            if flaw:
                events.append(reject(flaw, frame, now))
            elif exclusive_or(frame):
                events.append(reject("checksum differs", frame, now))
            else:
                events += self._read(frame, now)
        return events

    def finish(self, now: Instant) -> Sequence[DeviceEvent]:
        """Tell the samples that make no full batch; where no unit was told, as mmHg."""
        stored = self._trend.tell(now, self._numerics.clock_s(now))
        return [*stored, *self._segment(now, self._numerics.co2_scale or 1.0)]

    def _read(self, frame: bytes, now: Instant) -> Sequence[DeviceEvent]:
        code, body = frame[1], frame[2:-1]
        if code == _WAVE and frame[0] == _WAVE_SIZE:
            self._hear(now)
            return self._read_wave(body, now)
        if code == _NUMERICS and frame[0] == NUMERICS_SIZE:
            self._hear(now)
            return self._numerics.read(body, now)
        if code in {_WAVE, _NUMERICS}:
            return [reject("length differs", frame, now)]
        reader = self._readers.get(code)
        if reader is not None:
            return reader(body, now)
        if code in _LEFT_ALONE:
            return ()
        return self._unknown.meet(f"message code {code:02X}", now)

    def _go_on(self, now: Instant) -> list[DeviceEvent]:
        """Take the next step before the stream starts: names, the trend, the start."""
        events: list[DeviceEvent] = []
        if self._phase is _Phase.TREND:
            events = self._trend.tell(now, self._numerics.clock_s(now))
        if self._phase is _Phase.ENABLING and self._wants_names and not self._names.are_known:
            self._phase, self._outgoing = _Phase.NAMING, [_ASK_NAMES]
        elif self._phase in {_Phase.ENABLING, _Phase.NAMING} and self._wants_trend:
            self._phase, self._outgoing = _Phase.TREND, [_START_TREND]
            self._trend.begin()
            self._trend_until = later(now, _TREND_MAX)
        elif self._phase is _Phase.TREND:
            self._phase, self._outgoing = _Phase.TREND_DONE, [_STOP_TREND]
        else:
            self._phase, self._outgoing = _Phase.STARTING, [_START_STREAM]
        is_start = self._phase is _Phase.STARTING
        self._due = later(now, _ENABLE_EVERY if is_start else _ANSWER_WITHIN)
        return events

    def _read_name(self, code: int, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        if not self._names.take(code, body):
            return [reject("event name without its form", body, now)]
        if self._phase is _Phase.NAMING:
            self._due = later(now, _ANSWER_WITHIN)
            return self._go_on(now) if self._names.are_known else ()
        return ()

    def _read_trend(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        if self._phase is _Phase.TREND:
            self._due = min(later(now, _ANSWER_WITHIN), self._trend_until)
        return self._trend.take(body, now)

    def _hear(self, now: Instant) -> None:
        """Note that real time is on; what was on its way before a download is no sign of it."""
        if self._phase in _BEFORE_START:
            return
        if self._phase is not _Phase.RUNNING:
            self._phase = _Phase.RUNNING
            self._link_active_at = later(now, _LINK_ACTIVE_EVERY)
        self._due = later(now, _SILENCE)

    def _read_wave(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        counter, whole, fraction, status = body
        events = list(self._fast.read(status, now))
        lost = 0 if self._counter is None else (counter - self._counter - 1) & 0xFF
        self._counter = counter
        if lost:
            detail = f"{lost} CO2 wave messages"
            events.append(DeviceNotice(NoticeKind.MESSAGES_LOST, now, detail=detail))
            if lost > _GAP_MAX:
                self._wave.clear()
            else:
                self._wave += [None] * lost
        self._wave.append(None if status & _NO_CO2 else (whole, fraction))
        scale = self._numerics.co2_scale
        if scale is None:
            del self._wave[:-_BATCH]
        elif len(self._wave) >= _BATCH:
            events += self._segment(now, scale)
        return events

    def _segment(self, now: Instant, scale: float) -> Sequence[DeviceEvent]:
        if not self._wave:
            return ()
        samples = tuple(
            None if each is None else round((each[0] + each[1] / 256) * scale, 2)
            for each in self._wave
        )
        self._wave.clear()
        return [WaveformSegment(Metric.CO2_WAVE, now, _WAVE_RATE_HZ, samples)]

    def _read_identity(self, body: bytes, now: Instant) -> Sequence[DeviceEvent]:
        """Start the stream; tell software and oximeter, and keep the serial number to nobody."""
        if self._phase is _Phase.ENABLING:
            self._go_on(now)
        text = body.decode("ascii", errors="replace").split()
        if len(text) < 3:
            return [reject("identity not understood", body, now)]
        board = text[2][:2]
        oximeter = _OXIMETERS.get(board, "unknown")
        detail = f"software {text[0]} of {text[1]}, oximeter {oximeter} ({board})"
        if detail == self._identity:
            return ()
        self._identity = detail
        return [DeviceNotice(NoticeKind.DEVICE_IDENTITY, now, detail=detail)]


_PAGE: Final = "public copy of the vendor's data transfer protocol, put together by hand"
_QUIET: Final = bytes.fromhex(
    "85 1C 01 65 53 F1 00 26 00 0E 61 48 00 00 00 00 00 00 00 3C 0F 1E 05 08 64 55 8C 32 01 00 75"
)
_APNOEA: Final = bytes.fromhex(
    "85 1C 01 65 53 F1 3C FF FF FF 61 48 08 00 00 00 01 00 19 3C 0F 1E 05 08 64 55 8C 32 01 00 8E"
)

DRIVER: Final = Driver(
    name="capnostream",
    title="Oridion / Medtronic Capnostream capnograph",
    reference="Capnostream data transfer protocols, D006045C",
    evidence=Evidence.VENDOR_TABLE,
    transports=frozenset({TransportKind.SERIAL, TransportKind.TCP}),
    metrics=frozenset(
        {
            Metric.ETCO2,
            Metric.FICO2,
            Metric.RESP_RATE,
            Metric.SPO2,
            Metric.PULSE_RATE,
            Metric.CO2_WAVE,
        }
    ),
    silence_limit=seconds(3),
    detects_corruption=True,
    frames_lost_after_cut_max=0,
    open_protocol=CapnostreamProtocol,
    encode=encode,
    open_device=CapnostreamDevice,
    round_trip={
        Metric.ETCO2: (0, 150, 1),
        Metric.FICO2: (0, 150, 1),
        Metric.RESP_RATE: (0, 150, 1),
        Metric.SPO2: (1, 100, 1),
        Metric.PULSE_RATE: (10, 250, 1),
    },
    vectors=(
        Vector(
            _QUIET,
            (
                (Metric.ETCO2, 38.0),
                (Metric.FICO2, 0.0),
                (Metric.RESP_RATE, 14.0),
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
            ),
            _PAGE,
        ),
        Vector(
            _APNOEA,
            (
                (Metric.ETCO2, None),
                (Metric.FICO2, None),
                (Metric.RESP_RATE, None),
                (Metric.SPO2, 97.0),
                (Metric.PULSE_RATE, 72.0),
            ),
            _PAGE,
        ),
        Vector(bytes.fromhex("85 05 00 2A 25 80 00 00 8A"), (), _PAGE),
        Vector(bytes.fromhex("85 05 00 80 05 25 80 00 08 2D"), (), _PAGE),
    ),
    serial=SerialLine(baud=115200),
    doubts=(
        "Vol% becomes mmHg with 760 mmHg ambient unless `ambient_mmhg` says otherwise: UNCERTAIN",
        "a trend record of events or alarms is taken to carry four numbers: UNCERTAIN",
        "older firmware is taken to ignore 'link active' (06)",
    ),
)
